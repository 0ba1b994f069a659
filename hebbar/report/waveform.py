"""A strip of waveforms around a moment of interest, from the VCD of one sample."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hebbar.compiler.program import Program
from hebbar.contract.errors import BadInput
from hebbar.contract.isa import Sweep, decode
from sim.compare import described

from .figures import BLUE, GREEN, ORANGE, RED, WIDTH
from .svg import INK, STYLE
from .vcd import Waves, read

__all__ = ["SIGNALS", "Moment", "draw", "listing", "load", "moment", "runs", "window"]

CLOCK = "hebbar.clk"
BEFORE, LENGTH = 14, 72
"""Cycles shown before the moment, and in all."""

VERBS = ((1, "F"), (2, "E"), (4, "T"), (8, "U"))
UPD = 8


def _number(value: int) -> str:
    return str(value)


def _verbs(value: int) -> str:
    """A flag set of ``hebbar.contract.counters.ISSUE_SETS`` as letters."""
    return "".join(letter for bit, letter in VERBS if value & bit)


def _flags(value: int) -> str:
    """The flags of a SWEEP."""
    return "|".join(flag.name or "" for flag in Sweep if value & flag)


@dataclass(frozen=True)
class Signal:
    """A line of the strip: label, path in the VCD, how its value is written, colour."""

    label: str
    name: str
    text: Callable[[int], str] = _number
    colour: str = BLUE


SIGNALS = (
    Signal("status: running", "hebbar.sequencer.running"),
    Signal("status: fault", "hebbar.sequencer.fault", colour=RED),
    Signal("sequencer: pc", "hebbar.sequencer.pc"),
    Signal("sequencer: sweep", "hebbar.sequencer.sweep_flags", _flags),
    Signal("sequencer: draining", "hebbar.sequencer.draining"),
    Signal("barrier", "hebbar.barrier"),
    Signal("stream in: valid", "hebbar.s_axis_tvalid", colour=GREEN),
    Signal("stream in: ready", "hebbar.s_axis_tready", colour=GREEN),
    Signal("stream out: valid", "hebbar.m_axis_tvalid", colour=GREEN),
    Signal("stream out: ready", "hebbar.m_axis_tready", colour=GREEN),
    Signal("tile: issue", "hebbar.tile.issue", colour=ORANGE),
    Signal("tile: slot", "hebbar.tile.slot", colour=ORANGE),
    Signal("tile: verbs (F E T U)", "hebbar.tile.set", _verbs, ORANGE),
    Signal("tile: row valid", "hebbar.tile.row_valid", colour=ORANGE),
    Signal("tile: feedback valid", "hebbar.tile.back_valid", colour=ORANGE),
    Signal("tile: weights written", "hebbar.tile.writes", colour=ORANGE),
    Signal("neuron: error write", "hebbar.neuron.write_error__mask"),
    Signal("neuron: state write", "hebbar.neuron.write_state__mask"),
    Signal("neuron: activity write", "hebbar.neuron.write_activity__mask"),
)


@dataclass(frozen=True)
class Moment:
    """What the strip is about: cycle number, and why this cycle in words."""

    cycle: int
    why: str


def load(path: Path) -> Waves:
    """The signals of the strip, cycle by cycle."""
    return read(path, [s.name for s in SIGNALS], CLOCK)


def moment(waves: Waves, difference: str) -> Moment:
    """The first difference if the sentence names an address, else the first learning sweep."""
    running = waves.signals.get("hebbar.sequencer.running", [])
    address = re.search(r"\baddress (\d+)", difference)
    if address:
        pc = waves.signals.get("hebbar.sequencer.pc", [])
        at = [i for i, (p, r) in enumerate(zip(pc, running)) if r and p == int(address[1])]
        if at:
            return Moment(at[0], f"the first time address {address[1]}, where the first difference "
                                 "shows, is decoded in this sample")
    issue, flags = (waves.signals.get(f"hebbar.tile.{n}", []) for n in ("issue", "set"))
    sweeps = waves.signals.get("hebbar.sequencer.sweep_flags", [])
    learning = [i for i, (on, f) in enumerate(zip(issue, flags)) if on and (f or 0) & UPD] or \
        [i for i, (on, f) in enumerate(zip(issue, sweeps)) if on and (f or 0) & Sweep.UPD]
    if learning:
        return Moment(learning[0], "the first cycle of the first sweep that learns")
    started = [i for i, r in enumerate(running) if r]
    if not started:
        raise BadInput("the waveform shows no running machine; record the sample again.")
    return Moment(started[0], "the first cycle of the run")


def runs(values: list[int | None]) -> list[tuple[int, int, int | None]]:
    """Stretches of equal values as (first, end, value)."""
    out, at = [], 0
    for value, group in groupby(values):
        length = len(list(group))
        out.append((at, at + length, value))
        at += length
    return out


def window(waves: Waves, at: Moment) -> tuple[int, int]:
    """The first cycle of the strip and the one after its last."""
    start = max(0, min(at.cycle - BEFORE, waves.cycles - LENGTH))
    return start, min(start + LENGTH, waves.cycles)


def listing(program: Program, waves: Waves, at: Moment) -> list[tuple[int, str, bool]]:
    """Address and text of the instructions that the strip passes, three more on both sides, and whether the program
    counter is there in the strip."""
    start, stop = window(waves, at)
    passed = {pc for pc in waves.signals.get("hebbar.sequencer.pc", [])[start:stop] if pc is not None}
    near = range(max(0, min(passed, default=0) - 3), min(len(program.words), max(passed, default=0) + 4))
    return [(pc, described(program, decode(program.words[pc])), pc in passed) for pc in near]


def draw(waves: Waves, at: Moment) -> Figure:
    """The strip: a line a signal, a column a cycle, the moment as a vertical line."""
    start, stop = window(waves, at)
    lines = [s for s in SIGNALS if s.name in waves.signals]
    with rc_context(STYLE | {"font.size": 7.5}):
        figure = Figure(figsize=(WIDTH * 1.25, 0.6 + 0.235 * len(lines)), layout="constrained")
        axes = figure.subplots()
        for i, signal in enumerate(lines):
            values = waves.signals[signal.name][start:stop]
            base = len(lines) - 1 - i
            _line(axes, signal, values, waves.widths[signal.name], start - at.cycle, base)
        axes.axvline(0, color=INK, linewidth=0.9, linestyle=(0, (2, 2)))
        axes.set(xlim=(start - at.cycle, stop - at.cycle), ylim=(-0.35, len(lines) - 0.1),
                 yticks=[len(lines) - 1 - i + 0.33 for i in range(len(lines))],
                 yticklabels=[s.label for s in lines], xlabel="clock cycles from the moment")
        axes.grid(True, axis="x", color=INK, alpha=0.12, linewidth=0.5)
        axes.tick_params(axis="y", length=0)
        axes.spines["left"].set_visible(False)
        return figure


def _line(axes: Axes, signal: Signal, values: list[int | None], width: int, left: int, base: float) -> None:
    """One signal: a square wave for a bit, boxes with their values for more, grey where unknown."""
    low, high = base, base + 0.66
    previous: float | None = None
    for first, end, value in runs(values):
        x0, x1 = left + first, left + end
        if value is None:
            axes.fill_between([x0, x1], low, high, color="#999999", alpha=0.5, linewidth=0)
            previous = None
        elif width == 1 or value == 0:
            y = high if value else low
            if previous is not None and previous != y:
                axes.plot([x0, x0], [low, high], color=signal.colour, linewidth=1.0)
            axes.plot([x0, x1], [y, y], color=signal.colour, linewidth=1.1, solid_capstyle="butt")
            previous = y
        else:
            _box(axes, signal, value, (x0, x1), (low, high))
            previous = low


def _box(axes: Axes, signal: Signal, value: int, x: tuple[int, int], y: tuple[float, float]) -> None:
    (x0, x1), (low, high) = x, y
    middle, slant = (low + high) / 2, min(0.25, (x1 - x0) / 3)
    axes.fill([x0, x0 + slant, x1 - slant, x1, x1 - slant, x0 + slant],
              [middle, high, high, middle, low, low], facecolor=signal.colour, alpha=0.28, linewidth=0)
    axes.plot([x0, x0 + slant, x1 - slant, x1, x1 - slant, x0 + slant, x0],
              [middle, high, high, middle, low, low, middle], color=signal.colour, linewidth=0.8)
    text = signal.text(value)
    if len(text) * 0.85 <= x1 - x0:
        axes.text((x0 + x1) / 2, middle, text, ha="center", va="center_baseline", fontsize=6.5)
