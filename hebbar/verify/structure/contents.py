"""What is found in the Verilog: multipliers by width, registers and the addresses they answer at."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from hebbar.contract.errors import BadInput

from .design import Module, constant, plain
from .drivers import clocked, targets

__all__ = ["first", "multipliers", "readable", "registers", "written"]


def multipliers(module: Module) -> Counter[tuple[int, int]]:
    """Multiplications of two variables by the widths of their operands, the wider first.

    Multiplications by a number are left out: they are additions.
    """
    found: Counter[tuple[int, int]] = Counter()
    for item in (*module.assigns, *module.processes):
        for product in _nodes(item, "Times"):
            a, b = _width(module, product.left), _width(module, product.right)
            if a and b:
                found[max(a, b), min(a, b)] += 1
    return found


def _nodes(node: Any, kind: str) -> Iterator[Any]:
    if type(node).__name__ == kind:
        yield node
    for child in node.children():
        yield from _nodes(child, kind)


def _width(module: Module, node: Any) -> int:
    """Bits of an operand; 0 for a number."""
    kind = type(node).__name__
    if kind == "IntConst":
        return 0
    if kind == "SystemCall":
        return _width(module, node.args[0])
    if kind == "Concat":
        return sum(_width(module, part) or int(part.value.partition("'")[0]) for part in node.list)
    if kind in ("Identifier", "Partselect", "Pointer"):
        return sum(mask.bit_count() for _, mask in targets(module, node))
    raise BadInput(f"line {node.lineno} of the Verilog multiplies a {kind}.")


def first(module: Module, name: str) -> list[int]:
    """The first contents of a memory, word by word; a loop sets all of them to one value."""
    words = [0] * module.memories[name].depth
    for start in module.starts:
        for statement in _nodes(start, "BlockingSubstitution"):
            left = statement.left.var
            if type(left).__name__ == "Pointer" and plain(left.var.name) == name:
                value, looped = constant(statement.right.var), type(left.ptr).__name__ == "Identifier"
                for at in range(len(words)) if looped else [constant(left.ptr)]:
                    words[at] = value
    return words


def registers(bus: Module, names: set[str]) -> dict[str, tuple[int, int | None]]:
    """Bits and first value of those of ``names`` that are variables of the bus."""
    return {name: (s.width, s.initial) for name, s in bus.signals.items() if name in names}


def written(bus: Module, names: set[str]) -> dict[str, set[int]]:
    """The addresses whose case items assign to the input of a register."""
    inputs = {}
    for process in bus.processes:
        if clocked(process):
            for statement in _nodes(process, "NonblockingSubstitution"):
                sources = [plain(n.name) for n in _nodes(statement.right, "Identifier")]
                for name, _ in targets(bus, statement.left):
                    inputs[sources[0] if sources else ""] = name
    found: dict[str, set[int]] = {}
    for item, statement in _items(bus):
        for name, _ in targets(bus, statement.left):
            if inputs.get(name) in names:
                found.setdefault(inputs[name], set()).add(item)
    return found


def readable(bus: Module, shown: set[str]) -> dict[int, str]:
    """What each address puts on the read data: one of ``shown`` or 'status word'."""
    output = next((plain(s.right.var.name) for p in bus.processes if clocked(p)
                   for s in _nodes(p, "NonblockingSubstitution") if ("s_axil_rdata" in dict(targets(bus, s.left)))), "")
    return {item: _source(statement.right.var, shown) for item, statement in _items(bus)
            if output in dict(targets(bus, statement.left))}


def _source(node: Any, shown: set[str]) -> str:
    """One of ``shown``, also below zeros, or 'status word'."""
    if type(node).__name__ == "Concat":
        *above, node = node.list
        if any(type(part).__name__ != "IntConst" or constant(part) for part in above):
            return "status word"
    name = plain(node.name) if type(node).__name__ == "Identifier" else ""
    return name if name in shown else "status word"


def _items(module: Module) -> Iterator[tuple[int, Any]]:
    """Assignments below an item of a case, with the item's number."""
    for process in module.processes:
        for case in _nodes(process.statement, "Case"):
            if case.cond and len(case.cond) == 1 and case.statement is not None and "?" not in case.cond[0].value:
                for statement in _nodes(case.statement, "BlockingSubstitution"):
                    yield constant(case.cond[0]), statement
