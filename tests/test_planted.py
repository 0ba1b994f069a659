"""Every planted defect is caught: the tests are tested."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from planted import DEFECTS

ROOT = Path(__file__).parent.parent
SOURCES = ("hebbar", "golden", "hw", "sim", "tests")


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda d: f"{d.file}:{d.old[:40]}")
def test_every_planted_defect_is_caught(defect, tmp_path):
    """Without it a test could pass whatever the code does."""
    for name in SOURCES:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    defect.plant(tmp_path)
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", defect.test]
    env = os.environ | {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    answer = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)
    assert answer.returncode == 1, f"not caught by {defect.test}:\n{answer.stdout[-2000:]}"


def test_there_are_enough_of_them():
    """Without it the table could shrink until it proves nothing."""
    assert len(DEFECTS) >= 30
    assert {d.file.split("/")[0] for d in DEFECTS} >= {"golden", "hw", "hebbar"}
