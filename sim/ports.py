"""The ports of the memories of a machine in an Amaranth simulation, behind everything that takes turns at them."""

from dataclasses import dataclass

from amaranth.hdl import Value
from amaranth.lib.memory import Memory

from hebbar.contract.effects import Resource
from hebbar.contract.memories import Mem
from hebbar.contract.tiles import Weights
from hw.machine import Machine

__all__ = ["Ports", "ports_of"]

BANKS = {Resource.ACTIVITY: Mem.ACTIVITY, Resource.STATE: Mem.STATE, Resource.ERROR: Mem.ERROR,
         Resource.CLAMP: Mem.CLAMP}


@dataclass(frozen=True)
class Ports:
    """The port that writes a memory, and the addresses that are read from it."""

    enable: Value
    address: Value
    data: Value
    reads: tuple[Value, ...]


def ports_of(machine: Machine) -> dict[Resource, Ports]:
    """The ports of every memory, of the weights where they are in one; once the machine is elaborated."""
    memories = {resource: machine.banks[mem].memory for resource, mem in BANKS.items()}
    memories |= {Resource.BASE: machine.base.memory, Resource.FEEDBACK: machine.feedback_sums.memory}
    if machine.machine.kind.weights is Weights.MEMORY:
        memories[Resource.WEIGHT] = machine.tile._bank.memory
    return {resource: _ports(memory) for resource, memory in memories.items()}


def _ports(memory: Memory) -> Ports:
    (writer,) = memory.write_ports
    return Ports(writer.en, writer.addr, Value.cast(writer.data), tuple(p.addr for p in memory.read_ports))
