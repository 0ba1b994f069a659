"""That no dispatch violates a dependence: sequencer and walk of the RTL run a program that stands in their memories.

All else is free in every cycle: when the other units are idle, when streams answer, faults, START, STOP, CLEAR, the
LOOP registers, the watchdog. Any sweep may be the older one: it is marked when it is taken and a free input says so,
and its age is counted; ``idle`` ends that, since nothing is in flight then. Claimed is at every later dispatch the
distance that the timing table asks for, and whatever the induction has to know.
"""

from typing import Any

from amaranth.hdl import Assume, Fragment, Module, Mux, Signal, Value

from hebbar.compiler.program import Program
from hebbar.contract.isa import MOVES, Op
from hw.sequencer import LOOKS, Sequencer
from hw.walk import Walk

from .distances import BETWEEN, Paper
from .harness import Harness, all_of, any_of, inputs_of, registers, table

__all__ = ["CYCLES", "DISPATCH", "Dispatch"]

DISPATCH = "no dispatch violates a dependence"
CYCLES = 5
"""Length of the induction: an instruction is fetched and a descriptor looked up in as many."""
PHASE = dict(zip(("decode", *LOOKS, "issue"), range(1, BETWEEN + 1), strict=True))
"""Cycles since the last dispatch in each state, at least."""


