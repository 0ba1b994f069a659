"""Exported Verilog is found again by what it is made from, and by nothing less."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hebbar.compiler.config import load
from sim import design

LOADED = ("import sys; from hebbar.contract.machine import MachineConfig; import hw.verilog; "
          "print(*(m.__file__ for n, m in sys.modules.items() if n.split('.')[0] in ('hebbar', 'hw')))")


def copied(folder):
    """The packages that the hardware is made from, in a folder of its own."""
    for package in design.PACKAGES:
        shutil.copytree(design.ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.mark.parametrize("edited", ["hw/tile.py", "hebbar/contract/isa.py", "hebbar/contract/timing.py",
                                    "hebbar/compiler/cycles.py"])
def test_an_edit_of_what_the_hardware_imports_makes_new_verilog(tmp_path, monkeypatch, edited):
    """Without it the Verilog, and the models built of it, of the sources before an edit would be found again."""
    machine, here = load("tiny").machine, copied(tmp_path / "copy")
    before = design._digest(machine, None)
    monkeypatch.setattr(design, "ROOT", here)
    assert design._digest(machine, None) == before
    design._sources.cache_clear()
    (here / edited).write_text((here / edited).read_text() + "\n# edited\n")
    assert design._digest(machine, None) != before


def test_all_that_the_hardware_imports_counts():
    """Without it a module that the hardware begins to import could be edited without new Verilog."""
    said = subprocess.run([sys.executable, "-c", LOADED], cwd=design.ROOT, capture_output=True, text=True, check=True)
    loaded = {Path(name).resolve().relative_to(design.ROOT.resolve()) for name in said.stdout.split()}
    missing = [path for path in loaded if path.name != "__init__.py"
               and not any(path.is_relative_to(place) for place in design.MADE_FROM)]
    assert len(loaded) > 40 and not missing
