"""What a run costs, on the terminal: by component, by block and verb, at a clock, and technologies side by side."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from hebbar.contract.console import terminal
from hebbar.energy.splits import BLOCKS, VERBS

from .tables import print_energy

if TYPE_CHECKING:
    from hebbar.energy.run import Priced
    from hebbar.energy.technology import Range

__all__ = ["print_beside", "print_priced"]


def print_priced(found: "Priced") -> None:
    """Components, then blocks and verbs, then the operation and the area of one technology."""
    print_energy(found.estimate)
    if found.macro:
        terminal().print(_macro(found))
    terminal().print(_places(found))
    terminal().print(_operation(found))
    terminal().print(_arrays(found))


def _macro(found: "Priced") -> Table:
    """The parts of the analog macro, and the machine with it."""
    table = Table(title="the analog macro, nJ a sample")
    for column in ("part", "events a sample", "low", "typical", "high", "from"):
        table.add_column(column, justify="left" if column in ("part", "from") else "right", overflow="fold")
    for row in found.macro:
        table.add_row(row.component, f"{row.count / found.estimate.samples:,.0f}",
                      *(f"{pj / 1000:.3g}" for pj in row.sample), row.source)
    table.add_section()
    table.add_row("machine and macro", "", *(f"{pj / 1000:.4g}" for pj in found.whole), "")
    return table


def _places(found: "Priced") -> Table:
    """Typical nJ a sample, block by verb."""
    places = found.places
    verbs = [v for v in VERBS if any(verb == v for _, verb in places)]
    table = Table(title="typical nJ a sample, by block and verb")
    for column in ("block", *verbs, "all"):
        table.add_column(column, justify="left" if column == "block" else "right")
    for block in BLOCKS:
        cells = [places.get((block, verb)) for verb in verbs]
        if any(cells):
            table.add_row(block, *(f"{c.typical / 1000:.3f}" if c else "" for c in cells),
                          f"{sum(c.typical for c in cells if c) / 1000:.3f}")
    table.add_section()
    columns = [sum(e.typical for (_, v), e in places.items() if v == verb) for verb in verbs]
    table.add_row("all", *(f"{c / 1000:.3f}" for c in columns), f"{sum(columns) / 1000:.3f}")
    return table


def _arrays(found: "Priced") -> Table:
    """The products of FWD and TRN here and in other arrays."""
    inside = ("weight memory", "multipliers", "accumulators", "drivers", "array", "converters")
    own = sum(e.typical for (block, verb), e in found.places.items() if block in inside and verb != "UPD")
    table = Table(title="products of FWD and TRN alone, nJ a sample")
    for column in ("where", "low", "typical", "high"):
        table.add_column(column, justify="left" if column == "where" else "right")
    here = f"this machine, {found.estimate.technology.name}: weights, products, sums"
    table.add_row(here, "", f"{own / 1000:.4g}", "")
    for other in found.arrays:
        table.add_row(other.array.name, *(f"{pj / 1000:.3g}" for pj in other.sample))
    return table


def _operation(found: "Priced") -> str:
    op = found.operation
    return (f"tier A, exact counts times a table. At {op.clock_hz / 1e6:g} MHz: {op.latency_s * 1e6:,.3g} us and "
            f"{op.cycles:,.0f} cycles a sample, {op.throughput:,.0f} samples/s; {_watts(op.dynamic_w)} at work and "
            f"{_watts(op.leakage_w)} of leakage, which is not in the energies above; area "
            f"{_span(found.area_um2 * 1e-6, '.3g')} mm2 of operators, registers and memories, without wires: "
            + ", ".join(f"{block} {100 * a.typical / found.area_um2.typical:.0f} %" for block, a in
                        sorted(found.area.items(), key=lambda pair: -pair[1].typical)))


def _watts(value: "Range") -> str:
    return f"{_span(value * 1e3, '.3g')} mW"


def _span(value: "Range", shape: str) -> str:
    return f"{value.typical:{shape}} ({value.low:{shape}} to {value.high:{shape}})"


def print_beside(found: "Sequence[Priced]") -> None:
    """One line a technology: the same run, the same clock."""
    table = Table(title=f"the same run in {len(found)} technologies")
    for column in ("technology", "nJ a sample", "nJ a step", "mW at the clock", "mm2, without a macro"):
        table.add_column(column, justify="left" if column == "technology" else "right", overflow="fold")
    for p in found:
        e = p.estimate
        table.add_row(e.technology.name, _span(p.whole * 1e-3, ".4g"), _span(p.whole * (1e-3 / e.passes), ".3g"),
                      _span(p.operation.power_w * 1e3, ".3g"), _span(p.area_um2 * 1e-6, ".3g"))
    terminal().print(table)
