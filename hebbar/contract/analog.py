"""``[machine.analog]``: the analog macro, its converters and drivers, and everything about it that is not ideal.

What the digital control around the macro is built for stands in ``Control``; the physics stands in the sections
of ``AnalogConfig`` and never reaches the RTL. All switches are off by default: such a macro computes what the
digital tile computes.
"""

import tomllib
from importlib import resources
from typing import Annotated, Any, Literal

from pydantic import Field, ModelWrapValidatorHandler, model_validator

from .errors import BadInput
from .section import Section, key
from .suggest import suggest

__all__ = ["GAIN_FRAC", "Side", "device_names", "published", "Control", "Device", "Programming", "Read", "Update",
           "Faults", "Wires", "Converters", "AnalogConfig"]

Side = Literal["row", "column"]
DEVICES = resources.files("hebbar") / "devices"


def device_names() -> list[str]:
    """The published devices that ``preset`` takes, sorted."""
    return sorted(f.name.removesuffix(".toml") for f in DEVICES.iterdir() if f.name.endswith(".toml"))


def published(name: str) -> dict[str, Any]:
    """The tables of a published device; of none, no tables."""
    return tomllib.loads((DEVICES / f"{name}.toml").read_text(encoding="utf-8")) if name else {}


GAIN_FRAC = 14
Gain = Annotated[int, Field(ge=1 << GAIN_FRAC - 1, lt=1 << GAIN_FRAC + 1)]
"""A gain from 1/2 to 2."""


SMALL, LARGE = 1e-6, 1e6
"""Ends of what physical numbers may be, in any unit that they have here."""


class Control(Section):
    """What the RTL is built for."""

    row_bits: int = key(0, "Resolution of the converters of FWD; 0: as wide as the sums.", "bits", 9, ge=0, le=53)
    row_step: int = key(0, "log2 of their LSB.", "log2 of product codes", 15, ge=0, le=40)
    column_bits: int = key(0, "Resolution of the converters of TRN; 0: as wide as the sums.", "bits", 9, ge=0, le=53)
    column_step: int = key(0, "log2 of their LSB.", "log2 of product codes", 18, ge=0, le=40)
    align: int = key(0, "Largest left shift of an activity.", "bits", 2, ge=0, le=7)
    bit_cycles: int = key(1, "Time that a bit of the input is driven.", "cycles", ge=1, le=255)
    update: Literal["deterministic", "stochastic"] = key(
        "deterministic", "deterministic: one exact step. stochastic: `pulses` coincident pulses for each sign, whose "
                         "mean is the step.", example="stochastic")
    pulses: int = key(32, "Pulses of a stochastic update, for each sign.", "pulses", ge=1, le=32)
    pulse_exponent: int = key(8, "log2 of what a weight changes when all pulses meet.", "log2 of codes", ge=0, le=24)
    verify: int = key(0, "Attempts to bring a loaded weight within `tolerance`; 0: one write that is not checked.",
                      "attempts", 5, ge=0, le=255)
    tolerance: int = key(0, "How far from what was asked for a written weight may be.", "codes", ge=0, le=1 << 15)
    row_offset: tuple[int, ...] = key((), "Calibration of the P row converters, of every one or of none: a sum is "
                                          "(code LSB - offset) gain; `hebbar calibrate` measures it.", "product codes",
                                      [0, 12])
    row_gain: tuple[Gain, ...] = key((), "The gain of that.", "1 / 2^14", [16384, 16400])
    column_offset: tuple[int, ...] = key((), "The same of the C column converters.", "product codes", [0, 12, 3, 0])
    column_gain: tuple[Gain, ...] = key((), "The gain of that.", "1 / 2^14", [16384, 16400, 16384, 16390])

    def calibration(self, side: Side, converters: int) -> list[tuple[int, int]]:
        """Offset and gain of every converter of a side, those of a perfect one where none are given."""
        offset, gain = getattr(self, f"{side}_offset"), getattr(self, f"{side}_gain")
        return list(zip(offset or (0,) * converters, gain or (1 << GAIN_FRAC,) * converters))

    @property
    def each(self) -> float:
        """What a coincidence of two pulses changes, in codes."""
        return 2.0**self.pulse_exponent / self.pulses

    def calibrated(self, side: Side) -> bool:
        """Whether anything is given."""
        return bool(getattr(self, f"{side}_offset") or getattr(self, f"{side}_gain"))


