"""Samples a second of pipelined programs against the machine of e9c8550, which is synthesised in the same run."""

from collections.abc import Sequence
from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure
from hebbar.synth.fpga import Clock

from ..clock.earlier import AGAINST, lacking
from ..clock.pace import Pace, clocks, paces, said
from . import PLACED
from .lanes import ROOM

__all__ = ["measure", "rows"]

NAME, TARGET = PLACED["pace"]
LEAST = float(TARGET.removeprefix(">= "))
CHANGES = {"rule": {"schedule": "pipelined"}, "machine": ROOM}
PRESETS = ("digits", "mnist")
"""A machine that no device holds is set beside the earlier one at the clocks of the one before."""


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """The ratio of each preset, cycles by the cycle model, clocks after routing; ``quick``: of tiny, estimated.
    ``folder`` is unused: placements are found again in the folder of builds."""
    if why := lacking(AGAINST):
        return [Figure(NAME, f"not measured: {why}", TARGET, "", None)]
    figures: list[Figure] = []
    known: tuple[str, list[Clock]] | None = None
    for preset in ("tiny",) if quick else PRESETS:
        answers = said(preset, reporter, CHANGES)
        found, reason = clocks(preset, answers, quick, reporter, CHANGES)
        if found:
            known = preset, found
            figures += rows(preset, paces(answers, found))
        elif known is None:
            figures.append(Figure(_name(preset), f"not measured: {reason}", TARGET, "", None))
        else:
            figures += rows(preset, paces(answers, known[1]), f"at the clocks of {known[0]}: {reason}")
    return figures


def _name(preset: str) -> str:
    return f"samples a second of {preset} IL, pipelined, against {AGAINST}"


def rows(preset: str, machines: Sequence[Pace], instead: str = "") -> list[Figure]:
    """Samples and cycles of a machine now and of the one before. ``instead``: why the clocks are not their own, and
    nothing is met."""
    now, before = machines
    faster, cycles = now.samples / before.samples, [sum(one.cycles.values()) for one in machines]
    how = f"; {instead}" if instead else ""
    return [Figure(f"{_name(preset)}{', at the clocks of another' if instead else ''} ({now.mhz:.1f} MHz, "
                   f"{now.samples:,.0f}; {before.mhz:.1f} MHz, {before.samples:,.0f}{how})", faster, TARGET, "x",
                   None if instead else faster >= LEAST),
            Figure(f"cycles a sample of {preset}, pipelined, against {AGAINST} ({cycles[0]:,g}; {cycles[1]:,g})",
                   cycles[0] / cycles[1], "printed", "x", None)]
