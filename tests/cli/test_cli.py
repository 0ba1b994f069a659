"""The command line: exit codes, sentences, files that are whole or absent."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import hebbar


def started(*arguments, cwd, **kwargs):
    """Run the installed command as a user does, by a new Python."""
    code = "from hebbar.cli import main; main()"
    return subprocess.run([sys.executable, "-c", code, *map(str, arguments)], cwd=cwd, text=True,
                          capture_output=True, timeout=300, **kwargs)


@pytest.fixture(scope="module")
def traces(tmp_path_factory):
    """A trace of the golden machine and one with a single changed word."""
    folder = tmp_path_factory.mktemp("traces")
    answer = hebbar("simulate", "tiny", "--backend", "golden", "--samples", 2, "--out", "a",
                    "--quiet", cwd=folder)
    assert answer.returncode == 0, answer.stderr
    (folder / "a" / "trace.npz").replace(folder / "a.npz")
    with np.load(folder / "a.npz") as data:
        arrays = dict(data)
    changed = arrays["error"].copy()
    lanes = 4
    changed[4, 4 * lanes + 3] += 1
    np.savez(folder / "b.npz", **(arrays | {"error": changed}))
    return folder


def test_help_names_every_command(tmp_path):
    """Without it a newcomer could not find the commands."""
    answer = started("--help", cwd=tmp_path)
    assert answer.returncode == 0
    for command in ("run", "train", "verilog", "check", "prove", "simulate", "compare", "report", "energy", "sweep",
                    "presets", "doctor", "synth", "bench", "spice", "transient", "macro", "study", "calibrate"):
        assert command in answer.stdout


@pytest.mark.parametrize("arguments, words", [
    (["run", "digit"], "did you mean 'digits'"),
    (["run", "none.toml"], "cannot be read"),
    (["simulate", "tiny", "--backend", "verilater"], "did you mean 'verilator'"),
    (["simulate", "tiny", "--entry", "training", "--backend", "golden"], "did you mean 'train'"),
    (["simulate", "tiny", "--weights", "none.npz", "--backend", "golden"], "not a readable .npz"),
    (["bench", "spin"], "did you mean 'spine'"),
    (["study", "read.additiv"], "did you mean 'read.additive'"),
    (["study", "foo.bar"], "machine.analog has no switch 'foo.bar'"),
    (["study", "converters.settling"], "converters.settling has no values of its own; give --values"),
    (["rnu", "tiny"], "Did you mean 'run'?"),
    (["study", "read.additiv", "--values", "1"], "did you mean 'read.additive'"),
    (["study", "read.additive", "--values", "1,,"], "give values of TOML with commas"),
    (["study", "read.additive", "--values", ""], "--values '' has no values"),
    (["study", "read.additive", "--values", "'a'"], "machine.analog.read.additive is 'a'"),
    (["study", "control.row_bits", "--values", "'a'"], "machine.analog.control.row_bits is 'a'"),
    (["study", "read.additive", "--values", "[1.0],[2.0]"], "machine.analog.read.additive is [1.0]"),
    (["study", "all", "--values", "1"], "levels is 1, a device without states"),
    (["study", "read.additive", "--values", "-1"], "machine.analog.read.additive is -1"),
    (["study", "read.additive", "--config", "tiny"], "a study of devices needs 'analog'"),
    (["study", "read.additive", "--rules", "illl"], "did you mean 'il'"),
    (["calibrate", "tiny"], "only an analog macro has converters"),
    (["spice", "--config", "tiny"], "only an analog macro has conductances"),
    (["spice", "a.npz", "--config", "digits_analog"], "give one of them"),
    (["bench", "product"], "holds no MNIST"),
    (["run", "mnist", "--data", "nowhere"], "cannot be read as a folder"),
    (["report", "nowhere"], "holds no result.json"),
    (["train", "tiny", "--resume"], "holds no checkpoint"),
    (["train", "tiny", "--resume", "--restart"], "give one of them"),
    (["simulate", "tiny", "--break", "roundin"], "did you mean 'rounding'"),
    (["simulate", "tiny", "--break", "rounding", "--backend", "golden"], "not on golden"),
    (["simulate", "array", "--break", "write-astray"], "row engine"),
    (["simulate", "tiny", "--backend", "golden", "--stall", "0.5"], "never stalls"),
    (["compare", "a.npz", "b.npz"], "not a readable trace"),
    (["simulate", "tiny", "--rule", "ill"], "rule.name"),
    (["simulate", "tiny", "--stall", "2"], "--stall"),
    (["energy", "tiny", "--tier", "B", "--liberty", "a.lib", "--clock", "50"], "--clock would change nothing"),
    (["energy", "tiny", "--tier", "B", "--liberty", "a.lib", "--technology", "cmos45", "--technology", "cmos7"],
     "and 2 are given; give one"),
    (["simulate", "tiny", "--break", "rounding", "--weights", "none.npz"], "--weights would change nothing"),
    (["simulate", "tiny", "--break", "list", "--stall", "0.1", "--wave"], "--stall and --wave would change nothing"),
    (["spice", "--weights", "none.npz"], "--weights would change nothing: they are of a configuration"),
    (["transient", "--weights", "none.npz"], "--weights would change nothing"),
    (["spice", "a.npz", "--rows", "4", "--g-max", "9"], "--rows and --g-max would change nothing: a.npz says"),
    (["spice", "--config", "digits_analog", "--word-resistance", "2"], "--word-resistance would change nothing"),
    (["transient", "--inputs", "0.1", "--volts", "0.3"], "--volts would change nothing"),
    (["spice", "--line", "1"], "--line would change nothing"),
    (["synth", "tiny", "--clock", "50"], "--clock would change nothing: ecp5"),
    (["synth", "tiny", "--target", "aqfp", "--no-route"], "--route would change nothing: aqfp is no FPGA"),
    (["new", "a.toml", "--layers", "4,3,2", "--hidden", "3"], "leave one out"),
    *((["spice", "--volts", given], f"--volts is {given}; give a finite number") for given in ("nan", "inf", "-1")),
    (["transient", "--g-max", "inf"], "both finite"),
    (["synth", "tiny", "--clock", "inf"], "--clock"),
    (["synth", "tiny", "--target", "aqfp", "--cooling", "nan"], "the cooling is nan W"),
    (["fly"], "fly")])
def test_bad_input_is_a_sentence_and_exit_code_2(tmp_path, arguments, words):
    """Without it a user would meet a stack trace, and a script could not tell why it failed."""
    answer = hebbar(*arguments, cwd=tmp_path)
    assert answer.returncode == 2, answer.stderr
    assert words in answer.stderr and "Traceback" not in answer.stderr


def test_equal_traces_compare_to_exit_code_0(traces):
    """Without it compare could find differences where there are none."""
    answer = hebbar("compare", "a.npz", "a.npz", cwd=traces)
    assert answer.returncode == 0, answer.stderr


def test_the_first_difference_is_named(traces):
    """Without it a mismatch would be a number without a place."""
    answer = hebbar("compare", "a.npz", "b.npz", cwd=traces)
    assert answer.returncode == 1
    for word in ("first difference: sample 0", "SWEEP x1", "error of x1[3]", "golden", "RTL"):
        assert word in answer.stderr, answer.stderr


def test_traces_of_other_configurations_are_refused(traces):
    """Without it two runs with other seeds would look like a bug of the RTL."""
    assert hebbar("simulate", "tiny", "--backend", "golden", "--samples", 2, "--out", "c",
                  "--quiet", "--seed", 5, cwd=traces).returncode == 0
    answer = hebbar("compare", "a.npz", "c/trace.npz", cwd=traces)
    assert answer.returncode == 2 and "training.seed" in answer.stderr


def test_traces_of_other_lengths_are_refused(traces):
    """Without it the samples that one of them lacks would look like a bug of the RTL."""
    for name, options in (("more", ("--samples", 3)), ("asked", ("--samples", 2, "--entry", "predict"))):
        assert hebbar("simulate", "tiny", "--backend", "golden", *options, "--out", name, "--quiet",
                      cwd=traces).returncode == 0
    answer = hebbar("compare", "a.npz", "more/trace.npz", cwd=traces)
    assert answer.returncode == 2 and "of different numbers of samples, 2 and 3" in answer.stderr
    answer = hebbar("compare", "a.npz", "asked/trace.npz", cwd=traces)
    assert answer.returncode == 2 and "of the entries train and predict" in answer.stderr


def test_a_refusal_leaves_no_folder(tmp_path):
    """Without it every mistake would leave an empty folder behind."""
    assert hebbar("simulate", "tiny", "--backend", "none", "--out", "a/b", cwd=tmp_path).returncode == 2
    assert hebbar("--version", cwd=tmp_path).stdout.startswith("hebbar ")
    assert list(tmp_path.iterdir()) == []


def test_a_truncated_trace_is_refused(traces):
    """Without it a half-copied file would end in a stack trace."""
    (traces / "short.npz").write_bytes((traces / "a.npz").read_bytes()[:1000])
    answer = hebbar("compare", "a.npz", "short.npz", cwd=traces)
    assert answer.returncode == 2 and "not a readable trace" in answer.stderr


def test_weights_of_another_configuration_are_refused(tmp_path):
    """Without it weights of another network would be cut to fit."""
    np.savez(tmp_path / "w.npz", **{"x0:x1": np.zeros((3, 3))})
    answer = hebbar("simulate", "tiny", "--backend", "golden", "--weights", "w.npz", cwd=tmp_path)
    assert answer.returncode == 2 and "shape (3, 3)" in answer.stderr
    np.savez(tmp_path / "w.npz", **{"x0:x1": np.full((16, 16), np.nan)})
    answer = hebbar("simulate", "tiny", "--backend", "golden", "--weights", "w.npz", cwd=tmp_path)
    assert answer.returncode == 2 and "finite" in answer.stderr


def test_verilog_is_the_same_text_every_time(tmp_path):
    """Without it the build cache and a reviewer's diff would be useless."""
    for name in ("a", "b"):
        assert started("verilog", "tiny", "--out", name, cwd=tmp_path).returncode == 0
    text = (tmp_path / "a" / "hebbar.v").read_text()
    assert text == (tmp_path / "b" / "hebbar.v").read_text() and "module hebbar(" in text


