"""Compile a network, a rule and a machine to a program: instructions, descriptors, tables, registers."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from hebbar.contract.activations import table
from hebbar.contract.beside import goes_on
from hebbar.contract.errors import BadInput
from hebbar.contract.formats import Format, code
from hebbar.contract.isa import GAINS, Op, decode, encode
from hebbar.contract.memories import BLOCK, MAP, Mem, unpack

from .assembler import Assembler
from .chaining import chained
from .config import Config, MachineConfig
from .layout import Layout
from .network import Population, Role
from .parameters import beta_code, check_scales, flat, tolerance_code
from .pipelining import pipelined
from .rules import Schedule, predict, query, train
from .schedule import ExitOp, LoopOp, MicroOp, TransferOp, apart, insert_waits

__all__ = ["Program", "Transfer", "compile_config", "assemble", "drained"]


@dataclass(frozen=True)
class Transfer:
    """One population on a data stream: which memory its neurons go to or come from."""

    population: Population
    memory: Mem

    @property
    def key(self) -> str:
        """The name its samples or outputs go by; a clamp mask stands beside the values of its population."""
        name = self.population.name
        return f"{name}.clamp" if self.memory is Mem.CLAMP else name


Value = TypeVar("Value")


class ByEntry(dict[str, Value]):
    """Something of each entry of a program; asking for an entry that there is not raises BadInput."""

    def __missing__(self, entry: str) -> Value:
        why = ": machine.updates is 'none', so that the machine does not learn" if entry == "train" else ""
        raise BadInput(f"the program has no entry {entry!r}, only {', '.join(self)}{why}.")


@dataclass(frozen=True)
class Program:
    """Everything a backend needs besides weights and samples.

    ``words`` are instructions, ``blocks`` and ``maps`` packed descriptors (``hebbar.contract.memories``),
    ``functions`` and ``derivatives`` packed tables one after the other, ``rates`` and ``gains``
    register codes, ``entries`` the start address of "train" and "predict", ``inputs`` and
    ``outputs`` what one sample streams in and out of each entry, ``schedules`` the micro-operations it
    was made of, ``constants`` the activity code of every constant population, ``second`` the first neuron
    word of the second place of every input that has one (``hebbar.compiler.double_buffer``).
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
    schedules: dict[str, tuple[MicroOp, ...]]
    tolerance: int = 0
    beta: int = 0
    constants: dict[str, int] = field(default_factory=dict)
    second: dict[str, int] = field(default_factory=dict)

    @property
    def machine(self) -> MachineConfig:
        return self.config.machine

    @cached_property
    def drains(self) -> bool:
        """Whether it stands still where its schedules say so: it is neither chained nor pipelined."""
        return self.words == drained(self).words

    @cached_property
    def beside(self) -> tuple[int, ...]:
        """Addresses of the INs that go on beside sweeps: those behind a WAIT with a gap."""
        code = [decode(word) for word in self.words]
        return tuple(at for at in range(1, len(code)) if goes_on(code[at])
                     and code[at - 1].op is Op.WAIT and not code[at - 1].barrier)

    def descriptor(self, number: int) -> tuple[dict[str, int], list[dict[str, int]]]:
        """A block descriptor and the map entries of its columns, both by the names of their fields."""
        block = unpack(BLOCK, self.blocks[number])
        return block, [unpack(MAP, e) for e in self.maps[block["map_base"]:block["map_base"] + block["columns"]]]

    def clamped(self, entry: str) -> list[str]:
        """Populations whose clamp mask is set when ``entry`` starts; those of a query come with its samples."""
        s = Schedule(self.layout, self.config.rule, entry)
        return [p.name for p in self.layout.network.populations if s.clamped(p.name)]


