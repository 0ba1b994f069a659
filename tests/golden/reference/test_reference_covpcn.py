"""Covariance-learning networks: closed forms, bounds, and what the two recalls of one network end at."""

import numpy as np
import pytest

from golden import reference as ref
from golden.reference import covpcn as cov
from hebbar.compiler.network import Edge, Network, Population, Role
from hebbar.contract.errors import BadInput

SIZE, MISSING = 6, np.array([True, False, True, False, False, True])
KINDS = ["implicit", "dendritic"]


def patterns(seed=0, count=40, size=SIZE):
    """Correlated patterns with a mean, (count, size)."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, size)) @ rng.normal(size=(size, size)) + rng.normal(size=size)


def mild(seed=0, count=40, size=4):
    """Patterns whose covariance is close enough to round for learning to end within a test."""
    rng = np.random.default_rng(seed)
    return rng.normal(size=(count, size)) @ (np.eye(size) + 0.25 * rng.normal(size=(size, size))) + 0.3


def untrained(activation="identity", seed=1, size=SIZE, scale=0.3):
    rng = np.random.default_rng(seed)
    weights = scale * rng.normal(size=(size, size))
    np.fill_diagonal(weights, 0.0)
    return cov.CovPCN(weights, rng.normal(size=size), activation)


def repeated(model, step, times):
    for _ in range(times):
        model = step(model)
    return model


def differences(function, at, h=1e-5):
    """The gradient of ``function`` by central differences."""
    out = np.zeros_like(at)
    for i in np.ndindex(at.shape):
        step = np.zeros_like(at)
        step[i] = h
        out[i] = (function(at + step) - function(at - step)) / (2 * h)
    return out


def test_settled_weights_are_the_regression_of_each_neuron_on_the_others():
    """W*_ij = -P_ij / P_ii. Dividing by P_jj gives the transpose, which recalls almost as well."""
    x = patterns()
    model = cov.settled(x)
    for i in range(SIZE):
        others = np.hstack([np.delete(x, i, axis=1), np.ones((len(x), 1))])
        solution = np.linalg.lstsq(others, x[:, i], rcond=None)[0]
        np.testing.assert_allclose(np.delete(model.weights[i], i), solution[:-1], atol=1e-12)
        assert model.prior[i] == pytest.approx(solution[-1], abs=1e-12)
    precision = np.linalg.inv(np.cov(x.T, bias=True))
    assert np.abs(model.weights * np.diagonal(precision)[:, None] + precision)[~np.eye(SIZE, dtype=bool)].max() < 2e-13
    assert not np.diagonal(model.weights).any()


def test_settled_weights_are_where_learning_stops():
    """The update at the closed form is rounding and at another point not: else W* belongs to another rule."""
    x = patterns()
    for start, still in ((cov.settled(x), True), (untrained(), False)):
        after = cov.learn(start, x, 1.0 / len(x))
        moved = max(np.abs(after.weights - start.weights).max(), np.abs(after.prior - start.prior).max())
        assert moved < 1e-12 if still else moved > 1e-2


def test_learning_below_the_bound_ends_at_the_closed_form_and_above_it_diverges():
    """A rate twice too fast would blow up, and a bound twice too low would only look slow."""
    x = mild()
    bound, wanted = cov.rate_bound(x), cov.settled(x)
    below = repeated(untrained(size=4), lambda m: cov.learn(m, x, 0.98 * bound), 1500)
    np.testing.assert_allclose(below.weights, wanted.weights, atol=6e-15)
    np.testing.assert_allclose(below.prior, wanted.prior, atol=6e-15)
    above = repeated(untrained(size=4), lambda m: cov.learn(m, x, 1.02 * bound), 1500)
    assert np.abs(above.weights).max() > 1e10


@pytest.mark.parametrize("activation", list(ref.FUNCTIONS))
def test_learning_is_the_descent_of_the_energy_and_spares_the_diagonal(activation):
    """A diagonal that learns ends at W = I: every error zero and nothing ever recalled."""
    model, x = untrained(activation), patterns(3, 5)
    f = ref.FUNCTIONS[activation][0]

    def total(weights, prior):
        return 0.5 * sum((x[b, i] - weights[i] @ f(x[b]) - prior[i]) ** 2 for b in range(5) for i in range(SIZE))

    assert cov.energy(model, x).sum() == pytest.approx(total(model.weights, model.prior), rel=1e-12)
    after = cov.learn(model, x, 0.125)
    slope = -differences(lambda w: total(w, model.prior), model.weights)
    np.fill_diagonal(slope, 0.0)
    np.testing.assert_allclose(after.weights - model.weights, 0.125 * slope, rtol=1e-6, atol=1e-6)
    slope = -differences(lambda nu: total(model.weights, nu), model.prior)
    np.testing.assert_allclose(after.prior - model.prior, 0.125 * slope, rtol=1e-6, atol=1e-6)
    assert not np.diagonal(after.weights).any() and after.activation == activation


@pytest.mark.parametrize("activation", list(ref.FUNCTIONS))
def test_implicit_recall_descends_the_energy_and_dendritic_follows_the_error(activation):
    """Without f' or with W for W^T recall still ends somewhere, and the completed image looks fine."""
    model, x = untrained(activation, scale=0.8), patterns(4, 3)
    wanted = -differences(lambda at: cov.energy(model, at).sum(), x)
    np.testing.assert_allclose(cov.recall_descent(model, x, "implicit"), wanted, rtol=1e-6, atol=1e-6)
    by_hand = [[model.prior[i] + sum(model.weights[i, j] * model.f(x[b])[j] for j in range(SIZE)) - x[b, i]
                for i in range(SIZE)] for b in range(3)]
    np.testing.assert_allclose(cov.recall_descent(model, x, "dendritic"), by_hand, atol=1e-12)


