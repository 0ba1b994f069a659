"""One epoch of MNIST on the RTL of 128 lanes, pipelined and with wide passes, every write compared, against a bare loop
around the same model."""

import time
from pathlib import Path

import numpy as np

from hebbar.compiler.config import load
from hebbar.compiler.cycles import Cycles
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.counters import CYCLES
from hebbar.contract.files import BUILD
from hebbar.contract.results import Figure
from sim.backends import fast
from sim.training import Trained, train

from ..depth.deep_net import images_in
from ..throughput import bare, job_of

__all__ = ["figures", "measure"]

MOST_TIMES, MOST_CYCLES = 1.25, 4600
"""Processor time against the bare loop, and cycles a sample in which no word is skipped."""
BARE_SAMPLES = {False: 200, True: 3}


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """The rows of the epoch; the bare loop runs before and after it. An epoch that was stopped begins again, as its
    processor time is one figure. ``quick``: a few samples."""
    if images is None:
        return [Figure("one MNIST epoch on the RTL of 128 lanes, every write compared",
                       "not measured: give a folder with MNIST by --data", f"<= {MOST_TIMES} x the bare loop", "",
                       None)]
    preset = load("mnist")
    config = preset.replace(data={"path": str(images_in(images))}, training={"epochs": 1, "halve_alpha_at": []},
                            rule={"schedule": "pipelined"}, machine={"neuron_rows": preset.machine.lanes})
    program = compile_config(config)
    library = fast.prepare(program, BUILD, not reporter.console.quiet)
    job = job_of(program, BARE_SAMPLES[quick])
    reporter.say(f"the bare loop, {job.count} samples ...")
    with reporter.busy():
        loops = [bare(job, library, time.process_time)]
    began = time.process_time()
    trained = train(config, folder / "epoch", reporter, restart=True, quick=quick, writes=True)
    spent = time.process_time() - began
    reporter.say(f"the bare loop again, {job.count} samples ...")
    with reporter.busy():
        loops.append(bare(job, library, time.process_time))
    return figures(trained, spent, simulated(program, trained), float(np.mean(loops)))


def simulated(program: Program, trained: Trained) -> int:
    """The cycles of a training: those that the RTL counted while it learned, and those of its answers by the cycle
    model, to which tests hold the RTL."""
    learned = sum(trained.state.counters[cause] for cause in CYCLES)
    answers = Cycles(program).run(trained.task.entry, trained.task.asked, exits=None)
    return learned + len(trained.task.graded_epochs) * sum(answers[cause] for cause in CYCLES)


def figures(trained: Trained, spent: float, cycles: int, loop: float) -> list[Figure]:
    """The table. ``spent``: processor seconds of the training, ``cycles`` its cycles; ``loop``: cycles that the bare
    loop does in a processor second."""
    state, times = trained.state, spent * loop / cycles
    each = sum(state.counters[cause] for cause in CYCLES) / trained.samples
    differ, words = sum(state.mismatches.values()), sum(state.words.values())
    net = "-".join(map(str, trained.config.network.layers))
    what = (f"{net}, IL T {trained.config.rule.steps}, {trained.config.rule.schedule}, W = "
            f"{trained.config.machine.pass_rows}, {trained.task.asked:,} questions")
    took = f"{spent:,.0f} s; the bare loop would take {cycles / loop:,.0f} s for {cycles:,} cycles"
    return [
        Figure(f"one MNIST epoch on the RTL of 128 lanes, {what}, every write compared ({took}): processor time "
               "against the bare loop", times, f"<= {MOST_TIMES}", "x", times <= MOST_TIMES),
        Figure(f"cycles a sample of it ({trained.samples:,} samples)", each, f"<= {MOST_CYCLES:,}", "cycles",
               each <= MOST_CYCLES),
        Figure("minutes that it took on this computer", trained.seconds / 60, "printed", "min", None),
        Figure(f"writes and words that differ (of {words:,}; hash of weights and counters {trained.fingerprint[:12]})",
               differ, "0", "words", differ == 0),
        Figure("accuracy after it", 100 * state.accuracy[-1], "printed", "%", None)]
