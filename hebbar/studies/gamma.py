"""How large gamma may be: inference on both sides of the bound of theory, in float64 and on the machine.

What is followed is the energy above its minimum as a share of the start's, (E - E*) / (E_0 - E*): 0 at equilibrium,
more than 1 where inference has made things worse. On a linear network 2 / lambda_max is exact and the same for all
samples. Else a sample has a bound of its own, which holds near its equilibrium; where f has a kink inference may hop
across it below the bound too, without end but near. On the machine it hops by rounding, whatever gamma is: there all
samples are taken together.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import ceil, log2

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure as Drawing
from numpy.typing import NDArray

from golden import reference as ref
from golden.learning.weights import checked_image
from golden.network_energy import inference_energy
from golden.reference.state import Weights
from golden.reference.training import ends
from golden.streams import to_codes
from golden.trace import Job
from hebbar.compiler.config import Config
from hebbar.compiler.network import Network
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.counters import CYCLES
from hebbar.energy import estimate, load_technology
from hebbar.report.figures import BLUE, ORANGE, panels
from hebbar.report.svg import INK, STYLE
from sim.backends import golden

__all__ = ["BELOW", "ABOVE", "STEPS", "SETTLED", "GONE", "NEAR", "MOST", "OnMachine", "Sides", "linear", "linear_sides",
           "sides", "least_energy", "machine_energies", "on_machine", "shares", "together", "power_below", "price",
           "draw"]

Reals = NDArray[np.float64]
Clamps = Mapping[str, Reals]

BELOW, ABOVE, STEPS = 0.95, 1.05, 300
SETTLED, GONE = 1e-9, 1e6
"""Shares of a linear network's energy above its minimum after ``STEPS``: at most, at least."""
NEAR = 0.01
"""The share from which on a sample counts as settled where f has kinks."""
MOST = 2 - 2.0**-7
"""The largest gamma that the machine can hold."""
STAGES = 8
TECHNOLOGY = "cmos45"


@dataclass(frozen=True)
class Sides:
    """What is known of every sample, (samples,): ``bounds`` and the minimum E*, ``least``; shares of the energy above
    it, (steps + 1, samples), at ``BELOW`` times the smallest bound and at ``ABOVE`` times the largest."""

    bounds: Reals
    least: Reals
    below: Reals
    above: Reals

    def __str__(self) -> str:
        low, high = self.bounds.min(), self.bounds.max()
        return (f"{low:.4f} to {high:.4f}; of its start E - E* ends at {self.below[-1].max():.2g} at most at "
                f"gamma {BELOW * low:.3g}, at {self.above[-1].min():.2g} at least at {ABOVE * high:.3g}")

    @property
    def runs(self) -> dict[str, Reals]:
        """The shares by gamma, to be drawn."""
        low, high = BELOW * self.bounds.min(), ABOVE * self.bounds.max()
        return {f"gamma {low:.3g}": self.below, f"gamma {high:.3g}": self.above}

    @property
    def settled(self) -> int:
        """Samples that come to rest below; others hop across a kink of f."""
        return int((self.below[-1] < NEAR).sum())

    @property
    def exact(self) -> bool:
        """Below, the energy of every sample falls in every step and reaches its minimum; above it explodes."""
        return bool((np.diff(self.below, axis=0) <= SETTLED).all() and self.below[-1].max() <= SETTLED
                    and self.above[-1].min() >= GONE)

    @property
    def apart(self) -> bool:
        """Below, every sample ends with less energy than it began with; above, every one with more."""
        return bool(self.below[-1].max() < 1 < self.above[-1].min())


@dataclass(frozen=True)
class OnMachine:
    """Inference on the golden machine with one gamma: shares of the energy above the minimum, (steps + 1, samples), and
    what all samples have ``left`` in sum."""

    gamma: float
    shares: Reals
    left: float

    def __str__(self) -> str:
        return (f"machine, gamma {self.gamma:.3g}: E - E*, all samples summed, ends at {self.left:.2g} of its start")


def linear(network: Network) -> Network:
    """The network with every f the identity."""
    return replace(network, populations=tuple(replace(p, activation="identity") for p in network.populations))


