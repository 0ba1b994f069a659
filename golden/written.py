"""What the sweeps and separations of a golden machine write, element by element: told to a watcher, who may hash it.

What IN and the host write is left out, and the feedback sums, whose parts have an order of the tile's own.
"""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from hebbar.contract.effects import Resource
from hebbar.contract.isa import Into, Sweep
from hebbar.contract.machine import MachineConfig
from hebbar.contract.write_hash import FACTOR, STEP

from .fixed import Ints
from .plan import Plan
from .trace import Hashes

__all__ = ["HashedWrites", "Watcher", "learnt", "separated", "sizes", "swept"]

ATTRIBUTES = {Resource.STATE: "state", Resource.ERROR: "error", Resource.ACTIVITY: "activity", Resource.BASE: "base",
              Resource.INTEGRAL: "integral"}
"""Memories of rows, by their names in the golden machine."""
_WRITTEN = {Resource.STATE: Sweep.INIT | Sweep.STEP | Sweep.FIRE, Resource.ERROR: Sweep.ERR | Sweep.DELTA,
            Resource.ACTIVITY: Sweep.ACT, Resource.BASE: Sweep.HOIST}
"""The flags with any of which a sweep writes its rows, each of them once; integrals take ERR and INTEGRATE."""
_INTEGRATES = Sweep.ERR | Sweep.INTEGRATE
MASK = (1 << 32) - 1


class Watcher(Protocol):
    """Who is told of writes."""

    def add(self, resource: Resource, at: Ints, values: Ints) -> None:
        """Elements ``at`` of a memory were written, each once."""


def swept(flags: Sweep) -> Iterator[tuple[Resource, str]]:
    """The memories in which a sweep writes its rows, and their names in the golden machine."""
    found = [resource for resource, any_of in _WRITTEN.items() if flags & any_of]
    found += [Resource.INTEGRAL] if flags & _INTEGRATES == _INTEGRATES else []
    return ((resource, ATTRIBUTES[resource]) for resource in found)


def separated(into: Into) -> tuple[Resource, str]:
    """The memory in which a SEPARATE writes its rows, and its name in the golden machine."""
    resource = Resource.STATE if into is Into.STATE else Resource.ERROR
    return resource, ATTRIBUTES[resource]


def learnt(plan: Plan, machine: MachineConfig) -> Ints:
    """The weights that UPD of a block writes, by their number in the image (words, P, C): all of every plastic word."""
    columns = np.arange(plan.columns)[plan.stored][:plan.overwrite.size][plan.plastic[::machine.lanes] != 0]
    words, size = np.arange(plan.groups)[:, None] * plan.stride + plan.base + columns, machine.row_tiles * machine.lanes
    return (words.reshape(-1, 1) * size + np.arange(size)).ravel()


def sizes(machine: MachineConfig) -> dict[Resource, int]:
    """The elements of every memory whose writes are told: conductances are none."""
    neurons = dict.fromkeys(ATTRIBUTES, machine.neuron_words * machine.lanes)
    if not machine.integral:
        del neurons[Resource.INTEGRAL]
    weights = 0 if machine.kind.macro else machine.weight_words * machine.row_tiles * machine.lanes
    return neurons | ({Resource.WEIGHT: weights} if weights else {})


class HashedWrites:
    """A watcher that keeps the running hash of every element (``hebbar.contract.write_hash``)."""

    def __init__(self, machine: MachineConfig) -> None:
        self._wide = {Resource.BASE} if machine.row_sum_bits > 32 else set()
        self._hashes: dict[Resource, Any] = {r: np.zeros(size, np.uint64) for r, size in sizes(machine).items()}
        self._counts = dict.fromkeys(self._hashes, 0)

    def add(self, resource: Resource, at: Ints, values: Ints) -> None:
        """Take each element's value into its hash."""
        hashes, self._counts[resource] = self._hashes[resource], self._counts[resource] + at.size
        for shift in (0, 32) if resource in self._wide else (0,):
            parts = (values >> shift & MASK).astype(np.uint64)
            hashes[at] = (hashes[at] + parts + STEP & MASK) * FACTOR & MASK

    def hashes(self, decisions: list[bool]) -> Hashes:
        """All of it, with the ``decisions`` of the unarmed EXITs."""
        return Hashes({r: h.astype(np.uint32) for r, h in self._hashes.items()}, dict(self._counts), list(decisions))
