"""What IN and OUT move: words of a memory, beat by beat."""

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from hebbar.contract.effects import Resource, effects
from hebbar.contract.geometry import ports
from hebbar.contract.isa import Instruction
from hebbar.contract.memories import Mem
from hebbar.contract.timing import RANGE_LATENCY

if TYPE_CHECKING:
    from .program import Program

__all__ = ["Place", "beats", "first_beats"]

Place = tuple[Resource, int]
"""A memory and a word of it."""


def beats(program: "Program", transfer: Instruction) -> Iterator[Place]:
    """The word that each beat of an IN or OUT moves, in their order."""
    machine, fields = program.machine, transfer.fields
    (effect,) = effects(transfer.op, fields)
    port = ports(machine)[Mem(fields["memory"])]
    wide = machine.lanes if effect.resource is Resource.ACTIVITY else machine.pass_rows
    first = fields["address"] * machine.lanes
    places = ((effect.resource, at) for at in range(first // wide, -(-(first + fields["count"]) // wide)))
    words = (place for place in places for _ in range(port.beats_per_word))
    return islice(words, -(-fields["count"] // port.lanes_per_beat))


def first_beats(program: "Program", transfer: Instruction) -> dict[Place, int]:
    """The first cycle, behind the one in which an IN begins, in which a beat may come to each word that it moves."""
    found: dict[Place, int] = {}
    for cycle, place in enumerate(beats(program, transfer), RANGE_LATENCY + 1):
        found.setdefault(place, cycle)
    return found
