"""Universal Hopfield networks: what is recalled exactly, what one formula says of another, and what is refused."""

import re
from math import erf, sqrt

import numpy as np
import pytest

from golden.reference import hopfield as hop
from hebbar.contract.errors import BadInput


def bits(slots=20, size=100, flips=0.2, seed=0):
    """Random patterns of +-1 and the same with a share of the bits flipped."""
    rng = np.random.default_rng(seed)
    patterns = rng.choice([-1.0, 1.0], (slots, size))
    return patterns, np.where(rng.random((slots, size)) < flips, -patterns, patterns)


def reals(slots=7, size=5, queries=9, seed=1):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(slots, size)), rng.normal(size=(queries, size))


DISTANCES = {"dot": lambda m, q: -sum(a * b for a, b in zip(m, q)),
             "cosine": lambda m, q: -sum(m * q) / np.sqrt(sum(m * m) * sum(q * q)),
             "euclidean": lambda m, q: np.sqrt(sum((m - q) ** 2)), "stored_norm": lambda m, q: sum((m - q) ** 2),
             "manhattan": lambda m, q: sum(abs(m - q))}


@pytest.mark.parametrize("name", list(DISTANCES))
def test_max_separation_returns_the_nearest_pattern_bit_for_bit(name):
    """Theorem 10. A rounded answer is no stored pattern, and a wrong norm prefers long ones."""
    assert set(DISTANCES) == set(hop.SIMILARITIES)
    patterns, queries = reals()
    got = hop.retrieve(hop.filled(patterns), queries, hop.Retrieval(name, "max"))
    for z, q in zip(got, queries):
        nearest = min(range(len(patterns)), key=lambda k: DISTANCES[name](patterns[k], q))
        assert z.tobytes() == patterns[nearest].tobytes()
    assert len({z.tobytes() for z in got}) > 2


