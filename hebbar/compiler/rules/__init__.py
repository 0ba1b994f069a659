"""Learning rules as schedules: each is a list of micro-operations on any machine.

    from hebbar.compiler.rules import rule

    @rule("delta")
    def delta(s):
        "One layer, the delta rule."
        return s.start(Sweep.UPD)

A rule of one's own is such a function in a file that ``rule.source`` names.
"""

from dataclasses import replace
from pathlib import Path

from hebbar.contract.errors import BadInput
from hebbar.contract.isa import Op
from hebbar.contract.suggest import shown, suggest

from ..network import Error
from ..rule_config import RuleConfig
from ..schedule import LoopOp, MicroOp, TransferOp, categorical
from . import depth, direct, forward_forward, memory, momentum, predictive, reward, spiking, weak
from .builder import Schedule
from .registry import Rule, load_source, rule, rules_in

__all__ = ["RULES", "Rule", "Schedule", "rule", "find", "train", "predict", "query"]

RULES: dict[str, Rule] = rules_in(predictive, depth, momentum, direct, forward_forward, weak, memory, reward, spiking)
"""The built-in rules by name."""


def find(config: RuleConfig) -> Rule:
    """The rule that a configuration names, built in or from its source file; its options are checked."""
    if config.source:
        found = load_source(Path(config.source), config.name)
    elif config.name in RULES:
        found = RULES[config.name]
    else:
        raise BadInput(f"rule.name is {config.name!r}{suggest(config.name, RULES)}; a rule of your own needs "
                       "rule.source, the path of its Python file.")
    for key, value in config.options.items():
        if key not in found.options:
            raise BadInput(f"rule.options.{key}: rule {found.name!r} has no such option"
                           f"{suggest(key, found.options) if found.options else '; it has none'}.")
        default = found.options[key]
        if not isinstance(value, (int, float) if isinstance(default, float) else type(default)) \
                or isinstance(value, bool) is not isinstance(default, bool):
            raise BadInput(f"rule.options.{key} is {shown(value)}; give a value like {default!r}.")
    return found


def train(s: Schedule) -> list[MicroOp]:
    """Learn from as many samples as LOOP register 1 says."""
    return _samples(s, s.definition.learn(s))


def predict(s: Schedule) -> list[MicroOp]:
    """Answer as many samples as LOOP register 1 says."""
    return _samples(s, s.definition.answer(s))


def query(s: Schedule) -> list[MicroOp]:
    """Complete as many samples as LOOP register 1 says, each with clamp masks of its own."""
    return _samples(s, s.definition.query(s))


def _samples(s: Schedule, ops: list[MicroOp]) -> list[MicroOp]:
    softmax = [p.name for p in s.layout.network.populations if p.error is Error.CATEGORICAL]
    for name in softmax:
        if len(s.layout.into(name)) > 1:
            raise BadInput(f"population {name!r} has categorical errors and masks cut its rows; softmax needs all of "
                           "them in one block, remove the mask.")
    ops = categorical(ops, softmax)
    ways = {o.op for o in ops if isinstance(o, TransferOp)}
    before = [] if Op.IN in ways else s.inputs()
    after = [] if Op.OUT in ways else s.outputs()
    return [LoopOp(tuple(_ended([*before, *ops, *after])), register=1)]


def _ended(ops: list[MicroOp]) -> list[MicroOp]:
    """Mark the last IN and the last OUT of a sample."""
    inner = [o for loop in ops if isinstance(loop, LoopOp) for o in loop.body]
    if any(isinstance(o, TransferOp) for o in inner):
        raise BadInput("rule: IN or OUT stands in a loop, and a sample moves every population once; take it out.")
    last = {o.op: i for i, o in enumerate(ops) if isinstance(o, TransferOp)}
    return [replace(o, last=last[o.op] == i) if isinstance(o, TransferOp) else o for i, o in enumerate(ops)]
