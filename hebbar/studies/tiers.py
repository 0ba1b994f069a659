"""Energy of a training sample by three tiers in one layout: exact counts times a table (A), transitions that Verilator
counts times what a gate behind a net takes (B), gates at work (C).

A part of the machine is a module of its RTL. A table prices no gates but arithmetic, mapped gates do not say which of
them are arithmetic, and neither B nor C prices memories that are macros.
"""

from collections import defaultdict
from pathlib import Path

from golden.trace import Job
from hebbar.contract.console import Reporter
from hebbar.contract.counters import CYCLES
from hebbar.contract.errors import BadInput
from hebbar.contract.files import BUILD
from hebbar.energy.estimate import Estimate, estimate
from hebbar.energy.registers import register_bits
from hebbar.energy.technology import load_technology
from hebbar.report.tier_table import COLUMNS, PARTS, Tier
from hebbar.synth.asic import LEAST_WORDS
from hebbar.synth.gates import read_library
from hebbar.synth.gates.slews import loads
from hebbar.synth.gates.tile import TileEnergy, tile_energy
from hebbar.synth.toggles import KINDS, cells_of, counted
from sim.backends import golden

__all__ = ["ARITHMETIC", "GATES", "STORED", "tier_a", "tier_b", "tier_c"]

STORED, ARITHMETIC, _ = KINDS
GATES, MEMORIES = COLUMNS[3:]
_PART = {"tile": PARTS[0], "neuron": PARTS[1], "energy": PARTS[1], "separation": PARTS[1], "sequencer": PARTS[2],
         "bus": PARTS[3], "counters": PARTS[3], "streamer": PARTS[3], "top": PARTS[3]}
"""Parts by the module of the RTL; all others hold memories."""
IN_THE_TILE = ("FWD ", "TRN ", "UPD ", "identity ")
"""What begins the names of tier A's arithmetic in the tile."""
FIFOS = ("word FIFO", "error FIFO")
MOST_CYCLES = 20_000
"""Beyond that gates, which take a second for about a hundred cycles, would take long."""


def tier_a(job: Job, technology: str) -> Tier:
    """Exact counts times a table."""
    table, trace = load_technology(technology), golden.run(job)
    made = estimate(job.program, trace.counters, job.count, table, exits=trace.decisions.tolist())
    cycles = sum(trace.counters[name] for name in CYCLES) / job.count
    return Tier("A", table.name, "exact counts, golden = RTL, times a sourced table",
                "gates that choose and control, wires, clock tree, leakage", _of_table(made, job, cycles), cycles)


def _of_table(made: Estimate, job: Job, cycles: float) -> dict[tuple[str, str], float]:
    """Components by part and column; FIFOs of the tile belong to its flip-flops, which synthesis makes of them."""
    found: defaultdict[tuple[str, str], float] = defaultdict(float)
    rows = {row.component: row for row in made.rows}
    for block, bits in register_bits(job.program.machine).items():
        found[_part(block), STORED] += rows["registers of the datapath"].each.typical * bits * cycles
    for name, row in rows.items():
        part = PARTS[0] if name.startswith(IN_THE_TILE) else PARTS[1]
        if row.group == "arithmetic":
            found[part, ARITHMETIC] += row.sample.typical
        elif name in FIFOS:
            found[PARTS[0], STORED] += row.sample.typical
        elif not name.startswith("registers "):
            found[PARTS[4], MEMORIES] += row.sample.typical
    return dict(found)


def tier_b(job: Job, liberty: Path, reporter: Reporter, build: Path = BUILD) -> Tier:
    """Transitions of the RTL times the cells of a library; raises MissingTool without Verilator."""
    library = read_library(liberty)
    run, found = counted(job, reporter, build), defaultdict[tuple[str, str], float](float)
    for (block, kind), joule in run.joule(cells_of(library)).items():
        found[_part(block), kind] += joule * 1e12 / job.count
    return Tier("B", library.name, "transitions of every net of the RTL, counted by Verilator, times cells of the "
                "library", f"memories of {LEAST_WORDS} words or more, glitches, wires, clock tree, leakage",
                dict(found), run.cycles / job.count, run.bits)


def tier_c(job: Job, liberty: Path, folder: Path, reporter: Reporter) -> tuple[Tier, TileEnergy]:
    """Gates of the tile, with what they are made of; raises BadInput for a tile that has no gates of its own or a run
    that would take hours."""
    if job.program.machine.kind.macro:
        raise BadInput("tier C prices gates, and the tile of this machine is an analog macro; give --tier A or B.")
    cycles = sum(golden.run(job).counters[name] for name in CYCLES)
    if cycles > MOST_CYCLES:
        raise BadInput(f"tier C would simulate gates over {cycles:,} cycles; give fewer --samples or a smaller "
                       f"machine, at most {MOST_CYCLES:,} cycles.")
    library = read_library(liberty)
    gates = tile_energy(job, liberty, library, folder, reporter)
    clocked = gates.power.registers + loads(gates.netlist)[gates.netlist.clock] * library.volt**2
    pj = gates.cycles * 1e12 / job.count
    return Tier("C", library.name, "gates of the tile mapped to the library, simulated over the run",
                "everything but the tile, its memory of weights, glitches, wires, clock tree, leakage",
                {(PARTS[0], STORED): clocked * pj, (PARTS[0], GATES): (gates.power.dynamic - clocked) * pj},
                gates.cycles / job.count), gates


def _part(block: str) -> str:
    return _PART.get(block, PARTS[4])
