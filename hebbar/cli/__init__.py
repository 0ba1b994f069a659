"""The ``hebbar`` command. Heavy imports happen inside the commands, so that help is quick."""

import sys
from pathlib import Path
from typing import Annotated, Optional

import typer

from .errors import BadInput, Exit, HebbarError, Mismatch

__all__ = ["app", "main"]

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                  help="Predictive-coding accelerators: train, generate Verilog, prove RTL = golden.")

Source = Annotated[str, typer.Argument(metavar="CONFIG", help="A preset (tiny, digits, array) or "
                                       "a TOML file.")]
Out = Annotated[Path, typer.Option("--out", help="Folder for results.")]
Seed = Annotated[Optional[int], typer.Option(help="Training seed, instead of the configured one.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress.")]
Rule = Annotated[Optional[str], typer.Option(help="Learning rule, instead of the configured one.")]
Samples = Annotated[Optional[int], typer.Option(min=1, help="Samples; default: all.")]


def _config(source: str, seed: int | None = None, rule: str | None = None,
            epochs: int | None = None):
    from .config import load

    config = load(source)
    changes: dict[str, dict] = {"training": {}, "rule": {}}
    changes["training"] |= {"seed": seed} if seed is not None else {}
    changes["training"] |= {"epochs": epochs} if epochs is not None else {}
    changes["rule"] |= {"name": rule} if rule is not None else {}
    return config.replace(**changes)


@app.command()
def run(source: Source, out: Out = Path("out/run"), samples: Samples = None, seed: Seed = None,
        epochs: Annotated[Optional[int], typer.Option(min=1, help="Training epochs.")] = None,
        quiet: Quiet = False) -> None:
    """Train in float and fixed point, replay the training on the RTL, compare every word."""
    config = _config(source, seed, None, epochs)
    from sim.experiment import run as run_experiment
    from sim.report import print_outcome

    from .console import Reporter
    from .files import output_folder, write_json

    folder = output_folder(out)
    outcome = run_experiment(config, folder, samples, Reporter(quiet))
    write_json(folder / "result.json", outcome.result())
    print_outcome(outcome)
    for comparison in (outcome.training, outcome.answers):
        if comparison.first:
            raise Mismatch(f"{comparison.first} Waveform of that sample: {outcome.waveform}")


@app.command()
def verilog(source: Source, out: Annotated[Path, typer.Option("--out", help="Verilog file.")] =
            Path("out/hebbar.v")) -> None:
    """Write synthesizable Verilog of the configured machine."""
    config = _config(source)
    from hw.verilog import export

    from .files import write_text

    write_text(out, export(config.machine))
    typer.echo(f"wrote {out}")


@app.command()
def simulate(source: Source, out: Annotated[Path, typer.Option("--out", help="Trace file.")] =
             Path("out/trace.npz"), backend: Annotated[str, typer.Option(
                 help="golden, pysim or verilator.")] = "verilator", entry: Annotated[
                 str, typer.Option(help="train or predict.")] = "train", samples: Samples = 10,
             weights: Annotated[Optional[Path], typer.Option(
                 help="Weights by edge (.npz, keys source:target); default: the seeded start.")]
             = None, stall: Annotated[float, typer.Option(
                 min=0, max=0.9, help="Chance that the host holds a stream back in a cycle.")] = 0,
             seed: Seed = None, rule: Rule = None, wave: Annotated[bool, typer.Option(
                 "--wave", help="Also write a VCD (verilator).")] = False,
             quiet: Quiet = False) -> None:
    """Run a program on one backend and write everything it did as a trace."""
    config = _config(source, seed, rule)
    from sim.simulate import simulate as run_simulation

    from .console import Reporter

    trace = run_simulation(config, backend, entry, samples, weights, stall, wave, out,
                           Reporter(quiet))
    typer.echo(f"wrote {out}: {len(trace.pc)} fences of {samples or 'all'} samples on {backend}")
    if wave:
        typer.echo(f"wrote {out.with_suffix('.vcd')}")


@app.command()
def compare(golden: Annotated[Path, typer.Argument(help="Trace of one backend.")],
            rtl: Annotated[Path, typer.Argument(help="Trace of another.")]) -> None:
    """Compare two traces word for word; exit 1 with the first difference."""
    from sim.report import print_comparison
    from sim.simulate import load_pair

    from .compiler import compile_config

    config, first, second = load_pair(golden, rtl)
    from sim.compare import compare as compare_traces

    result = compare_traces(compile_config(config), first, second)
    print_comparison(result)
    if result.first:
        raise Mismatch(str(result.first))


@app.command()
def bench(area: Annotated[str, typer.Argument(help="Which figures: spine.")],
          out: Out = Path("out/bench"), quick: Annotated[bool, typer.Option(
              "--quick", help="Fewer seeds and samples; figures are then not the targets'.")] =
          False, quiet: Quiet = False) -> None:
    """Measure the figures of an area, print them beside their targets."""
    areas = ("spine",)
    if area not in areas:
        from .suggest import suggest

        raise BadInput(f"there is no bench area {area!r}{suggest(area, areas)}.")
    from sim.bench import spine
    from sim.report import print_figures

    from .console import Reporter
    from .files import output_folder, versions, write_json

    figures = spine.measure(output_folder(out), quick, Reporter(quiet))
    write_json(out / f"{area}.json", [f.record() for f in figures])
    write_json(out / f"{area}.manifest.json",
               {"area": area, "quick": quick, "seeds": spine.SEEDS[quick], "versions": versions()})
    print_figures(figures)
    missed = [f.figure for f in figures if f.met is False]
    if missed:
        raise Mismatch(f"{len(missed)} of {len(figures)} figures miss their target: {missed[0]}.")


def main() -> None:
    """Entry point: errors become one sentence and an exit code, never a stack trace."""
    try:
        app(standalone_mode=False)
    except HebbarError as error:
        print(f"hebbar: {error}", file=sys.stderr)
        sys.exit(error.code)
    except (typer.Abort, KeyboardInterrupt):
        print("hebbar: interrupted; nothing half-written was left.", file=sys.stderr)
        sys.exit(130)
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        print(f"hebbar: {error.format_message()} See hebbar --help.", file=sys.stderr)
        sys.exit(Exit.BAD_INPUT)
