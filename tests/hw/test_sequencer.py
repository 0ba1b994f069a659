"""The sequencer: what it hands out, in which order, and why it stops.

Without it a loop that runs once too often, a sweep that is issued while the machine drains, or a
fault without a cause would only show as a wrong weight far away, or as a machine that never ends.
"""

from dataclasses import dataclass
from random import Random

import pytest
from amaranth.hdl import Module, Signal
from helpers import LEGAL, machine, settle, simulate

from golden.sequencer import Sequencer as GoldenSequencer
from hebbar.contract.errors import BadInput
from hebbar.contract.isa import LOOP_DEPTH, LOOP_REGISTERS, UPDATES, Into, Op, Sweep, encode, illegal_sweep
from hebbar.contract.memories import BLOCK, UNIT_PRECISION, Mem, pack
from hebbar.contract.registers import Cause
from hebbar.contract.timing import DESCRIPTOR_LATENCY, IDLE_LATENCY
from hw.fields import illegal
from hw.sequencer import Sequencer as HwSequencer

CONFIG = machine(row_tiles=2, separation=7, energy=True)
UNITS = (Op.SEPARATE, Op.EXIT)
GOOD = {"weight_base": 5, "stride": 3, "map_base": 2, "columns": 3, "function": 1, "group_base": 4,
        "groups": 2, "last_rows": 2, "precision": UNIT_PRECISION, "align": 0}
HALT, WAIT, NEXT = encode(Op.HALT), encode(Op.WAIT), encode(Op.NEXT)


def sweep(block=0, flags=Sweep.FWD, gain=0):
    return encode(Op.SWEEP, block=block, flags=int(flags), gain=gain)


def separate(block=0, mode=0, into=0):
    return encode(Op.SEPARATE, block=block, mode=mode, into=int(into))


@dataclass
class Run:
    """One run of the unit: what left it, (address, what), then its cause and address."""

    events: list
    cause: Cause
    pc: int


class Bench:
    """hw.sequencer with its memories; a tile, a streamer and optional units that answer whenever they like.

    ``leaves``: what the energy sum answers, EXIT by EXIT; False from its end on.
    """

    def __init__(self, seed, config=CONFIG, blocks=None):
        self.unit, self.rng, self.config = HwSequencer(config), Random(seed), config
        self.words, self.events, self.frozen = [], [], False
        self.blocks = blocks or [pack(BLOCK, "block", **(GOOD | {"weight_base": i}))
                                 for i in range(config.blocks)]
        self.leaves = []

    async def world(self, ctx):
        """Answers of the units around the sequencer; collects what leaves it."""
        u, rng, barrier, busy, moving = self.unit, self.rng, 0, 0, False
        signals = (u.program_address, u.block_address, u.sweep.valid, u.sweep.ready, u.sweep.payload,
                   u.transfer, u.transfer_out, u.transfer_word, u.barrier, u.barrier_pc, u.pc, u.beside,
                   u.transfer_done, u.idle, u.separate, u.population, u.separating, u.exit, u.arm)
        async for _, _, pa, ba, valid, ready, payload, move, out, word, flip, fpc, pc, beside, done, \
                idle, start, rows, separating, leaving, arm in ctx.tick().sample(*signals):
            ctx.set(u.word, self.words[pa] if pa < len(self.words) else 0)
            ctx.set(u.block, self.blocks[ba] if ba < len(self.blocks) else 0)
            if flip != barrier:
                self.events.append((fpc, "barrier"))
                barrier = flip
            if valid and ready:
                self.events.append((pc, self._payload(payload)))
                busy = rng.randrange(6)
            moving = move or (moving and not done)
            if moving and not move:
                assert flip == barrier and not (start or leaving), "not joined"
            if move:
                self.events.append((pc, ("out" if out else "in", word)))
            if start:
                self.events.append((pc, ("separate", rows.mode, rows.into, rows.group, rows.rows)))
            if leaving:
                self.events.append((pc, ("exit", arm)))
                self.leaves = self.leaves[1:]
            assert idle or not (start or leaving or (move and not beside)), "not drained"
            ctx.set(u.leave, bool(self.leaves and self.leaves[0]))
            ctx.set(u.separated, separating and rng.random() < 0.3)
            busy = max(busy - 1, 0)
            ctx.set(u.sweep.ready, not self.frozen and rng.random() < 0.7)
            ctx.set(u.idle, not self.frozen and busy == 0)
            ctx.set(u.transfer_done, not self.frozen and moving and rng.random() < 0.4)
            ctx.set(u.progress, not self.frozen)

    @staticmethod
    def _payload(payload):
        return (payload.flags, payload.gain, *(getattr(payload, name) for name in BLOCK))

    async def run(self, ctx, words, loops=(0, 0, 0, 0), entry=0, watchdog=0, stop=None, limit=20000, leaves=()):
        """Start at ``entry`` and wait for the end; ``stop`` cycles later ask for STOP."""
        u = self.unit
        self.words, self.events, self.leaves = list(words), [], list(leaves)
        ctx.set(u.leave, bool(leaves and leaves[0]))
        ctx.set(u.loops, list(loops))
        ctx.set(u.entry, entry)
        ctx.set(u.watchdog, watchdog)
        await self.pulse(ctx, u.clear)
        await self.pulse(ctx, u.start)
        for cycle in range(limit):
            if not ctx.get(u.running):
                await ctx.tick().repeat(2)
                return Run(self.events, Cause(ctx.get(u.cause)), ctx.get(u.pc))
            ctx.set(u.stop, cycle == stop)
            if stop is not None and cycle > stop + 50:
                self.frozen = False
            await ctx.tick()
        pytest.fail(f"still running after {limit} cycles, at address {ctx.get(u.pc)}")

    async def pulse(self, ctx, signal):
        ctx.set(signal, 1)
        await ctx.tick()
        ctx.set(signal, 0)

    def simulate(self, bench):
        simulate(self.unit, bench, self.world)


