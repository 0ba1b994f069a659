"""The host side of the machine's buses: one run from load to counters.

``Host`` is what a simulator (or a board) has to offer; everything above it is written once.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.trace import Job
from hebbar.compiler.program import Program
from hebbar.contract.counters import COUNTERS
from hebbar.contract.errors import Mismatch, TimedOut
from hebbar.contract.geometry import ports
from hebbar.contract.memories import Mem
from hebbar.contract.registers import REGISTERS, Cause, Control, Status, counter_address, identity

from .packets import (
    beats,
    clamp_packet,
    load_packets,
    packets,
    rates,
    read_packet,
    settings,
    transfer_beats,
    words,
    write_packet,
)

__all__ = ["Host", "load", "run", "counters", "read_weights", "refresh", "same_build"]

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
    if value == Control.LATCH:
        return "the machine has no counters to LATCH (machine.counters is false)"
    if status & Status.RUNNING:
        return "the machine is running; wait until it has halted, or STOP it"
    if status & Status.ABORTED:
        return "the machine is aborted; drain the streams and CLEAR, as Host.recover does"
    return "a packet was under way; wait until STATUS shows no STREAMING"


async def same_build(host: Host, program: Program) -> None:
    """Raise Mismatch, with the register that tells it, when the machine is not what the program was compiled for."""
    for register, expected in identity(program.machine).items():
        if (found := await host.get(register)) != expected:
            raise Mismatch(f"the machine is another build than that of the program: register {register} reads "
                           f"0x{found:08x} and not 0x{expected:08x}; compile the program for this machine, or export "
                           "the machine of the program.")


async def load(host: Host, program: Program, weights: NDArray[np.int64],
               rows: Mapping[Mem, NDArray[np.int64]] = {}) -> None:
    """Write program, descriptors, tables, weights, constants and registers.

    ``rows``: elements by neuron address for STATE, ERROR and ACTIVITY instead of the initial ones. Raises BadInput for
    weights outside their format, Mismatch when the machine is another build than that of the program.
    """
    every = load_packets(program, weights, rows).values()
    await same_build(host, program)
    for packet in every:
        host.send(packet)
    await host.sent()
    for register, value in settings(program).items():
        await host.set(register, value)


async def run(host: Host, job: Job) -> tuple[dict[str, NDArray[np.int64]], dict[str, int]]:
    """Set up one entry, feed all samples, return outputs and counters, none of a machine that has none.

    Raises Mismatch when the machine halts for any other reason than HALT.
    """
    program = job.program
    host.send(clamp_packet(program, job.entry))
    await host.sent()
    count = job.count
    for register, value in (*rates(program, job.halvings).items(), ("loop0", count),
                            ("entry", program.entries[job.entry]), ("control", Control.START)):
        await host.set(register, int(value))
    for packet in packets(program, job.entry, job.samples):
        host.send(packet)
    outputs = await _outputs(host, job, count)
    await host.halted()
    await _done(host)
    return outputs, await counters(host) if program.machine.counters else {}


async def _done(host: Host) -> None:
    """Raise Mismatch unless the machine halted at HALT."""
    cause, pc = await host.get("cause"), await host.get("pc")
    if cause != Cause.DONE:
        raise Mismatch(f"the machine halted at address {pc} with cause {Cause(cause).name}.")


async def _outputs(host: Host, job: Job, count: int) -> dict[str, NDArray[np.int64]]:
    transfers, table = job.program.outputs[job.entry], ports(job.program.machine)
    rows: dict[str, list[Any]] = {t.key: [] for t in transfers}
    needs = transfer_beats(job.program, transfers)
    for _ in range(count if transfers else 0):
        packet = await host.receive()
        if len(packet) != sum(needs.values()):
            await host.halted()
            await _done(host)
            raise Mismatch(f"an output packet of {job.entry} has {len(packet)} beats where its program sends "
                           f"{sum(needs.values())}.")
        for t, port in ((t, table[t.memory]) for t in transfers):
            need = needs[t.key]
            rows[t.key].append(words(packet[:need], port)[:t.population.size])
            packet = packet[need:]
    return {name: np.array(r) for name, r in rows.items()}


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
    host.send(read_packet(program, Mem.WEIGHT))
    image = words(await host.receive(), port)
    return image.reshape(m.weight_words, m.row_tiles, m.lanes)
