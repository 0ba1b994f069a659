"""MNIST at batch 1 in 16 bits: predictive coding's rules beside backprop and PC-ALM, settings chosen on validation.

A setting is judged on 5,000 training images that it does not learn from. The chosen one of a rule then learns all
60,000, seed by seed, and only these trainings see the official test set.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput
from hebbar.contract.results import Figure

from .deep_net import images_in
from .mnist_settings import EPOCHS, LOCAL, SMALL, WIDE, Setting
from .mnist_trainings import Learnt, Stage, floating, learnt, staged

__all__ = ["best_local", "chosen", "measure", "rows"]

NAMES = {"il": "IL", "zil": "Z-IL", "ipc": "iPC", "pc_alm": "PC-ALM", "backprop": "backprop"}
TARGETS = {"il": 98.2, "zil": 98.5, "ipc": 97.8}
BEST, NITRO = 98.5, 97.36
GAP_POINTS = 0.3
SEEDS = {False: (0, 1, 2), True: (0,)}
SELECTION_SEED = 3
"""The weights and the order of samples with which settings are chosen; no figure is of them."""
COUNT = {False: None, True: 300}
"""Images of each part; None: all."""
FLOAT_COUNT = {False: 10_000, True: 100}
"""Images after which fixed point is compared with float64, which takes a hundred times as long."""


@dataclass(frozen=True)
class Bench:
    """What all trainings of a measurement have in common."""

    folder: Path
    quick: bool
    reporter: Reporter
    images: Path

    @property
    def epochs(self) -> int:
        """Epochs of a training."""
        return 2 if self.quick else EPOCHS

    def stage(self, final: bool) -> Stage:
        """The images of selection, or those of the figures."""
        return staged(self.images, final, COUNT[self.quick], COUNT[self.quick])

    def all(self, asked: Sequence[tuple[Setting, int]], stage: Stage, what: str) -> list[Learnt]:
        """Trainings of settings with seeds, in their order."""
        found: list[Learnt] = []
        with self.reporter.task(what, len(asked)) as task:
            for setting, seed in asked:
                found.append(learnt(setting, seed, stage, self.images, self.epochs, self.folder))
                task.advance(len(found), f"{NAMES[setting.rule]} {100 * found[-1].accuracy:.2f} % on {stage.name}")
        return found

    def gaps(self, settings: Mapping[str, Setting]) -> dict[str, tuple[float, float]]:
        """Percent that is right in fixed point and in float64, after the same images once from the same weights, both
        the mean over the seeds: of one seed 10,000 questions tell them apart to .4 points at best."""
        stage = staged(self.images, True, FLOAT_COUNT[self.quick], COUNT[self.quick])
        found = {}
        for rule, setting in settings.items():
            self.reporter.say(f"{NAMES[rule]} in float64, {len(stage.inputs):,} images ...")
            with self.reporter.busy():
                each = [(setting, seed, stage, self.images, 1, self.folder) for seed in SEEDS[self.quick]]
                found[rule] = (100 * float(np.mean([learnt(*given).accuracy for given in each])),
                               100 * float(np.mean([floating(*given) for given in each])))
        return found


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """Rows of both networks; without MNIST rows that say so. Every training is kept in ``folder`` and found again."""
    try:
        bench = Bench(folder, quick, reporter, images_in(images))
    except BadInput as error:
        reporter.say(f"mnist is not measured: {error}")
        return _absent()
    stage = bench.stage(final=False)
    wide, small = (chosen(bench.all([(setting, SELECTION_SEED) for setting in table], stage, what))
                   for table, what in ((WIDE, "settings, large network"), (SMALL, "settings, 784-100-50-10")))
    stage, seeds = bench.stage(final=True), SEEDS[quick]
    finals = {rule: bench.all([(best.setting, seed) for seed in seeds], stage, f"{NAMES[rule]}, large network")
              for rule, best in wide.items()}
    one = small[best_local(small)]
    nitro = bench.all([(one.setting, seed) for seed in seeds], stage, f"{NAMES[one.setting.rule]}, 784-100-50-10")
    gaps = bench.gaps({rule: wide[rule].setting for rule in TARGETS})
    return [*rows(finals, gaps, wide, quick),
            _row("784-100-50-10, the best local rule, ", nitro, NITRO, one, above=True)]


def chosen(trainings: Sequence[Learnt]) -> dict[str, Learnt]:
    """The training of every rule that is best on validation, of equal ones that which stands before."""
    found: dict[str, Learnt] = {}
    for each in trainings:
        if each.setting.rule not in found or each.accuracy > found[each.setting.rule].accuracy:
            found[each.setting.rule] = each
    return found


def best_local(best: Mapping[str, Learnt]) -> str:
    """The local rule that is best on validation."""
    return max((rule for rule in best if rule in LOCAL), key=lambda rule: best[rule].accuracy)


def rows(finals: Mapping[str, Sequence[Learnt]], gaps: Mapping[str, tuple[float, float]],
         best: Mapping[str, Learnt], quick: bool) -> Iterator[Figure]:
    """The rows of the large network from the trainings on all images, the accuracies in fixed point and float64, and
    the trainings that were best on validation; ``quick``: they are of fewer seeds and images."""
    for rule, runs in finals.items():
        yield _row("MNIST at batch 1, ", runs, TARGETS.get(rule), best[rule])
    local = best_local(best)
    yield _row("MNIST at batch 1, the best local rule on validation, ", finals[local], BEST, best[local])
    for rule, (fixed, exact) in gaps.items():
        gap = abs(fixed - exact)
        yield Figure(f"MNIST, {NAMES[rule]}: fixed point against float64, test set after {FLOAT_COUNT[quick]:,} images "
                     f"(mean of {len(SEEDS[quick])} seeds, {fixed:.2f} and {exact:.2f} %)", round(gap, 2),
                     f"<= {GAP_POINTS}", "points", gap <= GAP_POINTS + 1e-9)
    for runs in finals.values():
        if distances := [run.distance for run in runs if run.distance is not None]:
            yield Figure(f"MNIST, {NAMES[runs[0].setting.rule]}: distance to equilibrium at step "
                         f"{runs[0].setting.steps}, 1 at the start", round(float(np.mean(distances)), 3), "reported",
                         "relative", None)


def _row(name: str, runs: Sequence[Learnt], target: float | None, best: Learnt, above: bool = False) -> Figure:
    """Mean accuracy on the test set beside its target: at least that, or ``above`` it; None: beside it."""
    tests = [100 * run.accuracy for run in runs]
    mean, setting = float(np.mean(tests)), runs[0].setting
    met = None if target is None else mean > target if above else mean >= target - 1e-9
    seeds, clipped = ", ".join(f"{value:.2f}" for value in tests), max(run.clipped for run in runs)
    return Figure(f"{name}{NAMES[setting.rule]} (mean of {len(runs)} seeds {seeds}; validation "
                  f"{100 * best.accuracy:.2f}; {setting.sentence}; states clipped {clipped:,} times)",
                  round(mean, 2), "beside it" if target is None else f"{'>' if above else '>='} {target}", "%", met)


def _absent() -> list[Figure]:
    names = {f"MNIST at batch 1, {NAMES[rule]}": f">= {target}" for rule, target in TARGETS.items()} | {
        "MNIST at batch 1, the best local rule on validation": f">= {BEST}",
        "784-100-50-10, the best local rule": f"> {NITRO}"}
    return [Figure(f"{name} (no MNIST; give its folder with --data)", "not measured", target, "", None)
            for name, target in names.items()]
