"""Schedules in float64 against the theory: every built-in rule computes what its paper says.

The interpreter executes the micro-operations of a compiled program without rounding. What they should
compute comes from implementations that know no schedule, so a wrong order of sweeps, a lost sign or a rate
that is off by two shows here and not as a point of accuracy.
"""

import numpy as np
import pytest

from golden import reference as ref
from golden.learning.datasets import Dataset, Samples, epoch_order
from golden.learning.training import train_float
from golden.reference import covpcn, hopfield, reward_bases, spiking
from golden.reference.interpreter import FloatMachine
from golden.reference.weak_feedback import Settling, contrastive_hebbian, equilibrium_propagation, nudged_pc
from hebbar.compiler.config import parse
from hebbar.compiler.network import layered
from hebbar.compiler.program import compile_config

MACHINE = {"lanes": 4, "row_tiles": 2, "weight_words": 512, "neuron_words": 64, "max_columns": 16, "map_entries": 512,
           "blocks": 128, "program_words": 1024, "functions": 8, "separation": 32, "energy": True}


def program(populations, edges, **rule):
    """Populations: name, size, role, {options}; edges: source, target, {options}."""
    return compile_config(parse({
        "network": {"populations": [dict(name=n, size=s, role=r, **o) for n, s, r, o in populations],
                    "edges": [dict(source=e[0], target=e[1], **(e[2] if len(e) > 2 else {})) for e in edges]},
        "rule": rule, "machine": MACHINE}, "test"))


def elements(mask="skip", error="gaussian", precision=-1, **rule):
    """A residual network with an identity beside weights, a mask, a sign, precisions, a frozen edge and biases."""
    edges = [("in", "a"), ("a", "b", {"positive": True}), ("b", "out", {"alpha_shift": 3}), ("a", "out"),
             ("in", "b", {"plastic": False}), ("one", "b", {"scale": 0.3}), ("one", "out", {"scale": 0.3})]
    edges = [(e[0], e[1], {"scale": 1.0} | (e[2] if len(e) > 2 else {})) for e in edges]
    edges.append(("a", "b", {"identity": True, "plastic": False}))
    masked = {"skip": 0, "out": 3}[mask]
    edges[masked][2]["mask"] = ("10", "11")
    return program([("in", 8, "input", {}), ("a", 8, "hidden", {"activation": "tanh", "precision": precision}),
                    ("b", 8, "hidden", {"activation": "sigmoid"}), ("out", 8, "target", {"error": error}),
                    ("one", 1, "constant", {})], edges, gamma=0.25, **{"steps": 9} | rule)


def data(count=5, seed=0):
    """Inputs and one-hot targets."""
    return np.random.default_rng(seed).normal(size=(count, 8)), np.eye(8)[np.arange(count) % 8]


def same(got, wanted, tolerance=1e-12):
    assert got.keys() == wanted.keys()
    for key in got:
        np.testing.assert_allclose(got[key], wanted[key], rtol=tolerance, atol=tolerance, err_msg=str(key))


def trained(p, samples, seed=1):
    """(weights before, weights after) of the schedule over the samples."""
    weights = ref.initial_weights(p.layout.network, seed)
    machine = FloatMachine(p, weights)
    machine.run("train", samples)
    assert max(np.abs(machine.weights[k] - weights[k]).max() for k in weights) > 1e-4
    return weights, machine.weights


