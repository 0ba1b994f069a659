"""Write the README's results table from benchmarks/results/spine.json; --check only compares."""

import json
import re
import sys
from pathlib import Path

from hebbar.files import write_text

ROOT = Path(__file__).parent.parent
RESULTS, README = ROOT / "benchmarks" / "results" / "spine.json", ROOT / "README.md"
BEGIN, END = "<!-- results -->\n", "<!-- /results -->"
MET = {True: "yes", False: "**no**", None: "-"}


GROUPS = {"mismatches": ("mismatches RTL against golden, largest of {} runs", max),
          "issue rate": ("issue rate, lowest of {} flag sets", min)}


def table() -> str:
    """The recorded figures as Markdown: runs of one kind in one row, details left to the file."""
    figures, rows = json.loads(RESULTS.read_text()), []
    for start, (title, worst) in GROUPS.items():
        group = [f for f in figures if f["figure"].startswith(start)]
        rows.append(group[0] | {"figure": title.format(len(group)),
                                "value": worst(f["value"] for f in group),
                                "met": all(f["met"] for f in group)})
    rows += [f for f in figures if not f["figure"].startswith(tuple(GROUPS))]
    lines = ["| figure | measured | target | met |", "|---|---|---|---|"]
    for f in rows:
        name = re.sub(r" \(.*\)", "", f["figure"])
        value = f"{f['value']:.4g}" if isinstance(f["value"], float) else f"{f['value']:,}"
        lines.append(f"| {name} | {value} {f['unit']} | {f['target']} | {MET[f['met']]} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """0 when the README is up to date (or was written), 1 when --check finds another table."""
    text = README.read_text()
    head, rest = text.split(BEGIN)
    new = head + BEGIN + table() + END + rest.split(END)[1]
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
