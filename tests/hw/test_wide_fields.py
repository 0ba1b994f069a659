"""Every bit of a sweep on its way through tile, neuron unit and tables, on machines as large as they come.

Tests of whole sweeps use small memories, in which the upper bits of every address are zero. Here a sweep of one word
carries one bit at a time, and the addresses, tags and shifts that leave the units must carry it on.
"""

from types import MappingProxyType

import pytest
from helpers import machine, simulate
from test_streamer import drive

from hebbar.contract.geometry import ports
from hebbar.contract.isa import GAINS, Into, Mode, Op, Sweep, encode
from hebbar.contract.memories import BLOCK, MAP, TABLE, UNIT_PRECISION, Mem, pack
from hebbar.contract.registers import Cause, Control
from hebbar.contract.timing import ERROR_LATENCY
from hw.neuron import Neuron
from hw.row_engine import RowEngine
from hw.separation import Separation
from hw.table import Table
from sim.packets import beats, write_packet

LARGE = machine(weight_words=1 << 16, neuron_words=1 << 12, max_columns=1 << 10, map_entries=1 << 12, functions=16,
                integral=True)
ALL = Sweep.FWD | Sweep.ERR | Sweep.TRN | Sweep.UPD
COMMAND = {"flags": int(ALL), "gain": 0, "weight_base": 0, "stride": 1, "map_base": 0, "columns": 1, "function": 0,
           "precision": UNIT_PRECISION, "group_base": 0, "groups": 1, "align": 0, "last_rows": 1}
ENTRY = {"source": 0, "lanes": 4, "shift": 0, "rate": 0, "feedback": 1, "overwrite": 0, "plastic": 1, "diagonal": 0,
         "positive": 0}
CYCLES = 40


def powers(width):
    """Every value of ``width`` bits with one bit set."""
    return [1 << bit for bit in range(width)]


class Bench:
    """A row engine on which one sweep is followed at its ports."""

    def __init__(self):
        self.unit, self.ctx = RowEngine(LARGE), None

    def run(self, script):
        async def bench(ctx):
            self.ctx = ctx
            await script(self)

        simulate(self.unit, bench)

    async def load(self, weight):
        """All weights of word 0, over the stream."""
        ctx, host = self.ctx, self.unit.host
        for on in (1, 0):
            ctx.set(host.select, on)
            ctx.set(host.write, on)
            for sub in range(2 * on):
                ctx.set(host.sub, sub)
                ctx.set(host.beat, weight << 16 | weight)
                await ctx.tick()

    async def sweep(self, command=MappingProxyType({}), entry=MappingProxyType({}), activity=0, error=0, rates=None):
        """What was seen of it by name: the values of each address in the cycles in which it counts."""
        ctx, u = self.ctx, self.unit
        ctx.set(u.sweep.payload, COMMAND | command)
        ctx.set(u.map, ENTRY | entry)
        ctx.set(u.activity, [activity] * LARGE.lanes)
        ctx.set(u.error, [error])
        ctx.set(u.rates, rates or [0] * 16)
        ctx.set(u.sweep.valid, 1)
        await ctx.tick()
        ctx.set(u.sweep.valid, 0)
        seen, names, rows, early_word = {}, ("function", "precision", "align", "gain", "group"), [], 0
        for cycle in range(CYCLES):
            busy = ctx.get(u.issue) or ctx.get(u.slot)
            row, bank = ctx.get(u.row), u._bank
            rows.append((ctx.get(u.row_valid), {name: getattr(row, name) for name, _ in u.row.shape()}))
            answered = rows[cycle - ERROR_LATENCY] if cycle >= ERROR_LATENCY else (0, {})
            ctx.set(u.error_valid, answered[0])
            ctx.set(u.error_row, answered[1])
            for on, values in (
                    (busy, {"map_address": u.map_address, "set": u.set}),
                    (ctx.get(u.row_valid), {"sum": u.sums[0]}),
                    (ctx.get(bank.write_mask), {"written": bank.write_address, "weight": bank.write_data[0]})):
                if on:
                    seen |= {name: [*seen.get(name, []), ctx.get(value)] for name, value in values.items()}
            if ctx.get(u.back_valid):
                seen["back_word"] = [*seen.get("back_word", []), early_word]
            early_word = ctx.get(u.early_word)
            if ctx.get(u.row_valid):
                seen |= {name: [*seen.get(name, []), getattr(row, name)] for name in names}
                seen["flags"] = [*seen.get("flags", []), row.flags]
            seen.setdefault("activity_addresses", set()).add(ctx.get(u.activity_address))
            seen.setdefault("weight_addresses", set()).add(ctx.get(bank.read_address[0]))
            await ctx.tick()
        assert ctx.get(u.idle)
        return seen


