"""Commands about the analog crossbar: its netlist, a read of it in time, the macro in SystemVerilog."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from hebbar.contract.errors import BadInput

from .options import Build, Json, Quiet, Run, Source, configured, refuse, wrote

if TYPE_CHECKING:
    from golden.analog.laws import Reals
    from golden.analog.wires import Wires
    from sim.analog.crossbar import Crossbar

__all__ = ["spice", "transient", "macro"]

State = Annotated[Path | None, typer.Argument(metavar="[STATE.npz]", help="Conductances g_plus and g_minus in "
                                                 "siemens, a row a word line, and volts of the driven lines if you "
                                                 "like; default: drawn.")]
Rows = Annotated[int, typer.Option(min=1, help="Word lines of a drawn state.")]
Columns = Annotated[int, typer.Option(min=1, help="Bit lines of a drawn state.")]
Draw = Annotated[int, typer.Option("--seed", min=0, help="Of drawn conductances and inputs.")]
Least = Annotated[float, typer.Option("--g-min", help="Least drawn conductance, microsiemens.")]
Most = Annotated[float, typer.Option("--g-max", help="Largest drawn conductance, microsiemens.")]
Word = Annotated[float, typer.Option("--word-resistance", help="Of a segment of word line, ohms.")]
Bit = Annotated[float, typer.Option("--bit-resistance", help="Of a segment of bit line, ohms.")]
Driver = Annotated[float, typer.Option("--driver-resistance", help="Of the driver of every driven line, ohms.")]
Sense = Annotated[float, typer.Option("--sense-resistance", help="Before the virtual ground of every sensed line, "
                                    "ohms.")]
Inputs = Annotated[str | None, typer.Option(help="Voltages of the driven lines, as in 0.2,0,-0.1; default: those "
                                               "of the file, else drawn.")]
Verb = Annotated[str, typer.Option(metavar="TRN|FWD", help="The read: TRN drives the word lines and senses the bit "
                                   "lines, FWD drives the bit lines and senses the word lines.")]
Volts = Annotated[float, typer.Option(help="Largest drawn input, volts.")]
Line = Annotated[int, typer.Option(min=0, help="Sensed line that is sampled.")]
Farad = Annotated[float, typer.Option("--capacitance", help="Of a segment of either line, femtofarads.")]
Programmed = Annotated[str | None, typer.Option("--config", help="An analog preset or TOML file: the conductances "
                                                   "and wires of its macro, programmed with its weights.")]
Weights = Annotated[Path | None, typer.Option(help="Weights by edge to program with --config; default: the seeded "
                                                "ones.")]
Drawing = tuple[tuple[int, int], int, tuple[float, float], tuple[float, float, float, float]]
"""Rows and columns, seed, least and largest conductance in microsiemens, and the four resistances in ohms."""
MATCH = 1e-6
"""Relative difference to ngspice that is a mismatch."""


def spice(context: typer.Context, state: State = None, rows: Rows = 8, columns: Columns = 8, seed: Draw = 0,
          least: Least = 1.0,
          most: Most = 100.0, word: Word = 1.0, bit: Bit = 1.0, driver: Driver = 0.0, sense: Sense = 0.0,
          inputs: Inputs = None, volts: Volts = 0.2, verb: Verb = "TRN",
          in_time: Annotated[bool, typer.Option("--transient", help="A read in time with line capacitance, sample and "
                                                "hold and a comparator, instead of the operating point.")] = False,
          line: Line = 0, capacitance: Farad = 1.0,
          config: Programmed = None, weights: Weights = None,
          run: Annotated[bool, typer.Option("--run", help="Run ngspice and compare its currents with Hebbar's.")] =
          False,
          out: Annotated[Path, typer.Option("--out", help="Folder for the netlist.")] = Path("out/spice"),
          quiet: Quiet = False, as_json: Json = False) -> None:
    """Write an array of conductance pairs with its wires as a netlist for ngspice."""
    _check_used(context, state, config, inputs)
    if not in_time:
        refuse(context, ["line", "capacitance"], "the operating point has no time, which --transient gives it")
    drawn = (rows, columns), seed, (least, most), (word, bit, driver, sense)
    crossbar = _crossbar(state, drawn, (config, weights), inputs, volts, verb)
    here = Run(out, quiet, as_json)
    from hebbar.contract.record import Check
    from sim.analog import spice as ngspice
    from sim.analog.crossbar import currents, read_of
    from sim.toolchain import require

    if run:
        require("ngspice")
    read = read_of(crossbar, line, 1e-15 * capacitance) if in_time else None
    path = ngspice.write(crossbar, here.folder / "crossbar.cir", read)
    ours = currents(crossbar)
    result, checks = {"netlist": str(path), "g_plus": ours[0].tolist(), "g_minus": ours[1].tolist()}, []
    if run:
        here.reporter.say("running ngspice ...")
        difference = ngspice.difference(crossbar, path, read)
        result["difference"] = difference
        checks.append(Check("ngspice", difference < MATCH, "ngspice finds other currents than Hebbar, by "
                            f"{difference:.2g} of the largest one; keep the netlist and report it."))
    said = f"; ngspice differs by {result['difference']:.2g} of the largest current" if run else ""
    here.finish(result, checks, [path], lambda: typer.echo(f"wrote {path}{said}"))


def transient(context: typer.Context, state: State = None, rows: Rows = 8, columns: Columns = 8, seed: Draw = 0,
              least: Least = 1.0,
              most: Most = 100.0, word: Word = 1.0, bit: Bit = 1.0, driver: Driver = 1000.0, sense: Sense = 0.0,
              inputs: Inputs = None, volts: Volts = 0.2, verb: Verb = "TRN", line: Line = 0,
              capacitance: Farad = 1.0,
              config: Programmed = None, weights: Weights = None,
              bits: Annotated[int, typer.Option(min=2, max=16, help="Of the converter, whose range is +-1 V.")] = 8,
              out: Annotated[Path, typer.Option("--out", help="Folder for figure and waveform.")] =
              Path("out/transient"),
              quiet: Quiet = False, as_json: Json = False) -> None:
    """Draw one read in time: lines settle, one output is sampled, held and converted; SVG and VCD."""
    _check_used(context, state, config, inputs)
    drawing = (rows, columns), seed, (least, most), (word, bit, driver, sense)
    crossbar = _crossbar(state, drawing, (config, weights), inputs, volts, verb)
    here = Run(out, quiet, as_json)
    from hebbar.contract.files import write_text
    from hebbar.report.svg import save
    from hebbar.studies.transient import draw
    from sim.analog.crossbar import read_of
    from sim.analog.transient import transient as waves_of, vcd

    read = read_of(crossbar, line, 1e-15 * capacitance)
    waves = waves_of(crossbar, read, bits)
    files = [here.folder / "transient.svg", here.folder / "transient.vcd"]
    save(draw(waves, read), files[0])
    write_text(files[1], vcd(waves))
    here.finish({"code": int(waves.code[-1]), "held_volts": float(waves.held[-1]), "lsb_volts": waves.lsb,
                 "gain_ohms": read.gain, "sampled_until_seconds": read.sample_end,
                 "files": [str(path) for path in files]}, [], files, lambda: wrote(files))


def macro(source: Source,
          ideal: Annotated[bool, typer.Option("--ideal", help="With every switch of the physics off.")] = False,
          out: Annotated[Path, typer.Option("--out", help="Folder for the files.")] = Path("out/macro"),
          quiet: Quiet = False, as_json: Json = False, *, build: Build) -> None:
    """Write control and macro in SystemVerilog, the macro in real numbers: a simulation without Python."""
    config = configured(source)
    here = Run(out, quiet, as_json, config)
    from sim.analog import real_number

    machine = real_number.ideal(config.machine) if ideal else config.machine
    files = real_number.write(machine, here.folder, build)
    here.finish({"top": real_number.SYSTEM, "files": [str(path) for path in files]}, [], files, lambda: wrote(files))


def _check_used(context: typer.Context, state: Path | None, config: str | None, inputs: str | None) -> None:
    """Raise BadInput for options of a drawn array where it is given, of wires where a configuration has them, and for
    weights without one."""
    if state or config:
        refuse(context, ["rows", "columns", "least", "most"], f"{state or config} says what the array holds")
    if config:
        refuse(context, ["word", "bit", "driver", "sense"], f"{config} says what its wires are")
    else:
        refuse(context, ["weights"], "they are of a configuration, which --config gives")
    if inputs is not None:
        refuse(context, ["volts"], "--inputs says what the voltages are")


def _crossbar(state: Path | None, drawing: Drawing, configuration: tuple[str | None, Path | None], inputs: str | None,
              volts: float, verb: str) -> "Crossbar":
    """The array that the options describe: read from a file, programmed by a configuration, or drawn."""
    import numpy as np

    from golden.analog.wires import Wires
    from sim.analog.crossbar import Crossbar, drawn, loaded

    (rows, columns), seed, (least, most), ohms = drawing
    config, weights = configuration
    if not 0 < volts < np.inf:
        raise BadInput(f"--volts is {volts:g}; give a finite number above 0.")
    if state and config:
        raise BadInput(f"{state} and --config {config} both say what the array holds; give one of them.")
    if config:
        found, wires = _programmed(config, weights)
    else:
        found = loaded(state) if state else drawn(rows, columns, seed, 1e-6 * least, 1e-6 * most)
        wires = Wires(*ohms)
    cells, verb = found["g_plus"], verb.upper()
    count = cells.shape[verb == "FWD"] if cells.ndim == 2 else 0
    if inputs is None:
        given = found.get("volts", np.random.default_rng([seed, 1]).uniform(-volts, volts, count))
    else:
        try:
            given = np.array([float(word) for word in inputs.split(",")])
        except ValueError:
            raise BadInput(f"--inputs is {inputs!r}; give {count} voltages with commas between them.") from None
    return Crossbar(found["g_plus"], found["g_minus"], given, wires, verb)


def _programmed(config: str, weights: Path | None) -> "tuple[dict[str, Reals], Wires]":
    """Conductances and wires of a configuration's macro."""
    from golden.learning.weights import load_image
    from golden.session import initial_image
    from hebbar.compiler.program import compile_config
    from sim.analog.crossbar import programmed

    program = compile_config(configured(config))
    return programmed(program, load_image(program.layout, weights) if weights else initial_image(program))
