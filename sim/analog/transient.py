"""A read of a crossbar in time: lines charge, one output is sampled, held and searched bit by bit.

The lines are a linear network of resistors and capacitors, solved exactly by its modes; sampling is exact for the
straight lines between the points of time. Small arrays only: the modes are a dense problem.
"""

import io
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh

from golden.analog import nodal
from golden.analog.ladders import Reals
from golden.analog.wires import Wires
from hebbar.contract.errors import BadInput

from .crossbar import LINES, Crossbar, Read

__all__ = ["Lines", "Waves", "lines_of", "transient", "vcd"]

MOST_CELLS = 1024
BITS_RANGE = range(2, 17)


class Lines:
    """One array of conductances ``g`` (R, C), its word lines driven: drivers rise linearly to ``volts`` in
    ``read.rise`` seconds.

    A mode that decays at rate q and ends at s is, after the rise,
    s (1 - exp(-q (t - rise)) (1 - exp(-q rise)) / (q rise)).
    """

    def __init__(self, g: Reals, volts: Reals, wires: Wires, read: Read) -> None:
        if g.size > MOST_CELLS:
            raise BadInput(f"an array of {g.shape[0]} x {g.shape[1]} is too large for its modes; take at most "
                           f"{MOST_CELLS} cells.")
        self.shape, self._rise, network = g.shape, read.rise, nodal.resistors(g, wires)
        joined, part = np.isinf(network.siemens), np.isfinite(network.siemens) & (network.siemens > 0)
        self._number = nodal.merged(network.a[joined], network.b[joined], network.nodes)
        self._a, self._b = self._number[network.a[part]], self._number[network.b[part]]
        self._siemens = network.siemens[part]
        count, held = int(self._number.max()) + 1, self._number[:sum(g.shape)]
        self._end, farads = np.zeros(count), np.zeros(count)
        self._end[held] = np.r_[volts, np.zeros(g.shape[1])]
        np.add.at(farads, self._number[sum(g.shape):], np.repeat([read.word_farad, read.bit_farad], g.size))
        self._free = np.setdiff1d(np.arange(count), held)
        self._modes(farads[self._free], held)

    def _modes(self, farads: Reals, held: NDArray[np.int64]) -> None:
        whole = nodal.laplacian(self._a, self._b, self._siemens, len(self._end)).toarray()
        root, free, held = 1 / np.sqrt(farads), self._free, np.unique(held)
        into = -whole[np.ix_(free, held)] @ self._end[held]
        self.rates, shapes = eigh(root[:, None] * whole[np.ix_(free, free)] * root) if len(free) else (
            np.zeros(0), np.zeros((0, 0)))
        self._shapes, self._ends = root[:, None] * shapes, shapes.T @ (root * into) / self.rates

    def voltages(self, times: Reals) -> Reals:
        """All nodes at ``times``, (nodes, T), numbered as in ``golden.analog.nodal``."""
        rise, q = self._rise, self.rates[:, None]
        up = np.minimum(times, rise)
        climb = up / rise + np.expm1(-q * up) / (q * rise)
        later = np.maximum(times - rise, 0)
        decayed = np.where(times < rise, climb, 1 + np.exp(-q * later) * np.expm1(-q * rise) / (q * rise))
        volts = np.outer(self._end, up / rise)
        volts[self._free] = self._shapes @ (self._ends[:, None] * decayed)
        return volts[self._number]

    def currents(self, volts: Reals) -> Reals:
        """Into the virtual grounds, (C, T), for node voltages of ``voltages``."""
        rows, columns = self.shape
        merged = np.empty((int(self._number.max()) + 1, volts.shape[1]))
        merged[self._number] = volts
        flows = self._siemens[:, None] * (merged[self._a] - merged[self._b])
        out = np.zeros_like(merged)
        np.add.at(out, self._b, flows)
        np.subtract.at(out, self._a, flows)
        return out[self._number[rows:rows + columns]]


def lines_of(crossbar: Crossbar, read: Read) -> dict[str, Lines]:
    """The two arrays, each as one whose word lines are the driven lines; capacitors stay with their lines."""
    array = crossbar.driven
    if crossbar.verb == "FWD":
        read = replace(read, word_farad=read.bit_farad, bit_farad=read.word_farad)
    return {half: Lines(g, array.volts, array.wires, read) for half, g in array.halves.items()}


