"""What an online-learned sample costs, on this machine and elsewhere: one network, one task, every way with its basis.

784-192-128-10 on MNIST, IL with T = 8 and backprop. Counts of this machine follow from the program, whatever the
images are; the processor's time is measured on images of noise, its power is stated; graphics processors and chips are
published or recorded figures.
"""

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from golden.learning.tasks import task_of
from hebbar.compiler.config import Config, load, parse
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.files import temporary_folder
from hebbar.energy.estimate import estimate
from hebbar.energy.operation import leakage_w, operation
from hebbar.energy.registers import register_bits
from hebbar.energy.technology import Range, load_technology
from hebbar.energy.validation.page import table
from hebbar.energy.validation.tables import designs, rows
from sim.backends import golden
from sim.simulate import job_of

from .ablation import PRESET, ablation
from .program_counts import counted
from .strangers.presets import write_images

__all__ = ["TECHNOLOGIES", "Way", "elsewhere", "here", "page", "processor"]

TECHNOLOGIES = ("cmos130", "cmos65", "cmos45", "cmos28", "cmos22", "cmos14", "cmos7")
CLOCK_MHZ = 100.0
"""Stated; the energy of the machine but for its leakage does not depend on it."""

WATTS = Range(5.0, 10.0, 20.0)
"""Power of a core of a server's processor at work: stated, not measured."""

SAMPLES = 1000
RULES: dict[str, dict[str, Any]] = {"IL, T = 8": {"name": "il", "steps": 8, "gamma": 0.25},
                                    "backprop": {"name": "backprop"}}


@dataclass(frozen=True)
class Way:
    """One way to learn a sample: uJ for the whole device, and above idle where both are known."""

    way: str
    rule: str
    online: str
    samples_s: float | None
    whole_uj: Range
    above_uj: float | None
    basis: str


def config(rule: str) -> Config:
    """The preset mnist with one of RULES."""
    made = load("mnist")
    shared = {"alpha_shifts": list(made.rule.alpha_shifts), "init_scales": list(made.rule.init_scales)}
    data = made.model_dump(include={"network", "machine"}, exclude_unset=True)
    return parse(data | {"rule": RULES[rule] | shared, "data": {"name": "idx", "path": made.data.path}},
                 f"mnist, {rule}")


def here(technologies: Sequence[str] = TECHNOLOGIES) -> Iterator[Way]:
    """This machine in every technology, tier A, leakage at the clock included."""
    for rule in RULES:
        program = compile_config(config(rule))
        counters, registers = counted(program), register_bits(program.machine)
        leakage = leakage_w(program.machine, registers)
        for name in technologies:
            made = estimate(program, counters, 1, load_technology(name))
            op = operation(made.sample, counters, 1, CLOCK_MHZ, leakage)
            yield Way(f"this machine, {name}, {CLOCK_MHZ:g} MHz", rule, "yes", op.throughput,
                      (made.sample + op.leakage_pj) * 1e-6, None, "tier A: exact counts times a table, with leakage; "
                      "no wires, clock tree or pads")


def processor(reporter: Reporter) -> Iterator[Way]:
    """The compiled golden machine on one core: its time measured, its power stated."""
    for rule in RULES:
        with temporary_folder() as folder:
            made = config(rule).replace(data={"path": str(write_images(folder, train=SAMPLES))})
            program = compile_config(made)
            task = task_of(program)
            job = replace(job_of(program, task, "train", SAMPLES, task.image()), steps=False)
            reporter.say(f"timing {SAMPLES} samples of {rule} on this processor ...")
            golden.run(job)  # compiles
            began = time.process_time()  # other programs must not slow it down
            golden.run(job)
            pace = SAMPLES / (time.process_time() - began)
        yield Way("one core of a processor, compiled golden machine", rule, "yes", pace, WATTS * (1e6 / pace), None,
                  f"processor time measured, {WATTS.low:g} to {WATTS.high:g} W a core stated; the fixed-point machine, "
                  "not the fastest float code")


def elsewhere() -> Iterator[Way]:
    """Graphics processor and chips, as recorded and published."""
    for r in rows("gpu.csv"):
        whole = float(r["whole_uj"])
        yield Way(f"H200, {r['way']}, learners: {r['learners']}", "IL, T = 8" if r["rule"] == "IL" else r["rule"],
                  "yes" if r["online"] == "y" else "no", float(r["samples_s"]), Range(whole, whole, whole),
                  float(r["above_idle_uj"]), "measured: float32, whole card, idle 122.6 W")
    for d in designs():
        if d.text["class"] == "training_chip" and (told := re.match(r"([\d.e+]+) nJ per training sample", d.pub_other)):
            energy = float(told[1]) / 1000
            yield Way(d.design, d.text["mode"], "yes", None, Range(energy, energy, energy), None,
                      f"{d.pub_other}; {d.kind}, {d.source}; {d.flag}")


def page(reporter: Reporter) -> str:
    """``docs/comparison.md``."""
    reporter.say("counting the machine's work ...")
    ways = [*here(), *processor(reporter), *elsewhere()]
    lines = ((w.way, w.rule, w.online, f"{w.samples_s:,.0f}" if w.samples_s else "", _span(w.whole_uj),
              f"{w.above_uj:,.4g}" if w.above_uj is not None else "", w.basis) for w in ways)
    reporter.say("changing one mechanism at a time ...")
    return HEAD + table(("way", "rule", "online", "samples/s", "uJ a sample, whole", "above idle", "basis"), lines) \
        + mechanisms()


def mechanisms() -> str:
    """The section on what each mechanism saves."""
    return MECHANISMS + table(("change", "cycles a sample", "weights read", "typical nJ", "of the preset's energy"), (
        (line.change, f"{line.cycles:,.0f}", f"{line.reads:,}", f"{line.energy_nj:.1f}", f"{line.against:.0%}")
        for line in ablation()))


def _span(value: Range) -> str:
    if value.low == value.high:
        return f"{value.typical:,.4g}"
    return f"{value.typical:,.3g} ({value.low:,.3g} to {value.high:,.3g})"


HEAD = """\
# What a learned sample costs, here and elsewhere

Generated by `hebbar compare-costs --page docs/comparison.md`: change what it is made from, not this file. One network,
784-192-128-10 with 176,384 weights, learns MNIST sample by sample; chips that train MNIST learn networks of their own,
named in their line.

A fair reading, in two sentences: an estimate without wires, clock tree, pads and memory for the data is a floor and a
whole card at the wall is a ceiling, so the ratio of the two says how far apart two ways of measuring are and not what a
chip would save. Compare rows of one basis, batches only where the task may wait for a batch, and look at the accuracy
beside the energy: the chips' lines name theirs, and one pass of the H200's online kernel gave 97.17 %.

"""

MECHANISMS = f"""
## What each mechanism saves

The preset `{PRESET}`, one mechanism changed at a time, in cmos45, tier A: counts follow from the program of a training
sample, so these differences are exact but for the energies they are multiplied with. What an early exit saves depends
on the data and is counted over the last epoch of a training. Steps, bits and shapes change what is learned or what is
built; separate sweeps and a recomputed base give the same weights, word for word.

"""
