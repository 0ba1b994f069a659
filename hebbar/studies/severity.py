"""Accuracy against severity: one switch of the analog macro at several values, rules beside each other."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from golden.learning.training import data_of, train_fixed
from hebbar.compiler.config import Config, load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput
from hebbar.contract.suggest import suggest
from hebbar.report.figures import BLUE, GREEN, ORANGE, WIDTH
from hebbar.report.svg import INK, STYLE

from .parameter_sweep import in_parallel
from .severities import RULES

__all__ = ["Point", "known_switch", "with_rule", "with_switch", "train", "planned",
           "study", "shown", "means", "records", "draw"]

LOOKS = ((BLUE, "s"), (GREEN, "D"), (ORANGE, "o"))
COLUMNS = 4
"""The most panels beside each other in the figure."""

BESIDE: dict[str, dict[str, Any]] = {
    "device.levels": {"programming.noise": ()}, "read.flicker": {"read.age": 25.0}, "read.drift": {"read.age": 1e4},
    "wires.word_resistance": {"wires.model": "exact"}}
"""What a switch needs to matter."""

MATCHED = {"control.row_bits": lambda bits: {"control.row_step": 24 - bits} if isinstance(bits, int) else {}}
"""What follows from the value: fewer bits over the same range have a larger step."""

Planned = tuple[str, Any, str, Config]
"""A switch, its value, a rule, and the configuration with both."""


@dataclass(frozen=True)
class Point:
    """One training: ``accuracy`` (percent) on the held-out part after the last epoch."""

    switch: str
    value: Any
    rule: str
    seed: int
    accuracy: float


def with_rule(config: Config, rule: str) -> Config:
    """``config`` with the rule of its preset in ``RULES``."""
    if rule not in RULES:
        raise BadInput(f"there is no rule {rule!r} to study{suggest(rule, RULES)}.")
    return config.replace(rule=load(RULES[rule]).rule.model_dump())


def known_switch(config: Config, switch: str) -> None:
    """Raise BadInput unless ``switch`` is a key of a section of machine.analog."""
    if not config.machine.kind.macro:
        raise BadInput(f"machine.tile is {config.machine.tile!r}; a study of devices needs 'analog'.")
    known = [f"{s}.{k}" for s, keys in config.machine.analog.model_dump().items() if isinstance(keys, dict)
             for k in keys]
    if switch not in known:
        raise BadInput(f"machine.analog has no switch {switch!r}{suggest(switch, known)}.")


def with_switch(config: Config, switch: str, value: Any) -> Config:
    """``config`` with ``switch`` (section.key of machine.analog) at ``value``, and what makes it matter."""
    analog = config.machine.analog.model_dump()
    for path, v in ({switch: value} | BESIDE.get(switch, {}) | MATCHED.get(switch, lambda _: {})(value)).items():
        known_switch(config, path)
        section, _, key = path.partition(".")
        analog[section] = analog[section] | {key: v}
    return config.replace(machine={"analog": analog})


def train(config: Config, seed: int) -> float:
    """Percent right on the held-out part after training with one seed of weights, order, split and devices."""
    analog = config.machine.analog.model_dump() | {"seed": seed}
    config = config.replace(training={"seed": seed}, data={"seed": seed}, machine={"analog": analog})
    program = compile_config(config)
    return 100 * train_fixed(program, data_of(program)).accuracy[-1]


def _point(config: Config, switch: str, value: Any, rule: str, seed: int) -> Point:
    return Point(switch, value, rule, seed, train(config, seed))


def planned(config: Config, switch: str, values: Sequence[Any], rules: Sequence[str]) -> list[Planned]:
    """The switch at every value with every rule, each once. Raises BadInput when one is impossible."""
    known_switch(config, switch)
    found = {(repr(value), rule): (switch, value, rule, with_switch(with_rule(config, rule), switch, value))
             for value in values for rule in rules}
    for *_, chosen in found.values():
        compile_config(chosen)
    return list(found.values())


def study(plan: Sequence[Planned], seeds: Sequence[int], jobs: int, reporter: Reporter) -> list[Point]:
    """Train all that is planned with every seed."""
    work = [(chosen, switch, value, rule, seed) for switch, value, rule, chosen in plan for seed in seeds]
    return in_parallel(_point, work, jobs, reporter, plan[0][0],
                       lambda p: f"{shown(p.value)} {p.rule} seed {p.seed}: {p.accuracy:.1f} %")


def shown(value: Any) -> str:
    """A value as a table and a figure have it."""
    return f"{value:g}" if isinstance(value, int | float) and not isinstance(value, bool) else json.dumps(value)


def means(points: Sequence[Point]) -> list[dict[str, Any]]:
    """Mean, least and most accuracy of every value and rule, in their order."""
    groups: dict[tuple[str, str], list[Point]] = {}
    for p in points:
        groups.setdefault((repr(p.value), p.rule), []).append(p)
    return [{"value": group[0].value, "rule": rule, "mean": float(np.mean(a)), "least": min(a), "most": max(a)}
            for (_, rule), group in groups.items() for a in [[p.accuracy for p in group]]]


def records(points: Sequence[Point]) -> list[dict[str, Any]]:
    """Points as plain dictionaries."""
    return [asdict(p) for p in points]


def draw(studies: Mapping[str, Sequence[dict[str, Any]]]) -> Figure:
    """Mean accuracy and its range over seeds against the value, a panel a switch, a line a rule; ``studies`` as from
    ``means``."""
    columns = min(COLUMNS, len(studies))
    rows = -(-len(studies) // columns)
    with rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 2.4 * rows + 0.4), layout="constrained")
        axes = np.atleast_1d(figure.subplots(rows, columns, squeeze=False)).ravel()
        for a, (switch, points) in zip(axes, studies.items()):
            for rule, (colour, marker) in zip(dict.fromkeys(p["rule"] for p in points), LOOKS):
                mine = [p for p in points if p["rule"] == rule]
                at = np.arange(len(mine))
                a.plot(at, [p["mean"] for p in mine], "-", color=colour, marker=marker, markersize=4, label=rule)
                a.fill_between(at, [p["least"] for p in mine], [p["most"] for p in mine], color=colour, alpha=0.15)
                a.set_xticks(at, [shown(p["value"]) for p in mine])
            a.set(title=switch, ylim=(0, 100))
            a.grid(True, color=INK, alpha=0.15, linewidth=0.6)
        for a in axes[len(studies):]:
            a.axis("off")
        axes[0].set_ylabel("accuracy, %")
        axes[0].legend(loc="lower left")
        return figure
