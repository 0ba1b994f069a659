"""Energy, second tier: transitions of every net of the RTL as Verilator counts them, times what a gate behind a net
takes."""

from .cells import Cells, cells_of
from .machine import KINDS, Counted, counted

__all__ = ["KINDS", "Cells", "Counted", "cells_of", "counted"]
