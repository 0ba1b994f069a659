"""The sections of a run's page: figures, the values of their tables, remarks where something is missing."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w
from matplotlib.figure import Figure

from golden.learning.weights import load_weights
from hebbar.contract.console import Reporter
from hebbar.contract.counters import UNCOUNTED
from hebbar.contract.errors import HebbarError
from hebbar.contract.files import versions
from hebbar.energy import Estimate, estimate
from hebbar.energy.technology import Range, Technology

from . import drawings, figures, waveform
from .folder import RunFolder
from .replay import Replay
from .svg import inline, save

__all__ = ["Page", "Section"]

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


class Page:
    """Makes the sections of one run."""

    def __init__(self, run: RunFolder, replay: Replay, reporter: Reporter, figures_folder: Path,
                 clock_mhz: float) -> None:
        self._run, self._replay, self._reporter = run, replay, reporter
        self._folder, self._clock_mhz = figures_folder, clock_mhz

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
        keys = {"float64": "curve_float", "fixed point": "curve_fixed"}
        curves = {name: r[key] for name, key in keys.items() if r.get(key)}
        if "fixed point" not in curves:
            return Section.missing("result.json holds no curve_fixed; run hebbar run again to have the curves.")
        epochs = r.get("curve_epochs") or list(range(1, len(curves["fixed point"]) + 1))
        figure = figures.learning_curves(curves, epochs, r.get("accuracy_rtl"), self._run.measure)
        best = max(range(len(epochs)), key=lambda i: curves["fixed point"][i])
        return Section(self._figure("learning", figure, f"{self._run.measure} after every epoch"),
                       {"best": epochs[best], "best_value": curves["fixed point"][best], "last": epochs[-1],
                        "last_value": curves["fixed point"][-1], "float": "float64" in curves},
                       [str(sentence) for sentence in r.get("warnings", [])])

    def system(self) -> Section:
        net = self._run.config.configured_network()
        shared = len(self._run.program.layout.network.populations) - len(net.populations)
        added = [f"The rule adds {shared} populations of its own, which are not drawn."] if shared else []
        return Section(self._figure("system", drawings.network(net), "Populations and edges of the network"),
                       {"populations": len(net.populations), "edges": len(net.edges), "added": " ".join(added)})

    def answers(self) -> Section:
        counts = self._run.result.get("confusion")
        if not counts:
            return Section()
        return Section(self._figure("confusion", drawings.confusion(counts), "Answers by right class"),
                       {"samples": sum(map(sum, counts))})

    def weights(self) -> Section:
        path, r = self._run.weights, self._run.result
        clipped, bound = r.get("saturations"), r.get("weights_at_bound") or {}
        totals = {kind: sum(epoch[kind] for epoch in clipped) for kind in clipped[0]} if clipped else {}
        values = {"clipped": totals, "shares": r.get("saturation_shares") or {}, "bound": bound,
                  "dead": r.get("dead_units") or {}}
        if path is None:
            return Section("", values, ["The folder holds no weights.npz; hebbar run and hebbar train leave one."])
        figure = drawings.weights(self._run.program.layout.network, load_weights(path))
        return Section(self._figure("weights", figure, "Final weights"), values)

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
                        "seconds": total / (1e6 * self._clock_mhz),
                        "ratio": total / minimum if minimum else None},
                       [] if self._run.program.machine.counters else [f"Counts: {UNCOUNTED}."])

    def energy(self, technology: Technology) -> Section:
        counters, samples = self._run.counters, self._run.replayed
        if not counters or not samples:
            return Section.missing("result.json holds no counters of the replay; run hebbar run again "
                                    "to have the energy.")
        self._reporter.say("energy: counting the register bits of the RTL ...")
        made = estimate(self._run.program, counters, samples, technology, exits=self._run.decisions)
        figure = figures.component_energy(made)
        return Section(self._figure("energy", figure, "Energy a sample by component"), _energy(made),
                       [f"Counts: {made.basis}."] if made.basis else [])

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
                       {"why": at.why, "cycle": at.cycle, "file": path.name, "cycles": waves.cycles,
                        "listing": waveform.listing(self._run.program, waves, at)})

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
    return {"technology": made.technology, "scope": made.scope, "left_out": made.left_out, "totals": totals,
            "shares": made.shares,
            "passes": f"{made.passes:g}", "rows": sorted(made.rows, key=lambda r: -r.sample.typical),
            "unverified": made.unverified}
