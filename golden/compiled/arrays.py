"""What the compiled code works on: arrays in named tuples, laid out for speed."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["TOP", "Limits", "Memory", "Record", "Streams", "Tables"]

Ints = NDArray[np.int64]

TOP = (1 << 31) - 1
"""The largest int32."""


class Tables(NamedTuple):
    """The decoded program, int64 unless noted; ``golden.compiled.plan`` fills it.

    ``code`` (instructions, 4): opcode and operands. ``blocks`` (blocks, 12): first row, rows, lanes
    of a row, place in the activity buffers, place in ``row_at``, bounds of its runs in ``gathers``,
    ``feeds`` and ``updates``, function. ``row_at``: where every row starts in the weights.
    Runs of lanes (runs, 5) with first lane, first neuron, length and: ``gathers`` shift;
    ``feeds`` fresh; ``updates`` rate register, diagonal. ``functions`` int8 and ``derivatives``
    int16 (functions, state codes): f and f' of every state. ``learning``: fences after an UPD.
    """

    code: Ints
    blocks: Ints
    row_at: Ints
    gathers: Ints
    feeds: Ints
    updates: Ints
    functions: NDArray[np.int8]
    derivatives: NDArray[np.int16]
    learning: Ints


class Limits(NamedTuple):
    """Smallest and largest codes, and the shifts of the neuron unit."""

    state_lo: int
    state_hi: int
    error_lo: int
    error_hi: int
    feedback_lo: int
    feedback_hi: int
    weight_lo: int
    weight_hi: int
    sum_shift: int
    back_shift: int
    derivative_frac: int
    step_shift: int


class Memory(NamedTuple):
    """``weights`` int16 or int32, (P, words, C) so that a row lies in one piece; ``values`` int32
    (4, neurons) by memory number; ``base`` and ``back`` int64 (neurons,). Scratch: ``raw``,
    ``aligned``, ``lifted`` int16 activities by lane; ``sums`` int64, ``slopes`` int32 (rows,);
    ``narrow`` int32, ``wide`` int64 (lanes,). ``rates`` int64 (16,); ``clipped`` int64 (4,): error,
    state, feedback, weight."""

    weights: NDArray
    values: NDArray[np.int32]
    base: Ints
    back: Ints
    raw: NDArray[np.int16]
    aligned: NDArray[np.int16]
    lifted: NDArray[np.int16]
    sums: Ints
    slopes: NDArray[np.int32]
    narrow: NDArray[np.int32]
    wide: Ints
    rates: Ints
    clipped: Ints


class Streams(NamedTuple):
    """``given`` int32 (samples, neurons in), ``taken`` int32 (samples, neurons out); ``ins`` and
    ``outs`` int64 (transfers, 3): neurons, first column, memory number."""

    given: NDArray[np.int32]
    taken: NDArray[np.int32]
    ins: Ints
    outs: Ints
    stack: Ints
    moved: Ints


class Record(NamedTuple):
    """Buffers of the fences, empty when nothing is recorded: ``pc`` (F,), ``rows`` (F, 3 * neurons),
    ``at`` (W,), ``weights`` (W, words * P * C) of ``tiles`` P and ``lanes`` C."""

    on: bool
    pc: Ints
    rows: NDArray[np.int32]
    at: Ints
    weights: NDArray[np.int32]
    tiles: int
    lanes: int
