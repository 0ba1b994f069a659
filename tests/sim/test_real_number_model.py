"""The macro in SystemVerilog: the golden macro at the same pins, the whole machine without Python, the stub."""

import pickle
import subprocess
import sys
from dataclasses import replace
from math import sqrt

import numpy as np
import pytest
from helpers import layered, machine, random_samples, random_weights
from macro_bench import Recording, replay

from golden.image import to_image
from golden.trace import Job, Trace
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.counters import HOST
from hebbar.contract.errors import BadInput, MissingTool
from hebbar.contract.pins import MacroOp, cell_lanes
from sim import verilator
from sim.analog.real_number import SYSTEM, ideal, model, write
from sim.backends import golden
from sim.package import write as write_package
from sim.testbench.files import JOB_FILE, TRACE_FILE
from sim.toolchain import require
from sim.yosys import run

SIZE = {"tile": "analog", "lanes": 4, "row_tiles": 2, "weight_words": 12, "max_columns": 3}
"""8 word lines, 12 bit lines."""

PHYSICS = {
    "programming": {"noise": [0.2, 0.05, -0.001]},
    "read": {"additive": 0.02, "proportional": 0.01, "flicker": 0.0088, "age": 1e4, "drift": 0.05,
             "drift_spread": 0.01},
    "update": {"device_spread": 0.3, "pulse_spread": 0.3, "asymmetry": 0.05, "soft_bounds": 0.8},
    "faults": {"stuck_on": 0.03, "stuck_off": 0.05},
    "converters": {"offset": 0.5, "gain": 0.02, "inl": 0.7, "noise": 0.4, "settling": 0.8}, "seed": 7}

OTHERS = {
    "device": {"coding": "balanced", "g_min": 1.0, "levels": 32, "weight_range": 2.0},
    "programming": {"noise": [0.26348, 1.965, -1.1731, 0.01], "relative": True},
    "read": {"additive": 0.1, "age": 60.0, "drift_log": True},
    "update": {"pulse_spread": 0.2, "soft_bounds": 1.0}, "converters": {"noise": 0.3}, "seed": 9}

WIRES = {"word_resistance": 30.0, "bit_resistance": 11.0, "driver": 700.0, "sense": 90.0}

MACHINES = {
    "ideal, one-sided": ({"control": {"align": 2}}, {}),
    "ideal, balanced": ({"control": {"align": 2, "pulses": 31}, "device": {"coding": "balanced"}}, {}),
    "all physics, one-sided": (PHYSICS | {"control": {
        "row_bits": 9, "row_step": 14, "column_bits": 10, "column_step": 20, "bit_cycles": 2}}, {}),
    "other physics, balanced": (OTHERS | {"control": {"row_bits": 30, "pulses": 7}}, {}),
    "devices that only grow, one cell a beat": (
        {"update": {"unidirectional": True, "asymmetry": -0.2}, "device": {"weight_range": 1.0, "g_min": 0.3}},
        {"weight_bits": 18, "weight_frac": 15, "row_tiles": 4}),
    "wires solved exactly, drivers unlike sense nodes": (
        {"wires": WIRES | {"model": "exact"}, "read": {"age": 1e4, "drift": 0.05}, "device": {"g_min": 1.0}}, {}),
    "perfect lines between large sense nodes": (
        {"wires": {"model": "exact", "sense": 4000.0}, "device": {"coding": "balanced"}}, {"row_tiles": 4}),
    "wires to first order, drivers unlike sense nodes": (
        {"wires": WIRES | {"model": "approximate", "driver": 20.0}, "device": {"g_min": 1.0}}, {}),
    "equal ends, one matrix": ({"wires": WIRES | {"model": "exact", "sense": 700.0}}, {})}

WRONG = {"a rounding": ("apply", r"\(\(64'sd1 <<< rate\) >>> 1\)", "64'sd0"),
         "drivers at the same lines for FWD": (
             "behind_wires", r"eliminate\(forward \? SENSE : DRIVER, forward \? DRIVER : SENSE",
             "eliminate(DRIVER, SENSE")}
NOISY = "noise"
NOISE = {"read": {"additive": 0.05, "proportional": 0.02}, "device": {"g_min": 0.5}}
READS = 300