def assemble(config: Config, schedules: dict[str, tuple[MicroOp, ...]], layout: Layout) -> Program:
    """Lay the schedules down as entries of one program; WAITs as given. Raises BadInput when a
    table of the machine is too small."""
    a, m, entries = Assembler(layout, config), config.machine, ByEntry[int]()
    for name, ops in schedules.items():
        entries[name] = len(a.words)
        a.clamped = {p.name for p in layout.network.populations if Schedule(layout, config.rule, name).clamped(p.name)}
        a.emit(ops)
        a.words.append(encode(Op.HALT))
    for what, need, key in (("instructions", len(a.words), "program_words"),
                             ("block descriptors", len(a.blocks), "blocks"),
                             ("map entries", len(a.maps), "map_entries"),
                             ("activation functions", len(a.functions), "functions")):
        if need > getattr(m, key):
            raise BadInput(f"the program does not fit: {need} {what} and machine.{key} is "
                           f"{getattr(m, key)}; raise it to {need}.")
    formats = m.formats
    tables = [[t for name, frac in a.functions for t in table(name, d, formats, frac)]
              for d in (False, True)]
    return Program(
        config=config, layout=layout, words=tuple(a.words), blocks=tuple(a.blocks),
        maps=tuple(a.maps), functions=tuple(tables[0]), derivatives=tuple(tables[1]),
        rates=tuple(a.rates), gains=tuple(a.gains + [0] * (GAINS - len(a.gains))), entries=entries,
        inputs=ByEntry({n: _transfers(layout, ops, Op.IN) for n, ops in schedules.items()}),
        outputs=ByEntry({n: _transfers(layout, ops, Op.OUT) for n, ops in schedules.items()}),
        schedules=ByEntry(schedules), tolerance=tolerance_code(config.rule, formats.state), beta=beta_code(config.rule),
        constants=_constants(layout))


def drained(program: Program) -> Program:
    """A program that does the same with the WAITs of its schedules, so that every step can be seen at a barrier."""
    return assemble(program.config, dict(program.schedules), program.layout)


def _constants(layout: Layout) -> dict[str, int]:
    """The activity 1 of every constant population."""
    bits = layout.machine.activity_bits
    return {p.name: code(1.0, Format(bits, p.activity_frac), f"the activity of constant population {p.name!r}, with "
                         f"activity_frac {p.activity_frac} and machine.activity_bits {bits},",
                         f"lower activity_frac (of a bias network.hidden_frac) to {bits - 2} or raise "
                         "machine.activity_bits", 0.0)
            for p in layout.network.with_role(Role.CONSTANT)}


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
    """Compile a configuration into a program with the entries "train", unless the machine does not learn,
    "predict", and "query" where an input is predicted. Raises BadInput for what does not fit or cannot run."""
    layout = Layout(config.build_network(), config.machine)
    check_scales(config, layout.network)
    entries = {"train": train, "predict": predict}
    if any(layout.network.incoming(p.name) for p in layout.network.with_role(Role.INPUT)):
        entries["query"] = query
    if config.machine.updates == "none":
        del entries["train"]
    shared = config.machine.updates == "shared"
    ops = {name: build(Schedule(layout, config.rule, name)) for name, build in entries.items()}
    _check_tolerance(config, ops)
    waits = {name: insert_waits(apart(made) if shared else made) for name, made in ops.items()}
    program = assemble(config, waits, layout)
    return _SCHEDULES[config.rule.schedule](program)


def _check_tolerance(config: Config, schedules: Mapping[str, Iterable[MicroOp]]) -> None:
    """Raise BadInput for a tolerance that no schedule asks for."""
    if config.rule.tolerance and not any(isinstance(op, ExitOp) for ops in schedules.values() for op in flat(ops)):
        raise BadInput(f"rule.tolerance is {config.rule.tolerance:g}, and no program of rule {config.rule.name!r} here "
                       f"({', '.join(schedules)}) stops before its last step; set it to 0, or take rule 'il' with "
                       "steps of at least 1 on a machine that learns.")


_SCHEDULES: dict[str, Callable[[Program], Program]] = {
    "drained": lambda program: program, "chained": chained, "pipelined": pipelined}
"""What ``rule.schedule`` makes of a program that drains."""
