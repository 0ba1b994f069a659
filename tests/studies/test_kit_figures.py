"""The figures of bench kit are of this very measurement, whatever an earlier one left in its folder."""

import subprocess

import pytest

from hebbar.contract.console import Reporter
from hebbar.studies import kit

QUIET = Reporter(quiet=True)


def commands(monkeypatch, failing):
    """Commands of which those with one of the words ``failing`` fail, and all say that they passed."""
    def run(command, **options):
        failed = any(word in part for word in failing for part in command)
        return subprocess.CompletedProcess(command, int(failed), "PASS: one\nPASS: two\n", "")

    monkeypatch.setattr(kit, "run", run)
    monkeypatch.setattr(kit, "write", lambda *_: [])


@pytest.mark.parametrize("failing, right", [([], 2), (["iverilog"], 0), (["vvp"], 0)])
def test_two_machines_are_right_only_where_they_were_built_and_ran(tmp_path, monkeypatch, failing, right):
    """Without it the simulation of an earlier measurement would pass for one that cannot be built."""
    commands(monkeypatch, failing)
    left = tmp_path / "two" / "soc.vvp"
    left.parent.mkdir()
    left.touch()
    (figure,) = kit._two(tmp_path, True, QUIET)
    assert (figure.value, figure.met) == (right, right == 2) and not left.exists()


@pytest.mark.parametrize("failing, count", [([], 4), (["wheel"], 0), (["dist/*.whl"], 0), (["report"], 3)])
def test_a_wheel_works_only_where_it_was_built_and_installed(tmp_path, monkeypatch, failing, count):
    """Without it the commands of an earlier wheel would pass for those of one that cannot be built."""
    commands(monkeypatch, failing)
    left = tmp_path / "wheel" / "dist" / "hebbar.whl"
    left.parent.mkdir(parents=True)
    left.touch()
    (figure,) = kit._wheel(tmp_path / "wheel", QUIET)
    assert figure.value == count and not left.exists()
