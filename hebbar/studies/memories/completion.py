"""Associative memories complete images from their upper halves: PC, covPCN implicit and dendritic."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from golden.reference import covpcn
from hebbar.api import Experiment
from hebbar.contract.console import Reporter
from hebbar.contract.files import BUILD

from ..questions import Asked, Reals, ask
from .stored import learn, relative, upper_half

__all__ = ["KINDS", "LIMIT", "Completed", "Kind", "complete", "ends", "memory"]

LIMIT = 60
"""Percent of the squared error of the mean image that a recalled half may have."""


@dataclass(frozen=True)
class Kind:
    """A memory that completes: its preset, whether its feedback runs, and which closed form says where it ends."""

    preset: str
    feedback: bool = True
    closed: covpcn.Recall | None = None


KINDS = {"PC": Kind("memory"), "implicit": Kind("covpcn", closed="implicit"),
         "dendritic": Kind("covpcn", False, "dendritic")}


@dataclass(frozen=True)
class Completed:
    """Images (count, 64) that were stored, what a memory made of their upper halves, and where it would end after
    ever more than ``steps`` steps, where a closed form says so."""

    stored: Reals
    asked: Asked
    ends: Reals | None
    steps: int

    def __str__(self) -> str:
        text = f"{self.share:.1f} % of the squared error of the mean image; {self.asked}"
        if self.ends is None:
            return text
        return (f"{text}\n    closed form {100 * relative(self.ends, self.stored):.1f} %; a pixel after {self.steps} "
                f"steps in fixed point differs by {np.abs(self.ends - self.images).max():.3f} at most")

    @property
    def images(self) -> Reals:
        """The completed images."""
        return self.asked.outputs["v"]

    @property
    def share(self) -> float:
        """Percent of the squared error of the mean image."""
        return 100 * relative(self.images, self.stored)


def memory(name: str, stored: Reals) -> Experiment:
    """One of ``KINDS`` that has learnt images."""
    e = Experiment(KINDS[name].preset, rule={"feedback": KINDS[name].feedback})
    learn(e, v=stored)
    return e


def complete(name: str, stored: Reals, reporter: Reporter, backend: str = "fast", build: Path = BUILD) -> Completed:
    """One of ``KINDS`` learns images and completes each from its upper half."""
    e, closed = memory(name, stored), KINDS[name].closed
    asked = ask(e, "query", upper_half(stored), reporter, backend, build)
    return Completed(stored, asked, ends(e, stored, closed) if closed else None, e.config.rule.query_steps)


def ends(e: Experiment, stored: Reals, kind: covpcn.Recall) -> Reals:
    """Where recall with the weights of ``e`` ends, in closed form."""
    model = covpcn.CovPCN(e.weights["v", "v"], e.weights["one", "v"][:, 0])
    given = upper_half(stored)
    return covpcn.fixed_point(model, given["v"], given["v.clamp"][0] == 0, kind)
