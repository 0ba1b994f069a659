"""A rule and an activation of one's own; ``hebbar run examples/own_rule/own_rule.toml`` trains and compares them.

The readout learns at once from the error of the feed-forward pass; then inference relaxes against the
better readout, and only the hidden layers learn from the settled errors. We know of no paper with it.
"""

from dataclasses import replace

from hebbar.compiler.rules import Schedule, rule
from hebbar.compiler.rules.predictive import il  # so that --rule il learns on the same network
from hebbar.compiler.schedule import LoopOp, MicroOp
from hebbar.contract.activations import activation

__all__ = ["eager_readout", "il"]


@activation("softsign", derivative=lambda x: 1.0 / (1.0 + abs(x)) ** 2)
def softsign(x: float) -> float:
    return x / (1.0 + abs(x))


@rule("eager_readout", slower=0)
def eager_readout(s: Schedule) -> list[MicroOp]:
    """The readout learns from the feed-forward error at alpha / 2**slower, hidden layers from the settled one."""
    learn = s.update(hoisted=True)
    eager = [replace(o, slower=int(s.option("slower"))) for o in learn if s.clamped(o.name)]
    late = [o for o in learn if not s.clamped(o.name)]
    return [*s.hoist(), *eager, LoopOp(tuple(s.step(hoisted=True)), s.rule.steps), *late]
