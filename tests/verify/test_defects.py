"""Defects planted on purpose are found, named and explained."""

import pytest

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from sim.inject_defect import inject_defect


@pytest.mark.parametrize("name, words", [("rounding", "weight x1[0] to x2"), ("activity-stale", "activity of x1")])
def test_a_planted_defect_is_found_and_named(name, words, tmp_path, models):
    """Without it a newcomer could not trust the comparison that finds nothing in the sound machine."""
    found = inject_defect(load("tiny"), name, "fast", "train", 3, tmp_path, Reporter(quiet=True), wave=False,
                        build=models)
    assert found.found and found.check().passed
    assert found.sentence.startswith("first difference: sample 0") and words in found.sentence
    assert sum(found.result()["mismatches"].values()) > 0


def test_a_defect_that_shows_nothing_is_said_to_be_missed(tmp_path, models):
    """Without it the demonstration would pass whatever happens: in a prediction nothing is learned."""
    found = inject_defect(load("tiny"), "rounding", "fast", "predict", 3, tmp_path, Reporter(quiet=True), wave=False,
                        build=models)
    assert not found.found and not found.check().passed and "makes no difference" in found.check().message
