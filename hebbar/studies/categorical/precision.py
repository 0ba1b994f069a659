"""What the precision of the hidden layer does to updates and trainings.

A precise hidden layer moves little, so the output sees the feed-forward state: the update tends to the gradient of
the cross entropy, by forward differentiation (``reverse``), as pi grows. In fixed point x - mu, which pi multiplies,
falls below a code.
"""

from dataclasses import dataclass

import numpy as np

from golden.learning.training import codes, data_of
from golden.reference.interpreter import FloatMachine
from golden.reference.training import ends
from golden.session import Session, initial_image
from hebbar.compiler.config import Config, load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter

from ..nudge import distance
from ..parameter_sweep import in_parallel
from ..reverse import Loss, slopes
from .probabilities import PRESET, PROCESSES, Reals, predictions, trained

__all__ = ["PRECISIONS", "SLACK", "SMOOTH", "Effects", "cross_entropy", "precise", "update_errors", "order", "learnt",
           "effects"]

PRECISIONS = tuple(range(-2, 7))
"""log2 of the precision of the hidden layer."""
ORDER_FROM = 2
"""The order of the distance is read from this precision on."""
SLACK = 0.15
STEPS, SHIFT = 64, 4
SMOOTH: dict[str, str | int] = {"activation": "tanh", "activity_frac": 7}
"""The network of the study of updates: inference comes to rest; alpha; a hidden layer without a kink to cross."""


def cross_entropy(target: Reals, beta: float) -> Loss:
    """-sum y log softmax(beta mu) / beta, along mu of slope softmax(beta mu) - y."""
    return lambda mu: (np.log(np.exp(beta * mu).sum(axis=1)) - beta * (target * mu).sum(axis=1)) / beta


@dataclass(frozen=True)
class Effects:
    """What a precision does: distances of updates from the slopes, in float64 and fixed point, (precisions, 2), medians
    over digits; and percent after training (precisions,), means over seeds."""

    updates: Reals
    accuracies: Reals

    def __str__(self) -> str:
        rows = (f"hidden precision 2^{power}: update off by {floating:.4f} in float64, {fixed:.4f} in fixed point; "
                f"trained {accuracy:.1f} %"
                for power, (floating, fixed), accuracy in zip(PRECISIONS, self.updates, self.accuracies))
        return "\n".join([*rows, f"update less gradient ~ precision^-{self.order:.2f} in float64"])

    @property
    def order(self) -> float:
        """The p of distance ~ pi**-p in float64."""
        return order(self.updates[:, 0])


def precise(power: int, **hidden: str | int) -> Config:
    """The preset with a hidden layer of precision 2**power; gamma shrinks with it, so that inference stays stable."""
    base, hidden = load(PRESET), hidden | {"precision": power}
    populations = [p.model_dump() | (hidden if p.name == "h" else {}) for p in base.network.populations]
    return base.replace(network={"populations": populations}, rule={"gamma": 2.0 ** -(max(power, 0) + 1)})


def update_errors(power: int, sample: int) -> tuple[float, float]:
    """Distance of the update of one digit, inference at rest, from the slopes of the cross entropy, relative: in
    float64, and on the machine."""
    base = precise(power, **SMOOTH)
    edges = [e.model_dump() | {"alpha_shift": SHIFT} for e in base.network.edges]
    program = compile_config(base.replace(network={"edges": edges}, rule={"steps": STEPS}))
    network, some = program.layout.network, data_of(program).train.take([sample])
    session, names = Session(program, initial_image(program)), ends(network)
    before = session.weights
    _, wanted = slopes(network, before, some.inputs_float[0], cross_entropy(some.targets, program.config.rule.beta))
    floating = FloatMachine(program, before)
    floating.run("train", dict(zip(names, (some.inputs_float, some.targets))))
    session.run_codes("train", codes(program, some, True))
    after = floating.weights, session.weights
    one, other = (distance({k: 2.0**SHIFT * (w[k] - before[k]) for k in wanted}, wanted) for w in after)
    return one, other


def order(floating: Reals) -> float:
    """The p of distance ~ pi**-p, from distances by precision."""
    powers = np.array(PRECISIONS[PRECISIONS.index(ORDER_FROM):])
    return float(-np.polyfit(powers, np.log2(floating[-len(powers):]), 1)[0])


def learnt(power: int, seed: int, epochs: int | None) -> float:
    """Percent on the test set after training with a hidden precision, on the machine."""
    program, data, image = trained(precise(power).replace(training={"epochs": epochs} if epochs else {}), seed)
    return 100 * float((predictions(program, image, data.test).argmax(axis=1) == data.test.labels).mean())


def effects(samples: int, seeds: int, reporter: Reporter, epochs: int | None = None) -> Effects:
    """Updates of ``samples`` digits and trainings of ``seeds`` seeds at every precision."""
    updates = in_parallel(update_errors, [(k, n) for k in PRECISIONS for n in range(samples)], PROCESSES, reporter,
                          "updates", lambda e: f"{e[0]:.3f}")
    trainings = in_parallel(learnt, [(k, n, epochs) for k in PRECISIONS for n in range(seeds)], PROCESSES, reporter,
                            "trainings", lambda a: f"{a:.1f} %")
    return Effects(np.median(np.array(updates).reshape(len(PRECISIONS), samples, 2), axis=1),
                   np.array(trainings).reshape(len(PRECISIONS), seeds).mean(axis=1))
