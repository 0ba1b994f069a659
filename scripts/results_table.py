"""Write the results tables of README and docs from benchmarks/results/; --check only compares."""

import json
import re
import sys
from pathlib import Path

from hebbar.contract.files import write_text
from hebbar.report.numbers import grouped

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGES = {"README.md": ("product", "strangers", "spine"), "docs/systems.md": ("rules",), "docs/analog.md": ("analog",),
         "docs/hardware.md": ("clock.cells", "costs"), "docs/integrate.md": ("kit",),
         "docs/depth.md": ("depth.gate", "depth.wind_up", "depth.accuracy", "depth.deeper", "depth.rtl", "depth.final",
                           "depth.exponent", "depth.window", "depth.mnist", "depth.rules", "depth.bits",
                           "depth.alignment"),
         "docs/architecture.md": ("chain",),
         "docs/studies.md": ("scale.training", "scale.peers"), "CONTRIBUTING.md": ("house",)}
MET = {True: "yes", False: "**no**", None: "-"}
GROUPS = {"mismatches": ("mismatches RTL against golden, largest of {} runs", max),
          "issue rate": ("issue rate, lowest of {} flag sets", min)}
LEFT_OUT = ("--break ", "golden machine, time to compile", "lines of ")
"""Rows that the file has and the table has not: sentences, and a time that depends on what the process ran before."""


def table(area: str) -> str:
    """The recorded figures as Markdown: runs of one kind in one row, details left to the file."""
    figures, rows = json.loads((RESULTS / f"{area}.json").read_text()), []
    for start, (title, worst) in GROUPS.items() if area == "spine" else ():
        if group := [f for f in figures if f["figure"].startswith(start)]:
            rows.append(group[0] | {"figure": title.format(len(group)), "value": worst(f["value"] for f in group),
                                    "met": all(f["met"] for f in group)})
    hidden = (*GROUPS, *LEFT_OUT) if area == "spine" else LEFT_OUT
    rows += [f for f in figures if not f["figure"].startswith(hidden) and not isinstance(f["value"], dict)]
    lines = ["| figure | measured | target | met |", "|---|---|---|---|"]
    for f in rows:
        name = re.sub(r" \(.*\)", "", f["figure"])
        value = grouped(f["value"], 4) if isinstance(f["value"], float) else \
            f["value"] if isinstance(f["value"], str) else f"{f['value']:,}"
        lines.append(f"| {name} | {value} {f['unit']} | {f['target']} | {MET[f['met']]} |")
    return "\n".join(lines) + "\n"


def filled(text: str, areas: tuple[str, ...]) -> str:
    """A page with every recorded table in its place."""
    for area in areas:
        begin, end = f"<!-- results {area} -->\n", f"<!-- /results {area} -->"
        head, rest = text.split(begin)
        text = head + begin + table(area) + end + rest.split(end)[1]
    return text


def main() -> int:
    """0 when the pages are up to date (or were written), 1 when --check finds another table."""
    for page, areas in PAGES.items():
        text = (ROOT / page).read_text()
        new = filled(text, areas)
        if "--check" not in sys.argv[1:]:
            write_text(ROOT / page, new)
        elif new != text:
            print(f"{page}: a results table is not the recorded one; run python scripts/results_table.py.",
                  file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
