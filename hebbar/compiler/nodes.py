"""A program as loops within loops, for what puts its instructions in another order; and laid down again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from hebbar.contract.isa import Op, decode, encode

__all__ = ["Loop", "Node", "Turns", "is_free", "is_sweep", "laid", "mapped", "once", "parsed"]


@dataclass(frozen=True)
class Loop:
    """A LOOP and what stands between it and its NEXT."""

    head: int
    body: tuple[Node, ...]

    @property
    def sweeps(self) -> tuple[int, ...]:
        """The sweeps of a loop with a count of its own that has nothing else in it; none of another one."""
        found = tuple(node for node in self.body if isinstance(node, int) and decode(node).op is Op.SWEEP)
        return found if len(found) == len(self.body) and not decode(self.head).fields["register"] else ()

    @property
    def depth(self) -> int:
        """How deep loops nest from this one on."""
        return 1 + max((node.depth for node in self.body if isinstance(node, Loop)), default=0)


@dataclass(frozen=True)
class Turns:
    """A loop each of whose rounds is the next of its turns, a body and what follows where it would be the last round:
    a BREAK before each body leaves for that. Behind it a BREAK leaves the loop around, whatever its round."""

    head: int
    turns: tuple[tuple[tuple[Node, ...], tuple[Node, ...]], ...]

    def lay(self, words: list[int], exits: list[int]) -> None:
        """Append the instructions; ``exits`` as in ``laid``. NEXT ends the round of the last turn, and a BREAK that
        counts that of every other one."""
        start, breaks = len(words), list[int]()
        words.append(self.head)
        for number, (body, _) in enumerate(self.turns, 1):
            breaks.append(len(words))
            words.append(encode(Op.BREAK, counts=number < len(self.turns)))
            _lay(body, words, exits)
        words.append(encode(Op.NEXT))
        _lead(words, start)
        for at, (_, rest) in zip(breaks, self.turns, strict=True):
            _lead(words, at)
            _lay(rest, words, exits)
            exits.append(len(words))
            words.append(encode(Op.BREAK, always=1))


Node = int | Loop | Turns
"""An instruction, or a loop."""


def parsed(words: Sequence[int], start: int, stop: int) -> tuple[Node, ...]:
    """The instructions from ``start`` up to ``stop``, without WAITs."""
    found: list[Node] = []
    at = start
    while at < stop:
        instruction = decode(words[at])
        end = instruction.fields["end"] if instruction.op is Op.LOOP else at + 1
        if instruction.op is Op.LOOP:
            found.append(Loop(words[at], parsed(words, at + 1, end - 1)))
        elif instruction.op is not Op.WAIT:
            found.append(words[at])
        at = end
    return tuple(found)


def laid(entries: Iterable[Sequence[Node]]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The instructions of entries, one after the other, and the address of each entry."""
    words: list[int] = []
    starts: list[int] = []
    for nodes in entries:
        starts.append(len(words))
        _lay(nodes, words, [])
    return tuple(words), tuple(starts)


def _lay(nodes: Sequence[Node], words: list[int], exits: list[int]) -> None:
    """Append instructions; ``exits``: where the EXITs and BREAKs stand whose loop is still open."""
    for node in nodes:
        start = len(words)
        if isinstance(node, Turns):
            node.lay(words, exits)
            continue
        if isinstance(node, int):
            exits += [start] * (decode(node).op in (Op.EXIT, Op.BREAK))
            words.append(node)
            continue
        words.append(node.head)
        _lay(node.body, words, exits)
        words.append(encode(Op.NEXT))
        closed = [at for at in exits if at > start or decode(words[at]).fields.get("arm")]
        for at in (start, *closed):
            _lead(words, at)
        exits[:] = [at for at in exits if at not in closed]


def _lead(words: list[int], at: int) -> None:
    """Make the instruction at an address lead behind the last one."""
    instruction = decode(words[at])
    words[at] = encode(instruction.op, **instruction.fields | {"end": len(words)})


def mapped(change: Callable[[int], int], nodes: Iterable[Node]) -> tuple[Node, ...]:
    """Nodes with every instruction in a loop, and beside one, changed."""
    return tuple(replace(node, body=mapped(change, node.body)) if isinstance(node, Loop) else
                 change(node) if isinstance(node, int) else node for node in nodes)


def once(nodes: Iterable[Node]) -> Iterator[int]:
    """What is free of nodes, loops gone through once."""
    for node in nodes:
        if isinstance(node, Loop):
            yield from once(node.body)
        elif isinstance(node, int) and is_free(node):
            yield node


def is_sweep(node: Node) -> bool:
    return isinstance(node, int) and decode(node).op is Op.SWEEP


def is_free(node: Node) -> bool:
    """Whether an instruction may stand in another sample's time: a sweep or an IN."""
    return is_sweep(node) or (isinstance(node, int) and decode(node).op is Op.IN)
