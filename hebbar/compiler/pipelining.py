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
from itertools import groupby, takewhile
from operator import itemgetter
from typing import TYPE_CHECKING

from hebbar.contract.errors import BadInput
from hebbar.contract.isa import LOOP_DEPTH, LOOP_REGISTERS, Op, decode, encode

from .chaining import chained
from .control_flow import leaves
from .cycles import Cycles
from .list_scheduling import Clock, Distances, ordered, period

if TYPE_CHECKING:
    from .program import Program

__all__ = ["arrangements", "pipelined"]


@dataclass(frozen=True)
class _Loop:
    """A LOOP and what stands between it and its NEXT."""

    head: int
    body: tuple[_Node, ...]

    @property
    def sweeps(self) -> tuple[int, ...]:
        """The sweeps of a loop with a count of its own that has nothing else in it; none of another one."""
        found = tuple(node for node in self.body if isinstance(node, int) and decode(node).op is Op.SWEEP)
        return found if len(found) == len(self.body) and not decode(self.head).fields["register"] else ()

    @property
    def depth(self) -> int:
        """How deep loops nest from this one on."""
        return 1 + max((node.depth for node in self.body if isinstance(node, _Loop)), default=0)


_Node = int | _Loop
"""An instruction, or a loop."""


@dataclass(frozen=True)
class _Way:
    """How sweeps are put in order: as they are, or by list scheduling; and whether loops are turned."""

    listed: bool
    urgent: bool
    turned: bool


WAYS = tuple(_Way(listed, urgent, turned) for listed, urgent in ((True, False), (True, True), (False, False))
             for turned in (True, False))


def pipelined(program: Program) -> Program:
    """A chained program that does the same as one that drains, with its sweeps in the order, of those tried, that takes
    the fewest cycles. Its schedules are those it was made of.

    Raises BadInput where ``chained`` does.
    """
    distances, best = Distances(program), chained(program)
    chosen = _entries(program)
    for name in program.entries:
        least = _cycles(best, name)
        for orders in (_arrangements, _overlaps):
            for nodes in orders(distances, chosen[name]):
                tried = _laid(program, chosen | {name: nodes})
                if tried is not None and (taken := _cycles(tried, name)) < least:
                    best, least, chosen[name] = tried, taken, nodes
    return best


def arrangements(program: Program) -> Iterator[Program]:
    """Every program that ``pipelined`` looks at, with one entry in another order each, where the machine has room."""
    distances, entries = Distances(program), _entries(program)
    laid = (_laid(program, entries | {name: nodes}) for name in entries
            for first in _arrangements(distances, entries[name]) for nodes in (first, *_overlaps(distances, first)))
    yield from (one for one in laid if one is not None)


def _entries(program: Program) -> dict[str, tuple[_Node, ...]]:
    """The instructions of every entry up to its HALT."""
    halts = [at for at, word in enumerate(program.words) if decode(word).op is Op.HALT]
    return {name: _parsed(program.words, start, next(at for at in halts if at >= start) + 1)
            for name, start in program.entries.items()}


def _arrangements(distances: Distances, nodes: Sequence[_Node]) -> Iterable[tuple[_Node, ...]]:
    return dict.fromkeys(_arranged(distances, nodes, way) for way in WAYS)


def _overlaps(distances: Distances, nodes: tuple[_Node, ...]) -> Iterable[tuple[_Node, ...]]:
    return dict.fromkeys(_overlapped(distances, nodes, urgent) for urgent in (False, True))


def _cycles(program: Program, entry: str) -> int:
    """Cycles of a sample in the steady state, where no EXIT leaves and loops of other registers have a round."""
    return sum(Cycles(program).each(entry, (1,) * (LOOP_REGISTERS - 1)).values())


def _parsed(words: Sequence[int], start: int, stop: int) -> tuple[_Node, ...]:
    """The instructions from ``start`` up to ``stop``, without WAITs."""
    found: list[_Node] = []
    at = start
    while at < stop:
        instruction = decode(words[at])
        end = instruction.fields["end"] if instruction.op is Op.LOOP else at + 1
        if instruction.op is Op.LOOP:
            found.append(_Loop(words[at], _parsed(words, at + 1, end - 1)))
        elif instruction.op is not Op.WAIT:
            found.append(words[at])
        at = end
    return tuple(found)


def _is_sweep(node: _Node) -> bool:
    return isinstance(node, int) and decode(node).op is Op.SWEEP


