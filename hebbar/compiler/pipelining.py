"""Software pipelining: sweeps of several steps overlap where they do not depend on one another.

A step of predictive coding goes through its layers one by one, and each sweep waits for the feedback of the one before
it. The loop over the steps is turned: the first sweeps of the next step stand beside the last ones of this step, as
modulo scheduling does it for the loops of a processor (Lam, PLDI 1988), so that each hides the latency of the other.
The loop over the samples is turned too: a sample begins among the last updates of the one before it, and a BREAK leaves
the loop for the last sample's rest. Every word is written and read in the order that it was, and
``hebbar.compiler.chaining`` then finds the gaps.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby, islice, takewhile
from operator import itemgetter
from typing import TYPE_CHECKING

from hebbar.contract.errors import BadInput
from hebbar.contract.isa import LOOP_DEPTH, LOOP_REGISTERS, Op, decode, encode

from .chaining import chained
from .control_flow import leaves
from .cycles import Cycles
from .double_buffer import Doubled, doubled
from .list_scheduling import Clock, Distances, ordered, period
from .nodes import Loop, Node, Turns, is_free, is_sweep, laid, once, parsed

if TYPE_CHECKING:
    from .program import Program

__all__ = ["arrangements", "pipelined"]


@dataclass(frozen=True)
class _Way:
    """How sweeps are put in order: as they are, or by list scheduling; and whether loops are turned."""

    listed: bool
    urgent: bool
    turned: bool


WAYS = tuple(_Way(listed, urgent, turned) for listed, urgent in ((True, False), (True, True), (False, False))
             for turned in (True, False))
NEAR = 1.02
"""Up to how many times the cycles of the best order those of another one may be whose samples are made to overlap: one
that is a little worse may have more at its ends that can."""
TRIED = 16
"""How many kernels of samples that take turns are looked at to the cycle: the shortest ones by distances alone."""


def pipelined(program: Program) -> Program:
    """A chained program that does the same as one that drains, with its sweeps in the order, of those tried, that takes
    the fewest cycles. Its schedules are those it was made of.

    Raises BadInput where ``chained`` does.
    """
    places, best = doubled(program), chained(program)
    distances, chosen = Distances(places.program), _entries(program)
    for name in program.entries:
        least = _cycles(best, name)
        orders = [(least, chosen[name])]
        for near, made in ((1.0, partial(_arrangements, distances)), (NEAR, partial(_overlaps, distances, places))):
            for nodes in [more for taken, order in orders if taken <= near * least for more in made(order)]:
                tried = _laid(distances, places, chosen | {name: nodes})
                if tried is None:
                    continue
                taken = _cycles(tried, name)
                orders.append((taken, nodes))
                if taken < least:
                    best, least, chosen[name] = tried, taken, nodes
    return best


def arrangements(program: Program, most: int = TRIED) -> Iterator[Program]:
    """Programs that ``pipelined`` may look at, with one entry in another order each, where the machine has room;
    ``most``: so many whose samples take turns, of each order."""
    places, entries = doubled(program), _entries(program)
    distances = Distances(places.program)
    laid = (_laid(distances, places, entries | {name: nodes}) for name in entries
            for first in _arrangements(distances, entries[name])
            for nodes in (first, *_overlaps(distances, places, first, most)))
    yield from (one for one in laid if one is not None)


def _entries(program: Program) -> dict[str, tuple[Node, ...]]:
    """The instructions of every entry up to its HALT."""
    halts = [at for at, word in enumerate(program.words) if decode(word).op is Op.HALT]
    return {name: parsed(program.words, start, next(at for at in halts if at >= start) + 1)
            for name, start in program.entries.items()}


def _arrangements(distances: Distances, nodes: Sequence[Node]) -> Iterable[tuple[Node, ...]]:
    return dict.fromkeys(_arranged(distances, nodes, way) for way in WAYS)


def _overlaps(distances: Distances, places: Doubled, nodes: tuple[Node, ...],
              most: int = TRIED) -> Iterable[tuple[Node, ...]]:
    """Entries whose samples overlap: what a sample begins with up to some place stands among what the sample before it
    ends with. None where an EXIT can end all samples, or where loops would nest too deep."""
    loop, *behind = nodes
    if not isinstance(loop, Loop) or loop.depth >= LOOP_DEPTH or any(
            isinstance(node, int) and leaves(decode(node)) for node in loop.body):
        return
    for other in (None, places) if places.swaps else (None,):
        found = [sorted(_kernels(distances, loop.body, urgent, other), key=itemgetter(0, 1))
                 for urgent in (False, True)]
        chosen = sorted((k for kernels in found for k in kernels), key=itemgetter(0, 1)) if other else \
            [kernels[0] for kernels in found if kernels]
        for cut, kernel in islice(dict.fromkeys((cut, kernel) for _, cut, kernel in chosen), most):
            begin, rest = loop.body[:cut], loop.body[cut:]
            turns = ((kernel, rest), *(((other.other(kernel), other.other(rest)),) if other else ()))
            yield Loop(loop.head, (*begin, Turns(loop.head, turns))), *behind


def _kernels(distances: Distances, body: tuple[Node, ...], urgent: bool,
             other: Doubled | None) -> Iterator[tuple[int, int, tuple[Node, ...]]]:
    """About how many cycles a sample takes, how many nodes it begins with in the one before it, and the rest of that
    sample with them among it; none where nothing free stands at both ends. ``other``: the sample that begins is in the
    other place, and its first INs may come as soon as those of the one before it have."""
    first = len(list(takewhile(is_free, body)))
    last = len(list(takewhile(is_free, reversed(body))))
    for cut in range(1, first + (first < len(body))) if last else ():
        begin = other.other(body[:cut]) if other else body[:cut]
        middle, rest = (body[cut:-last], body[-last:]) if first < len(body) else ((), body[cut:])
        after = [node for node in takewhile(is_free, middle) if isinstance(node, int)]
        for early, places in groupby(_ahead(begin, middle, rest, other), itemgetter(0)):
            run = tuple(node for node in (*rest, *begin[early:]) if isinstance(node, int))
            order = ordered(distances, run, after=after, urgent=urgent)
            for _, ahead in places:
                yield period(distances, once((*ahead, *order))), cut, (*ahead, *order)


def _ahead(begin: tuple[Node, ...], middle: tuple[Node, ...], rest: tuple[Node, ...],
           other: Doubled | None) -> Iterator[tuple[int, tuple[Node, ...]]]:
    """How many INs of the next sample go ahead of what stands between the free ends, and that with them at a place."""
    yield 0, middle
    early = len(list(takewhile(other.moves, begin))) if other else 0
    ins = [at for at, node in enumerate(middle) if isinstance(node, int) and decode(node).op is Op.IN]
    if early and not any(isinstance(node, int) and decode(node).op is Op.IN for node in rest):
        for at in range(max(ins, default=-1) + 1, len(middle)):
            yield early, (*middle[:at], *begin[:early], *middle[at:])


def _cycles(program: Program, entry: str) -> float:
    """Cycles of a sample in the steady state, where no EXIT leaves and loops of other registers have a round."""
    return sum(Cycles(program).each(entry, (1,) * (LOOP_REGISTERS - 1)).values())


def _arranged(distances: Distances, nodes: Sequence[Node], way: _Way) -> tuple[Node, ...]:
    """Nodes that do the same: loops turned, then the sweeps between two other nodes in an order of their own."""
    inner: list[Node] = []
    for node in nodes:
        inner += _turned(distances, node, way) if isinstance(node, Loop) else [node]
    found: list[Node] = []
    for sweeps, group in groupby(inner, is_sweep):
        run = list(group)
        if sweeps and way.listed:
            behind = inner[len(found) + len(run):][:1]
            after = [word for loop in behind if isinstance(loop, Loop) for word in loop.sweeps]
            run = list(ordered(distances, [n for n in run if isinstance(n, int)], after=after, urgent=way.urgent))
        found += run
    return tuple(found)


def _turned(distances: Distances, loop: Loop, way: _Way) -> list[Node]:
    """A loop with its sweeps in another order; ``way.turned``: with the first sweeps of a round among the last ones of
    the round before it, so that those of the first round stand before the loop and those of the last one behind it."""
    if not (sweeps := loop.sweeps):
        return [replace(loop, body=_arranged(distances, loop.body, way))]
    rounds = decode(loop.head).fields["count"]
    cuts = range(len(sweeps) if way.turned and rounds > 1 else 1)
    tried: list[tuple[int, int, tuple[int, ...]]] = []
    for cut in cuts:
        body = sweeps[cut:] + sweeps[:cut]
        order = ordered(distances, body, before=body, urgent=way.urgent) if way.listed else body
        outside = _alone(distances, sweeps[:cut]) + _alone(distances, sweeps[cut:]) if cut else 0
        tried.append((outside + period(distances, order) * (rounds - bool(cut)), cut, order))
    _, cut, order = min(tried)
    head = encode(Op.LOOP, **decode(loop.head).fields | {"count": rounds - bool(cut)})
    return [*sweeps[:cut], Loop(head, order), *(sweeps[cut:] if cut else ())]


def _alone(distances: Distances, sweeps: Sequence[int]) -> int:
    """Cycles of sweeps with nothing before them."""
    clock = Clock(distances)
    for word in sweeps:
        clock.take(word)
    return clock.free


def _laid(distances: Distances, places: Doubled, entries: Mapping[str, Sequence[Node]]) -> Program | None:
    """The program of these nodes, chained; None where the machine has no room for it."""
    program = places.program
    words, starts = laid(entries.values())
    named = type(program.entries)(zip(entries, starts, strict=True))
    try:
        return chained(places.kept(replace(program, words=words, entries=named)), beside=True, times=distances.times)
    except BadInput:
        return None
