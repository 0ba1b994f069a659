"""What every command leaves: result, manifest and JUnit XML."""

import hashlib
import json
import math
from datetime import datetime
from xml.etree import ElementTree

import numpy as np
import pytest

from hebbar.cli.options import Run
from hebbar.contract.errors import InternalError
from hebbar.contract.files import release
from hebbar.contract.record import Check, write_record
from hebbar.contract.results import Figure


def test_the_manifest_says_how_to_get_the_same_again(tmp_path):
    """Without it a figure could not be traced to a seed, a configuration and versions."""
    extra = tmp_path / "weights.npz"
    extra.write_bytes(b"1234")
    write_record(tmp_path, ["hebbar", "run", "tiny"], {"a": 1}, [], 1.0, {"training": {"seed": 7}}, [extra])
    manifest = json.loads((tmp_path / "manifest.json").read_text())
    assert manifest["command"] == "hebbar run tiny" and manifest["seed"] == 7
    assert manifest["files"]["weights.npz"] == hashlib.sha256(b"1234").hexdigest()
    assert manifest["files"]["result.json"] == hashlib.sha256((tmp_path / "result.json").read_bytes()).hexdigest()
    assert {"numpy", "amaranth", "cocotb", "python"} <= set(manifest["versions"])


def test_junit_holds_every_check(tmp_path):
    """Without it a build server would see a failed comparison as a pass."""
    checks = [Check("state", True), Check("weights", False, "first difference: <sample 3> & \"more\"")]
    write_record(tmp_path, ["hebbar", "run", "tiny"], {}, checks, 1.0)
    suite = ElementTree.parse(tmp_path / "junit.xml").getroot().find("testsuite")
    assert suite is not None and suite.get("tests") == "2" and suite.get("failures") == "1"
    failure = suite.findall("testcase")[1].find("failure")
    assert failure is not None and failure.get("message") == checks[1].message


def test_a_number_that_is_not_finite_is_no_json(tmp_path):
    """Without it a record could hold NaN, which other readers of JSON refuse; a figure that has no value says so."""
    with pytest.raises(InternalError, match=r"result\.json would hold a number that is not finite"):
        write_record(tmp_path, ["hebbar", "synth"], {"joules": math.nan}, [], 1.0)
    figures = [Figure("ratio", value, "1", "", None).record()["value"] for value in (np.nan, np.float64(np.inf), .5, 3)]
    assert figures == ["nan", "inf", 0.5, 3]


class Noon:
    """A clock that stands still: the manifest holds the second in which it was written."""

    @staticmethod
    def now(zone):
        return datetime(2026, 1, 2, 12, tzinfo=zone)


def test_the_same_run_leaves_the_same_bytes(tmp_path, monkeypatch):
    """Without it two records of one run would differ by an order, or by a clock other than that of their date."""
    monkeypatch.setattr("hebbar.contract.record.datetime", Noon)
    for name in ("a", "b"):
        write_record(tmp_path / name, ["hebbar", "check", "tiny"], {"x": [1, 2]}, [Check("c", True)], 2.0)
    for file in ("result.json", "manifest.json", "junit.xml"):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()
    assert json.loads((tmp_path / "a" / "manifest.json").read_text())["date"] == "2026-01-02T12:00:00+00:00"


def test_the_record_is_there_before_anything_is_printed(tmp_path):
    """Without it a table that cannot be printed, into a pipe that was closed, say, would take hours of work with it."""
    def show():
        raise BrokenPipeError

    here = Run(tmp_path, quiet=True)
    try:
        with pytest.raises(BrokenPipeError):
            here.finish({"a": 1}, [], show=show)
    finally:
        release()
    assert json.loads((tmp_path / "result.json").read_text()) == {"a": 1}
    assert (tmp_path / "manifest.json").exists()
