"""The energy of the network: F = 1/2 sum e^2 over inference steps, read out of a recorded trace.

This is the (variational free) energy that predictive coding descends, not the machine's. Where the
steps are follows from the program: step t (t = 0..T) is complete when an ERR sweep has computed the
error of every population that has one from the states of step t; a state moves by STEP, and the
errors in memory stay those from before the move. The first fence after that shows them.
Z-IL recomputes only the errors that its next update uses and backprop puts deltas in their place, so
both show step 0 alone; there, backprop's is the loss.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from golden.image import from_image
from golden.reference.rules import update
from hebbar.compiler import Program
from hebbar.errors import BadInput
from hebbar.isa import Instruction, Op, Sweep, decode
from hebbar.memories import BLOCK, MAP, unpack

from .trace import Job, Trace

__all__ = ["Steps", "inference_energy", "inference_steps", "reference_energy"]


@dataclass(frozen=True)
class Steps:
    """Fences of one sample: ``pc`` of each of them in order, and which show the inference steps."""

    pc: tuple[int, ...]
    steps: tuple[int, ...]


def inference_energy(program: Program, trace: Trace, sample: int) -> NDArray[np.float64]:
    """1/2 sum e^2 of a recorded sample, shape (steps, populations), populations in the order of
    ``network.predicted``, in real units (error codes / scale). Sum over axis 1 for the total.

    Raises BadInput when the trace holds no such sample or is of another program.
    """
    found = inference_steps(program, _entry(program, trace))
    start, count = sample * len(found.pc), len(found.pc)
    if sample < 0 or start + count > len(trace.pc):
        raise BadInput(f"sample {sample} is not in the trace, which holds "
                       f"{len(trace.pc) // max(1, count)} samples with every step recorded.")
    if tuple(trace.pc[start:start + count]) != found.pc:
        raise BadInput(f"the fences of sample {sample} are not those of this program; give the "
                       "trace of the same configuration.")
    error = trace.error[[start + f for f in found.steps]] / program.machine.formats.error.scale
    parts = [error[:, _where(program, p.name)] for p in program.layout.network.predicted]
    return np.stack([0.5 * (part**2).sum(axis=1) for part in parts], axis=1)


def reference_energy(job: Job, weights: NDArray[np.int64], sample: int) -> NDArray[np.float64]:
    """The same of the float64 reference that learns from ``sample`` of a training job, starting
    from the weight image ``weights``: shape (steps, populations), the steps the machine shows."""
    program = job.program
    network, config, by_name = program.layout.network, program.config, program.layout.network.by_name
    clamps = {}
    for t in program.inputs["train"]:
        p, f = by_name[t.population.name], program.machine.formats
        scale = 2.0**p.activity_frac if program.layout.fixed(p.name) else f.state.scale
        clamps[p.name] = job.samples[p.name][sample:sample + 1] / scale
    learned = update(network, from_image(program.layout, weights), clamps, config.rule,
                     2.0**-job.halvings)
    errors = learned.relaxation.errors if learned.relaxation else ()
    energies = [[0.5 * float((e[p.name]**2).sum()) for p in network.predicted] for e in errors]
    shown = len(inference_steps(program, "train").steps)
    return np.array(energies).reshape(-1, len(network.predicted))[:shown]


def inference_steps(program: Program, entry: str) -> Steps:
    """Walk one sample of an entry and find the fences that show complete inference steps."""
    walk = _Walk(program)
    for address, instruction in _sample(program, entry):
        if instruction.op is Op.SWEEP:
            walk.sweep(instruction.fields)
        elif instruction.op is Op.WAIT:
            walk.fence(address)
    return Steps(tuple(walk.pc), tuple(walk.steps))


def _entry(program: Program, trace: Trace) -> str:
    """The entry whose instructions the first fence of a trace belongs to."""
    first = int(trace.pc[0]) if len(trace.pc) else -1
    before = {at: name for name, at in program.entries.items() if at <= first}
    if not before:
        raise BadInput("the trace has no fences; run the job with every step recorded.")
    return before[max(before)]


def _where(program: Program, population: str) -> slice:
    place = program.layout.places[population]
    start = place.word * program.machine.lanes
    return slice(start, start + place.population.size)


def _sample(program: Program, entry: str) -> list[tuple[int, Instruction]]:
    """What one pass of the sample loop executes, inner loops unrolled."""
    code = [decode(word) for word in program.words]

    def body(address: int, end: int) -> list[tuple[int, Instruction]]:
        out: list[tuple[int, Instruction]] = []
        while address < end:
            instruction = code[address]
            if instruction.op is Op.LOOP:
                after, count = instruction.fields["end"], instruction.fields["count"]
                out += body(address + 1, after - 1) * (1 if instruction.fields["register"] else count)
                address = after
            else:
                out.append((address, instruction))
                address += 1
        return out

    start = program.entries[entry]
    halt = next(a for a in range(start, len(code)) if code[a].op is Op.HALT)
    return body(start, halt)


@dataclass
class _Walk:
    """What is known of the errors while the sweeps of a sample pass by."""

    program: Program
    pc: list[int] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    done: set[str] = field(default_factory=set)
    moved: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._complete = False
        self._needed = {p.name for p in self.program.layout.network.predicted}
        places = self.program.layout.places
        self._group = {p.group: name for name, p in places.items()}
        self._word = {p.word + i: name for name, p in places.items() for i in range(p.words)}

    def sweep(self, fields: dict[str, int]) -> None:
        """Account for one SWEEP: errors written, states moved."""
        flags = Sweep(fields["flags"])
        block = unpack(BLOCK, self.program.blocks[fields["block"]])
        name = self._group[block["group_base"]]
        if flags & (Sweep.ERR | Sweep.DELTA):
            self._complete = False
            self.done.discard(name) if flags & Sweep.DELTA else self._error(name, block, flags)
        if flags & Sweep.STEP:
            self.moved.add(name)

    def _error(self, name: str, block: dict[str, int], flags: Sweep) -> None:
        """ERR of a population: part of the current step, or the first error of the next."""
        start, count = block["map_base"], block["columns"] if flags.weights else 0
        sources = {self._word[unpack(MAP, e)["source"]]
                   for e in self.program.maps[start:start + count]}
        if name in self.done or name in self.moved or sources & self.moved:
            self.done, self.moved = set(), set()
        columns = self.program.layout.blocks[name].columns
        if flags & (Sweep.FWD | Sweep.BASE) or not columns:
            self.done.add(name)
        self._complete = self.done == self._needed

    def fence(self, address: int) -> None:
        """A WAIT: the errors in memory can be seen here."""
        if self._complete:
            self.steps.append(len(self.pc))
            self._complete = False
        self.pc.append(address)
