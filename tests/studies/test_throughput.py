"""The rows of simulation speed: what is compared in turn ends with a ratio of the two."""

import pytest

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.studies import throughput


def test_the_shell_is_set_beside_the_bare_loop(models, monkeypatch):
    """Without it ``hebbar bench product`` could stop at its rows of speed, which nothing else runs. The ratio is of
    compared to bare, in percent, and both have simulated cycles of the same job."""
    monkeypatch.setattr(throughput, "ROUNDS", 1)
    bare, compared, ratio = throughput.shell(load("tiny"), 4, models, Reporter(quiet=True))
    assert bare.value > 0 and compared.value > 0 and ratio.unit == "%"
    assert ratio.value == pytest.approx(100 * compared.value / bare.value, rel=1e-3)
    assert ratio.met is (ratio.value >= 80)
