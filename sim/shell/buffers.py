"""What a run of the fast shell reads and writes: NumPy buffers that C++ fills."""

import numpy as np
from numpy.typing import NDArray

from golden.trace import Recorder
from hebbar.compiler.barriers import learning_barriers
from hebbar.compiler.program import Program
from hebbar.contract.isa import Op, decode
from hebbar.contract.memories import Mem

from .library import Run

__all__ = ["Buffers", "joined", "marks_of"]

BUFFER_BYTES = 1 << 25
OUTPUT_BEATS = 1 << 16
LEARNED, HALTS = 1, 2


class Buffers:
    """What a run writes into: output beats, and barriers as far as they are recorded."""

    def __init__(self, sizes: dict[Mem, int], record: bool) -> None:
        neurons, weights = sizes[Mem.STATE], sizes[Mem.WEIGHT]
        barriers, images = (max(64, BUFFER_BYTES // (12 * neurons)), max(8, BUFFER_BYTES // (4 * weights))) \
            if record else (0, 0)
        self._out, self._out_last = np.empty(OUTPUT_BEATS, np.uint32), np.empty(OUTPUT_BEATS, np.uint8)
        self._pc, self._rows = np.empty(barriers, np.int32), np.empty((barriers, 3, neurons), np.int32)
        self._weight_barrier, self._weights = np.empty(images, np.int64), np.empty((images, weights), np.int32)

    def run(self, beats: NDArray[np.uint32], last: NDArray[np.uint8], marks: NDArray[np.uint8]) -> Run:
        """The structure that points at these buffers."""
        self._keep = beats, last, marks
        return Run(input=beats.ctypes.data, input_last=last.ctypes.data, input_count=len(beats),
                   output=self._out.ctypes.data, output_last=self._out_last.ctypes.data,
                   output_capacity=len(self._out), marks=marks.ctypes.data, pc=self._pc.ctypes.data,
                   rows=self._rows.ctypes.data, barrier_capacity=len(self._pc),
                   weight_barrier=self._weight_barrier.ctypes.data, weights=self._weights.ctypes.data,
                   weight_capacity=len(self._weights))

    def packets(self, run: Run, partial: list[int]) -> list[list[int]]:
        """Whole packets that have left; an unfinished one stays in ``partial``."""
        found = []
        for beat, last in zip(self._out[:run.output_count].tolist(), self._out_last[:run.output_count].tolist()):
            partial.append(beat)
            if last:
                found.append(partial.copy())
                partial.clear()
        run.output_count = 0
        return found

    def record(self, run: Run, recorder: Recorder) -> None:
        """Hand the barriers over and make room."""
        barriers, images = run.barrier_count, run.weight_count
        recorder.block(self._pc[:barriers], self._rows[:barriers], self._weight_barrier[:images],
                       self._weights[:images])
        run.barrier_count = run.weight_count = 0


def joined(packets: list[NDArray[np.uint32]]) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
    """Beats of all packets and where each ends."""
    beats = np.concatenate([np.empty(0, np.uint32), *packets])
    last = np.zeros(len(beats), np.uint8)
    last[np.cumsum([len(p) for p in packets], dtype=np.int64) - 1] = 1
    return beats, last


def marks_of(program: Program) -> NDArray[np.uint8]:
    """What a barrier at each address means, for all addresses a barrier can name."""
    marks = np.zeros(1 << 13, np.uint8)
    marks[list(learning_barriers(program))] |= LEARNED
    marks[[i for i, word in enumerate(program.words) if decode(word).op is Op.HALT]] |= HALTS
    return marks
