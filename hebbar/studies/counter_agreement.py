"""Counters of every program of every preset, each on its own machine: golden machine against RTL."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from hebbar.compiler.config import load, preset_names
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.counters import COUNTERS, HOST
from hebbar.contract.files import BUILD
from hebbar.contract.results import Figure
from sim.backends import fast, golden

from .replays import random_job

__all__ = ["Counted", "counted", "measure"]

SAMPLES = 3
"""How many samples of every program: the first is not as the others, as memories hold what was before."""


@dataclass(frozen=True)
class Counted:
    """Counters of one entry of a preset that differ: name, golden, RTL. ``machine``: the shape that ran it."""

    preset: str
    entry: str
    machine: str
    differ: tuple[tuple[str, int, int], ...]


def counted(preset: str, samples: int, announce: bool = True) -> Iterator[Counted]:
    """Every entry of a preset with random samples, behind the fast shell; the counters of the host are left out, as how
    long a host lets the machine wait is not the program's."""
    program = compile_config(load(preset))
    library = fast.prepare(program, BUILD, announce)
    for entry in program.entries:
        job = replace(random_job(program, entry, samples), steps=False)
        want, got = golden.run(job).counters, fast.run(job, library).counters
        yield Counted(preset, entry, program.machine.model_dump_json(), tuple(
            (name, want[name], got[name]) for name in COUNTERS if name not in HOST and want[name] != got[name]))


def measure(quick: bool, reporter: Reporter) -> Figure:
    """All presets that ship with Hebbar; ``quick``: one sample of each program."""
    found, names = list[Counted](), preset_names()
    with reporter.task("counters of every program, golden machine against RTL", len(names)) as task:
        for done, name in enumerate(names, 1):
            found += counted(name, 1 if quick else SAMPLES)
            task.advance(done, name)
    each = len(COUNTERS) - len(HOST)
    wrong = [f"{c.preset}, {c.entry}: {name} {want} against {got}" for c in found for name, want, got in c.differ]
    if wrong:
        reporter.say(f"counters that differ: {'; '.join(wrong)}")
    return Figure(f"counters golden = RTL, {len(found)} programs of {len(names)} presets on "
                  f"{len({c.machine for c in found})} machines, {each * len(found):,} counters", len(wrong), "0",
                  "differences", not wrong)
