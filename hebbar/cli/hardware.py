"""Commands about the generated hardware and the tools it needs."""

from pathlib import Path
from typing import Annotated

import typer

from hebbar.contract.errors import MissingTool

from .options import Build, Data, Json, Quiet, Run, Source, configured, wrote

__all__ = ["verilog", "testbench", "check", "prove", "doctor"]


def verilog(source: Source, out: Annotated[Path, typer.Option("--out", help="Folder for the files.")] =
            Path("out/verilog"), top: Annotated[str, typer.Option(
                "--top", help="Name of the machine: its modules, files and C declarations begin with it.")] = "hebbar",
            samples: Annotated[int, typer.Option(min=0, help="Training samples in the kit, with the golden machine's "
                                                 "answers; 0: none, and no test bench.")] = 1,
            weights: Annotated[Path | None, typer.Option(help="Weights by edge (.npz or .safetensors) that the kit "
                                                         "begins with; default: the seeded start.")] = None,
            data: Data = None, quiet: Quiet = False, as_json: Json = False, *, build: Build) -> None:
    """Write the Verilog, and all it takes to run it: register map, program, weights, driver, test bench."""
    config = configured(source, data=data)
    here = Run(out, quiet, as_json, config)
    from sim.package import write

    files = write(config, here.folder, here.reporter, build, top, samples, weights)
    here.finish({"files": [str(path) for path in files]}, [], files, lambda: wrote(files))


def testbench(source: Source, out: Annotated[Path, typer.Option("--out", help="Folder for the bench.")] =
              Path("out/testbench"), samples: Annotated[int, typer.Option(min=1, help="Training samples in it.")] = 1,
              data: Data = None, quiet: Quiet = False, as_json: Json = False, *, build: Build) -> None:
    """Write a cocotb bench of the exported Verilog that runs as it is (python run.py) and is meant to be edited."""
    config = configured(source, data=data)
    here = Run(out, quiet, as_json, config)
    from sim.kit.cocotb_bench import write

    files = write(config, here.folder, here.reporter, build, samples)
    here.finish({"files": [str(path) for path in files]}, [], files,
                lambda: typer.echo(f"wrote {here.folder}; run it with: python {here.folder / 'run.py'}"))


def check(source: Source, out: Annotated[Path, typer.Option("--out", help="Folder for the record.")] =
          Path("out/check"), quiet: Quiet = False, as_json: Json = False) -> None:
    """Read the exported Verilog back and check its structure against the configuration (Pyverilog)."""
    config = configured(source)
    here = Run(out, quiet, as_json, config)
    from hebbar.contract.record import Check
    from hebbar.report.tables import print_checks
    from hebbar.verify.structure import check as check_structure

    found = check_structure(config.machine, here.reporter)
    here.finish([{"check": c.name, "expected": str(c.expected), "found": str(c.found), "passed": c.passed}
                 for c in found],
                [Check(c.name, c.passed, f"{c.name}: expected {c.expected}, found {c.found}.") for c in found],
                show=lambda: print_checks(found))


def prove(source: Source, out: Annotated[Path, typer.Option("--out", help="Folder for the proof.")] =
          Path("out/prove"), quiet: Quiet = False, as_json: Json = False) -> None:
    """Prove that the emitted Verilog equals the RTLIL it was made from, and that a changed one does not."""
    config = configured(source)
    here = Run(out, quiet, as_json, config)
    from hebbar.report.tables import print_proof
    from hebbar.verify.equivalence import prove as prove_equal

    proof = prove_equal(config.machine, here.folder, here.reporter)
    here.finish(proof.record(), proof.verdicts(), show=lambda: print_proof(proof))


def doctor(warm_up: Annotated[bool, typer.Option("--warm-up", help="Also run every tool once, so that the first real "
                                                 "run does not wait.")] = False,
           clean: Annotated[bool, typer.Option("--clean", help="Remove every built simulator that no command is "
                                                               "using.")]
           = False, quiet: Quiet = False, as_json: Json = False, *, build: Build) -> None:
    """Look for tools, packages and places to write, and say what to do about those that are missing."""
    import json
    from dataclasses import asdict

    from hebbar.contract.console import Reporter
    from hebbar.doctor import examine, print_findings, warm_up as warm

    if clean:
        from sim.builds import clean as clean_builds

        removed, left = clean_builds(build)
        Reporter(quiet).say(f"removed {removed >> 20:,} MB of built simulators from {build}; {left >> 20:,} MB are in "
                            "use")
    with Reporter(quiet).busy():
        findings = examine(build=build)
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings]))
    else:
        print_findings(findings)
    bad = [finding for finding in findings if finding.verdict in ("missing", "too old")]
    if bad:
        raise MissingTool("; ".join(f"{f.name} is {f.verdict}: {f.cure}" for f in bad) + ".")
    if warm_up:
        reporter = Reporter(quiet)
        with reporter.busy():
            warm(reporter)
