"""The exact gate: layers of which everything is exactly zero are skipped, and no bit changes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.compiled import CompiledMachine
from golden.learning.training import codes
from golden.machine import Machine
from golden.session import initial_image
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.isa import Sweep
from hebbar.contract.results import Figure

from .deep_net import deep, divided
from .trainings import order

__all__ = ["GatedMachine", "Gated", "gated", "measure"]

RUNS = {False: ((32, 2000, 50), (128, 500, 4)), True: ((32, 0, 1),)}
"""Layers, samples learnt before, and samples whose layer-steps are counted."""
MEMORIES = ("weights", "state", "error", "activity", "base", "back")


class GatedMachine(Machine):
    """A golden machine that leaves out every sweep of inference which would change nothing.

    A layer-step is a sweep with ERR after the feed-forward start and before the update. It is skipped where the errors,
    integrals and feedback sums of its rows are all exactly zero and what its rows are predicted from is as it was in
    the layer's last sweep: then errors, integrals and steps are zero again, and so is what TRN would write.
    ``steps`` has every layer-step in its order: the neuron address of its first row, and whether it was skipped.
    """

    def __init__(self, program: Program) -> None:
        super().__init__(program)
        self.steps: list[tuple[int, bool]] = []
        self._seen: dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}

    def sweep(self, block: int, flags: Sweep, gain: int) -> None:
        """Execute one SWEEP instruction, or none."""
        compares, block_rows = bool(flags & Sweep.ERR), self._rows(block)
        if compares and not flags & (Sweep.INIT | Sweep.UPD) and not self.clamp[block_rows].any():
            quiet = self._quiet(block)
            self.steps.append((block_rows.start, quiet))
            if quiet:
                return
        activities = self._activities(block)
        super().sweep(block, flags, gain)
        if compares:
            self._seen[block_rows.start] = activities, self.base[block_rows].copy()

    def _rows(self, block: int) -> slice:
        plan = self.plans[block]
        return slice(plan.rows.start, plan.rows.start + plan.count)

    def _quiet(self, block: int) -> bool:
        rows = self._rows(block)
        zero = not (self.error[rows].any() or self.integral[rows].any() or self.back[rows].any())
        if not zero or rows.start not in self._seen:
            return False
        activities, base = self._seen[rows.start]
        return np.array_equal(activities, self._activities(block)) and np.array_equal(base, self.base[rows])

    def _activities(self, block: int) -> NDArray[np.int64]:
        """What the columns of a block carry."""
        plan = self.plans[block]
        return np.concatenate([self.activity[plan.source] * plan.used,
                               *(self.activity[i.neurons[:plan.count]] for i in plan.identities)])


@dataclass(frozen=True)
class Gated:
    """``steps`` of hidden layers, ``skipped`` among them, and words that ``differ`` from a machine without the gate."""

    steps: int
    skipped: int
    differ: int


def gated(program: Program, image: NDArray[np.int64], samples: dict[str, NDArray[np.int64]]) -> Gated:
    """A training with the gate beside one without, from the same weights."""
    gate, plain = GatedMachine(program), CompiledMachine(program)
    for machine in (gate, plain):
        machine.load(image)
        machine.run("train", samples)
    differ = sum(int(np.count_nonzero(getattr(gate, name) != getattr(plain, name))) for name in MEMORIES)
    return Gated(len(gate.steps), sum(quiet for _, quiet in gate.steps), differ)


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """``folder`` is unused."""
    found = []
    for layers, before, samples in RUNS[quick]:
        reporter.say(f"exact gate, {layers} layers ...")
        with reporter.busy():
            result = gated(*_trained(layers, before, samples, images))
        name = f"exact gate, depth {layers}, {samples} samples after {before:,}"
        share = 1 - result.skipped / result.steps
        found += [Figure(f"{name}: share of layer-steps executed (golden machine, {result.steps:,} steps of hidden "
                         "layers)", round(share, 4), "printed", "", None),
                  Figure(f"{name}: words that differ from a run without it", result.differ, "0", "words",
                         result.differ == 0)]
    return found


def _trained(layers: int, before: int, samples: int, images: Path | None
             ) -> tuple[Program, NDArray[np.int64], dict[str, NDArray[np.int64]]]:
    """A net that has learnt from ``before`` samples, and the samples that come next."""
    config = deep(images, layers=layers)
    program, (chosen, _) = compile_config(config), divided(config)
    rows, machine = order(config.training.seed, len(chosen.train)), CompiledMachine(program)
    machine.load(initial_image(program))
    machine.run("train", codes(program, chosen.train.take(rows[:before]), True))
    return program, machine.weights.copy(), codes(program, chosen.train.take(rows[before:before + samples]), True)
