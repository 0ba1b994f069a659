"""A learning rule of the user's own: from its file to the same bits on the RTL, and what is refused with its line."""

import pickle
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from golden.image import from_image
from golden.machine import Machine
from golden.reference.interpreter import FloatMachine
from golden.session import initial_image
from golden.streams import rounded, to_codes, to_reals
from golden.trace import Job
from hebbar.compiler.config import load, parse
from hebbar.compiler.program import compile_config
from hebbar.contract.activations import ACTIVATIONS
from hebbar.contract.errors import BadInput
from hebbar.contract.isa import Op, decode
from hebbar.contract.memories import Mem
from sim.backends import golden, pysim
from sim.compare import compare

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "examples" / "own_rule" / "own_rule.toml"
SMALL = {"network": {"layers": [5, 6, 3], "activation": "tanh"},
         "machine": {"lanes": 4, "row_tiles": 2, "weight_words": 64, "neuron_words": 16}}
HEAD = ("from hebbar.contract.isa import Into, Mode, Op, Sweep\nfrom hebbar.compiler.rules import rule\n"
        "from hebbar.compiler.schedule import *\n")
MINE = "@rule('mine', pace=1)\ndef mine(s):\n    return "


@pytest.fixture(autouse=True)
def activations():
    """Names that a test defines are gone after it."""
    kept = dict(ACTIVATIONS)
    yield
    ACTIVATIONS.clear()
    ACTIVATIONS.update(kept)


def small(tmp_path, body, name="mine", network=SMALL["network"], **rule):
    (tmp_path / "mine.py").write_text(HEAD + body)
    layers = {"alpha_shifts": [3, 3], "init_scales": [0.5, 0.5]} if "layers" in network else {}
    return parse(SMALL | {"network": network, "rule": {
        "name": name, "source": str(tmp_path / "mine.py"), **layers, **rule}}, "mine")


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


@pytest.mark.parametrize("slower, hoist", [(0, True), (1, True), (0, False)])
def test_its_order_of_learning_is_the_one_it_describes(slower, hoist):
    """By hand in float: the readout from the feed-forward error, the hidden layer from the settled one."""
    config = load(str(EXAMPLE)).replace(network={"layers": [4, 5, 3]}, rule={
        "alpha_shifts": [5, 6], "options": {"slower": slower}, "hoist": hoist})
    program = compile_config(config)
    floating = FloatMachine(program, from_image(program.layout, initial_image(program)))
    w1, w2 = (floating.weights[k].copy() for k in (("x0", "x1"), ("x1", "x2")))
    given = samples(program, 1)
    a0, y = given["x0"][0], given["x2"][0]
    floating.run("train", given)
    f, slope = (lambda x: x / (1 + abs(x))), (lambda x: (1 + abs(x)) ** -2.0)
    x = w1 @ a0
    w2 = w2 + 2.0 ** -(6 + slower) * np.outer(y - w2 @ f(x), f(x))
    for _ in range(8):
        x = x + 0.5 * (slope(x) * (w2.T @ (y - w2 @ f(x))) - (x - w1 @ a0))
    w1 = w1 + 2.0**-5 * np.outer(x - w1 @ a0, a0)
    assert np.abs(floating.weights["x0", "x1"] - w1).max() < 1e-12
    assert np.abs(floating.weights["x1", "x2"] - w2).max() < 1e-12


def test_the_source_is_found_from_the_folder_of_its_configuration(tmp_path, monkeypatch):
    """Without it `hebbar run` would work from one folder only; a dictionary's source is found from where it is made."""
    shutil.copytree(EXAMPLE.parent, tmp_path / "mine")
    monkeypatch.chdir(tmp_path)
    config = load("mine/own_rule.toml")
    assert Path(config.rule.source) == (tmp_path / "mine" / "own_rule.py").resolve()
    data = config.model_dump() | {"rule": config.rule.model_dump() | {"source": "mine/own_rule.py"}}
    monkeypatch.chdir("/")
    assert config.replace(training={"epochs": 1}).rule.source == config.rule.source
    with pytest.raises(BadInput, match=r"/mine/own_rule.py', which is no Python file"):
        parse(data, "x")
    monkeypatch.chdir(tmp_path)
    assert parse(data, "x").rule.source == config.rule.source


