"""Memories: the unit's side against a dictionary, the host's side against ``sim.host``'s packing.

A beat that lands in the wrong lane, or a negative element whose sign is lost on the way out, is
invisible as long as everything is written and read by the same wrong rule: so the stream side is
always checked through the unit side.
"""

from random import Random

import numpy as np
import pytest
from helpers import machine, simulate

from hebbar.contract.geometry import ports
from hebbar.contract.memories import Mem, Port
from hw.bank import Bank
from sim.packets import beats, words

SHALLOW = {"weight_words": 5, "neuron_words": 3, "map_entries": 4, "blocks": 3, "program_words": 6,
           "functions": 1, "state_bits": 10, "state_frac": 6}
MACHINES = {
    "one tile": {}, "two tiles": {"row_tiles": 2}, "full word": {"row_tiles": 4},
    "odd widths": {"lanes": 8, "row_tiles": 2, "weight_bits": 11, "weight_frac": 8,
                   "activity_bits": 5, "activity_frac": 4, "error_bits": 7},
    "wide weights": {"row_tiles": 2, "weight_bits": 18}}
GEOMETRIES = {f"{name}, {mem.name}": port for name, changes in MACHINES.items()
              for mem, port in ports(machine(**(SHALLOW | changes))).items()
              if port.depth <= 16 or name == "one tile"}


def random_elements(port, count, rng):
    lo = -(1 << port.bits - 1) if port.signed else 0
    hi = (1 << port.bits - 1) - 1 if port.signed else (1 << port.bits) - 1
    return [rng.choice([lo, hi, 0, rng.randint(lo, hi)]) for _ in range(count)]


def pack_by_hand(values, port):
    """The packing of ``hebbar.contract.memories`` in words: lowest lane first, sign extended to its share."""
    share, packed = 32 // port.lanes_per_beat, []
    for at in range(0, len(values), port.lanes_per_beat):
        text = "".join(format(v % 2**share, f"0{share}b")
                       for v in reversed(values[at:at + port.lanes_per_beat]))
        packed.append(int(text, 2))
    return packed


