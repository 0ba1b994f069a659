"""Rows of ``hebbar bench costs`` that need a Liberty file: tier C against OpenSTA."""

from pathlib import Path

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure
from hebbar.synth.design import of_component
from hebbar.synth.gates import fixed, map_flat, power, read_library
from hebbar.synth.gates.opensta import as_opensta, opensta_power

__all__ = ["against_opensta"]

RATE, MHZ = 0.2, 100.0
"""Transitions a cycle of every net, and the clock at which leakage counts."""


def against_opensta(liberty: Path, folder: Path, reporter: Reporter) -> list[Figure]:
    """The energy sum of one row, mapped to a library: power at a fixed activity by tier C and by OpenSTA.

    No rows where OpenSTA is not installed.
    """
    from hw.energy_sum import EnergySum

    reporter.say("power of the energy sum by tier C and by OpenSTA ...")
    library = read_library(liberty)
    machine = load("tiny").machine.model_copy(update={"row_tiles": 1, "energy": True})
    netlist = map_flat(of_component(EnergySum(machine), "energy_sum"), liberty, library, folder, reporter)
    theirs = opensta_power(netlist, liberty, RATE, MHZ, folder, reporter)
    if theirs is None:
        return []
    activity, hertz = fixed(netlist, RATE), MHZ * 1e6
    alike, ours = power(netlist, library, activity, as_opensta), power(netlist, library, activity)
    off = (alike.cycle(hertz) - alike.ports) / theirs.cycle(hertz) - 1
    name = f"tier C, {len(netlist.instances)} cells of {library.name}"
    return [
        Figure(f"{name}: power against OpenSTA, tables weighed as its version does", round(100 * off, 2),
               "within 10", "%", abs(off) <= 0.1),
        *(Figure(f"- {part}", round(100 * (one / other - 1), 2), "printed", "%", None) for part, one, other in (
            ("inside cells", alike.internal, theirs.internal),
            ("on nets", alike.switching - alike.ports, theirs.switching), ("leakage", alike.leakage, theirs.leakage))),
        Figure("- inside cells, tables weighed as Liberty defines them, over OpenSTA's",
               round(ours.internal / theirs.internal, 3), "printed", "times", None)]
