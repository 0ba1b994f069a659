"""Rows of ``hebbar bench costs`` that need a Liberty file: tier C against OpenSTA, and against tier A on the tile."""

from dataclasses import replace
from pathlib import Path

from golden.learning.tasks import task_of
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure
from hebbar.energy.estimate import estimate
from hebbar.energy.registers import register_bits
from hebbar.energy.technology import load_technology
from hebbar.synth.design import of_component
from hebbar.synth.gates import fixed, map_flat, power, read_library
from hebbar.synth.gates.opensta import as_opensta, opensta_power
from hebbar.synth.gates.slews import loads
from hebbar.synth.gates.tile import tile_energy
from sim.simulate import job_of, run_backend

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


IN_THE_TILE = ("FWD ", "TRN ", "UPD ", "identity ")
"""What begins the names of tier A's arithmetic in the tile."""


def tiers(liberty: Path, technology: str, folder: Path, reporter: Reporter) -> list[Figure]:
    """The tile of ``tiny`` over a training sample, without its memory of weights: tier A in a technology, tier C in a
    library, each by arithmetic and by registers, of which tier C's have clock and FIFOs."""
    config = load("tiny")
    program = compile_config(config)
    task = task_of(program)
    job = replace(job_of(program, task, "train", 1, task.image()), steps=False)
    golden = run_backend(job, "golden")
    made = estimate(program, golden.counters, 1, load_technology(technology), exits=golden.decisions.tolist())
    rows = {row.component: row for row in made.rows}
    bits = register_bits(program.machine)
    datapath = rows["registers of the datapath"]
    cycles = datapath.count / sum(n for block, n in bits.items() if block not in ("bus", "counters"))
    registers = datapath.each.typical * bits["tile"] * cycles
    fifos = sum(row.sample.typical for name, row in rows.items() if name in ("word FIFO", "error FIFO"))
    arithmetic = sum(row.sample.typical for name, row in rows.items() if name.startswith(IN_THE_TILE))
    library = read_library(liberty)
    gates = tile_energy(job, liberty, library, folder, reporter)
    clocked = gates.power.registers + loads(gates.netlist)[gates.netlist.clock] * library.volt ** 2
    whole = gates.power.dynamic * gates.cycles * 1e12
    stored = clocked * gates.cycles * 1e12
    name = f"tile of tiny, a training sample, {technology} and {library.name}"
    return [
        Figure(f"{name}: tier A", round((registers + fifos + arithmetic) / 1000, 2), "printed", "nJ", None),
        Figure(f"{name}: tier C", round(whole / 1000, 2), "printed", "nJ", None),
        Figure("- tier C over tier A", round(whole / (registers + fifos + arithmetic), 2), "printed", "times", None),
        Figure(f"- registers, FIFOs and clock, {bits['tile']} bits of tier A, {gates.flip_flops} flip-flops of tier C: "
               "tier C over tier A", round(stored / (registers + fifos), 2), "printed", "times", None),
        Figure("- all other gates: tier C over tier A's arithmetic", round((whole - stored) / arithmetic, 2), "printed",
               "times", None),
        Figure("- flip-flops and clock, part of tier C", round(100 * stored / whole, 1), "printed", "%", None),
        Figure("- a flip-flop and its part of the clock, a cycle, tier C", round(clocked * 1e15 / gates.flip_flops, 2),
               "printed", "fJ", None),
        Figure("- a bit of a register, a cycle, tier A", round(datapath.each.typical * 1e3, 2), "printed", "fJ", None)]
