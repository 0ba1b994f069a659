"""Every bit of every field that the control path decodes: instructions, descriptors, counts, limits.

Random programs use small numbers: the high bits of a field, of a counter or of a limit stay zero in all of them,
and a machine that ignores one of them passes. Here each bit decides something that can be seen. Counters that would
take years to fill are set close to where the bit matters; that they count on from there is one step.
"""

from random import Random

import pytest
from helpers import machine, simulate, widest
from test_sequencer import GOOD, HALT, NEXT, WAIT, Bench, expected, separate, sweep

from hebbar.contract.counters import CAUSES, COUNTERS, ISSUE_SETS, WORK
from hebbar.contract.isa import FIELDS, LOOP_REGISTERS, Into, Mode, Op, Sweep, encode, illegal_sweep
from hebbar.contract.memories import BLOCK, UNIT_PRECISION, pack
from hebbar.contract.registers import Cause
from hebbar.contract.timing import DESCRIPTOR_LATENCY
from hw.counters import LATCHED, Counters
from hw.descriptor import Descriptor
from hw.sequencer import Sequencer

LARGEST = widest(lanes=64, row_tiles=64, weight_words=1 << 20, neuron_words=1 << 12, max_columns=1 << 10,
                  map_entries=1 << 12, blocks=1 << 10, program_words=1 << 12, functions=16, separation=1 << 10,
                  energy=True)
"""Every limit as far up as the configuration allows."""


def powers(width):
    """Every value of ``width`` bits with one bit set."""
    return [1 << bit for bit in range(width)]


def blocks():
    """One descriptor for each block number, no two alike, every field walking through its bits where it may."""
    wide = {"weight_base": 19, "stride": 12, "map_base": 11, "columns": 10, "function": 4, "precision": 4,
            "group_base": 11, "groups": 8, "align": 4, "last_rows": 6}
    table = [GOOD | {"weight_base": i} for i in range(LARGEST.blocks)]
    for at, (name, bit) in enumerate((name, bit) for name, width in wide.items() for bit in range(width)):
        table[at] = table[at] | {"weight_base": 0, "columns": 1, "groups": 1, name: 1 << bit}
    return [pack(BLOCK, "block", **b) for b in table]


def test_every_bit_of_an_instruction_reaches_its_unit():
    """SWEEP, IN, OUT, SEPARATE: block, gain, flags, address, count, memory, destination, and all of the descriptor."""
    bench = Bench(1, LARGEST, blocks())
    block, gain, flags = (FIELDS[Op.SWEEP][n].width for n in ("block", "gain", "flags"))
    last = LARGEST.blocks - 1
    every = [sweep(block=i) for i in (*range(100), last, *powers(block) * 15)]  # so often that each waits for the tile
    every += [sweep(gain=g) for g in range(1 << gain)]
    every += [sweep(flags=f) for f in powers(flags) if not illegal_sweep(Sweep(f))]
    every += [separate(block=b) for b in (last, *powers(block) * 5)]
    every += [separate(mode=mode, into=into) for mode in Mode for into in Into]
    every += [encode(op, **{name: value}) for op in (Op.IN, Op.OUT) for name, field in FIELDS[op].items()
              for value in powers(field.width)]

    async def check(ctx):
        run = await bench.run(ctx, [*every, HALT])
        assert (run.events, run.cause) == (expected([*every, HALT], bench.blocks, config=LARGEST), Cause.DONE)
        assert len(run.events) == len(every) + 1

    bench.simulate(check)


