"""Random legal programs on the golden machine and on the Verilated RTL: everything equal, cycles included.

The compiler emits a few shapes of program. What it will emit next year, and what a user writes by hand, is
covered by this alone: any instruction after any other, at every depth of loops.
"""

from dataclasses import replace
from itertools import islice

import pytest

from golden.sequencer import Sequencer
from hebbar.console import Reporter
from hebbar.counters import COUNTERS, CYCLES, HOST, ISSUE_SETS, WORK
from hebbar.isa import LOOP_DEPTH, Into, Mode, Op, Sweep, decode, encode
from hebbar.memories import BLOCK, MAP, Mem, pack, unpack
from hebbar.registers import Cause, Control
from sim.backends import fast
from sim.bench import random_programs
from sim.bench.random_programs import MACHINES, random_cases, run
from sim.compare import compare
from sim.shell.host import finish

OPERATIONS = 1000
MACHINE = "rows 2 x 4"


def test_random_programs_agree(models):
    """Memories at every fence, outputs and all counters but the host's. Without it an EXIT that forgets to
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
    assert len(set(flags)) > 300 and all(0 < sum(f in s for s in flags) < len(flags) for f in Sweep)
    separations = {(i.fields["mode"], i.fields["into"]) for i in code if i.op is Op.SEPARATE}
    assert separations == {(m, i) for m in Mode for i in Into}
    for op in (Op.IN, Op.OUT):
        assert {i.fields["memory"] for i in code if i.op is op} == {Mem.ACTIVITY, Mem.STATE, Mem.ERROR, Mem.CLAMP}
    assert deepest == LOOP_DEPTH and leaves
    assert {i.fields["arm"] for i in code if i.op is Op.EXIT} == {0, 1}
    assert {i.fields["register"] > 1 for i in code if i.op is Op.LOOP} == {False, True}
    assert {b["precision"] for b in blocks} == set(range(16)) and len({b["tail"] for b in blocks}) \
        == MACHINES[machine]["row_tiles"]
    for name in ("fresh", "feedback", "plastic", "diagonal", "positive"):
        assert {m[name] for m in maps} == {0, 1}
    assert {m["lanes"] for m in maps} == set(range(MACHINES[machine]["lanes"] + 1))


def test_micro_operations_that_never_run_do_not_count():
    """Without it the count could be bought with loops of no rounds. Where no EXIT leaves, everything else runs."""
    for case in islice(random_cases(MACHINE, seed=4), 20):
        words = case.job.program.words
        ran = {a: i for a, i in Sequencer(words, lambda i: int(i == 0), (Op.SEPARATE, Op.EXIT)).run(0)}
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
    block = pack(BLOCK, "block", **(dict.fromkeys(BLOCK, 0) | {"columns": 1, "groups": 10, "tail": 1}))
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


def test_the_counters_of_the_host_are_the_only_ones_left_out():
    """The list of what is compared above must not shrink unseen."""
    assert set(HOST) == {"stall_in", "stall_out"} and set(HOST) < set(COUNTERS)
