"""The figure of a read in time: lines, sample and hold, successive approximation."""

from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hebbar.report.figures import BLUE, GREEN, ORANGE, SKY, WIDTH
from hebbar.report.svg import INK, STYLE
from sim.analog.crossbar import Read
from sim.analog.transient import Waves

__all__ = ["draw"]

SCALES = ((1.0, "s"), (1e3, "ms"), (1e6, "µs"), (1e9, "ns"), (1e12, "ps"))


def draw(waves: Waves, read: Read) -> Figure:
    """While the lines settle, and from sampling on; each part on its own axis of time."""
    scale, unit = next((s for s in SCALES if waves.time[-1] * s[0] >= 1), SCALES[-1])
    settled = _settled(waves)
    with rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, 4.6), layout="constrained")
        grid = figure.subplots(2, 1, gridspec_kw={"height_ratios": [1, 1.15]})
        for axes in grid:
            axes.grid(True, color=INK, alpha=0.15, linewidth=0.6)
            axes.set_axisbelow(True)
        _lines(grid[0], waves, settled)
        _search(grid[1], waves, read, scale, unit)
        return figure


def _settled(waves: Waves) -> float:
    """When the amplifier stays within a thousandth of its end, and half as much again."""
    far = abs(waves.amplified - waves.amplified[-1]) > 1e-3 * max(abs(waves.amplified))
    return 1.5 * float(waves.time[far.nonzero()[0][-1] + 1] if far.any() else waves.time[-1] / 1.5)


def _lines(axes: Axes, waves: Waves, until: float) -> None:
    scale, unit = next((s for s in SCALES if until * s[0] >= 1), SCALES[-1])
    t = waves.time * scale
    driven, sensed = waves.lines
    for i, row in enumerate(waves.driven):
        axes.plot(t, row, color=SKY, linewidth=0.8, label=f"{driven} lines, far cells" if not i else None)
    axes.plot(t, waves.sensed, color=ORANGE, linewidth=1.4, linestyle="--", label=f"sampled {sensed} line, far cell")
    axes.plot(t, waves.amplified, color=BLUE, linewidth=1.6, label="amplifier")
    axes.set(xlim=(0, until * scale), xlabel=f"{unit}, while the lines settle", ylabel="V")
    axes.legend(loc="center right", ncols=1)


def _search(axes: Axes, waves: Waves, read: Read, scale: float, unit: str) -> None:
    t, start = waves.time * scale, (read.sample_end + read.rise) * scale
    shown = waves.time >= read.sample_end + read.rise
    axes.plot(t, waves.held, color=BLUE, linewidth=1.6, label="held")
    axes.step(t[shown], waves.dac[shown], where="post", color=GREEN, linewidth=1.2, linestyle="-.",
              label="code on trial")
    axes.axvline(read.sample_end * scale, color=INK, linewidth=0.9, linestyle=(0, (2, 2)))
    part = (t[-1] - start) / waves.bits
    top = max(waves.held.max(), waves.dac.max())
    for step in range(waves.bits):
        middle = start + (step + 0.5) * part
        axes.text(middle, top, str(int(waves.compare[abs(t - middle).argmin()])), ha="center", va="bottom")
    axes.text(read.sample_end * scale, top, "sampling ends ", ha="right", va="bottom")
    axes.set(xlim=(start - 0.7 * (t[-1] - start), t[-1]), ylabel="V",
             xlabel=f"{unit}; above, what the comparator says of each bit; code {int(waves.code[-1])} of "
             f"{waves.bits} bits, {waves.code[-1] * waves.lsb:.4f} V")
    axes.margins(y=0.15)
    axes.legend(loc="lower left", bbox_to_anchor=(0, 0.2))
