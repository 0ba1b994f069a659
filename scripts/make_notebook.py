"""Write examples/notebook.ipynb from examples/ten_lines.py, without outputs.

    python scripts/make_notebook.py           writes it
    python scripts/make_notebook.py --check   exits 1 with a sentence when the file on disk differs

In the script ``# %%`` starts a cell of code, ``# %% [markdown]`` one of text in comments, and
``# %% script`` lines that only the script needs.
"""

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))  # this checkout, whichever Hebbar is installed

from hebbar.contract.errors import BadInput, Exit, HebbarError, MissingTool  # noqa: E402
from hebbar.contract.files import write_text  # noqa: E402

SOURCE, NOTEBOOK = ROOT / "examples" / "ten_lines.py", ROOT / "examples" / "notebook.ipynb"
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
KINDS = ("", "[markdown]", "script")


def cells(text: str) -> list[tuple[str, str]]:
    """Kind and text of every cell of a script; markdown without its comment signs."""
    parts = re.split(r"^# %%(.*)\n", text, flags=re.MULTILINE)
    found = []
    for kind, body in zip((k.strip() for k in parts[1::2]), parts[2::2], strict=True):
        if kind not in KINDS:
            raise BadInput(f"{SOURCE}: cell '# %% {kind}' is of no known kind; use '# %%', "
                           "'# %% [markdown]' or '# %% script'.")
        lines = [re.sub("^# ?", "", line) if kind == "[markdown]" else line for line in body.splitlines()]
        found.append((kind, "\n".join(lines).strip()))
    return found


def notebook(text: str) -> str:
    """The notebook of a script, as the text of its file; the same script gives the same text."""
    try:
        from nbformat import v4, validate, writes
    except ImportError:
        raise MissingTool("nbformat is not installed: pip install nbformat.") from None
    wanted = [cell for cell in cells(text) if cell[0] != "script"]
    made = [(v4.new_markdown_cell if kind else v4.new_code_cell)(body, id=f"cell-{number}")
            for number, (kind, body) in enumerate(wanted)]
    book = v4.new_notebook(cells=made, metadata={"kernelspec": KERNEL, "language_info": {"name": "python"}})
    validate(book)
    return writes(book) + "\n"


def main(arguments: list[str] | None = None, path: Path = NOTEBOOK) -> int:
    """Write or check ``path``; returns the exit code."""
    parser = argparse.ArgumentParser(description="Write examples/notebook.ipynb from examples/ten_lines.py.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if it differs")
    options = parser.parse_args(arguments)
    try:
        text = notebook(SOURCE.read_text())
    except HebbarError as error:
        print(error, file=sys.stderr)
        return int(error.code)
    if not options.check:
        write_text(path, text)
    elif not path.exists() or path.read_text() != text:
        print(f"{path} is not what {SOURCE.name} says; run python scripts/make_notebook.py.", file=sys.stderr)
        return int(Exit.MISMATCH)
    return int(Exit.PASS)


if __name__ == "__main__":
    sys.exit(main())