def test_a_missing_tool_is_exit_code_3(tmp_path):
    """Without it a machine without a compiler would show the compiler driver's stack trace."""
    answer = started("simulate", "tiny", "--samples", 1, cwd=tmp_path,
                    env={"PATH": "", "HOME": str(tmp_path), "PYTHONPATH": ":".join(sys.path)})
    assert answer.returncode == 3 and "apt-get install" in answer.stderr, answer.stderr


def test_a_killed_run_leaves_nothing_half_written(tmp_path):
    """Without it a later step could read half a result."""
    code = "from hebbar.cli import main; main()"
    command = [sys.executable, "-c", code, "run", "tiny", "--out", "out", "--samples", "5"]
    child = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE,
                             stdout=subprocess.DEVNULL, text=True)
    assert child.stderr is not None
    child.stderr.readline()
    child.kill()
    child.communicate()
    for path in tmp_path.rglob("*.json"):
        json.loads(path.read_text())
    assert not (tmp_path / "out" / "result.json").exists()


@pytest.mark.parametrize("inputs, labels, words", [
    (np.zeros((20, 16)), np.arange(20) % 10, ""),
    (np.zeros((20, 5)), np.arange(20) % 10, "give one row per sample and 16 columns"),
    (np.full((20, 16), np.nan), np.arange(20) % 10, "sample 0, input 0 is nan"),
    (np.full((20, 16), 3.0), np.arange(20) % 10, "is 3, which is outside -1..1"),
    (np.zeros((20, 16)), np.arange(20), "is no class"),
    (np.zeros((20, 16)), np.zeros(3), "labels (3,)"),
    (np.zeros(20), np.arange(20) % 10, "inputs has shape (20,)")])
