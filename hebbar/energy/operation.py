"""The machine at a stated clock: latency, throughput, power, and the leakage of its memories and registers."""

from collections.abc import Mapping
from dataclasses import dataclass

from hebbar.contract.counters import CYCLES
from hebbar.contract.errors import BadInput
from hebbar.contract.machine import MachineConfig

from .area import memories
from .technology import Range

__all__ = ["Operation", "leakage_w", "operation"]

SRAM_LEAKAGE_W = Range(6.0e-12, 12.1e-12, 24.2e-12)
"""Leakage of a bit of SRAM, in watt: SG13G2's compiler at 130 nm; low and high half and twice of it, as no source says
how it moves with the node."""

REGISTER_LEAKAGE_W = Range(3.7e-8, 7.4e-8, 14.8e-8)
"""Leakage of a bit of a register, in watt: Aladdin at 40 nm, with the same spread; other nodes and cells of low
leakage differ by orders of magnitude."""


@dataclass(frozen=True)
class Operation:
    """A run at a clock: seconds a sample, samples a second, and watts without and of leakage."""

    clock_hz: float
    cycles: float
    dynamic_w: Range
    leakage_w: Range

    @property
    def latency_s(self) -> float:
        """Seconds from the first to the last cycle of a sample."""
        return self.cycles / self.clock_hz

    @property
    def throughput(self) -> float:
        """Samples a second, one after the other."""
        return self.clock_hz / self.cycles

    @property
    def power_w(self) -> Range:
        return self.dynamic_w + self.leakage_w

    @property
    def leakage_pj(self) -> Range:
        """Leakage over the time of a sample."""
        return self.leakage_w * (self.latency_s * 1e12)


def leakage_w(machine: MachineConfig, registers: Mapping[str, int]) -> Range:
    """Watts of all memories and registers, as long as the supply is on."""
    bits = sum(memory.words * memory.bits * memory.readers for memory in memories(machine))
    return SRAM_LEAKAGE_W * bits + REGISTER_LEAKAGE_W * sum(registers.values())


def operation(sample_pj: Range, counters: Mapping[str, int], samples: int, clock_mhz: float, leakage: Range
              ) -> Operation:
    """The operation of a run of ``samples`` samples with these counters at ``clock_mhz``."""
    cycles = sum(counters.get(name, 0) for name in CYCLES) / samples
    if cycles <= 0:
        raise BadInput("the run took no cycle; give counters of a run with at least one sample.")
    hertz = clock_mhz * 1e6
    return Operation(hertz, cycles, sample_pj * (1e-12 * hertz / cycles), leakage)
