"""Proofs by k-induction with Yosys: of claims that hold in every cycle of every path from reset.

Two questions to its SAT solver: no path of k cycles from reset breaks a claim, and none of k cycles from any state at
all breaks one in its last cycle alone. ``hebbar.verify.formal`` looks for the least k, which takes longer: it asks for
every k, and for states that differ in pairs.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from amaranth.back import rtlil

from hebbar.contract.console import Reporter
from hebbar.contract.errors import HebbarError
from hebbar.contract.files import output_folder, write_text
from sim.yosys import run

from .harness import Harness

__all__ = ["Proof", "prove", "search"]

_PREPARE = """\
read_rtlil claims.il
hierarchy -check -top claims
proc
flatten
chformal -lower
delete t:$assert
memory_map
opt -full
async2sync
opt_clean
simplemap t:$mux t:$pmux t:$bmux t:$dff t:$dffe t:$sdff t:$sdffe t:$and t:$or t:$not
opt
opt_clean -purge
"""
"""Bits that no claim depends on are left out one by one: a word of a queue is hundreds of bits wide."""
_SOLVED = re.compile(r"SAT proof finished - (no model found: SUCCESS!|model found: FAIL!)")
_ROW = re.compile(r"^ +(\d+) \\(\w+) +(\d+) ", re.MULTILINE)


@dataclass(frozen=True)
class Proof:
    """``proved``, or the ``claims`` that are broken in the last cycle of ``path``, which has the signals that the
    harness shows by cycle; ``broken``: the path starts at reset, so the RTL does that."""

    proved: bool
    broken: bool
    claims: tuple[str, ...] = ()
    path: tuple[dict[str, int], ...] = ()


def prove(harness: Harness, cycles: int, folder: Path, reporter: Reporter, timeout_s: float = 600.0) -> Proof:
    """Prove all claims by induction over ``cycles``; ``folder`` keeps what Yosys reads and says.

    Raises HebbarError where Yosys does not answer, TimedOut after ``timeout_s`` seconds.
    """
    first, then = _asked(harness, folder, reporter, timeout_s, [
        _question(harness, cycles), "setattr -unset init w:*\n" + _question(harness, cycles, _only_last(cycles))])
    if first is not None:
        return _counterexample(harness, first, True)
    return Proof(True, False) if then is None else _counterexample(harness, then, False)


def search(harness: Harness, cycles: int, folder: Path, reporter: Reporter, timeout_s: float = 600.0) -> Proof | None:
    """A path from reset that breaks a claim in cycle ``cycles`` and none before; None if there is none."""
    said, = _asked(harness, folder, reporter, timeout_s, [_question(harness, cycles, _only_last(cycles))])
    return None if said is None else _counterexample(harness, said, True)


def _only_last(cycles: int) -> str:
    """All claims hold until the last cycle."""
    return "".join(f" -set-at {cycle} broken 0" for cycle in range(1, cycles)) + f" -prove-skip {cycles - 1}"


def _question(harness: Harness, cycles: int, more: str = "") -> str:
    shown = "".join(f" -show {signal.name}" for signal in harness.shown)
    return f"sat -set-assumes -seq {cycles} -prove broken 0{more}{shown} claims\n"


def _asked(harness: Harness, folder: Path, reporter: Reporter, timeout_s: float, questions: list[str]) -> Iterator[
        str | None]:
    """Answers: None, or what Yosys says of the path that it found."""
    text = rtlil.convert(harness, name="claims", ports=[*harness.inputs, *harness.shown])
    write_text(output_folder(folder) / "claims.il", text)
    _, *answers = _SOLVED.split(run(_PREPARE + "".join(questions), folder, reporter, timeout_s=timeout_s))
    if len(answers) != 2 * len(questions) or not harness.claims:
        raise HebbarError(f"Yosys neither proved nor refuted the claims; what it said is in {folder / 'yosys.log'}.")
    for verdict, path in zip(answers[::2], answers[1::2], strict=True):
        yield None if verdict.startswith("no model") else path


def _counterexample(harness: Harness, said: str, real: bool) -> Proof:
    """The path up to the first cycle that breaks a claim."""
    cycles: dict[int, dict[str, int]] = {}
    for cycle, name, value in _ROW.findall(said):
        cycles.setdefault(int(cycle), {})[name] = int(value)
    path: list[dict[str, int]] = []
    for _, row in sorted(cycles.items()):
        path.append(row)
        if row["broken"]:
            break
    claims = tuple(what for i, what in enumerate(harness.claims) if path[-1]["broken"] >> i & 1)
    return Proof(False, real, claims, tuple(path))
