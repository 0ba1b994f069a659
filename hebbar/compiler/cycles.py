"""The exact cycle model: how long a program takes on each tile, to the cycle.

``hebbar.contract.timing`` states how long a tile is occupied by a sweep; ``Cycles`` walks the program as the
sequencer does. The RTL's counters must equal it for every program.
"""

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from itertools import takewhile
from typing import TYPE_CHECKING

from hebbar.contract.beside import goes_on, passes
from hebbar.contract.counters import CYCLES, HOST, ISSUE_SETS
from hebbar.contract.effects import STREAMED, Resource
from hebbar.contract.exponentials import SeparationTiming
from hebbar.contract.geometry import ports
from hebbar.contract.isa import ISSUE_FLAGS, MOVES, Mode, Op, Sweep, decode
from hebbar.contract.memories import BLOCK, Mem, unpack
from hebbar.contract.results import whole
from hebbar.contract.timing import (
    DESCRIPTOR_LATENCY,
    FETCH_LATENCY,
    IDLE_LATENCY,
    RANGE_LATENCY,
    AnalogTiming,
    ArrayTiming,
    RowTiming,
    Timing,
)

from .control_flow import executed, leaves
from .input_beside import InputBeside

if TYPE_CHECKING:
    from .program import Program

__all__ = ["RowTiming", "ArrayTiming", "AnalogTiming", "Cycles", "TURNS"]

TURNS = 2
"""Samples after which a program begins one as it began an earlier one."""


