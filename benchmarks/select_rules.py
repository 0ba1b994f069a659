"""Choose the constants of the other digits presets on validation data.

    python benchmarks/select_rules.py [PRESET ...]   # writes benchmarks/results/select_rules.json

A search along one axis of ``AXES`` after the other, from the values of the preset, until a round changes
nothing: every candidate is trained in fixed point on 80 % of the stratified training part and judged on
the other 20 %, last epoch, mean of three seeds (of weights, order and split); an axis moves only to what
is better. The best are judged once more with ``FINAL`` seeds, and the best of those is the choice. The
test set is never looked at. ``tolerance`` of early exit is no axis: examples/early_exit.py draws what it trades.
"""

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

from golden.learning.datasets import load as load_data
from golden.learning.training import train_fixed
from hebbar.compiler.config import Config, load
from hebbar.compiler.network_config import EdgeConfig
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.files import versions, write_json
from hebbar.studies.parameter_sweep import in_parallel

SEEDS, FINAL, FINALISTS, ROUNDS = 3, 8, 6, 3
FRACTION = 0.2
PROCESSES = 2
Axes = dict[str, list[Any]]
TWO: Axes = {"shifts": [(2, 3), (2, 4), (3, 3), (3, 4), (3, 5), (4, 4), (4, 5)],
       "scales": [(0.5, 0.5), (1.0, 0.25), (1.0, 0.5), (0.5, 0.25)]}
GAMMA: Axes = {"gamma": [0.125, 0.25, 0.5]}
PHASES: Axes = {"activation": ["hard_tanh", "tanh", "leaky", "relu"]} | GAMMA | {
    "shifts": [*TWO["shifts"], (4, 6), (5, 5), (5, 6), (6, 6)], "scales": TWO["scales"], "hidden_frac": [5, 6, 7],
    "steps": [8, 12, 20, 32]}
AXES: dict[str, Axes] = {
    "backprop": TWO | {"activation": ["leaky", "relu"]},
    "early_exit": TWO | {"gamma": [0.25, 0.5], "activation": ["leaky", "relu"]},
    "nudged_pc": TWO | {"gamma": [0.25, 0.5], "steps": [8, 12], "activation": ["leaky", "relu"], "nudge": [0, 1, 2, 3]},
    "eqprop": PHASES | {"nudge": [0, 1, 2, 3], "symmetric": [True, False]},
    "chl": PHASES,
    "residual": {"shifts": [(3, 3, 4), (3, 4, 4), (3, 4, 5), (4, 4, 4), (4, 4, 5), (4, 5, 5), (5, 5, 5)],
                 "scales": [(1.0, 0.5, 0.25), (1.0, 0.25, 0.25), (0.5, 0.5, 0.5)], "activation": ["leaky", "relu"]},
    "graph": {"shifts": [(2, 5, 3, 3, 3), (2, 6, 4, 3, 3), (3, 6, 3, 4, 4), (3, 6, 4, 4, 4), (3, 5, 4, 3, 3),
                         (3, 7, 4, 4, 4), (4, 6, 4, 4, 4), (3, 6, 4, 5, 5)],
              "scales": [(1.0, 0.1, 0.5, 0.25, 0.25), (1.0, 0.1, 0.25, 0.25, 0.25), (0.5, 0.1, 0.5, 0.5, 0.5),
                         (1.0, 0.0, 0.25, 0.25, 0.25)],
              "steps": [8, 12, 16, 24], "activation": ["leaky", "relu"], **GAMMA},
    "categorical": TWO | {"gamma": [0.125, 0.25, 0.5], "precision": [0, 1], "beta": [1.0, 2.0, 4.0, 8.0],
                          "activation": ["leaky", "relu"]}}
RESULT = Path(__file__).parent / "results" / "select_rules.json"
Choice = dict[str, Any]


def start(preset: str) -> Choice:
    """The values that the preset has on the axes."""
    config = load(preset)
    rule, learnt = config.rule, _learnt(config)
    hidden = [p for p in config.network.populations if p.role == "hidden"]
    values = {"shifts": rule.alpha_shifts or tuple(e.alpha_shift for e in learnt),
              "scales": rule.init_scales or tuple(e.scale for e in learnt),
              "gamma": rule.gamma, "steps": rule.steps, "beta": rule.beta,
              "activation": hidden[0].activation if hidden else config.network.activation,
              "hidden_frac": config.network.hidden_frac,
              "precision": hidden[0].precision if hidden else 0} | rule.options
    return {axis: values[axis] for axis in AXES[preset]}


