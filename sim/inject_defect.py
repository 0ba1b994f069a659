"""A defect planted on purpose: does the comparison find it, and what does it look like?"""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from golden.learning.tasks import task_of
from hebbar.compiler.config import Config
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput, HebbarError, MissingTool
from hebbar.contract.files import BUILD
from hebbar.contract.record import Check
from hebbar.contract.suggest import suggest

from .backends import golden
from .backends.registry import find
from .compare import Comparison
from .defects import DEFECTS, Defect
from .preflight import preflight
from .simulate import job_of
from .wave import record
from .write_hashes import compared

__all__ = ["InjectedDefect", "inject_defect"]


@dataclass(frozen=True)
class InjectedDefect:
    """What a planted defect did. ``comparison`` is None when the machine did not even get through the
    program, which ``stopped`` then says."""

    name: str
    defect: Defect
    samples: int
    comparison: Comparison | None
    stopped: str
    waveform: Path | None

    @property
    def found(self) -> bool:
        return bool(self.stopped or (self.comparison and self.comparison.first))

    @property
    def sentence(self) -> str:
        """The first difference in words."""
        first = self.comparison.first if self.comparison else None
        return str(first) if first else self.stopped

    def check(self) -> Check:
        """Passed when the comparison found the defect."""
        return Check(f"defect {self.name} is found", self.found,
                     f"the defect {self.name} ({self.defect.meaning}) makes no difference in {self.samples} samples of "
                     "this configuration; give more --samples or another preset.")

    def result(self) -> dict[str, Any]:
        """The record that result.json holds."""
        c = self.comparison
        return {"defect": self.name, "meaning": self.defect.meaning, "file": self.defect.file, "line": self.defect.old,
                "becomes": self.defect.new, "found": self.found, "first_difference": self.sentence,
                "mismatches": c.mismatches if c else {}, "words": c.words if c else {},
                "waveform": str(self.waveform) if self.waveform else None}


def inject_defect(config: Config, name: str, backend: str, entry: str, samples: int, folder: Path,
                reporter: Reporter, wave: bool = True, build: Path = BUILD) -> InjectedDefect:
    """Run ``samples`` samples on a machine with the defect ``name`` and compare with the golden machine.

    With ``wave`` the sample of the first difference is recorded as a VCD.
    """
    if name not in DEFECTS:
        raise BadInput(f"there is no defect {name!r}{suggest(name, tuple(DEFECTS))}; --break list shows them.")
    chosen = find(backend)
    chosen.check(defects=True)
    defect, program = DEFECTS[name], compile_config(config)
    if config.machine.kind.array and defect.file == "hw/row_engine.py":
        raise BadInput(f"the defect {name} is in the row engine, which machine.tile {config.machine.tile!r} does not "
                       "have; use a preset with tile 'rows'.")
    preflight(backend, build)
    announce = not reporter.console.quiet
    task = task_of(program)
    job = replace(job_of(program, task, entry, samples, task.image()), hashes=chosen.hashes)
    reporter.say(f"{defect.file}, one line changed: {defect.meaning} ...")
    expected = golden.run(job)
    try:
        model = chosen.prepare(program, build, announce, defect=defect)
        rtl = chosen.run(job, model)
    except (BadInput, MissingTool):
        raise  # of this computer: nothing about the defect was found
    except HebbarError as error:
        return InjectedDefect(name, defect, samples, None, f"the machine did not finish: {error}", None)
    comparison = compared(job, expected, rtl, lambda: chosen.writes(job, model))
    waveform = None
    if comparison.first and wave:
        reporter.say(f"{comparison.first} recording its waveform ...")
        waveform = record(job, expected, comparison.first, folder, defect, build)
    return InjectedDefect(name, defect, samples, comparison, "", waveform)
