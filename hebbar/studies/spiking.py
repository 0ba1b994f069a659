"""Spikes on the machine: the window of pair STDP, and neurons that learn to tell orders of spikes apart.

A wave is one spike of each input, in one of four orders that return in random sequence, so that only timing tells
them apart. 16 neurons inhibit each other and learn without labels. The constants, here and in the preset, were
chosen on seeds 100 to 115; reported are ``SEEDS``. The error of a neuron that fires ends at the end of its format: what
``Experiment`` would warn of is how the rule works, so sessions run here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from golden.learning.tasks.spikes import ORDERS, PERIOD, WAVE, inhibition, orders, voted, waves
from golden.reference.interpreter import FloatMachine
from golden.reference.state import initial_weights
from golden.session import Session
from hebbar.api import Experiment
from hebbar.contract.console import Reporter
from hebbar.contract.files import BUILD
from hebbar.contract.results import Figure
from hebbar.report.figures import BLUE, ORANGE, WIDTH, panels
from hebbar.report.svg import INK, STYLE

from .questions import Asked, Reals, ask

__all__ = ["ORDERS", "WAVE", "PERIOD", "WAVES", "SEEDS", "LAGS", "Window", "window", "orders", "waves", "network",
           "Told", "told", "Study", "study", "floating", "replay", "reached", "measure", "draw_window", "draw_spikes"]

INPUTS = 64
WAVES = 1500
"""Waves of training; 400 more, whose order is asked for, follow."""
TESTED = 400
SEEDS = range(10)
ACCURACY, WORST = 95, 90
"""Percent of waves told apart: the mean over seeds, and any seed."""
LAGS = np.arange(-20, 21)
LONGER = 4
"""Times as many waves, after which depression has silenced neurons: learning has to end."""
FLOATS = 2
"""Seeds that are also learnt in float64."""


@dataclass(frozen=True)
class Window:
    """What a pair of spikes ``LAGS`` steps apart does to a weight: measured, in closed form, and how far rounding may
    take the one from the other; ``asked``: the same on the RTL."""

    measured: Reals
    closed: Reals
    allows: Reals
    asked: Asked

    @property
    def used(self) -> float:
        """The largest share of what rounding allows; above 1 the machine has another window."""
        return float((np.abs(self.measured - self.closed) / self.allows).max())


def window(reporter: Reporter, backend: str = "fast", build: Path = BUILD) -> Window:
    """One run: every neuron is made to fire once, by the last inputs (in two steps: an error ends
    at -8, so a step raises a potential by 1/2 at most), and all others fire once around that step."""
    e, lags = Experiment("stdp"), len(LAGS)
    edge, options = e.program.layout.network.edges[0], e.config.rule.options
    rate, gain, down = 2.0**-edge.alpha_shift, float(options["trace"]), 2.0 ** -int(options["depression"])
    start = np.full((16, INPUTS), 0.5)
    start[:, lags:] = 2.0
    e.set_weights(e.weights | {("inputs", "neurons"): start})
    post, spikes = int(LAGS.max()), np.zeros((lags, INPUTS))
    spikes[post - LAGS, np.arange(lags)] = 1
    spikes[post - 1, lags::2], spikes[post, lags + 1::2] = 1, 1
    asked = ask(e, "train", {"inputs": spikes}, reporter, backend, build)
    session = Session(e.program, e.image)
    fired = session.run_entry("train", {"inputs": spikes})["neurons"]
    assert (fired.sum(axis=0) == 1).all() and fired[post].all(), "one spike, in the middle"
    trace = rate * gain * (1 - gain) ** np.abs(LAGS)
    up, falls = LAGS >= 0, LAGS <= 0
    # an activity is off by half a code, a trace by half a code a step, which it forgets by ``gain``
    trace_off, change_off = 2.0**-7 + 2.0**-13 / gain, 2.0**-14
    allows = up * (rate * trace_off + change_off) + falls * (rate * down * trace_off + change_off)
    learnt = (session.weights["inputs", "neurons"] - start)[0, :lags]
    return Window(learnt, up * trace - falls * down * trace, allows, asked)


def network(seed: int) -> Experiment:
    """The preset before it learns, its neurons inhibiting each other."""
    e = Experiment("stdp")
    e.set_weights(initial_weights(e.program.layout.network, seed) | inhibition(e.program))
    return e


@dataclass(frozen=True)
class Told:
    """Percent of waves told apart, the median step of the first spike, spikes a wave, and where they are: ``fired``
    (waves, steps, neurons)."""

    accuracy: float
    latency: float
    count: float
    fired: NDArray[np.bool_]


def told(outputs: Reals, which: Sequence[int] | NDArray[np.int64]) -> Told:
    """Name neurons by their spikes (steps, neurons) in waves: they are named after the order they fire most to in the
    first half of them, and their spikes are votes in the second."""
    fired = outputs.reshape(-1, PERIOD, outputs.shape[1]) > 0
    any_of: NDArray[np.bool_] = np.any(fired, axis=2)
    return Told(100 * voted(fired, which), float(np.median(any_of.argmax(axis=1)[np.any(any_of, axis=1)])),
                float(fired.sum(axis=(1, 2)).mean()), fired)


@dataclass(frozen=True)
class Study:
    """Before and after learning; after as many waves without a recurring order; the order of the tested waves."""

    before: Told
    after: Told
    control: Told
    which: NDArray[np.int64]

    def __str__(self) -> str:
        return (f"{self.before.accuracy:.1f} % of waves told apart before, {self.after.accuracy:.1f} after (learnt "
                f"from random orders {self.control.accuracy:.1f}); first spike at step {self.before.latency:.0f}, then "
                f"{self.after.latency:.0f}; {self.before.count:.1f} spikes a wave, then {self.after.count:.1f}")


def _streams(seed: int, count: int, known: bool = True) -> tuple[Reals, Reals, NDArray[np.int64]]:
    """Spikes to learn from; spikes and orders to be told apart."""
    rng = np.random.default_rng(seed)
    times = orders(rng)
    test, which = waves(rng, times, TESTED)
    return waves(rng, times, count, known)[0], test, which


def study(seed: int, count: int = WAVES) -> Study:
    """Orders, waves and start from ``seed``, all in fixed point; weights stand still while waves are told apart."""
    found = list[Told]()
    for known, learns in ((True, False), (True, True), (False, True)):
        e, (train, test, which) = network(seed), _streams(seed, count, known)
        session = Session(e.program, e.image)
        if learns:
            session.run_entry("train", {"inputs": train})
            session = Session(e.program, session.image)  # potentials and traces are those of a reset
        found.append(told(session.run_entry("predict", {"inputs": test})["neurons"], which))
    before, after, control = found
    return Study(before, after, control, which)


def floating(seed: int, count: int = WAVES) -> Told:
    """After learning in float64."""
    e, (train, test, which) = network(seed), _streams(seed, count)
    machine = FloatMachine(e.program, e.weights)
    machine.run("train", {"inputs": train})
    answering = FloatMachine(e.program, machine.weights)
    return told(answering.run("predict", {"inputs": test})["neurons"], which)


def replay(reporter: Reporter, backend: str = "fast", build: Path = BUILD, count: int = WAVES) -> Asked:
    """The first waves of learning on the RTL."""
    seed = SEEDS[0]
    return ask(network(seed), "train", {"inputs": _streams(seed, count)[0]}, reporter, backend, build)


def reached(studies: Sequence[Study]) -> bool:
    """The orders are told apart in every seed, and earlier than before; without a recurring order they are not."""
    after = [s.after.accuracy for s in studies]
    return bool(np.mean(after) >= ACCURACY and min(after) >= WORST and all(
        s.after.latency < s.before.latency / 2 and max(s.before.accuracy, s.control.accuracy) < s.after.accuracy - 20
        for s in studies))


def measure(reporter: Reporter, backend: str = "fast", build: Path = BUILD) -> list[Figure]:
    """Both on the golden machine and on the RTL; what is told apart, how early, and what a step costs."""
    pair, asked = window(reporter, backend, build), replay(reporter, backend, build)
    studies = [study(seed) for seed in SEEDS]
    what = f"{ORDERS} orders of {INPUTS} spikes, {WAVES:,} waves, {len(SEEDS)} seeds"
    mean = {k: float(np.mean([getattr(s, k).accuracy for s in studies])) for k in ("before", "after", "control")}
    worst, met = min(s.after.accuracy for s in studies), reached(studies)
    early, late = (float(np.mean([getattr(s, k).latency for s in studies])) for k in ("after", "before"))
    wrong, words = pair.asked.mismatches + asked.mismatches, pair.asked.words + asked.words
    longer = np.mean([study(seed, LONGER * WAVES).after.accuracy for seed in SEEDS])
    fixed = np.mean([s.after.accuracy for s in studies[:FLOATS]])
    exact = np.mean([floating(seed).accuracy for seed in SEEDS[:FLOATS]])
    return [
        Figure(f"spikes on the RTL, {words:,} words compared: mismatches", wrong, "0", "words",
               wrong == 0 and words > 0),
        Figure("STDP window against its closed form: largest share of what rounding allows", round(pair.used, 2),
               "<= 1", "", pair.used <= 1),
        Figure(f"{what}: told apart (worst {worst:.1f}; before {mean['before']:.1f}; learnt from random orders "
               f"{mean['control']:.1f})", round(mean["after"], 1), f">= {ACCURACY}, every seed >= {WORST}", "%", met),
        Figure(f"{what}: median step of the first spike", round(early, 1), f"< {late / 2:.1f}, half of before",
               "steps", early < late / 2),
        Figure(f"the same in float64, {FLOATS} seeds (fixed point {fixed:.1f})", round(float(exact), 1), "reported",
               "%", None),
        Figure(f"told apart after {LONGER * WAVES:,} waves, depression being twice potentiation",
               round(float(longer), 1), "reported", "%", None),
        Figure("STDP: cycles a step of learning", round(asked.cycles, 1), "reported", "cycles", None),
        Figure("STDP: energy a step of learning, typical", round(asked.energy, 1), "reported", "nJ", None)]


def draw_window(pair: Window) -> Drawing:
    """What one pair of spikes does to a weight, by the steps from the pre to the post spike, over its closed form."""
    with rc_context(STYLE):
        figure, (a,) = panels(2.4)
        a.axhline(0, color=INK, linewidth=0.6)
        a.step(LAGS, pair.closed, where="mid", color=ORANGE, linewidth=1.4, label="closed form, float64")
        a.plot(LAGS, pair.measured, "s", color=BLUE, markersize=3.5, label="machine, fixed point")
        a.set(xlabel="steps from the pre to the post spike", ylabel="weight change")
        a.legend(loc="upper left")
        return figure


def draw_spikes(study: Study) -> Drawing:
    """Rasters before and after learning: the first tested wave of every order, between grey lines."""
    shown = [int(np.flatnonzero(study.which == order)[0]) for order in range(ORDERS)]
    ends = PERIOD * np.arange(len(shown) + 1)
    rows = {"before": study.before.fired, "learnt": study.after.fired}
    with rc_context(STYLE):
        figure = Drawing(figsize=(WIDTH, 0.5 + 1.1 * len(rows)), layout="constrained")
        axes = np.atleast_1d(figure.subplots(len(rows), 1, sharex=True))
        for a, (label, fired), colour in zip(axes, rows.items(), (BLUE, ORANGE)):
            at, neuron = np.nonzero(np.concatenate(fired[shown]))
            a.vlines(at, neuron + 0.5, neuron + 1.5, color=colour, linewidth=1.2)
            a.set(ylabel=label, yticks=[], xlim=(0, ends[-1]), ylim=(0.3, fired.shape[2] + 0.7))
            for end in ends[:-1]:
                a.axvline(end, color=INK, alpha=0.25, linewidth=0.6)
        axes[-1].set_xticks((ends[:-1] + ends[1:]) / 2, [f"order {study.which[i] + 1}" for i in shown])
        axes[-1].tick_params(axis="x", length=0)
        return figure
