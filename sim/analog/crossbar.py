"""A crossbar of pairs as the outside tools see it: conductances, wires, inputs, and how it is read in time."""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from golden.analog.ladders import Reals
from golden.analog.wires import Wires, approximation_error, checked_cells, checked_inputs, solve
from golden.analog_macro import AnalogMacro
from golden.archive import read_npz
from hebbar.compiler.program import Program
from hebbar.contract.errors import BadInput

__all__ = ["HALVES", "LINES", "Crossbar", "Read", "approximation_share", "currents", "drawn", "loaded", "programmed",
           "read_of", "settling"]

HALVES = ("p", "n")
LINES = {"FWD": ("bit", "word"), "TRN": ("word", "bit")}
"""The lines that are driven and those that are sensed, by verb."""
OUTPUT = 0.7
"""Volts at the amplifier."""
SETTLED = 20
"""Settling times until a line is said to have settled: e^-20 is 2e-9."""


@dataclass(frozen=True)
class Crossbar:
    """Conductances ``plus`` and ``minus`` (R, C) in siemens, wires of both arrays, and a read of them: ``verb`` says
    which lines are driven and which are sensed, ``volts`` what the drivers do, (R,) for TRN and (C,) for FWD."""

    plus: Reals
    minus: Reals
    volts: Reals
    wires: Wires
    verb: str = "TRN"

    def __post_init__(self) -> None:
        if self.verb not in LINES:
            raise BadInput(f"verb is {self.verb!r}; give {' or '.join(LINES)}.")
        plus, minus = checked_cells(self.plus), checked_cells(self.minus)
        if plus.shape != minus.shape:
            raise BadInput(f"g_plus has shape {plus.shape} and g_minus {minus.shape}; give one cell of each "
                           "to every pair.")
        volts = checked_inputs(self.volts, plus.shape[self.verb == "FWD"])
        for name, value in (("plus", plus), ("minus", minus), ("volts", volts)):
            object.__setattr__(self, name, value)

    @property
    def halves(self) -> dict[str, Reals]:
        return dict(zip(HALVES, (self.plus, self.minus)))

    @property
    def outputs(self) -> int:
        """Sensed lines."""
        return self.plus.shape[self.verb == "TRN"]

    @property
    def ends(self) -> tuple[float, float]:
        """Ohms at the ends of word lines and of bit lines."""
        ends = self.wires.driver_resistance, self.wires.sense_resistance
        return ends if self.verb == "TRN" else ends[::-1]

    @property
    def driven(self) -> "Crossbar":
        """The equal read of an array whose word lines are the driven lines."""
        if self.verb == "TRN":
            return self
        return Crossbar(self.plus.T, self.minus.T, self.volts, self.wires.transposed)


@dataclass(frozen=True)
class Read:
    """A read in time, seconds, farads, ohms and volts; ``line`` is the sensed line that is sampled.

    ``word_farad`` and ``bit_farad`` belong to a segment; drivers rise linearly in ``rise``; the amplifier gives
    ``gain`` volt an ampere; the switch with ``switch`` ohm charges ``hold_farad`` until ``sample_end``;
    everything ends at ``end``. The comparator's output passes from 0 to 1 over about 1 / ``sharpness`` volt.
    """

    sample_end: float
    end: float
    rise: float = 1e-11
    word_farad: float = 1e-15
    bit_farad: float = 1e-15
    gain: float = 1e4
    hold_farad: float = 1e-13
    switch: float = 100.0
    reference: float = 0.0
    sharpness: float = 1e6
    points: int = 1000
    line: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            least = -np.inf if field.name == "reference" else 0 if field.name == "line" else np.nextafter(0, 1)
            if not (np.isfinite(value) and value >= least):
                raise BadInput(f"read.{field.name} is {value}; give a finite number"
                               + (", at least 0." if field.name == "line" else " above 0." if least else "."))
        if not self.rise < self.sample_end < self.sample_end + self.rise < self.end:
            raise BadInput(f"read.sample_end is {self.sample_end:g} s; it must lie after the drivers' rise "
                           f"({self.rise:g} s) and leave as much before the end ({self.end:g} s).")


