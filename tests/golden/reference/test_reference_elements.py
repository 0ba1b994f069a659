"""What a network may carry beside plain blocks: identities, masks, signs, shared weights, precision, categories."""

from dataclasses import replace

import numpy as np
import pytest

from golden import reference as ref
from hebbar.compiler.network import Edge, Error, Network, Population, Role
from hebbar.compiler.rule_config import RuleConfig
from hebbar.contract.errors import BadInput

MASK = ("10", "01", "11")
"""Parts of 2 x 3 on a block of 5 x 6: the last row of parts has one row only."""


def network(cycle=True, error=Error.CATEGORICAL, shares=True):
    """All elements at once; with ``cycle`` also a self identity and an edge back."""
    pops = (Population("in", 4, role=Role.INPUT), Population("u", 6, "tanh", precision=-2),
            Population("v", 5, "sigmoid", precision=1), Population("w", 5, "tanh"),
            Population("out", 3, role=Role.TARGET, error=error), Population("one", 1, role=Role.CONSTANT))
    edges = [Edge("in", "u", 1, 1.0), Edge("u", "v", 2, 1.0, mask=MASK), Edge("v", "w", 3, 1.0, positive=True),
             Edge("v", "w", identity=True, plastic=False), Edge("w", "out", 0, 1.0), Edge("one", "v", 2, 0.0),
             Edge("in", "v", 2, 1.0, plastic=False, positive=True)]
    edges += [Edge("in", "w", shares="in:v")] * shares
    edges += [Edge("w", "v", 2, 0.3, zero_diagonal=False), Edge("w", "w", identity=True, plastic=False),
              Edge("w", "w", 2, 0.3, zero_diagonal=True, mask=("10", "11"))] * cycle
    return Network(pops, tuple(edges))


def holes(net):
    """Where the masked block has no weight, counted out by hand."""
    gone = np.zeros((5, 6), bool)
    gone[:2, 3:] = gone[2:4, :3] = True
    return gone


def random_weights(net, seed=0):
    """Weights of any sign where a weight is, zero elsewhere."""
    rng = np.random.default_rng(seed)
    weights = {k: np.where(w != 0, rng.normal(size=w.shape), 0) if k[0] != "one" else rng.normal(size=w.shape)
               for k, w in ref.initial_weights(net, 1).items()}
    return {k: 0.5 * np.abs(w) if net.edge(":".join(k)).positive else 0.5 * w for k, w in weights.items()}


def samples(count=4, seed=7):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, 4)), np.eye(3)[rng.integers(0, 3, count)]


def differences(function, at, h=1e-5):
    """The gradient of ``function`` by central differences."""
    out = np.zeros_like(at)
    for i in np.ndindex(at.shape):
        step = np.zeros_like(at)
        step[i] = h
        out[i] = (function(at + step) - function(at - step)) / (2 * h)
    return out


def by_hand(x, w):
    """The energy of ``network()``, one population after the other."""
    sigmoid = 1 / (1 + np.exp(-x["v"]))
    mu = {"u": x["in"] @ w["in", "u"].T,
          "v": np.tanh(x["u"]) @ w["u", "v"].T + w["one", "v"].T + x["in"] @ w["in", "v"].T
          + np.tanh(x["w"]) @ w["w", "v"].T,
          "w": sigmoid @ w["v", "w"].T + sigmoid + np.tanh(x["w"]) + np.tanh(x["w"]) @ w["w", "w"].T}
    out = np.tanh(x["w"]) @ w["w", "out"].T
    cross = (x["out"] * (np.log(np.exp(out).sum(axis=1, keepdims=True)) - out)).sum()
    return cross + sum(pi / 2 * ((x[g] - mu[g]) ** 2).sum() for g, pi in (("u", 0.25), ("v", 2.0), ("w", 1.0)))


