"""The bench that plants defects: it finds what the tests find, says so when they do not, and goes on where it was."""

import pytest

from hebbar.contract.console import Reporter
from hebbar.contract.errors import HebbarError
from hebbar.studies import planting
from hebbar.studies.strangers import edits
from sim.defects import Defect

QUIET = Reporter(quiet=True)
COUNTERS = "tests/test_every_bit.py::test_every_counter_counts_on_in_every_bit"


def test_a_few_of_the_edits_are_caught(tmp_path):
    """Without it the list could name tests that notice nothing."""
    figure, = edits.measure(tmp_path, quick=True, reporter=QUIET)
    assert figure.met and figure.value == 0


def test_an_edit_that_changes_nothing_survives_and_is_not_tried_again(tmp_path, monkeypatch):
    """A measure that calls everything caught would be met by any suite; one that begins again is never finished."""
    harmless = Defect("hw/counters.py", "m = Module()", "m = Module()  # the same", COUNTERS)
    assert planting.survivors([harmless], tmp_path, QUIET) == [harmless]
    monkeypatch.setattr(planting, "Copy", None)
    assert planting.survivors([harmless], tmp_path, QUIET) == [harmless]


def test_a_test_that_does_not_exist_is_no_catch(tmp_path):
    """Without it a misspelt test would count as one that fails."""
    gone = Defect("hw/counters.py", "m = Module()", "m = Module()  # the same", "tests/test_every_bit.py::test_gone")
    with pytest.raises(HebbarError, match="did not run"):
        planting.survivors([gone], tmp_path, QUIET)


def test_the_copy_is_sound_again_after_a_defect(tmp_path, monkeypatch):
    """Without it a defect would be planted on top of the last, and the wrong test would catch both."""
    copy = planting.Copy(tmp_path)
    seen = []
    monkeypatch.setattr(copy, "_passes", lambda test, still: seen.append((tmp_path / "hw/counters.py").read_text()))
    assert copy.catches(Defect("hw/counters.py", "m = Module()", "m = None", COUNTERS))
    assert "m = None" in seen[0]
    assert (tmp_path / "hw/counters.py").read_text() == (planting.ROOT / "hw/counters.py").read_text()
