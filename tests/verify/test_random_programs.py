"""Random legal programs on the golden machine and on the Verilated RTL: everything equal, cycles included.

The compiler emits a few shapes of program. What it will emit next year, and what a user writes by hand, is
covered by this alone: any instruction after any other, at every depth of loops.
"""

import importlib.util
import shutil
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from helpers import simulate

from golden.machine import Machine
from golden.sequencer import Sequencer
from hebbar.compiler.barriers import learning_barriers
from hebbar.compiler.chaining import chained
from hebbar.compiler.cycles import Cycles
from hebbar.compiler.network import Population
from hebbar.compiler.pipelining import pipelined
from hebbar.compiler.program import Transfer
from hebbar.contract.console import Reporter
from hebbar.contract.counters import COUNTERS, CYCLES, HOST, ISSUE_SETS, WORK
from hebbar.contract.errors import BadInput
from hebbar.contract.isa import LOOP_DEPTH, LOOP_REGISTERS, Into, Mode, Op, Sweep, decode, encode
from hebbar.contract.memories import BLOCK, MAP, Mem, Port, pack, unpack
from hebbar.contract.registers import Cause, Control
from hebbar.verify import random_programs
from hebbar.verify.random_programs import MACHINES, compare_made, random_cases, run
from sim.backends import fast
from sim.compare import compare
from sim.defects import Defect
from sim.shell.host import finish

HW = Path(__file__).resolve().parents[2] / "hw"
OPERATIONS = 1600
WAIT, NEXT, HALT = encode(Op.WAIT), encode(Op.NEXT), encode(Op.HALT)
MACHINE = "rows 2 x 4"


def test_random_programs_agree(models):
    """Memories at every barrier, outputs and all counters but the host's. Without it an EXIT that forgets to
    drain, or a SEPARATE on the heels of a sweep, would wait for the one network that meets it."""
    drawn, totals, library = 0, dict.fromkeys(COUNTERS, 0), None
    for case in random_cases(MACHINE, seed=0):
        program = case.job.program
        library = library or fast.prepare(program, models, announce=False)
        want, got = run(case, library)
        result = compare(program, want, got)
        assert result.first is None, (program.words, result.first)
        assert set(want.counters) == set(COUNTERS) and len(want.pc)
        totals = {n: totals[n] + got.counters[n] for n in totals}
        drawn += case.operations
        if drawn >= OPERATIONS:
            break
    assert all(totals[n] for n in (*ISSUE_SETS, *WORK, *CYCLES))
    assert totals["weight_writes"] > 1000 and totals["exits"] > 10 and totals["separations"] > 500


def test_random_programs_agree_chained(models):
    """The same with gaps in the place of WAITs: any flags over any rows, in loops and out of them, and the cycle model
    to the cycle; without gaps, sums of a row go wrong."""
    drawn, lost, decided, library = 0, 0, 0, None
    for case in random_cases(MACHINE, seed=0):
        program = case.job.program
        library = library or fast.prepare(program, models, announce=False)
        result = compare_made(case, library)
        assert result.total_mismatches == 0, (program.words, result.first, result.mismatches)
        assert all(result.words[n] for n in ("counters", "drained final", "drained work", "writes of integral"))
        decided += result.words["decisions"]
        if drawn < 300:
            bare = replace(case, job=replace(case.job, program=chained(program, {})))
            lost += compare(bare.job.program, *run(bare, library)).total_mismatches > 0
        drawn += case.operations
        if drawn >= OPERATIONS:
            break
    assert lost >= 3 and decided > 10


@pytest.mark.parametrize("machine, seed", [(MACHINE, 2), ("rows 2 x 8, passes of 4 rows", 1)])
def test_random_programs_agree_pipelined(machine, seed, models):
    """Whatever sweeps may change places in, and the cycle model to the cycle; also where a pass takes several row
    groups, so that a write of the neuron unit begins anywhere in a word."""
    drawn, moved, library = 0, 0, None
    for case in random_cases(machine, seed=seed):
        library = library or fast.prepare(case.job.program, models, announce=False)
        result = compare_made(case, library, pipelined)
        assert result.total_mismatches == 0, (case.job.program.words, result.first, result.mismatches)
        drawn, moved = drawn + case.operations, moved + (pipelined(case.job.program) != chained(case.job.program))
        if drawn >= OPERATIONS:
            break
    assert moved >= 3