def expected(words, blocks, loops=(0, 0, 0, 0), entry=0, leaves=(), config=CONFIG):
    """The golden order of events in the form the bench collects them."""
    events, answers = [], iter(leaves)

    def leave(arm):
        events.append(("exit", int(arm)))
        return next(answers, False)

    for address, i in GoldenSequencer(tuple(words), lambda r: loops[r], UNITS, leave).run(entry):
        if i.op is Op.SWEEP:
            fields = [f.get(blocks[i.fields["block"]]) for f in BLOCK.values()]
            events.append((address, (i.fields["flags"], i.fields["gain"], *fields)))
        elif i.op in (Op.IN, Op.OUT):
            events.append((address, (i.op.name.lower(), words[address])))
        elif i.op is Op.SEPARATE:
            b = {name: f.get(blocks[i.fields["block"]]) for name, f in BLOCK.items()}
            rows = (b["groups"] - 1) * config.row_tiles + b["last_rows"]
            events.append((address, ("separate", i.fields["mode"], i.fields["into"], b["group_base"], rows)))
        else:
            events.append((address, "barrier"))
    return events


def random_program(rng, depth=0):
    """Instructions with nested loops, counts of zero and registers; a LOOP holds its body, an EXIT or BREAK what else
    it says until ``place`` knows the address."""
    body = []
    for _ in range(rng.randrange(6)):
        kind = rng.choice([*["sweep", "move", "wait", "loop", "loop", "loop", "separate", "exit"] * 2, "break"])
        if kind == "sweep":
            body.append(sweep(rng.randrange(CONFIG.blocks), rng.choice(LEGAL), rng.randrange(4)))
        elif kind == "move":
            body.append(encode(rng.choice([Op.IN, Op.OUT]), address=rng.randrange(16),
                               count=rng.randrange(1, 9), memory=rng.randrange(4),
                               last=rng.randrange(2)))
        elif kind == "wait":
            body.append(encode(Op.WAIT, gap=rng.choice([0, 0, 1, rng.randrange(20)]), input=rng.randrange(2)))
        elif kind == "separate":
            body.append(separate(rng.randrange(CONFIG.blocks), rng.randrange(2), rng.choice(list(Into))))
        elif kind == "exit" and depth:
            body.append((Op.EXIT, {"arm": rng.randrange(2)}))
        elif kind == "break" and depth:
            body.append((Op.BREAK, {"always": rng.random() < 0.2, "counts": rng.random() < 0.5}))
        elif depth < LOOP_DEPTH:
            register = rng.choice([0, 0, 1, 2, 3, 4])
            body.append((random_program(rng, depth + 1), rng.choice([0, 1, 2, 3]), register))
    return body


