"""Any schedule in float64: the micro-operations of a program without formats, rounding or saturation of data.

It runs every rule, the user's own included, on the layout that the machine has, so that float and fixed
point differ in arithmetic alone: gamma, other gains and tolerance are those that the registers hold. For IL, iPC,
Z-IL and backprop there are independent implementations in ``rules`` and ``plan``.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from hebbar.compiler.layout import Block
from hebbar.compiler.network import Edge
from hebbar.compiler.parameters import effective, gain_code
from hebbar.compiler.program import Program
from hebbar.compiler.schedule import ExitOp, LoopOp, MicroOp, SeparateOp, SweepOp, TransferOp
from hebbar.contract.errors import BadInput
from hebbar.contract.isa import Into, Mode, Op, Sweep
from hebbar.contract.memories import Mem

from ..streams import checked_reals
from .energy import functions
from .state import Array, Weights

__all__ = ["FloatMachine"]

Neurons = slice | np.ndarray


@dataclass(frozen=True)
class _Part:
    """The columns of a view that belong to one edge: their neurons; of stored ones their weights."""

    edge: Edge
    neurons: Neurons
    matrix: Array | None
    columns: Neurons
    overwrite: bool
    feeds: bool


class FloatMachine:
    """A program with its weights; memories are float64 arrays by neuron address, as in ``golden.machine``.

    ``weights`` by (source, target), changed in place; ``rule`` with its parameters as the machine holds them;
    ``halvings``: how often every alpha is halved; ``steps_left``: for every loop that an EXIT left, the iterations it
    saved.
    """

    def __init__(self, program: Program, weights: Weights) -> None:
        self.program, self._layout, m = program, program.layout, program.machine
        self.weights = {key: np.array(w, np.float64) for key, w in weights.items()}
        self.rule, self.halvings = effective(program), 0
        self.state, self.error, self.activity, self.base, self.integral, self.back = (
            np.zeros(m.neuron_words * m.lanes) for _ in range(6))
        self.clamp = np.zeros(m.neuron_words * m.lanes, bool)
        for name in program.constants:
            self.activity[self.where(name)] = 1.0
        self._parts: dict[int, tuple[SweepOp, list[_Part]]] = {}
        self._energy = self._previous = 0.0
        self.steps_left: list[int] = []

    def where(self, name: str) -> slice:
        """The neuron addresses of a population."""
        place = self._layout.places[name]
        return slice(place.word * self.program.machine.lanes, place.word * self.program.machine.lanes
                     + place.population.size)

    def run(self, entry: str, samples: Mapping[str, Array]) -> dict[str, Array]:
        """Run an entry over samples, real numbers of shape (samples, size) by key of the input transfer;
        returns the outputs the same way. Raises BadInput for an entry or samples that the program does not take, and
        where numbers grow beyond float64."""
        self._samples = checked_reals(self.program, entry, samples)
        clamped = self.program.clamped(entry)
        self._clamped = set(clamped)
        for p in self._layout.network.populations:
            self.clamp[self.where(p.name)] = p.name in clamped
        self.base[...] = self.integral[...] = self.back[...] = 0.0
        self._at = 0
        self._outputs: dict[str, list[Array]] = {t.key: [] for t in self.program.outputs[entry]}
        (loop,) = self.program.schedules[entry]
        assert isinstance(loop, LoopOp), "every schedule is one loop over the samples"
        count = len(next(iter(self._samples.values())))
        with np.errstate(over="ignore", invalid="ignore"):  # said below
            for self._at in range(count):
                self._all(loop.body)
        sizes = {t.key: t.population.size for t in self.program.outputs[entry]}
        outputs = {name: np.array(rows, np.float64).reshape(-1, sizes[name]) for name, rows in self._outputs.items()}
        weights = {f"weights {source} to {target}": w for (source, target), w in self.weights.items()}
        for name, values in [*outputs.items(), *weights.items()]:
            if not np.isfinite(values).all():
                raise BadInput(f"{name} grew beyond float64 in {entry!r}; lower rule.gamma, the learning rates or the "
                               "initial weights.")
        return outputs

    def _all(self, ops: Iterable[MicroOp]) -> bool:
        """Execute ``ops``; True when an EXIT leaves the loop around them."""
        for op in ops:
            if isinstance(op, SweepOp):
                self._sweep(op)
            elif isinstance(op, TransferOp):
                self._transfer(op)
            elif isinstance(op, SeparateOp):
                self._separate(op)
            elif isinstance(op, LoopOp):
                for i in range(op.count):
                    if self._all(op.body):
                        self.steps_left.append(op.count - 1 - i)
                        break
            elif isinstance(op, ExitOp) and self._exit(op):
                return True
        return False

    def _transfer(self, op: TransferOp) -> None:
        memory = {Mem.ACTIVITY: self.activity, Mem.STATE: self.state, Mem.ERROR: self.error,
                  Mem.CLAMP: self.clamp}[Mem(op.memory)]
        key = f"{op.population}.clamp" if op.memory == Mem.CLAMP else op.population
        if op.op is Op.IN:
            memory[self.where(op.population)] = self._samples[key][self._at]
        else:
            self._outputs[key].append(memory[self.where(op.population)].copy())

    def _exit(self, op: ExitOp) -> bool:
        energy, self._energy = self._energy, 0.0
        leaves = not op.arm and self._previous - energy < self.rule.tolerance
        self._previous = self._previous if leaves else energy
        return leaves

    def _rows(self, block: Block) -> slice:
        start = self.where(block.name).start + block.first
        return slice(start, start + block.rows)

    def _sweep(self, op: SweepOp) -> None:
        f, rows, p = op.flags, self._rows(op.block), op.block.place.population
        parts = self._views(op) if f.weights else []
        function, slope = functions(p.activation)
        total = self.base[rows].copy() if f & Sweep.BASE else np.zeros(op.block.rows)
        inputs = [self.activity[part.neurons].copy() for part in parts]
        if f & Sweep.FWD:
            for part, a in zip(parts, inputs):
                total += a if part.matrix is None else part.matrix[:, part.columns] @ a
        free, x, old = ~self.clamp[rows], self.state[rows], self.activity[rows].copy()
        if f & Sweep.ERR:
            mu = 0.0 if f & Sweep.GATE else total
            if f & Sweep.INIT:
                x[free] = np.broadcast_to(mu, x.shape)[free]
            self.error[rows] = (x - mu) * 2.0**p.precision
            if f & Sweep.INTEGRATE:
                self.integral[rows] = (0.0 if f & Sweep.INIT else self.integral[rows]) + self.error[rows]
                self.error[rows] += self.integral[rows]
            self._energy += 0.5 * float((self.error[rows]**2).sum())
        drive = (old if f & Sweep.POST else self.error[rows]) * (-1.0 if f & Sweep.NEG else 1.0)
        if f & (Sweep.STEP | Sweep.DELTA):
            back = (self.back[rows] if f & Sweep.BACK else 0.0) + (total if f & Sweep.GATE else 0.0)
            pull = slope(x) * back
            if f & Sweep.DELTA:
                self.error[rows] = pull
            if f & Sweep.STEP:
                gamma = self.rule.gamma if op.gain is None else self._gain(op.gain)
                x[free] += (gamma * (pull - self.error[rows]))[free]
        if f & Sweep.ACT:
            self.activity[rows] = function(x)
        if f & Sweep.FIRE:
            x[free & (x >= 1.0)] = 0.0
        if f & Sweep.HOIST:
            self.base[rows] = total
        self._feed_and_learn(op, parts, inputs, drive)

    def _gain(self, gain: float) -> float:
        """A gain as the machine holds it."""
        form = self.program.machine.formats.gain
        return gain_code(gain, self.rule, form) / form.scale

    def _feed_and_learn(self, op: SweepOp, parts: list[_Part], inputs: list[Array], drive: Array) -> None:
        for part, a in zip(parts, inputs):
            if op.flags & Sweep.TRN and part.feeds:
                back = drive if part.matrix is None else drive @ part.matrix[:, part.columns]
                self.back[part.neurons] = back if part.overwrite else self.back[part.neurons] + back
            if op.flags & Sweep.UPD and part.matrix is not None and part.edge.plastic:
                part.matrix[:, part.columns] = self._learnt(op, part, part.matrix[:, part.columns], np.outer(drive, a))

    def _learnt(self, op: SweepOp, part: _Part, old: Array, product: Array) -> Array:
        alpha = 2.0 ** -(part.edge.alpha_shift + op.slower + self.halvings)
        new = old + alpha * product
        if part.edge.zero_diagonal:
            own = (np.arange(op.block.rows) + op.block.first)[:, None] == np.arange(
                self.weights[_key(part.edge)].shape[1])[part.columns]
            new = np.where(own, old, new)
        return np.maximum(new, 0.0) if part.edge.positive else new

    def _separate(self, op: SeparateOp) -> None:
        rows = self._rows(op.block)
        s, beta = self.base[rows], self.rule.beta
        if op.mode is Mode.SOFTMAX:
            p = np.exp(beta * (s - s.max()))
            p /= p.sum()
        else:
            p = (np.arange(s.size) == s.argmax()).astype(np.float64)
        if op.into is Into.STATE:
            self.state[rows] = p
        else:
            self.error[rows] = self.state[rows] - p if op.into is Into.DIFFERENCE else p

    def _views(self, op: SweepOp) -> list[_Part]:
        """The parts of a sweep's view, made once for each micro-operation and entry."""
        key = hash((id(op), tuple(sorted(self._clamped))))
        if key not in self._parts:
            self._parts[key] = op, self._cut(op)
        return self._parts[key][1]

    def _cut(self, op: SweepOp) -> list[_Part]:
        lanes, parts, starts = self.program.machine.lanes, list[_Part](), {}
        begun: set[int] = set()
        for c in op.columns:  # what an earlier column of the sweep has begun, a later one adds to
            fed = self._layout.sources(op.block, c)
            starts[c], begun = fed[0] in op.overwrite and fed[0] not in begun, begun | set(fed)
        edges = dict.fromkeys(c.edge for c in op.columns)
        for edge in edges:
            mine = [c for c in op.columns if c.edge == edge]
            words = [w for c in mine for w in self._layout.sources(op.block, c)]
            feeds = edge.source not in self._clamped if op.feeds is None else edge.source in op.feeds
            for overwrite in (True, False):
                chosen = [c for c in mine if starts[c] is overwrite]
                if not chosen:
                    continue
                if edge.identity:
                    first = words[0] * lanes
                    parts.append(_Part(edge, slice(first, first + op.block.rows), None, slice(0), overwrite, feeds))
                    continue
                columns = np.concatenate([np.arange(c.offset, c.offset + c.lanes) for c in chosen])
                matrix = self.weights[_key(edge)][op.block.first:op.block.first + op.block.rows]
                start = self.where(edge.source).start
                parts.append(_Part(edge, _slice(columns + start), matrix, _slice(columns), overwrite, feeds))
        return parts


def _key(edge: Edge) -> tuple[str, str]:
    """The weights that an edge reaches."""
    source, target = edge.shares.split(":") if edge.shares else (edge.source, edge.target)
    return source, target


def _slice(index: np.ndarray) -> Neurons:
    """The index as a slice where it has no gaps, else as it is."""
    whole = index.size == index[-1] - index[0] + 1
    return slice(int(index[0]), int(index[-1]) + 1) if whole else index
