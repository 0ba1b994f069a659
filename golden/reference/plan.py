"""IL, iPC and Z-IL on batches, laid out once for many batches: what ``rules`` computes, without its records.

In float64 the results are those of ``rules`` up to rounding, in float32 close to them.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import DTypeLike, NDArray

from hebbar.compiler.network import Network, Role
from hebbar.compiler.rule_config import RuleConfig

from .batch import Batch, Link, Real
from .inference import fallen
from .rules import learning_rates
from .state import Weights, check_weights

__all__ = ["Plan", "plannable"]


def plannable(network: Network, rule: RuleConfig, batch: int) -> bool:
    """Whether a rule runs on a plan: IL, to the last step unless samples come one at a time, iPC, and Z-IL where all
    paths to the targets have one length."""
    if rule.tolerance and (rule.name != "il" or batch > 1):
        return False
    return (rule.name == "il" or (rule.name == "ipc" and rule.steps > 0)
            or (rule.name == "zil" and network.levels is not None))


class Plan:
    """A network and its weights, ready to learn from batches in which ``streamed`` populations are clamped.

    ``weights`` are copied in ``dtype`` and change in place; ``plan.weights`` are float64 copies. Other populations
    than these and the constants are free. Raises BadInput for weights that do not fit the network.
    """

    def __init__(self, network: Network, weights: Weights, streamed: Sequence[str],
                 dtype: DTypeLike = np.float64) -> None:
        check_weights(network, weights)
        self.network, self.streamed, self.dtype = network, tuple(streamed), np.dtype(dtype)
        self._held = {*streamed, *(p.name for p in network.with_role(Role.CONSTANT))}
        self.links = [Link(network, e, weights, self.dtype, e.source in self._held)
                      for e in network.edges if not e.shares]
        self._batches: dict[int, Batch] = {}

    @property
    def weights(self) -> Weights:
        """The weights by edge, in float64."""
        return {(k.edge.source, k.edge.target): k.weights.astype(np.float64) for k in self.links
                if k.weights is not None}

    def learn(self, samples: Mapping[str, Real], rows: NDArray[np.int64], rule: RuleConfig, rate: float) -> None:
        """One update from the given ``rows`` of ``samples``, (samples, size) in ``dtype`` of every streamed population;
        all rows have to be there."""
        batch = self._batch(len(rows))
        for name in self.streamed:
            batch.cells[name].take(samples[name], rows)
        batch.predict_base()
        acyclic = self.network.order is not None
        batch.start(acyclic)
        batch.errors()
        {"il": self._il, "ipc": self._ipc, "zil": self._zil}[rule.name](batch, rule, rate)

    def _il(self, batch: Batch, rule: RuleConfig, rate: float) -> None:
        before = None
        for _ in range(rule.steps):
            now = {c.name: c.error.copy() for c in batch.compared} if rule.tolerance else None
            batch.relax(rule.gamma)
            if before and now and fallen(before, now) < rule.tolerance:
                break
            before = now
        self._update(batch, rate, None)

    def _ipc(self, batch: Batch, rule: RuleConfig, rate: float) -> None:
        for step in range(rule.steps):
            if step:
                batch.errors()
            before = {c.name: c.a.copy() for c in batch.free}
            batch.move(rule.gamma)
            self._update(batch, rate, before)
            if step < rule.steps - 1:
                batch.predict_base()
                for cell in batch.compared:
                    batch.predict(cell)

    def _zil(self, batch: Batch, rule: RuleConfig, rate: float) -> None:
        levels = self.network.levels or {}
        for t in range(max(levels.values()) + 1):
            before = {c.name: c.a.copy() for c in batch.free}
            batch.move(1.0)
            self._update(batch, rate, before, level=t)
            batch.predict_base()
            for cell in batch.compared:
                batch.predict(cell)
            batch.errors()

    def _update(self, batch: Batch, rate: float, activities: dict[str, Real] | None, level: int | None = None) -> None:
        """Every plastic edge learns, of one level where it is given, from ``activities`` of before a step."""
        alpha = learning_rates(self.network, rate)
        for link in self.links:
            edge = link.edge
            if (link.weights is None or not edge.plastic
                    or level not in (None, (self.network.levels or {}).get(edge.target))):
                continue
            source = batch.cells[edge.source]
            a = source.a if activities is None else activities.get(edge.source, source.a)
            link.learn(batch.cells[edge.target].error, a, alpha[edge.source, edge.target])

    def _batch(self, size: int) -> Batch:
        if size not in self._batches:
            self._batches[size] = Batch(self.network, self.links, self._held, size, self.dtype)
        return self._batches[size]
