"""The façade: an experiment from Python is the same experiment as on the command line."""

import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest

from golden.image import from_image
from golden.learning.datasets import load as load_data
from golden.learning.training import codes, train_fixed
from golden.session import initial_image, machine_of
from hebbar import Experiment
from hebbar.compiler.config import Config, load
from hebbar.compiler.cycles import Cycles
from hebbar.compiler.program import compile_config
from hebbar.compiler.workload import minimum
from hebbar.contract.console import Reporter
from hebbar.contract.counters import CYCLES
from hebbar.contract.errors import BadInput, Mismatch, MissingTool
from hebbar.contract.timing import FETCH_LATENCY
from hw.verilog import export

ROOT = Path(__file__).parents[2]
TINY = ROOT / "hebbar" / "presets" / "tiny.toml"
SMALL = {"network": {"layers": [4, 6, 3]}, "rule": {"steps": 2, "gamma": 0.5, "alpha_shifts": [2, 3],
         "init_scales": [1.0, 0.5]}, "training": {"epochs": 2},
         "machine": {"lanes": 4, "weight_words": 32, "neuron_words": 8, "max_columns": 4}}


@pytest.fixture(scope="module")
def trained():
    """tiny after one epoch, and its curve."""
    experiment = Experiment("tiny", training={"epochs": 1})
    return experiment, experiment.train()


def samples(count=60, seed=0):
    """Three classes in four inputs, told apart by which of the first three is largest."""
    inputs = np.random.default_rng(seed).uniform(-1, 1, (count, 4))
    return inputs, inputs[:, :3].argmax(axis=1)


def test_a_preset_a_file_a_dictionary_and_a_config_are_the_same():
    """Without it two ways to say the same thing would run different experiments."""
    same = [Experiment(s).config.model_copy(update={"name": ""}) for s in
            ("tiny", TINY, str(TINY), tomllib.loads(TINY.read_text()), load("tiny"))]
    assert all(config == same[0] for config in same)
    assert same[0].network.layers == (16, 16, 10)


def test_sections_override_keys_and_nothing_else():
    """Without it an override could be ignored or take the rest of its section with it."""
    e, plain = Experiment("tiny", rule={"name": "ipc"}, training={"epochs": 7}), load("tiny")
    assert (e.config.rule.name, e.config.training.epochs) == ("ipc", 7)
    assert e.config.rule.alpha_shifts == plain.rule.alpha_shifts and e.config.machine == plain.machine
    assert e.config == plain.replace(rule={"name": "ipc"}, training={"epochs": 7})
    assert load("tiny") == plain and isinstance(e.config, Config)
    with pytest.raises(Exception, match="frozen"):
        e.config.rule.name = "il"


@pytest.mark.parametrize("source, sections, words", [
    ("tyny", {}, "did you mean 'tiny'"), ("tiny", {"rules": {"name": "il"}}, "did you mean 'rule'"),
    ("tiny", {"rule": "ipc"}, "section rule is 'ipc'; give a dictionary"), ("none.toml", {}, "cannot be read"),
    ("tiny", {"rule": {"nam": "il"}}, "unknown key rule.nam"), ("tiny", {"name": {}}, "there is no section 'name'"),
    ({"network": {"layer": [1]}}, {}, "unknown key network.layer"),
    ("tiny", {"machine": {"lanes": 3}}, "machine.lanes")])
def test_a_wrong_configuration_is_a_sentence(source, sections, words):
    """Without it a mistyped keyword would be a KeyError, or ignored."""
    with pytest.raises(BadInput) as caught:
        Experiment(source, **sections)
    assert words in str(caught.value)


def test_training_is_that_of_the_golden_machine(trained):
    """Without it the façade could train another program or keep other weights."""
    e, curve = trained
    program = compile_config(load("tiny").replace(training={"epochs": 1}))
    expected = train_fixed(program, load_data(program.config.data, classes=10))
    assert curve.accuracy == expected.accuracy and np.array_equal(e.image, expected.weights)
    fresh = Experiment("tiny")
    assert np.array_equal(fresh.image, initial_image(program)) and not np.array_equal(fresh.image, e.image)


def test_predictions_are_those_that_were_scored(trained):
    """Without it predict could use other weights, another rounding of inputs or another argmax."""
    e, curve = trained
    test = e.data.test
    answers = e.predict(test.inputs_float)
    assert np.mean(answers == test.labels) == curve.accuracy[-1]
    outputs = e.outputs(test.inputs_float)
    assert answers.shape == (360,) and outputs.shape == (360, 10) and outputs.dtype == np.float64
    assert np.array_equal(outputs.argmax(axis=1), answers)
    assert np.array_equal(outputs * 4096, np.round(outputs * 4096))
    assert np.abs(outputs).max() < 8


