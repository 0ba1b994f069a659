"""Activity of nets: transitions a cycle, and how often a state holds. Measured, or the same for all nets."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from .expression import evaluate, names_in
from .netlist import CONSTANTS, Netlist

__all__ = ["Activity", "Fixed", "Waves", "fixed"]


class Activity(Protocol):
    """What ``power`` asks of a netlist at work."""

    def rate(self, net: str) -> float:
        """Transitions a cycle."""

    def share(self, when: str, nets: Mapping[str, str], moving: str = "") -> float:
        """The part of the cycles in which a state of a cell holds, or of those in which a net moves.

        ``nets``: the nets of the pins that ``when`` names.
        """


@dataclass(frozen=True)
class Fixed:
    """Transitions a cycle by net, each net high in half of the cycles and independent of all others."""

    rates: Mapping[str, float]

    def rate(self, net: str) -> float:
        return self.rates.get(net, 0.0)

    def share(self, when: str, nets: Mapping[str, str], moving: str = "") -> float:
        pins = names_in(when)
        values: list[Iterable[int]] = [(CONSTANTS[nets[p]],) if nets[p] in CONSTANTS else (0, 1) for p in pins]
        held = [evaluate(when, pins)(*state) for state in product(*values)]
        return sum(held) / len(held)


@dataclass(frozen=True)
class Waves:
    """The value of every net in every cycle, 0 or 1; the clock moves twice in each."""

    values: Mapping[str, NDArray[np.uint8]]
    cycles: int
    clock: str

    def rate(self, net: str) -> float:
        if net == self.clock:
            return 2.0
        return 0.0 if net in CONSTANTS else float(self._moves(net).mean())

    def share(self, when: str, nets: Mapping[str, str], moving: str = "") -> float:
        pins = names_in(when)
        held = np.broadcast_to(evaluate(when, pins)(*(self._value(nets[p]) for p in pins)), (self.cycles,))[1:]
        if moving and moving != self.clock:
            moves = self._moves(moving)
            return float(held[moves].mean()) if moves.any() else 0.0
        return float(held.mean())

    def _value(self, net: str) -> NDArray[np.uint8]:
        if net in CONSTANTS or net == self.clock:
            return np.full(self.cycles, CONSTANTS.get(net, 1), np.uint8)
        return self.values[net]

    def _moves(self, net: str) -> NDArray[np.bool_]:
        return self.values[net][1:] != self.values[net][:-1]


def fixed(netlist: Netlist, rate: float) -> Fixed:
    """An activity with as many transitions a cycle on every net, and two of the clock."""
    return Fixed({net: 2.0 if net == netlist.clock else rate for net in netlist.nets})
