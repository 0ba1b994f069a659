"""Every bit of packets and transfers, on the streamer alone: ranges, addresses, counts, and beats of a word.

Memories of a million words cannot be simulated in full, so nothing else in this suite sees the high bits of an
address or of a number of beats. What a check does not look at, a host or a program can write over.
"""

from random import Random

import pytest
from amaranth.hdl import ResetInserter, Signal
from amaranth.sim import Simulator
from helpers import widest

from hebbar.contract.geometry import ports
from hebbar.contract.isa import FIELDS, Op, encode
from hebbar.contract.memories import HEADER, Mem, pack
from hebbar.contract.registers import Cause
from hebbar.contract.timing import RANGE_LATENCY
from hw.streamer import Streamer

WIDEST = {"weight_words": 1 << 20, "neuron_words": 1 << 12, "map_entries": 1 << 12, "blocks": 1 << 10,
          "program_words": 1 << 12, "functions": 16}
MACHINES = {
    "wide word": widest(**WIDEST, lanes=64, row_tiles=64),
    "many groups": widest(**WIDEST, lanes=64, row_tiles=1),
    "24 bits": widest(**WIDEST, lanes=4, row_tiles=2, weight_bits=24),
    "odd": widest(lanes=8, row_tiles=2, weight_words=0xAAAAB, neuron_words=0x555, map_entries=0xAAB, blocks=0x155,
                   program_words=0xAAB, functions=11)}
LOOPED = (Mem.ACTIVITY, Mem.STATE, Mem.ERROR, Mem.CLAMP)


def powers(width):
    """Every value of ``width`` bits with one bit set."""
    return [1 << bit for bit in range(width)]


class Bench:
    """A streamer whose memory is always ready."""

    def __init__(self, config):
        self.unit, self.reset, self.ctx = Streamer(config), Signal(), None

    def run(self, script):
        async def bench(ctx):
            self.ctx = ctx
            ctx.set(self.unit.host.ready, 1)
            ctx.set(self.unit.m_axis_tready, 1)
            await script()

        simulator = Simulator(ResetInserter(self.reset)(self.unit))
        simulator.add_clock(1e-8)
        simulator.add_testbench(bench)
        simulator.run()

    async def fresh(self, running):
        """A machine that halts or runs and moves nothing."""
        ctx, unit = self.ctx, self.unit
        for signal, value in ((unit.running, running), (unit.transfer, 0), (unit.s_axis_tvalid, 0), (self.reset, 1)):
            ctx.set(signal, value)
        await ctx.tick()
        ctx.set(self.reset, 0)
        await ctx.tick().repeat(2)

    async def beat(self, data, last):
        """One beat of input; the fault it raises."""
        ctx, unit = self.ctx, self.unit
        ctx.set(unit.s_axis_tdata, data)
        ctx.set(unit.s_axis_tlast, last)
        ctx.set(unit.s_axis_tvalid, 1)
        assert ctx.get(unit.s_axis_tready)
        fault = ctx.get(unit.fault)
        await ctx.tick()
        ctx.set(unit.s_axis_tvalid, 0)
        return fault

    async def packet(self, memory, read, beats, address):
        """The two header beats of a packet; the fault they raise."""
        await self.fresh(running=0)
        assert not await self.beat(pack(HEADER, "packet", memory=memory, read=read, beats=beats), 0)
        return await self.beat(address, read) or await self._checked()

    async def transfer(self, op, **fields):
        """What the sequencer asks for at an IN or OUT; the fault it raises."""
        await self.fresh(running=1)
        ctx, unit = self.ctx, self.unit
        ctx.set(unit.transfer_word, encode(op, **fields))
        ctx.set(unit.transfer_out, op is Op.OUT)
        ctx.set(unit.transfer, 1)
        fault = ctx.get(unit.fault)
        await ctx.tick()
        ctx.set(unit.transfer, 0)
        return fault or await self._checked()

    async def _checked(self):
        """The fault that is found in a range before its first beat."""
        faults = [(self.ctx.get(self.unit.fault), await self.ctx.tick())[0] for _ in range(RANGE_LATENCY)]
        return max(faults)

    def begun(self):
        """(memory, word, beat of the word) that the next beat goes to."""
        host = self.unit.host
        return tuple(self.ctx.get(signal) for signal in (self.unit.memory, host.address, host.sub))

    async def moved(self, beats, last):
        """Move all beats of a transfer into the machine or out of it, without a stall; where each went."""
        ctx, unit, places = self.ctx, self.unit, []
        ctx.set(unit.s_axis_tvalid, 1)
        while len(places) < beats:
            ctx.set(unit.s_axis_tlast, last and len(places) == beats - 1)
            taken = ctx.get(unit.s_axis_tready) or ctx.get(unit.m_axis_tvalid)
            if taken:
                places.append(self.begun())
                assert ctx.get(unit.done) == (len(places) == beats), len(places)
                assert not ctx.get(unit.m_axis_tvalid) or ctx.get(unit.m_axis_tlast) == (last and len(places) == beats)
            assert not ctx.get(unit.fault), len(places)
            await ctx.tick()
        ctx.set(unit.s_axis_tvalid, 0)
        return places


