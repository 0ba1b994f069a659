"""The ports of the memories of a machine in an Amaranth simulation, behind everything that takes turns at them."""

from dataclasses import dataclass

from amaranth.hdl import Shape, Value
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
    """A memory, the port that writes it, and the addresses that are read from it."""

    resource: Resource
    memory: Memory
    enable: Value
    address: Value
    data: Value
    reads: tuple[Value, ...]

    @property
    def lanes(self) -> tuple[int, int]:
        """How many elements a word has, and how many bits each of them."""
        shape = self.memory.shape
        return shape.length, Shape.cast(shape.elem_shape).width

    def host_writes(self, machine: Machine) -> Value:
        """High where the host, or START for a base, writes the memory."""
        if self.resource is Resource.WEIGHT:
            return machine.tile._bank.host_has
        return machine.banks[BANKS[self.resource]].host_has if self.resource in BANKS else machine.sequencer.hold


def ports_of(machine: Machine) -> dict[Resource, Ports]:
    """The ports of every memory, of the weights where they are in one; once the machine is elaborated."""
    memories = {resource: machine.banks[mem].memory for resource, mem in BANKS.items()}
    memories |= {Resource.BASE: machine.base.memory, Resource.FEEDBACK: machine.feedback_sums.memory}
    if machine.machine.integral:
        memories[Resource.INTEGRAL] = machine.integral.memory
    copies = {Resource.FEEDBACK: (machine.feedback_sums.shown,)}
    if machine.machine.kind.weights is Weights.MEMORY:
        memories[Resource.WEIGHT] = machine.tile._bank.memory
    return {resource: _ports(resource, memory, *copies.get(resource, ())) for resource, memory in memories.items()}


def _ports(resource: Resource, memory: Memory, *copies: Memory) -> Ports:
    (writer,) = memory.write_ports
    return Ports(resource, memory, writer.en, writer.addr, Value.cast(writer.data), tuple(
        p.addr for copy in (memory, *copies) for p in copy.read_ports))