def place(program, words):
    for item in program:
        if isinstance(item, int) or len(item) == 2:
            words.append(item)
            continue
        body, count, register = item
        at = len(words)
        words.append(0)
        place(body, words)
        words.append(NEXT)
        words[at] = encode(Op.LOOP, end=len(words), count=count, register=register)
        words[at:] = [encode(w[0], end=len(words), **w[1]) if isinstance(w, tuple) else w for w in words[at:]]
    return words


@pytest.mark.parametrize("seed", range(2))
def test_random_nested_programs_run_in_golden_order(seed):
    """Loops of zero, one and many rounds, immediate and by register, four deep; any tile speed."""
    bench, rng, depths, taken = Bench(seed), Random(seed), [], []

    async def check(ctx):
        for _ in range(300):
            entry = rng.randrange(3)
            words = [*place(random_program(rng), [HALT] * entry), HALT]
            if len(words) > CONFIG.program_words:
                continue
            loops = [rng.randrange(3) for _ in range(LOOP_REGISTERS)]
            leaves = [rng.random() < 0.2 for _ in range(400)]
            events = expected(words, bench.blocks, loops, entry, leaves)
            if len(events) > 400:
                continue
            run = await bench.run(ctx, words, loops, entry, leaves=leaves)
            found = [e[1] if e[1][0] == "exit" else e for e in run.events]
            assert (found, run.cause, run.pc) == (events, Cause.DONE, len(words) - 1)
            depths.append(len(events))
            taken.extend(leaves[:sum(e[0] == "exit" for e in events)])

    bench.simulate(check)
    assert len(depths) > 80 and max(depths) > 90
    assert sum(taken) > 20 and len(taken) - sum(taken) > 20


class Tile:
    """A tile for a sequencer: busy for so many slots after each sweep; notes how long after it was free the next was
    taken, and the cycles in which sweeps were. A transfer takes ``transfers`` cycles; ``moved``: the one in which it
    began, and the one in which its last beat moved."""

    def __init__(self, unit, words, slots, transfers=0):
        self.unit, self.words, self.slots, self.late = unit, words, slots, []
        self.transfers, self.taken, self.moved = transfers, [], []

    async def world(self, ctx):
        """Memories, tile and streamer of the sequencer, always idle."""
        u, cycle, free = self.unit, 0, 0
        block = pack(BLOCK, "block", **GOOD)
        ctx.set(u.idle, 1)
        ctx.set(u.block, block)
        ctx.set(u.sweep.ready, 1)
        async for _, _, address, valid, ready, move, done in ctx.tick().sample(
                u.program_address, u.sweep.valid, u.sweep.ready, u.transfer, u.transfer_done):
            self.moved += [cycle] * (move or done)
            self.taken += [cycle] * (valid and ready)
            ctx.set(u.transfer_done, len(self.moved) == 1 and cycle + 1 == self.moved[0] + self.transfers)
            ctx.set(u.word, self.words[address] if address < len(self.words) else 0)
            if valid and ready:
                self.late.append(cycle - free)
                free = cycle + self.slots
            cycle += 1
            ctx.set(u.sweep.ready, cycle >= free)

    async def run(self, ctx):
        self.late.clear()
        ctx.set(self.unit.start, 1)
        await ctx.tick()
        ctx.set(self.unit.start, 0)
        while ctx.get(self.unit.running):
            await ctx.tick()


@pytest.mark.parametrize("gap", [1, 2, 7, 30, 255])
@pytest.mark.parametrize("slots", [1, 5, 6, 9, 300])
def test_a_gap_is_counted_while_the_tile_could_take_a_sweep(gap, slots):
    """To the cycle, with the descriptor read meanwhile, and for the next sweep alone; of two gaps the last counts."""
    for waits in ([gap], [255, gap]):
        tile = Tile(HwSequencer(CONFIG), [sweep(), *(encode(Op.WAIT, gap=g) for g in waits), sweep(), sweep(), HALT],
                    slots)
        simulate(tile.unit, tile.run, tile.world)
        decoded = DESCRIPTOR_LATENCY + 2
        free = max(slots, len(waits) + 1)  # and the last WAIT decoded
        assert tile.late[1:] == [max(free + gap, len(waits) + decoded) - slots, max(decoded - slots, 0)]


