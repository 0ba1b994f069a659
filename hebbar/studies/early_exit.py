"""What early exit trades: accuracy, state steps, cycles and energy of training against the tolerance."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure as Drawing

from golden.learning.datasets import Dataset, epoch_order, load as load_data
from golden.learning.training import codes
from golden.reference.training import accuracy, ends, halvings
from golden.session import Session, initial_image
from golden.trace import Job, Trace
from hebbar.compiler.config import Config, load
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.counters import CYCLES
from hebbar.contract.results import Figure
from hebbar.energy import estimate, load_technology
from hebbar.report.figures import BLUE, GREEN, ORANGE, PURPLE, panels
from hebbar.report.svg import STYLE

from .parameter_sweep import in_parallel

__all__ = ["TOLERANCES", "LOSS", "Point", "Trained", "point", "sweep", "mean", "measure", "draw", "trained"]

TOLERANCES = (0.0, 1e-4, 1e-3, 1e-2, 1e-1)
TECHNOLOGY = "cmos45"
PROCESSES = 2
LOSS = 0.5
"""Points of accuracy that the tolerance of the preset may cost."""


@dataclass(frozen=True)
class Point:
    """One tolerance: percent on the test set, mean state steps a sample over the whole training; of a sample of the
    last epoch the steps, the cycles and the nJ, typical."""

    tolerance: float
    accuracy: float
    steps: float
    last_steps: float
    cycles: float
    energy: float

    def __str__(self) -> str:
        return (f"tolerance {self.tolerance:<6g}: {self.accuracy:.2f} %, {self.steps:.2f} state steps a sample "
                f"({self.last_steps:.2f} in the last epoch, {self.cycles:,.0f} cycles, {self.energy:.0f} nJ)")


@dataclass(frozen=True)
class Trained:
    """A training: state steps a sample by epoch, the trace of the last one and how many samples it had."""

    program: Program
    data: Dataset
    session: Session
    steps: list[float]
    trace: Trace
    count: int


def trained(config: Config, epochs: int | None = None) -> Trained:
    """Train in fixed point, epoch by epoch."""
    training, program, data = config.training, compile_config(config), load_data(config.data)
    epochs = epochs or training.epochs
    session, steps, trace = Session(program, initial_image(program)), [], None
    for epoch in range(epochs):
        samples = data.train.take(epoch_order(len(data.train), training.seed, epoch))
        job = Job(program, "train", session.image, codes(program, samples, True), halvings(training, epoch), False)
        trace = session.run(job)
        # the first state step stands before the loop, and every EXIT without arm ends one more
        steps.append(1 + len(trace.decisions) / job.count if config.rule.tolerance else float(config.rule.steps))
    assert trace is not None, "there is at least one epoch"
    return Trained(program, data, session, steps, trace, len(data.train))


def point(tolerance: float, seed: int, epochs: int | None = None) -> Point:
    """Train the preset ``early_exit`` in fixed point; the last epoch is counted."""
    config = load("early_exit").replace(rule={"tolerance": tolerance}, training={"seed": seed}, data={"seed": seed})
    made = trained(config, epochs)
    trace, program = made.trace, made.program
    found = estimate(program, trace.counters, made.count, load_technology(TECHNOLOGY), exits=trace.decisions.tolist())
    outputs = made.session.run_codes("predict", codes(program, made.data.test, False))
    right = accuracy(outputs[ends(program.layout.network)[1]], made.data.test.labels)
    return Point(tolerance, 100 * right, float(np.mean(made.steps)), made.steps[-1],
                 sum(trace.counters[c] for c in CYCLES) / made.count, found.sample.typical / 1000)


def sweep(seeds: int, reporter: Reporter, epochs: int | None = None) -> list[Point]:
    """Means over ``seeds`` seeds at every tolerance."""
    work = [(t, seed, epochs) for t in TOLERANCES for seed in range(seeds)]
    found = in_parallel(point, work, PROCESSES, reporter, "tolerances",
                        lambda p: f"{p.tolerance:g}: {p.accuracy:.1f} %")
    return [mean(found[i * seeds:(i + 1) * seeds]) for i in range(len(TOLERANCES))]


def mean(points: Sequence[Point]) -> Point:
    """The means of points, quantity by quantity."""
    return Point(*np.mean([list(vars(p).values()) for p in points], axis=0).tolist())


def measure(seeds: int, reporter: Reporter) -> list[Figure]:
    """What every tolerance saves; the preset's must save steps and lose less than ``LOSS`` points."""
    points, chosen = sweep(seeds, reporter), load("early_exit").rule.tolerance
    whole, figures = points[0], []
    for p in points:
        held = p.tolerance == chosen
        met = p.steps < whole.steps and p.accuracy >= whole.accuracy - LOSS
        what = (f"early exit, tolerance {p.tolerance:g}: accuracy ({p.steps:.2f} state steps, {p.cycles:,.0f} cycles, "
                f"{p.energy:.0f} nJ a sample)")
        figures.append(Figure(what, round(p.accuracy, 2), f">= {whole.accuracy - LOSS:.2f}, fewer steps" if held else
                              "reported", "%", met if held else None))
    return figures


def draw(points: Sequence[Point]) -> Drawing:
    """Accuracy, steps, cycles and energy against the tolerance; 0 stands apart, at the left."""
    names = [f"{p.tolerance:g}" for p in points]
    with rc_context(STYLE):
        figure, axes = panels(2.5, 4)
        for a, title, attribute, (colour, marker) in zip(axes, (
                "accuracy, %", "state steps a sample", "cycles a sample", "nJ a sample, typical"),
                ("accuracy", "steps", "cycles", "energy"),
                ((BLUE, "s"), (ORANGE, "o"), (GREEN, "D"), (PURPLE, "^"))):
            a.plot(names, [getattr(p, attribute) for p in points], "-", color=colour, marker=marker, markersize=4)
            a.set(title=title, xlabel="tolerance")
            a.tick_params(axis="x", rotation=60)
            if attribute != "accuracy":
                a.set_ylim(0, None)
        return figure
