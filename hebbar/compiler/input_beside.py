"""How long an IN takes beside sweeps: host and unit take turns at the port of a memory, the unit first."""

from collections import deque
from functools import cache

from hebbar.contract.effects import EFFECTS, Access, Resource
from hebbar.contract.isa import Sweep
from hebbar.contract.timing import ROW_ACCESSES, Timing

__all__ = ["InputBeside"]


class InputBeside:
    """The beats of an IN that goes on beside sweeps: each is written in the cycle after the one before it, or in the
    next in which no row of a sweep is written to its memory."""

    def __init__(self, timing: Timing) -> None:
        self._timing = timing
        self._taken: deque[tuple[int, int, dict[str, int], Sweep]] = deque()
        """When sweeps were taken and when nothing of them is in flight any more, their blocks and flags."""
        self._rows = cache(self._rows_of)
        self._memory: Resource | None = None
        self._next = self._left = 0

    def sweep(self, accept: int, block: dict[str, int], flags: Sweep) -> None:
        """Rows of a sweep that the tile has taken in cycle ``accept`` will be written."""
        self._taken.append((accept, self._timing.idle, block, flags))

    def _rows_of(self, resource: Resource, block: tuple[tuple[str, int], ...], bits: int) -> tuple[int, ...]:
        """When rows of a sweep are written to a memory, in cycles after the tile takes it."""
        fields, flags = dict(block), Sweep(bits)
        if not any(e.resource is resource and e.access is Access.WRITE and e.happens(flags) for e in EFFECTS):
            return ()
        late, turns = ROW_ACCESSES[Access.WRITE, resource], len(self._timing.row_groups(fields, flags))
        return tuple(self._timing.row(fields, flags, turn) + late for turn in range(turns))

    def begin(self, first: int, memory: Resource, beats: int) -> None:
        """An IN whose first beat can come in cycle ``first``, behind the end of the one before it."""
        self._memory, self._next, self._left = memory, first, beats
        while self._taken and self._taken[0][1] < first:
            self._taken.popleft()

    def end(self) -> int:
        """The cycle after the last beat, once every sweep that the tile takes before then has been told."""
        if self._memory and self._left:
            busy = {accept + row for accept, _, block, flags in self._taken
                    for row in self._rows(self._memory, tuple(block.items()), int(flags))}
            while self._left:
                self._left -= self._next not in busy
                self._next += 1
        return self._next
