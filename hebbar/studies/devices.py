"""The digits on published devices: IL, iPC and backprop beside each other, and what refreshing the weights repairs."""

from dataclasses import dataclass

import numpy as np

from hebbar.compiler.config import Config, load
from hebbar.contract.analog import device_names
from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from .parameter_sweep import in_parallel
from .severities import RULES
from .severity import train, with_rule

__all__ = ["REFRESH", "Trained", "with_device", "with_refresh", "trainings", "measure"]

BASE, IDEAL = "digits_analog", "ideal"
REFRESH, VERIFY, TOLERANCE = 300, 8, 60
"""The remedy: samples between refreshes; looks at a beat that is written; codes a weight may then be off."""
CONVERTERS = {"row_bits", "row_step", "column_bits", "column_step", "align"}
RECOVERS = 0.5
"""Share of the loss of the worst device that the remedy has to recover."""
JOBS = 2


@dataclass(frozen=True)
class Trained:
    """Percent right on the held-out part, by seed."""

    device: str
    rule: str
    refreshed: bool
    accuracies: tuple[float, ...]

    @property
    def mean(self) -> float:
        return float(np.mean(self.accuracies))


def with_device(config: Config, device: str) -> Config:
    """``config`` on a published device: the converters of ``config``, drivers as the device needs them."""
    control = config.machine.analog.control.model_dump(include=CONVERTERS)
    return config.replace(machine={"analog": {"preset": device, "control": control, "device": {"weight_range": 1.0}}})


def with_refresh(config: Config) -> Config:
    """``config`` with weights that are read and programmed anew, with program-and-verify."""
    analog = config.machine.analog.model_dump()
    analog["control"] |= {"verify": VERIFY, "tolerance": TOLERANCE}
    return config.replace(machine={"analog": analog}, training={"refresh": REFRESH})


def _train(device: str, rule: str, refreshed: bool, config: Config, seed: int) -> tuple[str, str, bool, float]:
    return device, rule, refreshed, train(config, seed)


def trainings(seeds: int, reporter: Reporter, epochs: int | None = None) -> list[Trained]:
    """Every device with every rule, and with the remedy those of resistive memories."""
    base = load(BASE).replace(training={"epochs": epochs} if epochs else {})
    kinds = []
    for device in device_names():
        for rule in RULES:
            config = with_device(with_rule(base, rule), device)
            kinds.append((device, rule, False, config))
            if config.machine.analog.control.update == "stochastic":
                kinds.append((device, rule, True, with_refresh(config)))
    found = in_parallel(_train, [(*kind, seed) for kind in kinds for seed in range(seeds)], JOBS, reporter,
                        "trainings on devices", lambda r: f"{r[0]} {r[1]}{', refreshed' * r[2]}: {r[3]:.1f} %")
    return [Trained(*kind[:3], tuple(r[3] for r in found[i * seeds:(i + 1) * seeds])) for i, kind in enumerate(kinds)]


def measure(seeds: int, reporter: Reporter, epochs: int | None = None) -> list[Figure]:
    """Accuracies by device and rule; what the remedy recovers of the loss of the worst device under IL."""
    results = trainings(seeds, reporter, epochs)
    figures = [Figure(f"digits on {t.device}, {t.rule}{', refreshed' * t.refreshed} "
                      f"(seeds {', '.join(f'{a:.1f}' for a in t.accuracies)})", round(t.mean, 2), "reported", "%", None)
               for t in results]
    il = {(t.device, t.refreshed): t.mean for t in results if t.rule == "il"}
    ideal = il[IDEAL, False]
    worst = min((d for d, refreshed in il if refreshed), key=lambda d: il[d, False])
    loss, repaired = ideal - il[worst, False], il[worst, True] - il[worst, False]
    share = repaired / loss if loss > 0 else 1.0
    return [*figures, Figure(f"refresh every {REFRESH} samples, IL on the worst device, {worst} (loss {loss:.1f} "
                             "points): recovered", round(100 * share, 1), f">= {100 * RECOVERS:.0f}", "% of the loss",
                             share >= RECOVERS)]
