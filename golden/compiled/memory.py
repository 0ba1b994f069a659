"""The memories of a golden machine in the types of the compiled code, and room for what it works on."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbar.contract.errors import BadInput
from hebbar.contract.registers import MAX_RATE

from ..fixed import Ints
from ..machine import Machine
from .arrays import PADDED, SPAN, Memory, Tables
from .vectors import WIDTH

__all__ = ["memory_of"]


def memory_of(machine: Machine, tables: Tables) -> Memory:
    """The memories of ``machine`` as they are; raises BadInput for codes out of range."""
    m, f = machine, machine.config.formats
    image = np.zeros((0, 1, 1), np.int64) if m.config.kind.macro else m.weights  # else conductances of ``crossbar``
    for name, given, format in (("weights", image, f.weight), ("state", m.state, f.state),
                                ("error", m.error, f.error), ("activity", m.activity, f.activity)):
        _check(name, given, format.lo, format.hi)
    _check("rates", m.rates, 0, MAX_RATE)
    kind: Any = np.int16 if f.weight.bits <= 16 else np.int32
    weights = np.zeros(image.size + WIDTH, kind)
    weights[:image.size] = image.transpose(1, 0, 2).reshape(-1)
    return Memory(
        weights=weights, values=np.array([m.activity, m.state, m.error, m.clamp]).astype(np.int32),
        base=m.base.copy(), back=m.back.copy(), integral=m.integral.copy(),
        **_scratch(tables, m.config.lanes, kind), rates=m.rates.copy(),
        clipped=np.zeros(4, np.int64), energy=np.zeros(2, np.int64))


def _scratch(tables: Tables, lanes: int, kind: Any) -> dict[str, NDArray[Any]]:
    """Weights of ``kind`` by source, lists and scratch; vectors may reach beyond what a sweep needs."""
    panels, spans, listed = tables.panels, tables.blocks[:, SPAN], tables.lists[:, 1]
    rows, span, sources, width = (int(sizes.max(initial=0)) for sizes in (
        tables.blocks[:, PADDED], spans, listed, panels[:, -1]))
    held = int((panels[:, 0] + panels[:, -1] * lanes).max(initial=0))
    sizes: dict[str, tuple[Any, Any]] = {
        "by_source": (held, kind), "live": (listed.sum(), np.int64), "level": (listed.sum(), np.int16),
        "raw": (spans.sum(), np.int16), "aligned": (spans.sum(), np.int16), "lifted": (max(span, width), np.int16),
        "factors": (max(rows, sources, width), np.int16), "narrow": (max(span, width), np.int32),
        "wide": (span, np.int64), "sums": (rows, np.int64), "mu": (rows, np.int64), "rounded": (rows, np.int32),
        "slopes": (rows, np.int32), "operand": (rows, np.int32)}
    return {"listed": np.full((len(listed), 2), -1, np.int64)} | {
        name: np.zeros(size + 2 * WIDTH, of) for name, (size, of) in sizes.items()}


def _check(name: str, values: Ints, lo: int, hi: int) -> None:
    if values.size and not lo <= values.min() <= values.max() <= hi:
        raise BadInput(f"{name} reach {values.min()}..{values.max()}; their codes go from {lo} to {hi}.")
