"""The exact cycle model: how long a program takes on each tile, to the cycle.

``RowTiming`` and ``ArrayTiming`` state how long a tile is occupied by a sweep; ``Cycles`` walks the
program as the sequencer does. The RTL's counters must equal it for every program.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

from .config import MachineConfig
from .counters import CYCLES, HOST, ISSUE_SETS
from .geometry import ports
from .isa import Op, Sweep, decode
from .memories import BLOCK, Mem, unpack

__all__ = ["RowTiming", "ArrayTiming", "Cycles"]

NEURON_LATENCY = 9
"""From a row's sum to the first cycle in which the neuron unit has let go of it."""

WRITE_LATENCY = 3
"""From the cycle TRN and UPD take a word to the first in which its results are written."""


class Timing(ABC):
    """When a tile can take the next sweep and when everything is done, as sweeps come in."""

    def __init__(self, machine: MachineConfig) -> None:
        self.machine = machine
        self.free = 0
        """First cycle in which the next sweep can be accepted."""
        self.idle = 0
        """First cycle in which nothing is in flight."""

    @abstractmethod
    def sweep(self, accept: int, block: dict[str, int], flags: Sweep) -> int:
        """Account for a sweep accepted in cycle ``accept``; returns its slots (busy cycles)."""


class RowTiming(Timing):
    """The row engine: one slot a word; T = log2 C levels of registered adders."""

    def __init__(self, machine: MachineConfig) -> None:
        super().__init__(machine)
        self._back = 0

    @property
    def tree_latency(self) -> int:
        return (self.machine.lanes - 1).bit_length()

    @property
    def sum_latency(self) -> int:
        """From the slot of a row's last word to its sum: map, memory, product, tree, sum."""
        return 4 + self.tree_latency

    @property
    def back_latency(self) -> int:
        """From the slot of a row's last word to the first cycle TRN and UPD can take it."""
        return self.sum_latency + 2

    @property
    def fifo_depth(self) -> int:
        """Words that can wait for their error: the longest row and the latency of its error."""
        return self.machine.max_columns + self.back_latency + 2

    def sweep(self, accept: int, block: dict[str, int], flags: Sweep) -> int:
        """Slots from the cycle after ``accept``; the back end takes a row's words one a cycle, not
        before its error is there and after those of all earlier rows."""
        columns, groups = block["columns"], block["groups"]
        first, slots = accept + 1, columns * groups
        last = first + slots - 1
        self.free = last
        self.idle = max(self.idle, last + self.sum_latency + NEURON_LATENCY)
        if flags & (Sweep.TRN | Sweep.UPD):
            ready = first + columns - 1 + self.back_latency
            self._back = max(self._back + slots, ready + slots)
            self.idle = max(self.idle, self._back - 1 + WRITE_LATENCY)
        return slots


class ArrayTiming(Timing):
    """The array macro: one sweep at a time, in phases (n columns, G row groups):

        with weights   n + 2   map entries and activities into the column registers
        FWD            1       all rows fire
        always         G       a row group a cycle to the neuron unit
        TRN or UPD     2       the last errors come back
        TRN            1 + n   all columns fire, then a word a cycle to the back sums
        UPD            1       all weights are written
    """

    load_latency = 2
    """From the map address of a column to its activities."""

    settle = 2
    """Cycles between the last conversion and the first that can use its errors."""

    def sweep(self, accept: int, block: dict[str, int], flags: Sweep) -> int:
        """The phases follow each other from the cycle after ``accept``."""
        columns, groups = block["columns"], block["groups"]
        converted = accept + groups
        if flags.weights:
            converted += columns + self.load_latency + bool(flags & Sweep.FWD)
        last = converted
        if flags & (Sweep.TRN | Sweep.UPD):
            last += self.settle + bool(flags & Sweep.UPD)
        if flags & Sweep.TRN:
            last += 1 + columns
        self.free = last
        self.idle = max(self.idle, converted + 1 + NEURON_LATENCY, last + 1)
        return last - accept


@dataclass(frozen=True)
class _Code:
    op: Op
    fields: dict[str, int]


class Cycles:
    """Walks a program and counts cycles by cause; an idle host is not counted (no stalls)."""

    def __init__(self, program) -> None:
        self._program = program
        self._code = [decode(w) for w in program.words]
        self._blocks = [unpack(BLOCK, b) for b in program.blocks]
        self._ports = ports(program.machine)

    def run(self, entry: str, samples: int) -> dict[str, int]:
        """Every cycle counter after ``samples`` samples, and slots by flag set."""
        timing = TIMINGS[self._program.machine.tile](self._program.machine)
        counts = dict.fromkeys((*ISSUE_SETS, *CYCLES, *HOST), 0)
        busy: list[tuple[int, int, bool]] = []
        waits: list[tuple[int, int]] = []
        now, pc, loops = 0, self._program.entries[entry], []
        while True:
            code = self._code[pc]
            f = code.fields
            if code.op is Op.SWEEP:
                accept = max(now + 1, timing.free)
                flags = Sweep(f["flags"])
                slots = timing.sweep(accept, self._blocks[f["block"]], flags)
                busy.append((accept + 1, slots, flags.weights))
                counts[f"issue_{_set(flags):x}"] += slots
                now, pc = accept + 1, pc + 1
                continue
            if code.op in (Op.WAIT, Op.IN, Op.OUT):
                start = max(now, timing.idle)
                waits.append((now, start))
                now = start + 1
                if code.op is not Op.WAIT:
                    moved = self._beats(code.op, f)
                    counts["stream"] += moved
                    now += moved
                pc += 1
                continue
            if code.op is Op.HALT:
                end = max(now + 1, timing.idle) + 1
                waits.append((now + 1, end))
                return self._split(counts, busy, waits, end)
            if code.op is Op.LOOP:
                count = samples if f["register"] == 1 else f["count"]
                if count:
                    loops.append([pc + 1, count])
                pc = pc + 1 if count else f["end"]
            else:
                loops[-1][1] -= 1
                pc = loops[-1][0] if loops[-1][1] else pc + 1
                if not loops[-1][1]:
                    loops.pop()
            now += 1
        return counts

    def _beats(self, op: Op, fields: dict[str, int]) -> int:
        """Cycles of a transfer: a beat a cycle in, two cycles a beat out."""
        per = self._ports[Mem(fields["memory"])].lanes_per_beat
        return -(-fields["count"] // per) * (2 if op is Op.OUT else 1)

    @staticmethod
    def _split(counts, busy, waits, end) -> dict[str, int]:
        """Give every cycle one cause: the tile's slots first, then draining, then the rest."""
        issue = sum(n for _, n, weights in busy if weights)
        slots = sum(n for _, n, weights in busy if not weights)
        drain = 0
        at = 0
        for start, stop in waits:
            covered = 0
            while at < len(busy) and busy[at][0] + busy[at][1] <= start:
                at += 1
            i = at
            while i < len(busy) and busy[i][0] < stop:
                covered += min(stop, busy[i][0] + busy[i][1]) - max(start, busy[i][0])
                i += 1
            drain += stop - start - covered
        counts |= {"issue": issue, "slots": slots, "drain": drain}
        counts["control"] = end - issue - slots - drain - counts["stream"]
        return counts


def _set(flags: Sweep) -> int:
    """Index of a flag set in ISSUE_SETS."""
    return sum(1 << i for i, f in enumerate((Sweep.FWD, Sweep.ERR, Sweep.TRN, Sweep.UPD))
               if flags & f)


TIMINGS = {"rows": RowTiming, "array": ArrayTiming}
