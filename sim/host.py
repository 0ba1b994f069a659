"""The host side of the machine's buses: packets, registers, one run from load to counters.

``Host`` is what a simulator (or a board) has to offer; everything above it is written once.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.image import checked_codes
from golden.trace import Job
from hebbar.compiler.network import Population
from hebbar.compiler.program import Program
from hebbar.contract.counters import COUNTERS
from hebbar.contract.errors import Mismatch, TimedOut
from hebbar.contract.geometry import ports
from hebbar.contract.memories import HEADER, Mem, Port, pack
from hebbar.contract.registers import MAX_RATE, REGISTERS, Cause, Control, Status, counter_address

__all__ = ["Host", "beats", "words", "packets", "load", "run", "counters", "read_weights", "refresh", "write_packet"]

RECOVERIES = 100
"""Looks at STATUS after CLEAR: the streamer needs a few cycles, an access takes at least three."""


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
        """Wait until every queued beat was taken; raises Mismatch when the machine is aborted."""

    @abstractmethod
    async def receive(self) -> list[int]:
        """The beats of the next output packet; raises Mismatch when none will come, the machine being aborted."""

    @abstractmethod
    async def drain(self) -> None:
        """Empty the streams of an aborted machine: forget the packets that are queued, send the one that was begun to
        its end, and throw away what leaves, to the closing beat."""

    @abstractmethod
    async def halted(self) -> None:
        """Wait until the machine is not running."""

    async def set(self, register: str, value: int) -> None:
        """Write a register by name; raises Mismatch, with the reason, when the machine refuses."""
        response = await self.write(REGISTERS[register].address, value)
        if response:
            status = Status(await self.get("status"))
            raise Mismatch(f"register {register} refused {value} (response {response}): "
                           f"{_refusal(register, value, status)}.")

    async def get(self, register: str) -> int:
        """Read a register by name."""
        return (await self.read(REGISTERS[register].address))[0]

    async def stop(self) -> Cause:
        """Abort whatever runs and wait for the halt; returns why the machine halted. Until ``recover`` it takes
        and discards input and refuses START."""
        await self.set("control", Control.STOP)
        await self.halted()
        return Cause(await self.get("cause"))

    async def recover(self) -> Cause:
        """Stop, drain both streams, CLEAR: the machine is as after a HALT, its memories as the abort left them.

        Returns why it had halted. Raises TimedOut when a stream does not come to rest.
        """
        cause = await self.stop()
        await self.drain()
        await self.set("control", Control.CLEAR)
        for _ in range(RECOVERIES):
            if not await self.get("status") & Status.STREAMING:
                return cause
        raise TimedOut("the machine still moves a packet after CLEAR; something goes on sending, or nothing takes "
                       "what leaves.")

    async def refused(self) -> Mismatch:
        """The error to raise where an aborted machine keeps a host from going on."""
        cause, pc = Cause(await self.get("cause")), await self.get("pc")
        return Mismatch(f"the machine is aborted with cause {cause.name} at address {pc} and discards its input; drain "
                        "the streams and CLEAR, as Host.recover does.")


def _refusal(register: str, value: int, status: Status) -> str:
    """Why a write was answered with an error."""
    if register != "control":
        return "the machine is running" if status & Status.RUNNING else "the register cannot be written"
    if (value & (Control.START | Control.STOP | Control.CLEAR)).bit_count() > 1:
        return "START, STOP and CLEAR are written one at a time"
    if status & Status.RUNNING:
        return "the machine is running; wait until it has halted, or STOP it"
    if status & Status.ABORTED:
        return "the machine is aborted; drain the streams and CLEAR, as Host.recover does"
    return "a packet was under way; wait until STATUS shows no STREAMING"


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

    ``rows``: elements by neuron address for STATE, ERROR and ACTIVITY instead of the initial ones. Raises BadInput for
    weights outside their format.
    """
    table = ports(program.machine)
    block_beats = [b >> 32 * i & 0xFFFFFFFF for b in program.blocks for i in range(4)]
    images = {
        Mem.PROGRAM: list(program.words), Mem.BLOCK: block_beats, Mem.MAP: list(program.maps),
        Mem.FUNCTION: list(program.functions), Mem.DERIVATIVE: list(program.derivatives),
        Mem.WEIGHT: beats(checked_codes(program.machine, weights), table[Mem.WEIGHT])}
    neurons = program.machine.neuron_words * program.machine.lanes
    images |= {mem: beats(np.zeros(neurons, np.int64), table[mem]) for mem in
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
    await _done(host)
    return outputs, await counters(host)


async def _done(host: Host) -> None:
    """Raise Mismatch unless the machine halted at HALT."""
    cause, pc = await host.get("cause"), await host.get("pc")
    if cause != Cause.DONE:
        raise Mismatch(f"the machine halted at address {pc} with cause {Cause(cause).name}.")


async def _outputs(host: Host, job: Job, count: int) -> dict[str, NDArray[np.int64]]:
    transfers, table = job.program.outputs[job.entry], ports(job.program.machine)
    rows: dict[str, list[Any]] = {t.key: [] for t in transfers}
    for _ in range(count if transfers else 0):
        packet = await host.receive()
        needs = [_beats_of(t.population, table[t.memory]) for t in transfers]
        if len(packet) != sum(needs):
            await host.halted()
            await _done(host)
            raise Mismatch(f"an output packet of {job.entry} has {len(packet)} beats where its program sends "
                           f"{sum(needs)}.")
        for t, need in zip(transfers, needs):
            port = table[t.memory]
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
