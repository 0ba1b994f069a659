"""The cocotb test of control and macro in one netlist: a job through the buses, nothing in Python answers.

The job and the trace are files in the directory the simulator was started in.
"""

import pickle
from pathlib import Path

import cocotb

from golden.trace import Job, Recorder

from ..host import load, read_weights, run
from .files import JOB_FILE, TRACE_FILE
from .host import started

__all__ = ["whole"]


@cocotb.test(timeout_time=100, timeout_unit="sec")
async def whole(dut) -> None:
    """Reset, load, run, read the weights back over the bus, save; barriers are not recorded."""
    job: Job = pickle.loads(Path(JOB_FILE).read_bytes())
    host = await started(dut, job.stall, job.seed)
    await load(host, job.program, job.weights)
    outputs, counters = await run(host, job)
    final = await read_weights(host, job.program)
    Recorder(job.program).trace(final, outputs, counters).save(Path(TRACE_FILE))
