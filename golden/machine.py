"""The golden machine: what every bit must be, in NumPy.

It reads the same instruction words, descriptors and tables as the RTL and composes the twins of
its blocks. Nothing here knows about cycles (``hebbar.cycles``) or about buses.
"""

from collections.abc import Callable, Mapping

import numpy as np

from hebbar.compiler import Program
from hebbar.errors import BadInput
from hebbar.formats import Format
from hebbar.isa import Op, Sweep
from hebbar.memories import BLOCK, MAP, Mem, unpack
from hebbar.registers import MAX_RATE, RATES

from .array_macro import ArrayMacro
from .back_sums import BackSums
from .counters import Counters
from .fixed import Ints
from .neuron import Neuron, Rows, Saturations
from .row_engine import RowEngine
from .sequencer import Sequencer
from .table import Table
from .tile import Plan, Tile

__all__ = ["Machine", "Observer"]

Observer = Callable[[int, "Machine"], None]
"""Called with the program address at every fence: after a WAIT and at HALT."""

TILES: dict[str, type[Tile]] = {"rows": RowEngine, "array": ArrayMacro}


class Machine:
    """The machine with a program loaded; memories are int64 code arrays by neuron address.

    ``state``, ``error``, ``activity``, ``clamp``, ``base``, ``back``: shape (neuron_words * C,).
    ``plans`` by block; ``functions`` and ``derivatives`` are the tables; ``loops`` the LOOP registers.
    """

    def __init__(self, program: Program) -> None:
        self.program, self.config = program, program.machine
        self.saturations = Saturations.zero()
        self.counters = Counters(self.saturations)
        self.tile = TILES[self.config.tile](self.config)
        formats = self.config.formats
        self._neuron = Neuron(formats, self.saturations)
        size = 1 << formats.table_bits
        self.functions, self.derivatives = (
            [Table(list(entries[i:i + size]), formats, out) for i in range(0, len(entries), size)]
            for entries, out in ((program.functions, formats.activity),
                                 (program.derivatives, formats.derivative)))
        self.plans = [self._plan(word) for word in program.blocks]
        self.rates = np.zeros(RATES, np.int64)
        self.set_rates(0)
        self.loops = [0, 0, 0, 0]
        self._sequencer = Sequencer(program.words, lambda i: self.loops[i])
        neurons = self.config.neuron_words * self.config.lanes
        self.state, self.error, self.activity, self.clamp, self.base = (
            np.zeros(neurons, np.int64) for _ in range(5))
        self._back = BackSums(neurons, self.config.lanes)
        for name, code in program.constants.items():
            self.activity[self.where(name)] = code

    @property
    def weights(self) -> Ints:
        """The weight image, shape (words, P, C)."""
        return self.tile.weights

    @property
    def back(self) -> Ints:
        return self._back.values

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
        """Run an entry over samples, codes of shape (samples, size) by input population.

        Returns the streamed outputs the same way. Raises BadInput when an input is missing, has
        the wrong shape or a code outside its format.
        """
        count = self.prepare(entry, samples)
        outputs: dict[str, list[Ints]] = {t.population.name: [] for t in self.program.outputs[entry]}
        ins = (t.population.name for _ in range(count) for t in self.program.inputs[entry])
        outs = (t.population.name for _ in range(count) for t in self.program.outputs[entry])
        taken = {name: 0 for name in samples}
        for address, instruction in self._sequencer.run(self.program.entries[entry]):
            fields = instruction.fields
            if instruction.op is Op.SWEEP:
                self.sweep(fields["block"], Sweep(fields["flags"]), fields["gain"])
            elif instruction.op is Op.IN:
                name = next(ins)
                self._memory(fields)[...] = samples[name][taken[name]]
                taken[name] += 1
            elif instruction.op is Op.OUT:
                outputs[next(outs)].append(self._memory(fields).copy())
            elif observer is not None:
                observer(address, self)
        return {name: np.array(rows) for name, rows in outputs.items()}

    def sweep(self, block: int, flags: Sweep, gain: int) -> None:
        """Execute one SWEEP instruction."""
        plan = self.plans[block]
        live = slice(plan.rows.start, plan.rows.start + plan.count)
        activity = self.activity[plan.source] * plan.used
        weights = self.tile.read(plan) if flags.weights else None
        rows = Rows(np.zeros(plan.count, np.int64), *(getattr(self, m)[live] for m in
                    ("base", "state", "error", "back", "clamp", "activity")))
        if flags & Sweep.FWD:
            rows.sum = self.tile.forward(weights, plan, activity)[:plan.count]
        self._neuron(rows, flags, self.program.gains[gain], self.functions[plan.function],
                     self.derivatives[plan.function])
        error = np.zeros(plan.live.size, np.int64)
        error[:plan.count] = rows.error
        if flags & Sweep.TRN:
            self._back.add(plan, self.tile.transposed(weights, error))
        if flags & Sweep.UPD:
            self.tile.update(weights, plan, error, activity, self.rates, self.saturations.weight)
        for name in ("base", "state", "error", "activity"):
            getattr(self, name)[live] = getattr(rows, name)
        self.counters.sweep(self.tile.visits(plan, flags), plan.count, flags)

    def _memory(self, fields: dict[str, int]) -> Ints:
        """The part of a memory that IN or OUT moves."""
        memory = {Mem.ACTIVITY: self.activity, Mem.STATE: self.state, Mem.ERROR: self.error,
                  Mem.CLAMP: self.clamp}[Mem(fields["memory"])]
        start = fields["address"] * self.config.lanes
        return memory[start:start + fields["count"]]

    def _plan(self, word: int) -> Plan:
        """Unpack a block descriptor and its map entries."""
        b, lanes, tiles = unpack(BLOCK, word), self.config.lanes, self.config.row_tiles
        entries = self.program.maps[b["map_base"]:b["map_base"] + b["columns"]]
        columns = [unpack(MAP, e) for e in entries]
        lane = np.arange(lanes)
        spread = {key: np.repeat([c[key] for c in columns], lanes).astype(np.int64)
                  for key in ("lanes", "shift", "rate", "feedback", "plastic", "diagonal")}
        source = np.concatenate([c["source"] * lanes + lane for c in columns] or [lane[:0]])
        rows = np.arange(b["groups"] * tiles) + b["group_base"] * tiles
        own = (rows[:, None] == source) & (spread["diagonal"] == 1)
        live = np.arange(rows.size) < (b["groups"] - 1) * tiles + b["tail"]
        return Plan(
            base=b["weight_base"], stride=b["stride"], groups=b["groups"], columns=b["columns"],
            rows=slice(int(rows[0]), int(rows[-1]) + 1), live=live.astype(np.int64), source=source,
            used=(np.tile(lane, len(columns)) < spread["lanes"]).astype(np.int64),
            shift=spread["shift"], rate=spread["rate"], feedback=spread["feedback"],
            plastic=spread["plastic"], fresh=np.array([c["fresh"] for c in columns], np.int64),
            own=own if own.any() else None, function=b["function"])

    def prepare(self, entry: str, samples: Mapping[str, Ints]) -> int:
        """Check the inputs of a run, set its LOOP register and clamp mask; the number of samples."""
        self.loops[0] = self._check(entry, samples)
        for p in self.program.layout.network.populations:
            self.clamp[self.where(p.name)] = int(p.name in self.program.clamped(entry))
        return self.loops[0]

    def _check(self, entry: str, samples: Mapping[str, Ints]) -> int:
        """The number of samples; all inputs present, in shape and in range."""
        counts = set()
        for t in self.program.inputs[entry]:
            p = t.population
            if p.name not in samples:
                raise BadInput(f"no samples for population {p.name!r}; {entry} needs them.")
            codes = np.asarray(samples[p.name])
            if codes.ndim != 2 or codes.shape[1] != p.size or codes.dtype.kind not in "iu":
                raise BadInput(f"samples for {p.name!r} are {codes.dtype} of shape {codes.shape}; "
                               f"give integer codes of shape (samples, {p.size}).")
            limits = self._format(t.memory)
            if codes.size and not limits.lo <= codes.min() <= codes.max() <= limits.hi:
                raise BadInput(f"samples for {p.name!r} reach {codes.min()}..{codes.max()}; codes "
                               f"of {limits} go from {limits.lo} to {limits.hi}.")
            counts.add(len(codes))
        if len(counts) != 1:
            raise BadInput(f"inputs have different numbers of samples: {sorted(counts)}.")
        return counts.pop()

    def _format(self, memory: Mem) -> Format:
        f = self.config.formats
        return {Mem.ACTIVITY: f.activity, Mem.STATE: f.state, Mem.ERROR: f.error}[memory]
