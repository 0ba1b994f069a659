"""Learning with weak feedback: how far an update is from the gradient as the nudge lambda shrinks.

The programs of nudged PC and equilibrium propagation run in float64, where the error falls with
lambda or its square, and on the golden machine, where the signal of a small lambda drowns in rounding:
between the two lies the usable range. The gradient is that of each method's own cost: backprop's for nudged PC,
that at the free rest state for the others (``golden.reference.weak_feedback``).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from golden.image import to_image
from golden.learning.datasets import load as load_data
from golden.learning.training import train_fixed
from golden.reference.interpreter import FloatMachine
from golden.reference.rules import backprop
from golden.reference.state import Weights, initial_weights
from golden.reference.weak_feedback import Settling, equilibrium_propagation
from golden.session import Session
from hebbar.compiler.config import Config, load
from hebbar.compiler.network import layered
from hebbar.compiler.program import Program, compile_config
from hebbar.compiler.rule_config import RuleConfig
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput
from hebbar.contract.results import Figure
from hebbar.report.figures import BLUE, GREEN, ORANGE, PURPLE, panels
from hebbar.report.svg import STYLE

from .parameter_sweep import in_parallel

__all__ = ["Method", "METHODS", "CLAMPED", "NUDGES", "Errors", "errors", "accuracies", "lines", "order", "usable",
           "measure", "draw"]

NUDGES = tuple(range(9))
"""lambda = 2**-k."""
LAYERS, ACTIVATION, SHIFT, SCALE = (64, 64, 10), "tanh", 4, 0.5
FRACTION_BITS = 7
"""Fraction bits of activities: tanh stays below 1, and the second phase differs from the first by little."""
STEPS, GAMMA = 300, 0.25
ORDER_FROM = 3
"""The order of an error is read where lambda is 2**-3 and smaller."""
SLACK = 1.0
"""Points below the best accuracy that still count as usable."""
PROCESSES = 2


@dataclass(frozen=True)
class Method:
    """A two-phase preset with an option; ``order``: the power of lambda by which its error falls."""

    preset: str
    options: tuple[tuple[str, bool], ...] = ()
    order: int = 1


METHODS = {"nudged PC": Method("nudged_pc"), "EqProp, +lambda": Method("eqprop", (("symmetric", False),)),
           "EqProp, +-lambda": Method("eqprop", (("symmetric", True),), 2)}
CLAMPED = Method("chl")


@dataclass(frozen=True)
class Errors:
    """Relative distance of an update from the gradient, median over samples, by nudge."""

    floating: NDArray[np.float64]
    fixed: NDArray[np.float64]


def config(method: Method, nudge: int | None) -> Config:
    """The network of the study under a method, run until it rests."""
    options = dict(method.options) | ({} if nudge is None else {"nudge": nudge})
    return load(method.preset).replace(
        network={"layers": LAYERS, "activation": ACTIVATION, "hidden_frac": FRACTION_BITS},
        rule={"steps": STEPS, "gamma": GAMMA, "options": options, "alpha_shifts": (SHIFT,) * 2,
              "init_scales": (SCALE,) * 2})


def errors(method: Method, samples: int, seed: int = 0, nudges: tuple[int | None, ...] = NUDGES) -> Errors:
    """Both distances of the updates of single digits from one set of weights, by nudge."""
    rows = [[_pair(compile_config(config(method, k)), method, n, seed) for n in range(samples)] for k in nudges]
    floating, fixed = np.median(np.array(rows), axis=1).T
    return Errors(floating, fixed)


def _pair(program: Program, method: Method, sample: int, seed: int) -> tuple[float, float]:
    """Distances of one update in float64 and on the golden machine, from weights that both can hold."""
    data = load_data(program.config.data).train.take([sample])
    key = next(t.key for t in program.inputs["train"] if t.key != "x0")
    streams = {"x0": data.inputs_float, key: data.targets}
    image = to_image(program.layout, initial_weights(program.layout.network, seed))
    session = Session(program, image)
    before = session.weights
    floating = FloatMachine(program, before)
    floating.run("train", streams)
    session.run_entry("train", streams)
    wanted = gradient(method, before, data.inputs_float, data.targets)
    after = floating.weights, session.weights
    one, other = (distance({k: 2.0**SHIFT * (w[k] - before[k]) for k in wanted}, wanted) for w in after)
    return one, other


def gradient(method: Method, weights: Weights, x: NDArray[Any], y: NDArray[Any]) -> Weights:
    """The descent of the cost that a method tends to."""
    network = layered(list(LAYERS), ACTIVATION, [0, 0], [SCALE] * 2)
    clamps = {"x0": x, "x2": y}
    if method.preset == "nudged_pc":
        return backprop(network, weights, clamps, RuleConfig(name="backprop")).delta
    return equilibrium_propagation(network, weights, clamps, 2.0**-10, Settling(GAMMA, 1e-10), symmetric=True)


def distance(got: Weights, wanted: Weights) -> float:
    """|got - wanted| / |wanted| over all edges."""
    square = sum(((got[k] - w) ** 2).sum() for k, w in wanted.items())
    return float(np.sqrt(square / sum((w**2).sum() for w in wanted.values())))


def order(found: NDArray[np.float64]) -> float:
    """The p of error ~ lambda**p, from errors by nudge."""
    return float(-np.polyfit(NUDGES[ORDER_FROM:], np.log2(found[ORDER_FROM:]), 1)[0])


def accuracy(method: Method, nudge: int, seed: int, epochs: int | None = None) -> float:
    """Percent on the test set after training the preset with another nudge, in fixed point; NaN where the machine
    cannot shift far enough for alpha / lambda."""
    chosen = load(method.preset)
    training = {"seed": seed, "epochs": epochs or chosen.training.epochs}
    options = dict(method.options) | {"nudge": nudge}
    chosen = chosen.replace(rule={"options": options}, training=training, data={"seed": seed})
    try:
        program = compile_config(chosen)
    except BadInput:
        return float("nan")
    return 100 * train_fixed(program, load_data(chosen.data)).accuracy[-1]


def accuracies(seeds: int, reporter: Reporter, epochs: int | None = None) -> dict[str, NDArray[np.float64]]:
    """Means over seeds by nudge, for every method."""
    work = [(m, k, seed, epochs) for m in METHODS.values() for k in NUDGES for seed in range(seeds)]
    found = in_parallel(accuracy, work, PROCESSES, reporter, "trainings by nudge", lambda a: f"{a:.1f} %")
    return dict(zip(METHODS, np.array(found).reshape(len(METHODS), len(NUDGES), seeds).mean(axis=2)))


def lines(found: Errors, learnt: NDArray[np.float64]) -> str:
    """A method's errors and trainings, by nudge."""
    ended = ["the machine cannot shift by alpha / lambda" if np.isnan(a) else f"trained {a:.1f} %" for a in learnt]
    return (f"error of an update ~ lambda^{order(found.floating):.2f} in float64; usable: "
            + ", ".join(f"2^-{k}" for k in usable(learnt))
            + "".join(f"\n  lambda 2^-{k}: float64 {found.floating[k]:.5f}, fixed point {found.fixed[k]:.4f}; "
                      f"{ended[k]}" for k in NUDGES))


