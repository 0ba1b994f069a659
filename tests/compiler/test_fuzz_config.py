"""No configuration ends in anything but a program or a sentence, and none takes much memory or time."""

import tomllib

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from hebbar import Experiment
from hebbar.compiler.config import load, parse
from hebbar.compiler.keys import tables
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput
from hebbar.studies.strangers import fuzz_toml
from hebbar.studies.strangers.random_toml import ODD, random_toml

SCALARS = st.one_of(st.integers(), st.integers(-10, 5000), st.floats(), st.text(max_size=20), st.booleans(), st.none(),
                    st.sampled_from(ODD), st.integers(10**300, 10**301), st.binary(max_size=4))
VALUES = st.recursive(SCALARS, lambda inner: st.one_of(st.lists(inner, max_size=4),
                                                       st.dictionaries(st.text(max_size=6), inner, max_size=3)),
                      max_leaves=6)
KEYS = [(t.name.split("."), k.name) for t in tables() if t.name for k in t.keys]


def accepted(data):
    """Whether a dictionary makes a program; anything but that and a sentence is an error of the test."""
    try:
        compile_config(parse(data, "here"))
    except BadInput as error:
        assert str(error).startswith("here: ") or "here" not in str(error)
        assert str(error).endswith(".") and len(str(error)) < 2000 and "\n" not in str(error), str(error)
        return False
    return True


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(KEYS), VALUES, st.sampled_from(["tiny", "graph", "digits_analog", "stdp"]))
def test_any_value_of_any_key(place, value, preset):
    (path, name), data = place, load(preset).model_dump(mode="json")
    table = data
    for part in path:
        table = table[part]
        if isinstance(table, list):
            if not table:
                return
            table = table[0]
    table[name] = value
    accepted(data)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.one_of(st.sampled_from(["network", "rule", "machine", "data", "training", "name"]),
                                 st.text(max_size=5)),
                       VALUES, max_size=3))
def test_any_dictionary(data):
    accepted(data)


@pytest.mark.parametrize("section, key, value, words", [
    ("network", "layers", [10**7, 10, 2], "network.layers.0 is 10000000: it should be less than or equal to 4095"),
    ("network", "layers", [4] * 10**5, "the list has 100000 entries; give at most 4096"),
    ("network", "edges", [{"source": "a", "target": "b"}] * 2000, "at most 1024"),
    ("rule", "init_scales", [float("inf"), 1], "rule.init_scales.0 is inf; give a finite number"),
    ("rule", "gamma", float("nan"), "rule.gamma is nan"), ("rule", "steps", 10**9, "rule.steps is 1000000000"),
    ("rule", "steps", "8", "rule.steps is '8': give a whole number, without quotes"),
    ("rule", "hoist", 1, "rule.hoist is 1: give true or false"),
    ("rule", "gamma", True, "rule.gamma is True: give a number"),
    ("rule", "options", {"nudge": None}, "nudge cannot be None"),
    ("rule", "options", {"trace": 10**400}, "trace cannot be 1000"),
    ("rule", "alpha_shifts", None, "alpha_shifts is None; give a list"),
    ("machine", "lanes", 10**6, "machine.lanes is 1000000"),
    ("training", "epochs", 10**9, "training.epochs is 1000000000"),
    ("training", "halve_alpha_at", [-1], "training.halve_alpha_at.0 is -1"),
    ("machine", "analog", {"read": {"additive": float("nan")}}, "machine.analog.read.additive is nan"),
    ("machine", "analog", [], "machine.analog is .*; give a table of preset"),
    ("machine", "weight_words", 1 << 21, "1048576")])
def test_what_is_out_of_bounds_is_refused_by_key_before_any_work(section, key, value, words):
    with pytest.raises(BadInput, match=words):
        Experiment("tiny", **{section: {key: value}})


def test_a_machine_that_would_fill_the_memory_is_refused():
    with pytest.raises(BadInput, match=r"machine.weight_words is 1048576, words of 4096 weights .*give at most 4096"):
        Experiment("tiny", machine={"lanes": 64, "row_tiles": 64, "weight_words": 1 << 20})


def test_sections_and_files_that_are_none(tmp_path):
    for source in (None, 5, [], "a\0b.toml", str(tmp_path), "x" * 300, str(tmp_path / ("y" * 300))):
        with pytest.raises(BadInput):
            parse(source, "here") if not isinstance(source, str) else load(source)
    deep, long = tmp_path / "deep.toml", tmp_path / "long.toml"
    deep.write_text("a = " + "[" * 5000 + "]" * 5000)
    long.write_text("a = " + "9" * 5000)
    for path in (deep, long):
        with pytest.raises(BadInput, match="not valid TOML"):
            load(str(path))
    with open(tmp_path / "big.toml", "wb") as file:
        file.truncate(1 << 30)
    with pytest.raises(BadInput, match="more than 1048576 bytes"):
        load(str(tmp_path / "big.toml"))


def test_random_files_are_as_random_as_they_should_be():
    """Half of the files at least reach the compiler as TOML, and no two are the same."""
    files = [random_toml(seed) for seed in range(60)]
    assert len(set(files)) == 60 and files[7] == random_toml(7)
    assert sum(_parses(f) for f in files) > 40


def _parses(data):
    try:
        return bool(tomllib.loads(data.decode()))
    except ValueError:
        return False


def test_random_files_end_in_a_right_answer_or_a_sentence(tmp_path):
    figures = fuzz_toml.measure(tmp_path, True, Reporter(quiet=True))
    assert all(f.met for f in figures), (figures, (tmp_path / "fuzz_toml.json").read_text())
