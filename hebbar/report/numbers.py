"""Numbers as people write them."""

__all__ = ["grouped"]


def grouped(value: float, digits: int = 3) -> str:
    """``value`` with so many significant digits, in groups of three from a thousand on; never as a power of ten unless
    it is smaller than a thousandth."""
    if value == 0 or abs(value) < 1e-3:
        return f"{value:.{digits}g}"
    size = len(f"{int(abs(value))}") if abs(value) >= 1 else 0
    return f"{value:,.0f}" if size >= digits else f"{value:.{digits}g}"
