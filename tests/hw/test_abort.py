"""Abort and recovery: what STOP, a fault and a START that comes too early do to data under way.

A halted machine reads its input as packets for its memories; a sample that is still under way when a run is aborted
must never become one of them.
"""

import pytest
from amaranth.sim import Simulator
from helpers import machine
from test_streamer import User, framed

from hebbar.contract.errors import Mismatch
from hebbar.contract.geometry import ports
from hebbar.contract.isa import Op, encode
from hebbar.contract.memories import HEADER, Mem, pack
from hebbar.contract.registers import REGISTERS, Cause, Control, Status
from hw.machine import Machine
from sim.packets import write_packet

CONFIG = machine()
TABLE = ports(CONFIG)
CONTROL = REGISTERS["control"].address
OKAY, SLVERR = 0, 2
COUNT = 4
IN = encode(Op.IN, memory=Mem.STATE, count=COUNT, last=1)
OUT = encode(Op.OUT, memory=Mem.STATE, count=COUNT, last=1)
HALT = encode(Op.HALT)
ECHO = [IN, OUT, HALT]
WEIGHTS = [1, 2, 3, 4]
LOAD = write_packet(Mem.WEIGHT, 0, [0x00990099] * 2)
"""A sample of four states that is, taken for a packet, a load of the weights."""
READ = [pack(HEADER, "packet", memory=Mem.STATE, read=1, beats=COUNT), 0]
SETTLED = CONFIG.groups + 40
"""Cycles after which a START has cleared base and feedback sums, a row group a cycle, and a short program
waits or ends."""


class Paced(User):
    """A host that takes no more than ``limit`` beats of a packet and sends ``later``: (cycles, packet)."""

    limit = later = None

    async def _sink(self, ctx):
        m = self._machine
        while True:
            ctx.set(m.m_axis_tready, self.limit is None or len(self._partial) < self.limit)
            *_, valid, ready, data, last = await ctx.tick().sample(
                m.m_axis_tvalid, m.m_axis_tready, m.m_axis_tdata, m.m_axis_tlast)
            if valid and ready:
                self._partial.append(data)
                if last:
                    self._packets.append(self._partial)
                    self._partial = []

    async def send_later(self, ctx):
        while True:
            if self.later and self.later[0] <= 0:
                self.send(self.later[1])
                self.later = None
            await ctx.tick()
            if self.later:
                self.later = self.later[0] - 1, self.later[1]


def drive(config, scenario):
    """Run ``scenario(host)`` on a whole machine."""
    unit = Machine(config)
    simulator = Simulator(unit)
    simulator.add_clock(1e-8)
    host = Paced(simulator, unit, 0.0, 1)

    async def bench(ctx):
        host.ctx = ctx
        await scenario(host)

    simulator.add_testbench(bench)
    simulator.add_testbench(host.send_later, background=True)
    simulator.run()


async def ready(host, words):
    """Load a program and the weights."""
    host.send(write_packet(Mem.PROGRAM, 0, words))
    host.send(write_packet(Mem.WEIGHT, 0, [2 << 16 | 1, 4 << 16 | 3]))
    await host.drained()


async def runs(host, sample=(31, 32, 33, 34)):
    """Whether the program echoes one sample and halts, and nothing touched the weights."""
    assert await host.write(CONTROL, Control.START) == OKAY
    host.send(list(sample))
    assert await host.packet() == list(sample)
    assert await host.stopped() is Cause.DONE
    assert await host.fetch(Mem.WEIGHT, 0, len(WEIGHTS), TABLE[Mem.WEIGHT]) == WEIGHTS
    assert not host._packets and not host._partial


async def status(host):
    return Status(await host.get("status"))


def test_samples_under_way_at_a_stop_reach_no_memory():
    """STOP in a run, in a machine that has halted and in a fresh one: a sample that spells a header is discarded, until
    CLEAR, and is not answered by a fault."""

    async def scenario(host):
        await ready(host, ECHO)
        for running in (True, False):
            if running:
                assert await host.write(CONTROL, Control.START) == OKAY
            assert await host.write(CONTROL, Control.STOP) == OKAY
            for _ in range(3):
                host.send(LOAD)
            await host.drained()
            assert await host.stopped() is (Cause.STOPPED if running else Cause.DONE)
            assert await status(host) == Status.STREAMING | Status.ABORTED
            assert await host.write(CONTROL, Control.START) == SLVERR
            assert await host.write(CONTROL, Control.CLEAR) == OKAY
            assert await status(host) == Status(0) and await host.get("cause") == Cause.NONE
            await runs(host)

    drive(CONFIG, scenario)


