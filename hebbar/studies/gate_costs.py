"""Rows of ``hebbar bench costs`` that need a Liberty file: tier C against OpenSTA, and all tiers on the tile."""

from pathlib import Path

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure
from hebbar.energy.registers import register_bits
from hebbar.energy.run import job_for
from hebbar.energy.technology import load_technology
from hebbar.report.tier_table import Tier
from hebbar.synth.design import of_component
from hebbar.synth.gates import fixed, map_flat, power, read_library
from hebbar.synth.gates.opensta import as_opensta, opensta_power
from hebbar.synth.toggles import cells_of

from .operator_costs import OPERATORS, operator_pj
from .tiers import ARITHMETIC, GATES, STORED, tier_a, tier_b, tier_c

__all__ = ["against_opensta", "tiers"]

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


def tiers(liberty: Path, technology: str, folder: Path, reporter: Reporter) -> list[Figure]:
    """The tile of ``tiny`` over a training sample, without its memory of weights: tier A in a technology, tiers B and C
    in a library, what the gaps between them are made of, and the entries of the table beside gates."""
    job = job_for(load("tiny"), 1)
    a, b = tier_a(job, technology), tier_b(job, liberty, reporter)
    c, gates = tier_c(job, liberty, folder, reporter)
    library, bits = read_library(liberty), register_bits(job.program.machine)["tile"]
    each = c.sum("tile", STORED) / (gates.flip_flops * gates.cycles)
    name = f"tile of tiny, a training sample, {technology} and {library.name}"
    return [
        *(Figure(f"{name}: tier {t.name}", round(t.sum("tile") / 1000, 2), "printed", "nJ", None) for t in (a, b, c)),
        *(Figure(f"- tier {one.name} over tier {other.name}", round(one.sum("tile") / other.sum("tile"), 2), "printed",
                 "times", None) for one, other in ((b, a), (c, a), (b, c))),
        _less(c, a, STORED, f"{gates.flip_flops - bits} flip-flops of FIFOs and delays that A prices by the access"),
        _less(c, a, "gates", "A prices useful operations alone"),
        _less(b, c, STORED, f"{b.bits['tile'] - gates.flip_flops} of {b.bits['tile']} bits that synthesis drops"),
        _less(b, c, "gates", "B has one gate, adder or choice for an output bit of an operator"),
        Figure("- arithmetic: transitions of tier B over useful operations of tier A",
               round(b.sum("tile", ARITHMETIC) / a.sum("tile", ARITHMETIC), 2), "printed", "times", None),
        Figure("- gates: tier B over tier C", round((b.sum("tile") - b.sum("tile", STORED)) / c.sum("tile", GATES), 2),
               "printed", "times", None),
        Figure("- flip-flops and clock, part of tier C", round(100 * c.sum("tile", STORED) / c.sum("tile"), 1),
               "printed", "%", None),
        Figure("- a flip-flop and its part of the clock, a cycle, tier C", round(each * 1e3, 2), "printed", "fJ", None),
        *_table(technology, liberty, folder, reporter)]


def _less(one: Tier, other: Tier, column: str, cause: str) -> Figure:
    """What one tier has more than another in the tile, flip-flops or all else, with the cause."""
    stored = [tier.sum("tile", STORED) for tier in (one, other)]
    rest = [tier.sum("tile") - pj for tier, pj in zip((one, other), stored, strict=True)]
    more, less = stored if column == STORED else rest
    return Figure(f"- {one.name} less {other.name}, {column}: {cause}", round((more - less) / 1000, 2), "printed", "nJ",
                  None)


def _table(technology: str, liberty: Path, folder: Path, reporter: Reporter) -> list[Figure]:
    """Entries of the table against gates of the library that they come from."""
    table, library = load_technology(technology), read_library(liberty)
    reporter.say("adders and multipliers as gates ...")
    found = {name: operator_pj(name, liberty, library, folder, reporter) for name in OPERATORS}
    found["register_bit"] = cells_of(library).clock * 1e12
    off = {name: pj / table.entries[name].energy.typical - 1 for name, pj in found.items()}
    worst = max(off, key=lambda name: abs(off[name]))
    own = library.name.startswith("sg13g2")
    return [Figure(f"- entries of {technology} for adders, multipliers and a register bit against gates, largest "
                   f"difference ({worst})", round(100 * off[worst], 1), "within 5" if own else "printed", "%",
                   abs(off[worst]) <= 0.05 if own else None)]
