"""Machines with less in them: the same words, and a sentence where something cannot be known."""

import json
import shutil

import numpy as np
import pytest
from test_streamer import drive

from golden.learning.tasks import task_of
from golden.learning.weights import load_weights, save_weights
from golden.reference.state import initial_weights
from golden.trace import Job
from hebbar import Experiment
from hebbar.compiler.config import load
from hebbar.compiler.layout import Layout
from hebbar.compiler.program import assemble, compile_config
from hebbar.compiler.schedule import LoopOp, SweepOp, apart
from hebbar.contract import timing
from hebbar.contract.console import Reporter
from hebbar.contract.counters import COUNTERS, HOST, UNCOUNTED
from hebbar.contract.errors import BadInput, Mismatch
from hebbar.contract.isa import Sweep
from hebbar.contract.registers import Control, build, counter_address
from hebbar.energy import estimate, load_technology
from hebbar.energy.registers import register_bits
from hebbar.energy.run import estimate_run
from hebbar.report.tables import print_energy
from hebbar.verify.structure import check
from sim import experiment
from sim.backends import golden, pysim
from sim.checkpoint import MEMORIES, Checkpoint, TrainingState
from sim.compare import compare, counted, uncounted
from sim.experiment import replay_job
from sim.host import load as load_program
from sim.kit.board import MAIN, run_c
from sim.kit.contents import contents
from sim.kit.files import write_manifest
from sim.kit.testbench import run_testbench
from sim.package import write
from sim.rdl import rdl
from sim.training import train

UNCOUNTING = load("tiny").replace(machine={"counters": False})
INFERRING = load("tiny").replace(machine={"updates": "none"})
BOTH = Sweep.TRN | Sweep.UPD


def job_of(config, samples=2, entry="train"):
    """A job of a few samples from the seeded start."""
    program = compile_config(config)
    task = task_of(program, quick=True)
    return Job(program, entry, task.image(), task.codes(entry, samples))


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
    found = train(UNCOUNTING, tmp_path, Reporter(quiet=True), build=models, quick=True).result()
    assert found["mismatches"] == 0 and found["cycles_per_sample"] > 0
    assert any("machine.counters" in sentence for sentence in found["warnings"])
    assert "stall_in" not in found["counters"]


def test_the_interface_of_python_takes_it(tmp_path, models):
    check = Experiment(UNCOUNTING).cosimulate(samples=2, backend="pysim", folder=tmp_path)
    assert not check.mismatches and check.counters == {}


def sweeps(ops):
    """The sweeps of a schedule, those of a loop once."""
    return [s for op in ops for s in (sweeps(op.body) if isinstance(op, LoopOp) else [op] if isinstance(op, SweepOp)
                                      else [])]


@pytest.mark.parametrize("config", [
    load("tiny"), load("tiny").replace(rule={"name": "ipc", "gamma": 0.5, "alpha_shifts": [3, 4]})], ids=["il", "ipc"])
def test_a_shared_multiplier_learns_the_same_weights(config):
    """Word for word as the RTL, and in the end as a machine with three multipliers a lane."""
    jobs = [job_of(config.replace(machine={"updates": updates})) for updates in ("own", "shared")]
    together, split = ([s for s in sweeps(job.program.schedules["train"]) if s.flags & BOTH == BOTH] for job in jobs)
    assert not split and bool(together) == (config.rule.name == "ipc")
    want, got = golden.run(jobs[1]), pysim.run(jobs[1])
    assert not compare(jobs[1].program, want, got).total_mismatches
    assert (golden.run(jobs[0]).final == got.final).all()


def test_activities_that_a_sweep_replaces_cannot_be_learned_from_later():
    """Without it a split sweep would learn from activities of after it."""
    layout = compile_config(load("tiny")).layout
    op = SweepOp(layout.blocks["x1"], (0, 0), BOTH | Sweep.POST | Sweep.ACT)
    with pytest.raises(BadInput, match=r"machine\.updates is 'shared'"):
        apart([op])
    parts = apart([LoopOp((SweepOp(layout.blocks["x1"], (0, 0), BOTH | Sweep.POST | Sweep.ERR),), 2)])
    assert [s.flags for s in sweeps(parts)] == [Sweep.TRN | Sweep.POST | Sweep.ERR, Sweep.UPD | Sweep.POST]


def test_a_machine_for_inference_answers_the_same():
    want, got = (pysim.run(job_of(config, entry="predict")) for config in (load("tiny"), INFERRING))
    assert (want.outputs["x2"] == got.outputs["x2"]).all() and (want.state == got.state).all()
    assert not compare(compile_config(INFERRING), golden.run(job_of(INFERRING, entry="predict")), got).total_mismatches


