"""The bench part that plants edits: it finds what the tests find, and says so when they do not."""

import pytest
from edits import EDITS, LISTED
from planted import Defect

from hebbar.contract.console import Reporter
from hebbar.contract.errors import HebbarError
from hebbar.studies.strangers import edits


def test_a_few_of_the_edits_are_caught(tmp_path):
    """Without it the list could name lines and tests that are long gone."""
    figure, = edits.measure(tmp_path, quick=True, reporter=Reporter(quiet=True))
    assert figure.met and figure.value == 0


def test_every_edit_is_one_line_of_the_sources(tmp_path):
    """The whole list can be planted today, and no edit is listed twice."""
    for edit in EDITS:
        text = (edits.ROOT / edit.file).read_text()
        assert text.count(edit.old) == 1, (edit.file, edit.old)
        assert edit.new != edit.old
    assert len({(e.file, e.old, e.new, e.test) for e in EDITS}) == len(EDITS) > 200 and len(LISTED) >= 13


def test_an_edit_that_changes_nothing_survives(tmp_path):
    """A measure that calls everything caught would be met by any suite."""
    harmless = Defect("hw/counters.py", "m = Module()", "m = Module()  # the same", "tests/test_every_bit.py"
                      "::test_every_counter_counts_on_in_every_bit")
    assert edits.survivors([harmless], tmp_path, Reporter(quiet=True)) == [harmless]


def test_a_test_that_does_not_exist_is_no_catch(tmp_path):
    """Without it a misspelt test would count as one that fails."""
    gone = Defect("hw/counters.py", "m = Module()", "m = Module()  # the same", "tests/test_every_bit.py::test_gone")
    with pytest.raises(HebbarError, match="did not run"):
        edits.survivors([gone], tmp_path, Reporter(quiet=True))
