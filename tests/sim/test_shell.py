"""The fast shell: the same Verilated RTL as cocotb's, driven by C++ in bulk."""

import ctypes
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import layered, random_samples, random_weights

from golden.image import to_image
from golden.learning.training import data_of
from golden.session import initial_image
from golden.trace import Job, Recorder
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.counters import HOST
from hebbar.contract.errors import TimedOut
from hebbar.contract.isa import Op, Sweep, encode
from hebbar.contract.memories import Mem
from hebbar.contract.registers import IDENTITY, REGISTERS, Cause, Control
from sim.backends import fast, golden, pysim, verilator
from sim.compare import compare, nonzero_updates
from sim.experiment import predict_job, replay_job
from sim.packets import beats, packets, write_packet
from sim.shell import buffers, host as shell_host, library
from sim.shell.host import finish

ROOT = Path(__file__).parents[2]
SAMPLES = 20
WAIT, HALT = encode(Op.WAIT), encode(Op.HALT)


def job_of(name: str, rule: str, samples: int = SAMPLES):
    program = compile_config(load(name).replace(rule={"name": rule}))
    return replay_job(program, data_of(program), initial_image(program), samples)


def members(file, struct):
    """Names of the members of a C struct and whether each is a pointer, in their order."""
    body = re.search(rf"struct {struct} {{(.*?)}};", (ROOT / file).read_text(), re.DOTALL)[1]
    return [(re.findall(r"\w+", name)[-1], "*" in name)
            for line in re.sub(r"//.*", "", body).split(";")[:-1] for name in line.split(",")]


def test_a_run_is_laid_out_alike_in_all_three_languages():
    """Without it the shell would write beside what its caller keeps."""
    run = members("sim/shell/shell.cpp", "Run")
    assert run == members("sim/kit/board.c", "run") and len(run) == len(library.Run._fields_)
    assert [pointer for _, pointer in run] == [kind is ctypes.c_void_p for _, kind in library.Run._fields_]


@pytest.fixture
def session(models):
    job = job_of("tiny", "il")
    session = fast.Session(job.program, fast.prepare(job.program, models))
    yield session
    session.close()


def array_job():
    """A network on an array macro of 96 cells, every one a register of its own in the Verilog."""
    program = compile_config(layered([6, 5, 3], tile="array", row_tiles=2, max_columns=2, weight_words=12))
    image = to_image(program.layout, random_weights(program, 1, 0.5))
    return Job(program, "train", image, random_samples(program, "train", SAMPLES, 2))


@pytest.mark.parametrize("rule", ["il", "ipc", "zil", "backprop", "array"])
def test_training_agrees_word_for_word(models, rule):
    """Without it a long training could be compared with a shell that reads the wrong memory."""
    job = array_job() if rule == "array" else job_of("tiny", rule)
    trace = fast.run(job, fast.prepare(job.program, models))
    result = compare(job.program, golden.run(job, "numpy"), trace)
    assert result.first is None, result.first
    assert result.words["weights"] and nonzero_updates(trace, job.weights) > 100


def test_the_shell_records_what_cocotb_records(models):
    """Without it the two test benches could look at the machine at different moments."""
    job = job_of("tiny", "il", 5)
    one = fast.run(job, fast.prepare(job.program, models))
    other = verilator.run(job, verilator.prepare(job.program, models))
    for name in ("pc", "state", "error", "activity", "weight_barrier", "weights", "final"):
        assert np.array_equal(getattr(one, name), getattr(other, name)), name
    assert {n: v for n, v in one.counters.items() if n not in HOST} == \
        {n: v for n, v in other.counters.items() if n not in HOST}


def waits(program, *first):
    """A program that waits in a row before its first IN, where the host may be busy with START, and after a sweep."""
    learn = encode(Op.SWEEP, flags=int(Sweep.FWD | Sweep.ERR | Sweep.UPD))
    x0, x2 = (program.layout.places[name] for name in ("x0", "x2"))
    move = {"address": x0.word, "count": x0.population.size, "memory": Mem.ACTIVITY}, \
        {"address": x2.word, "count": x2.population.size, "memory": Mem.STATE, "last": 1}
    body = (*(encode(Op.IN, **m) for m in move), learn, WAIT, WAIT, encode(Op.NEXT))
    words = (*first, encode(Op.LOOP, register=1, end=len(first) + 1 + len(body)), *body, WAIT, WAIT, HALT)
    return replace(program, words=words, entries={"train": 0}, outputs={"train": ()})


