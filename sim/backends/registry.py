"""Every backend by name, and what is known of it before its module is imported.

Command line, refusals, doctor, docs/reference.md and tests read this table. A backend is a module with the two
functions of ``Driver``; a new one is that module and an entry in ``BACKENDS``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from hebbar.contract.errors import BadInput
from hebbar.contract.suggest import suggest

if TYPE_CHECKING:
    from pathlib import Path

    from golden.trace import Job, Trace, Writes
    from hebbar.compiler.program import Program

    from ..defects import Defect

__all__ = ["BACKENDS", "DEFAULT", "DEFAULT_WITH_DEFECT", "REFERENCE", "VERILATOR", "Backend", "Driver", "OwnTool",
           "find", "names"]

VERILATOR = ("verilator", "g++", "make", "perl", "libpython", "cocotb")
"""The programs that building with Verilator and running a test bench need."""


class Driver(Protocol):
    """What the module of a backend defines. Its entry says which keywords beyond those below it takes."""

    def prepare(self, program: Program, folder: Path, announce: bool = True, **asked: Any) -> Any:
        """Build below ``folder`` what runs of this machine need, unless it is there, and return it: the ``model``.

        ``announce``: say on standard error what takes long. An entry with ``waves`` takes ``waves=True``, one with
        ``defects`` takes ``defect``.
        """

    def run(self, job: Job, model: Any, progress: Callable[[int], None] | None = None, **asked: Any) -> Trace:
        """Load the weights of ``job``, run it and return everything it did.

        ``progress`` may be told how many samples the machine has taken. An entry with ``waves`` takes ``wave``, the
        path at which it leaves a VCD.
        """


@dataclass(frozen=True)
class OwnTool:
    """An outside program that one backend alone needs: what to do when it is missing, and the option that shows its
    version."""

    name: str
    cure: str
    version: str = "--version"


@dataclass(frozen=True)
class Backend:
    """A way to run a job; ``module`` is imported when it is used.

    ``meaning`` completes "runs ..". ``needs``: programs of ``sim.toolchain``; ``own``: those that no other part of
    Hebbar needs. ``stalls``: it holds streams back as ``Job.stall`` asks; ``waves``: it can record every signal as a
    VCD; ``defects``: it can build a machine with a planted defect; ``hashes``: it hashes what is written as
    ``Job.hashes`` asks, and its module has ``writes``, which tells every write of a job.
    """

    name: str
    module: str
    meaning: str
    needs: tuple[str, ...] = ()
    own: tuple[OwnTool, ...] = ()
    stalls: bool = False
    waves: bool = False
    defects: bool = False
    hashes: bool = False

    @property
    def programs(self) -> tuple[str, ...]:
        """All programs that must be installed."""
        return (*(tool.name for tool in self.own), *self.needs)

    def prepare(self, program: Program, folder: Path, announce: bool = True, waves: bool = False,
                defect: Defect | None = None) -> Any:
        """The model for ``run``. Raises MissingTool when a program is missing, BadInput for what the entry rules
        out."""
        asked: dict[str, Any] = {"waves": True} if waves else {}
        if defect:
            asked["defect"] = defect
        self.check(waves=waves, defects=bool(defect))
        return self._driver.prepare(program, folder, announce=announce, **asked)

    def run(self, job: Job, model: Any, progress: Callable[[int], None] | None = None,
            wave: Path | None = None) -> Trace:
        """Run ``job`` on a ``model`` of ``prepare``; ``wave``: where to leave a VCD."""
        self.check(stalls=bool(job.stall), waves=wave is not None)
        return self._driver.run(job, model, progress, **({"wave": wave} if wave else {}))

    def writes(self, job: Job, model: Any) -> Writes:
        """Every write of ``job`` on a ``model`` of ``prepare``."""
        told: Writes = import_module(self.module).writes(job, model)
        return told

    def check(self, stalls: bool = False, waves: bool = False, defects: bool = False) -> None:
        """Raise BadInput, with the backends that can do it, for what this one cannot."""
        if stalls and not self.stalls:
            raise BadInput(f"the backend {self.name} never stalls a stream; leave --stall out or use "
                           f"{names('stalls')}.")
        if waves and not self.waves:
            raise BadInput(f"--wave records the Verilog; use --backend {names('waves')}, not {self.name}.")
        if defects and not self.defects:
            raise BadInput(f"--break runs the Verilog on {names('defects')}, not on {self.name}.")

    @property
    def _driver(self) -> Driver:
        return cast(Driver, import_module(self.module))


REFERENCE, DEFAULT, DEFAULT_WITH_DEFECT = "golden", "verilator", "fast"
"""What all others are compared with; what a simulation runs on unless told otherwise, and one with a planted defect."""

BACKENDS: dict[str, Backend] = {backend.name: backend for backend in (
    Backend("golden", "sim.backends.golden", "the golden machine, with cycles from the cycle model"),
    Backend("fast", "sim.backends.fast", "the Verilog under Verilator, its buses driven from C++", needs=VERILATOR,
            stalls=True, defects=True, hashes=True),
    Backend("verilator", "sim.backends.verilator", "the Verilog under Verilator, its buses driven by cocotb",
            needs=VERILATOR, stalls=True, waves=True, defects=True),
    Backend("icarus", "sim.backends.icarus", "the Verilog under Icarus Verilog, its buses driven by cocotb",
            needs=("libpython", "cocotb"), own=(OwnTool("iverilog", "on Debian: apt-get install -y iverilog", "-V"),),
            stalls=True),
    Backend("pysim", "sim.backends.pysim", "the Amaranth design in Amaranth's own simulator", stalls=True))}
"""All backends by name."""


def find(name: str) -> Backend:
    """The backend with this name; raises BadInput with the nearest one when there is none."""
    if name not in tuple(BACKENDS):  # not every value that a caller may give has a hash
        raise BadInput(f"there is no backend {name!r}{suggest(name, BACKENDS)}.")
    return BACKENDS[name]


def names(ability: str) -> str:
    """``a, b or c``: the backends whose entry has ``ability`` (stalls, waves or defects)."""
    *most, last = [name for name, backend in BACKENDS.items() if getattr(backend, ability)]
    return f"{', '.join(most)} or {last}" if most else last
