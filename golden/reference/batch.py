"""The arrays of one batch and what moves among them; ``plan`` puts learning rules together from it.

Every population has one set of arrays, used again for every batch. What comes from clamped populations is multiplied
once a batch, and populations that stand still get no feedback. In float32 the elementwise work runs in the fused
kernels of ``kernels``. Arrays are changed in place alone: what multiplies them is laid out once.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbar.compiler.network import Edge, Error, Network, Population, Role
from hebbar.contract.collector import uncollected

from .energy import functions, softmax
from .state import Weights, absent

__all__ = ["Batch", "Link", "Real"]

Real = NDArray[Any]
Term = tuple[Real, Real | None]
"""What a sum adds: values (batch, m) and their matrix (m, n), None for an identity."""

SLOPES: dict[str, Callable[[Real, Real], Real]] = {
    "tanh": lambda x, a: 1 - a * a, "sigmoid": lambda x, a: a * (1 - a), "relu": lambda x, a: x >= 0}
"""f' of x and a = f(x), where that is cheaper than from x alone."""


class Link:
    """An edge: its weights (target size, source size), changed in place, None for an identity.

    A matrix product is fastest along the rows of both factors. A ``held`` source is only multiplied forward, so
    weights from it lie by column; the others by row, for the feedback.
    """

    def __init__(self, network: Network, edge: Edge, weights: Weights, dtype: np.dtype, held: bool) -> None:
        self.edge, self.held, self.weights, self.gone = edge, held, None, None
        if not edge.identity:
            given = weights[edge.source, edge.target]
            self._rows = np.array(given.T if held else given, dtype, order="C")
            self.weights, self.gone = self._rows.T if held else self._rows, absent(network, edge)
            self._change = np.empty_like(self._rows)
            self._add = _add if dtype == np.float64 else _kernels().add

    def learn(self, error: Real, a: Real, alpha: float) -> None:
        """``W += alpha e^T a``, summed over the batch."""
        assert self.weights is not None
        left, right = (a, error) if self.held else (error, a)
        np.dot(left.T, right, self._change)
        self._add(self._rows.reshape(-1), self._change.reshape(-1), alpha)
        if self.gone is not None:
            self.weights[self.gone] = 0
        if self.edge.positive:
            np.maximum(self.weights, 0, out=self.weights)


def _add(total: Real, change: Real, alpha: float) -> None:
    change *= alpha
    total += change


def _kernels() -> Any:
    with uncollected():
        from . import kernels  # Numba, which double precision does not need
    return kernels


class _Cell:
    """A population of one batch. ``mu``: its prediction, ``base`` the part of it from clamped populations."""

    def __init__(self, population: Population, batch: int, dtype: np.dtype, free: bool) -> None:
        self.population, self.free, self.name = population, free, population.name
        self.x, self.a, self.error, self.mu, self.base, self.back, self.part = (
            np.zeros((batch, population.size), dtype) for _ in range(7))
        if population.activation == "identity":
            self.a = self.x
        self.f, self.slope = functions(population.activation)
        self.precision = 2.0**population.precision
        self.held_in: list[Term] = []
        self.moving_in: list[Term] = []
        self.out: list[Term] = []
        self.fuse()

    def fuse(self) -> None:
        """Use the compiled kernels where there is one for this activation, in float32."""
        self.kind = -1
        if self.x.dtype == np.float32:
            self._kernels = _kernels()
            self.kind = self._kernels.KINDS.get(self.population.activation, -1)
            self._flat = [v.reshape(-1) for v in (self.x, self.a, self.error, self.back, self.mu)]

    def hold(self, values: Real) -> None:
        """Clamp the states."""
        self.x[...] = values
        self._activate()

    def take(self, values: Real, rows: NDArray[np.int64]) -> None:
        """Clamp the states to rows of ``values``, all of which have to be there."""
        np.take(values, rows, axis=0, out=self.x, mode="clip")
        self._activate()

    def _activate(self) -> None:
        if self.a is not self.x:
            self.a[...] = self.f(self.x)

    def stands(self) -> bool:
        """Whether a kernel moves and compares at once: free states whose prediction comes from clamped ones alone."""
        return (self.kind >= 0 and self.free and bool(self.held_in) and not self.moving_in
                and self.population.error is not Error.CATEGORICAL)

    def compare(self) -> None:
        """The error of these states and predictions."""
        if self.population.error is Error.CATEGORICAL:
            np.subtract(self.x, softmax(self.mu), out=self.error)
        elif self.kind >= 0:
            x, _, error, _, mu = self._flat
            self._kernels.compare(x, mu, error, self.precision)
        else:
            np.subtract(self.x, self.mu, out=self.error)
            if self.precision != 1:
                self.error *= self.precision

    def move(self, gamma: float) -> None:
        """``x += gamma (f'(x) back - e)``, then ``a = f(x)``."""
        if self.kind >= 0:
            x, a, error, back, _ = self._flat
            self._kernels.move(self.kind, x, a, error, back, gamma)
            return
        cheap = SLOPES.get(self.population.activation)
        self.back *= cheap(self.x, self.a) if cheap else self.slope(self.x)
        self.back -= self.error
        self.back *= gamma
        self.x += self.back
        self._activate()

    def relax(self, gamma: float) -> None:
        """``move``, then ``compare`` with the prediction, which ``stands``."""
        self._kernels.relax(self.kind, *self._flat, gamma, self.precision)


