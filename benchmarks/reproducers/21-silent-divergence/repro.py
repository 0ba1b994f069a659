"""Source: aigamedev/scikit-neuralnetwork issue 207 (divergence must be said). Float says so; fixed
point ends with every weight of a layer clipped, in silence."""

import warnings

import numpy as np

from hebbar import Experiment
from hebbar.contract.errors import HebbarError

e = Experiment("digits", training={"epochs": 2}, rule={"alpha_shifts": [0, 0], "gamma": 1.9})
try:
    e.train_float()
except HebbarError as error:
    print("float:", error)

with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    c = e.train()
print("fixed:", c, "clipped weights", [float(np.mean(abs(v) > 3.99)) for v in e.weights.values()])
raise SystemExit(not said and not getattr(c, "saturations", None))  # wrong while nothing is said
