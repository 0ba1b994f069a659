"""Adders, multipliers and a register bit by gates of a library, on random operands, beside what a technology says."""

import random
from pathlib import Path

from amaranth.back import rtlil
from amaranth.hdl import Module, Signal, signed

from hebbar.contract.console import Reporter
from hebbar.synth.design import Design
from hebbar.synth.gates import Library, map_flat, power, simulate

__all__ = ["OPERATORS", "operator_pj"]

OPERATORS = {"add_8": (8, "+"), "add_16": (16, "+"), "add_32": (32, "+"), "mul_8": (8, "*"), "mul_32": (32, "*")}
"""Entries of a technology: bits of both operands and the operator."""
OPERANDS = 400


def operator(bits: int, sign: str, top: str) -> Design:
    """A sum or a product of two signed numbers, without registers."""
    m, a, b = Module(), Signal(signed(bits), name="a"), Signal(signed(bits), name="b")
    y = Signal(signed(2 * bits if sign == "*" else bits + 1), name="y")
    m.d.comb += y.eq(a * b if sign == "*" else a + b)
    return Design(top, rtlil.convert(m, name=top, ports=[a, b, y]))


def operator_pj(entry: str, liberty: Path, library: Library, folder: Path, reporter: Reporter) -> float:
    """pJ of one operation by gates: new random operands in every cycle, without glitches."""
    bits, sign = OPERATORS[entry]
    netlist = map_flat(operator(bits, sign, entry), liberty, library, folder, reporter)
    draw = random.Random(0)
    waves = simulate(netlist, {name: [draw.getrandbits(bits) for _ in range(OPERANDS)] for name in netlist.inputs})
    return power(netlist, library, waves).dynamic * 1e12
