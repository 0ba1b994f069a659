"""Accuracy of PC-ALM, backprop and predictive coding in one fixed-point net of 32 layers, on one grid of rates."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from golden.learning.training import codes
from golden.session import initial_image, machine_of
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.files import write_json
from hebbar.contract.results import Figure

from ..parts import SOURCES, sources
from .deep_net import deep, divided

__all__ = ["GRID", "RULES", "measure", "trained"]

RULES = ("backprop", "pc_alm", "il")
GRID = (-1, 0, 1)
"""How often every alpha of the preset is halved; -1: doubled."""
SAMPLES = {False: 25_000, True: 200}
SEED = 1


def trained(rule: str, halvings: int, samples: int, images: Path | None) -> dict[str, Any]:
    """Accuracy on the images to choose on and on the test set, after ``samples`` in an order of the seed."""
    config = deep(images, rule, halvings, SEED)
    program, (chosen, official) = compile_config(config), divided(config)
    machine = machine_of(program, "compiled")
    machine.load(initial_image(program))
    order = np.random.default_rng(1000 + SEED).permutation(len(chosen.train))[:samples]
    machine.run("train", codes(program, chosen.train.take(order), True))

    def right(part: Any) -> float:
        (answers,) = machine.run("predict", codes(program, part, False)).values()
        return float((answers.argmax(1) == part.labels).mean())

    return {"rule": rule, "halvings": halvings, "samples": samples,
            "validation": right(chosen.test), "test": right(official.test)}


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """The rate of each rule is chosen on validation, its accuracy is that on the test set. Every training is kept in
    ``folder`` and found again."""
    best = {}
    with reporter.task("trainings", len(RULES) * len(GRID)) as task:
        for i, rule in enumerate(RULES):
            runs = []
            for k, halvings in enumerate(GRID):
                runs.append(_kept(folder, rule, halvings, SAMPLES[quick], images))
                task.advance(i * len(GRID) + k + 1, f"{rule}, {100 * runs[-1]['validation']:.2f} %")
            best[rule] = max(runs, key=lambda run: run["validation"])
    percent = {rule: 100 * run["test"] for rule, run in best.items()}
    name = f"784-32 x 31-10, {SAMPLES[quick]:,} samples, test set, alpha halved {{}} times: {{}}"
    rows = [Figure(name.format(best[rule]["halvings"], rule), round(value, 2), "beside it", "%", None)
            for rule, value in percent.items()]
    behind, ahead = percent["backprop"] - percent["pc_alm"], percent["pc_alm"] - percent["il"]
    return [*rows, Figure("PC-ALM below backprop", round(behind, 2), "<= 1.5", "points", behind <= 1.5),
            Figure("PC-ALM above predictive coding", round(ahead, 2), ">= 25", "points", ahead >= 25)]


def _kept(folder: Path, rule: str, halvings: int, samples: int, images: Path | None) -> dict[str, Any]:
    """A training, from its record where that is of these sources."""
    record, state = folder / f"{rule}_{halvings}_{samples}.json", sources(*SOURCES)
    if record.exists() and (found := json.loads(record.read_text(encoding="utf-8")))["state"] == state:
        return dict(found["run"])
    run = trained(rule, halvings, samples, images)
    write_json(record, {"state": state, "run": run})
    return run
