"""What a mapped circuit takes: junctions, phases, and energy on the chip and at the wall, which are never one number.

Every cell switches in every cycle of its clock, whether its data change or not. A circuit that gets a new operation in
every cycle pays its junctions once an operation; one that waits for its result pays them for every cycle that it waits.
"""

import math
from dataclasses import dataclass

from hebbar.contract.errors import BadInput

from .balance import Mapped

__all__ = ["COOLING", "JUNCTION_J", "Energy", "check_cooling", "energy", "formula_adder", "formula_multiplier",
           "register_junctions"]

JUNCTION_J = {"low": 0.19e-21, "high": 1.39e-21}
"""Joules of a junction in a cycle at 4.2 K and 5 GHz. High: 24 kT, measured (Takeuchi, APL 2019; MANA). Low: half of a
device of two junctions by a cell library's formula 2 Phi0 Ic tau / t (SuperLoop, SFQ5ee, 50 uA)."""

COOLING = {"low": 493.0, "high": 1000.0}
"""Watts at the wall for a watt at 4.2 K: a large helium plant (UKAEA PROCESS, 13 % of Carnot), a small cooler."""

PHASES_A_CYCLE = 4
"""Phases of the clock."""


@dataclass(frozen=True)
class Energy:
    """Joules of an operation on the chip and at the wall, low and high."""

    chip_j: tuple[float, float]
    wall_j: tuple[float, float]


def check_cooling(cooling: float | None) -> None:
    """Raise BadInput for watts at the wall that no cooler has."""
    if cooling is not None and not 1 <= cooling < math.inf:
        raise BadInput(f"the cooling is {cooling:g} W at the wall for a watt at 4.2 K; give a finite number of at "
                       "least 1 (Carnot takes 70).")


def energy(junctions: int, cycles: float, cooling: float | None = None) -> Energy:
    """Energy of so many junctions over so many cycles.

    ``cooling``: watts at the wall for a watt, without it a low and a high figure.
    """
    check_cooling(cooling)
    chip = junctions * cycles * JUNCTION_J["low"], junctions * cycles * JUNCTION_J["high"]
    low, high = (COOLING["low"], COOLING["high"]) if cooling is None else (cooling, cooling)
    return Energy(chip, (chip[0] * low, chip[1] * high))


def waiting(mapped: Mapped) -> float:
    """Cycles from the inputs to the outputs."""
    return mapped.phases / PHASES_A_CYCLE


def register_junctions(bits: int) -> int:
    """A shift-loop register of so many bits: 2 (4 bits + 5), a published layout (Blackburn, TASC 2025)."""
    return 2 * (4 * bits + 5) if bits else 0


def formula_adder(bits: int) -> float:
    """Junctions of an adder by SuperLoop's formula 2 (183 m + 96 m (m - 1)), m = bits / 4."""
    m = bits / 4
    return 2 * (183 * m + 96 * m * (m - 1))


def formula_multiplier(bits: int) -> float:
    """Junctions of a product by SuperLoop's formula 2 x 1052 x 4^log2(bits / 4)."""
    return float(2 * 1052 * 4 ** math.log2(bits / 4))
