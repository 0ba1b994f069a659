"""Programs of two phases, and of early exit, on the golden machine: their arithmetic, by hand and against float.

What the schedules of nudged PC, EqProp and CHL compute in float64 is held against theory here for the presets as
they ship, and in test_reference_interpreter for small networks.
"""

from fractions import Fraction
from math import floor

import numpy as np
import pytest
from helpers import graph, random_weights

from golden import reference as ref
from golden.image import from_image, to_image
from golden.learning.datasets import load as load_data
from golden.machine import Machine
from golden.reference.interpreter import FloatMachine
from golden.reference.weak_feedback import Settling, contrastive_hebbian, equilibrium_propagation, nudged_pc
from golden.streams import rounded, to_codes
from hebbar.compiler.config import load
from hebbar.compiler.network import layered
from hebbar.compiler.program import compile_config
from hebbar.contract.isa import Op, Sweep, decode

WEAK = [("nudged_pc", {"nudge": 1}), ("eqprop", {"nudge": 2, "symmetric": True}),
        ("eqprop", {"nudge": 1, "symmetric": False}), ("chl", {})]
IDS = ["nudged PC", "EqProp +-", "EqProp +", "CHL"]


def weak(name, options, steps=300, activation="tanh", frac=7):
    """A preset of two phases on 64-64-10, run until it rests; alpha 1/16."""
    return compile_config(load(name).replace(
        network={"activation": activation, "hidden_frac": frac},
        rule={"options": options, "steps": steps, "gamma": 0.25, "alpha_shifts": (4, 4), "init_scales": (0.5, 0.5)}))


def digits(program, count=1, first=0):
    """(streams as the machine sees them, their codes) of some training digits."""
    data = load_data(program.config.data).train.take(range(first, first + count))
    key = next(t.key for t in program.inputs["train"] if t.key != "x0")
    reals = {"x0": data.inputs_float, key: data.targets}
    return rounded(program, "train", reals), to_codes(program, "train", reals)


def start(program, seed=0):
    """A weight image and the real weights that it holds."""
    image = to_image(program.layout, ref.initial_weights(program.layout.network, seed))
    return image, from_image(program.layout, image)


def away(got, wanted):
    return np.sqrt(sum(((got[k] - wanted[k]) ** 2).sum() for k in wanted) / sum((w**2).sum() for w in wanted.values()))


def theory(name, options, weights, streams):
    """The descent at rest from an implementation that knows no schedule."""
    network = layered([64, 64, 10], "tanh", [0, 0], [0.5, 0.5])
    (x, y), fine = streams.values(), Settling(tolerance=1e-12)
    clamps, nudge = {"x0": x, "x2": y}, 2.0 ** -options.get("nudge", 0)
    return {"nudged_pc": lambda: nudged_pc(network, weights, clamps, nudge, fine),
            "eqprop": lambda: equilibrium_propagation(network, weights, clamps, nudge, fine, options.get("symmetric")),
            "chl": lambda: contrastive_hebbian(network, weights, clamps, fine)}[name]()


@pytest.mark.parametrize("name, options", WEAK, ids=IDS)
def test_shipped_programs_settle_to_what_theory_says(name, options):
    """Without it a preset could run another energy than the one its rule is named after."""
    program = weak(name, options)
    streams, _ = digits(program)
    _, before = start(program)
    machine = FloatMachine(program, before)
    machine.run("train", streams)
    got = {k: 16 * (machine.weights[k] - w) for k, w in before.items()}
    assert away(got, theory(name, options, before, streams)) < 1e-9


POPS = [("x", 5, "input", "identity", 7), ("h", 6, "hidden", "tanh", 5), ("y", 4, "target", "identity", 5),
        ("z", 3, "target", "identity", 5), ("d", 4, "hidden", "tanh", 5)]


def own(program, machine):
    """A copy of the weights that edges have of their own."""
    return {(e.source, e.target): machine.weights[e.source, e.target].copy() for e in program.layout.network.stored}


@pytest.mark.parametrize("pairs", [
    [("x", "h"), ("h", "y"), ("y", "z")], [("x", "h"), ("h", "y"), ("x", "d")],
    [("x", "h"), ("h", "y"), ("h", "z"), ("x", "z")]],
    ids=["a target that feeds another", "what nothing reads", "two targets"])
