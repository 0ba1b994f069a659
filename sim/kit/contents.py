"""What a chip is sent to run a program, and what it must answer: every section of a kit, as 32-bit words.

The words come from ``sim.packets``, which the host driver uses too. Expected answers and weights come from the golden
machine.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.learning.tasks import LearningTask, task_of
from golden.learning.weights import load_image
from golden.session import Session, initial_image
from golden.trace import Job
from hebbar.compiler.config import Config
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.errors import BadInput
from hebbar.contract.geometry import ports
from hebbar.contract.memories import Mem
from hebbar.contract.registers import REGISTERS

from ..packets import beats, clamp_packet, load_packets, packets, rates, read_packet, settings, transfer_beats

__all__ = ["Kit", "Part", "Section", "contents"]

Words = NDArray[np.uint32]


@dataclass(frozen=True)
class Section:
    """Named 32-bit words (rows, words a row); ``meaning`` is a sentence for the manifest."""

    name: str
    words: Words
    meaning: str


@dataclass(frozen=True)
class Part:
    """One run of a kit's check: an entry, its samples (samples, beats) and the answers to them (samples, beats).

    ``mask`` (1, beats): the bits of an answer that mean something.
    """

    entry: str
    samples: Words
    answers: Words
    mask: Words


@dataclass(frozen=True)
class Kit:
    """Everything that is sent, in the order in which it is sent.

    ``load``: a packet for each memory. ``settings`` and ``rates``: values by name of the register. ``clamps``: a packet
    for each entry. ``parts``: first the training samples, if the machine learns, then what the machine is asked with
    the weights that it has learned; empty where there is nothing to check. ``learned``: the beats of the weight memory
    after the training. ``missing`` says why there are no parts.
    """

    program: Program
    load: dict[Mem, list[int]]
    settings: dict[str, int]
    rates: dict[str, int]
    clamps: dict[str, list[int]]
    read_weights: list[int]
    parts: tuple[Part, ...]
    learned: list[int]
    missing: str = ""

    def sections(self) -> Iterator[Section]:
        """Every section in the order of the manifest."""
        for memory, packet in self.load.items():
            yield _section(f"load_{memory.name.lower()}", packet, f"the packet that writes the memory {memory.name}")
        yield _section("settings", _pairs(self.settings), "pairs of register offset and value, written after memories")
        yield _section("rates", _pairs(self.rates), "the same for the learning rates; one more halves a rate")
        for entry, packet in self.clamps.items():
            yield _section(f"clamp_{entry}", packet, f"the packet with the clamp masks, sent before entry {entry}")
        yield _section("read_weights", self.read_weights, "the packet that asks for the weight memory")
        for part in self.parts:
            yield Section(f"samples_{part.entry}", part.samples, f"one packet a sample of entry {part.entry}")
            if part.answers.size:
                yield Section(f"answers_{part.entry}", part.answers, "the output packet of every one of these samples")
                yield Section(f"mask_{part.entry}", part.mask, "the bits of an answer that mean something, the same "
                                                               "for every sample")
        if self.parts:
            yield _section("learned", self.learned, "beats of the weight memory after the training samples")


def _section(name: str, words: list[int], meaning: str) -> Section:
    return Section(name, np.array([words], np.uint32), meaning)


def _pairs(values: dict[str, int]) -> list[int]:
    return [word for register, value in values.items() for word in (REGISTERS[register].address, value)]


def contents(config: Config, samples: int, weights: Path | None = None) -> Kit:
    """The kit of a configuration with ``samples`` training samples, fewer where the task has fewer; of a machine that
    does not learn with so many questions. ``weights``: a file of weights by edge in place of the first ones.

    Where the data of the task are not there, or a macro of devices decides the answers, the kit has no samples.
    """
    program = compile_config(config)
    try:
        task, missing = task_of(program), ""
        image = task.image()
    except BadInput as error:  # of the data alone: the configuration has been compiled
        task, missing = None, str(error)
        image = initial_image(program)
    if weights:
        image = load_image(program.layout, weights)
    if program.machine.kind.macro:
        task, missing = None, "the devices of the analog macro decide the answers"
    parts, learned = _checked(program, task, image, samples) if task and samples else ((), image)
    return Kit(program, load_packets(program, image), settings(program), rates(program),
               {entry: clamp_packet(program, entry) for entry in program.entries}, read_packet(program, Mem.WEIGHT),
               parts, beats(learned, ports(program.machine)[Mem.WEIGHT]), missing)


def _checked(program: Program, task: LearningTask, image: NDArray[np.int64],
             samples: int) -> tuple[tuple[Part, ...], NDArray[np.int64]]:
    """Training samples, where the machine learns, and questions with the golden machine's answers, and the weights that
    these are asked with."""
    session = Session(program, image, "numpy")
    asked = task.codes(task.entry, min(samples, task.asked))
    if "train" not in program.entries:
        return (_part(session, task.entry, asked, image),), image
    order = task.order(0)[:samples]
    trained = _part(session, "train", task.codes("train", rows=order), image)
    learned = session.read_weights().copy()
    return (trained, _part(session, task.entry, asked, learned)), learned


def _part(session: Session, entry: str, codes: dict[str, NDArray[np.int64]], weights: NDArray[np.int64]) -> Part:
    program = session.program
    outputs = session.run(Job(program, entry, weights, codes, steps=False)).outputs
    table, transfers = ports(program.machine), program.outputs[entry]
    count, width = len(next(iter(codes.values()))), sum(transfer_beats(program, transfers).values())
    rows = [[beat for t in transfers for beat in beats(outputs[t.key][i], table[t.memory])] for i in range(count)]
    ones = [beat for t in transfers for beat in beats(-np.ones(t.population.size, np.int64), table[t.memory])]
    return Part(entry, packets(program, entry, codes), np.array(rows, np.uint32).reshape(count, width),
                np.array([ones], np.uint32))
