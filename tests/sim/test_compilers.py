"""The C++ compiler of models: which one is taken, with which flags, and what is built anew when it changes."""

import ctypes
import os
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.errors import BadInput
from sim import compilers, verilator
from sim.compilers import Compiler, compiler
from sim.preflight import preflight
from sim.shell import library
from sim.toolchain import environment

CLANG = 'if [ "$1" = --version ]; then echo "clang version 99.1"; else '


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    """No compiler is known from before, and none afterwards."""
    monkeypatch.delenv("HEBBAR_CXX", raising=False)
    for known in (compilers._chosen, compilers.processor):
        known.cache_clear()
    yield
    for known in (compilers._chosen, compilers.processor):
        known.cache_clear()


def script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_clang_is_taken_where_it_works_and_gcc_elsewhere(tmp_path, monkeypatch):
    """Without it simulations lose a tenth of their speed, or none can be built beside a clang++ without headers."""
    real = shutil.which("g++", path=environment()["PATH"])
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    script(tmp_path / "clang++", f'{CLANG}echo "$@" >>"{tmp_path}/asked"; exec "{real}" "$@"; fi')
    found = compiler()
    assert (found.command, found.version) == (str(tmp_path / "clang++"), "clang version 99.1")
    assert "-latomic" in (tmp_path / "asked").read_text().split() and found.libraries == ("-latomic",)
    assert compiler() is found and len((tmp_path / "asked").read_text().splitlines()) == 1  # looked at once
    for works_not in (f"{CLANG}echo 'fatal error: no file atomic' >&2; exit 1; fi", f"{CLANG}exit 0; fi"):
        script(tmp_path / "clang++", works_not)
        compilers._chosen.cache_clear()
        assert compiler().command == real and not compiler().libraries


def test_a_compiler_without_native_builds_for_any_processor(tmp_path, monkeypatch):
    """Without it nothing can be simulated where a compiler does not know the processor that it runs on."""
    script(tmp_path / "old", 'case "$*" in *native*) echo "error: bad value native" >&2; exit 1;; esac; exec g++ "$@"')
    monkeypatch.setenv("HEBBAR_CXX", str(tmp_path / "old"))
    assert compiler().flags == ("-ffp-contract=off",) and compiler().processor == ""


@pytest.mark.parametrize("name, words", [("no-such-compiler", "there is no such program"),
                                         ("true", "cannot compile and run a model")])
def test_a_wrong_compiler_is_refused_before_the_work(name, words, tmp_path, monkeypatch):
    """Without it the makefile of a model explains, after seconds of work, what was wrong with a variable."""
    monkeypatch.setenv("HEBBAR_CXX", name)
    with pytest.raises(BadInput, match=f"HEBBAR_CXX is '{name}'.*{words}.*clang.. or g.., or do not set it"):
        preflight("fast", tmp_path)


def test_verilators_makefile_takes_the_compiler_and_every_flag(tmp_path):
    """Without it MAKEFLAGS could lose what follows a blank, and half a model be of another compiler."""
    makefile = tmp_path / "Makefile"
    makefile.write_text("include $(VERILATOR_ROOT)/include/verilated.mk\nshow:\n\t@echo '$(CXX);$(LINK);$(OPT_FAST);"
                        "$(CPPFLAGS);$(LDLIBS);$(VK_PCH_I_FAST)'\n")
    chosen = Compiler("/opt/clang++", "clang version 99.1", ("-march=native", "-DP=1"), ("-latomic", "-lm"))
    env = environment()
    env["MAKEFLAGS"] += chosen.makeflags("-O1")
    said = subprocess.run(["make", "-s", "show", "VM_PREFIX=V"], cwd=tmp_path, env=env, capture_output=True, text=True)
    cxx, link, fast, every, libraries, header = said.stdout.strip().split(";")
    assert cxx == link == "/opt/clang++" and fast == "-O1 -march=native -DP=1" and "-std=gnu++17" in every.split()
    assert libraries.split() == ["-latomic", "-lm"] and header == "-include-pch V__pch.h.fast.gch"


def test_another_compiler_or_processor_builds_anew(tmp_path, monkeypatch):
    """Without it a build folder that two computers share runs instructions that one of them does not have."""
    (tmp_path / "a.v").write_text("module a; endmodule")
    monkeypatch.setattr(compilers, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(library.verilator, "prepare", lambda *_, **__: SimpleNamespace(folder=tmp_path))
    monkeypatch.setattr(library, "link", lambda *_: None)
    program = compile_config(load("tiny"))
    keys = []
    for flags, version in (("sse avx2", "1"), ("sse", "1"), ("sse", "2")):
        (tmp_path / "cpuinfo").write_text(f"processor : 0\nflags : {flags}\ncpu MHz : {len(keys)}\n\nprocessor : 1\n")
        other = script(tmp_path / "other", f'[ "$1" = --version ] && echo {version} && exit; exec g++ "$@"')
        monkeypatch.setenv("HEBBAR_CXX", str(other))
        compilers._chosen.cache_clear(), compilers.processor.cache_clear()
        keys.append((verilator._key(tmp_path / "a.v", "", {}), repr(verilator._tools()), compiler().flags[-1],
                     library.prepare(program, tmp_path).name))
    assert all(len(set(column)) == 3 for column in zip(*(k[:2] + k[3:] for k in keys)))
    assert keys[0][2] != keys[1][2] == keys[2][2]  # what ccache is told of the processor


def test_a_sum_of_products_is_rounded_twice(tmp_path):
    """Without it the physics of an analog model changes with the processor that it runs on."""
    (tmp_path / "sum.cpp").write_text('extern "C" double sum(double a, double b, double c) { return a * b + c; }')
    chosen = compiler()
    subprocess.run([*chosen.words("-O3"), "-fPIC", "-shared", "-o", "sum.so", "sum.cpp"], cwd=tmp_path, check=True)
    function = ctypes.CDLL(str(tmp_path / "sum.so")).sum
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_double] * 3
    a = 1 + 2.0**-30
    assert function(a, a, -1 - 2.0**-29) == a * a - 1 - 2.0**-29 == 0
    assert compiler().processor.startswith(os.uname().machine) and "-march=native" in chosen.flags
