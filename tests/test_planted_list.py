"""The list of planted defects names lines and tests that are there."""

from pathlib import Path

import pytest
from planted import DEFECTS, EDITS, LISTED, PLANTED, SLOW

from hebbar.contract.errors import HebbarError
from sim.defects import Defect

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("file", sorted({d.file for d in PLANTED}))
def test_every_defect_changes_one_place_of_its_file(file):
    """Without it the list could name lines that are long gone, which nothing would notice for as long as it is not
    planted."""
    text = (ROOT / file).read_text()
    assert not [d.old for d in PLANTED if d.file == file and (text.count(d.old) != 1 or d.old == d.new)]


def test_every_defect_names_a_test_that_is_there():
    """Without it a misspelt test would be found only where the defect is planted."""
    for file, _, name in {d.test.partition("::") for d in PLANTED}:
        assert (ROOT / file).exists() and (not name or f"def {name}(" in (ROOT / file).read_text()), (file, name)


def test_there_are_enough_of_them_and_none_twice():
    """Without it the list could shrink until it proves nothing, or grow by what it has."""
    assert len(DEFECTS) >= 120 and len(DEFECTS) + len(SLOW) >= 200 and len(EDITS) >= 270 and len(LISTED) >= 13
    assert {d.file.split("/")[0] for d in DEFECTS} >= {"golden", "hw", "hebbar", "sim"}
    assert len(PLANTED) == len(DEFECTS) + len(SLOW) + len(EDITS)
    assert len({(d.file, d.old, d.new, d.test) for d in PLANTED}) == len(PLANTED)


@pytest.mark.parametrize("text", ["", "a = 1\na = 1\n"])
def test_a_line_that_is_not_there_once_is_refused(tmp_path, text):
    """Without it a defect could change nothing, and be called caught by a test that fails anyway."""
    (tmp_path / "unit.py").write_text(text)
    with pytest.raises(HebbarError, match="no longer holds exactly once"):
        Defect("unit.py", "a = 1", "a = 2", "tests/test_unit.py").plant(tmp_path)
