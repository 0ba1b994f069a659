"""The compiled golden machine beside a model in C (``benchmarks/c_model/gold.c``), batch 1, on one thread."""

import ctypes
import os
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from shutil import which
from statistics import median
from typing import Any

import numpy as np

from golden.learning.training import codes, data_of
from golden.session import Session, initial_image
from hebbar.compiler.config import load
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.processes import run
from hebbar.contract.results import Figure

from ..parts import ROOT
from .turns import ratio, take_turns

__all__ = ["measure"]

MODEL = ROOT / "benchmarks" / "c_model" / "gold.c"
ROUNDS = {False: 9, True: 2}
SAMPLES = {False: 2000, True: 200}
CASES = (((784, 128, 10), "il", 0.60), ((784, 192, 128, 10), "il", 0.60), ((64, 64, 10), "il", 0.65),
         ((784, 128, 10), "ipc", 0.50), ((784, 128, 10), "zil", 0.50))
"""Layers, rule and the least share of the C model's speed."""
SHIFTS = {2: [4, 8], 3: [4, 5, 7]}
STEPS, LEAKY_FRAC, STATE_FRAC = 8, 5, 12
RULES = {"il": 0, "ipc": 3, "zil": 2}
FIELDS = ("L", "WF", "WB", "XF", "XB", "AF", "A0F", "g", "mode", "top8", "T", "fast", "hi", "lo", "g2", "EB")


class _Settings(ctypes.Structure):
    """What the C model calls Cfg."""

    _fields_ = [*((name, ctypes.c_int32) for name in FIELDS), ("lr", ctypes.c_int32 * 8), ("thr", ctypes.c_int32)]


def measure(folder: Path, quick: bool, reporter: Reporter, images: Path | None = None) -> list[Figure]:
    """The share of the C model's speed by network and rule; a row that cannot be measured says why. ``images``:
    a folder with MNIST."""
    library, why = _library(folder)
    figures = []
    for layers, rule, least in CASES:
        name = f"compiled golden machine against the C model, {'-'.join(map(str, layers))}, {rule}"
        reason = why or ("give a folder with MNIST by --data" if layers[0] == 784 and images is None else "")
        if reason:
            figures.append(Figure(name, f"not measured: {reason}", f">= {least}", "", None))
            continue
        program = _program(layers, rule, images)
        samples = data_of(program).train
        given = {key: values[:SAMPLES[quick]].astype(np.int16)
                 for key, values in codes(program, samples, training=True).items()}
        runs = {"ours": _ours(program, given), "C": _theirs(library, layers, rule, *given.values())}
        speeds = take_turns(runs, ROUNDS[quick], name, reporter)
        share, text = ratio(speeds["ours"], speeds["C"])
        figures += [Figure(f"{name} ({text})", share, f">= {least}", "", share >= least),
                    Figure(f"compiled golden machine, {'-'.join(map(str, layers))}, {rule}",
                           round(median(speeds["ours"])), "beside it", "samples/s", None)]
    return figures


def _library(folder: Path) -> tuple[Any, str]:
    """The C model, or why it cannot be had."""
    if not MODEL.exists():
        return None, f"{MODEL.name} comes with a checkout of the sources"
    compiler = which("gcc") or which("cc")
    if compiler is None:
        return None, "no C compiler"
    folder.mkdir(parents=True, exist_ok=True)
    built = (folder / "gold.so").absolute()
    answer = run([compiler, "-O3", "-march=native", "-w", "-shared", "-fPIC", str(MODEL), "-o", str(built), "-lm"])
    if answer.returncode:
        return None, "the C model needs a processor with AVX-512 VNNI, and a compiler that knows it"
    return ctypes.CDLL(os.fspath(built)), ""


def _program(layers: tuple[int, ...], rule: str, data: Path | None) -> Program:
    options: dict[str, Any] = {"name": rule, "alpha_shifts": SHIFTS[len(layers) - 1],
                               "init_scales": [0.5] * (len(layers) - 2) + [0.25]}
    options |= {"steps": STEPS, "gamma": 0.5} if rule != "zil" else {}
    options |= {"hoist": False} if rule == "ipc" else {}
    preset = load("mnist" if layers[0] == 784 else "digits")
    config = preset.replace(network={"layers": list(layers), "activation": "leaky"}, rule=options)
    return compile_config(config.replace(data={"path": str(data)}) if layers[0] == 784 else config)


def _ours(program: Program, given: dict[str, Any]) -> Callable[[], int]:
    session = Session(program, initial_image(program), "compiled")

    def train() -> int:
        session.run_codes("train", given)
        return session.count

    return train


def _theirs(library: Any, layers: tuple[int, ...], rule: str, inputs: Any, targets: Any) -> Callable[[], int]:
    """A training of the C model; its weights and inputs are laid out as it wants them, beforehand."""
    count, rng, links = len(inputs), np.random.default_rng(0), len(layers) - 1
    weights = [rng.integers(-300, 301, (m, n) if k else (n, m)).astype(np.int16)
               for k, (n, m) in enumerate(pairwise(layers))]
    rows, columns = np.nonzero(inputs)
    starts = np.searchsorted(rows, np.arange(count + 1)).astype(np.int32)
    arrays = [np.array(layers, np.int32), starts, columns.astype(np.int32), inputs[rows, columns].astype(np.int16),
              targets.argmax(axis=1).astype(np.uint8), np.arange(count, dtype=np.int32)]
    x = (np.arange(4096) - 2048) / 256
    f = np.floor(np.where(x > 0, x, x / 8) * 2**LEAKY_FRAC + 0.5).clip(-127, 127).astype(np.int64)
    table = (f & 0xffff | np.where(x > 0, 128, 16) << 16).astype(np.uint32).view(np.int32)
    settings = _Settings(L=links, WF=13, WB=16, XF=STATE_FRAC, XB=16, AF=LEAKY_FRAC, A0F=7, g=1, T=STEPS, fast=1,
                         hi=1 << STATE_FRAC, lo=0, EB=16)
    settings.lr[1:links + 1] = SHIFTS[links]
    places = (ctypes.c_void_p * 8)(None, *(w.ctypes.data for w in weights))
    sizes, *rest = (ctypes.c_void_p(a.ctypes.data) for a in arrays)
    steps = np.zeros(4)

    def train() -> int:
        library.train_i(ctypes.byref(settings), RULES[rule], ctypes.c_void_p(table.ctypes.data), sizes, places, *rest,
                        count, ctypes.c_void_p(steps.ctypes.data))
        return count

    train.kept = arrays, weights  # type: ignore[attr-defined]  # as long as their addresses are
    return train