@pytest.mark.parametrize("memory, gap, beside", [
    (Mem.ACTIVITY, 1, True), (Mem.STATE, 9, True), (Mem.CLAMP, 1, True), (Mem.ERROR, 1, False),
    (Mem.ACTIVITY, 0, False)])
@pytest.mark.parametrize("op", [Op.IN, Op.OUT])
def test_an_in_behind_a_gap_goes_on_beside_what_passes_it(op, memory, gap, beside):
    """Sweeps, loops and gaps pass; a WAIT for the input waits for the last beat, whatever its gap. OUT, an IN without a
    gap and one of errors, in whose memory host and unit take no turns, are waited for as ever."""
    for waits in (0, 1):
        words = [sweep(), encode(Op.WAIT, gap=gap), encode(op, count=4, memory=memory, last=1),
                 encode(Op.LOOP, count=2, end=6), sweep(1, Sweep.ACT | Sweep.STEP), NEXT,
                 encode(Op.WAIT, gap=3, input=waits), sweep(2), HALT]
        tile = Tile(HwSequencer(CONFIG), words, 1, transfers=200)
        simulate(tile.unit, tile.run, tile.world)
        began, ended = tile.moved
        assert ended - began == 200
        before = [at for at in tile.taken if at <= ended]
        assert len(before) == (4 - waits if beside and op is Op.IN else 1) and len(tile.taken) == 4


def test_a_gap_ends_with_its_program():
    """Without it a STOP in front of a sweep would hold back the first one of the next program."""
    tile = Tile(HwSequencer(CONFIG), [encode(Op.WAIT, gap=255), HALT], 1)

    async def check(ctx):
        await tile.run(ctx)
        tile.words = [sweep(), sweep(), HALT]
        began = len(tile.late)
        await tile.run(ctx)
        assert began == 0 and tile.late[1] == DESCRIPTOR_LATENCY + 1 and tile.late[0] < 40

    simulate(tile.unit, check, tile.world)


def test_a_count_register_holds_32_bits():
    """A loop register cut to the width of the immediate count would drop samples beyond 4095."""
    bench = Bench(1)

    async def check(ctx):
        words = [encode(Op.LOOP, end=3, register=2), WAIT, NEXT, HALT]
        run = await bench.run(ctx, words, (9, 5000, 9, 9), limit=60000)
        assert run.cause is Cause.DONE
        assert len(run.events) == 5001

    bench.simulate(check)


def nested(depth):
    return [*place([_nest(depth)], []), HALT]


def _nest(depth):
    return ([_nest(depth - 1)] if depth > 1 else [WAIT], 1, 0)


BAD_FLAGS = [f for f in map(Sweep, range(1 << len(Sweep))) if illegal_sweep(f, True)] + [Sweep.INTEGRATE | Sweep.ERR]
FAULTS = {
    "no such opcode": ([WAIT, 10 << 28, HALT], Cause.ILLEGAL_OP, 1),
    "last opcode": ([15 << 28], Cause.ILLEGAL_OP, 0),
    "INIT without ERR": ([sweep(flags=Sweep.INIT)], Cause.ILLEGAL_SWEEP, 0),
    "DELTA with UPD": ([WAIT, WAIT, sweep(flags=Sweep.DELTA | Sweep.UPD)], Cause.ILLEGAL_SWEEP, 2),
    "no memory of integrals": ([sweep(flags=Sweep.INTEGRATE)], Cause.ILLEGAL_SWEEP, 0),
    "no such destination": ([WAIT, separate(into=len(Into))], Cause.ILLEGAL_SWEEP, 1),
    "no block to separate": ([separate(block=CONFIG.blocks)], Cause.ILLEGAL_BLOCK, 0),
    "NEXT alone": ([WAIT, NEXT, HALT], Cause.LOOP, 1),
    "BREAK alone": ([WAIT, encode(Op.BREAK, end=2), HALT], Cause.LOOP, 1),
    "BREAK in the last round": ([encode(Op.LOOP, end=5, count=3), encode(Op.BREAK, end=4), NEXT, NEXT, HALT],
                                Cause.DONE, 4),
    "BREAK in any round": ([encode(Op.LOOP, end=5, count=3), encode(Op.BREAK, end=4, always=1), NEXT, NEXT, HALT],
                           Cause.DONE, 4),
    "NEXT after its loop": ([encode(Op.LOOP, end=2, count=2), NEXT, NEXT, HALT], Cause.LOOP, 2),
    "five loops": (nested(LOOP_DEPTH + 1), Cause.LOOP, LOOP_DEPTH),
    "four loops": (nested(LOOP_DEPTH), Cause.DONE, 2 * LOOP_DEPTH + 1),
    "no such register": ([encode(Op.LOOP, end=2, register=LOOP_REGISTERS + 1), NEXT, HALT],
                         Cause.LOOP, 0),
    "no such block": ([sweep(block=CONFIG.blocks)], Cause.ILLEGAL_BLOCK, 0),
    "off the end": ([WAIT] * CONFIG.program_words, Cause.ADDRESS, CONFIG.program_words),
    "entry outside": ([HALT], Cause.ADDRESS, CONFIG.program_words + 5),
    "loop to nowhere": ([encode(Op.LOOP, end=4000, count=0)], Cause.ADDRESS, 4000),
}