@pytest.mark.parametrize("op", [Op.LOOP, Op.EXIT, Op.BREAK])
def test_every_bit_of_an_address_counts(op):
    """The end of a loop, the entry and the address of the last word: a bit less and another instruction runs."""
    bench, last = Bench(2, LARGEST), LARGEST.program_words - 1

    async def check(ctx):
        for target in [*powers(FIELDS[op]["end"].width)[2:], last]:
            words = [HALT] * LARGEST.program_words
            words[:2] = [encode(Op.LOOP, end=target), HALT] if op is Op.LOOP \
                else [encode(Op.LOOP, end=3, count=1), encode(op, end=target)]
            run = await bench.run(ctx, words, leaves=[True])
            assert (run.cause, run.pc, run.events[-1]) == (Cause.DONE, target, (target, "barrier"))
        for entry in [*powers(12), last]:
            run = await bench.run(ctx, [HALT] * LARGEST.program_words, entry=entry)
            assert (run.cause, run.pc) == (Cause.DONE, entry)
        run = await bench.run(ctx, [WAIT] * LARGEST.program_words, entry=last)
        assert (run.cause, run.pc) == (Cause.ADDRESS, last + 1)

    bench.simulate(check)


@pytest.mark.parametrize("config", [LARGEST, machine()], ids=["4096 words", "64 words"])
def test_an_entry_beyond_the_program_is_refused_in_every_bit(config):
    """ENTRY has 32 bits, a program address 13: without it an entry of 8192 would run from address 0."""
    bench = Bench(2, config)

    async def check(ctx):
        for entry in powers(32):
            if entry >= config.program_words:
                run = await bench.run(ctx, [HALT] * 64, entry=entry)
                assert (run.cause, run.events) == (Cause.ADDRESS, []), entry

    bench.simulate(check)


def test_every_opcode_is_an_instruction_or_a_fault():
    """A Default that swallows one opcode would run data as a program."""
    bench = Bench(3, LARGEST)

    async def check(ctx):
        for number in set(range(16)) - set(Op):
            run = await bench.run(ctx, [WAIT, number << 28 | 0x0FFFFFFF, HALT])
            assert (run.cause, run.pc, len(run.events)) == (Cause.ILLEGAL_OP, 1, 1), number
        for register in range(LOOP_REGISTERS + 1, 1 << FIELDS[Op.LOOP]["register"].width):
            run = await bench.run(ctx, [WAIT, encode(Op.LOOP, end=3, register=register), NEXT, HALT], (1, 1, 1, 1))
            assert (run.cause, run.pc) == (Cause.LOOP, 1), register

    bench.simulate(check)


def counted():
    """(LOOP, registers, count): every bit of an immediate count and of every register."""
    for count in powers(FIELDS[Op.LOOP]["count"].width):
        yield {"count": count}, (0, 0, 0, 0), count
    for register in range(LOOP_REGISTERS):
        for count in powers(32):
            yield {"register": register + 1}, tuple(count if i == register else 1 << 31 for i in range(4)), count


def test_a_loop_runs_as_often_as_it_says_in_every_bit():
    """Counts of samples are large. A loop starts with its whole count, each NEXT takes one away, at 1 it ends."""
    bench = Bench(4, LARGEST)
    u = bench.unit

    async def enter(ctx, fields, loops):
        """Into the body of an endless WAIT, and what is left to do there."""
        bench.words, bench.events = [encode(Op.LOOP, end=3, **fields), WAIT, NEXT, HALT], []
        ctx.set(u.loops, list(loops))
        await bench.pulse(ctx, u.start)
        while ctx.get(u.pc) != 1:
            await ctx.tick()
            assert ctx.get(u.running), (fields, loops)
        return ctx.get(u._loops.loop.left)

    async def check(ctx):
        for fields, loops, count in counted():
            assert await enter(ctx, fields, loops) == count, (fields, loops)
            ctx.set(u._loops.loop.left, 1)
            while ctx.get(u.running):
                await ctx.tick()
            assert ctx.get(u.pc) == 3
        for count in powers(32)[1:]:
            for left, after in ((count, count - 1), (count | 1, count)):
                await enter(ctx, {"register": 1}, (5, 5, 5, 5))
                ctx.set(u._loops.loop.left, left)
                while ctx.get(u._loops.loop.left) == left:
                    await ctx.tick()
                    assert ctx.get(u.running), f"the loop ends with {left - 1} rounds to go"
                assert ctx.get(u._loops.loop.left) == after
                ctx.set(u._loops.loop.left, 1)
                while ctx.get(u.running):
                    await ctx.tick()

    bench.simulate(check)


