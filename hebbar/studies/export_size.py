"""Processor time and size of the exported Verilog by lanes, beside what they were at commit e9c8550.

Each export runs in a process of its own, so that its processor time holds Amaranth, Yosys and nothing else. The
recorded times of the earlier commit were measured on two shared cores of a Xeon, one export at a time; given a
checkout of it, the same run measures them again.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.contract.errors import HebbarError
from hebbar.contract.machine import MachineConfig
from hebbar.contract.processes import start
from hebbar.contract.results import Figure
from sim.design import ROOT

__all__ = ["BEFORE", "Export", "LANES", "machine_of", "measure"]

LANES = {4: "tiny", 16: "digits", 128: "mnist", 512: "mnist", 1024: "mnist"}
"""The preset whose memories a machine of so many lanes has."""
GEOMETRY = {512: (8, 64), 1024: (16, 64)}
"""Row tiles and lanes of each, where no preset says so."""


@dataclass(frozen=True)
class Export:
    """Processor seconds of an export and the bytes of its Verilog."""

    cpu: float
    size: int


BEFORE = {4: Export(1.48, 478_843), 16: Export(2.37, 798_324), 128: Export(57.71, 10_976_853), 512: None, 1024: None}
"""What an export took at commit e9c8550; None: a RecursionError."""
WAIT_SECONDS = 1.6
TARGETS = {4: ("<= 250 kB", 250_000), 128: ("<= 1.6 MB", 1_600_000), 512: ("is exported", 1 << 40),
           1024: ("<= 10 MB", 10_000_000)}
CHILD = """\
import json, resource, sys
sys.path.insert(0, sys.argv[1])
try:
    from hebbar.contract.machine import MachineConfig
except ModuleNotFoundError:  # the checkout to compare with has another layout
    from hebbar.machine import MachineConfig
from hw.verilog import export
given = json.loads(sys.argv[2])
known = MachineConfig.model_fields
if "feedback_sum_bits" not in known:  # and other names
    given["back_sum_bits"] = given.pop("feedback_sum_bits")
machine = MachineConfig.model_validate({key: value for key, value in given.items() if key in known})
def used():
    kinds = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(k.ru_utime + k.ru_stime for k in kinds)
start = used()
size = len(export(machine))
print(json.dumps([used() - start, size]))
"""


def machine_of(lanes: int) -> MachineConfig:
    """The preset's machine with so many lanes and memories of as many weights and neurons."""
    machine = load(LANES[lanes]).machine
    if lanes not in GEOMETRY:
        return machine
    tiles, width = GEOMETRY[lanes]
    ratio = lanes // (machine.lanes * machine.row_tiles)
    changes = {"row_tiles": tiles, "lanes": width, "weight_words": machine.weight_words // ratio,
               "neuron_words": -(-machine.neuron_words * machine.lanes // width)}
    return machine.model_copy(update=changes)


def measure(reporter: Reporter, lanes: tuple[int, ...] = tuple(LANES), before: Path | None = None) -> list[Figure]:
    """Time and size of each number of lanes; ``before`` is a checkout of e9c8550 to measure beside it."""
    figures = []
    for count in lanes:
        machine = machine_of(count)
        now = _export(machine, ROOT, reporter)
        old = _export(machine, before, reporter) if before and BEFORE[count] else BEFORE[count]
        target, most = TARGETS.get(count, ("beside it", None))
        figures.append(Figure(f"Verilog of {count} lanes (e9c8550: {old.size if old else 'RecursionError'})", now.size,
                              target, "bytes", None if most is None else now.size <= most))
        figures.append(_time(count, now, old))
    return figures


def _time(count: int, now: Export, old: Export | None) -> Figure:
    """Processor time against that of before; in seconds where that ended in an error."""
    if old is None:
        limit = 100 if count == 1024 else None
        return Figure(f"processor time to export {count} lanes", now.cpu, "<= 100" if limit else "beside it", "s",
                      None if limit is None else now.cpu <= limit)
    ratio, aimed = now.cpu / old.cpu, count == 128
    return Figure(f"processor time to export {count} lanes, {now.cpu:.1f} s, against e9c8550", ratio,
                  "<= 0.25" if aimed else "beside it", "x", ratio <= 0.25 if aimed else None)


def _export(machine: MachineConfig, sources: Path, reporter: Reporter) -> Export:
    """One export by the sources in a folder, in a process that is started for it."""
    size = f"{machine.row_tiles} x {machine.lanes} lanes"
    command = [sys.executable, "-P", "-c", CHILD, str(sources), machine.model_dump_json()]
    began, options = time.monotonic(), {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with start(command, env=os.environ | {"PYTHONPATH": ""}, **options) as child, \
            reporter.task(f"exporting {size} by {sources}", 1) as task:
        while child.poll() is None:
            with suppress(subprocess.TimeoutExpired):
                said, errors = child.communicate(timeout=WAIT_SECONDS)
            task.advance(int(child.returncode is not None), f"{time.monotonic() - began:.0f} s")
    if child.returncode:
        raise HebbarError(f"the machine of {size} was not exported by {sources}:\n{errors[-1000:]}")
    return Export(*json.loads(said))
