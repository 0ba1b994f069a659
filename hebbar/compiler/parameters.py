"""What the machine runs in place of what the configuration says: registers, tables and first weights have codes.

A parameter that would be off by more than ``hebbar.contract.formats.ALLOWANCE`` is refused; ``parameters`` lists the
rest beside what was asked for, alphas and precisions left out, which are powers of two on both sides. Float64 beside a
fixed-point run takes ``effective``.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hebbar.contract.activations import worst_point
from hebbar.contract.errors import BadInput
from hebbar.contract.exponentials import BETA_BITS, BETA_FRAC
from hebbar.contract.formats import ALLOWANCE, Format, code
from hebbar.contract.registers import TOLERANCE_BITS

from .network import Edge, Network
from .rule_config import RuleConfig
from .rules import find
from .schedule import LoopOp, MicroOp, SweepOp

if TYPE_CHECKING:
    from .config import Config
    from .program import Program

__all__ = ["Parameter", "parameters", "effective", "gain_code", "beta_code", "tolerance_code", "check_scales", "flat"]

BETA = Format(BETA_BITS + 1, BETA_FRAC)
"""The BETA register, beta log2(e), unsigned."""


@dataclass(frozen=True)
class Parameter:
    """A number as it is ``configured`` under ``key``, and the one that is ``used``."""

    key: str
    configured: float
    used: float

    @property
    def difference(self) -> float:
        """What is used less what is configured, as a share of the latter."""
        return (self.used - self.configured) / self.configured if self.configured else self.used

    def record(self) -> dict[str, float | str]:
        """The parameter as a flat dictionary."""
        return {"key": self.key, "configured": self.configured, "used": self.used, "difference": self.difference}


def gain_code(gamma: float | None, rule: RuleConfig, format: Format) -> int:
    """The code of a gain, None for that of the rule. Raises BadInput when it is off by too much."""
    key, value = _gain(gamma, rule)
    step = 1 / format.scale
    return code(value, format, key, f"give a multiple of {step:g} from {step:g} to {format.hi / format.scale:g}")


def _gain(gamma: float | None, rule: RuleConfig) -> tuple[str, float]:
    """The key and the value of a gain; an option of the rule is known by its value."""
    if gamma is None:
        return "rule.gamma", rule.gamma
    return next((f"rule.options.{key}" for key, value in rule.options.items() if value == gamma
                 and not isinstance(value, bool)), f"a gain of rule {rule.name!r}"), gamma


def beta_code(rule: RuleConfig) -> int:
    """The BETA register. Raises BadInput when it is off by too much."""
    unit = math.log2(math.e)
    return code(rule.beta, BETA, "rule.beta",
                f"give {10 / BETA.scale / unit:.3f} to {BETA.hi / BETA.scale / unit:.1f} and scale the similarities "
                "instead", unit=unit)


def tolerance_format(state: Format) -> Format:
    """The TOLERANCE register: twice the energy in squared codes, unsigned."""
    return Format(TOLERANCE_BITS + 1, 2 * state.frac + 1)


def tolerance_code(rule: RuleConfig, state: Format) -> int:
    """The TOLERANCE register. Raises BadInput when it is off by too much."""
    register = tolerance_format(state)
    return code(rule.tolerance, register, "rule.tolerance",
                f"give {1 / register.scale:g} to {register.hi / register.scale:g}, or 0 for all steps", up=True)


def effective(program: Program) -> RuleConfig:
    """The rule of a program with gamma and tolerance as its registers hold them; beta, of which the register is
    seldom off by more than a thousandth, stays as it is."""
    rule, f = program.config.rule, program.machine.formats
    return rule.model_copy(update={"gamma": gain_code(None, rule, f.gain) / f.gain.scale,
                                   "tolerance": program.tolerance / tolerance_format(f.state).scale})


def check_scales(config: Config, network: Network) -> None:
    """Raise BadInput for initial weights that the weight format would clip, or round to other ones."""
    weight = config.machine.formats.weight
    for i, edge in enumerate(e for e in network.stored if e.scale):
        key, (fewest, most) = _scale_key(config, edge, i), _columns(network, edge)
        bound, end = edge.scale * math.sqrt(3 / fewest), -weight.lo / weight.scale
        if not bound <= end:
            raise BadInput(f"{key} is {edge.scale:g}, so that first weights reach {bound:g}, and {weight} ends at "
                           f"{end:g}; give at most {end / math.sqrt(3 / fewest):.4g} or lower machine.weight_frac.")
        used = _rounded_scale(edge.scale, most, weight)
        if abs(used - edge.scale) > ALLOWANCE * edge.scale:
            raise BadInput(f"{key} is {edge.scale:g}, and weights in steps of {1 / weight.scale:g} would have "
                           f"{used:.3g}; give at least {1.6 / weight.scale * math.sqrt(most / 3):.3g}, or raise "
                           "machine.weight_frac.")
    for edge in network.stored:
        code(edge.value, weight, f"network.edges, {edge.source!r} to {edge.target!r}: value",
             "give another or change machine.weight_frac")


def _scale_key(config: Config, edge: Edge, index: int) -> str:
    if config.network.layers:
        return f"rule.init_scales[{index}]"
    return f"network.edges, {edge.source!r} to {edge.target!r}: scale"


def _columns(network: Network, edge: Edge) -> tuple[int, int]:
    """Fewest and most weights of a row that has any."""
    size = network.by_name[edge.source].size
    if not edge.mask:
        return size, size
    _, wide = network.part_size(edge)
    rows = [sum(min(wide, size - j * wide) for j, part in enumerate(row) if part == "1") for row in edge.mask]
    found = [n for n in rows if n > 0] or [size]
    return min(found), max(found)


def _rounded_scale(scale: float, columns: int, weight: Format) -> float:
    """The scale of weights that are drawn uniformly and rounded to codes: sqrt(columns) times their standard
    deviation."""
    bound = scale * math.sqrt(3 / columns) * weight.scale
    top = math.floor(bound + 0.5)
    if not top:
        return 0.0
    square = ((top - 1) * top * (2 * top - 1) / 6 + top * top * (bound - top + 0.5)) / bound
    return math.sqrt(square * columns) / weight.scale


def parameters(program: Program) -> tuple[Parameter, ...]:
    """What the machine holds as codes of its own: gains, beta, tolerance, the spread of the first weights, tables."""
    rule, f = program.config.rule, program.machine.formats
    found = [_named(gain, rule, gain_code(gain, rule, f.gain) / f.gain.scale) for gain in _gains(program)]
    found.append(Parameter("rule.beta", rule.beta, program.beta / BETA.scale / math.log2(math.e)))
    if rule.tolerance:
        found.append(Parameter("rule.tolerance", rule.tolerance, effective(program).tolerance))
    return (*found, *_scales(program), *_tables(program))


def _named(gain: float | None, rule: RuleConfig, used: float) -> Parameter:
    """A gain and what is used of it; one that the rule declares to be made of an option as that option."""
    definition = find(rule)
    for key, added in definition.gains.items():
        value = float(rule.options.get(key, definition.options[key]))
        if gain == value + added:
            return Parameter(f"rule.options.{key}", value, used - added)
    return Parameter(*_gain(gain, rule), used)


def _gains(program: Program) -> list[float | None]:
    """Gains of all sweeps, that of the rule first."""
    ops = [op for schedule in program.schedules.values() for op in flat(schedule)]
    return list(dict.fromkeys([None, *(op.gain for op in ops if isinstance(op, SweepOp))]))


def flat(ops: Iterable[MicroOp]) -> list[MicroOp]:
    """The operations in all loops."""
    return [x for o in ops for x in (flat(o.body) if isinstance(o, LoopOp) else [o])]


def _scales(program: Program) -> list[Parameter]:
    config, network = program.config, program.layout.network
    return [Parameter(_scale_key(config, e, i), e.scale,
                      _rounded_scale(e.scale, _columns(network, e)[1], config.machine.formats.weight))
            for i, e in enumerate(x for x in network.stored if x.scale)]


def _tables(program: Program) -> list[Parameter]:
    """f and f' where their tables are worst."""
    kinds = dict.fromkeys((p.activation, p.activity_frac) for p in program.layout.network.predicted)
    worst = [(name, slope, worst_point(name, slope, program.machine.formats, frac))
             for name, frac in kinds for slope in (False, True)]
    return [Parameter(f"{'slope of ' if slope else ''}activation {name!r} at {at.state:g}", at.wanted, at.found)
            for name, slope, at in worst]
