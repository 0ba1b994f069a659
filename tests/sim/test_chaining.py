"""Chained programs: the same work in fewer cycles, on golden machine, RTL and cycle model.

Without it a gap that is short by a cycle, an address that a WAIT has moved, or a cycle that the model does not count
would only show on the network that meets it.
"""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from helpers import layered, random_samples

from golden.network_energy import inference_steps
from golden.session import Session, initial_image
from golden.trace import Job
from hebbar import Experiment
from hebbar.compiler.chaining import chained
from hebbar.compiler.config import load, preset_names
from hebbar.compiler.control_flow import executed
from hebbar.compiler.cycles import Cycles
from hebbar.compiler.gaps import gaps
from hebbar.compiler.program import compile_config, drained
from hebbar.contract.counters import CAUSES, COUNTERS, CYCLES, HOST
from hebbar.contract.errors import BadInput, Mismatch
from hebbar.contract.isa import Op, decode
from hebbar.contract.registers import build
from hebbar.verify.shortest import shorter
from sim.backends import golden, pysim
from sim.compare import compare
from sim.writes import compare_writes

CONFIGS = {
    "il": layered([9, 7, 5], row_tiles=2, max_columns=8),
    "ipc": layered([5, 4, 3], rule={"name": "ipc", "steps": 2}, row_tiles=2, max_columns=8),
    "deep": layered([5, 8, 8, 8, 3], rule={"steps": 3}, row_tiles=2, max_columns=8),
    "exits": layered([5, 4, 3], rule={"steps": 2, "tolerance": 0.01}, row_tiles=2, energy=True),
    "array": load("array")}
DIGITAL = [name for name in preset_names() if load(name).machine.kind.name != "analog"]


@cache
def pair(name, schedule="chained"):
    """A program that drains, and the same chained or pipelined."""
    config = CONFIGS[name] if name in CONFIGS else load(name)
    return compile_config(config), compile_config(config.replace(rule={"schedule": schedule}))


def job_of(program, samples, stall=0.0):
    return Job(program, "train", initial_image(program), random_samples(program, "train", samples, seed=1), stall=stall,
               seed=2)


def cycles(counters):
    return sum(counters[cause] for cause in CYCLES)


@pytest.mark.parametrize("name", DIGITAL)
def test_every_preset_chained_does_the_same_in_its_order(name):
    """Without WAITs both are one program, every jump to its place; each sweep with a gap has it right before it."""
    plain, program = pair(name)
    codes = [[decode(word) for word in p.words] for p in (plain, program)]
    found = gaps(plain)
    for entry in plain.entries:
        runs = [[(at, i) for at, i in executed(code, p.entries[entry], (2, 1, 0, 2)) if i.op is not Op.WAIT]
                for code, p in zip(codes, (plain, program), strict=True)]
        assert len(runs[0]) == len(runs[1]) > 3
        for (at, old), (place, new) in zip(*runs, strict=True):
            assert old.op is new.op and {n: v for n, v in old.fields.items() if n != "end"} == {
                n: v for n, v in new.fields.items() if n != "end"}
            before = codes[1][place - 1]
            assert (before.op is Op.WAIT and before.fields["gap"]) == found.get(at, 0) or old.op is not Op.SWEEP
        least, most = (cycles(Cycles(p).run(entry, 3, None)) for p in (program, plain))
        assert least <= most + 3, "a barrier before an OUT costs a cycle a sample"


@pytest.mark.parametrize("name", DIGITAL)
def test_every_sample_of_every_preset_is_compared(name):
    """A chained program without barriers would be compared at its very end alone."""
    _, program = pair(name)
    code = [decode(word) for word in program.words]
    for entry in program.entries:
        barriers = [sum(i.barrier for _, i in executed(code, program.entries[entry], (samples, 1, 1, 1)))
                    for samples in (1, 2, 3)]
        assert barriers[0] < barriers[1] < barriers[2]


@pytest.mark.parametrize("name, schedule, stall", [
    ("ipc", "chained", 0.0), ("ipc", "pipelined", 0.3), ("exits", "chained", 0.0), ("array", "pipelined", 0.2),
    ("deep", "pipelined", 0.0)])
