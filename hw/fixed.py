"""Fixed-point arithmetic on Amaranth values: the same two operations as ``golden.fixed``.

An Amaranth value is an expression: each use writes it out once more, and so does each bit of it that is
iterated over or sliced. What is used several times gets a name here first.
"""

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, ValueLike, signed

from hebbar.contract.formats import Format

__all__ = ["shape", "named", "round_half_up", "round_variable", "saturate", "beyond", "clip",
           "round_saturate", "pipe", "tree", "popcount"]


def shape(format: Format):
    """The Amaranth shape of a format."""
    return signed(format.bits)


def named(m: Module, value: ValueLike, name: str, up: int = 0) -> Value:
    """``value`` as a signal of the same shape, so that it is computed in one place; a signal stays what it is.

    ``up``: how many callers up the source line is that the signal belongs to.
    """
    value = Value.cast(value)
    if isinstance(value, Signal):
        return value
    held = Signal(value.shape(), name=name, src_loc_at=1 + up)
    m.d.comb += held.eq(value)
    return held


def round_half_up(value: Value, shift: int) -> Value:
    """``floor(value / 2**shift + 1/2)`` for a constant shift, full width."""
    return (value + (1 << shift >> 1)).shift_right(shift) if shift else value


def round_variable(value: Value, shift: Value) -> Value:
    """Round half up by a shift that is a signal: shifted to one fraction bit, which is then rounded away."""
    return ((value.shift_left(1) >> shift) + 1).shift_right(1)


def saturate(m: Module, value: Value, format: Format, name: str,
             positive: Value | None = None) -> tuple[Value, Value]:
    """``value`` clipped to a format, to its codes from 0 upwards when ``positive``; whether it was clipped.

    The Verilog has them as ``name`` and, before it is clipped, as ``name_exact``.
    """
    value = named(m, value, f"{name}_exact", up=1)
    high, low = beyond(m, value, format, name, positive, up=1)
    return clip(m, value, high, low, format, name, positive, up=1), high | low


def beyond(m: Module, value: Value, format: Format, name: str, positive: Value | None = None,
           up: int = 0) -> tuple[Value, Value]:
    """Whether ``value`` is above a format, and whether it is below; ``positive`` as in ``saturate``.

    The ends of a format are powers of two: a value is inside when the bits from the format's sign upwards are all
    alike, which takes no subtractor.
    """
    wide = Value.cast(value if value.shape().signed else Cat(value, Const(0, 1)))
    sign, above = wide[-1], wide[min(format.bits, len(wide)) - 1:]
    high, low = ~sign & above.any(), sign & ~above.all()
    low = low if positive is None else sign & (positive | low)
    return named(m, high, f"{name}_high", up=1 + up), named(m, low, f"{name}_low", up=1 + up)


def clip(m: Module, value: Value, high: Value, low: Value, format: Format, name: str,
         positive: Value | None = None, up: int = 0) -> Value:
    """``value`` where it is neither above nor below a format, and else the end it is beyond."""
    least = Const(format.lo, format.bits) if positive is None else Mux(positive, 0, Const(format.lo, format.bits))
    clipped = Signal(shape(format), name=name, src_loc_at=1 + up)
    m.d.comb += clipped.eq(Mux(high, format.hi, Mux(low, least, value)))
    return clipped


def round_saturate(m: Module, value: Value, shift: int, format: Format, name: str) -> tuple[Value, Value]:
    """``saturate`` of ``round_half_up(value, shift)``, for a signed value.

    With one fraction bit, v, the result rises above the format from v = 2 hi + 1 on, and falls below it from 2 lo - 2
    on, as 2 lo - 1 is rounded up to lo. So what is out is known beside the addition that rounds and not behind it, and
    that addition has the bits of the format alone.
    """
    if not shift:
        return saturate(m, value, format, name)
    bits = format.bits
    exact = named(m, value.shift_right(shift - 1).as_signed(), f"{name}_exact", up=1)
    missing = max(0, bits + 2 - len(exact))
    exact = Cat(exact, exact[-1].replicate(missing)) if missing else exact
    sign, above, ones = exact[-1], exact[bits:], named(m, exact[:bits].all(), f"{name}_ones", up=1)
    high = named(m, ~sign & (above.any() | ones), f"{name}_high", up=1)
    low = named(m, sign & ~above.all(), f"{name}_low", up=1)
    clipped = Signal(shape(format), name=name, src_loc_at=1)
    inside = (exact[:bits + 1] + 1)[1:bits + 1]
    m.d.comb += clipped.eq(Mux(high, format.hi, Mux(low, format.lo, inside)))
    return clipped, high | (low & ~(ones & exact[bits + 1:].all()))


def pipe(m: Module, value: ValueLike, stages: int, name: str, reset: bool = False, up: int = 0) -> list[Value]:
    """``value`` followed by its copies delayed by 1 .. ``stages`` cycles.

    With ``reset`` for bits that say that something is there: a reset clears them. Data beside such a bit need none.
    ``up``: see ``named``.
    """
    copies = [Value.cast(value)]
    for i in range(stages):
        copy = Signal(copies[0].shape(), name=f"{name}_{i + 1}", reset_less=not reset, src_loc_at=1 + up)
        m.d.sync += copy.eq(copies[-1])
        copies.append(copy)
    return copies


def tree(m: Module, terms: list[Value], name: str, registered: int = 0) -> Value:
    """The exact sum of ``terms`` in a balanced tree; with a register behind the last level but one and behind every
    ``registered`` levels before it, so that the last addition is left to the stage that takes the sum; 0: without."""
    levels = (len(terms) - 1).bit_length()
    for left in reversed(range(levels)):
        sums = [terms[i] + terms[i + 1] for i in range(0, len(terms) - 1, 2)]
        sums += [terms[-1]] if len(terms) % 2 else []
        if registered and left and (left - 1) % registered == 0:
            for i, s in enumerate(sums):
                held = Signal(s.shape(), name=f"{name}_{left}_{i}", reset_less=True, src_loc_at=1)
                m.d.sync += held.eq(s)
                sums[i] = held
        terms = sums
    return terms[0]


def popcount(m: Module, bits: list[Value] | Value, name: str) -> Value:
    """Number of ones among ``bits``."""
    ones = named(m, bits if isinstance(bits, Value) else Cat(bits), name, up=1)
    return tree(m, list(ones), name)
