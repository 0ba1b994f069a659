"""``hebbar bench clock``: its ratios, what it says where something is not there, and its questions to other sources."""

import pytest

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.studies.clock import PARTS, cells, one
from hebbar.studies.clock.earlier import AGAINST, asked, lacking, trees
from hebbar.studies.clock.fpga import UNITS, WIDER
from hebbar.studies.clock.pace import CAUSES, CYCLES, Pace, _figures
from hebbar.studies.parts import ROOT
from hebbar.synth.result import cycles

QUIET = Reporter(quiet=True)


def test_ratios_are_those_of_two_machines():
    """Three times the clock at 1.2 times the cycles is 2.5 times the samples, on a quarter of the LUTs ten times."""
    now, before = Pace({"issue": 100, "drain": 20}, 60.0, 1000), Pace({"issue": 100, "drain": 0}, 20.0, 4000)
    rows = _figures("tiny", now, before)
    assert [row.value for row in rows[:3]] == pytest.approx([2.5, 10.0, 1.2])
    assert [row.met for row in rows[:3]] == [False, True, True]
    assert {row.figure: row.value for row in rows[3:]} == {
        "cycles a sample: issue": f"100 ({AGAINST}: 100)", "cycles a sample: drain": f"20 ({AGAINST}: 0)"}


def test_without_liberty_files_the_rows_say_so(tmp_path):
    """Without it a folder without files would end the run, or leave the rows out."""
    for folder, words in ((None, "--data"), (tmp_path, str(tmp_path))):
        rows = cells.measure(tmp_path, True, QUIET, folder)
        assert len(rows) == 3 and all(r.met is None and str(r.value).startswith("not measured") for r in rows)
        assert all(words in str(r.value) for r in rows)
    assert "cells" in PARTS and one("cells", tmp_path / "out", True, QUIET) == cells.measure(tmp_path, True, QUIET)


def test_wider_machines_hold_as_much():
    """Without it the memories would grow with the lanes and be counted as lanes."""
    few, many = (load("digits").replace(machine=UNITS | changes).machine for changes in ({}, WIDER))
    for m in (few, many):
        assert m.weight_words * m.lanes * m.row_tiles == 8192 and m.neuron_words * m.lanes == 256
        assert m.max_columns * m.lanes == 128
    assert many.lanes * many.row_tiles == 64


def test_sources_answer_for_themselves():
    """Without it the earlier machine could be today's, found by another path."""
    now = asked(ROOT, CYCLES, "tiny")
    assert sum(now["cycles"].values()) == cycles(load("tiny")) and now["verilog"] == ""
    if why := lacking(AGAINST):
        pytest.skip(why)
    with trees() as places:
        before = asked(places[AGAINST], CYCLES, "tiny", "verilog")
    assert "module hebbar(" in before["verilog"]
    assert {CAUSES.get(n, n) for n in before["cycles"]} == set(now["cycles"])
    assert before["cycles"]["issue"] == now["cycles"]["issue"] and before["cycles"]["drain"] < now["cycles"]["drain"]
