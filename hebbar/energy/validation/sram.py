"""The law of an SRAM: read, write and area of a macro from its words and bits, fitted to ten of one compiler.

A macro of ``d`` words of ``w`` bits takes a + b w + c w d. Least squares of relative errors.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from hebbar.contract.errors import BadInput

from .tables import rows

__all__ = ["TERMS", "fit", "leave_one_out", "read_liberty"]

TERMS = ("read_pj", "write_pj", "area_um2")


def _table() -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Regressors (macros, 3) and figures of every term."""
    found = rows("sram_sg13g2.csv")
    words, bits = (np.array([float(r[n]) for r in found]) for n in ("words", "bits"))
    return (np.stack([np.ones(len(found)), bits, bits * words], axis=1),
            {n: np.array([float(r[n]) for r in found]) for n in TERMS})


def _solve(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.asarray(np.linalg.lstsq(x / y[:, None], np.ones(len(y)), rcond=None)[0])


def fit(term: str) -> tuple[float, float, float]:
    """a, b, c of a term over all ten macros."""
    x, figures = _table()
    a, b, c = _solve(x, figures[term])
    return float(a), float(b), float(c)


def leave_one_out(term: str) -> list[float]:
    """Relative error of every macro, predicted from the other nine."""
    x, figures = _table()
    y = figures[term]
    others = [np.arange(len(y)) != i for i in range(len(y))]
    return [float(x[i] @ _solve(x[o], y[o]) / y[i] - 1) for i, o in enumerate(others)]


CONDITIONS = {"read_pj": "A_MEN & !A_WEN & A_REN", "write_pj": "A_MEN & A_WEN & !A_REN"}
"""When the clock pin of a macro of the compiler reads or writes."""


def read_liberty(path: Path) -> dict[str, float]:
    """Read and write in pJ and area in um2 of a macro, from the compiler's Liberty file.

    A read or write is the internal power of a rising clock under its condition. Raises BadInput for a file that has
    no such macro.
    """
    text = path.read_text(encoding="utf-8")
    area = re.search(r"^\s*area\s*:\s*([\d.]+)", text, re.MULTILINE)
    clock = re.search(r"pin\(A_CLK\)(.*?)\n\s*bus\(", text, re.DOTALL)
    found = dict(_powers(clock[1])) if clock else {}
    if not area or set(CONDITIONS.values()) - set(found):
        raise BadInput(f"{path}: has no pin A_CLK with the powers of reads and writes; give an SRAM of the SG13G2 "
                       "compiler.")
    return {"area_um2": float(area[1]), **{term: found[condition] for term, condition in CONDITIONS.items()}}


def _powers(text: str) -> Iterator[tuple[str, float]]:
    """Condition and energy of a rising edge in pJ, of every internal power."""
    power = r'when\s*:\s*"([^"]*)";\s*rise_power\("scalar"\)\s*\{\s*values\s*\(([\d.]+)\)'
    for condition, value in re.findall(power, text):
        yield " ".join(condition.split()), float(value)
