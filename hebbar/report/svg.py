"""Figures as SVG: as files, and inside a page, where text and lines take the page's colour."""

import io
import re
from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from hebbar.contract.files import write_text

__all__ = ["INK", "STYLE", "inline", "save"]

INK = "#010101"
"""Stands for the page's text colour; ``inline`` replaces it."""

STYLE: dict[Any, Any] = {
    "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9.0, "figure.facecolor": "none",
    "axes.facecolor": "none", "axes.edgecolor": INK, "axes.labelcolor": INK, "text.color": INK,
    "xtick.color": INK, "ytick.color": INK, "axes.spines.top": False, "axes.spines.right": False,
    "axes.titlesize": 9.0, "legend.frameon": False, "legend.fontsize": 8.5, "hatch.linewidth": 0.5,
}


def save(figure: Figure, path: Path) -> str:
    """Write ``figure`` to ``path`` as SVG without time stamp or links; returns the text."""
    buffer = io.StringIO()
    with rc_context(STYLE | {"svg.hashsalt": path.stem}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    text = buffer.getvalue()
    text = re.sub(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = text.strip() + "\n"
    write_text(path, text)
    return text


def inline(text: str, name: str, label: str) -> str:
    """The SVG of a file for the inside of a page: ids of its own, the page's colour, its width."""
    head, body = text.split(">", 1)
    box = re.search(r'viewBox="[^"]*"', head)
    width = re.search(r'width="([\d.]+)pt"', head)
    assert box and width
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'href="#', f'href="#{name}-', body).replace("url(#", f"url(#{name}-")
    body = body.replace(INK, "currentColor")
    return (f'<svg {box[0]} role="img" aria-label="{label}" '
            f'style="max-width:{float(width[1]):.0f}pt">{body}')
