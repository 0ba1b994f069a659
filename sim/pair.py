"""The RTL behind the fast shell and the golden machine in step, compared piece by piece."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from golden.session import Session
from golden.trace import Job, Trace
from hebbar.compiler.program import Program
from hebbar.contract.memories import Mem

from .backends import fast
from .checkpoint import MEMORIES, Checkpoint, TrainingState
from .compare import Comparison
from .write_hashes import compared

__all__ = ["Pair", "Piece"]


@dataclass(frozen=True)
class Piece:
    """A ``job`` that both have run, with the weights (words, P, C) that they held before: its traces, compared."""

    job: Job
    golden: Trace
    rtl: Trace
    comparison: Comparison


class Pair:
    """Two machines of one program that keep their memories from one piece to the next."""

    def __init__(self, program: Program, library: Path) -> None:
        self.program = program
        self.rtl, self.golden = fast.Session(program, library), Session(program)

    def load(self, checkpoint: Checkpoint) -> None:
        """Bring both to where a checkpoint was."""
        for side in (self.rtl, self.golden):
            side.load(checkpoint.weights, checkpoint.rows)

    def checkpoint(self, state: TrainingState) -> Checkpoint:
        """Everything both hold now."""
        m = self.program.machine
        shape = m.weight_words, m.row_tiles, m.lanes
        return Checkpoint(state, self.rtl.memory(Mem.WEIGHT).reshape(shape).astype(np.int64),
                          {mem: self.rtl.memory(mem).astype(np.int64) for mem in MEMORIES})

    def run(self, job: Job) -> Piece:
        """Run a piece on both, on the weights that are there. Where hashes of its writes differ, a new machine runs it
        again from what both held before, and tells every write."""
        before = replace(job, weights=self.golden.image.copy())
        rows = {mem: values.copy() for mem, values in self.golden.rows().items()}
        rtl, golden = self.rtl.run(job), self.golden.run(job)
        return Piece(before, golden, rtl, compared(before, golden, rtl, lambda: fast.writes(
            before, self.rtl.library, rows), rows))
