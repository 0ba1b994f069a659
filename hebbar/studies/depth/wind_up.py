"""What anti-wind-up is for: the same trainings on a golden machine without it, and the RTL without it, found."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from hebbar.compiler.config import Config, load
from hebbar.contract.console import Reporter
from hebbar.contract.errors import HebbarError
from hebbar.contract.results import Figure
from sim.defects import Defect
from sim.inject_defect import inject_defect

from ..planting import Copy
from .deep_net import images_in
from .trainings import Asked, trained

__all__ = ["WITHOUT", "measure", "small"]

WITHOUT = Defect("golden/compiled/neuron.py", "moving = 0 if x == limits.state_lo or x == limits.state_hi else",
                 "moving = 0 if False else", "tests/sim/test_depth_program.py",
                 "the integral of an error goes on where the state is at an end of its format")
"""What ``hebbar simulate --break wind-up`` does to the RTL, done to the compiled golden machine."""
ASKED = {False: Asked("pc_alm", 0, 1, 32, 25_000), True: Asked("pc_alm", 0, 1, 32, 200)}
SAMPLES = 12
"""Samples on the RTL."""
FAIL = 50.0
"""Percent below which a training has failed; it should have 92."""
CHILD = """
import json, sys
from pathlib import Path
from hebbar.studies.depth.trainings import Asked, trained
found = trained(Asked(**json.loads(sys.argv[1])), Path(sys.argv[2]), Path(sys.argv[3]))
print(json.dumps([found.test, found.clipped]))
"""


def small() -> Config:
    """Six residual layers whose states have a short format, so that a few of them are clipped from the beginning."""
    return load("digits").replace(
        network={"layers": [64, *[8] * 6, 10], "residual": True, "activation": "relu", "hidden_frac": 8},
        rule={"name": "pc_alm", "steps": 16, "gamma": 31 / 128, "alpha_shifts": [5] * 7,
              "init_scales": [4.0] + [0.5] * 6},
        machine={"activity_bits": 12, "activity_frac": 8, "integral": True, "row_sum_bits": 40, "state_bits": 14,
                 "map_entries": 256, "blocks": 64, "program_words": 512})


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """The first training of ``accuracy`` again, in a copy of the sources in ``folder`` that lacks the rule; and the
    defect of the RTL in a small net."""
    asked = ASKED[quick]
    reporter.say(f"{asked.samples:,} samples in 32 layers without anti-wind-up ...")
    with reporter.busy():
        test, clipped = _without(asked, images_in(images), folder)
    sound = trained(asked, images, folder.parent / "accuracy")
    found = inject_defect(small(), "wind-up", "fast", "train", SAMPLES, folder, reporter, wave=False)
    return [Figure(f"without anti-wind-up in the golden machine, 784-32 x 31-10, {asked.samples:,} samples, test set "
                   f"(a state clipped {clipped:,} times; with it {100 * sound.test:.2f} %, {sound.clipped:,} times)",
                   round(100 * test, 2), "diverges", "%", 100 * test < FAIL),
            Figure(f"without anti-wind-up in the RTL, a small net, {SAMPLES} samples ({found.sentence})",
                   "found" if found.found else "not found", "found and named", "", found.found)]


def _without(asked: Asked, images: Path, folder: Path) -> tuple[float, int]:
    """Accuracy on the test set and clipped states of a training on a machine that lacks anti-wind-up; its record in
    ``folder`` is of that machine's sources."""
    copy = Copy(folder / "sources")
    WITHOUT.plant(copy.folder)
    command = [sys.executable, "-c", CHILD, json.dumps(asdict(asked)), str(images), str(folder.resolve())]
    answer = subprocess.run(command, cwd=copy.folder, env=os.environ | {"PYTHONPATH": str(copy.folder)},
                            capture_output=True, text=True, check=False)
    shutil.rmtree(copy.folder)
    if answer.returncode:
        raise HebbarError(f"the training without anti-wind-up failed:\n{answer.stderr[-2000:]}")
    test, clipped = json.loads(answer.stdout.splitlines()[-1])
    return test, clipped