class Device(Section):
    """A cell is a pair of conductances; the weight is their difference."""

    g_min: float = key(0.0, "Smallest conductance.", "microsiemens", 1.0, ge=0, le=LARGE)
    g_max: float = key(25.0, "Largest conductance.", "microsiemens", ge=SMALL, le=LARGE)
    weight_range: float = key(4.0, "The real weight at the difference g_max - g_min.", "weight", ge=SMALL, le=LARGE)
    levels: int = key(0, "Programmable states of a conductance; 0: any.", "states", 16, ge=0, le=1 << 16)
    coding: Literal["one_sided", "balanced"] = key(
        "one_sided", "one_sided: the smaller of a pair stays at g_min. balanced: both move by half around the middle.",
        example="balanced")


class Programming(Section):
    """Error of a written conductance."""

    noise: tuple[Annotated[float, Field(ge=-LARGE, le=LARGE)], ...] = key(
        (), "Standard deviation of the error, normal, as a polynomial of the target, constant first.", "microsiemens",
        [1.0, 0.2], max_length=16)
    relative: bool = key(False, "The target of that polynomial is a share of g_max.")


class Read(Section):
    """Noise of every read, of one conductance; drift since it was programmed."""

    additive: float = key(0.0, "White noise, whatever the conductance.", "microsiemens", 0.1, ge=0, le=LARGE)
    proportional: float = key(0.0, "White noise as a share of the conductance.", "share", 0.01, ge=0, le=LARGE)
    flicker: float = key(0.0, "1/f noise: Q of a conductance g, a share of g_max, is min(flicker / g^flicker_exponent, "
                         "flicker_limit).", "", 0.0088, ge=0, le=LARGE)
    flicker_exponent: float = key(0.65, "Exponent of that.", ge=0, le=10)
    flicker_limit: float = key(0.2, "Largest Q.", ge=0, le=LARGE)
    age: float = key(0.0, "Time since programming.", "seconds", 25.0, ge=0, le=1e12)
    drift: float = key(0.0, "Mean nu of the drift (age / drift_start)^-nu.", "", 0.05, ge=0, le=10)
    drift_spread: float = key(0.0, "Standard deviation of nu from device to device.", "", 0.01, ge=0, le=10)
    drift_log: bool = key(False, "nu by the published logarithmic law in g instead.")
    drift_start: float = key(20.0, "When drift begins.", "seconds", ge=SMALL, le=1e12)


class Update(Section):
    """What an update does to a device."""

    device_spread: float = key(0.0, "Spread of its size from device to device.", "share", 0.3, ge=0, le=LARGE)
    pulse_spread: float = key(0.0, "Spread of its size from pulse to pulse.", "share", 0.3, ge=0, le=LARGE)
    asymmetry: float = key(0.0, "Up less down of a conductance; it cancels in a balanced pair.", "share", 0.01, gt=-1,
                           lt=1)
    soft_bounds: float = key(0.0, "0: constant steps up to the range. 1: the step falls linearly to zero at the "
                                  "bound; at weight 0 it is whole.", "share", 1.0, ge=0, le=1)
    unidirectional: bool = key(False, "Devices only grow, G+ for positive and G- for negative changes.")


class Faults(Section):
    """Conductances that do not move."""

    stuck_on: float = key(0.0, "Share of conductances that stay at g_max.", "share", 0.001, ge=0, le=1)
    stuck_off: float = key(0.0, "Share of conductances that stay at g_min.", "share", 0.001, ge=0, le=1)


class Wires(Section):
    """Resistance of the lines of the crossbar, and at their ends: FWD drives bit lines and senses word lines, TRN the
    other way round."""

    model: Literal["off", "approximate", "exact"] = key(
        "off", "exact solves the network; approximate corrects once by the currents without wires.", example="exact")
    word_resistance: float = key(0.0, "Of a segment of a word line.", "ohms", 2.0, ge=0, le=1e9)
    bit_resistance: float = key(0.0, "Of a segment of a bit line.", "ohms", 2.0, ge=0, le=1e9)
    driver: float = key(0.0, "Of a driver, at the lines that are driven.", "ohms", 100.0, ge=0, le=1e9)
    sense: float = key(0.0, "Of a sense node, at the lines that are sensed.", "ohms", 100.0, ge=0, le=1e9)