def test_another_process_has_the_same_program_and_the_same_weights(tmp_path):
    """A worker is sent the configuration alone: without it no sweep over seeds could run a user's rule."""
    config = load(str(EXAMPLE)).replace(training={"epochs": 1, "seed": 3})
    (tmp_path / "config").write_bytes(pickle.dumps(config))
    script = ("import pickle, sys; from pathlib import Path\n"
              "from hebbar.compiler.program import compile_config\nfrom golden.learning.training import train_float\n"
              "from hebbar.studies.parameter_sweep import row\n"
              "config = pickle.loads(Path('config').read_bytes())\n"
              "Path('found').write_bytes(pickle.dumps((compile_config(config), row(config, 3))))\n")
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True, timeout=200)
    from hebbar.studies.parameter_sweep import row

    program, found = pickle.loads((tmp_path / "found").read_bytes())
    assert program == compile_config(config)
    assert found == row(config, 3)


def test_a_changed_file_is_read_again(tmp_path):
    """In a notebook: without it the second version of a rule or an activation would be the first, unnoticed."""
    body = ("from hebbar.contract.activations import activation\n@activation('bent')\ndef bent(x):\n"
            "    return SLOPE * x\n" + MINE + "s.start(Sweep.UPD)\n")
    network = {"layers": [5, 6, 3], "activation": "bent"}
    tables = [compile_config(small(tmp_path, body.replace("SLOPE", slope), network=network)).functions
              for slope in ("0.25", "0.50", "0.25")]
    assert tables[0] == tables[2] != tables[1]
    with pytest.raises(BadInput, match="line 11: ZeroDivisionError"):
        small(tmp_path, body.replace("SLOPE", "0.75") + "1 / 0\n", network=network)
    assert ACTIVATIONS["bent"].f(4.0) == 1.0, "a file that fails leaves what there was"


@pytest.mark.parametrize("body, rule, words", [
    ("def f(:\n", {}, r"mine.py, line 4: SyntaxError, "),
    ("1 / 0\n", {}, "mine.py, line 4: ZeroDivisionError, division by zero"),
    ("import nowhere\n", {}, "mine.py, line 4: ModuleNotFoundError"),
    (MINE + "s.start()\n", {"name": "mina"}, "'mina', which .*mine.py does not define; did you mean 'mine'"),
    ("", {}, "does not define; put @rule"),
    (MINE + "s.start()\n\n@rule('mine')\ndef other(s):\n    return []\n", {}, "defines two rules 'mine'"),
    (MINE + "s.start()\n", {"options": {"pase": 2}}, "no such option; did you mean 'pace'"),
    (MINE + "s.start()\n", {"options": {"pace": "x"}}, "give a value like 1"),
    (MINE.replace("pace=1", "prepare=lambda n, o: 3") + "s.start()\n", {}, "gives int; return a Network"),
    (MINE.replace("pace=1", "prepare=lambda n, o: n.nodes") + "s.start()\n", {}, "line 4: AttributeError")])
def test_a_rule_that_cannot_be_used_is_refused_with_its_place(tmp_path, body, rule, words):
    """Without it a user would see a traceback of ours instead of a line of theirs."""
    with pytest.raises(BadInput, match=words):
        small(tmp_path, body, **rule)


def test_a_file_that_is_not_there_is_refused():
    with pytest.raises(BadInput, match="no Python file"):
        parse(SMALL | {"rule": {"name": "mine", "source": "nowhere.py"}}, "x")


@pytest.mark.parametrize("expression, words", [
    ("s.strat()", "mine.py, line 6: AttributeError, .*'strat'"),
    ("None", "mine gives NoneType; return a list"),
    ("[s.start()]", "gives list among its micro-operations"),
    ("[LoopOp((s.start(),), 2)]", "in a loop, gives list among"),
    ("[LoopOp(tuple(s.stream_in('x0')), 2)]", "IN or OUT stands in a loop"),
    ("[*s.stream_in('x0'), *s.stream_in('x0')]", "IN of 'x0' twice"),
    ("[*s.stream_out('x1'), *s.stream_out('x1', memory=2)]", "OUT of 'x1' twice"),
    ("[s.op('nobody', Sweep.FWD)]", "mine.py, line 6: 'nobody' is not one block"),
    ("[s.op('x1', Sweep.FWD, gain=g / 8) for g in range(5)]", "needs 5 different gains|needs 6 different gains"),
    ("[ExitOp(arm=True), LoopOp((s.op('x1', Sweep.FWD), ExitOp()), 2)]", "machine.energy"),
    ("[SeparateOp(s.block('x1'), Mode.MAX, Into.ERROR)]", "machine.separation")])
def test_a_schedule_that_cannot_run_is_refused_when_compiled(tmp_path, expression, words):
    """Without it the machine would halt with an error, or wait for data that never come."""
    with pytest.raises(BadInput, match=words):
        compile_config(small(tmp_path, MINE + expression + "\n"))


