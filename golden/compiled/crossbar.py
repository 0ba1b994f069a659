"""What the compiled code works on where weights are conductances: arrays of a golden macro, in named tuples.

The cells, their noise and what an update does to one of them are the physics of ``golden.analog``, which every machine
shares; sums, converters, pulses and windows are compiled anew.
"""

from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from hebbar.contract.analog import GAIN_FRAC

from ..analog.converters import LineConverters
from ..analog.laws import ReadLaw
from ..analog.limits import KINDS
from ..analog_macro import AnalogMacro, Calibration
from ..machine import Machine
from ..tile import Plan
from .arrays import Ints

__all__ = ["AT", "BACKWARD", "FORWARD", "GAIN_FRAC", "OF", "UPDATED", "Crossbar", "Side", "crossbar_of", "settle"]

Reals = NDArray[np.float64]

FORWARD, BACKWARD, UPDATED = range(3)
"""Operations, as ``AnalogArray`` counts them."""
AT, OF = range(2)
"""Columns of ``Crossbar.limited``: values at a limit, and all."""


class Side(NamedTuple):
    """The lines that a verb senses. ``kind``: of FORWARD and BACKWARD; ``operations`` int64 (1,): held vectors.

    ``reads``, ``conversions``: streams of noise. ``scale``, ``offset`` float64 by line, ``noise`` in LSB, ``ideal``
    without any of them. ``bits`` and ``step`` of the converters, ``shared`` by so many; ``bent``: with the
    nonlinearity ``table`` (shared, codes). ``origin``, ``gain`` int64 (shared,): their calibration.
    """

    kind: int
    operations: Ints
    reads: np.uint64
    conversions: np.uint64
    scale: Reals
    offset: Reals
    noise: float
    ideal: bool
    bits: int
    step: int
    shared: int
    bent: bool
    table: Reals
    origin: Ints
    gain: Ints


class Crossbar(NamedTuple):
    """``pair``, ``size``, ``drift`` float64 (2, R, N), ``operations`` and the states of the pulse generators
    ``row_pulses``, ``column_pulses`` are those of the macro itself.

    ``known`` (2, R, N): the conductances of which reads see ``aged`` with the noise ``squares``, (2, R, N), and so
    ``weights`` int64 (R, N), multiples of 1 / GRID code, and ``variances`` int64 (R, N), multiples of ``law.grid``.
    ``varies``: whether variances matter; ``noisy``: whether a read has noise. ``update``, ``bounds``: as
    ``golden.analog.stepping`` takes them; ``spread``, ``balanced``: of a step, from ``update``.
    ``stochastic``: by ``pulses`` pulses, each changing a weight by ``each`` codes, all by 2^``exponent``.
    ``windows`` (blocks, 3): first word line, first bit line, bit lines. ``limited`` int64 (KINDS, 2).

    Scratch: ``driven``, ``squared``, ``sums``, ``spreads``, ``rates``, ``enabled``, ``counts`` int64, ``wanted``
    float64 by line; ``factors`` float64 (2, N). Pulses, uint32: ``row_chances`` (R,) and
    ``column_chances`` (N,) of lines to fire; ``fired`` (2, R) of UP and DOWN; ``met`` (4, N), of UP + and -, of DOWN
    + and -.
    """

    pair: Reals
    size: Reals
    drift: Reals
    operations: Ints
    row_pulses: NDArray[np.uint32]
    column_pulses: NDArray[np.uint32]
    law: ReadLaw
    varies: bool
    noisy: bool
    rows: Side
    columns: Side
    update: Reals
    bounds: Reals
    spread: float
    balanced: bool
    pulse_key: np.uint64
    stochastic: bool
    pulses: int
    exponent: int
    each: float
    activity_bits: int
    known: Reals
    aged: Reals
    squares: Reals
    weights: Ints
    variances: Ints
    windows: Ints
    limited: Ints
    driven: Ints
    squared: Ints
    sums: Ints
    spreads: Ints
    rates: Ints
    enabled: Ints
    counts: Ints
    wanted: Reals
    factors: Reals
    row_chances: NDArray[np.uint32]
    column_chances: NDArray[np.uint32]
    fired: NDArray[np.uint32]
    met: NDArray[np.uint32]


def crossbar_of(machine: Machine) -> Crossbar | None:
    """The crossbar of a machine; None where the weights are digital."""
    if not machine.config.kind.macro:
        return None
    macro = cast(AnalogMacro, machine.tile)
    array, cells, control = macro.array, macro.array.cells, machine.config.analog.control
    rows, columns = cells.pair.shape[1:]
    lines, pairs = max(rows, columns), ("known", "aged", "squares")
    numbers = {name: np.zeros(lines, np.int64) for name in (
        "driven", "squared", "sums", "spreads", "rates", "enabled", "counts")}
    return Crossbar(
        cells.pair, cells.size, cells.drift, array.operations, macro.row_pulses.state, macro.column_pulses.state,
        cells.law, cells.varies, cells.varies or cells.law.white > 0,
        _side(macro.row_side, macro.row_sum, FORWARD, array.forward_key),
        _side(macro.column_side, macro.column_sum, BACKWARD, array.backward_key),
        array.update_law, array.bounds, float(array.update_law[4]), bool(array.update_law[5]), array.pulse_key,
        control.update == "stochastic", control.pulses, control.pulse_exponent, control.each,
        machine.config.activity_bits, **{name: np.full(cells.pair.shape, np.nan) for name in pairs},
        weights=np.zeros((rows, columns), np.int64), variances=np.zeros((rows, columns), np.int64),
        windows=np.array([_window(machine, plan) for plan in machine.plans], np.int64).reshape(-1, 3),
        limited=np.zeros((len(KINDS), 2), np.int64), **numbers, wanted=np.zeros(lines),
        factors=np.ones((2, columns)), row_chances=np.zeros(rows, np.uint32),
        column_chances=np.zeros(columns, np.uint32), fired=np.zeros((2, rows), np.uint32),
        met=np.zeros((4, columns), np.uint32))


def settle(machine: Machine, crossbar: Crossbar) -> None:
    """Tell the macro of a machine what a run has done to it."""
    macro = cast(AnalogMacro, machine.tile)
    for kind, (at, of) in zip(KINDS, crossbar.limited.tolist()):
        macro.limits.at[kind] += at
        macro.limits.of[kind] += of
    crossbar.limited[...] = 0
    macro.array.changed()


def _side(lines: LineConverters, sums: Calibration, kind: int, reads: np.uint64) -> Side:
    table = np.zeros((0, 0)) if lines.table is None else lines.table
    return Side(kind, lines.operations, reads, lines.noise_key, lines.scale, lines.offset, lines.noise, lines.ideal,
                lines.bits, lines.step, lines.shared, lines.bent, table, np.ascontiguousarray(sums.offset),
                np.ascontiguousarray(sums.gain))


def _window(machine: Machine, plan: Plan) -> tuple[int, int, int]:
    m = machine.config
    group, column = divmod(plan.base, m.array_stride)
    return group * m.row_tiles, column * m.lanes, plan.source.size
