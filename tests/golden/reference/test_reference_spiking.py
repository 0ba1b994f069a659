"""Spiking neurons, traces and STDP against closed forms, written down from the continuous equations."""

import re
from typing import Any

import numpy as np
import pytest

from golden.reference.spiking import Lif, Stdp, learn, lif_run, low_pass_trace, nearest_trace, stdp_run, trace_run
from hebbar.contract.errors import BadInput

TRACES = {"nearest": (nearest_trace(6.0, 0.5), np.exp(-0.5 / 6), 1.0),
          "low pass": (low_pass_trace(0.125), 0.875, 0.125)}
"""Each trace with its factor per step and its value in the step of a spike."""


def constant(lif, current, steps):
    """Spike numbers (steps, from 0) of one neuron under a constant current."""
    return np.flatnonzero(lif_run(lif, np.full((steps, 1), current))[1][:, 0])


@pytest.mark.parametrize("lif", [
    Lif(), Lif(tau=20, dt=0.5, rest=-65, reset=-70, threshold=-52, resistance=2, refractory=4),
    Lif(tau=10, rest=0.2, reset=-0.3, refractory=1, at_threshold=False)], ids=["machine", "biology", "strict"])
def test_a_constant_current_gives_the_closed_form_spike_times(lif):
    """v_n = v_inf + (v_0 - v_inf)(1 - dt/tau)^n: a reset one step late only lowers the rate."""
    for above in (1.07, 1.5, 3.0):
        current = above * (lif.threshold - lif.rest) / lif.resistance
        end, leak = lif.rest + lif.resistance * current, 1 - lif.dt / lif.tau

        def climb(start):
            return int(np.ceil(np.log((end - lif.threshold) / (end - start)) / np.log(leak)))

        first, period = climb(lif.rest), climb(lif.reset) + lif.refractory
        wanted = np.arange(first - 1, 600, period)
        assert len(wanted) > 3
        assert constant(lif, current, 600).tolist() == wanted.tolist()


def test_a_current_below_threshold_never_spikes_and_charges_exponentially():
    """The leak: without it any current spikes in the end."""
    lif = Lif(tau=5, rest=0.1)
    v, spikes = lif_run(lif, np.full((60, 1), 0.85))
    assert not spikes.any()
    np.testing.assert_allclose(v[:, 0], 0.95 - 0.85 * 0.8 ** np.arange(1, 61), rtol=1e-13)


def test_equality_with_the_threshold_is_a_setting():
    """v is 1 exactly after one step of 2 at dt/tau = 1/2: the machine spikes there, others a step later."""
    assert constant(Lif(tau=2), 2.0, 4).tolist() == [0, 1, 2, 3]
    assert constant(Lif(tau=2, at_threshold=False), 2.0, 4).tolist() == [1, 3]


def test_refractory_neurons_hold_their_reset_and_lose_their_input():
    """A neuron that integrates while it rests spikes early after it."""
    currents = np.array([[40.0], [40], [40], [0], [8]])
    v, spikes = lif_run(Lif(refractory=3, reset=-0.5), currents)
    assert spikes[:, 0].tolist() == [1, 0, 0, 0, 0]
    np.testing.assert_allclose(v[:, 0], [-0.5, -0.5, -0.5, -0.5, -0.5 * 0.875 + 1], rtol=1e-14)


def test_a_nearest_trace_is_an_exponential_of_the_last_spike():
    """Earlier spikes must be forgotten, else the window of a burst depends on its length."""
    spikes = np.zeros((30, 1))
    spikes[[3, 4, 11]] = 1
    last = np.array([np.nan] * 3 + [3] + [4] * 7 + [11] * 19)
    wanted = np.nan_to_num(np.exp(-0.5 * (np.arange(30) - last) / 6))
    np.testing.assert_allclose(trace_run(nearest_trace(6.0, 0.5), spikes)[:, 0], wanted, rtol=1e-13)