def test_finite_differences_of_the_energy_give_every_descent():
    """Theorem 15 with all elements. A precision squared or an identity without its feedback only slows learning."""
    net, (x_in, y) = network(), samples()
    weights, rng = random_weights(net), np.random.default_rng(3)
    x = {p.name: rng.normal(size=(4, p.size)) for p in net.populations}
    x |= {"in": x_in, "out": y, "one": np.ones((4, 1))}
    assert ref.energy(net, weights, x).sum() == pytest.approx(by_hand(x, weights), rel=1e-12)
    e = ref.errors(net, weights, x)
    dx, dw = ref.state_descent(net, weights, x, e), ref.weight_descent(net, x, e)
    for g in ("u", "v", "w"):
        wanted = -differences(lambda s, g=g: by_hand(x | {g: s}, weights), x[g])
        np.testing.assert_allclose(dx[g], wanted, rtol=1e-6, atol=1e-6, err_msg=g)
    assert set(dw) == set(weights) and ("in", "w") not in dw
    for k, block in weights.items():
        wanted = -differences(lambda b, k=k: by_hand(x, weights | {k: b}), block)
        wanted[holes(net) if k == ("u", "v") else np.zeros(block.shape, bool)] = 0
        if k == ("w", "w"):
            np.fill_diagonal(wanted, 0)
            wanted[:3, 3:] = 0
        np.testing.assert_allclose(dw[k], wanted, rtol=1e-6, atol=1e-6, err_msg=str(k))


def test_energies_of_a_trajectory_are_those_of_its_states():
    """E = 1/2 sum |e|^2 / pi: a monitor that adds |e|^2 as it is would see E rise where it falls."""
    net, (x, y) = network(error=Error.GAUSSIAN), samples()
    weights = random_weights(net)
    path = ref.infer(net, weights, {"in": x, "out": y}, 0.05, 6, "zero")
    for e, energy in zip(path.errors, path.energies):
        shares = {"u": 4, "v": 0.5, "w": 1, "out": 1}
        wanted = 0.5 * sum(share * (e[g] ** 2).sum(axis=1) for g, share in shares.items())
        np.testing.assert_allclose(energy, wanted, rtol=1e-12)
    assert (np.diff(path.energies, axis=0) < 0).all()


def test_an_edge_that_shares_takes_no_part():
    """It is a road for rules, no connection: with and without it every bit is the same."""
    for rule in ("il", "ipc"):
        both = []
        for shares in (True, False):
            net, (x, y) = network(shares=shares), samples()
            weights = random_weights(net)
            both.append(ref.update(net, weights, {"in": x, "out": y}, RuleConfig(name=rule, steps=4)).weights)
        assert both[0].keys() == both[1].keys() and all((both[0][k] == both[1][k]).all() for k in both[0])


@pytest.mark.parametrize("cycle, rule", [(True, "il"), (True, "ipc"), (False, "il"), (False, "ipc"), (False, "zil"),
                                         (False, "backprop")])
def test_learning_keeps_holes_signs_and_frozen_weights(cycle, rule):
    """A weight outside a mask has no place in the memory; a negative one in a positive block no synapse."""
    net, (x, y) = network(cycle), samples()
    first = random_weights(net)
    config = RuleConfig(name=rule, steps=5, gamma=0.1)
    learned, gone = ref.update(net, first, {"in": x, "out": 9 * y - 4}, config, 2.0), holes(net)
    assert not learned.weights["u", "v"][gone].any() and learned.delta["u", "v"][~gone].all()
    grown = learned.weights["v", "w"]
    assert (grown >= 0).all() and (grown == 0).any() and (grown > 0).any()
    assert (learned.weights["in", "v"] == first["in", "v"]).all() and not learned.delta["in", "v"].any()
    for key in first:
        np.testing.assert_allclose(learned.weights[key] - first[key], learned.delta[key], atol=1e-13)


@pytest.mark.parametrize("cycle, rule", [(True, "il"), (True, "ipc"), (False, "il"), (False, "ipc"), (False, "zil"),
                                         (False, "backprop")])