PACKETS = {"write": write_packet(Mem.ERROR, 0, [11, 12]), "read": READ, "sample": [21, 22, 23, 24]}


@pytest.mark.parametrize("kind", PACKETS)
def test_a_start_beside_a_packet_is_carried_out_or_refused(kind):
    """START at every offset from a packet: refused, and the packet is taken as one, or accepted, and its beats are the
    program's. Without it a packet's end would end the program's IN, or the START be lost."""
    answers = []

    async def scenario(host):
        await ready(host, ECHO)
        for offset in range(-10, 10):
            host.send(write_packet(Mem.STATE, 0, [1, 2, 3, 4]))
            host.send(write_packet(Mem.ERROR, 0, [0, 0]))
            await host.drained()
            host.later = max(offset, 0), PACKETS[kind]
            await host.ctx.tick().repeat(max(-offset, 1))
            answers.append(await host.write(CONTROL, Control.START))
            await host.ctx.tick().repeat(SETTLED)
            await (refused if answers[-1] else accepted)(host)
            host._packets.clear()
            await host.recover()
            assert await host.fetch(Mem.WEIGHT, 0, len(WEIGHTS), TABLE[Mem.WEIGHT]) == WEIGHTS

    async def refused(host):
        assert not await status(host) & Status.RUNNING
        assert await host.get("cause") == (Cause.RANGE if kind == "sample" else Cause.NONE)
        await taken(host)

    async def accepted(host):
        if await status(host) & Status.RUNNING:
            await taken(host)  # before the START; the program waits for its sample
            return
        assert await host.get("cause") == (Cause.STREAM if kind == "read" else Cause.DONE)
        if kind != "read":
            assert host._packets.popleft() == [beat & 0xFFFF for beat in PACKETS[kind]]
            await host.recover()
            assert await host.fetch(Mem.ERROR, 0, 2, TABLE[Mem.ERROR]) == [0, 0]

    async def taken(host):
        if kind == "read":
            assert host._packets.popleft() == [1, 2, 3, 4]
        await host.recover()
        assert await host.fetch(Mem.ERROR, 0, 2, TABLE[Mem.ERROR]) == ([11, 12] if kind == "write" else [0, 0])

    drive(CONFIG, scenario)
    refusals = [i for i, answer in enumerate(answers) if answer == SLVERR]
    assert len(refusals) >= len(PACKETS[kind]) and refusals[-1] - refusals[0] == len(refusals) - 1
    assert set(answers[refusals[-1] + 1:]) == {OKAY}


def test_commands_written_together_are_refused_whole():
    """Without it START beside CLEAR starts or is lost by whether a fault is pending, and START beside STOP by luck."""

    async def scenario(host):
        await ready(host, ECHO)
        for word in range(16):
            alone = (word & 7).bit_count() <= 1
            assert await host.write(CONTROL, word) == (OKAY if alone else SLVERR), word
            assert bool(await status(host) & Status.RUNNING) == (word & 7 == Control.START), word
            assert bool(await status(host) & Status.ABORTED) == (word & 7 == Control.STOP), word
            if alone:
                await host.recover()
        assert await host.write(CONTROL, Control.START) == OKAY
        assert await host.write(CONTROL, Control.START) == SLVERR
        assert await host.write(CONTROL, Control.CLEAR) == SLVERR
        assert await status(host) & Status.RUNNING
        await host.recover()
        await runs(host)

    drive(CONFIG, scenario)


