"""The machines in standard cells of IHP's SG13G2, 130 nm: area and slack, before layout."""

from pathlib import Path

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.contract.files import BUILD
from hebbar.contract.results import Figure
from hebbar.synth import asic
from hebbar.synth.design import of_machine
from hebbar.synth.process import beating
from hebbar.synth.timing import slack

__all__ = ["measure"]

CELLS, SRAMS = "*sg13g2*stdcell*typ*.lib*", "*ihp*sram*.lib*"
"""The Liberty files by their names."""
MHZ = 100.0
MOST_MM2 = 0.45
ROWS = {"area of tiny in SG13G2, all memories that are read with a clock left out": f"<= {MOST_MM2}",
        "area of digits in SG13G2, with SRAM macros": "printed", "slack of tiny at 100 MHz, typical": ">= 0"}
"""The rows that miss where there is no file, and their targets."""


def measure(folder: Path, quick: bool, reporter: Reporter, liberty: Path | None = None) -> list[Figure]:
    """Area of tiny, with and without what memories take, and, not ``quick``, of digits; slack of both. ``liberty``: the
    folder with the Liberty files."""
    found = sorted(liberty.rglob(CELLS)) if liberty else []
    if not found:
        why = f"no file {CELLS} in {liberty}" if liberty else "give the folder of its Liberty files with --data"
        return [Figure(name, f"not measured: {why}", target, "", None) for name, target in ROWS.items()]
    figures = _machine("tiny", found[0], [], reporter)
    if not quick:
        srams = sorted(found[0].parent.rglob(SRAMS))
        figures += _machine("digits", found[0], srams, reporter)
    return figures


def _machine(preset: str, cells: Path, srams: list[Path], reporter: Reporter) -> list[Figure]:
    with beating(reporter, f"elaborating {preset}"):
        design = of_machine(load(preset).machine)
    area = asic.area(design, cells, srams, BUILD, reporter)
    logic, macros = area.whole.um2 / 1e6, area.macro_um2 / 1e6
    timed, reason = slack(area.netlist, design.top, MHZ, reporter)
    if preset == "tiny":
        bare = asic.area(design, cells, srams, BUILD, reporter, least=2).whole
        figures = [
            Figure(f"area of tiny in SG13G2, all memories that are read with a clock left out ({bare.cells:,} cells, "
                   f"{bare.flip_flops:,} of them flip-flops)", bare.um2 / 1e6, f"<= {MOST_MM2}", "mm2",
                   bare.um2 / 1e6 <= MOST_MM2),
            Figure(f"area of tiny in SG13G2, memories below {asic.LEAST_WORDS} words as flip-flops, others left out "
                   f"({area.whole.cells:,} cells, {area.whole.flip_flops:,} of them flip-flops)", logic,
                   "printed", "mm2", None)]
    else:
        of = f"{len(srams)} files" if srams else "no SRAM file there, so the law of a compiler"
        figures = [Figure(f"area of {preset} in SG13G2, with SRAM macros ({of}; {macros:.3f} mm2 of it macros)",
                          logic + macros, "printed", "mm2", None)]
    name = f"slack of {preset} at {MHZ:.0f} MHz, typical, before layout"
    if timed is None:
        return [*figures, Figure(name, f"not measured: {reason}", ">= 0", "", None)]
    return [*figures, Figure(f"{name} ({timed.mhz:.1f} MHz)", timed.ns, ">= 0", "ns", timed.ns >= 0)]
