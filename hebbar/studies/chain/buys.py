"""What gaps, the wide pass and second places of inputs buy, each alone and together: cycles, LUTs, clock."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from hebbar.compiler.config import Config, load
from hebbar.compiler.cycles import Cycles
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure
from hebbar.synth.design import of_machine
from hebbar.synth.process import beating

from ..clock import SEEDS
from .builds import built
from .cells import without_gaps

__all__ = ["BUILDS", "Build", "measure"]

PRESET = "tiny"
ENOUGH = {"neuron_words": 11}
"""What the network of PRESET takes, so that its input has one place; the preset as it is has room for two."""


@dataclass(frozen=True)
class Build:
    """A machine and the schedule of its program. ``gaps``: it chains and pipelines; ``wide``: a sweep without weights
    takes as many neurons in a cycle as there are lanes; ``places``: the memory has room for second places of inputs,
    which take gaps: an input moves there beside sweeps that do not drain."""

    gaps: bool = False
    wide: bool = False
    places: bool = False

    @property
    def name(self) -> str:
        """What it has."""
        has = [name for name, there in (("gaps", self.gaps), ("wide pass", self.wide), ("second places", self.places))
               if there]
        return ", ".join(has) or "none of them"

    def config(self, preset: str) -> Config:
        """The experiment of a preset on it."""
        found = load(preset).replace(rule={"schedule": "pipelined" if self.gaps else "drained"})
        wide = {"neuron_rows": found.machine.lanes} if self.wide else {}
        return found.replace(machine=wide | ({} if self.places else ENOUGH))


BUILDS = (Build(), Build(gaps=True), Build(wide=True), Build(gaps=True, wide=True), Build(gaps=True, places=True),
          Build(gaps=True, wide=True, places=True))
"""All builds that there are: without gaps nothing goes on beside an input."""


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """Cycles of a sample by the cycle model, LUTs of every build, and the median clock of its placements; ``quick``:
    of one that is not routed, for the build without and with all. ``folder`` is unused: placements are found again in
    the folder of builds."""
    return [figure for build in (BUILDS[:1] + BUILDS[-1:] if quick else BUILDS) for figure in _rows(
        build, quick, reporter)]


def _rows(build: Build, quick: bool, reporter: Reporter) -> Iterator[Figure]:
    name, config = f"{PRESET} with {build.name}", build.config(PRESET)
    taken = sum(Cycles(compile_config(config)).each("train").values())
    yield Figure(f"cycles a sample, {name}", taken, "table", "", None)
    with beating(reporter, f"elaborating {name}"):
        design = (of_machine if build.gaps else without_gaps)(config.machine)
    rows, clock = built(name, design, "table", SEEDS[quick], quick, reporter)
    yield from rows
    if clock:
        yield Figure(f"samples a second, {name}", round(1e6 * clock.median / taken), "table", "", None)