def test_a_machine_for_inference_is_not_asked_to_learn(tmp_path):
    """Without it a chip without UPD would be given a program that it halts on."""
    program = compile_config(INFERRING)
    for ask in (lambda: program.entries["train"], lambda: job_of(INFERRING), lambda: Experiment(INFERRING).train(),
                lambda: estimate_run(INFERRING, 1, "cmos45", Reporter(quiet=True)),
                lambda: train(INFERRING, tmp_path, Reporter(quiet=True)), lambda: experiment.run(
                    INFERRING, tmp_path, 1, Reporter(quiet=True))):
        with pytest.raises(BadInput, match=r"no entry 'train'.*machine\.updates is 'none'"):
            ask()
    layout = program.layout
    for updates, flags in (("none", Sweep.UPD), ("shared", BOTH)):
        config = INFERRING.replace(machine={"updates": updates})
        with pytest.raises(BadInput, match=f"sweep of 'x1'.*machine.updates is '{updates}'"):
            assemble(config, {"predict": (SweepOp(layout.blocks["x1"], (0, 1), flags),)},
                     Layout(layout.network, config.machine))
    with pytest.raises(BadInput, match="leave it out or use tile 'rows'"):
        load("array").replace(machine={"updates": "none"})


@pytest.mark.parametrize("updates", ["none", "shared"])
def test_multipliers_and_memories_are_those_of_the_build(updates):
    """Without it a multiplier that nobody uses could stay in the Verilog."""
    assert all(c.passed for c in check(INFERRING.replace(machine={"updates": updates}).machine, Reporter(quiet=True)))


def test_the_kit_of_a_machine_for_inference_answers(tmp_path, models):
    """The whole kit, run by its C driver: without it the files would speak of an entry that is not there."""
    weights = tmp_path / "weights.npz"
    save_weights(weights, initial_weights(compile_config(INFERRING).layout.network, 5))
    write(INFERRING, tmp_path / "kit", Reporter(quiet=True), models, samples=3, weights=weights)
    kit = contents(INFERRING, 3, weights)
    assert [part.entry for part in kit.parts] == ["predict"] and "train" not in kit.clamps
    assert kit.learned != contents(INFERRING, 3).learned
    simulator = "icarus" if shutil.which("iverilog") else "verilator"
    assert run_testbench(tmp_path / "kit", simulator)[0] == len(kit.learned) + kit.parts[0].answers.size
    code, said = run_c(kit, tmp_path / "kit", MAIN, models)
    assert code == 0 and said.startswith("PASS"), said


def test_a_build_is_told_by_what_makes_its_words(monkeypatch):
    """Without it two machines of other formats, or another timing, would take each other's programs."""
    tiny = load("tiny").machine
    changes = {"state_frac": 11}, {"weight_bits": 15}, {"counters": False}, {"updates": "none"}, {"map_entries": 64}
    builds = [build(m) for m in (tiny, *(load("tiny").replace(machine=c).machine for c in changes))]
    assert len(set(builds)) == len(builds) and build(load("tiny").machine) == builds[0]
    monkeypatch.setattr(timing, "NEURON_LATENCY", timing.NEURON_LATENCY + 1)
    assert build(tiny) != builds[0]


def test_a_program_of_another_build_is_refused():
    """Formats stand in no register of their own: without the hash the chip would compute other numbers in silence."""
    program = compile_config(load("tiny").replace(machine={"state_frac": 11}))

    async def scenario(host):
        with pytest.raises(Mismatch, match=r"another build than that of the program: register build reads 0x"):
            await load_program(host, program, np.zeros((128, 1, 4), np.int64))

    drive(load("tiny").machine, scenario)


def test_weights_learned_in_another_format_are_refused(tmp_path):
    """Without it they would be rounded in silence."""
    path = Experiment("tiny").save_weights(tmp_path / "weights.npz")
    Experiment("tiny", machine={"lanes": 8}).load_weights(path)
    other = Experiment("tiny", machine={"weight_frac": 12})
    with pytest.raises(BadInput, match=r"another build, with machine\.weight_frac 13, and this machine has 12"):
        other.load_weights(path)
    other.set_weights(load_weights(path))


def test_a_checkpoint_of_another_build_is_refused(tmp_path, monkeypatch):
    """Without it a training would go on on a machine that counts other cycles."""
    program = compile_config(load("tiny"))
    rows = {mem: np.zeros(64, np.int64) for mem in MEMORIES}
    Checkpoint(TrainingState(), np.zeros((128, 1, 4), np.int64), rows).save(tmp_path, program)
    assert Checkpoint.load(tmp_path, program).state == TrainingState()
    monkeypatch.setattr(timing, "ERROR_LATENCY", timing.ERROR_LATENCY + 1)
    with pytest.raises(BadInput, match=r"another build of the machine, 0x"):
        Checkpoint.load(tmp_path, program)
