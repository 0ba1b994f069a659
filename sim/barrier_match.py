"""The barriers of a run against those of the golden machine as they come: nothing of the run is kept."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from golden.compiled.machine import Barriers
from golden.trace import Recorder
from hebbar.compiler.program import Program

from .compare import differences, named

__all__ = ["BarrierMatch"]

MEMORIES = ("state", "error", "activity")


class BarrierMatch(Recorder):
    """Takes the place of a recorder where a trace would not fit into memory.

    ``words`` compared, ``wrong`` among them, and ``first``, the first difference in words, "" where there is none.
    ``finish`` counts what the golden machine has and the run did not tell.
    """

    def __init__(self, program: Program, golden: Barriers) -> None:
        super().__init__(program)
        self.words = self.wrong = 0
        self.first = ""
        self._program, self._golden = program, golden
        self._barriers = self._images = 0

    def block(self, pc: Sequence[int] | NDArray[np.integer], rows: NDArray[np.int32],
              weight_barrier: Sequence[int] | NDArray[np.integer], weights: NDArray[np.int32]) -> None:
        """Compare barriers: ``pc`` (F,), ``rows`` (F, 3, neurons), ``weight_barrier`` (W,) counted from the first of
        them, ``weights`` (W, ...)."""
        golden, at = self._golden, self._barriers
        rows = rows.reshape(len(pc), len(MEMORIES), golden.state.shape[1])
        self._compare("pc", golden.pc, np.asarray(pc), at)
        for i, name in enumerate(MEMORIES):
            self._compare(name, getattr(golden, name), rows[:, i], at)
        images = weights.reshape(len(weight_barrier), *golden.weights.shape[1:])
        self._compare("weight barrier", golden.weight_barrier, np.asarray(weight_barrier) + at, self._images)
        self._compare("weights", golden.weights, images, self._images)
        self._barriers, self._images = at + len(pc), self._images + len(images)

    def finish(self) -> None:
        """Count barriers that never came as words that differ."""
        missing = len(self._golden.pc) - self._barriers, len(self._golden.weights) - self._images
        if any(missing):
            self.wrong += sum(max(n, 0) for n in missing)
            self.first = self.first or f"{missing[0]} barriers and {missing[1]} images of weights never came."

    def _compare(self, name: str, golden: NDArray[np.integer], found: NDArray[np.integer], at: int) -> None:
        expected = golden[at:at + len(found)]
        wrong, place = differences(expected, found)
        self.words += found.size
        self.wrong += wrong
        if place is None or self.first:
            return
        if place[0] == len(expected):
            self.first = f"{len(found) - len(expected)} more of {name} than the golden machine has."
            return
        signal = named(self._program, name, place)[1] if name in (*MEMORIES, "weights") else name
        self.first = (f"barrier {at + place[0]} of {name}: {signal} is {int(expected[place])} in the golden model and "
                      f"{int(found[place])} in the RTL.")
