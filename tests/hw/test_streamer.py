"""The streamer inside the whole machine: packets, transfers, and every way a host gets them wrong.

A stream that is never ready again, or a bad packet whose tail is taken for the next header, hangs or
corrupts a machine in the field; nothing else in this suite sends a wrong beat.
"""

from random import Random

import numpy as np
import pytest
from amaranth.hdl import Cat
from amaranth.sim import Simulator
from helpers import layered, machine, random_samples, random_weights

from golden.image import to_image
from hebbar.compiler.program import compile_config
from hebbar.contract.errors import Mismatch
from hebbar.contract.geometry import ports
from hebbar.contract.isa import Op, encode
from hebbar.contract.memories import HEADER, Mem, pack
from hebbar.contract.registers import Cause, Control
from hw.machine import Machine
from sim.backends.pysim import PysimHost
from sim.host import load, read_weights
from sim.packets import beats, words, write_packet

LIMIT = 3000
"""Cycles after which a stream counts as hung, beside those that a START takes to clear base and feedback sums."""


class User(PysimHost):
    """A host that gives up instead of waiting for ever, and that may send any beats."""

    def raw(self, stream):
        """Queue (beat, TLAST) pairs as they are."""
        self._queue += stream

    def _patience(self):
        """Cycles to wait; START clears a row group in each of the first."""
        return range(self._machine.machine.groups + LIMIT)

    async def drained(self):
        """Wait until the machine has taken every beat."""
        for _ in self._patience():
            if not self._queue:
                await self.ctx.tick().repeat(4)
                return
            await self.ctx.tick()
        pytest.fail(f"the input stream hangs with {len(self._queue)} beats to go")

    async def packet(self):
        for _ in self._patience():
            if self._packets:
                return self._packets.popleft()
            await self.ctx.tick()
        pytest.fail("the output stream hangs")

    async def stopped(self):
        for _ in self._patience():
            if not self.ctx.get(self._machine.sequencer.running):
                return Cause(await self.get("cause"))
            await self.ctx.tick()
        pytest.fail("the machine does not halt")

    async def fetch(self, memory, address, count, port):
        """Read ``count`` elements of a memory over the stream."""
        header = pack(HEADER, "packet", memory=memory, read=1, beats=-(-count // port.lanes_per_beat))
        self.send([header, address])
        return words(await self.packet(), port).tolist()[:count]


def drive(config, scenario, stall=0.0, seed=1):
    """Run ``scenario(host)`` on a whole machine."""
    unit = Machine(config)
    simulator = Simulator(unit)
    simulator.add_clock(1e-8)
    host = User(simulator, unit, stall, seed)

    async def bench(ctx):
        host.ctx = ctx
        await scenario(host)

    simulator.add_testbench(bench)
    simulator.run()


def framed(stream, last):
    """Beats with TLAST on the positions in ``last``."""
    return [(beat, int(i in last)) for i, beat in enumerate(stream)]


CONFIG = machine(row_tiles=2)
TABLE = ports(CONFIG)
GOOD = write_packet(Mem.STATE, 2, [5, 6, 7, 8])
HEAD = {"memory": Mem.STATE, "read": 0, "beats": 4}


def header(**changes):
    return pack(HEADER, "packet", **(HEAD | changes))


BROKEN = {
    "truncated": (framed(GOOD[:-1], {len(GOOD) - 2}), Cause.STREAM),
    "truncated to one beat": (framed(GOOD[:3], {2}), Cause.STREAM),
    "overlong": (framed([*GOOD, 9, 9, 9], {len(GOOD) + 2}), Cause.STREAM),
    "overlong by a packet": (framed(GOOD + GOOD, {2 * len(GOOD) - 1}), Cause.STREAM),
    "header only": (framed(GOOD[:1], {0}), Cause.STREAM),
    "no payload": (framed(GOOD[:2], {1}), Cause.STREAM),
    "read with a payload": (framed([header(read=1), 0, 1, 2], {3}), Cause.STREAM),
    "read header only": (framed([header(read=1)], {0}), Cause.STREAM),
    "unknown memory": (framed([header(memory=10), *GOOD[1:]], {5}), Cause.RANGE),
    "last memory number": (framed([header(memory=15), *GOOD[1:]], {5}), Cause.RANGE),
    "read of no memory": (framed([header(memory=12, read=1), 0], {1}), Cause.RANGE),
    "beyond the end": (framed([GOOD[0], CONFIG.groups - 1, *GOOD[2:]], {5}), Cause.RANGE),
    "address of 32 bits": (framed([GOOD[0], 0xFFFFFFFF, *GOOD[2:]], {5}), Cause.RANGE),
    "read beyond the end": (framed([header(read=1, beats=8), CONFIG.groups - 3], {1}), Cause.RANGE),
    "more than there is": (framed([header(beats=(1 << 24) - 1), 0, 1], {2}), Cause.RANGE),
    "empty": (framed([header(beats=0), 0, 1], {2}), Cause.RANGE),
    "empty read": (framed([header(beats=0, read=1), 0], {1}), Cause.RANGE),
}


@pytest.mark.parametrize("stall", [0.0, 0.4])
def test_every_broken_packet_is_taken_reported_and_forgotten(stall):
    """One machine, all mistakes in a row: cause as documented, START refused until CLEAR, beats
    discarded, and the next good packet lands where it should with nothing else changed."""
    rng = Random(1)

    async def scenario(host):
        state = [0] * (CONFIG.groups * CONFIG.row_tiles)
        port = TABLE[Mem.STATE]
        host.send(write_packet(Mem.PROGRAM, 0, [encode(Op.HALT)]))
        for name, (stream, cause) in BROKEN.items():
            before = list(state)
            host.send(write_packet(Mem.STATE, 0, beats(np.array(before), port)))
            await host.drained()
            host.raw(stream)
            await host.drained()
            assert Cause(await host.get("cause")) is cause, name
            assert await host.get("status") & 4, name
            with pytest.raises(Mismatch, match=r"control refused 1 .*: the machine is aborted"):
                await host.set("control", Control.START)
            assert Cause(await host.get("cause")) is cause, name
            await host.set("control", Control.CLEAR)
            assert await host.get("cause") == Cause.NONE, name
            if cause is Cause.RANGE:
                assert await host.fetch(Mem.STATE, 0, len(state), port) == before, name
            at = rng.randrange(CONFIG.groups - 2)
            new = [rng.randrange(-99, 99) for _ in range(2 * CONFIG.row_tiles)]
            host.send(write_packet(Mem.STATE, at, beats(np.array(new), port)))
            state[at * CONFIG.row_tiles:at * CONFIG.row_tiles + len(new)] = new
            await host.drained()
            got = await host.fetch(Mem.STATE, at, len(new), port)
            assert got == new, name
            assert await host.get("cause") == Cause.NONE, name
        await host.set("control", Control.START)
        assert await host.stopped() is Cause.DONE

    drive(CONFIG, scenario, stall=stall)


def test_clear_inside_a_broken_packet_waits_for_its_end():
    """After CLEAR the rest of the broken packet must not be read as a header."""

    async def scenario(host):
        port = TABLE[Mem.STATE]
        host.raw([(beat, 0) for beat in [*GOOD, header(memory=Mem.CLAMP), 0]])
        await host.drained()
        assert Cause(await host.get("cause")) is Cause.STREAM
        await host.set("control", Control.CLEAR)
        host.raw(framed([header(memory=Mem.STATE, beats=1), 0, 77], {2}))
        await host.drained()
        assert await host.get("cause") == Cause.NONE
        host.send(write_packet(Mem.STATE, 1, [3, 4]))
        await host.drained()
        assert await host.fetch(Mem.STATE, 0, 4, port) == [0, 0, 3, 4]

    drive(CONFIG, scenario)


def test_clear_at_any_moment_takes_a_packet_whole_or_not_at_all():
    """CLEAR races the beats of a host that did not stop sending; half a packet would be worse than
    none, and its second beat taken for a header worse still."""
    taken = set()

    async def scenario(host):
        port, old = TABLE[Mem.STATE], [1, 2, 3, 4]
        for tail in range(1, 16):
            host.send(write_packet(Mem.STATE, 2, old))
            await host.drained()
            host.raw(framed(GOOD[:1], {0}))
            await host.drained()
            host.raw(framed([9] * tail, {tail - 1}) + framed(GOOD, {len(GOOD) - 1}))
            await host.set("control", Control.CLEAR)
            await host.drained()
            assert await host.get("cause") == Cause.NONE, tail
            got = await host.fetch(Mem.STATE, 2, 4, port)
            assert got in (old, GOOD[2:]), tail
            taken.add(got == old)

    drive(CONFIG, scenario)
    assert taken == {False, True}


@pytest.mark.parametrize("stall", [0.0, 0.6])
def test_every_memory_is_written_and_read_over_the_stream(stall):
    """Every memory number reaches its own memory and no other, from any word on, under back-pressure."""
    rng = np.random.default_rng(1)

    async def scenario(host):
        held = {}
        for mem, port in TABLE.items():
            lo, hi = (-(1 << port.bits - 1), 1 << port.bits - 1) if port.signed else (0, 1 << port.bits)
            count = min(port.depth - 1, 9) * port.lanes
            held[mem] = rng.integers(lo, hi, count)
            host.send(write_packet(mem, 1, beats(held[mem], port)))
        await host.drained()
        for mem, port in TABLE.items():
            assert await host.fetch(mem, 1, held[mem].size, port) == held[mem].tolist(), mem

    drive(CONFIG, scenario, stall=stall)


def _program():
    return compile_config(layered([6, 5, 3], row_tiles=2, rule={"steps": 1}))


async def _start(host, program, entry, count):
    await host.set("loop0", count)
    await host.set("entry", program.entries[entry])
    await host.set("control", Control.START)


def test_a_sample_with_a_wrong_end_halts_the_program():
    """A host that is out of step by a beat would train on shifted pixels for ever."""
    program = _program()
    stream = beats(random_samples(program, "predict", 1, 1)["x0"][0],
                   ports(program.machine)[Mem.ACTIVITY])
    early, missing, rest = [(stream[0], 1)], framed(stream, {}), [(1, 0), (2, 1)]

    async def scenario(host):
        await load(host, program, to_image(program.layout, random_weights(program, 1)))
        for sent, after in ((early, []), (missing, rest)):
            await _start(host, program, "predict", 1)
            host.raw(sent)
            assert await host.stopped() is Cause.STREAM
            host.raw(after)
            await host.drained()
            await host.set("control", Control.CLEAR)
            await _start(host, program, "predict", 1)
            host.send(stream)
            assert len(await host.packet()) == 3
            assert await host.stopped() is Cause.DONE

    drive(program.machine, scenario)


@pytest.mark.parametrize("mem", [mem for mem in Mem if mem > Mem.CLAMP])
def test_a_program_has_the_memory_that_the_host_used_last(mem):
    """It is the host's while the machine is halted: for a cycle longer, a program would begin with the host's word."""
    program, said = _program(), []
    drawn, table = random_samples(program, "predict", 1, 1)["x0"][0], ports(program.machine)

    async def scenario(host):
        m = host._machine
        await load(host, program, to_image(program.layout, random_weights(program, 1)))
        mine = [unit.host.select for unit in (m.tile, m.function, m.derivative,
                                              *(m.banks[of] for of in (Mem.PROGRAM, Mem.BLOCK, Mem.MAP)))]
        for used in (Mem.CLAMP, mem):
            held = np.array(await host.fetch(used, 1, table[used].lanes, table[used]))
            host.send(write_packet(used, 1, beats(held, table[used])))
            await host.drained()
            assert host.ctx.get(Cat(mine)).bit_count() == (used == mem)
            await _start(host, program, "predict", 1)
            host.send(beats(drawn, table[Mem.ACTIVITY]))
            await host.ctx.tick()
            while host.ctx.get(m.sequencer.running):
                assert not host.ctx.get(Cat(mine))
                await host.ctx.tick()
            said.append(list(await host.packet()))

    drive(program.machine, scenario)
    assert said[0] == said[1]


OUTSIDE = [
    {"memory": 4, "count": 4}, {"memory": 7, "count": 4}, {"memory": 1, "count": 0},
    {"memory": 0, "address": CONFIG.neuron_words, "count": 1},
    {"memory": 1, "address": CONFIG.neuron_words - 1, "count": CONFIG.lanes + 1}]


def test_a_transfer_outside_the_neurons_halts():
    """A program must not reach the weights or wrap around the neuron memory."""

    async def scenario(host):
        for op in (Op.IN, Op.OUT):
            for fields in OUTSIDE:
                host.send(write_packet(Mem.PROGRAM, 0, [encode(Op.WAIT), encode(op, **fields), 0]))
                await host.drained()
                await host.set("control", Control.START)
                assert await host.stopped() is Cause.RANGE, fields
                assert await host.get("pc") == 1
                await host.set("control", Control.CLEAR)

    drive(CONFIG, scenario)


def test_an_in_writes_as_many_neurons_as_it_says():
    """A beat holds four activities: without it those of a neighbour, or lanes that a row of its own uses, would be
    overwritten by what pads the last beat."""
    config = machine(lanes=8, row_tiles=2)
    port, rng, at = ports(config)[Mem.ACTIVITY], np.random.default_rng(3), config.lanes

    async def scenario(host):
        for count in range(1, 14):
            old, new = rng.integers(1, 100, 4 * config.lanes), rng.integers(-100, 0, 16)
            host.send(write_packet(Mem.ACTIVITY, 0, beats(old, port)))
            host.send(write_packet(Mem.PROGRAM, 0, [encode(Op.IN, address=1, count=count, memory=Mem.ACTIVITY, last=1),
                                                    encode(Op.HALT)]))
            await host.drained()
            await host.set("control", Control.START)
            host.send(beats(new, port)[:-(-count // port.lanes_per_beat)])
            assert await host.stopped() is Cause.DONE
            expected = [*old[:at], *new[:count], *old[at + count:]]
            assert await host.fetch(Mem.ACTIVITY, 0, old.size, port) == expected, count
        host.send(write_packet(Mem.ACTIVITY, 1, beats(new[:4], port)))
        assert await host.fetch(Mem.ACTIVITY, 1, 4, port) == new[:4].tolist(), "a packet has no padding"

    drive(config, scenario, stall=0.3)


def test_stop_frees_a_machine_that_waits_for_the_host():
    """STOP in the middle of a sample: the rest of it is discarded up to its TLAST, then all works."""
    program = _program()
    samples = random_samples(program, "predict", 1, 1)
    stream = beats(samples["x0"][0], ports(program.machine)[Mem.ACTIVITY])

    async def scenario(host):
        image = to_image(program.layout, random_weights(program, 1))
        await load(host, program, image)
        await _start(host, program, "predict", 1)
        host.raw([(stream[0], 0)])
        await host.drained()
        await host.set("control", Control.STOP)
        assert await host.stopped() is Cause.STOPPED
        host.raw(framed(stream[1:], {len(stream) - 2}))
        await host.drained()
        await host.set("control", Control.CLEAR)
        assert (await read_weights(host, program) == image).all()
        await _start(host, program, "predict", 1)
        host.send(stream)
        assert len(await host.packet()) == 3
        assert await host.stopped() is Cause.DONE

    drive(program.machine, scenario)
