"""The Verilog and what an integrator needs beside it: register map, FuseSoC core, lint report, and the kit."""

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hebbar import __version__
from hebbar.compiler.config import Config
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput, HebbarError
from hebbar.contract.files import BUILD, output_folder, write_text
from hebbar.contract.machine import MachineConfig
from hebbar.contract.processes import run
from hw.verilog import TOP

from . import register_map
from .design import source
from .rdl import rdl
from .rendering import filled, named
from .reserved import FILES, KEYWORDS
from .toolchain import environment, require, verilator_command
from .verilator import WARNINGS

if TYPE_CHECKING:
    from .kit.contents import Kit

__all__ = ["write", "lint"]

CORE = f"{TOP}.core"

LINT = """\
{command}

0 warnings, 0 errors.

Every warning is on but those named with -Wno, which object to how Yosys writes Verilog: exact widths
left to the context, signals read in part, initial values, and a case that leaves a value as it was
assigned before it.
"""


def write(config: Config, folder: Path, reporter: Reporter, build: Path = BUILD, top: str = TOP,
          samples: int = 1, weights: Path | None = None) -> list[Path]:
    """Write every file into ``folder``; the same configuration gives the same bytes.

    ``samples``: training samples of the kit, and of its test bench; ``weights``: a file of those that it begins with.
    ``top``: the name of the machine, with which the
    names of its modules, of its files and of what its C headers declare begin, so that several machines fit into one
    design. Raises HebbarError when Verilator has a warning about the Verilog, with its words, and BadInput for a name
    that cannot be one.
    """
    from .kit.contents import contents  # NumPy and the golden machine, which a wrong name does without

    check_name(top)
    require("verilator", "perl")
    verilog = output_folder(folder) / f"{top}.v"
    reporter.say("exporting the Verilog ...")
    control = source(config.machine, build).read_text()
    write_text(verilog, named(_head(config) + control, top))
    more, whole = _macro(config.machine, folder, control, top)
    reporter.say("running its samples on the golden machine ...")
    kit = contents(config, samples, weights)
    if kit.missing:
        reporter.say(f"warning: the kit has no samples and no test bench: {kit.missing}")
    core = folder / named(CORE, top)
    write_text(core, named(filled(CORE, _context(config, kit)), top))
    made = [core, *register_map.write(named(rdl(config.machine), top), folder, top)]
    if gone := register_map.missing():
        reporter.say(f"warning: the register map has no manuals, no IP-XACT and no access layer, because "
                     f"{', '.join(gone)} are not installed (pip install 'hebbar[{register_map.EXTRA}]')")
    reporter.say("linting it ...")
    write_text(folder / "lint.txt", lint(verilog, more, whole))
    return [verilog, *more, *made, folder / "lint.txt", *_kit(kit, folder, top)]


def _kit(kit: "Kit", folder: Path, top: str) -> list[Path]:
    """The program, its data and what drives them; without a test bench where there is nothing to check."""
    from .kit import files, sources

    bench = [sources.write_testbench(kit, folder, top)] if kit.parts else []
    return [*sources.write_c(kit, folder, top), sources.write_python(kit, folder, top), *bench,
            files.write_binary(kit, folder / f"{top}_kit.bin"), files.write_manifest(kit, folder / "kit.json", top),
            *files.write_hex(kit, folder)]


def check_name(top: str) -> None:
    """Raise BadInput unless ``top`` is a plain identifier that no language of the export reserves, and no file of it
    has."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", top) or top in KEYWORDS:
        raise BadInput(f"--top is {top!r}, which cannot be the name of a module; give letters, digits and underscores, "
                       "a letter first, and no keyword of SystemVerilog, SystemRDL or Python.")
    if top in FILES:
        raise BadInput(f"--top is {top!r}, and the export has a {top}.v of its own; give another name.")


def _macro(machine: MachineConfig, folder: Path, control: str, top: str) -> tuple[list[Path], str]:
    """What goes with the control of an analog macro, and the module of all together."""
    if not machine.kind.macro:
        return [], top
    from .analog.real_number import SYSTEM, write_stub  # heavy: Numba

    files = write_stub(machine, folder, control)
    for path in files:
        write_text(path, named(path.read_text(encoding="utf-8"), top))
    return files, named(SYSTEM, top)


def lint(verilog: Path, more: Sequence[Path] = (), top: str = TOP) -> str:
    """Verilator's report on a file, and ``more`` beside it: what was asked for and that nothing was found."""
    require("verilator", "perl")
    names = [path.name for path in (verilog, *more)]
    options = ["--lint-only", *WARNINGS, "--top-module", top]
    answer = run([verilator_command(), *options, *names], cwd=verilog.parent, env=environment())
    found = [line for line in answer.stderr.splitlines() if line.startswith(("%Warning", "%Error"))]
    if answer.returncode or found:
        raise HebbarError(f"Verilator has {len(found)} warnings about {verilog}; the first ones:\n"
                          + "\n".join(answer.stderr.splitlines()[:20]))
    return LINT.format(command=" ".join(["verilator", *options, *names]))


def _head(config: Config) -> str:
    m = config.machine
    digest = hashlib.sha256(config.machine.model_dump_json().encode()).hexdigest()
    return (f"// {TOP}: predictive-coding accelerator, generated by Hebbar {__version__} from the configuration "
            f"{config.name}.\n// {m.row_tiles} row tiles of {m.lanes} lanes, tile '{m.tile}', {m.weight_words} weight "
            f"words.\n// Machine configuration, SHA-256 {digest}.\n// Hebbar is Apache-2.0; what it generates is "
            "yours. The program that the machine runs is loaded over its bus.\n\n")


def _context(config: Config, kit: "Kit") -> dict[str, object]:
    """What the template of the core sees."""
    return {"machine": config.machine, "version": __version__, "top": TOP, "checked": bool(kit.parts),
            "sections": list(kit.sections()), "warnings": WARNINGS}
