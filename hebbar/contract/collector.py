"""Python's collector of cycles, out of the way while large libraries are loaded."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["uncollected"]


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect nothing inside. Numba makes some hundred thousand objects as it starts, all of which stay; the collector
    would walk through them again and again, a seventh of the processor time of a short process."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
