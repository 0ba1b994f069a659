"""The section ``[rule]`` of a configuration."""

from pydantic import Field

from .machine import Frozen

__all__ = ["RuleConfig"]


class RuleConfig(Frozen):
    """``[rule]``: the learning rule and its constants.

    ``steps`` counts state steps; the errors are recomputed after the last one and the update uses
    them. ``gamma`` is rounded to the machine's GAIN format. ``alpha_shifts`` and ``init_scales``
    are per weight layer of a layered network. ``hoist`` computes the contribution of clamped
    sources once a sample.

    ``source``: a Python file that defines the rule ``name``, empty for a built-in one. ``options`` are
    those of the rule. ``tolerance``: inference stops when 1/2 sum |e|^2 fell by less in a step, the
    energy where all precisions are 0; 0: after ``steps``. ``beta``: inverse temperature of softmax.
    ``query_steps``: state steps of a query, 0: ``steps``. ``feedback``: false leaves W^T e out of the steps of
    a query.
    """

    name: str = "il"
    source: str = ""
    steps: int = Field(8, ge=0, le=4095)
    gamma: float = Field(0.25, ge=0, lt=2)
    alpha_shifts: tuple[int, ...] = ()
    init_scales: tuple[float, ...] = ()
    hoist: bool = True
    tolerance: float = Field(0.0, ge=0)
    beta: float = Field(1.0, ge=0)
    query_steps: int = Field(0, ge=0, le=4095)
    feedback: bool = True
    options: dict[str, bool | int | float | str] = {}
