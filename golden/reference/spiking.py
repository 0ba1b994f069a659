"""Leaky integrate-and-fire neurons, spike traces and pair STDP.

One sample at a time: vectors (neurons,), spike trains (steps, neurons) of 0 and 1. Times are in the
unit of ``dt``; weights are (post, pre). Every rule here is exact per step, so a run can be
held against closed forms.

Source: Morrison, Diesmann and Gerstner 2008 (pair STDP by traces, nearest and all-to-all); the
conventions of the ngc-learn simulator. Its post trace is read one step late: ``read_post="before"``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from hebbar.contract.errors import BadInput

from .state import Array

__all__ = ["Read", "Lif", "nearest_trace", "low_pass_trace", "Stdp", "lif_run", "trace_run", "stdp_run", "learn"]

Read = Literal["before", "after"]
"""Whether a step reads a trace before or after the trace's own decay and spike."""
Trace = Callable[[Array, Array], Array]


@dataclass(frozen=True)
class Lif:
    """``v' = v + dt/tau ((rest - v) + resistance * current)``, then a spike and ``v = reset``.

    A neuron spikes where v' is above ``threshold``, with ``at_threshold`` also where it is equal. In
    the ``refractory`` steps after a spike v stays at ``reset`` and the current is lost. The defaults
    are the machine's: rest 0, reset 0, threshold 1 included, no refractory time.
    """

    tau: float = 8.0
    dt: float = 1.0
    rest: float = 0.0
    reset: float = 0.0
    threshold: float = 1.0
    resistance: float = 1.0
    refractory: int = 0
    at_threshold: bool = True

    def __post_init__(self) -> None:
        if not 0 < self.dt <= self.tau:
            raise BadInput(f"lif.dt is {self.dt} with tau {self.tau}; give 0 < dt <= tau, or v overshoots.")
        if self.reset >= self.threshold:
            raise BadInput(f"lif.reset is {self.reset} and threshold {self.threshold}; reset below the "
                           "threshold, or a neuron never stops.")
        if self.refractory < 0:
            raise BadInput(f"lif.refractory is {self.refractory}; give 0 or more steps.")

    def step(self, v: Array, waiting: Array, current: Array) -> tuple[Array, Array, Array]:
        """(v, waiting, spikes) after one step; ``waiting`` counts refractory steps left."""
        moved = v + self.dt / self.tau * ((self.rest - v) + self.resistance * current)
        v = np.where(waiting > 0, v, moved)
        spikes = ((v >= self.threshold) if self.at_threshold else (v > self.threshold)) & (waiting == 0)
        waiting = np.where(spikes, self.refractory, np.maximum(waiting - 1, 0))
        return np.where(spikes, self.reset, v), waiting, spikes.astype(np.float64)


def lif_run(lif: Lif, currents: Array) -> tuple[Array, Array]:
    """Potentials after reset and spikes, both (steps, neurons), from v = rest; ``currents`` alike."""
    v, waiting = np.full(currents.shape[1], lif.rest), np.zeros(currents.shape[1], dtype=int)
    potentials, spikes = np.zeros(currents.shape), np.zeros(currents.shape)
    for t, current in enumerate(currents):
        v, waiting, spikes[t] = lif.step(v, waiting, current)
        potentials[t] = v
    return potentials, spikes


def nearest_trace(tau: float, dt: float = 1.0) -> Trace:
    """``z = z exp(-dt/tau) (1 - s) + s``: exp(-(time since the last spike)/tau), earlier ones forgotten."""
    if tau <= 0 or dt <= 0:
        raise BadInput(f"tau is {tau} and dt {dt} of a nearest trace; give positive times.")
    decay = np.exp(-dt / tau)
    return lambda z, s: z * decay * (1 - s) + s


def low_pass_trace(gain: float) -> Trace:
    """``z += gain (s - z)``: the sum over all spikes of ``gain (1 - gain)^steps``.

    The machine's trace: a population behind an identity edge that takes state steps of gamma = gain.
    """
    if not 0 < gain <= 1:
        raise BadInput(f"gain of a low-pass trace is {gain}; give more than 0 and at most 1.")
    return lambda z, s: z + gain * (s - z)


def trace_run(trace: Trace, spikes: Array) -> Array:
    """The trace after each step's spikes, (steps, neurons), from 0."""
    z, out = np.zeros(spikes.shape[1]), np.zeros(spikes.shape)
    for t, s in enumerate(spikes):
        z = out[t] = trace(z, s)
    return out


