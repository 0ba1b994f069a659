"""Tables on the terminal."""

from typing import TYPE_CHECKING, Any

from rich.table import Table

from hebbar.contract.console import terminal
from hebbar.contract.counters import CYCLES
from hebbar.contract.results import Figure
from sim.compare import Comparison

from .numbers import grouped

if TYPE_CHECKING:
    from hebbar.energy import Estimate
    from hebbar.verify.equivalence import Proof
    from hebbar.verify.structure import Check as StructureCheck
    from sim.defects import Defect
    from sim.experiment import Outcome
    from sim.inject_defect import InjectedDefect
    from sim.training import Trained

SHOWN = 0.005
"""Share from which on a parameter that the machine rounds is shown beside the configured one."""

WIDE = 130
"""Columns of a terminal from which on sources are shown beside their figures."""

__all__ = ["print_outcome", "print_trained", "print_comparison", "print_figures", "print_defects",
           "print_injected", "print_energy", "print_checks", "print_proof"]


def print_outcome(outcome: "Outcome") -> None:
    """The main job's result in one short table."""
    r, table = outcome.result(), _table(f"{outcome.config.name}: {outcome.config.rule.name}")
    rows = [
        (f"{r['measure']}, float64", f"{100 * r['accuracy_float']:.2f} %", r["about"]),
        (f"{r['measure']}, fixed point", f"{100 * r['accuracy_fixed']:.2f} %", "golden machine"),
        (f"{r['measure']}, RTL", f"{100 * r['accuracy_rtl']:.2f} %", "the same on the Verilog"),
        ("samples replayed", f"{r['samples_replayed']:,}", "training, every step recorded"),
        ("words compared", f"{r['compared_words']:,}", "states, errors, activities, weights"),
        ("weights changed", f"{r['nonzero_updates']:,}", "nonzero updates among them"),
        ("mismatches", f"{r['mismatches']:,}", "RTL against golden"),
        ("cycles a sample", f"{r['cycles_per_sample']:.1f}", "training, host stalls left out"),
        ("minimum", f"{r['minimum_cycles']:.1f}", f"{r['minimum_visits']:,.0f} weight visits / multipliers")
        if r["minimum_cycles"] is not None else ("minimum", "-", "the rule declares no visits"),
        ("", "", ", ".join(f"{n} {r[f'cycles_{n}']:.1f}" for n in
                           CYCLES)),
        *((p["key"], f"{p['used']:.5g}", f"configured {p['configured']:.5g}, {100 * p['difference']:+.2g} %")
          for p in r["parameters"] if abs(p["difference"]) > SHOWN),
        *_health_rows(r)]
    for row in rows:
        table.add_row(*row)
    terminal().print(table)
    _print_warnings(r)


def _health_rows(result: dict[str, Any]) -> list[tuple[str, str, str]]:
    """What was clipped in the training, and the weights at an end of their format."""
    shares, bound = result["saturation_shares"], result["weights_at_bound"]
    return [("values clipped", f"{sum(sum(s.values()) for s in result['saturations']):,}",
             "of an epoch at most " + ", ".join(f"{name} {100 * share:.2g} %" for name, share in shares.items())),
            ("weights at bound", f"{100 * max(bound.values()):.2g} %",
             ", ".join(f"{edge} {100 * share:.2g} %" for edge, share in bound.items()))]


def _print_warnings(result: dict[str, Any]) -> None:
    for sentence in result["warnings"]:
        terminal(highlight=False, soft_wrap=True).print(f"warning: {sentence}")


def print_comparison(comparison: Comparison) -> None:
    """Words and mismatches by signal."""
    table = Table()
    for column in ("signal", "words", "mismatches"):
        table.add_column(column, justify="left" if column == "signal" else "right")
    for name, words in comparison.words.items():
        table.add_row(name, f"{words:,}", f"{comparison.mismatches[name]:,}")
    terminal().print(table)


def print_figures(figures: list[Figure]) -> None:
    """Figure, measured, target, met."""
    table = Table()
    for column in ("figure", "measured", "unit", "target", "met"):
        table.add_column(column, justify="right" if column == "measured" else "left",
                         overflow="fold")
    words = {True: "yes", False: "NO", None: "-"}
    for f in figures:
        value = grouped(f.value, 5) if isinstance(f.value, float) else str(f.value)
        table.add_row(f.figure, value, f.unit, f.target, words[f.met])
    terminal().print(table)