def test_data_of_ones_own_is_checked(tmp_path, inputs, labels, words):
    """Without it NaN or pixels of 0..255 would be clipped and trained on."""
    np.savez(tmp_path / "mine.npz", inputs=inputs, labels=labels)
    text = (Path(__file__).parents[2] / "hebbar" / "presets" / "tiny.toml").read_text()
    section = '[data]\nname = "npz"\npath = "mine.npz"\nsplit = "last360"\n'
    (tmp_path / "mine.toml").write_text(text.split("[data]")[0] + section)
    answer = hebbar("simulate", "mine.toml", "--backend", "golden", "--samples", 2, "--quiet",
                    cwd=tmp_path)
    assert answer.returncode == (2 if words else 0), answer.stderr
    assert words in answer.stderr


def test_the_main_job_ends_with_a_whole_result(tmp_path, models):
    """Without it the command of the README could break while all its parts still work."""
    known = models.exists() and any(models.iterdir())
    answer = started("run", "tiny", "--epochs", 1, "--samples", 8, "--out", "out", "--build", models, cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    assert result["mismatches"] == 0 and result["samples_replayed"] == 8
    barriers, neurons, weights = 8 * 10 + 1, 64, 128 * 4
    assert result["words_state"] == result["words_error"] == barriers * neurons
    assert result["words_weights"] == 8 * weights and result["nonzero_updates"] > 100
    assert result["accuracy_rtl"] == result["accuracy_fixed"]
    assert result["minimum_visits"] == 2 * 16 * 16 + 5 * 16 * 10
    assert result["cycles_per_sample"] >= result["minimum_cycles"] == result["cycles_issue"]
    assert "mismatches" in answer.stdout and (known or "building" in answer.stderr)
    assert not list((tmp_path / "out").rglob("*.partial"))
