"""Every learning system on one Verilog export: golden against RTL word for word, and what a sample costs."""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import numpy as np

from golden.image import to_image
from golden.reference.state import initial_weights
from golden.streams import to_codes
from golden.trace import Job
from hebbar.compiler.config import load
from hebbar.compiler.program import Program, compile_config
from hebbar.compiler.workload import minimum
from hebbar.contract.console import Reporter
from hebbar.contract.counters import CYCLES
from hebbar.contract.files import BUILD
from hebbar.contract.memories import Mem
from hebbar.contract.results import Figure
from hw.verilog import export
from sim.backends import fast, golden
from sim.compare import compare

__all__ = ["SYSTEMS", "FLAGSHIP", "Replay", "measure", "of_all", "program_of", "random_job", "replay"]

Answer = TypeVar("Answer")

FLAGSHIP = "graph"
"""The preset whose machine runs them all."""

SYSTEMS = {
    "IL": "digits", "IL, early exit": "early_exit", "Z-IL": "digits_zil", "Z-IL on a levelled DAG": "residual",
    "iPC": "digits_ipc", "backprop": "backprop", "direct feedback alignment": "dfa",
    "forward-forward": "forward_forward", "arbitrary graph": "graph", "generative graph, queries": "query",
    "associative memory via PC": "memory", "covPCN": "covpcn", "Hopfield, softmax": "hopfield",
    "Hopfield, Euclidean, max": "euclidean", "feature-space memory": "feature_memory",
    "categorical, precision": "categorical", "nudged PC": "nudged_pc", "equilibrium propagation": "eqprop",
    "contrastive Hebbian": "chl", "reward bases": "reward_bases", "LIF and STDP": "stdp"}
"""Presets by what they are."""


@dataclass(frozen=True)
class Replay:
    """One entry of one system on the RTL: words compared and mismatches; of a sample the cycles, the share of
    multiplier cycles at work on a weight, how often a stored weight in use is read, and the least that the rule
    declares, where inference may end early in the one step after the first: in reads, and in cycles with every lane
    at work."""

    system: str
    entry: str
    words: int
    mismatches: int
    cycles: float
    utilisation: float
    reads: float
    least_reads: float
    least_cycles: float


def program_of(preset: str, schedule: str = "drained") -> Program:
    """A preset on the flagship machine."""
    machine = load(FLAGSHIP).machine.model_dump()
    return compile_config(load(preset).replace(machine=machine, rule={"schedule": schedule}))


def random_job(program: Program, entry: str, samples: int) -> Job:
    """Random samples in real units for an entry, weights from the configured seed (memories: random ones)."""
    network, rng = program.layout.network, np.random.default_rng(program.config.training.seed)
    weights = {key: w if w.any() else rng.uniform(-0.1, 0.1, w.shape)
               for key, w in initial_weights(network, program.config.training.seed).items()}
    for e in network.stored:
        if e.zero_diagonal:
            np.fill_diagonal(weights[e.source, e.target], 0.0)
        if e.positive:
            weights[e.source, e.target] = abs(weights[e.source, e.target])
    given = {t.key: rng.integers(0, 2, (samples, t.population.size)) if t.memory is Mem.CLAMP
             else rng.random((samples, t.population.size)) for t in program.inputs[entry]}
    return Job(program, entry, to_image(program.layout, weights), to_codes(program, entry, given))


def replay(system: str, entry: str, samples: int, library: Path) -> Replay:
    """One entry of a system with random samples."""
    program = program_of(SYSTEMS[system])
    job = random_job(program, entry, samples)
    want, got = golden.run(job), fast.run(job, library)
    found, c = compare(program, want, got), got.counters
    cycles, m = sum(c[n] for n in CYCLES) / samples, program.machine
    network = program.layout.network
    stored = sum(network.fill(e) * network.by_name[e.source].size * network.by_name[e.target].size
                 for e in network.stored)
    rule = program.config.rule
    least = minimum(program, entry, min(2, rule.steps) if rule.tolerance and entry == "train" else None)
    assert least is not None, "every rule here says what it visits"
    reads, width = c["weight_reads"] / samples, m.lanes * m.row_tiles
    return Replay(system, entry, found.total_words, found.total_mismatches, cycles,
                  reads / cycles / width, reads / stored, least.visits / stored, least.cycles)


def of_all(what: str, ask: Callable[[str, str], Answer], reporter: Reporter) -> list[Answer]:
    """What ``ask`` says of every system and each of its entries, in their order; ``what`` names the task."""
    jobs, found = [(s, e) for s, preset in SYSTEMS.items() for e in program_of(preset).entries], []
    with reporter.task(what, len(jobs)) as task:
        for i, (system, entry) in enumerate(jobs):
            found.append(ask(system, entry))
            task.advance(i + 1, f"{system}, {entry}")
    return found


def measure(quick: bool, reporter: Reporter) -> list[Figure]:
    """All systems and all their entries; one library, built from one export."""
    program = program_of(FLAGSHIP)
    text = export(program.machine)
    names = {sha256(export(program_of(p).machine).encode()).hexdigest() for p in SYSTEMS.values()}
    library = fast.prepare(program, BUILD, announce=True)
    found = of_all("systems on one export", lambda s, e: replay(s, e, 2 if quick else 10, library), reporter)
    digest = sha256(text.encode()).hexdigest()
    words, wrong = sum(r.words for r in found), sum(r.mismatches for r in found)
    figures = [Figure(f"one export for all programs, sha256 {digest[:16]}", len(names), "1", "files", len(names) == 1),
               Figure(f"RTL mismatches, {len(SYSTEMS)} systems, {len(found)} programs, {words:,} words", wrong, "0",
                      "words", not wrong)]
    return figures + [Figure(f"{r.system}, {r.entry}: MACs at work in {100 * r.utilisation:.0f} % of cycles, a weight "
                             f"read {r.reads:.2f} times, at least {r.least_reads:.2f}", round(r.cycles),
                             f"at least {r.least_cycles:,.0f}", "cycles a sample", None) for r in found]
