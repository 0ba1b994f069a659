"""Sweeps at the least distances: what the timing table tells of gaps, and what the RTL does with shorter ones."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from golden.trace import Job
from hebbar.compiler.chaining import chained
from hebbar.compiler.control_flow import executed
from hebbar.compiler.gaps import gaps
from hebbar.compiler.program import Program
from hebbar.contract.beside import PASSING
from hebbar.contract.errors import Mismatch
from hebbar.contract.isa import LOOP_REGISTERS, Op, Sweep, decode
from hebbar.contract.timing import DESCRIPTOR_LATENCY
from sim.backends import golden, pysim
from sim.compare import compare
from sim.scoreboard import Scoreboard

__all__ = ["Shorter", "shorter", "soonest"]


def soonest(program: Program, found: Mapping[int, int], rounds: int = 1, entry: str = "train") -> int:
    """Take the sweeps of a run as soon as the tile and gaps allow, WAITs passed over and no EXIT leaving; returns the
    cycles. Raises Mismatch where the table has one overtake another."""
    board, now, sooner = Scoreboard(program, ()), 0, 0
    timing, code = program.machine.kind.timing(program.machine), [decode(w) for w in program.words]

    def cycle(taken: int | None = None, alone: bool = False) -> None:
        nonlocal now
        board.cycle(taken, {}, alone)
        now += 1

    for address, instruction in executed(code, program.entries[entry], (rounds, *[1] * (LOOP_REGISTERS - 1))):
        if instruction.op is Op.SWEEP:
            while now < max(sooner, timing.free + found.get(address, 0)):
                cycle()
            timing.sweep(now, program.descriptor(instruction.fields["block"])[0], Sweep(instruction.fields["flags"]))
            sooner = now + DESCRIPTOR_LATENCY + 2
            cycle(address)
        elif instruction.op not in PASSING | {Op.WAIT}:
            while not board.idle:
                cycle()
            cycle(alone=True)
    while not board.idle:
        cycle()
    return now


@dataclass(frozen=True)
class Shorter:
    """A gap that was a cycle short. ``told``: the scoreboard of an RTL run tells it; ``overtakes``: it would by the
    timing table, at the least distances; ``same``: golden machine and RTL agree all the same, where nothing is told."""

    address: int
    gap: int
    told: bool
    overtakes: bool
    same: bool


def shorter(job: Job) -> Iterator[Shorter]:
    """Each gap of the program of a job, which drains, in turn on Amaranth's simulator."""
    program = job.program
    found, code = gaps(program), [decode(w) for w in program.words]
    mine = {at for at, _ in executed(code, program.entries[job.entry], (job.count, *[0] * (LOOP_REGISTERS - 1)))}
    for address in sorted(mine & set(found)):
        changed = found | {address: found[address] - 1}
        one = replace(job, program=chained(program, changed))
        told, same = False, True
        try:
            same = not compare(one.program, golden.run(one), pysim.run(one)).total_mismatches
        except Mismatch:
            told = True
        overtakes = False
        try:
            soonest(program, changed, job.count, job.entry)
        except Mismatch:
            overtakes = True
        yield Shorter(address, found[address], told, overtakes, same)