@pytest.mark.parametrize("tolerance", [0.0, 0.02])
def test_online_training_is_update_sample_by_sample(cycle, rule, tolerance):
    """The fast path has its own reading of every element."""
    net, (x, y) = network(cycle), samples()
    config = RuleConfig(name=rule, steps=6, gamma=0.1, tolerance=tolerance)
    weights = first = random_weights(net)
    for i in (2, 0, 3, 1):
        weights = ref.update(net, weights, {"in": x[[i]], "out": y[[i]]}, config).weights
    got = ref.train_epoch(net, first, x, y, config, (2, 0, 3, 1), 1)
    for key in first:
        np.testing.assert_allclose(got[key], weights[key], rtol=1e-12, atol=1e-13, err_msg=str(key))
    assert np.abs(got["u", "v"] - first["u", "v"]).max() > 1e-4


def test_each_sample_stops_by_itself_when_its_energy_hardly_falls():
    """A batch that waits for its slowest sample trains another network than one sample at a time."""
    net, (x, y) = network(error=Error.GAUSSIAN), samples()
    weights = random_weights(net)
    long = ref.infer(net, weights, {"in": x, "out": y}, 0.05, 40, "zero")
    half = np.array([0.5 * sum((v**2).sum(axis=1) for v in e.values()) for e in long.errors])
    stops = [next(t for t in range(2, 41) if half[t - 2, i] - half[t - 1, i] < 0.05) for i in range(4)]
    assert len(set(stops)) > 1 and max(stops) < 40
    path = ref.infer(net, weights, {"in": x, "out": y}, 0.05, 40, "zero", tolerance=0.05)
    for i, stop in enumerate(stops):
        for name, end in path.states[-1].items():
            np.testing.assert_allclose(end[i], long.states[stop][name][i], rtol=1e-12)


def test_initial_weights_fit_what_an_edge_can_hold():
    """A masked row that is drawn as if it were full starts too small; signs would be clipped at the first update."""
    pops = (Population("in", 400, role=Role.INPUT), Population("h", 300))
    plain, masked = Edge("in", "h", 0, 0.5), Edge("in", "h", 0, 0.5, mask=("1000", "0110", "0000"))
    full, parts, positive = (ref.initial_weights(Network(pops, (e,)), 5)["in", "h"]
                             for e in (plain, masked, replace(plain, positive=True)))
    assert full.std() == pytest.approx(0.5 / 20, rel=0.02)
    assert parts[:100, :100].std() == pytest.approx(0.5 / 10, rel=0.05)
    assert parts[100:200, 100:300].std() == pytest.approx(0.5 / np.sqrt(200), rel=0.05)
    assert not parts[:100, 100:].any() and not parts[100:200, :100].any() and not parts[200:].any()
    assert (positive == np.abs(full)).all()
    after = (masked, Edge("h", "h", identity=True), Edge("h", "h", 0, 0.5))
    alone = (masked, Edge("h", "h", 0, 0.5))
    one, two = (ref.initial_weights(Network(pops, e), 5) for e in (after, alone))
    assert one.keys() == two.keys() and all((one[k] == two[k]).all() for k in one)


