"""Studies of many runs, as ``hebbar sweep`` makes them: grids and searches over keys of a configuration."""

from .grid import Point, axis, distinct, grid
from .kept import Job, Store
from .schedulers import scheduler
from .study import Line, Study, sweep, trained
from .table import said, show, write_chosen, write_csv, write_parquet

__all__ = ["Job", "Line", "Point", "Store", "Study", "axis", "distinct", "grid", "said", "scheduler", "show", "sweep",
           "trained", "write_chosen", "write_csv", "write_parquet"]
