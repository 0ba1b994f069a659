"""Counters of golden machine and RTL, each program on the machine of its preset."""

from dataclasses import replace

from hebbar.contract.console import Reporter
from hebbar.contract.counters import COUNTERS, HOST
from hebbar.studies import counter_agreement
from hebbar.studies.counter_agreement import counted, measure
from sim.backends import fast


def test_every_program_of_a_preset_is_compared():
    """Without it a row of zero differences could be one of nothing compared."""
    found = list(counted("tiny", 1, announce=False))
    assert [c.entry for c in found] == ["train", "predict"] and not any(c.differ for c in found)


def test_a_counter_that_is_one_off_is_a_difference(monkeypatch):
    """Without it the comparison could look at other counters than the machine's."""
    run = fast.run

    def wrong(job, library):
        trace = run(job, library)
        return replace(trace, counters=trace.counters | {"mac_trn": trace.counters["mac_trn"] + 1, "stall_in": 99})

    monkeypatch.setattr(fast, "run", wrong)
    monkeypatch.setattr(counter_agreement, "preset_names", lambda: ["tiny"])
    figure = measure(True, Reporter(quiet=True))
    assert (figure.value, figure.met) == (2, False) and f"{2 * (len(COUNTERS) - len(HOST))} counters" in figure.figure
