"""A whole training of MNIST on the RTL to its final accuracy, every write compared; and the golden machine alone."""

import json
from pathlib import Path

import numpy as np

from golden.learning.tasks import task_of
from golden.learning.training import train_fixed
from hebbar.compiler.config import Config, load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.files import write_json
from hebbar.contract.results import Figure
from sim.checkpoint import Checkpoint
from sim.training import Trained, data_hash, train

from ..depth.deep_net import images_in
from ..parts import sources
from . import SOURCES

__all__ = ["figures", "measure"]

OF = "checkpoint-of.json"
"""What the checkpoint of a training that was stopped is of."""


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """The rows of the preset ``mnist``, pipelined. A training that was stopped goes on where it was, as it takes hours,
    unless sources or samples are others now. ``quick``: an epoch of a few samples."""
    if images is None:
        why = "not measured: give a folder with MNIST by --data"
        return [Figure("a whole training on the RTL", why, "0", "", None)]
    return _rows(load("mnist").replace(data={"path": str(images_in(images))}), folder, quick, reporter)


def _rows(config: Config, folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    pipelined = config.replace(rule={"schedule": "pipelined"})
    goes_on = _goes_on(pipelined, folder, quick)
    trained = train(pipelined, folder, reporter, resume=goes_on, restart=not goes_on, quick=quick, writes=True)
    reporter.say("the same training on the golden machine, which drains ...")
    with reporter.busy():
        golden = train_fixed(compile_config(config), trained.task)
    found = figures(trained, int(np.count_nonzero(golden.weights != trained.weights)), golden.accuracy)
    Checkpoint.remove(folder)
    return found


def _goes_on(config: Config, folder: Path, quick: bool) -> bool:
    """Whether the checkpoint in ``folder`` is of these sources and samples, which are noted beside it for the next."""
    note = folder / OF
    what = {"sources": sources(*SOURCES), "data": data_hash(task_of(compile_config(config), quick=quick))}
    if Checkpoint.exists(folder) and note.exists() and json.loads(note.read_text(encoding="utf-8")) == what:
        return True
    Checkpoint.remove(folder)
    write_json(note, what)
    return False


def figures(trained: Trained, wrong: int, curve: tuple[float, ...]) -> list[Figure]:
    """The table. ``wrong``: weights that differ from those of the golden machine alone, which ended with the last
    accuracy of ``curve``."""
    state, rule = trained.state, trained.config.rule
    differ, words = sum(state.mismatches.values()), sum(state.words.values())
    net, accuracy = "-".join(map(str, trained.config.network.layers)), 100 * state.accuracy[-1]
    what = (f"{net}, {rule.name} T {rule.steps}, {rule.schedule}, {trained.task.epochs} epochs of "
            f"{trained.task.count:,} samples, seed {trained.config.training.seed}")
    return [
        Figure(f"a whole training on the RTL, {what}: hashes of writes, outputs, decisions and counters that differ "
               f"(of {words:,} words)", differ, "0", "words", differ == 0),
        Figure(f"weights at its end that differ from the golden machine's, which drains and ran alone (hash of weights "
               f"and counters {trained.fingerprint[:12]})", wrong, "0", "weights", wrong == 0),
        Figure(f"accuracy of the RTL at its end (golden machine {100 * curve[-1]:.2f} %)", accuracy, "recorded", "%",
               None),
        Figure(f"minutes of its last {trained.samples_here:,} samples of {trained.samples:,}", trained.seconds / 60,
               "recorded", "min", None)]
