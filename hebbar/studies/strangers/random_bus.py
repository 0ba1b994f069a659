"""Random traffic on both buses of the Verilated machine, and START at every offset beside a packet.

``random_bus.cpp`` plays two hosts in turn. The careless one accesses anything, sends packets whole and damaged, starts,
stops, clears and resets at random, and takes answers whenever it likes. The careful one then has to find a machine
that stops, clears, loads a program and runs two samples to what the golden machine says. The rules of AXI4-Lite and
AXI4-Stream are checked in every cycle of both.
"""

import ctypes
import hashlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.learning.training import data_of
from golden.session import initial_image
from golden.trace import Job
from hebbar.compiler.config import Config, load
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.files import output_folder
from hebbar.contract.geometry import ports
from hebbar.contract.memories import Mem
from hebbar.contract.registers import ADDRESS_BITS, LIVE, REGISTERS, Access
from hebbar.contract.results import Figure
from sim.backends import verilator
from sim.defects import Defect
from sim.experiment import predict_job, replay_job
from sim.packets import packets
from sim.shell.library import link

from .coincidences import Coincidence, coincidences, verdict
from .tape import Tape, two_samples

__all__ = ["MACHINES", "Report", "Traffic", "jobs", "measure"]

RICH = {"lanes": 4, "row_tiles": 1, "weight_words": 320, "neuron_words": 32, "max_columns": 12, "map_entries": 256,
        "blocks": 40, "program_words": 512, "functions": 4, "separation": 40, "energy": True, "row_sum_bits": 48,
        "feedback_sum_bits": 52}
CYCLES, SLICE, QUICK = 10_000_000, 50_000, 60_000
PATIENCE = 100_000
"""Cycles after which the careful host calls it a hang."""

_U32, _U64, _POINTER = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_void_p


def rich() -> Config:
    """A categorical network, so with SEPARATE, on one row tile of four lanes with every unit there is."""
    config = load("categorical")
    sizes = {"x": 16, "h": 16, "y": 10}
    populations = [p.model_dump() | {"size": sizes[p.name]} for p in config.network.populations]
    return config.replace(machine=RICH, data={"pool": 2}, network={"populations": populations})


MACHINES = {"tiny": lambda: load("tiny"), "1 x 4, all units": rich}


class _Plan(ctypes.Structure):
    """Twin of ``struct Plan`` in random_bus.cpp."""

    _fields_ = [("kinds", _POINTER), ("resets", _POINTER), ("bits", _POINTER), ("depths", _POINTER),
                ("beats_per_word", _POINTER), ("tape", _POINTER), ("tape_length", _U64), ("samples", _POINTER),
                ("sample_length", _U64),
                *((name, _U32) for name in ("memories", "control", "status", "cause", "entry", "patience"))]


class Report(ctypes.Structure):
    """Twin of ``struct Report`` in checked_bus.hpp: what was met, counted; ``first`` thing that was wrong."""

    _fields_ = [*((name, _U64) for name in ("cycles", "episodes", "resets", "starts", "refused", "beats_in",
                                            "beats_out", "okay", "slverr", "violations", "hangs", "lost")),
                ("first", ctypes.c_char * 160)]

    def counts(self) -> dict[str, int]:
        """How much there was, by name."""
        return {"episodes": self.episodes, "resets": self.resets, "START carried out": self.starts,
                "refused": self.refused, "beats in": self.beats_in, "beats out": self.beats_out}


