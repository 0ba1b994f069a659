"""Random sweeps on the whole machine: every memory at every barrier, every counter at the end.

Blocks, maps and flags are drawn without the compiler's help, so they reach what it never emits: every
legal set of the first flags, unaligned row groups, spaced rows, partial lanes, identity columns among
the others and fed words in common with them, extremes everywhere, sweeps of different shape on each
other's heels. A pipeline register too few, a FIFO a word too short or a mask
on the wrong stage would otherwise wait for the one network that meets it.
"""

from dataclasses import dataclass, field, replace
from random import Random

import numpy as np
import pytest
from amaranth.sim import Simulator
from helpers import LEGAL, clip, half_up, layered

from golden.machine import Machine as GoldenMachine
from golden.sequencer import Sequencer
from hebbar.compiler.cycles import Cycles
from hebbar.compiler.program import compile_config
from hebbar.contract.counters import CYCLES, HOST
from hebbar.contract.geometry import ports
from hebbar.contract.isa import Op, Sweep, encode
from hebbar.contract.memories import BLOCK, MAP, UNIT_PRECISION, Mem, pack, unpack
from hebbar.contract.registers import Cause, Control
from hw.machine import Machine as HwMachine
from sim.backends.pysim import PysimHost
from sim.host import counters as read_counters
from sim.packets import beats, write_packet

ROWS, COLUMNS = (1, 2, 5, 7, 16), (1, 2, 3, 11)
GEOMETRIES = {(4, 1): 13, (4, 2): 9, (4, 4): 5, (8, 1): 5, (8, 2): 3, (8, 4): 3}
"""Lanes and tiles, and the share of the flag sets that runs there: simulation slows down by width."""

TURNS = [g for g, share in GEOMETRIES.items() for _ in range(share)]
MOST = 100_000
"""More cycles than any program here takes."""
NEURONS = ("state", "error", "activity", "base", "back")


def experiment(lanes, tiles, network=None, **changes):
    return compile_config(layered([4, 4, 4], network=network, **({
        "lanes": lanes, "row_tiles": tiles, "weight_words": 192 // tiles + 16,
        "neuron_words": 96 // lanes,
        "max_columns": max(COLUMNS), "map_entries": 256, "blocks": 48, "program_words": 1024,
        "functions": 2, "row_sum_bits": 44, "feedback_sum_bits": 48} | changes)))


