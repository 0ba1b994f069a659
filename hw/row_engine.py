"""The row engine: a digital tile that reads one word of weights a cycle, row by row."""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.fifo import SyncFIFO

from hebbar.compiler.cycles import RowTiming
from hebbar.contract.fifos import COARSE_BITS, FINE_BITS, FINEST, address_bits
from hebbar.contract.geometry import ports
from hebbar.contract.isa import ISSUE_FLAGS, OPERAND_FLAGS, WEIGHT_FLAGS, Sweep
from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import MAP, Mem
from hebbar.contract.timing import TREE_LEVELS

from .bank import Bank
from .delay import Delay
from .fields import asks
from .fixed import named, pipe, popcount, tree
from .pipeline import busy_behind, check_latency, staged
from .row_stages import Back, Front
from .tile import Shapes, TileSignature, mac_count
from .walk import Walk
from .weight_update import Update
from .word_queue import WordQueue

__all__ = ["RowEngine"]


class RowEngine(wiring.Component):
    """FWD, TRN and UPD of one word of P x C weights on a single read of it.

    The front reads words in address order and sums along the rows. A row's error comes back from
    the neuron unit; its words have been waiting in a FIFO and then feed back and learn, one word a
    cycle, while the front already reads the next rows or the next sweep.

    An identity column takes its slot like any other. Its entry gets the source word of this row, the
    word read from the weight memory is replaced by ones at the rows' own lanes (the largest weight
    where 1 does not fit), and the rest of the tile knows it by ``lanes`` 0.

    Throughput: one word a cycle for every flag set. Latency and busy cycles:
    ``hebbar.compiler.cycles.RowTiming``. Multipliers: three a lane (FWD, TRN, UPD), or two where ``machine.updates`` is
    shared (no sweep then has TRN and UPD) or none.

    Parameters
    ----------
    machine : MachineConfig
        Formats, P row tiles, C lanes and the sizes of memories.

    Attributes
    ----------
    * : see hw.tile.TileSignature
    """

    def __init__(self, machine: MachineConfig) -> None:
        self.machine, self.shapes = machine, Shapes(machine)
        self.timing = RowTiming(machine)
        self._updates, self._shared = machine.updates != "none", machine.updates == "shared"
        self._at = Front(-(-((machine.lanes - 1).bit_length() - 1) // TREE_LEVELS))
        self._part_bits = (machine.lanes // machine.row_tiles - 1).bit_length()
        super().__init__(TileSignature(machine))

    def elaborate(self, platform):
        at = self._at
        check_latency("RowTiming.sum_latency", self.timing.sum_latency, at.row_sum - at.slot)
        check_latency("RowTiming.back_latency", self.timing.back_latency, at.error - at.slot)
        m = Module()
        m.submodules.weights = self._bank = Bank(ports(self.machine)[Mem.WEIGHT])
        wiring.connect(m, wiring.flipped(self.host), self._bank.host)
        slot = self._front(m)
        words = self._words(m, slot)
        self._sums(m, words)
        head, queued, waiting = self._queue(m, words)
        busy_back = self._back(m, head, queued)
        m.d.comb += self.idle.eq(~(self._walk.active | words["busy"] | waiting | busy_back))
        return m

    def _front(self, m: Module) -> dict[str, Value]:
        """Walk the words of a sweep; returns what is known of this cycle's slot."""
        m.submodules.walk = walk = self._walk = Walk(self.machine)
        wiring.connect(m, wiring.flipped(self.sweep), walk.sweep)
        flags = walk.tag.flags
        reads = named(m, asks(flags, WEIGHT_FLAGS), "asks_weights")
        m.d.comb += [self.map_address.eq(walk.map_address), self.issue.eq(walk.active & reads),
                     self.slot.eq(walk.active & ~reads), self.set.eq(Cat(asks(flags, f) for f in ISSUE_FLAGS))]
        return {"valid": walk.active, "reads": walk.active & reads, "first": walk.first, "last": walk.last,
                "address": walk.address, "tag": walk.tag.as_value()}

    def _words(self, m: Module, slot: dict[str, Value]) -> dict:
        """Follow a slot to its weights and activities (2 cycles later) and their products."""
        at = self._at
        m.submodules.tags = self._tags = Delay(self.shapes.tag, at.row_sum - at.slot)
        m.d.comb += self._tags.value.eq(slot["tag"])
        slot = {name: staged(m, value, at.slot, at.row_sum, f"slot_{name}", reset=name in ("valid", "reads"))
                for name, value in slot.items()}
        fetched = Signal(self.shapes.entry)
        entry = Signal(self.shapes.entry)
        source = Signal(entry.source.shape())
        m.d.sync += [fetched[name].eq(self.map[name]) for name in MAP]
        group = self._tag(slot, at.entry).group
        m.d.comb += [source.eq(fetched.source + Mux(fetched.lanes == 0, group >> self._part_bits, 0)),
                     entry.eq(fetched), entry.source.eq(source), self.activity_address.eq(source),
                     self._bank.read_address[0].eq(slot["address"][at.entry])]
        entries = {stage: data.View(self.shapes.entry, value)
                   for stage, value in staged(m, entry.as_value(), at.entry, at.word, "entry").items()}
        loaded = entries[at.loaded]
        identity = named(m, loaded.lanes == 0, "identity")
        activity = [Mux(identity | (loaded.lanes > i), a, 0).as_signed() for i, a in enumerate(self.activity)]
        activity = [staged(m, a, at.loaded, at.word, f"activity{i}")[at.word] for i, a in enumerate(activity)]
        weights = self._weights(m, identity, self._tag(slot, at.loaded).group)
        weights = [staged(m, w, at.loaded, at.word, f"word{n}")[at.word] for n, w in enumerate(weights)]
        rows = popcount(m, self._tag(slot, at.loaded).valid_rows, "valid_rows")
        rows = staged(m, rows, at.loaded, at.word, "rows")[at.word]
        count = mac_count(rows, entries[at.word].lanes, slot["reads"][at.word])
        count = staged(m, count, at.word, at.product, "count", reset=True)[at.product]
        forward = asks(self._tag(slot, at.product).flags, Sweep.FWD)
        m.d.comb += [self.reads.eq(count), self.mac_fwd.eq(Mux(forward, count, 0))]
        busy = busy_behind(m, list(slot["valid"].values())[:-1], "front_busy")
        rate = staged(m, self.rates[loaded.rate], at.loaded, at.word, "rate")[at.word]
        return {"slot": slot, "entry": entries[at.word], "activity": activity, "busy": busy, "weights": weights,
                "rate": rate}

    def _tag(self, slot: dict[str, dict], stage: int) -> data.View:
        """The tag of the word that is in a stage."""
        return data.View(self.shapes.tag, slot["tag"][stage])

    def _weights(self, m: Module, identity: Value, group: Value) -> list[Value]:
        """The word just read; for an identity column row p has one at lane part * P + p."""
        tiles, lanes = self.machine.row_tiles, self.machine.lanes
        part, one = group[:self._part_bits], min(1 << self.machine.weight_frac, self.machine.formats.weight.hi)
        parts = [named(m, part == i, f"part_{i}") for i in range(lanes // tiles)]
        weights = []
        for n, stored in enumerate(self._bank.read_data[0]):
            p, i = divmod(n, lanes)
            own = Mux(parts[i // tiles], one, 0) if i % tiles == p else 0
            weights.append(named(m, Mux(identity, own, stored).as_signed(), f"weight{p}_{i}"))
        return weights

    def _sums(self, m: Module, words: dict) -> None:
        """Products, adder trees and the sums along the rows; hands rows to the neuron unit."""
        at, lanes, slot, weights = self._at, self.machine.lanes, words["slot"], words["weights"]
        shift = staged(m, words["entry"].shift, at.word, at.tree, "shift")[at.tree]
        tag = self._tag(slot, at.tree)
        forward = asks(tag.flags, Sweep.FWD)
        for p in range(self.machine.row_tiles):
            products = []
            for i in range(lanes):
                product = staged(m, weights[p * lanes + i] * words["activity"][i], at.word, at.product, f"fwd{p}_{i}")
                products.append(product[at.product])
            partial = Mux(forward, tree(m, products, f"tree{p}", TREE_LEVELS) << shift, 0).as_signed()
            partial = staged(m, partial, at.tree, at.aligned, f"partial{p}")[at.aligned]
            total = Signal(signed(self.machine.row_sum_bits), name=f"row_sum{p}")
            with m.If(slot["valid"][at.aligned]):
                m.d.sync += total.eq(partial + Mux(slot["first"][at.aligned], 0, total))
            m.d.comb += self.sums[p].eq(total)
        # The group leaves two cycles before the sum, for every word: its base arrives with the sum.
        m.d.comb += [self.early_group.eq(tag.group), self.row.eq(self._tags.out),
                     self.row_valid.eq(slot["valid"][at.row_sum] & slot["last"][at.row_sum])]

    def _queue(self, m: Module, words: dict):
        """Hold words and errors of rows that feed back or learn until both are there."""
        at, slot, entry = self._at, words["slot"], words["entry"]
        at_word = self._tag(slot, at.word)
        finer = data.ArrayLayout(signed(self.machine.activity_bits + FINEST), self.machine.lanes)
        word_layout = data.StructLayout({
            "weights": self._bank.word, **({"activity": finer, "coarse": COARSE_BITS} if self._updates else {}),
            "entry": self.shapes.entry, "address": address_bits(self.machine)})
        row_layout = data.StructLayout({"error": self.shapes.errors, "tag": self.shapes.tag})
        m.submodules.words = waiting = WordQueue(word_layout, self.timing.fifo_depth)
        m.submodules.errors = row_fifo = SyncFIFO(width=row_layout.size, depth=self.timing.error_depth)
        word, row, stored = waiting.word, Signal(row_layout), row_fifo.r_stream
        comes = self.error_valid & asks(self.error_row.flags, OPERAND_FLAGS)
        there = named(m, stored.valid | comes, "error_there")
        m.d.comb += [
            *(word.weights[n].eq(weight) for n, weight in enumerate(words["weights"])), word.entry.eq(entry),
            word.address.eq(slot["address"][at.word]), waiting.ends.eq(slot["last"][at.word]),
            waiting.put.eq(slot["valid"][at.word] & asks(at_word.flags, OPERAND_FLAGS)),
            row.error.eq(self.error), row.tag.eq(self.error_row), row_fifo.w_stream.payload.eq(row)]
        if self._updates:
            fine, coarse = words["rate"][:FINE_BITS], words["rate"][FINE_BITS:]
            m.d.comb += [word.coarse.eq(coarse), *(word.activity[i].eq(a << ~fine)
                                                   for i, a in enumerate(words["activity"]))]
        # Neither is asked whether it has room: their depths are enough. A row's words came long before its error, which
        # takes the first of them with it, unless others are still before it, and waits for the end of the row.
        m.d.comb += [waiting.take.eq(there), stored.ready.eq(stored.valid & waiting.head_ends),
                     row_fifo.w_stream.valid.eq(comes & (stored.valid | ~waiting.head_ends))]
        first = Mux(stored.valid, stored.payload, row.as_value())
        word, row = (data.View(layout, staged(m, value, Back.LEAVE, Back.TAKE, name)[Back.TAKE]) for name, layout, value
                     in (("head", word_layout, waiting.head.as_value()), ("row", row_layout, first)))
        return word, (there, row), waiting.waiting

    def _back(self, m: Module, head, queued) -> Value:
        """TRN and UPD of one word a cycle: products, then sums and rounding, then the writes."""
        leaves, row = queued
        tiles, lanes, entry = self.machine.row_tiles, self.machine.lanes, head.entry
        there = staged(m, leaves, Back.LEAVE, Back.PRODUCT, "taken", reset=True)
        valid = there[Back.TAKE]
        feeds = valid & asks(row.tag.flags, Sweep.TRN) & entry.feedback
        trn = staged(m, feeds, Back.TAKE, Back.WRITE, "trn", reset=True)
        identity = named(m, entry.lanes == 0, "back_identity")
        learns = valid & asks(row.tag.flags, Sweep.UPD) & entry.plastic & ~identity
        learns = learns if self._updates else Const(0)
        upd = staged(m, learns, Back.TAKE, Back.WRITE, "upd", reset=True)
        source = staged(m, entry.source, Back.TAKE, Back.WRITE - 1, "back_source")
        address = staged(m, head.address, Back.TAKE, Back.WRITE, "back_address")
        # An identity column has the next source word after C / P row groups; the first of them replaces its sums.
        first = Mux(identity, ~row.tag.group[:self._part_bits].any(), row.tag.first)
        overwrite = staged(m, entry.overwrite & first, Back.TAKE, Back.WRITE, "overwrite")
        count = mac_count(popcount(m, row.tag.valid_rows, "back_live"), entry.lanes, Const(1))
        count = staged(m, count, Back.TAKE, Back.PRODUCT, "back_count")[Back.PRODUCT]
        m.d.comb += [
            self.back_valid.eq(trn[Back.WRITE]), self.early_word.eq(source[Back.WRITE - 1]),
            self.feedback_overwrite.eq(overwrite[Back.WRITE]),
            self._bank.write_address.eq(address[Back.WRITE]),
            self._bank.write_mask.eq(upd[Back.WRITE].replicate(tiles * lanes)),
            self.mac_trn.eq(Mux(trn[Back.PRODUCT], count, 0)), self.mac_upd.eq(Mux(upd[Back.PRODUCT], count, 0)),
            self.writes.eq(Mux(upd[Back.PRODUCT], count, 0))]
        clipped: list[Value] = []
        update = Update(self.machine, m, entry, row, head.coarse) if self._updates else None
        for i in range(lanes):
            feedback = []
            for p in range(tiles):
                weight, error = head.weights[p * lanes + i], row.error[p]
                factor = Mux(learns, head.activity[i], weight).as_signed() if self._shared else weight
                product = staged(m, factor * error, Back.TAKE, Back.PRODUCT, f"trn{p}_{i}")[Back.PRODUCT]
                feedback.append(product)
                if update:
                    if not self._shared:
                        product = error * head.activity[i]
                        product = staged(m, product, Back.TAKE, Back.PRODUCT, f"upd{p}_{i}")[Back.PRODUCT]
                    new, clips = update.weight(weight, product, p, i)
                    m.d.comb += self._bank.write_data[p * lanes + i].eq(new)
                    clipped.append(clips)
            total = tree(m, feedback, f"back{i}")
            total = staged(m, total, Back.PRODUCT, Back.WRITE, f"feedback_sum{i}")[Back.WRITE]
            m.d.comb += self.feedback_sums[i].eq(total)
        # Known at the end of a cycle, so counted in the next, and the counters add to it in the one after that.
        if update:
            learned = pipe(m, Cat(clipped) & upd[Back.WRITE].replicate(len(clipped)), 1, "learned_clips", reset=True)[1]
            m.d.comb += self.saturated.eq(pipe(m, popcount(m, learned, "clips"), 1, "clips_counted", reset=True)[1])
        return busy_behind(m, there.values(), "back_busy")

    def image(self, ctx) -> list[list[int]]:
        """The weight memory in an Amaranth simulation, word by word."""
        memory = self._bank.memory
        return [list(ctx.get(memory.data[i])) for i in range(memory.depth)]
