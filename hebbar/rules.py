"""Learning rules as schedules: each is a list of micro-operations on any machine.

``e`` is frozen before any state moves (the synchronous step of predictive coding): a population
takes its step in the sweep that computes its error only when every block it feeds has been swept
before; otherwise it steps in a sweep of its own at the end of the step. The feed-forward pass also
computes the first errors and their feedback, so T state steps read each moving weight T + 1 times.
"""

from collections.abc import Callable
from dataclasses import dataclass

from .config import RuleConfig
from .errors import BadInput
from .isa import Op, Sweep
from .layout import Block, Layout
from .memories import Mem
from .network import Role
from .schedule import Gain, LoopOp, MicroOp, SweepOp, TransferOp

__all__ = ["RULES", "Schedule", "train", "predict"]

FORWARD = Sweep.ERR | Sweep.INIT | Sweep.ACT
MOVE = Sweep.STEP | Sweep.BACK | Sweep.ACT
NONE = (0, 0)


@dataclass(frozen=True)
class Schedule:
    """Builds schedules for one network on one layout."""

    layout: Layout
    rule: RuleConfig
    training: bool

    def clamped(self, name: str) -> bool:
        """True for a population that holds data all through this program."""
        role = self.layout.network.by_name[name].role
        return role in (Role.INPUT, Role.CONSTANT) or (self.training and role is Role.TARGET)

    @property
    def moving_blocks(self) -> list[Block]:
        """Blocks whose population takes state steps."""
        return [b for b in self.blocks if not self.clamped(b.place.population.name)]

    @property
    def blocks(self) -> list[Block]:
        """Blocks, sources first where the graph allows it."""
        blocks, order = self.layout.blocks, self.layout.network.order
        return [blocks[n] for n in (order or blocks) if n in blocks]

    @property
    def acyclic(self) -> bool:
        return self.layout.network.order is not None

    def inputs(self, targets: bool) -> list[MicroOp]:
        """IN for every population that takes data, inputs before targets."""
        network = self.layout.network
        roles = (Role.INPUT, Role.TARGET) if targets else (Role.INPUT,)
        populations = [p for role in roles for p in network.with_role(role)]
        return [TransferOp(Op.IN, p.name, Mem.ACTIVITY if self.layout.fixed(p.name) else Mem.STATE,
                           p is populations[-1]) for p in populations]

    def outputs(self) -> list[MicroOp]:
        """OUT of the states of every target population."""
        targets = self.layout.network.with_role(Role.TARGET)
        return [TransferOp(Op.OUT, p.name, Mem.STATE, p is targets[-1]) for p in targets]

    def sweep(self, block: Block, flags: Sweep, gain: Gain = Gain.GAMMA,
              touched: set[str] | None = None, hoisted: bool = False) -> SweepOp:
        """One sweep; reads only the free columns when the fixed ones are ``hoisted`` into base.

        ``touched`` collects the populations that have received feedback in this step. Flags that
        have nothing to do (STEP of a clamped population, TRN without a moving source, ACT without
        a reader) are dropped.
        """
        name = block.place.population.name
        if not self.layout.network.outgoing(name):
            flags &= ~(Sweep.ACT | Sweep.BACK)
        if self.clamped(name):
            flags &= ~(Sweep.INIT | Sweep.STEP | Sweep.BACK)
        view = block.free if hoisted and block.fixed else block.full
        if hoisted and block.fixed:
            flags |= Sweep.BASE
        sources = {c.edge.source for c in block.columns[view[0]:view[0] + view[1]]}
        moving = {s for s in sources if not self.clamped(s)}
        if not moving:
            flags &= ~Sweep.TRN
        if not view[1]:
            flags &= ~(Sweep.FWD | Sweep.UPD)
        fresh = frozenset()
        if flags & Sweep.TRN and touched is not None:
            fresh = frozenset(moving - touched)
            touched |= moving
        return SweepOp(block, view if flags.weights else NONE, flags, gain, fresh)

    def start(self, flags: Sweep) -> list[MicroOp]:
        """Feed-forward start, each block also doing ``flags``; states at zero on a cyclic graph."""
        touched: set[str] = set()
        if self.acyclic:
            return [self.sweep(b, FORWARD | Sweep.FWD | flags, touched=touched) for b in self.blocks]
        zero = [self.sweep(b, FORWARD) for b in self.blocks]
        if not flags & Sweep.HOIST:
            return zero
        return zero + [SweepOp(b, b.clamped, Sweep.FWD | Sweep.HOIST)
                       for b in self.blocks if b.fixed]

    def hoist(self) -> list[MicroOp]:
        """Feed-forward start that leaves the contribution of fixed sources in base."""
        ops: list[MicroOp] = []
        touched: set[str] = set()
        for b in self.blocks:
            if b.fixed and not b.free[1]:
                ops.append(self.sweep(b, FORWARD | Sweep.FWD | Sweep.HOIST))
                continue
            if b.fixed:
                ops.append(SweepOp(b, b.clamped, Sweep.FWD | Sweep.HOIST))
            ops.append(self.sweep(b, FORWARD | Sweep.FWD | Sweep.TRN, touched=touched, hoisted=True))
        return ops

    def step(self, flags: Sweep, hoisted: bool = False) -> list[MicroOp]:
        """Errors and feedback of every population, then one synchronous state step."""
        ops, later, swept = [], [], set()
        touched: set[str] = set()
        for b in reversed(self.blocks):
            name = b.place.population.name
            swept.add(name)
            ready = all(e.target in swept and e.target != name
                        for e in self.layout.network.outgoing(name))
            moves = b in self.moving_blocks
            ops.append(self.sweep(b, flags | (MOVE if moves and ready else Sweep(0)),
                                  touched=touched, hoisted=hoisted))
            later += [b] if moves and not ready else []
        return ops + self.move(later)

    def move(self, blocks: list[Block]) -> list[MicroOp]:
        """State steps from the errors and back sums as they stand."""
        return [self.sweep(b, MOVE) for b in blocks]

    def update(self, hoisted: bool) -> list[MicroOp]:
        """Errors after the last step, and the weight update they drive."""
        ops: list[MicroOp] = []
        for b in reversed(self.blocks):
            if not (hoisted and b.fixed):
                ops.append(self.sweep(b, Sweep.FWD | Sweep.ERR | Sweep.UPD))
            elif not b.free[1]:
                ops.append(SweepOp(b, b.clamped, Sweep.BASE | Sweep.ERR | Sweep.UPD))
            else:
                ops.append(self.sweep(b, Sweep.FWD | Sweep.ERR | Sweep.UPD, hoisted=True))
                ops.append(SweepOp(b, b.clamped, Sweep.UPD))
        return ops


