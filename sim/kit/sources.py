"""The sources of a kit: drivers in C and Python, arrays in C, the test bench in Verilog."""

from pathlib import Path
from typing import Any

from hebbar import __version__
from hebbar.contract.files import write_text
from hebbar.contract.registers import IDENTITY, REGISTERS, Cause, Control, Status, build
from hw.verilog import TOP

from ..packets import transfer_beats
from ..rendering import filled, named
from .contents import Kit
from .formats import header

__all__ = ["write_c", "write_python", "write_testbench"]

FORMATS = f"{TOP}_formats.h"
DRIVER = ("hebbar_driver.h", "hebbar_driver.c")


def write_c(kit: Kit, folder: Path, top: str = TOP) -> list[Path]:
    """The driver, what stands in its words, the kit as arrays of constants, and where it has samples a program that
    trains them; every name begins with ``top``."""
    formats = folder / named(FORMATS, top)
    write_text(formats, named(header(kit.program.machine, __version__), top))
    names = (*DRIVER, "hebbar_kit.h", "hebbar_kit.c", *(["hebbar_main.c"] if kit.parts else []))
    return [formats, *(_write(folder, name, _context(kit), top) for name in names)]


def write_python(kit: Kit, folder: Path, top: str = TOP) -> Path:
    """The driver in Python with PYNQ's interface."""
    return _write(folder, "hebbar_pynq.py", {}, top)


def write_testbench(kit: Kit, folder: Path, top: str = TOP) -> Path:
    """A self-checking test bench in Verilog-2005 that reads the hex files of the kit."""
    context = _context(kit)
    most = max(len(kit.learned), *(part.answers.size for part in kit.parts))
    return _write(folder, "hebbar_tb.v", context | {"most": most, "learned": len(kit.learned)}, top)


def _write(folder: Path, name: str, context: dict[str, Any], top: str) -> Path:
    path = folder / named(name, top)
    write_text(path, named(filled(name, context), top))
    return path


def _context(kit: Kit) -> dict[str, Any]:
    program = kit.program
    entries = {entry: {"address": address, "clamp": len(kit.clamps[entry]),
                       "sample": sum(transfer_beats(program, program.inputs[entry]).values()),
                       "answer": sum(transfer_beats(program, program.outputs[entry]).values())}
               for entry, address in program.entries.items()}
    return {"config": program.config, "version": __version__, "top": TOP, "kit": kit, "sections": list(kit.sections()),
            "entries": entries, "answer_beats": max([1, *(part.answers.size for part in kit.parts)]),
            "sizes": {"settings": len(kit.settings), "rates": len(kit.rates)},
            "registers": REGISTERS, "control": Control, "status": Status, "cause": Cause, "identity": IDENTITY,
            "build": build(program.machine)}
