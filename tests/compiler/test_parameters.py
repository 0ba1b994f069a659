"""What becomes a code runs as the number that was configured, or is refused with the key and the fix."""

import math
import os
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from helpers import graph, layered
from hypothesis import example, given, strategies as st

from golden.machine import Machine
from golden.session import initial_image
from hebbar import Experiment
from hebbar.compiler.config import load, preset_names
from hebbar.compiler.layout import Layout
from hebbar.compiler.parameters import effective, parameters
from hebbar.compiler.program import assemble, compile_config
from hebbar.compiler.rules import Schedule
from hebbar.compiler.schedule import LoopOp
from hebbar.contract.activations import ACTIVATIONS, Activation
from hebbar.contract.errors import BadInput
from hebbar.contract.formats import Format, code
from hebbar.contract.isa import Sweep


@given(st.fractions(-300, 300, max_denominator=10**6), st.integers(2, 17), st.integers(0, 12), st.booleans())
@example(Fraction(0), 2, 0, True)
def test_a_code_is_the_nearest_or_the_value_is_refused(value, bits, frac, up):
    """Without it a number could wrap, be cut off, or vanish. Exact arithmetic on fractions beside the floats."""
    exact = value * 2**frac
    nearest = math.ceil(exact) if up else math.floor(exact + Fraction(1, 2))
    nearest = min(max(nearest, -(2 ** (bits - 1))), 2 ** (bits - 1) - 1)
    off = abs(Fraction(nearest, 2**frac) - value)
    if abs(off - abs(value) / 20) < Fraction(1, 10**9):
        return  # on the border, where a float may fall on either side
    if off > abs(value) / 20:
        with pytest.raises(BadInput, match=r"here .* fix it"):
            code(float(value), Format(bits, frac), "here", "fix it", up=up)
    else:
        assert code(float(value), Format(bits, frac), "here", "fix it", up=up) == nearest


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e308])
def test_what_is_not_finite_is_refused(value):
    with pytest.raises(BadInput):
        code(value, Format(16, 12), "here", "fix it")


@pytest.mark.parametrize("bits", range(2, 9))
@pytest.mark.parametrize("frac", range(8))
def test_a_bias_is_one_on_every_width_or_refused(bits, frac):
    """1 has the code 2^frac, which takes frac + 2 bits; without it a machine could learn a bias of -1."""
    network = {"bias": True, "hidden_frac": frac, "input_frac": 0}
    config = layered([4, 2], network=network, activity_bits=bits, state_bits=16)
    if frac + 2 <= bits:
        program = compile_config(config)
        assert program.constants == {"one": 2**frac}
        assert Machine(program).activity[Machine(program).where("one")] == 2**frac
    else:
        with pytest.raises(BadInput, match=r"network.hidden_frac|of states up to 1"):
            compile_config(config)


@pytest.mark.parametrize("gamma", [k / 1000 for k in range(1, 60)] + [1.99, 1.9999])
def test_gamma_runs_within_five_percent_or_is_refused(gamma):
    nearest = min(math.floor(gamma * 128 + 0.5), 255)
    config = layered([4, 3, 2], rule={"gamma": gamma})
    if abs(nearest / 128 - gamma) <= 0.05 * gamma:
        program = compile_config(config)
        assert program.gains[0] == nearest and effective(program).gamma == nearest / 128
    else:
        with pytest.raises(BadInput, match=f"rule.gamma is {gamma:g} and would run as .*give a multiple of 0.0078125"):
            compile_config(config)


@pytest.mark.parametrize("changes, words", [
    ({"rule": {"beta": 0.001}}, "rule.beta is 0.001 and would run as 0,"),
    ({"rule": {"beta": 1e300}}, "rule.beta is 1e.300 and would run as 177.4, the end of"),
    ({"rule": {"tolerance": 1e-9}, "machine": {"energy": True}}, "rule.tolerance is 1e-09 and would run as 2.98e-08"),
    ({"rule": {"tolerance": 1e9}, "machine": {"energy": True}},
     "rule.tolerance is 1e.09 and would run as 128, the end"),
    ({"rule": {"init_scales": [9.0, 0.5]}}, r"rule.init_scales\[0\] is 9, so that first weights reach 7.79"),
    ({"rule": {"init_scales": [0.5, 1e-4]}}, r"rule.init_scales\[1\] is 0.0001, and weights in steps of"),
    ({"rule": {"init_scales": [1e300, 0.5]}}, r"rule.init_scales\[0\] is 1e.300"),
    ({"rule": {"alpha_shifts": [20, 3]}, "training": {"halve_alpha_at": list(range(1, 8))}},
     "alpha_shift 20 and 7 halvings in training.halve_alpha_at need an update shift of 33"),
    ({"network": {"hidden_frac": 8}, "machine": {"activity_frac": 8}}, "with activity_frac 8 is .* the end of Q-1.8"),
    ({"machine": {"activity_bits": 4}}, "of states up to 1 with activity_frac 5"),
    ({"network": {"activation": "spike"}, "machine": {"state_frac": 5}},
     "activation 'spike' is 1 at state 1 and 0 in")])
def test_what_would_run_as_something_else_is_refused_by_key(changes, words):
    config = layered([4, 3, 2]).replace(**changes)
    with pytest.raises(BadInput, match=words):
        compile_config(config)


def test_options_are_named():
    """The trace of STDP is a gain as well; without it it could stand still."""
    with pytest.raises(BadInput, match=r"rule.options.trace is 0.001 and would run as 0"):
        compile_config(load("stdp").replace(rule={"options": {"trace": 0.001, "depression": 0}}))


