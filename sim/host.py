"""The host side of the machine's buses: packets, registers, one run from load to counters.

``Host`` is what a simulator (or a board) has to offer; everything above it is written once.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from hebbar.compiler import Program
from hebbar.counters import COUNTERS
from hebbar.errors import Mismatch
from hebbar.geometry import ports
from hebbar.memories import HEADER, Mem, Port, pack
from hebbar.network import Population
from hebbar.registers import MAX_RATE, REGISTERS, Cause, Control, counter_address

from .trace import Job

__all__ = ["Host", "beats", "words", "packets", "load", "run", "counters", "read_weights", "refresh", "write_packet"]


class Host(ABC):
    """Registers and streams of one machine."""

    @abstractmethod
    async def write(self, address: int, value: int) -> int:
        """Write a register; returns the AXI response."""

    @abstractmethod
    async def read(self, address: int) -> tuple[int, int]:
        """Read a register; returns value and AXI response."""

    @abstractmethod
    def send(self, packet: Sequence[int] | NDArray[np.uint32]) -> None:
        """Queue beats for the input stream, TLAST on the last one."""

    @abstractmethod
    async def sent(self) -> None:
        """Wait until every queued beat was taken."""

    @abstractmethod
    async def receive(self) -> list[int]:
        """The beats of the next output packet."""

    @abstractmethod
    async def halted(self) -> None:
        """Wait until the machine is not running."""

    async def set(self, register: str, value: int) -> None:
        """Write a register by name; raises Mismatch when the machine refuses."""
        response = await self.write(REGISTERS[register].address, value)
        if response:
            raise Mismatch(f"register {register} refused {value} (response {response}); the "
                           "machine is running or the register cannot be written.")

    async def get(self, register: str) -> int:
        """Read a register by name."""
        return (await self.read(REGISTERS[register].address))[0]


def beats(values: NDArray[np.int64], port: Port) -> list[int]:
    """Elements (flat, lowest lane first) as stream beats; the last beat is padded with zeros."""
    return _packed(np.asarray(values, np.int64).reshape(1, -1), port)[0].tolist()


def packets(program: Program, entry: str, samples: dict[str, NDArray[np.int64]]) -> NDArray[np.uint32]:
    """One packet a sample, shape (samples, beats): what the transfers of the entry ask for."""
    table = ports(program.machine)
    return np.hstack([_packed(np.asarray(samples[t.key], np.int64), table[t.memory])
                      for t in program.inputs[entry]])


def _packed(rows: NDArray[np.int64], port: Port) -> NDArray[np.uint32]:
    """Rows of elements as rows of beats."""
    padded = np.pad(rows, ((0, 0), (0, -rows.shape[1] % port.lanes_per_beat)))
    mask = (1 << port.element_bits) - 1
    shifts = np.arange(port.lanes_per_beat) * port.element_bits
    parts = (padded.reshape(len(rows), -1, port.lanes_per_beat) & mask) << shifts
    return parts.sum(2).astype(np.uint32)


def words(stream: list[int], port: Port) -> NDArray[np.int64]:
    """Stream beats as elements, the inverse of ``beats``."""
    shifts = np.arange(port.lanes_per_beat) * port.element_bits
    flat = (np.array(stream, np.int64)[:, None] >> shifts & ((1 << port.element_bits) - 1)).ravel()
    sign = 1 << (port.element_bits - 1)
    return (flat ^ sign) - sign if port.signed else flat


def write_packet(memory: Mem, address: int, payload: list[int]) -> list[int]:
    """A packet that writes ``payload`` from word ``address`` on."""
    header = pack(HEADER, "packet", beats=len(payload), memory=memory, read=0)
    return [header, address, *payload]


async def load(host: Host, program: Program, weights: NDArray[np.int64],
               rows: Mapping[Mem, NDArray[np.int64]] = {}) -> None:
    """Write program, descriptors, tables, weights, constants and registers.

    ``rows``: elements by neuron address for STATE, ERROR and ACTIVITY instead of the initial ones.
    """
    table = ports(program.machine)
    block_beats = [b >> 32 * i & 0xFFFFFFFF for b in program.blocks for i in range(4)]
    images = {
        Mem.PROGRAM: list(program.words), Mem.BLOCK: block_beats, Mem.MAP: list(program.maps),
        Mem.FUNCTION: list(program.functions), Mem.DERIVATIVE: list(program.derivatives),
        Mem.WEIGHT: beats(weights, table[Mem.WEIGHT])}
    neurons = program.machine.neuron_words * program.machine.lanes
    images |= {mem: beats(np.zeros(neurons), table[mem]) for mem in
               (Mem.STATE, Mem.ERROR)}
    activity = np.zeros(neurons, np.int64)
    for name, code in program.constants.items():
        activity[program.layout.places[name].word * program.machine.lanes] = code
    images[Mem.ACTIVITY] = beats(activity, table[Mem.ACTIVITY])
    images |= {mem: beats(values, table[mem]) for mem, values in rows.items()}
    for memory, payload in images.items():
        if payload:
            host.send(write_packet(memory, 0, payload))
    await host.sent()
    for i, gain in enumerate(program.gains):
        await host.set(f"gain{i}", gain)
    await host.set("tolerance", program.tolerance)
    await host.set("beta", program.beta)


async def run(host: Host, job: Job) -> tuple[dict[str, NDArray[np.int64]], dict[str, int]]:
    """Set up one entry, feed all samples, return outputs and counters.

    Raises Mismatch when the machine halts for any other reason than HALT.
    """
    program, table = job.program, ports(job.program.machine)
    clamp = np.zeros(program.machine.neuron_words * program.machine.lanes, np.int64)
    for name in program.clamped(job.entry):
        start = program.layout.places[name].word * program.machine.lanes
        clamp[start:start + program.layout.places[name].population.size] = 1
    host.send(write_packet(Mem.CLAMP, 0, beats(clamp, table[Mem.CLAMP])))
    await host.sent()
    count = job.count
    for i, rate in enumerate(program.rates):
        await host.set(f"rate{i}", min(rate + job.halvings, MAX_RATE))
    for register, value in (("loop0", count), ("entry", program.entries[job.entry]),
                            ("control", Control.START)):
        await host.set(register, int(value))
    for packet in packets(program, job.entry, job.samples):
        host.send(packet)
    outputs = await _outputs(host, job, count)
    await host.halted()
    cause, pc = await host.get("cause"), await host.get("pc")
    if cause != Cause.DONE:
        raise Mismatch(f"the machine halted at address {pc} with cause {Cause(cause).name}.")
    return outputs, await counters(host)


async def _outputs(host: Host, job: Job, count: int) -> dict[str, NDArray[np.int64]]:
    transfers = job.program.outputs[job.entry]
    rows: dict[str, list] = {t.key: [] for t in transfers}
    for _ in range(count if transfers else 0):
        packet = await host.receive()
        for t in transfers:
            port = ports(job.program.machine)[t.memory]
            need = _beats_of(t.population, port)
            rows[t.key].append(words(packet[:need], port)[:t.population.size])
            packet = packet[need:]
    return {name: np.array(r) for name, r in rows.items()}


def _beats_of(population: Population, port: Port) -> int:
    return -(-population.size // port.lanes_per_beat)


async def counters(host: Host) -> dict[str, int]:
    """Latch and read every counter."""
    await host.set("control", int(Control.LATCH))
    values = {}
    for i, name in enumerate(COUNTERS):
        low, _ = await host.read(counter_address(i))
        high, _ = await host.read(counter_address(i) + 4)
        values[name] = high << 32 | low
    return values


async def refresh(host: Host, program: Program) -> None:
    """Read every weight and write it again, which brings the devices of an analog macro back to their targets."""
    image = await read_weights(host, program)
    host.send(write_packet(Mem.WEIGHT, 0, beats(image, ports(program.machine)[Mem.WEIGHT])))
    await host.sent()


async def read_weights(host: Host, program: Program) -> NDArray[np.int64]:
    """The weight image over the bus, shape (words, P, C)."""
    m, port = program.machine, ports(program.machine)[Mem.WEIGHT]
    count = m.weight_words * port.beats_per_word
    host.send([pack(HEADER, "packet", beats=count, memory=Mem.WEIGHT, read=1), 0])
    image = words(await host.receive(), port)
    return image.reshape(m.weight_words, m.row_tiles, m.lanes)


