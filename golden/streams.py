"""What a program streams in and out, in real numbers: any entry, any population."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbar.compiler.program import Program, Transfer
from hebbar.contract.errors import BadInput
from hebbar.contract.formats import Format
from hebbar.contract.memories import Mem
from hebbar.contract.suggest import suggest

from .fixed import Ints, quantise, to_float
from .given import numbers

__all__ = ["checked_reals", "to_codes", "to_reals", "rounded"]

Reals = dict[str, NDArray[np.float64]]


def checked_reals(program: Program, entry: str, samples: Mapping[str, ArrayLike]) -> Reals:
    """Real samples (samples, size) by key, "name" or "name.clamp", as ``entry`` takes them.

    Raises BadInput for an entry that is none, a key that is missing or not streamed, and for anything but finite
    numbers of one shape; clamp masks are 0 or 1.
    """
    transfers = {t.key: t for t in _transfers(program, entry, program.inputs)}
    if not isinstance(samples, Mapping):
        raise BadInput(f"samples is a {type(samples).__name__}; give a dictionary with {', '.join(transfers)}.")
    for key in samples:
        if key not in transfers:
            raise BadInput(f"samples has {key!r}, which {entry!r} does not take{suggest(key, transfers)}.")
    missing = [key for key in transfers if key not in samples]
    if missing:
        raise BadInput(f"samples has no {missing[0]!r}; {entry!r} takes {', '.join(transfers)}.")
    reals = {key: _checked(t, samples[key]) for key, t in transfers.items()}
    counts = {key: len(values) for key, values in reals.items()}
    if len(set(counts.values())) > 1:
        raise BadInput("samples have different numbers of rows (" + ", ".join(f"{k} {n}" for k, n in counts.items())
                       + "); give one of each population for every sample.")
    return reals


def to_codes(program: Program, entry: str, samples: Mapping[str, ArrayLike]) -> dict[str, Ints]:
    """Real samples by key as the codes of ``entry``.

    Activities have the fraction bits of their population, states and errors those of a state; clamp
    masks are 1 where a neuron is held. Raises BadInput as ``checked_reals`` does, and for a number outside its format;
    the upper end is clipped by one code at most.
    """
    reals = checked_reals(program, entry, samples)
    return {t.key: _codes(program, t, reals[t.key]) for t in program.inputs[entry]}


def to_reals(program: Program, entry: str, outputs: Mapping[str, ArrayLike]) -> Reals:
    """The outputs of ``entry`` in real numbers."""
    return {t.key: to_float(np.asarray(outputs[t.key]), _format(program, t)) for t in program.outputs[entry]}


def rounded(program: Program, entry: str, samples: Mapping[str, ArrayLike]) -> Reals:
    """Real samples as the machine sees them, rounded to codes; what a float run has to be given."""
    codes = to_codes(program, entry, samples)
    return {t.key: to_float(codes[t.key], _format(program, t)) for t in program.inputs[entry]}


def _transfers(program: Program, entry: str, table: Mapping[str, tuple[Transfer, ...]]) -> tuple[Transfer, ...]:
    if not isinstance(entry, str) or (entry not in table and entry != "train"):  # which says itself why it is not there
        raise BadInput(f"there is no entry {entry!r}{suggest(str(entry), table)}; queries need an input that is "
                       "predicted.")
    return table[entry]


def _checked(t: Transfer, values: ArrayLike) -> NDArray[np.float64]:
    name = f"samples for {t.key!r}"
    given = numbers(name, values)
    if given.ndim != 2 or given.shape[1] != t.population.size:
        raise BadInput(f"{name} have shape {given.shape}; give (samples, {t.population.size}).")
    with np.errstate(over="ignore"):  # of numbers wider than float64: infinity is refused
        array = given.astype(np.float64)
    if not np.isfinite(array).all():
        raise BadInput(f"{name} hold a number that is not finite; replace it or give 0.")
    if t.memory is Mem.CLAMP and not np.isin(array, (0, 1)).all():
        raise BadInput(f"{name} hold a number that is neither 0 nor 1; 1 holds a neuron at its value.")
    return array


def _codes(program: Program, t: Transfer, values: NDArray[np.float64]) -> Ints:
    format = _format(program, t)
    limit, most = -format.lo / format.scale, np.abs(values).max(initial=0.0)
    if most > limit:
        raise BadInput(f"samples for {t.key!r} reach {most:g}, outside -{limit:g}..{limit:g} of {format}; scale them.")
    return quantise(values, format, f"samples for {t.key!r}")


def _format(program: Program, t: Transfer) -> Format:
    f = program.machine.formats
    return {Mem.ACTIVITY: Format(f.activity.bits, t.population.activity_frac), Mem.STATE: f.state,
            Mem.ERROR: f.error, Mem.CLAMP: Format(2, 0)}[t.memory]