@pytest.mark.parametrize("seed", [0])
def test_every_fault_has_its_cause_and_address(seed):
    """One machine through all of them: a fault must not leak into the next run, and blocks START
    until CLEAR."""
    bench = Bench(seed)
    u = bench.unit

    async def check(ctx):
        for name, (words, cause, pc) in FAULTS.items():
            run = await bench.run(ctx, words, entry=pc if name == "entry outside" else 0)
            assert (run.cause, run.pc) == (cause, pc), name
            assert ctx.get(u.fault) == (cause is not Cause.DONE), name
            await bench.pulse(ctx, u.start)
            await ctx.tick()
            if cause is not Cause.DONE:
                assert not ctx.get(u.running), f"{name}: started without CLEAR"
                assert ctx.get(u.cause) == cause, name
            else:
                while ctx.get(u.running):
                    await ctx.tick()

    bench.simulate(check)


@pytest.mark.parametrize("updates", UPDATES)
def test_every_illegal_flag_set_is_read_as_such(updates):
    """The RTL reads the rule of legality a second time; all sets that fit the field, both ways."""
    m, flags = Module(), Signal(16)
    answers = {False: Signal(name="without"), True: Signal(name="with")}
    m.d.comb += [answer.eq(illegal(flags, machine(integral=has, updates=updates))) for has, answer in answers.items()]

    async def check(ctx):
        for value in range(1 << 16):
            ctx.set(flags, value)
            for has, answer in answers.items():
                assert ctx.get(answer) == bool(illegal_sweep(Sweep(value), has, updates)), value

    settle(m, check)


def test_illegal_flag_sets_are_refused_and_nothing_issued():
    """Without it an illegal sweep could reach the tile before the machine halts."""
    bench, rng = Bench(2), Random(2)

    async def check(ctx):
        for flags in rng.sample(BAD_FLAGS, 100) + BAD_FLAGS[-3:]:
            run = await bench.run(ctx, [sweep(flags=flags), HALT])
            assert (run.events, run.cause, run.pc) == ([], Cause.ILLEGAL_SWEEP, 0), flags
        for _ in range(10):
            words = [sweep(flags=f) for f in rng.sample(LEGAL, 50)] + [HALT]
            run = await bench.run(ctx, words)
            assert run.cause is Cause.DONE and len(run.events) == len(words)

    bench.simulate(check)


@pytest.mark.parametrize("word", [separate(), encode(Op.EXIT, arm=1)])
def test_an_instruction_without_its_unit_is_an_unknown_opcode(word):
    """Without it a machine built without the unit would wait for it for ever."""
    bench = Bench(8, machine(row_tiles=2))

    async def check(ctx):
        run = await bench.run(ctx, [WAIT, word, HALT])
        assert (run.cause, run.pc) == (Cause.ILLEGAL_OP, 1)

    bench.simulate(check)