def test_a_masked_block_is_the_smaller_blocks_it_is_made_of():
    """Theorem 7 with a mask: two layers inside one population, whose mask is the hierarchy."""
    rng = np.random.default_rng(0)
    blocks = {("in", "a"): rng.normal(size=(4, 3)), ("a", "b"): rng.normal(size=(4, 4)),
              ("b", "out"): rng.normal(size=(2, 4))}
    ends = (Population("in", 3, role=Role.INPUT), Population("out", 2, role=Role.TARGET))
    chain = Network((*ends, Population("a", 4, "tanh"), Population("b", 4, "tanh")),
                    tuple(Edge(s, t, 2) for s, t in blocks))
    flat = Network((*ends, Population("h", 8, "tanh")), (
        Edge("in", "h", 2, mask=("1", "0")), Edge("h", "h", 2, mask=("00", "10")), Edge("h", "out", 2, mask=("01",))))
    big = {("in", "h"): np.zeros((8, 3)), ("h", "h"): np.zeros((8, 8)), ("h", "out"): np.zeros((2, 8))}
    big["in", "h"][:4], big["h", "h"][4:, :4], big["h", "out"][:, 4:] = blocks.values()
    clamps = {"in": rng.normal(size=(5, 3)), "out": rng.normal(size=(5, 2))}
    for name in ("il", "ipc"):
        rule = RuleConfig(name=name, steps=9, gamma=0.2)
        start = {"a": np.zeros((5, 4)), "b": np.zeros((5, 4)), "h": np.zeros((5, 8))}
        small = ref.RULES[name](chain, blocks, clamps, rule, 1.0, start).weights
        large = ref.RULES[name](flat, big, clamps, rule, 1.0, start).weights
        found = large["in", "h"][:4], large["h", "h"][4:, :4], large["h", "out"][:, 4:]
        for got, wanted in zip(found, small.values()):
            np.testing.assert_allclose(got, wanted, rtol=1e-12, atol=1e-13)
        assert not large["in", "h"][4:].any() and not large["h", "h"][:4].any() and not large["h", "h"][:, 4:].any()


def test_a_categorical_target_makes_a_classifier():
    """One layer: the gradient of logistic regression, log-odds as the answer, no error where nothing is clamped."""
    pops = (Population("in", 4, role=Role.INPUT), Population("out", 3, role=Role.TARGET, error=Error.CATEGORICAL))
    net, (x, y) = Network(pops, (Edge("in", "out", 0, 1.0),)), samples()
    weights = random_weights(net)
    w = weights["in", "out"]
    share = np.exp(x @ w.T) / np.exp(x @ w.T).sum(axis=1, keepdims=True)
    for name in ("il", "zil", "backprop"):
        delta = ref.update(net, weights, {"in": x, "out": y}, RuleConfig(name=name, steps=3)).delta
        np.testing.assert_allclose(delta["in", "out"], (y - share).T @ x, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(ref.predict(net, weights, x, RuleConfig()), x @ w.T, rtol=1e-13)
    free = ref.infer(net, weights, {"in": x}, 0.3, 2)
    np.testing.assert_allclose(free.states[-1]["out"], share, rtol=1e-12)
    right = ref.update(net, weights, {"in": x, "out": share}, RuleConfig(name="il", steps=3))
    assert np.abs(right.delta["in", "out"]).max() < 1e-13


def test_a_badly_wrong_prediction_has_a_finite_energy():
    """log softmax must not be log(0): the energy of a confident mistake is its distance in log-odds."""
    pops = (Population("in", 1, role=Role.INPUT), Population("out", 2, role=Role.TARGET, error=Error.CATEGORICAL))
    net = Network(pops, (Edge("in", "out"),))
    states = {"in": np.ones((1, 1)), "out": np.array([[0.0, 1.0]])}
    assert ref.energy(net, {("in", "out"): np.array([[2000.0], [-1000.0]])}, states)[0] == 3000


@pytest.mark.parametrize("change, words", [
    ({("u", "v"): np.ones((5, 6))}, "is 1 at row 0, column 3, outside the mask of the edge; clear it"),
    ({("w", "w"): np.eye(5)}, "diagonal entry that is not zero"),
    ({("in", "w"): np.ones((5, 4))}, "belongs to no edge with weights of its own")])
def test_weights_that_an_edge_cannot_hold_are_refused(change, words):
    """They would take part in the float run and not in the machine's."""
    net, (x, y) = network(), samples()
    with pytest.raises(BadInput, match=words):
        ref.update(net, random_weights(net) | change, {"in": x, "out": y}, RuleConfig(name="il"))


def test_a_rule_without_a_float_version_is_named():
    """A KeyError would name neither the key nor what may stand there."""
    net, (x, y) = network(), samples()
    with pytest.raises(BadInput, match=r"rule.name is 'stdp', which has no float update.*Allowed: il, ipc"):
        ref.update(net, random_weights(net), {"in": x, "out": y}, RuleConfig(name="stdp"))