def test_chained_is_drained_is_golden(name, schedule, stall):
    """Bits at the end, every write, outputs; the scoreboard of pysim looks on; all counters but the host's, and the
    cycles, are those of the models."""
    plain, program = pair(name, schedule)
    jobs = [job_of(p, 2, stall) for p in (plain, program)]
    old, new = (golden.run(job) for job in jobs)
    rtl = pysim.run(jobs[1])
    result, written = compare(program, new, rtl), compare_writes(jobs[1], rtl.writes)
    assert result.first is None and written.first is None and written.total_words > 200
    assert (rtl.final == old.final).all() and (new.decisions == old.decisions).all()
    known = [n for n in COUNTERS if n not in (CAUSES if stall and program.beside else HOST)]
    assert {n: rtl.counters[n] for n in known} == {n: new.counters[n] for n in known}
    assert cycles(rtl.counters) < cycles(old.counters)


def test_a_gap_that_is_a_cycle_short_is_told_or_slack():
    """On the RTL, each in turn; slack are those that only another way into a loop needs. Sweeps are longer than the
    sequencer takes, or it would be later than the gap."""
    program, _ = pair("il")
    found = list(shorter(job_of(program, 1)))
    assert len(found) >= 4 and all(s.told or (s.same and not s.overtakes) for s in found)
    assert sum(s.told for s in found) >= 2


def test_without_gaps_sweeps_overtake():
    """The scoreboard would otherwise have nothing to tell."""
    program, _ = pair("ipc")
    with pytest.raises(Mismatch, match="before it still has to"):
        pysim.run(job_of(chained(program, {}), 1))


def test_compiled_and_numpy_agree_on_barriers():
    """Both leave out WAITs that do not drain."""
    _, program = pair("digits")
    job = job_of(program, 3)
    traces = [Session(program, job.weights, engine=engine).run(job) for engine in ("numpy", "auto")]
    assert len(traces[0].pc) == 4 and compare(program, *traces).first is None
    code = [decode(word) for word in program.words]
    assert all(code[at].barrier for at in traces[0].pc)


def test_drained_is_the_program_before():
    plain, program = pair("tiny")
    assert drained(program).words == plain.words and drained(program).entries == plain.entries


def test_steps_are_seen_where_they_can_be():
    """Trajectories are those of the drained program; a chained trace says that it has none."""
    samples = {name: 0.25 * np.ones((2, p.size)) for name, p in (
        (t.population.name, t.population) for t in pair("tiny")[0].inputs["train"])}
    one, other = (Experiment("tiny", rule={"schedule": schedule}).trajectories(samples)
                  for schedule in ("drained", "chained"))
    assert (one.steps == other.steps).all() and one.steps[0] > 2
    assert all((one.errors[name] == other.errors[name]).all() for name in one.errors)
    with pytest.raises(BadInput, match=r"record the same training with rule\.schedule 'drained'"):
        inference_steps(pair("tiny")[1], "train")


def test_what_cannot_be_chained_is_refused():
    with pytest.raises(BadInput, match="the gaps of tile 'analog' are not checked; set it to 'drained'"):
        compile_config(load("digits_analog").replace(rule={"schedule": "chained"}))
    words = len(pair("tiny")[1].words)
    assert words > len(pair("tiny")[0].words)
    with pytest.raises(BadInput, match=f"chained it has {words} instructions and machine.program_words is {words - 1}; "
                                       f"raise it to {words} or set rule.schedule to 'drained'"):
        compile_config(load("tiny").replace(rule={"schedule": "chained"}, machine={"program_words": words - 1}))


def test_the_schedule_is_no_other_machine():
    """Both run on one build; gaps are for a table of access times, which the build register tells."""
    plain, program = pair("tiny")
    assert plain.machine == program.machine and build(plain.machine) == build(program.machine)


def test_a_gap_beyond_its_field_drains():
    program, _ = pair("tiny")
    at = max(gaps(program))
    one = chained(program, gaps(program) | {at: 256})
    code = [decode(word) for word in one.words]
    assert sum(i.op is Op.WAIT and not i.fields["gap"] for i in code) == 1 + sum(
        i.op is Op.WAIT and not i.fields["gap"] for i in map(decode, pair("tiny")[1].words))
    assert replace(one, words=()) == replace(chained(program), words=())
