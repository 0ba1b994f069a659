"""Hebbar from Python: one class, from a configuration to figures.

    from hebbar import Experiment

    e = Experiment("digits_ipc", training={"epochs": 3})
    curve = e.train()                   # the golden machine, bit-exact fixed point
    check = e.cosimulate(samples=20)    # the same program on the RTL, compared word for word
    print(curve.accuracy[-1], check.mismatches, check.words, e.cycles())

The configuration never changes; the state of an experiment is its weights and its data, and both
change only by calls that say so. Every error is a ``hebbar.contract.errors.HebbarError`` with a sentence, and changes
nothing. What may make a result void is a ``hebbar.contract.errors.HebbarWarning``, also on the ``Curve``.
"""

from hebbar.contract.results import Check, Curve, SampleCycles

from .experiment import Experiment
from .trajectories import Trajectories

__all__ = ["Experiment", "Trajectories", "Curve", "Check", "SampleCycles"]
