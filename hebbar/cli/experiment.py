"""Commands that train, simulate and compare."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hebbar.contract.errors import Mismatch
from sim.backends.registry import BACKENDS, DEFAULT, DEFAULT_WITH_DEFECT, names

from .options import Build, Data, Epochs, Json, Quick, Quiet, Rule, Run, Seed, Source, configured, refuse, wrote

if TYPE_CHECKING:
    from hebbar.compiler.config import Config

__all__ = ["run", "train", "simulate", "compare"]

BACKEND = f"""What runs it; default: {DEFAULT} ({DEFAULT_WITH_DEFECT} with --break). {' '.join(
    f"{name}: {backend.meaning}." for name, backend in BACKENDS.items())}"""
First = Annotated[int, typer.Option("--samples", min=1, help="The first samples of the entry.")]


def run(source: Source, out: Annotated[Path, typer.Option("--out", help="Folder for results.")] = Path("out/run"),
        samples: Annotated[int | None, typer.Option(
            min=1, help="Training samples that are replayed on the RTL; default: those of the first epoch.")] = None,
        seed: Seed = None, rule: Rule = None, epochs: Epochs = None, data: Data = None,
        quick: Quick = False, quiet: Quiet = False, as_json: Json = False, *, build: Build) -> None:
    """Train in float and fixed point, replay the training on the RTL, compare every word."""
    config = configured(source, seed, rule, epochs, data)
    here = Run(out, quiet, as_json, config)
    from golden.learning.described import save_trained
    from hebbar.report.tables import print_outcome
    from sim.experiment import run as run_experiment

    outcome = run_experiment(config, here.folder, samples, here.reporter, build, quick)
    weights = save_trained(here.folder / "weights.npz", outcome.task, outcome.fixed_curve.weights)

    def show() -> None:
        print_outcome(outcome)
        typer.echo(f"wrote {here.folder}; hebbar report {here.folder} makes one page of it.")

    here.finish(outcome.result(), outcome.checks(), [weights], show)


def train(source: Source, out: Annotated[Path, typer.Option("--out", help="Folder for results and the checkpoint.")]
          = Path("out/train"), resume: Annotated[bool, typer.Option(
              "--resume", help="Go on from the checkpoint in the folder.")] = False,
          restart: Annotated[bool, typer.Option("--restart", help="Discard that checkpoint.")] = False,
          every: Annotated[float, typer.Option(min=0, help="Seconds between checkpoints.")] = 5.0,
          writes: Annotated[bool, typer.Option(
              "--writes", help="Compare every write, by a hash for each element, in place of memories at barriers, of "
              "which a chained program has few.")] = False,
          seed: Seed = None, rule: Rule = None, epochs: Epochs = None, data: Data = None, quick: Quick = False,
          quiet: Quiet = False, as_json: Json = False, *, build: Build) -> None:
    """Train on the RTL from the first sample to the last, every word compared as it goes."""
    config = configured(source, seed, rule, epochs, data)
    here = Run(out, quiet, as_json, config)
    from golden.learning.described import save_trained
    from hebbar.report.tables import print_trained
    from sim.checkpoint import Checkpoint
    from sim.training import train as train_rtl

    trained = train_rtl(config, here.folder, here.reporter, resume, restart, build, every, quick=quick,
                        writes=writes)
    weights = save_trained(here.folder / "weights.npz", trained.task, trained.weights)
    here.finish(trained.result(), trained.checks(), [weights], lambda: print_trained(trained))
    Checkpoint.remove(here.folder)


def simulate(context: typer.Context, source: Source,
             out: Annotated[Path, typer.Option("--out", help="Folder for the trace and the record.")] =
             Path("out/simulate"), backend: Annotated[str | None, typer.Option(
                 help=BACKEND)] = None,
             entry: Annotated[str, typer.Option(help="train, predict; query where an input is predicted.")] = "train",
             samples: First = 10,
             weights: Annotated[Path | None, typer.Option(
                 help="Weights by edge (.npz or .safetensors, keys source:target); default: the seeded start.")]
             = None, stall: Annotated[float, typer.Option(
                 min=0, max=0.9, help="Chance that the host holds a stream back in a cycle.")] = 0,
             defect: Annotated[str | None, typer.Option(
                 "--break", metavar="NAME", help="Plant a known defect in the RTL and see the comparison find it; "
                 "'list' shows them.")] = None, seed: Seed = None, rule: Rule = None, data: Data = None,
             wave: Annotated[bool, typer.Option("--wave", help=f"Also write a VCD ({names('waves')}).")] = False,
             quiet: Quiet = False, as_json: Json = False, *, build: Build) -> None:
    """Run a program on one backend and write everything it did as a trace."""
    if defect is not None:
        refuse(context, ["weights", "stall", "wave"], "--break begins with the seeded weights, never stalls and always "
               "records the first difference")
        _broken(out, backend, entry, samples, defect, configured(source, seed, rule, None, data), build,
                quiet, as_json)
        return
    config = configured(source, seed, rule, None, data)
    here = Run(out, quiet, as_json, config)
    from sim.simulate import simulate as run_simulation

    path = here.folder / "trace.npz"
    backend = backend or DEFAULT
    found = run_simulation(config, backend, entry, samples, weights, stall, wave, path, here.reporter,
                           build)
    files = [path, *([path.with_suffix(".vcd")] if wave else [])]

    def show() -> None:
        typer.echo(f"{len(found.trace.pc)} barriers of {found.samples} samples on {backend}")
        if found.grade is not None:
            start = "" if found.trained else " (weights as training starts; give trained ones with --weights)"
            typer.echo(f"{found.measure}: {100 * found.grade:.1f} %{start}")
        wrote(files)

    here.finish({"backend": backend, "entry": entry, **found.record(),
                 "files": [str(f) for f in files]}, [], files, show)


def _broken(out: Path, backend: str | None, entry: str, samples: int, defect: str, config: "Config",
            build: Path, quiet: bool, as_json: bool) -> None:
    """``simulate --break``: the same program on a broken machine; passes when the difference is found."""
    from hebbar.report.tables import print_defects, print_injected
    from sim.defects import DEFECTS
    from sim.inject_defect import inject_defect

    if defect == "list":
        print_defects(DEFECTS)
        return
    here = Run(out, quiet, as_json, config)
    found = inject_defect(config, defect, backend or DEFAULT_WITH_DEFECT, entry, samples, here.folder,
                        here.reporter, build=build)
    here.finish(found.result(), [found.check()], [found.waveform] if found.waveform else [],
                lambda: print_injected(found))


def compare(golden: Annotated[Path, typer.Argument(help="Trace of one backend.")],
            rtl: Annotated[Path, typer.Argument(help="Trace of another.")], as_json: Json = False) -> None:
    """Compare two traces word for word; exit 1 with the first difference."""
    import json

    from hebbar.compiler.program import compile_config
    from hebbar.contract.console import busy
    from hebbar.report.tables import print_comparison
    from sim.compare import compare as compare_traces
    from sim.simulate import load_pair

    with busy("comparing"):
        config, first, second = load_pair(golden, rtl)
        result = compare_traces(compile_config(config), first, second)
    if as_json:
        typer.echo(json.dumps({"words": result.words, "mismatches": result.mismatches,
                               "first": str(result.first) if result.first else None}))
    else:
        print_comparison(result)
    if result.first:
        raise Mismatch(str(result.first))