def linear_sides(network: Network, weights: Weights, clamps: Clamps) -> Sides:
    """Both sides of the one bound of a linear layered network, against the minimum in closed form."""
    first, last = ends(network)
    least = ref.equilibrium_energy(network, weights, clamps[first], clamps[last])
    return _sides(network, weights, clamps, np.full(len(least), ref.gamma_bound(network, weights)), least)


def sides(network: Network, weights: Weights, clamps: Clamps) -> Sides:
    """Both sides of the bounds of all samples, at their equilibria."""
    bounds = ref.stable_gamma(network, weights, clamps)
    return _sides(network, weights, clamps, bounds, least_energy(network, weights, clamps, bounds.min() / 2))


def _sides(network: Network, weights: Weights, clamps: Clamps, bounds: Reals, least: Reals) -> Sides:
    below, above = (shares(ref.infer(network, weights, clamps, gamma, STEPS).energies, least)
                    for gamma in (BELOW * bounds.min(), ABOVE * bounds.max()))
    return Sides(bounds, least, below, above)


def least_energy(network: Network, weights: Weights, clamps: Clamps, gamma: float) -> Reals:
    """E* of each sample, (samples,): ``gamma`` is halved in stages, for a fixed one hops across kinks for ever."""
    path = ref.infer(network, weights, clamps, gamma, STEPS)
    for stage in range(1, STAGES):
        path = ref.infer(network, weights, clamps, gamma / 2**stage, STEPS, path.states[-1])
    return path.energies[-1]


def machine_energies(config: Config, weights: Weights, clamps: Clamps) -> Reals:
    """E of inference on the golden machine, (steps + 1, samples); every sample meets the same ``weights``."""
    program = compile_config(config)
    image, codes = checked_image(program.layout, weights, "weights"), to_codes(program, "train", clamps)
    jobs = (Job(program, "train", image, {key: c[n:n + 1] for key, c in codes.items()})
            for n in range(len(next(iter(codes.values())))))
    return np.stack([inference_energy(program, golden.run(job), 0).sum(axis=1) for job in jobs], axis=1)


def on_machine(config: Config, gamma: float, steps: int, weights: Weights, clamps: Clamps, least: Reals) -> OnMachine:
    """Inference with another gamma and as many state steps, against the minimum E* of every sample, ``least``."""
    energies = machine_energies(config.replace(rule={"gamma": gamma, "steps": steps}), weights, clamps)
    return OnMachine(gamma, shares(energies, least), together(energies, least))


def shares(energies: Reals, least: Reals) -> Reals:
    """(E - E*) / (E_0 - E*), (steps + 1, samples)."""
    return (energies - least) / (energies[0] - least)


def together(energies: Reals, least: Reals) -> float:
    """What all samples have left in sum, as a share of their start."""
    return float((energies[-1] - least).sum() / (energies[0] - least).sum())


def power_below(bound: float) -> float:
    """The largest power of two below ``bound`` that the machine's gamma, less than 2, can be."""
    return min(1.0, 2.0 ** (ceil(log2(bound)) - 1))


def price(program: Program, counters: dict[str, int], count: int) -> tuple[float, float]:
    """Cycles and typical nJ of a sample of training."""
    energy = estimate(program, counters, count, load_technology(TECHNOLOGY)).sample.typical
    return sum(counters[c] for c in CYCLES) / count, energy / 1000


def draw(shown: Mapping[str, Mapping[str, Reals]]) -> Drawing:
    """The energy above its minimum as a share of the start's, (steps + 1, samples): the median of all samples, in a
    band from the least to the most; one panel for each network, one labelled line for each run."""
    low, high = 1e-9, 1e9
    with rc_context(STYLE):
        figure, axes = panels(2.9, len(shown))
        for a, (title, runs) in zip(axes, shown.items()):
            for (name, shares), (colour, line) in zip(runs.items(), ((BLUE, "-"), (ORANGE, "--"))):
                steps, left = np.arange(1, len(shares)), np.clip(shares[1:], low, high)
                a.loglog(steps, np.median(left, axis=1), line, color=colour, linewidth=1.3, label=name)
                a.fill_between(steps, left.min(axis=1), left.max(axis=1), color=colour, alpha=0.2, linewidth=0)
            a.axhline(1, color=INK, linewidth=0.6)
            a.set(title=title, xlabel="state step", ylim=(low, high))
            a.legend(loc="lower left" if len(runs) > 1 else "best")
        axes[0].set_ylabel("E - E*, share of its start")
        return figure
