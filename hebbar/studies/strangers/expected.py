"""Right answers by another way: codes made of Python floats one by one, and the NumPy machine on them."""

from collections.abc import Mapping
from math import floor
from typing import Any

import numpy as np

from golden.fixed import Ints
from golden.machine import Machine
from hebbar.compiler.program import Program
from hebbar.contract.memories import Mem

__all__ = ["code", "same", "same_keys", "states"]


def code(x: float, frac: int, bits: int) -> int:
    """Nearest code, ties up, the largest one at most: in Python's own integers."""
    return min(floor(x * 2**frac + 0.5), 2 ** (bits - 1) - 1)


def states(program: Program, image: Ints, entry: str, rows: Mapping[str, list[list[float]]],
           halvings: int = 0) -> dict[str, np.ndarray]:
    """What the NumPy machine answers to rows of Python floats, with the weights of ``image``."""
    m, codes = program.machine, {}
    for t in program.inputs[entry]:
        frac, bits = {Mem.ACTIVITY: (t.population.activity_frac, m.activity_bits), Mem.CLAMP: (0, 9)}.get(
            t.memory, (m.state_frac, m.state_bits))
        codes[t.key] = np.array([[code(x, frac, bits) for x in row] for row in rows[t.key]], np.int64).reshape(
            -1, t.population.size)
    machine = Machine(program)
    machine.load(image)
    machine.set_rates(halvings)
    found = machine.run(entry, codes)
    fracs = {t.key: t.population.activity_frac if t.memory is Mem.ACTIVITY else m.state_frac
             for t in program.outputs[entry]}
    return {key: values / 2.0 ** fracs[key] for key, values in found.items()}


def same(got: Any, want: np.ndarray) -> str:
    if not isinstance(got, np.ndarray) or got.shape != want.shape:
        return f"shape {np.shape(got)} for {want.shape}"
    if np.array_equal(got, want):
        return ""
    return f"differs from what the NumPy machine gives, {got.flat[:3]} for {want.flat[:3]}"


def same_keys(got: Mapping[str, Any], want: Mapping[str, Any]) -> str:
    return "" if set(got) == set(want) else f"holds {set(got)} for {set(want)}"
