"""What ``hebbar bench depth`` compares, skips and keeps."""

import csv
import io
import re
import runpy
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from helpers import layered, random_samples

from golden.compiled import CompiledMachine
from golden.session import initial_image
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.counters import CYCLES
from hebbar.contract.errors import BadInput
from hebbar.contract.results import Figure
from hebbar.studies import depth
from hebbar.studies.depth import bits, by_depth, exponent, final, rtl, trainings, window, window_costs
from hebbar.studies.depth.accuracy import accuracies
from hebbar.studies.depth.deep_net import deep, deepened, precision
from hebbar.studies.depth.gate import GatedMachine, gated
from hebbar.studies.depth.trainings import Asked, Training, best, trained
from hebbar.studies.depth.wind_up import WITHOUT, small
from sim.backends import fast, golden

MNIST = Path(__file__).parents[3] / "shared" / "data" / "mnist"


def residual(hidden=5, steps=12, **rule):
    """6 inputs, ``hidden`` residual layers of 6, 3 outputs."""
    return compile_config(layered(
        [6] * (hidden + 1) + [3], network={"residual": True, "activation": "relu", "hidden_frac": 8},
        rule={"name": "pc_alm", "steps": steps, "gamma": 31 / 128, "alpha_shifts": [5] * (hidden + 1),
              "init_scales": [1.0] + [0.3] * hidden} | rule, lanes=8, activity_bits=12, activity_frac=8, integral=True,
        row_sum_bits=40, map_entries=128, blocks=64, program_words=256))


def test_the_gate_changes_no_bit_and_skips_what_credit_has_not_reached():
    """Credit moves down one layer a step, so that of H layers the l-th from the output is quiet in its first l - 1
    sweeps of a sample: H (H - 1) / 2 layer-steps at least. Without the memory of what a layer was predicted from, a
    layer that has just been reached from below would be skipped, and bits would change."""
    hidden, samples = 5, 3
    program = residual(hidden)
    found = gated(program, initial_image(program), random_samples(program, "train", samples, 4))
    assert found.differ == 0
    assert found.steps == samples * hidden * 11, "the first of 12 steps is part of the feed-forward start"
    assert found.skipped >= samples * (hidden - 1) * (hidden - 2) // 2
    assert found.skipped < found.steps / 2


def test_a_gate_that_looks_at_errors_alone_changes_bits(monkeypatch):
    """The comparison of the gate can fail."""
    program = residual()
    monkeypatch.setattr(GatedMachine, "_quiet", lambda self, block: not self.error[self._rows(block)].any())
    assert gated(program, initial_image(program), random_samples(program, "train", 3, 4)).differ


def test_depth_doubles_steps_and_scales_by_powers_of_two():
    """At depth 128 hidden weights begin half as large as at 32 and alpha is a quarter: s^2 = 1 / (N L)."""
    config = load("deep")
    rule = config.rule
    four = config.replace(**deepened(config, 128))
    assert len(four.network.layers) == 129 and four.rule.steps == 256
    assert {s - 2 for s in four.rule.alpha_shifts[1:-1]} == set(rule.alpha_shifts[1:-1])
    assert set(four.rule.init_scales[1:-1]) == {rule.init_scales[1] / 2}
    for end in (0, -1):
        assert four.rule.alpha_shifts[end] == rule.alpha_shifts[end]
        assert four.rule.init_scales[end] == rule.init_scales[end]
    assert max(b.base + b.stride * b.groups for b in compile_config(four).layout.blocks.values()) <= 8192
    with pytest.raises(BadInput, match="48 layers are no power of two times the 32"):
        deepened(config, 48)