class Converters(Section):
    """Errors of the converters."""

    offset: float = key(0.0, "Standard deviation of their fixed offsets.", "LSB", 0.5, ge=0, le=LARGE)
    gain: float = key(0.0, "Standard deviation of their fixed gains.", "share", 0.01, ge=0, le=10)
    inl: float = key(0.0, "Standard deviation of their integral nonlinearity.", "LSB", 0.5, ge=0, le=LARGE)
    noise: float = key(0.0, "Standard deviation of the noise of a conversion.", "LSB", 0.5, ge=0, le=LARGE)
    settling: float = key(0.0, "Time constant of a line.", "cycles", 0.2, ge=0, le=LARGE)


class AnalogConfig(Section):
    """``[machine.analog]``: the macro of tile 'analog'; the tables below it are its parts."""

    preset: str = key("", f"A published device: {', '.join(device_names())}. Its values stand where no other is "
                          "given; its pulses are for weights with 13 fractional bits.", example="pcm", max_length=64)
    control: Control = key(Control(), "What the RTL is built for.")
    device: Device = key(Device(), "Conductances.")
    programming: Programming = key(Programming(), "Error of writing.")
    read: Read = key(Read(), "Noise and drift.")
    update: Update = key(Update(), "Error of learning.")
    faults: Faults = key(Faults(), "Stuck conductances.")
    wires: Wires = key(Wires(), "Resistances.")
    converters: Converters = key(Converters(), "Errors of converters.")
    seed: int = key(0, "Seed of every random draw of the physics, devices as well as noise.", ge=0, lt=1 << 32)

    @model_validator(mode="wrap")
    @classmethod
    def _published(cls, given: Any, validate: ModelWrapValidatorHandler["AnalogConfig"]) -> "AnalogConfig":
        """What a device brings counts as not set, so that another device can take its place."""
        if not isinstance(given, dict) or not given.get("preset"):
            return validate(given)
        name, names = given["preset"], device_names()
        if name not in names:
            raise ValueError(f"there is no device {name!r}{suggest(str(name), names)}")
        known = published(name)
        whole = validate(given | {part: known[part] | given.get(part, {}) for part in known
                                  if isinstance(given.get(part, {}), dict)})
        for part in known:
            named = given.get(part, {})
            getattr(whole, part).model_fields_set.intersection_update(named if isinstance(named, dict) else known[part])
        return whole

    @model_validator(mode="after")
    def _possible(self) -> "AnalogConfig":
        d = self.device
        if d.g_min >= d.g_max:
            raise ValueError(f"g_min {d.g_min:g} is not below g_max {d.g_max:g} (microsiemens); exchange or lower it")
        if d.levels == 1:
            raise ValueError("levels is 1, a device without states to choose from; give 0 for any or at least 2")
        if self.update.unidirectional and d.coding == "balanced":
            raise ValueError("devices that only grow cannot be balanced, where one conductance falls as the other "
                             "grows; set coding to 'one_sided'")
        if self.faults.stuck_on + self.faults.stuck_off > 1:
            raise ValueError("stuck_on and stuck_off add up to more than all cells; lower one")
        return self

    def check(self, row_sum_bits: int, feedback_sum_bits: int, converters: tuple[int, int]) -> None:
        """Raise BadInput for converters that do not fit the sums they stand for, or calibrations that do not fit them;
        ``converters``: those of the rows and of the columns."""
        c = self.control
        sides: tuple[tuple[Side, int, int, int, int], ...] = (
            ("row", c.row_bits, c.row_step, row_sum_bits, converters[0]),
            ("column", c.column_bits, c.column_step, feedback_sum_bits, converters[1]))
        for side, bits, step, sums, count in sides:
            for name in (f"{side}_offset", f"{side}_gain"):
                if len(getattr(c, name)) not in (0, count):
                    raise BadInput(f"machine.analog.control.{name} has {len(getattr(c, name))} numbers and there are "
                                   f"{count} converters; give one each, or none.")
            room = sums - (2 if c.calibrated(side) else 0)
            if any(abs(offset) >= 1 << max(room - 1, 0) for offset in getattr(c, f"{side}_offset")):
                raise BadInput(f"machine.analog.control.{side}_offset is beyond the {sums} bits of the sums; calibrate "
                               "again.")
            if c.calibrated(side) and (bits or sums) + step > room:
                raise BadInput(f"machine.analog.control.{side}_bits with {side}_step need {(bits or sums) + step} "
                               f"bits and 2 for the calibration, more than the {sums} of the sums; lower {side}_bits.")
            if (bits or sums) + step > sums:
                raise BadInput(f"machine.analog.control.{side}_bits is {bits or sums} with {side}_step {step}, "
                               f"together more than the {sums} bits of the sums; lower {side}_step to "
                               f"{sums - (bits or sums)}.")
