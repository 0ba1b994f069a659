"""Slew of every net, on which internal energies depend: the slowest arc, from ideal inputs and an ideal clock."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from .library import EDGES, Arc
from .netlist import CONSTANTS, Instance, Netlist

__all__ = ["loads", "slews"]

FROM = {"positive_unate": {"rise": ("rise",), "fall": ("fall",)},
        "negative_unate": {"rise": ("fall",), "fall": ("rise",)}}
"""Which edge of the input moves the output so; both where an arc is of no sense."""


def loads(netlist: Netlist) -> dict[str, float]:
    """Farads on every net: the inputs of the cells that it drives, and no wire."""
    found: dict[str, float] = defaultdict(float)
    for instance in netlist.instances:
        for pin, net in instance.nets.items():
            if net not in CONSTANTS and not instance.cell.pins[pin].output:
                found[net] += instance.cell.pins[pin].farad
    return found


def slews(netlist: Netlist, order: Sequence[Instance], farads: Mapping[str, float], unit: float
          ) -> dict[tuple[str, str], float]:
    """Slew by net and edge in the units of the library; ``order``: every gate after those that drive it; ``unit``: the
    farads of its tables. Nets without a driver change in no time."""
    found: dict[tuple[str, str], float] = defaultdict(float)
    for instance in [*(i for i in netlist.instances if i.cell.flip_flop), *order]:
        for arc in instance.cell.arcs:
            if (instance.cell.flip_flop is None) == arc.clocked or instance.nets[arc.related] in CONSTANTS:
                continue
            _arc(instance, arc, farads.get(instance.nets[arc.pin], 0.0) / unit, found)
    return found


def _arc(instance: Instance, arc: Arc, load: float, found: dict[tuple[str, str], float]) -> None:
    for edge, table in arc.slews.items():
        for cause in FROM.get(arc.sense, {}).get(edge, EDGES):
            slew = table.at(found[instance.nets[arc.related], cause], load)
            at = instance.nets[arc.pin], edge
            found[at] = max(found[at], slew)
