"""``report.html``: everything about one run in one file that needs no other."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
import tomli_w
from matplotlib.figure import Figure

from hebbar.console import Reporter
from hebbar.errors import HebbarError
from hebbar.files import output_folder, versions, write_text

from ..energy import Estimate, estimate, load_technology
from ..energy.technology import Range
from . import figures, waveform
from .folder import RunFolder
from .replay import Replay
from .svg import inline, save

__all__ = ["write_report"]

HERE = Path(__file__).parent

NO_MANIFEST = ("The folder holds no manifest.json, so there are no hashes of the files; run hebbar run "
               "again to have them.")


@dataclass
class Section:
    """One part of the page: a figure if it could be made, values for its tables, and remarks where
    something is missing."""

    figure: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)

    @classmethod
    def missing(cls, why: str) -> "Section":
        """A section of one remark."""
        return cls(remarks=[why])


def write_report(folder: Path, reporter: Reporter, sample: int = 0, wave: bool = True,
                 technology: str = "cmos45") -> Path:
    """Read the run in ``folder`` and write ``report.html`` and ``figures/*.svg`` into it.

    ``sample``: the training sample of the waveform, also drawn alone in the network energy.
    ``wave``: record its waveform when the run left none (needs Verilator). Raises BadInput when
    the folder holds no run; anything else that is missing becomes a remark on the page.
    """
    run = RunFolder.read(folder)
    page = _Page(run, Replay(run, sample, reporter), reporter, output_folder(folder / "figures"))
    sections = {
        "learning": page.section(page.learning), "comparison": page.section(page.comparison),
        "network": page.section(page.network), "cycles": page.section(page.cycles),
        "energy": page.section(lambda: page.energy(technology)),
        "wave": page.section(lambda: page.wave(wave)), "again": page.section(page.again)}
    text = _template().render(run=run, result=run.result, sample=sample, style=(HERE / "style.css").read_text(),
                              folder=folder, **sections)
    target = folder / "report.html"
    write_text(target, text.lstrip())
    return target


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"percent": lambda x: f"{100 * x:.2f} %", "count": lambda x: f"{x:,}",
                            "pj": _pj}
    return environment.get_template("template.html")


def _pj(energy: float) -> str:
    """pJ with three significant digits, grouped."""
    return f"{energy:,.0f}" if energy >= 1000 else f"{energy:.3g}" if energy < 100 else f"{energy:.0f}"


class _Page:
    """Makes the sections of one run."""

    def __init__(self, run: RunFolder, replay: Replay, reporter: Reporter, figures_folder: Path) -> None:
        self._run, self._replay, self._reporter = run, replay, reporter
        self._folder = figures_folder

    def section(self, make: Callable[[], Section]) -> Section:
        """The section, or a remark saying why there is none."""
        try:
            return make()
        except HebbarError as error:
            return Section.missing(str(error))

    def _figure(self, name: str, figure: Figure, label: str) -> str:
        return inline(save(figure, self._folder / f"{name}.svg"), name, label)

    def learning(self) -> Section:
        r = self._run.result
        if not r.get("curve_float") or not r.get("curve_fixed"):
            return Section.missing("result.json holds no curve_float and curve_fixed; run hebbar run "
                                    "again to have the curves.")
        figure = figures.learning_curves(r["curve_float"], r["curve_fixed"], r.get("accuracy_rtl"))
        return Section(self._figure("learning", figure, "Accuracy after every epoch, float64 against "
                                    "fixed point"))

    def comparison(self) -> Section:
        rows = [(part, name, *(counts if len(counts) == 2 else (counts[0], None)))
                for part, signals in self._run.comparison.items() for name, counts in signals.items()]
        remarks = [] if "comparison" in self._run.result else [
            "result.json holds no mismatches by signal; only the words are shown."]
        return Section(values={"rows": rows}, remarks=remarks)

    def network(self) -> Section:
        replay, network = self._replay, self._run.program.layout.network
        energies, references = replay.energies(), replay.references()
        if not energies.shape[1]:
            return Section.missing(f"The schedule of rule {self._run.config.rule.name!r} never holds the errors of all "
                                    "populations at one time, so there is no energy to show.")
        references, shown = references[:, :energies.shape[1]], replay.shown
        figure = figures.network_energy(energies, references, [p.name for p in network.predicted],
                                        shown.index(replay.sample), replay.sample)
        total = energies.sum(2).mean(0)
        values = {"first": total[0], "last": total[-1], "steps": len(total) - 1,
                  "shown": (shown[0], shown[-1]), "reference": bool(references.size)}
        rule = self._run.config.rule.name
        remarks = {"zil": "Z-IL runs as a wavefront: after step 0 the machine recomputes only the errors "
                          "its next update uses, so there is no energy of later steps.",
                   "backprop": "Backprop has no inference; step 0 is the loss of the forward pass."}
        return Section(self._figure("network_energy", figure, "Network energy over inference steps"),
                       values, [remarks[rule]] if rule in remarks else [])

    def cycles(self) -> Section:
        cycles, minimum = self._run.cycles, self._run.result.get("minimum_cycles")
        if not cycles:
            return Section.missing("result.json holds no cycles by cause; run hebbar run again.")
        figure = figures.cycle_causes(cycles, minimum)
        total = sum(cycles.values())
        return Section(self._figure("cycles", figure, "Cycles a training sample by cause"),
                       {"cycles": cycles, "total": total, "minimum": minimum,
                        "ratio": total / minimum if minimum else None})

    def energy(self, technology: str) -> Section:
        counters, samples = self._run.counters, self._run.replayed
        if not counters or not samples:
            return Section.missing("result.json holds no counters of the replay; run hebbar run again "
                                    "to have the energy.")
        self._reporter.say("energy: counting the register bits of the RTL ...")
        made = estimate(self._run.program, counters, samples, load_technology(technology), exits=self._run.decisions)
        figure = figures.component_energy(made)
        return Section(self._figure("energy", figure, "Energy a sample by component"), _energy(made))

    def wave(self, wanted: bool) -> Section:
        path = self._run.waveform
        difference = self._run.difference
        if path is None:
            if not wanted:
                return Section.missing(f"No waveform was asked for; hebbar report {self._run.path} "
                                        "--wave records one (with Verilator, up to a minute).")
            path = self._replay.waveform()
        waves = waveform.load(path)
        at = waveform.moment(waves, difference)
        return Section(self._figure("waveform", waveform.draw(waves, at), "Waveforms around the moment"),
                       {"why": at.why, "cycle": at.cycle, "file": path.name, "cycles": waves.cycles})

    def again(self) -> Section:
        run, manifest = self._run, self._run.manifest
        remarks = [] if manifest else [NO_MANIFEST]
        used = manifest.get("versions") or run.result.get("versions") or {}
        now = {n: v for n, v in versions().items() if n in used}
        changed = [n for n, v in now.items() if used[n] != v]
        if changed:
            remarks.append(f"This report was made with another version of {', '.join(changed)} than "
                           "the run; the energies and figures above are of the present version.")
        return Section(values={
            "seed": manifest.get("seed", run.result.get("seed")), "git": manifest.get("git"),
            "versions": used, "files": manifest.get("files", {}),
            "config": tomli_w.dumps(run.config.model_dump(mode="json", exclude_none=True))}, remarks=remarks)


def _energy(made: Estimate) -> dict[str, Any]:
    """What the energy section's tables show."""
    named = {"a training sample": made.sample, f"an inference step (a sample / {made.passes:g})": made.step,
             "a weight read": made.weight}
    totals: list[tuple[str, Range]] = [(name + made.scope, value) for name, value in named.items()]
    return {"technology": made.technology, "scope": made.scope, "left_out": made.left_out, "totals": totals, "shares": made.shares,
            "passes": f"{made.passes:g}", "rows": sorted(made.rows, key=lambda r: -r.sample.typical),
            "unverified": made.unverified}
