"""Target alignment on the machine, and what it is worth: accuracy after few samples.

The alignment of one update is the cosine between what the output lacks and how the update changes it
(``golden.reference.alignment``). In deep linear networks predictive coding at equilibrium is more aligned than
backprop, most of all where they are deep and narrow, so that it should need fewer samples (Oliviers, Lominadze and
Bogacz, arXiv 2605.11911). Here the update is the one that the fixed-point machine writes, in as many steps as it takes,
and the forward pass that it is judged by is exact.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.reference.alignment import compare, gap, last_layer, target_alignment
from golden.reference.inference import infer
from golden.reference.state import Weights
from golden.reference.theory import linear_equilibrium
from golden.session import Session, initial_image
from hebbar.compiler.config import Config, load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.memories import Mem
from hebbar.contract.results import Figure

from ..comparisons.alignment import paired
from .rule_nets import NAMES, Lesson, learnt

__all__ = ["Aligned", "aligned", "linear", "measure"]

NETS = {False: ((2, 8), (5, 8), (10, 8), (2, 32), (5, 32), (10, 32)), True: ((2, 8),)}
"""Layers of weights and width."""
SEEDS = {False: 20, True: 2}
STEPS = 4000
"""State steps of a sample; what they leave to equilibrium stands beside every figure."""
ALPHA = 2
"""log2 of 1 / alpha: large, so that an update is many codes, and its direction alone counts."""
FEW = {False: (300,), True: (50,)}
SHAPES = {False: ((1, 8), (1, 32), (2, 8), (2, 32), (4, 8), (4, 32)), True: ((1, 8),)}
"""Hidden layers and width."""
GRID = (-2, -1, 0, 1)
LEARNERS = ("il", "backprop")


@dataclass(frozen=True)
class Aligned:
    """Alignments of one sample in one net: the machine's updates by IL and by backprop, those in float64 at the closed
    form of the equilibrium and by the gradient, and IL's last layer alone; ``distance``: of the machine's states from
    equilibrium, 1 where they began."""

    il: float
    backprop: float
    equilibrium: float
    gradient: float
    last_only: float
    distance: float


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """Every training of few samples is kept in ``folder``."""
    found, nets = list[Figure](), NETS[quick]
    with reporter.task("alignment", len(nets)) as task:
        for number, (layers, width) in enumerate(nets, 1):
            every = [aligned(layers, width, seed) for seed in range(SEEDS[quick])]
            found.append(_figure(layers, width, every))
            task.advance(number, f"{layers} layers of {width}")
    return [*found, *_efficiency(folder, quick, reporter)]


def linear(rule: str, layers: int, width: int, seed: int) -> Config:
    """A linear net of one width throughout, its weights of variance 1 / width."""
    return load("deep").replace(
        network={"layers": [width] * (layers + 1), "activation": "identity", "residual": False, "input_frac": 8},
        rule={"name": rule, "steps": STEPS, "gamma": 0.125, "alpha_shifts": [ALPHA] * layers,
              "init_scales": [1.0] * layers},
        data={"name": "digits", "path": ""}, training={"seed": seed})


def aligned(layers: int, width: int, seed: int) -> Aligned:
    """One sample: input and target are normal, of variance 1/4, and as the machine rounds them."""
    rng = np.random.default_rng(seed)
    x, y = (np.round(rng.normal(0, 0.5, (1, width)).clip(-2, 2) * 256) / 256 for _ in range(2))
    clamps = {"x0": x, f"x{layers}": y}
    updates, states = dict[str, Weights](), dict[str, NDArray[np.float64]]()
    for rule in LEARNERS:
        program = compile_config(linear(rule, layers, width, seed))
        session = Session(program, initial_image(program))
        before = session.weights
        session.run_entry("train", clamps)
        updates[rule] = {key: (after - before[key]) * 2.0**ALPHA for key, after in session.weights.items()}
        if rule == "il":
            codes, scale = session.rows()[Mem.STATE], program.machine.formats.state.scale
            places, lanes = program.layout.places, program.machine.lanes
            states = {name: codes[place.word * lanes:place.word * lanes + width][None] / scale
                      for name, place in places.items()}
    network = program.layout.network
    settled = linear_equilibrium(network, before, x, y)
    begun = infer(network, before, clamps, 0.0, 0).states[0]
    wanted = compare(network, before, clamps, 0.0)
    il, backprop, last = (target_alignment(network, before, clamps, update)
                          for update in (updates["il"], updates["backprop"], last_layer(network, updates["il"])))
    return Aligned(il, backprop, wanted["equilibrium"].alignment, wanted["backprop"].alignment, last,
                   gap(states, settled) / gap(begun, settled))


def _figure(layers: int, width: int, every: list[Aligned]) -> Figure:
    ahead, error = paired(*(np.array([getattr(one, rule) for one in every]) for rule in LEARNERS))
    m = {name: float(np.mean([getattr(one, name) for one in every])) for name in vars(every[0])}
    return Figure(f"target alignment, linear net of {layers} layers of {width}: IL above backprop on the machine, mean "
                  f"of {len(every)} nets +- {error:.3f} (IL {m['il']:.3f}, at the closed form {m['equilibrium']:.3f}; "
                  f"backprop {m['backprop']:.3f}, the gradient {m['gradient']:.3f}; IL's last layer alone "
                  f"{m['last_only']:.3f}; {m['distance']:.3f} of the way to equilibrium left)",
                  round(ahead, 3), "reported", "", None)


def _efficiency(folder: Path, quick: bool, reporter: Reporter) -> Iterator[Figure]:
    """Held-out digits after few samples, a rate for each rule and net, chosen on validation over all seeds."""
    seeds = range(1, 2 if quick else 16)
    shapes = [(samples, *shape) for samples in FEW[quick] for shape in SHAPES[quick]]
    with reporter.task("accuracy after few samples", len(shapes)) as task:
        for number, (samples, hidden, width) in enumerate(shapes, 1):
            tests = dict[str, NDArray[np.float64]]()
            for rule in LEARNERS:
                rates = [[learnt(Lesson(rule, hidden, halvings, seed, width=width, samples=samples), folder)
                          for seed in seeds] for halvings in GRID]
                best = max(rates, key=lambda runs: sum(run.validation for run in runs))
                tests[rule] = 100 * np.array([run.test for run in best])
            ahead, error = paired(*tests.values())
            every = ", ".join(f"{NAMES[rule]} {values.mean():.1f}" for rule, values in tests.items())
            task.advance(number, every)
            yield Figure(f"held-out digits after {samples} samples, {hidden} hidden layers of {width}: IL above "
                         f"backprop, mean of {len(seeds)} seeds +- {error:.1f} ({every})",
                         round(ahead, 1), "reported", "points", None)