def test_contrastive_hebbian_clamps_targets_and_nothing_else(pairs):
    """What the reference learns with both phases at rest, which knows targets by their role."""
    pops = [p for p in POPS if any(p[0] in pair for pair in pairs)]
    program = compile_config(graph(pops, [(*pair, {"alpha_shift": 0}) for pair in pairs], {
        "name": "chl", "steps": 600, "gamma": 0.25}, weight_words=128, neuron_words=64, map_entries=64, blocks=32,
        program_words=128))
    weights = random_weights(program, 1, 0.3)
    machine, rng = FloatMachine(program, weights), np.random.default_rng(3)
    before = own(program, machine)
    given = {t.key: rng.random((1, t.population.size)) for t in program.inputs["train"]}
    machine.run("train", given)
    clamps = {key.removesuffix(".target"): values for key, values in given.items()}
    wanted = contrastive_hebbian(program.config.configured_network(), before, clamps, Settling(tolerance=1e-12))
    assert away({k: machine.weights[k] - w for k, w in before.items()}, wanted) < 1e-8


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
def test_nudged_pc_pulls_on_the_activity_of_the_output(activation):
    program = compile_config(graph([*POPS[:2], ("y", 4, "target", activation, 7)], [
        ("x", "h", {"alpha_shift": 0}), ("h", "y", {"alpha_shift": 0})], {
        "name": "nudged_pc", "steps": 800, "gamma": 0.25, "options": {"nudge": 1}}, weight_words=64))
    machine, rng = FloatMachine(program, random_weights(program, 1, 0.4)), np.random.default_rng(3)
    before = own(program, machine)
    x, y = rng.random((1, 5)), rng.random((1, 4))
    machine.run("train", {"x": x, "y.target": y})
    network, got = program.config.configured_network(), {k: machine.weights[k] - w for k, w in before.items()}
    found = {on: away(got, nudged_pc(network, before, {"x": x, "y": y}, 0.5, Settling(tolerance=1e-12), cost_on=on))
             for on in ("activity", "state")}
    assert found["activity"] < 1e-8 < 1e-2 < found["state"]


@pytest.mark.parametrize("name, options", WEAK, ids=IDS)
def test_fixed_point_learns_what_float_learns(name, options):
    """Within the last place of every quantity that an update is made of, and close to float as a whole.

    An activity is off by its own rounding and by that of its state, which stops moving where gamma times the force
    rounds to nothing. A product of two phases doubles that, divided by lambda; a weight rounds once in each.
    """
    program = weak(name, options)
    m, rule = program.machine, program.config.rule
    lambda_ = 2.0 ** -options.get("nudge", 0) * (2 if options.get("symmetric") else 1)
    streams, coded = digits(program, first=3)
    image, before = start(program)
    floating, fixed = FloatMachine(program, before), Machine(program)
    floating.run("train", streams)
    fixed.weights[...] = image
    fixed.run("train", coded)
    after = from_image(program.layout, fixed.weights)
    change = {k: floating.weights[k] - w for k, w in before.items()}
    got = {k: after[k] - w for k, w in before.items()}
    state = 4 * 2.0**-m.state_frac / rule.gamma
    activity = 2.0**-8 + state
    bound = 2.0**-4 / lambda_ * 2 * (2 * activity + activity**2) + 2 * 2.0**-m.weight_frac
    for k in change:
        assert np.abs(got[k] - change[k]).max() < bound, k
    assert away(got, change) < 0.2
    assert max(np.abs(w).max() for w in change.values()) > bound, "nothing was learnt that could have differed"


def by_hand(weights, post, pre, alpha):
    """w -> sat(round(w + alpha post pre)), half up, in exact fractions of a code of a weight."""
    def one(w, r, s):
        return min(max(int(w) + floor(alpha * int(r) * int(s) + Fraction(1, 2)), -(2**15)), 2**15 - 1)
    return np.array([[one(w, r, s) for w, s in zip(row, pre)] for row, r in zip(weights, post)])


@pytest.mark.parametrize("options, signs", [
    ({"nudge": 2, "symmetric": False}, (1, -1)), ({"nudge": 2, "symmetric": True}, (-1, 1)), (None, (1, -1))],
    ids=["EqProp +: nudged less free", "EqProp +-: the copies hold the phase at +lambda", "CHL: clamped less free"])
