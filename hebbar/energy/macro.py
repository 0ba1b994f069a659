"""The analog macro priced: drivers, cells and converters of every sweep, counted from the program.

A sweep with FWD drives the lines of its columns bit by bit, reads every cell of its rows, and converts every row; TRN
the same from the other side; UPD writes every plastic cell once. Energies are published components, far apart from each
other: a converter of a survey's median takes five times one of a design study. They are of 32 nm or of devices and are
not scaled. Programming with verification before a run is not in it.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from hebbar.compiler.executions import executions
from hebbar.compiler.program import Program
from hebbar.contract.isa import Op, Sweep
from hebbar.contract.pins import activity_drive_bits, column_bits, error_drive_bits, row_bits

from .technology import Range
from .validation.tables import component
from .validation.units import in_units

__all__ = ["MacroRow", "conversion_pj", "macro_counts", "macro_rows"]

ISAAC_PJ = {4: 0.79, 5: 0.99, 6: 1.20, 7: 1.42, 8: 1.56, 9: 1.97, 10: 2.38}
"""A conversion at 32 nm: ISAAC's converter of 8 bits and what the study scales it to."""

SURVEY_PJ = {5: 2.1, 6: 4.3, 7: 3.2, 8: 8.4, 10: 12.7}
"""Medians by effective bits above 10 MS/s since 2015, Murmann's survey of 2025-06; a nominal converter has one less."""

DRIVE_SHARE = Range(0.25, 0.5, 1.0)
"""Share of the bits that are one: a quarter, half, all."""

READ_W = Range(0.2**2 / 240e3, 0.5**2 / 240e3, 0.5**2 * 39.26e-6)
"""Watts of a cell that is read, V^2 G: 0.2 V and 0.5 V over NeuroSim's 240 kOhm, 0.5 V at RRAM's
39.26 uS (Wan 2022)."""

WRITE_PJ = Range(0.0177, 1.29, 10.0)
"""Energy of a cell's update: PANTHER's parallel outer product, its serial write, and 10 pJ, the upper end of V^2 G t
of devices."""


@dataclass(frozen=True)
class MacroRow:
    """One part of the macro: how often it works in all samples, pJ each, pJ a sample, and where that comes from."""

    component: str
    count: int
    each: Range
    sample: Range
    source: str


def macro_counts(program: Program, entry: str, samples: int, exits: Iterable[bool] = ()) -> Counter[str]:
    """Pulses on lines, cells that a bit reads, conversions, and cells that are written, of all samples."""
    total: Counter[str] = Counter()
    m = program.machine
    for instruction, times in executions(program, entry, samples, tuple(exits)):
        if instruction.op is not Op.SWEEP:
            continue
        flags = Sweep(instruction.fields["flags"])
        block, columns = program.descriptor(instruction.fields["block"])
        stored = [c for c in columns if c["lanes"] and flags.weights]
        rows = _rows(block, m.row_tiles)
        lines, fed, plastic = (sum(c["lanes"] for c in stored if take(c)) for take in (
            lambda c: True, lambda c: c["feedback"], lambda c: c["plastic"]))
        if flags & Sweep.FWD:
            total["FWD drive"] += times * lines * activity_drive_bits(m)
            total["FWD cells"] += times * lines * rows * activity_drive_bits(m)
            total["FWD convert"] += times * rows * bool(lines)
        if flags & Sweep.TRN:
            total["TRN drive"] += times * rows * error_drive_bits(m) * bool(fed)
            total["TRN cells"] += times * fed * rows * error_drive_bits(m)
            total["TRN convert"] += times * fed
        if flags & Sweep.UPD:
            total["UPD drive"] += times * (plastic + rows * bool(plastic)) * _steps(program)
            total["UPD cells"] += times * plastic * rows
    return total


def _rows(block: dict[str, int], tiles: int) -> int:
    return (block["groups"] - 1) * tiles + block["last_rows"]


def _steps(program: Program) -> int:
    """Pulses that an update gives to a line."""
    control = program.machine.analog.control
    return 2 * control.pulses if control.update == "stochastic" else error_drive_bits(program.machine)


def conversion_pj(bits: int) -> Range:
    """A conversion of ``bits`` bits: the law (100 fF B + 0.001 fF 4^B) V^2 at 0.9 V, the study's, the survey's median.

    Beyond 10 bits noise decides: each part grows fourfold with a bit, as the capacitance that holds kT/C does.
    """
    law = (100 * bits + 0.001 * 4.0**bits) * 0.81 / 1000
    wide = 4.0 ** max(0, bits - 10)
    study = ISAAC_PJ[min(max(bits, 4), 10)] * wide
    nearest = min(SURVEY_PJ, key=lambda known: (abs(known - (bits - 1)), known))
    survey = SURVEY_PJ[nearest] * wide
    return Range(min(law, study), study, max(survey, study, law))


def macro_rows(program: Program, entry: str, samples: int, clock_mhz: float, exits: Iterable[bool] = ()
               ) -> tuple[MacroRow, ...]:
    """The parts of the macro of a run, at a clock that says how long a cell is read; none for a machine without one."""
    m = program.machine
    if not m.kind.macro:
        return ()
    driver = in_units(component("1b row driver").value, "pJ/pulse", "1b row driver")
    seconds = m.analog.control.bit_cycles / (clock_mhz * 1e6)
    read = Range(*(w * seconds * 1e12 * s for w, s in zip(READ_W, DRIVE_SHARE, strict=True)))
    pulse = DRIVE_SHARE * driver
    each = {"drive": (pulse, "1b row driver, ISAAC 2016, 32 nm, times the share of bits that are one"),
            "cells": (read, f"V^2 G t of devices, {seconds * 1e9:g} ns a bit"),
            "UPD cells": (WRITE_PJ, "PANTHER: parallel outer product, serial write; 10 pJ of a device's pulse"),
            "FWD convert": (conversion_pj(row_bits(m)), f"{row_bits(m)} bits: fitted law, ISAAC, survey 2025-06"),
            "TRN convert": (conversion_pj(column_bits(m)), f"{column_bits(m)} bits: fitted law, ISAAC, survey 2025-06")}
    found = []
    for name, count in macro_counts(program, entry, samples, exits).items():
        energy, source = each.get(name) or each[name.partition(" ")[2]]
        if count:
            found.append(MacroRow(f"macro {name}", count, energy, energy * (count / samples), source))
    return tuple(found)