@pytest.mark.parametrize("depth", [0, 1])
@pytest.mark.parametrize("arm", [0, 1])
def test_only_an_exit_that_leaves_needs_a_loop(arm, depth):
    """Without it the stack of loops could go round to its far end."""
    bench, exits = Bench(9), encode(Op.EXIT, arm=arm, end=4)

    async def check(ctx):
        words = [encode(Op.LOOP, end=4, count=2), exits, WAIT, NEXT, WAIT, exits, HALT][0 if depth else 4:]
        staying = await bench.run(ctx, words)
        assert staying.cause is Cause.DONE and len(staying.events) == (7 if depth else 3)
        run = await bench.run(ctx, words, leaves=[True, not depth])
        cause = Cause.DONE if depth else Cause.LOOP
        assert (run.cause, run.pc) == (cause, 6 if depth else 1)
        assert [e[0] for e in run.events] == ([1, 4, 5, 6] if depth else [0, 1])

    bench.simulate(check)


@pytest.mark.parametrize("key, value, good", [
    ("groups", 4, True), ("last_rows", 1, True), ("groups", 0, False), ("last_rows", 0, False), ("last_rows", 3, False),
    ("group_base", CONFIG.groups - 2, True), ("group_base", CONFIG.groups - 1, False), ("columns", 0, False),
    ("function", CONFIG.functions, False), ("weight_base", CONFIG.weight_words, True),
    ("map_base", CONFIG.map_entries, True), ("groups", 5, False), ("groups", (1 << 14) - 1, False)])
@pytest.mark.parametrize("before", [[], [sweep()]])
def test_a_population_that_does_not_fit_is_refused(key, value, good, before):
    """Weights and map of the block do not matter, not even after a sweep that used them; the unit has 7
    words, which 4 groups of 2 with a tail of 1 fill."""
    change = {"groups": 4, "last_rows": 1} if (key, value) == ("groups", 4) else {key: value}
    bench = Bench(3, blocks=[pack(BLOCK, "block", **GOOD), pack(BLOCK, "block", **(GOOD | change))])

    async def check(ctx):
        run = await bench.run(ctx, [*before, separate(block=1), HALT])
        assert run.cause is (Cause.DONE if good else Cause.ILLEGAL_BLOCK)
        assert len(run.events) == len(before) + (2 if good else 0)

    bench.simulate(check)


def test_a_population_one_row_too_large_is_refused():
    """Without it the last power would be lost."""
    bench = Bench(3, blocks=[pack(BLOCK, "block", **(GOOD | {"groups": 4}))])

    async def check(ctx):
        run = await bench.run(ctx, [separate(), HALT])
        assert (run.cause, run.events) == (Cause.ILLEGAL_BLOCK, [])

    bench.simulate(check)


@pytest.mark.parametrize("key, value, good", [
    ("columns", 0, False), ("columns", CONFIG.max_columns, True),
    ("columns", CONFIG.max_columns + 1, False), ("groups", 0, False), ("last_rows", 0, False),
    ("last_rows", CONFIG.row_tiles + 1, False), ("last_rows", CONFIG.row_tiles, True),
    ("group_base", CONFIG.groups - 2, True), ("group_base", CONFIG.groups - 1, False),
    ("groups", (1 << 14) - 1, False),
    ("weight_base", CONFIG.weight_words - 6, True), ("weight_base", CONFIG.weight_words - 5, False),
    ("stride", CONFIG.weight_words - 8, True), ("stride", CONFIG.weight_words - 7, False),
    ("map_base", CONFIG.map_entries - 3, True), ("map_base", CONFIG.map_entries - 2, False),
    ("function", CONFIG.functions - 1, True), ("function", CONFIG.functions, False)])
def test_descriptors_that_do_not_fit_are_refused(key, value, good):
    """A row longer than the FIFO holds would lose words; rows outside would wrap onto others."""
    bench = Bench(3, blocks=[pack(BLOCK, "block", **(GOOD | {key: value}))])

    async def check(ctx):
        run = await bench.run(ctx, [sweep(), HALT])
        assert run.cause is (Cause.DONE if good else Cause.ILLEGAL_BLOCK)
        assert len(run.events) == (2 if good else 0)

    bench.simulate(check)


@pytest.mark.parametrize("words", [[WAIT, HALT], [sweep(), HALT], [encode(Op.IN, count=1), HALT],
                                   [encode(Op.OUT, count=1), HALT], [separate(), HALT],
                                   [encode(Op.EXIT), HALT]])
