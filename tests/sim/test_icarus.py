"""The exported Verilog under Icarus Verilog: a second simulator with other rules of evaluation."""

import os
import shutil
import sys

import numpy as np
import pytest

from golden.learning.training import data_of
from golden.session import initial_image
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.errors import MissingTool
from sim.backends import golden, icarus
from sim.compare import compare, nonzero_updates
from sim.simulate import job_of, run_backend

needs_icarus = pytest.mark.skipif(shutil.which("iverilog") is None,
                                  reason="iverilog is not installed (Debian: apt-get install -y iverilog)")


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    return tmp_path_factory.mktemp("icarus")


def job(entry: str, **changes):
    program = compile_config(load("tiny").replace(**changes))
    return job_of(program, data_of(program), entry, 2, initial_image(program))


@needs_icarus
@pytest.mark.parametrize("entry", ["train", "predict"])
def test_tiny_agrees_word_for_word(models, entry):
    """Without it the Verilog could be right only in the order in which Verilator evaluates it."""
    given, told = job(entry), []
    trace = icarus.run(given, icarus.prepare(given.program, models), told.append)
    expected = golden.run(given)
    result = compare(given.program, expected, trace)
    assert result.first is None and result.total_mismatches == 0, result.first
    assert np.array_equal(trace.pc, expected.pc) and len(trace.pc) >= 3
    assert result.words["counters"] > 20
    assert (nonzero_updates(trace, given.weights) > 100) == (entry == "train")


@needs_icarus
def test_an_unchanged_model_is_compiled_once(models):
    """Without it every run would compile again, or a changed machine would run as the old one."""
    program = job("train").program
    first = icarus.prepare(program, models)
    stamp = (first / "sim.vvp").stat().st_mtime_ns
    assert icarus.prepare(program, models) == first and (first / "sim.vvp").stat().st_mtime_ns == stamp
    other = icarus.prepare(job("train", machine={"map_entries": 64}).program, models)
    assert other != first and (other / "sim.vvp").exists()


def test_without_icarus_the_cure_is_named(monkeypatch, tmp_path):
    """Without it a machine without Icarus would answer with cocotb's words and a traceback."""
    given = job("train")
    monkeypatch.setenv("PATH", str(tmp_path))
    if shutil.which("iverilog", path=os.path.dirname(sys.executable)):
        pytest.skip("iverilog is in the folder of Python itself")
    with pytest.raises(MissingTool, match=r"iverilog is not installed .*apt-get install -y iverilog"):
        run_backend(given, "icarus", tmp_path)
    assert not list(tmp_path.iterdir())
