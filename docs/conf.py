"""The settings of the documentation site. `scripts/docs` builds it with Sphinx into out/site."""

import re
import sys
from pathlib import Path

from docutils import nodes
from pygments.lexers.special import TextLexer
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.highlighting import lexers
from sphinx.util.docutils import SphinxDirective

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # document this checkout, whichever Hebbar is installed

import hebbar  # noqa: E402

project = "Hebbar"
release = hebbar.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode"]
html_theme = "furo"
html_title = f"Hebbar {release}"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_show_copyright = False
html_copy_source = False
smartquotes = False  # f' is a derivative
myst_heading_anchors = 4
autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
lexers["mermaid"] = TextLexer()  # drawn on GitHub; the site shows the text, and the page has a table too
PICTURES = ROOT / "docs" / "pictures"


class Picture(SphinxDirective):
    """A figure of docs/pictures with its caption; where it has not been drawn, the command that draws it."""

    required_arguments = 1
    has_content = True

    def run(self) -> list[nodes.Node]:
        """The figure, or a paragraph in its place."""
        name, caption = self.arguments[0], " ".join(self.content)
        self.env.note_dependency(str(PICTURES / name))
        if (PICTURES / name).exists():
            image = nodes.image(uri=f"/pictures/{name}", alt=caption)
            return [nodes.figure("", image, nodes.caption("", caption))]
        command = nodes.literal("", f"python scripts/draw_pictures.py {name}")
        parts = nodes.emphasis("", f"{caption}:"), nodes.Text(" "), command, nodes.Text(" draws it.")
        return [nodes.paragraph("", "", *parts)]


def literal_blocks(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Put the ``::`` of reStructuredText before code that a docstring only indents, as Markdown does."""
    found: list[str] = []
    paragraph = ""
    for before, line in zip(["", *lines], lines):
        if line and not before:
            if line.startswith("    ") and paragraph and not re.match(r"[*-] |\.\. |\s", paragraph):
                found += ["::", ""]
            paragraph = line
        found.append(line)
    lines[:] = found


def short_arrays(app: Sphinx, what: str, name: str, obj: object, options: object, signature: str | None,
                 returns: str | None) -> tuple[str | None, str | None]:
    """NumPy spells ``NDArray[float64]`` out in signatures; this writes it as the sources do."""
    long = re.compile(r"(?:numpy\.|~numpy\.)?ndarray\[(?:[^\[\]]|\[[^\[\]]*\])*dtype\[([^\[\]]*)\]\]")
    return (signature and long.sub(r"NDArray[\1]", signature)), (returns and long.sub(r"NDArray[\1]", returns))


def no_tables(app: Sphinx, domain: str, kind: str, content: nodes.Element) -> None:
    """The value of a constant is left out where it is longer than a line, as tables are."""
    for signature in content.parent.findall(addnodes.desc_signature) if kind == "data" else ():
        for value in list(signature.findall(addnodes.desc_annotation)):
            if value.astext().startswith(" = ") and len(value.astext()) > 60:
                signature.remove(value)


def setup(app: Sphinx) -> None:
    """Sphinx calls this once."""
    app.add_directive("picture", Picture)
    app.connect("autodoc-process-docstring", literal_blocks)
    app.connect("autodoc-process-signature", short_arrays)
    app.connect("object-description-transform", no_tables)
