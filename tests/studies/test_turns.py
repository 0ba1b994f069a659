"""Contenders in turns: how often, in which order, and on how many threads of BLAS."""

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from hebbar.contract.console import Reporter
from hebbar.studies.scale import turns


def test_contenders_take_turns_on_one_thread(monkeypatch):
    """One run each to get warm, then round by round; speeds are by processor time, whatever the environment allows."""
    seen = []

    def run(name):
        np.ones((2, 2)) @ np.ones((2, 2))
        seen.append((name, {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}))
        return {"a": 10, "b": 30}[name]

    clock = iter(range(100))
    monkeypatch.setattr(turns, "process_time", lambda: next(clock))
    with threadpool_limits(2):
        runs = {name: lambda name=name: run(name) for name in "ab"}
        speeds = turns.take_turns(runs, 3, "turns", Reporter(quiet=True))
    assert [name for name, _ in seen] == ["a", "b"] * 4
    assert [pools for _, pools in seen[2:]] == [{1}] * 6 and seen[0][1] != {1}
    assert speeds == {"a": [10.0] * 3, "b": [30.0] * 3}


def test_a_ratio_is_the_median_of_the_rounds():
    assert turns.ratio([2, 9, 4], [1, 3, 4]) == (pytest.approx(2), "3 rounds, 1.000 to 3.000")
