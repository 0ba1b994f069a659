"""Accuracy on the digits: float and fixed point, rule by rule, seed by seed."""

from dataclasses import dataclass

import numpy as np

from golden.learning.datasets import load as load_data
from golden.learning.training import train_fixed, train_float
from golden.reference.theory import distance_to_equilibrium
from golden.reference.training import sample_clamps
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from .parameter_sweep import in_parallel

__all__ = ["PRESETS", "Score", "measure", "score"]

PRESETS = {"IL": "digits", "iPC": "digits_ipc", "Z-IL": "digits_zil"}
SPLITS = {"stratified": 97.5, "last360": 92.5}
GAP_POINTS = 0.5
PROBES = 100
PROCESSES = 2


@dataclass(frozen=True)
class Score:
    """Final-epoch accuracy of one training, and how far from equilibrium its states stop."""

    rule: str
    split: str
    seed: int
    floating: float
    fixed: float
    distance: float


def score(rule: str, split: str, seed: int) -> Score:
    """Train one preset with one seed (of weights, order and split) in float and fixed point."""
    config = load(PRESETS[rule]).replace(training={"seed": seed},
                                         data={"split": split, "seed": seed})
    program, data = compile_config(config), load_data(config.data)
    network = program.layout.network
    floating = train_float(program, data)
    fixed = train_fixed(program, data)
    probe = data.train.take(np.arange(PROBES))
    clamps = sample_clamps(network, probe.inputs_float, probe.targets)
    gamma, steps = config.rule.gamma, config.rule.steps
    if config.rule.name == "zil":
        gamma, steps = 1.0, len(network.chain or ()) - 2
    distance = distance_to_equilibrium(network, floating.weights, clamps, gamma, steps)
    return Score(rule, split, seed, floating.accuracy[-1], fixed.accuracy[-1],
                 float(np.median(distance)))


def measure(seeds: int, reporter: Reporter) -> list[Figure]:
    """Means over seeds for every rule and split, beside the targets."""
    jobs = [(r, s, seed) for r in PRESETS for s in SPLITS for seed in range(seeds)]
    scores = in_parallel(score, jobs, PROCESSES, reporter, "accuracy: trainings",
                         lambda s: f"{s.rule} {s.split} fixed {s.fixed:.4f}")
    figures = []
    for split, target in SPLITS.items():
        for rule in PRESETS:
            mine = [s for s in scores if (s.rule, s.split) == (rule, split)]
            figures += _figures(rule, split, target, mine)
    return figures


def _figures(rule: str, split: str, target: float, scores: list[Score]) -> list[Figure]:
    fixed = np.array([100 * s.fixed for s in scores])
    floating = np.array([100 * s.floating for s in scores])
    gap = abs(float(fixed.mean() - floating.mean()))
    spread = f"seeds {', '.join(f'{v:.1f}' for v in fixed)}; float {floating.mean():.2f}"
    figures = [Figure(f"accuracy {rule}, {split}, fixed point ({spread})",
                      round(float(fixed.mean()), 2), f">= {target}", "%",
                      bool(fixed.mean() >= target))]
    if split == "stratified":
        figures.append(Figure(f"{rule}: fixed against float, means", round(gap, 2),
                              f"<= {GAP_POINTS}", "points", gap <= GAP_POINTS))
    distance = float(np.mean([s.distance for s in scores]))
    figures.append(Figure(f"{rule}, {split}: distance to equilibrium at the last step",
                          round(distance, 4), "reported", "relative", None))
    return figures
