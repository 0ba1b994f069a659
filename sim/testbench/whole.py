"""The cocotb test of control and macro in one netlist: a job through the buses, nothing in Python answers.

The job and the trace are files in the directory the simulator was started in.
"""

import pickle
from pathlib import Path

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import Timer

from ..host import load, read_weights, run
from ..trace import Job, Recorder
from .files import JOB_FILE, TRACE_FILE
from .host import PERIOD_NS, CocotbHost

__all__ = ["whole"]


@cocotb.test(timeout_time=100, timeout_unit="sec")
async def whole(dut) -> None:
    """Reset, load, run, read the weights back over the bus, save; fences are not recorded."""
    job: Job = pickle.loads(Path(JOB_FILE).read_bytes())
    cocotb.start_soon(Clock(dut.clk, PERIOD_NS, "ns").start())
    dut.rst.value = 1
    host = CocotbHost(dut, job.stall, job.seed)
    await Timer(5 * PERIOD_NS, "ns")
    dut.rst.value = 0
    await Timer(5 * PERIOD_NS, "ns")
    await load(host, job.program, job.weights)
    outputs, counters = await run(host, job)
    final = await read_weights(host, job.program)
    Recorder(job.program).trace(final, outputs, counters).save(Path(TRACE_FILE))
