"""Netlists for ngspice of an array of pairs with its wires, for either verb: an operating point, or a read in time.

The read is one step of the drivers: lines charge, the difference of one sensed line's two currents is amplified,
sampled, held and compared. What ngspice computes is an outside witness for ``golden.analog``.
"""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from golden.analog.ladders import Reals
from hebbar import __version__
from hebbar.contract.errors import BadInput, HebbarError, MissingTool, TimedOut
from hebbar.contract.files import write_text
from hebbar.contract.processes import run

from .crossbar import HALVES, LINES, Crossbar, Read, currents

__all__ = ["Part", "Source", "netlist", "write", "operating_point", "waves", "difference"]

TIMEOUT = 600
"""Seconds."""


@dataclass(frozen=True)
class Part:
    """A resistor or a capacitor between two nodes."""

    name: str
    a: str
    b: str
    value: float


@dataclass(frozen=True)
class Source:
    """A voltage source to ground: an input that ``drives``, or an ammeter."""

    name: str
    node: str
    volts: float
    drives: bool


@dataclass(frozen=True)
class _Names:
    """Names of nodes in one half; what no resistance separates has one name."""

    half: str
    crossbar: Crossbar

    def driven(self, k: int) -> str:
        """The end of a driven line."""
        return f"d_{self.half}_{k}" if self.crossbar.wires.driver_resistance else f"in_{k}"

    def ground(self, k: int) -> str:
        return f"g_{self.half}_{k}"

    def sensed(self, k: int) -> str:
        """The end of a sensed line."""
        return f"s_{self.half}_{k}" if self.crossbar.wires.sense_resistance else self.ground(k)

    def word_end(self, i: int) -> str:
        return self.driven(i) if self.crossbar.verb == "TRN" else self.sensed(i)

    def bit_end(self, j: int) -> str:
        return self.sensed(j) if self.crossbar.verb == "TRN" else self.driven(j)

    def word(self, i: int, j: int) -> str:
        return f"w_{self.half}_{i}_{j}" if self.crossbar.wires.word_resistance else self.word_end(i)

    def bit(self, i: int, j: int) -> str:
        return f"b_{self.half}_{i}_{j}" if self.crossbar.wires.bit_resistance else self.bit_end(j)


def _resistors(crossbar: Crossbar, half: str) -> list[Part]:
    """Drivers, word lines, cells, bit lines, senses; none of 0 ohm and no cell that does not conduct."""
    g, w, node = crossbar.halves[half], crossbar.wires, _Names(half, crossbar)
    parts = [Part(f"d_{half}_{k}", f"in_{k}", node.driven(k), w.driver_resistance) for k in range(crossbar.volts.size)]
    parts += [Part(f"s_{half}_{k}", node.sensed(k), node.ground(k), w.sense_resistance)
              for k in range(crossbar.outputs)]
    for i, j in np.ndindex(g.shape):
        parts.append(Part(f"w_{half}_{i}_{j}", node.word(i, j - 1) if j else node.word_end(i), node.word(i, j),
                          w.word_resistance))
        parts.append(Part(f"b_{half}_{i}_{j}", node.bit(i, j), node.bit(i - 1, j) if i else node.bit_end(j),
                          w.bit_resistance))
        if g[i, j]:
            parts.append(Part(f"c_{half}_{i}_{j}", node.word(i, j), node.bit(i, j), float(1 / g[i, j])))
    return [part for part in parts if part.value]


def _capacitors(crossbar: Crossbar, half: str, read: Read) -> list[Part]:
    """A capacitor to ground at either side of every cell."""
    node, shape = _Names(half, crossbar), crossbar.plus.shape
    return [Part(f"{side}_{half}_{i}_{j}", name(i, j), "0", farad) for i, j in np.ndindex(shape)
            for side, name, farad in (("w", node.word, read.word_farad), ("b", node.bit, read.bit_farad))]


