"""Reward bases: linear in the motivation at every step, and at the end the values of a Markov chain."""

import itertools
import re

import numpy as np
import pytest

from golden.reference import reward_bases as rb
from hebbar.contract.errors import BadInput


def walk(steps=200, states=6, bases=3, features=5, seed=0):
    """A random walk over states with random features and rewards; every ninth step ends an episode."""
    rng = np.random.default_rng(seed)
    phi = rng.normal(size=(states, features))
    path = rng.integers(0, states, steps + 1)
    return [rb.Transition(phi[s], rng.normal(size=bases), None if n % 9 == 8 else phi[t])
            for n, (s, t) in enumerate(itertools.pairwise(path))]


def td(steps, motivation, discount, rate):
    """TD learning of one value function on one reward, written out: w and the delta of every step."""
    w, path, deltas = np.zeros(len(steps[0].features)), [], []
    for step in steps:
        later = 0.0 if step.after is None else float(w @ step.after)
        reward = sum(m * r for m, r in zip(motivation, step.rewards))
        deltas.append(reward + discount * later - float(w @ step.features))
        w = w + rate * deltas[-1] * step.features
        path.append(w)
    return np.array(path), np.array(deltas)


@pytest.mark.parametrize("motivation", [(1.0, 0.0, 0.0), (0.3, -2.0, 1.5), (0.0, 0.0, 0.0)])
def test_the_sum_of_the_bases_is_td_learning_on_the_sum_of_the_rewards(motivation):
    """Theorem 11, at every step and not only in the end; a rate per basis would break it unseen."""
    steps = walk()
    path = rb.run(np.zeros((3, 5)), steps, 0.9, 0.05)
    wanted, deltas = td(steps, motivation, 0.9, 0.05)
    assert len(path) == len(steps) + 1
    for weights, one, step, delta, before in zip(path[1:], wanted, steps, deltas, path):
        np.testing.assert_allclose(np.array(motivation) @ weights, one, atol=1e-13)
        assert rb.total(weights, step.features, motivation) == pytest.approx(one @ step.features, abs=1e-12)
        assert np.dot(rb.deltas(before, step, 0.9), motivation) == pytest.approx(delta, abs=1e-12)
    assert np.abs(path[-1]).max() > 0.1


def test_a_new_motivation_revalues_every_state_at_once():
    """The purpose: no learning, and still what an agent with that motivation all along would have learnt."""
    steps, rng = walk(), np.random.default_rng(8)
    weights, states = rb.run(np.zeros((3, 5)), steps, 0.8, 0.05)[-1], rng.normal(size=(7, 5))
    for motivation in rng.normal(size=(4, 3)):
        alone = td(steps, motivation, 0.8, 0.05)[0][-1]
        np.testing.assert_allclose(rb.total(weights, states, motivation), states @ alone, atol=1e-12)


def chain():
    """Four states in a ring with an exit, two kinds of reward."""
    transitions = np.array([[0.0, 0.5, 0.5, 0], [0, 0, 1, 0], [0.2, 0, 0, 0.8], [0.5, 0, 0, 0]])
    return transitions, np.array([[1.0, 0, -1, 2], [0, 3, 0, 0.5]])


@pytest.mark.parametrize("discount", [0.0, 0.7, 1.0])
def test_exact_values_are_the_sum_of_all_later_rewards(discount):
    """The series r + g T r + g^2 T^2 r + ..: T the wrong way round gives the values of the past."""
    transitions, rewards = chain()
    wanted, reach = np.zeros((2, 4)), np.eye(4)
    for _ in range(3000):
        wanted = wanted + rewards @ reach.T
        reach = discount * reach @ transitions
    np.testing.assert_allclose(rb.exact_values(transitions, rewards, discount), wanted, rtol=1e-12, atol=1e-12)


def test_learning_on_a_chain_without_chance_ends_at_the_exact_values():
    """A loop 0 -> 1 -> 2 -> end: with nothing random TD ends where the equations say, from anywhere."""
    rewards = np.array([[1.0, -2.0, 0.5], [0.0, 4.0, 1.0]])
    transitions = np.array([[0.0, 1, 0], [0, 0, 1], [0, 0, 0]])
    loop = [rb.Transition(rb.one_hot(s, 3), rewards[:, s], rb.one_hot(s + 1, 3) if s < 2 else None) for s in range(3)]
    weights = rb.run(np.full((2, 3), 7.0), loop * 400, 0.9, 0.2)[-1]
    np.testing.assert_allclose(weights, rb.exact_values(transitions, rewards, 0.9), atol=1e-12)
    moved = rb.run(weights, loop, 0.9, 0.2)[-1]
    np.testing.assert_allclose(moved, weights, atol=1e-12)


def test_the_machine_form_is_the_same_delta():
    """delta = r - w . (phi(s) - g phi(s')): one FWD with the difference of the features, one UPD with phi(s)."""
    weights = np.random.default_rng(1).normal(size=(3, 5))
    for step in walk(20):
        later = np.zeros(5) if step.after is None else step.after
        wanted = step.rewards - weights @ (step.features - 0.9 * later)
        np.testing.assert_allclose(rb.deltas(weights, step, 0.9), wanted, atol=1e-13)
        np.testing.assert_allclose(rb.learn(weights, step, 0.9, 0.5) - weights, 0.5 * np.outer(wanted, step.features),
                                   atol=1e-13)


def test_weights_given_are_never_written():
    """A path that aliases its start would show the end everywhere."""
    start = np.zeros((3, 5))
    path = rb.run(start, walk(3), 0.9, 0.1)
    assert not start.any() and not path[0].any() and np.abs(path[1] - path[2]).max() > 1e-6


W, STEP = np.zeros((2, 3)), rb.Transition(np.ones(3), np.ones(2), np.ones(3))


@pytest.mark.parametrize("call, words", [
    (lambda: rb.one_hot(3, 3), "state is 3; there are 3 states, counted from 0"),
    (lambda: rb.values(W, np.ones(4)), "features has shape (4,); weights (2, 3) needs 3 of them"),
    (lambda: rb.values(np.ones(3), np.ones(3)), "weights has shape (3,); give a matrix that is not empty"),
    (lambda: rb.total(W, np.ones(3), np.ones(3)), "motivation has shape (3,); give one number per basis, (2,)"),
    (lambda: rb.deltas(W, STEP, 1.5), "discount is 1.5; give a number from 0 to 1"),
    (lambda: rb.deltas(W, rb.Transition(np.ones((1, 3)), np.ones(2)), 0.5), "give one state, learning is online"),
    (lambda: rb.deltas(W, rb.Transition(np.ones(3), np.ones(3)), 0.5), "step.rewards has shape (3,); give one"),
    (lambda: rb.exact_values(np.eye(2), np.ones((1, 3)), 0.5), "transitions has shape (2, 2) and rewards (1, 3)"),
    (lambda: rb.exact_values(np.array([[0.6, 0.6], [0, 0]]), np.ones((1, 2)), 0.5), "transitions row 0 is [0.6, 0.6]"),
    (lambda: rb.exact_values(np.array([[0, 1], [-0.1, 0]]), np.ones((1, 2)), 0.5), "transitions row 1 is [-0.1, 0.0]"),
    (lambda: rb.exact_values(np.eye(2), np.ones((1, 2)), 1.0), "some states never end")])
def test_wrong_input_is_refused_with_the_place_and_the_fix(call, words):
    """Broadcasting would turn most of these into values of something else."""
    with pytest.raises(BadInput, match=re.escape(words)):
        call()
