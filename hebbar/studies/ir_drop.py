"""IR drop of a 256 x 256 crossbar: one vector, the whole transfer matrix and a read of it, beside sparse LU."""

from collections.abc import Callable
from statistics import median
from time import perf_counter

import numpy as np
from threadpoolctl import threadpool_limits

from golden.analog import nodal
from golden.analog.ladders import Reals
from golden.analog.transfer import Transfer
from golden.analog.wires import Wires, approximation_error, ideal, solve
from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure

__all__ = ["measure"]

SIZE, BATCH = 256, 64
SMALLEST_OHMS, SEGMENT_OHMS = 10_000, 1.0
REPEATS, SLOW_REPEATS, READS = 15, 5, 50
"""Repeats of a quick call and of a slow one, and reads within a quick call."""
COLD_MS, RATIO, BUILD_S, READ_US, ERROR = 15, 40, 1.2, 5, 1e-9
"""Targets."""


def measure(reporter: Reporter) -> list[Figure]:
    """Times of random cells in [0.01, 1] / 10 kOhm with 1 Ohm a segment, float64, one thread.

    Sparse LU is SciPy's SuperLU on the nodal matrix, set up and factorised for one vector as the others are; it is
    also the truth the errors refer to, with refined residuals. Calls alternate, so that all see the same load.
    """
    rng = np.random.default_rng(0)
    g, v = rng.uniform(0.01, 1, (SIZE, SIZE)) / SMALLEST_OHMS, rng.random(SIZE)
    wires, batch = Wires(SEGMENT_OHMS, SEGMENT_OHMS), rng.random((BATCH, SIZE))
    with threadpool_limits(1):
        exact, transfer = nodal.currents(g, v, wires), Transfer(g, wires)
        errors = [_error(found, exact) for found in (solve(g, v, wires), transfer.forward(v))]
        turned = Transfer(np.ascontiguousarray(g.T), wires.transposed)
        errors.append(_error(turned.matrix, transfer.matrix.T))
        times = _times({
            "cold": (lambda: solve(g, v, wires), REPEATS, 1), "build": (lambda: Transfer(g, wires), SLOW_REPEATS, 1),
            "lu": (lambda: nodal.currents(g, v, wires, refinements=0), SLOW_REPEATS, 1),
            "read": (lambda: transfer.forward(batch), REPEATS, READS)}, reporter)
    return _figures(times, errors, approximation_error(g, v, wires), 1 - exact.sum() / ideal(g, v).sum())


def _error(found: Reals, exact: Reals) -> float:
    return float(np.abs(found - exact).max() / np.abs(exact).max())


def _times(calls: dict[str, tuple[Callable[[], object], int, int]], reporter: Reporter) -> dict[str, list[float]]:
    """Seconds of every call, taken in turns."""
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    with reporter.task("IR drop: speed", REPEATS) as task:
        for i in range(REPEATS):
            for name, (call, repeats, inner) in calls.items():
                if i < repeats:
                    start = perf_counter()
                    for _ in range(inner):
                        call()
                    seconds[name].append((perf_counter() - start) / inner)
            task.advance(i + 1)
    return seconds


def _figures(times: dict[str, list[float]], errors: list[float], cheap: float, drop: float) -> list[Figure]:
    """Best times beside targets; medians and worst in words."""
    def words(name: str, scale: float) -> str:
        return (f"best of {len(times[name])}, median {scale * median(times[name]):.3g}, worst "
                f"{scale * max(times[name]):.3g}")

    best = {name: min(seconds) for name, seconds in times.items()}
    cold, read, ratio = 1e3 * best["cold"], 1e6 * best["read"] / BATCH, best["lu"] / best["cold"]
    where = f"IR drop, {SIZE} x {SIZE}, {100 * drop:.0f} % drop, one thread"
    return [
        Figure(f"{where}: one vector, cold ({words('cold', 1e3)})", round(cold, 2), f"<= {COLD_MS}", "ms",
               cold <= COLD_MS),
        Figure(f"sparse LU for it, cold ({words('lu', 1e3)})", round(1e3 * best["lu"], 1), "printed", "ms", None),
        Figure("sparse LU against it", round(ratio, 1), f">= {RATIO}", "times", ratio >= RATIO),
        Figure(f"exact transfer matrix, built once ({words('build', 1)})", round(best["build"], 3),
               f"<= {BUILD_S}", "s", best["build"] <= BUILD_S),
        Figure(f"one read through it, batch {BATCH} ({words('read', 1e6 / BATCH)})", round(read, 2), f"<= {READ_US}",
               "us a vector", read <= READ_US),
        Figure("error of the vector against sparse LU", errors[0], f"< {ERROR}", "of the largest current",
               errors[0] < ERROR),
        Figure("error of the matrix against sparse LU", errors[1], f"< {ERROR}", "of the largest current",
               errors[1] < ERROR),
        Figure("transposed read against the transpose", errors[2], f"< {ERROR}", "of the largest", errors[2] < ERROR),
        Figure("error of the first-order approximation here", round(cheap, 4), "printed", "of the largest current",
               None)]
