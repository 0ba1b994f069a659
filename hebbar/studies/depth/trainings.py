"""Trainings of the preset ``deep`` on the compiled golden machine, each kept and found again."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.compiled import CompiledMachine
from golden.learning.datasets import Dataset, Samples
from golden.learning.training import codes
from golden.session import initial_image
from hebbar.compiler.config import Config
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.files import write_json

from ..parts import ROOT
from .deep_net import deep, divided, precision

__all__ = ["GRID", "Asked", "Training", "best", "key_of", "measured", "once", "order", "taught",
           "trained"]

GRID = (-2, -1, 0, 1, 2)
"""How often every alpha of the preset is halved, the same grid for every rule; -1: doubled."""
MOST_WORDS = 4096
"""Program words of a machine whose rule is unrolled in phases."""
COMPANIONS = {"program_words": 4096, "blocks": 1024, "map_entries": 4096, "neuron_words": 512}
"""The memories of a machine whose rule gives every hidden neuron companions."""


NEUTRAL = {"tolerance": 0, "beta": 369, "constant": 64}
"""Codes that a program has where its configuration says nothing: it never leaves early, an inverse temperature of 1
(log2(e) in 8 fraction bits), an activity of 1 in 6 fraction bits."""


@dataclass(frozen=True)
class Asked:
    """Which net learns by which ``rule``: ``halvings`` of every alpha, ``seed`` of weights and of the order of samples,
    ``layers`` of weights, how many ``samples``, one by one, in how many ``steps`` each, 0: two a layer, ``options`` of
    the rule by name, and ``frac``, the fraction bits of the neurons, 0: those of the preset (``precision``)."""

    rule: str
    halvings: int
    seed: int
    layers: int
    samples: int
    steps: int = 0
    options: tuple[tuple[str, float], ...] = ()
    frac: int = 0

    def config(self, images: Path | None) -> Config:
        """The net, its rule and its machine."""
        net = deep(images, self.rule, self.halvings, self.seed, self.layers)
        net = net.replace(**precision(self.frac)) if self.frac else net
        rule: dict[str, Any] = {"options": dict(self.options)} | ({"steps": self.steps} if self.steps else {})
        more: dict[str, int] = {"program_words": MOST_WORDS} if self.options else {}
        return net.replace(rule=rule, machine=COMPANIONS if self.rule == "il_nesterov" else more)

    @property
    def name(self) -> str:
        """A name for its record."""
        fields = (self.rule, self.halvings, self.seed, self.layers, self.samples, self.steps)
        more = [*(f"{key}{value}" for key, value in self.options), *([f"frac{self.frac}"] if self.frac else [])]
        return "_".join(map(str, (*fields, *more)))


@dataclass(frozen=True)
class Training:
    """Accuracy, 0 to 1, on the 5,000 images to choose rates on and on the test set; ``clipped``: states that were."""

    asked: Asked
    validation: float
    test: float
    clipped: int


def order(seed: int, count: int) -> NDArray[np.int64]:
    """The order of ``count`` samples."""
    return np.random.default_rng(1000 + seed).permutation(count)


def trained(asked: Asked, images: Path | None, folder: Path | None = None) -> Training:
    """One training, from its record in ``folder`` where that is of the same machine, program, weights and samples."""
    config = asked.config(images)
    program, both = compile_config(config), divided(config)
    first = both[0].train
    image, rows = initial_image(program), order(asked.seed, len(first))[:asked.samples]
    given = codes(program, first.take(rows), True)
    kept = once(_record(folder, asked), key_of(program, image, given),
                lambda: {"asked": asdict(asked)} | taught(program, image, given, both))
    return Training(asked, kept["validation"], kept["test"], kept["clipped"])


def taught(program: Program, image: NDArray[np.int64], given: Mapping[str, NDArray[np.int64]],
           both: tuple[Dataset, Dataset]) -> dict[str, Any]:
    """What is right of the samples to choose on, ``validation``, and of the test set, ``test``, 0 to 1, after a
    training from a weight image on samples in codes, and how many states were ``clipped`` in it."""
    machine = CompiledMachine(program)
    machine.load(image)
    machine.run("train", given)
    clipped = machine.counters["sat_state"]
    validation, test = (_right(machine, program, part.test) for part in both)
    return {"validation": validation, "test": test, "clipped": clipped}


def _right(machine: CompiledMachine, program: Program, part: Samples) -> float:
    """The share of right answers, 0 to 1."""
    (answers,) = machine.run("predict", codes(program, part, False)).values()
    return float((answers.argmax(1) == part.labels).mean())


def measured(asked: Sequence[Asked], folder: Path, images: Path | None, reporter: Reporter) -> list[Training]:
    """All trainings, in their order."""
    found: list[Training] = []
    with reporter.task("trainings", len(asked)) as task:
        for each in asked:
            found.append(trained(each, images, folder))
            task.advance(len(found), f"{each.rule}, {each.layers} layers, {100 * found[-1].validation:.2f} %")
    return found


def best(trainings: Sequence[Training]) -> dict[str, list[Training]]:
    """The trainings of every rule, a seed each, at the rate, and in as many steps, whose mean over the seeds is best on
    the images to choose on."""
    groups: dict[str, dict[tuple[int, int], list[Training]]] = {}
    for each in trainings:
        groups.setdefault(each.asked.rule, {}).setdefault((each.asked.halvings, each.asked.steps), []).append(each)
    return {rule: max(rates.values(), key=lambda runs: np.mean([run.validation for run in runs]))
            for rule, rates in groups.items()}


def _record(folder: Path | None, asked: Asked) -> Path | None:
    return folder / f"{asked.name}.json" if folder else None


def once(record: Path | None, key: str, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a record holds, where there is one of this key; else what ``make`` gives, which is then recorded."""
    if record and record.exists():
        kept: dict[str, Any] = json.loads(record.read_text(encoding="utf-8"))
        if kept["key"] == key:
            return kept
    made = {"key": key, **make()}
    if record:
        write_json(record, made)
    return made


def key_of(program: Program, image: NDArray[np.int64], given: Mapping[str, NDArray[np.int64]], more: str = "") -> str:
    """A hash of all that the bits of a training depend on: the golden machine, the program, weights and samples, and
    ``more``, such as the Verilog that they are compared with."""
    digest = hashlib.sha256((_machine() + more).encode())
    machine = program.machine.model_dump(mode="json", exclude={"neuron_rows"})  # of which no bit depends
    what: list[Any] = [program.words, program.blocks, program.maps, program.functions, program.derivatives,
                       program.rates, program.gains, machine, *_settings(program)]
    digest.update(json.dumps(what, sort_keys=True).encode())
    for array in (image, *given.values()):
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _settings(program: Program) -> list[dict[str, Any]]:
    """Tolerance, inverse temperature and constants, where a program has others than NEUTRAL: keys of trainings without
    them are what they were before these counted."""
    found: dict[str, Any] = {name: getattr(program, name) for name in ("tolerance", "beta")
                             if getattr(program, name) != NEUTRAL[name]}
    if constants := {name: code for name, code in program.constants.items() if code != NEUTRAL["constant"]}:
        found["constants"] = constants
    return [found] if found else []


@lru_cache
def _machine() -> str:
    """A hash of the sources of the golden machine; its float references, data and weights come in by what they make."""
    paths = sorted([*(ROOT / "golden").glob("*.py"), *(ROOT / "golden" / "compiled").glob("*.py")])
    return hashlib.sha256(b"\0".join(path.name.encode() + b"\0" + path.read_bytes() for path in paths)).hexdigest()
