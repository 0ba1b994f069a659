"""Schedules of one sample, from whole phases down to a single sweep.

``e`` is frozen before any state moves (the synchronous step of predictive coding): a population
takes its step in the sweep that computes its error only when every block it feeds has been swept
before; otherwise it steps in a sweep of its own at the end of the step. The feed-forward pass also
computes the first errors and their feedback, so T state steps read each moving weight T + 1 times.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from hebbar.contract.errors import BadInput
from hebbar.contract.isa import Op, Sweep
from hebbar.contract.memories import Mem
from hebbar.contract.suggest import suggest

from ..layout import Block, Layout, View
from ..network import Edge, Error, Population, Role
from ..rule_config import RuleConfig
from ..schedule import LoopOp, MicroOp, SweepOp, TransferOp

if TYPE_CHECKING:
    from .registry import Option, Rule

__all__ = ["Schedule", "FORWARD", "MOVE", "RELAX", "TAKE"]

FORWARD = Sweep.ERR | Sweep.INIT | Sweep.ACT
"""The flags of a feed-forward pass beside FWD."""
MOVE = Sweep.STEP | Sweep.BACK | Sweep.ACT
"""The flags of a state step."""
TAKE = Sweep.ERR | Sweep.INIT | MOVE
"""The flags, at gain 1, with which rows that nothing predicts take their feedback as their state."""
RELAX = Sweep.FWD | Sweep.ERR | Sweep.TRN
"""The flags of errors and their feedback."""
NONE = (0, 0)

Words = set[int]
"""Neuron words that have received feedback in this step."""


@dataclass(frozen=True)
class Schedule:
    """Builds schedules for one network on one layout; ``entry`` is "train", "predict" or "query"."""

    layout: Layout
    rule: RuleConfig
    entry: str

    @property
    def definition(self) -> Rule:
        """The rule that ``rule`` names."""
        from . import find

        return find(self.rule)

    def option(self, name: str) -> Option:
        """An option of the rule: the configured value, else the rule's default."""
        return self.rule.options.get(name, self.definition.options[name])

    @property
    def training(self) -> bool:
        return self.entry == "train"

    def clamped(self, name: str) -> bool:
        """True for a population that holds data all through this program."""
        role = self.layout.network.by_name[name].role
        if self.entry == "query":
            return self.layout.fixed(name)
        return role in (Role.INPUT, Role.CONSTANT) or (self.training and role is Role.TARGET)

    @cached_property
    def blocks(self) -> list[Block]:
        """Blocks, sources first where the graph allows it."""
        return list(self.layout.order or self.layout.blocks.values())

    @property
    def moving_blocks(self) -> list[Block]:
        """Blocks whose population takes state steps."""
        return [b for b in self.blocks if not self.clamped(b.name)]

    @property
    def acyclic(self) -> bool:
        return self.layout.order is not None

    def block(self, name: str) -> Block:
        """The one block of a population, or of an edge "source:target" that shares its weights."""
        found = self.layout.shared.get(name) or self.layout.into(name)
        if len(found) != 1:
            known = [b.name for b in self.blocks] + list(self.layout.shared)
            raise BadInput(f"{name!r} is not one block but {len(found)}{suggest(name, known)}.")
        return found[0]

    def rows(self, name: str) -> Block:
        """The rows of any population, for sweeps that read no weights."""
        return self.layout.rows(name)

    def visible(self) -> list[Population]:
        """Populations that a query gives and asks for: predicted inputs, and targets."""
        network = self.layout.network
        return [p for role in (Role.INPUT, Role.TARGET) for p in network.with_role(role)
                if not self.layout.fixed(p.name)]

    def stream_in(self, *names: str, memory: Mem | None = None) -> list[MicroOp]:
        """IN of populations: activities for fixed ones, states for the rest, or a ``memory``."""
        return [TransferOp(Op.IN, n, (Mem.ACTIVITY if self.layout.fixed(n) else Mem.STATE)
                           if memory is None else memory) for n in names]

    def stream_out(self, *names: str, memory: Mem = Mem.STATE) -> list[MicroOp]:
        """OUT of populations."""
        return [TransferOp(Op.OUT, n, memory) for n in names]

    def inputs(self) -> list[MicroOp]:
        """IN for every population that takes data, inputs before targets; in a query with clamp masks."""
        network = self.layout.network
        if self.entry == "query":
            given = [p.name for p in network.with_role(Role.INPUT) if self.layout.fixed(p.name)]
            visible = [p.name for p in self.visible()]
            return self.stream_in(*given, *visible) + self.stream_in(*visible, memory=Mem.CLAMP)
        roles = (Role.INPUT, Role.TARGET) if self.training else (Role.INPUT,)
        return self.stream_in(*(p.name for role in roles for p in network.with_role(role)))

    def outputs(self) -> list[MicroOp]:
        """OUT of the states that an answer consists of."""
        if self.training:
            return []
        asked = self.visible() if self.entry == "query" else self.layout.network.with_role(Role.TARGET)
        return self.stream_out(*(p.name for p in asked))

    def op(self, block: Block | str, flags: Sweep, view: View | None = None, gain: float | None = None,
           overwrite: bool = True, slower: int = 0) -> SweepOp:
        """One sweep exactly as given. ``overwrite``: TRN replaces the feedback sums of all it reaches."""
        block = self.block(block) if isinstance(block, str) else block
        view = (block.full if view is None else view) if flags.weights else NONE
        words = self._reached(block, view) if flags & Sweep.TRN and overwrite else frozenset()
        return SweepOp(block, view, flags, gain, words, slower)

    def sweep(self, block: Block, flags: Sweep, gain: float | None = None,
              fed: Words | None = None, hoisted: bool = False) -> SweepOp:
        """One sweep; reads only the free columns when the fixed ones are ``hoisted`` into base.

        ``fed`` collects the words that have received feedback in this step. Flags that
        have nothing to do (STEP of a clamped population, TRN without a moving source, ACT without
        a reader) are dropped.
        """
        if not self.feeds(block):
            flags &= ~(Sweep.ACT | Sweep.BACK)
        if self.clamped(block.name):
            flags &= ~(Sweep.INIT | Sweep.STEP | Sweep.BACK)
        hoisted = hoisted and self.hoists(block)
        view = block.free if hoisted else block.full
        if hoisted:
            flags |= Sweep.BASE
        reached = self._reached(block, view)
        if not reached:
            flags &= ~Sweep.TRN
        if not view[1]:
            flags &= ~(Sweep.FWD | Sweep.UPD)
        overwrite: frozenset[int] = frozenset()
        if flags & Sweep.TRN and fed is not None:
            overwrite = reached - fed
            fed |= reached
        return SweepOp(block, view if flags.weights else NONE, flags, gain, overwrite)

    def _reached(self, block: Block, view: View) -> frozenset[int]:
        """The words of moving neurons that TRN feeds."""
        first, count = view
        return frozenset(w for c in block.columns[first:first + count] if not self.clamped(c.edge.source)
                         for w in self.layout.sources(block, c))

    def hoists(self, block: Block) -> bool:
        """True when what fixed sources contribute to a block is computed once a sample."""
        return bool(block.fixed) and self.rule.hoist and self.entry != "query" \
            and block.place.population.error is Error.GAUSSIAN

    def readers(self, block: Block) -> list[Block]:
        """The blocks that the rows of a block feed."""
        words = set(self.layout.words(block))
        shared = [b for blocks in self.layout.shared.values() for b in blocks]
        return [b for b in (*self.blocks, *shared) if words & self.layout.fed_by(b)]

    def feeds(self, block: Block) -> bool:
        """True when something reads the activities of a block's rows."""
        return bool(self.readers(block))

    def start(self, flags: Sweep = Sweep(0)) -> list[MicroOp]:
        """Feed-forward start, each block also doing ``flags``; states at zero on a cyclic graph."""
        fed: Words = set()
        if self.acyclic:
            return [self.sweep(b, FORWARD | Sweep.FWD | flags, fed=fed) for b in self.blocks]
        zero: list[MicroOp] = [self.sweep(b, FORWARD) for b in self.blocks]
        if not flags & Sweep.HOIST:
            return zero
        return zero + [self.op(b, Sweep.FWD | Sweep.HOIST, b.clamped) for b in self.blocks if self.hoists(b)]

    def hoist(self) -> list[MicroOp]:
        """Feed-forward start that leaves the contribution of fixed sources in base."""
        ops: list[MicroOp] = []
        fed: Words = set()
        for b in self.blocks:
            if self.hoists(b) and not b.free[1]:
                ops.append(self.sweep(b, FORWARD | Sweep.FWD | Sweep.HOIST))
                continue
            if self.hoists(b):
                ops.append(self.op(b, Sweep.FWD | Sweep.HOIST, b.clamped))
            ops.append(self.sweep(b, FORWARD | Sweep.FWD | Sweep.TRN, fed=fed, hoisted=True))
        return ops

    def step(self, flags: Sweep = RELAX, hoisted: bool = False, move: Sweep = MOVE) -> list[MicroOp]:
        """Errors and feedback of every population, then one synchronous state step."""
        ops: list[MicroOp] = []
        later: list[Block] = []
        swept: list[Block] = []
        fed: Words = set()
        for b in reversed(self.blocks):
            swept.append(b)
            ready = all(r in swept and r is not b for r in self.readers(b) if r in self.blocks)
            moves = b in self.moving_blocks
            ops.append(self.sweep(b, flags | (move if moves and ready else Sweep(0)),
                                  fed=fed, hoisted=hoisted))
            later += [b] if moves and not ready else []
        return ops + self.move(later, move)

    def move(self, blocks: Sequence[Block], flags: Sweep = MOVE) -> list[MicroOp]:
        """State steps from the errors and feedback sums as they stand."""
        return [self.sweep(b, flags) for b in blocks]

    def update(self, hoisted: bool = False) -> list[SweepOp]:
        """Errors after the last step, and the weight update they drive."""
        ops: list[SweepOp] = []
        for b in reversed(self.blocks):
            if not (hoisted and self.hoists(b)):
                ops.append(self.sweep(b, Sweep.FWD | Sweep.ERR | Sweep.UPD))
            elif not b.free[1]:
                ops.append(self.op(b, Sweep.BASE | Sweep.ERR | Sweep.UPD, b.clamped))
            else:
                ops.append(self.sweep(b, Sweep.FWD | Sweep.ERR | Sweep.UPD, hoisted=True))
                ops.append(self.op(b, Sweep.UPD, b.clamped))
        return ops

    def answer(self) -> list[MicroOp]:
        """A prediction: feed-forward, or ``rule.steps`` steps on a cyclic graph."""
        return self.start() if self.acyclic else [*self.start(), LoopOp(tuple(self.step()), self.rule.steps)]

    def answer_visits(self, edge: Edge) -> int:
        """The least that ``answer`` visits the weights of an edge: once, on a cyclic graph in every step."""
        return 1 if self.acyclic else self.rule.steps

    def query_visits(self, edge: Edge) -> int:
        """The least that ``query`` visits the weights of an edge; the start shares its visit with the first step."""
        return max(self.rule.query_steps or self.rule.steps, int(self.acyclic))

    def query(self) -> list[MicroOp]:
        """Steps of everything that the clamp masks leave free, from the feed-forward start or from zero."""
        flags, move = (RELAX, MOVE) if self.rule.feedback else (RELAX & ~Sweep.TRN, MOVE & ~Sweep.BACK)
        return [*self.start(), LoopOp(tuple(self.step(flags, move=move)), self.rule.query_steps or self.rule.steps)]
