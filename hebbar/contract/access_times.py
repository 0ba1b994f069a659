"""The timing table: when a sweep reaches each word of each memory, in cycles after the one in which the tile takes it.

What a sweep reaches is stated in ``hebbar.contract.effects``, when in ``hebbar.contract.timing``. A word that is read
in a cycle shows what was written in the cycles before it, not what is written in the same one.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import NamedTuple

from .effects import EFFECTS, Access, Resource, Where
from .isa import Sweep
from .memories import MAP
from .timing import ROW_ACCESSES, Timing

__all__ = ["WORDS", "Timed", "access_times"]

WORDS = 1 << MAP["source"].width
"""Neuron words, modulo which an identity column counts."""


class Timed(NamedTuple):
    """One access to a word: W rows of a state, error, clamp or base memory, C neurons of an activity or of the feedback
    sums, or P x C weights. It happens in one of the cycles ``first`` to ``last`` after the sweep is taken."""

    access: Access
    resource: Resource
    word: int
    first: int
    last: int


def access_times(timing: Timing, block: dict[str, int], entries: Sequence[Mapping[str, int]], flags: Sweep,
                 delay: int = 0) -> Iterator[Timed]:
    """Every access of a sweep with ``flags`` over a ``block`` whose columns have the map ``entries``.

    ``delay``: by how many cycles words of earlier sweeps hold up TRN and UPD at most.
    """
    done = dict.fromkeys((e.where, e.access, e.resource) for e in EFFECTS if e.happens(flags))
    per_word = timing.machine.lanes // timing.machine.row_tiles
    groups = range(block["groups"])
    for where, access, resource in done:
        if where is Where.ROWS:
            wide = per_word if resource in (Resource.ACTIVITY, Resource.FEEDBACK) else timing.machine.parts
            for turn, g in enumerate(timing.row_groups(block, flags)):
                at = timing.row(block, flags, turn) + ROW_ACCESSES[access, resource]
                yield Timed(access, resource, (block["group_base"] + g) // wide, at, at)
            continue
        kind = timing.machine.kind
        once = kind.array and where is Where.SOURCES  # which reaches a column for all of its rows together
        for g, (k, entry) in product(groups[:1] if once else groups, enumerate(entries)):
            if not entry["lanes"] and not kind.identities:
                continue
            if where is Where.SOURCES:
                own = (block["group_base"] + g) // per_word if not entry["lanes"] else 0
                if (times := _source(timing, block, flags, access, entry, g, k, delay)) is not None:
                    yield Timed(access, resource, (entry["source"] + own) % WORDS, *times)
            elif (times := _weight(timing, block, flags, access, entry, g, k, delay)) is not None:
                yield Timed(access, resource, block["weight_base"] + g * block["stride"] + k, *times)


def _source(timing: Timing, block: dict[str, int], flags: Sweep, access: Access, entry: Mapping[str, int], g: int,
            k: int, delay: int) -> tuple[int, int] | None:
    """When row group ``g`` reaches the neurons that feed column ``k``; None where it does not."""
    if access is Access.READ:
        return (timing.fetched(block, flags, g, k),) * 2
    if not entry["feedback"]:
        return None
    at = timing.fed(block, flags, g, k)
    return at, at + delay


def _weight(timing: Timing, block: dict[str, int], flags: Sweep, access: Access, entry: Mapping[str, int], g: int,
            k: int, delay: int) -> tuple[int, int] | None:
    """When the weight word of row group ``g`` and column ``k`` is reached; None where it is not."""
    if not entry["lanes"]:
        return None
    if access is Access.READ:
        return timing.weighed(block, flags, g, k)
    if not entry["plastic"]:
        return None
    at = timing.learnt(block, flags, g, k)
    return at, at + delay
