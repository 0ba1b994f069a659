"""What a trained network answers to inputs in real numbers."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbar.compiler.program import Program
from hebbar.contract.errors import BadInput

from ..fixed import Ints, to_float
from ..given import numbers
from ..reference.training import ends
from ..session import Session
from .datasets import input_codes
from .health import clipped, examine_run
from .sample_checks import check_labels, check_samples

__all__ = ["answers", "share_of_right"]


def answers(program: Program, image: Ints, inputs: ArrayLike) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """Target states (samples, target size) in real units for real ``inputs`` (samples, input size), and sentences about
    values that were clipped on the way. Raises BadInput for inputs that do not fit."""
    network, formats = program.layout.network, program.machine.formats
    source, target = (network.by_name[name] for name in ends(network))
    codes = input_codes(inputs, source.activity_frac, formats.activity.bits)
    check_samples(codes, None, network)
    session = Session(program, image)
    states = session.run_codes("predict", {source.name: codes})[target.name]
    return to_float(states, formats.state), examine_run(program, "predict", len(codes), clipped(session.counters))


def share_of_right(states: NDArray[np.float64], labels: ArrayLike) -> float:
    """The share of ``states`` (samples, classes) whose largest, the first of equal ones, is at their label, 0 to 1.

    Raises BadInput unless ``labels`` (samples,) are class numbers, one for each sample, and there are some.
    """
    classed = numbers("labels", labels)
    if classed.shape != states.shape[:1] or not len(classed):
        raise BadInput(f"labels has shape {classed.shape} for {len(states)} samples; give one label for each, and one "
                       "sample or more.")
    check_labels("labels", classed, states.shape[1])
    return float(np.mean(states.argmax(axis=1) == classed))
