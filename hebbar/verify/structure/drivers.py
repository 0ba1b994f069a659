"""Which bits of a module are driven, by whom, and which processes remember what they should not."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from hebbar.contract.errors import BadInput

from .design import Design, Module, constant, plain

__all__ = ["clocked", "driven_twice", "drivers", "latches", "targets", "undriven", "unwritten"]

_ENUMERABLE = 12
"""Bits of a selector whose values can all be looked at."""

Bits = dict[str, int]
"""A mask of bits by signal."""


def clocked(process: Any) -> bool:
    """Whether an always block waits for an edge."""
    return any(s.type in ("posedge", "negedge") for s in process.sens_list.list)


def targets(module: Module, left: Any) -> Iterator[tuple[str, int]]:
    """The bits an assignment's left side names, as (signal, mask); all of a word for a memory."""
    kind = type(left).__name__
    if kind in ("Lvalue", "Rvalue"):
        yield from targets(module, left.var)
    elif kind in ("Concat", "LConcat"):
        for part in left.list:
            yield from targets(module, part)
    else:
        yield _slice(module, left)


def _slice(module: Module, left: Any) -> tuple[str, int]:
    kind, name = type(left).__name__, plain(_root(left))
    if name not in module.signals:
        raise BadInput(f"module {module.name} assigns {name}, which it does not declare.")
    signal = module.signals[name]
    if signal.depth or kind == "Identifier":
        return name, (1 << signal.width) - 1
    if kind == "Pointer":
        return name, 1 << constant(left.ptr)
    high, low = constant(left.msb), constant(left.lsb)
    return name, (1 << high + 1) - (1 << low)


def _root(node: Any) -> str:
    while type(node).__name__ != "Identifier":
        node = node.var
    return node.name


def latches(module: Module) -> list[str]:
    """Signals of combinational processes with bits that some way through the process leaves unassigned."""
    found = []
    for process in module.processes:
        if clocked(process):
            continue
        some: Bits = defaultdict(int)
        always = _walk(module, process.statement, defaultdict(int), some)
        found += [name for name, mask in some.items() if mask & ~always[name]]
    return found


def _walk(module: Module, node: Any, before: Bits, some: Bits) -> Bits:
    """The bits assigned for certain after ``node``; ``some`` collects those assigned on any way."""
    kind = type(node).__name__
    if node is None or kind == "EventStatement":  # nothing, or a lone semicolon
        return before
    if kind == "Block":
        for statement in node.statements:
            before = _walk(module, statement, before, some)
        return before
    if kind == "BlockingSubstitution":
        after = before.copy()
        for name, mask in targets(module, node.left):
            after[name] |= mask
            some[name] |= mask
        return after
    if kind == "IfStatement":
        ways = [node.true_statement, node.false_statement]
    elif kind in ("CaseStatement", "CasezStatement", "CasexStatement"):
        ways = [case.statement for case in node.caselist]
        ways += [] if _complete(module, node) else [None]
    else:
        raise BadInput(f"line {node.lineno} of the Verilog has {kind} in a combinational process.")
    ends = [_walk(module, way, before, some) for way in ways]
    return defaultdict(int, {name: _common(ends, name) for name in ends[0]})


def _complete(module: Module, node: Any) -> bool:
    """Whether a case has a default or an item for every value of its selector."""
    if any(case.cond is None for case in node.caselist):
        return True
    width = sum(mask.bit_count() for _, mask in targets(module, node.comp))
    items = [_pattern(item, width) for case in node.caselist for item in case.cond]
    return width <= _ENUMERABLE and all(any(value & care == want for care, want in items)
                                        for value in range(1 << width))


def _pattern(item: Any, width: int) -> tuple[int, int]:
    """The bits a case item cares about, and their values."""
    if "?" not in item.value:
        return (1 << width) - 1, constant(item)
    digits = item.value.partition("'")[2]
    if digits[0] not in "bB":
        raise BadInput(f"line {item.lineno} of the Verilog has the case item {item.value}, not in binary.")
    care = int(digits[1:].replace("0", "1").replace("?", "0"), 2)
    return care, constant(item)


def _common(ends: list[Bits], name: str) -> int:
    mask = -1
    for end in ends:
        mask &= end[name]
    return mask


def drivers(design: Design, module: Module) -> dict[str, list[int]]:
    """The mask of every driver by signal: input, assignment, process or output of an instance."""
    found: dict[str, list[int]] = defaultdict(list)
    for name, signal in module.ports.items():
        if signal.direction == "input":
            found[name].append((1 << signal.width) - 1)
    for assign in module.assigns:
        for name, mask in targets(module, assign.left):
            found[name].append(mask)
    for process in module.processes:
        own: Bits = defaultdict(int)
        for statement in _assignments(process.statement):
            for name, mask in targets(module, statement.left):
                own[name] |= mask
        for name, mask in own.items():
            found[name].append(mask)
    for kind, connections in module.instances.values():
        _instance(design, module, kind, connections, found)
    for name, signal in module.signals.items():
        if signal.initial is not None and name not in found:
            found[name].append((1 << signal.width) - 1)  # a variable that keeps its first value
    return found


def _instance(design: Design, module: Module, kind: str, connections: dict[str, Any],
              found: dict[str, list[int]]) -> None:
    inner = design.modules.get(kind)
    for port, expression in connections.items():
        outer = inner is not None and port in inner.signals and inner.signals[port].direction == "output"
        if outer and expression is not None:
            for name, mask in targets(module, expression):
                found[name].append(mask)


def _assignments(node: Any) -> Iterator[Any]:
    """Every assignment in a statement."""
    if type(node).__name__ in ("BlockingSubstitution", "NonblockingSubstitution"):
        yield node
    elif node is not None:
        for child in node.children():
            yield from _assignments(child)


def undriven(design: Design, module: Module) -> list[str]:
    """Signals with bits that nothing drives; the memories' bits are driven by their writes, all of them or
    none (``unwritten``)."""
    found = drivers(design, module)
    return [name for name, signal in module.signals.items() if name in found or not signal.depth
            if (1 << signal.width) - 1 & ~_union(found.get(name, []))]


def unwritten(design: Design, module: Module) -> list[str]:
    """Memories that nothing writes: they keep their first contents."""
    found = drivers(design, module)
    return [name for name in module.memories if name not in found]


def driven_twice(design: Design, module: Module) -> list[str]:
    """Signals with a bit that two drivers claim."""
    return [name for name, masks in drivers(design, module).items()
            if sum(m.bit_count() for m in masks) != _union(masks).bit_count()]


def _union(masks: list[int]) -> int:
    together = 0
    for mask in masks:
        together |= mask
    return together
