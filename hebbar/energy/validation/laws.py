"""Laws for the energy of a pass of an in-memory-computing macro, from node, supply and sizes.

Every constant comes from a source that is none of the designs: gates and full adders of open Liberty files, a wire, the
read current of a cell. It has a spread, how far its sources disagree, which ``fit`` uses as the width of a prior when
constants are fitted to designs. The forms were chosen with the published figures in sight; ``docs/validation.md`` says
what that means.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from .sram import fit
from .tables import Design, component, rows
from .units import in_units

__all__ = ["AREA", "LAWS", "Constant", "Law", "law_of", "pass_pj"]

REFERENCE_NM = 28.0
COMPILER_NM = 130.0
AREA_EXPONENT = 1.12
"""The exponent of the node, for the area of macros: taken from the designs, no source gives it."""
READ_NM = 32.0
"""Node of NeuroSim's default cell, of which the read current is."""

ACTIVITY = 0.25
"""Transitions a cycle of a node of an adder tree: half of the inputs toggle and half of the weights are one, the
condition under which most digital macros are reported."""


@dataclass(frozen=True)
class Constant:
    """A constant of a law: ``spread`` is the standard deviation of its logarithm, from its sources."""

    name: str
    value: float
    unit: str
    spread: float
    source: str


@dataclass(frozen=True)
class Law:
    """A figure of a design, linear in the values of ``constants``: energy of a pass in pJ, or area in mm2."""

    name: str
    title: str
    needs: tuple[str, ...]
    features: Callable[[Design], tuple[float, ...]]
    constants: Callable[[], tuple[Constant, ...]]
    published: Callable[[Design], float]

    def predict(self, design: Design, values: tuple[float, ...] | None = None) -> float:
        """The figure in pJ or mm2; without ``values`` untuned, from the sources alone."""
        given = values or tuple(c.value for c in self.constants())
        return sum(c * f for c, f in zip(given, self.features(design), strict=True))


@cache
def gate_law() -> tuple[float, float, float]:
    """Capacitance of an input of a NAND2 at 28 nm in fF, exponent of the node, and spread, from five libraries."""
    names = ("GF180", "SG13G2", "sky130", "Nangate45", "ASAP7")
    found = [component(f"{name} NAND2 input cap") for name in names]
    nodes = np.log([(c.node_nm or 0) / REFERENCE_NM for c in found])
    sizes = np.log([in_units(c.value, "fF", c.name) for c in found])
    exponent, level = np.polyfit(nodes, sizes, 1)
    rest = sizes - level - exponent * nodes
    return math.exp(level), float(exponent), math.sqrt(float(rest @ rest) / (len(rest) - 2))


@cache
def wire_law() -> tuple[float, float]:
    """Capacitance of a wire in fF a um, and spread: the two readings of Keckler's figures.

    Random data charge a wire in a quarter of the cycles (C = 4 E / V^2); the energy for each transition
    read as C V^2 gives half of that. The value is their geometric mean.
    """
    random, each = component("wire, random data"), component("wire, per transition")
    supply = (random.voltage_v or 0) ** 2
    high = 4 * in_units(random.value, "pJ/bit/mm", random.name) / supply
    low = in_units(each.value, "pJ/bit/mm", each.name) / supply
    return math.sqrt(low * high), math.log(high / low) / 2


def pitch_um() -> float:
    """Pitch of an SRAM bit at 28 nm: the square root of the area a bit of the SG13G2 compiler, scaled with the node."""
    return math.sqrt(fit("area_um2")[2]) * REFERENCE_NM / COMPILER_NM


@cache
def adder_law() -> tuple[float, float]:
    """Effective capacitances in fF at 28 nm: of an output of a full adder, and of a NAND2, loads included.

    A transition takes the cell's internal energy and half of C V^2 of the input it drives. Internal energies are
    interpolated over the node; below 28 nm nothing is scaled, as the chips show no factor there.
    """
    cells = [r for r in rows("cells.csv") if r["cell"] == "FA"]
    nodes = np.log([float(r["node_nm"]) / REFERENCE_NM for r in cells])
    inside = np.log([float(r["internal_fj"]) / float(r["vdd_v"]) ** 2 for r in cells])
    gate, exponent, _ = gate_law()
    sky = {r["cell"]: r for r in rows("cells.csv") if r["library"] == "sky130_fd_sc_hd"}
    pins = float(sky["FA"]["pin_ff"]) / float(sky["NAND2"]["pin_ff"])
    nand = float(sky["NAND2"]["internal_fj"]) / float(sky["NAND2"]["vdd_v"]) ** 2
    nand *= (REFERENCE_NM / COMPILER_NM) ** exponent
    return math.exp(np.polyfit(nodes, inside, 1)[1]) + pins * gate / 2, nand + gate / 2


def cells(design: Design) -> float:
    """Cells that a conversion sums: one for each bit of a weight in SRAM, the devices read where they hold levels."""
    d = design.given
    return d["rows_active"] * d["cols_active"] if design.text["class"] == "nvm_analog" else d["dot_len"] * d["bits_w"]


