"""Energy of a training sample against the size of the array, the steps of inference and the bits of a weight: tier A,
counted from the program alone."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hebbar.compiler.config import Config
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput
from hebbar.energy.estimate import estimate
from hebbar.energy.registers import register_bits
from hebbar.energy.technology import Range, Technology

from .program_counts import counted

__all__ = ["Point", "changes", "sweeps"]

SIZES = ((1, 1), (2, 1), (1, 2), (2, 2), (4, 2))
"""How many times the lanes and the rows of the configuration."""
STEPS = (1, 2, 4, 8, 16, 32)
BITS = (6, 8, 10, 12, 14, 16)


Changes = dict[str, list[tuple[int, str, dict[str, dict[str, Any]], bool]]]
"""Place, label, changed keys and whether that changes nothing, of every point, by the axis of the sweep."""


@dataclass(frozen=True)
class Point:
    """``at`` on the axis of a sweep, ``label`` of it, pJ a sample; ``own``: of the configuration itself."""

    at: float
    label: str
    energy: Range
    own: bool


def changes(config: Config) -> Changes:
    """What is asked of every axis. Memories of a larger array are shallower, so that it holds as many weights and
    neurons."""
    m, rule = config.machine, config.rule
    sizes = [(m.lanes * a * m.row_tiles * b, f"{m.row_tiles * b} x {m.lanes * a}", {"machine": {
        "lanes": m.lanes * a, "row_tiles": m.row_tiles * b, "weight_words": -(-m.weight_words // (a * b)),
        "neuron_words": -(-m.neuron_words // a)}}, (a, b) == (1, 1)) for a, b in SIZES]
    steps = [(t, f"{t}", {"rule": {"steps": t}}, t == rule.steps) for t in sorted({*STEPS, rule.steps})]
    bits = [(b, f"{b}", {"machine": {"weight_bits": b, "weight_frac": m.weight_frac - m.weight_bits + b}},
             b == m.weight_bits) for b in sorted({*BITS, m.weight_bits}) if m.weight_frac - m.weight_bits + b >= 0]
    return {"multipliers of each verb": sizes, "inference steps T": steps, "bits of a weight": bits}


def sweeps(config: Config, technology: Technology, reporter: Reporter) -> dict[str, list[Point]]:
    """Points of every sweep; a change that the configuration does not take is left out. Inference that may end early
    takes all its steps, as when it ends is not the program's."""
    config = config.replace(rule={"tolerance": 0.0}) if config.rule.tolerance else config
    asked = changes(config)
    found: dict[str, list[Point]] = {axis: [] for axis in asked}
    with reporter.task("energies of changed machines", sum(map(len, asked.values()))) as task:
        for done, (axis, point) in enumerate(_points(config, asked, technology), 1):
            if point:
                found[axis].append(point)
            task.advance(done, axis)
    return {axis: sorted(points, key=lambda p: p.at) for axis, points in found.items()}


def _points(config: Config, asked: Changes, technology: Technology
            ) -> Iterator[tuple[str, Point | None]]:
    for axis, places in asked.items():
        for at, label, keys, own in places:
            try:
                program = compile_config(config.replace(**keys))
                made = estimate(program, counted(program), 1, technology, registers=register_bits)
                yield axis, Point(at, label, made.sample, own)
            except BadInput:  # too narrow for its sums, or too small for its network
                yield axis, None
