"""Dependences dropped: programs whose gaps leave one out, and what tells them on the RTL."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from golden.trace import Job
from hebbar.compiler.chaining import chained
from hebbar.compiler.control_flow import executed
from hebbar.compiler.gaps import Dependence, dependences, gaps
from hebbar.compiler.program import Program
from hebbar.contract.errors import Mismatch
from hebbar.contract.isa import LOOP_REGISTERS, decode
from sim.backends import pysim
from sim.writes import compare_writes

from .shortest import soonest

__all__ = ["Dropped", "dropped"]


@dataclass(frozen=True)
class Dropped:
    """Dependences that the gaps of a program left out together.

    ``same``: the gaps are what they were, since others need as much, and nothing ran. Otherwise: whether the scoreboard
    ``told`` it; how many writes and final words are ``wrong`` against the golden machine; whether a sweep ``overtakes``
    an older one by the timing table, at the least distances.
    """

    dependences: tuple[Dependence, ...]
    same: bool
    told: bool = False
    wrong: int = 0
    overtakes: bool = False

    @property
    def slack(self) -> bool:
        """Whether the program is right without them."""
        return not (self.told or self.wrong or self.overtakes)

    @property
    def missed(self) -> bool:
        """Whether something is overtaken and nothing on the RTL tells it."""
        return self.overtakes and not self.told and not self.wrong


def dropped(job: Job) -> Iterator[Dropped]:
    """Each dependence between sweeps of the entry of a job in turn, whose program drains, on Amaranth's simulator; then
    together those that are one but for the way into a loop, of which each is needed where the other is not there."""
    program = job.program
    code = [decode(word) for word in program.words]
    mine = {at for at, _ in executed(code, program.entries[job.entry], (job.count, *[0] * (LOOP_REGISTERS - 1)))}
    found = [one for one in dependences(program) if one.newer in mine]
    known: dict[tuple[tuple[int, int], ...], Dropped] = {}
    for group in [(one,) for one in found] + list(_ways(found)):
        less = gaps(program, group)
        if less == gaps(program):
            yield Dropped(group, same=True)
            continue
        key = tuple(sorted(less.items()))
        if key not in known:
            known[key] = _ran(job, group, less)
        yield replace(known[key], dependences=group)


def _ways(found: Iterable[Dependence]) -> Iterator[tuple[Dependence, ...]]:
    """Dependences of one kind into one sweep, where there are several."""
    groups: dict[tuple[object, ...], list[Dependence]] = {}
    for one in found:
        groups.setdefault(one.key[1:], []).append(one)
    return (tuple(group) for group in groups.values() if len(group) > 1)


def _ran(job: Job, group: tuple[Dependence, ...], less: Mapping[int, int]) -> Dropped:
    one, told = replace(job, program=chained(job.program, less)), list[Mismatch]()
    trace = pysim.run(one, told=told)
    assert trace.writes is not None, "every step is recorded"
    return Dropped(group, False, bool(told), compare_writes(one, trace.writes).total_mismatches,
                   _overtakes(job.program, less, job))


def _overtakes(program: Program, less: Mapping[int, int], job: Job) -> bool:
    try:
        soonest(program, less, job.count, job.entry)
    except Mismatch:
        return True
    return False
