"""The exact cycle model: how long a program takes on each tile, to the cycle.

``RowTiming`` and ``ArrayTiming`` state how long a tile is occupied by a sweep; ``Cycles`` walks the
program as the sequencer does. The RTL's counters must equal it for every program.
"""

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterable, Iterator

from .machine import MachineConfig
from .counters import CYCLES, HOST, ISSUE_SETS
from .errors import BadInput
from .exponentials import SeparationTiming
from .geometry import ports
from .isa import ISSUE_FLAGS, Instruction, Mode, Op, Sweep, decode
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


TIMINGS: dict[str, type[Timing]] = {"rows": RowTiming, "array": ArrayTiming}


class Cycles:
    """Walks a program as the sequencer does and counts cycles by cause; the host never stalls.

    Where an EXIT leaves depends on the data, so a run is told.
    """

    def __init__(self, program) -> None:
        self._program = program
        self._code = [decode(w) for w in program.words]
        self._blocks = [unpack(BLOCK, b) for b in program.blocks]
        self._ports = ports(program.machine)

    def run(self, entry: str, samples: int, exits: Iterable[bool] = ()) -> dict[str, int]:
        """Every cycle counter after ``samples`` samples, and slots by flag set.

        ``exits``: for every EXIT with arm 0 that is executed, in their order, whether it leaves its loop.
        Raises BadInput unless there is one for each.
        """
        decisions = iter(exits)
        walk = _Walk(TIMINGS[self._program.machine.tile](self._program.machine))
        pc, loops = self._program.entries[entry], []
        while True:
            code = self._code[pc]
            match code.op:
                case Op.HALT:
                    if any(True for _ in decisions):
                        raise BadInput(f"{entry} halts before its last exit; give one for each EXIT that is executed.")
                    return walk.halt()
                case Op.SWEEP:
                    walk.sweep(self._blocks[code.fields["block"]], Sweep(code.fields["flags"]))
                case Op.WAIT | Op.EXIT:
                    walk.wait()
                case Op.SEPARATE:
                    walk.separate(self._separation(code.fields))
                case Op.IN | Op.OUT:
                    walk.transfer(self._beats(code.op, code.fields))
                case _:
                    walk.now += 1
            pc = self._next(pc, code, loops, samples, decisions)

    @staticmethod
    def _next(pc: int, code: Instruction, loops: list[list[int]], samples: int, decisions: Iterator[bool]) -> int:
        """The next address; ``loops`` holds [start, iterations left] of every open loop."""
        if code.op is Op.LOOP:
            count = samples if code.fields["register"] == 1 else code.fields["count"]
            if not count:
                return code.fields["end"]
            loops.append([pc + 1, count])
        elif code.op is Op.NEXT:
            loops[-1][1] -= 1
            if loops[-1][1]:
                return loops[-1][0]
            loops.pop()
        elif code.op is Op.EXIT and not code.fields["arm"]:
            leaves = next(decisions, None)
            if leaves is None:
                raise BadInput(f"address {pc}: no exit is given for this EXIT; the golden machine records them.")
            if leaves:
                loops.pop()
                return code.fields["end"]
        return pc + 1

    def _beats(self, op: Op, fields: dict[str, int]) -> int:
        """Cycles of a transfer: a beat a cycle in, two cycles a beat out."""
        per = self._ports[Mem(fields["memory"])].lanes_per_beat
        return -(-fields["count"] // per) * (2 if op is Op.OUT else 1)


    def _separation(self, fields: dict[str, int]) -> int:
        """Cycles in which the separation unit works."""
        b = self._blocks[fields["block"]]
        rows = (b["groups"] - 1) * self._program.machine.row_tiles + b["tail"]
        return SeparationTiming().cycles(rows, Mode(fields["mode"]))


class _Walk:
    """The clock of one run: when each instruction leaves the sequencer, and what it waits for.

    ``now``: the cycle in which the next instruction is decoded.
    """

    def __init__(self, timing: Timing) -> None:
        self.now = 0
        self._timing = timing
        self._counts = dict.fromkeys((*ISSUE_SETS, *CYCLES, *HOST), 0)
        self._slots: deque[tuple[int, int]] = deque()
        """First cycle and end of the slots of sweeps that a wait may still overlap."""

    def sweep(self, block: dict[str, int], flags: Sweep) -> None:
        """Decode, then offer the sweep until the tile takes it."""
        accept = max(self.now + 1, self._timing.free)
        slots = self._timing.sweep(accept, block, flags)
        self._slots.append((accept + 1, accept + 1 + slots))
        self._counts["issue" if flags.weights else "slots"] += slots
        self._counts[f"issue_{_set(flags):x}"] += slots
        self.now = accept + 1

    def wait(self) -> None:
        """Stay in decode until everything is idle."""
        self._drain(self.now, max(self.now, self._timing.idle))
        self.now += 1

    def transfer(self, cycles: int) -> None:
        """Drain, one cycle to start, then the beats."""
        self.wait()
        self._counts["stream"] += cycles
        self.now += cycles

    def separate(self, cycles: int) -> None:
        """Drain, one cycle to decode, one to read the descriptor, then the unit."""
        self.wait()
        self._counts["separate"] += cycles
        self.now += 1 + cycles

    def halt(self) -> dict[str, int]:
        """Decode, then at least one cycle of draining; returns the counters."""
        self._drain(self.now + 1, max(self.now + 1, self._timing.idle) + 1)
        counted = sum(self._counts[name] for name in CYCLES)
        self._counts["control"] = self.now - counted
        return self._counts

    def _drain(self, start: int, end: int) -> None:
        """Wait from ``start`` to ``end``; cycles in which the tile has slots are not draining."""
        while self._slots and self._slots[0][1] <= start:
            self._slots.popleft()
        covered = sum(min(end, stop) - max(start, first) for first, stop in self._slots
                      if first < end)
        self._counts["drain"] += end - start - covered
        self.now = end


def _set(flags: Sweep) -> int:
    """Index of a flag set in ISSUE_SETS."""
    return sum(1 << i for i, f in enumerate(ISSUE_FLAGS) if flags & f)
