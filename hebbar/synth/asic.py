"""Cells and area of a design in a standard-cell technology, from its Liberty file, before any layout."""

import gzip
import json
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput
from hebbar.contract.files import write_text

from .design import Design
from .process import yosys
from .sram import Macro, Sram, law, macro, read_sram

__all__ = ["Area", "LEAST_WORDS", "Part", "area", "cells_of", "check_files"]

LEAST_WORDS = 64
"""A memory with fewer words, or one that is read without a clock, is made of flip-flops."""
COARSE = """\
synth -top {top} {flatten} -booth -run begin:fine
write_rtlil coarse.il
write_json coarse.json
"""
# Initial values go: an ASIC has none, and no cell of the library would fit a register that needs one.
FINE = """\
read_rtlil coarse.il
setattr -unset init w:*
{macros}
synth -top {top} -run fine:check
dfflibmap -liberty cells.lib
tee -q -o registers.json stat -json
abc -liberty cells.lib -script sizing.abc -constr driver.constr
opt_clean -purge
tee -q -o stat.json stat -json -liberty cells.lib
splitnets
read_liberty -lib -ignore_miss_func cells.lib
rename -wire
write_verilog -noattr -noexpr -nohex -simple-lhs mapped.v
write_json mapped.json
"""
# Yosys' own script for the fewest cells, which drives whatever a net has with one cell of the least size, goes on here
# with buffers and sizes. A module is mapped for itself, with a register like any other cell in front of it: a path may
# go through several modules, and there are no wires yet, so none gets the whole period.
SIZING = """\
strash
&get -n
&fraig -x
&put
scorr
dc2
dretime
strash
&get -n
&dch -f
&nf
&put
buffer -N {fanout}
upsize -D {period:.0f}
dnsize -D {period:.0f}
"""
FANOUT, SHARE_OF_PERIOD, PORT_LOAD_FF = 16, 0.8, 20.0
"""Most loads of a cell, the part of the clock period that a module may take, and the load of each of its outputs."""
DRIVER = "set_driving_cell {cell}\nset_load {load:g} [all_outputs]\n"


@dataclass(frozen=True)
class Part:
    """A module for itself, without what is inside it: cells, flip-flops among them, square micrometres."""

    cells: int
    flip_flops: int
    um2: float


@dataclass(frozen=True)
class Area:
    """A design: its modules, its memory macros by module, and the mapped netlist."""

    modules: dict[str, Part]
    macros: dict[str, tuple[Macro, ...]]
    netlist: Path

    @property
    def whole(self) -> Part:
        """All modules together, without macros."""
        parts = self.modules.values()
        return Part(sum(p.cells for p in parts), sum(p.flip_flops for p in parts), sum(p.um2 for p in parts))

    @property
    def macro_um2(self) -> float:
        return sum(m.um2 for found in self.macros.values() for m in found)


def cells_of(path: Path) -> str:
    """The text of a Liberty file, packed or not; raises BadInput unless it holds cells and a flip-flop."""
    try:
        text = gzip.decompress(path.read_bytes()).decode() if path.suffix == ".gz" else path.read_text()
    except (OSError, UnicodeDecodeError, EOFError) as error:
        raise BadInput(f"the Liberty file {path} cannot be read ({error}); give the path of a .lib or .lib.gz file.") \
            from None
    for group, what in (("cell", "cell"), ("ff", "flip-flop")):
        if not re.search(rf"\b{group}\s*\(", text):
            raise BadInput(f"{path} holds no {what}; give the Liberty file of all standard cells of a technology.")
    return text


def check_files(liberty: Path, srams: Sequence[Path]) -> None:
    """Raise BadInput for a file that cannot be used, before any work."""
    _buffer(cells_of(liberty), liberty)
    for path in srams:
        read_sram(path)


def area(design: Design, liberty: Path, srams: Sequence[Path], folder: Path, reporter: Reporter,
         flat: bool = False, least: int = LEAST_WORDS, mhz: float = 100.0) -> Area:
    """Map to the cells of a Liberty file; memories that are read with a clock become macros of ``srams``, or such as
    the law of a published compiler has. ``flat``: one module, its modules dissolved in it; ``least``: words of the
    smallest memory that becomes a macro; ``mhz``: the clock that cells are sized for."""
    cells, known = cells_of(liberty), [read_sram(path) for path in srams]
    script = COARSE.format(top=design.top, flatten="-flatten" if flat else "")
    coarse = yosys(design, script, folder, reporter, "any cells")
    memories = _memories(json.loads((coarse / "coarse.json").read_text()), least)
    commands = []
    for module, cell, words, bits, _ in memories:
        at = f"{module}/{cell}"
        commands += [f"chtype -set \\sram_{words}x{bits} {at}"]
        commands += [f"setparam -unset {name} {at}" for name in PARAMETERS]
    period_ps, buffer = 1e6 / mhz, _buffer(cells, liberty)
    sizing = SIZING.format(fanout=FANOUT, period=SHARE_OF_PERIOD * period_ps)
    script = FINE.format(top=design.top, macros="\n".join(commands),)

    def prepare(place: Path) -> None:
        write_text(place / "sizing.abc", sizing)
        write_text(place / "driver.constr", DRIVER.format(cell=buffer, load=PORT_LOAD_FF))
        shutil.copy(coarse / "coarse.il", place / "coarse.il")
        write_text(place / "cells.lib", cells)

    place = yosys(Design(design.top, ""), script, folder, reporter, liberty.name, prepare,
                  key=f"{design.digest}{'flat' * flat}{cells}{sizing}")
    return Area(_parts(place, _areas(cells)), _macros(memories, known), place / "mapped.v")


