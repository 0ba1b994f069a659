"""The golden machine: what every bit must be, in NumPy.

It reads the same instruction words, descriptors and tables as the RTL and composes the twins of
its blocks. Nothing here knows about cycles (``hebbar.compiler.cycles``) or about buses.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hebbar.compiler.program import Program
from hebbar.contract.effects import Resource
from hebbar.contract.errors import BadInput
from hebbar.contract.formats import Format
from hebbar.contract.isa import Into, Mode, Op, Sweep
from hebbar.contract.memories import Mem
from hebbar.contract.registers import MAX_RATE, RATES
from hebbar.contract.tiles import classes

from .counters import Counters
from .energy_sum import EnergySum
from .feedback_sums import FeedbackSums
from .fixed import Ints
from .image import checked_codes
from .neuron import Destination, Neuron, Rows, Saturations
from .plan import plan_block
from .separation import Separation
from .sequencer import Sequencer
from .table import Table
from .tile import Tile
from .written import Watcher, learnt, separated, swept

__all__ = ["Machine", "Observer"]

Observer = Callable[[int, "Machine"], None]
"""Called with the program address at every barrier: after a WAIT and at HALT."""

TILES: dict[str, type[Tile]] = classes("golden")
"""The class of each kind of ``hebbar.contract.tiles``."""


class Machine:
    """The machine with a program loaded; memories are int64 code arrays by neuron address.

    ``state``, ``error``, ``activity``, ``clamp``, ``base``, ``integral``, ``back``: shape (neuron_words * C,).
    ``plans`` by block; ``functions`` and ``derivatives`` are the tables; ``loops`` the LOOP registers;
    ``decisions`` of the unarmed EXITs of the last run, in their order, True where one left its loop. ``watcher``, if
    there is one, is told what every sweep and separation has written.
    """

    SEQUENCER: type[Sequencer] = Sequencer
    """What walks through the program."""

    def __init__(self, program: Program) -> None:
        self.program, self.config = program, program.machine
        self.saturations = Saturations.zero()
        self.counters = Counters(self.saturations)
        self.tile = TILES[self.config.tile](self.config)
        formats = self.config.formats
        self._neuron = Neuron(formats, self.saturations)
        self._separation, self._energy = Separation(formats, self.saturations), EnergySum()
        self.decisions: list[bool] = []
        self.watcher: Watcher | None = None
        size = 1 << formats.table_bits
        self.functions, self.derivatives = (
            [Table(list(entries[i:i + size]), formats, out) for i in range(0, len(entries), size)]
            for entries, out in ((program.functions, formats.activity),
                                 (program.derivatives, formats.derivative)))
        self.plans = [plan_block(program, word, self.config.kind.identities) for word in program.blocks]
        self.rates = np.zeros(RATES, np.int64)
        self.set_rates(0)
        self.loops = [0, 0, 0, 0]
        self._sequencer = self.SEQUENCER(program.words, lambda i: self.loops[i], self.units, self._leave,
                                         self.config.integral, self.config.updates)
        neurons = self.config.neuron_words * self.config.lanes
        self.state, self.error, self.activity, self.clamp, self.base, self.integral = (
            np.zeros(neurons, np.int64) for _ in range(6))
        self._back = FeedbackSums(neurons, self.config.lanes)
        for name, code in program.constants.items():
            self.activity[self.where(name)] = code

    @property
    def weights(self) -> Ints:
        """The weight image, shape (words, P, C)."""
        return self.tile.weights

    @property
    def limited(self) -> dict[str, float]:
        """Shares of the values that the tile cut off since the machine was made, by what they are."""
        return self.tile.limited

    def load(self, weights: Ints) -> None:
        """Set the weights to an image (words, P, C), as the host does. Raises BadInput for codes outside the format."""
        self.tile.load(checked_codes(self.config, weights))

    def read_back(self) -> Ints:
        """The image (words, P, C) as the host reads it: single cells of an analog macro, with their noise."""
        return self.tile.read_back()

    @property
    def back(self) -> Ints:
        return self._back.values

    @property
    def units(self) -> list[Op]:
        """Instructions whose optional unit this machine has."""
        return [op for op, built in ((Op.SEPARATE, self.config.separation), (Op.EXIT, self.config.energy)) if built]

    def where(self, population: str) -> slice:
        """The neuron addresses of a population."""
        place = self.program.layout.places[population]
        start = place.word * self.config.lanes
        return slice(start, start + place.population.size)

    def set_rates(self, halvings: int) -> None:
        """Write the RATE registers; every alpha is the configured one times 2**-halvings."""
        for i, rate in enumerate(self.program.rates):
            self.rates[i] = min(rate + halvings, MAX_RATE)

    def run(self, entry: str, samples: Mapping[str, Ints], observer: Observer | None = None,
            ) -> dict[str, Ints]:
        """Run an entry over samples, codes of shape (samples, size) by key of the input transfer.

        Returns the streamed outputs the same way. Raises BadInput when an input is missing, has
        the wrong shape or a code outside its format.
        """
        count = self.prepare(entry, samples)
        self._energy, self.decisions = EnergySum(), []
        outputs: dict[str, list[Ints]] = {t.key: [] for t in self.program.outputs[entry]}
        ins = (t.key for _ in range(count) for t in self.program.inputs[entry])
        outs = (t.key for _ in range(count) for t in self.program.outputs[entry])
        taken = dict.fromkeys(samples, 0)
        for address, instruction in self._sequencer.run(self.program.entries[entry]):
            fields = instruction.fields
            if instruction.op is Op.SWEEP:
                self.sweep(fields["block"], Sweep(fields["flags"]), fields["gain"])
            elif instruction.op is Op.SEPARATE:
                self.separate(fields["block"], Mode(fields["mode"]), Into(fields["into"]))
            elif instruction.op is Op.IN:
                name = next(ins)
                self._memory(fields)[...] = samples[name][taken[name]]
                taken[name] += 1
            elif instruction.op is Op.OUT:
                outputs[next(outs)].append(self._memory(fields).copy())
            elif observer is not None:
                observer(address, self)
        sizes = {t.key: t.population.size for t in self.program.outputs[entry]}
        return {name: np.array(rows, np.int64).reshape(-1, sizes[name]) for name, rows in outputs.items()}

    def sweep(self, block: int, flags: Sweep, gain: int) -> None:
        """Execute one SWEEP instruction."""
        plan = self.plans[block]
        valid = slice(plan.rows.start, plan.rows.start + plan.count)
        activity = self.activity[plan.source] * plan.used
        weights: Any = self.tile.read(plan) if flags.weights else None
        rows = Rows(np.zeros(plan.count, np.int64), *(getattr(self, m)[valid] for m in
                    ("base", "state", "error", "back", "clamp", "activity", "integral")))
        if flags & Sweep.FWD:
            rows.sum = (self.tile.forward(weights, plan, activity)[:plan.count]
                        + self.tile.identity(plan, self.activity))
        self._neuron(rows, flags, self.program.gains[gain], Destination(
            self.functions[plan.function], self.derivatives[plan.function], plan.precision, plan.align))
        operand = np.zeros(plan.valid.size, np.int64)
        operand[:plan.count] = rows.operand
        if flags & Sweep.TRN:
            for part in plan.passes:
                self._back.add(plan, part, self.tile.transposed(weights[part], operand[part]),
                               operand[part] * self.tile.one)
        if flags & Sweep.UPD:
            self.tile.update(weights, plan, operand, activity, self.rates, self.saturations.weight)
        for name in ("base", "state", "error", "activity", "integral"):
            getattr(self, name)[valid] = getattr(rows, name)
        if flags & Sweep.ERR:
            self._energy.add(rows.error)
        self.counters.sweep(self.tile.visits(plan, flags), plan.count, flags)
        if self.watcher:
            for resource, name in swept(flags):
                self.watcher.add(resource, np.arange(valid.start, valid.stop), getattr(self, name)[valid])
            if flags & Sweep.UPD and not self.config.kind.macro:
                at = learnt(plan, self.config)
                self.watcher.add(Resource.WEIGHT, at, self.weights.reshape(-1)[at])

    def separate(self, block: int, mode: Mode, into: Into) -> None:
        """Execute one SEPARATE instruction."""
        plan = self.plans[block]
        if plan.count > self.config.separation:
            raise BadInput(f"block {block} has {plan.count} rows to SEPARATE and machine.separation is "
                           f"{self.config.separation}; raise it to {plan.count}.")
        valid = slice(plan.rows.start, plan.rows.start + plan.count)
        values = self._separation(self.base[valid], self.state[valid], mode, into, self.program.beta)
        (self.state if into is Into.STATE else self.error)[valid] = values
        self.counters.separate(plan.count)
        if self.watcher:
            resource, name = separated(into)
            self.watcher.add(resource, np.arange(valid.start, valid.stop), getattr(self, name)[valid])

    def _leave(self, arm: bool) -> bool:
        """Execute an EXIT; True when it leaves."""
        leaves = self._energy.exit(arm, self.program.tolerance)
        if not arm:
            self.decisions.append(leaves)
        if leaves:
            self.counters.exit()
        return leaves

    def _memory(self, fields: Mapping[str, int]) -> Ints:
        """The part of a memory that IN or OUT moves."""
        memory = {Mem.ACTIVITY: self.activity, Mem.STATE: self.state, Mem.ERROR: self.error,
                  Mem.CLAMP: self.clamp}[Mem(fields["memory"])]
        start = fields["address"] * self.config.lanes
        return memory[start:start + fields["count"]]

    def prepare(self, entry: str, samples: Mapping[str, Ints]) -> int:
        """Check the inputs of a run, set its LOOP register and clamp mask, clear what START clears;
        the number of samples."""
        self.loops[0] = self._check(entry, samples)
        self.base[...] = self.back[...] = self.integral[...] = 0
        for p in self.program.layout.network.populations:
            self.clamp[self.where(p.name)] = int(p.name in self.program.clamped(entry))
        return self.loops[0]

    def _check(self, entry: str, samples: Mapping[str, Ints]) -> int:
        """The number of samples; all inputs present, in shape and in range."""
        counts = set()
        for t in self.program.inputs[entry]:
            size = t.population.size
            if t.key not in samples:
                raise BadInput(f"no samples for population {t.key!r}; {entry} needs them.")
            codes = np.asarray(samples[t.key])
            if codes.ndim != 2 or codes.shape[1] != size or codes.dtype.kind not in "iu":
                raise BadInput(f"samples for {t.key!r} are {codes.dtype} of shape {codes.shape}; "
                               f"give integer codes of shape (samples, {size}).")
            what, lo, hi = self._codes(t.memory)
            if codes.size and not lo <= codes.min() <= codes.max() <= hi:
                raise BadInput(f"samples for {t.key!r} reach {codes.min()}..{codes.max()}; codes "
                               f"of {what} go from {lo} to {hi}.")
            counts.add(len(codes))
        if len(counts) != 1:
            raise BadInput(f"inputs have different numbers of samples: {sorted(counts)}.")
        return counts.pop()

    def _codes(self, memory: Mem) -> tuple[Format | str, int, int]:
        """What a memory holds, and its least and its greatest code."""
        if memory is Mem.CLAMP:
            return "a clamp mask", 0, 1
        f = self.config.formats
        format = {Mem.ACTIVITY: f.activity, Mem.STATE: f.state, Mem.ERROR: f.error}[memory]
        return format, format.lo, format.hi
