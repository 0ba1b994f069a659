"""The registers of the whole machine: every bit that is written reaches its unit, every bit that is read tells the
truth.

A bus may be right and its units too, while the wires between them lack a bit: a FAULT that STATUS never shows, a stall
that is counted where there is none, a rate that reaches the next rate's place.
"""

from random import Random

import pytest
from helpers import machine
from test_streamer import drive, framed

from hebbar.contract import timing
from hebbar.contract.counters import COUNTERS, CYCLES, HOST
from hebbar.contract.geometry import ports
from hebbar.contract.isa import GAINS, LOOP_REGISTERS, Into, Mode, Op, encode
from hebbar.contract.memories import BLOCK, HEADER, UNIT_PRECISION, Mem, pack
from hebbar.contract.registers import IDENTITY, RATES, REGISTERS, VERSION, Access, Cause, Control, Status, build
from hebbar.contract.timing import DESCRIPTOR_LATENCY, RANGE_LATENCY
from hw.counters import LATCHED
from sim.host import counters
from sim.packets import beats, write_packet

CONFIG = machine(row_tiles=2, separation=9, energy=True)
HALT, WAIT = encode(Op.HALT), encode(Op.WAIT)


def places(unit):
    """Where every written register acts, and how many of its bits."""
    s = unit.sequencer
    return {"entry": (s.entry, 32), "watchdog": (s.watchdog, 32), "tolerance": (unit.energy_sum.tolerance, 32),
            "beta": (unit.separation.beta, 16), **{f"loop{i}": (s.loops[i], 32) for i in range(LOOP_REGISTERS)},
            **{f"gain{i}": (unit.neuron.gains[i], 8) for i in range(GAINS)},
            **{f"rate{i}": (unit.tile.rates[i], 5) for i in range(RATES)}}


def test_every_bit_of_a_register_reaches_its_unit():
    """Random words that no two registers share, then their complements."""
    rng = Random(1)
    first = {n: rng.getrandbits(32) for n, r in REGISTERS.items() if r.access is Access.READ_WRITE}

    async def scenario(host):
        where = places(host._machine)
        assert where.keys() == first.keys()
        for flip in (0, (1 << 32) - 1):
            words = {name: word ^ flip for name, word in first.items()}
            for name, word in words.items():
                await host.set(name, word)
            for name, (signal, width) in where.items():
                assert host.ctx.get(signal) == words[name] & ((1 << width) - 1), name
                assert width == REGISTERS[name].bits == len(getattr(host._machine.bus, name)), name
                assert await host.get(name) == words[name] & ((1 << width) - 1), name

    drive(CONFIG, scenario)


@pytest.mark.parametrize("config", [
    CONFIG, machine(tile="array", row_tiles=4, weight_words=2, max_columns=1), machine(counters=False),
    machine(updates="none"), machine(updates="shared")])
def test_the_machine_says_what_it_is(config):
    """A driver sizes its packets by these."""
    shape = config.lanes | config.row_tiles << 8 | ["rows", "array", "analog"].index(config.tile) << 16
    optional = config.counters, config.separation, config.energy, config.updates != "none", config.updates == "shared"
    shape |= sum(bool(there) << 24 + bit for bit, there in enumerate(optional))

    async def scenario(host):
        for name, value in (("identity", IDENTITY), ("version", VERSION), ("geometry", shape),
                            ("weight_words", config.weight_words), ("neuron_words", config.neuron_words),
                            ("max_columns", config.max_columns), ("build", build(config))):
            assert await host.get(name) == value, name

    drive(config, scenario)


def test_every_cause_address_and_count_is_read_as_it_is():
    """FAULT is up for the causes that the table calls faults and for no other."""
    rng = Random(2)

    async def scenario(host):
        ctx, unit = host.ctx, host._machine
        for cause in Cause:
            ctx.set(unit.sequencer.cause, int(cause))
            assert await host.get("cause") == cause
            status = Status(await host.get("status"))
            assert status == (Status.FAULT if cause >= Cause.ILLEGAL_OP else 0), cause
            await host.set("control", Control.CLEAR)
            assert await host.get("status") == 0
        for bit in range(13):
            ctx.set(unit.sequencer._fetch.pc, 1 << bit)
            assert await host.get("pc") == 1 << bit
        held = [rng.getrandbits(64) for _ in COUNTERS]
        for i, value in enumerate(held):
            ctx.set(unit.counters._totals.data[LATCHED + i], value)
        for name, value in zip(COUNTERS, held, strict=True):
            assert await host.get(f"{name}_lo") | await host.get(f"{name}_hi") << 32 == value, name

    drive(CONFIG, scenario)


def test_status_in_every_state_of_the_machine():
    """Halted, in a packet, running, in a transfer, broken, stopped; nothing but these four bits."""

    async def scenario(host):
        async def status():
            return Status(await host.get("status"))

        assert await status() == 0
        host.raw([(pack(HEADER, "packet", memory=Mem.PROGRAM, read=0, beats=2), 0), (0, 0)])
        await host.drained()
        assert await status() == Status.STREAMING
        host.raw([(encode(Op.LOOP, end=3, count=1), 0), (HALT, 1)])
        await host.drained()
        assert await status() == 0
        host.send(write_packet(Mem.PROGRAM, 0, [encode(Op.LOOP, end=3, register=1), WAIT, encode(Op.NEXT),
                                                encode(Op.IN, memory=Mem.STATE, count=1, last=1), HALT]))
        await host.drained()
        await host.set("loop0", 40)
        await host.set("control", Control.START)
        assert await status() == Status.RUNNING
        await host.ctx.tick().repeat(400)
        assert await status() == Status.RUNNING | Status.STREAMING
        host.raw([(7, 1)])
        assert await host.stopped() is Cause.DONE
        assert await status() == 0
        host.raw(framed([0], {0}))
        await host.drained()
        assert await status() & ~Status.STREAMING == Status.FAULT | Status.ABORTED
        await host.set("control", Control.CLEAR)
        await host.ctx.tick().repeat(4)
        assert await status() == 0
        await host.set("control", Control.STOP)
        assert await status() & ~Status.STREAMING == Status.ABORTED
        await host.set("control", Control.CLEAR)
        await host.ctx.tick().repeat(4)
        assert await status() == 0

    drive(CONFIG, scenario)


