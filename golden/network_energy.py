"""The energy of the network over inference steps, read out of a recorded trace.

    E = sum over populations of  1/2 sum e^2 / pi,  of a categorical one  -sum x log softmax(mu)

This is the (variational free) energy that predictive coding descends, not the machine's. Where the
steps are follows from the program: step t (t = 0..T) is complete when an ERR sweep has computed the
error of every population that has one from the states of step t; a state moves by STEP, and the
errors in memory stay those from before the move. The first barrier after that shows them. A categorical
error is there after its SEPARATE; softmax(mu) is read back as x - e, half a code at least.
Z-IL recomputes only the errors that its next update uses and backprop puts deltas in their place, so
both show step 0 alone; there, backprop's is the loss.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbar.compiler.control_flow import followed
from hebbar.compiler.network import Error, Population
from hebbar.compiler.parameters import effective
from hebbar.compiler.program import Program
from hebbar.contract.errors import BadInput
from hebbar.contract.isa import LOOP_REGISTERS, Into, Op, Sweep, decode
from hebbar.contract.memories import BLOCK, unpack

from .image import from_image
from .reference.rules import update
from .trace import Job, Trace

__all__ = ["Steps", "inference_energy", "inference_steps", "reference_energy"]


@dataclass(frozen=True)
class Steps:
    """Barriers of one sample: ``pc`` of each of them in order, and which show the errors of the inference steps.

    ``before``: for each step the last barrier before its first error was computed, which shows its states; where there
    is none, the first barrier. By the time its errors are seen, a sweep may have moved a state on.
    """

    pc: tuple[int, ...]
    steps: tuple[int, ...]
    before: tuple[int, ...] = ()


def inference_energy(program: Program, trace: Trace, sample: int) -> NDArray[np.float64]:
    """E of a recorded sample, shape (steps, populations), populations in the order of
    ``network.predicted``, in real units (codes / scale). Sum over axis 1 for the total.

    Raises BadInput when the trace holds no such sample, is of another program, or has moved the state of
    a categorical population.
    """
    entry, formats = _entry(program, trace), program.machine.formats
    decisions, start = iter(trace.decisions.tolist()), 0
    found = _steps(program, entry, decisions)
    for _ in range(sample):
        start += len(found.pc)
        found = _steps(program, entry, decisions) if trace.decisions.size else found
    if sample < 0 or start + len(found.pc) > len(trace.pc):
        raise BadInput(f"sample {sample} is not in the trace, which holds "
                       f"{np.count_nonzero(trace.pc == trace.pc[0])} samples with every step recorded.")
    if tuple(trace.pc[start:start + len(found.pc)]) != found.pc:
        raise BadInput(f"the barriers of sample {sample} are not those of this program; give the "
                       "trace of the same configuration.")
    shown, parts = [start + f for f in found.steps], []
    for p in program.layout.network.predicted:
        if p.error is Error.CATEGORICAL and p.name not in program.clamped(entry):
            raise BadInput(f"population {p.name!r} has categorical errors and moves in {entry}; record the training, "
                           "where it is clamped.")
        at = _where(program, p.name)
        error, state = trace.error[shown][:, at] / formats.error.scale, trace.state[shown][:, at] / formats.state.scale
        parts.append(_energy(p, error, state, 0.5 / formats.state.scale))
    return np.stack(parts, axis=1)


def _energy(p: Population, error: NDArray[Any], state: NDArray[Any], least: float) -> NDArray[np.float64]:
    """E of one population from its errors and states, shape (steps, size); ``least``: of a share."""
    if p.error is Error.CATEGORICAL:
        return -(state * np.log(np.maximum(state - error, least))).sum(axis=1)
    return 2.0 ** -(p.precision + 1) * (error**2).sum(axis=1)


def reference_energy(job: Job, weights: NDArray[np.int64], sample: int) -> NDArray[np.float64]:
    """The energy along inference of the float64 reference that learns from ``sample`` of a training job, starting
    from the weight image ``weights``: shape (steps, populations), the steps the machine shows."""
    program = job.program
    network, by_name = program.layout.network, program.layout.network.by_name
    clamps, f = {}, program.machine.formats
    for t in program.inputs["train"]:
        p = by_name[t.population.name]
        scale = 2.0**p.activity_frac if program.layout.fixed(p.name) else f.state.scale
        clamps[p.name] = job.samples[t.key][sample:sample + 1] / scale
    learned = update(network, from_image(program.layout, weights), clamps, effective(program),
                     2.0**-job.halvings)
    path = learned.relaxation
    energies = [[float(_energy(p, e[p.name], x[p.name], 0.5 / f.state.scale)[0]) for p in network.predicted]
                for e, x in (zip(path.errors, path.states) if path else ())]
    shown = len(inference_steps(program, "train").steps)
    return np.array(energies).reshape(-1, len(network.predicted))[:shown]


def inference_steps(program: Program, entry: str, decisions: Iterable[bool] = ()) -> Steps:
    """Walk one sample of an entry and find the barriers that show complete inference steps.

    ``decisions`` of the unarmed EXITs of the sample; those not given leave no loop.
    """
    return _steps(program, entry, iter(decisions))


def _steps(program: Program, entry: str, decisions: Iterator[bool]) -> Steps:
    walk, code = _Walk(program), [decode(word) for word in program.words]
    if not program.drains:
        raise BadInput("a chained or pipelined program does not stand still behind a step; record the same training "
                       "with rule.schedule 'drained'.")
    once, given = (1,) * LOOP_REGISTERS, chain(decisions, repeat(False))
    for address, instruction in followed(code, program.entries[entry], once, given):
        if instruction.op is Op.SWEEP:
            walk.sweep(instruction.fields)
        elif instruction.op is Op.SEPARATE:
            walk.separate(instruction.fields)
        elif instruction.op is Op.WAIT and instruction.barrier:
            walk.barrier(address)
    return Steps(tuple(walk.pc), tuple(walk.steps), tuple(walk.before))


def _entry(program: Program, trace: Trace) -> str:
    """The entry whose instructions the first barrier of a trace belongs to."""
    first = int(trace.pc[0]) if len(trace.pc) else -1
    before = {at: name for name, at in program.entries.items() if at <= first}
    if not before:
        raise BadInput("the trace has no barriers; run the job with every step recorded.")
    return before[max(before)]


def _where(program: Program, population: str) -> slice:
    place = program.layout.places[population]
    start = place.word * program.machine.lanes
    return slice(start, start + place.population.size)


@dataclass
class _Walk:
    """What is known of the errors while the sweeps of a sample pass by, by neuron word.

    ``done``: words with errors of this step; ``moved``: words whose states moved since; ``fed``: the words
    that the bases of a word were computed from.
    """

    program: Program
    pc: list[int] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    before: list[int] = field(default_factory=list)
    done: set[int] = field(default_factory=set)
    moved: set[int] = field(default_factory=set)
    fed: dict[int, set[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._complete, self._first = False, 0
        layout = self.program.layout
        self._needed = {w for b in layout.blocks.values() for w in layout.words(b)}
        self._predicted = {w for b in layout.blocks.values() if b.columns for w in layout.words(b)}

    def _rows(self, block: dict[str, int]) -> set[int]:
        """The neuron words of a descriptor's rows."""
        m, first = self.program.machine, block["group_base"]
        return {group * m.row_tiles // m.lanes for group in range(first, first + block["groups"])}

    def _sources(self, columns: list[dict[str, int]], rows: set[int]) -> set[int]:
        """The neuron words that feed a descriptor's rows through its ``columns``."""
        return {w for c in columns for w in
                ([c["source"]] if c["lanes"] else [(row + c["source"]) % 4096 for row in rows])}

    def sweep(self, fields: Mapping[str, int]) -> None:
        """Account for one SWEEP: errors written, states moved."""
        flags = Sweep(fields["flags"])
        block, columns = self.program.descriptor(fields["block"])
        rows = self._rows(block)
        sources = self._sources(columns, rows) if flags.weights else set()
        if flags & Sweep.HOIST:
            self.fed |= dict.fromkeys(rows, sources)
        if flags & Sweep.DELTA or (flags & Sweep.ERR and flags & Sweep.GATE):
            self._complete = False
            self.done -= rows
        elif flags & Sweep.ERR:
            self._error(rows, sources, bool(flags & (Sweep.FWD | Sweep.BASE)))
        if flags & (Sweep.STEP | Sweep.FIRE):
            self.moved |= rows

    def separate(self, fields: Mapping[str, int]) -> None:
        """Account for one SEPARATE: categorical errors, or something else in their place."""
        rows, into = self._rows(unpack(BLOCK, self.program.blocks[fields["block"]])), Into(fields["into"])
        if into is Into.DIFFERENCE:
            self._error(rows, set().union(*(self.fed.get(row, set()) for row in rows)), True)
        elif into is Into.ERROR:
            self._complete = False
            self.done -= rows
        else:
            self.moved |= rows

    def _error(self, rows: set[int], sources: set[int], compared: bool) -> None:
        """The errors of ``rows``, ``compared`` with predictions from ``sources``: part of the current step,
        or the first errors of the next."""
        if rows & (self.done | self.moved) or sources & self.moved:
            self.done, self.moved = set(), set()
        if not self.done:
            self._first = len(self.pc)
        if compared or not rows & self._predicted:
            self.done |= rows
        self._complete = self.done >= self._needed

    def barrier(self, address: int) -> None:
        """A WAIT: the errors in memory can be seen here."""
        if self._complete:
            self.steps.append(len(self.pc))
            self.before.append(max(0, self._first - 1))
            self._complete = False
        self.pc.append(address)