def configure(preset: str, choice: Choice, seed: int) -> Config:
    """The preset with other constants, and one seed for weights, order and split."""
    config = load(preset).replace(training={"seed": seed}, data={"seed": seed})
    options = {k: choice[k] for k in ("nudge", "symmetric") if k in choice}
    rule: Choice = {k: choice[k] for k in ("gamma", "steps", "beta") if k in choice}
    rule["options"] = config.rule.options | options
    if config.network.layers:
        network: Choice = {k: choice[k] for k in ("activation", "hidden_frac") if k in choice}
        return config.replace(network=network, rule=rule | {
            "alpha_shifts": choice["shifts"], "init_scales": choice["scales"]})
    populations = [p.model_dump() | ({k: choice[k] for k in ("activation", "precision") if k in choice}
                                     if p.role == "hidden" else {}) for p in config.network.populations]
    constants = iter(zip(choice["shifts"], choice["scales"], strict=True))
    edges = [e.model_dump() | (dict(zip(("alpha_shift", "scale"), next(constants))) if e in _learnt(config) else {})
             for e in config.network.edges]
    return config.replace(network={"populations": populations, "edges": edges}, rule=rule)


def _learnt(config: Config) -> list[EdgeConfig]:
    return [e for e in config.network.edges if e.plastic]


def judge(preset: str, choice: Choice, seed: int) -> float:
    """Validation accuracy after the last epoch, in fixed point."""
    config = configure(preset, choice, seed)
    return train_fixed(compile_config(config), load_data(config.data).validation(FRACTION)).accuracy[-1]


class Search:
    """Candidates of one preset with the accuracies found, seed by seed."""

    def __init__(self, preset: str, reporter: Reporter) -> None:
        self.preset, self._reporter = preset, reporter
        self.found: dict[tuple, tuple[Choice, list[float]]] = {}

    def judge(self, choices: list[Choice], seeds: int) -> list[float]:
        """Means over ``seeds`` seeds; what is known already is not trained again."""
        work = []
        for choice in choices:
            known = self.found.setdefault(tuple(choice.values()), (choice, []))[1]
            work += [(self.preset, choice, seed) for seed in range(len(known), seeds)]
        results = in_parallel(judge, work, PROCESSES, self._reporter, self.preset, lambda a: f"{a:.4f}") if work else []
        for (_, choice, _), accuracy in zip(work, results):
            self.found[tuple(choice.values())][1].append(accuracy)
        return [float(np.mean(self.found[tuple(c.values())][1][:seeds])) for c in choices]

    def run(self) -> list[dict[str, Any]]:
        """All candidates, the choice first."""
        best = start(self.preset)
        for _ in range(ROUNDS):
            before = best
            for axis, values in AXES[self.preset].items():
                choices = [best] + [best | {axis: v} for v in values if v != best[axis]]
                best = choices[int(np.argmax(self.judge(choices, SEEDS)))]
            if best == before:
                break
        finalists = sorted(self.found.values(), key=lambda f: -float(np.mean(f[1][:SEEDS])))[:FINALISTS]
        self.judge([choice for choice, _ in finalists], FINAL)
        ranked = sorted(self.found.values(), key=lambda f: (-len(f[1]), -float(np.mean(f[1]))))
        return [{"preset": self.preset, **choice, "validation": float(np.mean(a)), "seeds": a} for choice, a in ranked]


def main() -> None:
    """Search for every preset that is named, or for all; print what was found, and keep it beside the others."""
    reporter, candidates = Reporter(), json.loads(RESULT.read_text())["candidates"] if RESULT.exists() else []
    for preset in sys.argv[1:] or AXES:
        candidates = [c for c in candidates if c["preset"] != preset] + Search(preset, reporter).run()
        reporter.say(str(next(c for c in candidates if c["preset"] == preset)))
        write_json(RESULT, {"fraction": FRACTION, "axes": AXES, "versions": versions(), "candidates": candidates})


if __name__ == "__main__":
    main()
