"""STOP, the watchdog and faults in every cycle of a run, with packets under way on both streams.

Behind its samples the host goes on sending packets that load every memory, and never takes notice of the halt; the
consumer takes beats always, sometimes or not at all. After recovery (STOP, drain, CLEAR) what only the host writes must
be as it was loaded, the neurons no program uses zero, and the next run what the golden machine says. The rules of both
buses are checked in every cycle (``checked_bus.hpp``).
"""

import ctypes
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from golden.trace import Job
from hebbar.compiler.config import load
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.files import output_folder
from hebbar.contract.geometry import ports
from hebbar.contract.isa import Op, decode, encode
from hebbar.contract.memories import Mem
from hebbar.contract.registers import REGISTERS, Control
from hebbar.contract.results import Figure
from sim import packets as packing
from sim.backends import golden, verilator
from sim.defects import Defect
from sim.shell.host import finish
from sim.shell.library import link

from . import random_bus
from .tape import Tape, two_samples

__all__ = ["Abort", "Aborts", "cases", "measure"]

_U32, _U64, _POINTER = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_void_p
NEVER = 0xFFFFFFFF
POISON = 0x11111111
CONSUMERS = (1.0, 0.3, 0.0)


class _Case(ctypes.Structure):
    """Twin of ``struct Abort`` in aborts.cpp."""

    _fields_ = [("data", _POINTER), ("last", _POINTER), ("length", _U64), ("flood", _POINTER), ("flood_last", _POINTER),
                ("flood_length", _U64), ("address", _U32), ("word", _U32), ("cycle", _U32), ("out", ctypes.c_double)]


@dataclass(frozen=True)
class Abort:
    """``kind`` of an abort, the cycle after START or the place in program or samples ``at`` which it comes, and the
    probability ``out`` with which the consumer takes a beat."""

    kind: str
    at: int
    out: float


class Aborts(random_bus.Traffic):
    """The machine with a prediction of two samples on it, aborted and recovered from."""

    def __init__(self, program: Program, folder: Path, defect: Defect | None = None) -> None:
        self.job = random_bus.jobs(program)[1]
        super().__init__(program, [self.job], folder, seed=1, defect=defect)
        self._call = _linked(program, folder, defect).aborts_case
        self._call.restype, self._call.argtypes = ctypes.c_char_p, (_POINTER, _POINTER)
        self._next = two_samples(program, self.job.weights, [self.job])
        self._beats = packing.packets(program, self.job.entry, self.job.samples)
        self._flood = _joined(_poison(program))

    def wrong(self, abort: Abort) -> str:
        """What is wrong after an abort, or an empty string."""
        before, program = self.report(), _broken(self.program, self.job.entry, abort)
        self.reset()
        if not self.play(_started(program, self.job)):
            return "the machine cannot be loaded"
        data, last = _joined(list(self._beats))
        if abort.kind == "TLAST":
            last[abort.at] ^= 1
        name, word = {"STOP": ("control", Control.STOP), "watchdog": ("watchdog", 1)}.get(abort.kind, ("", 0))
        address, cycle = (REGISTERS[name].address, abort.at) if name else (NEVER, 0)
        flood, ends = self._flood
        case = _Case(data.ctypes.data, last.ctypes.data, len(data), flood.ctypes.data, ends.ctypes.data, len(flood),
                     address, int(word), cycle, abort.out)
        if said := self._call(self._host, ctypes.byref(case)):
            return said.decode()
        if not self.play(_untouched(program, self.job)):
            return "a memory changed"
        if not self.play(self._next):
            return "the next run is wrong"
        return "a rule of the buses was broken" if self.report().violations > before.violations else ""


def cases(program: Program, job: Job, quick: bool) -> Iterator[Abort]:
    """STOP and the watchdog in every cycle of the run and some after it, a wrong TLAST at every beat, an illegal
    opcode and a range at every address; ``quick``: one in 29 of each."""
    cycles, words = sum(golden.cycles(job).values()) + 40, _words(program, job.entry)
    beats = packing.packets(program, job.entry, job.samples).size
    moves = [i for i in words if decode(program.words[i]).op in (Op.IN, Op.OUT)]
    places = {"STOP": range(cycles), "watchdog": range(cycles), "TLAST": range(beats), "opcode": words, "range": moves}
    for kind, at in places.items():
        for out in CONSUMERS:
            for place in list(at)[::29 if quick else 1]:
                yield Abort(kind, place, out)


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """Every case on tiny."""
    program = compile_config(load("tiny"))
    machine = Aborts(program, folder)
    found: list[str] = []
    try:
        known = list(cases(program, machine.job, quick))
        with reporter.task("aborts, tiny", len(known)) as task:
            for done, case in enumerate(known, 1):
                found += [f"{case}: {said}"] if (said := machine.wrong(case)) else []
                task.advance(done)
    finally:
        machine.close()
    for words in found[:5]:
        reporter.say(words)
    right = len(known) - len(found)
    name = "abort (STOP, fault, watchdog) at every cycle of a two-sample run on tiny, both streams"
    return [Figure(f"{name}: recovered, of {len(known):,}", right, "all", "aborts", right == len(known))]


