"""The machine does not grow unnoticed: LUTs and flip-flops of two presets against a recorded budget."""

import json
from pathlib import Path

import pytest

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.synth.design import of_machine
from hebbar.synth.devices import DEVICES
from hebbar.synth.fpga import STAT
from hebbar.synth.process import yosys

BUDGET = Path(__file__).resolve().parents[2] / "benchmarks" / "area_budget.json"
ALLOWED = 1.03
"""A change that makes the machine larger than this changes the budget in the same commit and says why."""


def over(found: dict[str, int], budget: dict[str, int]) -> dict[str, tuple[int, int]]:
    """What was found to be larger than the budget allows, beside the budget."""
    return {kind: (found[kind], most) for kind, most in budget.items() if found[kind] > ALLOWED * most}


def test_growth_is_noticed():
    """The comparison must be able to fail, in either kind of cell."""
    budget = {"lut": 1000, "ff": 200}
    assert over({"lut": 1030, "ff": 206}, budget) == {}
    assert over({"lut": 1031, "ff": 150}, budget) == {"lut": (1031, 1000)}
    assert over({"lut": 10, "ff": 207}, budget) == {"ff": (207, 200)}


@pytest.mark.parametrize("preset", ["tiny", "digits"])
def test_the_machine_fits_its_budget(preset, tmp_path):
    """Cells of the ECP5 after synthesis, hierarchy dissolved. Without it a register or a multiplexer of every lane
    would be seen only by who asks for a synthesis."""
    device, design = DEVICES["ecp5"], of_machine(load(preset).machine)
    script = device.mapping.format(top=design.top, flatten="") + STAT
    place = yosys(design, script, tmp_path, Reporter(quiet=True), preset)
    stat = json.loads((place / "stat.json").read_text())
    cells = device.of(stat["modules"][f"\\{design.top}"]["num_cells_by_type"])
    found, budget = {"lut": cells.lut, "ff": cells.ff}, json.loads(BUDGET.read_text())[preset]
    assert not over(found, budget), f"{preset} has {found} and a budget of {budget}"
