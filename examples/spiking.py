"""Pair STDP: its window, and spiking neurons that learn without labels to tell orders of spikes apart.

    python examples/spiking.py [--quick]     # draws out/stdp_window.svg and out/spiking.svg
"""

from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.report.svg import save
from hebbar.studies import spiking
from hebbar.studies.example import Backend, Quick, run


def main(quick: Quick = False, backend: Backend = "fast") -> str | None:
    """Measure the window, learn, compare with the RTL, draw; what went wrong, or None."""
    reporter = Reporter()
    pair = spiking.window(reporter, backend)
    asked = spiking.replay(reporter, backend, count=20 if quick else spiking.WAVES)
    rtl = asked.missing or (f"{asked.mismatches + pair.asked.mismatches} mismatches in "
                            f"{asked.words + pair.asked.words:,} words")
    print(f"window: at most {100 * pair.used:.0f} % of what rounding allows away from its closed form")
    print(f"{asked.cycles:,.0f} cycles and {asked.energy:,.1f} nJ a step of learning; RTL: {rtl}")
    save(spiking.draw_window(pair), Path("out/stdp_window.svg"))

    seeds = spiking.SEEDS[:2 if quick else None]
    studies = [spiking.study(seed) for seed in seeds]
    print(*(f"seed {seed}: {study}" for seed, study in zip(seeds, studies)), sep="\n")
    save(spiking.draw_spikes(studies[0]), Path("out/spiking.svg"))
    if asked.first or pair.asked.first or pair.used > 1:
        return asked.first or pair.asked.first or "The window is off by more than rounding allows."
    return None if spiking.reached(studies) else "The orders are not told apart as they should be."

if __name__ == "__main__":
    run(main)
