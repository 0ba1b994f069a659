"""IL against backprop, both in fixed point on one machine, where prospective configuration is said to win.

Song et al., Nature Neuroscience 2024, name online learning, few samples, tasks that interfere and targets
that drift. Each is a lesson: parts to learn one after the other, and test sets to be scored after each
part. The rates of both rules are chosen for every lesson on validation data, each rule for itself on one
grid; all else, weights, order and split of a seed included, is the same. Beside them target alignment.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.learning.datasets import load as load_data
from golden.learning.training import codes
from golden.reference.training import accuracy, ends
from golden.session import Session, initial_image
from golden.trace import Job
from hebbar.compiler.config import Config, load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.files import BUILD
from hebbar.contract.results import Figure
from sim.compare import compare
from sim.simulate import run_backend

from ..gamma import price
from ..parameter_sweep import in_parallel
from . import alignment
from .lessons import LESSONS

__all__ = ["Case", "Found", "RULES", "NETWORKS", "QUICK", "learn", "study", "replay", "price_of", "differences", "kept",
           "measure"]

RULES = {"IL": "early_exit", "backprop": "backprop"}
"""Presets with one machine; IL here is without the early exit."""
NETWORKS = {"64-64-10": ((64, 64, 10), {"steps": 8, "gamma": 0.5}),
            "64-32-32-10": ((64, 32, 32, 10), {"steps": 16, "gamma": 0.25})}
"""Layers, and how IL infers; 64-64-10 is the network of the preset ``digits``."""
SCALES = (1.0, 0.25)
GRID = tuple(product(range(1, 7), range(1, 8)))
"""Shifts of alpha, of the hidden layers and of the last."""
CHOICE_SEEDS, FRACTION, PROCESSES = 3, 0.2, 2
QUICK: dict[str, Any] = {"lessons": ("two tasks in turns", "online, first 800 samples"), "networks": ("64-64-10",),
                         "grid": ((4, 2), (5, 5))}
"""What ``study`` takes to be done in a minute."""
REPLAYED = 10
"""Samples of each of the first two parts that are run on the RTL."""

Curve = NDArray[np.float64]
"""Accuracies (parts, test sets)."""


@dataclass(frozen=True)
class Case:
    """One rule with its rates in one lesson."""

    lesson: str
    network: str
    rule: str
    shifts: tuple[int, int] = (4, 4)

    def config(self, seed: int) -> Config:
        """``seed`` of weights, order and split."""
        (layers, inference), hidden = NETWORKS[self.network], len(NETWORKS[self.network][0]) - 2
        first, last = self.shifts
        return load(RULES[self.rule]).replace(
            network={"layers": layers, "activation": "leaky"}, training={"seed": seed}, data={"seed": seed},
            rule=inference | {"tolerance": 0.0, "alpha_shifts": (first,) * hidden + (last,),
                              "init_scales": SCALES[:1] * hidden + SCALES[1:]})


@dataclass(frozen=True)
class Found:
    """A case with the rates that were chosen: test curves (seeds, parts, test sets)."""

    case: Case
    curves: NDArray[np.float64]

    @property
    def means(self) -> NDArray[np.float64]:
        """Percent by seed, over all scores."""
        return 100 * self.curves.mean(axis=(1, 2))


def learn(case: Case, seed: int, validation: bool) -> Curve:
    """Learn the parts of a lesson on the golden machine; ``validation``: the test set stays unseen."""
    program = compile_config(case.config(seed))
    data, session = load_data(program.config.data), Session(program, initial_image(program))
    target = ends(program.layout.network)[1]
    scores = []
    for part in LESSONS[case.lesson](data.validation(FRACTION) if validation else data, np.random.default_rng(seed)):
        session.run_codes("train", codes(program, part.train, training=True))
        scores.append([accuracy(session.run_codes("predict", codes(program, s, training=False))[target], s.labels)
                       for s in part.tests])
    return np.array(scores)


def study(seeds: int, reporter: Reporter, lessons: Iterable[str] = tuple(LESSONS),
          networks: Iterable[str] = tuple(NETWORKS), grid: Iterable[tuple[int, int]] = GRID) -> list[Found]:
    """Choose the rates of every rule in every lesson, then learn with ``seeds`` seeds."""
    grid, cases = tuple(grid), [Case(lesson, n, rule) for n in networks for lesson in lessons for rule in RULES]
    tried = [Case(c.lesson, c.network, c.rule, shifts) for c in cases for shifts in grid]
    work = [(c, seed, True) for c in tried for seed in range(CHOICE_SEEDS)]
    found = _curves(work, reporter, "rates on validation data")
    scores = np.array([curve.mean() for curve in found]).reshape(len(cases), len(grid), CHOICE_SEEDS).mean(axis=2)
    chosen = [tried[i * len(grid) + int(row.argmax())] for i, row in enumerate(scores)]
    curves = _curves([(c, seed, False) for c in chosen for seed in range(seeds)], reporter, "lessons")
    return [Found(c, np.array(curves[i * seeds:(i + 1) * seeds])) for i, c in enumerate(chosen)]


def _curves(work: list[tuple[Any, ...]], reporter: Reporter, name: str) -> list[Curve]:
    return in_parallel(learn, work, PROCESSES, reporter, name, lambda curve: f"{curve.mean():.3f}")


def replay(case: Case, reporter: Reporter, build: Path = BUILD) -> tuple[int, int]:
    """(words compared, mismatches) of a prefix of the lesson on the RTL, seed 0."""
    program = compile_config(case.config(0))
    parts = LESSONS[case.lesson](load_data(program.config.data), np.random.default_rng(0))[:2]
    blocks = [codes(program, p.train.take(np.arange(min(REPLAYED, len(p.train)))), training=True) for p in parts]
    samples = {key: np.concatenate([b[key] for b in blocks]) for key in blocks[0]}
    job = Job(program, "train", initial_image(program), samples)
    result = compare(program, run_backend(job, "golden"), run_backend(job, "fast", build, reporter))
    return result.total_words, result.total_mismatches


def price_of(case: Case) -> tuple[float, float]:
    """Cycles and typical nJ of a sample of training; the rates play no part."""
    program = compile_config(case.config(0))
    samples = codes(program, load_data(program.config.data).train.take(np.arange(REPLAYED)), training=True)
    job = Job(program, "train", initial_image(program), samples, steps=False)
    return price(program, run_backend(job, "golden").counters, job.count)


def measure(seeds: int, reporter: Reporter, build: Path = BUILD, networks: int = 1000) -> list[Figure]:
    """IL less backprop in every lesson, seeds paired, whatever comes out; the RTL; target alignment."""
    found = study(seeds, reporter)
    figures = [f for il, bp in zip(found[::2], found[1::2]) for f in differences(il, bp)]
    words, wrong = np.array([replay(f.case, reporter, build) for f in found]).sum(axis=0)
    figures.append(Figure(f"mismatches in prefixes of the {len(found)} lessons ({words:,} words)", int(wrong), "0",
                          "words", bool(wrong == 0)))
    return figures + alignment.measure(networks)


def differences(il: Found, bp: Found) -> list[Figure]:
    """The paired difference in one lesson; where tasks take turns, also on the task that was not learnt just now."""
    mean, error = alignment.paired(il.means, bp.means)
    sides = "; ".join(f"{f.case.rule} {f.means.mean():.2f} at alpha {', '.join(f'2^-{s}' for s in f.case.shifts)}"
                      for f in (il, bp))
    where = f"{il.case.lesson}, {il.case.network}"
    found = [Figure(f"{where}: accuracy, IL less backprop (+- {error:.2f}, {len(il.means)} pairs; {sides})",
                    round(mean, 2), "reported", "points", None)]
    if il.curves.shape[2] > 1:
        mean, error = alignment.paired(kept(il), kept(bp))
        found.append(Figure(f"{where}: of the task before, IL {kept(il).mean():.2f} less backprop "
                            f"{kept(bp).mean():.2f} (+- {error:.2f})", round(mean, 2), "reported", "points", None))
    return found


def kept(found: Found) -> NDArray[np.float64]:
    """Percent by seed on the task of the turn before, mean over the turns."""
    return 100 * np.mean([found.curves[:, n, 1 - n % 2] for n in range(1, found.curves.shape[1])], axis=0)
