"""Figures that come from the Verilated RTL: agreement, cycles, issue rates, reads."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from golden.learning.training import data_of
from golden.session import initial_image
from golden.trace import Job, Trace
from hebbar.compiler.config import Config, load
from hebbar.compiler.layout import Layout
from hebbar.compiler.program import Program, assemble, compile_config
from hebbar.compiler.rules import Schedule, train
from hebbar.compiler.schedule import LoopOp, MicroOp, SweepOp, insert_waits, separated
from hebbar.compiler.workload import minimum
from hebbar.contract.console import Reporter
from hebbar.contract.counters import CYCLES, HOST
from hebbar.contract.isa import ISSUE_FLAGS, Sweep
from hebbar.contract.results import Figure
from hebbar.verify.random_networks import random_configs
from sim.backends import golden, verilator
from sim.compare import compare, nonzero_updates
from sim.experiment import replay_job

__all__ = ["MACHINES", "agreement", "cycle_model", "issue_rates", "weight_reads", "cycles"]

Machines = Mapping[str, tuple[str, Mapping[str, Any]]]
"""Machine shapes by name: a preset and what is changed in its machine."""

MACHINES: dict[str, tuple[str, dict[str, Any]]] = {
    "1 x 4": ("digits", {"lanes": 4, "row_tiles": 1, "weight_words": 2048, "neuron_words": 64,
                         "max_columns": 32}),
    "2 x 8": ("digits", {}),
    "4 x 16": ("digits", {"lanes": 16, "row_tiles": 4, "weight_words": 128, "neuron_words": 16,
                          "max_columns": 8}),
    "array macro": ("array", {})}
RULES = ("il", "ipc", "zil", "backprop")


def machine_config(name: str, rule: str, machines: Machines = MACHINES) -> Config:
    """The bench configuration of one machine shape and rule."""
    preset, machine = machines[name]
    return load(preset).replace(machine=machine, rule={"name": rule})


def agreement(build: Path, samples: int, reporter: Reporter) -> Iterator[Figure]:
    """Train on the RTL with every rule on every machine, every barrier compared."""
    for name in MACHINES:
        for rule in RULES:
            config = machine_config(name, rule)
            program = compile_config(config)
            data = data_of(program)
            job = replay_job(program, data, initial_image(program), samples)
            rtl = _run(job, build, f"{name}, {rule}: training on the RTL", reporter)
            result = compare(program, golden.run(job), rtl)
            words = ", ".join(f"{n} {w:,}" for n, w in result.words.items() if w)
            changed = nonzero_updates(rtl, job.weights)
            yield Figure(f"mismatches {name}, {rule}, {samples} samples ({words}; "
                         f"{changed:,} nonzero updates)", result.total_mismatches, "0", "words",
                         result.total_mismatches == 0 and changed > 0)


def cycle_model(build: Path, count: int, reporter: Reporter, machines: Machines = MACHINES) -> Figure:
    """Counters of random networks and rules on every machine, cycle model against RTL."""
    wrong = total = 0
    for name in machines:
        for config in random_configs(machine_config(name, "il", machines), count, seed=1):
            program = compile_config(config)
            job = replace(_random_job(program, 3), steps=False)
            rtl = _run(job, build, f"{name}: random network", reporter, quiet=True).counters
            model = golden.run(job).counters
            names = [n for n in model if n not in HOST]
            wrong += sum(model[n] != rtl[n] for n in names)
            total += len(names)
    return Figure(f"cycle model and work counts against RTL counters, {count * len(machines)} "
                  f"random networks ({total:,} counters)", wrong, "0", "differences", wrong == 0)


def issue_rates(build: Path, reporter: Reporter) -> Iterator[Figure]:
    """Weight words a cycle of every flag set, sweeps following one another without barriers."""
    config = machine_config("2 x 8", "il").replace(
        network={"layers": (8, 64, 64, 10)},
        rule={"alpha_shifts": (3, 3, 3), "init_scales": (1.0, 1.0, 1.0)})
    layout = Layout(config.build_network(), config.machine)
    block = layout.blocks["x2"]
    sets = [Sweep(sum(p for i, p in enumerate(ISSUE_FLAGS) if n >> i & 1)) for n in range(16)]
    for flags in (s for s in sets if s.weights):
        loop = LoopOp((SweepOp(block, block.full, flags),), count=200)
        ops = (LoopOp((*Schedule(layout, config.rule, "train").inputs(), loop), register=1),)
        program = assemble(config, {"train": ops}, layout)
        job = replace(_random_job(program, 1), steps=False)
        c = _run(job, build, f"issue rate of {flags!r}", reporter, quiet=True).counters
        rate = c["issue"] / (c["issue"] + c["bubbles"] + c["drain"] + c["control"])
        name = "|".join(f.name or "" for f in flags)
        yield Figure(f"issue rate {name}, 200 sweeps of 64 x 64", round(rate, 4), ">= 0.99",
                     "words a cycle", rate >= 0.99)


def weight_reads(build: Path, reporter: Reporter) -> Iterator[Figure]:
    """Reads of a weight by one more inference step: fused, and in separate sweeps."""
    for rule, separate_reads in (("il", 2), ("ipc", 3)):
        base = machine_config("2 x 8", rule)
        network = base.build_network()
        sizes = [p.size for p in network.populations]
        moving, all_weights = sizes[1] * sizes[2], sizes[0] * sizes[1] + sizes[1] * sizes[2]
        swept = moving if rule == "il" else all_weights
        for name, transform in (("one read", list), ("separate sweeps", separated)):
            extra = _extra_reads(base, transform, build, reporter) / swept
            want = 1 if transform is list else None
            label = "moving" if rule == "il" else "every"
            yield Figure(f"reads a step of a weight, {rule}, {label} source, {name}", extra,
                         "1" if want else f"beside it ({separate_reads} for moving sources)",
                         "reads", extra == 1 if want else None)
        if rule == "il":
            extra = _extra_reads(base, list, build, reporter) - moving
            yield Figure("reads a step of weights from clamped sources, il", extra, "0", "reads",
                         extra == 0)


def _extra_reads(config: Config, transform: Callable[[list[MicroOp]], list[MicroOp]], build: Path,
                 reporter: Reporter) -> float:
    """Weight reads that one more step costs, from RTL counters."""
    reads = []
    for steps in (6, 7):
        c = config.replace(rule={"steps": steps})
        layout = Layout(c.build_network(), c.machine)
        ops = insert_waits(transform(train(Schedule(layout, c.rule, "train"))))
        job = replace(_random_job(assemble(c, {"train": ops}, layout), 2), steps=False)
        reads.append(_run(job, build, "reads", reporter, quiet=True).counters["weight_reads"] / 2)
    return reads[1] - reads[0]


def cycles(build: Path, reporter: Reporter) -> Iterator[Figure]:
    """Cycles a training sample of the digits preset beside the minimum, by cause."""
    config = load("digits")
    program = compile_config(config)
    data = data_of(program)
    job = replace(replay_job(program, data, initial_image(program), 100), steps=False)
    c = _run(job, build, "digits: cycles", reporter).counters
    causes = {n: c[n] / 100 for n in CYCLES}
    least = minimum(program)
    assert least is not None, "the rule il says what it visits"
    exact, padded = least.cycles, least.padded
    text = ", ".join(f"{n} {v:.1f}" for n, v in causes.items())
    yield Figure(f"cycles a sample, digits preset ({text})", round(sum(causes.values()), 1),
                 f"printed; minimum {exact:.1f}, padded {padded}", "cycles", None)
    yield Figure("cycles a sample against the minimum", round(sum(causes.values()) / exact, 3),
                 "printed", "ratio", None)


def _random_job(program: Program, samples: int) -> Job:
    rng = np.random.default_rng(0)
    inputs = {t.population.name: rng.integers(-100, 101, (samples, t.population.size))
              for t in program.inputs["train"]}
    return Job(program, "train", initial_image(program), inputs)


def _run(job: Job, build: Path, name: str, reporter: Reporter, quiet: bool = False) -> Trace:
    model = verilator.prepare(job.program, build)
    if quiet:
        return verilator.run(job, model)
    with reporter.task(name, job.count) as task:
        return verilator.run(job, model, task.advance)