@pytest.mark.parametrize("first, barriers", [
    ((), 0), ((WAIT,), 1), ((encode(Op.LOOP, count=9, end=4), WAIT, WAIT, encode(Op.NEXT)), 18)])
@pytest.mark.parametrize("backend", ["fast", "pysim"])
def test_barriers_that_follow_each_other_are_all_recorded(models, backend, first, barriers):
    """Two WAITs retire in consecutive cycles, and those that begin a program while the host still waits for the
    answer to START: without it a barrier is missing, or has the address of the next one."""
    job = job_of("tiny", "il", 2)
    job = replace(job, program=waits(job.program, *first))
    trace = pysim.run(job) if backend == "pysim" else fast.run(job, fast.prepare(job.program, models))
    want = golden.run(job, "numpy")
    result = compare(job.program, want, trace)
    assert result.first is None and result.total_mismatches == 0, result.first
    assert len(want.pc) == barriers + 2 * 2 + 3 and len(want.weight_barrier) == 2
    assert nonzero_updates(trace, job.weights) > 50


@pytest.mark.parametrize("waits", range(6))
def test_a_machine_that_halts_while_a_register_is_accessed_is_recorded(session, waits):
    """Without it a short program would have some of its barriers or none, by how long the host takes to look."""
    host, words = session.host, (*[WAIT] * waits, HALT)
    session.load(np.zeros((128, 1, 4), np.int64))
    host.send(write_packet(Mem.PROGRAM, 0, list(words)))
    finish(host.sent())
    for _ in range(2):
        host.recorder = Recorder(session.program)
        finish(host.set("control", Control.START))
        finish(host.halted())
        assert host.recorder.trace(host.dump(Mem.WEIGHT), {}, {}).pc.tolist() == list(range(waits + 1))


def test_answers_leave_over_the_stream(models):
    """Without it predictions could be cut where one packet ends and the next begins."""
    program = compile_config(load("tiny"))
    job = predict_job(program, data_of(program), initial_image(program))
    trace = fast.run(job, fast.prepare(program, models))
    assert compare(program, golden.run(job), trace).first is None
    assert trace.outputs["x2"].shape == (360, 10)


def test_small_buffers_and_short_slices_change_nothing(models, monkeypatch):
    """Without it a run longer than a buffer or a slice could lose a barrier or a beat."""
    job = job_of("tiny", "il")
    library = fast.prepare(job.program, models)
    whole = fast.run(job, library)
    monkeypatch.setattr(buffers, "BUFFER_BYTES", 1)
    monkeypatch.setattr(shell_host, "SLICE", 97)
    monkeypatch.setattr(buffers, "OUTPUT_BEATS", 3)
    pieces = fast.run(job, library)
    for name in ("pc", "state", "error", "activity", "weight_barrier", "weights", "final"):
        assert np.array_equal(getattr(whole, name), getattr(pieces, name)), name
    assert {n: v for n, v in whole.counters.items() if n not in HOST} == \
        {n: v for n, v in pieces.counters.items() if n not in HOST}


def test_two_jobs_on_one_session_are_one_training(session):
    """Without it a training in pieces could start every piece from the first weights."""
    job, program = job_of("tiny", "il"), session.program
    session.load(job.weights)
    halves = [replace(job, samples={n: s[part] for n, s in job.samples.items()})
              for part in (slice(0, 10), slice(10, SAMPLES))]
    traces = [session.run(half) for half in halves]
    assert np.array_equal(traces[1].final, golden.run(job, "numpy").final)
    assert sum(t.counters["mac_upd"] for t in traces) == golden.run(job).counters["mac_upd"]
    assert np.array_equal(session.read_weights(), traces[1].final) and program


def test_memories_restored_are_memories_read(session):
    """Without it a resumed training would start from other states than the killed one had."""
    rng, neurons = np.random.default_rng(0), 64
    rows = {mem: rng.integers(-100, 100, neurons) for mem in (Mem.STATE, Mem.ERROR, Mem.ACTIVITY)}
    weights = rng.integers(-30000, 30000, (128, 1, 4))
    session.load(weights, rows)
    for mem, values in rows.items():
        assert np.array_equal(session.memory(mem), values), mem
    assert np.array_equal(session.memory(Mem.WEIGHT), weights.ravel())