class Batch:
    """The cells of one batch size, and what moves among them; ``held``: the populations that are clamped."""

    def __init__(self, network: Network, links: Iterable[Link], held: set[str], size: int, dtype: np.dtype) -> None:
        self.cells = {p.name: _Cell(p, size, dtype, p.name not in held) for p in network.populations}
        for link in links:
            source, target = self.cells[link.edge.source], self.cells[link.edge.target]
            forth, back = (None, None) if link.weights is None else (link.weights.T, link.weights)
            source.out.append((target.error, back))
            (target.held_in if link.held else target.moving_in).append((source.a, forth))
        self.free = [c for c in self.cells.values() if c.free]
        self.compared = [self.cells[p.name] for p in network.predicted]
        self.standing = [c for c in self.compared if c.stands()]
        self.moving = [c for c in self.free if c not in self.standing]
        self.answering = [c for c in self.compared if c not in self.standing]
        self.forward = [self.cells[n] for n in network.order or () if self.cells[n].free]
        for constant in network.with_role(Role.CONSTANT):
            self.cells[constant.name].hold(np.ones(1))

    def predict_base(self) -> None:
        """What clamped populations give to every prediction; they stand still, and so does this."""
        for cell in self.compared:
            _sum(cell.base, cell.held_in, cell.part)

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
        _sum(cell.mu, cell.moving_in, cell.part)
        if cell.held_in:
            cell.mu += cell.base

    def errors(self) -> None:
        """Every error, from the predictions that are there."""
        for cell in self.compared:
            cell.compare()

    def move(self, gamma: float) -> None:
        """All free states at once, from frozen errors."""
        self._feed_back()
        for cell in self.free:
            cell.move(gamma)

    def relax(self, gamma: float) -> None:
        """``move``, then the predictions and errors of the moved states."""
        self._feed_back()
        for cell in self.standing:
            cell.relax(gamma)
        for cell in self.moving:
            cell.move(gamma)
        for cell in self.answering:
            if cell.moving_in:
                self.predict(cell)
            cell.compare()

    def _feed_back(self) -> None:
        for cell in self.free:
            _sum(cell.back, cell.out, cell.part)


def _sum(total: Real, terms: Sequence[Term], part: Real) -> None:
    """The sum of the terms in ``total``; ``part`` is overwritten."""
    if not terms:
        total[...] = 0
    for i, (values, matrix) in enumerate(terms):
        out = part if i else total
        if matrix is None:
            np.copyto(out, values)
        else:
            np.dot(values, matrix, out)
        if i:
            total += part
