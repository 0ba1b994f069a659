"""What each mechanism of the machine saves: one network, one mechanism changed at a time, counted from the program."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hebbar.compiler.config import Config, load
from hebbar.compiler.layout import Layout
from hebbar.compiler.program import Program, assemble, compile_config
from hebbar.compiler.rules import Schedule, train
from hebbar.compiler.schedule import insert_waits, separated
from hebbar.contract.counters import CYCLES
from hebbar.energy.accesses import accesses
from hebbar.energy.estimate import estimate
from hebbar.energy.registers import register_bits
from hebbar.energy.technology import load_technology

from .program_counts import counted

__all__ = ["CHANGES", "PRESET", "Line", "ablation", "apart"]

PRESET = "digits"
TECHNOLOGY = "cmos45"
HOUSEKEEPING = ("totals of counters", "registers of bus and counters")
"""Components that go with the counters and the bus; those of the bus alone stay in a machine without counters."""

CHANGES: dict[str, dict[str, dict[str, Any]]] = {
    "base of the feedforward input computed in every step": {"rule": {"hoist": False}},
    "T = 4 steps": {"rule": {"steps": 4}},
    "T = 16 steps": {"rule": {"steps": 16}},
    "weights of 12 bits": {"machine": {"weight_bits": 12, "weight_frac": 9}},
    "twice the lanes": {"machine": {"lanes": 16, "weight_words": 256, "neuron_words": 16}},
    "twice the rows at a time": {"machine": {"row_tiles": 4, "weight_words": 256}}}
"""Changes of the preset, one at a time."""


@dataclass(frozen=True)
class Line:
    """Cycles, weights read (lanes out of use included) and typical nJ of a training sample; energy against the
    preset's."""

    change: str
    cycles: float
    reads: int
    energy_nj: float
    against: float


def apart(config: Config) -> Program:
    """The training of a configuration with a sweep of its own for predict, feed back and learn."""
    layout = Layout(config.build_network(), config.machine)
    ops = train(Schedule(layout, config.rule, "train"))
    return assemble(config, {"train": insert_waits(separated(ops))}, layout)


def programs(changes: Iterable[str]) -> Iterator[tuple[str, Program]]:
    """The preset, its verbs apart, and every change."""
    config = load(PRESET)
    yield f"{PRESET}, as it is", compile_config(config)
    yield "predict, feed back and learn in sweeps of their own", apart(config)
    for name in changes:
        yield name, compile_config(config.replace(**CHANGES[name]))


def ablation(changes: Sequence[str] = tuple(CHANGES)) -> list[Line]:
    """A line for the preset and for every change; the last without counters."""
    technology, found = load_technology(TECHNOLOGY), []
    base = 0.0
    for name, program in programs(changes):
        counters = counted(program)
        made = estimate(program, counters, 1, technology, registers=register_bits)
        energy = made.sample.typical / 1000
        base = base or energy
        m = program.machine
        reads = accesses(program, "train", 1)["weight_read"] * m.row_tiles * m.lanes
        found.append(Line(name, sum(counters[c] for c in CYCLES), reads, energy, energy / base))
        if len(found) == 1:
            off = sum(r.sample.typical for r in made.rows if r.component == HOUSEKEEPING[0]) / 1000
            bits = register_bits(program.machine)
            share = bits.get("counters", 0) / (bits.get("counters", 0) + bits.get("bus", 0))
            off += share * sum(r.sample.typical for r in made.rows if r.component == HOUSEKEEPING[1]) / 1000
            without = Line("without counters", found[0].cycles, found[0].reads, energy - off, 1 - off / energy)
    return [*found, without]
