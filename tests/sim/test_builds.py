"""Machines with less in them: the same words, and a sentence where something cannot be known."""

import json

import pytest
from test_streamer import drive

from golden.learning.tasks import task_of
from hebbar import Experiment
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.counters import COUNTERS, HOST, UNCOUNTED
from hebbar.contract.errors import Mismatch
from hebbar.contract.registers import Control, counter_address
from hebbar.energy import estimate, load_technology
from hebbar.energy.registers import register_bits
from hebbar.report.tables import print_energy
from sim.backends import golden, pysim
from sim.compare import compare, counted, uncounted
from sim.experiment import replay_job
from sim.kit.contents import contents
from sim.kit.files import write_manifest
from sim.rdl import rdl

UNCOUNTING = load("tiny").replace(machine={"counters": False})


@pytest.fixture(scope="module")
def traces():
    """Golden machine and RTL of the same samples, without counters."""
    program = compile_config(UNCOUNTING)
    task = task_of(program, quick=True)
    job = replay_job(program, task, task.image(), 2)
    return program, golden.run(job), pysim.run(job)


def test_a_machine_without_counters_makes_the_same_words(traces):
    """Without it the units that were counted could hang on what counts them."""
    program, want, got = traces
    found = compare(program, want, got)
    assert not found.total_mismatches and found.words["weights"] > 0 and "counters" not in found.words
    whole = compile_config(load("tiny"))
    task = task_of(whole, quick=True)
    other = golden.run(replay_job(whole, task, task.image(), 2))
    assert (other.final == got.final).all() and (other.error == got.error).all()


def test_what_it_did_is_known_from_the_models_alone(traces):
    """Without it a zero, or a figure of nowhere, would stand where nobody counted."""
    program, want, got = traces
    assert got.counters == {}
    found = counted(program, want, got)
    assert found["issue"] > 0 and not set(found) & set(HOST)
    assert uncounted(program) and not uncounted(compile_config(load("tiny")))


def test_addresses_of_counters_and_latch_are_refused():
    """Without it a driver would read counters of zero from a chip that has none."""

    async def scenario(host):
        for address in (counter_address(0), counter_address(len(COUNTERS) - 1) + 4):
            assert await host.read(address) == (0, 2)
        with pytest.raises(Mismatch, match="LATCH"):
            await host.set("control", Control.LATCH)
        assert await host.write(0x040, int(Control.STOP | Control.LATCH)) == 2
        assert not await host.get("status")

    drive(UNCOUNTING.machine, scenario)


def test_the_energy_says_where_its_counts_come_from(traces, capsys):
    program, want, _ = traces
    made = estimate(program, want.counters, 2, load_technology("cmos45"))
    print_energy(made)
    assert made.basis == UNCOUNTED and "machine.counters" in capsys.readouterr().out
    assert not any(row.component == "totals of counters" for row in made.rows)
    assert "counters" not in register_bits(program.machine)


def test_the_files_of_the_export_do_not_promise_counters(tmp_path):
    """Without it generated drivers would address registers that answer with an error."""
    kit = contents(UNCOUNTING, 0)
    manifest = json.loads(write_manifest(kit, tmp_path / "kit.json").read_text())
    assert not [name for name in manifest["registers"] if name.startswith("issue")]
    assert "issue_0_lo" not in rdl(UNCOUNTING.machine) and "issue_0_lo" in rdl(load("tiny").machine)
    assert manifest["identity"]["geometry"] >> 24 & 1 == 0


def test_a_training_says_it(tmp_path, models):
    """Without it the cycles of result.json would pass for counted ones."""
    from sim.training import train

    found = train(UNCOUNTING, tmp_path, Reporter(quiet=True), build=models, quick=True).result()
    assert found["mismatches"] == 0 and found["cycles_per_sample"] > 0
    assert any("machine.counters" in sentence for sentence in found["warnings"])
    assert "stall_in" not in found["counters"]


def test_the_interface_of_python_takes_it(tmp_path, models):
    check = Experiment(UNCOUNTING).cosimulate(samples=2, backend="pysim", folder=tmp_path)
    assert not check.mismatches and check.counters == {}
