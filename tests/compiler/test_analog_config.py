"""``[machine.analog]``: what is impossible is refused in a sentence that names the key, and its advice works."""

import re
import tomllib
from itertools import product

import numpy as np
import pytest
from helpers import graph, layered

from hebbar.compiler.program import compile_config
from hebbar.contract.analog import DEVICES, SMALL, device_names
from hebbar.contract.errors import BadInput

MACHINE = {"tile": "analog", "max_columns": 8, "weight_words": 64}
CONTROL = {"align": 2, "row_bits": 9, "row_step": 15, "column_bits": 9, "column_step": 18}


def build(sections=None, control=None, **machine):
    """A layered network on an analog macro, with other sections and other keys of ``control``."""
    config = layered([6, 5, 3], **MACHINE | machine, analog={"control": CONTROL | (control or {}), **(sections or {})})
    return compile_config(config)


def refusal(*words, call=build, **given):
    """The sentence that refuses, which has ``words``."""
    with pytest.raises(BadInput) as caught:
        call(**given)
    sentence = str(caught.value)
    for word in words:
        assert word in sentence
    assert sentence.endswith(".") and "\n" not in sentence and "Value error" not in sentence
    return sentence


def test_the_configuration_of_this_file_is_possible():
    """Without it the refusals below could be for another reason."""
    assert build().machine.analog.control.row_bits == 9


@pytest.mark.parametrize("sections, words", [
    ({"device": {"g_min": 30.0}}, ["machine.analog", "g_min 30 is not below g_max 25", "lower it"]),
    ({"device": {"g_min": 25.0}}, ["g_min 25 is not below g_max 25"]),
    ({"device": {"g_max": 0.0}}, ["machine.analog.device.g_max is 0", f"greater than or equal to {SMALL:f}"]),
    ({"device": {"g_min": -1.0}}, ["machine.analog.device.g_min is -1"]),
    ({"device": {"weight_range": 0.0}}, ["machine.analog.device.weight_range is 0"]),
    ({"device": {"levels": -2}}, ["machine.analog.device.levels is -2"]),
    ({"device": {"coding": "onesided"}}, ["machine.analog.device.coding", "did you mean 'one_sided'", "balanced"]),
    ({"device": {"gmin": 1.0}}, ["unknown key machine.analog.device.gmin", "did you mean 'g_min'"]),
    ({"devices": {}}, ["unknown key machine.analog.devices", "did you mean 'device'"]),
    ({"programming": {"noise": "much"}}, ["machine.analog.programming.noise", "much"]),
    ({"update": {"asymmetry": 1.0}}, ["machine.analog.update.asymmetry is 1", "less than 1"]),
    ({"update": {"asymmetry": -1.0}}, ["machine.analog.update.asymmetry is -1"]),
    ({"update": {"soft_bounds": 1.5}}, ["machine.analog.update.soft_bounds is 1.5"]),
    ({"faults": {"stuck_on": 1.1}}, ["machine.analog.faults.stuck_on is 1.1"]),
    ({"faults": {"stuck_on": 0.7, "stuck_off": 0.4}}, ["machine.analog", "stuck_on and stuck_off", "lower one"]),
    ({"read": {"drift_start": 0.0}}, ["machine.analog.read.drift_start is 0"]),
    ({"wires": {"model": "exakt"}}, ["machine.analog.wires.model", "did you mean 'exact'"]),
    ({"seed": -1}, ["machine.analog.seed is -1"]), ({"seed": 1 << 32}, ["machine.analog.seed is 4294967296"]),
    ({"preset": "pmc"}, ["machine.analog", "no device 'pmc'", "did you mean 'pcm'", "ideal"])])
def test_impossible_physics_is_refused(sections, words):
    """Without it a device that nobody can build would be trained on."""
    refusal(*words, sections=sections)


@pytest.mark.parametrize("key", [
    "read.additive", "read.proportional", "read.flicker", "read.flicker_exponent", "read.flicker_limit", "read.age",
    "read.drift", "read.drift_spread", "update.device_spread", "update.pulse_spread", "faults.stuck_on",
    "faults.stuck_off", "wires.word_resistance", "wires.bit_resistance", "wires.driver", "wires.sense",
    "converters.offset", "converters.gain", "converters.inl", "converters.noise", "converters.settling"])
def test_a_negative_size_of_an_error_is_refused(key):
    """Without it a sign in front of a sigma would be taken, and change nothing or everything."""
    section, name = key.split(".")
    for value in (-0.01, float("nan"), "a lot"):
        refusal(f"machine.analog.{key} is", sections={section: {name: value}})
    assert getattr(getattr(build({section: {name: 0.0}}).machine.analog, section), name) == 0


@pytest.mark.parametrize("control, words", [
    ({"row_bits": 54}, ["machine.analog.control.row_bits is 54"]),
    ({"column_step": 41}, ["machine.analog.control.column_step is 41"]),
    ({"align": 8}, ["machine.analog.control.align is 8"]), ({"pulses": 33}, ["machine.analog.control.pulses is 33"]),
    ({"pulses": 0}, ["machine.analog.control.pulses is 0"]), ({"bit_cycles": 0}, ["control.bit_cycles is 0"]),
    ({"pulse_exponent": 25}, ["control.pulse_exponent is 25"]), ({"verify": 256}, ["control.verify is 256"]),
    ({"update": "stochastical"}, ["machine.analog.control.update", "did you mean 'stochastic'"])])
