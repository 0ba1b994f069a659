"""The C++ compiler of simulated models: clang++ where it is installed and works, else g++, for this very processor.

Models of clang++ run 12 to 28 % more cycles a second and compile in half the time. What was compiled for one processor
may not run on another: ``Compiler`` tells them apart, and every key of a build holds one.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hebbar.contract.errors import BadInput
from hebbar.contract.files import temporary_folder
from hebbar.contract.places import plain, plain_home
from hebbar.contract.processes import run

from .toolchain import environment, require

__all__ = ["COMPILER_VARIABLE", "Compiler", "compiler", "described"]

COMPILER_VARIABLE = "HEBBAR_CXX"
STANDARD = "-std=gnu++17"
"""Verilator aligns a model to 64 bytes. Before C++17, which clang++ 14 takes for itself, `new` does not, and an access
that a processor can only make to aligned vectors breaks the simulation off."""
EXACT, NATIVE = "-ffp-contract=off", "-march=native"
"""No fused operations, which round once where analog models round twice; the instructions of this processor."""
NATIVE_KNOWN = ("x86_64", "aarch64")
"""Machines where every g++ knows this option; it is not tried out, which takes a tenth of a second in every process."""
TIMEOUT_S = 60.0
CPUINFO = Path("/proc/cpuinfo")
ABOUT_A_PROCESSOR = ("vendor_id", "cpu family", "model", "model name", "flags", "CPU implementer", "CPU part",
                     "Features", "isa", "uarch")
"""Lines of /proc/cpuinfo that are the same whenever the processor is: frequencies change."""
PROBE = """\
#include <atomic>
#include <cstdint>
struct alignas(64) Line { std::atomic<uint64_t> count{0}; };
extern "C" int answer(int n) {
    bool good = true;
    for (int i = 0; i < 8; ++i) {  // none is freed: memory that is aligned by chance is not so eight times
        Line* line = new Line;
        good &= line->count.is_lock_free() && reinterpret_cast<uintptr_t>(line) % 64 == 0;
    }
    return good ? n : 0;
}
"""
"""What Verilator's library and models need of a compiler, its linker and its library."""
ASK = "import ctypes, sys; sys.exit(ctypes.CDLL(sys.argv[1]).answer(42))"


@dataclass(frozen=True)
class Compiler:
    """A compiler that works: its ``command``, what it says is its ``version``, the ``flags`` with which models and the
    shell are compiled, the ``libraries`` that they are linked with, and the ``processor`` that they are for, "" for any
    of its kind."""

    command: str
    version: str
    flags: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()
    processor: str = ""

    def makeflags(self, level: str) -> str:
        """What MAKEFLAGS needs for a model that is optimised as ``level`` says; later words there count."""
        fast = "\\ ".join((level, *self.flags))
        words = [f"CXX={self.command}", f"LINK={self.command}", f"CFG_CXXFLAGS_STD={STANDARD}", f"OPT_FAST={fast}"]
        if self.libraries:
            words.append("USER_LDLIBS=" + "\\ ".join(self.libraries))
        if _clang(self.version):
            words += ["CFG_CXXFLAGS_PCH_I=-include-pch", "CFG_GCH_IF_CLANG=.gch"]
        return " " + " ".join(words)

    def words(self, level: str) -> list[str]:
        """The command that compiles and links a source of our own with a model; its ``libraries`` come last."""
        return [self.command, level, STANDARD, *self.flags]

    def __str__(self) -> str:
        return f"{self.command} ({self.version}) {' '.join(self.flags)}".rstrip()


def compiler() -> Compiler:
    """The compiler that HEBBAR_CXX names, else clang++ where it works, else g++.

    Raises BadInput when HEBBAR_CXX names what is not there or does not work, MissingTool when there is none.
    """
    return _chosen(os.environ.get(COMPILER_VARIABLE, ""), environment()["PATH"])


def described() -> str:
    """The compiler in words. Raises as ``compiler`` does."""
    return f"{compiler()}; {COMPILER_VARIABLE} names another one"


@cache
def _chosen(name: str, path: str) -> Compiler:
    if name:
        return _named(name, path)
    if found := shutil.which("clang++", path=path):
        candidate, fault = _tried(found)
        if not fault:
            return candidate
    require("g++")
    own, other = _forms(shutil.which("g++", path=path) or "g++")
    return own if platform.machine() in NATIVE_KNOWN else other


def _named(name: str, path: str) -> Compiler:
    found = shutil.which(name, path=path)
    if not found:
        raise BadInput(f"{COMPILER_VARIABLE} is {name!r}, and there is no such program; give the name or the path of a "
                       "C++ compiler, clang++ or g++, or do not set it.")
    candidate, fault = _tried(found)
    if fault:
        raise BadInput(f"{COMPILER_VARIABLE} is {name!r}, which cannot compile and run a model ({fault}); name another "
                       "C++ compiler, clang++ or g++, or do not set it.")
    return candidate


def _tried(found: str) -> tuple[Compiler, str]:
    """The compiler with the instructions of this processor if it knows them, else with those of any; and why it does
    not work, or ""."""
    own, other = _forms(found)
    return (own, "") if not _fault(own) else (other, _fault(other))


def _forms(found: str) -> tuple[Compiler, Compiler]:
    """The compiler for this processor and for any."""
    command = str(plain(Path(found)))
    version = _said([command, "--version"]).stdout.partition("\n")[0].strip() or "unknown"
    libraries = ("-latomic",) if _clang(version) else ()
    native = (EXACT, NATIVE, f"-DHEBBAR_PROCESSOR={_digest()}")
    return Compiler(command, version, native, libraries, processor()), Compiler(command, version, (EXACT,), libraries)


def _fault(candidate: Compiler) -> str:
    """Why a shared library that it links does not run, in one line, or "" when it does."""
    with temporary_folder("compiler-", plain_home()) as folder:
        (folder / "probe.cpp").write_text(PROBE)
        command = [*candidate.words("-O1"), "-fPIC", "-shared", "-o", "probe.so", "probe.cpp", *candidate.libraries]
        built = _said(command, folder)
        if built.returncode:
            said = [line for line in built.stderr.splitlines() if "error" in line] or built.stderr.splitlines()
            return said[0].strip() if said else f"it ended with {built.returncode}"
        # In a process of its own: an instruction that this processor does not have ends it.
        code = _said([sys.executable, "-I", "-S", "-c", ASK, str(folder / "probe.so")]).returncode
    return "" if code == 42 else f"what it compiled ended with {code}"


@cache
def processor() -> str:
    """What this processor is and can do, as the system says it."""
    text = CPUINFO.read_text(encoding="utf-8", errors="replace") if CPUINFO.exists() else platform.processor()
    lines = [line.partition(":") for line in text.partition("\n\n")[0].splitlines()]
    known = [f"{name.strip()}: {value.strip()}" for name, _, value in lines if name.strip() in ABOUT_A_PROCESSOR]
    return "\n".join([platform.machine(), *known])


def _digest() -> str:
    """The processor as a number among the flags, which ccache takes for a part of what it looks up."""
    return "0x" + hashlib.sha256(processor().encode()).hexdigest()[:15]


def _said(command: list[str], folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
    """What a program that may be no program, or one that never ends, says."""
    try:
        return run(command, TIMEOUT_S, cwd=folder, env=environment())
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(command, 1, "", str(error))


def _clang(version: str) -> bool:
    return "clang" in version
