"""Where a long training stands, in one file that is always whole."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.archive import HASH, digest, read_npz
from golden.learning.health import KINDS, clipped
from hebbar.compiler.program import Program
from hebbar.contract.errors import BadInput
from hebbar.contract.files import whole
from hebbar.contract.memories import Mem
from hebbar.contract.registers import build

from .compare import Comparison

__all__ = ["MEMORIES", "TrainingState", "Checkpoint", "fingerprint"]

MEMORIES = (Mem.STATE, Mem.ERROR, Mem.ACTIVITY)
NAME = "checkpoint.npz"


@dataclass
class TrainingState:
    """How far a training is: the next chunk of the current epoch, and all that was counted so far.

    ``answers`` in codes by population, to the questions that this epoch's training was followed by so far; ``accuracy``
    (or what else the task measures) after each epoch that was; ``samples`` of an epoch, ``data``: a hash of what is
    learnt and asked, ``writes``: whether every write is compared; ``words`` and ``mismatches`` by signal; ``counters``
    of the training chunks on the RTL; ``clipped``: its saturations in each finished epoch, by
    ``golden.learning.health.KINDS``.
    """

    epoch: int = 0
    chunk: int = 0
    samples: int = 0
    data: str = ""
    writes: bool = False
    accuracy: list[float] = field(default_factory=list)
    words: dict[str, int] = field(default_factory=dict)
    mismatches: dict[str, int] = field(default_factory=dict)
    counters: dict[str, int] = field(default_factory=dict)
    clipped: list[dict[str, int]] = field(default_factory=list)
    answers: dict[str, list[list[int]]] = field(default_factory=dict)

    def answer(self, outputs: Mapping[str, NDArray[np.int64]]) -> None:
        """Keep the answers of one chunk."""
        for name, codes in outputs.items():
            self.answers.setdefault(name, []).extend(codes.tolist())

    def add(self, comparison: Comparison) -> None:
        """Count one chunk's comparison."""
        for mine, theirs in ((self.words, comparison.words), (self.mismatches, comparison.mismatches)):
            for name, number in theirs.items():
                mine[name] = mine.get(name, 0) + number

    def count(self, counters: dict[str, int]) -> None:
        """Add one chunk's counters."""
        for name, number in counters.items():
            self.counters[name] = self.counters.get(name, 0) + number

    def end_epoch(self) -> None:
        """Keep what this epoch clipped: the counts so far less those of the epochs before."""
        before = {kind: sum(epoch[kind] for epoch in self.clipped) for kind in KINDS}
        self.clipped.append({kind: count - before[kind] for kind, count in clipped(self.counters).items()})


@dataclass(frozen=True)
class Checkpoint:
    """A state with everything the machine holds: weights (words, P, C) and MEMORIES by element."""

    state: TrainingState
    weights: NDArray[np.int64]
    rows: dict[Mem, NDArray[np.int64]]

    def save(self, folder: Path, program: Program) -> None:
        """Write the file; a kill at any moment leaves the old one or the new one."""
        arrays: dict[str, Any] = {
            "key": np.array(_key(program)), "build": np.array(build(program.machine)),
            "state": np.array(json.dumps(asdict(self.state))),
            "weights": self.weights} | {mem.name: values for mem, values in self.rows.items()}
        with whole(folder / NAME) as partial, open(partial, "wb") as file:
            np.savez(file, **arrays | {HASH: np.array(digest(arrays, {}))})

    @staticmethod
    def exists(folder: Path) -> bool:
        """True when a training in ``folder`` has not ended."""
        return (folder / NAME).exists()

    @classmethod
    def load(cls, folder: Path, program: Program, begun: TrainingState | None = None) -> "Checkpoint":
        """Read the file. Raises BadInput when it is of another configuration, damaged or not readable; and where
        ``begun``, the state that a training begins in, is of other samples, data or comparisons."""
        path, cure = folder / NAME, "start again with --restart"
        data = read_npz(path, "checkpoint", cure)
        if str(data.pop(HASH, "")) != digest(data, {}):
            raise BadInput(f"{path} holds other numbers than the hash in it says; it was damaged or is of an older "
                           f"Hebbar, {cure}.")
        made = int(data.pop("build", 0))
        if set(data) != {"key", "state", "weights", *(mem.name for mem in MEMORIES)}:
            raise BadInput(f"{path} is no checkpoint of a training; {cure}.")
        key, state = str(data["key"]), json.loads(str(data["state"]))
        weights, rows = data["weights"], {mem: data[mem.name] for mem in MEMORIES}
        if made != build(program.machine):
            raise BadInput(f"{path} is of another build of the machine, 0x{made:08x} and not "
                           f"0x{build(program.machine):08x}: another machine, timing or register map; use its "
                           "configuration and its Hebbar, or start again with --restart.")
        if key != _key(program):
            raise BadInput(f"{path} belongs to another configuration; use its configuration, or start again "
                           "with --restart.")
        found = TrainingState(**state)
        if begun is not None:
            _check_same(path, found, begun)
        return cls(found, weights, rows)

    @staticmethod
    def remove(folder: Path) -> None:
        """The training has ended."""
        (folder / NAME).unlink(missing_ok=True)


def fingerprint(state: TrainingState, weights: NDArray[np.int64]) -> str:
    """SHA-256 over the final weights, the accuracies and every count: equal only for equal runs."""
    record = json.dumps([state.accuracy, state.words, state.mismatches, state.counters], sort_keys=True)
    return hashlib.sha256(np.asarray(weights, "<i4").tobytes() + record.encode()).hexdigest()


def _check_same(path: Path, found: TrainingState, begun: TrainingState) -> None:
    """Raise BadInput unless the training that was stopped is the one that begins."""
    if found.samples != begun.samples:
        raise BadInput(f"{path} has {found.samples} samples an epoch and this training {begun.samples}; leave --quick "
                       "as it was, or start again with --restart.")
    if found.data != begun.data:
        raise BadInput(f"{path} is of a training on other data; bring back the samples it began with, or start again "
                       "with --restart.")
    if found.writes != begun.writes:
        raise BadInput(f"{path} is of a training {'with' if found.writes else 'without'} --writes; leave --writes as "
                       "it was, or start again with --restart.")


def _key(program: Program) -> str:
    """A hash over the configuration and the compiled program."""
    text = program.config.model_dump_json() + repr((program.words, program.blocks, program.maps))
    return hashlib.sha256(text.encode()).hexdigest()