@pytest.mark.parametrize("activation", ["identity", "tanh"])
def test_implicit_recall_and_learning_are_a_population_with_a_self_edge(activation):
    """Two readings of one model: the graph form of section 0 must give the same states and the same update."""
    model, x = untrained(activation), patterns(5, 3)
    pops = (Population("x", SIZE, activation, Role.INPUT), Population("one", 1, role=Role.CONSTANT))
    graph = Network(pops, (Edge("x", "x", 0, zero_diagonal=True), Edge("one", "x", 0)))
    weights = {("x", "x"): model.weights, ("one", "x"): model.prior[:, None]}
    path = ref.infer(graph, weights, {"x": x}, 0.05, 30, {"x": x}, {"x": ~MISSING})
    np.testing.assert_allclose(cov.recall(model, x, MISSING, "implicit", 0.05, 30), path.states[-1]["x"], atol=1e-13)
    descent = ref.weight_descent(graph, path.states[0], path.errors[0])
    learned = cov.learn(model, x, 1.0)
    np.testing.assert_allclose(learned.weights - model.weights, descent["x", "x"], atol=1e-12)
    np.testing.assert_allclose(learned.prior - model.prior, descent["one", "x"][:, 0], atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_recall_ends_at_its_closed_form_and_leaves_what_is_known(kind):
    """An entry that is known and drifts is the failure nobody sees in the error of the missing ones."""
    x = mild(count=60, size=SIZE)
    model, cue = cov.settled(x), np.where(MISSING, 0.0, x[:5])
    end = cov.recall(model, cue, MISSING, kind, 0.9 * cov.recall_bound(model, MISSING, kind), 800)
    np.testing.assert_allclose(end, cov.fixed_point(model, cue, MISSING, kind), atol=6e-15)
    assert np.array_equal(end[:, ~MISSING], cue[:, ~MISSING])
    each = np.array([MISSING, ~MISSING, MISSING, ~MISSING, MISSING])
    mixed = cov.recall(model, cue, each, kind, 0.05, 30)
    for row, mask in enumerate(each):
        np.testing.assert_allclose(mixed[row], cov.recall(model, cue[[row]], mask, kind, 0.05, 30)[0], atol=1e-13)


def test_dendritic_recall_is_the_conditional_mean():
    """The theorem of the paper, against the formula of the precision matrix: mu_m - P_mm^-1 P_mk (x_k - mu_k)."""
    x = patterns()
    model, cue = cov.settled(x), np.where(MISSING, 0.0, x[:5])
    mean, covariance = x.mean(axis=0), np.cov(x.T, bias=True)
    p = np.linalg.inv(covariance)
    inner, outer = p[np.ix_(MISSING, MISSING)], p[np.ix_(MISSING, ~MISSING)]
    wanted = mean[MISSING] - (x[:5, ~MISSING] - mean[~MISSING]) @ np.linalg.solve(inner, outer).T
    for got in (cov.fixed_point(model, cue, MISSING, "dendritic"),
                cov.conditional_mean(mean, covariance, cue, MISSING)):
        np.testing.assert_allclose(got[:, MISSING], wanted, atol=1e-12)
        assert np.array_equal(got[:, ~MISSING], cue[:, ~MISSING])


def test_implicit_recall_is_not_the_conditional_mean():
    """The trap: it minimises 1/2 |(I - W) x - nu|^2, where no small change of the missing helps."""
    x = patterns()
    model, cue = cov.settled(x), np.where(MISSING, 0.0, x[:5])
    implicit, mean = (cov.fixed_point(model, cue, MISSING, kind) for kind in KINDS)
    assert np.abs(implicit - mean).max() > 0.05
    force = cov.recall_descent(model, implicit, "implicit")[:, MISSING]
    assert np.abs(force).max() < 1e-12 * np.abs(x).max()
    assert (cov.energy(model, implicit) < cov.energy(model, mean) - 1e-6).all()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("learned", [True, False])
def test_recall_converges_below_its_bound_and_diverges_above(kind, learned):
    """One bound for both recalls would be wrong for each; untrained weights have complex eigenvalues."""
    x = mild(count=60, size=SIZE)
    model, cue = cov.settled(x) if learned else untrained(seed=4), np.where(MISSING, 9.0, x[:2])
    bound, wanted = cov.recall_bound(model, MISSING, kind), cov.fixed_point(model, cue, MISSING, kind)
    np.testing.assert_allclose(cov.recall(model, cue, MISSING, kind, 0.99 * bound, 4000), wanted, atol=1e-9)
    assert np.abs(cov.recall(model, cue, MISSING, kind, 1.01 * bound, 4000)).max() > 1e6
    assert cov.recall_bound(model, np.zeros(SIZE, dtype=bool), kind) == np.inf
    if not learned:
        block = (np.eye(SIZE) - model.weights)[np.ix_(MISSING, MISSING)]
        assert np.abs(np.linalg.eigvals(block).imag).max() > 0.05


def test_explicit_learning_is_the_descent_of_its_energy():
    """S and mu climb the likelihood of a Gaussian; a lost 1/2 or a lost sum over the batch only changes the speed."""
    rng, x = np.random.default_rng(2), mild(count=5)
    root = np.eye(4) + 0.3 * rng.normal(size=(4, 4))
    model = cov.Explicit(root @ root.T, rng.normal(size=4))

    def total(s, mu):
        return sum(0.5 * (np.log(np.linalg.det(s)) + (row - mu) @ np.linalg.inv(s) @ (row - mu)) for row in x)

    after = cov.explicit_learn(model, x, 0.125)
    slope = -differences(lambda s: total(s, model.mean), model.covariance)
    np.testing.assert_allclose(after.covariance - model.covariance, 0.125 * slope, rtol=1e-6, atol=1e-6)
    slope = -differences(lambda mu: total(model.covariance, mu), model.mean)
    np.testing.assert_allclose(after.mean - model.mean, 0.125 * slope, rtol=1e-6, atol=1e-6)


def test_explicit_learning_ends_at_the_covariance_and_recalls_the_conditional_mean():
    """Below its bound from next to the end; above it S runs away, so the bound is not merely safe."""
    x = mild()
    mean, covariance, bound = x.mean(axis=0), np.cov(x.T, bias=True), cov.explicit_rate_bound(x)
    near = cov.Explicit(covariance + 0.01 * np.eye(4), mean + 0.1)
    end = repeated(near, lambda m: cov.explicit_learn(m, x, 0.9 * bound), 800)
    np.testing.assert_allclose(end.covariance, covariance, atol=1e-13)
    np.testing.assert_allclose(end.mean, mean, atol=1e-13)
    mask = np.array([True, False, False, True])
    cue = np.where(mask, 0.0, x[:3])
    recalled = cov.explicit_recall(end, cue, mask, 0.2, 600)
    np.testing.assert_allclose(recalled, cov.conditional_mean(mean, covariance, cue, mask), atol=1e-12)
    close = cov.Explicit(covariance - 1e-6 * np.eye(4), mean)
    away = [np.abs(repeated(close, lambda m: cov.explicit_learn(m, x, c * bound), 40).covariance - covariance).max()
            for c in (0.9, 1.2)]
    assert away[0] < 1e-7 and away[1] > 1e-5


def test_explicit_learning_is_stable_in_the_antisymmetric_part():
    """The trap: the published rule grows an antisymmetric error of rounding size until S is no covariance."""
    x = mild()
    centred, covariance = x - x.mean(axis=0), np.cov(x.T, bias=True)
    seed = np.zeros((4, 4))
    seed[0, 1], seed[1, 0] = 1e-9, -1e-9
    rate, published = 0.5 * cov.explicit_rate_bound(x), covariance + seed
    ours = cov.Explicit(covariance + seed, x.mean(axis=0))
    for _ in range(60):
        e = np.linalg.solve(published, centred.T).T
        published = published + rate * 0.5 * (e.T @ e - len(x) * np.linalg.inv(published))
        ours = cov.explicit_learn(ours, x, rate)
    assert np.abs(published - published.T).max() > 1e-4
    assert np.array_equal(ours.covariance, ours.covariance.T)
    np.testing.assert_allclose(ours.covariance, covariance, atol=1e-12)


@pytest.mark.parametrize("call, sentence", [
    (lambda: cov.CovPCN(np.eye(3), np.zeros(3)), "covpcn.weights has a diagonal entry that is not zero"),
    (lambda: cov.CovPCN(np.zeros((3, 2)), np.zeros(3)), r"weights has shape \(3, 2\) and covpcn.prior \(3,\); give"),
    (lambda: untrained("tahn"), "activation is 'tahn'; did you mean 'tanh'"),
    (lambda: cov.rate_bound(patterns(), "tahn"), "activation is 'tahn'; did you mean 'tanh'"),
    (lambda: cov.settled(patterns(count=6)), "patterns has 6 rows whose covariance of 6 neurons has no inverse; give"),
    (lambda: cov.learn(untrained(), np.zeros((2, 5)), 0.1), r"x has shape \(2, 5\); give .* of 6 columns"),
    (lambda: cov.energy(untrained(), np.full((1, 6), np.nan)), "x holds a value that is not finite; put 0 where"),
    (lambda: cov.recall(untrained(), np.zeros((2, 6)), np.ones(6), "implicit", 0.1, 1), "missing is float64 of shape"),  # type: ignore[arg-type]
    (lambda: cov.recall(untrained(), np.zeros((2, 6)), MISSING, "explicit", 0.1, 1), "recall kind is 'explicit'; give"),  # type: ignore[arg-type]
    (lambda: cov.fixed_point(untrained("tanh"), np.zeros((2, 6)), MISSING, "implicit"), "'tanh'; the closed form and"),
    (lambda: cov.recall_bound(untrained(), np.ones((2, 6), dtype=bool), "implicit"), "closed forms take bool"),
])
def test_every_wrong_input_is_named(call, sentence):
    """Without it NumPy would broadcast, or answer with a shape error that names no place."""
    with pytest.raises(BadInput, match=sentence):
        call()
