"""Pyverilog's dataflow trees, converted once: signals by path, widths by Verilog's rules, known bits."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from .ternary import ONE, UNKNOWN, ZERO, Bits, combine, equal, extend, invert, join, literal, truth

__all__ = ["Node", "Scope", "Term", "branches", "converted", "references", "value"]

_ONE_BIT = {"Ulnot", "Uand", "Unand", "Uor", "Unor", "Uxor", "Uxnor", "Eq", "NotEq", "Eql", "NotEql", "LessThan",
            "GreaterThan", "LessEq", "GreaterEq", "Land", "Lor"}
_BITWISE = {"And", "Or", "Xor", "Xnor"}
_SHIFTS = {"Sll", "Srl", "Sra", "Sla"}


@dataclass(frozen=True)
class Term:
    """Bits of a signal, and words where it is a memory."""

    width: int
    depth: int


Scope = dict[str, Term]
"""Every signal of the unfolded design by its path."""


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """An expression of ``width`` bits.

    ``kind``: 'signal' (or any word of the memory) ``name``; 'number' ``bits``; 'part' of its one part
    from bit ``low``; 'concat', the highest first; 'branch' of condition, true and false side (None:
    there is none); 'unknown'; else an operator by Pyverilog's name. ``unsigned``: wider contexts put
    zeros in front; Pyverilog forgets which of the others were signed.
    """

    kind: str
    width: int
    parts: tuple["Node | None", ...] = ()
    name: str = ""
    low: int = 0
    bits: Bits = UNKNOWN
    unsigned: bool = False


def converted(tree: Any, scope: Scope) -> Node:
    """A tree of Pyverilog as a Node."""
    kind = type(tree).__name__
    if kind == "DFTerminal":
        name = ".".join(label.scopename.removeprefix("\\") for label in tree.name.scopechain)
        return Node("signal", scope[name].width, name=name)
    if kind == "DFIntConst":
        bits, width = literal(tree.value)
        return Node("number", width, bits=bits, unsigned="s" not in tree.value.lower())
    if kind == "DFBranch":
        sides = [converted(t, scope) if t is not None else None for t in (tree.truenode, tree.falsenode)]
        return Node("branch", max(s.width for s in sides if s), (converted(tree.condnode, scope), *sides))
    if kind == "DFConcat":
        parts = [converted(t, scope) for t in tree.nextnodes]
        return Node("concat", sum(p.width for p in parts), tuple(parts))
    if kind == "DFPartselect":
        return _part(tree, converted(tree.var, scope))
    if kind == "DFPointer":
        word, index = converted(tree.var, scope), converted(tree.ptr, scope)
        return Node("word", word.width, (word, index))
    if kind == "DFOperator":
        return _operation(tree.operator, tuple(converted(t, scope) for t in tree.nextnodes))
    return Node("unknown", 32)


def _part(tree: Any, inner: Node) -> Node:
    low, high = _index(tree.lsb), _index(tree.msb)
    if low is None or high is None:  # Pyverilog makes a bit chosen by a signal a part select
        return Node("unknown", 1, (inner,))
    return Node("part", high - low + 1, (inner,), low=low)


def _index(node: Any) -> int | None:
    """A constant bound; Pyverilog leaves sums of numbers where one part select is taken of another."""
    kind = type(node).__name__
    if kind == "DFEvalValue":
        return int(node.value)
    if kind == "DFIntConst":
        return int(node.eval())
    if kind == "DFOperator" and node.operator in ("Plus", "Minus"):
        a, b = (_index(n) for n in node.nextnodes)
        return None if a is None or b is None else a + b if node.operator == "Plus" else a - b
    return None


def _operation(operator: str, parts: tuple[Node, ...]) -> Node:
    if operator in _ONE_BIT:
        return Node(operator, 1, parts, unsigned=True)
    return Node(operator, parts[0].width if operator in _SHIFTS else max(p.width for p in parts), parts)


def references(node: Node) -> Iterator[str]:
    """Every signal that an expression names."""
    stack: list[Node | None] = [node]
    while stack:
        if (n := stack.pop()) is not None:
            if n.kind == "signal":
                yield n.name
            stack.extend(n.parts)


def branches(node: Node, state: dict[str, Bits]) -> list[Node | None] | None:
    """The sides of a branch that its condition allows, None for a side that is not there; None: no branch."""
    if node.kind != "branch":
        return None
    condition, *sides = node.parts
    assert condition is not None
    truth_of = _true(condition, state)
    return [side for side, other in zip(sides, (ZERO, ONE), strict=True) if truth_of != other]


def value(node: Node, width: int, state: dict[str, Bits], before: Bits = UNKNOWN) -> Bits:
    """The known bits of ``node`` in a context of ``width`` bits; ``before`` where a branch has no side."""
    if node.kind == "branch":
        ways = [value(n, width, state, before) if n is not None else before for n in branches(node, state) or ()]
        return ways[0] if len(ways) == 1 else join(*ways)
    if node.kind in _BITWISE:
        a, b = (value(n, max(width, node.width), state) for n in node.parts if n)
        return combine(node.kind, a, b).part(0, width)
    if node.kind == "Unot" and node.parts[0]:
        return invert(value(node.parts[0], max(width, node.width), state)).part(0, width)
    alone = _alone(node, state)
    return alone if node.width == width else extend(alone, node.width, width, node.unsigned)


def _true(node: Node, state: dict[str, Bits]) -> Bits:
    return truth(value(node, node.width, state), node.width)


def _alone(node: Node, state: dict[str, Bits]) -> Bits:
    """The value of an expression whose width does not depend on its context."""
    if node.kind == "signal":
        return state.get(node.name, UNKNOWN)
    if node.kind == "number":
        return node.bits
    parts = [n for n in node.parts if n]
    if node.kind == "part":
        return value(parts[0], parts[0].width, state).part(node.low, node.width)
    if node.kind == "word":
        return _alone(parts[0], state)
    if node.kind == "concat":
        ones = zeros = 0
        for part in parts:
            bits = value(part, part.width, state)
            ones, zeros = ones << part.width | bits.ones, zeros << part.width | bits.zeros
        return Bits(ones, zeros)
    return _operator(node.kind, parts, state)


def _operator(name: str, parts: list[Node], state: dict[str, Bits]) -> Bits:
    """Logic and comparison for equality; everything else is unknown."""
    if name in ("Ulnot", "Uor", "Unor"):
        some = _true(parts[0], state)
        return some if name == "Uor" else invert(some)
    if name in ("Uand", "Unand"):
        hole = truth(invert(value(parts[0], parts[0].width, state)), parts[0].width)
        return hole if name == "Unand" else invert(hole)
    if name in ("Land", "Lor"):
        return combine("And" if name == "Land" else "Or", *(_true(n, state) for n in parts))
    if name in ("Eq", "NotEq"):
        width = max(n.width for n in parts)
        same = equal(value(parts[0], width, state), value(parts[1], width, state), width)
        return same if name == "Eq" else invert(same)
    return UNKNOWN
