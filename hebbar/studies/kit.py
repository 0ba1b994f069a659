"""``hebbar bench kit``: the export alone, from the folder of files to trained samples."""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.contract.files import BUILD, output_folder, write_text
from hebbar.contract.processes import run
from hebbar.contract.results import Figure
from sim.kit.board import ABUSE, MAIN, figures, run_c
from sim.kit.contents import Kit, contents
from sim.kit.testbench import SIMULATORS, run_testbench
from sim.kit.yosys_tcl import as_yosys
from sim.package import write
from sim.toolchain import environment

from .parts import ROOT

__all__ = ["SEEDS", "measure"]

SEEDS = {False: 0, True: 0}
"""Nothing is drawn but the presets' own weights and order."""
PRESETS = ("tiny", "digits", "digits_ipc")
SAMPLES = {False: 20, True: 2}
MOST_LINES = 30
TARGETS = ("lint", "sim", "synth")


def measure(folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """All figures in the order of the table; ``data`` is unused."""
    found: list[Figure] = []
    for preset in PRESETS[:1] if quick else PRESETS:
        place, kit = _kit(folder / preset, preset, SAMPLES[quick], reporter)
        found += _testbenches(place, kit, preset, reporter)
        found += _driver(place, kit, preset, reporter)
    found += _two(folder, quick, reporter)
    found += _wheel(folder / "wheel", reporter)
    found += [_fusesoc(folder / "tiny", target, reporter) for target in TARGETS]
    lines = len(MAIN.read_text(encoding="utf-8").splitlines())
    return [*found, Figure("lines a person writes to train the samples in C", lines, f"<= {MOST_LINES}", "lines",
                           lines <= MOST_LINES)]


def _fresh(folder: Path) -> Path:
    """An empty folder: what an earlier measurement left there must not pass for this one's."""
    shutil.rmtree(folder, ignore_errors=True)
    return output_folder(folder)


def _kit(folder: Path, preset: str, samples: int, reporter: Reporter) -> tuple[Path, Kit]:
    write(load(preset), _fresh(folder), reporter, BUILD, samples=samples)
    return folder, contents(load(preset), samples)


def _words(kit: Kit) -> int:
    """Words that a check of a kit compares."""
    return len(kit.learned) + sum(part.answers.size for part in kit.parts)


def _testbenches(folder: Path, kit: Kit, preset: str, reporter: Reporter) -> Iterator[Figure]:
    for simulator in SIMULATORS:
        reporter.say(f"the Verilog test bench of {preset} on {simulator} ...")
        words, said = run_testbench(folder, simulator)
        write_text(folder / f"{simulator}.txt", said)
        yield Figure(f"{preset}, plain Verilog test bench, {simulator}: words equal after "
                     f"{len(kit.parts[0].samples)} samples", words, f"all {_words(kit)}", "words", words == _words(kit))


def _driver(folder: Path, kit: Kit, preset: str, reporter: Reporter) -> Iterator[Figure]:
    reporter.say(f"the C driver with {preset}: abort, fault, reset, then its samples ...")
    code, said = run_c(kit, folder, ABUSE)
    found = figures(said)
    equal = found.get("words", 0) - found.get("wrong", 0)
    count = len(kit.parts[0].samples)
    yield Figure(f"{preset}, C driver after abort, fault and reset in mid-stream: words equal after {count} samples",
                 equal, f"all {_words(kit)}", "words", code == 0 and equal == _words(kit))
    for name in ("beats", "cycles"):
        yield Figure(f"{preset}, C driver: {name} a training sample, load left out",
                     round(found.get(name, 0) / count, 1), "printed", name, None)


SOC = """\
`timescale 1ns / 1ns
module soc;
    one_tb #(.KIT("one"), .ALONE(0)) first();
    two_tb #(.KIT("two"), .ALONE(0)) second();
    initial begin
        wait (first.done && second.done);
        $finish;
    end
endmodule
"""


def _two(folder: Path, quick: bool, reporter: Reporter) -> Iterator[Figure]:
    """Two machines of different configuration in one simulation, each with its own test bench."""
    reporter.say("two machines in one simulation ...")
    place = _fresh(folder / "two")
    for top, preset in (("one", "tiny"), ("two", "tiny" if quick else "digits")):
        write(load(preset), place / top, reporter, BUILD, top, SAMPLES[quick])
    write_text(place / "soc.v", SOC)
    sources = [f"{top}/{top}{end}.v" for top in ("one", "two") for end in ("", "_tb")]
    built = run(["iverilog", "-g2005", "-s", "soc", "-o", "soc.vvp", "soc.v", *sources],
                cwd=place, env=environment())
    ran = run(["vvp", "-n", "soc.vvp"], cwd=place, env=environment())
    write_text(place / "soc.txt", built.stderr + ran.stdout + ran.stderr)
    right = ran.stdout.count("PASS: ") if built.returncode == ran.returncode == 0 else 0
    yield Figure("machines of different configuration that are right in one simulation", right, "2", "machines",
                 right == 2)


def _wheel(folder: Path, reporter: Reporter) -> list[Figure]:
    """The wheel in an environment of its own, outside the checkout: its commands run."""
    _fresh(folder)
    reporter.say("building the wheel and installing it elsewhere ...")
    steps: dict[str, list[str]] = {
        "build": [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", "dist", str(ROOT)],
        "environment": [sys.executable, "-m", "venv", "venv"],
        "install": ["sh", "-c", "venv/bin/pip install -q dist/*.whl"],
        "run": ["venv/bin/hebbar", "run", "tiny", "--quick", "--out", "run", "-q"],
        "simulate": ["venv/bin/hebbar", "simulate", "tiny", "--samples", "2", "--out", "simulate", "-q"],
        "verilog": ["venv/bin/hebbar", "verilog", "tiny", "--out", "verilog", "-q"],
        "report": ["venv/bin/hebbar", "report", "run", "-q", "--no-wave"]}
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    done: dict[str, bool] = {}
    for name, command in steps.items():
        answer = run(command, cwd=folder, env=env)
        write_text(folder / f"{name}.txt", answer.stdout + answer.stderr)
        done[name] = answer.returncode == 0
        if not done[name]:
            reporter.say(f"the wheel: {name} ended with {answer.returncode}; {folder / name}.txt has its words")
    installed = all(done.pop(name) for name in ("build", "environment", "install"))
    commands = sum(done.values()) if installed else 0
    return [Figure("wheel in a clean environment elsewhere: commands that work (run, simulate, verilog, report)",
                   commands, "4", "commands", commands == 4)]


def _fusesoc(kit: Path, target: str, reporter: Reporter) -> Figure:
    reporter.say(f"fusesoc run --target={target} ...")
    command = [str(Path(sys.executable).parent / "fusesoc"), "--cores-root", str(kit.resolve()), "run",
               f"--target={target}", "hebbar:accelerator:hebbar"]
    env = environment()
    env["PATH"] = os.pathsep.join([env["PATH"], str(as_yosys(kit.resolve() / "bin"))])
    answer = run(command, cwd=kit, env=env)
    write_text(kit / f"fusesoc-{target}.txt", answer.stdout + answer.stderr)
    ran = answer.returncode == 0 and (target != "sim" or "PASS:" in answer.stdout)
    return Figure(f"fusesoc run --target={target}", "runs" if ran else f"exit {answer.returncode}", "runs", "", ran)