PARAMETERS = ("MEMID", "SIZE", "OFFSET", "ABITS", "WIDTH", "INIT", "RD_PORTS", "RD_CLK_ENABLE", "RD_CLK_POLARITY",
              "RD_TRANSPARENCY_MASK", "RD_COLLISION_X_MASK", "RD_WIDE_CONTINUATION", "RD_CE_OVER_SRST", "RD_ARST_VALUE",
              "RD_SRST_VALUE", "RD_INIT_VALUE", "WR_PORTS", "WR_CLK_ENABLE", "WR_CLK_POLARITY", "WR_PRIORITY_MASK",
              "WR_WIDE_CONTINUATION")
"""Parameters of a memory that a macro does not have."""


def _memories(netlist: dict[str, Any], least: int) -> list[tuple[str, str, int, int, int]]:
    """The memories that become macros: module, cell, words, bits, read ports."""
    found = []
    for module, held in netlist["modules"].items():
        for name, cell in held["cells"].items():
            if cell["type"] != "$mem_v2":
                continue
            p = cell["parameters"]
            words, bits, ports = (int(p[key], 2) for key in ("SIZE", "WIDTH", "RD_PORTS"))
            clocked = p["RD_CLK_ENABLE"].count("1") == ports
            if clocked and words >= least and int(p["WR_PORTS"], 2):
                found.append((module, name, words, bits, ports))
    return found


def _macros(memories: list[tuple[str, str, int, int, int]], known: list[Sram]) -> dict[str, tuple[Macro, ...]]:
    found: dict[str, tuple[Macro, ...]] = {}
    for module, _, words, bits, ports in memories:
        found[module] = (*found.get(module, ()), macro(words, bits, ports, known) if known else law(words, bits, ports))
    return found


def _bodies(liberty: str) -> dict[str, str]:
    """What a Liberty file says of each cell."""
    heads = list(re.finditer(r"\bcell\s*\(\s*\"?([^\s\")]+)", liberty))
    ends = [head.start() for head in heads[1:]] + [len(liberty)]
    return {head[1]: liberty[head.end():end] for head, end in zip(heads, ends, strict=True)}


def _areas(liberty: str) -> dict[str, float]:
    """Square micrometres of each cell of a Liberty file."""
    found = {name: re.search(r"\barea\s*:\s*\"?([\d.eE+-]+)", body) for name, body in _bodies(liberty).items()}
    return {name: float(area[1]) for name, area in found.items() if area}


def _buffer(liberty: str, path: Path) -> str:
    """The smallest buffer of a Liberty file, as which the cells in front of a module count. Raises BadInput without
    one, which ABC could not map with."""
    areas = _areas(liberty)
    found = [name for name, body in _bodies(liberty).items() if name in areas
             and len(re.findall(r"\bdirection\s*:\s*\"?input", body)) == 1
             and (is_of := re.findall(r"\bfunction\s*:\s*\"([^\"]*)\"", body)) and len(is_of) == 1
             and re.search(rf"\bpin\s*\(\s*\"?{re.escape(is_of[0].strip('() '))}\"?\s*\)", body)
             and not re.search(r"\b(?:ff|latch|three_state)\b", body)]
    if not found:
        raise BadInput(f"{path} holds no buffer; give the Liberty file of all standard cells of a technology.")
    return min(found, key=lambda name: areas[name])


def _parts(place: Path, areas: dict[str, float]) -> dict[str, Part]:
    """What Yosys counted in each module; before ABC the cells of the library are the flip-flops alone. The areas are
    added up here, since Yosys' own of a module hold those of the modules inside it."""
    modules, before = (json.loads((place / name).read_text())["modules"] for name in ("stat.json", "registers.json"))
    names = {name.lstrip("\\") for name in modules}
    parts = {}
    for name, counts in modules.items():
        own = {k: n for k, n in counts["num_cells_by_type"].items() if k not in names and not k.startswith("sram_")}
        registers = sum(n for kind, n in before[name]["num_cells_by_type"].items()
                        if not kind.startswith(("$", "sram_")) and kind not in names)
        parts[name.lstrip("\\")] = Part(
            sum(own.values()), registers, sum(n * areas.get(kind, 0.0) for kind, n in own.items()))
    return dict(sorted(parts.items()))
