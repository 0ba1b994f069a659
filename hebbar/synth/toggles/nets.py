"""What drives every net of a design, from the netlist that Amaranth writes: a register, an operator, a choice.

Each bit has one driver, so that a net that goes through ports under several names counts once.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Driver", "Memory", "Module", "instances", "modules_of"]

HEAD = re.compile(r"^module \\?(\S+)$")
WIRE = re.compile(r"^  wire (?:width (\d+) )?.*?(\S+)$")
MEMORY = re.compile(r"^  memory width (\d+) size (\d+) \\?(\S+)$")
CELL = re.compile(r"^  cell (\S+) (\S+)$")
PARAMETER = re.compile(r"^    parameter \\([AB]_WIDTH|ABITS) (\d+)$")
CONNECT = re.compile(r"^    connect \\(\S+) (.*)$")
ASSIGN = re.compile(r"^ +assign (\S+)(?: \[(\d+)(?::(\d+))?\])? ")
PART = re.compile(r"([\\$]\S+)(?: \[(\d+)(?::(\d+))?\])?")
OUTPUT = {"$dff": "Q", "$memrd_v2": "DATA"}
"""Ports of cells that do not drive Y."""

Bits = tuple[str, int, int]
"""A wire, its lowest bit and the one behind its highest."""


@dataclass(frozen=True)
class Driver:
    """``kind``: the type of a cell, or ``choice`` for what a process decides; ``widths``: of its operands."""

    kind: str
    bits: tuple[Bits, ...]
    widths: dict[str, int]

    @property
    def count(self) -> int:
        """How many bits it drives."""
        return sum(high - low for _, low, high in self.bits)


@dataclass(frozen=True)
class Memory:
    """A memory of ``words`` words of ``bits`` bits."""

    name: str
    words: int
    bits: int


@dataclass
class Module:
    """What is in a module itself; ``inside``: modules by the name of their instance."""

    drivers: list[Driver] = field(default_factory=list)
    memories: list[Memory] = field(default_factory=list)
    inside: dict[str, str] = field(default_factory=dict)


def modules_of(rtlil: str) -> dict[str, Module]:
    """The modules of a design by name."""
    found: dict[str, Module] = {}
    lines = iter(rtlil.splitlines())
    for line in lines:
        if head := HEAD.match(line):
            found[head[1]] = _module(lines)
    return found


def instances(modules: dict[str, Module], top: str, path: tuple[str, ...] = ()
              ) -> Iterator[tuple[tuple[str, ...], Module]]:
    """Every instance of a design with its path, the top first."""
    path = path or (top,)
    yield path, modules[top]
    for name, kind in modules[top].inside.items():
        yield from instances(modules, kind, (*path, name))


def _module(lines: Iterator[str]) -> Module:
    """A module up to its end."""
    made, widths = Module(), dict[str, int]()
    for line in lines:
        if line == "end":
            break
        if wire := WIRE.match(line):
            widths[_plain(wire[2])] = int(wire[1] or 1)
        elif memory := MEMORY.match(line):
            made.memories.append(Memory(memory[3], int(memory[2]), int(memory[1])))
        elif cell := CELL.match(line):
            _cell(made, cell[1], cell[2], lines, widths)
        elif line.startswith("  process "):
            _process(made, lines, widths)
    return made


def _cell(made: Module, kind: str, name: str, lines: Iterator[str], widths: dict[str, int]) -> None:
    if kind.startswith("\\"):
        made.inside[_plain(name)] = kind[1:]
    sizes: dict[str, int] = {}
    driven: tuple[Bits, ...] = ()
    for line in lines:
        if line == "  end":
            break
        if size := PARAMETER.match(line):
            sizes[size[1]] = int(size[2])
        elif (to := CONNECT.match(line)) and to[1] == OUTPUT.get(kind, "Y") and kind.startswith("$"):
            driven = tuple(_bits(name, high, low, widths) for name, high, low in PART.findall(to[2]))
    if driven:
        made.drivers.append(Driver(kind, driven, sizes))


def _process(made: Module, lines: Iterator[str], widths: dict[str, int]) -> None:
    """Bits that a switch decides; assignments outside of one only give a net another name."""
    chosen: dict[Bits, None] = {}
    inside = False
    for line in lines:
        if line == "  end":
            break
        inside = inside or line.startswith("    switch ")
        if inside and (to := ASSIGN.match(line)):
            chosen[_bits(to[1], to[2] or "", to[3] or "", widths)] = None
    if chosen:
        made.drivers.append(Driver("choice", tuple(_apart(chosen)), {}))


def _apart(parts: dict[Bits, None]) -> Iterator[Bits]:
    """The bits of all parts, each once."""
    taken: dict[str, set[int]] = {}
    for name, low, high in parts:
        taken.setdefault(name, set()).update(range(low, high))
    for name, bits in taken.items():
        yield from ((name, bit, bit + 1) for bit in sorted(bits))


def _bits(name: str, high: str, low: str, widths: dict[str, int]) -> Bits:
    name = _plain(name)
    if not high:
        return name, 0, widths[name]
    return name, int(low or high), int(high) + 1


def _plain(name: str) -> str:
    return name.removeprefix("\\")
