"""A run that is aborted anywhere leaves nothing behind, and a machine that forgets an abort is found."""

import pytest

from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.studies.strangers import aborts
from sim.backends import golden
from sim.defects import Defect


@pytest.mark.usefixtures("optimised")
def test_some_aborts_of_every_kind(models):
    """Without it a change of sequencer or streamer could wait for the long run to be noticed."""
    figure, = aborts.measure(models, quick=True, reporter=Reporter(quiet=True))
    assert figure.met and figure.value > 50, figure


def test_a_stop_that_leaves_the_input_open_is_found(models):
    """The streamer as it was: only faults close the input, so what comes after a STOP is a packet for the memories."""
    defect = Defect("hw/machine.py", "streamer.aborted.eq(seq.aborted)", "streamer.aborted.eq(seq.fault)",
                    "STOP leaves the input open")
    machine = aborts.Aborts(compile_config(load("tiny")), models, defect)
    try:
        while_the_second_computes = sum(golden.cycles(machine.job).values()) - 60
        assert machine.wrong(aborts.Abort("STOP", while_the_second_computes, 1.0)) == "a memory changed"
    finally:
        machine.close()
