"""The least work that a sample can be: the visits that its rule declares, on the network that runs.

A weight is visited when it is read, however much is done with it then. Nothing is skipped because it is zero. What
is declared follows from the equations of a rule and stands beside its schedule (``visits`` in
``hebbar.compiler.rules``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hebbar.contract.results import SampleCycles

from .blocks import Column
from .cycles import Cycles
from .rules import Schedule

if TYPE_CHECKING:
    from .program import Program

__all__ = ["Minimum", "minimum", "sample_cycles"]


@dataclass(frozen=True)
class Minimum:
    """The least work of one sample: ``visits`` of weights; ``cycles`` when every multiplier works on a weight in every
    cycle, and the same ``padded``, with every block filled up to whole words of C columns and groups of P rows. An
    array has a
    multiplier in every cell; ``padded`` there visits a block in a cycle."""

    visits: float
    cycles: float
    padded: float


def minimum(program: Program, entry: str = "train", steps: float | None = None) -> Minimum | None:
    """The least that a sample of ``entry`` can take; None where the rule declares no minimum.

    ``steps``: state steps instead of the configured ones, such as their mean where inference ends early.
    """
    rule, m = program.config.rule, program.machine
    s = Schedule(program.layout, rule if steps is None else rule.model_copy(update={"steps": steps}), entry)
    declared = s.definition.visits.get(entry)
    if declared is None:
        return None

    def visits(column: Column) -> float:
        return declared(s, column.edge) if column.lanes else 0

    columns = [(b, c, visits(c)) for b in program.layout.blocks.values() for c in b.columns]
    exact, padded = sum(n * c.lanes * b.rows for b, c, n in columns), sum(n * b.groups for b, c, n in columns)
    if m.kind.array:
        blocks = program.layout.blocks.values()
        return Minimum(exact, exact / (m.array_rows * m.array_columns),
                       sum(max((visits(c) for c in b.columns), default=0) for b in blocks))
    return Minimum(exact, exact / (m.lanes * m.row_tiles), padded)


def sample_cycles(program: Program) -> SampleCycles:
    """Cycles of one training sample in the steady state, where no EXIT leaves."""
    model, least = Cycles(program), minimum(program)
    return SampleCycles(**model.each("train"), minimum=least.cycles if least else None,
                        padded=least.padded if least else None, upper=model.exits("train"))