def usable(found: NDArray[np.float64]) -> list[int]:
    """The nudges whose accuracy is within ``SLACK`` points of the best."""
    return [k for k, a in zip(NUDGES, found) if a >= np.nanmax(found) - SLACK]


def measure(seeds: int, reporter: Reporter, samples: int = 20) -> list[Figure]:
    """Orders in float, the least error in fixed point, and the range of lambda that learns as well as the best."""
    work = [(m, samples) for m in METHODS.values()]
    found = in_parallel(errors, work, PROCESSES, reporter, "updates by nudge", lambda e: f"{e.fixed.min():.3f}")
    learnt, figures = accuracies(seeds, reporter), []
    for (name, method), e in zip(METHODS.items(), found):
        power, best = order(e.floating), int(e.fixed.argmin())
        figures += [
            Figure(f"{name}: order of the error of an update in lambda, float64", round(power, 3),
                   f"{method.order} +- 0.15", "", abs(power - method.order) <= 0.15),
            Figure(f"{name}: least error of an update in fixed point, at lambda 2^-{best} (float64 "
                   f"{e.floating[best]:.4f})", round(float(e.fixed[best]), 4), "reported", "relative", None),
            Figure(f"{name}: lambda that trains within {SLACK:g} point of the best in fixed point ("
                   f"{', '.join(f'2^-{k} {a:.1f}' for k, a in zip(NUDGES, learnt[name]))} %)",
                   ", ".join(f"2^-{k}" for k in usable(learnt[name])), "reported", "", None)]
    clamped = errors(CLAMPED, samples, nudges=(None,))
    name = f"contrastive Hebbian: error of an update in fixed point (float64 {clamped.floating[0]:.3f})"
    return [*figures, Figure(name, round(float(clamped.fixed[0]), 3), "reported", "relative", None)]


def draw(found: Mapping[str, Errors], accuracies: Mapping[str, NDArray[np.float64]],
                  clamped: float) -> Drawing:
    """Errors of updates in float64 (dashed) and in fixed point, and what trainings reach, against lambda = 2**-k."""
    with rc_context(STYLE):
        figure, (left, right) = panels(3.2, 2)
        for (name, e), (colour, marker) in zip(found.items(), ((BLUE, "s"), (ORANGE, "o"), (GREEN, "D"))):
            strengths = 2.0 ** -np.arange(len(e.fixed))
            left.loglog(strengths, e.floating, "--", color=colour, marker=marker, markersize=4, markerfacecolor="none",
                        base=2)
            left.loglog(strengths, e.fixed, "-", color=colour, marker=marker, markersize=4, label=name, base=2)
            right.semilogx(strengths, accuracies[name], "-", color=colour, marker=marker, markersize=4, base=2)
        left.axhline(clamped, color=PURPLE, linestyle=":", label="CHL, target clamped")
        left.set(xlabel="lambda", ylabel="error of an update, relative\n(dashed: float64)", ylim=(2.0**-16, 8))
        right.set(xlabel="lambda", ylabel="accuracy after training, %")
        left.legend(loc="lower right")
        return figure