def il(s: Schedule) -> list[MicroOp]:
    """Inference learning: T state steps, then one weight update from the refreshed errors."""
    if not s.rule.steps:
        return s.start(Sweep(0)) + s.update(hoisted=False)
    hoisted = s.rule.hoist
    relax = Sweep.FWD | Sweep.ERR | Sweep.TRN
    body = tuple(s.step(relax, hoisted=hoisted))
    if not s.acyclic:
        start = s.start(Sweep.HOIST if hoisted else Sweep(0))
        return start + [LoopOp(body, s.rule.steps)] + s.update(hoisted)
    start = s.hoist() if hoisted else s.start(Sweep.TRN)
    loop = [LoopOp(body, s.rule.steps - 1)] if s.rule.steps > 1 else []
    return start + s.move(s.moving_blocks) + loop + s.update(hoisted)


def ipc(s: Schedule) -> list[MicroOp]:
    """Incremental PC (ICLR 2024): at every step states and weights move from the same errors."""
    if not s.rule.steps:
        raise BadInput("rule.steps is 0; iPC learns at every step, give at least 1.")
    learn = Sweep.TRN | Sweep.UPD
    body = tuple(s.step(Sweep.FWD | Sweep.ERR | learn))
    if not s.acyclic:
        return s.start(Sweep(0)) + [LoopOp(body, s.rule.steps)]
    loop = [LoopOp(body, s.rule.steps - 1)] if s.rule.steps > 1 else []
    return s.start(learn) + s.move(s.moving_blocks) + loop


def zil(s: Schedule) -> list[MicroOp]:
    """Z-IL (NeurIPS 2020) as its wavefront: layer l learns and feeds back at step L - l, gamma 1.

    The predictions have not moved by then, so they are kept from the feed-forward pass.
    """
    _layered(s)
    ops: list[MicroOp] = []
    for b in s.blocks[:-1]:
        ops.append(s.sweep(b, FORWARD | Sweep.FWD | Sweep.HOIST))
    ops.append(s.sweep(s.blocks[-1], FORWARD | Sweep.FWD | Sweep.TRN | Sweep.UPD, touched=set()))
    for b in reversed(s.blocks[:-1]):
        ops.append(s.sweep(b, Sweep.STEP | Sweep.BACK, Gain.ONE))
        ops.append(s.sweep(b, Sweep.BASE | Sweep.ERR | Sweep.TRN | Sweep.UPD, touched=set()))
    return ops


def backprop(s: Schedule) -> list[MicroOp]:
    """Backprop, the fairness baseline: deltas instead of errors, states never move."""
    if not s.acyclic:
        raise BadInput("rule.name is 'backprop' and the network has a cycle; use 'il' or 'ipc'.")
    touched: set[str] = set()
    ops: list[MicroOp] = []
    targets = [b for b in s.blocks if b.place.population.role is Role.TARGET]
    inner = [b for b in s.blocks if b.place.population.role is not Role.TARGET]
    if any(s.layout.network.outgoing(b.place.population.name) for b in targets):
        raise BadInput("rule.name is 'backprop' and a target population feeds another; use 'il'.")
    if any(s.clamped(b.place.population.name) for b in inner):
        raise BadInput("rule.name is 'backprop' and an input population is predicted; use 'il'.")
    ops += [s.sweep(b, FORWARD | Sweep.FWD) for b in inner]
    ops += [s.sweep(b, FORWARD | Sweep.FWD | Sweep.TRN | Sweep.UPD, touched=touched)
            for b in reversed(targets)]
    for b in reversed(inner):
        ops.append(s.sweep(b, Sweep.DELTA | Sweep.BACK))
        ops.append(s.sweep(b, Sweep.TRN | Sweep.UPD, touched=touched))
    return ops


def _layered(s: Schedule) -> None:
    if s.layout.network.chain is None:
        raise BadInput("rule.name is 'zil' and the network is not layered; use 'il', 'ipc' or "
                       "'backprop', or remove the skip edges.")


RULES: dict[str, Callable[[Schedule], list[MicroOp]]] = {
    "il": il, "ipc": ipc, "zil": zil, "backprop": backprop}


def train(s: Schedule) -> list[MicroOp]:
    """Learn from as many samples as LOOP register 1 says."""
    return [LoopOp((*s.inputs(targets=True), *RULES[s.rule.name](s)), register=1)]


def predict(s: Schedule) -> list[MicroOp]:
    """Answer as many samples as LOOP register 1 says: feed-forward, or T steps on a cyclic graph."""
    body = s.start(Sweep(0))
    if not s.acyclic:
        body = body + [LoopOp(tuple(s.step(Sweep.FWD | Sweep.ERR | Sweep.TRN)), s.rule.steps)]
    return [LoopOp((*s.inputs(targets=False), *body, *s.outputs()), register=1)]
