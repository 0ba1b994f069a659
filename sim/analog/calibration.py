"""Calibrating the converters of an analog macro: offset and gain of each, from codes of known sums."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from golden.analog.array import AnalogArray
from golden.analog.converters import LineConverters
from golden.analog_macro import Calibration
from hebbar.compiler.config import Config
from hebbar.contract.analog import GAIN_FRAC
from hebbar.contract.errors import BadInput
from hebbar.contract.machine import MachineConfig
from hebbar.contract.pins import column_bits, row_bits

__all__ = ["Line", "calibrated"]

Side = Literal["row", "column"]
LARGEST = 127
"""Largest input that is driven."""


@dataclass(frozen=True)
class Line:
    """One converter: what its codes are off by, in LSB, and by what factor, before calibration and after it."""

    side: Side
    converter: int
    offset: float
    gain: float
    offset_left: float
    gain_left: float


def calibrated(config: Config, reads: int = 256, seed: int = 0) -> tuple[Config, list[Line]]:
    """``config`` with the calibration that its macro needs, and what that leaves in a second set of reads.

    Every cell is programmed with a random weight, ``reads`` random inputs are driven from either side, and a straight
    line is fitted to the codes of each converter. What cells and wires do to a sum is fitted with it.
    """
    if not config.machine.kind.macro:
        raise BadInput(f"machine.tile is {config.machine.tile!r}; only an analog macro has converters to calibrate.")
    if reads < 16:
        raise BadInput(f"{reads} reads do not settle an offset and a gain; give at least 16.")
    machine = config.machine
    sides: tuple[Side, ...] = ("row", "column")
    found = {side: _measure(machine, side, reads, seed, None) for side in sides}
    control = machine.analog.control.model_dump()
    for side, fits in found.items():
        step = 1 << control[f"{side}_step"]
        control[f"{side}_offset"] = [round(offset * step) for offset, _ in fits]
        control[f"{side}_gain"] = [round((1 << GAIN_FRAC) / gain) for _, gain in fits]
    config = config.replace(machine={"analog": machine.analog.model_dump() | {"control": control}})
    lines = []
    for side, fits in found.items():
        left = _measure(config.machine, side, reads, seed + 1, config.machine)
        lines += [Line(side, i, *before, *after) for i, (before, after) in enumerate(zip(fits, left))]
    return config, lines


def _measure(machine: MachineConfig, side: Side, reads: int, seed: int, known: MachineConfig | None
             ) -> list[tuple[float, float]]:
    """Offset in LSB and gain of every converter, behind the calibration of ``known`` if there is one."""
    rng, rows, control = np.random.default_rng(seed), side == "row", machine.analog.control
    array, converters = AnalogArray(machine), LineConverters(machine, "rows" if rows else "columns")
    step, bits = getattr(control, f"{side}_step"), row_bits(machine) if rows else column_bits(machine)
    inputs, outputs = machine.array_columns, machine.array_rows
    if not rows:
        inputs, outputs = outputs, inputs
    # inputs as many as make the sums about an eighth of the range, in the root mean square
    used = int(np.clip((2.0 ** (bits + step - 3) / (array.cells.full * LARGEST / 6)) ** 2, 1, inputs))
    weights = rng.integers(-int(array.cells.full) // 2, int(array.cells.full) // 2 + 1, inputs)
    driven = rng.integers(-LARGEST, LARGEST + 1, (reads, inputs)) * (np.arange(inputs) < used)
    codes = np.tile(weights, (outputs, 1)) if rows else np.tile(weights[:, None], (1, outputs))
    array.load(codes)
    values = array.forward(driven) if rows else array.transposed(driven)
    true = (driven @ weights)[:, None] * np.ones(outputs)
    lines = np.arange(outputs)
    got = np.array([converters.convert(converters.held(v), lines) for v in values])
    inside = abs(got + 0.5) < (1 << bits - 1) - 1
    if known:
        meaning = Calibration(control.calibration(side, converters.shared), step)
        got = np.array([meaning.of(g, lines) for g in got]) / 2.0**step
    wanted = true / 2.0**step
    masks = [inside & (lines % converters.shared == c) for c in range(converters.shared)]
    return [_fit(f"{side} converter {c}", wanted[mask], got[mask]) for c, mask in enumerate(masks)]


def _fit(converter: str, wanted: NDArray[np.float64], got: NDArray[np.float64]) -> tuple[float, float]:
    """Offset and gain of ``got`` = offset + gain * ``wanted``, codes at the ends of the range left out. Raises BadInput
    where there is no straight line in them."""
    if min(len(np.unique(wanted)), len(np.unique(got))) < 2:
        raise BadInput(f"{converter} answers with {len(np.unique(got))} different codes inside its range, and offset "
                       "and gain take two; lower machine.analog.converters.offset and inl, or give control other bits "
                       "and another step.")
    gain, offset = np.polynomial.Polynomial.fit(wanted, got, 1).convert().coef[::-1]
    return float(offset), float(gain)