class Cycles:
    """Walks a program as the sequencer does and counts cycles by cause; the host never stalls.

    A START first clears base and feedback sums, a word of W rows a cycle, which is control.

    Where an EXIT leaves depends on the data and what LOOP registers hold on the host, so a run is told.
    """

    def __init__(self, program: "Program") -> None:
        self._program = program
        self._code = [decode(w) for w in program.words]
        self._blocks = [unpack(BLOCK, b) for b in program.blocks]
        self._ports = ports(program.machine)

    def run(self, entry: str, samples: int, exits: Iterable[bool] | None = (),
            loops: Sequence[int] = (0, 0, 0)) -> dict[str, int]:
        """Every cycle counter after ``samples`` samples, and slots by flag set.

        ``exits``: for every EXIT with arm 0 that is executed, in their order, whether it leaves its loop; None:
        none leaves, the most that it can take. Raises BadInput unless there is one for each. ``loops``: what LOOP
        registers 1 to 3 hold, zero after a reset; the host puts the number of samples in LOOP register 0.
        """
        machine = self._program.machine
        walk = _Walk(machine.kind.timing(machine), machine.row_words, bool(self._program.beside))
        behind, behind_gap = self._program.entries[entry], False
        for at, code in executed(self._code, behind, (samples, *loops), exits):
            walk.now += FETCH_LATENCY * (at != behind)  # at START it is hidden by the clearing
            behind = at + 1
            if not passes(code):
                walk.stream()
            match code.op:
                case Op.HALT:
                    pass
                case Op.SWEEP:
                    walk.sweep(self._blocks[code.fields["block"]], Sweep(code.fields["flags"]))
                case Op.WAIT:
                    walk.hold(code.fields["gap"])
                case Op.EXIT:
                    walk.wait()
                case Op.SEPARATE:
                    walk.separate(self._separation(code.fields))
                case _ if code.op in MOVES:
                    beside = STREAMED[Mem(code.fields["memory"])] if behind_gap and goes_on(code) else None
                    walk.transfer(self._beats(code.op, code.fields), beside)
                case _:
                    walk.now += 1
            behind_gap = code.op is Op.WAIT and not code.barrier
        return walk.halt()

    def each(self, entry: str, loops: Sequence[int] = (0, 0, 0)) -> dict[str, float]:
        """Cycles of one more sample by cause, in the steady state, where no EXIT leaves; ``loops`` as in ``run``. Where
        samples take turns, the mean of two that follow each other, which need not be whole."""
        two, four = (self.run(entry, samples, None, loops) for samples in (2, 2 + TURNS))
        return {cause: whole((four[cause] - two[cause]) / TURNS) for cause in CYCLES}

    def exits(self, entry: str) -> bool:
        """Whether an EXIT can end a loop of an entry, so that its cycles depend on the data."""
        code = takewhile(lambda i: i.op is not Op.HALT, self._code[self._program.entries[entry]:])
        return any(leaves(i) for i in code)

    def _beats(self, op: Op, fields: Mapping[str, int]) -> int:
        """Cycles of a transfer: a beat a cycle in, two cycles a beat out."""
        per = self._ports[Mem(fields["memory"])].lanes_per_beat
        return -(-fields["count"] // per) * (2 if op is Op.OUT else 1)

    def _separation(self, fields: Mapping[str, int]) -> int:
        """Cycles in which the separation unit works."""
        b = self._blocks[fields["block"]]
        rows = (b["groups"] - 1) * self._program.machine.row_tiles + b["last_rows"]
        return SeparationTiming().cycles(rows, Mode(fields["mode"]))


class _Walk:
    """The clock of one run: when each instruction leaves the sequencer, and what it waits for.

    ``now``: the cycle in which the next instruction is decoded.
    """

    def __init__(self, timing: Timing, now: int, beside: bool) -> None:
        """``beside``: some IN goes on beside sweeps, and takes turns with the rows that they write."""
        self.now, self._beside = now, beside
        self._timing = timing
        self._counts = dict.fromkeys((*ISSUE_SETS, *CYCLES, *HOST), 0)
        self._slots: deque[tuple[int, int]] = deque()
        """First cycle and end of the slots of sweeps that a wait may still overlap."""
        self._gap = self._held = 0
        self._input = InputBeside(timing)
        self._quiet = now  # first cycle in which neither the clearing nor a SEPARATE is under way

    def hold(self, gap: int) -> None:
        """The next sweep waits ``gap`` cycles from the first one behind this in which the tile is free; 0 drains."""
        if gap:
            self.now += 1
        else:
            self.wait()
        self._gap, self._held = gap, self.now

    def sweep(self, block: dict[str, int], flags: Sweep) -> None:
        """Decode, look at the descriptor, wait for the gap, then offer the sweep until the tile takes it."""
        offer = self.now + DESCRIPTOR_LATENCY + 1
        accept = self._gapped(offer)
        slots = self._timing.sweep(accept, block, flags)
        self._slots.append((accept + 1, accept + 1 + slots))
        if self._beside:
            self._input.sweep(accept, block, flags)
        self._counts["issue" if flags.weights else "bubbles"] += slots
        self._counts[f"issue_{_set(flags):x}"] += slots
        self.now = accept + 1

    def _gapped(self, offer: int) -> int:
        """The cycle in which what is on offer from ``offer`` on is taken, when the gap before it is over."""
        accept = max(offer, max(self._timing.free, self._held) + self._gap)
        self._drain(offer, accept)
        self._gap = self._held = 0
        return accept

    def wait(self) -> None:
        """Stay in decode until everything is known to be idle."""
        self._drain(self.now, max(self.now, self._idle()))
        self.now += 1

    def transfer(self, cycles: int, beside: Resource | None) -> None:
        """Drain, one cycle to start, the check of the range, then the beats. ``beside``: the memory of an IN for which
        the program waits until the gap is over alone, and goes on."""
        if beside:
            self.now = self._gapped(self.now) + 1
            self._input.begin(self.now + RANGE_LATENCY, beside, cycles)
            return
        self.wait()
        self._counts["stream"] += RANGE_LATENCY + cycles
        self.now += RANGE_LATENCY + cycles

    def stream(self) -> None:
        """Wait for the end of a transfer that goes on beside the program."""
        if (end := self._input.end()) > self.now:
            self._drain(self.now, end, "stream")

    def separate(self, cycles: int) -> None:
        """Drain, one cycle to decode, the check of the descriptor, one cycle to start, then the unit."""
        self.wait()
        self._counts["separate"] += cycles
        self.now += DESCRIPTOR_LATENCY + 1 + cycles
        self._quiet = self.now

    def halt(self) -> dict[str, int]:
        """Decode, then at least one cycle of draining; returns the counters."""
        self._drain(self.now + 1, max(self.now + 1, self._idle()) + 1)
        counted = sum(self._counts[name] for name in CYCLES)
        self._counts["control"] = self.now - counted
        return self._counts

    def _idle(self) -> int:
        """The first cycle in which the sequencer knows that nothing is in flight."""
        return max(self._timing.idle, self._quiet) + IDLE_LATENCY

    def _drain(self, start: int, end: int, cause: str = "drain") -> None:
        """Wait from ``start`` to ``end``; cycles in which the tile has slots are not those of a cause."""
        while self._slots and self._slots[0][1] <= start:
            self._slots.popleft()
        covered = sum(min(end, stop) - max(start, first) for first, stop in self._slots
                      if first < end)
        self._counts[cause] += end - start - covered
        self.now = end


@cache
def _set(flags: Sweep) -> int:
    """Index of a flag set in ISSUE_SETS."""
    return sum(1 << i for i, f in enumerate(ISSUE_FLAGS) if flags & f)
