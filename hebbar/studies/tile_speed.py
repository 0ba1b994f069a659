"""A tile of 256 x 256 cells in the golden model: reads with noise beside reads without, and a pulsed update."""

from collections.abc import Callable
from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from golden.analog.array import AnalogArray
from golden.analog.converters import LineConverters
from golden.analog.laws import Reals
from golden.fixed import Ints
from golden.pulses import Pulses
from hebbar.contract.console import Reporter
from hebbar.contract.machine import MachineConfig
from hebbar.contract.pulses import PROBABILITY_BITS
from hebbar.contract.results import Figure

__all__ = ["measure"]

SIZE, BATCH, REPEATS, PULSES = 256, 64, 25, 31
NOISY, PULSED = 2.5, 10
"""Targets: times the noise-free read, times a read."""
READ = {"additive": 0.25, "proportional": 0.02, "flicker": 0.0088, "age": 25.0}
"""White noise of both kinds and the 1/f noise of PCM (Joshi et al. 2020)."""


def machine(read: dict[str, Any]) -> MachineConfig:
    """256 x 256 cells, 8-bit inputs, 8-bit converters."""
    return MachineConfig(tile="analog", lanes=8, row_tiles=8, weight_words=SIZE // 8 * SIZE // 8, max_columns=SIZE // 8,
                         weight_bits=8, weight_frac=6, error_bits=8, state_frac=6, analog={
                             "control": {"row_bits": 8, "row_step": 12, "column_bits": 8, "column_step": 12,
                                         "update": "stochastic", "pulses": PULSES, "pulse_exponent": 4},
                             "device": {"weight_range": 2.0}, "read": read,
                             "update": {"device_spread": 0.3, "asymmetry": 0.01}})


def _converted(converters: LineConverters, read: Callable[[Ints], Reals], drives: Ints, lines: Ints) -> Ints:
    """The codes of a read that ``lines`` are driven for."""
    return converters.convert(converters.held(read(drives)), lines)


def measure(reporter: Reporter) -> list[Figure]:
    """Best times, one thread, calls in turns: a read is the lines, their noise and their converters."""
    rng = np.random.default_rng(0)
    x, p = rng.integers(-128, 128, (BATCH, SIZE)), rng.random((2, SIZE))
    tiles: dict[str, tuple[AnalogArray, LineConverters, LineConverters]] = {}
    for name, read in (("free", {}), ("noisy", READ), ("white", {"additive": READ["additive"]})):
        m = machine(read)
        tiles[name] = AnalogArray(m), LineConverters(m, "rows"), LineConverters(m, "columns")
        tiles[name][0].load(rng.integers(-128, 128, (SIZE, SIZE)))
    lines = np.arange(SIZE)
    calls: dict[str, Callable[[], object]] = {}
    for name, (array, rows, columns) in tiles.items():
        calls[f"forward {name}"] = partial(_converted, rows, array.forward, x, lines)
        calls[f"transposed {name}"] = partial(_converted, columns, array.transposed, x, lines)
        calls[f"one {name}"] = partial(_converted, rows, array.forward, x[0], lines)
    learning = AnalogArray(machine(READ))
    calls["update"] = _update(learning, p)
    with threadpool_limits(1), reporter.task("tile: speed", REPEATS) as task:
        best = dict.fromkeys(calls, np.inf)
        for i in range(REPEATS):
            for name, call in calls.items():
                start = perf_counter()
                call()
                best[name] = min(best[name], perf_counter() - start)
            task.advance(i + 1)
    return _figures({name: 1e6 * seconds for name, seconds in best.items()})


def _update(array: AnalogArray, share: np.ndarray) -> Callable[[], object]:
    """One outer product by pulses, about eight meetings in every cell, the generators of the lines included."""
    generators = Pulses(SIZE, 0), Pulses(SIZE, SIZE)
    chances = [(part * (1 << PROBABILITY_BITS)).astype(np.int64) for part in share]
    none = np.zeros(SIZE, np.uint32)

    def update() -> None:
        wires = [generator.words(chance, PULSES) for generator, chance in zip(generators, chances)]
        array.pulses(wires[0], none, wires[1], none, none, none, none, none)

    return update


def _figures(us: dict[str, float]) -> list[Figure]:
    where = f"tile {SIZE} x {SIZE}, 8 bits in and out, one thread"
    figures = [Figure(f"{where}: {way}, batch {BATCH}", round(us[f"{way} free"] / BATCH, 2), "beside it", "us a vector",
                      None) for way in ("forward", "transposed")]
    for way in ("forward", "transposed"):
        for kind, what in (("white", "white noise of cells"), ("noisy", "white, proportional and 1/f noise")):
            ratio = us[f"{way} {kind}"] / us[f"{way} free"]
            figures.append(Figure(f"{where}: {way}, batch {BATCH}, with {what}", round(ratio, 2), f"<= {NOISY}",
                                  "times the noise-free", ratio <= NOISY))
    ratio = us["update"] / us["one noisy"]
    return [*figures, Figure(f"{where}: one read, with noise", round(us["one noisy"], 1), "beside it", "us", None),
            Figure(f"{where}: update by {PULSES} pulses against one read", round(ratio, 2), f"<= {PULSED}", "times",
                   ratio <= PULSED)]
