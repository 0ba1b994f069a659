"""Every preset through every command that takes one, as a user types them: which of them end in an error."""

import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hebbar.compiler.config import load, preset_names
from hebbar.compiler.tasks import entries_of
from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

from ..parts import MAIN

__all__ = ["COMMANDS", "commands_of", "measure", "started", "write_images"]

COMMANDS = ("run", "train", "simulate", "energy", "report", "check")
QUICK = {"tiny": COMMANDS, **dict.fromkeys(("query", "hopfield", "stdp", "reward_bases"), ("energy",))}
"""What is tried of which presets with ``quick``; all of it on one small simulator."""
LIMIT_S = 1800
SIDE = 28
"""Pixels of a side of MNIST's images."""


def commands_of(preset: str, images: Path, wave: bool = True) -> dict[str, list[list[str]]]:
    """The command lines of each of COMMANDS; simulate once for each entry. ``images``: the folder of MNIST's files."""
    config = load(preset)
    data = ["--data", str(images)] if config.data.name == "idx" else []
    entries, out = entries_of(config.build_network()), f"out/{preset}"
    return {
        "run": [["run", preset, "--quick", "--out", out, *data]],
        "train": [["train", preset, "--quick", "--restart", "--out", f"{out}-train", *data]],
        "simulate": [["simulate", preset, "--entry", entry, "--samples", "1", "--out", f"{out}-simulate-{entry}", *data]
                     for entry in entries],
        "energy": [["energy", preset, "--samples", "2", "--out", f"{out}-energy", *data]],
        "report": [["report", out, *([] if wave else ["--no-wave"])], ["report", f"{out}-train", "--no-wave"]],
        "check": [["check", preset, "--out", f"{out}-check"]]}


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """All presets through all commands in ``folder``, whose simulators presets of one machine share; the preset
    ``mnist`` gets a few images of noise."""
    folder.mkdir(parents=True, exist_ok=True)
    images = write_images(folder / "noise")
    work = [(preset, name, lines) for preset in (QUICK if quick else preset_names())
            for name, lines in commands_of(preset, images, wave=not quick).items()
            if not quick or name in QUICK[preset]]
    failed: list[str] = []
    with reporter.task("presets through commands", len(work)) as task:
        for i, (preset, name, lines) in enumerate(work):
            task.advance(i, f"{name} {preset}")
            if errors := [said for line in lines if (said := _error(line, folder))]:
                failed.append(f"{name} {preset}")
                reporter.say(f"{name} {preset}: {errors[0]}")
        task.advance(len(work))
    return [Figure("presets x commands without an error, mnist on images of noise", len(work) - len(failed),
                   f"all {len(work)}", "of them", not failed)]


def started(*arguments: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """The command ``hebbar`` in a new Python."""
    return subprocess.run([sys.executable, "-c", MAIN, *arguments], cwd=cwd, text=True, capture_output=True,
                          timeout=LIMIT_S)


def _error(line: list[str], folder: Path) -> str:
    """What a command says when it does not end with 0; empty when it does."""
    try:
        done = started(*line, "--quiet", cwd=folder)
    except subprocess.TimeoutExpired:
        return f"hebbar {' '.join(line)} did not end in {LIMIT_S} s."
    last = (done.stderr.strip().splitlines() or ["nothing on standard error"])[-1]
    return f"hebbar {' '.join(line)} ended with {done.returncode}: {last}" if done.returncode else ""


def write_images(folder: Path, train: int = 60, test: int = 20) -> Path:
    """MNIST's four files with a few images of noise."""
    folder.mkdir(parents=True, exist_ok=True)
    for path, content in _files(folder, train, test):
        path.write_bytes(content)
    return folder.resolve()


def _files(folder: Path, train: int, test: int) -> Iterator[tuple[Path, bytes]]:
    rng = np.random.default_rng(0)
    for part, count in (("train", train), ("t10k", test)):
        pixels, labels = rng.integers(0, 256, (count, SIDE, SIDE), np.uint8), np.arange(count, dtype=np.uint8) % 10
        yield folder / f"{part}-images-idx3-ubyte", struct.pack(">IIII", 2051, count, SIDE, SIDE) + pixels.tobytes()
        yield folder / f"{part}-labels-idx1-ubyte", struct.pack(">II", 2049, count) + labels.tobytes()