def test_a_low_pass_trace_is_the_sum_over_all_spikes():
    """The trace of the machine; without its sum a rate would not be read off it."""
    spikes = np.random.default_rng(2).integers(0, 2, (40, 3)).astype(float)
    at = np.arange(40)
    kernel = np.where(at[:, None] >= at, 0.25 * 0.75 ** np.maximum(at[:, None] - at, 0), 0)
    got = trace_run(low_pass_trace(0.25), spikes)
    np.testing.assert_allclose(got, kernel @ spikes, rtol=1e-13, atol=1e-15)
    assert (trace_run(low_pass_trace(0.25), np.ones((200, 1)))[-1] == pytest.approx(1, rel=1e-12))


def change(stdp, kind, pre_at, post_at, steps=60):
    """What one pair of spikes, or a train of pairs, does to a weight of 0.5."""
    pre, post = np.zeros((steps, 1)), np.zeros((steps, 1))
    pre[pre_at], post[post_at] = 1, 1
    trace = TRACES[kind][0]
    return stdp_run(stdp, np.full((1, 1), 0.5), pre, post, trace, trace)[-1, 0, 0] - 0.5


@pytest.mark.parametrize("kind", TRACES)
@pytest.mark.parametrize("read", ["before", "after"])
def test_the_window_of_one_pair_is_the_double_exponential(kind, read):
    """A swapped factor or side keeps the shape of a run and turns causes into effects."""
    _, decay, height = TRACES[kind]
    stdp, late = Stdp(0.02, 0.03, 1.0, read, read), int(read == "before")
    for delay in range(1, 40):
        window = height * decay ** (delay - late)
        assert change(stdp, kind, 10, 10 + delay) == pytest.approx(0.02 * window, rel=1e-9)
        assert change(stdp, kind, 10 + delay, 10) == pytest.approx(-0.03 * window, rel=1e-9)


@pytest.mark.parametrize("kind", TRACES)
def test_the_order_decides_a_coincidence(kind):
    """Simulators differ here and nowhere else; two that agree on all pairs still learn apart."""
    for read_pre, plus in (("before", 0), ("after", 0.02)):
        for read_post, minus in (("before", 0), ("after", 0.03)):
            got = change(Stdp(0.02, 0.03, 1.0, read_pre, read_post), kind, 10, 10)
            assert got == pytest.approx((plus - minus) * TRACES[kind][2], rel=1e-9, abs=1e-15)


def test_bursts_tell_the_traces_apart():
    """Three pre spikes before one post spike: the nearest counts once, all of them three times."""
    _, decay, _ = TRACES["nearest"]
    assert change(Stdp(), "nearest", [10, 12, 14], 17) == pytest.approx(0.01 * decay**3, rel=1e-9)
    wanted = 0.01 * 0.125 * (0.875**3 + 0.875**5 + 0.875**7)
    assert change(Stdp(), "low pass", [10, 12, 14], 17) == pytest.approx(wanted, rel=1e-9)


def test_weights_are_clipped_at_both_ends_at_every_step():
    """Clipping only at the end would forget nothing: a weight at its bound must lose what exceeds it."""
    pre, post = np.zeros((8, 2)), np.zeros((8, 2))
    pre[[1, 5], 0], post[[2, 4], 0] = 1, 1
    trace = nearest_trace(1e9)
    got = stdp_run(Stdp(0.75, 0.75, 0.8), np.array([[0.5, 0.3], [0.3, 0.3]]), pre, post, trace, trace)
    np.testing.assert_allclose(got[:, 0, 0], [0.5, 0.5, 0.8, 0.8, 0.8, 0.05, 0.05, 0.05], atol=1e-8)
    assert (got[:, 0, 1] == 0.3).all() and (got[:, 1, 1] == 0.3).all()
    assert stdp_run(Stdp(0.75, 0.75), np.full((1, 1), 0.1), post[:, :1], pre[:, :1], trace, trace).min() == 0


