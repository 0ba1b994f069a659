"""``[machine.analog]``: the analog macro, its converters and drivers, and everything about it that is not ideal.

What the digital control around the macro is built for stands in ``Control``; the physics stands in the sections
of ``AnalogConfig`` and never reaches the RTL. All switches are off by default: such a macro computes what the
digital tile computes.
"""

import tomllib
from importlib import resources
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .errors import BadInput
from .suggest import suggest

__all__ = ["GAIN_FRAC", "device_names", "Section", "Control", "Device", "Programming", "Read", "Update", "Faults", "Wires", "Converters",
           "AnalogConfig"]


DEVICES = resources.files(__package__) / "devices"


def device_names() -> list[str]:
    """The published devices that ``preset`` takes, sorted."""
    return sorted(f.name.removesuffix(".toml") for f in DEVICES.iterdir() if f.name.endswith(".toml"))


class Section(BaseModel):
    """A configuration section: immutable, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, allow_inf_nan=False)


GAIN_FRAC = 14
Gain = Annotated[int, Field(ge=1 << GAIN_FRAC - 1, lt=1 << GAIN_FRAC + 1)]
"""A gain from 1/2 to 2."""


class Control(Section):
    """What the RTL is built for.

    ``row_bits``, ``column_bits``: resolution of the converters of FWD and of TRN, 0: as wide as the sums.
    ``row_step``, ``column_step``: log2 of their LSB in product codes. ``align``: largest left shift of an
    activity. ``bit_cycles``: cycles a bit of the input is driven. ``update``: 'deterministic', one exact step, or
    'stochastic', ``pulses`` coincident pulses for each sign whose mean is the step; ``pulse_exponent``: log2 of what
    a weight changes when all of them meet, in codes. ``verify``: attempts to bring a loaded weight within
    ``tolerance`` codes, 0: one write that is not checked. ``row_offset``, ``row_gain``, ``column_offset``,
    ``column_gain``: calibration of every converter, P and C numbers or none: a sum is ``(code * LSB - offset) * gain``
    with the offset in product codes and 1 / 2^14 of a gain; ``hebbar calibrate`` measures them.
    """

    row_bits: int = Field(0, ge=0, le=53)
    row_step: int = Field(0, ge=0, le=40)
    column_bits: int = Field(0, ge=0, le=53)
    column_step: int = Field(0, ge=0, le=40)
    align: int = Field(0, ge=0, le=7)
    bit_cycles: int = Field(1, ge=1, le=255)
    update: Literal["deterministic", "stochastic"] = "deterministic"
    pulses: int = Field(32, ge=1, le=32)
    pulse_exponent: int = Field(8, ge=0, le=24)
    verify: int = Field(0, ge=0, le=255)
    tolerance: int = Field(0, ge=0, le=1 << 15)
    row_offset: tuple[int, ...] = ()
    row_gain: tuple[Gain, ...] = ()
    column_offset: tuple[int, ...] = ()
    column_gain: tuple[Gain, ...] = ()

    def calibration(self, side: Literal["row", "column"], converters: int) -> list[tuple[int, int]]:
        """Offset and gain of every converter of a side, those of a perfect one where none are given."""
        offset, gain = getattr(self, f"{side}_offset"), getattr(self, f"{side}_gain")
        return list(zip(offset or (0,) * converters, gain or (1 << GAIN_FRAC,) * converters))

    def calibrated(self, side: Literal["row", "column"]) -> bool:
        """Whether anything is given."""
        return bool(getattr(self, f"{side}_offset") or getattr(self, f"{side}_gain"))


class Device(Section):
    """A cell is a pair of conductances; the weight is their difference.

    ``g_min``, ``g_max`` in microsiemens; ``weight_range``: the real weight at the difference g_max - g_min.
    ``levels``: programmable states of a conductance, 0: any. ``coding``: 'one_sided', the smaller of a pair
    stays at g_min, or 'balanced', both move by half around the middle.
    """

    g_min: float = Field(0.0, ge=0)
    g_max: float = Field(25.0, gt=0)
    weight_range: float = Field(4.0, gt=0)
    levels: int = Field(0, ge=0, le=1 << 16)
    coding: Literal["one_sided", "balanced"] = "one_sided"


class Programming(Section):
    """Error of a written conductance, normal with a standard deviation in microsiemens: the polynomial
    ``noise`` (constant first) of the target, either in microsiemens or, ``relative``, as a share of g_max."""

    noise: tuple[float, ...] = ()
    relative: bool = False


class Read(Section):
    """Noise of every read, of one conductance: ``additive`` (microsiemens), ``proportional`` (share of the
    conductance), both white; 1/f by ``flicker`` (Q of a conductance g as a share of g_max is
    min(flicker / g^flicker_exponent, flicker_limit)), ``age`` seconds after programming, drift with it:
    (age / drift_start)^-nu with nu of mean ``drift`` and ``drift_spread``, or with ``drift_log`` of the published
    logarithmic law in g."""

    additive: float = Field(0.0, ge=0)
    proportional: float = Field(0.0, ge=0)
    flicker: float = Field(0.0, ge=0)
    flicker_exponent: float = Field(0.65, ge=0)
    flicker_limit: float = Field(0.2, ge=0)
    age: float = Field(0.0, ge=0)
    drift: float = Field(0.0, ge=0)
    drift_spread: float = Field(0.0, ge=0)
    drift_log: bool = False
    drift_start: float = Field(20.0, gt=0)


class Update(Section):
    """What an update does to a device: a spread of its size from device to device and from pulse to pulse (shares),
    ``asymmetry`` of a conductance (up less down, a share; it cancels in a balanced pair), ``soft_bounds`` (0: constant
    steps up to the range, 1: the step falls linearly to zero at the bound; at weight 0 it is whole). ``unidirectional``: devices only grow, G+ for positive and G- for negative changes."""

    device_spread: float = Field(0.0, ge=0)
    pulse_spread: float = Field(0.0, ge=0)
    asymmetry: float = Field(0.0, gt=-1, lt=1)
    soft_bounds: float = Field(0.0, ge=0, le=1)
    unidirectional: bool = False


class Faults(Section):
    """Shares of conductances that stay at g_max (``stuck_on``) or g_min (``stuck_off``)."""

    stuck_on: float = Field(0.0, ge=0, le=1)
    stuck_off: float = Field(0.0, ge=0, le=1)


class Wires(Section):
    """Resistance in ohms of a segment of a word line and of a bit line, of the ``driver`` of every driven line and of
    the ``sense`` node of every sensed one: FWD drives bit lines and senses word lines, TRN the other way round.
    ``model``: 'exact' solves the network, 'approximate' corrects once by the currents without wires."""

    model: Literal["off", "approximate", "exact"] = "off"
    word_resistance: float = Field(0.0, ge=0)
    bit_resistance: float = Field(0.0, ge=0)
    driver: float = Field(0.0, ge=0)
    sense: float = Field(0.0, ge=0)


class Converters(Section):
    """Errors of the converters: standard deviations of the fixed ``offset`` and ``inl`` (LSB) and ``gain`` (a
    share), of the ``noise`` of a conversion (LSB), and the time constant of a line in cycles (``settling``)."""

    offset: float = Field(0.0, ge=0)
    gain: float = Field(0.0, ge=0)
    inl: float = Field(0.0, ge=0)
    noise: float = Field(0.0, ge=0)
    settling: float = Field(0.0, ge=0)


class AnalogConfig(Section):
    """``[machine.analog]``; ``seed`` of every random draw of the physics, devices as well as noise.

    ``preset``: a published device (``device_names``), whose values stand where nothing else is given; its pulses are
    for weights with 13 fractional bits.
    """

    preset: str = ""
    control: Control = Control()
    device: Device = Device()
    programming: Programming = Programming()
    read: Read = Read()
    update: Update = Update()
    faults: Faults = Faults()
    wires: Wires = Wires()
    converters: Converters = Converters()
    seed: int = Field(0, ge=0, lt=1 << 32)

    @model_validator(mode="before")
    @classmethod
    def _published(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not given.get("preset"):
            return given
        name, names = given["preset"], device_names()
        if name not in names:
            raise ValueError(f"there is no device {name!r}{suggest(str(name), names)}")
        known = tomllib.loads((DEVICES / f"{name}.toml").read_text())
        return given | {key: known.get(key, {}) | dict(given.get(key, {})) for key in known}

    @model_validator(mode="after")
    def _possible(self) -> "AnalogConfig":
        d = self.device
        if d.g_min >= d.g_max:
            raise ValueError(f"g_min {d.g_min:g} is not below g_max {d.g_max:g} (microsiemens); exchange or lower it")
        if d.levels == 1:
            raise ValueError("levels is 1, a device without states to choose from; give 0 for any or at least 2")
        if self.update.unidirectional and d.coding == "balanced":
            raise ValueError("devices that only grow cannot be balanced, where one conductance falls as the other grows; "
                             "set coding to 'one_sided'")
        if self.faults.stuck_on + self.faults.stuck_off > 1:
            raise ValueError("stuck_on and stuck_off add up to more than all cells; lower one")
        return self

    def check(self, row_sum_bits: int, back_sum_bits: int, converters: tuple[int, int]) -> None:
        """Raise BadInput for converters that do not fit the sums they stand for, or calibrations that do not fit them;
        ``converters``: those of the rows and of the columns."""
        c = self.control
        for side, bits, step, sums, count in (("row", c.row_bits, c.row_step, row_sum_bits, converters[0]),
                                              ("column", c.column_bits, c.column_step, back_sum_bits, converters[1])):
            for key in (f"{side}_offset", f"{side}_gain"):
                if len(getattr(c, key)) not in (0, count):
                    raise BadInput(f"machine.analog.control.{key} has {len(getattr(c, key))} numbers and there are {count} "
                                   "converters; give one each, or none.")
            room = sums - (2 if c.calibrated(side) else 0)
            if any(abs(offset) >= 1 << max(room - 1, 0) for offset in getattr(c, f"{side}_offset")):
                raise BadInput(f"machine.analog.control.{side}_offset is beyond the {sums} bits of the sums; calibrate "
                               "again.")
            if c.calibrated(side) and (bits or sums) + step > room:
                raise BadInput(f"machine.analog.control.{side}_bits with {side}_step need {(bits or sums) + step} bits and 2 "
                               f"for the calibration, more than the {sums} of the sums; lower {side}_bits.")
            if (bits or sums) + step > sums:
                raise BadInput(f"machine.analog.control.{side}_bits is {bits or sums} with {side}_step {step}, together "
                               f"more than the {sums} bits of the sums; lower {side}_step to {sums - (bits or sums)}.")
