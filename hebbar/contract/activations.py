"""Activation functions as data: f and f' by name, and the tables the machine interpolates.

The machine knows no function. A table entry covers one segment of the state range and holds f at
its left end and the change across it, so every function that is linear inside the segments
(identity, ReLU, leaky ReLU, hard tanh) is exact up to the rounding of its output; only in the segment
that reaches the largest output code it may come out one code low.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

from .errors import BadInput
from .formats import ALLOWANCE, Format, Formats
from .memories import TABLE

__all__ = ["Activation", "ACTIVATIONS", "ENTRY_BITS", "Point", "activation", "table", "worst_point"]

LEAK = 0.125
ENTRY_BITS = 16
"""Bits of a value and of a slope in a table."""
STEP = 2.0**-12
"""Between neighbouring states, for the slope of a function without a derivative."""
INPUT_LIMIT = 8
"""How far from zero a new function is tried: the states of the default format."""


@dataclass(frozen=True)
class Activation:
    """f and its derivative; at a kink the derivative is the one to the right.

    ``steps``: f is constant inside the segments of the table. ``kinked``: f' is.
    """

    f: Callable[[float], float]
    derivative: Callable[[float], float]
    kinked: bool = False
    steps: bool = False


def _tanh_derivative(x: float) -> float:
    return 1.0 - math.tanh(x) ** 2


def _sigmoid(x: float) -> float:
    return 0.5 * (1.0 + math.tanh(0.5 * x))


ACTIVATIONS: dict[str, Activation] = {
    "identity": Activation(lambda x: x, lambda x: 1.0, kinked=True),
    "relu": Activation(lambda x: max(x, 0.0), lambda x: float(x >= 0), kinked=True),
    "leaky": Activation(lambda x: x if x >= 0 else LEAK * x, lambda x: 1.0 if x >= 0 else LEAK, kinked=True),
    "tanh": Activation(math.tanh, _tanh_derivative),
    "sigmoid": Activation(_sigmoid, lambda x: _sigmoid(x) * (1.0 - _sigmoid(x))),
    "hard_tanh": Activation(lambda x: min(max(x, -1.0), 1.0), lambda x: float(-1.0 <= x < 1.0), kinked=True),
    "spike": Activation(lambda x: float(x >= 1.0), lambda x: 0.0, kinked=True, steps=True),
}
"""The built-in activations and those that were defined, by name."""


def activation(name: str, derivative: Callable[[float], float] | None = None, kinked: bool = False,
               steps: bool = False) -> Callable[[Callable[[float], float]], Callable[[float], float]]:
    """Make an activation of a function of one number, under a name that populations may have.

    ``derivative``: f', by default the slope between two neighbouring states, of ``steps`` zero. Raises BadInput
    for a name that a function with other values has, and for a function without a finite value somewhere
    in -INPUT_LIMIT..INPUT_LIMIT.
    """
    def wrap(f: Callable[[float], float]) -> Callable[[float], float]:
        slope = derivative or ((lambda x: 0.0) if steps else (lambda x: (f(x + STEP) - f(x)) / STEP))
        made = Activation(f, slope, kinked, steps)
        values = _values(name, made)
        if name in ACTIVATIONS and _values(name, ACTIVATIONS[name]) != values:
            raise BadInput(f"activation {name!r} exists already, with other values; give yours another name.")
        ACTIVATIONS.setdefault(name, made)
        return f
    return wrap


def _values(name: str, a: Activation) -> list[float]:
    """What tells one activation from another."""
    points = [n / 256 for n in range(-256 * INPUT_LIMIT, 256 * INPUT_LIMIT + 1)]
    return [a.kinked, a.steps, *(_value(name, g, x) for g in (a.f, a.derivative) for x in points)]


def _value(name: str, function: Callable[[float], float], x: float) -> float:
    try:
        value = float(function(x))
    except Exception as error:
        raise BadInput(f"activation {name!r} or its derivative fails at {x:g} ({type(error).__name__}, {error}); "
                       "define it for every state.") from error
    if not math.isfinite(value):
        raise BadInput(f"activation {name!r} or its derivative is {value} at {x:g}; give a finite value for every "
                       "state.")
    return value


def table(name: str, derivative: bool, formats: Formats, activity_frac: int) -> list[int]:
    """The packed entries of f (or f'), first the segments of x >= 0, then those of x < 0.

    The index is the top ``formats.table_bits`` bits of the state code read as unsigned. f has
    ``activity_frac`` fraction bits, f' those of ``formats.derivative``. A piecewise-constant f'
    has slope zero; a smooth one is interpolated between segment ends. Raises BadInput where the output format ends
    below what states up to 1 make of it, or below any slope, and for a function that changes too much in a segment.
    """
    _check_ends(name, derivative, formats, activity_frac)
    worst = worst_point(name, derivative, formats, activity_frac)
    if abs(worst.found - worst.wanted) > ALLOWANCE * worst.largest:
        raise BadInput(f"activation {name!r}{' has a slope that' if derivative else ''} is {worst.wanted:.3g} at state "
                       f"{worst.state:g} and {worst.found:.3g} in the machine's table, whose segments are "
                       f"{(1 << formats.table_frac) / formats.state.scale:g} wide; raise machine.state_frac or use a "
                       "smoother function.")
    return _entries(name, derivative, formats, activity_frac)


def _output(derivative: bool, formats: Formats, activity_frac: int) -> Format:
    return formats.derivative if derivative else Format(formats.activity.bits, activity_frac)


def _entries(name: str, derivative: bool, formats: Formats, activity_frac: int) -> list[int]:
    out = _output(derivative, formats, activity_frac)
    known = ACTIVATIONS[name]
    function = known.derivative if derivative else known.f
    flat = known.kinked if derivative else known.steps
    width = 1 << formats.table_frac
    entries = []
    for index in range(1 << formats.table_bits):
        signed = index - (1 << formats.table_bits) if index >> (formats.table_bits - 1) else index
        left = _code(_value(name, function, signed * width / formats.state.scale), out)
        right = _code(_value(name, function, (signed + 1) * width / formats.state.scale), out)
        entries.append(_entry(left, 0 if flat or not formats.table_frac else right - left))
    return entries


@dataclass(frozen=True)
class Point:
    """A ``state``, what a function makes of it, what its table does, and the largest that the table holds."""

    state: float
    wanted: float
    found: float
    largest: float


def worst_point(name: str, derivative: bool, formats: Formats, activity_frac: int) -> Point:
    """Where the table of f or f' is furthest off, the rounding and the ends of its output left out."""
    out, known, parts = _output(derivative, formats, activity_frac), ACTIVATIONS[name], 8
    function, unit = known.derivative if derivative else known.f, 1 << ENTRY_BITS - out.bits
    entries, width, points = _entries(name, derivative, formats, activity_frac), 1 << formats.table_frac, []
    for index, entry in enumerate(entries):
        signed = index - (1 << formats.table_bits) if index >> (formats.table_bits - 1) else index
        left, slope = (_signed(entry >> TABLE[key].lsb) for key in ("value", "slope"))
        for fraction in range(0, width, max(1, width // parts)):
            state = (signed * width + fraction) / formats.state.scale
            wanted = min(max(_value(name, function, state), out.lo / out.scale), out.hi / out.scale)
            points.append((state, wanted, (left + slope * fraction / width) / unit / out.scale))
    largest = max(abs(wanted) for _, wanted, _ in points)
    return Point(*max(points, key=lambda p: abs(p[1] - p[2])), largest)


def _signed(word: int) -> int:
    word &= (1 << ENTRY_BITS) - 1
    return word - (word >> ENTRY_BITS - 1 << ENTRY_BITS)


def _check_ends(name: str, derivative: bool, formats: Formats, activity_frac: int) -> None:
    """Raise BadInput where the output format clips states up to 1, or any slope."""
    out, known, scale = _output(derivative, formats, activity_frac), ACTIVATIONS[name], formats.state.scale
    reach, step = (max if derivative else min)(-formats.state.lo / scale, 1.0), 1 / 64
    function = known.derivative if derivative else known.f
    points = [k * step for k in range(-int(reach / step), int(reach / step) + 1)]
    largest = max((_value(name, function, x) for x in points), key=abs)
    end = (out.hi if largest > 0 else -out.lo) / out.scale
    if abs(largest) <= (1 + ALLOWANCE) * end:
        return
    if derivative:
        raise BadInput(f"the slope of activation {name!r} is {largest:g} and would run as {end:g}, the end of {out}; "
                       "use a function that is less steep.")
    raise BadInput(f"activation {name!r} of states up to 1 with activity_frac {activity_frac} is {largest:g} and "
                   f"would run as {end:g}, the end of {out}; lower activity_frac (of layers network.hidden_frac) to "
                   f"{out.bits - 2} or less, or raise machine.activity_bits.")


def _code(value: float, out: Format) -> int:
    """A table code: the output's code with further fraction bits up to ENTRY_BITS."""
    extra = ENTRY_BITS - out.bits
    code = math.floor(value * out.scale * (1 << extra) + 0.5)
    return min(max(code, out.lo << extra), out.hi << extra)


def _entry(value: int, slope: int) -> int:
    if not -(1 << 15) <= slope < 1 << 15:
        raise BadInput(f"an activation table jumps by {slope} inside one segment, beyond 16 bits; "
                       "use a smoother function or fewer activity_frac bits.")
    mask = (1 << ENTRY_BITS) - 1
    return (value & mask) << TABLE["value"].lsb | (slope & mask) << TABLE["slope"].lsb
