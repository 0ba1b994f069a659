"""Verilog as modules with ports, memories, instances, assignments and processes, by Pyverilog's parser."""

import re
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from typing import Any

from hebbar.contract.errors import BadInput
from hebbar.contract.files import temporary_folder

__all__ = ["Design", "Module", "Signal", "constant", "deep", "read"]

_ATTRIBUTE = re.compile(r"\(\*.*?\*\)", re.DOTALL)  # Pyverilog's grammar has them in few places only

_NUMBER = re.compile(r"(?:\d*'[sS]?([bodhBODH]))?([0-9a-fA-FxXzZ?_]+)")


@dataclass(frozen=True)
class Signal:
    """A net or variable: ``width`` bits, ``depth`` words (0: no memory), ``direction`` of a port or ''."""

    width: int
    depth: int = 0
    direction: str = ""
    initial: int | None = None


@dataclass
class Module:
    """One module: signals by name, instances by name (module, port -> expression), the rest as AST nodes."""

    name: str
    signals: dict[str, Signal] = field(default_factory=dict)
    instances: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    assigns: list[Any] = field(default_factory=list)
    processes: list[Any] = field(default_factory=list)
    starts: list[Any] = field(default_factory=list)

    @property
    def ports(self) -> dict[str, Signal]:
        return {name: s for name, s in self.signals.items() if s.direction}

    @property
    def memories(self) -> dict[str, Signal]:
        return {name: s for name, s in self.signals.items() if s.depth}


@dataclass(frozen=True)
class Design:
    """All modules by name, and Pyverilog's syntax tree of them."""

    modules: dict[str, Module]
    top: str
    source: Any

    @cached_property
    def tree(self) -> dict[str, str]:
        """Every instance as its path from the top (which is included), with the name of its module."""
        return dict(self._below(self.top, self.top))

    def _below(self, path: str, module: str) -> Iterator[tuple[str, str]]:
        yield path, module
        for name, (kind, _) in self.modules[module].instances.items():
            if kind in self.modules:
                yield from self._below(f"{path}.{name}", kind)
            else:
                yield f"{path}.{name}", kind

    def at(self, path: str) -> Module | None:
        """The module of the instance at ``path``, or None where there is none."""
        return self.modules.get(self.tree.get(path, ""))


def read(text: str, top: str) -> Design:
    """Parse Verilog without preprocessor directives; raises BadInput where Pyverilog cannot."""
    parser, parse_error = _parser()
    parser.lexer.reset_lineno()
    with deep():
        try:
            source = parser.parse(_ATTRIBUTE.sub("", text))
        except parse_error as error:
            raise BadInput(f"the Verilog cannot be read by Pyverilog ({error}); is it the exported one?") from None
    modules = {plain(d.name): _module(d) for d in source.description.definitions}
    if top not in modules:
        raise BadInput(f"the Verilog holds no module {top}; it holds {', '.join(modules) or 'none'}.")
    return Design(modules, top, source)


@cache
def _parser() -> tuple[Any, type[Exception]]:
    """Pyverilog's parser and its error; its tables take most of a second and PLY writes them to a folder."""
    with warnings.catch_warnings(), temporary_folder() as tables:
        warnings.simplefilter("ignore", ResourceWarning)  # it leaves its file VERSION open
        from pyverilog.vparser.parser import ParseError, VerilogParser

        return VerilogParser(outputdir=str(tables), debug=False), ParseError


@contextmanager
def deep() -> Iterator[None]:
    """Room for syntax trees as deep as a case of many items makes them."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, 20_000))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def plain(name: str) -> str:
    """A name without the backslash that escapes it."""
    return name.removeprefix("\\")


def constant(node: Any) -> int:
    """The value of a literal, x, z and ? as 0; raises BadInput for anything else."""
    if type(node).__name__ != "IntConst":
        raise BadInput(f"line {node.lineno} of the Verilog has {type(node).__name__} where a number is expected.")
    found = _NUMBER.fullmatch(node.value)
    if found is None:
        raise BadInput(f"line {node.lineno} of the Verilog has the number {node.value}, which cannot be read.")
    base, digits = found.groups()
    radix = {"b": 2, "o": 8, "d": 10, "h": 16}[(base or "d").lower()]
    return int(re.sub("[xXzZ?]", "0", digits).replace("_", ""), radix)


def _module(definition: Any) -> Module:
    module = Module(plain(definition.name))
    for item in definition.items:
        kind = type(item).__name__
        if kind == "Decl":
            _declare(module, item.list)
        elif kind == "InstanceList":
            for i in item.instances:
                ports = {plain(p.portname): p.argname for p in i.portlist}
                module.instances[plain(i.name)] = (plain(i.module), ports)
        elif kind == "Assign":
            module.assigns.append(item)
        elif kind == "Always":
            module.processes.append(item)
        elif kind == "Initial":
            module.starts.append(item)
        else:
            raise BadInput(f"module {module.name} holds a {kind}, which exported Verilog has not.")
    return module


def _declare(module: Module, parts: list[Any]) -> None:
    """A declaration; ports are declared twice, as a port and as wire or reg."""
    for part in parts:
        kind = type(part).__name__
        name = plain(part.left.var.name if kind == "Assign" else part.name)
        old = module.signals.get(name)
        if kind == "Assign" and old:
            module.signals[name] = replace(old, initial=constant(part.right.var))
            continue
        width = abs(constant(part.width.msb) - constant(part.width.lsb)) + 1 if part.width else 1
        lengths = part.dimensions.lengths if part.dimensions else ()
        depth = sum(abs(constant(n.msb) - constant(n.lsb)) + 1 for n in lengths)
        direction = kind.lower() if kind in ("Input", "Output", "Inout") else old.direction if old else ""
        module.signals[name] = Signal(width, depth, direction)