def test_impossible_control_is_refused(control, words):
    """Without it registers of the RTL would be too narrow for what they count."""
    refusal(*words, control=control)


@pytest.mark.parametrize("side, sums", [("row", 36), ("column", 42)])
def test_converters_end_with_the_sums(side, sums):
    """Without it the upper bits of a converter would be cut off: the last that fits, the first that does not."""
    for bits in (2, 9, 20, sums):
        build(control={f"{side}_bits": bits, f"{side}_step": min(sums - bits, 40)})
        if sums - bits < 40:
            sentence = refusal(f"machine.analog.control.{side}_bits is {bits}", f"{sums} bits of the sums",
                               control={f"{side}_bits": bits, f"{side}_step": sums - bits + 1})
            advised = int(re.search(rf"lower {side}_step to (\d+)", sentence)[1])
            assert advised == sums - bits
    refusal(f"{side}_bits is {sums} with {side}_step 1", control={f"{side}_bits": 0, f"{side}_step": 1})
    assert build(control={f"{side}_bits": 0, f"{side}_step": 0})


@pytest.mark.parametrize("side", ["row", "column"])
@pytest.mark.parametrize("bits", [4, 9, 12])
def test_converters_reach_the_states(side, bits):
    """Without it every sum would stick at the ends of the converters and nothing be learnt: a converter has to reach
    one half, the reach is 2^(bits - 1 + step) codes, a code 2^-20 of a row sum (13 + 7 bits), 2^-25 of a feedback
    sum."""
    frac = {"row": 13 + 7, "column": 13 + 12}[side]
    least = next(step for step in range(40) if 2 ** (bits - 1 + step) / 2**frac >= 0.5)
    for step in range(least + 1):
        control = {f"{side}_bits": bits, f"{side}_step": step}
        if step == least:
            build(control=control)
            break
        sentence = refusal(f"machine.analog.control.{side}_bits and {side}_step", control=control)
        assert int(re.search(rf"raise {side}_step by (\d+)", sentence)[1]) == least - step


@pytest.mark.parametrize("fracs", [(7, 5), (5, 2), (4, 7), (0, 7)])
def test_inputs_are_aligned_as_far_as_the_drivers_go(fracs):
    """Without it the upper bits of an activity would not be driven: exactly the advised alignment is enough."""
    need = 7 - min(fracs)
    network = {"input_frac": fracs[0], "hidden_frac": fracs[1]}

    def narrow(align):
        control = CONTROL | {"align": align}
        return compile_config(layered([6, 5, 3], network=network, **MACHINE, analog={"control": control}))

    narrow(need)
    for align in range(need):
        sentence = refusal("network.edges:", f"machine.analog.control.align is {align}", call=narrow, align=align)
        advised = int(re.search(r"raise it to (\d+)", sentence)[1])
        assert align < advised <= need


@pytest.mark.parametrize("option, words", [
    ("zero_diagonal", ["'h' to 'h' has zero_diagonal", "'rows'"]), ("positive", ["'h' to 'h' has positive", "'rows'"]),
    ("identity", ["'h' to 'h' is an identity", "the analog tile", "'rows'"])])
def test_edges_that_need_single_cells_are_refused(option, words):
    """Without it weights that have to stay zero or positive would be learnt, and an identity be nothing."""
    edges = [("x", "h"), ("h", "h", {option: True, "plastic": option != "identity"}), ("h", "y")]

    def other(tile):
        populations = [("x", 4, "input"), ("h", 5), ("y", 3, "target")]
        control = {"control": CONTROL} if tile == "analog" else {}
        return compile_config(graph(populations, edges, **MACHINE | {"tile": tile}, analog=control))

    refusal("network.edges:", *words, call=other, tile="analog")
    other("rows")


def test_the_cells_of_a_macro_are_whole_rows_and_not_too_many():
    """Without it the last weight words would lead nowhere, or the model would take all memory."""
    refusal("weight_words is 65", "multiple of max_columns (8)", "72", weight_words=65)
    refusal("weight_words is 262152", "at most 1048576", weight_words=262152, neuron_words=4096)


@pytest.mark.parametrize("name", device_names())
def test_a_preset_gives_way_to_what_is_given(name):
    """Without it a key beside a preset could be dropped, or drop all others of its section."""
    known = tomllib.loads((DEVICES / f"{name}.toml").read_text())
    assert set(known) <= {"control", "device", "programming", "read", "update", "faults", "wires", "converters"}
    plain = build({"preset": name}).machine.analog
    for section, values in known.items():
        for key, value in values.items():
            found = getattr(getattr(plain, section), key)
            assert (list(found) == value if isinstance(value, list) else found == value), (section, key)
    other = build({"preset": name, "device": {"weight_range": 1.75}}, {"pulses": 7}).machine.analog
    assert (other.device.weight_range, other.control.pulses) == (1.75, 7)
    assert other.device.g_max == plain.device.g_max and other.control.update == plain.control.update


def test_stuck_shares_may_add_up_to_all():
    """Without it rounding could refuse a sum that is one."""
    for on, off in product(np.linspace(0, 1, 11), repeat=2):
        if round(10 * (on + off)) <= 10:
            build({"faults": {"stuck_on": float(on), "stuck_off": float(off)}})
