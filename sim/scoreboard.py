"""An assertion for simulations: no sweep reads or overwrites what an older one still has to write or to read.

Reads are where the timing table has them (``hebbar.contract.access_times``); writes are those that are seen at the
ports of the memories, in the order in which the sweeps were taken, or those of the table where there is no port to see.
"""

from collections import Counter, defaultdict, deque
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from hebbar.compiler.program import Program
from hebbar.compiler.transfers import Place, beats
from hebbar.contract.access_times import access_times
from hebbar.contract.effects import Access, Resource
from hebbar.contract.errors import Mismatch
from hebbar.contract.isa import Op, Sweep, decode
from hebbar.contract.timing import RANGE_LATENCY

from .compare import described

__all__ = ["Scoreboard"]


@dataclass
class _Open:
    """What a sweep that was taken, or an IN beside sweeps, still has to read and to write, by place."""

    address: int
    reads: Counter[Place] = field(default_factory=Counter)
    writes: Counter[Place] = field(default_factory=Counter)

    @property
    def done(self) -> bool:
        return not (self.reads or self.writes)


class Scoreboard:
    """Told of every cycle in order. Raises Mismatch with the places and the two sweeps in words."""

    def __init__(self, program: Program, seen: Collection[Resource]) -> None:
        """``seen``: the memories whose writes are told."""
        self._program, self._seen, self._now = program, seen, -1
        self._timing = program.machine.kind.timing(program.machine)
        self._sweeps: deque[_Open] = deque()
        self._reads: dict[int, list[tuple[_Open, Place]]] = defaultdict(list)
        self._writes: dict[int, list[tuple[_Open, Place]]] = defaultdict(list)
        self._expected: dict[tuple[Resource, bool], deque[tuple[_Open, Place]]] = defaultdict(deque)

    @property
    def idle(self) -> bool:
        """Whether no sweep has anything left to read or to write."""
        return not self._sweeps

    def cycle(self, taken: int | None, writes: Mapping[Resource, tuple[int, bool]], alone: bool) -> None:
        """One cycle: the address of the sweep that the tile takes, or of the IN that begins beside sweeps; the words
        that are written, and whether the host writes them; and whether an instruction that drains starts."""
        self._now += 1
        if alone and self._sweeps:
            raise Mismatch(f"cycle {self._now}: an instruction that drains starts while {self._name(self._sweeps[0])} "
                           "is not done.")
        reads = self._reads.pop(self._now, [])
        for sweep, place in reads:
            self._check(sweep, place, "reads", ("write",))
        for resource, (word, host) in writes.items():
            self._seen_write(resource, word, host)
        for sweep, place in self._writes.pop(self._now, []):
            self._written(sweep, place)
        for sweep, place in reads:
            _less(sweep.reads, place)
        while self._sweeps and self._sweeps[0].done:
            self._sweeps.popleft()
        if taken is not None:
            self._take(taken)

    def _take(self, address: int) -> None:
        instruction, sweep = decode(self._program.words[address]), _Open(address)
        fields = instruction.fields
        if instruction.op is Op.IN:
            for beat, place in enumerate(beats(self._program, instruction), RANGE_LATENCY + 1):
                self._writing(sweep, place, beat, host=True)
            self._sweeps.append(sweep)
            return
        block, entries = self._program.descriptor(fields["block"])
        for t in access_times(self._timing, block, entries, Sweep(fields["flags"])):
            place = t.resource, t.word
            if t.access is Access.READ:
                sweep.reads[place] += 1
                self._reads[self._now + t.last].append((sweep, place))
                continue
            self._writing(sweep, place, t.last)
        self._sweeps.append(sweep)

    def _writing(self, sweep: _Open, place: Place, cycle: int, host: bool = False) -> None:
        sweep.writes[place] += 1
        if place[0] in self._seen:
            self._expected[place[0], host].append((sweep, place))
        else:
            self._writes[self._now + cycle].append((sweep, place))

    def _seen_write(self, resource: Resource, word: int, host: bool) -> None:
        if not self._expected[resource, host]:
            if self._sweeps:
                raise Mismatch(f"cycle {self._now}: word {word} of {resource} is written, and no sweep has it to "
                               "write.")
            return  # by the host, by SEPARATE or by START, when nothing is in flight
        sweep, place = self._expected[resource, host].popleft()
        if place[1] != word:
            raise Mismatch(f"cycle {self._now}: word {word} of {resource} is written where {self._name(sweep)} has "
                           f"word {place[1]} to write.")
        self._written(sweep, place)

    def _written(self, sweep: _Open, place: Place) -> None:
        self._check(sweep, place, "writes", ("read",) if place[0] is Resource.FEEDBACK else ("read", "write"))
        _less(sweep.writes, place)

    def _check(self, sweep: _Open, place: Place, does: str, needs: tuple[str, ...]) -> None:
        """No older sweep has ``place`` to read or to write. Sums of several sweeps come in any order."""
        for older in self._sweeps:
            if older is sweep:
                return
            for need, places in (("read", older.reads), ("write", older.writes)):
                if need in needs and place in places:
                    raise Mismatch(f"cycle {self._now}: {self._name(sweep)} {does} word {place[1]} of {place[0]}, "
                                   f"which {self._name(older)} before it still has to {need}.")

    def _name(self, sweep: _Open) -> str:
        return f"address {sweep.address} {described(self._program, decode(self._program.words[sweep.address]))}"


def _less(places: Counter[Place], place: Place) -> None:
    places[place] -= 1
    if not places[place]:
        del places[place]
