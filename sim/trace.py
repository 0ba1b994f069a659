"""What a backend reports: every memory at every fence, outputs and counters."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hebbar.compiler import Program
from hebbar.isa import Op, Sweep, decode

__all__ = ["Job", "Trace", "Recorder", "learning_fences"]


@dataclass(frozen=True)
class Job:
    """One run: entry point, weight image (words, P, C), samples by population (samples, size).

    ``halvings`` of every alpha; ``steps``: record every fence, else only outputs and counters;
    ``stall``: probability that the host holds a stream back in a cycle; ``seed`` of those stalls.
    """

    program: Program
    entry: str
    weights: NDArray[np.int64]
    samples: dict[str, NDArray[np.int64]]
    halvings: int = 0
    steps: bool = True
    stall: float = 0.0
    seed: int = 0


@dataclass
class Trace:
    """Arrays over the fences F of a run.

    ``pc`` (F,); ``state``, ``error``, ``activity`` (F, neurons); ``weights`` (W, words, P, C), one
    for each fence that follows an update, whose numbers are in ``weight_fence`` (W,); ``final``
    the weight image at the end; ``outputs`` by population; ``counters`` by name.
    """

    pc: NDArray[np.int64]
    state: NDArray[np.int32]
    error: NDArray[np.int32]
    activity: NDArray[np.int32]
    weight_fence: NDArray[np.int64]
    weights: NDArray[np.int32]
    final: NDArray[np.int32]
    outputs: dict[str, NDArray[np.int64]]
    counters: dict[str, int]

    def save(self, path: Path, meta: dict | None = None) -> None:
        """Write one .npz file; ``meta`` (JSON) says what was run."""
        arrays = {"meta": np.array(json.dumps(meta or {}))}
        arrays |= {n: getattr(self, n) for n in _ARRAYS}
        arrays |= {f"output_{n}": v for n, v in self.outputs.items()}
        arrays |= {f"counter_{n}": np.int64(v) for n, v in self.counters.items()}
        partial = path.with_suffix(".partial.npz")
        np.savez(partial, **arrays)
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> tuple["Trace", dict]:
        """Read what ``save`` wrote: the trace and its meta data."""
        with np.load(path) as data:
            meta = json.loads(str(data["meta"]))
            return cls(
                **{n: data[n] for n in _ARRAYS},
                outputs={n[7:]: data[n] for n in data.files if n.startswith("output_")},
                counters={n[8:]: int(data[n]) for n in data.files if n.startswith("counter_")}), meta


_ARRAYS = ("pc", "state", "error", "activity", "weight_fence", "weights", "final")


def learning_fences(program: Program) -> frozenset[int]:
    """Addresses of WAITs and HALTs that some UPD sweep may precede without a fence between."""
    found, learning = set(), False
    for address, word in enumerate(program.words):
        instruction = decode(word)
        if instruction.op is Op.SWEEP:
            learning |= bool(Sweep(instruction.fields["flags"]) & Sweep.UPD)
        elif instruction.op in (Op.WAIT, Op.HALT):
            if learning:
                found.add(address)
            learning = False
    return frozenset(found)


@dataclass
class Recorder:
    """Collects fences while a backend runs, then makes the trace."""

    program: Program
    pc: list = field(default_factory=list)
    rows: list = field(default_factory=list)
    weight_fence: list = field(default_factory=list)
    weights: list = field(default_factory=list)

    def __post_init__(self) -> None:
        self._learning = learning_fences(self.program)

    def fence(self, pc: int, rows, weights) -> None:
        """Record a fence; ``rows()`` gives state, error, activity and ``weights()`` the image."""
        if pc in self._learning:
            self.weight_fence.append(len(self.pc))
            self.weights.append(np.array(weights(), np.int32))
        self.pc.append(pc)
        self.rows.append(np.array(rows(), np.int32))

    def trace(self, final, outputs: dict, counters: dict[str, int]) -> Trace:
        """Everything recorded, as arrays."""
        m = self.program.machine
        rows = np.array(self.rows, np.int32).reshape(-1, 3, m.neuron_words * m.lanes)
        weights = np.array(self.weights, np.int32).reshape(
            -1, m.weight_words, m.row_tiles, m.lanes)
        return Trace(
            pc=np.array(self.pc, np.int64), state=rows[:, 0], error=rows[:, 1],
            activity=rows[:, 2], weight_fence=np.array(self.weight_fence, np.int64),
            weights=weights, final=np.array(final, np.int32), outputs=outputs, counters=counters)
