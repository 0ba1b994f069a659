"""The float engines beside pcx, in turns: samples a second of processor time, start-up, and whether both learn alike.

pcx lives in an environment of its own that this makes with pip, since it asks for versions that nobody else needs.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from hebbar.contract.console import Reporter
from hebbar.contract.errors import MissingTool
from hebbar.contract.results import Figure

from ..parts import ROOT
from .floats import BATCH, BATCHES, LAYERS, ROUNDS, STEPS, Task, task
from .turns import ratio

__all__ = ["Peer", "environment", "measure"]

PCX = "pcx==0.6.3"
SCRIPT, OURS = (ROOT / "benchmarks" / "peers" / name for name in ("pcx_il.py", "float_il.py"))
ALIKE = {"XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1", "JAX_PLATFORMS": "cpu",
              "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
              "PYTHONDONTWRITEBYTECODE": ""}
"""The environment of both processes: one thread, and bytecode that is kept, as pip keeps that of pcx."""
LEAST = {"float32": 1.5, "float64": 0.45}
START_UP = 0.15
TURN = {False: 16, True: 1}
"""Passes over the samples in a turn, which goes on with the weights: some tenths of a second, or what is cold when a
turn comes would count."""
STARTS = {False: 3, True: 1}
"""Processes that are started, in turns; the median of their times counts."""


def environment(folder: Path) -> Path:
    """The Python of an environment with pcx, made in ``folder`` where there is none. Raises MissingTool, with what pip
    said last, where it cannot be."""
    python = folder / "bin" / "python"
    if python.exists() and not subprocess.run([python, "-c", "import pcx"], capture_output=True).returncode:
        return python
    for command in ([sys.executable, "-m", "venv", "--clear", str(folder)],
                    [str(python), "-m", "pip", "install", "-q", PCX]):
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            why = (done.stderr.strip().splitlines() or ["it says nothing"])[-1]
            raise MissingTool(f"{PCX} could not be installed by pip: {why}")
    return python


@dataclass
class Peer:
    """A process that learns with pcx. ``started``: processor seconds until its first batch was learnt; ``weights``
    after that batch, one layer after the other."""

    process: "subprocess.Popen[str]"
    started: float
    weights: NDArray[np.float32]

    def seconds(self, batches: int) -> float:
        """Processor seconds of so many batches."""
        assert self.process.stdin is not None, "it was asked for"
        self.process.stdin.write(f"{batches}\n")
        self.process.stdin.flush()
        return _answer(self.process)


def _answer(process: "subprocess.Popen[str]") -> float:
    assert process.stdout is not None, "it was asked for"
    line = process.stdout.readline()
    if not line:
        raise MissingTool(f"pcx ended with code {process.wait()} before it answered; run {SCRIPT.name} by hand to see "
                          "why.")
    return float(line)


@contextmanager
def started(python: Path, activation: str, given: Task, folder: Path) -> Iterator[Peer]:
    """A peer with the images, targets, weights and rates of ours; it ends with the block."""
    process = subprocess.Popen([python, SCRIPT, *_arguments(activation, given, folder)], env=os.environ | ALIKE,
                               text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        yield Peer(process, _answer(process), np.load(folder / "weights.npy"))
    finally:
        process.kill()
        process.communicate()


def _arguments(activation: str, given: Task, folder: Path) -> list[str]:
    """What both scripts are started with; what they read is written to ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    shape = BATCHES, BATCH
    arrays: dict[str, Any] = {"x": given.inputs.reshape(*shape, -1), "y": given.targets.reshape(*shape, -1)}
    arrays |= {f"w{i}": weights for i, weights in enumerate(given.weights.values())}
    np.savez(folder / "batches.npz", **{name: values.astype(np.float32) for name, values in arrays.items()})
    return [str(value) for value in (folder / "batches.npz", activation, STEPS, given.rule.gamma, 2.0 ** -given.shift,
                                     folder / "weights.npy")]


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """Rows of both engines with both activations, or why there are none; ``images`` is unused: pixels are random."""
    try:
        reporter.say(f"an environment with {PCX} ...")
        with reporter.busy():
            python = environment(folder / "pcx")
        return [figure for activation in ("tanh", "relu")
                for figure in _rows(python, activation, folder, quick, reporter)]
    except MissingTool as error:
        return [Figure(f"float engines beside pcx (skipped: {error})", "skipped",
                       ">= 1.5 x, >= .45 x, start-up <= .15", "", None)]


