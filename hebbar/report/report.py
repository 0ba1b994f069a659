"""``report.html``: everything about one run in one file that needs no other."""

from pathlib import Path

import jinja2

from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput
from hebbar.contract.files import output_folder, write_text
from hebbar.contract.places import writable
from hebbar.energy import load_technology

from .folder import RunFolder
from .numbers import grouped
from .replay import Replay
from .sections import Page

__all__ = ["CLOCK_MHZ", "write_report"]

HERE = Path(__file__).parent
PAGE = "report.html"
CLOCK_MHZ = 100.0
"""Clock at which times are shown where nobody chose one; no chip was built."""


def write_report(folder: Path, reporter: Reporter, sample: int = 0, wave: bool = True, technology: str = "cmos45",
                 out: Path | None = None, clock_mhz: float = CLOCK_MHZ) -> Path:
    """Read the run in ``folder`` and write ``report.html`` and ``figures/*.svg`` into ``out``, by default there.

    ``sample``: the training sample of the waveform, also drawn alone in the network energy.
    ``wave``: record its waveform when the run left none (needs Verilator). Raises BadInput when
    the folder holds no run or no such sample, for a technology that is not there, and where ``out`` cannot be written
    to; anything else that is missing becomes a remark on the page.
    """
    run, target = RunFolder.read(folder), folder if out is None else out
    replay = Replay(run, sample, reporter, target)
    replay.check()
    table = load_technology(technology)
    _check_writable(target)
    page = Page(run, replay, reporter, output_folder(target / "figures"), clock_mhz)
    names = ("learning", "system", "answers", "comparison", "network", "weights", "cycles", "again")
    sections = {name: page.section(getattr(page, name)) for name in names} | {
        "energy": page.section(lambda: page.energy(table)), "wave": page.section(lambda: page.wave(wave))}
    text = _template().render(run=run, result=run.result, sample=sample, style=(HERE / "style.css").read_text(),
                              folder=folder, clock=clock_mhz, **sections)
    write_text(target / PAGE, text.lstrip())
    return target / PAGE


def _check_writable(folder: Path) -> None:
    """Raise BadInput before the work when nothing can be written into ``folder``, or its page not be replaced."""
    elsewhere, page = "The page may go elsewhere: --out FOLDER.", folder / PAGE
    try:
        output_folder(folder)
    except BadInput as error:
        raise BadInput(f"{error} {elsewhere}") from None
    if not writable(folder):
        raise BadInput(f"{folder} cannot be written to; allow it. {elsewhere}")
    if page.is_file() and not page.stat().st_mode & 0o222:
        raise BadInput(f"{page} is write-protected; allow writing to it. {elsewhere}")


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"percent": lambda x: f"{100 * x:.2f} %", "count": lambda x: f"{x:,}", "pj": grouped,
                            "time": _time}
    return environment.get_template("template.html")


def _time(seconds: float) -> str:
    """A time with its unit, three significant digits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9)):
        if seconds >= size:
            return f"{grouped(seconds / size)} {unit}"
    return f"{grouped(seconds * 1e9)} ns"
