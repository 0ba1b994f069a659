"""Fixed-point arithmetic on Amaranth values: the same two operations as ``golden.fixed``."""

from amaranth.hdl import Const, Module, Mux, Signal, Value, ValueLike, signed

from hebbar.formats import Format

__all__ = ["shape", "round_half_up", "round_variable", "saturate", "pipe", "tree"]


def shape(format: Format):
    """The Amaranth shape of a format."""
    return signed(format.bits)


def round_half_up(value: Value, shift: int) -> Value:
    """``floor(value / 2**shift + 1/2)`` for a constant shift, full width."""
    return (value + (1 << shift >> 1)) >> shift if shift else value


def round_variable(value: Value, shift: Value) -> Value:
    """The same for a shift that is a signal; the half is half of ``2**shift``."""
    half = ((Const(1, 1) << shift) >> 1).as_unsigned()
    return (value + half) >> shift


def saturate(value: Value, format: Format, positive: Value | None = None) -> tuple[Value, Value]:
    """``value`` clipped to a format, to its codes from 0 upwards when ``positive``; whether it was clipped."""
    least = format.lo if positive is None else Mux(positive, 0, format.lo)
    high, low = value > format.hi, value < least
    clipped = Mux(high, format.hi, Mux(low, least, value))
    return clipped[:format.bits].as_signed(), high | low


def pipe(m: Module, value: ValueLike, stages: int, name: str) -> list[Value]:
    """``value`` followed by its copies delayed by 1 .. ``stages`` cycles."""
    copies = [Value.cast(value)]
    for i in range(stages):
        copy = Signal(copies[0].shape(), name=f"{name}_{i + 1}")
        m.d.sync += copy.eq(copies[-1])
        copies.append(copy)
    return copies


def tree(m: Module, terms: list[Value], name: str, registered: bool = True) -> Value:
    """The exact sum of ``terms`` in a balanced tree, one register a level when ``registered``."""
    level = 0
    while len(terms) > 1:
        sums = [terms[i] + terms[i + 1] for i in range(0, len(terms) - 1, 2)]
        sums += [terms[-1]] if len(terms) % 2 else []
        if registered:
            for i, s in enumerate(sums):
                held = Signal(s.shape(), name=f"{name}_{level}_{i}")
                m.d.sync += held.eq(s)
                sums[i] = held
        terms, level = sums, level + 1
    return terms[0]