def test_of_equal_scores_the_first_counts():
    """A mean of two patterns would be neither."""
    patterns = np.array([[0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    got = hop.retrieve(hop.filled(patterns, np.eye(3)), np.array([[2.0, 0.0], [1.0, 1.0]]), hop.Retrieval("dot", "max"))
    assert got.tolist() == [[0, 1, 0], [1, 0, 0]]


@pytest.mark.parametrize("name, wanted", [
    ("dot", [[11.0, 3.0]]), ("cosine", [[11 / 5 / np.sqrt(5), 3 / 5]]), ("stored_norm", [[11 - 2.5, 3 - 0.5]]),
    ("euclidean", [[1 / (1 + np.sqrt(8)), 1 / (1 + np.sqrt(20))]]), ("manhattan", [[1 / 5, 1 / 7]])])
def test_similarities_by_hand(name, wanted):
    """Query (3, 4) against keys (1, 2) and (1, 0)."""
    memory = hop.filled(np.array([[1.0, 2.0], [1.0, 0.0]]))
    np.testing.assert_allclose(hop.similarity(memory, np.array([[3.0, 4.0]]), name), wanted, rtol=1e-14)


def test_the_cosine_of_nothing_is_zero():
    """An empty slot or a blank query would answer NaN for all."""
    memory = hop.Memory(np.array([[1.0, 0.0], [0.0, 0.0]]), np.eye(2))
    got = hop.similarity(memory, np.array([[2.0, 0.0], [0.0, 0.0]]), "cosine")
    assert got.tolist() == [[1, 0], [0, 0]]


def test_softmax_recalls_flipped_patterns_exactly_and_the_classical_network_makes_errors():
    """20 patterns of 100 bits, a fifth flipped; crosstalk leaves about 5 % of the bits of a classical one wrong.

    The field of a bit is 0.6, plus or minus the 19 / 100 of its self connection through the other patterns (minus
    where it was flipped), and crosstalk of standard deviation sqrt(19 / 100) that is about normal.
    """
    wrong = []
    for seed in range(10):
        patterns, queries = bits(seed=seed)
        memory = hop.filled(patterns)
        assert (hop.retrieve(memory, queries, hop.Retrieval("dot", "softmax", 4.0, sign=True)) == patterns).all()
        np.testing.assert_allclose(hop.retrieve(memory, queries, hop.MODERN), patterns, atol=1e-12)
        wrong.append((hop.retrieve(memory, queries, hop.CLASSICAL) != patterns).mean())
    tail = [0.5 - 0.5 * erf((0.6 + own) / sqrt(0.19) / sqrt(2)) for own in (0.19, -0.19)]
    assert np.mean(wrong) == pytest.approx(0.8 * tail[0] + 0.2 * tail[1], abs=0.015)


def test_the_classical_network_is_the_hebbian_matrix():
    """sign(M^T M q): the sign before the projection would add up slots, not bits."""
    patterns, queries = bits(6, 40)
    weights = sum(np.outer(p, p) for p in patterns)
    wanted = np.where(queries @ weights >= 0, 1, -1)
    assert (hop.retrieve(hop.filled(patterns), queries, hop.CLASSICAL) == wanted).all()


def test_softmax_is_attention_and_ends_between_mean_and_max():
    """beta 0+ gives the mean of all patterns, a large one the nearest; exp of large scores must not overflow."""
    patterns, queries = reals()
    memory = hop.filled(patterns)
    scores = np.exp(1.5 * queries @ patterns.T)
    wanted = scores / scores.sum(axis=1, keepdims=True) @ patterns
    np.testing.assert_allclose(hop.retrieve(memory, queries, hop.Retrieval(beta=1.5)), wanted, rtol=1e-12)
    np.testing.assert_allclose(hop.retrieve(memory, queries, hop.Retrieval(beta=1e-12)),
                               np.tile(patterns.mean(axis=0), (9, 1)), atol=1e-10)
    nearest = hop.retrieve(memory, queries, hop.Retrieval("dot", "max"))
    np.testing.assert_allclose(hop.retrieve(memory, queries, hop.Retrieval(beta=1e6)), nearest, atol=1e-9)


def test_a_squared_norm_as_a_bias_is_euclidean_under_softmax():
    """What the machine stores beside the keys: q.m - |m|^2 / 2 is -|q - m|^2 / 2 and a constant of the query."""
    patterns, queries = reals()
    got = hop.retrieve(hop.filled(patterns), queries, hop.Retrieval("stored_norm", beta=3.0))
    weight = np.exp(-1.5 * ((queries[:, None] - patterns) ** 2).sum(axis=2))
    np.testing.assert_allclose(got, weight / weight.sum(axis=1, keepdims=True) @ patterns, rtol=1e-12)


def test_a_polynomial_separation_is_the_dense_associative_memory():
    """Shares are powers of the scaled scores; of degree 1 it is the identity."""
    patterns, queries = reals()
    memory = hop.filled(patterns)
    for degree in (1, 2, 3):
        wanted = sum(np.outer((0.5 * (queries @ p)) ** degree, p) for p in patterns)
        got = hop.retrieve(memory, queries, hop.Retrieval("dot", "polynomial", 0.5, degree))
        np.testing.assert_allclose(got, wanted, rtol=1e-12)
    np.testing.assert_allclose(hop.retrieve(memory, queries, hop.Retrieval("dot", "identity", 0.5)),
                               hop.retrieve(memory, queries, hop.Retrieval("dot", "polynomial", 0.5, 1)), rtol=1e-14)


def test_storing_is_one_hebbian_update_a_pattern():
    """h one-hot as the error: a pattern lands in its slot, all others keep every bit."""
    patterns, queries = reals()
    values = np.random.default_rng(3).normal(size=(7, 2))
    memory = hop.empty(7, 5, 2)
    for slot in np.random.default_rng(4).permutation(7):
        before, memory = memory, hop.store(memory, int(slot), patterns[slot], values[slot])
        others = np.arange(7) != slot
        assert (memory.keys[others] == before.keys[others]).all() and (memory.keys[slot] == patterns[slot]).all()
    whole = hop.filled(patterns, values)
    assert (memory.keys == whole.keys).all() and (memory.values == whole.values).all()
    for how in (hop.MODERN, hop.Retrieval("euclidean", "max")):
        assert (hop.retrieve(memory, queries, how) == hop.retrieve(whole, queries, how)).all()
    twice = hop.store(memory, 2, patterns[2], values[2])
    assert (twice.keys[2] == 2 * patterns[2]).all()


def test_feature_space_compares_features_and_answers_with_patterns():
    """Keys and queries go through phi, values do not; with phi = identity nothing changes (ECAI 2023)."""
    patterns, queries = reals()
    encode = np.random.default_rng(5).normal(size=(5, 8))
    memory = hop.filled(patterns, encoder=lambda x: np.tanh(x @ encode))
    for how in (hop.Retrieval(beta=2.0), hop.Retrieval("euclidean", "max")):
        apart = hop.retrieve(hop.filled(np.tanh(patterns @ encode), patterns), np.tanh(queries @ encode), how)
        np.testing.assert_allclose(hop.retrieve(memory, queries, how), apart, rtol=1e-13)
        plain = hop.retrieve(hop.filled(patterns), queries, how)
        same = hop.retrieve(hop.filled(patterns, encoder=lambda x: x), queries, how)
        assert (plain == same).all()
        assert np.abs(plain - apart).max() > 0.1
    stored = hop.store(hop.empty(1, 8, 5, lambda x: np.tanh(x @ encode)), 0, patterns[0], patterns[0])
    np.testing.assert_allclose(stored.keys[0], np.tanh(patterns[0] @ encode), rtol=1e-13)


def test_modern_retrieval_descends_its_energy_to_a_fixed_point():
    """Ramsauer et al.: no step raises the energy, and its gradient is q less the answer."""
    patterns, queries = reals(12, 4)
    memory, beta = hop.filled(patterns), 1.7
    path = [hop.iterate(memory, queries, hop.Retrieval(beta=beta), n) for n in range(60)]
    energies = np.array([hop.modern_energy(memory, z, beta) for z in path])
    assert (np.diff(energies, axis=0) <= 1e-12).all() and (energies[1] < energies[0] - 1e-3).all()
    answer, h = hop.retrieve(memory, queries, hop.Retrieval(beta=beta)), 1e-6
    slope = [(hop.modern_energy(memory, queries + d, beta) - hop.modern_energy(memory, queries - d, beta)) / (2 * h)
             for d in h * np.eye(4)]
    np.testing.assert_allclose(np.array(slope).T, queries - answer, atol=1e-8)
    assert (path[1] == answer).all() and (path[0] == queries).all()


MEMORY = hop.filled(np.eye(3), np.ones((3, 2)))


@pytest.mark.parametrize("call, words", [
    (lambda: hop.Retrieval("dott"), "retrieval.similarity is 'dott'; did you mean 'dot'"),
    (lambda: hop.Retrieval("dot", "softmx"), "retrieval.separation is 'softmx'; did you mean 'softmax'"),
    (lambda: hop.Retrieval(beta=0), "retrieval.beta is 0; give a finite number above 0"),
    (lambda: hop.Retrieval(beta=float("inf")), "retrieval.beta is inf"),
    (lambda: hop.Retrieval(degree=0), "retrieval.degree is 0; give a whole number"),
    (lambda: hop.Retrieval(degree=1.5), "retrieval.degree is 1.5; give a whole number"),  # type: ignore[arg-type]
    (lambda: hop.Memory(np.ones((2, 3)), np.ones((3, 3))), "memory.keys has shape (2, 3) and memory.values (3, 3)"),
    (lambda: hop.filled(np.ones((0, 3))), "give one row per slot to both, at least one"),
    (lambda: hop.retrieve(MEMORY, np.ones(3), hop.MODERN), "queries has shape (3,); give one row per pattern"),
    (lambda: hop.retrieve(MEMORY, np.ones((2, 4)), hop.MODERN), "the memory's keys need (2, 3)"),
    (lambda: hop.iterate(MEMORY, np.ones((2, 3)), hop.MODERN, 2), "an answer is the next query"),
    (lambda: hop.store(MEMORY, 3, np.ones(3), np.ones(2)), "slot is 3; the memory has 3 slots, counted from 0"),
    (lambda: hop.store(MEMORY, 0, np.ones(3), np.ones(3)), "value has shape (3,); the memory's values need (2,)")])
def test_wrong_input_is_refused_with_the_place_and_the_fix(call, words):
    """Broadcasting answers most of these with something."""
    with pytest.raises(BadInput, match=re.escape(words)):
        call()
