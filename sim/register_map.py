"""What PeakRDL makes of the register map: the C header that the driver includes, and with the extra ``rdl`` manuals in
HTML and Markdown, IP-XACT, and the access layer of Python benches."""

import re
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from hebbar.contract.errors import InternalError
from hebbar.contract.files import temporary_folder, whole, write_text

if TYPE_CHECKING:
    from systemrdl.node import AddrmapNode

__all__ = ["ACCESS", "EXTRA", "MANUAL", "missing", "write"]

EXTRA = "rdl"
"""The extra with everything but the C header."""
MANUAL, ACCESS = "registers", "access"
"""The folders of the manual in HTML and of the access layer in Python."""
MATHJAX = re.compile(r'<script async src="https://[^"]*MathJax\.js"></script>')
"""What the page would load from another host, for formulas; there are none in the map."""
STUB = "<script>var MathJax = {Hub: {Queue() {}}};</script>"
PACKAGES = ("peakrdl_html", "peakrdl_ipxact", "peakrdl_markdown", "peakrdl_pyral")


def missing() -> list[str]:
    """The packages of the extra that are not installed."""
    return [name for name in PACKAGES if find_spec(name) is None]


def write(text: str, folder: Path, top: str) -> list[Path]:
    """Write the map ``text`` (SystemRDL, of the machine ``top``) and all that is made from it: ``top``.rdl and
    ``top``_registers.h, and where nothing of the extra is missing ``registers``/index.html, registers.md, ``top``.xml
    and ``access``."""
    source = folder / f"{top}.rdl"
    write_text(source, text)
    node = _compiled(source)
    made = [source, _header(node, folder / f"{top}_registers.h")]
    return made if missing() else [*made, *_manuals(node, folder, top), *_access(node, folder / ACCESS, top)]


def _compiled(source: Path) -> "AddrmapNode":
    from systemrdl.compiler import RDLCompiler  # a parser of a whole language, and only needed here
    from systemrdl.messages import RDLCompileError

    compiler = RDLCompiler()
    try:
        compiler.compile_file(str(source))
        return compiler.elaborate().top
    except RDLCompileError as error:
        raise InternalError(f"SystemRDL refuses the register map {source}: {error}.") from error


def _header(node: "AddrmapNode", path: Path) -> Path:
    from peakrdl_cheader.c_standards import CStandard
    from peakrdl_cheader.exporter import CHeaderExporter

    with temporary_folder() as scratch:  # the name of the file is in it
        CHeaderExporter().export(node, str(scratch / path.name), std=CStandard.gnu99)
        write_text(path, (scratch / path.name).read_text(encoding="utf-8"))
    return path


def _manuals(node: "AddrmapNode", folder: Path, top: str) -> list[Path]:
    from peakrdl_html import HTMLExporter
    from peakrdl_ipxact import IPXACTExporter
    from peakrdl_markdown import MarkdownExporter

    with temporary_folder(".hebbar-", folder) as scratch:  # beside its place, so that a manual is whole or absent
        pages = scratch / MANUAL
        # A time that is always the same, so that the same map gives the same bytes.
        HTMLExporter(user_context={"build_ts": 0}).export(node, str(pages))
        for font in pages.glob("fonts/**/*"):
            if font.is_file() and font.suffix != ".woff2":  # 7 MB for browsers of before 2018
                font.unlink()
        index = pages / "index.html"
        index.write_text(MATHJAX.sub(STUB, index.read_text(encoding="utf-8")), encoding="utf-8")
        MarkdownExporter().export(node, str(scratch / "registers.md"))
        IPXACTExporter(vendor="hebbar", library="accelerator").export(node, str(scratch / "map.xml"))
        shutil.rmtree(folder / MANUAL, ignore_errors=True)
        pages.rename(folder / MANUAL)
        markdown, xml = folder / "registers.md", folder / f"{top}.xml"
        write_text(markdown, (scratch / "registers.md").read_text(encoding="utf-8"))
        write_text(xml, (scratch / "map.xml").read_text(encoding="utf-8"))
    return [folder / MANUAL / "index.html", markdown, xml]


def _access(node: "AddrmapNode", folder: Path, top: str) -> list[Path]:
    """A package, so that its module may be called ``hebbar`` and not stand in for Hebbar."""
    from peakrdl_pyral.exporter import PyRALExporter

    paths = [folder / "__init__.py", *(folder / f"{top}{end}" for end in (".py", ".db", "_stubs.pyi"))]
    write_text(paths[0], "")
    with temporary_folder() as scratch:
        shutil.copy(paths[0], scratch)  # it asks whether it writes into a package
        PyRALExporter().export(node, str(scratch))
        for path in paths[1:]:
            with whole(path) as partial:
                shutil.copyfile(scratch / path.name, partial)
    return paths
