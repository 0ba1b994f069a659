"""Designs whose parts are published: do the parts give the whole? This checks arithmetic, no prediction."""

from dataclasses import dataclass

from .tables import component
from .units import in_units

__all__ = ["Given", "given"]


@dataclass(frozen=True)
class Given:
    """A figure computed from published parts beside the one published for the whole."""

    design: str
    what: str
    unit: str
    computed: float
    published: float
    source: str

    @property
    def error(self) -> float:
        """Relative error of the computed figure."""
        return self.computed / self.published - 1


def given() -> list[Given]:
    """All designs, in the order of their years."""
    return [*_isaac(), *_eyeriss(), *_tpu(), *_jia(), *_colonnade(), *_sinangil(), *_wang(), *_neurram(), *_hermes()]


def _part(name: str, unit: str, voltage_v: float | None = None) -> float:
    return in_units(component(name, voltage_v=voltage_v).value, unit, name)


def _isaac() -> list[Given]:
    """Twelve multipliers in situ, each with 8 converters of 2 mW, drivers, arrays, sampling, and what they share."""
    multiplier = 8 * 2 + 4 + 2.4 + 0.01 + 0.2 + 1.24 + 0.23
    shared = 20.7 + 7 + 42 / 4 + 0.52 + 0.05 + 0.4 + 1.68
    return [Given("ISAAC tile, 32 nm (a study, no silicon)", "power of the tile from its parts", "mW",
                  12 * multiplier + shared, 330, "Shafiee et al., ISCA 2016, table of the tile")]


def _eyeriss() -> list[Given]:
    """Power over images a second and multiply-accumulates of an image."""
    return [Given("Eyeriss, 65 nm", "energy of a multiply-accumulate from power and rate", "pJ",
                  278e-3 / 34.7 / 666e6 * 1e12, 12.0, "Chen et al., JSSC 2017, AlexNet's convolutions")]


def _tpu() -> list[Given]:
    return [Given("TPU v1, 28 nm", "peak rate from multipliers and clock", "TOPS", 65536 * 2 * 700e6 / 1e12, 92,
                  "Jouppi et al., ISCA 2017; the clock of 700 MHz from memory")]


def _jia() -> list[Given]:
    """2304 rows, two operations each, over the energy of a column, its converter and, in the second, its datapath."""
    found = []
    for voltage, without, whole in ((0.85, 400, 233), (1.2, 192, 119)):
        array = _part("charge-domain column 2304 rows", "pJ", voltage)
        converter = _part("SAR ADC 8b in column", "pJ/conv", voltage)
        datapath = _part("near-memory datapath per output", "pJ", voltage)
        for parts, published, what in (((array, converter), without, "array and converter"),
                                       ((array, converter, datapath), whole, "with the datapath")):
            found.append(Given(f"Jia 2020, 65 nm, {voltage} V", f"efficiency, {what}, 1b", "TOPS/W",
                               2 * 2304 / sum(parts), published, "Jia et al., JSSC 2020"))
    return found


def _colonnade() -> list[Given]:
    """Four shares of 144.3 fJ a multiply-accumulate of 1 x 8 bits; a 1b operation is a sixteenth of it."""
    parts = sum(_part(f"Colonnade share {p}", "share") for p in
                ("bitcell and logic", "drivers", "control and registers", "bit line decoder"))
    return [Given("Colonnade, 65 nm, 0.8 V", "energy of a 1b operation from its shares", "fJ", parts * 144.3 / 16,
                  1000 / 110.84, "Kim et al., JSSC 2021, breakdown and throughput")]


def _sinangil() -> list[Given]:
    return [Given("Sinangil 2021, 7 nm, 0.8 V", "rate of 64 rows and 16 outputs in 5.5 ns", "TOPS",
                  64 * 16 * 2 / 5.5 / 1000, 0.3724, "Dong et al., ISSCC 2020, 372.4 GOPS")]


def _wang() -> list[Given]:
    return [Given("Wang 2022, 22 nm, 1.1 V", "rate of two cores of 64 rows and 16 outputs in 4.17 ns, 8b", "TOPS",
                  2 * 64 * 16 * 2 / 4.17 / 1000, 62.864 / 64, "Wang et al., VLSI 2022, by the tabulation of UIUC")]


def _neurram() -> list[Given]:
    """Word lines, neurons and input pulses of a multiply-accumulate, which counts as one operation."""
    published = (43.079, 40.334, 23.091, 15.954, 11.330, 9.122, 7.750, 6.437)
    found = []
    for bits, whole in enumerate(published, start=1):
        parts = sum(_part(f"NeuRRAM {p}, {bits}-bit input, {bits + 2}-bit output", "fJ/MAC") for p in
                    ("word-line switching", "neuron and control", "input pulses"))
        found.append(Given(f"NeuRRAM, 130 nm, {bits} b in, {bits + 2} b out", "efficiency from its three parts",
                           "TOPS/W", 1000 / parts, whole, "Wan et al., Nature 2022"))
    return found


def _hermes() -> list[Given]:
    """64 cores of 256 x 256 in the published time of a product; energy from rate and efficiency."""
    return [Given(f"Hermes, 14 nm, {phases}", "rate of 64 cores of 256 x 256", "TOPS", 64 * 256 * 256 * 2 / time / 1000,
                  rate, "Le Gallo et al., Nature Electronics 2023") for phases, time, rate in
            (("one phase", 133, 63.1), ("four phases", 521, 16.1))]