GARBLED = Defect(
    "hw/bank.py", "word.eq(reader.data)", "Value.cast(word).eq(Value.cast(reader.data) ^ ("
    "memory.attrs.get('no_rw_check', 0) & memory.write_ports[0].en.any() & (memory.write_ports[0].addr == address))"
    ".replicate(len(Value.cast(word))))",
    "tests/verify/test_random_programs.py",
    "a word that is read and written at the same edge is shown with its bits inverted, where a memory need not show it")


def test_no_word_is_used_that_is_written_as_it_is_read(models):
    """A block RAM shows anything then, a simulator the old word: without it the chip alone would go wrong."""
    drawn, library = 0, None
    for case in random_cases(MACHINE, seed=0):
        library = library or fast.prepare(case.job.program, models, announce=False, defect=GARBLED)
        result = compare(case.job.program, *run(case, library))
        assert result.first is None, (case.job.program.words, result.first)
        drawn += case.operations
        if drawn >= OPERATIONS:
            break


@pytest.mark.parametrize("exact, shown", [(True, 5), (False, ~5)])
def test_a_garbled_memory_is_garbled(tmp_path, exact, shown):
    """Without it the test above could look at memories that show what they always do."""
    (tmp_path / "hw").mkdir()
    shutil.copy(HW / "bank.py", tmp_path / "hw")
    GARBLED.plant(tmp_path)
    spec = importlib.util.spec_from_file_location("hw.garbled", tmp_path / "hw/bank.py")
    spec.loader.exec_module(bank := importlib.util.module_from_spec(spec))
    unit = bank.Bank(Port(5, 2, 8, 2, True), exact=exact)

    async def bench(ctx):
        ctx.set(unit.write_mask, 3)
        ctx.set(unit.write_data, [5, 5])
        for written, read, want in ((1, 2, 0), (2, 1, 5), (2, 2, shown)):
            ctx.set(unit.write_address, written)
            ctx.set(unit.read_address[0], read)
            await ctx.tick()
            assert list(ctx.get(unit.read_data[0])) == [want, want]

    simulate(unit, bench)


def test_the_figure_counts_what_it_compared(models, monkeypatch):
    """Without it the bench could report no mismatches of no programs, or leave mismatches out."""
    monkeypatch.setattr(random_programs, "MACHINES", {MACHINE: MACHINES[MACHINE]})
    figure = random_programs.agreement(models, 100, Reporter(quiet=True))
    cases = list(islice(random_cases(MACHINE, seed=1), 30))
    counts = [sum(c.operations for c in cases[:n]) for n in range(1, 30)]
    programs, drawn = next((n, c) for n, c in enumerate(counts, 1) if c >= 100)
    assert f"({programs} programs, {drawn} micro-operations, " in figure.figure
    assert (figure.value, figure.met) == (0, True)

    def falsified(case, library):
        want, got = run(case, library)
        got.final[0, 0, 0] ^= 1
        return want, got

    monkeypatch.setattr(random_programs, "run", falsified)
    figure = random_programs.agreement(models, 100, Reporter(quiet=True))
    assert (figure.value, figure.met) == (programs, False)


def depth_of(code, address):
    """Loops around an address."""
    nesting = {Op.LOOP: 1, Op.NEXT: -1}
    return sum(nesting.get(i.op, 0) for i in code[:address])


