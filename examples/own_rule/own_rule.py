"""A rule and an activation of one's own; ``hebbar run examples/own_rule/own_rule.toml`` trains and compares them.

The readout learns at once from the error of the feed-forward pass; then inference relaxes against the
better readout, and only the hidden layers learn from the settled errors. We know of no paper with it.
"""

from hebbar.activations import activation
from hebbar.isa import Sweep
from hebbar.rules import Schedule, rule
from hebbar.schedule import LoopOp, MicroOp

LEARN = Sweep.FWD | Sweep.ERR | Sweep.UPD


@activation("softsign", derivative=lambda x: 1.0 / (1.0 + abs(x)) ** 2)
def softsign(x: float) -> float:
    return x / (1.0 + abs(x))


@rule("eager_readout", rest=0)
def eager_readout(s: Schedule) -> list[MicroOp]:
    """The readout learns from the feed-forward error, the hidden layers from the settled one."""
    readout = [b for b in s.blocks if s.clamped(b.name)]
    hidden = [b for b in s.blocks if not s.clamped(b.name)]
    steps = s.rule.steps - int(s.option("rest"))
    ops = s.start() + [s.sweep(b, LEARN) for b in readout]
    return [*ops, LoopOp(tuple(s.step()), steps), *(s.sweep(b, LEARN) for b in hidden)]
