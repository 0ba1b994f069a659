"""The shared library of one machine: the objects of the Verilator build plus the shell, linked."""

import ctypes
import hashlib
from pathlib import Path

from hebbar.compiler.program import Program
from hebbar.contract.errors import build_failed
from hebbar.contract.files import whole, write_text
from hebbar.contract.processes import run

from ..backends import verilator
from ..compilers import compiler
from ..defects import Defect
from ..toolchain import environment, optimisation
from .bind import bind

__all__ = ["Run", "prepare", "link", "open_library", "storage"]

SOURCE, WRITES = (Path(__file__).with_name(name) for name in ("shell.cpp", "writes.h"))

_U32, _U64, _POINTER = ctypes.c_uint32, ctypes.c_uint64, ctypes.c_void_p

ANSWER, WEIGHTS = ctypes.CFUNCTYPE(None), ctypes.CFUNCTYPE(None, _POINTER)
"""Called in every cycle in which the macro is asked, and to fill an image of its weights."""


class Run(ctypes.Structure):
    """Twin of ``struct Run`` in shell.cpp; the pointers are of NumPy buffers that Python owns."""

    _fields_ = [
        ("input", _POINTER), ("input_last", _POINTER), ("input_count", _U64), ("input_taken", _U64),
        ("output", _POINTER), ("output_last", _POINTER), ("output_capacity", _U64), ("output_count", _U64),
        ("marks", _POINTER), ("pc", _POINTER), ("rows", _POINTER), ("barrier_capacity", _U64), ("barrier_count", _U64),
        ("weight_barrier", _POINTER), ("weights", _POINTER), ("weight_capacity", _U64), ("weight_count", _U64),
        ("moved", _U64), ("held", _U64), ("random", _U64)]


def prepare(program: Program, folder: Path, announce: bool = True, defect: Defect | None = None,
            toggles: bool = False) -> Path:
    """The library of the exported Verilog, built below ``folder`` unless it is there already.

    ``defect``: of a machine that is wrong in this one line. ``toggles``: one that counts the transitions of every net,
    ten times slower.
    """
    model = verilator.prepare(program, folder, announce=announce, defect=defect, toggles=toggles)
    text = bind(program.machine)
    key = text + SOURCE.read_text() + WRITES.read_text() + repr(compiler())
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    library = model.folder / f"shell-{digest}.so"
    if not library.exists() or library.stat().st_mtime < (model.folder / "key").stat().st_mtime:
        write_text(model.folder / "bind.h", text)
        link(model.folder, SOURCE, library, toggles)
    return library


def open_library(path: Path) -> ctypes.CDLL:
    """The library with its functions declared."""
    library, handle = ctypes.CDLL(str(path)), ctypes.c_void_p
    for name, result, arguments in (
            ("open", handle, ()), ("close", None, (handle,)), ("reset", None, (handle, ctypes.c_uint)),
            ("watch", None, (handle, _POINTER)),
            ("cycles", _U64, (handle,)), ("write", ctypes.c_int, (handle, _U32, _U32, ctypes.c_uint)),
            ("read", ctypes.c_int, (handle, _U32, ctypes.POINTER(_U32), ctypes.c_uint)),
            ("run", ctypes.c_int, (handle, ctypes.POINTER(Run), _U64, ctypes.c_int, ctypes.c_uint)),
            ("pins", None, (handle, _POINTER)), ("macro", None, (handle, ANSWER, WEIGHTS)),
            ("dump", _U64, (handle, ctypes.c_int, _POINTER)), ("writes", None, (handle, ctypes.c_int, ctypes.c_int)),
            ("hashes", _U64, (handle, ctypes.c_int, _POINTER)), ("decisions", _U64, (handle, _POINTER)),
            ("log", None, (handle, ctypes.c_int, _POINTER, _POINTER)), ("toggles", None, (handle, ctypes.c_char_p)),
            ("bare", None, (handle, _POINTER, _POINTER, _U64, _U64))):
        function = getattr(library, f"shell_{name}")
        function.restype, function.argtypes = result, arguments
    return library


def link(folder: Path, source: Path, library: Path, toggles: bool = False) -> None:
    """Link ``source`` with the model that was built in ``folder``; raises HebbarError with the compiler's words."""
    cxx = compiler()
    root = Path(environment()["VERILATOR_ROOT"]) / "include"
    with whole(library) as partial:
        command = [*cxx.words(optimisation()), "-fPIC", "-shared", "-I.", f"-I{root}", f"-I{root / 'vltstd'}",
                   f"-DVM_TRACE={toggles:d}", f"-DVM_TRACE_SAIF={toggles:d}", "-DVM_COVERAGE=0", "-o", partial.name,
                   str(source), "Vtop__ALL.a", *(path.name for path in sorted(folder.glob("verilated*.o"))), "-pthread",
                   *cxx.libraries]
        answer = run(command, cwd=folder, env=environment())
        if answer.returncode:
            raise build_failed(f"{cxx.command} could not link {source.name} in {folder}", answer.stderr[-2000:])


def storage(width: int) -> int:
    """Bytes in which Verilator keeps a port of ``width`` bits."""
    return next((size for size in (1, 2, 4, 8) if width <= 8 * size), -(-width // 32) * 4)
