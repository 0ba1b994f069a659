"""``hebbar synth --target aqfp``: the tile of a machine as adiabatic superconducting logic, from its netlist."""

import random
from pathlib import Path
from typing import Any

from hebbar.contract.console import Reporter
from hebbar.contract.errors import InternalError
from hebbar.contract.machine import MachineConfig

from ..design import of_machine
from ..process import beating, yosys
from .balance import Mapped, balanced
from .cost import COOLING, JUNCTION_J, energy, register_junctions, waiting
from .netlist import SCRIPT, Read, read
from .network import Network

__all__ = ["TILE", "VECTORS", "equivalent", "notes", "tile"]

TILE = "hebbar.tile"
VECTORS = 10_000
"""Random vectors for which the mapped circuit is compared with the netlist."""


def tile(machine: MachineConfig, cooling: float | None, folder: Path, reporter: Reporter) -> dict[str, Any]:
    """Map the tile, compare it with its netlist, and say what it takes."""
    with beating(reporter, "elaborating the machine"):
        design = of_machine(machine)
    place = yosys(design, SCRIPT.format(top=TILE), folder, reporter, "AND and OR gates")
    with beating(reporter, "phases of the circuit"):
        found = read(place / "mapped.json", TILE)
        mapped = balanced(found.network)
    with beating(reporter, f"{VECTORS} vectors, circuit and netlist"):
        equivalent(found.network, mapped, VECTORS)
    return _record(found, mapped, cooling)


def equivalent(network: Network, mapped: Mapped, vectors: int, seed: int = 0) -> None:
    """Raise InternalError unless both give the same outputs for so many random vectors."""
    mask, draw = (1 << vectors) - 1, random.Random(seed)
    given = [draw.getrandbits(vectors) for _ in network.inputs]
    if network.evaluate(given, mask) != mapped.evaluate(given, mask):
        raise InternalError("the AQFP circuit and its netlist differ.")


def _record(found: Read, mapped: Mapped, cooling: float | None) -> dict[str, Any]:
    count, registers = mapped.count, register_junctions(found.network.registers)
    junctions = mapped.junctions + registers + 2 * found.constants
    streaming, waited = (energy(junctions, cycles, cooling) for cycles in (1, waiting(mapped)))
    return {"module": TILE, "cells": {kind: n for kind, n in sorted(count.items()) if kind != "in"},
            "registers": found.network.registers, "junctions": junctions, "junctions_of_registers": registers,
            "phases": mapped.phases, "memory_bits_outside": found.memory_bits, "vectors_compared": VECTORS,
            "junction_j": JUNCTION_J, "cooling_w_w": COOLING if cooling is None else cooling,
            "step_streaming": {"chip_j": streaming.chip_j, "wall_j": streaming.wall_j},
            "step_waited_for": {"chip_j": waited.chip_j, "wall_j": waited.wall_j}}


def notes(record: dict[str, Any]) -> list[str]:
    """The record as sentences."""
    cells = ", ".join(f"{n:,} {kind}" for kind, n in record["cells"].items())
    lines = [(f"{record['module']}: {record['junctions']:,} junctions, {record['phases']} phases from inputs to "
              f"outputs, every path balanced; {record['vectors_compared']:,} vectors equal the netlist's."),
             f"Cells: {cells}; {record['registers']:,} register bits, {record['junctions_of_registers']:,} junctions.",
             (f"{record['memory_bits_outside']:,} bits of memory are not in it: AQFP has no dense memory, and what they"
              " would take is in no source.")]
    for key, when in (("step_streaming", "a step, if every phase works on another one"),
                      ("step_waited_for", "a step whose result is waited for")):
        chip, wall = (_joules(record[key][place]) for place in ("chip_j", "wall_j"))
        lines.append(f"{when}: {chip} on the chip at 4.2 K; {wall} at the wall.")
    return lines


def _joules(pair: tuple[float, float]) -> str:
    """Low and high in a unit of their size."""
    for unit, size in (("pJ", 1e-12), ("fJ", 1e-15), ("aJ", 1e-18)):
        if pair[0] >= size or unit == "aJ":
            return f"{pair[0] / size:.3g} to {pair[1] / size:.3g} {unit}"
    return ""
