"""From network + rule + machine to a program: instructions, descriptors, tables, registers."""

from dataclasses import dataclass
from functools import cached_property

from .activations import table
from .config import Config, MachineConfig
from .errors import BadInput
from .isa import Op, encode
from .layout import Layout
from .memories import BLOCK, MAP, Mem, pack
from .network import Population, Role
from .registers import MAX_RATE, RATES
from .rules import Schedule, predict, train
from .schedule import LoopOp, MicroOp, SweepOp, TransferOp, WaitOp, fenced

__all__ = ["Program", "Transfer", "compile_config", "assemble"]



@dataclass(frozen=True)
class Transfer:
    """One population on a data stream: which memory its neurons go to or come from."""

    population: Population
    memory: Mem


@dataclass(frozen=True)
class Program:
    """Everything a backend needs besides weights and samples.

    ``words`` are instructions, ``blocks`` and ``maps`` packed descriptors (``hebbar.memories``),
    ``functions`` and ``derivatives`` packed tables one after the other, ``rates`` and ``gains``
    register codes, ``entries`` the start address of "train" and "predict", ``inputs`` and
    ``outputs`` what one sample streams in and out of each entry.
    """

    config: Config
    layout: Layout
    words: tuple[int, ...]
    blocks: tuple[int, ...]
    maps: tuple[int, ...]
    functions: tuple[int, ...]
    derivatives: tuple[int, ...]
    rates: tuple[int, ...]
    gains: tuple[int, ...]
    entries: dict[str, int]
    inputs: dict[str, tuple[Transfer, ...]]
    outputs: dict[str, tuple[Transfer, ...]]

    @property
    def machine(self) -> MachineConfig:
        return self.config.machine

    def clamped(self, entry: str) -> list[str]:
        """Populations whose clamp mask is set while ``entry`` runs."""
        roles = {Role.INPUT, Role.CONSTANT} | ({Role.TARGET} if entry == "train" else set())
        return [p.name for p in self.layout.network.populations if p.role in roles]

    @property
    def constants(self) -> dict[str, int]:
        """Activity code of every constant population."""
        return {p.name: 1 << p.activity_frac
                for p in self.layout.network.with_role(Role.CONSTANT)}


@dataclass
class _Assembler:
    """Interns descriptors, maps, rates and functions while instructions are laid down."""

    layout: Layout

    def __post_init__(self) -> None:
        self.words: list[int] = []
        self.blocks: list[int] = []
        self.maps: list[int] = []
        self._maps: dict[tuple[int, ...], int] = {}
        self.rates: list[int] = []
        self.clamped: set[str] = set()

    @cached_property
    def functions(self) -> list[tuple[str, int]]:
        """Distinct (activation, fraction bits) of the populations that have an error."""
        predicted = self.layout.network.predicted
        return list(dict.fromkeys((p.activation, p.activity_frac) for p in predicted))

    def lay(self, ops: tuple[MicroOp, ...]) -> None:
        """Append the instructions of ``ops``."""
        for op in ops:
            match op:
                case SweepOp():
                    self.words.append(encode(Op.SWEEP, flags=int(op.flags), gain=op.gain.value,
                                             block=self._block(op)))
                case TransferOp():
                    place = self.layout.places[op.population]
                    self.words.append(encode(
                        op.op, address=place.word, count=place.population.size,
                        memory=op.memory, last=int(op.last)))
                case WaitOp():
                    self.words.append(encode(Op.WAIT))
                case LoopOp():
                    at = len(self.words)
                    self.words.append(0)
                    self.lay(op.body)
                    self.words.append(encode(Op.NEXT))
                    self.words[at] = encode(Op.LOOP, end=len(self.words), count=op.count,
                                            register=op.register)

    def _block(self, op: SweepOp) -> int:
        place, (first, count) = op.block.place, op.view
        tiles, population = self.layout.machine.row_tiles, op.block.place.population
        word = pack(
            BLOCK, f"block {op.name!r}",
            weight_base=op.block.base + first if count else 0,
            stride=op.block.stride if count else 0,
            map_base=self._map(op) if count else 0, columns=max(count, 1),
            function=self.functions.index((population.activation, population.activity_frac)),
            group_base=place.group, groups=place.groups,
            tail=population.size - (place.groups - 1) * tiles)
        return _intern(self.blocks, word)

    def _map(self, op: SweepOp) -> int:
        first, count = op.view
        entries = tuple(self._column(op, c) for c in op.block.columns[first:first + count])
        if entries not in self._maps:
            self._maps[entries] = len(self.maps)
            self.maps += entries
        return self._maps[entries]

    def _column(self, op: SweepOp, column) -> int:
        edge = column.edge
        return pack(
            MAP, f"edge {edge.source!r} to {edge.target!r}", source=column.word,
            lanes=column.lanes, shift=self.layout.shift(edge.source), rate=self._rate(edge),
            feedback=int(edge.source not in self.clamped), fresh=int(edge.source in op.fresh),
            plastic=int(edge.plastic), diagonal=int(edge.zero_diagonal))

    def _rate(self, edge) -> int:
        """The RATE register of an edge: right shift from e a to a weight change, alpha included."""
        m, source = self.layout.machine, self.layout.network.by_name[edge.source]
        shift = edge.alpha_shift + m.state_frac + source.activity_frac - m.weight_frac
        if not 0 <= shift <= MAX_RATE:
            raise BadInput(f"edge {edge.source!r} to {edge.target!r}: alpha_shift "
                           f"{edge.alpha_shift} needs an update shift of {shift}, outside "
                           f"0..{MAX_RATE}; change alpha_shift or machine.weight_frac.")
        index = _intern(self.rates, shift)
        if index >= RATES:
            raise BadInput(f"network.edges need {index + 1} different learning rates; the machine "
                           f"has {RATES} RATE registers, let some edges share one.")
        return index