def test_outputs_are_what_the_weights_say():
    """Without it an edge could be read back under the wrong name or transposed."""
    e = Experiment("tiny")
    w1, w2 = np.zeros((16, 16)), np.zeros((10, 16))
    w1[5, 2], w2[7, 5] = 2.0, -1.5
    e.set_weights({("x0", "x1"): w1, ("x1", "x2"): w2})
    inputs = np.zeros((2, 16))
    inputs[:, 2] = 0.5, 0.25
    outputs = e.outputs(inputs)
    assert np.array_equal(outputs[:, 7], [-1.5, -0.75]) and np.count_nonzero(outputs) == 2


def test_weights_are_copies_and_go_through_files(trained, tmp_path):
    """Without it a caller could change an experiment by accident, or a file could change the weights."""
    e, _ = trained
    before = e.image.copy()
    for matrix in e.weights.values():
        matrix[...] = 0
    assert np.array_equal(e.image, before)
    assert set(e.weights) == {("x0", "x1"), ("x1", "x2")} and e.weights["x1", "x2"].shape == (10, 16)
    for suffix in ("npz", "safetensors"):
        fresh = Experiment("tiny")
        fresh.load_weights(e.save_weights(tmp_path / f"w.{suffix}"))
        assert np.array_equal(fresh.image, before)
        other = Experiment("digits")
        with pytest.raises(BadInput, match="this configuration needs"):
            other.load_weights(tmp_path / f"w.{suffix}")
        assert np.array_equal(other.image, Experiment("digits").image), "a refused file changed the weights"
    with pytest.raises(BadInput, match="no edge of this network"):
        Experiment("tiny").set_weights({("x0", "x2"): np.zeros((10, 16))})


def test_cosimulation_compares_every_word_of_a_sample(trained):
    """Without it a check could compare nothing, or train the experiment on by accident."""
    e, _ = trained
    before = e.image.copy()
    check = e.cosimulate(samples=1, backend="pysim")
    barriers, neurons, weights = 10 + 1, 64, 128 * 4
    assert check.mismatches == 0 and check.first is None and check.updates > 50
    assert check.words > barriers * neurons * 3 + 2 * weights
    assert check.counters["issue"] == e.cycles().issue
    assert np.array_equal(e.image, before)


def test_cosimulation_is_given_the_current_weights_and_the_first_samples(trained, monkeypatch):
    """Without it a check after training could be of the untrained machine, and agree all the same."""
    from sim.backends import golden, pysim

    e, jobs = trained[0], []
    monkeypatch.setattr(pysim, "run", lambda job, *_: (jobs.append(job), golden.run(job))[1])
    for entry, part in (("train", e.data.train), ("predict", e.data.test)):
        e.cosimulate(samples=3, backend="pysim", entry=entry)
        assert jobs[-1].entry == entry and np.array_equal(jobs[-1].weights, e.image)
        assert np.array_equal(jobs[-1].samples["x0"], part.codes[:3])


def test_a_difference_is_reported(monkeypatch):
    """Without it a check would agree whatever the RTL does."""
    from sim.backends import golden, pysim

    def spoilt(job, *_):
        trace = golden.run(job)
        trace.error[2, 9] += 1
        return trace

    monkeypatch.setattr(pysim, "run", spoilt)
    check = Experiment("tiny").cosimulate(samples=2, backend="pysim")
    assert check.mismatches == 1 and check.first is not None and "error of" in check.first


@pytest.mark.parametrize("arguments, words", [
    ({"backend": "golden"}, "compares a backend with the golden machine"),
    ({"samples": 0}, "samples is 0; give a whole number of 1 or more"),
    ({"backend": "verilater"}, "did you mean 'verilator'"), ({"entry": "training"}, "did you mean 'train'")])
def test_a_wrong_cosimulation_is_a_sentence(arguments, words):
    """Without it golden compared with itself would look like a proof."""
    with pytest.raises(BadInput) as caught:
        Experiment("tiny").cosimulate(**arguments)
    assert words in str(caught.value)