class Dispatch(Harness):
    """The sequencer and the walk of a row engine with a program; its loops are two deep at most."""

    def __init__(self, program: Program) -> None:
        self.paper, self.machine = Paper(program), program.machine
        self.sequencer, self.walk, self.pick = Sequencer(self.machine), Walk(self.machine), Signal(name="pick")
        paper = self.paper
        self.needs = {a: {b: paper.needs(a, b).cycles for b in paper.bounds[a] if b in paper.sweeps}
                      for a in paper.sweeps}
        self.most = max([1, *(cycles for needs in self.needs.values() for cycles in needs.values())])
        self.taken, self.marked, self.older, self.pc = (
            Signal(bits, name=name) for name, bits in (("taken", 1), ("marked", 1), ("older", 13), ("address", 13)))
        self.age = Signal(range(self.most + 1), name="age")
        super().__init__([self.pick, *inputs_of(self.sequencer, "word", "block")],
                         [self.taken, self.marked, self.age, self.older, self.pc])

    def wire(self, m: Module, platform: Any) -> None:
        seq, walk = (Fragment.get(unit, platform) for unit in (self.sequencer, self.walk))
        m.submodules.sequencer, m.submodules.walk = seq, walk
        fsm = seq.generated["fsm"]
        self._in = {name: fsm.state == number for name, number in fsm.encoding.items()}
        self._runs = ~(self._in["halted"] | self._in["drain"])
        offers, takes = self.sequencer.sweep, self.walk.sweep
        m.d.comb += [takes.payload.eq(offers.payload), takes.valid.eq(offers.valid), offers.ready.eq(takes.ready),
                     self.taken.eq(offers.valid & takes.ready), self.pc.eq(self.sequencer.pc)]
        self._memories(m)
        self._fetches(m, registers(seq, "loops")["around"], registers(seq, "fetch")["following"])
        left = self._walks(m, registers(walk))
        self._mark(m)
        self._distances(m, left, registers(seq)["held"])

    def _at(self, m: Module, name: str, values: dict[int, int]) -> Signal:
        """A number by the address of the instruction."""
        return table(m, self.sequencer.pc, values, name)

    def _memories(self, m: Module) -> None:
        """Program and descriptors. START comes where the machine accepts it, and to an entry."""
        seq, program = self.sequencer, self.paper.program
        m.d.sync += [seq.word.eq(table(m, seq.program_address, dict(enumerate(program.words)), "program")),
                     seq.block.eq(table(m, seq.block_address, dict(enumerate(program.blocks)), "blocks"))]
        entered = any_of(seq.entry == entry for entry in program.entries.values())
        m.d.comb += Assume(~seq.start | (~seq.running & entered))

    def _fetches(self, m: Module, around: Signal, following: Signal) -> None:
        """The instruction is that of its address, with the next one behind it, in a state that it has, and the loops
        that are open can be so."""
        seq, words = self.sequencer, dict(enumerate(self.paper.program.words))
        self.claim(m, "the sequencer is in one of its states", any_of(self._in.values()))
        self.claim(m, "the instruction is that of its address",
                   ~self._runs | self._in["fetch"] | (seq._word == self._at(m, "instruction", words)))
        self.claim(m, "the instruction behind it is there", ~self._runs | self._in["fetch"]
                   | (following == table(m, seq.pc + 1, words, "instruction_behind")))
        looks = any_of(self._in[name] for name in (*LOOKS, "issue"))
        self.claim(m, "a descriptor is looked up for a SWEEP", ~looks | (seq._op == Op.SWEEP))
        self.claim(m, "a transfer is an IN or OUT", ~self._in["stream"] | any_of(seq._op == op for op in MOVES))
        stack = seq._loops
        self.claim(m, "the loops that are open can be", ~self._runs | any_of(
            (seq.pc == at) & (stack.depth == len(loops)) & all_of(
                start == wanted for start, wanted in zip((stack.loop.start, around[:13]), reversed(loops)))
            for at, loops in self.paper.reached))

    def _walks(self, m: Module, inside: dict[str, Signal]) -> Signal:
        """The block that is walked is that of the program."""
        paper = self.paper
        blocks = {at: paper.program.descriptor(paper.code[at].fields["block"])[0] for at in paper.sweeps}
        block: dict[str, Value] = {name: self._at(m, f"has_{name}", {at: b[name] for at, b in blocks.items()})
                                   for name in ("columns", "groups")}
        slots = self._at(m, "slots", {at: paper.slots(at) for at in paper.sweeps})
        return self.follow(m, self.walk, inside, self.taken, block, slots)

    def _mark(self, m: Module) -> None:
        """Any sweep that is taken may be the older one."""
        marks = self.taken & self.pick
        m.d.sync += [self.marked.eq((self.marked & ~self.sequencer.idle) | marks),
                     self.age.eq(Mux(marks, 1, Mux(self.age == self.most, self.most, self.age + 1)))]
        with m.If(marks):
            m.d.sync += self.older.eq(self.sequencer.pc)

    def _of_both(self, m: Module, name: str, values: dict[int, dict[int, int]]) -> Signal:
        """A number by the sweep that is marked and the address of the instruction."""
        found = Signal(range(self.most + 1), name=name)
        with m.Switch(self.older):
            for older, of in values.items():
                with m.Case(older):
                    m.d.comb += found.eq(self._at(m, f"{name}_{older}", {
                        at: min(cycles, self.most) for at, cycles in of.items()}))
        return found

    def _distances(self, m: Module, left: Signal, held: Signal) -> None:
        """The property, and what the program keeps on every way behind the sweep that is marked."""
        paper, age = self.paper, self.age
        self.claim(m, DISPATCH, ~(self.taken & self.marked) | (age >= self._of_both(m, "need", self.needs)))
        free, since = (self._of_both(m, name, {a: {p: b[i] for p, b in to.items()} for a, to in paper.bounds.items()})
                       for i, name in enumerate(("least_free", "least_taken")))
        follows, running = self.marked & self._runs, self._runs
        known = any_of((self.older == a) & any_of(self.sequencer.pc == at for at in to)
                       for a, to in paper.bounds.items())
        behind = any_of(self.sequencer.pc == at for at in range(len(paper.code)) if paper.gap(at))
        since_last = Signal(range(BETWEEN + 1), name="since_last")
        for state, cycles in PHASE.items():
            with m.If(self._in[state]):
                m.d.comb += since_last.eq(cycles)
        for what, holds in (
                ("the age is one", ~self.marked | ((age != 0) & (age <= self.most))),
                ("nothing is in flight in a machine that has halted", ~(self._in["halted"] & self.marked)),
                ("the sweep that is marked can stand before, undrained", ~follows | known),
                ("a gap is held behind its WAIT", ~running | (held == 0) | behind),
                ("age, slots left and gap are what the program keeps",
                 ~follows | (age + Mux(left == 0, 0, left - 1) + held >= free)),
                ("cycles between two dispatches", ~follows | (age == self.most) | (age >= since + since_last))):
            self.claim(m, what, holds)
