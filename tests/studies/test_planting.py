"""The bench that plants defects: it finds what the tests find, says so when they do not, and goes on where it was."""

import pytest

from hebbar.contract.console import Reporter
from hebbar.contract.errors import HebbarError
from hebbar.studies import planting
from hebbar.studies.pytest_forks import BROKEN, FAILED, PASSED
from hebbar.studies.strangers import edits
from sim.defects import Defect

QUIET = Reporter(quiet=True)
COUNTERS = "tests/hw/test_every_bit.py::test_every_counter_counts_on_in_every_bit"


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
    gone = Defect("hw/counters.py", "m = Module()", "m = Module()  # the same", "tests/hw/test_every_bit.py::test_gone")
    with pytest.raises(HebbarError, match="did not run"):
        planting.survivors([gone], tmp_path, QUIET)


def test_the_copy_is_sound_again_after_a_defect(tmp_path, monkeypatch):
    """Without it a defect would be planted on top of the last, and the wrong test would catch both."""
    copy = planting.Copy(tmp_path)
    seen = []

    def run(test, still):
        seen.append((tmp_path / "hw/counters.py").read_text())
        return FAILED, "1 failed"

    monkeypatch.setattr(copy, "_run", run)
    assert copy.catches(Defect("hw/counters.py", "m = Module()", "m = None", COUNTERS))
    assert "m = None" in seen[0]
    assert (tmp_path / "hw/counters.py").read_text() == (planting.ROOT / "hw/counters.py").read_text()


@pytest.mark.parametrize("again", [PASSED, FAILED])
def test_a_fixture_that_ends_in_an_error_counts_where_the_defect_is_why(tmp_path, monkeypatch, again):
    """Without it a missing tool would catch every defect, or one that breaks a fixture would be no catch."""
    copy, codes = planting.Copy(tmp_path), [FAILED, again]
    monkeypatch.setattr(copy, "_run", lambda test, still: (codes.pop(0), "1 error in 2 s"))
    defect = Defect("hw/counters.py", "m = Module()", "m = None", COUNTERS)
    if again == PASSED:
        assert copy.catches(defect)
    else:
        with pytest.raises(HebbarError, match="did not run"):
            copy.catches(defect)
    assert not codes


def test_a_test_without_an_end_is_a_catch_and_one_that_waits_is_none(tmp_path, monkeypatch):
    """Without the first a bench would never end; without the second a busy computer would catch every defect."""
    copy = planting.Copy(tmp_path)
    for name, body in (("endless", "while True:\n        pass"), ("waits", "__import__('time').sleep(60)")):
        (tmp_path / f"tests/test_{name}.py").write_text(f"def test_it():\n    {body}\n")
    (tmp_path / "tests/test_sound.py").write_text("def test_it():\n    pass\n")
    assert copy._run("tests/test_sound.py", lambda: None)[0] == PASSED
    monkeypatch.setattr(planting, "LIMIT_CPU_S", 3)
    assert copy._run("tests/test_endless.py", lambda: None) == (FAILED, "no end")
    monkeypatch.setattr(planting, "LIMIT_S", 3.0)
    code, said = copy._run("tests/test_waits.py", lambda: None)
    assert code == BROKEN and "less to do" in said
    monkeypatch.setattr(planting, "LIMIT_S", 60.0)  # the process that waited is gone, and another takes its place
    assert copy._run("tests/test_sound.py", lambda: None)[0] == PASSED
    child = copy._forks._child
    copy.close()
    assert child.returncode is not None


def test_no_source_is_loaded_before_the_fork(tmp_path):
    """Without it every defect would be planted in files that the runs have read before."""
    copy = planting.Copy(tmp_path)
    modules = "{name.split('.')[0] for name in sys.modules} & {'hebbar', 'golden', 'hw', 'sim'}"
    (tmp_path / "tests/test_loaded.py").write_text(
        f"import sys\n\n\ndef test_it():\n    assert not {modules} and 'numpy' in sys.modules\n")
    try:
        assert copy._run("tests/test_loaded.py", lambda: None)[0] == PASSED
    finally:
        copy.close()