@dataclass(frozen=True)
class Stdp:
    """``dW = plus s_post z_pre^T - minus z_post s_pre^T``, the sum clipped to [0, w_max].

    ``read_pre`` and ``read_post`` say which trace a step reads: "after" its own decay and spike,
    or as it stood "before" them, that is at the end of the step before. A pre spike d steps before a
    post spike weighs ``plus`` times the trace d steps ("after") or d - 1 steps ("before") old; a
    coincidence counts on a side that reads "after" and on no other.
    """

    plus: float = 0.01
    minus: float = 0.01
    w_max: float = 1.0
    read_pre: Read = "after"
    read_post: Read = "after"

    def __post_init__(self) -> None:
        for name in ("read_pre", "read_post"):
            if getattr(self, name) not in ("before", "after"):
                raise BadInput(f"stdp.{name} is {getattr(self, name)!r}; give 'before' or 'after'.")
        if self.w_max <= 0:
            raise BadInput(f"stdp.w_max is {self.w_max}; give a positive bound.")

    def step(self, weights: Array, pre: Array, post: Array, z_pre: Array, z_post: Array) -> Array:
        """New weights (post, pre) from this step's spikes and the traces that were read."""
        change = self.plus * np.outer(post, z_pre) - self.minus * np.outer(z_post, pre)
        return np.clip(weights + change, 0.0, self.w_max)


def stdp_run(stdp: Stdp, weights: Array, pre: Array, post: Array, pre_trace: Trace,
             post_trace: Trace) -> Array:
    """Weights after each step of two given spike trains, (steps, post, pre); traces start at 0."""
    _check(stdp, weights, pre, post.shape[1])
    if len(pre) != len(post):
        raise BadInput(f"pre has {len(pre)} steps and post {len(post)}; give the same number.")
    z_pre, z_post = _read(trace_run(pre_trace, pre), stdp.read_pre), _read(trace_run(post_trace, post), stdp.read_post)
    out = np.zeros((len(pre), *weights.shape))
    for t in range(len(pre)):
        weights = out[t] = stdp.step(weights, pre[t], post[t], z_pre[t], z_post[t])
    return out


def learn(lif: Lif, stdp: Stdp, weights: Array, pre: Array, pre_trace: Trace, post_trace: Trace,
          teach: Array | None = None) -> tuple[Array, Array]:
    """(weights after the run, post spikes (steps, post)) of one layer driven by ``pre``.

    Each step: current = weights s_pre (+ ``teach`` (steps, post)), neurons, traces, weights. The current
    uses the weights from before the step.
    """
    _check(stdp, weights, pre, len(weights))
    count = len(weights)
    v, waiting = np.full(count, lif.rest), np.zeros(count, dtype=int)
    z_pre, z_post, spikes = np.zeros(pre.shape[1]), np.zeros(count), np.zeros((len(pre), count))
    for t, s in enumerate(pre):
        current = weights @ s + (0 if teach is None else teach[t])
        v, waiting, spikes[t] = lif.step(v, waiting, current)
        new_pre, new_post = pre_trace(z_pre, s), post_trace(z_post, spikes[t])
        weights = stdp.step(weights, s, spikes[t], new_pre if stdp.read_pre == "after" else z_pre,
                            new_post if stdp.read_post == "after" else z_post)
        z_pre, z_post = new_pre, new_post
    return weights, spikes


def _read(trace: Array, when: Read) -> Array:
    """The trace as each step reads it: its own value, or that of the step before."""
    return trace if when == "after" else np.vstack([np.zeros((1, trace.shape[1])), trace[:-1]])


def _check(stdp: Stdp, weights: Array, pre: Array, post_count: int) -> None:
    if weights.shape != (post_count, pre.shape[1]):
        raise BadInput(f"weights has shape {weights.shape}; give {(post_count, pre.shape[1])}, rows for post "
                       "and columns for pre neurons.")
    if (weights < 0).any() or (weights > stdp.w_max).any():
        raise BadInput(f"weights goes from {weights.min():g} to {weights.max():g}; start inside [0, w_max] = "
                       f"[0, {stdp.w_max:g}], or the first step clips it.")
    if not np.isin(pre, (0, 1)).all():
        raise BadInput("pre holds a value that is neither 0 nor 1; give spikes.")