def netlist(crossbar: Crossbar, read: Read | None = None, name: str = "crossbar") -> str:
    """The text for ngspice, which prints the operating point or writes ``name``.txt with the waves of ``read``."""
    from jinja2 import Environment, PackageLoader, StrictUndefined  # heavy, and only needed here

    (rows, columns), (driven, sensed), outputs = crossbar.plus.shape, LINES[crossbar.verb], crossbar.outputs
    if read and read.line >= outputs:
        raise BadInput(f"read.line is {read.line}; the array has {sensed} lines 0 to {outputs - 1}.")
    sources = [Source(f"in_{i}", f"in_{i}", volts, True) for i, volts in enumerate(crossbar.volts)]
    sources += [Source(f"s_{h}_{k}", f"g_{h}_{k}", 0.0, False) for k in range(outputs) for h in HALVES]
    environment = Environment(loader=PackageLoader("sim"), undefined=StrictUndefined, trim_blocks=True,
                              lstrip_blocks=True, keep_trailing_newline=True)
    environment.filters["number"] = lambda value: repr(float(value))
    return environment.get_template("crossbar.cir.j2").render(
        rows=rows, columns=columns, version=__version__, wires=crossbar.wires, sources=sources, read=read,
        name=name, verb=crossbar.verb, driven=driven, sensed=sensed,
        resistors=[part for h in HALVES for part in _resistors(crossbar, h)],
        capacitors=[part for h in HALVES for part in _capacitors(crossbar, h, read)] if read else [],
        ammeters=[f"i(vs_{h}_{k})" for k in range(outputs) for h in HALVES])


def write(crossbar: Crossbar, path: Path, read: Read | None = None) -> Path:
    """Write the netlist to ``path``."""
    write_text(path, netlist(crossbar, read, path.stem))
    return path


def operating_point(path: Path) -> Reals:
    """Run ngspice on a netlist without a read: currents (2, outputs) of G+ and of G-."""
    found = re.findall(r"^i\(vs_([pn])_(\d+)\) = (\S+)$", _ngspice(path), re.MULTILINE)
    values = np.zeros((2, 1 + max((int(j) for _, j, _ in found), default=-1)))
    for half, j, value in found:
        values[HALVES.index(half), int(j)] = float(value)
    if values.size != len(found) or not found:
        raise HebbarError(f"ngspice gave {len(found)} currents for {path}; write the netlist again without a read.")
    return values


def waves(path: Path) -> dict[str, Reals]:
    """Run ngspice on a netlist with a read: by name ``time`` and every written wave."""
    table = path.with_suffix(".txt")
    table.unlink(missing_ok=True)
    _ngspice(path)
    try:
        with open(table) as file:
            names, columns = file.readline().split(), np.loadtxt(file, ndmin=2).T
    except (OSError, ValueError) as error:
        raise HebbarError(f"ngspice wrote no waves for {path} ({error});"
                          " write the netlist again with a read.") from None
    return dict(zip(names, columns))


def difference(crossbar: Crossbar, path: Path, read: Read | None = None) -> float:
    """How far the currents of ngspice at the end of a netlist are from ours, as a share of the largest of ours."""
    ours = currents(crossbar)
    if read:
        found = waves(path)
        theirs = np.array([[found[f"i(vs_{h}_{j})"][-1] for j in range(ours.shape[1])] for h in HALVES])
    else:
        theirs = operating_point(path)
    top = float(np.abs(ours).max())
    return float(np.abs(theirs - ours).max()) / top if top else float(np.abs(theirs).max())


def _ngspice(path: Path) -> str:
    """What ngspice prints about a netlist, run in its folder."""
    if not shutil.which("ngspice"):
        raise MissingTool("ngspice is not installed (on Debian: apt-get install -y ngspice).")
    try:
        answer = run(["ngspice", "-b", path.name], timeout_s=TIMEOUT, cwd=path.parent)
    except subprocess.TimeoutExpired:
        raise TimedOut(f"ngspice did not end within {TIMEOUT} s on {path}; take a smaller array.") from None
    output = answer.stdout + answer.stderr
    if bad := re.search(r"^\s*(?:fatal |doanalyses: )?error.*$", output, re.IGNORECASE | re.MULTILINE):
        raise HebbarError(f"ngspice refuses {path}: {bad[0].strip()}")
    return answer.stdout