def recorded(analog, size, planted=None):
    """Cells written, all of them, and in part again; then verbs and reads of cells, with random numbers."""
    r, rng = Recording(machine(**SIZE | size, analog=analog), planted), np.random.default_rng(1)
    m, lanes = r.machine, cell_lanes(r.machine)
    top = m.formats.weight.hi
    beats = m.array_rows * m.array_columns // lanes
    for beat in [*range(beats), *rng.permutation(beats)[:9].tolist()]:
        mask = (1 << lanes) - 1 if len(r.cycles) < beats else int(rng.integers(0, 1 << lanes))
        r.write(beat, rng.integers(-top // 2, top // 2, lanes), mask)
    for _ in range(3):
        r.forward(rng.integers(-128, 128, m.array_columns) << rng.integers(0, m.analog.control.align + 1))
        r.convert_rows()
        r.transposed(rng.integers(-2**15, 2**15, m.array_rows))
        r.step(rng.integers(-2**15, 2**15, m.array_rows), rng.integers(-128, 128, m.array_columns),
               rng.integers(0, 20, m.array_stride), rng.integers(0, 2, m.array_stride))
        r.pulses(rng)
        for beat in rng.permutation(beats)[:4].tolist():
            r.read(beat)
    return r


def repeated():
    """The same read of lines many times, each held value written down."""
    r, rng = Recording(machine(**SIZE, analog=NOISE)), np.random.default_rng(2)
    codes, activity = rng.integers(-2**14, 2**14, 96), rng.integers(-128, 128, 12)
    for beat in range(48):  # beat: two lanes of one row
        (_, at), (group, column) = divmod(beat, 4), divmod(beat // 4, 3)
        first = (group * 2 + at // 2) * 12 + column * 4 + at % 2 * 2
        r.write(beat, codes[first:first + 2], 3)
    for _ in range(READS):
        r.forward(activity)
        r.cycle(MacroOp.IDLE)
    return r, codes.reshape(8, 12), activity


@pytest.fixture(scope="module")
def toolchain():
    try:
        require("verilator", "g++", "make", "perl")
    except MissingTool as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def runs(toolchain, tmp_path_factory):
    """Recordings and what the models made of them, all in one build."""
    recordings = {name: recorded(*case) for name, case in MACHINES.items()}
    for name, of in zip(WRONG, ("ideal, one-sided", "wires solved exactly, drivers unlike sense nodes")):
        recordings[name] = recorded(*MACHINES[of], planted=WRONG[name])
    recordings[NOISY] = repeated()[0]
    results = replay(recordings, tmp_path_factory.mktemp("models"))
    return {name: (recording, results[name]) for name, recording in recordings.items()}


@pytest.mark.parametrize("name", MACHINES)
def test_every_comparison_and_every_conductance_is_that_of_the_golden_macro(runs, name):
    """Without it a simulation without Python would be one of another macro, with other noise."""
    want, got = runs[name]
    assert {pin["phase"] for pin in want.cycles} == set(MacroOp) - {MacroOp.IDLE}
    wrong = [i for i, (a, b) in enumerate(zip(got.answers, want.answers, strict=True)) if a != b]
    assert not wrong, f"first in cycle {wrong[0]}, {MacroOp(want.cycles[wrong[0]]['phase']).name}"
    assert len(set(want.answers)) >= 4
    np.testing.assert_array_equal(got.pairs, want.pairs())
    assert len(np.unique(got.pairs)) > 30


@pytest.mark.parametrize("name", WRONG)
def test_a_model_that_is_wrong_is_found(runs, name):
    """Without it the comparison could pass whatever the model does."""
    want, got = runs[name]
    assert got.answers != want.answers
    assert (got.pairs != want.pairs()).sum() > 5 or name != "a rounding"


def test_the_noise_of_a_read_has_the_closed_form(runs):
    """Without it model and golden macro could share a wrong law: the variance of a sum of independent cells."""
    _, codes, activity = repeated()
    held, device = runs[NOISY][1].held, runs[NOISY][0].machine.analog.device
    assert held.shape == (READS, 8)
    unit = (device.g_max - device.g_min) / (device.weight_range * 2**13)  # microsiemens of a code
    plus, minus = (np.maximum(s * codes, 0) + device.g_min / unit for s in (1, -1))
    variance = 2 * (0.05 / unit) ** 2 + 0.02**2 * (plus**2 + minus**2)
    z = (held - codes @ activity) / np.sqrt(variance @ activity**2)
    count = z.size
    assert abs(z.mean()) < 4 / sqrt(count)
    assert abs((z**2).mean() - 1) < 4 * sqrt(2 / count)
    assert abs(np.corrcoef(z.T)[~np.eye(8, dtype=bool)]).max() < 5 / sqrt(READS)


def test_control_and_macro_in_one_netlist_learn_as_the_golden_machine(toolchain, models, tmp_path):
    """Without it the control would be known to work with a macro in Python only: every switch of the physics is on,
    nothing but Verilog answers."""
    def program_of(seed):
        control = {"align": 2, "update": "stochastic", "pulses": 8, "verify": 2}
        return compile_config(layered([6, 5, 3], {"steps": 2}, {"bias": True}, tile="analog", weight_words=24,
                                      max_columns=3, analog=PHYSICS | {"control": control, "seed": seed}))

    program = program_of(7)
    image = to_image(program.layout, random_weights(program, 1, 0.5))
    job = Job(program, "train", image, random_samples(program, "train", 2, 2), steps=False)
    built = models / "whole"
    text = "\n".join(path.read_text() for path in write(program.machine, built, models))
    (built / "whole.sv").write_text(text)
    verilator.build(built / "whole.sv", SYSTEM, built / "model", announce=False)
    (tmp_path / JOB_FILE).write_bytes(pickle.dumps(job))
    verilator.run_cocotb(built / "model", SYSTEM, "sim.testbench.whole", test_dir=tmp_path, announce=False)
    got, want = Trace.load(tmp_path / TRACE_FILE)[0], golden.run(job)
    np.testing.assert_array_equal(got.final, want.final)
    other = golden.run(replace(job, program=program_of(8)))
    assert (other.final != want.final).mean() > 0.5, "the noise decides what is learnt"
    assert {n: v for n, v in got.counters.items() if n not in HOST} == \
        {n: v for n, v in want.counters.items() if n not in HOST}


def test_the_export_of_an_analog_machine_is_complete(toolchain, models, tmp_path):
    """Without it synthesis would stop at a module that is not there, or FuseSoC at a file."""
    config = layered([6, 5, 3], tile="analog", weight_words=24, max_columns=3, analog={"control": {"align": 2}})
    files = {path.name for path in write_package(config, tmp_path, Reporter(quiet=True), models)}
    assert {"hebbar.v", "macro_stub.v", "system.v", "hebbar.core"} <= files
    core = (tmp_path / "hebbar.core").read_text()
    assert all(f"- {name}\n" in core for name in ("hebbar.v", "macro_stub.v", "system.v"))
    assert SYSTEM in (tmp_path / "lint.txt").read_text()
    script = (f"read_verilog hebbar.v macro_stub.v system.v\nhierarchy -check -top {SYSTEM}\nproc\ncheck -assert\n"
              "select -assert-count 2 hebbar_system/t:hebbar hebbar_system/t:hebbar_macro\n")
    run(script, tmp_path, Reporter(quiet=True))


@pytest.mark.parametrize("changes, sentence", [
    ({"tile": "array"}, "machine.tile is 'array'; only a machine with tile 'analog' has a macro")])
def test_what_is_not_modelled_is_refused(changes, sentence):
    """Without it a simulation could leave out what was asked for, and nobody would know."""
    with pytest.raises(BadInput, match=sentence):
        model(machine(**SIZE | changes))


def test_the_ideal_model_is_that_of_a_machine_without_switches():
    """Without it --ideal could leave a switch on."""
    noisy = machine(**SIZE, analog=OTHERS | {"wires": {"model": "exact", "bit_resistance": 1.0}})
    device = {"coding": "balanced", "g_min": 1.0, "weight_range": 2.0}
    assert model(ideal(noisy)) == model(machine(**SIZE, analog={"device": device, "seed": 9}))


def test_the_command_writes_a_simulation_with_or_without_the_physics(tmp_path):
    """Without it the model could be had from Python only."""
    (tmp_path / "small.toml").write_text("""
        [network]
        layers = [6, 5, 3]
        [rule]
        alpha_shifts = [2, 2]
        init_scales = [0.5, 0.5]
        [machine]
        tile = "analog"
        lanes = 4
        weight_words = 24
        max_columns = 3
        [machine.analog]
        control = { align = 2 }
        wires = { model = "exact", word_resistance = 1.0 }
        """)

    def command(*options):
        program = [sys.executable, "-c", "from hebbar.cli import main; main()", "macro", "small.toml", "--quiet"]
        return subprocess.run([*program, *options], cwd=tmp_path, text=True, capture_output=True)

    for options, wires in ((["--out", "whole"], 2), (["--ideal", "--out", "perfect"], 0)):
        written = command(*options)
        assert written.returncode == 0, written.stderr
        assert {path.name for path in (tmp_path / options[-1]).iterdir()} >= {"macro.sv", "system.v", "hebbar.v"}
        assert f"parameter int WIRES = {wires}," in (tmp_path / options[-1] / "macro.sv").read_text()
