"""How the reference treats batches, masks, edges, seeds and wrong input."""

import math

import numpy as np
import pytest

from golden import reference as ref
from hebbar.compiler.config import TrainingConfig
from hebbar.compiler.network import Edge, Network, Population, Role, layered
from hebbar.compiler.rule_config import RuleConfig
from hebbar.contract.activations import ACTIVATIONS
from hebbar.contract.errors import BadInput

RULES = [RuleConfig(name=n, steps=5, gamma=0.3) for n in ("il", "ipc", "zil", "backprop")]
NAMES = [r.name for r in RULES]


def small(activation="tanh", **keys):
    return layered([4, 6, 5, 3], activation, [1, 2, 3], [1.0, 1.0, 1.0], **keys)


def samples(count=5, seed=0, sizes=(4, 3)):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, sizes[0])), rng.normal(size=(count, sizes[1]))


def recurrent(plastic=True):
    """A cycle with a zero-diagonal self edge and a bias."""
    pops = (Population("in", 4, role=Role.INPUT), Population("u", 6, "leaky"), Population("v", 5, "tanh"),
            Population("out", 3, role=Role.TARGET), Population("one", 1, role=Role.CONSTANT))
    return Network(pops, (Edge("in", "u", 2), Edge("u", "u", 3, zero_diagonal=True), Edge("u", "v", 2, plastic=plastic),
                          Edge("v", "u", 2), Edge("v", "out", 1), Edge("one", "u", 2, 0.0), Edge("in", "out", 3)))


def close(got, wanted, tolerance=1e-12):
    assert set(got) == set(wanted)
    for key in got:
        np.testing.assert_allclose(got[key], wanted[key], rtol=tolerance, atol=tolerance, err_msg=str(key))