def test_nothing_changes_without_spikes():
    """A trace is no spike: while it decays the weights must keep every bit."""
    rng = np.random.default_rng(3)
    weights, pre, post = rng.uniform(0, 1, (4, 5)), np.zeros((50, 5)), np.zeros((50, 4))
    pre[:3, 1:], post[:3, 2:] = 1, 1
    for trace, _, _ in TRACES.values():
        got = stdp_run(Stdp(minus=0.02), weights, pre, post, trace, trace)
        assert (got[2, 2:, 1:] != weights[2:, 1:]).all()
        assert (got[2:] == got[2]).all()
        assert (got[:, :2, 0] == weights[:2, 0]).all()


def test_a_layer_is_its_parts_step_by_step():
    """One loop of current, neurons, traces and weights; new weights in the same step's current would show."""
    rng = np.random.default_rng(5)
    pre = (rng.random((120, 6)) < 0.4).astype(float)
    teach = 0.5 * rng.random((120, 3))
    weights, lif = rng.uniform(0, 1, (3, 6)), Lif(tau=4, refractory=1)
    for stdp in (Stdp(0.05, 0.06), Stdp(0.05, 0.06, 1.0, "after", "before"), Stdp(0.05, 0.06, 1.0, "before", "after")):
        last, spikes = learn(lif, stdp, weights, pre, low_pass_trace(0.25), nearest_trace(5.0), teach)
        assert 5 < spikes.sum() < 300
        path = stdp_run(stdp, weights, pre, spikes, low_pass_trace(0.25), nearest_trace(5.0))
        assert (path[-1] == last).all()
        used = np.concatenate([weights[None], path[:-1]])
        currents = np.einsum("tij,tj->ti", used, pre) + teach
        assert (lif_run(lif, currents)[1] == spikes).all()


def test_a_synapse_learns_what_predicts_a_taught_spike():
    """The purpose: inputs before the taught spikes grow to the bound, inputs after them fall to zero."""
    pre, teach = np.zeros((400, 2)), np.zeros((400, 1))
    pre[5::20, 0], teach[8::20], pre[11::20, 1] = 1, 40, 1
    last, spikes = learn(Lif(threshold=2), Stdp(0.1, 0.1), np.full((1, 2), 0.5), pre, nearest_trace(4.0),
                         nearest_trace(4.0), teach)
    assert np.flatnonzero(spikes[:, 0]).tolist() == list(range(8, 400, 20))
    assert last.tolist() == [[1.0, 0.0]]


RUN: dict[str, Any] = {
    "stdp": Stdp(), "weights": np.full((1, 2), 0.5), "pre": np.zeros((4, 2)), "post": np.zeros((4, 1)),
    "pre_trace": nearest_trace(5), "post_trace": nearest_trace(5)}


@pytest.mark.parametrize("call, words", [
    (lambda: Lif(tau=0.5), "lif.dt is 1.0 with tau 0.5; give 0 < dt <= tau"),
    (lambda: Lif(reset=1.0), "lif.reset is 1.0 and threshold 1.0; reset below"),
    (lambda: Lif(refractory=-1), "lif.refractory is -1; give 0 or more"),
    (lambda: Stdp(read_pre="late"), "stdp.read_pre is 'late'; give 'before' or 'after'"),  # type: ignore[arg-type]
    (lambda: Stdp(w_max=0), "stdp.w_max is 0; give a positive"),
    (lambda: nearest_trace(0), "tau is 0 and dt 1.0 of a nearest trace"),
    (lambda: low_pass_trace(1.5), "gain of a low-pass trace is 1.5; give"),
    (lambda: stdp_run(**RUN | {"post": np.zeros((3, 1))}), "pre has 4 steps and post 3"),
    (lambda: stdp_run(**RUN | {"post": np.zeros((4, 2))}), "weights has shape (1, 2); give (2, 2)"),
    (lambda: stdp_run(**RUN | {"weights": np.full((1, 2), 1.5)}), "start inside [0, w_max] = [0, 1]"),
    (lambda: stdp_run(**RUN | {"pre": np.full((4, 2), 0.5)}), "pre holds a value that is neither 0 nor 1")])
def test_wrong_input_is_refused_with_the_place_and_the_fix(call, words):
    """Each of these runs on and learns something else."""
    with pytest.raises(BadInput, match=re.escape(words)):
        call()
