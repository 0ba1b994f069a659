"""Random traffic finds nothing on the machine and something on a broken one."""

import re
from pathlib import Path

import pytest

from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.counters import COUNTERS
from hebbar.contract.registers import ADDRESS_BITS, COUNTERS_WAIT, REGISTERS, Control, counter_address
from hebbar.studies.strangers import random_bus
from hebbar.studies.strangers.coincidences import coincidences, verdict
from hw.bus import Bus
from sim.defects import Defect

QUIET = Reporter(quiet=True)
STEP, BOUND = 200_000, 2_000_000
"""Cycles between looks for a defect that random traffic meets now and then, and how many it may take: a fifth of the
long run's. An output packet that an abort cuts short, and no other follows, comes about once in 150,000."""


def test_the_driver_in_cpp_has_the_addresses_of_the_register_map():
    """It is compiled without Python. With an old address it would excuse late answers that nothing excuses, or call the
    waits for the counters a hang."""
    text = Path(random_bus.__file__).with_name("checked_bus.hpp").read_text()
    found = {name: eval(value) for line in re.findall(r"^constexpr unsigned (.*);$", text, re.MULTILINE)
             for name, value in re.findall(r"(\w+) = ([\w *+<]+)", line)}
    assert found == {
        "OKAY": 0, "SLVERR": 2, "LATENCY": Bus.latency, "ADDRESSES": 1 << ADDRESS_BITS,
        "CONTROL": REGISTERS["control"].address, "WAITING": Control.START | Control.LATCH,
        "COUNTERS": counter_address(0), "COUNTERS_END": counter_address(len(COUNTERS)),
        "COUNTING": COUNTERS_WAIT}


@pytest.fixture
def on(models):
    """Makes a machine with a defect, and closes it."""
    opened = []

    def traffic(defect):
        program = compile_config(random_bus.MACHINES["tiny"]())
        opened.append(random_bus.Traffic(program, random_bus.jobs(program), models, seed=1, defect=defect))
        return opened[-1]

    yield traffic
    for one in opened:
        one.close()


def test_a_few_episodes_find_nothing(models):
    """Without it a change of the buses could wait for the long run to be noticed."""
    figures = random_bus.measure(models, quick=True, reporter=QUIET)
    assert [f.value for f in figures[:3]] == [0, 0, 0] and all(f.met for f in figures[:3])
    carried_out, refused, taken = figures[3].value["START carried "
                                                   "out"], figures[3].value["refused"], figures[3].value["beats in"]
    assert carried_out > 5 and refused > 5 and taken > 1000, "the traffic is thin"


def test_a_start_that_meets_a_packet_is_noticed(on):
    """Without it START could be carried out beside a packet, whose end the program then takes for its own."""
    machine = on(Defect("hw/machine.py", "& ~seq.aborted & self.streamer.free)", "& ~seq.aborted)",
                        "START is accepted while a packet moves"))
    assert any(verdict(machine, coincidence) for coincidence in coincidences(quick=True))


def test_a_packet_that_is_never_closed_is_noticed(on):
    """Without it the checkers and the careful host could be as careless as the other."""
    machine = on(Defect("hw/streamer.py", "with m.If(self._out_open):\n            m.next = \"close\"\n        with "
                                          "m.Elif(",
                        "with m.If(", "an aborted packet of the output does not end"))
    for cycles in range(STEP, BOUND + 1, STEP):
        report = machine.run(cycles, QUIET, "tiny")
        if report.first:
            break
    assert report.violations or report.hangs
    assert b"never ended" in report.first or b"does not come" in report.first or b"differs" in report.first
