"""Micro-operations as instructions, descriptors, maps and registers."""

from dataclasses import replace
from functools import cached_property
from itertools import product
from typing import TypeVar

from hebbar.contract.effects import EFFECTS, Access, Where
from hebbar.contract.errors import BadInput
from hebbar.contract.formats import code
from hebbar.contract.isa import (
    FIELDS,
    GAINS,
    LOOP_DEPTH,
    LOOP_REGISTERS,
    OPERAND_FLAGS,
    Into,
    Op,
    Sweep,
    encode,
    illegal_sweep,
)
from hebbar.contract.memories import BLOCK, MAP, UNIT_PRECISION, pack
from hebbar.contract.registers import MAX_RATE, RATES

from .blocks import Column
from .config import Config
from .layout import Layout
from .network import Edge
from .parameters import gain_code
from .schedule import ExitOp, LoopOp, MicroOp, SeparateOp, SweepOp, TransferOp, WaitOp

__all__ = ["Assembler"]

Word = TypeVar("Word", int, tuple[str, int])


class Assembler:
    """Interns descriptors, maps, rates and functions while instructions are laid down."""

    def __init__(self, layout: Layout, config: Config) -> None:
        self.layout, self.config = layout, config
        self.words: list[int] = []
        self.blocks: list[int] = []
        self.maps: list[int] = []
        self._maps: dict[tuple[int, ...], int] = {}
        self.rates: list[int] = []
        self.gains: list[int] = []
        self._gain(None)
        self._exits: list[tuple[int, bool]] = []
        self.clamped: set[str] = set()

    @cached_property
    def functions(self) -> list[tuple[str, int]]:
        """Distinct (activation, fraction bits): first those of the populations that have an error."""
        network = self.layout.network
        return list(dict.fromkeys((p.activation, p.activity_frac) for p in network.predicted))

    def emit(self, ops: tuple[MicroOp, ...], depth: int = 0) -> None:
        """Append the instructions of ``ops``, which stand in ``depth`` loops."""
        for op in ops:
            match op:
                case SweepOp():
                    self._check_flags(op)
                    self._check_updates(op)
                    self.words.append(encode(Op.SWEEP, flags=int(op.flags), gain=self._gain(op.gain),
                                             block=self._block(op)))
                case TransferOp():
                    place = self.layout.places[op.population]
                    self.words.append(encode(
                        op.op, address=place.word, count=place.population.size,
                        memory=op.memory, last=int(op.last)))
                case WaitOp():
                    self.words.append(encode(Op.WAIT))
                case SeparateOp():
                    self._separate(op)
                case ExitOp():
                    self._exits.append((len(self.words), op.arm))
                    self.words.append(0)
                case LoopOp():
                    self._check_loop(op, depth)
                    at = len(self.words)
                    self.words.append(0)
                    self.emit(op.body, depth + 1)
                    self.words.append(encode(Op.NEXT))
                    self.words[at] = encode(Op.LOOP, end=self._end(), count=op.count, register=op.register)
                    self._close(at)

    def _end(self) -> int:
        """The address behind the last instruction. Raises BadInput where no instruction can name it."""
        most = 1 << FIELDS[Op.LOOP]["end"].width
        if len(self.words) >= most:
            raise BadInput(f"the program does not fit: a loop ends behind {len(self.words)} instructions, and the "
                           f"longest has less than {most}; take fewer steps or layers, or a rule that loops over "
                           "steps.")
        return len(self.words)

    def _check_loop(self, op: LoopOp, depth: int) -> None:
        """Raise BadInput for a loop that the sequencer cannot count."""
        if depth >= LOOP_DEPTH:
            raise BadInput(f"rule: its loops nest more than {LOOP_DEPTH - 1} deep, with the one over the samples more "
                           f"than {LOOP_DEPTH}; lay an inner one out.")
        most = FIELDS[Op.LOOP]["count"]
        if not 0 <= op.register <= LOOP_REGISTERS or not 0 <= op.count < 1 << most.width:
            raise BadInput(f"rule: a loop of {op.count} iterations or of register {op.register}; give 0 to "
                           f"{(1 << most.width) - 1} iterations, registers from 1 to {LOOP_REGISTERS}.")

    def _separate(self, op: SeparateOp) -> None:
        m = self.layout.machine
        into, key = (m.formats.state, "state") if op.into is Into.STATE else (m.formats.error, "error")
        code(1.0, into, f"a probability of 1 in population {op.block.name!r}",
             f"raise machine.{key}_bits or lower machine.state_frac")
        if op.block.rows > m.separation:
            raise BadInput(f"population {op.block.name!r} takes softmax or max of {op.block.rows} neurons and "
                           f"machine.separation is {m.separation}; set it to {op.block.rows} or more.")
        self.words.append(encode(Op.SEPARATE, mode=op.mode, into=op.into,
                                 block=self._block(SweepOp(op.block, (0, 0), Sweep(0)))))

    def _close(self, start: int) -> None:
        """Complete the EXITs of the loop that starts at ``start`` and has just ended, and one before it."""
        mine = [(at, arm) for at, arm in self._exits if at > start or arm]
        if mine and not self.layout.machine.energy:
            raise BadInput("rule.tolerance is set, or the schedule has an exit, and the machine has no energy unit; "
                           "set machine.energy to true.")
        for at, arm in mine:
            self.words[at] = encode(Op.EXIT, end=self._end(), arm=int(arm))
        self._exits = [e for e in self._exits if e not in mine]

    def _block(self, op: SweepOp) -> int:
        block, (first, count) = op.block, op.view
        tiles, population = self.layout.machine.row_tiles, block.place.population
        self._check(op)
        word = pack(
            BLOCK, f"block {op.name!r}",
            weight_base=block.word(0, first) if count else 0,
            stride=block.stride if count else 0,
            map_base=self._map(op) if count else 0, columns=max(count, 1),
            precision=UNIT_PRECISION + population.precision, align=self._align(op),
            function=_intern(self.functions, (population.activation, population.activity_frac)),
            group_base=block.group, groups=block.groups,
            last_rows=block.rows - (block.groups - 1) * tiles)
        return _intern(self.blocks, word)

    def _check(self, op: SweepOp) -> None:
        """Rows overlap inside a sweep, but not on an array: none may write what another one still reads."""
        if self.layout.machine.kind.array:
            return
        own = set(self.layout.words(op.block))
        itself = any(own & set(self.layout.sources(op.block, c)) for c in op.columns)
        done = [e for e in EFFECTS if itself and e.happens(op.flags)]
        for one, other in product(done, done):
            if (one.resource is other.resource and (one.where, other.where) == (Where.SOURCES, Where.ROWS)
                    and {one.access, other.access} != {Access.READ}):
                raise BadInput(f"rule: a sweep of {op.name!r}, which feeds itself, has "
                               f"{(op.flags & (other.given or other.flags)).name} beside "
                               f"{(op.flags & one.flags).name}; do that in a sweep of its own, after it.")

    def _check_flags(self, op: SweepOp) -> None:
        """FIRE compares states with 1, and INTEGRATE needs a memory."""
        if op.flags & Sweep.INTEGRATE and not self.layout.machine.integral:
            raise BadInput(f"rule: a sweep of {op.name!r} has INTEGRATE, and the machine has no memory of integrals; "
                           "set machine.integral to true.")
        if op.flags & Sweep.FIRE:
            code(1.0, self.layout.machine.formats.state, f"the threshold of {op.name!r}",
                 f"lower machine.state_frac to {self.layout.machine.state_bits - 2}", 0.0)

    def _check_updates(self, op: SweepOp) -> None:
        """Raise BadInput for a learning sweep that the machine cannot have."""
        if why := illegal_sweep(op.flags & OPERAND_FLAGS, updates=self.layout.machine.updates):
            raise BadInput(f"rule: a sweep of {op.name!r} is {(op.flags & OPERAND_FLAGS).name} and {why}; set "
                           "machine.updates to 'own'.")

    def _map(self, op: SweepOp) -> int:
        begun: set[int] = set()
        found = []
        for c in op.columns:
            found.append(self._column(replace(op, overwrite=op.overwrite - begun), c))
            begun |= set(self.layout.sources(op.block, c))
        entries = tuple(found)
        if entries not in self._maps:
            self._maps[entries] = len(self.maps)
            self.maps += entries
        return self._maps[entries]

    def _column(self, op: SweepOp, column: Column) -> int:
        edge, words = column.edge, self.layout.sources(op.block, column)
        begun = [w in op.overwrite for w in words]
        if any(begun) and not all(begun):
            raise BadInput(f"rule: feedback through the identity from {edge.source!r} to {edge.target!r} starts some "
                           "of its neurons anew and not others; sweep it before the blocks that feed parts of them.")
        fed = edge.source not in self.clamped if op.feeds is None else edge.source in op.feeds
        stored = column.lanes > 0
        return pack(
            MAP, f"edge {edge.source!r} to {edge.target!r}", source=column.word,
            lanes=column.lanes, shift=self.layout.shift(edge.source),
            rate=self._rate(edge, op.slower) if stored and edge.plastic else 0,
            feedback=int(fed), overwrite=int(all(begun)), plastic=int(edge.plastic and stored),
            diagonal=int(edge.zero_diagonal), positive=int(edge.positive))

    def _gain(self, gamma: float | None) -> int:
        """The GAIN register of gamma; None is that of the rule."""
        index = _intern(self.gains, gain_code(gamma, self.config.rule, self.layout.machine.formats.gain))
        if index >= GAINS:
            raise BadInput(f"rule: the schedule needs {index + 1} different gains; the machine has {GAINS} GAIN "
                           "registers.")
        return index

    def _align(self, op: SweepOp) -> int:
        """The left shift from activities to errors, for POST."""
        m, p = self.layout.machine, op.block.place.population
        if not op.flags & Sweep.POST:
            return 0
        if m.state_frac < p.activity_frac:
            raise BadInput(f"rule: a sweep of {op.name!r} has POST, and its activity_frac {p.activity_frac} is finer "
                           f"than machine.state_frac {m.state_frac}; lower it to {m.state_frac}.")
        return m.state_frac - p.activity_frac

    def _rate(self, edge: Edge, slower: int) -> int:
        """The RATE register of an edge: right shift from e a to a weight change, alpha included."""
        m, source = self.layout.machine, self.layout.network.by_name[edge.source]
        shift = edge.alpha_shift + slower + m.state_frac + source.activity_frac - m.weight_frac
        if not 0 <= shift <= MAX_RATE:
            raise BadInput(f"edge {edge.source!r} to {edge.target!r}: alpha_shift "
                           f"{edge.alpha_shift + slower} needs an update shift of {shift}, outside "
                           f"0..{MAX_RATE}; change alpha_shift or machine.weight_frac.")
        self._check_rate(edge, shift)
        index = _intern(self.rates, shift)
        if index >= RATES:
            raise BadInput(f"network.edges need {index + 1} different learning rates; the machine "
                           f"has {RATES} RATE registers, let some edges share one.")
        return index

    def _check_rate(self, edge: Edge, shift: int) -> None:
        """Raise BadInput where alpha, when it has been halved as configured, changes no weight whatever the error."""
        m, training = self.layout.machine, self.config.training
        last = shift + sum(epoch < training.epochs for epoch in training.halve_alpha_at)
        most = m.error_bits + m.activity_bits - 1
        if last > most:
            raise BadInput(f"edge {edge.source!r} to {edge.target!r}: alpha_shift {edge.alpha_shift} and "
                           f"{last - shift} halvings in training.halve_alpha_at need an update shift of {last}, and "
                           f"from {most + 1} on no error changes a weight; lower alpha_shift by {last - most} or "
                           "halve less often.")


def _intern(table: list[Word], word: Word) -> int:
    if word not in table:
        table.append(word)
    return table.index(word)
