"""Predictive coding in float64, for any graph: the reference that fixed point is measured against.

The convention is one for all files: value nodes ``x`` are pre-activations, ``mu_g = sum_h W_gh f(x_h)``,
``e_g = x_g - mu_g``, ``E = 1/2 sum |e|^2``, and every state step is synchronous. States, errors and
clamps are dictionaries from population name to an array (batch, size); weights are dictionaries from
(source, target) to an array (target size, source size). Values are plain numbers: one unit of an input
is 1.0, not a code.
"""

from .energy import FUNCTIONS, energy, errors, predictions, state_descent, weight_descent
from .inference import Relaxation, default_start, infer, move, start_states
from .online import train_online
from .rules import RULES, Learned, backprop, il, ipc, learning_rates, update, zil
from .state import Held, States, Weights, check_weights, hold, initial_weights
from .theory import (distance_to_equilibrium, equilibrium_energy, gamma_bound, linear_equilibrium)
from .training import accuracy, epoch_rate, predict, sample_clamps, train_epoch

__all__ = ["FUNCTIONS", "energy", "errors", "predictions", "state_descent", "weight_descent",
           "Relaxation", "default_start", "infer", "move", "start_states", "train_online",
           "RULES", "Learned", "backprop", "il", "ipc", "learning_rates", "update", "zil",
           "Held", "States", "Weights", "check_weights", "hold", "initial_weights",
           "distance_to_equilibrium", "equilibrium_energy", "gamma_bound", "linear_equilibrium",
           "accuracy", "epoch_rate", "predict", "sample_clamps", "train_epoch"]