async def host_write(ctx, unit, stream):
    port = unit.port
    ctx.set(unit.host.select, 1)
    ctx.set(unit.host.write, 1)
    for i, beat in enumerate(stream):
        ctx.set(unit.host.address, i // port.beats_per_word)
        ctx.set(unit.host.sub, i % port.beats_per_word)
        ctx.set(unit.host.beat, beat)
        await ctx.tick()
    ctx.set(unit.host.write, 0)
    ctx.set(unit.host.select, 0)


async def host_read(ctx, unit):
    port, stream = unit.port, []
    ctx.set(unit.host.select, 1)
    for i in range(port.depth * port.beats_per_word):
        ctx.set(unit.host.address, i // port.beats_per_word)
        ctx.set(unit.host.sub, i % port.beats_per_word)
        await ctx.tick()
        stream.append(ctx.get(unit.host.read_beat))
    ctx.set(unit.host.select, 0)
    return stream


@pytest.mark.parametrize("name", GEOMETRIES)
def test_the_stream_fills_and_empties_every_memory(name):
    """Each geometry of each memory: written as beats, read by the unit, read back as beats."""
    port, rng = GEOMETRIES[name], Random(name)
    unit, values = Bank(port), random_elements(port, port.depth * port.lanes, rng)

    async def bench(ctx):
        await host_write(ctx, unit, pack_by_hand(values, port))
        for word in range(port.depth):
            ctx.set(unit.read_address[0], word)
            await ctx.tick()
            assert list(ctx.get(unit.read_data[0])) == values[word * port.lanes:(word + 1) * port.lanes]
        stream = await host_read(ctx, unit)
        assert words(stream, port).tolist() == values
        if port.signed:
            assert stream == pack_by_hand(values, port)

    simulate(unit, bench)


@pytest.mark.parametrize("name", GEOMETRIES)
def test_the_host_packs_as_documented(name):
    """``sim.host`` is what users copy; its packing is checked against the words of the contract."""
    port, rng = GEOMETRIES[name], Random(name)
    for count in (port.lanes, 1, 3 * port.lanes_per_beat + 1):
        values = random_elements(port, count, rng)
        padded = values + [0] * (-count % port.lanes_per_beat)
        stream = beats(np.array(values), port)
        assert stream == pack_by_hand(padded, port)
        assert words(stream, port).tolist() == padded


@pytest.mark.parametrize("readers", [1, 2, 20])
def test_units_write_under_a_mask_and_read_the_old_word(readers):
    """A read in the cycle of a write shows the word before it; masked lanes keep their value."""
    port, rng = Port(5, 4, 9, 2, True), Random(readers)
    unit, model = Bank(port, readers), [[0] * 4 for _ in range(5)]

    async def bench(ctx):
        expected = [None] * readers
        for _ in range(600):
            address, mask = rng.randrange(5), rng.randrange(16)
            values, reads = random_elements(port, 4, rng), [rng.randrange(5) for _ in range(readers)]
            ctx.set(unit.write_address, address)
            ctx.set(unit.write_mask, mask)
            ctx.set(unit.write_data, values)
            ctx.set(unit.read_address, reads)
            await ctx.tick()
            expected = [list(model[r]) for r in reads]
            for lane in range(4):
                if mask >> lane & 1:
                    model[address][lane] = values[lane]
            assert [list(ctx.get(unit.read_data[i])) for i in range(readers)] == expected

    simulate(unit, bench)


def test_the_host_shuts_the_unit_out():
    """While the stream owns a memory, whatever the unit asks for must not get in."""
    port = Port(4, 4, 8, 4, True)
    unit, values = Bank(port), list(range(16))

    async def bench(ctx):
        ctx.set(unit.write_mask, 15)
        ctx.set(unit.write_data, [-1] * 4)
        ctx.set(unit.write_address, 2)
        await host_write(ctx, unit, pack_by_hand(values, port))
        ctx.set(unit.write_mask, 0)
        assert words(await host_read(ctx, unit), port).tolist() == values

    simulate(unit, bench)


def test_the_unit_reads_while_the_host_writes():
    """An IN goes on beside sweeps, which read other words of the memory that it writes."""
    port = Port(4, 4, 8, 4, True)
    unit, values = Bank(port, writable=False, beside=True), list(range(16))

    async def bench(ctx):
        await host_write(ctx, unit, pack_by_hand(values, port))
        ctx.set(unit.host.select, 1)
        ctx.set(unit.host.write, 1)
        ctx.set(unit.host.address, 3)
        for word in (0, 1, 2):
            ctx.set(unit.read_address[0], word)
            await ctx.tick()
            assert list(ctx.get(unit.read_data[0])) == values[4 * word:4 * word + 4]

    simulate(unit, bench)


def test_the_unit_writes_before_the_host():
    """An IN goes on beside sweeps that write other words: each of its beats waits for the unit, and none is lost."""
    port, rng = Port(16, 4, 8, 2, True), Random(3)
    unit = Bank(port, beside=True)

    async def bench(ctx):
        expected, beats = [[0] * 4 for _ in range(16)], [(word, sub) for word in range(8) for sub in range(2)]
        ctx.set(unit.host.select, 1)
        ctx.set(unit.host.write, 1)
        while beats:
            (word, sub), writes, other = beats[0], rng.random() < 0.6, rng.randrange(8, 16)
            ctx.set(unit.host.address, word)
            ctx.set(unit.host.sub, sub)
            ctx.set(unit.host.beat, word | sub << 16)
            ctx.set(unit.write_address, other)
            ctx.set(unit.write_data, [other] * 4)
            ctx.set(unit.write_mask, 15 if writes else 0)
            ctx.set(unit.writes, writes)
            assert ctx.get(unit.host.ready) == ctx.get(unit.host_has) == (not writes)
            await ctx.tick()
            if writes:
                expected[other] = [other] * 4
            else:
                expected[word][2 * sub:2 * sub + 2] = word, sub
                beats.pop(0)
        assert [list(ctx.get(unit.memory.data[word])) for word in range(16)] == expected

    simulate(unit, bench)


def test_every_reachable_memory_is_covered():
    """A new memory without a geometry here would never be packed in a test."""
    assert {name.split(", ")[1] for name in GEOMETRIES} == {m.name for m in Mem}