def test_two_updates_of_opposite_sign_in_this_order(options, signs):
    """Every weight, bit for bit, from the activities that the machine ends with; swapped signs would unlearn."""
    program = weak("chl" if options is None else "eqprop", options or {}, steps=9, frac=5)
    image, _ = start(program, 2)
    machine = Machine(program)
    machine.weights[...] = image
    machine.run("train", digits(program, first=5)[1])
    faster = 0 if options is None else options["nudge"] - options["symmetric"]
    now = {n: machine.activity[machine.where(n)].copy() for n in ("x0", "x1", "x2")}
    then = {n: machine.activity[machine.where(n if n == "x0" else f"{n}.first")].copy() for n in now}
    assert not np.array_equal(now["x1"], then["x1"]) and not np.array_equal(now["x2"], then["x2"])
    old, new = (from_image(program.layout, w) for w in (image, machine.weights))
    for pre, post in (("x0", "x1"), ("x1", "x2")):
        units = Fraction(2**13, 2 ** (program.layout.network.by_name[pre].activity_frac + 5))
        wanted = np.round(old[pre, post] * 2**13)
        for phase, sign in zip((now, then), signs):
            wanted = by_hand(wanted, phase[post], phase[pre], sign * units * Fraction(2**faster, 16))
        assert np.array_equal(new[pre, post] * 2**13, wanted)


@pytest.mark.parametrize("name, options", WEAK, ids=IDS)
def test_an_update_moves_the_output_towards_the_target(name, options):
    """Without it both phases could change places and everything above still agree with itself."""
    program = weak(name, options, steps=20)
    streams, coded = digits(program, first=8)
    key = next(k for k in streams if k != "x0")
    machine = Machine(program)
    machine.weights[...] = start(program, 4)[0]
    distances = []
    for _ in range(4):
        (output,) = machine.run("predict", {"x0": coded["x0"]}).values()
        distances.append(np.linalg.norm(streams[key] - output / 2**12))
        machine.run("train", coded)
    assert distances == sorted(distances, reverse=True) and distances[-1] < 0.9 * distances[0]


@pytest.mark.parametrize("tolerance, steps", [(2.0**-12, 12), (2.0**-7, 12), (2.0**-9, 6)])
def test_early_exit_decides_by_the_energy(tolerance, steps):
    """Every decision from the error memory alone, in exact fractions: E = 1/2 sum e^2 of this sample."""
    program = compile_config(load("early_exit").replace(rule={"tolerance": tolerance, "steps": steps}))
    exits = {n: decode(w).fields["arm"] for n, w in enumerate(program.words) if decode(w).op is Op.EXIT}
    machine, seen = Machine(program), []
    machine.weights[...] = start(program)[0]
    predicted = [machine.where(n) for n in ("x1", "x2")]

    def observe(pc, m):
        if pc + 1 in exits:
            codes = [int(e) for where in predicted for e in m.error[where]]
            seen.append((exits[pc + 1], Fraction(sum(e * e for e in codes), 2 * 4**12)))

    machine.run("train", digits(program, count=40)[1], observe)
    wanted, before, taken = [], Fraction(0), []
    for arm, energy in seen:
        if not arm:
            wanted.append(before - energy < Fraction(tolerance))
            taken[-1] += 1
        else:
            taken.append(0)
        before = energy
    assert machine.decisions == wanted and len(taken) == 40
    assert len(set(taken)) > 1, "every sample stopped after the same number of steps"
    assert machine.counters.read()["exits"] == sum(wanted)


def test_leaving_at_the_first_chance_is_inference_of_two_steps():
    """An exit that skipped the update, or left a step late, would learn other weights than IL of two steps."""
    learnt = {}
    for tolerance, steps in ((60.0, 8), (0.0, 2), (0.0, 3)):
        program = compile_config(load("early_exit").replace(rule={"tolerance": tolerance, "steps": steps}))
        machine = Machine(program)
        machine.weights[...] = start(program)[0]
        machine.run("train", digits(program, count=5)[1])
        learnt[steps] = from_image(program.layout, machine.weights)
    for key in learnt[8]:
        assert np.array_equal(learnt[8][key], learnt[2][key]) and not np.array_equal(learnt[2][key], learnt[3][key])


def test_flags_of_the_two_phases():
    """Feedback of activities, not of errors, in every state step of the network's own blocks."""
    program = weak("eqprop", {"nudge": 1, "symmetric": True})
    moving = [Sweep(f) for f in (decode(w).fields.get("flags", 0) for w in program.words) if Sweep(f) & Sweep.GATE]
    assert len(moving) == 6 and all(f & Sweep.STEP and f & Sweep.ERR for f in moving)
    assert sum(bool(f & Sweep.TRN) for f in moving) == 3 and all(f & Sweep.POST for f in moving if f & Sweep.TRN)
