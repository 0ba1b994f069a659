"""Offset and gain of converters: found, corrected, refused where they do not fit."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from golden.analog.array import AnalogArray
from golden.analog.converters import LineConverters
from golden.analog_macro import AnalogMacro, Window
from golden.plan import plan_block
from hebbar.cli.app import app
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.errors import BadInput
from hebbar.contract.files import release
from sim.analog.calibration import calibrated

CONTROL = {"align": 2, "row_bits": 9, "row_step": 15, "column_bits": 9, "column_step": 18}


def config(converters=(), **control):
    return load("digits_analog").replace(machine={"analog": {
        "device": {"weight_range": 1.0}, "control": CONTROL | control, "converters": dict(converters)}})


def converter_of(machine, side, lines):
    """Offset (LSB) and gain of the converter of every line, from what it holds of 0 and of a large sum."""
    c = LineConverters(machine, side)
    low, high = c.held(np.zeros(lines)), c.held(np.full(lines, 2.0**22))
    return low, (high - low) / 2.0 ** (22 - (CONTROL["row_step"] if side == "rows" else CONTROL["column_step"]))


@pytest.mark.parametrize("noise", [0.0, 0.5])
def test_it_finds_what_every_converter_is_off_by(noise):
    """Against the offset and gain that the model holds lines with. Without it a fit could lean on other converters."""
    c = config({"offset": 3.0, "gain": 0.1, "noise": noise})
    _, lines = calibrated(c)
    m = config({"offset": 3.0, "gain": 0.1}).machine
    for side, count, shared in (("row", m.array_rows, m.row_tiles), ("column", m.array_columns, m.lanes)):
        offset, gain = converter_of(m, side + "s", count)
        found = [x for x in lines if x.side == side]
        assert [x.converter for x in found] == list(range(shared)) and np.ptp(offset[:shared]) > 1
        for x in found:
            assert x.offset == pytest.approx(offset[x.converter], abs=0.1)
            assert x.gain == pytest.approx(gain[x.converter], abs=0.01)
            assert abs(x.offset_left) < 0.1 and x.gain_left == pytest.approx(1, abs=0.01)
            assert abs(x.offset) > 5 * abs(x.offset_left)


def test_a_calibrated_macro_sums_as_a_perfect_one():
    """To half an LSB of quantisation and what the fit leaves, over a whole block; uncalibrated it is many LSB off."""
    raw = config({"offset": 3.0, "gain": 0.1})
    corrected, _ = calibrated(raw, 1024)
    rng, errors = np.random.default_rng(0), {}
    for name, c in (("raw", raw), ("corrected", corrected)):
        p = compile_config(c)
        macro, plan = AnalogMacro(p.machine), plan_block(p, p.blocks[0], False)
        weights = rng.integers(-2000, 2000, (p.machine.weight_words, p.machine.row_tiles, p.machine.lanes))
        macro.load(weights)
        window = macro.read(plan)
        assert isinstance(window, Window)
        stored = macro.array.codes()[window.rows][:, window.columns]
        off = []
        for _ in range(50):
            x = rng.integers(-20, 21, window.columns.size)
            off.append(macro.forward(window, plan, x) - stored @ (x << plan.shift))
        errors[name] = np.abs(off).max() / 2.0**CONTROL["row_step"]
    assert errors["corrected"] < 1.0 < 3.0 < errors["raw"]


@pytest.mark.parametrize("control, words", [
    ({"row_offset": [1, 2, 3]}, "row_offset has 3 numbers and there are 2 converters"),
    ({"column_gain": [1 << 14] * 7}, "column_gain has 7 numbers and there are 8 converters"),
    ({"row_offset": [1 << 40, 0]}, "row_offset is beyond the 36 bits of the sums"),
    ({"row_gain": [100, 1 << 14]}, "row_gain.*greater than or equal to 8192"),
    ({"row_bits": 21, "row_gain": [1 << 14] * 2}, "need 36 bits and 2 for the calibration, more than the 36")])
def test_a_calibration_that_does_not_fit_is_refused(control, words):
    with pytest.raises(BadInput, match=words):
        config(**control)


@pytest.mark.parametrize("converters, control, words", [
    ({"offset": 1e6}, {}, "row converter 0 answers with 0 different codes"),
    ({}, {"row_step": 1}, "row converter 0 answers with 1 different codes"),
    ({}, {"column_step": 30}, "column converter 0 answers with 1 different codes")])
def test_a_converter_without_codes_in_its_range_is_named(converters, control, words):
    """Without it the fit of a straight line would end in an error of NumPy's."""
    with pytest.raises(BadInput, match=words):
        calibrated(config(converters, **control))


def test_only_an_analog_macro_is_calibrated():
    with pytest.raises(BadInput, match=r"machine.tile is 'rows'; only an analog macro has converters"):
        calibrated(load("tiny"))
    with pytest.raises(BadInput, match="8 reads do not settle"):
        calibrated(config(), 8)
    assert AnalogArray(config().machine).codes().any() == 0


def test_the_record_says_of_which_configuration_it_is(tmp_path):
    """Without it nobody could calibrate the same again from the manifest."""
    answer = CliRunner().invoke(app, ["calibrate", "digits_analog", "--reads", "16", "--quiet", "--out", str(tmp_path)],
                                catch_exceptions=False)
    release()
    assert answer.exit_code == 0
    assert json.loads((tmp_path / "manifest.json").read_text())["config"]["name"] == "digits_analog"