def test_a_missing_simulator_names_the_way_without(monkeypatch, tmp_path):
    """Without it a user without a compiler would think that nothing can be compared."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(MissingTool, match=r"apt-get install.*backend='pysim'"):
        Experiment("tiny").cosimulate(folder=tmp_path)


@pytest.mark.parametrize("rule", ["il", "ipc", "zil", "backprop"])
def test_cycles_of_a_sample_add_up(rule):
    """Without it the cycles of a sample could hold a share of the start and the end of a run."""
    e = Experiment("digits", rule={"name": rule})
    each = e.cycles()
    runs = {n: Cycles(e.program).run("train", n) for n in (1, 11)}
    for cause in ("issue", "bubbles", "drain", "stream", "control"):
        assert runs[11][cause] - runs[1][cause] == 10 * getattr(each, cause), cause
    assert each.total == each.issue + each.bubbles + each.drain + each.stream + each.control
    assert (each.minimum, each.padded) == (minimum(e.program).cycles, minimum(e.program).padded)
    assert each.minimum <= each.issue < each.total and f"{each.total} cycles a sample" in str(each)


def test_cycles_with_early_exit_are_those_of_a_sample_that_takes_all_steps():
    """Without it a program with EXIT had no cycles, or the saving of one run of data would look like all of them."""
    for steps, saved in ((2, 1 - FETCH_LATENCY), (8, 0.3)):
        e, plain = (Experiment("early_exit", rule={"tolerance": t, "steps": steps}) for t in (60.0, 0.0))
        each, whole = e.cycles(), plain.cycles()
        assert each.upper and str(each).startswith("at most ") and not whole.upper and "at most" not in str(whole)
        for same in ("issue", "bubbles", "stream", "minimum", "padded"):
            assert getattr(each, same) == getattr(whole, same), same
        machine = machine_of(e.program)
        machine.weights[...] = e.image
        took = {}
        for n in (2, 3):
            machine.run("train", codes(e.program, e.data.train.take(range(n)), True))
            assert machine.decisions == [True] * n
            took[n] = sum(Cycles(e.program).run("train", n, machine.decisions)[cause] for cause in CYCLES)
        less = each.total - (took[3] - took[2])
        assert less == saved if steps == 2 else less > saved * each.total, "the NEXT, less a jump; six of eight"


def test_a_run_halves_alpha():
    """Without it a training of one's own could not slow down: with one edge from x to y and zero weights,
    w = round(alpha e x) after one sample, whose first error is y."""
    network = {"populations": [{"name": "x", "size": 1, "role": "input", "activity_frac": 7},
                               {"name": "y", "size": 1, "role": "target"}],
               "edges": [{"source": "x", "target": "y", "alpha_shift": 1, "scale": 0.0}]}
    for halvings in (0, 1, 3):
        e = Experiment({"network": network, "rule": {"steps": 1}, "machine": SMALL["machine"]})
        e.run("train", {"x": [[0.5]], "y": [[1.0]]}, halvings)
        assert e.weights["x", "y"].item() == 0.5 * 0.5 / 2**halvings
    with pytest.raises(BadInput, match="halvings is -1; give a whole number of 0 or more"):
        e.run("train", {"x": [[0.5]], "y": [[1.0]]}, halvings=-1)


def test_the_verilog_is_that_of_the_command(tmp_path):
    """Without it the façade could export another machine than the one it simulates."""
    path = Experiment("tiny").verilog(tmp_path / "out" / "tiny.v")
    assert path.read_text() == export(load("tiny").machine)


def test_samples_of_ones_own():
    """Without it arrays would have to go through a file, or would be divided and rounded otherwise."""
    inputs, labels = samples()
    e = Experiment(SMALL, data={"split": "last360"})
    curve = e.fit(inputs, labels)
    assert len(curve.accuracy) == 2 and (len(e.data.train), len(e.data.test)) == (48, 12)
    codes = np.minimum(np.floor(inputs * 128 + 0.5), 127)
    assert np.array_equal(e.data.train.codes, codes[:48]) and np.array_equal(e.data.test.labels, labels[48:])
    assert np.mean(e.predict(inputs[48:]) == labels[48:]) == curve.accuracy[-1]
    assert e.cosimulate(samples=2, backend="pysim").mismatches == 0


def test_arrays_are_trained_on_as_the_same_file_is(tmp_path):
    """Without it fit and an .npz could disagree about the split or the rounding."""
    inputs, labels = samples()
    np.savez(tmp_path / "mine.npz", inputs=inputs, labels=labels)
    by_file = Experiment(SMALL, data={"name": "npz", "path": str(tmp_path / "mine.npz")})
    by_array = Experiment(SMALL)
    assert by_file.train() == by_array.fit(inputs, labels) and np.array_equal(by_file.image, by_array.image)
    assert any(by_file.weights[key].any() for key in by_file.weights)


@pytest.mark.filterwarnings("ignore::hebbar.contract.errors.HebbarWarning")  # four samples held out lack a class
@pytest.mark.parametrize("inputs, labels, words", [
    (np.zeros((9, 4)), np.full(9, 3), "is no class; give whole numbers 0..2"),
    (np.zeros((9, 5)), np.zeros(9), "one row per sample and 4 columns"),
    (np.full((9, 4), np.nan), np.zeros(9), "sample 0, input 0 is nan"),
    (np.full((9, 4), 1.5), np.zeros(9), "is outside -1..1"), (np.zeros(9), np.zeros(9), "inputs has shape (9,)"),
    (np.zeros((9, 4)), np.full(9, np.nan), "is no class"), (np.zeros((9, 4)), np.full(9, 0.5), "is no class"),
    ([["a"]], [0], "inputs is no array of numbers"), (np.zeros((9, 4)), np.zeros(8), "labels (8,)")])
def test_bad_samples_are_refused_and_change_nothing(inputs, labels, words):
    """Without it bad data would be trained on, or the data of an experiment would be lost."""
    e = Experiment(SMALL, data={"split": "last360"})
    e.fit(*samples(20))
    data, image = e.data, e.image
    with pytest.raises(BadInput) as caught:
        e.fit(inputs, labels)
    assert words in str(caught.value)
    assert e.data is data and e.image is image


def test_inputs_to_predict_are_checked():
    """Without it a row too short or out of range would be an index error or a silent clip."""
    for inputs, words in ((np.zeros((2, 3)), "4 columns"), (np.zeros(4), "one row per sample"),
                          (np.full((1, 4), -1.2), "is outside -1..1")):
        with pytest.raises(BadInput, match=words):
            Experiment(SMALL).predict(inputs)


def test_a_graph_takes_inputs_in_the_format_of_its_input_population():
    """Without it the inputs of a graph could be read with the binary point of a layered network."""
    e = Experiment({"network": {
        "populations": [{"name": "in", "size": 4, "role": "input", "activity_frac": 5},
                        {"name": "out", "size": 4, "role": "target"}],
        "edges": [{"source": "in", "target": "out"}]}, "rule": {"name": "il", "steps": 1},
        "machine": SMALL["machine"]})
    e.set_weights({("in", "out"): np.eye(4)})
    inputs = np.array([[3.0, -4.0, 0.5, 0.03125]])
    assert np.array_equal(e.outputs(inputs), inputs)


def test_float_training_has_the_same_samples_and_changes_nothing(trained):
    """Without it the float curve beside the fixed one would be that of another experiment."""
    e, _ = trained
    before = e.image
    curve = e.train_float()
    assert e.image is before and len(curve.accuracy) == 1
    fixed = from_image(e.program.layout, before)
    for key, matrix in curve.weights.items():
        assert np.corrcoef(matrix.ravel(), fixed[key].ravel())[0, 1] > 0.8


@pytest.mark.filterwarnings("ignore::hebbar.contract.errors.HebbarWarning")  # four samples held out lack a class
def test_it_is_quiet_unless_told_otherwise(capfd):
    """Without it a notebook would be full of progress, or a long run would look hung."""
    e = Experiment(SMALL, data={"split": "last360"})
    e.fit(*samples(20))
    assert capfd.readouterr() == ("", "")
    e.train(Reporter())
    assert "training in fixed point" in capfd.readouterr().err


def test_the_import_is_light():
    """Without it `from hebbar import Experiment` would take seconds before the first line runs."""
    heavy = "{'numpy', 'amaranth', 'cocotb', 'sklearn', 'golden', 'sim', 'hw'}"
    code = f"import sys, hebbar.api; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_a_machine_that_halts_is_an_error_not_a_check(monkeypatch):
    """Without it a fault of the RTL could be counted as one more difference, or none."""
    from sim.backends import pysim

    def halts(job, *_):
        raise Mismatch("the machine halted at address 3 with cause WATCHDOG.")

    monkeypatch.setattr(pysim, "run", halts)
    with pytest.raises(Mismatch, match="WATCHDOG"):
        Experiment("tiny").cosimulate(samples=1, backend="pysim")


@pytest.mark.parametrize("preset", ["tiny", "query", "hopfield", "stdp", "reward_bases", "covpcn", "array"])
def test_no_samples_give_no_rows_of_the_right_width(preset):
    """Without it an empty batch at the end of somebody's loop would be an axis error, or rows of another width."""
    e = Experiment(preset)
    sizes = {p.name: p.size for p in e.program.layout.network.populations}
    for entry, transfers in e.program.inputs.items():
        empty = {t.key: np.zeros((0, t.population.size)) for t in transfers}
        before = e.image
        for outputs in (e.run(entry, empty), e.float_machine().run(entry, empty)):
            assert {k: v.shape for k, v in outputs.items()} == {t.key: (0, sizes[t.population.name]) for t in
                                                                e.program.outputs[entry]}
            assert all(v.dtype == np.float64 for v in outputs.values())
        assert np.array_equal(e.image, before)
    if preset == "tiny":
        assert e.outputs(np.zeros((0, 16))).shape == (0, 10) and e.predict(np.zeros((0, 16))).shape == (0,)
        with pytest.raises(BadInput, match="samples has no row"):
            e.cosimulate({"x0": np.zeros((0, 16)), "x2": np.zeros((0, 10))}, "pysim")