def _is_free(node: _Node) -> bool:
    """Whether an instruction may stand in another sample's time: a sweep or an IN."""
    return _is_sweep(node) or (isinstance(node, int) and decode(node).op is Op.IN)


def _arranged(distances: Distances, nodes: Sequence[_Node], way: _Way) -> tuple[_Node, ...]:
    """Nodes that do the same: loops turned, then the sweeps between two other nodes in an order of their own."""
    inner: list[_Node] = []
    for node in nodes:
        inner += _turned(distances, node, way) if isinstance(node, _Loop) else [node]
    found: list[_Node] = []
    for sweeps, group in groupby(inner, _is_sweep):
        run = list(group)
        if sweeps and way.listed:
            behind = inner[len(found) + len(run):][:1]
            after = [word for loop in behind if isinstance(loop, _Loop) for word in loop.sweeps]
            run = list(ordered(distances, [n for n in run if isinstance(n, int)], after=after, urgent=way.urgent))
        found += run
    return tuple(found)


def _turned(distances: Distances, loop: _Loop, way: _Way) -> list[_Node]:
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
    return [*sweeps[:cut], _Loop(head, order), *(sweeps[cut:] if cut else ())]


def _overlapped(distances: Distances, nodes: tuple[_Node, ...], urgent: bool) -> tuple[_Node, ...]:
    """An entry whose samples overlap: what a sample begins with up to some place stands among what the sample before it
    ends with. The entry as it is where nothing free stands at both ends, where an EXIT can end all samples, or where
    loops would nest too deep."""
    loop, *behind = nodes
    if not isinstance(loop, _Loop) or loop.depth >= LOOP_DEPTH or any(
            isinstance(node, int) and leaves(decode(node)) for node in loop.body):
        return nodes
    body = loop.body
    first = len(list(takewhile(_is_free, body)))
    last = len(list(takewhile(_is_free, reversed(body))))
    tried: list[tuple[int, int, tuple[_Node, ...]]] = []
    for cut in range(1, first + (first < len(body))) if last else ():
        middle, rest = (body[cut:-last], body[-last:]) if first < len(body) else ((), body[cut:])
        run = tuple(node for node in (*rest, *body[:cut]) if isinstance(node, int))
        after = [node for node in takewhile(_is_free, middle) if isinstance(node, int)]
        kernel = (*middle, *ordered(distances, run, after=after, urgent=urgent))
        tried.append((period(distances, _once(kernel)), cut, kernel))
    if not tried:
        return nodes
    _, cut, kernel = min(tried, key=itemgetter(0, 1))
    samples = _Loop(loop.head, (encode(Op.BREAK), *kernel))
    return _Loop(loop.head, (*body[:cut], samples, *body[cut:], encode(Op.BREAK, always=1))), *behind


def _once(nodes: Iterable[_Node]) -> Iterator[int]:
    """What is free of nodes, loops gone through once."""
    for node in nodes:
        if isinstance(node, _Loop):
            yield from _once(node.body)
        elif _is_free(node):
            yield node


def _alone(distances: Distances, sweeps: Sequence[int]) -> int:
    """Cycles of sweeps with nothing before them."""
    clock = Clock(distances)
    for word in sweeps:
        clock.take(word)
    return clock.free


def _laid(program: Program, entries: Mapping[str, Sequence[_Node]]) -> Program | None:
    """The program of these nodes, chained; None where the machine has no room for it."""
    words: list[int] = []
    starts = {}
    for name, nodes in entries.items():
        starts[name] = len(words)
        _lay(nodes, words, [])
    try:
        return chained(replace(program, words=tuple(words), entries=type(program.entries)(starts)), beside=True)
    except BadInput:
        return None


def _lay(nodes: Sequence[_Node], words: list[int], exits: list[int]) -> None:
    """Append instructions; ``exits``: where the EXITs and BREAKs stand whose loop is still open."""
    for node in nodes:
        start = len(words)
        if isinstance(node, int):
            exits += [start] * (decode(node).op in (Op.EXIT, Op.BREAK))
            words.append(node)
            continue
        words.append(node.head)
        _lay(node.body, words, exits)
        words.append(encode(Op.NEXT))
        closed = [at for at in exits if at > start or decode(words[at]).fields.get("arm")]
        for at in (start, *closed):
            instruction = decode(words[at])
            words[at] = encode(instruction.op, **instruction.fields | {"end": len(words)})
        exits[:] = [at for at in exits if at not in closed]