@pytest.mark.parametrize("name", list(ACTIVATIONS))
def test_functions_equal_the_declared_ones_kinks_included(name):
    """Tables are built from the declared functions; another f' at a kink would blame the hardware."""
    x = np.concatenate([np.linspace(-4, 4, 257), [-1.0, 0.0, 1.0, 30.0, -30.0]])
    f, slope = ref.FUNCTIONS[name]
    np.testing.assert_allclose(f(x), [ACTIVATIONS[name].f(v) for v in x], rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(slope(x), [ACTIVATIONS[name].derivative(v) for v in x], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_a_batch_is_the_sum_of_its_samples(rule):
    """An average, or samples that see each other, would change the meaning of alpha with the batch."""
    network, (x, y) = small(bias=True), samples()
    weights = ref.initial_weights(network, 1)
    both = ref.update(network, weights, {"x0": x, "x3": y}, rule)
    singles = [ref.update(network, weights, {"x0": x[i:i + 1], "x3": y[i:i + 1]}, rule) for i in range(5)]
    if rule.name != "ipc":  # the samples of an iPC batch share weights that move inside the batch
        close(both.delta, {k: sum(s.delta[k] for s in singles) for k in weights})
    if both.relaxation and rule.name == "il":
        energies = np.hstack([s.relaxation.energies for s in singles])
        np.testing.assert_allclose(both.relaxation.energies, energies, rtol=1e-12)
        assert energies.shape == (rule.steps + 1, 5)


@pytest.mark.parametrize("network, rule", [(small("leaky", bias=True), r) for r in RULES] + [
    (recurrent(plastic=p), r) for p in (True, False) for r in RULES[:2]])
def test_online_training_is_update_sample_by_sample(network, rule):
    """The fast path trains every figure that is reported; here it meets the plain one."""
    x, y = samples()
    order = [3, 0, 3, 4, 1]
    weights = first = ref.initial_weights(network, 2)
    for i in order:
        weights = ref.update(network, weights, ref.sample_clamps(network, x[i:i + 1], y[i:i + 1]), rule, 0.5).weights
    close(ref.train_epoch(network, first, x, y, rule, order, 1, 0.5), weights)
    assert max(np.abs(weights[k] - first[k]).max() for k in first) > 1e-3


def test_weights_given_are_never_written():
    """Seeds would not be comparable if a run changed the weights that the next run starts from."""
    network, (x, y) = recurrent(), samples()
    weights = ref.initial_weights(network, 2)
    before = {k: w.copy() for k, w in weights.items()}
    for rule in RULES[:2]:
        ref.update(network, weights, {"in": x, "out": y}, rule)
        ref.train_epoch(network, weights, x, y, rule, range(5), 1)
    assert all((weights[k] == before[k]).all() for k in weights)


def test_frozen_edges_and_zero_diagonals_stay():
    """A self connection that learns to copy its own neuron is the classic silent failure of covPCN."""
    network, (x, y) = recurrent(plastic=False), samples()
    weights = ref.initial_weights(network, 2)
    for rule in RULES[:2]:
        learned = ref.update(network, weights, {"in": x, "out": y}, rule)
        assert not learned.delta["u", "v"].any() and not np.diagonal(learned.weights["u", "u"]).any()
        assert np.abs(learned.delta["u", "u"]).max() > 1e-6


def test_masked_neurons_hold_and_the_others_solve_the_rest():
    """Recall: of x = W0 in + e with out = W1 x free, clamp three of x; the rest have a closed form."""
    network = layered([3, 5, 4], "identity", [0, 0], [1.0, 1.0])
    weights, (x, y) = ref.initial_weights(network, 4), samples(2, sizes=(3, 4))
    known = np.array([True, False, True, True, False])
    given = np.where(known, np.arange(5.0), np.nan) * np.ones((2, 1))
    clamps = {"x0": x, "x1": given, "x2": y}
    path = ref.infer(network, weights, clamps, 0.2, 800, "forward", {"x1": known})
    got, w1, w2 = path.states[-1]["x1"], weights["x0", "x1"], weights["x1", "x2"]
    assert all((s["x1"][:, known] == given[:, known]).all() for s in path.states)
    a = w2[:, ~known]
    rhs = x @ w1[~known].T + (y - given[:, known] @ w2[:, known].T) @ a
    np.testing.assert_allclose(got[:, ~known], rhs @ np.linalg.inv(np.eye(2) + a.T @ a), rtol=1e-10)
    rows = np.vstack([known, ~known])
    path = ref.infer(network, weights, clamps | {"x1": np.ones((2, 5))}, 0.2, 3, "zero", {"x1": rows})
    assert ((path.states[-1]["x1"] == 1) == rows).all() and (path.states[0]["x1"] == rows).all()


def test_a_trajectory_has_the_errors_of_its_states():
    """T counts state steps; the authors' T is one more. Off by one moves every comparison."""
    network, (x, y) = small(), samples()
    weights = ref.initial_weights(network, 1)
    path = ref.infer(network, weights, {"x0": x, "x3": y}, 0.3, 4)
    assert len(path.states) == len(path.errors) == len(path.energies) == 5
    for s, e, energy in zip(path.states, path.errors, path.energies):
        wanted = {f"x{n}": s[f"x{n}"] - (np.tanh(s[f"x{n - 1}"]) if n > 1 else x) @ weights[f"x{n - 1}", f"x{n}"].T
                  for n in (1, 2, 3)}
        close(e, wanted)
        np.testing.assert_allclose(energy, 0.5 * sum((v**2).sum(axis=1) for v in wanted.values()), rtol=1e-12)
    assert not any(path.errors[0][n].any() for n in ("x1", "x2"))


def test_prediction_is_the_forward_pass_and_on_a_cycle_the_relaxed_state():
    """A prediction with a clamped or stale output would report the accuracy of the labels."""
    network, (x, _) = small(), samples()
    w = ref.initial_weights(network, 1)
    out = np.tanh(np.tanh(x @ w["x0", "x1"].T) @ w["x1", "x2"].T) @ w["x2", "x3"].T
    np.testing.assert_allclose(ref.predict(network, w, x, RULES[0]), out, rtol=1e-12)
    network = recurrent()
    w = ref.initial_weights(network, 1)
    path = ref.infer(network, w, {"in": x}, 0.3, 5, "zero")
    assert (ref.predict(network, w, x, RULES[0]) == path.states[5]["out"]).all()
    assert np.abs(path.states[5]["out"] - path.states[4]["out"]).max() > 1e-6


def test_initial_weights_follow_their_scale_and_seed():
    """Another spread or draw order makes seeds of two versions incomparable without an error."""
    network = layered([300, 200, 10], "tanh", [0, 0], [0.5, 0.25], bias=True)
    one, two, other = (ref.initial_weights(network, s) for s in (7, 7, 8))
    assert all(one[k].tobytes() == two[k].tobytes() for k in one)
    assert not (one["x0", "x1"] == other["x0", "x1"]).any()
    for key, scale, columns in ((("x0", "x1"), 0.5, 300), (("x1", "x2"), 0.25, 200)):
        std = scale / math.sqrt(columns)
        assert one[key].std() == pytest.approx(std, rel=0.05) and abs(one[key]).max() <= math.sqrt(3) * std
        assert abs(one[key]).max() > 0.99 * math.sqrt(3) * std and abs(one[key].mean()) < 0.1 * std
    assert not one["one", "x1"].any()
    bare_network = layered([300, 200, 10], "tanh", [0, 0], [0.5, 0.25])
    biases_first = Network(network.populations, network.edges[::-1])
    turned = Network(bare_network.populations, bare_network.edges[::-1])
    for biased, plain in ((network, bare_network), (biases_first, turned)):
        with_bias, without = ref.initial_weights(biased, 7), ref.initial_weights(plain, 7)
        assert all(with_bias[k].tobytes() == without[k].tobytes() for k in without)
    assert not np.diagonal(ref.initial_weights(recurrent(), 1)["u", "u"]).any()


def test_alpha_halves_at_the_start_of_the_named_epochs():
    """Halving one epoch early or late shifts every learning curve."""
    training = TrainingConfig(epochs=6, halve_alpha_at=(2, 4))
    assert [ref.epoch_rate(training, n) for n in range(6)] == [1, 1, 0.5, 0.5, 0.25, 0.25]
    rates = ref.learning_rates(recurrent(plastic=False), 0.5)
    assert rates["in", "u"] == 0.125 and rates["v", "out"] == 0.25 and rates["u", "v"] == 0


NET, CYCLE = small(), recurrent()
W, WC = ref.initial_weights(NET, 0), ref.initial_weights(CYCLE, 0)
X, Y = samples()
GOOD = {"x0": X, "x3": Y}
NAN = np.where(np.arange(20).reshape(5, 4) == 6, np.nan, X)
LINEAR = layered([4, 6, 3], "identity", [0, 0], [1.0, 1.0])


@pytest.mark.parametrize("call, words", [
    (lambda: ref.infer(NET, W, {"x3": Y}, 0.1, 1), "'x0' free"),
    (lambda: ref.infer(NET, W, GOOD, 0.1, 1, masks={"x0": np.arange(4) > 0}), "'x0' free, at least in part"),
    (lambda: ref.infer(NET, W, GOOD | {"x9": X}, 0.1, 1), "did you mean"),
    (lambda: ref.infer(NET, W, {"x0": X[:, :3]}, 0.1, 1), r"shape \(5, 3\).*4 columns"),
    (lambda: ref.infer(NET, W, {"x0": X[0]}, 0.1, 1), "one row per sample"),
    (lambda: ref.infer(NET, W, {"x0": X, "x3": Y[:2]}, 0.1, 1), "2 samples and .* 5"),
    (lambda: ref.infer(NET, W, {"x0": NAN}, 0.1, 1), "sample 1, neuron 2 is nan"),
    (lambda: ref.infer(NET, W, GOOD, 0.1, 1, masks={"x1": True}), r"masks\['x1'\] has no values"),  # type: ignore[dict-item]
    (lambda: ref.infer(NET, W, GOOD, 0.1, 1, masks={"x3": np.ones(3)}), "holds float64"),  # type: ignore[dict-item]
    (lambda: ref.infer(NET, W, GOOD, 0.1, 1, masks={"x3": np.ones(2, bool)}), r"shape \(2,\)"),
    (lambda: ref.infer(NET, W, {}, 0.1, 1), "clamps is empty"),
    (lambda: ref.infer(NET, W, GOOD, 0.1, -1), "steps is -1"),
    (lambda: ref.infer(NET, W, GOOD, 0.1, 1, "foward"), "start is 'foward'"),  # type: ignore[arg-type]
    (lambda: ref.infer(NET, W, GOOD, 0.1, 1, {"x1": np.zeros((5, 6))}), r"start\['x2'\] is missing"),
    (lambda: ref.il(NET, W, GOOD, RULES[0], start={}), r"start\['x1'\] is missing"),
    (lambda: ref.infer(NET, W, GOOD, 0.1, 1, {"x1": np.zeros((5, 5))}), r"start\['x1'\] has shape"),
    (lambda: ref.infer(CYCLE, WC, {"in": X}, 0.1, 1), "has a cycle"),
    (lambda: ref.infer(CYCLE, WC, {"in": X, "one": X[:, :1]}, 0.1, 1, "zero"), "always 1"),
    (lambda: ref.infer(NET, W | {("x0", "x3"): Y}, GOOD, 0.1, 1), "belongs to no edge"),
    (lambda: ref.infer(NET, {}, GOOD, 0.1, 1), r"\('x0', 'x1'\)\] is missing"),
    (lambda: ref.infer(NET, W | {("x0", "x1"): W["x0", "x1"].T}, GOOD, 0.1, 1), r"needs \(6, 4\)"),
    (lambda: ref.infer(NET, W | {("x0", "x1"): np.full((6, 4), np.inf)}, GOOD, 0.1, 1), "not finite"),
    (lambda: ref.il(CYCLE, WC | {("u", "u"): np.eye(6)}, {"in": X, "out": Y}, RULES[0]), "zero_diagonal"),
    (lambda: ref.update(NET, W, {"x0": X}, RULES[0]), "clamps has no 'x3'"),
    (lambda: ref.ipc(NET, W, GOOD, RuleConfig(name="ipc", steps=0)), "rule.steps is 0"),
    (lambda: ref.train_epoch(NET, W, X, Y, RuleConfig(name="ipc", steps=0), [0], 1), "rule.steps is 0"),
    (lambda: ref.zil(CYCLE, WC, {"in": X, "out": Y}, RULES[0]), "has a cycle, so its populations have no levels"),
    (lambda: ref.zil(NET, W, GOOD | {"x1": np.zeros((5, 6))}, RULES[0]), "is hidden"),
    (lambda: ref.backprop(CYCLE, WC, {"in": X, "out": Y}, RULES[0]), "has a cycle"),
    (lambda: ref.backprop(NET, W, {"x3": Y}, RULES[0]), "needs every input"),
    (lambda: ref.gamma_bound(NET, W), "needs states: 'x1'"),
    (lambda: ref.linear_equilibrium(NET, W, X, Y), "activation 'tanh'"),
    (lambda: ref.equilibrium_energy(CYCLE, WC, X, Y), "not layered"),
    (lambda: ref.distance_to_equilibrium(LINEAR, ref.initial_weights(LINEAR, 0), GOOD | {"x2": Y}, 1.9, 3), "x3"),
    (lambda: ref.distance_to_equilibrium(LINEAR, ref.initial_weights(LINEAR, 0), {"x0": X, "x2": Y}, 1.9, 3),
     "has not settled"),
    (lambda: ref.distance_to_equilibrium(NET, W, GOOD, 0.1, 3, 7), "more is 7"),
])
def test_wrong_input_is_refused_with_the_place_and_the_fix(call, words):
    """Broadcasting would accept most of these and compute something else."""
    with pytest.raises(BadInput, match=words) as caught:
        call()
    assert str(caught.value).endswith(".") or "Allowed" in str(caught.value)
