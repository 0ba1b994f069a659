"""Predictive coding in float64, for any graph: the reference that fixed point is measured against.

The convention is one for all files: value nodes ``x`` are pre-activations, ``mu_g = sum_h W_gh f(x_h)``,
``e_g = pi_g (x_g - mu_g)`` or ``x_g - softmax(mu_g)``, ``E`` the energy whose -dE/dmu they are
(``1/2 sum |e|^2`` for precision 1), and every state step is synchronous. States, errors and clamps are
dictionaries from population name to an array (batch, size); weights are dictionaries from (source,
target) to an array (target size, source size), of the edges with weights of their own
(``network.stored``). Values are plain numbers: one unit of an input is 1.0, not a code.

What every graph shares is here by name. The other systems are modules of their own, for they mean
different things by ``errors`` and ``learn``:

* ``alignment``: target alignment, prospective configuration;
* ``covpcn``: covariance-learning networks, implicit, dendritic and explicit;
* ``depth``: PC-ALM, predictive coding as an augmented Lagrangian;
* ``direct_feedback``: direct feedback alignment, errors through fixed random weights;
* ``divergence``: energies of Kullback-Leibler divergences on layers;
* ``forward_forward``: layers that learn from their own goodness, with right and with wrong labels;
* ``hopfield``: universal Hopfield networks, also in feature space;
* ``momentum``: Nesterov's momentum on the states;
* ``reverse``: reverse-mode differentiation of any graph of functions;
* ``reward_bases``: temporal differences for several rewards at once;
* ``spiking``: integrate-and-fire neurons and pair STDP;
* ``weak_feedback``: nudged PC, equilibrium propagation, contrastive Hebbian learning.
"""

from . import (
    alignment,
    covpcn,
    depth,
    direct_feedback,
    divergence,
    forward_forward,
    hopfield,
    momentum,
    reverse,
    reward_bases,
    spiking,
    weak_feedback,
)
from .energy import FUNCTIONS, energy, errors, log_softmax, predictions, softmax, state_descent, weight_descent
from .inference import Relaxation, default_start, infer, move, start_states
from .rules import RULES, Learned, backprop, il, ipc, learning_rates, update, zil
from .state import Held, States, Weights, absent, check_weights, hold, initial_weights
from .theory import distance_to_equilibrium, equilibrium_energy, gamma_bound, linear_equilibrium, stable_gamma
from .training import accuracy, epoch_rate, predict, sample_clamps, train_epoch

__all__ = ["FUNCTIONS", "energy", "errors", "log_softmax", "predictions", "softmax", "state_descent",
           "weight_descent", "Relaxation", "default_start", "infer", "move", "start_states",
           "RULES", "Learned", "backprop", "il", "ipc", "learning_rates", "update", "zil",
           "Held", "States", "Weights", "absent", "check_weights", "hold", "initial_weights",
           "distance_to_equilibrium", "equilibrium_energy", "gamma_bound", "linear_equilibrium",
           "stable_gamma",
           "accuracy", "epoch_rate", "predict", "sample_clamps", "train_epoch",
           "alignment", "covpcn", "depth", "direct_feedback", "divergence", "forward_forward", "hopfield", "momentum",
           "reverse", "reward_bases", "spiking", "weak_feedback"]
