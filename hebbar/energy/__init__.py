"""Energy, first tier: the machine's exact counts times a sourced table of energies.

Counts are facts (the counters that golden model and RTL agree on, and what follows from the program
alone); energies are a table in which every entry has a source. The two are never mixed.
"""

from .estimate import Estimate, Row, estimate
from .technology import Entry, Technology, load_technology

__all__ = ["Entry", "Estimate", "Row", "Technology", "estimate", "load_technology"]
