"""Target alignment of inference learning and of backprop on linear networks, and the difference of pairs."""

import numpy as np
from numpy.typing import NDArray

from golden.reference.alignment import compare as aligned
from hebbar.compiler.network import layered
from hebbar.contract.results import Figure

__all__ = ["alignments", "measure", "paired"]


def alignments(networks: int) -> dict[str, NDArray[np.float64]]:
    """Target alignment on ten linear layers of width 8, by rule: whole update, last layer, the others."""
    network = layered([8] * 11, "identity", [0] * 10, [1.0] * 10)
    rows = []
    for seed in range(networks):
        rng = np.random.default_rng(seed)
        weights = {(e.source, e.target): rng.normal(size=(8, 8)) / np.sqrt(8) for e in network.edges}
        clamps = {"x0": rng.normal(size=(1, 8)), "x10": rng.normal(size=(1, 8))}
        rows.append(aligned(network, weights, clamps, 0.1))
    return {name: np.array([[r[key].alignment, r[key].last_only, r[key].hidden_only] for r in rows])
            for name, key in (("IL", "equilibrium"), ("backprop", "backprop"))}


def paired(one: NDArray[np.float64], other: NDArray[np.float64]) -> tuple[float, float]:
    """The mean difference of pairs and its standard error."""
    gap = one - other
    return float(gap.mean()), float(gap.std(ddof=1) / np.sqrt(len(gap))) if len(gap) > 1 else float("nan")


def measure(networks: int) -> list[Figure]:
    """IL at equilibrium less backprop, whole and by layers."""
    found, figures = alignments(networks), []
    for n, part in enumerate(("all layers", "last layer alone", "all but the last")):
        il, bp = found["IL"][:, n], found["backprop"][:, n]
        mean, error = paired(il, bp)
        wanted = {"all layers": mean > 2 * error}.get(part)
        figures.append(Figure(f"target alignment, {part}: IL at equilibrium {il.mean():.3f} less backprop "
                              f"{bp.mean():.3f} (+- {error:.3f}, {networks} networks)", round(mean, 4),
                              "reported" if wanted is None else "> 2 standard errors", "", wanted))
    return figures
