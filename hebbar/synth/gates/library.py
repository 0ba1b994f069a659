"""What a Liberty file says of energy: capacitances, tables of internal energy, leakage; and the tables of slew, on
which these depend."""

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from hebbar.contract.errors import BadInput

from ..asic import cells_of
from .syntax import Group, parse

__all__ = ["Arc", "Cell", "FlipFlop", "Internal", "Library", "Pin", "Table", "read_library"]

PREFIX = {"": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15, "a": 1e-18}
EDGES = ("rise", "fall")


@dataclass(frozen=True)
class Table:
    """Values over slew and load, in the units of the file; between its points and beyond them linear."""

    slews: tuple[float, ...]
    loads: tuple[float, ...]
    values: tuple[float, ...]

    def at(self, slew: float, load: float) -> float:
        """The value; slews are the rows."""
        columns = max(1, len(self.loads))
        rows = [_between(self.loads, self.values[i:i + columns], load) for i in range(0, len(self.values), columns)]
        return _between(self.slews, rows, slew)


def _between(points: tuple[float, ...], values: tuple[float, ...] | list[float], at: float) -> float:
    if len(values) == 1:
        return values[0]
    i = next((i for i, (_, high) in enumerate(pairwise(points)) if at < high), len(points) - 2)
    share = (at - points[i]) / (points[i + 1] - points[i])
    return values[i] + share * (values[i + 1] - values[i])


@dataclass(frozen=True)
class Internal:
    """Energy inside a cell at a transition of ``pin``: of the pin ``related`` that causes it, where the pin is an
    output, and where ``when`` holds. ``tables``: by the edge of ``pin``."""

    pin: str
    related: str
    when: str
    tables: dict[str, Table]


@dataclass(frozen=True)
class Arc:
    """How an input moves an output: the sense of it, and slews by the edge of the output."""

    pin: str
    related: str
    sense: str
    clocked: bool
    slews: dict[str, Table]


@dataclass(frozen=True)
class Pin:
    """``farad``: what it loads its net with; ``function``: of an output, empty for an input."""

    output: bool
    farad: float
    function: str
    clock: bool


@dataclass(frozen=True)
class FlipFlop:
    """The register of a cell: the names of its value and of the inverse, its next value, its asynchronous inputs."""

    names: tuple[str, str]
    next_state: str
    clear: str
    preset: str


@dataclass(frozen=True)
class Cell:
    """A standard cell; ``leakages``: watts by the state in which they hold, and ``leakage`` in all others."""

    name: str
    pins: dict[str, Pin]
    internals: tuple[Internal, ...]
    arcs: tuple[Arc, ...]
    flip_flop: FlipFlop | None
    leakage: float
    leakages: tuple[tuple[str, float], ...]

    def internals_of(self, pin: str) -> list[Internal]:
        """The tables of internal energy of a pin."""
        return [i for i in self.internals if i.pin == pin]


@dataclass(frozen=True)
class Library:
    """Cells by name. ``volt``: the supply; ``joule``, ``farad``: units of the tables."""

    name: str
    cells: dict[str, Cell]
    volt: float
    joule: float
    farad: float


def read_library(path: Path) -> Library:
    """The cells of a Liberty file, packed or not; raises BadInput for a file without cells, units or voltage."""
    text = cells_of(path)
    found = parse(text, str(path))
    volt, unit = _unit(found, "voltage_unit", "V", path), found.lists.get("capacitive_load_unit", [])
    if len(unit) != 2 or "nom_voltage" not in found.values:
        raise BadInput(f"{path} has no capacitive_load_unit or no nom_voltage; give a Liberty file with both.")
    farad = float(unit[0]) * PREFIX[unit[1].lower().removesuffix("f")]
    watt = _unit(found, "leakage_power_unit", "W", path)
    orders = {t.names[0]: "capacitance" in t.values.get("variable_1", "") for t in found.groups
              if t.kind in ("lu_table_template", "power_lut_template") and t.names}
    cells = {c.names[0]: _cell(c, farad, watt, orders) for c in found.all("cell")}
    return Library(found.names[0], cells, float(found.values["nom_voltage"]) * volt, farad * volt * volt, farad)


def _unit(library: Group, name: str, symbol: str, path: Path) -> float:
    """A unit such as 1pW in SI."""
    match = re.fullmatch(rf"([\d.]+)([munpfa]?){symbol}", library.values.get(name, ""))
    if not match:
        raise BadInput(f"{path}: {name} is {library.values.get(name)!r}; give a Liberty file with "
                       f"it, as in 1p{symbol}.")
    return float(match[1]) * PREFIX[match[2]]


def _cell(cell: Group, farad: float, watt: float, orders: dict[str, bool]) -> Cell:
    internals, arcs = [], []
    grounds = {g.names[0] for g in cell.all("pg_pin") if g.values.get("pg_type") == "primary_ground"}
    for pin in cell.all("pin"):
        for power in pin.all("internal_power"):
            if power.values.get("related_pg_pin") in grounds:  # what comes back through the ground left the supply
                continue
            tables = {e: _table(t, orders) for e in EDGES for t in power.all(f"{e}_power") + power.all("power")}
            internals += [Internal(name, related, power.values.get("when", ""), tables) for name in pin.names
                          for related in power.values.get("related_pin", "").split() or [""]]
        for timing in pin.all("timing"):
            slews = {e: _table(t, orders) for e in EDGES for t in timing.all(f"{e}_transition")}
            if slews:
                arcs += [Arc(name, related, timing.values.get("timing_sense", "non_unate"),
                             timing.values.get("timing_type", "").endswith("_edge"), slews) for name in pin.names
                         for related in timing.values.get("related_pin", "").split()]
    leakages = [(g.values.get("when", ""), float(g.values["value"]) * watt) for g in cell.all("leakage_power")
                if "value" in g.values]
    states = tuple((when, value) for when, value in leakages if when)
    default = next((value for when, value in leakages if not when), 0.0)
    pins = {name: _pin(pin, farad) for pin in cell.all("pin") for name in pin.names}
    return Cell(cell.names[0], pins, tuple(internals), tuple(arcs), _flip_flop(cell),
                float(cell.values["cell_leakage_power"]) * watt if "cell_leakage_power" in cell.values else default,
                states)


def _pin(pin: Group, farad: float) -> Pin:
    return Pin(pin.values.get("direction") == "output", float(pin.values.get("capacitance", 0)) * farad,
               pin.values.get("function", ""), pin.values.get("clock") == "true")


def _flip_flop(cell: Group) -> FlipFlop | None:
    for group in cell.all("ff"):
        v = group.values
        return FlipFlop((group.names[0], group.names[1]), v.get("next_state", ""), v.get("clear", ""),
                        v.get("preset", ""))
    return None


def _table(table: Group, orders: dict[str, bool]) -> Table:
    """A table with slews as rows, whatever its template has as its first variable."""
    first, second = (tuple(table.numbers(name)) for name in ("index_1", "index_2"))
    values = tuple(table.numbers("values"))
    if len(values) == 1:
        return Table((), (), values)
    if not orders.get(table.names[0] if table.names else "", False):
        return Table(first, second, values)
    columns = max(1, len(second))
    turned = tuple(values[r * columns + c] for c in range(columns) for r in range(len(first)))
    return Table(second, first, turned)