def test_every_bit_of_a_descriptor_reaches_its_place():
    """Addresses of map and weights, the row group, and all that the neuron unit is told of a row."""
    async def script(bench):
        for base in powers(12):
            assert (await bench.sweep({"map_base": base}))["map_address"] == [base]
        for base in powers(16):
            seen = await bench.sweep({"weight_base": base})
            assert base in seen["weight_addresses"] and seen["written"] == [base]
        for stride in powers(12):
            seen = await bench.sweep({"stride": stride, "groups": 2})
            assert seen["written"] == [0, stride] and seen["group"] == [0, 1]
        for name, width in (("function", 4), ("precision", 4), ("align", 4), ("gain", 2)):
            for value in powers(width):
                assert (await bench.sweep({name: value}))[name] == [value], name
        for base in powers(14):
            assert (await bench.sweep({"group_base": base}))["group"] == [base]
        for flag in Sweep:
            assert (await bench.sweep({"flags": int(flag)}))["flags"] == [int(flag)]

    Bench().run(script)


def test_a_row_is_as_long_and_a_block_as_high_as_it_says():
    """Columns and groups of every power of two, and an odd number of them, slot by slot and in order."""
    async def script(bench):
        ctx, u = bench.ctx, bench.unit
        for columns, groups in [(n, 1) for n in (*powers(10), 3)] + [(1, n) for n in (*powers(10), 3)]:
            ctx.set(u.sweep.payload, COMMAND | {"flags": int(Sweep.FWD), "columns": columns, "groups": groups,
                                                "stride": columns, "map_base": 5, "group_base": 3})
            ctx.set(u.sweep.valid, 1)
            await ctx.tick()
            ctx.set(u.sweep.valid, 0)
            slots, rows = [], []
            for _ in range(columns * groups + CYCLES):
                if ctx.get(u.issue):
                    slots.append(ctx.get(u.map_address))
                if ctx.get(u.row_valid):
                    rows.append(ctx.get(u.row).group)
                await ctx.tick()
            assert ctx.get(u.idle)
            assert slots == list(range(5, 5 + columns)) * groups
            assert rows == list(range(3, 3 + groups))

    Bench().run(script)


def test_every_bit_of_a_map_entry_acts():
    """The source is read and fed back to, the shift scales the sum, the rate register is the one that is named."""
    async def script(bench):
        for source in powers(12):
            seen = await bench.sweep(entry={"source": source})
            assert source in seen["activity_addresses"] and seen["back_word"] == [source]
        await bench.load(1)
        for shift in range(1 << MAP["shift"].width):  # four weights of 1 on four activities of 3
            seen = await bench.sweep({"flags": int(Sweep.FWD)}, {"shift": shift}, activity=3)
            assert seen["sum"] == [12 << shift]
        for rate in range(16):
            rates = [20] * rate + [2] + [20] * (15 - rate)
            before = 1 + 6 * rate
            seen = await bench.sweep(entry={"rate": rate}, activity=6, error=4, rates=rates)
            assert seen["weight"] == [before + 6], rate  # 24 >> 2; by 20 it would stay
        for shift in range(32):
            await bench.load(97)
            seen = await bench.sweep(entry={"plastic": 1}, activity=64, error=1 << 14, rates=[shift] * 16)
            grown = (1 << 20) + (1 << shift >> 1) >> shift
            assert seen["weight"] == [min(97 + grown, 32767)], shift

    Bench().run(script)


def test_every_bit_of_a_row_reaches_tables_and_memories():
    """The function, the word of feedback sums and the row group of the neuron unit."""
    unit = Neuron(LARGE)

    async def check(ctx):
        ctx.set(unit.row_valid, 1)
        flags = int(Sweep.HOIST | Sweep.ERR | Sweep.STEP | Sweep.ACT | Sweep.BACK)
        row = {"flags": flags, "gain": 0, "function": 0, "precision": UNIT_PRECISION, "align": 0, "group": 0,
               "valid_rows": 1, "first": 1}
        for function in powers(4):
            ctx.set(unit.row, row | {"function": function})
            await ctx.tick().repeat(unit.latency)
            assert (ctx.get(unit.derivative_table), ctx.get(unit.function_table)) == (function, function)
        for group in powers(BLOCK["group_base"].width):
            ctx.set(unit.row, row | {"group": group})
            await ctx.tick().repeat(unit.latency)
            for name in ("base", "state", "error", "activity"):
                assert ctx.get(getattr(unit, f"write_{name}").group) == group, name
            assert ctx.get(unit.neuron_word) == group // LARGE.lanes
        for gain in range(GAINS):  # an error of -128 / 4096 moves a state by gamma / 32, 8 bits of gamma one by one
            for bit in powers(8):
                ctx.set(unit.gains, [bit if i == gain else 0 for i in range(GAINS)])
                ctx.set(unit.old_error, [-128])
                ctx.set(unit.state, [1000])
                ctx.set(unit.row, row | {"flags": int(Sweep.STEP), "gain": gain})
                await ctx.tick().repeat(unit.latency)
                assert list(ctx.get(unit.write_state.data)) == [1000 + bit], (gain, bit)

    simulate(unit, check)


