"""Energy of a netlist in a cycle: inside the cells, on the nets between them, and what leaks."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from .activity import Activity
from .library import Internal, Library
from .netlist import CONSTANTS, Instance, Netlist
from .simulation import in_order
from .slews import loads, slews

__all__ = ["Power", "Weigh", "by_definition", "power", "rate_of"]

Weigh = Callable[[Instance, Sequence[Internal], Activity], list[float]]
"""Weights of the tables of one pin of a cell: which part of its rise and fall together each takes at a transition."""


@dataclass(frozen=True)
class Power:
    """Joules a cycle, inside cells and on nets, and watts of leakage.

    ``registers``: the part inside that flip-flops have; ``clock``: the part of both that the clock has; ``ports``: the
    part on nets that ports drive, not cells.
    """

    internal: float
    switching: float
    leakage: float
    registers: float = 0.0
    clock: float = 0.0
    ports: float = 0.0

    def __add__(self, other: "Power") -> "Power":
        return Power(self.internal + other.internal, self.switching + other.switching, self.leakage + other.leakage,
                     self.registers + other.registers, self.clock + other.clock, self.ports + other.ports)

    @property
    def dynamic(self) -> float:
        """Joules a cycle without leakage."""
        return self.internal + self.switching

    def cycle(self, hertz: float) -> float:
        """Joules a cycle at a clock."""
        return self.dynamic + self.leakage / hertz


def power(netlist: Netlist, library: Library, activity: Activity, weigh: "Weigh | None" = None) -> Power:
    """Before layout: without wires, buffers and clock tree, at the voltage of the library.

    Internal energy: of an output, its transitions times the mean of the tables of the inputs that move, weighted by how
    often they do; of an input, what its transitions take where the output stays. Rise and fall are as frequent as each
    other. A net takes C V^2 / 2 a transition. ``weigh``: which tables count how much, instead of ``by_definition``.
    """
    farads = loads(netlist)
    edges = slews(netlist, in_order(netlist), farads, library.farad)
    total = Power(0.0, 0.0, 0.0)
    for instance in netlist.instances:
        inside = _Inside(instance, library, activity, farads, edges, weigh or by_definition)
        joule, clocked = inside.joule()
        total += Power(joule, 0.0, inside.leakage(), joule if instance.cell.flip_flop else 0.0, clocked)
    driven = {net for nets in netlist.inputs.values() for net in nets}
    for net in netlist.nets:
        joule = activity.rate(net) * farads.get(net, 0.0) * library.volt ** 2 / 2
        total += Power(0.0, joule, 0.0, 0.0, joule * (net == netlist.clock), joule * (net in driven))
    return total


def by_definition(instance: Instance, found: Sequence[Internal], activity: Activity) -> list[float]:
    """As Liberty defines its tables: the state that holds has its own, a table without a state stands for the others.

    Of the tables of an output those of the inputs that move count, as often as they do.
    """
    states = [_share(i, instance, activity) if i.when else 0.0 for i in found]
    others = sum(not i.when for i in found)
    if not instance.cell.pins[found[0].pin].output:
        rest = max(0.0, 1.0 - sum(states)) / max(1, others)
        return [0.5 * (share if i.when else rest) for share, i in zip(states, found, strict=True)]
    moves = [(rate_of(instance, i.related, activity) if i.related else 1.0) * (share if i.when else 1.0)
             for share, i in zip(states, found, strict=True)]
    total = sum(moves)
    return [0.5 * m / total for m in moves] if total else [0.0] * len(found)


def rate_of(instance: Instance, pin: str, activity: Activity) -> float:
    """Transitions a cycle of a pin."""
    net = instance.nets[pin]
    return 0.0 if net in CONSTANTS else activity.rate(net)


def _share(internal: Internal, instance: Instance, activity: Activity) -> float:
    """How often the state of a table holds while the pin moves that causes the energy."""
    moving = instance.nets[internal.related or internal.pin]
    return activity.share(internal.when, instance.nets, "" if moving in CONSTANTS else moving)


@dataclass(frozen=True)
class _Inside:
    """One cell at work."""

    instance: Instance
    library: Library
    activity: Activity
    farads: Mapping[str, float]
    edges: Mapping[tuple[str, str], float]
    weigh: Weigh

    def joule(self) -> tuple[float, float]:
        """Joules a cycle inside the cell, and the part of its clock pin."""
        total, clocked = 0.0, 0.0
        for name, pin in self.instance.cell.pins.items():
            rate, found = rate_of(self.instance, name, self.activity), self.instance.cell.internals_of(name)
            if rate and found:
                weights = self.weigh(self.instance, found, self.activity)
                joule = rate * sum(w * self._both(i) for w, i in zip(weights, found, strict=True) if w)
                total += joule
                clocked += joule * pin.clock
        return total, clocked

    def leakage(self) -> float:
        """Watts: of each state by the time in it, the cell's own value for the rest."""
        shares = [(self._share(when), watt) for when, watt in self.instance.cell.leakages]
        rest = max(0.0, 1.0 - sum(share for share, _ in shares))
        return sum(share * watt for share, watt in shares) + rest * self.instance.cell.leakage

    def _both(self, internal: Internal) -> float:
        """Joules of a rise and a fall; a table that is not there is zero."""
        load = self.farads.get(self.instance.nets[internal.pin], 0.0) / self.library.farad
        cause = self.instance.nets[internal.related or internal.pin]
        return sum(table.at(self.edges.get((cause, edge), 0.0), load) for edge, table in internal.tables.items()) \
            * self.library.joule

    def _share(self, when: str) -> float:
        return self.activity.share(when, self.instance.nets)