@dataclass
class Draw:
    """Draws blocks and sweeps; remembers what each reads and writes, neuron by neuron."""

    machine: object
    rng: Random
    blocks: list = field(default_factory=list)
    maps: list = field(default_factory=list)

    def block(self, rows, columns, base=None, sources=None):
        """A block of ``rows`` with ``columns`` source words, by chance some of them identity columns,
        which at the end of a row need no room in the weight memory; its number."""
        m, rng = self.machine, self.rng
        groups = -(-rows // m.row_tiles)
        group_base = rng.randrange(m.groups - groups + 1)
        entries = [self.column(s, group_base, groups, plain=sources is not None)
                   for s in sources or rng.choices(range(m.neuron_words), k=columns)]
        stored = max((k + 1 for k, e in enumerate(entries) if e["lanes"]), default=0)
        stride = rng.choice([columns, columns, columns + 1, stored])
        words = (groups - 1) * stride + columns
        self.blocks.append(pack(
            BLOCK, "block", weight_base=rng.randrange(m.weight_words - words + 1) if base is None else base,
            stride=stride, map_base=len(self.maps), columns=columns, function=rng.randrange(2),
            precision=rng.choice([UNIT_PRECISION, rng.randrange(16)]), align=rng.choice([0, 3, 5, 15]),
            group_base=group_base, groups=groups, last_rows=rows - (groups - 1) * m.row_tiles))
        self.maps += [pack(MAP, "map", **e) for e in entries]
        return len(self.blocks) - 1

    def change(self, number, **fields):
        """Put other values into fields of a block."""
        self.blocks[number] = pack(BLOCK, "block", **unpack(BLOCK, self.blocks[number]) | fields)

    def column(self, source, group_base, groups, plain):
        """A map entry; a quarter of those not ``plain`` are identity columns, at ``source`` or before."""
        m, rng = self.machine, self.rng
        lanes = rng.choice([m.lanes, rng.randrange(1, m.lanes + 1)])
        if not plain and rng.random() < 0.25:
            first, last = (g * m.row_tiles // m.lanes for g in (group_base, group_base + groups - 1))
            source, lanes = (min(source, m.neuron_words - 1 - last + first) - first) % 4096, 0
        return {"source": source, "lanes": lanes, "shift": rng.choice([0, 0, 2, 7]), "rate": rng.randrange(16),
                "feedback": rng.random() < 0.8, "overwrite": rng.random() < 0.3, "plastic": rng.random() < 0.8,
                "diagonal": rng.randrange(2), "positive": rng.random() < 0.3}

    def words(self, column, rows):
        """The neuron words that a column joins to rows."""
        if column["lanes"]:
            return {column["source"]}
        return {(r // self.machine.lanes + column["source"]) % 4096 for r in rows}

    def accesses(self, number, flags):
        """(reads, writes) of a sweep as sets of (memory, address)."""
        m, b = self.machine, unpack(BLOCK, self.blocks[number])
        rows = range(b["group_base"] * m.row_tiles, (b["group_base"] + b["groups"]) * m.row_tiles)
        columns = [unpack(MAP, e) for e in self.maps[b["map_base"]:b["map_base"] + b["columns"]]]
        own = {n: {(n, r) for r in rows} for n in ("x", "e", "a", "base", "back")}
        sources = [{(n, word * m.lanes + i) for c in columns if n == "a" or c["feedback"]
                    for word in self.words(c, rows) for i in range(m.lanes)} for n in ("a", "back")]
        weights = {("w", b["weight_base"] + g * b["stride"] + k)
                   for g in range(b["groups"]) for k in range(b["columns"])}
        reads, writes = set(), set()
        for asked, things in (
                (Sweep.FWD | Sweep.UPD, sources[0]), (Sweep.FWD | Sweep.TRN | Sweep.UPD, weights),
                (Sweep.BASE, own["base"]), (Sweep.BACK, own["back"]),
                (Sweep.ERR | Sweep.STEP | Sweep.DELTA | Sweep.ACT | Sweep.FIRE, own["x"]), (Sweep.POST, own["a"]),
                (Sweep.TRN | Sweep.UPD | Sweep.STEP, set() if flags & Sweep.ERR else own["e"])):
            reads |= things if flags & asked else set()
        for asked, things in (
                (Sweep.HOIST, own["base"]), (Sweep.ERR | Sweep.DELTA, own["e"]),
                (Sweep.INIT | Sweep.STEP | Sweep.FIRE, own["x"]), (Sweep.ACT, own["a"]), (Sweep.UPD, weights),
                (Sweep.TRN, sources[1])):
            writes |= things if flags & asked else set()
        return reads, writes

    def defined(self, number, flags):
        """False when a row would see what another row of the same sweep writes."""
        reads, writes = self.accesses(number, flags & ~Sweep.POST)  # of its own row only
        return not {t for t in reads & writes if t[0] in ("a", "back")}

    def program(self, sweeps):
        """Instruction words for (block, flags, gain), a WAIT wherever one needs it."""
        words, reads, writes = [], set(), set()
        for number, flags, gain in sweeps:
            r, w = self.accesses(number, flags)
            stored = {t for t in w if t[0] != "back"}
            if r & writes or w & reads or stored & writes:
                words.append(encode(Op.WAIT))
                reads, writes = set(), set()
            words.append(encode(Op.SWEEP, block=number, flags=int(flags), gain=gain))
            reads, writes = reads | r, writes | w
        return [*words, encode(Op.HALT)]


def contents(machine, rng):
    """Random memories, a good part of them at the ends of their formats."""
    f, neurons = machine.formats, machine.neuron_words * machine.lanes

    def codes(shape, lo, hi, extreme=0.15):
        values = rng.integers(lo, hi + 1, shape)
        values = np.where(rng.random(shape) < 0.4, values // 64, values)
        return np.where(rng.random(shape) < extreme, rng.choice([lo, hi], shape), values)

    return {
        "state": codes(neurons, f.state.lo, f.state.hi),
        "error": codes(neurons, f.error.lo, f.error.hi),
        "activity": codes(neurons, f.activity.lo, f.activity.hi),
        "clamp": rng.integers(0, 2, neurons), "base": codes(neurons, -(1 << 35), 1 << 35),
        "back": codes(neurons, -(1 << 35), 1 << 35),
        "weights": codes((machine.weight_words, machine.row_tiles, machine.lanes),
                         f.weight.lo, f.weight.hi)}


def golden_run(program, memories):
    """Memories at every barrier and all deterministic counters."""
    machine, barriers = GoldenMachine(program), []
    for name in ("state", "error", "activity", "clamp", "base", "back"):
        getattr(machine, name)[...] = memories[name]
    machine.tile.weights[...] = memories["weights"]
    for address, instruction in Sequencer(program.words, lambda i: 0).run(0):
        f = instruction.fields
        if instruction.op is Op.SWEEP:
            machine.sweep(f["block"], Sweep(f["flags"]), f["gain"])
        else:
            barriers.append((address, {n: getattr(machine, n).tolist() for n in NEURONS},
                           machine.tile.weights.copy()))
    return barriers, machine.counters.read() | Cycles(program).run("train", 1)


def hw_run(program, memories, power_up=False, meets=lambda number, found: None):
    """The same on Amaranth's simulator, and the number of running cycles.

    Base and feedback sums are there before START with ``power_up``, else since START cleared them. ``meets`` is given
    each barrier as it is met.
    """
    config, table = program.machine, ports(program.machine)
    machine = HwMachine(config)
    simulator = Simulator(machine)
    simulator.add_clock(1e-8)
    host = PysimHost(simulator, machine, 0.0, 0)
    barriers, counters = [], {}
    images = {
        Mem.PROGRAM: program.words, Mem.MAP: program.maps, Mem.FUNCTION: program.functions,
        Mem.DERIVATIVE: program.derivatives,
        Mem.BLOCK: [b >> 32 * i & 0xFFFFFFFF for b in program.blocks for i in range(4)],
        Mem.WEIGHT: beats(memories["weights"], table[Mem.WEIGHT]),
        **{mem: beats(memories[mem.name.lower()], table[mem])
           for mem in (Mem.STATE, Mem.ERROR, Mem.ACTIVITY, Mem.CLAMP)}}

    def units():
        return {n: machine.banks[Mem[n.upper()]].memory for n in NEURONS[:3]} | {
            "base": machine.base.memory, "back": machine.feedback_sums.memory}

    def sums(ctx):
        for name in ("base", "back"):
            memory = units()[name]
            for i, word in enumerate(memories[name].reshape(memory.depth, -1).tolist()):
                ctx.set(memory.data[i], word)
                if name == "back":
                    ctx.set(machine.feedback_sums.shown.data[i], word)

    def image(ctx):
        return np.array(machine.tile.image(ctx)).reshape(memories["weights"].shape)

    async def bench(ctx):
        host.ctx = ctx
        for mem, payload in images.items():
            host.send(write_packet(mem, 0, list(payload)))
        if power_up:
            sums(ctx)
        await host.sent()
        for i, rate in enumerate(program.rates):
            await host.set(f"rate{i}", rate)
        for i, gain in enumerate(program.gains):
            await host.set(f"gain{i}", gain)
        await host.set("control", Control.START)
        while ctx.get(machine.sequencer.hold):
            await ctx.tick()
        await ctx.tick()  # the last feedback sum is cleared a cycle later
        if not power_up:
            sums(ctx)
        await host.halted()
        await ctx.tick()
        assert Cause(await host.get("cause")) is Cause.DONE
        barriers[-1] = (*barriers[-1][:2], image(ctx))
        counters.update(await read_counters(host))

    async def watch(ctx):
        last, learnt = 0, False
        async for _, _, barrier, running, writes in ctx.tick().sample(
                machine.barrier, machine.sequencer.running, machine.tile.writes):
            hw_run.cycles += running
            assert hw_run.cycles < MOST, "the machine does not halt"
            learnt |= bool(writes)
            if barrier != last:
                last = barrier
                found = {n: [v for i in range(m.depth) for v in ctx.get(m.data[i])]
                         for n, m in units().items()}
                barriers.append((ctx.get(machine.barrier_pc), found,
                               image(ctx) if learnt and len(barriers) % 4 == 0 else None))
                meets(len(barriers) - 1, barriers[-1])
                learnt = False

    hw_run.cycles = 0
    simulator.add_testbench(bench)
    simulator.add_testbench(watch, background=True)
    simulator.run()
    return barriers, counters, hw_run.cycles


def agree(program, memories):
    """Golden and RTL, everything; returns the counters. A machine that differs is not simulated to its end."""
    expected, counts = golden_run(program, memories)

    def meets(number, found):
        pc, neurons, weights = found
        at, want, image = expected[number]
        assert pc == at
        for name in NEURONS:
            assert neurons[name] == want[name], (pc, name)
        assert weights is None or (weights == image).all(), (pc, "weights")

    found, counters, running = hw_run(program, memories, meets=meets)
    assert len(found) == len(expected)
    meets(len(found) - 1, found[-1])  # with the weights at the end
    assert counters == counts
    assert sum(counters[n] for n in (*CYCLES, *HOST)) == running
    return counters


def build(program, draw, sweeps, rng):
    """The hand-made program in place of the compiled one."""
    words = tuple(draw.program(sweeps))
    assert len(words) <= program.machine.program_words
    return replace(
        program, words=words, blocks=tuple(draw.blocks), maps=tuple(draw.maps),
        rates=tuple(rng.choice([0, 3, 9, 16, 20, 31]) for _ in range(16)),
        gains=(64, 128, 255, 1), entries={"train": 0})


@pytest.mark.parametrize("lanes, tiles", GEOMETRIES)
def test_random_sweeps(lanes, tiles):
    """All six geometries together run a quarter of the flag sets of LEGAL; each ends with every memory equal."""
    rng = Random(f"{lanes} {tiles}")
    program = experiment(lanes, tiles)
    draw = Draw(program.machine, rng)
    for _ in range(2):
        for rows in ROWS:
            for columns in COLUMNS:
                draw.block(rows, columns)
    flag_sets = Random(0).sample(LEGAL, len(LEGAL) // 4)
    mine = [f for i, f in enumerate(flag_sets) if TURNS[i % len(TURNS)] == (lanes, tiles)]
    sweeps = []
    for flags in mine:
        fitting = [b for b in range(len(draw.blocks)) if draw.defined(b, flags)]
        sweeps.append((rng.choice(fitting), flags, rng.randrange(4)))
    memories = contents(program.machine, np.random.default_rng(lanes * tiles))
    counters = agree(build(program, draw, sweeps, rng), memories)
    assert all(counters[f"sat_{n}"] for n in ("error", "state", "feedback", "weight"))


@pytest.mark.parametrize("lanes, tiles", [(4, 1), (8, 4)])
def test_power_up_contents_of_the_sums_never_show(lanes, tiles):
    """A program that reads base and feedback sums before anything wrote them sees zeros, whatever the memories held;
    the golden machine shows that the program would tell."""
    rng, program = Random(f"sums {lanes}"), experiment(lanes, tiles)
    draw = Draw(program.machine, rng)
    m, flags = program.machine, Sweep.BASE | Sweep.BACK | Sweep.ERR | Sweep.STEP | Sweep.HOIST
    for group in range(0, m.groups, 8):
        draw.change(draw.block(min(8, m.groups - group) * tiles, 1), group_base=group, last_rows=tiles)
    program = build(program, draw, [(n, flags, 0) for n in range(len(draw.blocks))], rng)
    memories = contents(m, np.random.default_rng(lanes)) | {"clamp": np.zeros(m.neuron_words * lanes, np.int64)}
    zeros = memories | dict.fromkeys(("base", "back"), np.zeros(m.neuron_words * lanes, np.int64))
    expected, counts = golden_run(program, zeros)
    found, counters, _ = hw_run(program, memories, power_up=True)
    assert [f[1] for f in found] == [{n: f[1][n] for n in NEURONS} for f in expected] and counters == counts
    other = golden_run(program, memories)[0]
    for name, told in (("state", "back"), ("error", "base")):
        assert golden_run(program, zeros | {told: memories[told]})[0][-1][1][name] != expected[-1][1][name]
    assert other[-1][1] != expected[-1][1]


@pytest.mark.parametrize("lanes, tiles", [(4, 1), (4, 4)])
def test_sweeps_on_each_others_heels(lanes, tiles):
    """Long rows, then short ones, then none that wait: the FIFO is at its fullest. No WAIT between
    sweeps, so a word or an error lost to a full FIFO shifts all later rows."""
    rng, later = Random(lanes), Sweep.FWD | Sweep.ERR | Sweep.TRN | Sweep.UPD
    program = experiment(lanes, tiles, weight_words=150, neuron_words=40, blocks=64)
    draw, sweeps, at, group = Draw(program.machine, rng), [], 0, 0
    sources = list(range(30, 37))
    shapes = [(1, 7), (1, 7), (2, 7), (1, 1), (1, 1), (5, 7), (1, 3), (1, 7), (7, 1), (1, 7), (2, 2),
              (1, 7), (1, 7), (1, 1), (1, 7), (5, 3), (1, 7), (1, 7)]
    for rows, columns in shapes:
        number = draw.block(rows * tiles, columns, base=at, sources=sources[:columns])
        draw.change(number, group_base=group, stride=columns)
        at, group = at + rows * columns, group + rows
        flags = rng.choice([later, later, Sweep.FWD | Sweep.ERR | Sweep.TRN, Sweep.UPD, Sweep.TRN])
        sweeps.append((number, flags, 0))
        if rng.random() < 0.2:
            sweeps.append((draw.block(1, 1, base=149, sources=[38]), Sweep.FWD, 0))
            draw.change(-1, group_base=38 * lanes // tiles)
    program = build(program, draw, sweeps, rng)
    assert encode(Op.WAIT) not in program.words
    agree(program, contents(program.machine, np.random.default_rng(1)))


@pytest.mark.parametrize("flags", [Sweep.TRN, Sweep.UPD, Sweep.TRN | Sweep.UPD | Sweep.FWD | Sweep.ERR])
def test_as_many_errors_wait_as_the_longest_row_has_other_words(flags):
    """Rows of one word behind the longest row: in each cycle in which another of its words goes, another error comes.
    With one place fewer for them one would be lost, and its row would wait for ever."""
    rng, program, longest = Random(0), experiment(4, 1, weight_words=150), max(COLUMNS)
    draw, at = Draw(program.machine, rng), 0
    for rows, columns in ((1, longest), (2 * longest, 1), (1, longest), (longest - 1, 1), (1, 2), (3, 1)):
        number = draw.block(rows, columns, base=at, sources=list(range(12, 12 + columns)))
        draw.change(number, group_base=number, stride=columns)
        at += rows * columns
    words = [encode(Op.SWEEP, block=n, flags=int(flags)) for n in range(len(draw.blocks))]
    program = replace(build(program, draw, [], rng), words=(*words, encode(Op.HALT)))
    agree(program, contents(program.machine, np.random.default_rng(1)))


@pytest.mark.parametrize("lanes, tiles", [(4, 1), (4, 2), (4, 4)])
def test_identity_columns_on_each_others_heels(lanes, tiles):
    """Alone, in a row and between stored columns, all feeding the same few words while the next sweep
    already reads: without it a unit matrix could take the weights, the source or the overwrite of a neighbour."""
    rng, every = Random(tiles), Sweep.FWD | Sweep.ERR | Sweep.TRN | Sweep.UPD
    program = experiment(lanes, tiles, weight_words=150, neuron_words=40, blocks=64)
    draw, sweeps, at, group = Draw(program.machine, rng), [], 0, 0
    while len(sweeps) < 20:
        groups, kinds = rng.randrange(1, 6), rng.choice(["i", "ii", "is", "si", "sis", "isi", "iiss"])
        words = {(group + g) * tiles // lanes for g in range(groups)}
        offsets = range(24 - min(words), 40 - max(words))
        entries = [{"source": rng.choice(offsets) if kind == "i" else rng.randrange(24, 40),
                    "shift": rng.choice([0, 2]),
                    "lanes": 0 if kind == "i" else rng.randrange(1, lanes + 1), "rate": rng.randrange(16),
                    "feedback": rng.random() < 0.9, "overwrite": rng.random() < 0.3, "plastic": rng.randrange(2),
                    "diagonal": 0, "positive": rng.randrange(2)} for kind in kinds]
        draw.blocks.append(pack(
            BLOCK, "block", weight_base=at, stride=len(kinds), map_base=len(draw.maps), columns=len(kinds), function=0,
            precision=UNIT_PRECISION, align=5, group_base=group, groups=groups, last_rows=rng.randrange(1, tiles + 1)))
        draw.maps += [pack(MAP, "map", **e) for e in entries]
        flags = rng.choice([every, every, Sweep.FWD | Sweep.ERR | Sweep.TRN, Sweep.TRN | Sweep.POST, Sweep.TRN])
        sweeps.append((len(draw.blocks) - 1, flags, 0))
        at, group = (at + groups * len(kinds)) % 130, (group + groups) % (24 * lanes // tiles - 5)
    program = build(program, draw, sweeps, rng)
    assert program.words.count(encode(Op.WAIT)) <= 4, "only where rows or weights come round again"
    agree(program, contents(program.machine, np.random.default_rng(1)))


def definition(program, number, memories, flags):
    """Sums, feedback sums and weights of FWD, TRN and UPD with the old activities, a number at a time and in the
    order of ``hebbar.contract.isa`` and ``hebbar.contract.memories``."""
    m, b, rates = program.machine, unpack(BLOCK, program.blocks[number]), program.rates
    columns = [unpack(MAP, e) for e in program.maps[b["map_base"]:b["map_base"] + b["columns"]]]
    a, old, new = memories["activity"].tolist(), memories["weights"].tolist(), memories["weights"].copy()
    sums, back, one = {}, memories["back"].tolist(), min(2**m.weight_frac, m.formats.weight.hi)
    for g in range(b["groups"]):
        valid_rows = range(m.row_tiles if g + 1 < b["groups"] else b["last_rows"])
        own, drives = (b["group_base"] + g) * m.row_tiles, {}
        for k, c in enumerate(columns):
            at, lane = b["weight_base"] + g * b["stride"] + k, own % m.lanes
            word = c["source"] if c["lanes"] else (c["source"] + own // m.lanes) % 4096
            for p in range(m.row_tiles):  # of a row not in use nothing is taken, and positive words are whole
                used = range(c["lanes"]) if c["lanes"] else [lane + p]
                weights = old[at][p] if c["lanes"] else [one * (i == lane + p) for i in range(m.lanes)]
                drives[p] = 0 if p not in valid_rows else int(memories["error"][own + p]) if Sweep.POST not in flags \
                    else clip(a[own + p] * 2**b["align"], m.error_bits)[0]
                if p in valid_rows:
                    total = sum(weights[i] * a[word * m.lanes + i] for i in used) * 2**c["shift"]
                    sums[own + p] = sums.get(own + p, 0) + total
                for i in range(m.lanes if c["lanes"] and c["plastic"] else 0):
                    grown = old[at][p][i]
                    if not (c["diagonal"] and own + p == word * m.lanes + i) and i in used:
                        grown += half_up(drives[p] * a[word * m.lanes + i], rates[c["rate"]])
                    kept = clip(grown, m.weight_bits)[0]
                    new[at, p, i] = max(kept, 0) if c["positive"] else kept
            anew = c["overwrite"] and (g == 0 if c["lanes"] else lane == 0)
            for i in range(m.lanes if c["feedback"] else 0):
                fed = sum((old[at][p][i] if c["lanes"] else one * (i == lane + p)) * drives[p] for p in valid_rows)
                back[word * m.lanes + i] = fed + (0 if anew else back[word * m.lanes + i])
    return sums, back, new


@pytest.mark.parametrize("lanes, tiles", GEOMETRIES)
def test_golden_follows_the_definition(lanes, tiles):
    """The RTL is held to the golden tile, so that must be right by itself: identity columns, overwrite words,
    positive and diagonal weights, padding of every kind, without a matrix product."""
    rng, program = Random(lanes + tiles), experiment(lanes, tiles)
    draw = Draw(program.machine, rng)
    for rows in ROWS:
        for columns in COLUMNS:
            draw.block(rows, columns)
    program, memories = build(program, draw, [], rng), contents(program.machine, np.random.default_rng(tiles))
    for number in range(len(draw.blocks)):
        flags = rng.choice([Sweep(0), Sweep.POST])
        golden = GoldenMachine(program)
        for name in NEURONS:
            getattr(golden, name)[...] = memories[name]
        golden.tile.weights[...] = memories["weights"]
        golden.sweep(number, flags | Sweep.FWD | Sweep.HOIST | Sweep.TRN | Sweep.UPD, 0)
        sums, back, weights = definition(program, number, memories, flags)
        assert {r: int(golden.base[r]) for r in sums} == sums
        assert golden.back.tolist() == back
        assert (golden.tile.weights == weights).all()


def test_narrow_formats():
    """Few bits everywhere: shifts, clips and table indices meet their smallest widths."""
    rng = Random(9)
    program = experiment(4, 2, weight_bits=5, weight_frac=3, state_bits=7, state_frac=4, error_bits=5,
                         activity_bits=4, activity_frac=3, network={"input_frac": 3, "hidden_frac": 2})
    draw = Draw(program.machine, rng)
    for rows, columns in ((5, 2), (7, 3), (2, 1), (16, 2)):
        draw.block(rows, columns)
    sweeps = [(rng.choice([b for b in range(4) if draw.defined(b, f)]), f, rng.randrange(4))
              for f in rng.sample(LEGAL, 60)]
    program = replace(build(program, draw, sweeps, rng),
                      rates=tuple(rng.choice([0, 1, 2, 3, 5]) for _ in range(16)))
    agree(program, contents(program.machine, np.random.default_rng(2)))
