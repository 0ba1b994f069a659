"""Energy, third tier: a netlist of standard cells, the activity of every net, and the tables of a Liberty file."""

from .activity import Activity, fixed
from .library import Library, read_library
from .netlist import Netlist, map_flat
from .power import Power, power
from .simulation import simulate

__all__ = ["Activity", "Library", "Netlist", "Power", "fixed", "map_flat", "power", "read_library", "simulate"]