def test_the_watchdog_ends_what_never_ends(words):
    """A tile or a host that never answers; the machine must halt and say so, not before its time."""
    bench, watchdog = Bench(4), 37

    async def check(ctx):
        bench.frozen = True
        ctx.set(bench.unit.sweep.ready, 0)
        ctx.set(bench.unit.idle, 0)
        await ctx.tick()
        cycles = 0
        bench.words = list(words)
        ctx.set(bench.unit.watchdog, watchdog)
        await bench.pulse(ctx, bench.unit.start)
        while not ctx.get(bench.unit.fault):
            await ctx.tick()
            cycles += 1
            assert cycles < 3 * watchdog
        assert cycles >= watchdog
        bench.frozen = False
        while ctx.get(bench.unit.running):
            await ctx.tick()
        assert ctx.get(bench.unit.cause) == Cause.WATCHDOG
        run = await bench.run(ctx, [WAIT] * 60 + [HALT], watchdog=watchdog)
        assert run.cause is Cause.DONE, "progress must feed the watchdog"

    bench.simulate(check)


@pytest.mark.parametrize("words", [[HALT], [sweep(), HALT], [separate(), HALT]])
def test_what_was_just_begun_is_never_taken_for_idle(words):
    """Whenever the watchdog ends a program: a machine that halts with something in flight would let the host in."""
    bench = Bench(7)
    u, ends = bench.unit, set()

    async def world(ctx):
        """Idle a while after what was begun last."""
        busy = 0
        async for _, _, at, offered, separate, start, separating in ctx.tick().sample(
                u.program_address, u.sweep.valid, u.separate, u.start, u.separating):
            busy = 9 if offered or separate else 3 if start else max(busy - 1, 0)  # idle again when the sweep comes
            ctx.set(u.word, words[at] if at < len(words) else 0)
            ctx.set(u.idle, busy == 0)
            ctx.set(u.separated, separating and busy == 1)

    async def check(ctx):
        ctx.set(u.sweep.ready, 1)
        ctx.set(u.block, bench.blocks[0])
        for watchdog in range(1, 40):
            ctx.set(u.watchdog, watchdog)
            await ctx.tick().repeat(12)
            assert ctx.get(u._was_idle)
            await bench.pulse(ctx, u.start)
            while ctx.get(u.running):
                assert ctx.get(u.idle) or not ctx.get(u._was_idle), watchdog
                await ctx.tick()
            assert ctx.get(u.idle), watchdog
            ends.add(ctx.get(u.cause))
            await bench.pulse(ctx, u.clear)

    simulate(u, check, world)
    assert ends == {Cause.WATCHDOG, Cause.DONE}


def test_idle_is_known_a_cycle_late_and_only_where_it_is_waited_for():
    """Cycles of the model: a WAIT takes one in a machine that is idle, else it is left IDLE_LATENCY behind idle."""
    for busy, gone in ((0, 0), (3, 3 + IDLE_LATENCY), (8, 8 + IDLE_LATENCY)):
        bench, left = Bench(8), []

        async def check(ctx, bench=bench, left=left, busy=busy):
            u = bench.unit
            ctx.set(u.idle, 1)
            ctx.set(u.hold, 1)  # keeps the WAIT from being decoded, as the clearing of sums does
            ctx.set(u.word, WAIT)
            await ctx.tick()
            await bench.pulse(ctx, u.start)
            await ctx.tick().repeat(5)
            ctx.set(u.idle, busy == 0)
            await ctx.tick().repeat(2)
            ctx.set(u.hold, 0)
            pc = ctx.get(u.pc)
            for cycle in range(20):
                ctx.set(u.idle, cycle >= busy)
                await ctx.tick()
                if ctx.get(u.pc) != pc:
                    left.append(cycle)
                    break

        simulate(bench.unit, check)
        assert left == [gone]


