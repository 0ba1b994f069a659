"""The comparison of learned samples: counts from the program are the machine's, and every way is in the table."""

from dataclasses import replace
from pathlib import Path

import pytest

from golden.learning.tasks import task_of
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.counters import CYCLES
from hebbar.energy.estimate import estimate
from hebbar.energy.technology import Range, load_technology
from hebbar.studies import training_costs
from hebbar.studies.ablation import Line, ablation, apart
from hebbar.studies.program_counts import counted
from hebbar.studies.training_costs import Way, config, elsewhere, page
from sim.backends import golden
from sim.simulate import job_of

ROOT = Path(__file__).parents[2]


def test_counts_of_the_program_are_those_of_the_golden_machine():
    """Work of one sample and cycles of the steady state: without it the table would be of another run."""
    program = compile_config(load("tiny"))
    task = task_of(program)
    jobs = {n: replace(job_of(program, task, "train", n, task.image()), steps=False) for n in (4, 6)}
    runs = {n: golden.run(job).counters for n, job in jobs.items()}
    found = counted(program)
    for name in ("mac_fwd", "mac_trn", "mac_upd", "steps", "activations", *CYCLES):
        assert found[name] == (runs[6][name] - runs[4][name]) / 2, name


def test_one_network_and_two_rules():
    """The rows of this machine are of the network that the H200 learned."""
    for rule in training_costs.RULES:
        made = config(rule)
        assert made.network.layers == (784, 192, 128, 10)
    assert config("backprop").rule.name == "backprop" and config("IL, T = 8").rule.steps == 8


def test_every_published_chip_and_every_way_of_the_card_is_there():
    """Nothing is left out because it looks good or bad; an energy of another unit would be a thousand times off."""
    ways = {w.way: w for w in elsewhere()}
    assert len(list(elsewhere())) == 13 + 8
    assert ways["Frenkel SPOON DRTP"].whole_uj.typical == pytest.approx(0.366)
    assert ways["Shrestha Loihi EM-STDP FA/DFA"].whole_uj.typical == pytest.approx(8400)
    card = [w for w in ways.values() if w.way.startswith("H200")]
    assert card and all(w.above_uj < w.whole_uj.typical for w in card)


def test_whole_card_is_its_power_times_its_time():
    """Between idle power and the card's limit: a slip of a digit in either column would leave this range."""
    for w in elsewhere():
        if w.way.startswith("H200"):
            watts = w.whole_uj.typical * 1e-6 * w.samples_s
            assert 120 < watts < 700, w
            assert w.above_uj * 1e-6 * w.samples_s == pytest.approx(watts - 122.6, abs=3, rel=0.05), w


def test_the_page_has_its_columns(monkeypatch):
    """Whole device and above idle side by side, the basis of every line, and the fair reading above all of them."""
    one = Way("this machine, cmos45", "backprop", "yes", 1000.0, Range(1, 2, 3), None, "tier A")
    monkeypatch.setattr(training_costs, "here", lambda: [one])
    monkeypatch.setattr(training_costs, "processor", lambda reporter: [])
    monkeypatch.setattr(training_costs, "ablation", lambda: [Line("without counters", 10, 20, 3.0, 0.9)])
    text = page(Reporter(quiet=True))
    assert "| without counters | 10 | 20 | 3.0 | 90% |" in text
    assert "| this machine, cmos45 | backprop | yes | 1,000 | 2 (1 to 3) |  | tier A |" in text
    assert text.index("fair reading") < text.index("| way |")


def test_the_committed_page_has_every_way():
    """The processor's time differs from run to run, so that only the names are compared."""
    text = (ROOT / "docs" / "comparison.md").read_text(encoding="utf-8")
    for way in (*(f"this machine, {t}" for t in training_costs.TECHNOLOGIES), "one core of a processor",
                *(w.way for w in elsewhere())):
        assert f"| {way}" in text, way


def test_mechanisms_save_what_they_should(monkeypatch):
    """Sweeps of their own read every moving weight once for each verb and cost more; hoisting saves reads, fewer steps
    save all of it, and counters cost energy but no cycle."""
    monkeypatch.setattr("hebbar.studies.ablation.register_bits",
                        lambda machine: {"bus": 100, "counters": 100 * machine.counters})
    monkeypatch.setattr("hebbar.studies.ablation.PRESET", "tiny")
    found = {line.change: line for line in ablation(("base of the feedforward input computed in every step",))}
    base = found["tiny, as it is"]
    for change in ("predict, feed back and learn in sweeps of their own",
                   "base of the feedforward input computed in every step"):
        assert found[change].reads > base.reads and found[change].cycles > base.cycles and found[change].against > 1
    without = ablation(("without counters",))[-2]
    assert without.cycles == base.cycles and 0 < without.energy_nj < base.energy_nj
    assert without.energy_nj == pytest.approx(base.energy_nj - sum(_counting()), rel=1e-9)


def _counting():
    """nJ of the totals of the counters, of what counts in a cycle and of 100 bits of registers, for a sample."""
    program = compile_config(load("tiny"))
    made = estimate(program, counted(program), 1, load_technology("cmos45"),
                    registers=lambda machine: {"bus": 100, "counters": 100})
    rows = {row.component: row.sample.typical / 1000 for row in made.rows}
    return (rows["totals of counters"], rows["flag set and cause of a cycle"],
            rows["registers of bus and counters"] / 2)


def test_an_exit_saves_the_steps_that_it_leaves_out():
    """Fewer reads and cycles than all steps take, more than one step takes; every sample has its exit."""
    found = {line.change: line for line in ablation(("T = 4 steps",))}
    name = next(name for name in found if name.startswith("early exit"))
    base, exit_ = found["digits, as it is"], found[name]
    steps = float(name.partition(": ")[2].partition(" of ")[0])
    assert 1 < steps < 8 and exit_.reads < base.reads and exit_.cycles < base.cycles and exit_.against < 1
    assert (exit_.reads < found["T = 4 steps"].reads) is (steps < 4)


def test_verbs_apart_do_the_same_work():
    """As many products, more reads: without it the comparison would be of two different trainings."""
    config = load("tiny")
    together, separate = counted(compile_config(config)), counted(apart(config))
    for name in ("mac_fwd", "mac_trn", "mac_upd", "steps", "activations"):
        assert together[name] == separate[name]
