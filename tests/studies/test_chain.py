"""``hebbar bench chain``: its counts and ratios, and what it says where something is not there."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from hebbar.compiler.config import load
from hebbar.compiler.cycles import Cycles
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.counters import CYCLES as CAUSES
from hebbar.contract.isa import FIELDS, Op
from hebbar.contract.results import Figure
from hebbar.studies import chain, replays
from hebbar.studies.chain import builds, buys, dependences, fmax, pace, systems
from hebbar.studies.chain.cells import without_gaps
from hebbar.studies.clock.earlier import asked
from hebbar.studies.clock.pace import CHANGED, CYCLES
from hebbar.studies.parts import ROOT
from hebbar.synth.design import of_machine
from hebbar.synth.devices import Cells
from hebbar.synth.fpga import Clock
from hebbar.verify.dropped import Dropped
from sim.backends import golden

QUIET = Reporter(quiet=True)


def test_the_other_machine_has_no_counter_of_gaps():
    """Otherwise both would be one machine, and chaining would seem to take nothing; what was changed for it is back
    behind it."""
    counter = f"wire width {FIELDS[Op.WAIT]['gap'].width} \\held\n"
    other = without_gaps(load("tiny").machine).rtlil
    assert counter not in other and counter in of_machine(load("tiny").machine).rtlil


def test_dropped_dependences_are_counted_by_what_became_of_them():
    """Without it one that nothing tells could be counted as slack."""
    one, two = (None,), (None, None)
    found = [Dropped(one, True), Dropped(one, False, True, 7, True), Dropped(one, False, True, 0, True),
             Dropped(one, False), Dropped(two, False, False, 0, True)]
    alone, ways = dependences.counted(("tiny",), found)
    assert (alone.value, alone.met, ways.value, ways.met) == (0, True, 1, False)
    assert "(4: 2 told, by the scoreboard 2, by wrong writes 1; 2 slack by the table, of 1 the gaps are the same)" \
        in alone.figure
    assert "(1: 0 told" in ways.figure and "all ways into a loop" in ways.figure


def changed(trace, where):
    """A trace with one bit of its end flipped."""
    if where == "output":
        return replace(trace, outputs={name: values ^ 1 for name, values in trace.outputs.items()})
    values = getattr(trace, where).copy()
    values[-1, ..., 0] ^= 1
    return replace(trace, **{where: values})


@pytest.mark.parametrize("where", ["", "final", "state", "error", "activity", "output"])
def test_what_a_chained_system_leaves_is_compared(where, monkeypatch):
    """A golden machine in the place of the RTL; a bit that is wrong at the end of the drained run alone is told."""
    monkeypatch.setattr(systems.fast, "run", lambda job, library: golden.run(job) if not where or (
        job.program.config.rule.schedule != "drained") else changed(golden.run(job), where))
    found = systems.chained("IL", "predict", 1, None)
    assert (found.mismatches > 0) is bool(where) and found.words > 2 * found.final > 0


@pytest.mark.parametrize("entry, samples", [("train", 1), ("train", 2), ("train", 3), ("predict", 2)])
@pytest.mark.parametrize("wrong", [False, True])
def test_an_input_is_where_its_last_sample_was(entry, samples, wrong, monkeypatch):
    """Samples of the pipelined training take turns in two places, those of its queries have one: what an odd and an
    even number leave is compared with the one place of the drained program, and a bit of the last sample that is wrong
    is told in either."""
    turned = entry == "train" and samples % 2 == 0
    word = replays.program_of("digits", "pipelined").second["x0"] if turned else 0

    def run(job, library):
        trace = golden.run(job)
        if wrong and job.program.second:
            activity = trace.activity.copy()
            activity[-1, word * job.program.machine.lanes] ^= 1
            trace = replace(trace, activity=activity)
        return trace

    monkeypatch.setattr(systems.fast, "run", run)
    monkeypatch.setattr(systems, "compare", lambda *_: SimpleNamespace(total_words=0, total_mismatches=0))
    assert systems.chained("IL", entry, samples, None).mismatches == wrong


def clock(*mhz):
    return Clock(mhz, True, Cells(1000), ())


def test_fmax_is_a_ratio_of_medians():
    """Without it the better of some seeds could count, or the ratio be the other way round."""
    found = fmax.row(clock(50, 97, 97, 120, 98), clock(100, 100, 10, 100, 300))
    assert found.value == pytest.approx(0.97) and found.met and "median of 5 seeds" in found.figure
    assert not fmax.row(clock(96), clock(100)).met


def test_fmax_places_both_builds_with_fifteen_seeds(monkeypatch, tmp_path):
    """Nothing is placed here; a machine that cannot be says why."""
    asked_of = []

    def placed(found, target, seeds, route, reporter):
        asked_of.append((found, seeds, route))
        return clock(100.0 - len(asked_of)), ""

    monkeypatch.setattr(fmax, "of_machine", lambda machine: machine)
    monkeypatch.setattr(fmax, "without_gaps", lambda machine: "drains")
    monkeypatch.setattr(fmax.fpga, "mapped", lambda design, *_: design)
    monkeypatch.setattr(fmax.fpga, "clock", placed)
    (found,) = fmax.measure(tmp_path, False, QUIET)
    assert found.value == pytest.approx(99 / 98) and [one[1:] for one in asked_of] == [(15, True)] * 2
    assert [one[0] for one in asked_of] == [load("tiny").machine, "drains"]
    monkeypatch.setattr(fmax.fpga, "clock", lambda *_: (None, "it does not fit"))
    (found,) = fmax.measure(tmp_path, True, QUIET)
    assert (found.value, found.met) == ("not measured: it does not fit", None)


@pytest.fixture
def earlier(monkeypatch):
    """Answers of other sources: half the cycles now; ``fits`` says which machines can be placed."""
    answers = [{"cycles": {"issue": 100}}, {"cycles": {"issue": 200}}]
    fits = SimpleNamespace(names=("digits",))
    monkeypatch.setattr(pace, "lacking", lambda *_: "")
    monkeypatch.setattr(pace, "said", lambda preset, reporter, changes: answers if changes == pace.CHANGES else [])
    monkeypatch.setattr(pace, "clocks", lambda preset, *_: (
        ([clock(90), clock(30)], "") if preset in fits.names else ([], "it does not fit")))
    return fits


def test_samples_a_second_are_those_of_pipelined_programs(earlier, tmp_path):
    """Three times the clock and half the cycles are six times the samples; at the clocks of another machine nothing is
    met, and the row says whose they are."""
    digits, cycles, mnist, _ = pace.measure(tmp_path, False, QUIET)
    assert (digits.value, digits.met, cycles.value) == (6, True, 0.5)
    assert mnist.value == 6 and mnist.met is None and "at the clocks of digits: it does not fit" in mnist.figure
    earlier.names = ()
    assert [row.value for row in pace.measure(tmp_path, False, QUIET)] == ["not measured: it does not fit"] * 2


def test_without_the_earlier_sources_the_row_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(pace, "lacking", lambda *_: "no history")
    (row,) = pace.measure(tmp_path, False, QUIET)
    assert (row.value, row.met) == ("not measured: no history", None)


def test_cycles_are_those_of_the_pipelined_program():
    """Without it the earlier machine would be set beside a program that drains."""
    model = Cycles(compile_config(load("tiny").replace(**pace.CHANGES)))
    two, four = (model.run("train", samples, None) for samples in (2, 4))
    drained = sum(asked(ROOT, CYCLES, "tiny")["cycles"].values())
    now = sum(asked(ROOT, CHANGED + CYCLES, "tiny", json.dumps(pace.CHANGES))["cycles"].values())
    assert now == sum(four[cause] - two[cause] for cause in CAUSES) / 2 < drained


def test_what_each_buys_is_measured_on_its_own_build(monkeypatch, tmp_path):
    """Nothing is placed here. Gaps take cycles away, so does a wide pass, and second places, which need gaps."""
    asked_of = []
    monkeypatch.setattr(buys, "of_machine", lambda machine: ("gaps", machine))
    monkeypatch.setattr(buys, "without_gaps", lambda machine: ("drains", machine))
    monkeypatch.setattr(builds.fpga, "mapped", lambda design, *_: asked_of.append(design) or SimpleNamespace(
        whole=Cells(1000)))
    monkeypatch.setattr(builds.fpga, "clock", lambda cells, device, seeds, route, reporter: (
        clock(*[90.0] * seeds), ""))
    found = buys.measure(tmp_path, False, QUIET)
    cycles = {build: figure.value for build, figure in zip(buys.BUILDS, found[::4], strict=True)}
    assert [how for how, _ in asked_of] == ["gaps" if build.gaps else "drains" for build in buys.BUILDS]
    assert len({(how, machine.neuron_rows, machine.neuron_words) for how, machine in asked_of}) == len(buys.BUILDS)
    for build, taken in cycles.items():
        for name in ("gaps", "wide", "places"):
            less = replace(build, **{name: False})
            if less != build and less in cycles:
                assert taken < cycles[less], (build, name)
    assert all(rate.value == round(90e6 / cycles[build]) for build, rate in zip(buys.BUILDS, found[3::4], strict=True))


def test_the_machines_whose_lanes_are_counted_are_mapped(monkeypatch, tmp_path):
    """Nothing is placed here. Each machine comes once, whatever rules run on it, and what holds none says why."""
    monkeypatch.setattr(builds, "of_machine", lambda machine: machine)
    monkeypatch.setattr(builds.fpga, "mapped", lambda machine, *_: SimpleNamespace(
        whole=Cells(machine.neuron_rows or machine.row_tiles)))
    placed = []
    monkeypatch.setattr(builds.fpga, "clock", lambda cells, device, seeds, route, reporter: (
        placed.append((device, seeds, route)) or ((clock(90.0), "") if cells.whole.lut < 32 else (None, "too large"))))
    found = {figure.figure: figure.value for figure in builds.measure(tmp_path, False, QUIET)}
    mapped = {name.partition(", ")[2]: value for name, value in found.items() if name.startswith("LUT")}
    assert mapped == {
        "mnist on 4 x 32 lanes, W = P": "4, 0", "mnist on 4 x 32 lanes, W = C": "32, 0",
        "digits on 2 x 8 lanes, W = P": "2, 0", "digits on 2 x 8 lanes, W = C": "8, 0",
        "784 - 32 x 31 - 10 on 4 x 8 lanes, W = P": "4, 0",
        "mnist's network on 32 x 32 lanes, W = P": "not mapped: 1,024 lanes, more than 128"}
    clocks = {name.partition(", ")[2].removesuffix(", routed, one seed"): value for name, value in found.items()
              if name.startswith("clock")}
    assert clocks == {name: "not measured: too large" if "W = C" in name and "mnist" in name else 90.0
                      for name in list(mapped)[:-1]}
    assert placed == [("ecp5", 1, True)] * 5


def test_what_places_is_measured_when_it_is_asked_for(monkeypatch, tmp_path):
    """Without it the bench would take hours, or forget what was measured by --part."""
    monkeypatch.setattr(chain, "PARTS", ("fmax",))
    monkeypatch.setattr(fmax, "measure", lambda *_: [Figure("Fmax", 1.0, ">= 0.97", "x", True)])
    todo, *rest = chain.measure(tmp_path, False, QUIET)
    assert (todo.value, todo.met) == ("hebbar bench chain --part fmax", None) and not rest
    assert chain.one("fmax", tmp_path, False, QUIET)[0].value == 1.0
    assert chain.measure(tmp_path, False, QUIET)[0].value == 1.0


def test_every_entry_of_every_system_is_asked_for_once():
    """Without it a system, or its inference, could be left out of the one export that is said to run them all."""
    found = replays.of_all("systems", lambda system, entry: (system, entry), QUIET)
    assert found == [(system, entry) for system, preset in replays.SYSTEMS.items()
                     for entry in compile_config(load(preset)).entries]