@pytest.mark.parametrize("body", [[sweep()], [WAIT], [encode(Op.IN, count=2)], []])
def test_stop_ends_an_endless_loop_between_instructions(body):
    """STOP drains, keeps what was issued and is no fault; START works again after CLEAR, and not before it."""
    bench = Bench(5)

    async def check(ctx):
        words = [encode(Op.LOOP, end=len(body) + 2, register=1), *body, NEXT, HALT]
        run = await bench.run(ctx, words, (1 << 31, 0, 0, 0), stop=60, limit=400)
        assert run.cause is Cause.STOPPED
        assert not ctx.get(bench.unit.fault)
        whole = [e for e in expected([*body, HALT], bench.blocks) if e[1] != "barrier" or body == [WAIT]]
        assert all(what == whole[0][1] for _, what in run.events)
        for aborted in (True, False):
            assert ctx.get(bench.unit.aborted) == aborted
            await bench.pulse(ctx, bench.unit.start)
            await ctx.tick()
            assert ctx.get(bench.unit.running) == (not aborted)
            await bench.pulse(ctx, bench.unit.clear)

    bench.simulate(check)


def test_stop_reaches_a_transfer_that_waits_for_the_host():
    """Otherwise a host that gave up could only reset the machine."""
    bench = Bench(6)

    async def check(ctx):
        u = bench.unit
        bench.words = [encode(Op.IN, count=2), HALT]
        ctx.set(u.idle, 1)
        await bench.pulse(ctx, u.start)
        while not ctx.get(u.streaming):
            await ctx.tick()
        bench.frozen = True
        await ctx.tick()
        await bench.pulse(ctx, u.stop)
        for _ in range(5):
            await ctx.tick()
        assert ctx.get(u.draining) and ctx.get(u.cause) == Cause.STOPPED
        bench.frozen = False
        while ctx.get(u.running):
            await ctx.tick()

    bench.simulate(check)


@pytest.mark.parametrize("fault", [Cause.STREAM, Cause.RANGE])
def test_a_fault_of_the_streamer_is_kept_running_or_halted(fault):
    """A broken packet while halted must block START as well; while a loop goes round, pc tells where, in whatever cycle
    of it the fault comes."""
    bench = Bench(7)

    async def check(ctx):
        u = bench.unit
        ctx.set(u.transfer_fault, int(fault))
        await ctx.tick()
        ctx.set(u.transfer_fault, 0)
        assert ctx.get(u.cause) == fault and ctx.get(u.fault)
        await bench.pulse(ctx, u.clear)
        assert ctx.get(u.cause) == Cause.NONE
        bench.words = [encode(Op.LOOP, end=3, count=4000), WAIT, NEXT, HALT]
        for cycles in range(1, 21):
            await bench.pulse(ctx, u.start)
            await ctx.tick().repeat(cycles)
            ctx.set(u.transfer_fault, int(fault))
            pc = ctx.get(u.pc)
            await ctx.tick()
            ctx.set(u.transfer_fault, 0)
            await ctx.tick().repeat(20)
            assert not ctx.get(u.running) and ctx.get(u.cause) == fault
            assert ctx.get(u.pc) == pc, f"the program went on in the cycle of its fault, {cycles} after its start"
            await bench.pulse(ctx, u.clear)

    bench.simulate(check)


@pytest.mark.parametrize("words, message", [
    ([NEXT], "address 0: NEXT without a LOOP"), (nested(LOOP_DEPTH + 1), "nested deeper than 4"),
    ([WAIT], "runs on to address 1; end it with HALT"), ([10 << 28], "opcode 10"),
    ([encode(Op.BREAK)], "address 0: BREAK leaves no LOOP"),
    ([sweep(flags=1 << 15)], "INTEGRATE needs the memory of integrals"),
    ([separate()], "SEPARATE needs .*set machine.separation to"),
    ([encode(Op.EXIT)], "EXIT needs .*set machine.energy to true")])
def test_golden_refuses_what_the_machine_halts_on(words, message):
    """The golden machine must not quietly run a program that the RTL refuses."""
    with pytest.raises(BadInput, match=message):
        list(GoldenSequencer(tuple(words), lambda i: 1).run(0))


@pytest.mark.parametrize("words, message", [
    ([separate(into=3)], "address 0: SEPARATE .* is illegal, there is no destination 3"),
    ([WAIT, encode(Op.EXIT, end=3)], "address 1: EXIT leaves no LOOP")])
def test_golden_refuses_what_the_units_cannot_do(words, message):
    """Without it the golden machine would go on where the RTL halts."""
    with pytest.raises(BadInput, match=message):
        list(GoldenSequencer(tuple(words), lambda i: 1, UNITS, lambda arm: True).run(0))
