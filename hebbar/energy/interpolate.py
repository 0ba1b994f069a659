"""Energies of widths and depths that no table has, by open formulas from the entries that exist.

Multiplier of a x b bits: an array of a b cells, so a power law in a b through the 8 x 8 and 32 x 32
entries (exponent 0.99 for Horowitz's figures: nearly proportional):

    E(a, b) = E8 (a b / 64)^p,   p = log(E32 / E8) / log(16)

Adder of w bits: piecewise linear in w through the 8, 16 and 32 bit entries, beyond them proportional
to w from the nearest entry.

Memory of d words of w bits: the entries are of words of 64 bits; log-log piecewise linear in d,
carried on with the slope at either end, times w / 64 (CACTI's and the compiler's energies at one
depth are nearly proportional to the word; a wider word is more macros side by side). Never below w
register bits. Held against CACTI 7 (``tests/energy/test_energy.py``): each of the five depths from the other
four within -20 and +9 %, fifteen sizes and widths that are not in the table within 18 %; below 256
words CACTI's own 256-bit words take up to three times what the law says.
The figures are of single-port memories. Memories that are read and written in one cycle (weights,
FIFOs, feedback sums) are priced at their full depth: one of two banks of half the depth would take less,
a two-port cell more.
"""

from bisect import bisect_left
from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log
from typing import TypeVar

from .technology import Range, Technology

__all__ = ["EventEnergy", "adder", "memory", "multiplier", "power_law", "register", "wire"]

T = TypeVar("T")
LEVELS = ("low", "typical", "high")
WORD = 64
"""Bits of the words that the memory entries are of."""


@dataclass(frozen=True)
class EventEnergy:
    """An energy with the table entries it comes from; ``derived``: no entry has this very width."""

    energy: Range
    entries: tuple[str, ...]
    derived: bool
    formula: str

    def __add__(self, other: "EventEnergy") -> "EventEnergy":
        return EventEnergy(self.energy + other.energy, tuple(dict.fromkeys(self.entries + other.entries)),
                     True, f"{self.formula} + {other.formula}")

    def __mul__(self, factor: float) -> "EventEnergy":
        return EventEnergy(self.energy * factor, self.entries, True, f"{factor:.4g} x {self.formula}")


def multiplier(t: Technology, a: int, b: int) -> EventEnergy:
    """One product of an a-bit and a b-bit number."""
    def level(name: str) -> float:
        small, large = (getattr(t.entries[e].energy, name) for e in ("mul_8", "mul_32"))
        return power_law([(64, small), (1024, large)], a * b)

    known = (a, b) in ((8, 8), (32, 32))
    return EventEnergy(_range(level), ("mul_8", "mul_32"), not known, f"mul {a} x {b} b")


def adder(t: Technology, bits: int) -> EventEnergy:
    """One sum of ``bits`` bits."""
    points = [(8.0, "add_8"), (16.0, "add_16"), (32.0, "add_32")]

    def level(name: str) -> float:
        return _linear([(w, getattr(t.entries[e].energy, name)) for w, e in points], bits)

    names = _neighbours(points, bits)
    return EventEnergy(_range(level), names, len(names) > 1, f"add {bits} b")


def memory(t: Technology, words: int, bits: int, write: bool = False) -> EventEnergy:
    """One access of a memory of ``words`` words of ``bits`` bits."""
    table = t.memories(write)

    def level(name: str) -> float:
        points = [(float(e.words), getattr(e.energy, name)) for _, e in table]
        floor = bits * getattr(t.entries["register_bit"].energy, name)
        return max(power_law(points, words) * bits / WORD, floor)

    names = _neighbours([(float(e.words), n) for n, e in table], words)
    return EventEnergy(_range(level), names, len(names) > 1 or bits != WORD,
                 f"{'write' if write else 'read'} {words} x {bits} b")


def register(t: Technology) -> EventEnergy:
    """One register bit for one clock cycle."""
    return EventEnergy(t.entries["register_bit"].energy, ("register_bit",), False, "register bit a cycle")


def wire(t: Technology, bits: int, millimetres: float) -> EventEnergy:
    """``bits`` bits over so many millimetres."""
    energy = t.entries["wire_bit_mm"].energy * (bits * millimetres)
    return EventEnergy(energy, ("wire_bit_mm",), True, f"{bits} b over {millimetres:g} mm")


def power_law(points: list[tuple[float, float]], x: float) -> float:
    """Piecewise straight through ``points`` (x ascending) on log-log axes, end slopes carried on.

    A point of value zero makes every value of its segment zero.
    """
    (x0, y0), (x1, y1) = _segment(points, x)
    if y0 <= 0 or y1 <= 0:
        return 0.0
    return exp(log(y0) + log(y1 / y0) * log(x / x0) / log(x1 / x0))


def _linear(points: list[tuple[float, float]], x: float) -> float:
    """Piecewise linear through ``points``, beyond them proportional to x from the nearest."""
    for end, beyond in ((points[0], x < points[0][0]), (points[-1], x > points[-1][0])):
        if beyond:
            return end[1] * x / end[0]
    (x0, y0), (x1, y1) = _segment(points, x)
    return y0 + (y1 - y0) * (x - x0) / (x1 - x0)


def _segment(points: list[tuple[float, T]], x: float) -> list[tuple[float, T]]:
    """The two neighbouring points that ``x`` lies between, or the two at the nearer end."""
    i = bisect_left([p[0] for p in points], x)
    i = min(max(i, 1), len(points) - 1)
    return points[i - 1:i + 1]


def _neighbours(points: list[tuple[float, str]], x: float) -> tuple[str, ...]:
    """Names of the entries that a value at ``x`` comes from: one where there is an entry for x."""
    exact = tuple(name for at, name in points if at == x)
    return exact or tuple(name for _, name in _segment(points, x))


def _range(level: Callable[[str], float]) -> Range:
    return Range(*(level(name) for name in LEVELS))