def drawn(rows: int, columns: int, seed: int, g_min: float, g_max: float) -> dict[str, Reals]:
    """A random state: ``g_plus`` and ``g_minus`` uniform in siemens."""
    if not 0 <= g_min <= g_max < np.inf:
        raise BadInput(f"conductances from {g_min:g} to {g_max:g} siemens are no range; give 0 <= g-min <= g-max, both "
                       "finite.")
    rng = np.random.default_rng(seed)
    return {name: rng.uniform(g_min, g_max, (rows, columns)) for name in ("g_plus", "g_minus")}


def loaded(path: Path) -> dict[str, Reals]:
    """The arrays ``g_plus`` and ``g_minus`` of an .npz, in siemens, and ``volts`` if it has them."""
    data = read_npz(path, ".npz file of conductances", "write it with numpy.savez")
    found: dict[str, Reals] = {name: data[name] for name in ("g_plus", "g_minus", "volts") if name in data}
    if missing := {"g_plus", "g_minus"} - set(found):
        raise BadInput(f"{path} holds no {' and no '.join(sorted(missing))}; give both conductances of every pair.")
    return found


def programmed(program: Program, image: NDArray[np.int64]) -> tuple[dict[str, Reals], Wires]:
    """The conductances in siemens that loading ``image`` leaves in an analog macro, and the macro's wires."""
    if not program.machine.kind.macro:
        raise BadInput(f"machine.tile is {program.machine.tile!r}; only an analog macro has conductances.")
    macro, w = AnalogMacro(program.machine), program.machine.analog.wires
    macro.load(image)
    plus, minus = macro.array.cells.pair * macro.array.cells.unit * 1e-6
    return {"g_plus": plus, "g_minus": minus}, Wires(w.word_resistance, w.bit_resistance, w.driver, w.sense)


def approximation_share(program: Program, image: NDArray[np.int64]) -> float:
    """How far the first-order model of the wires is off for ``image`` in the worse direction, as a share of the largest
    current, with every driven line at the same voltage; 0 where the configuration does not choose it."""
    if not program.machine.kind.macro or program.machine.analog.wires.model != "approximate":
        return 0.0
    found, wires = programmed(program, image)
    return max(approximation_error(g, np.ones(len(g)), ends) for cells in found.values()
               for g, ends in ((cells, wires), (cells.T, wires.transposed)))


def currents(crossbar: Crossbar) -> Reals:
    """What ``golden.analog`` says of the sensed lines: currents (2, C) of G+ and of G-, (2, R) for FWD."""
    read = crossbar.driven
    return np.array([solve(g, read.volts, read.wires) for g in read.halves.values()])


def settling(crossbar: Crossbar, read: Read) -> float:
    """Seconds, an upper bound of the slowest time constant: that of a word or a bit line alone, at most all its
    capacitors through all the wire before each (Elmore). Cells connect lines and only make them faster."""
    (rows, columns), w, (word_end, bit_end) = crossbar.plus.shape, crossbar.wires, crossbar.ends
    word = read.word_farad * columns * (word_end + w.word_resistance * (columns + 1) / 2)
    bit = read.bit_farad * rows * (bit_end + w.bit_resistance * (rows + 1) / 2)
    return float(max(word, bit))


def read_of(crossbar: Crossbar, line: int = 0, farad: float = 1e-15) -> Read:
    """A read whose lines settle before they are sampled, at a gain that makes the output of ``line`` 0.7 V, half of
    which is the comparator's reference; ``farad`` a segment."""
    if not 0 <= line < crossbar.outputs:
        raise BadInput(f"there is no {LINES[crossbar.verb][1]} line {line}; the array has 0 to {crossbar.outputs - 1}.")
    first, rise = Read(1.0, 3.0, 0.5, farad, farad), 1e-11
    settled = rise + SETTLED * max(settling(crossbar, first), rise, first.switch * first.hold_farad)
    plus, minus = currents(crossbar)[:, line]
    gain = OUTPUT / abs(plus - minus) if plus != minus else first.gain
    return Read(settled, 1.25 * settled, rise, farad, farad, float(gain), line=line,
                reference=float(OUTPUT / 2 * np.sign(plus - minus)))
