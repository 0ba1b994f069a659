"""A session: runs that go on from each other, numbers that are of one run alone."""

import numpy as np
import pytest

from golden.learning.training import codes, data_of
from golden.machine import Machine
from golden.session import Session, initial_image
from golden.trace import Job
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.errors import BadInput
from hebbar.contract.memories import Mem

SAMPLES = 6


@pytest.fixture(scope="module")
def program():
    return compile_config(load("tiny"))


@pytest.fixture(scope="module")
def samples(program):
    return codes(program, data_of(program).train.take(range(SAMPLES)), training=True)


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_two_runs_learn_what_one_run_learns(program, samples, engine):
    """Without it a training in pieces, which is every training that can be resumed, would be another one."""
    whole, parts = (Session(program, initial_image(program), engine) for _ in range(2))
    whole.run_codes("train", samples)
    for some in (slice(0, 2), slice(2, None)):
        parts.run_codes("train", {key: values[some] for key, values in samples.items()})
    assert (whole.image == parts.image).all() and (whole.image != initial_image(program)).any()
    assert whole.counters == parts.counters and (whole.count, parts.count) == (SAMPLES, SAMPLES - 2)
    for key, matrix in whole.weights.items():
        assert (matrix == parts.weights[key]).all() and matrix.any(), key


def test_a_session_keeps_traces_and_a_new_one_begins_without():
    """A spike of the run before still counts for pairs of spikes, as it does on the RTL between two packets."""
    program = compile_config(load("stdp"))
    spikes = (np.random.default_rng(0).random((40, 64)) < 0.2).astype(float)
    whole, parts = (Session(program, initial_image(program)) for _ in range(2))
    fired = whole.run_entry("train", {"inputs": spikes})["neurons"]
    halves = [parts.run_entry("train", {"inputs": half})["neurons"] for half in (spikes[:20], spikes[20:])]
    assert fired.any() and (np.concatenate(halves) == fired).all() and (parts.image == whole.image).all()
    afresh = Session(program, initial_image(program))
    afresh.run_entry("train", {"inputs": spikes[:20]})
    afresh = Session(program, afresh.image)
    afresh.run_entry("train", {"inputs": spikes[20:]})
    assert (afresh.image != whole.image).any()


def test_the_counters_of_a_job_are_its_own(program, samples):
    """Without it the cycles and energies of a second job would hold those of the first."""
    session = Session(program, initial_image(program))
    first, second = (session.run(Job(program, "train", session.image, samples)).counters for _ in range(2))
    assert first["weight_reads"] == second["weight_reads"] > 0 and first["drain"] == second["drain"] > 0
    assert session.counters["weight_reads"] == 2 * first["weight_reads"]


def test_memories_are_loaded_by_name(program):
    """Without it a checkpoint would come back without its states, or with errors in their place."""
    session = Session(program)
    assert not session.image.any(), "nothing was loaded"
    given = {mem: np.full(values.shape, 3 + n) for n, (mem, values) in enumerate(session.rows().items())}
    session.load(initial_image(program), given)
    assert {mem: int(values[0]) for mem, values in session.rows().items()} == {
        Mem.STATE: 3, Mem.ERROR: 4, Mem.ACTIVITY: 5}
    session.refresh()
    assert (session.image == session.read_weights()).all() and (session.image == initial_image(program)).all()


def test_real_numbers_are_rounded_once(program, samples):
    """Without it real samples would be other codes than those of a data set, or every alpha the configured one."""
    some = data_of(program).train.take(range(SAMPLES))
    reals = {"x0": some.inputs_float, "x2": some.targets.astype(float)}
    sessions = [Session(program, initial_image(program)) for _ in range(3)]
    sessions[0].run_entry("train", reals, 1)
    sessions[1].run_codes("train", samples, 1)
    sessions[2].run_entry("train", reals)
    assert (sessions[0].image == sessions[1].image).all() and (sessions[0].image != sessions[2].image).any()


def test_an_engine_that_is_none_is_refused(program):
    """Without it a misspelt engine would run the other one in silence."""
    with pytest.raises(BadInput, match="engine is 'numba'; give 'auto', 'numpy' or 'compiled'"):
        Session(program, engine="numba")
    assert isinstance(Session(program, engine="numpy")._machine, Machine)
