"""The arrays of one batch and what moves among them; ``plan`` puts learning rules together from it.

Every population has one set of arrays, used again for every batch. What comes from clamped populations is multiplied
once a batch, and populations that stand still get no feedback. In float32 the elementwise work runs in the fused
kernels of ``kernels``.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbar.compiler.network import Edge, Error, Network, Population, Role

from .energy import functions, softmax
from .state import Weights, absent

__all__ = ["Batch", "Link", "Real"]

Real = NDArray[Any]

FROM_ACTIVITY: dict[str, Callable[[Real], Real]] = {"tanh": lambda a: 1 - a * a, "sigmoid": lambda a: a * (1 - a)}
"""f' where it is cheaper from a = f(x) than from x."""


class Link:
    """An edge: its weights (target size, source size), changed in place, None for an identity."""

    def __init__(self, network: Network, edge: Edge, weights: Weights, dtype: np.dtype) -> None:
        self.edge, self.weights, self.gone = edge, None, None
        if not edge.identity:
            self.weights = np.array(weights[edge.source, edge.target], dtype, order="C")
            self.gone, self._change = absent(network, edge), np.empty_like(self.weights)

    def learn(self, error: Real, a: Real, alpha: float) -> None:
        """``W += alpha e^T a``, summed over the batch."""
        assert self.weights is not None
        np.dot((alpha * error).T, a, out=self._change)
        self.weights += self._change
        if self.gone is not None:
            self.weights[self.gone] = 0
        if self.edge.positive:
            np.maximum(self.weights, 0, out=self.weights)


class _Cell:
    """A population of one batch. ``mu``: its prediction, ``base`` the part of it from clamped populations."""

    def __init__(self, population: Population, batch: int, dtype: np.dtype, free: bool) -> None:
        self.population, self.free, self.name = population, free, population.name
        self.x, self.a, self.error, self.mu, self.base, self.back, self.part = (
            np.zeros((batch, population.size), dtype) for _ in range(7))
        self.f, self.slope = functions(population.activation)
        self.precision = 2.0**population.precision
        self.held_in: list[Link] = []
        self.moving_in: list[Link] = []
        self.out: list[Link] = []
        self.fuse()

    def fuse(self) -> None:
        """Use the compiled kernels where there is one for this activation, in float32."""
        self.kind = -1
        if self.x.dtype == np.float32:
            from .kernels import KINDS, compare, move  # Numba

            self.kind, self._compare, self._move = KINDS.get(self.population.activation, -1), compare, move
            self._flat = [v.reshape(-1) for v in (self.x, self.a, self.error, self.back, self.mu)]

    def hold(self, values: Real) -> None:
        """Clamp the states."""
        self.x[...] = values
        self.a[...] = self.f(self.x)

    def compare(self) -> None:
        """The error of these states and predictions."""
        if self.population.error is Error.CATEGORICAL:
            np.subtract(self.x, softmax(self.mu), out=self.error)
        elif self.kind >= 0:
            x, _, error, _, mu = self._flat
            self._compare(x, mu, error, self.precision)
        else:
            np.subtract(self.x, self.mu, out=self.error)
            if self.precision != 1:
                self.error *= self.precision

    def move(self, gamma: float) -> None:
        """``x += gamma (f'(x) back - e)``, then ``a = f(x)``."""
        if self.kind >= 0:
            x, a, error, back, _ = self._flat
            self._move(self.kind, x, a, error, back, gamma)
            return
        cheap = FROM_ACTIVITY.get(self.population.activation)
        self.back *= cheap(self.a) if cheap else self.slope(self.x)
        self.back -= self.error
        self.back *= gamma
        self.x += self.back
        self.a[...] = self.f(self.x)


class Batch:
    """The cells of one batch size, and what moves among them."""

    def __init__(self, network: Network, links: Iterable[Link], streamed: set[str], size: int, dtype: np.dtype) -> None:
        fixed = streamed | {p.name for p in network.with_role(Role.CONSTANT)}
        self.cells = {p.name: _Cell(p, size, dtype, p.name not in fixed) for p in network.populations}
        for link in links:
            source, target = self.cells[link.edge.source], self.cells[link.edge.target]
            source.out.append(link)
            (target.moving_in if source.free else target.held_in).append(link)
        self.free = [c for c in self.cells.values() if c.free]
        self.compared = [self.cells[p.name] for p in network.predicted]
        self.forward = [self.cells[n] for n in network.order or () if self.cells[n].free]
        for name in fixed - streamed:
            self.cells[name].hold(np.ones(1))

    def predict_base(self) -> None:
        """What clamped populations give to every prediction; they stand still, and so does this."""
        for cell in self.compared:
            self._sum(cell.base, cell.held_in, "source", cell.part)

    def start(self, acyclic: bool) -> None:
        """Free states feed-forward, or zero on a cyclic graph; then every prediction."""
        for cell in self.forward if acyclic else self.free:
            if acyclic:
                self.predict(cell)
                cell.hold(softmax(cell.mu) if cell.population.error is Error.CATEGORICAL else cell.mu)
            else:
                cell.hold(np.zeros(1))
        for cell in self.compared:
            self.predict(cell)

    def predict(self, cell: _Cell) -> None:
        """mu, from the base and the moving sources."""
        if not cell.moving_in:
            cell.mu[...] = cell.base
            return
        self._sum(cell.mu, cell.moving_in, "source", cell.part)
        if cell.held_in:
            cell.mu += cell.base

    def errors(self) -> None:
        """Every error, from the predictions that are there."""
        for cell in self.compared:
            cell.compare()

    def move(self, gamma: float) -> None:
        """All free states at once, from frozen errors."""
        for cell in self.free:
            self._sum(cell.back, cell.out, "target", cell.part)
        for cell in self.free:
            cell.move(gamma)

    def repredict(self) -> None:
        """The predictions of moved states."""
        for cell in self.compared:
            if cell.moving_in:
                self.predict(cell)

    def _sum(self, total: Real, links: Sequence[Link], end: str, part: Real) -> None:
        """``total = sum a W^T`` over sources, or ``sum e W`` over targets."""
        if not links:
            total[...] = 0
        for i, link in enumerate(links):
            cell = self.cells[getattr(link.edge, end)]
            value, out = cell.a if end == "source" else cell.error, part if i else total
            if link.weights is None:
                np.copyto(out, value)
            else:
                np.dot(value, link.weights.T if end == "source" else link.weights, out=out)
            if i:
                total += part