def voltage_pj(node: Any, supply: Any, inputs: Any, lines: Any, conversions: Any, reference: Any = REFERENCE_NM
               ) -> tuple[Any, Any]:
    """Energy of a pass for a unit of each constant: ``inputs`` gates of input lines, ``lines`` cells of bit lines."""
    ratio = node / reference
    charge = conversions * supply**2
    return charge * ratio ** gate_law()[1] * inputs, charge * ratio * lines


def _voltage(design: Design) -> tuple[float, ...]:
    d = design.given
    found = voltage_pj(d["node_nm"], d["vdd_v"], cells(design) * d["bits_in"], d["rows_per_adc"] * d["cols_active"],
                       d["n_conv"])
    return tuple(f / 1000 for f in found)


def _current(design: Design) -> tuple[float, ...]:
    d = design.given
    width = (d["node_nm"] / READ_NM) ** gate_law()[1]
    return (d["n_conv"] * width * d["vdd_v"] * d["t_pass_ns"] * d["rows_active"] * d["cols_active"] / 1000,)


def adder_tree(bits: float) -> float:
    """Capacitance in fF that a product of one bit by one bit switches: an AND and 1 + 1/bits full adders."""
    adder, gate = adder_law()
    return gate + 2 * adder * (1 + 1 / bits)


def _digital(design: Design) -> tuple[float, ...]:
    d = design.given
    work = d["pub_pj_per_pass"] / d["pub_fj_per_1b_op"] if "pub_pj_per_pass" in d else 1e-3
    return (work * adder_tree(d["bits_w"]) / 2 * d["vdd_v"] ** 2,)


def _voltage_constants() -> tuple[Constant, ...]:
    gate, exponent, rest = gate_law()
    wire, spread = wire_law()
    return (Constant("gate a cell", gate, "fF", rest, "NAND2 inputs of five Liberty files, at 28 nm, exponent "
                     f"{exponent:.3f}"),
            Constant("bit line a row", wire * pitch_um(), "fF", spread, "Keckler's wire (IEEE Micro 2011) over the "
                     "pitch of an SG13G2 SRAM bit, scaled to 28 nm"))


def _current_constants() -> tuple[Constant, ...]:
    read = component("cell read current")
    return (Constant("read current of a cell", in_units(read.value, "uA", read.name), "uA", math.log(2),
                     "NeuroSim's default cell, 32 nm; width scales as the gate's capacitance; spread assumed"),)


def _digital_constants() -> tuple[Constant, ...]:
    return (Constant("activity", ACTIVITY, "", math.log(1.5), "half of the inputs toggle, half of the weights are one; "
                     "capacitances from full adders of three Liberty files; spread assumed"),)


def pass_pj(design: Design) -> float:
    """The published energy of a pass in pJ; of a 1b operation where no pass is stated."""
    d = design.given
    return d["pub_pj_per_pass"] if "pub_pj_per_pass" in d else d["pub_fj_per_1b_op"] / 1000


def _area(design: Design) -> tuple[float, ...]:
    """The area in mm2 that the compiler's law gives to the same bits, a macro for each core, at the node."""
    d = design.given
    bits = d["core_kbit"] * 1024
    fixed, column, bit = fit("area_um2")
    macro = fixed + column * d.get("array_cols", math.sqrt(bits)) + bit * bits
    return (d.get("cores", 1) * macro * (d["node_nm"] / COMPILER_NM) ** AREA_EXPONENT / 1e6,)


def _area_constants() -> tuple[Constant, ...]:
    return (Constant("area over that of an SRAM", 2.0, "", math.log(2), "assumed: a cell that computes has eight to "
                     "ten transistors and its share of adders or converters, where an SRAM's has six"),)


LAWS = {law.name: law for law in (
    Law("voltage", "voltage mode: charge or discharge of lines", ("node_nm", "vdd_v", "rows_active", "rows_per_adc",
        "cols_active", "dot_len", "bits_in", "bits_w", "n_conv", "pub_pj_per_pass"), _voltage, _voltage_constants,
        pass_pj),
    Law("digital", "digital adder trees", ("vdd_v", "bits_w", "pub_fj_per_1b_op"), _digital, _digital_constants,
        pass_pj),
    Law("current", "current mode", ("node_nm", "vdd_v", "t_pass_ns", "rows_active", "cols_active", "n_conv",
        "pub_pj_per_pass"), _current, _current_constants, pass_pj))}
"""Laws of energy by name."""

AREA = Law("area", "area of SRAM macros", ("node_nm", "core_kbit", "pub_area_mm2"), _area, _area_constants,
           lambda design: design.given["pub_area_mm2"])


def law_of(design: Design) -> Law | None:
    """The law of a macro; None for what is no in-memory-computing macro."""
    if design.text["class"] == "sram_digital":
        return LAWS["digital"]
    if design.text["class"] not in ("sram_analog", "nvm_analog", "edram"):
        return None
    return LAWS["current" if design.text["mode"] == "current" else "voltage"]