def test_thresholds_and_probabilities_need_a_one():
    with pytest.raises(BadInput, match=r"threshold of 'neurons'.*lower machine.state_frac to 14"):
        compile_config(load("stdp").replace(machine={"state_frac": 15, "weight_bits": 18, "weight_frac": 15}))
    with pytest.raises(BadInput, match=r"probability of 1 in population 'slots'.*raise machine.error_bits"):
        compile_config(load("hopfield").replace(machine={"error_bits": 12}))


def test_a_steep_activation_is_refused():
    """Its derivative would be cut off at 2, its table would be a ramp."""
    ACTIVATIONS["steep"] = Activation(lambda x: math.tanh(3 * x), lambda x: 3 / math.cosh(3 * x) ** 2)
    ACTIVATIONS["jump"] = Activation(lambda x: float(x > 0.03), lambda x: 0.0)
    try:
        with pytest.raises(BadInput, match="slope of activation 'steep' is 3"):
            compile_config(layered([4, 3, 2], network={"activation": "steep"}))
        with pytest.raises(BadInput, match=r"activation 'jump' is .* in the machine's table"):
            compile_config(layered([4, 3, 2], network={"activation": "jump"}))
    finally:
        del ACTIVATIONS["steep"], ACTIVATIONS["jump"]


@pytest.mark.parametrize("scale", [0.0006, 0.001, 0.01, 0.3])
def test_the_spread_of_rounded_weights_is_what_is_shown(scale):
    """The closed form against many weights that were drawn and rounded."""
    config = graph([("a", 16, "input", "identity", 7), ("b", 400, "target", "identity", 5)],
                   [("a", "b", {"scale": scale})], weight_words=4096, neuron_words=256)
    program = compile_config(config)
    used = next(p.used for p in parameters(program) if p.key.startswith("network.edges"))
    weights = initial_image(program)[:, 0] / 2.0**13
    assert abs(np.sqrt((weights[:1600] ** 2).mean() * 16) - used) < 0.03 * scale and abs(used - scale) <= 0.05 * scale


@pytest.mark.parametrize("name", preset_names())
def test_presets_run_as_configured(name):
    """The recorded figures are of the constants in the files, to half a percent."""
    shown = Experiment(name).parameters()
    assert {"rule.gamma", "rule.beta"} <= {p.key for p in shown}
    assert all(abs(p.difference) < 0.01 for p in shown), shown


def test_float_takes_the_gamma_of_the_machine():
    """gamma 0.3 is 38 / 128; without it float and fixed point would differ by more than arithmetic."""
    e = Experiment(layered([2, 2, 1], rule={"gamma": 0.3, "steps": 1}))
    one, other = e.float_machine(), Experiment(layered([2, 2, 1], rule={"gamma": 38 / 128, "steps": 1})).float_machine()
    for machine in (one, other):
        machine.run("train", {"x0": np.ones((1, 2)) / 2, "x2": np.ones((1, 1))})
    assert all((one.weights[k] == other.weights[k]).all() for k in one.weights)
    gamma = next(p for p in e.parameters() if p.key == "rule.gamma")
    assert (gamma.configured, gamma.used) == (0.3, 38 / 128) and abs(gamma.difference + 1 / 96) < 1e-12


def test_files_are_utf_8_whatever_the_locale(tmp_path):
    """A byte order mark and a C locale; without it a name could be refused, or read as another."""
    path = tmp_path / "net.toml"
    path.write_bytes(b"\xef\xbb\xbf" + TEXT.encode())
    found = subprocess.run(
        [sys.executable, "-c", ("from hebbar.compiler.config import load; assert "
                                f"load({str(path)!r}).network.populations[0].name == 'gr\\u00f6\\u00dfe'")],
        capture_output=True, text=True, env=os.environ | {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"})
    assert found.returncode == 0, found.stderr


TEXT = """
[[network.populations]]
name = "größe"
size = 4
role = "input"
[[network.populations]]
name = "aus"
size = 2
role = "target"
[[network.edges]]
source = "größe"
target = "aus"
"""


def test_loops_that_no_sequencer_counts_are_refused():
    """A fifth loop would halt the machine, a count of 13 bits would be another one."""
    config = layered([4, 3, 2])
    layout = Layout(config.build_network(), config.machine)
    s = Schedule(layout, config.rule, "train")
    body = (s.sweep(s.blocks[0], Sweep.FWD | Sweep.ERR),)
    nested = body
    for depth in range(5):
        nested = (LoopOp(nested, 2),)
        if depth < 4:
            assemble(config, {"train": nested}, layout)
        else:
            with pytest.raises(BadInput, match="loops nest more than 3 deep"):
                assemble(config, {"train": nested}, layout)
    for loop in (LoopOp(body, 4096), LoopOp(body, -1), LoopOp(body, register=5)):
        with pytest.raises(BadInput, match="give 0 to 4095 iterations, registers from 1 to 4"):
            assemble(config, {"train": (loop,)}, layout)


def test_sums_of_shared_weights_are_bounded_with_the_shift_of_their_own_source():
    """A coarser source is shifted further to the left, so that the same weights make larger sums."""
    populations = [("a", 8, "input", "identity", 7), ("b", 8, "input", "identity", 3),
                   ("t", 4, "target", "identity", 5)]
    edges = [("a", "t"), ("b", "t", {"shares": "a:t"})]
    need = 1 + (8 * 2**15 * 2**7 * 2**4).bit_length()  # 8 products of the largest weight and activity, shifted by 7 - 3
    compile_config(graph(populations, edges, row_sum_bits=need))
    with pytest.raises(BadInput, match=f"machine.row_sum_bits is {need - 1}, raise it to {need}"):
        compile_config(graph(populations, edges, row_sum_bits=need - 1))


def test_a_network_that_predicts_nothing_is_refused():
    with pytest.raises(BadInput, match="nothing is predicted"):
        compile_config(graph([("a", 4, "input")], []))