def _intern(table: list[int], word: int) -> int:
    if word not in table:
        table.append(word)
    return table.index(word)


def assemble(config: Config, schedules: dict[str, tuple[MicroOp, ...]], layout: Layout) -> Program:
    """Lay the schedules down as entries of one program; WAITs as given. Raises BadInput when a
    table of the machine is too small."""
    a, entries, m = _Assembler(layout), {}, config.machine
    for name, ops in schedules.items():
        entries[name] = len(a.words)
        a.clamped = {p.name for p in layout.network.populations
                     if Schedule(layout, config.rule, name == "train").clamped(p.name)}
        a.lay(ops)
        a.words.append(encode(Op.HALT))
    for what, need, knob in (("instructions", len(a.words), "program_words"),
                             ("block descriptors", len(a.blocks), "blocks"),
                             ("map entries", len(a.maps), "map_entries"),
                             ("activation functions", len(a.functions), "functions")):
        if need > getattr(m, knob):
            raise BadInput(f"the program does not fit: {need} {what} and machine.{knob} is "
                           f"{getattr(m, knob)}; raise it to {need}.")
    formats, gamma = m.formats, config.rule.gamma
    tables = [[t for name, frac in a.functions for t in table(name, d, formats, frac)]
              for d in (False, True)]
    gain = min(int(gamma * formats.gain.scale + 0.5), formats.gain.hi)
    return Program(
        config=config, layout=layout, words=tuple(a.words), blocks=tuple(a.blocks),
        maps=tuple(a.maps), functions=tuple(tables[0]), derivatives=tuple(tables[1]),
        rates=tuple(a.rates), gains=(gain, 1 << formats.gain.frac, 0, 0), entries=entries,
        inputs={n: _transfers(layout, ops, Op.IN) for n, ops in schedules.items()},
        outputs={n: _transfers(layout, ops, Op.OUT) for n, ops in schedules.items()})


def _transfers(layout: Layout, ops: tuple[MicroOp, ...], op: Op) -> tuple[Transfer, ...]:
    """The transfers of one sample, wherever they stand in the loops."""
    found: list[Transfer] = []
    for o in ops:
        if isinstance(o, LoopOp):
            found += _transfers(layout, o.body, op)
        elif isinstance(o, TransferOp) and o.op is op:
            found.append(Transfer(layout.network.by_name[o.population], Mem(o.memory)))
    return tuple(found)


def compile_config(config: Config) -> Program:
    """Compile a configuration into a program with the entries "train" and "predict"."""
    layout = Layout(config.build_network(), config.machine)
    learn, answer = (Schedule(layout, config.rule, training) for training in (True, False))
    return assemble(config, {"train": fenced(train(learn)), "predict": fenced(predict(answer))},
                    layout)
