"""A network from a netlist of Yosys: its AND and OR gates, registers cut open, memories outside of it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hebbar.contract.errors import InternalError

from .network import Edge, Network

__all__ = ["SCRIPT", "Read", "read"]

SCRIPT = """\
hierarchy -top {top}
synth -top {top} -flatten -run begin:fine
setattr -unset init w:*
chtype -set \\memory_outside t:$mem_v2
techmap
opt
dfflegalize -cell $_DFF_P_ x
abc -g AND,OR
opt_clean -purge
write_json mapped.json
"""
"""AQFP has no memory cell of its own that would take an address: memories stay outside."""

GATES = {"$_AND_": "and", "$_OR_": "or"}
REGISTER, MEMORY = "$_DFF_P_", "memory_outside"


@dataclass
class Read:
    """The network, its inputs and outputs as bits of the netlist, and bits of memory that are not in it."""

    network: Network
    inputs: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    constants: int = 0
    memory_bits: int = 0


def read(path: Path, top: str) -> Read:
    """The network of the module ``top`` of a netlist that ``SCRIPT`` made."""
    module = json.loads(path.read_text())["modules"][top]
    found = _Reader(module)
    found.connect()
    return found.made


class _Reader:
    """Gates in an order in which every input stands before its gate."""

    def __init__(self, module: dict[str, Any]) -> None:
        self.made = Read(Network())
        self._cells, self._ports = module["cells"], module["ports"]
        self._edges: dict[int, Edge] = {}
        self._drivers = {cell["connections"]["Y"][0]: cell for cell in self._cells.values()
                         if cell["type"] in (*GATES, "$_NOT_")}
        self._clocks = {bit for cell in self._cells.values() if cell["type"] == REGISTER
                        for bit in cell["connections"]["C"]}

    def connect(self) -> None:
        """Inputs first, then all gates that an output needs."""
        for bit in self._sources():
            self._edges[bit] = self.made.network.add("in")
            self.made.inputs.append(bit)
        for end in self._ends():
            if isinstance(end, str):  # a constant, "0" or "1"
                self.made.constants += 1
                continue
            self.made.network.outputs.append(self._edge(end))
            self.made.outputs.append(end)

    def _sources(self) -> Iterator[int]:
        """Bits that come from outside: inputs of the module, registers, memories; each once."""
        seen = set(self._drivers) | self._clocks
        for bit in (*self._bits_of_ports("input"), *self._bits_of_cells("output")):
            if isinstance(bit, int) and bit not in seen:
                seen.add(bit)
                yield bit

    def _ends(self) -> Iterator[int | str]:
        """Bits that go outside: outputs of the module, what registers load, addresses and data of memories."""
        yield from self._bits_of_ports("output")
        yield from (bit for bit in self._bits_of_cells("input") if bit not in self._clocks)

    def _bits_of_ports(self, direction: str) -> Iterator[int | str]:
        for port in self._ports.values():
            if port["direction"] == direction:
                yield from port["bits"]

    def _bits_of_cells(self, direction: str) -> Iterator[int | str]:
        """Bits of registers and memories."""
        for name, cell in self._cells.items():
            kind = cell["type"]
            if kind in (*GATES, "$_NOT_"):
                continue
            if kind not in (REGISTER, MEMORY):
                raise InternalError(f"AQFP: the cell {name} is a {kind}, which the netlist should not hold.")
            if direction == "output":
                self.made.network.registers += kind == REGISTER
                self.made.memory_bits += _size(cell) if kind == MEMORY else 0
            for port, bits in cell["connections"].items():
                way = "output" if port in ("Q", "RD_DATA") else "input"
                if way == direction and not (kind == MEMORY and port.endswith("_CLK")):
                    yield from bits

    def _edge(self, bit: int | str) -> Edge:
        """The edge of a bit; its gates are made first, without recursion."""
        stack = [bit]
        while stack:
            at = stack[-1]
            if at in self._edges:
                stack.pop()
                continue
            if not isinstance(at, int) or at not in self._drivers:
                raise InternalError(f"AQFP: the bit {at} of the netlist has no driver.")
            cell = self._drivers[at]
            needs = [cell["connections"][port][0] for port in ("A", "B") if port in cell["connections"]]
            missing = [need for need in needs if need not in self._edges]
            if missing:
                stack.extend(missing)
                continue
            inputs = [self._edges[need] for need in needs]
            kind = cell["type"]
            self._edges[at] = ~inputs[0] if kind == "$_NOT_" else self.made.network.add(GATES[kind], *inputs)
        assert isinstance(bit, int)
        return self._edges[bit]


def _size(cell: dict[str, Any]) -> int:
    """Bits of a memory."""
    return int(cell["parameters"]["SIZE"], 2) * int(cell["parameters"]["WIDTH"], 2)
