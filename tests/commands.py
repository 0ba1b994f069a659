"""The command ``hebbar`` as a process of its own that need not start: a fork of the tests, which have imported it."""

import os
import signal
import subprocess
import sys
import traceback
import warnings
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, NoReturn

from hebbar.cli import main

__all__ = ["hebbar"]

LIMIT_S = 300
LATER = ("hebbar.cli.app", "hebbar.compiler.program", "golden.compiled", "sim.experiment", "hebbar.report")
"""What commands import when they run, imported here once for all of them."""

for name in LATER:
    import_module(name)


def hebbar(*arguments: object, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """Exit code, standard output and standard error of the command in ``cwd``: a fork has its own folder, signals and
    end as any process has. Below zero the exit code is the signal that ended it, SIGALRM after LIMIT_S."""
    line = ["hebbar", *map(str, arguments)]
    with TemporaryFile("w+") as out, TemporaryFile("w+") as err:
        with warnings.catch_warnings():  # of threads, which NumPy has and which it ends in a fork
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
        if not child:
            _become(line, cwd, out, err)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        out.seek(0)
        err.seek(0)
        return subprocess.CompletedProcess(line, code, out.read(), err.read())


def _become(line: list[str], cwd: Path, out: IO[str], err: IO[str]) -> NoReturn:
    """Be the command and nothing of pytest."""
    code: object = 1
    try:
        signal.alarm(LIMIT_S)
        os.chdir(cwd)
        os.dup2(out.fileno(), 1)
        os.dup2(err.fileno(), 2)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
        warnings.resetwarnings()
        warnings.simplefilter("ignore")
        sys.argv = line
        main()
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else code is not None)