@dataclass(frozen=True)
class Waves:
    """Waveforms at ``time`` (T,) in seconds: volts of the far cells of all driven lines of G+ ``driven`` (inputs, T)
    and of the sampled line ``sensed`` (T,), output ``currents`` (outputs, T) of the pairs in ampere, ``amplified``,
    ``held`` and
    ``dac`` in volts, ``compare`` and the ``code`` so far; ``bits`` of the converter and its ``lsb`` in volts;
    ``lines``: the kinds of the driven and of the sensed lines."""

    time: Reals
    driven: Reals
    sensed: Reals
    currents: Reals
    amplified: Reals
    held: Reals
    dac: Reals
    compare: np.ndarray
    code: np.ndarray
    bits: int
    lsb: float
    lines: tuple[str, str]


def transient(crossbar: Crossbar, read: Read, bits: int = 8, full_scale: float = 1.0) -> Waves:
    """The waves of ``read`` with a converter of ``bits`` bits that reaches +-``full_scale`` volt.

    The converter searches as ``hw.sar_logic`` does, the sign first, one bit each in equal parts of the time from
    the end of sampling to ``read.end``. Its code is floor(held / lsb), saturated.
    """
    if bits not in BITS_RANGE:
        raise BadInput(f"a converter of {bits} bits cannot be drawn; give {BITS_RANGE[0]} to {BITS_RANGE[-1]}.")
    if not (np.isfinite(full_scale) and full_scale > 0):
        raise BadInput(f"full_scale is {full_scale}; give volts above 0.")
    start = read.sample_end + read.rise
    times = np.unique(np.r_[np.linspace(0, read.rise, 50), np.geomspace(read.rise, start, read.points),
                            np.linspace(start, read.end, 20 * bits + 1)])
    halves = lines_of(crossbar, read)
    volts = {h: lines.voltages(times) for h, lines in halves.items()}
    out = halves["p"].currents(volts["p"]) - halves["n"].currents(volts["n"])
    (rows, columns), first = halves["p"].shape, sum(crossbar.plus.shape)
    amplified = read.gain * out[read.line]
    held = _sampled(times, amplified, read)
    lsb = full_scale / (1 << bits - 1)
    code, trial, compare = _searched(times, held, bits, lsb, start, read.end)
    dac = trial * np.float64(lsb)
    far = volts["p"][first + columns - 1:first + rows * columns:columns]
    sensed = volts["p"][first + rows * columns + (rows - 1) * columns + read.line]
    return Waves(times, far, sensed, out, amplified, held, dac, compare, code, bits, lsb, LINES[crossbar.verb])


def _sampled(times: Reals, amplified: Reals, read: Read) -> Reals:
    """The capacitor behind the switch, which opens in the middle of its own edge."""
    tau, held = read.switch * read.hold_farad, np.zeros_like(amplified)
    closed = times <= read.sample_end + read.rise / 2
    for i in range(1, len(times)):
        step = times[i] - times[i - 1]
        lag = tau * (amplified[i] - amplified[i - 1]) / step
        tracked = amplified[i] - lag + (held[i - 1] - amplified[i - 1] + lag) * np.exp(-step / tau)
        held[i] = tracked if closed[i] else held[i - 1]
    return held


def _searched(times: Reals, held: Reals, bits: int, lsb: float, start: float,
              end: float) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Code so far, code on trial and comparator at every time; a bit is decided at the end of its part."""
    code = np.full(len(times), -(1 << bits - 1))
    trial, compare, known = np.zeros(len(times), int), np.zeros(len(times), int), -(1 << bits - 1)
    for step in range(bits):
        tried = known + (1 << bits - 1 - step)
        begins, ends = (start + (end - start) * k / bits for k in (step, step + 1))
        part = (times >= begins) & (times <= ends)
        trial[part], code[part], compare[part] = tried, known, held[part] >= tried * lsb
        known = tried if compare[part][-1] else known
    code[-1] = known
    return code, trial, compare


def vcd(waves: Waves) -> str:
    """The waves as a VCD file, femtoseconds and real numbers, for any waveform viewer."""
    from vcd import VCDWriter

    buffer = io.StringIO()
    with VCDWriter(buffer, timescale="1 fs", date="", version="Hebbar") as writer:
        driven, sensed = waves.lines
        real = {f"{driven}_{i}": row for i, row in enumerate(waves.driven)}
        real |= {sensed: waves.sensed, "amplified": waves.amplified, "held": waves.held, "dac": waves.dac}
        lines = [(writer.register_var("read", name, "real", init=0.0), values) for name, values in real.items()]
        compare = writer.register_var("read", "compare", "wire", size=1, init=0)
        code = writer.register_var("read", "code", "integer", size=32, init=int(waves.code[0]))
        for k, seconds in enumerate(waves.time):
            now = round(seconds * 1e15)
            for variable, values in lines:
                writer.change(variable, now, float(values[k]))
            writer.change(compare, now, int(waves.compare[k]))
            writer.change(code, now, int(waves.code[k]))
    return buffer.getvalue()
