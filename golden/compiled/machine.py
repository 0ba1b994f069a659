"""The golden machine with its loop compiled: same memories, same outputs, hundreds of times faster."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from hebbar.compiler.control_flow import leaves
from hebbar.compiler.program import Program, Transfer
from hebbar.contract.errors import BadInput
from hebbar.contract.isa import Op, Sweep, decode
from hebbar.contract.memories import Mem

from ..fixed import Ints
from ..machine import Machine
from ..sequencer import Sequencer
from ..tile import Visits
from ..trace import Hashes
from . import interpreter
from .arrays import Memory, Record, Streams, Tally
from .crossbar import crossbar_of, settle
from .hashes import taken, written_of
from .memory import memory_of
from .plan import limits, tables
from .support import unsupported

__all__ = ["CompiledMachine", "Barriers", "prepare"]


@dataclass(frozen=True)
class Barriers:
    """Every barrier of a run: ``pc`` (F,); ``state``, ``error``, ``activity`` (F, neurons);
    ``weights`` (W, words, P, C) at the barriers ``weight_barrier`` (W,), those that follow an UPD."""

    pc: NDArray[np.int64]
    state: NDArray[np.int32]
    error: NDArray[np.int32]
    activity: NDArray[np.int32]
    weight_barrier: NDArray[np.int64]
    weights: NDArray[np.int32]


class CompiledMachine:
    """Runs a program bit for bit as ``golden.machine.Machine`` does, whose memories it works on.

    Raises BadInput when the program is ``unsupported``. ``barriers`` holds what the last recorded run
    went through, ``hashes`` what the last hashed one wrote.
    """

    def __init__(self, program: Program) -> None:
        if why := unsupported(program):
            raise BadInput(why)
        self._machine = Machine(program)
        self.program, self.config = program, program.machine
        self.barriers: Barriers | None = None
        self.hashes: Hashes | None = None
        self._tables, self._limits = tables(self._machine), limits(self._machine)
        self._crossbar = crossbar_of(self._machine)
        m = self.config
        self._image = m.weight_words, m.row_tiles, m.lanes
        self._words = [decode(word) for word in program.words]
        self._work = self._works()

    @property
    def weights(self) -> Ints:
        """The weight image, shape (words, P, C)."""
        return self._machine.tile.weights

    @property
    def limited(self) -> dict[str, float]:
        """Shares of the values at a limit of an analog macro, as the machine in NumPy counts them."""
        return self._machine.limited

    def load(self, weights: Ints) -> None:
        """Set the weights to an image (words, P, C), as the host does."""
        self._machine.load(weights)

    def read_back(self) -> Ints:
        """The image (words, P, C) as the host reads it."""
        return self._machine.read_back()

    @property
    def state(self) -> Ints:
        return self._machine.state

    @property
    def error(self) -> Ints:
        return self._machine.error

    @property
    def activity(self) -> Ints:
        return self._machine.activity

    @property
    def clamp(self) -> Ints:
        return self._machine.clamp

    @property
    def base(self) -> Ints:
        return self._machine.base

    @property
    def back(self) -> Ints:
        return self._machine.back

    @property
    def rates(self) -> Ints:
        """The RATE registers, shape (16,)."""
        return self._machine.rates

    @property
    def loops(self) -> list[int]:
        """The LOOP registers; ``run`` sets the first to the number of samples."""
        return self._machine.loops

    @property
    def decisions(self) -> list[bool]:
        """The decisions of the unarmed EXITs of the last run, in their order: True where one left its loop."""
        return self._machine.decisions

    @property
    def counters(self) -> dict[str, int]:
        """All work counters since the start, saturations included."""
        return self._machine.counters.read()

    def set_rates(self, halvings: int) -> None:
        """Write the RATE registers; every alpha is the configured one times 2**-halvings."""
        self._machine.set_rates(halvings)

    def run(self, entry: str, samples: Mapping[str, Ints], record: bool = False, hashed: bool = False
            ) -> dict[str, Ints]:
        """Run an entry over samples, codes of shape (samples, size) by input population.

        Returns the streamed outputs the same way; with ``record`` fills ``barriers``, with ``hashed`` ``hashes``.
        Raises BadInput for what the NumPy machine refuses, before anything has changed.
        """
        count, program = self._machine.prepare(entry, samples), self.program
        ins, outs = program.inputs[entry], program.outputs[entry]
        streams = Streams(
            np.concatenate([samples[t.key] for t in ins], axis=1, dtype=np.int16, casting="unsafe"),
            np.zeros((count, sum(t.population.size for t in outs)), np.int32), _columns(ins), _columns(outs),
            np.zeros((4, 2), np.int64), np.zeros(2, np.int64))
        start, registers = program.entries[entry], np.array(self.loops, np.int64)
        visits = np.zeros(len(self._words), np.int64)
        fault, address, put = interpreter.walk(start, registers, self._tables, streams, visits)
        if fault:
            self._refuse(fault, start, address)
        memory = memory_of(self._machine, self._tables)
        buffers, tally = self._buffers(visits, record), self._tally(visits)
        written = written_of(self._machine, memory.by_source.size, hashed)
        interpreter.execute(start, registers, self._tables, self._limits, memory, streams, buffers, tally,
                            self._crossbar, written)
        self._store(memory)
        self._count(tally)
        if record:
            self.barriers = self._barriers(buffers, *tally.used[1:].tolist())
        if hashed:
            self.hashes = taken(self._machine, written, self._tables)
        return _outputs(streams, outs, put)

    def _refuse(self, fault: int, start: int, address: int) -> None:
        """Raise what the NumPy machine would raise for a program that cannot run to its end."""
        if fault == interpreter.MISFIT:
            raise BadInput(f"address {address}: {self._words[address]} does not fit what is streamed; one "
                           "sample moves the program's inputs and outputs in their order.")
        for _ in Sequencer(self.program.words, lambda i: self.loops[i], self._machine.units,
                           integral=self.config.integral, updates=self.config.updates).run(start):
            pass
        raise BadInput(f"address {address}: the program cannot run to its end; use the NumPy machine.")

    def _store(self, memory: Memory) -> None:
        """Write the memories and the saturations back."""
        if self._crossbar is None:
            words, tiles, lanes = self._image
            self.weights[...] = memory.weights[:self.weights.size].reshape(tiles, words, lanes).transpose(1, 0, 2)
        else:
            settle(self._machine, self._crossbar)
        self.activity[...], self.state[...], self.error[...], self.clamp[...] = memory.values
        self.base[...], self.back[...], self._machine.integral[...] = memory.base, memory.back, memory.integral
        s = self._machine.saturations
        for saturation, clips in zip((s.error, s.state, s.feedback, s.weight), memory.clipped.tolist()):
            saturation.count += clips

    def _buffers(self, visits: Ints, record: bool) -> Record:
        """Room for every barrier of a run whose addresses are visited so often, or less."""
        kinds = np.array([i.barrier for i in self._words])
        barriers = int(visits[kinds].sum()) if record else 0
        learnt = int((visits * self._tables.learning).sum()) if record else 0
        return Record(record, np.empty(barriers, np.int64), np.empty((barriers, 3 * self.state.size), np.int32),
                      np.empty(learnt, np.int64), np.empty((learnt, prod(self._image)), np.int32), self._image)

    def _barriers(self, buffers: Record, count: int, learnt: int) -> Barriers:
        """The barriers that were reached, ``learnt`` of them after an UPD."""
        rows = buffers.rows[:count].reshape(-1, 3, self.state.size)
        return Barriers(buffers.pc[:count], rows[:, Mem.STATE], rows[:, Mem.ERROR], rows[:, Mem.ACTIVITY],
                      buffers.at[:learnt], buffers.weights[:learnt].reshape(-1, *self._image))

    def _tally(self, visits: Ints) -> Tally:
        """Room for the decisions of a run whose addresses are visited so often, or less."""
        unarmed = [leaves(i) for i in self._words]
        return Tally(np.zeros(visits.size, np.int64), np.zeros(visits[unarmed].sum(), np.bool_), np.zeros(3, np.int64))

    def _count(self, tally: Tally) -> None:
        """Account for the work of a run, every instruction as often as it was visited, and its decisions."""
        *weights, stepped, activated, separated = (tally.visits @ self._work).tolist()
        counters, self._machine.decisions = self._machine.counters, tally.decisions[:tally.used[0]].tolist()
        counters.sweep(Visits(*weights), stepped, Sweep.STEP)
        counters.sweep(Visits(0, 0, 0, 0, 0), activated, Sweep.ACT)
        counters.separate(separated)
        for _ in range(sum(self.decisions)):
            counters.exit()

    def _works(self) -> Ints:
        """What one visit of each address counts, (addresses, 8): ``Visits``, rows with STEP or DELTA, with ACT,
        rows of a SEPARATE."""
        works = np.zeros((len(self._words), 8), np.int64)
        for address, word in enumerate(self._words):
            if word.op not in (Op.SWEEP, Op.SEPARATE):
                continue
            plan, flags = self._machine.plans[word.fields["block"]], Sweep(word.fields.get("flags", 0))
            v = self._machine.tile.visits(plan, flags)
            works[address] = (v.fwd, v.trn, v.upd, v.reads, v.writes,
                              plan.count * bool(flags & (Sweep.STEP | Sweep.DELTA)),
                              plan.count * bool(flags & Sweep.ACT), plan.count * (word.op is Op.SEPARATE))
        return works


def prepare(program: Program) -> float:
    """Compile for the types of ``program``, or load what an earlier process compiled; the seconds it took.

    The first run would do it by itself; this is for saying so first, and for doing it once before many
    processes start.
    """
    start, machine = perf_counter(), CompiledMachine(program)
    for entry, transfers in program.inputs.items():
        machine.run(entry, {t.key: np.zeros((0, t.population.size), np.int64) for t in transfers})
    return perf_counter() - start


def _columns(transfers: tuple[Transfer, ...]) -> Ints:
    """Rows (neurons, first column, memory number) of the transfers of a sample."""
    sizes = [t.population.size for t in transfers]
    starts = np.cumsum([0, *sizes])
    return np.array([(n, at, int(t.memory)) for n, at, t in zip(sizes, starts, transfers)], np.int64).reshape(-1, 3)


def _outputs(streams: Streams, transfers: tuple[Transfer, ...], put: int) -> dict[str, Ints]:
    """What ``put`` transfers have put out, by population."""
    found = {}
    for i, (t, (neurons, start, _)) in enumerate(zip(transfers, streams.outs.tolist())):
        rows = (put - i + len(transfers) - 1) // len(transfers)
        found[t.key] = streams.taken[:rows, start:start + neurons].astype(np.int64)
    return found
