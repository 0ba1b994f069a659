"""Write the README's results table from benchmarks/results/spine.json; --check only compares."""

import json
import sys
from pathlib import Path

from hebbar.files import write_text

ROOT = Path(__file__).parent.parent
RESULTS, README = ROOT / "benchmarks" / "results" / "spine.json", ROOT / "README.md"
BEGIN, END = "<!-- results -->\n", "<!-- /results -->"
MET = {True: "yes", False: "**no**", None: "-"}


def table() -> str:
    """The recorded figures as Markdown."""
    lines = ["| figure | measured | target | met |", "|---|---|---|---|"]
    for f in json.loads(RESULTS.read_text()):
        value = f"{f['value']:,}" if isinstance(f["value"], int | float) else f["value"]
        lines.append(f"| {f['figure']} | {value} {f['unit']} | {f['target']} | {MET[f['met']]} |"
                     .replace("||", "\\|\\|"))
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
