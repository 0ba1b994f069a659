"""Random legal programs: golden machine against RTL on what no compiler emits."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.session import Session
from golden.trace import Job, Trace
from hebbar.compiler.chaining import chained
from hebbar.compiler.config import Config, load
from hebbar.compiler.network import Population
from hebbar.compiler.program import Program, Transfer, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.counters import WORK
from hebbar.contract.memories import Mem
from hebbar.contract.registers import RATES
from hebbar.contract.results import Figure
from sim.backends import fast
from sim.compare import Comparison
from sim.parts import merged
from sim.write_hashes import compared

from .random_code import Blocks, Writer

__all__ = ["MACHINES", "Case", "random_cases", "run", "compare_case", "compare_made", "agreement"]

COMMON: dict[str, Any] = {
    "max_columns": 6, "map_entries": 256, "blocks": 40, "program_words": 512, "functions": 3, "separation": 21,
    "energy": True, "row_sum_bits": 48, "feedback_sum_bits": 52}
MACHINES: dict[str, dict[str, Any]] = {
    "rows 2 x 4": COMMON | {"lanes": 4, "row_tiles": 2, "weight_words": 120, "neuron_words": 20, "integral": True},
    "rows 1 x 4, few bits": COMMON | {
        "lanes": 4, "row_tiles": 1, "weight_words": 120, "neuron_words": 12, "weight_bits": 6, "weight_frac": 4,
        "state_bits": 9, "state_frac": 5, "error_bits": 7, "activity_bits": 5, "activity_frac": 4},
    "rows 4 x 8, wide activities": COMMON | {
        "lanes": 8, "row_tiles": 4, "weight_words": 60, "neuron_words": 10, "activity_bits": 13, "activity_frac": 9,
        "integral": True},
    "rows 2 x 8, passes of 4 rows": COMMON | {
        "lanes": 8, "row_tiles": 2, "neuron_rows": 4, "weight_words": 60, "neuron_words": 10, "integral": True},
    "array 2 x 4": COMMON | {"tile": "array", "lanes": 4, "row_tiles": 2, "weight_words": 48, "neuron_words": 12}}
SAMPLES = 2


@dataclass(frozen=True)
class Case:
    """A program, what its memories hold before it runs, and how many micro-operations were drawn for it."""

    job: Job
    rows: dict[Mem, NDArray[np.int64]]
    operations: int


def random_cases(machine: str, seed: int) -> Iterator[Case]:
    """Programs for one of MACHINES without end, each with memories and samples."""
    base = compile_config(_config(machine))
    for number in range(1 << 30):
        yield _case(base, Random(f"{machine} {seed} {number}"))


def _config(machine: str) -> Config:
    """A small network with three activations that fits every machine."""
    populations = [{"name": n, "size": 4, "role": r, "activation": a, "activity_frac": 2} for n, r, a in (
        ("in", "input", "identity"), ("h", "hidden", "tanh"), ("g", "hidden", "relu"), ("out", "target", "identity"))]
    edges = [{"source": s, "target": t, "alpha_shift": 4} for s, t in (("in", "h"), ("h", "g"), ("g", "out"))]
    return load("tiny").replace(machine=MACHINES[machine], rule={"alpha_shifts": (), "init_scales": ()},
                                network={"layers": (), "populations": populations, "edges": edges})


def _case(base: Program, rng: Random) -> Case:
    blocks = Blocks(base.machine, rng)
    for rows in (1, 2, 5, 7, 11, 16):
        for columns in (1, 2, 3, 5):
            blocks.draw(rows, columns)
    writer = Writer(blocks, rng)
    writer.write(30)
    program = replace(
        base, words=tuple(writer.words), blocks=tuple(blocks.words), maps=tuple(blocks.maps), entries={"train": 0},
        rates=tuple(rng.choice([0, 3, 9, 14, 18, 31]) for _ in range(RATES)), gains=(1, 64, 128, 255),
        inputs={"train": _transfers(writer.inputs)}, outputs={"train": _transfers(writer.outputs)},
        tolerance=1 << rng.randrange(32), beta=rng.choice([0, 37, 369, 5000, 65535]))
    return Case(*_contents(program, np.random.default_rng(rng.getrandbits(32)), rng.randrange(3)), writer.operations)


def _transfers(moved: list[tuple[Mem, int]]) -> tuple[Transfer, ...]:
    """One population for each, as its name is where its samples are found."""
    return tuple(Transfer(Population(f"p{i}", count), memory) for i, (memory, count) in enumerate(moved))


def _contents(program: Program, rng: np.random.Generator, halvings: int) -> tuple[Job, dict[Mem, NDArray[np.int64]]]:
    """Random memories and samples, many of them at the ends of their formats."""
    m = program.machine
    f = m.formats
    limits = {Mem.ACTIVITY: f.activity, Mem.STATE: f.state, Mem.ERROR: f.error, Mem.WEIGHT: f.weight}

    def codes(mem: Mem, *shape: int) -> NDArray[np.int64]:
        if mem is Mem.CLAMP:
            return rng.integers(0, 2, shape)
        lo, hi = limits[mem].lo, limits[mem].hi
        values = rng.integers(lo, hi + 1, shape) >> rng.choice([0, 0, 3, 6], shape)
        return np.where(rng.random(shape) < 0.1, rng.choice([lo, hi], shape), values)

    samples = {t.key: codes(t.memory, SAMPLES, t.population.size) for t in program.inputs["train"]}
    weights = codes(Mem.WEIGHT, m.weight_words, m.row_tiles, m.lanes)
    rows = {mem: codes(mem, m.neuron_words * m.lanes) for mem in (Mem.STATE, Mem.ERROR, Mem.ACTIVITY)}
    return Job(program, "train", weights, samples, halvings), rows


def run(case: Case, library: Path) -> tuple[Trace, Trace]:
    """What the golden machine and the RTL make of a case; every barrier recorded, every write hashed."""
    machine, session = Session(case.job.program, engine="numpy"), fast.Session(case.job.program, library)
    try:
        machine.load(case.job.weights, case.rows)
        session.load(case.job.weights, case.rows)
        job = replace(case.job, hashes=True)
        return machine.run(job), session.run(job)
    finally:
        session.close()


def compare_case(case: Case, library: Path) -> tuple[Comparison, Trace]:
    """A case on both sides by its barriers and by its writes, and what the RTL made of it."""
    golden, rtl = run(case, library)
    again = partial(fast.writes, case.job, library, case.rows)
    return compared(case.job, golden, rtl, again, case.rows), rtl


def compare_made(case: Case, library: Path, make: Callable[[Program], Program] = chained) -> Comparison:
    """What ``make`` makes of the program of a case on both sides, and on the golden machine the one that drains."""
    result, rtl = compare_case(replace(case, job=replace(case.job, program=make(case.job.program))), library)
    drained = Session(case.job.program, engine="numpy")
    drained.load(case.job.weights, case.rows)
    ends = drained.run(replace(case.job, steps=False))
    alike: list[tuple[str, Any, Any]] = [
        ("final", ends.final, rtl.final), *((f"output {n}", v, rtl.outputs[n]) for n, v in ends.outputs.items()),
        *(("work", np.array(ends.counters[n]), np.array(rtl.counters[n])) for n in WORK)]
    extra = [Comparison({f"drained {name}": a.size}, {f"drained {name}": int(np.count_nonzero(a != b))}, None)
             for name, a, b in alike]
    return merged([result, *extra])


def agreement(folder: Path, operations: int, reporter: Reporter,
              make: Callable[[Program], Program] | None = None) -> Figure:
    """Words that differ after ``operations`` random micro-operations or more, spread over MACHINES.

    ``make``: what stands in the place of a program that drains, ``chained`` or ``pipelined``; the ends are also
    compared with those of the program that drains.
    """
    drawn = programs = words = wrong = 0
    for i, name in enumerate(MACHINES):
        reporter.say(f"random programs on {name} ...")
        library = None
        for case in random_cases(name, seed=1):
            library = library or fast.prepare(case.job.program, folder, announce=False)
            result = compare_made(case, library, make) if make else compare_case(case, library)[0]
            drawn, programs = drawn + case.operations, programs + 1
            words, wrong = words + result.total_words, wrong + result.total_mismatches
            if drawn * len(MACHINES) >= operations * (i + 1):
                break
    how = f", {make.__name__}," if make else ""
    return Figure(f"mismatches of random programs{how} on {len(MACHINES)} machines ({programs:,} programs, {drawn:,} "
                  f"micro-operations, {words:,} words)", wrong, "0", "words", wrong == 0)
