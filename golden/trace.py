"""What a backend reports: every memory at every barrier, outputs and counters."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbar.compiler.barriers import learning_barriers
from hebbar.compiler.program import Program
from hebbar.contract.effects import Resource
from hebbar.contract.errors import BadInput
from hebbar.contract.files import whole

from .archive import read_npz

__all__ = ["Hashes", "Job", "Trace", "Recorder", "Writes"]


@dataclass(frozen=True)
class Job:
    """One run: entry point, weight image (words, P, C), samples by key of their transfer (samples, size).

    ``halvings`` of every alpha; ``steps``: record every barrier, else only outputs and counters;
    ``stall``: probability that the host holds a stream back in a cycle; ``seed`` of those stalls. ``hashes``: keep a
    running hash of what is written to every element, where a backend can.
    """

    program: Program
    entry: str
    weights: NDArray[np.int64]
    samples: dict[str, NDArray[np.int64]]
    halvings: int = 0
    steps: bool = True
    stall: float = 0.0
    seed: int = 0
    hashes: bool = False

    @property
    def count(self) -> int:
        """Samples of the job."""
        return len(next(iter(self.samples.values())))


@dataclass
class Writes:
    """What a run wrote: by memory the number of each element and its value, both (writes,), in the order in which they
    were written; the elements when it had ended; and the ``decisions`` of the unarmed EXITs."""

    places: dict[Resource, tuple[NDArray[np.int64], NDArray[np.int64]]]
    final: dict[Resource, NDArray[np.int64]]
    decisions: list[bool]


@dataclass
class Hashes:
    """What a run wrote, in short: by memory the running hash of every element (uint32, ``hebbar.contract.write_hash``)
    and how many elements were written; and the ``decisions`` of the unarmed EXITs."""

    elements: dict[Resource, NDArray[np.uint32]]
    counts: dict[Resource, int]
    decisions: list[bool]


@dataclass
class Trace:
    """Arrays over the barriers F of a run.

    ``pc`` (F,); ``state``, ``error``, ``activity`` (F, neurons); ``weights`` (W, words, P, C), one
    for each barrier that follows an update, whose numbers are in ``weight_barrier`` (W,); ``final``
    the weight image at the end; ``outputs`` by key of their transfer; ``counters`` by name. ``decisions`` of
    the unarmed EXITs in their order, True where one left its loop; the golden machine alone tells them. ``writes`` are
    told by Amaranth's simulator, ``hashes`` by the fast shell and the golden machine; neither is in a file.
    """

    pc: NDArray[np.int64]
    state: NDArray[np.int32]
    error: NDArray[np.int32]
    activity: NDArray[np.int32]
    weight_barrier: NDArray[np.int64]
    weights: NDArray[np.int32]
    final: NDArray[np.int32]
    outputs: dict[str, NDArray[np.int64]]
    counters: dict[str, int]
    decisions: NDArray[np.bool_] = field(default_factory=lambda: np.empty(0, np.bool_))
    writes: Writes | None = None
    hashes: Hashes | None = None

    def save(self, path: Path, meta: dict[str, Any] | None = None) -> None:
        """Write one .npz file; ``meta`` (JSON) says what was run."""
        arrays: dict[str, Any] = {"meta": np.array(json.dumps(meta or {}))}
        arrays |= {n: getattr(self, n) for n in _ARRAYS}
        arrays |= {f"output_{n}": v for n, v in self.outputs.items()}
        arrays |= {f"counter_{n}": np.int64(v) for n, v in self.counters.items()}
        with whole(path) as partial, open(partial, "wb") as file:  # given a name, NumPy would append .npz to it
            np.savez(file, **arrays)

    @classmethod
    def load(cls, path: Path) -> tuple["Trace", dict[str, Any]]:
        """Read what ``save`` wrote: the trace and its meta data. Raises BadInput for any other file."""
        data = read_npz(path, "trace", WRITTEN, MOST_TRACE)
        try:
            return cls(
                **{n: data[n] for n in _ARRAYS},  # type: ignore[arg-type]
                outputs={n[7:]: v for n, v in data.items() if n.startswith("output_")},
                counters={n[8:]: int(v) for n, v in data.items() if n.startswith("counter_")},
            ), json.loads(str(data["meta"]))
        except (KeyError, ValueError, TypeError, RecursionError) as error:
            raise BadInput(f"{path} is not a readable trace ({error}); {WRITTEN}.") from None


MOST_TRACE = 1 << 36
"""Bytes of a trace that is read back."""
WRITTEN = "write one with hebbar simulate"
_ARRAYS = ("pc", "state", "error", "activity", "weight_barrier", "weights", "final", "decisions")


class Recorder:
    """Collects the barriers of a run, one by one or in blocks, then makes the trace."""

    def __init__(self, program: Program) -> None:
        m = program.machine
        self._learning = learning_barriers(program)
        self._count = 0
        self._pc: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
        self._rows: list[NDArray[np.int32]] = [np.empty((0, 3, m.neuron_words * m.lanes), np.int32)]
        self._weight_barrier: list[NDArray[np.int64]] = [np.empty(0, np.int64)]
        self._weights = [np.empty((0, m.weight_words, m.row_tiles, m.lanes), np.int32)]

    def barrier(self, pc: int, rows: Callable[[], ArrayLike], weights: Callable[[], ArrayLike]) -> None:
        """Record a barrier; ``rows()`` gives state, error, activity and ``weights()`` the image."""
        learned = [0] if pc in self._learning else []
        self.block([pc], np.array([rows()], np.int32), learned, np.array([weights() for _ in learned], np.int32))

    def block(self, pc: Sequence[int] | NDArray[np.integer], rows: NDArray[np.int32],
              weight_barrier: Sequence[int] | NDArray[np.integer], weights: NDArray[np.int32]) -> None:
        """Record many barriers: ``pc`` (F,), ``rows`` (F, 3, neurons), ``weight_barrier`` (W,) counted
        from the first of them, ``weights`` (W, ...)."""
        self._pc.append(np.array(pc, np.int64))
        self._rows.append(rows.reshape(len(pc), *self._rows[0].shape[1:]).copy())
        self._weight_barrier.append(np.array(weight_barrier, np.int64) + self._count)
        self._weights.append(weights.reshape(len(weight_barrier), *self._weights[0].shape[1:]).copy())
        self._count += len(pc)

    def trace(self, final: ArrayLike, outputs: dict[str, Any], counters: dict[str, int],
              decisions: Sequence[bool] = (), hashes: Hashes | None = None) -> Trace:
        """Everything recorded, as arrays."""
        rows = np.concatenate(self._rows)
        return Trace(
            pc=np.concatenate(self._pc), state=rows[:, 0], error=rows[:, 1], activity=rows[:, 2],
            weight_barrier=np.concatenate(self._weight_barrier), weights=np.concatenate(self._weights),
            final=np.array(final, np.int32).reshape(self._weights[0].shape[1:]), outputs=outputs,
            counters=counters, decisions=np.array(decisions, np.bool_), hashes=hashes)