@pytest.mark.parametrize("machine", MACHINES)
def test_the_draw_reaches_everything(machine):
    """Agreement says nothing about an instruction, a flag or a field that is never drawn."""
    code, blocks, maps, deepest, leaves = [], [], [], 0, False
    for case in islice(random_cases(machine, seed=3), 40):
        program = case.job.program
        code += (instructions := [decode(w) for w in program.words])
        blocks += [unpack(BLOCK, w) for w in program.blocks]
        maps += [unpack(MAP, w) for w in program.maps]
        deepest = max(deepest, *(depth_of(instructions, a) for a in range(len(instructions))))
        leaves |= any(i.op is Op.EXIT and not i.fields["arm"] and depth_of(instructions, a) > 2
                      for a, i in enumerate(instructions))
    assert {i.op for i in code} == set(Op)
    flags = [Sweep(i.fields["flags"]) for i in code if i.op is Op.SWEEP]
    assert len(set(flags)) > 300 and all(
        0 < sum(f in s for s in flags) < len(flags) for f in list(Sweep)[:program.machine.sweep_flags])
    separations = {(i.fields["mode"], i.fields["into"]) for i in code if i.op is Op.SEPARATE}
    assert separations == {(m, i) for m in Mode for i in Into}
    for op in (Op.IN, Op.OUT):
        assert {i.fields["memory"] for i in code if i.op is op} == {Mem.ACTIVITY, Mem.STATE, Mem.ERROR, Mem.CLAMP}
    assert deepest == LOOP_DEPTH and leaves
    assert {i.fields["arm"] for i in code if i.op is Op.EXIT} == {0, 1}
    assert {i.fields["register"] > 1 for i in code if i.op is Op.LOOP} == {False, True}
    assert {b["precision"] for b in blocks} == set(range(16)) and len({b["last_rows"] for b in blocks}) \
        == MACHINES[machine]["row_tiles"]
    for name in ("overwrite", "feedback", "plastic", "diagonal", "positive"):
        assert {m[name] for m in maps} == {0, 1}
    assert {m["lanes"] for m in maps} == set(range(MACHINES[machine]["lanes"] + 1))


def test_micro_operations_that_never_run_do_not_count():
    """Without it the count could be bought with loops of no rounds. Where no EXIT leaves and there is no BREAK,
    everything else runs."""
    cases = [case for case in islice(random_cases(MACHINE, seed=4), 30)
             if all(decode(word).op is not Op.BREAK for word in case.job.program.words)]
    assert len(cases) >= 15
    for case in cases:
        words = case.job.program.words
        ran = dict(Sequencer(words, lambda i: int(i == 0), (Op.SEPARATE, Op.EXIT), integral=True).run(0))
        exits = [i for a, i in enumerate(map(decode, words)) if i.op is Op.EXIT and reached(words, a)]
        counted = [i for i in ran.values() if i.op not in (Op.WAIT, Op.HALT)]
        assert case.operations == len(counted) + len(exits)


def reached(words, address):
    """Whether no loop of no rounds is around an address; the first, of the samples, has some."""
    code = [decode(w) for w in words]
    return not any(i.op is Op.LOOP and not i.fields["count"] and a < address < i.fields["end"]
                   for a, i in enumerate(code) if a)


def test_the_watchdog_lets_a_long_separation_work(models):
    """Without it a watchdog shorter than the largest softmax would end it; one cycle a row, three passes."""
    case = next(random_cases(MACHINE, seed=5))
    block = pack(BLOCK, "block", **(dict.fromkeys(BLOCK, 0) | {"columns": 1, "groups": 10, "last_rows": 1}))
    program = replace(case.job.program, words=(encode(Op.SEPARATE), encode(Op.HALT)), blocks=(block,))
    session = fast.Session(program, fast.prepare(program, models, announce=False))
    try:
        session.load(case.job.weights)
        for register, value in (("watchdog", 20), ("control", Control.START)):
            finish(session.host.set(register, value))
        finish(session.host.halted())
        assert finish(session.host.get("cause")) == Cause.DONE
    finally:
        session.close()


def test_an_in_of_activities_leaves_its_neighbours_alone(models):
    """Without it a program that packs populations closer than words would differ between the machines."""
    case, library = next(random_cases(MACHINE, seed=9)), None
    for count in (1, 2, 3, 4, 5, 7):
        words = (encode(Op.LOOP, end=4, register=1), encode(Op.IN, address=1, count=count, memory=Mem.ACTIVITY, last=1),
                 WAIT, NEXT, HALT)
        program = replace(case.job.program, words=words, outputs={"train": ()},
                          inputs={"train": (Transfer(Population("p", count), Mem.ACTIVITY),)})
        job = replace(case.job, program=program, samples={"p": np.full((2, count), -3)})
        library = library or fast.prepare(program, models, announce=False)
        want, got = run(replace(case, job=job), library)
        assert compare(program, want, got).first is None, count
        after = case.rows[Mem.ACTIVITY].copy()
        after[program.machine.lanes:program.machine.lanes + count] = -3
        assert (got.activity == after).all(), count


