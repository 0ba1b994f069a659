"""What each mechanism of the machine saves: one network, one mechanism changed at a time, counted from the program."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hebbar.compiler.config import Config, load
from hebbar.compiler.layout import Layout
from hebbar.compiler.program import Program, assemble, compile_config
from hebbar.compiler.rules import Schedule, train
from hebbar.compiler.schedule import insert_waits, separated
from hebbar.contract.counters import CYCLES
from hebbar.energy.accesses import accesses
from hebbar.energy.estimate import Estimate, estimate
from hebbar.energy.registers import register_bits
from hebbar.energy.technology import load_technology

from .early_exit import trained
from .program_counts import counted

__all__ = ["CHANGES", "PRESET", "Line", "ablation", "apart"]

PRESET = "digits"
TECHNOLOGY = "cmos45"
CHANGES: dict[str, dict[str, dict[str, Any]]] = {
    "base of the feedforward input computed in every step": {"rule": {"hoist": False}},
    "T = 4 steps": {"rule": {"steps": 4}},
    "T = 16 steps": {"rule": {"steps": 16}},
    "weights of 12 bits": {"machine": {"weight_bits": 12, "weight_frac": 9}},
    "twice the lanes": {"machine": {"lanes": 16, "weight_words": 256, "neuron_words": 16}},
    "twice the rows at a time": {"machine": {"row_tiles": 4, "weight_words": 256}},
    "without counters": {"machine": {"counters": False}}}
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
    """A line for the preset and for every change; the last with an exit."""
    technology, found = load_technology(TECHNOLOGY), list[Line]()
    for name, program in programs(changes):
        counters = counted(program)
        made = estimate(program, counters, 1, technology, registers=register_bits)
        found.append(_line(name, program, counters, made, accesses(program, "train", 1), found))
    return [*found, leaving(found)]


def leaving(found: Sequence[Line]) -> Line:
    """The preset with an EXIT behind every step, trained; a sample of its last epoch, as what it saves is up to the
    data. ``found``: lines of which the first is the preset's."""
    config = load(PRESET).replace(rule={"tolerance": load("early_exit").rule.tolerance}, machine={"energy": True})
    run = trained(config)
    exits = run.trace.decisions.tolist()
    made = estimate(run.program, run.trace.counters, run.count, load_technology(TECHNOLOGY), exits=exits,
                    registers=register_bits)
    events = accesses(run.program, "train", run.count, exits)
    name = (f"early exit, tolerance {config.rule.tolerance:g}: {run.steps[-1]:.2f} of {config.rule.steps} steps, mean "
            "of the last epoch")
    return _line(name, run.program, run.trace.counters, made, events, found)


def _line(name: str, program: Program, counters: Mapping[str, int], made: Estimate, events: Mapping[str, int],
          found: Sequence[Line]) -> Line:
    """A line of a run, against the first of those found before."""
    m, energy, count = program.machine, made.sample.typical / 1000, made.samples
    reads = events["weight_read"] * m.row_tiles * m.lanes / count
    return Line(name, sum(counters[c] for c in CYCLES) / count, round(reads), energy,
                energy / (found[0].energy_nj if found else energy))