def test_fewer_layers_begin_larger_and_learn_faster():
    """At depth 4 hidden weights begin sqrt(8) times as large and alpha is eight times that of 32 layers."""
    config = load("deep")
    four = config.replace(**deepened(config, 4))
    assert four.network.layers == (784, 32, 32, 32, 10) and four.rule.steps == 8
    assert [s + 3 for s in four.rule.alpha_shifts[1:-1]] == [config.rule.alpha_shifts[1]] * 2
    assert four.rule.init_scales[1] == pytest.approx(config.rule.init_scales[1] * 8**0.5)
    assert four.machine == config.machine
    for layers in (1, 24):
        with pytest.raises(BadInput, match=f"{layers} layers are no power of two"):
            deepened(config, layers)


def test_the_fewest_steps_are_read_off_between_two():
    """Where accuracy is linear in the logarithm of steps there is nothing between them to be wrong; from either side,
    and where one step is enough or none are."""
    asked = []

    def right(steps):
        return asked.append(steps) or np.log2(steps) / 10

    for goal, first in ((0.55, 4), (0.55, 512), (0.43, 16), (0.4, 16)):
        assert exponent.fewest(right, goal, first, 1024) == pytest.approx(2 ** (10 * goal))
    assert len(asked) < 40 and exponent.fewest(right, 0.0, 16, 64) == 1
    assert exponent.fewest(right, 0.61, 16, 64) is None and max(asked) <= 512


def test_the_exponent_is_that_of_a_power_law():
    """Exactly, with no interval; and by hand: slopes of three points at ln 1, ln 2 and ln 4 that rise by 1 and by 3
    octaves have the slope 2, the residuals 1/3, -2/3 and 1/3 octaves and the standard error sqrt(1/3)."""
    exact = exponent.slope([(d, 3 * d**1.5) for d in (4, 8, 16, 32)])
    assert (exact.value, exact.interval) == (pytest.approx(1.5), pytest.approx(0, abs=1e-6))
    rough = exponent.slope([(1, 1), (2, 2), (4, 16)])
    assert rough.value == pytest.approx(2) and rough.interval == pytest.approx(12.7062 * 3**-0.5, rel=1e-4)
    assert exponent.slope([(4, 7.0), (4, 8.0), (4, 9.0)]) is None


def test_without_images_it_says_so(tmp_path):
    with pytest.raises(BadInput, match=r"holds no MNIST, .*give the folder of its four idx files with --data"):
        deep(tmp_path / "none")


def test_the_rate_is_chosen_on_validation():
    """Not on the test set, and by the mean over seeds; so is the number of steps."""
    def run(halvings, seed, validation, test, steps=0):
        return Training(Asked("il", halvings, seed, 32, 10, steps), validation, test, 0)

    runs = [run(0, 1, 0.9, 0.5), run(0, 2, 0.5, 0.5), run(1, 1, 0.8, 0.4), run(1, 2, 0.7, 0.4)]
    assert best(runs) == {"il": runs[2:]}
    longer = [run(1, seed, 0.76, 0.3, steps=96) for seed in (1, 2)]
    assert best([*runs, *longer]) == {"il": longer}
    assert "il T 96" in next(accuracies({"il": longer})).figure and " T " not in next(accuracies({"il": runs})).figure


@pytest.mark.skipif(not MNIST.exists(), reason="no MNIST beside the repository")
def test_a_training_is_kept_for_what_its_bits_depend_on(monkeypatch, tmp_path):
    """A record is found again, and not where the program or the machine is another."""
    asked = Asked("backprop", 0, 1, 32, 3)
    first = trained(asked, MNIST, tmp_path)
    (record,) = tmp_path.glob("*.json")
    record.write_text(record.read_text().replace(f'"clipped": {first.clipped}', '"clipped": -7'))
    assert trained(asked, MNIST, tmp_path).clipped == -7
    monkeypatch.setattr(trainings, "_machine", lambda: "another")
    assert trained(asked, MNIST, tmp_path) == first