@pytest.mark.parametrize("kind", ["rows", "array", "analog"])
def test_other_access_times_are_another_build(monkeypatch, kind):
    """Gaps of a chained program hold for one table: on another one sweeps would overtake and no bit would be said to be
    wrong before."""
    config = machine(row_tiles=2, tile=kind, weight_words=60)
    found = {build(config)}
    for key, at in timing.ROW_ACCESSES.items():
        monkeypatch.setitem(timing.ROW_ACCESSES, key, at + 1)
        found.add(build(config))
        monkeypatch.setitem(timing.ROW_ACCESSES, key, at)
    own = {"rows": (timing.RowTiming, "word_latency")}.get(kind, (timing.ArrayTiming, "convert_latency"))
    monkeypatch.setattr(*own, getattr(*own) + 1)
    found.add(build(config))
    assert len(found) == 2 + len(timing.ROW_ACCESSES)


MOVES = [(Op.IN, Mem.ACTIVITY, 13), (Op.IN, Mem.STATE, 5), (Op.OUT, Mem.ERROR, 3), (Op.IN, Mem.CLAMP, 1),
         (Op.OUT, Mem.ACTIVITY, 8)]


@pytest.mark.parametrize("stall", [0.0, 0.3, 0.9])
def test_a_stall_is_a_cycle_in_which_the_machine_waits_for_the_host(stall):
    """Counted from outside, at the pins. Every running cycle is in one of the cycle counters, and none but the stalls
    depends on the host: published cycles a sample leave out just these."""
    rounds, waits = 18, {"stall_in": 0, "stall_out": 0, "running": 0}
    words = [encode(Op.LOOP, end=len(MOVES) + 2, count=rounds),
             *(encode(op, memory=mem, count=count, last=1) for op, mem, count in MOVES), encode(Op.NEXT), HALT]

    async def scenario(host):
        ctx, unit = host.ctx, host._machine
        host.send(write_packet(Mem.PROGRAM, 0, words))
        await host.drained()
        await host.set("control", Control.START)
        for _ in range(rounds):
            for op, mem, count in MOVES:
                if op is Op.IN:
                    host.send([0] * -(-count // ports(CONFIG)[mem].lanes_per_beat))
        while ctx.get(unit.sequencer.running):
            waits["running"] += 1
            waits["stall_in"] += ctx.get(unit.s_axis_tready) and not ctx.get(unit.s_axis_tvalid)
            waits["stall_out"] += ctx.get(unit.m_axis_tvalid) and not ctx.get(unit.m_axis_tready)
            await ctx.tick()
        found = await counters(host)
        assert {n: found[n] for n in HOST} == {n: waits[n] for n in HOST}
        # START's answer leaves this bench with the machine already some cycles on; they are no stalls
        assert 0 <= sum(found[n] for n in (*CYCLES, *HOST)) - waits["running"] < 8
        moved = sum(-(-count // ports(CONFIG)[mem].lanes_per_beat) * (1 if op is Op.IN else 2) for op, mem,
                    count in MOVES)
        assert found["stream"] == rounds * (moved + RANGE_LATENCY * len(MOVES))

    drive(CONFIG, scenario, stall=stall)
    assert stall == 0 or min(waits.values()) > 10


@pytest.mark.parametrize("watchdog", range(1, DESCRIPTOR_LATENCY + 4))  # the unit starts behind its descriptor
def test_a_separation_that_the_watchdog_meets_ends_before_the_machine_halts(watchdog):
    """The watchdog can expire in the cycle in which SEPARATE starts its unit: a machine that then halts while the
    unit still writes would change a memory that the host already reads."""
    rows = 9
    block = pack(BLOCK, "block", weight_base=0, stride=0, map_base=0, columns=1, function=0, precision=UNIT_PRECISION,
                 align=0, group_base=0, groups=5, last_rows=1)

    async def scenario(host):
        ctx, unit, port = host.ctx, host._machine, ports(CONFIG)[Mem.ERROR]
        host.send(write_packet(Mem.PROGRAM, 0, [encode(Op.SEPARATE, mode=Mode.SOFTMAX, into=Into.ERROR), HALT]))
        host.send(write_packet(Mem.BLOCK, 0, [block >> 32 * i & 0xFFFFFFFF for i in range(4)]))
        host.send(write_packet(Mem.ERROR, 0, beats([-77] * rows, port)))
        await host.drained()
        await host.set("beta", 369)
        await host.set("watchdog", watchdog)
        await host.set("control", Control.START)
        while ctx.get(unit.sequencer.running):
            await ctx.tick()
        assert not ctx.get(unit.separation.busy), "the machine halts while a unit works"
        cause = Cause(await host.get("cause"))
        await host.set("control", Control.CLEAR)
        left = await host.fetch(Mem.ERROR, 0, rows, port)
        share = round(4096 / rows)
        assert (cause, left) in ((Cause.WATCHDOG, [-77] * rows), (Cause.WATCHDOG, [share] * rows),
                                 (Cause.DONE, [share] * rows))

    drive(CONFIG, scenario)