@pytest.mark.parametrize("mem", [Mem.FUNCTION, Mem.DERIVATIVE])
def test_every_table_and_every_segment_has_an_entry_of_its_own(mem):
    """16 tables of 256 segments; without it the ninth activation of a network could be the first."""
    f = LARGE.formats
    out = f.activity if mem is Mem.FUNCTION else f.derivative
    unit = Table(f, out, ports(LARGE)[mem], 1)
    places = [(0, 0)] + [(n, 0) for n in powers(4)] + [(0, n) for n in powers(8)] + [(15, 255)]

    async def check(ctx):
        ctx.set(unit.host.select, 1)
        ctx.set(unit.host.write, 1)
        for number, (function, segment) in enumerate(places, 1):
            ctx.set(unit.host.address, function << f.table_bits | segment)
            ctx.set(unit.host.beat, pack(TABLE, "entry", value=number << 16 - out.bits, slope=0))
            await ctx.tick()
        ctx.set(unit.host.select, 0)
        ctx.set(unit.host.write, 0)
        for number, (function, segment) in enumerate(places, 1):
            code = segment << f.table_frac
            ctx.set(unit.function, function)
            ctx.set(unit.state, [code - (1 << 16) if code >> 15 else code])
            await ctx.tick().repeat(unit.latency)
            assert list(ctx.get(unit.out)) == [number], (function, segment)

    simulate(unit, check)


@pytest.mark.parametrize("into", Into)
def test_every_bit_of_a_row_group_reaches_the_memories_of_separate(into):
    """A population far up: without it SEPARATE would read and write the first neurons."""
    config = machine(neuron_words=1 << 12, separation=4)
    unit = Separation(config)

    async def check(ctx):
        for group in powers(14):
            ctx.set(unit.command, {"mode": int(Mode.MAX), "into": int(into), "group": group, "rows": 2})
            ctx.set(unit.start, 1)
            await ctx.tick()
            ctx.set(unit.start, 0)
            read, written = set(), set()
            while ctx.get(unit.busy):
                read.add(ctx.get(unit.group))
                port = unit.write_state if into is Into.STATE else unit.write_error
                if ctx.get(port.mask):
                    written.add(ctx.get(port.group))
                await ctx.tick()
            assert {group, group + 1} <= read and written == {group, group + 1}, group

    simulate(unit, check)


def test_every_bit_of_an_address_is_wired_in_the_whole_machine():
    """Neuron word 2**k feeds its own row 1, whose error feeds back to row 0, for every k: by hand, with weights 1.

    s = a, e = x - a, the feedback sum is e, and f' = 1 makes e of it. A wire less, and two words are one.
    """
    config, one = machine(neuron_words=1 << 12, map_entries=16, blocks=32, functions=1, program_words=80), 1 << 13
    table, lanes, words = ports(config), config.lanes, powers(12)
    entries = [pack(MAP, "map", **(ENTRY | {"source": word, "overwrite": 1})) for word in words]
    rows = [[word * lanes + lane for word in words] for lane in (0, 1)]
    fields = {n: v for n, v in COMMAND.items() if n in BLOCK}
    blocks = [pack(BLOCK, "block", **(fields | {"map_base": k, "group_base": row}))
              for lane in (0, 1) for k, row in enumerate(rows[lane])]
    steps = [(1, Sweep.FWD | Sweep.HOIST), (1, Sweep.ERR | Sweep.BASE), (1, Sweep.TRN), (0, Sweep.DELTA | Sweep.BACK),
             (1, Sweep.ACT)]
    program = [word for lane, flags in steps for word in (
        *(encode(Op.SWEEP, block=lane * len(words) + k, flags=int(flags)) for k in range(len(words))), encode(Op.WAIT))]

    async def scenario(host):
        constant = [pack(TABLE, "entry", value=1 << 14, slope=0)] * table[Mem.FUNCTION].depth  # f' = 1, f = 64
        for mem, at, payload in (
                (Mem.PROGRAM, 0, [*program, encode(Op.HALT)]), (Mem.MAP, 0, entries), (Mem.FUNCTION, 0, constant),
                (Mem.DERIVATIVE, 0, constant), (Mem.BLOCK, 0, [b >> 32 * i & 0xFFFFFFFF for b in blocks
                                                               for i in range(4)]),
                (Mem.WEIGHT, 0, beats([one, 0, 0, 0], table[Mem.WEIGHT])),
                *((Mem.ACTIVITY, word, beats([k + 1, 0, 0, 0], table[Mem.ACTIVITY])) for k, word in enumerate(words)),
                *((Mem.STATE, row, [1000 + k]) for k, row in enumerate(rows[1]))):
            host.send(write_packet(mem, at, list(payload)))
        await host.sent()
        await host.set("control", Control.START)
        assert await host.stopped() is Cause.DONE
        for k, word in enumerate(words):
            error = 1000 + k - 32 * (k + 1)  # an activity has 5 fraction bits less than a state
            for row in (rows[0][k], rows[1][k]):
                assert await host.fetch(Mem.ERROR, row, 1, table[Mem.ERROR]) == [error], word
            assert await host.fetch(Mem.ACTIVITY, word, lanes, table[Mem.ACTIVITY]) == [k + 1, 64, 0, 0]

    drive(config, scenario)
