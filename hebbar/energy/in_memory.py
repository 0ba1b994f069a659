"""The products of FWD and TRN in an in-memory array instead: by the laws that ``validation`` holds against chips.

Only the products: no neuron unit, no sequencer, no update. An array is as high as the sums that it makes, so that its
size drops out. The range is the factor within which four of five published macros lie around the law.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from hebbar.contract.machine import MachineConfig

from .technology import Range
from .validation.fit import macro_factor
from .validation.laws import LAWS, READ_NM, REFERENCE_NM, adder_tree, gate_law, voltage_pj

__all__ = ["ARRAYS", "Array", "InMemory", "in_memory"]

CELL_BITS = 4
"""Bits that a cell of RRAM or PCM holds; wider weights take several cells."""


@dataclass(frozen=True)
class Array:
    """A kind of array: the law that predicts it, node, supply, and for current mode the time of a pass."""

    name: str
    law: str
    node_nm: float
    voltage_v: float
    pass_ns: float = 0.0


ARRAYS = (Array("digital in-memory logic, 28 nm, 0.9 V", "digital", 28, 0.9),
          Array("SRAM, charge on lines, 28 nm, 0.9 V", "voltage", 28, 0.9),
          Array("RRAM, current mode, 22 nm, 0.8 V, 10 ns", "current", 22, 0.8, 10),
          Array("PCM, current mode, 14 nm, 0.8 V, 130 ns", "current", 14, 0.8, 130))
"""The arrays that the field compares; supplies and times are those of published chips."""


@dataclass(frozen=True)
class InMemory:
    """An array and what the products of a sample take in it, pJ."""

    array: Array
    sample: Range


def product_pj(array: Array, weight_bits: int, input_bits: int) -> float:
    """A product of ``weight_bits`` by ``input_bits`` with its addition, untuned."""
    constants = [c.value for c in LAWS[array.law].constants()]
    if array.law == "digital":
        return constants[0] * weight_bits * input_bits * adder_tree(weight_bits) * array.voltage_v**2 / 1000
    if array.law == "voltage":
        gate, line = voltage_pj(array.node_nm, array.voltage_v, weight_bits * input_bits, weight_bits, 1, REFERENCE_NM)
        return (constants[0] * gate + constants[1] * line) / 1000
    width = (array.node_nm / READ_NM) ** gate_law()[1]
    cells = math.ceil(weight_bits / CELL_BITS)
    return constants[0] * width * array.voltage_v * array.pass_ns * cells / 1000


def in_memory(machine: MachineConfig, counters: Mapping[str, int], samples: int) -> list[InMemory]:
    """What the products of FWD and TRN would take in every array of ARRAYS."""
    f = machine.formats
    found = []
    for array in ARRAYS:
        pj = counters["mac_fwd"] * product_pj(array, f.weight.bits, f.activity.bits) \
            + counters["mac_trn"] * product_pj(array, f.weight.bits, f.error.bits)
        typical, factor = pj / samples, macro_factor(array.law)
        found.append(InMemory(array, Range(typical / factor, typical, typical * factor)))
    return found