@pytest.mark.parametrize("register", range(2, LOOP_REGISTERS + 1))
def test_every_loop_register_counts_in_the_cycle_model(models, register):
    """Without it the cycles of a program that the host tells how often to repeat would be those of another."""
    case, counts = next(random_cases(MACHINE, seed=6)), [3, 5, 7]
    move = {"address": 0, "count": 4, "memory": Mem.STATE, "last": 1}
    words = (encode(Op.LOOP, end=6, register=1), encode(Op.IN, **move), encode(Op.LOOP, end=5, register=register),
             encode(Op.SWEEP, block=0, flags=int(Sweep.FWD | Sweep.ERR)), encode(Op.NEXT), encode(Op.NEXT), HALT)
    program = replace(case.job.program, words=words, outputs={"train": ()},
                      inputs={"train": (Transfer(Population("p", 4), Mem.STATE),)})
    session = fast.Session(program, fast.prepare(program, models, announce=False))
    try:
        session.load(case.job.weights)
        for i, count in enumerate(counts, 1):
            finish(session.host.set(f"loop{i}", count))
        counters = session.run(replace(case.job, program=program, samples={"p": np.zeros((2, 4), np.int64)})).counters
    finally:
        session.close()
    model = Cycles(program).run("train", 2, loops=counts)
    assert counters["mac_fwd"] and {n: counters[n] for n in CYCLES} == {n: model[n] for n in CYCLES}
    once = Cycles(replace(program, words=(words[3], HALT))).run("train", 1)
    assert model["issue"] == 2 * counts[register - 2] * once["issue"] > 0
    with pytest.raises(BadInput, match=f"address 2: LOOP takes register {register - 1}"):
        Cycles(program).run("train", 2, loops=counts[:register - 2])


def learnt_at(case):
    """Addresses of the barriers at which the golden machine's weights differ from those at the barrier before."""
    machine, found = Machine(case.job.program), set()
    machine.weights[...], machine.error[...], machine.activity[...] = (
        case.job.weights, case.rows[Mem.ERROR], case.rows[Mem.ACTIVITY])
    machine.set_rates(case.job.halvings)
    last = [machine.weights.copy()]

    def observe(address, m):
        if (m.weights != last[0]).any():
            found.add(address)
        last[0] = m.weights.copy()

    machine.run("train", case.job.samples, observe)
    return found


def test_weights_that_were_learnt_are_recorded_at_the_next_barrier():
    """Without it a wrong weight would be seen at the end of a run, far from the sweep that wrote it."""
    cases = list(islice(random_cases(MACHINE, seed=7), 40))
    learnt = [learnt_at(case) for case in cases]
    assert sum(map(bool, learnt)) > 20
    for case, found in zip(cases, learnt):
        assert found <= learning_barriers(case.job.program), case.job.program.words


LEARN = encode(Op.SWEEP, flags=int(Sweep.UPD))
ROADS = {
    "EXIT over a WAIT": ((LEARN, encode(Op.EXIT, end=5), WAIT, NEXT, WAIT), {5, 3}),
    "EXIT to HALT": ((LEARN, encode(Op.EXIT, end=5), WAIT, NEXT), {3, 5}),
    "NEXT to a WAIT": ((WAIT, encode(Op.EXIT, arm=1), LEARN, NEXT, WAIT), {1, 5}),
    "no round of a loop": ((NEXT, LEARN, encode(Op.LOOP, end=6), WAIT, NEXT, WAIT), {6}),
    "no round that a register asks for": ((NEXT, LEARN, encode(Op.LOOP, end=6, register=2), WAIT, NEXT, WAIT), {4, 6})}
"""What stands behind LOOP at address 0 and before HALT, and the barriers that may follow the sweep first."""


@pytest.mark.parametrize("road", ROADS)
def test_barriers_are_found_on_every_road(road):
    """Without it an EXIT that jumps over a barrier would leave the next one without its weights."""
    body, expected = ROADS[road]
    words = (encode(Op.LOOP, end=len(body) + 1, count=2), *body, HALT)
    assert learning_barriers(replace(next(random_cases(MACHINE, seed=8)).job.program, words=words)) == expected


def test_the_counters_of_the_host_are_the_only_ones_left_out():
    """The list of what is compared above must not shrink unseen."""
    assert set(HOST) == {"stall_in", "stall_out"} and set(HOST) < set(COUNTERS)
