"""Long jobs in parts that fit into memory: the beginning at every barrier, the whole by its results."""

from collections.abc import Sequence
from dataclasses import replace

from golden.trace import Job
from hebbar.compiler.barriers import learning_barriers
from hebbar.compiler.executions import most_executions
from hebbar.compiler.program import Program
from hebbar.contract.isa import Op, Sweep

from .compare import Comparison

__all__ = ["RECORDED", "barrier_bytes", "parts_of", "merged", "written_bytes"]

RECORDED = 1 << 29
"""Bytes that a trace may take."""


def barrier_bytes(program: Program, entry: str) -> int:
    """Bytes that a sample adds to a trace, at most: memories at every barrier, weights after updates."""
    m, learning = program.machine, learning_barriers(program)
    rows, image = 3 * m.neuron_words * m.lanes, m.weight_words * m.row_tiles * m.lanes
    return 4 * sum(times * (rows + image * (address in learning))
                   for address, instruction, times in most_executions(program, entry)
                   if instruction.barrier and instruction.op is not Op.HALT)


def written_bytes(program: Program, entry: str) -> int:
    """Bytes that a sample adds to a log of all writes, at most: a place and a value for each weight that an UPD writes,
    beside which all else is little."""
    size, total = 16 * program.machine.row_tiles * program.machine.lanes, 0
    for _, instruction, times in most_executions(program, entry):
        if instruction.op is Op.SWEEP and instruction.fields["flags"] & Sweep.UPD:
            block, columns = program.descriptor(instruction.fields["block"])
            total += times * block["groups"] * size * sum(bool(c["lanes"] and c["plastic"]) for c in columns)
    return total


def parts_of(job: Job, limit: int = RECORDED) -> list[Job]:
    """The job, every step recorded; where that takes more than ``limit`` bytes, first as many of its samples as fit,
    and then all of them with outputs, final weights and counters alone."""
    count = max(limit // max(barrier_bytes(job.program, job.entry), 1), 1)
    if count >= job.count:
        return [job]
    beginning = {key: values[:count] for key, values in job.samples.items()}
    return [replace(job, samples=beginning), replace(job, steps=False)]


def merged(comparisons: Sequence[Comparison]) -> Comparison:
    """All parts as one comparison; its first difference is that of the earliest part."""
    words: dict[str, int] = {}
    mismatches: dict[str, int] = {}
    for c in comparisons:
        for total, counts in ((words, c.words), (mismatches, c.mismatches)):
            for name, number in counts.items():
                total[name] = total.get(name, 0) + number
    return Comparison(words, mismatches, next((c.first for c in comparisons if c.first), None))