def ends(depth, bits=33):
    """The end of a memory, and ends beyond it such that a check blind to any one bit takes one of them."""
    return [depth, depth + 1, *(depth + value for value in powers(bits))]


def ranges(port, rng):
    """(word, beats): ranges that end at the end of a memory or beyond, by one word or by any power of two."""
    share = port.beats_per_word
    whole = min(port.depth * share, (1 << 24) - 1)
    for end in ends(port.depth):
        for words in (1, 2, rng.randrange(1, min(port.depth, (1 << 24) // share) + 1)):
            if 0 <= end - words < 1 << 32:
                yield end - words, words * share
                yield end - words, (words - 1) * share + 1
    for beats in (0, 1, whole, *(value + 1 for value in powers(24)), (1 << 24) - 1):
        yield 0, beats
    for word in powers(32):
        yield word, share


@pytest.mark.parametrize("name", MACHINES)
def test_a_packet_is_taken_where_it_fits_and_nowhere_else(name):
    """Every memory, every bit of the address and of the number of beats."""
    bench, table, rng = Bench(MACHINES[name]), ports(MACHINES[name]), Random(name)
    seen = {Cause.NONE: 0, Cause.RANGE: 0}

    async def script():
        for memory in range(16):
            if memory not in table:
                assert await bench.packet(memory, rng.randrange(2), 1, 0) == Cause.RANGE
                continue
            port = table[Mem(memory)]
            for word, beats in ranges(port, rng):
                fits = beats and word + -(-beats // port.beats_per_word) <= port.depth
                fault = Cause(await bench.packet(memory, rng.randrange(2), beats, word))
                assert fault is (Cause.NONE if fits else Cause.RANGE), (memory, word, beats)
                assert not fits or bench.begun() == (memory, word, 0)
                seen[fault] += 1

    bench.run(script)
    assert min(seen.values()) > 100


@pytest.mark.parametrize("name", MACHINES)
def test_a_transfer_is_taken_where_it_fits_and_nowhere_else(name):
    """Every field of IN and OUT in every bit: neurons of one population, and not of the one behind it."""
    config, rng = MACHINES[name], Random(name)
    bench, table = Bench(config), ports(config)
    address, count = (FIELDS[Op.IN][n].width for n in ("address", "count"))
    seen = {Cause.NONE: 0, Cause.RANGE: 0}

    def cases():
        for bit in powers(address):
            yield bit, 1
        for bit in powers(count):
            yield 0, bit
        for end in ends(config.neuron_words, address):
            for words in (1, 2):
                yield end - words, (words - 1) * config.lanes + rng.randrange(1, config.lanes + 1)
        for words in powers(config.neuron_words.bit_length()):  # one bit of the count decides, at the very end
            for word in (config.neuron_words - words, config.neuron_words - words + 1):
                yield word, words * config.lanes
        yield 0, 0

    async def script():
        for memory in LOOPED:
            port = table[memory]
            for word, neurons in cases():
                if not (0 <= word < 1 << address and neurons < 1 << count):
                    continue
                rows = word * config.lanes + neurons  # in whole words of the memory
                fits = neurons and -(-rows // port.lanes) <= port.depth
                op = rng.choice([Op.IN, Op.OUT])
                fault = Cause(await bench.transfer(op, memory=memory, address=word, count=neurons))
                assert fault is (Cause.NONE if fits else Cause.RANGE), (memory, word, neurons)
                assert not fits or bench.begun() == (memory, word * config.lanes // port.lanes, 0)
                seen[fault] += 1
        for memory in set(range(8)) - set(LOOPED):
            assert await bench.transfer(Op.IN, memory=memory, address=0, count=1) == Cause.RANGE

    bench.run(script)
    assert min(seen.values()) > 10


@pytest.mark.parametrize("op", [Op.IN, Op.OUT])
def test_a_transfer_moves_every_neuron_of_its_count(op):
    """Every bit of the count, beat by beat, to consecutive places; TLAST with the last beat where it is asked for."""
    config = MACHINES["many groups"]
    bench, table = Bench(config), ports(config)

    async def script():
        for bit in range(12):
            for memory in LOOPED if bit < 7 else (LOOPED[bit % 4],):
                port, last = table[memory], bit % 2
                share, beats = port.beats_per_word, -(-(1 << bit) // port.lanes_per_beat)
                assert not await bench.transfer(op, memory=memory, address=1, count=1 << bit, last=last)
                first = config.lanes // port.lanes
                assert await bench.moved(beats, last) == [(memory, first + i // share, i % share) for i in range(beats)]
                assert bench.ctx.get(bench.unit.active) == 0

    bench.run(script)


@pytest.mark.parametrize("name", ["wide word", "24 bits", "odd"])
@pytest.mark.parametrize("read", [0, 1])
def test_a_packet_walks_through_words_of_every_size(name, read):
    """Words of 1 to 2,048 beats: without it the last beats of a wide word could fall into the next."""
    bench, table = Bench(MACHINES[name]), ports(MACHINES[name])

    async def script():
        for memory, port in table.items():
            share = port.beats_per_word
            beats = share + 2
            assert not await bench.packet(memory, read, beats, port.depth - 3)
            places = await bench.moved(beats, 1)
            assert places == [(memory, port.depth - 3 + i // share, i % share) for i in range(beats)]

    bench.run(script)