@pytest.mark.parametrize("error, mask", [("gaussian", "skip"), ("gaussian", "out"), ("categorical", "skip")])
@pytest.mark.parametrize("name", ["il", "ipc", "zil", "backprop"])
def test_predictive_coding_with_every_element(name, error, mask):
    """Two codes without a line in common: sweeps on neuron addresses, and sums over a graph."""
    p, (x, y) = elements(mask, error, -1 if name in ("il", "ipc") else 0, name=name), data()
    before, after = trained(p, {"in": x, "out": y})
    same(after, ref.train_epoch(p.layout.network, before, x, y, p.config.rule, range(5), 1))
    answers = FloatMachine(p, after).run("predict", {"in": x})["out"]
    np.testing.assert_allclose(answers, ref.predict(p.layout.network, after, x, p.config.rule), rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("tolerance", [0.001, 0.02, 0.2])
def test_early_exit_stops_each_sample_by_its_own_energy(tolerance):
    """An energy that carries over from the sample before, or forgets the target, stops too late or at once."""
    p, (x, y) = elements(name="il", steps=30, tolerance=tolerance), data()
    before, after = trained(p, {"in": x, "out": y})
    same(after, ref.train_epoch(p.layout.network, before, x, y, p.config.rule, range(5), 1))


@pytest.mark.parametrize("beta", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("name", ["il", "ipc", "zil", "backprop"])
def test_training_in_float_has_the_configured_temperature(name, beta):
    """Without hidden nodes every rule is logistic regression, W += alpha (y - softmax(beta W x)) x^T; without
    it the float curve beside the fixed one would be of another softmax."""
    p = program([("x", 8, "input", {}), ("y", 3, "target", {"error": "categorical"})], [("x", "y", {"alpha_shift": 1})],
                name=name, steps=1, beta=beta)
    rng, frac = np.random.default_rng(5), p.layout.network.by_name["x"].activity_frac
    parts = [Samples(rng.integers(-32, 33, (n, 8)), rng.integers(0, 3, n), frac, 3) for n in (12, 4)]
    weights = ref.initial_weights(p.layout.network, p.config.training.seed)["x", "y"].copy()
    for epoch in range(p.config.training.epochs):
        for i in epoch_order(12, p.config.training.seed, epoch):
            x, y = parts[0].codes[i] / 2.0**frac, np.eye(3)[parts[0].labels[i]]
            odds = np.exp(beta * (weights @ x))
            weights += 0.5 * np.outer(y - odds / odds.sum(), x)
    same(train_float(p, Dataset(*parts, "stratified", 0)).weights, {("x", "y"): weights}, 1e-9)


def chain(activation="tanh", **rule):
    return program([("x0", 5, "input", {}), ("x1", 6, "hidden", {"activation": activation}),
                    ("x2", 4, "hidden", {"activation": activation}), ("x3", 3, "target", {})],
                   [(f"x{n}", f"x{n + 1}", {"alpha_shift": n, "scale": 0.7}) for n in range(3)], **rule)


def plain(p):
    """The layered network that a rule has been given, under the same names."""
    edges = p.config.network.edges
    return layered([5, 6, 4, 3], "tanh", [e.alpha_shift for e in edges], [e.scale for e in edges])


@pytest.mark.parametrize("name, options", [
    ("nudged_pc", {"nudge": 1}), ("nudged_pc", {"nudge": 4}), ("eqprop", {"nudge": 3, "symmetric": False}),
    ("eqprop", {"nudge": 2, "symmetric": True}), ("chl", {})])
def test_two_phases_at_rest_are_what_theory_says(name, options):
    """One sample, enough steps: the update is alpha times the descent, with its sign and its 1/lambda."""
    p = chain(name=name, steps=1500, gamma=0.25, options=options)
    network, rng = plain(p), np.random.default_rng(3)
    x, y = rng.normal(size=(1, 5)), rng.normal(size=(1, 3))
    key = next(t.key for t in p.inputs["train"] if t.key != "x0")
    before, after = trained(p, {"x0": x, key: y})
    fine, clamps, nudge = Settling(tolerance=1e-13), {"x0": x, "x3": y}, 2.0 ** -options.get("nudge", 0)
    wanted = {"nudged_pc": lambda: nudged_pc(network, before, clamps, nudge, fine),
              "eqprop": lambda: equilibrium_propagation(network, before, clamps, nudge, fine, options.get("symmetric")),
              "chl": lambda: contrastive_hebbian(network, before, clamps, fine)}[name]()
    for n, key in enumerate(before):
        change = 2.0**n * (after[key] - before[key])
        np.testing.assert_allclose(change, wanted[key], rtol=1e-7, atol=1e-9, err_msg=str(key))


def memory(separation="softmax", steps=1, beta=4.0):
    return program([("q", 10, "input", {}), ("slots", 6, "hidden", {}), ("z", 10, "target", {})],
                   [("q", "slots", {"alpha_shift": 0, "scale": 0.0}), ("z", "slots", {"shares": "q:slots"})],
                   name="hopfield", steps=steps, beta=beta, options={"separation": separation})


@pytest.mark.parametrize("separation, name", [("softmax", "softmax"), ("max", "max"), ("activation", "identity")])
@pytest.mark.parametrize("steps", [1, 3])
def test_hopfield_networks_store_and_recall(separation, name, steps):
    """FWD, separation, TRN on the one stored array."""
    rng = np.random.default_rng(2)
    patterns, queries = rng.normal(size=(6, 10)), rng.normal(size=(5, 10))
    p = memory(separation, steps, 1.5)
    machine = FloatMachine(p, ref.initial_weights(p.layout.network, 0))
    machine.run("train", {t.key: {"q": patterns}.get(t.key, np.eye(6)) for t in p.inputs["train"]})
    np.testing.assert_allclose(machine.weights["q", "slots"], patterns, rtol=1e-13)
    answers = machine.run("predict", {"q": queries})["z"]
    how = hopfield.Retrieval("dot", name, 1.0 if separation == "activation" else 1.5)
    wanted = hopfield.iterate(hopfield.filled(patterns), queries, how, steps)
    np.testing.assert_allclose(answers, wanted, rtol=1e-11, atol=1e-11)


def test_reward_bases_learn_by_their_own_deltas():
    """Theorem 11 in the schedule's arithmetic: r - w (phi - g phi'), learnt on phi and not on the difference."""
    p = program([("phi", 6, "input", {}), ("next", 6, "input", {}), ("difference", 6, "hidden", {}),
                 ("values", 3, "target", {})],
                [("phi", "difference", {"identity": True, "plastic": False}),
                 ("next", "difference", {"identity": True, "plastic": False}),
                 ("phi", "values", {"alpha_shift": 3, "scale": 0.5}),
                 ("difference", "values", {"shares": "phi:values"})],
                name="reward_bases")
    rng = np.random.default_rng(5)
    phi, after, r = rng.normal(size=(20, 6)), rng.normal(size=(20, 6)), rng.normal(size=(20, 3))
    after[7] = 0
    before, weights = trained(p, {"phi": phi, "next": -0.875 * after, "values": r})
    steps = [reward_bases.Transition(*row) for row in zip(phi, r, after)]
    wanted = reward_bases.run(before["phi", "values"], steps, 0.875, 0.125)[-1]
    np.testing.assert_allclose(weights["phi", "values"], wanted, rtol=1e-12, atol=1e-13)
    answers = FloatMachine(p, weights).run("predict", {t.key: phi for t in p.inputs["predict"]})["values"]
    np.testing.assert_allclose(answers, reward_bases.values(wanted, phi), rtol=1e-12)


@pytest.mark.parametrize("depression", [0, 1])
def test_spikes_and_their_timing(depression):
    """Leak, threshold, reset, traces and both halves of the pair rule, step by step."""
    p = program([("pre", 9, "input", {}), ("post", 5, "hidden", {"activation": "spike"})],
                [("pre", "post", {"alpha_shift": 5, "scale": 1.5, "positive": True})],
                name="stdp", gamma=0.25, options={"trace": 0.125, "depression": depression})
    spikes = (np.random.default_rng(1).random((60, 9)) < 0.4).astype(float)
    before, after = trained(p, {"pre": spikes})
    stdp = spiking.Stdp(2.0**-5, 2.0 ** -(5 + depression), 100.0)
    trace = spiking.low_pass_trace(0.125)
    wanted, fired = spiking.learn(spiking.Lif(tau=4.0), stdp, before["pre", "post"], spikes, trace, trace)
    assert fired.sum() > 20 and (wanted > 0).all()
    np.testing.assert_allclose(after["pre", "post"], wanted, rtol=1e-12)
    machine = FloatMachine(p, before)
    seen = machine.run("train", {"pre": spikes})
    assert (next(iter(seen.values())) == fired).all()


@pytest.mark.parametrize("kind", ["implicit", "dendritic"])
def test_covariance_networks_learn_and_complete(kind):
    """covPCN as a population with a self edge: the query's clamp masks, with W^T e or without it."""
    p = program([("v", 10, "input", {}), ("one", 1, "constant", {})],
                [("v", "v", {"alpha_shift": 7, "scale": 0.0, "zero_diagonal": True}),
                 ("one", "v", {"alpha_shift": 7, "scale": 0.0})],
                name="il", steps=0, gamma=0.125, query_steps=40, feedback=kind == "implicit")
    x = np.random.default_rng(4).normal(size=(30, 10)) + 0.5
    _, weights = trained(p, {"v": x})
    model = covpcn.CovPCN(np.zeros((10, 10)), np.zeros(10))
    for row in x:
        model = covpcn.learn(model, row[None], 2.0**-7)
    np.testing.assert_allclose(weights["v", "v"], model.weights, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(weights["one", "v"][:, 0], model.prior, rtol=1e-12, atol=1e-14)
    missing = np.random.default_rng(6).random((7, 10)) < 0.4
    cue = np.where(missing, 0.0, x[:7])
    got = FloatMachine(p, weights).run("query", {"v": cue, "v.clamp": (~missing).astype(float)})["v"]
    np.testing.assert_allclose(got, covpcn.recall(model, cue, missing, kind, 0.125, 40), rtol=1e-11, atol=1e-12)


def test_queries_clamp_any_part_of_a_graph():
    """Recall in a generative network: what is not given starts feed-forward and relaxes, the rest stays."""
    p = program([("top", 4, "hidden", {"activation": "tanh"}), ("h", 6, "hidden", {"activation": "tanh"}),
                 ("v", 9, "input", {}), ("one", 1, "constant", {})],
                [("one", "top", {"scale": 1.0}), ("top", "h", {"scale": 1.0}), ("h", "v", {"scale": 1.0}),
                 ("one", "v", {"scale": 1.0})], name="il", steps=12, gamma=0.25, query_steps=25)
    weights, rng = ref.initial_weights(p.layout.network, 3), np.random.default_rng(8)
    x, known = rng.normal(size=(6, 9)), rng.random((6, 9)) < 0.6
    got = FloatMachine(p, weights).run("query", {"v": np.where(known, x, 0), "v.clamp": known.astype(float)})["v"]
    path = ref.infer(p.layout.network, weights, {"v": x}, 0.25, 25, "forward", {"v": known})
    np.testing.assert_allclose(got, path.states[-1]["v"], rtol=1e-11, atol=1e-12)
    assert (got[known] == x[known]).all() and np.abs(got - path.states[0]["v"]).max() > 1e-2
