"""The categorical output, e = y - softmax(beta mu), and precisions: what each is worth, and what each costs.

The machine's probabilities are y - e of the first error that inference finds; softmax in float64 of the predictions
that the machine gives for the same inputs is the yardstick. What they are worth is seen beside IL with Gaussian
errors, whose outputs are turned into probabilities by the beta that suits its training set best.

A precise hidden layer moves little for its errors, so the output sees the feed-forward state: the update tends to
the gradient of the cross entropy, by forward differentiation (``reverse``), as pi grows; in fixed point the
difference x - mu that pi multiplies falls below a code.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from golden.datasets import Samples
from golden.image import from_image
from golden.reference.interpreter import FloatMachine
from golden.reference.state import Weights, initial_weights
from golden.reference.training import accuracy, ends
from golden.streams import to_reals
from golden.training import codes, data_of, initial_image, machine_of, train_fixed
from hebbar.compiler import Program, compile_config
from hebbar.config import Config, load
from hebbar.console import Reporter
from hebbar.exponentials import BETA_FRAC, INDEX_BITS, POWER_FRAC

from ..backends import golden
from ..network_energy import inference_steps
from ..sweep import in_parallel
from ..trace import Job
from .nudge import distance, order
from .reverse import Loss, slopes

__all__ = ["PRESET", "GAUSSIAN", "PRECISIONS", "Shares", "Scores", "Effect", "softmax", "cross_entropy", "shares",
           "allowed", "score", "scores", "precise", "effects", "bins"]

Reals = NDArray[np.float64]

PRESET, GAUSSIAN = "categorical", "digits"
PRECISIONS = tuple(range(-2, 6))
"""log2 of the precision of the hidden layer."""
BETAS = 2.0 ** np.arange(-1, 6, 0.125)
BINS = 10
STEPS, SHIFT = 64, 4
"""Of the study of updates: inference comes to rest; alpha."""
PROCESSES = 2


def softmax(x: Reals) -> Reals:
    """Of rows."""
    powers = np.exp(x - x.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