@pytest.mark.parametrize("flags, words", [
    ("Sweep.FWD | Sweep.ACT", "feeds itself, has ACT beside FWD"), ("Sweep.UPD | Sweep.ACT", "ACT beside UPD"),
    ("Sweep.TRN | Sweep.STEP | Sweep.BACK", "BACK beside TRN"), ("Sweep.FWD | Sweep.ERR | Sweep.STEP", "")])
def test_a_population_that_feeds_itself_moves_in_a_sweep_of_its_own(tmp_path, flags, words):
    """Its rows overlap in the machine: one would read what another one has just written."""
    network = {"populations": [{"name": "in", "size": 4, "role": "input"}, {"name": "loop", "size": 5}],
               "edges": [{"source": "in", "target": "loop"}, {"source": "loop", "target": "loop"}]}
    config = small(tmp_path, MINE + f"[s.op('loop', {flags})]\n", network=network)
    if not words:
        assert compile_config(config).words
        return
    with pytest.raises(BadInput, match=re.escape(words)):
        compile_config(config)


def definition(name, value):
    return f"from hebbar.contract.activations import activation\n@activation({name!r})\ndef f(x):\n    return {value}\n"


@pytest.mark.parametrize("value, words", [
    ("1 / x", "line 5: activation 'own' or its derivative fails at 0 .ZeroDivisionError"),
    ("x ** 2 if x < 7 else float('inf')", "is inf at 7"), ("'x'", "fails at -8 .ValueError")])
def test_an_activation_needs_a_value_everywhere(tmp_path, value, words):
    with pytest.raises(BadInput, match=words):
        small(tmp_path, definition("own", value) + MINE + "s.start()\n")


def test_a_name_has_one_activation(tmp_path):
    """Two programs of one process would share a table: without it the later definition would change the earlier."""
    with pytest.raises(BadInput, match=r"mine.py, line 5: activation 'tanh' exists already, with other values"):
        small(tmp_path, definition("tanh", "x / 2") + MINE + "s.start()\n")
    twice = "import math\n" + definition("own", "math.sin(x)") + definition("own", "math.cos(x)")
    with pytest.raises(BadInput, match="line 10: activation 'own' exists already"):
        small(tmp_path, twice + MINE + "s.start()\n")
    assert "own" not in ACTIVATIONS
    (tmp_path / "second").mkdir()
    body = "import math\n" + definition("own", "math.sin(x)") + MINE + "s.start()\n"
    small(tmp_path, body)
    small(tmp_path / "second", body)
    with pytest.raises(BadInput, match="exists already"):
        small(tmp_path / "second", body.replace("sin", "cos"))


def test_an_unknown_activation_is_refused_with_the_nearest():
    """The names of a rule's file count, those that nobody defined do not."""
    with pytest.raises(BadInput, match="'softsing'; did you mean 'softsign'"):
        load(str(EXAMPLE)).replace(network={"activation": "softsing"})


def test_outputs_of_a_rule_leave_in_its_order(tmp_path):
    """A rule may stream what it likes; what it takes and gives is what a backend asks for and returns."""
    program = compile_config(small(tmp_path, (
        MINE + "[*s.stream_in('x2', 'x0'), s.op('x1', Sweep.FWD | Sweep.ERR | Sweep.INIT), "
        "*s.stream_out('x1', memory=2), *s.stream_out('x2')]\n")))
    moves = [i for i in map(decode, program.words[:program.entries["predict"]]) if i.op in (Op.IN, Op.OUT)]
    word = {name: place.word for name, place in program.layout.places.items()}
    assert [(i.op, i.fields["address"], i.fields["memory"], i.fields["last"]) for i in moves] == [
        (Op.IN, word["x2"], Mem.STATE, 0), (Op.IN, word["x0"], Mem.ACTIVITY, 1),
        (Op.OUT, word["x1"], Mem.ERROR, 0), (Op.OUT, word["x2"], Mem.STATE, 1)]
    machine = Machine(program)
    machine.weights[...] = initial_image(program)
    rng = np.random.default_rng(1)
    given = rounded(program, "train", {"x0": rng.random((3, 5)), "x2": rng.random((3, 3))})
    answers = to_reals(program, "train", machine.run("train", to_codes(program, "train", given)))
    assert list(answers) == ["x1", "x2"] and (answers["x2"] == given["x2"]).all()
    assert not answers["x1"].any(), "a state that takes its prediction has no error"
