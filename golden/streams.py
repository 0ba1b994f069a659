"""What a program streams in and out, in real numbers: any entry, any population."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbar.compiler import Program, Transfer
from hebbar.errors import BadInput
from hebbar.formats import Format
from hebbar.memories import Mem
from hebbar.suggest import suggest

from .fixed import Ints, quantise, to_float

__all__ = ["to_codes", "to_reals", "rounded"]

Reals = dict[str, NDArray[np.float64]]


def to_codes(program: Program, entry: str, samples: Mapping[str, ArrayLike]) -> dict[str, Ints]:
    """Real samples (samples, size) by key, "name" or "name.clamp", as the codes of ``entry``.

    Activities have the fraction bits of their population, states and errors those of a state; clamp
    masks are True where a neuron is held. Raises BadInput for a key that is missing, not streamed or not finite.
    """
    transfers = {t.key: t for t in _transfers(program, entry, program.inputs)}
    for key in samples:
        if key not in transfers:
            raise BadInput(f"samples has {key!r}, which {entry!r} does not take{suggest(key, transfers)}.")
    missing = [key for key in transfers if key not in samples]
    if missing:
        raise BadInput(f"samples has no {missing[0]!r}; {entry!r} takes {', '.join(transfers)}.")
    return {key: _codes(program, t, key, samples[key]) for key, t in transfers.items()}


def to_reals(program: Program, entry: str, outputs: Mapping[str, Ints]) -> Reals:
    """The outputs of ``entry`` in real numbers."""
    return {t.key: to_float(np.asarray(outputs[t.key]), _format(program, t)) for t in program.outputs[entry]}


def rounded(program: Program, entry: str, samples: Mapping[str, ArrayLike]) -> Reals:
    """Real samples as the machine sees them, rounded to codes; what a float run has to be given."""
    codes = to_codes(program, entry, samples)
    return {t.key: to_float(codes[t.key], _format(program, t)) for t in program.inputs[entry]}


def _transfers(program: Program, entry: str, table: Mapping[str, tuple[Transfer, ...]]) -> tuple[Transfer, ...]:
    if entry not in table:
        raise BadInput(f"there is no entry {entry!r}{suggest(entry, table)}; queries need an input that is predicted.")
    return table[entry]


def _codes(program: Program, t: Transfer, key: str, values: ArrayLike) -> Ints:
    array = np.asarray(values, np.float64)
    if array.ndim != 2 or array.shape[1] != t.population.size:
        raise BadInput(f"samples for {key!r} have shape {array.shape}; give (samples, {t.population.size}).")
    if not np.isfinite(array).all():
        raise BadInput(f"samples for {key!r} hold a number that is not finite; replace it or give 0.")
    if t.memory is Mem.CLAMP and not np.isin(array, (0, 1)).all():
        raise BadInput(f"samples for {key!r} hold a number that is neither 0 nor 1; 1 holds a neuron at its value.")
    return quantise(array, _format(program, t), f"samples for {key!r}")


def _format(program: Program, t: Transfer) -> Format:
    f = program.machine.formats
    return {Mem.ACTIVITY: Format(f.activity.bits, t.population.activity_frac), Mem.STATE: f.state,
            Mem.ERROR: f.error, Mem.CLAMP: Format(2, 0)}[t.memory]
