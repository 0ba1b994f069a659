"""The section ``[rule]`` of a configuration."""

from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator

from hebbar.contract.section import Section, key
from hebbar.contract.suggest import shown

__all__ = ["RuleConfig"]


class RuleConfig(Section):
    """``[rule]``: the learning rule and its constants."""

    name: str = key("il", "The learning rule: a built-in one (docs/systems.md), or one that `source` defines.",
                    example="ipc", max_length=64)
    source: str = key("", "A Python file that defines the rule `name`, from the folder of the TOML file; empty for a "
                      "built-in one.", example="own_rule.py", max_length=4096, pattern=r"^[^\x00]*$")
    steps: int = key(8, "State steps T of a training sample. il, il_nesterov, nudged_pc, pc_alm and pc_alm_window "
                     "learn once, from the errors computed anew after the last one; ipc learns in every step; eqprop "
                     "and chl take so many in each phase, 3 T in all where eqprop is symmetric, else 2 T; hopfield "
                     "retrieves so many times in an answer. zil, backprop, dfa, forward_forward, reward_bases and stdp "
                     "do not use it. Where the network has a cycle also those of an answer.", "steps", ge=0, le=4095)
    gamma: float = key(0.25, "Size of a state step, rounded to 7 fraction bits; more than 5 % off is refused.",
                       gt=0, lt=2)
    alpha_shifts: tuple[Annotated[int, Field(ge=0, le=20)], ...] = key(
        (), "Learning rate alpha = 2^-shift of every weight layer of `network.layers`, input side first.",
        "log2 of 1/alpha", [2, 4], max_length=256)
    init_scales: tuple[Annotated[float, Field(ge=0)], ...] = key(
        (), "First weights of every layer are uniform with standard deviation scale / sqrt(columns); they must fit the "
        "weight format.", "", [0.5, 0.5], max_length=256)
    init: Literal["scales", "mupc"] = key(
        "scales", "scales: first weights by `init_scales`; mupc: by muPC (arXiv 2505.13124), standard deviations 1 / "
        "sqrt(N0) of the first of L layers, 1 / sqrt(N L) of those inside and 1 / N of the last, of N columns.",
        example="mupc")
    schedule: Literal["drained", "chained", "pipelined"] = key(
        "drained", "drained: a sweep that needs another one waits until the machine is idle, and there every memory is "
                   "compared. chained: it follows as soon as what it needs is there; memories are compared where the "
                   "program drains by itself, once a sample. pipelined: chained, and sweeps that do not depend on one "
                   "another change places, also over the steps of a loop, so that fewer wait.", example="pipelined")
    hoist: bool = key(True, "Compute what clamped sources contribute once a sample instead of in every step; of il, "
                            "il_nesterov, nudged_pc, pc_alm and pc_alm_window, and of rules of your own that ask for "
                            "it.")
    tolerance: float = key(0.0, "Inference stops when 1/2 sum |e|^2, the energy where all precisions are 0, fell by "
                                "less in a step; 0: after `steps`. Needs `machine.energy` and a rule that stops "
                                "early, as il and nudged_pc do.", "energy", 0.001, ge=0)
    beta: float = key(1.0, "Inverse temperature of softmax; the register holds beta log2(e) with 8 fraction bits.",
                      ge=0)
    query_steps: int = key(0, "State steps of a query; 0: `steps`.", "steps", 256, ge=0, le=4095)
    feedback: bool = key(True, "False leaves W^T e out of the steps of a query (dendritic covPCN).")
    options: dict[str, bool | int | float | str] = key(
        {}, "Options of the rule itself, such as `nudge` of eqprop or `separation` of hopfield; all are in "
        "docs/systems.md.", "", {"nudge": 2}, max_length=64)

    @field_validator("options", mode="before")
    @classmethod
    def _plain(cls, given: Any) -> Any:
        for name, value in given.items() if isinstance(given, dict) else ():
            if not isinstance(value, bool | int | float | str) or (isinstance(value, float) and not isfinite(value)) \
                    or (isinstance(value, int) and abs(value) >= 1 << 63):
                raise ValueError(f"{name} cannot be {shown(value)}; give a finite number, text, true or false")
        return given