def test_the_watchdog_counts_to_every_bit_of_its_limit():
    """A limit of minutes has its top bits set: the count is put a few cycles before it, and must neither wrap nor
    come early. Zero never ends anything, however long it took."""
    unit = Sequencer(machine())
    near = 5

    async def check(ctx):
        for limit in [*powers(32)[3:], (1 << 32) - 1, 0]:
            ctx.set(unit.watchdog, limit)
            ctx.set(unit.clear, 1)
            await ctx.tick()
            ctx.set(unit.clear, 0)
            ctx.set(unit.word, WAIT)
            ctx.set(unit.idle, 0)
            ctx.set(unit.start, 1)
            await ctx.tick()
            ctx.set(unit.start, 0)
            await ctx.tick()  # the watchdog counts a cycle in the one behind it
            ctx.set(unit._watchdog._cycles, max(limit - near, 0) + 1 if limit else (1 << 32) - 3)
            waited = 0
            while not ctx.get(unit.fault) and waited < 3 * near:
                await ctx.tick()
                waited += 1
            if limit:
                assert ctx.get(unit.cause) == Cause.WATCHDOG, limit
                assert waited == near + 1, "two cycles to see it after the last of the limit"
            else:
                assert not ctx.get(unit.fault)
            ctx.set(unit.stop, 1)
            ctx.set(unit.idle, 1)
            await ctx.tick()
            ctx.set(unit.stop, 0)
            while ctx.get(unit.running):
                await ctx.tick()

    simulate(unit, check)


def test_every_counter_counts_on_in_every_bit():
    """64 bits of every total and of what a LATCH keeps of it: one less than a power of two, and one more event. Then
    every bit of every addend, and the port that shows them."""
    unit = Counters(dict.fromkeys(WORK, 20))

    async def check(ctx):
        async def latched(add):
            ctx.set(unit.add, dict.fromkeys(WORK, add))
            ctx.set(unit.visits, add == 1)
            for one in range(len(ISSUE_SETS)):
                ctx.set(unit.set, one)
                ctx.set(unit.causes, (add == 1) << one & (1 << len(CAUSES)) - 1)
                await ctx.tick()
                ctx.set(unit.add, dict.fromkeys(WORK, 0))
            ctx.set(unit.visits, 0)
            while ctx.get(unit.counting):
                await ctx.tick()
            ctx.set(unit.latch, 1)
            await ctx.tick()
            ctx.set(unit.latch, 0)
            await ctx.tick().until(~unit.counting & ~unit._settling)
            return {ctx.get(unit._totals.data[LATCHED + i]) for i, name in enumerate(COUNTERS)
                    if name in WORK or add == 1}

        async def start(total):
            while wrong := [i for i in range(len(COUNTERS)) if ctx.get(unit._totals.data[i]) != total]:
                for i in wrong:
                    ctx.set(unit._totals.data[i], total)
                await ctx.tick().repeat(8)  # a total that was being added to is written back as it was

        await ctx.tick().until(~unit.counting)
        for bit in range(64):
            await start((1 << bit) - 1)
            assert await latched(1) == {1 << bit}, bit
            ctx.set(unit.index, bit % len(COUNTERS))
            ctx.set(unit.read, 1)
            value, _ = await ctx.tick().sample(unit.value, unit.ready).until(unit.ready)
            assert value == 1 << bit
            ctx.set(unit.read, 0)
        for bit in range(20):
            await start(5)
            assert await latched(1 << bit) == {5 + (1 << bit)}, bit

    simulate(unit, check)