@pytest.mark.parametrize("preset, rule", [("early_exit", {"tolerance": 0.1}), ("categorical", {"beta": 2.0})])
def test_the_key_of_a_training_has_its_registers(preset, rule):
    """Without it a training that leaves earlier, or at another temperature, would be found as this one."""
    plain, other = (compile_config(load(preset).replace(rule=changes)) for changes in ({}, rule))
    image = initial_image(plain)
    assert trainings.key_of(plain, image, {}) != trainings.key_of(other, image, {})
    more = replace(other, constants={"one": 32})
    assert trainings.key_of(other, image, {}) != trainings.key_of(more, image, {})


def test_a_training_without_them_has_the_key_that_it_had():
    """Without it hours of records would be made again."""
    program = compile_config(load("tiny"))
    assert trainings._settings(program) == []
    assert trainings._settings(replace(program, constants={"one": 64})) == []


def test_a_part_that_is_measured_alone_says_how(monkeypatch, tmp_path):
    """Without it the table would lack the row, or take hours more."""
    monkeypatch.setattr(depth, "PARTS", tuple(depth.ALONE))
    figures = depth.measure(tmp_path, False, Reporter(quiet=True))
    assert [(f.value, f.met) for f in figures] == [
        (f"hebbar bench depth --part {part}", None) for part in ("bits", "final")]


def test_a_part_that_was_measured_alone_is_in_the_table(monkeypatch, tmp_path):
    """Of the same sources, with what it was measured with; the others still say how."""
    monkeypatch.setattr(depth, "PARTS", tuple(depth.ALONE))
    monkeypatch.setattr(bits, "measure", lambda *_, **__: [Figure("a figure", 7, "reported", "bits", None)])
    depth.one("bits", tmp_path, False, Reporter(quiet=True), MNIST)
    assert [f.value for f in depth.measure(tmp_path, False, Reporter(quiet=True), MNIST)] == [
        7, "hebbar bench depth --part final"]
    assert 7 not in [f.value for f in depth.measure(tmp_path, True, Reporter(quiet=True), MNIST)]


def test_the_map_says_how_many_bits_are_enough():
    """The fewest from which on no more bits gain a point, up to the 12 that keep the range; and a cell is at its own
    rate, chosen on validation."""
    tests = {6: 0.1, 8: 0.895, 9: 0.88, 10: 0.894, 12: 0.90, 14: 0.2}
    runs = [Training(Asked(rule, halved, seed, 4, 10, frac=frac), 0.5 + 0.1 * halved, test - 0.3 * (1 - halved), 0)
            for frac, test in tests.items() for rule in bits.RULES for halved in (0, 1) for seed in (1, 2)]
    found = bits.cells(runs)
    assert len(found) == len(tests) * len(bits.RULES) and {len(of) for of in found.values()} == {2}
    figures = list(bits._figures(found))
    assert [figure.value for figure in figures] == [10] * len(bits.RULES)
    rows = list(csv.DictReader(io.StringIO(bits.table(found))))
    assert [(r["fraction_bits"], r["test"], r["alpha_halvings"]) for r in rows if r["rule"] == "il"] == [
        (str(frac), f"{100 * test:.2f}", "1") for frac, test in tests.items()]
    assert bits.draw(found).axes


def test_bits_change_the_formats_of_neurons_alone():
    """Range stays as long as 16 bits allow it; else a map would be of range and not of resolution."""
    for frac in bits.FRACS[False]:
        config = load("deep").replace(**precision(frac))
        f, preset = config.machine.formats, load("deep").machine.formats
        assert f.state.frac == f.error.frac == frac and f.weight == preset.weight
        assert f.state.hi / f.state.scale == pytest.approx(8 if frac <= 12 else 32 / 2 ** (frac - 10), rel=0.01)
        compile_config(config.replace(rule={"steps": 2}))