def _rows(python: Path, activation: str, folder: Path, quick: bool, reporter: Reporter) -> Iterator[Figure]:
    ours = {name: task(activation, dtype) for name, dtype in (("float32", np.float32), ("float64", np.float64))}
    speeds: dict[str, list[float]] = {name: [] for name in ("pcx", *ours)}
    net = "-".join(map(str, LAYERS))
    reporter.say(f"pcx, {activation}: its first batch ...")
    with reporter.busy():
        own, theirs = _start_up(python, activation, ours["float64"], folder, STARTS[quick])
    with reporter.busy(), started(python, activation, ours["float64"], folder / activation) as peer:
        difference = _difference(peer.weights, ours["float64"])
        peer.seconds(BATCHES)  # warm from here on, as ours are after an epoch
        for one in ours.values():
            one.epoch()
        title = f"float engines beside pcx, {activation}"
        with threadpool_limits(1), reporter.task(title, ROUNDS[quick]) as progress:
            for i in range(ROUNDS[quick]):
                speeds["pcx"].append(BATCH * BATCHES * TURN[quick] / peer.seconds(BATCHES * TURN[quick]))
                for name, one in ours.items():
                    began = time.process_time()
                    count = one.epoch(TURN[quick])
                    speeds[name].append(count / (time.process_time() - began))
                progress.advance(i + 1)
    what = f"{activation}, {net}, IL, batch {BATCH}, T {STEPS}, one thread"
    yield Figure(f"pcx, {what}", round(median(speeds["pcx"])), "beside it", "samples/s", None)
    for name in ours:
        share, text = ratio(speeds[name], speeds["pcx"])
        yield Figure(f"{name} engine against pcx, {what} ({round(median(speeds[name])):,} samples/s; {text})", share,
                     f">= {LEAST[name]}", "x", share >= LEAST[name])
    yield Figure(f"processor time to the first batch learnt against pcx, {activation} (float32 engine, Numba's cache "
                 f"filled, {own:.2f} s; pcx {theirs:.2f} s)", round(own / theirs, 3), f"<= {START_UP}", "x",
                 own / theirs <= START_UP)
    yield Figure(f"weights after a batch, {activation}: largest difference of float64 engine and pcx, of the largest "
                 "change", difference, "<= 1e-3", "", difference <= 1e-3)


def _start_up(python: Path, activation: str, given: Task, folder: Path, times: int) -> tuple[float, float]:
    """The medians of our start-up and of pcx's."""
    _started(activation, given, folder / "ours")  # compiles, which is kept
    own, theirs = [], []
    for _ in range(times):
        own.append(_started(activation, given, folder / "ours"))
        with started(python, activation, given, folder / activation) as peer:
            theirs.append(peer.started)
    return median(own), median(theirs)


def _started(activation: str, given: Task, folder: Path) -> float:
    """Our start-up: processor seconds of a process of its own until its first batch is learnt."""
    done = subprocess.run([sys.executable, OURS, *_arguments(activation, given, folder)], cwd=ROOT, text=True,
                          env=os.environ | ALIKE | {"PYTHONPATH": str(ROOT)}, capture_output=True, check=True)
    return float(done.stdout)


def _difference(theirs: NDArray[np.float32], ours: Task) -> float:
    """How far weights are apart after the first batch, as a share of how far the farthest of them has moved."""
    flat: Any = [np.concatenate([w.ravel() for w in weights.values()]) for weights in (ours.weights, ours.batch())]
    before, after = flat
    return float(np.abs(theirs - after).max() / np.abs(after - before).max())
