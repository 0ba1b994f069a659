"""Gaps a cycle short: told by the scoreboard on the RTL, or slack."""

from pathlib import Path

from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure
from hebbar.verify.shortest import shorter

from .writes import job_of

__all__ = ["PRESETS", "measure"]

PRESETS = ("tiny", "digits", "digits_zil")
"""Programs that run on Amaranth's simulator with less than they need; quickly the first of them."""


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """How many are neither told nor slack. ``folder`` is unused."""
    presets = PRESETS[:1] if quick else PRESETS
    told, slack, lost = 0, 0, 0
    for preset in presets:
        reporter.say(f"every gap of {preset} a cycle shorter ...")
        for one in shorter(job_of(compile_config(load(preset)), 1)):
            told, slack = told + one.told, slack + (not one.told and not one.overtakes and one.same)
            lost += not one.told and (one.overtakes or not one.same)
    return [Figure(f"gaps of {', '.join(presets)} a cycle short that nothing tells on the RTL ({told} told, {slack} "
                   "slack by the table)", lost, "0", "gaps", lost == 0)]