def test_registers_answer_and_refuse(session):
    """Without it a driver written against the shell would not see the errors a board shows."""
    host = session.host
    assert finish(host.read(REGISTERS["identity"].address)) == (IDENTITY, 0)
    assert finish(host.read(0xFFC)) == (0, 2) and finish(host.write(REGISTERS["identity"].address, 1)) == 2
    assert finish(host.write(REGISTERS["loop0"].address, 77)) == 0
    assert finish(host.read(REGISTERS["loop0"].address)) == (77, 0)


def test_a_machine_that_stops_with_a_fault_does_not_hang_the_shell(session):
    """Without it a wrong program would simulate for ever."""
    host = session.host
    host.send(write_packet(Mem.PROGRAM, 0, [0xF0000000]))
    finish(host.sent())
    finish(host.set("control", Control.START))
    finish(host.halted())
    assert finish(host.get("cause")) == Cause.ILLEGAL_OP


def test_a_machine_recovers_from_a_packet_of_any_length(session):
    """What the shell had not sent of it when the program failed is sent, and discarded, before the machine goes on."""
    job = job_of("tiny", "il", 1)
    one = replace(job.program, entries={"train": 0}, words=(
        encode(Op.IN, address=0, count=8, memory=Mem.ACTIVITY, last=1), HALT))
    for long in (1000, 300_000):
        other = fast.Session(one, session.library)
        host = other.host
        other.load(job.weights)
        for register, value in (("entry", 0), ("control", Control.START)):
            finish(host.set(register, int(value)))
        host.send(np.zeros(long, np.uint32))
        finish(host.halted())
        assert finish(host.recover()) is Cause.STREAM and not len(host._begun)
        other.close()


def test_an_endless_program_is_given_up(session, monkeypatch):
    """Without it a loop that never ends would hold the shell, and the user, for ever."""
    monkeypatch.setattr(shell_host, "PATIENCE", 10_000)
    monkeypatch.setattr(shell_host, "SLICE", 1_000)
    host = session.host
    loop = encode(Op.LOOP, end=4, count=4095)
    host.send(write_packet(Mem.PROGRAM, 0, [loop, loop, loop, encode(Op.NEXT), encode(Op.NEXT), encode(Op.NEXT)]))
    finish(host.sent())
    finish(host.set("control", Control.START))
    with pytest.raises(TimedOut, match="neither took nor gave a beat"):
        finish(host.halted())


def test_two_machines_may_be_open_and_closed_in_any_order(models, session):
    """Without it a comparison that runs a piece again on a new machine would end the process; each keeps its own."""
    job = replace(job_of("tiny", "il", 2), steps=False)
    library = fast.prepare(job.program, models)
    others = [fast.Session(job.program, library) for _ in range(2)]
    for other in (others[0], session, others[1]):
        other.load(job.weights)
    first = others[1].run(job)
    others[0].close()
    assert np.array_equal(session.run(job).final, first.final)
    others[1].close()
    assert not np.array_equal(session.run(job).final, first.final), "it learns on"


def test_packets_are_the_beats_of_every_sample():
    """Without it the quick packing could differ from the one the bus was tested with."""
    job = job_of("tiny", "il", 3)
    whole = packets(job.program, "train", job.samples)
    from hebbar.contract.geometry import ports

    for i, packet in enumerate(whole):
        parts = [b for t in job.program.inputs["train"]
                 for b in beats(job.samples[t.population.name][i], ports(job.program.machine)[t.memory])]
        assert packet.tolist() == parts


def test_stalls_change_nothing_but_how_long_it_takes(models):
    """Without it a user could believe to have tested back-pressure; other seeds hold back in other cycles."""
    job = job_of("tiny", "il", 5)
    library = fast.prepare(job.program, models)
    free, held, other = (fast.run(replace(job, stall=stall, seed=seed), library)
                         for stall, seed in ((0, 0), (0.7, 1), (0.7, 2)))
    for trace in (held, other):
        result = compare(job.program, free, trace)
        assert result.first is None and result.words["state"]
    assert free.counters["stall_in"] + 50 < held.counters["stall_in"] != other.counters["stall_in"]


def test_what_leaves_is_held_back_too(models):
    """Without it answers would leave a machine that was never refused."""
    program = compile_config(load("tiny"))
    job = replace(predict_job(program, data_of(program), initial_image(program)), stall=0.7)
    job = replace(job, samples={name: codes[:5] for name, codes in job.samples.items()})
    held = fast.run(job, fast.prepare(program, models))
    assert held.counters["stall_out"] > 20 and compare(program, golden.run(job), held).first is None
