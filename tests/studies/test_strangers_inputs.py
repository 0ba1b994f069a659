"""Whatever is given from outside ends in a right answer or in a sentence: arrays of any kind, calls, damaged files."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

from golden.given import numbers
from golden.machine import Machine
from hebbar import Experiment
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput
from hebbar.studies.strangers import fuzz_api, fuzz_files
from hebbar.studies.strangers.cases import attempt, figures, run_cases
from hebbar.studies.strangers.odd import plain

SHAPES = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5) | st.just((2, 4))
ANY = hnp.arrays(hnp.scalar_dtypes() | st.sampled_from([np.dtype(object), np.dtype("f8"), np.dtype("i2")]), SHAPES)
IN_RANGE = hnp.arrays(st.sampled_from(["f8", "f4", "f2", ">f8", "i1", "?"]), st.tuples(st.integers(0, 3), st.just(4)),
                      elements={"min_value": -1, "max_value": 1})
SMALL = {"network": {"layers": [4, 6, 3]}, "rule": {"steps": 2, "gamma": 0.5, "alpha_shifts": [2, 3],
         "init_scales": [1.0, 0.5]}, "machine": {"lanes": 4, "weight_words": 32, "neuron_words": 8, "max_columns": 4}}


@pytest.fixture(scope="module")
def small():
    return Experiment(SMALL)


@settings(max_examples=150, deadline=None)
@given(array=ANY | IN_RANGE)
def test_any_array_is_taken_for_what_it_is_or_refused(small, array):
    """Without it a kind of array that nobody thought of would be a stack trace, or other numbers. Right are the answers
    of the NumPy machine to codes that Python's own floats make."""
    try:
        got = small.outputs(array)
    except BadInput as error:
        assert str(error).startswith("inputs") and str(error).endswith("."), error
        assert array.dtype.kind not in "biuf" or array.ndim != 2 or array.shape[1] != 4 or not (
            np.abs(array.astype(float)) <= 1).all()
        return
    codes = np.array([[min(int(np.floor(x * 128 + 0.5)), 127) for x in row] for row in plain(array)], np.int64)
    machine = Machine(small.program)
    machine.load(small.image)
    assert np.array_equal(got * 4096, machine.run("predict", {"x0": codes.reshape(-1, 4)})["x2"])


LEAVES = (st.none() | st.booleans() | st.floats() | st.text(max_size=3) | st.integers() | st.binary(max_size=3)
          | st.complex_numbers())
NESTED = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.tuples(inner, inner) | st.dictionaries(
    st.text(max_size=2), inner, max_size=2), max_leaves=8)


@settings(max_examples=150, deadline=None)
@given(value=NESTED)
def test_any_nest_of_python_objects_is_numbers_or_a_sentence(value):
    """Without it NumPy's own conversions, of text say, would decide what is a number."""
    try:
        found = numbers("inputs", value)
    except BadInput as error:
        assert str(error).startswith("inputs ") and str(error).endswith("."), error
    else:
        assert found.dtype.kind in "biuf"
        with np.errstate(over="ignore"):
            assert found.size == 0 or np.array_equal(found.ravel(), [float(x) for x in _leaves(value)], equal_nan=True)


def _leaves(value):
    return [leaf for part in value for leaf in _leaves(part)] if isinstance(value, list | tuple) else [value]


@settings(max_examples=100, deadline=None)
@given(entry=NESTED, samples=NESTED, halvings=NESTED)
def test_any_arguments_of_a_run_are_refused_in_a_sentence(small, entry, samples, halvings):
    """Without it a list in place of a dictionary, or 2.5 in place of 2, would be a stack trace."""
    for call in (lambda: small.run(entry, samples, halvings), lambda: small.run("train", samples), lambda: small.run(
            "predict", {"x0": samples}), lambda: small.float_machine().run(entry, samples), lambda: small.cosimulate(
            samples, "golden"), lambda: small.set_weights(samples)):
        with pytest.raises(BadInput) as caught:
            call()
        assert str(caught.value).endswith("."), caught.value


@pytest.mark.parametrize("module", [fuzz_api, fuzz_files])
@settings(max_examples=40, deadline=None)
@given(number=st.integers(0, 10**6))
def test_any_case_of_the_bench_ends_well(tmp_path_factory, module, number):
    """Without it the campaign of the bench could only be found wrong by whoever runs it."""
    folder = tmp_path_factory.getbasetemp() / module.__name__
    folder.mkdir(exist_ok=True)
    ending = attempt(number, module.__name__, 7, folder)
    assert not ending.wrong, f"{ending.what}: {ending.wrong}"


def test_what_ends_badly_is_counted(tmp_path, monkeypatch):
    """Without it the figure of the bench could be zero because nothing is looked at: a wrong answer, a stack trace, a
    message that is no sentence, a process that dies and one that hangs are found, each by its number."""
    import hebbar.studies.strangers.cases as cases

    monkeypatch.setattr(cases, "SECONDS", 5)
    monkeypatch.setattr(cases, "ROOT", tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(cases.__file__).removesuffix("/hebbar/studies/strangers/cases.py"))
    (tmp_path / "bad_cases.py").write_text(BAD)
    endings = run_cases("bad_cases", 6, 1, "bad cases", Reporter(quiet=True))
    assert [e.number for e in endings] == list(range(6)) and [e.right for e in endings] == [True] + 5 * [False]
    for ending, words in zip(endings, ("", "7 for 8", "KeyError", "no sentence: 'oops'", "died with", "more than 5 s")):
        assert words in ending.wrong and bool(words) == bool(ending.wrong), ending
    found = {f.figure: f for f in figures(endings, "cases")}
    assert found["cases that end in neither a right answer nor a sentence, of 6"].value == 5
    assert next(f.met for f in found.values()) is False


BAD = """
import os, time
from hebbar.contract.errors import BadInput
def prepare(): pass
def refuse(): raise BadInput("oops")
def case(rng, folder):
    case.n = int(getattr(case, "n", -1)) + 1
    kind = int(open(folder / "n").read()) if (folder / "n").exists() else 0
    (folder / "n").write_text(str(kind + 1))
    return f"kind {kind}", [lambda: "", lambda: "7 for 8", lambda: {}["x"], refuse, lambda: os._exit(3),
                            lambda: time.sleep(60)][kind]
"""


@pytest.mark.parametrize("module", [fuzz_api, fuzz_files])
def test_a_case_is_known_by_its_number(tmp_path, module):
    """Without it a wrong case could not be found again."""
    told = [[], []]
    for tell in told:
        for number in range(20):
            attempt(number, module.__name__, 1, tmp_path, tell.append)
    assert told[0] == told[1] and len(set(told[0])) > 10 and len(told[0]) == 20
