"""What the compiled code works on: arrays in named tuples, laid out for speed."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["ACROSS", "ALIGN", "BUFFER", "CLEARS", "END", "FEEDS", "FIRST", "FUNCTION", "GATHERS", "HELD", "JOINS",
           "PADDED", "PRECISION", "ROWS", "ROW_AT", "RUN", "SOURCES", "SPAN", "TOP", "UPDATES", "WIDTH", "Ints",
           "BASES", "INTEGRALS", "Limits", "Memory", "Record", "Streams", "Tables", "Tally", "WEIGHTS", "Written"]

Ints = NDArray[np.int64]

TOP = (1 << 31) - 1
"""The largest int32."""

(FIRST, ROWS, PADDED, SPAN, BUFFER, ROW_AT, FUNCTION, PRECISION, ALIGN, SOURCES, WIDTH,
 GATHERS, FEEDS, UPDATES, JOINS, ACROSS, CLEARS, HELD, END) = range(19)
"""Columns of ``Tables.blocks``; runs of a kind go from its column to the next one."""

BASES, INTEGRALS, WEIGHTS = 3, 4, 5
"""Columns of ``Written.counts`` behind those of the memories of rows, which are their numbers."""

RUN = 6
"""Columns of ``Tables.runs``."""


class Tables(NamedTuple):
    """The decoded program, int64 unless noted; ``golden.compiled.plan`` fills it.

    ``code`` (instructions, 5): opcode and operands. ``blocks`` (blocks, END + 1): first row, rows, rows
    of whole row groups, lanes that a row takes, place in the activity buffers,
    place in ``row_at``, function, precision, align, bounds in ``runs``. ``row_at``: where the first
    stored column of every row lies in the weights.

    ``runs`` (runs, RUN) by kind, each with a start, a first neuron, a length and:
    GATHERS lanes in use; shift. FEEDS lanes; replaces the feedback sums, first row that counts.
    UPDATES lanes; rate register, diagonal, positive. JOINS rows of an identity column; shift. ACROSS
    rows of one with feedback. CLEARS no start; feedback sums that begin anew. HELD sources; shift, rate
    register or -1, number in ``lists``.

    ``panels`` (panels, 5): place in the weights kept by source, first word, groups, stride, weights of a
    source. ``lists`` (lists, 4): sources whose activities are listed: first neuron, number, place in
    the list, weights of each.

    ``learnt`` (runs, 4): the weights that UPD of a block writes: whether they lie by source, the first, how many, how
    many of those are weights of the image; those of block b from ``learnt_at[b]`` on to ``learnt_at[b + 1]``.

    ``functions`` and ``derivatives`` int16 (functions, state codes): f and f' of every
    state, by its bits taken as a number without a sign.
    ``powers``: ``hebbar.contract.exponentials.POWERS``. ``learning``: barriers after an UPD.
    """

    code: Ints
    blocks: Ints
    row_at: Ints
    runs: Ints
    panels: Ints
    lists: Ints
    learnt: Ints
    learnt_at: Ints
    functions: NDArray[np.int16]
    derivatives: NDArray[np.int16]
    powers: Ints
    learning: Ints


class Limits(NamedTuple):
    """Smallest and largest codes, the shifts of the neuron unit, the weight ``one`` of identity columns.

    ``back_lift`` and ``row_lift`` bring feedback sums and row sums to the finer fraction of the two,
    ``gate_shift`` from there to feedback. ``least_short``: the least rate that 16 bits can learn
    with. ``summing``: an EXIT asks for the energy.
    """

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
    back_lift: int
    row_lift: int
    gate_shift: int
    derivative_frac: int
    step_shift: int
    state_frac: int
    least_short: int
    one: int
    beta: int
    tolerance: int
    summing: bool


class Memory(NamedTuple):
    """``weights`` int16 or int32, (P, words, C) so that a row lies in one piece, but for those kept source
    by source in ``by_source``; ``values`` int32 (4, neurons) by memory number; ``base``, ``back`` and
    ``integral`` int64 (neurons,).
    Of the lists: ``listed`` int64 (lists, 2), how many activities are not zero, -1 when not
    known, and the sum of their sizes; ``live`` int64 where the weights of their sources begin, ``level``
    int16 their codes. Scratch, vectors longer than what is in it: ``raw``, ``aligned`` int16 activities by
    lane; ``lifted``, ``factors`` int16 what a verb multiplies, by weight of a row and by row; ``narrow``
    int32 and ``wide`` int64 sums by lane; ``sums``, ``mu`` int64, ``rounded``, ``slopes``, ``operand`` int32 by row.
    ``rates`` int64 (16,); ``clipped`` int64 (4,): error, state, feedback, weight; ``energy`` int64 (2,):
    sum and the one before."""

    weights: NDArray[np.int16 | np.int32]
    values: NDArray[np.int32]
    base: Ints
    back: Ints
    integral: Ints
    listed: Ints
    by_source: NDArray[np.int16 | np.int32]
    live: Ints
    level: NDArray[np.int16]
    raw: NDArray[np.int16]
    aligned: NDArray[np.int16]
    lifted: NDArray[np.int16]
    factors: NDArray[np.int16]
    narrow: NDArray[np.int32]
    wide: Ints
    sums: Ints
    mu: Ints
    rounded: NDArray[np.int32]
    slopes: NDArray[np.int32]
    operand: NDArray[np.int32]
    rates: Ints
    clipped: Ints
    energy: Ints


class Streams(NamedTuple):
    """``given`` int16 (samples, neurons in), ``taken`` int32 (samples, neurons out); ``ins`` and
    ``outs`` int64 (transfers, 3): neurons, first column, memory number."""

    given: NDArray[np.int16]
    taken: NDArray[np.int32]
    ins: Ints
    outs: Ints
    stack: Ints
    moved: Ints


class Record(NamedTuple):
    """Buffers of the barriers, empty when nothing is recorded: ``pc`` (F,), ``rows`` (F, 3 * neurons),
    ``at`` (W,), ``weights`` (W, words * P * C); ``shape`` (words, P, C)."""

    on: bool
    pc: Ints
    rows: NDArray[np.int32]
    at: Ints
    weights: NDArray[np.int32]
    shape: tuple[int, int, int]


class Tally(NamedTuple):
    """What a run went through: ``visits`` of every address, ``decisions`` of the unarmed EXITs, and
    ``used``: how many decisions, barriers and barriers after an UPD there were."""

    visits: Ints
    decisions: NDArray[np.bool_]
    used: Ints


class Written(NamedTuple):
    """What a run writes, in hashes of uint32: ``values`` (4, neurons) by memory number, ``base`` and ``integral``
    (neurons,), ``weights`` and ``by_source`` as in ``Memory``. ``counts`` (6,): elements written. ``wide``: a base has
    more than 32 bits. All are empty unless ``on``."""

    on: bool
    wide: bool
    values: NDArray[np.uint32]
    base: NDArray[np.uint32]
    integral: NDArray[np.uint32]
    weights: NDArray[np.uint32]
    by_source: NDArray[np.uint32]
    counts: Ints
