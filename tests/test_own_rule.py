"""A learning rule of the user's own: from its file to the same bits on the RTL."""

from pathlib import Path

import numpy as np
import pytest

from golden.image import from_image
from golden.machine import Machine
from golden.reference.interpreter import FloatMachine
from golden.streams import rounded, to_codes, to_reals
from golden.training import initial_image
from hebbar.compiler import compile_config
from hebbar.config import load, parse
from hebbar.errors import BadInput
from sim.backends import golden, pysim
from sim.compare import compare
from sim.trace import Job

EXAMPLE = Path(__file__).parent.parent / "examples" / "own_rule" / "own_rule.toml"
SMALL = {"network": {"layers": [5, 6, 3], "activation": "tanh"},
         "machine": {"lanes": 4, "row_tiles": 2, "weight_words": 64, "neuron_words": 16}}
HEAD = "from hebbar.isa import Op, Sweep\nfrom hebbar.rules import rule\nfrom hebbar.schedule import *\n"


def small(tmp_path, body, name="mine", **rule):
    (tmp_path / "mine.py").write_text(HEAD + body)
    return parse(SMALL | {"rule": {"name": name, "source": str(tmp_path / "mine.py"), "alpha_shifts": [3, 3],
                                   "init_scales": [0.5, 0.5], **rule}}, "mine")


def samples(program, count=4):
    rng = np.random.default_rng(0)
    return rounded(program, "train", {t.key: rng.random((count, t.population.size)) for t in program.inputs["train"]})


def test_the_example_is_the_same_in_float_on_the_golden_machine_and_on_the_rtl():
    """Float to within quantisation, RTL word for word; without it a user's rule could mean two things."""
    config = load(str(EXAMPLE)).replace(network={"layers": [6, 8, 4]}, machine={
        "lanes": 4, "weight_words": 64, "neuron_words": 16})
    program = compile_config(config)
    machine, given = Machine(program), samples(program)
    machine.weights[...] = initial_image(program)
    floating = FloatMachine(program, from_image(program.layout, machine.weights))
    start = machine.weights.copy()
    machine.run("train", to_codes(program, "train", given))
    floating.run("train", given)
    for key, block in from_image(program.layout, machine.weights).items():
        assert np.abs(block - floating.weights[key]).max() < 0.02, key
    assert (machine.weights != start).any()
    job = Job(program, "train", start, to_codes(program, "train", given))
    assert compare(program, golden.run(job), pysim.run(job)).total_mismatches == 0


def test_its_order_of_learning_is_the_one_it_describes():
    """By hand in float: the readout from the feed-forward error, the hidden layer from the settled one."""
    config = load(str(EXAMPLE)).replace(network={"layers": [4, 5, 3]})
    program = compile_config(config)
    floating = FloatMachine(program, from_image(program.layout, initial_image(program)))
    w1, w2 = (floating.weights[k].copy() for k in (("x0", "x1"), ("x1", "x2")))
    given = samples(program, 1)
    a0, y = given["x0"][0], given["x2"][0]
    floating.run("train", given)
    f, slope = (lambda x: x / (1 + abs(x))), (lambda x: (1 + abs(x)) ** -2.0)
    x = w1 @ a0
    w2 = w2 + 2.0**-6 * np.outer(y - w2 @ f(x), f(x))
    for _ in range(8):
        x = x + 0.5 * (slope(x) * (w2.T @ (y - w2 @ f(x))) - (x - w1 @ a0))
    w1 = w1 + 2.0**-5 * np.outer(x - w1 @ a0, a0)
    assert np.abs(floating.weights["x0", "x1"] - w1).max() < 1e-12
    assert np.abs(floating.weights["x1", "x2"] - w2).max() < 1e-12


@pytest.mark.parametrize("body, rule, words", [
    ("def f(:\n", {}, "mine.py, line 4: SyntaxError|SyntaxError"),
    ("1 / 0\n", {}, "line 4: ZeroDivisionError"),
    ("@rule('other')\ndef other(s):\n    return s.start()\n", {}, "does not define.*other"),
    ("@rule('mine', pace=1)\ndef mine(s):\n    return s.start()\n", {"options": {"pase": 2}}, "no such option.*pace"),
    ("@rule('mine', pace=1)\ndef mine(s):\n    return s.start()\n", {"options": {"pace": "x"}}, "give a value like 1")])
def test_a_rule_that_cannot_be_used_is_refused_with_its_place(tmp_path, body, rule, words):
    """Without it a user would see a traceback of ours instead of a line of theirs."""
    with pytest.raises(BadInput, match=words):
        small(tmp_path, body, **rule)


def test_a_file_that_is_not_there_is_refused():
    with pytest.raises(BadInput, match="no Python file"):
        parse(SMALL | {"rule": {"name": "mine", "source": "nowhere.py"}}, "x")


@pytest.mark.parametrize("body, words", [
    ("@rule('mine')\ndef mine(s):\n    return [LoopOp(tuple(s.take('x0')), 2)]\n", "IN or OUT stands in a loop"),
    ("@rule('mine')\ndef mine(s):\n    return [s.op('nobody', Sweep.FWD)]\n", "'nobody' is not one block"),
    ("@rule('mine')\ndef mine(s):\n    return [ExitOp(arm=True), LoopOp((s.op('x1', Sweep.FWD), ExitOp()), 2)]\n",
     "machine.energy"),
    ("from hebbar.isa import Into, Mode\n@rule('mine')\ndef mine(s):\n"
     "    return [SeparateOp(s.block('x1'), Mode.MAX, Into.ERROR)]\n", "machine.separation")])
def test_a_schedule_that_cannot_run_is_refused_when_compiled(tmp_path, body, words):
    """Without it the machine would halt with an error, or wait for data that never come."""
    with pytest.raises(BadInput, match=words):
        compile_config(small(tmp_path, body))


def test_outputs_of_a_rule_leave_in_its_order(tmp_path):
    """A rule may stream what it likes; what it takes and gives is what a backend asks for and returns."""
    program = compile_config(small(tmp_path, (
        "@rule('mine')\ndef mine(s):\n    return [*s.take('x0'), s.op('x1', Sweep.FWD | Sweep.ERR | Sweep.INIT), "
        "*s.give('x1')]\n")))
    machine = Machine(program)
    machine.weights[...] = initial_image(program)
    given = rounded(program, "train", {"x0": np.random.default_rng(1).random((3, 5))})
    answers = to_reals(program, "train", machine.run("train", to_codes(program, "train", given)))
    weights = from_image(program.layout, machine.weights)["x0", "x1"]
    assert [t.key for t in program.outputs["train"]] == ["x1"]
    assert np.abs(answers["x1"] - given["x0"] @ weights.T).max() <= 2.0**-13
