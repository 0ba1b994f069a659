"""The cocotb test: load a job through the buses, run it, record every barrier, write the trace.

The job and the trace are files in the directory the simulator was started in.
"""

import pickle
from pathlib import Path

import cocotb
from cocotb.triggers import Timer

from golden.trace import Job, Recorder

from ..host import load, read_weights, run
from ..macro import macro_of
from .files import JOB_FILE, PROGRESS_FILE, TRACE_FILE
from .host import PERIOD_NS, CocotbHost, started
from .macro import answer
from .monitor import watch

__all__ = ["replay"]

REPORT_CYCLES = 20_000


@cocotb.test(timeout_time=100, timeout_unit="sec")
async def replay(dut) -> None:
    """Reset, load, run, read the weights back over the bus, save."""
    job: Job = pickle.loads(Path(JOB_FILE).read_bytes())
    macro = macro_of(job.program.machine)
    if macro:
        cocotb.start_soon(answer(dut, macro))
    host = await started(dut, job.stall, job.seed)
    await load(host, job.program, job.weights)
    host.data_sent, recorder = 0, Recorder(job.program)
    if job.steps:
        cocotb.start_soon(watch(dut, job, recorder, macro))
    cocotb.start_soon(report(host))
    outputs, counters = await run(host, job)
    final = await read_weights(host, job.program)
    recorder.trace(final, outputs, counters).save(Path(TRACE_FILE))


async def report(host: CocotbHost) -> None:
    """Leave the number of samples sent so far where the parent process reads it."""
    while True:
        await Timer(REPORT_CYCLES * PERIOD_NS, "ns")
        Path(PROGRESS_FILE).write_text(str(host.data_sent))
