"""The cocotb test that measures pace: load a job, run it with bulk waits and nothing recorded."""

import json
import pickle
import time
from pathlib import Path

import cocotb
from cocotb.utils import get_sim_time

from golden.trace import Job

from ..host import load, run
from .files import JOB_FILE, PACE_FILE
from .host import PERIOD_NS, started

__all__ = ["throughput"]


@cocotb.test(timeout_time=1000, timeout_unit="sec")
async def throughput(dut) -> None:
    """Reset, load, run; leave clock cycles and seconds of the run in a file."""
    job: Job = pickle.loads(Path(JOB_FILE).read_bytes())
    host = await started(dut)
    await load(host, job.program, job.weights)
    began, start = time.perf_counter(), get_sim_time("ns")
    await run(host, job)
    cycles = (get_sim_time("ns") - start) / PERIOD_NS
    Path(PACE_FILE).write_text(json.dumps({"cycles": cycles, "seconds": time.perf_counter() - began}))
