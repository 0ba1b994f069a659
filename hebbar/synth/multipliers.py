"""Registers of multiplier blocks: the flip-flops behind a product become the output register of its block."""

from collections import defaultdict
from typing import Any

__all__ = ["BLOCK", "absorb"]

BLOCK, FLIP_FLOP = "MULT18X18D", "TRELLIS_FF"
PLAIN = {"CEMUX": "1", "CLKMUX": "CLK", "LSRMUX": "LSR", "REGSET": "RESET"}
"""Parameters of a flip-flop that takes its input in every cycle."""
REGISTER = "REG_OUTPUT_CLK"
REGISTERED = {REGISTER: "CLK0", "REG_OUTPUT_CE": "CE0", "REG_OUTPUT_RST": "RST0", "GSR": "DISABLED"}
"""Parameters of a block whose output register does the same (Lattice, ECP5 sysDSP Usage Guide, FPGA-TN-02205)."""


def absorb(module: dict[str, Any]) -> int:
    """Take the flip-flops behind products into their blocks, in a flattened module of a Yosys JSON netlist; returns how
    many of them.

    Yosys maps a product and its register apart, and nextpnr leaves them so: the product then crosses the device to
    flip-flops in the cycle in which it is made. A block is changed where all bits of its product that are used go to
    one such flip-flop each and nowhere else, on one clock, without enable and without reset.
    """
    cells, loads = module["cells"], _loads(module)
    taken = 0
    for block in [c for c in cells.values() if c["type"] == BLOCK and REGISTER not in c["parameters"]]:
        behind = _registers(cells, loads, block)
        if not behind:
            continue
        (clock,) = {cells[name]["connections"]["CLK"][0] for name in behind.values()}
        for port, name in behind.items():
            block["connections"][port] = cells.pop(name)["connections"]["Q"]
        block["parameters"] |= REGISTERED
        for port, value in (("CLK0", clock), ("CE0", "1"), ("RST0", "0")):
            block["connections"][port], block["port_directions"][port] = [value], "input"
        taken += len(behind)
    return taken


def _loads(module: dict[str, Any]) -> dict[int, list[tuple[str, str]]]:
    """The inputs that each net reaches, by cell and port; outputs of the module have no cell."""
    loads: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for name, cell in module["cells"].items():
        for port, bits in cell["connections"].items():
            if cell["port_directions"][port] == "input":
                for bit in bits:
                    loads[bit].append((name, port))
    for name, port in module["ports"].items():
        for bit in port["bits"] if port["direction"] == "output" else ():
            loads[bit].append(("", name))
    return loads


def _registers(cells: dict[str, Any], loads: dict[int, list[tuple[str, str]]], block: dict[str, Any]) -> dict[str, str]:
    """The flip-flop behind each bit of a product, by port; none where they cannot be taken in."""
    found: dict[str, str] = {}
    for port, bits in block["connections"].items():
        if block["port_directions"][port] != "output" or not loads[bits[0]]:
            continue
        if len(loads[bits[0]]) != 1:
            return {}
        (name, into), = loads[bits[0]]
        if into != "DI" or not _plain(cells[name]):
            return {}
        found[port] = name
    clocks = {cells[name]["connections"]["CLK"][0] for name in found.values()}
    return found if len(clocks) == 1 else {}


def _plain(cell: dict[str, Any]) -> bool:
    """Whether a flip-flop takes its input in every cycle and is zero at first."""
    same = all(cell["parameters"].get(name, value).strip() == value for name, value in PLAIN.items())
    return cell["type"] == FLIP_FLOP and same and cell["connections"].get("LSR", ["0"]) == ["0"]
