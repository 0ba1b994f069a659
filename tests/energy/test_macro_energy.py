"""The analog macro priced: counts that are the machine's, converters between published figures, sums that close."""

from dataclasses import replace

import pytest

from golden.learning.tasks import task_of
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.pins import activity_drive_bits, error_drive_bits
from hebbar.energy.macro import ISAAC_PJ, conversion_pj, macro_counts, macro_rows
from hebbar.energy.run import priced_runs, record_priced
from hebbar.energy.splits import place_of
from sim.backends import golden
from sim.simulate import job_of


@pytest.fixture(scope="module")
def analog():
    """A small machine with a crossbar, its program and what the golden machine counted for three samples."""
    config = load("array").replace(machine={"tile": "analog", "analog": {"control": {"align": 2}}})
    program = compile_config(config)
    task = task_of(program)
    return config, program, golden.run(replace(job_of(program, task, "train", 3, task.image()), steps=False))


def test_cells_are_those_of_the_counters(analog):
    """Every product of a bit is a cell read, every learned weight a cell written: the counters say how many."""
    _, program, trace = analog
    found = macro_counts(program, "train", 3, trace.decisions.tolist())
    m = program.machine
    assert found["FWD cells"] == trace.counters["mac_fwd"] * activity_drive_bits(m)
    assert found["TRN cells"] == trace.counters["mac_trn"] * error_drive_bits(m)
    assert found["UPD cells"] == trace.counters["mac_upd"]
    assert 0 < found["FWD convert"] < found["FWD drive"] < found["FWD cells"]


def test_twice_the_samples_are_twice_the_work(analog):
    """Without it a count could belong to the program instead of the run."""
    _, program, _ = analog
    one, two = (macro_counts(program, "train", n) for n in (1, 2))
    assert {name: 2 * count for name, count in one.items()} == dict(two)


def test_a_digital_machine_has_no_macro():
    """Its cells are multipliers, which the estimate has already."""
    assert macro_rows(compile_config(load("tiny")), "train", 1, 100) == ()


def test_converters_meet_the_study_and_rise_with_bits():
    """The typical conversion is ISAAC's; low, typical and high are in order; a bit more never takes less."""
    for bits, published in ISAAC_PJ.items():
        assert conversion_pj(bits).typical == published
    found = [conversion_pj(bits) for bits in range(4, 17)]
    assert all(0 < e.low <= e.typical <= e.high for e in found)
    assert [e.typical for e in found] == sorted(e.typical for e in found)
    assert conversion_pj(12).typical == pytest.approx(16 * conversion_pj(10).typical)


def test_a_slower_clock_reads_cells_longer(analog):
    """A cell conducts as long as its bit is driven; pulses and converters do not know the clock."""
    _, program, _ = analog
    slow, fast = ({r.component: r.each.typical for r in macro_rows(program, "train", 1, mhz)} for mhz in (10, 100))
    assert slow["macro FWD cells"] == pytest.approx(10 * fast["macro FWD cells"])
    assert slow["macro FWD convert"] == fast["macro FWD convert"]


def test_machine_and_macro_are_one_sum(analog, monkeypatch):
    """Blocks and verbs add up to the digital part and the macro; the record has both."""
    config, _, _ = analog
    monkeypatch.setattr("hebbar.energy.run.register_bits", lambda machine: {"bus": 10})
    found = priced_runs(config, 3, ["cmos45"], 100, Reporter(quiet=True))[0]
    assert found.whole.typical > found.estimate.sample.typical
    assert sum(e.typical for e in found.places.values()) == pytest.approx(found.estimate.sample.typical
                                                                         + sum(r.sample.typical for r in found.macro))
    assert {place_of(r.component)[0] for r in found.macro} == {"drivers", "array", "converters"}
    made = record_priced(found)
    assert made["pj_sample_with_macro"][1] == pytest.approx(found.whole.typical)
    assert len(made["macro"]) == len(found.macro) and all(r["source"] for r in made["macro"])
