"""A search for the best values of keys: Optuna proposes them, accuracy on validation data decides, never the test set.

Proposals come in rounds of TOGETHER, whatever works on them and in whatever order results arrive, from a sampler with a
seed: a search that is started again proposes the same.
"""

from collections.abc import Callable, Sequence
from math import isnan, nan
from typing import Any

from hebbar.compiler.config import Config
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput

from .extras import needed
from .grid import Axis, Point, at

__all__ = ["SHARE", "search"]

SHARE = 0.2
"""Share of the training data that a search holds out where nothing else was said."""
SEED = 0
TOGETHER = 4
Judge = Callable[[list[Point]], list[float]]
"""Mean accuracies on validation data, NaN for what could not be trained."""


def search(config: Config, axes: Sequence[Axis], trials: int, judge: Judge, reporter: Reporter
           ) -> list[tuple[Point, float]]:
    """The different points among ``trials`` proposals in the order of proposal, with their accuracies.

    Raises BadInput for a key, a listed value or an end of a range that is refused by itself, before anything runs, and
    when nothing that was proposed could be trained; what only together is no configuration fails as a proposal.
    """
    if not axes:
        raise BadInput("--search has no keys to search; give some with --set, as in --set rule.gamma=0.1..0.5.")
    optuna = needed("optuna", "--search")
    for one in axes:
        for value in one.values:
            compile_config(at(config, {one.key: value}).config)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=SEED))
    found: dict[str, tuple[Point, float]] = {}
    for first in range(0, trials, TOGETHER):
        asked = [study.ask() for _ in range(min(TOGETHER, trials - first))]
        points = [_point(config, axes, trial, reporter) for trial in asked]
        runnable = [point for point in points if point]
        means = iter(judge(runnable))
        for trial, point in zip(asked, points):
            mean = next(means) if point else nan
            if point is None or isnan(mean):
                study.tell(trial, state=optuna.trial.TrialState.FAIL)
            else:
                study.tell(trial, mean)
                found.setdefault(repr(point.settings), (point, mean))
    if not found:
        raise BadInput(f"none of {trials} proposals could be trained; narrow --set, or give more trials.")
    return list(found.values())


def _point(config: Config, axes: Sequence[Axis], trial: Any, reporter: Reporter) -> Point | None:
    """What a trial proposes; None, with the reason said, where it is no configuration."""
    try:
        point = at(config, {one.key: _proposed(one, trial) for one in axes})
        compile_config(point.config)
        return point
    except BadInput as error:
        reporter.say(f"proposal {trial.number} is left out: {error}")
        return None


def _proposed(one: Axis, trial: Any) -> Any:
    if not one.between:
        return one.values[trial.suggest_categorical(one.key, list(range(len(one.values))))]
    low, high = one.values
    whole = isinstance(low, int) and isinstance(high, int)
    return (trial.suggest_int if whole else trial.suggest_float)(one.key, low, high)