def _words(program: Program, entry: str) -> range:
    """The addresses of an entry, up to its HALT."""
    start = program.entries[entry]
    end = next(i for i in range(start, len(program.words)) if decode(program.words[i]).op is Op.HALT)
    return range(start, end)


def _broken(program: Program, entry: str, abort: Abort) -> Program:
    """The program with the instruction that faults."""
    if abort.kind not in ("opcode", "range"):
        return program
    words = list(program.words)
    outside = encode(Op.IN, memory=Mem.STATE, address=program.machine.neuron_words - 1, count=4095, last=1)
    words[abort.at] = 0xF0000000 if abort.kind == "opcode" else outside
    return replace(program, words=tuple(words))


def _started(program: Program, job: Job) -> Tape:
    """Everything loaded and set, as ``sim.host.run`` does it, but for START."""
    tape, table = Tape(), ports(program.machine)
    finish(tape.set("watchdog", 0))
    tape.load(program, job.weights)
    clamp = np.zeros(program.machine.neuron_words * program.machine.lanes, np.int64)
    tape.send(packing.write_packet(Mem.CLAMP, 0, packing.beats(clamp, table[Mem.CLAMP])))
    finish(tape.sent())
    for register, value in (("loop0", job.count), ("entry", program.entries[job.entry])):
        finish(tape.set(register, value))
    return tape


def _untouched(program: Program, job: Job) -> Tape:
    """Finds what only the host writes as it was loaded, and zeros in the neurons that no population has."""
    tape, table, m = Tape(), ports(program.machine), program.machine
    used = max(p.word * m.lanes + p.population.size for p in program.layout.places.values())
    first = -(-used // m.lanes)
    assert first < m.neuron_words, "every neuron word is in use"
    for mem, beats in ((Mem.PROGRAM, program.words), (Mem.MAP, program.maps), (Mem.FUNCTION, program.functions),
                       (Mem.DERIVATIVE, program.derivatives),
                       (Mem.BLOCK, [b >> 32 * i & NEVER for b in program.blocks for i in range(4)]),
                       (Mem.WEIGHT, packing.beats(job.weights, table[Mem.WEIGHT])),
                       (Mem.CLAMP, packing.beats(np.zeros(m.neuron_words * m.lanes, np.int64), table[Mem.CLAMP]))):
        tape.memory(mem, [int(b) for b in beats])
    for mem in (Mem.STATE, Mem.ERROR, Mem.ACTIVITY):
        words = table[mem].depth * first // m.neuron_words
        tape.memory(mem, [0] * (table[mem].depth - words) * table[mem].beats_per_word, words)
    return tape


def _poison(program: Program) -> list[np.ndarray]:
    """A packet for every memory, from its first word to its last or for the least of all."""
    return [np.array(packing.write_packet(mem, word, [POISON] * port.beats_per_word), np.uint32)
            for mem, port in ports(program.machine).items() for word in (0, port.depth - 1)]


def _joined(packets: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Beats of all packets and where each ends."""
    data = np.concatenate(packets).astype(np.uint32)
    last = np.zeros(len(data), np.uint8)
    last[np.cumsum([len(p) for p in packets]) - 1] = 1
    return data, last


def _linked(program: Program, folder: Path, defect: Defect | None) -> ctypes.CDLL:
    """aborts.cpp linked with the model of the machine, unless it is there already."""
    model = verilator.prepare(program, folder, announce=False, defect=defect)
    source = Path(__file__).with_name("aborts.cpp")
    text = "".join(source.with_name(name).read_text() for name in ("aborts.cpp", "random_bus.cpp", "checked_bus.hpp"))
    library = output_folder(model.folder) / f"aborts-{hashlib.sha256(text.encode()).hexdigest()[:16]}.so"
    if not library.exists():
        link(model.folder, source, library)
    return ctypes.CDLL(str(library))
