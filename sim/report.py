"""Tables on the terminal."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table

from hebbar.counters import CYCLES

from .compare import Comparison

if TYPE_CHECKING:
    from .experiment import Outcome

__all__ = ["Figure", "print_outcome", "print_comparison", "print_figures"]


@dataclass(frozen=True)
class Figure:
    """A measured figure beside its target; ``met`` is None where there is nothing to meet."""

    figure: str
    value: Any
    target: str
    unit: str
    met: bool | None

    def record(self) -> dict[str, Any]:
        return {"figure": self.figure, "value": self.value, "target": self.target,
                "unit": self.unit, "met": self.met}


def print_outcome(outcome: "Outcome") -> None:
    """The main job's result in one short table."""
    r, table = outcome.result(), Table(title=f"{outcome.config.name}: {outcome.config.rule.name}")
    for column, justify in (("figure", "left"), ("value", "right"), ("", "left")):
        table.add_column(column, justify=justify)
    rows = [
        ("accuracy, float64", f"{100 * r['accuracy_float']:.2f} %", "final epoch, test set"),
        ("accuracy, fixed point", f"{100 * r['accuracy_fixed']:.2f} %", "golden machine"),
        ("accuracy, RTL", f"{100 * r['accuracy_rtl']:.2f} %", "test set on the Verilog"),
        ("samples replayed", f"{r['samples_replayed']:,}", "training, every step recorded"),
        ("words compared", f"{r['compared_words']:,}", "states, errors, activities, weights"),
        ("weights changed", f"{r['nonzero_updates']:,}", "nonzero updates among them"),
        ("mismatches", f"{r['mismatches']:,}", "RTL against golden"),
        ("cycles a sample", f"{r['cycles_per_sample']:.1f}", "training, host stalls left out"),
        ("minimum", f"{r['minimum_cycles']:.1f}", f"{r['minimum_visits']:,} weight visits / lanes"),
        ("", "", ", ".join(f"{n} {r[f'cycles_{n}']:.1f}" for n in
                           CYCLES))]
    for row in rows:
        table.add_row(*row)
    Console().print(table)


def print_comparison(comparison: Comparison) -> None:
    """Words and mismatches by signal."""
    table = Table()
    for column in ("signal", "words", "mismatches"):
        table.add_column(column, justify="left" if column == "signal" else "right")
    for name, words in comparison.words.items():
        table.add_row(name, f"{words:,}", f"{comparison.mismatches[name]:,}")
    Console().print(table)


def print_figures(figures: list[Figure]) -> None:
    """Figure, measured, target, met."""
    table = Table()
    for column in ("figure", "measured", "unit", "target", "met"):
        table.add_column(column, justify="right" if column == "measured" else "left",
                         overflow="fold")
    words = {True: "yes", False: "NO", None: "-"}
    for f in figures:
        value = f"{f.value:,.5g}" if isinstance(f.value, float) else str(f.value)
        table.add_row(f.figure, value, f.unit, f.target, words[f.met])
    Console().print(table)