def test_the_narrowest_window_that_loses_little_is_chosen():
    """By validation: a test set that looks better must not decide, nor may a window that loses more than .3 points."""
    def runs(validation):
        return [Training(Asked("pc_alm_window", 0, 1, 32, 10), validation, 1 - validation, 0)]

    narrow, middle, wide = (window.Window(steps, 1, 1) for steps in (8, 12, 16))
    cycles = {narrow: 0.2, middle: 0.3, wide: 0.4}
    lost = {narrow: runs(0.8969), middle: runs(0.8971), wide: runs(0.92)}
    assert window.chosen(runs(0.9), lost, cycles) == middle
    assert window.chosen(runs(0.93), lost, cycles) is None
    names = [Asked("pc_alm_window", 1, 2, 32, 9, options=each.options).name for each in (narrow, middle)]
    assert names[0] == "pc_alm_window_1_2_32_9_0_window8_lead1_stride1" != names[1]


def test_costs_of_windows_stand_beside_all_sweeps(tmp_path):
    """A line for all sweeps and for each window: the mean of seeds in percent, cycles and energy as they are."""
    def runs(rule, validations, **options):
        asked = Asked(rule, 0, 1, 32, 10, options=tuple(options.items()))
        return tuple(Training(asked, validation, 0.5, 0) for validation in validations)

    narrow = runs("pc_alm_window", (0.94, 0.92), window=8, lead=4, stride=4)
    window_costs.keep(tmp_path, {32: {runs("pc_alm", (0.9, 0.91)): window_costs.Cost(1000, (1.4, 2.6, 4)),
                                      narrow: window_costs.Cost(250.5, (0.4, 0.6, 1))}})
    lines = (tmp_path / "window.csv").read_text().splitlines()
    assert lines == ["layers,window,lead,validation %,cycles,nJ low,nJ typical,nJ high",
                     "32,all sweeps,-,90.50,1000,1,3,4", "32,8,4,93.00,250,0,1,1"]
    picture = (tmp_path / "window.svg").read_text()
    assert picture.startswith("<svg") and picture.rstrip().endswith("</svg>")


@pytest.mark.skipif(not MNIST.exists(), reason="no MNIST beside the repository")
def test_a_window_costs_less_by_the_sweeps_that_it_leaves_out():
    """Of a sample of the shallowest net with windows: fewer cycles and less energy, in the same order of estimates."""
    whole, narrow = (window_costs.cost(asked, MNIST) for asked in (
        Asked("pc_alm", 0, 1, 32, 1), Asked("pc_alm_window", 0, 1, 32, 1, options=window.NARROW[0].options)))
    assert narrow.cycles < 0.45 * whole.cycles
    assert all(few < 0.45 * many for few, many in zip(narrow.nj, whole.nj, strict=True))
    assert whole.nj[0] < whole.nj[1] < whole.nj[2]


def test_a_piece_begins_where_the_one_before_ended(models, monkeypatch, tmp_path):
    """Two pieces end in the weights of one run that drains; a stopped run goes on, with the pieces that it has; and
    weights that differ are counted."""
    monkeypatch.setattr(final, "BUILD", models)
    program, other = (compile_config(load("tiny").replace(rule={"schedule": s})) for s in ("drained", "pipelined"))
    image, samples = initial_image(program), random_samples(program, "train", 5, 3)
    quiet, seen = Reporter(quiet=True), []

    def run(job, library, progress):
        seen.append(job)
        return fast.run(job, library)

    monkeypatch.setattr(final, "fast", SimpleNamespace(prepare=fast.prepare, run=run))
    golden = CompiledMachine(program)
    golden.load(image)
    golden.run("train", {key: values[:3] for key, values in samples.items()})
    for piece in (3, 3, 5):
        found = list(final.pieces(program, other, image, samples, piece, tmp_path, quiet))
        assert [run["wrong"] for run in found] == [0] * len(found) and all(run["cycles"] for run in found)
    assert [job.count for job in seen] == [3, 2, 5]
    np.testing.assert_array_equal(seen[1].weights, golden.weights)
    stuck = dict.fromkeys(CYCLES, 1)
    monkeypatch.setattr(final.fast, "run", lambda job, *_: SimpleNamespace(final=job.weights, counters=stuck))
    (found,) = final.pieces(program, other, image, samples, 5, tmp_path / "other", quiet)
    assert found["wrong"] > 100


