"""The slowest path of a routed design in the names and source lines of the Amaranth that it came from."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Step", "steps_of", "told"]

ROOT = Path(__file__).parent.parent.parent
MAPPED = re.compile(r"_(?:LUT4|CCU2C|PFUMX|L6MUX21|TRELLIS_\w+|MULT18X18D|DP16KD|PDPW16KD|SB_\w+)(?:_.*)?$")
"""What Yosys adds to a name where a cell stands for several."""


@dataclass(frozen=True)
class Step:
    """A signal on the path, when it has settled, in ns after the clock edge, and where it was written."""

    signal: str
    ns: float
    sources: tuple[str, ...]


def steps_of(report: dict[str, Any]) -> tuple[Step, ...]:
    """The longest path from a clock edge to a clock edge of nextpnr's report; none where nothing was routed.

    Cells in a row whose signals have one name are one step: a carry chain is one addition.
    """
    paths = [p["path"] for p in report.get("critical_paths", []) if p["from"].startswith("posedge")
             and p["to"].startswith("posedge")]
    if not paths:
        return ()
    path = max(paths, key=lambda steps: sum(step["delay"] for step in steps))
    found: list[Step] = []
    now = 0.0
    for part in path:
        now += part["delay"]
        if part["type"] == "routing":
            _add(found, Step(_name(part["net"]), now, _sources(part.get("sources", []))))
    if path[-1]["type"] == "setup":
        found.append(Step("setup at " + _name(path[-1]["to"]["cell"]), now, ()))
    return tuple(found)


def _add(found: list[Step], step: Step) -> None:
    """Another step, or the last one going on."""
    if found and found[-1].signal == step.signal:
        found[-1] = Step(step.signal, step.ns, tuple(dict.fromkeys(found[-1].sources + step.sources)))
    else:
        found.append(step)


def _name(net: str) -> str:
    """The signal that a net was named after, without its bit."""
    name = re.sub(r"\[\d+\]$", "", MAPPED.sub("", net.replace("\\", "")))
    return re.sub(r"\[\d+\]$", "", MAPPED.sub("", name))


def _sources(sources: Sequence[str]) -> tuple[str, ...]:
    """Lines of this project's own files, relative to its folder."""
    return tuple(str(Path(s).relative_to(ROOT)) for s in sources if s.startswith(f"{ROOT}/"))


def told(steps: Sequence[Step]) -> list[str]:
    """The path as lines of text."""
    return [f"{step.ns:6.2f} ns  {step.signal}" + (f"  ({', '.join(step.sources[:2])})" if step.sources else "")
            for step in steps]
