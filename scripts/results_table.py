"""Write the README's results tables from benchmarks/results/; --check only compares."""

import json
import re
import sys
from pathlib import Path

from hebbar.files import write_text

ROOT = Path(__file__).parent.parent
RESULTS, README = ROOT / "benchmarks" / "results", ROOT / "README.md"
AREAS = ("product", "spine")
MET = {True: "yes", False: "**no**", None: "-"}
GROUPS = {"mismatches": ("mismatches RTL against golden, largest of {} runs", max),
          "issue rate": ("issue rate, lowest of {} flag sets", min)}
LEFT_OUT = ("--break ", "golden machine, time to compile")
"""In the file, not in the table: sentences, and a time that depends on what the process ran before."""


def table(area: str) -> str:
    """The recorded figures as Markdown: runs of one kind in one row, details left to the file."""
    figures, rows = json.loads((RESULTS / f"{area}.json").read_text()), []
    for start, (title, worst) in GROUPS.items():
        if group := [f for f in figures if f["figure"].startswith(start)]:
            rows.append(group[0] | {"figure": title.format(len(group)), "value": worst(f["value"] for f in group),
                                    "met": all(f["met"] for f in group)})
    rows += [f for f in figures if not f["figure"].startswith((*GROUPS, *LEFT_OUT))]
    lines = ["| figure | measured | target | met |", "|---|---|---|---|"]
    for f in rows:
        name = re.sub(r" \(.*\)", "", f["figure"])
        value = f"{f['value']:.4g}" if isinstance(f["value"], float) else f"{f['value']:,}"
        lines.append(f"| {name} | {value} {f['unit']} | {f['target']} | {MET[f['met']]} |")
    return "\n".join(lines) + "\n"


def filled(text: str) -> str:
    """The README with every recorded table in its place."""
    for area in AREAS:
        begin, end = f"<!-- results {area} -->\n", f"<!-- /results {area} -->"
        if begin in text:
            head, rest = text.split(begin)
            text = head + begin + table(area) + end + rest.split(end)[1]
    return text


def main() -> int:
    """0 when the README is up to date (or was written), 1 when --check finds another table."""
    text = README.read_text()
    new = filled(text)
    if "--check" in sys.argv[1:]:
        if new != text:
            print("README.md: the results table is not the recorded one; run "
                  "python scripts/results_table.py.", file=sys.stderr)
            return 1
        return 0
    write_text(README, new)
    return 0


if __name__ == "__main__":
    sys.exit(main())