class Traffic:
    """One machine, Verilated, and the two hosts."""

    def __init__(self, program: Program, jobs: list[Job], folder: Path, seed: int,
                 defect: Defect | None = None) -> None:
        self.program = program
        self._library = _library(program, folder, defect)
        tape = two_samples(program, jobs[0].weights, jobs)
        self._plan, self._kept = _plan(program, tape, packets(program, jobs[0].entry, jobs[0].samples)[0])
        self._host = _POINTER(self._library.random_bus_open(ctypes.byref(self._plan), seed))

    def close(self) -> None:
        self._library.random_bus_close(self._host)

    def report(self) -> Report:
        report = Report()
        self._library.random_bus_report(self._host, ctypes.byref(report))
        return report

    def run(self, cycles: int, reporter: Reporter, name: str) -> Report:
        """Episodes of both hosts for so many cycles or a few more."""
        with reporter.task(f"random traffic, {name}", cycles) as task:
            while (report := self.report()).cycles < cycles:
                task.advance(report.cycles, f"{report.episodes} episodes")
                self._library.random_bus_run(self._host, min(SLICE, cycles - report.cycles))
            task.advance(cycles)
        return report

    def play(self, tape: Tape) -> bool:
        """Whether the machine does what a tape says."""
        before, words = self.report(), np.array(tape.words, np.uint32)
        done = self._library.random_bus_play(self._host, words.ctypes.data, len(words))
        after = self.report()
        return bool(done) and (before.violations, before.hangs) == (after.violations, after.hangs)

    def reset(self) -> None:
        self._library.random_bus_reset(self._host)

    def look(self, register: str) -> int:
        """The word of a register."""
        return self._library.random_bus_look(self._host, REGISTERS[register].address)

    def meet(self, coincidence: Coincidence) -> int:
        """The response to a START beside a packet, -1 without one."""
        data, last = np.array(coincidence.packet, np.uint32), np.array(coincidence.last, np.uint8)
        return self._library.random_bus_meet(self._host, data.ctypes.data, last.ctypes.data, len(data),
                                             coincidence.offset, coincidence.skew, ctypes.c_double(coincidence.pace))


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """Random traffic and every coincidence of START and a packet, on all MACHINES; ``quick``: a little on the first."""
    figures, reports, wrong, met = [], [], [], 0
    for number, (name, config) in enumerate(list(MACHINES.items())[:1 if quick else None]):
        program = compile_config(config())
        traffic = Traffic(program, jobs(program), folder, seed=number + 1)
        try:
            reports.append(report := traffic.run(QUICK if quick else CYCLES, reporter, name))
            cases = list(coincidences(quick))
            with reporter.task(f"START beside a packet, {name}", len(cases)) as task:
                for at, case in enumerate(cases):
                    wrong += [f"{name}: {case}: {said}"] if (said := verdict(traffic, case)) else []
                    task.advance(at + 1)
            met += len(cases)
        finally:
            traffic.close()
        if report.first:
            reporter.say(f"{name}: {report.first.decode()}")
        figures.append(Figure(f"random AXI traffic, {name}", report.counts(), "reported", "", None))
    for words in wrong[:5]:
        reporter.say(words)
    cycles, lost = sum(r.cycles for r in reports), sum(r.lost for r in reports) + len(wrong)
    totals = {"violations of the rules of the buses": sum(r.violations for r in reports),
              "hangs": sum(r.hangs for r in reports),
              f"START lost or misplaced, of {sum(r.starts for r in reports):,} and {met:,} beside a packet": lost}
    return [*(Figure(f"random AXI traffic, {cycles:,} cycles: {what}", n, "0", "", n == 0)
              for what, n in totals.items()),
            *figures]


def jobs(program: Program) -> list[Job]:
    """Two samples of training and two of prediction."""
    data, image = data_of(program), initial_image(program)
    few = predict_job(program, data, image)
    train = replay_job(program, data, image, 2)
    return [train, Job(program, few.entry, image, {key: values[:2] for key, values in few.samples.items()})]


def _library(program: Program, folder: Path, defect: Defect | None) -> ctypes.CDLL:
    """random_bus.cpp linked with the model of the machine, unless it is there already."""
    model = verilator.prepare(program, folder, announce=False, defect=defect)
    source = Path(__file__).with_name("random_bus.cpp")
    text = source.read_text() + source.with_name("checked_bus.hpp").read_text()
    library = output_folder(model.folder) / f"random_bus-{hashlib.sha256(text.encode()).hexdigest()[:16]}.so"
    if not library.exists():
        link(model.folder, source, library)
    opened = ctypes.CDLL(str(library))
    opened.random_bus_open.restype, opened.random_bus_open.argtypes = _POINTER, (_POINTER, _U64)
    for name, result, arguments in (
            ("close", None, ()), ("report", None, (_POINTER,)), ("run", None, (_U64,)), ("reset", None, ()),
            ("play", ctypes.c_int, (_POINTER, _U64)), ("look", _U32, (_U32,)),
            ("meet", ctypes.c_int, (_POINTER, _POINTER, _U64, ctypes.c_int, ctypes.c_int, ctypes.c_double))):
        function = getattr(opened, f"random_bus_{name}")
        function.restype, function.argtypes = result, (_POINTER, *arguments)
    return opened


def _plan(program: Program, tape: Tape, sample: NDArray[np.uint32]) -> tuple[_Plan, list[NDArray[Any]]]:
    """The plan, and the arrays it points to, which must live as long."""
    kinds = np.zeros(1 << ADDRESS_BITS - 2, np.uint8)
    resets, masks = (np.zeros(1 << ADDRESS_BITS - 2, np.uint32) for _ in range(2))
    for name, register in REGISTERS.items():
        writable = 3 if name in LIVE else 2
        kinds[register.address // 4] = {Access.READ: 1, Access.READ_WRITE: writable, Access.COMMAND: 4}[register.access]
        resets[register.address // 4] = register.reset
        masks[register.address // 4] = (1 << register.bits) - 1
    table = ports(program.machine)
    depths, shares = (np.array([getattr(table[mem], n) for mem in Mem], np.uint32) for n in ("depth", "beats_per_word"))
    kept: list[NDArray[Any]] = [kinds, resets, masks, depths, shares, np.array(tape.words, np.uint32),
                                np.ascontiguousarray(sample, np.uint32)]
    at = [array.ctypes.data for array in kept]
    registers = (REGISTERS[name].address for name in ("control", "status", "cause", "entry"))
    return _Plan(*at[:6], len(kept[5]), at[6], len(kept[6]), len(Mem), *registers, PATIENCE), kept