@pytest.mark.parametrize("words, beats", [([IN, OUT, HALT], 4), (READ, 4)])
def test_output_is_closed_after_an_abort(words, beats):
    """STOP when any number of beats has left, with the consumer waiting: the beat on offer stays, the packet ends with
    a beat of zero, and the next packet is whole. Without it what is left joins the next packet."""

    async def scenario(host):
        await ready(host, ECHO)
        unit, ctx = host._machine, host.ctx
        for taken in range(beats):
            host.send(write_packet(Mem.STATE, 0, [1, 2, 3, 4]))
            await host.drained()
            host.limit = taken
            if words is READ:
                host.send(READ)
            else:
                assert await host.write(CONTROL, Control.START) == OKAY
                host.send([1, 2, 3, 4])
            while len(host._partial) < taken or not ctx.get(unit.m_axis_tvalid):
                await ctx.tick()
            offer = ctx.get(unit.m_axis_tdata), ctx.get(unit.m_axis_tlast)
            assert offer == (taken + 1, taken == 3)
            assert await host.write(CONTROL, Control.STOP) == OKAY
            for _ in range(20):
                assert ctx.get(unit.m_axis_tvalid)
                assert (ctx.get(unit.m_axis_tdata), ctx.get(unit.m_axis_tlast)) == offer
                await ctx.tick()
            host.limit = None
            got = await host.packet()
            assert got == [1, 2, 3, 4][:taken + 1] + [0] * (taken < 3)
            assert await host.stopped() in (Cause.STOPPED, Cause.DONE, Cause.NONE)
            assert await host.write(CONTROL, Control.CLEAR) == OKAY
            await runs(host)

    drive(CONFIG, scenario)


SURPLUS = {
    "a sample too many": ([IN, HALT], [[1, 2, 3, 4], LOAD]),
    "the rest of a packet": ([encode(Op.IN, memory=Mem.STATE, count=2), HALT], [[1, 2, *LOAD]]),
    "an open output": ([encode(Op.OUT, memory=Mem.STATE, count=2), HALT], [])}


@pytest.mark.parametrize("name", SURPLUS)
def test_what_is_left_over_at_halt_is_a_fault(name):
    """Without it a host that sends a sample too many, or a program that takes half a packet, loads a memory with it."""
    words, samples = SURPLUS[name]

    async def scenario(host):
        await ready(host, words)
        assert await host.write(CONTROL, Control.START) == OKAY
        for sample in samples:
            host.send(sample)
        assert await host.stopped() is Cause.STREAM
        assert await host.get("pc") == words.index(HALT)
        assert await host.recover() is Cause.STREAM
        await ready_again(host)

    async def ready_again(host):
        assert await host.fetch(Mem.WEIGHT, 0, 4, TABLE[Mem.WEIGHT]) == WEIGHTS
        host.send(write_packet(Mem.PROGRAM, 0, ECHO))
        await host.drained()
        await runs(host)

    drive(CONFIG, scenario)


def test_hosts_say_why_and_recover():
    """Without it a driver that lost an answer would wait for a packet, or a halt, for ever."""

    async def scenario(host):
        await ready(host, ECHO)
        await host.set("control", Control.START)
        with pytest.raises(Mismatch, match=r"refused 1 .*: the machine is running; wait until it has halted, or STOP"):
            await host.set("control", Control.START)
        with pytest.raises(Mismatch, match=r"refused 5 .*: START, STOP and CLEAR are written one at a time"):
            await host.set("control", Control.START | Control.CLEAR)
        host.raw(framed([1, 2], {}))
        assert await host.stop() is Cause.STOPPED
        with pytest.raises(Mismatch, match=r"the machine is aborted with cause STOPPED at address 0 .*Host.recover"):
            await host.receive()
        with pytest.raises(Mismatch, match=r"refused 1 .*: the machine is aborted; drain the streams and CLEAR"):
            await host.set("control", Control.START)
        host.raw(framed([3, 4], {1}))
        host.send(LOAD)
        with pytest.raises(Mismatch, match="discards its input"):
            await host.sent()
        assert await host.recover() is Cause.STOPPED
        await runs(host)
        host.raw(framed(PACKETS["write"][:1], {}))
        await host.drained()
        with pytest.raises(Mismatch, match=r"refused 1 .*: a packet was under way"):
            await host.set("control", Control.START)
        host.raw(framed(PACKETS["write"][1:], {2}))
        await host.recover()
        await runs(host)

    drive(CONFIG, scenario)