def test_a_deep_net_is_compared_write_by_write_and_kept(models, monkeypatch, tmp_path):
    """Nothing differs, and what was compared is not run again; of a golden machine whose weights are others the first
    write that differs is named, and one that takes other cycles is told."""
    monkeypatch.setattr(rtl, "BUILD", models)
    program = compile_config(load("tiny"))
    image, samples = initial_image(program), random_samples(program, "train", 2, 4)
    monkeypatch.setattr(rtl, "first", lambda *_: (program, samples, image))

    def told(folder):
        return [figure.record() for figure in rtl.replayed(program.config, "a net", 2, folder, Reporter(quiet=True))]

    same, cycles = told(tmp_path / "same")
    assert same["met"] and cycles["met"] and same["value"] == cycles["value"] == 0
    counted = CompiledMachine(program)
    counted.load(image)
    counted.run("train", samples)
    writes = int(re.search(r"([\d,]+) writes", same["figure"])[1].replace(",", ""))
    assert writes > counted.counters["weight_writes"] > 0
    other = image.copy()
    other[0, 0, 0] += 1 << 6
    changed = SimpleNamespace(run=lambda job: golden.run(replace(job, weights=other)))
    monkeypatch.setattr(rtl, "golden", changed)
    assert told(tmp_path / "same") == [same, cycles]
    wrong, _ = told(tmp_path / "other")
    assert not wrong["met"] and wrong["value"] > 1 and "in the golden model and" in wrong["figure"]
    monkeypatch.setattr(rtl, "golden", golden)
    monkeypatch.setattr(rtl, "Cycles", lambda _: SimpleNamespace(run=lambda *_: dict.fromkeys(CYCLES, 1)))
    assert [row["met"] for row in told(tmp_path / "same")] == [True, False]


def test_the_small_net_of_the_defect_clips_states_and_the_line_is_there():
    """Without clipped states the planted defect would make no difference, and nobody would know why."""
    program = compile_config(small())
    machine = CompiledMachine(program)
    machine.load(initial_image(program))
    machine.run("train", random_samples(program, "train", 12, 3))
    assert machine.counters["sat_state"]
    assert (Path(trainings.ROOT) / WITHOUT.file).read_text().count(WITHOUT.old) == 1
    assert replace(WITHOUT, new=WITHOUT.old) != WITHOUT


def test_credit_moves_down_one_layer_a_step():
    """What the picture shows: a layer that is not zero any more never is again, and none is reached before the one
    above it."""
    zero = by_depth.quiet(8)
    assert zero.shape == (15, 7) and zero.any() and not zero[-1].any()
    reached = [int(column.nonzero()[0].max()) + 1 if column.any() else 0 for column in zero.T[1:]]
    assert reached == sorted(reached, reverse=True) and max(reached) >= 4
    for column, step in zip(zero.T[1:], reached):
        assert column[:step].all() and not column[step:].any()


@pytest.mark.parametrize("pc_alm, il, wrong", [(95.0, 60.0, None), (80.0, 60.0, "15.0 points behind backprop"),
                                               (94.0, 90.0, "4.0 ahead of IL")])
def test_the_example_fails_with_its_headline(pc_alm, il, wrong, monkeypatch, tmp_path, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(by_depth, "accuracies", lambda *_: {
        rule: np.full((4, 3), value) for rule, value in (("backprop", 95.0), ("pc_alm", pc_alm), ("il", il))})
    monkeypatch.setattr(by_depth, "quiet", lambda layers: np.eye(2 * layers - 1, layers - 1, dtype=bool))
    example = runpy.run_path(str(Path(trainings.ROOT) / "examples" / "deep.py"))
    said = example["main"]()
    assert said is None if wrong is None else wrong in said
    assert "<svg" in (tmp_path / "out" / "deep.svg").read_text() and "32 layers 95.00 %" in capsys.readouterr().out