def legal(b, weights, m):
    """What the table of descriptors says, on Python's integers."""
    end = b["weight_base"] + (b["groups"] - 1) * b["stride"] + b["columns"]
    map_end, group_end = b["map_base"] + b["columns"], b["group_base"] + b["groups"]
    return all((0 < b["columns"] <= m.max_columns, b["groups"] > 0, 0 < b["last_rows"] <= m.row_tiles,
                b["function"] < m.functions, group_end <= m.groups,
                not weights or (end <= m.weight_words and map_end <= m.map_entries)))


def around(limit, bits):
    """The limit, one more, and the limit with a power of two more. An end that passes the limit and whose fault a
    comparison without bit k misses has that bit and is at most 2**k beyond: one of these is such an end."""
    return [limit, limit + 1, *(limit + value for value in powers(bits))]


def near_limits(m, rng):
    """Descriptors of which one end is at a limit or beyond it, by every power of two."""
    def drawn(**given):
        b = {"weight_base": 0, "stride": rng.randrange(3), "map_base": 0, "columns": rng.randrange(m.max_columns) + 1,
             "function": 0, "precision": UNIT_PRECISION, "group_base": 0, "groups": rng.randrange(2) + 1, "align": 0,
             "last_rows": 1} | given
        return b if all(0 <= b[n] < 1 << f.width for n, f in BLOCK.items()) else None

    for _ in range(3):
        for name, limit in (("columns", m.max_columns), ("last_rows", m.row_tiles), ("function", m.functions - 1)):
            for value in [0, *around(limit, BLOCK[name].width)]:
                yield drawn(**{name: value})
        for end in around(m.map_entries, 13):
            columns = rng.randrange(m.max_columns) + 1
            yield drawn(map_base=end - columns, columns=columns)
            yield drawn(map_base=end - m.max_columns, columns=m.max_columns)
        for end in around(m.groups, 15):
            for groups in (1, rng.randrange(1, 1 << 14), (1 << 14) - 1):
                yield drawn(group_base=end - groups, groups=groups, stride=0)
        for end in around(m.weight_words, 27):
            for _ in range(40):
                columns, stride = rng.randrange(m.max_columns) + 1, rng.choice([0, 1, rng.randrange(1 << 12),
                                                                                (1 << 12) - 1])
                most = min((end - columns) // stride if stride else 1 << 14, (1 << 14) - 1)
                groups = rng.choice([1, max(most, 1), max(most, 1), rng.randrange(max(most, 1)) + 1])
                yield drawn(weight_base=end - columns - (groups - 1) * stride, groups=groups, stride=stride,
                            columns=columns)
    yield drawn(groups=0)


MACHINES = {"largest": LARGEST, "small": machine(row_tiles=2),
            "many groups": widest(lanes=64, weight_words=1 << 20, neuron_words=1 << 12, max_columns=1 << 10),
            "few weights": widest(lanes=64, weight_words=1000, neuron_words=1 << 12),
            "odd": widest(lanes=8, row_tiles=4, weight_words=0xAAAAB, neuron_words=0x555, max_columns=0x155,
                           map_entries=0xAAB, functions=11)}


@pytest.mark.parametrize("name", MACHINES)
def test_every_limit_of_a_descriptor_holds_in_every_bit(name):
    """A range check that is blind to one bit lets a program write over what it may not reach."""
    config = MACHINES[name]
    unit = Descriptor(config)
    cases = [b for b in near_limits(config, Random(name)) if b]
    seen = {True: 0, False: 0}

    async def check(ctx):
        for b in cases:
            ctx.set(unit.block, pack(BLOCK, "block", **b))
            await ctx.tick()
            for needs in (0, 1):
                ctx.set(unit.weights, needs)
                await ctx.tick().repeat(DESCRIPTOR_LATENCY - 1)
                right = legal(b, needs, config)
                assert bool(ctx.get(unit.fits)) == right, (b, needs)
                seen[right] += 1

    simulate(unit, check)
    assert min(seen.values()) > 100
