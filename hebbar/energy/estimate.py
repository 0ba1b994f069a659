"""The estimate: counts times energies, by component, with low, typical and high."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from hebbar.compiler.executions import executions
from hebbar.compiler.program import Program
from hebbar.contract.counters import UNCOUNTED
from hebbar.contract.isa import Op, Sweep
from hebbar.contract.memories import BLOCK, unpack

from .accesses import accesses, check
from .components import Component, components
from .registers import register_bits
from .technology import Range, Technology

__all__ = ["Estimate", "Row", "estimate", "passes"]

GROUPS = ("arithmetic", "memory", "control")


@dataclass(frozen=True)
class Row:
    """One component: ``count`` in all samples, ``each`` pJ, ``sample`` pJ a sample.

    ``formula`` and ``entries``: where ``each`` comes from; ``derived``: the width stands in no
    table; ``unverified``: entries that were not checked against their publication.
    """

    component: str
    group: str
    count: int
    each: Range
    sample: Range
    formula: str
    entries: tuple[str, ...]
    derived: bool
    unverified: tuple[str, ...]

    @property
    def source(self) -> str:
        """Formula and entries in words; a star marks an unverified entry."""
        names = ", ".join(f"{n}*" if n in self.unverified else n for n in self.entries)
        return f"{'derived: ' if self.derived else ''}{self.formula}, from {names}"


@dataclass(frozen=True)
class Estimate:
    """Energy of ``samples`` samples of one entry; dynamic energy only, see ``left_out``.

    ``passes``: how often a sample visits the weights of a moving source, the unit of ``step``; on average
    where an EXIT ends inference.
    """

    rows: tuple[Row, ...]
    technology: Technology
    samples: int
    passes: float
    weight_reads: int
    analog: bool = False
    uncounted: bool = False

    @property
    def sample(self) -> Range:
        """pJ a sample."""
        return sum((row.sample for row in self.rows), Range(0.0, 0.0, 0.0))

    @property
    def step(self) -> Range:
        """pJ an inference step: a sample's energy, input, output and update included, shared out
        over its ``passes`` (T + 1 for IL, T for iPC, two for Z-IL and backprop)."""
        return self.sample * (1 / self.passes)

    @property
    def weight(self) -> Range:
        """pJ a weight in use that is read."""
        return self.sample * (self.samples / max(1, self.weight_reads))

    def share(self, group: str) -> float:
        """Part of the typical energy that a group takes."""
        return sum(r.sample.typical for r in self.rows if r.group == group) / self.sample.typical

    @property
    def shares(self) -> dict[str, float]:
        """Parts of arithmetic, memory and control; they add up to one."""
        return {group: self.share(group) for group in GROUPS}

    @property
    def left_out(self) -> tuple[str, ...]:
        """What the figures do not contain."""
        macro = ("the analog macro: its lines, converters and devices, and what programs them",) * self.analog
        return (*macro, *self.technology.excluded)

    @property
    def basis(self) -> str:
        """Where the counts come from, when no counter says it; else empty."""
        return UNCOUNTED if self.uncounted else ""

    @property
    def scope(self) -> str:
        """What every total must say in its own line: the largest part may be missing."""
        return ", without the analog macro" if self.analog else ""

    @property
    def unverified(self) -> dict[str, str]:
        """Entries in use that were not checked against their publication, and what about them."""
        names = dict.fromkeys(name for row in self.rows for name in row.unverified)
        return {name: self.technology.entries[name].unverified for name in names}


def estimate(program: Program, counters: dict[str, int], samples: int, technology: Technology,
             entry: str = "train", exits: Iterable[bool] = (),
             registers: Callable[..., dict[str, int]] = register_bits) -> Estimate:
    """The energy of a run of ``samples`` samples whose counters are ``counters``.

    ``exits``: the decisions of its unarmed EXITs. ``registers`` gives the register bits of a machine by
    block. Raises Mismatch when the counters are of another program or another number of samples.
    """
    exits = tuple(exits)
    events = accesses(program, entry, samples, exits)
    check(events, counters, not program.machine.kind.array)
    bits = registers(program.machine)
    rows = tuple(_row(c, samples, technology)
                 for c in components(program, counters, events, bits, technology))
    return Estimate(rows, technology, samples, passes(program, entry, samples, exits), counters["weight_reads"],
                    program.machine.kind.macro, not program.machine.counters)


def passes(program: Program, entry: str, samples: int, exits: Iterable[bool] = ()) -> float:
    """How often one sample visits the weights that are visited most, those of moving sources."""
    visits: Counter[int] = Counter()
    for instruction, times in executions(program, entry, samples, tuple(exits)):
        if instruction.op is Op.SWEEP and Sweep(instruction.fields["flags"]).weights:
            block = unpack(BLOCK, program.blocks[instruction.fields["block"]])
            for word in range(block["weight_base"], block["weight_base"] + block["columns"]):
                visits[word] += times
    return max(visits.values(), default=samples) / samples


def _row(c: Component, samples: int, technology: Technology) -> Row:
    doubtful = tuple(n for n in c.per_event.entries if technology.entries[n].unverified)
    return Row(c.name, c.group, c.count, c.per_event.energy, c.per_event.energy * (c.count / samples),
               c.per_event.formula, c.per_event.entries, c.per_event.derived, doubtful)