def print_trained(trained: "Trained") -> None:
    """A training on the RTL in one short table."""
    r, table = trained.result(), _table(f"{trained.config.name}: {trained.config.rule.name}, trained on the RTL")
    pace = r["samples_here"] / r["seconds"] if r["seconds"] else 0.0
    for row in (
            (r["measure"], f"{100 * r['accuracy']:.2f} %", f"{r['about']}, on the RTL"),
            ("epochs", str(r["curve_epochs"][-1]), f"of {trained.task.count:,} samples"),
            ("words compared", f"{r['compared_words']:,}", "states, errors, activities, weights, outputs, counters"),
            ("mismatches", f"{r['mismatches']:,}",
             f"RTL against golden, {'every write' if 'decisions' in trained.state.words else 'at every barrier'}"),
            ("cycles a sample", f"{r['cycles_per_sample']:.1f}", "training, host stalls left out"),
            *_health_rows(r),
            ("pace", f"{pace:,.0f} samples/s", f"{r['seconds']:.1f} s, comparison and tests included"),
            ("fingerprint", r["fingerprint"][:16], "of final weights, accuracies and counts")):
        table.add_row(*row)
    terminal().print(table)
    _print_warnings(r)


def print_defects(defects: "dict[str, Defect]") -> None:
    """Names and meanings of the defects that can be planted."""
    table = Table()
    for column in ("--break", "what it does", "where"):
        table.add_column(column, overflow="fold")
    for name, defect in defects.items():
        table.add_row(name, defect.meaning, defect.file)
    terminal().print(table)


def print_injected(found: "InjectedDefect") -> None:
    """What the comparison says of a planted defect."""
    console = terminal(highlight=False, soft_wrap=True)
    console.print(f"{found.defect.file}: {found.defect.meaning}\n  was      {found.defect.old}\n"
                  f"  becomes  {found.defect.new or '(nothing)'}")
    if found.comparison:
        print_comparison(found.comparison)
    console.print(f"FOUND: {found.sentence}" if found.found else "NOT FOUND")
    if found.waveform:
        console.print(f"waveform of that sample: {found.waveform}")


def print_energy(found: "Estimate") -> None:
    """Energy a sample by component, its range and where it comes from."""
    console = terminal()
    wide = console.width >= WIDE
    table = Table(title=f"energy of training{found.scope}, tier A, {found.technology.name}, nJ a sample")
    for column in ("component", "events a sample", "low", "typical", "high", *(["from"] if wide else [])):
        table.add_column(column, justify="left" if column in ("component", "from") else "right", overflow="fold")
    for row in sorted(found.rows, key=lambda r: -r.sample.typical):
        table.add_row(row.component, f"{row.count / found.samples:,.0f}", *(f"{pj / 1000:.3f}" for pj in row.sample),
                      *([row.source] if wide else []))
    table.add_section()
    for name, value in (("a sample", found.sample), (f"an inference step (1 of {found.passes:g})", found.step)):
        table.add_row(name + found.scope, "", *(f"{pj / 1000:.2f}" for pj in value))
    console.print(table)
    if not wide:
        console.print("where each comes from: in result.json, or here on a wider terminal")
    console.print(f"typical shares{found.scope}: " + ", ".join(f"{n} {100 * s:.0f} %" for n, s in found.shares.items()))
    if found.basis:
        console.print(f"counts: {found.basis}")
    console.print("left out: " + "; ".join(found.left_out))
    for name, why in found.unverified.items():
        console.print(f"* {name}: {why}")


def print_checks(checks: "list[StructureCheck]") -> None:
    """What was expected of the Verilog, and what is there."""
    table = Table()
    for column in ("check", "expected", "found", ""):
        table.add_column(column, overflow="fold")
    for c in checks:
        table.add_row(c.name, str(c.expected), str(c.found), "ok" if c.passed else "WRONG")
    terminal().print(table)


def print_proof(proof: "Proof") -> None:
    """Equivalence cells proven by module, and what the negative control left open."""
    table = Table(title="RTLIL = Verilog")
    for column in ("module", "bits", "proven"):
        table.add_column(column, justify="left" if column == "module" else "right")
    for m in proof.modules:
        table.add_row(m.name, f"{m.total:,}", f"{m.proven:,}")
    table.add_section()
    table.add_row("all", f"{proof.total:,}", f"{proof.proven:,}")
    table.add_row(f"control: {proof.control.name}, one operator changed", f"{proof.control.total:,}",
                  f"{proof.control.proven:,}")
    terminal().print(table)
    terminal().print(f"first values of {proof.registers:,} registers agree; {proof.seconds:.1f} s. The control must "
                    "not be proven as a whole.")


def _table(title: str) -> Table:
    """Figure, value, remark."""
    table = Table(title=title)
    table.add_column("figure")
    table.add_column("value", justify="right")
    table.add_column("")
    return table
