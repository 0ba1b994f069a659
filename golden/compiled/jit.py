"""How Numba compiles here: one entry kept on disk, everything it calls inlined into it.

``_nrt=False`` turns reference counting off, which is safe because compiled code allocates nothing and
the caller holds every array; counting was more than half of the time. No float is computed, so
nothing depends on fast-math.
"""

import os
from typing import Any

from llvmlite import ir
from numba import config, njit, types
from numba.extending import intrinsic

from hebbar.contract.places import settle

__all__ = ["added", "entry", "halved", "part", "scaled"]

settle()  # before Numba looks for a place to keep machine code
config.CACHE_DIR = os.environ.get("NUMBA_CACHE_DIR", "")  # type: ignore[attr-defined]  # Numba makes its settings as it starts

OPTIONS: dict[str, Any] = {"nogil": True, "boundscheck": False, "error_model": "numpy", "_nrt": False}
KEPT = OPTIONS | {"cache": True}
INLINED = OPTIONS | {"forceinline": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}

entry = njit(**KEPT)
"""Callable from Python; its machine code is kept in ``__pycache__``."""

part = njit(**INLINED)
"""Callable from compiled code only."""


@intrinsic
def halved(typing, value, times):
    """``value >> times`` on int32, times 0..31; Numba by itself would go through int64."""
    def build(context, builder, signature, arguments):
        return builder.ashr(*arguments)
    return types.int32(types.int32, types.int32), build


@intrinsic
def scaled(typing, x, y):
    """``floor(x y / 2**16 + 1/2)`` on int16: the upper half of the product and the top bit of the lower."""
    def build(context, builder, signature, arguments):
        short, wide = ir.IntType(16), ir.IntType(32)
        product = builder.mul(*(builder.sext(a, wide) for a in arguments))
        high = builder.trunc(builder.lshr(product, wide(16)), short)
        return builder.add(high, builder.lshr(builder.mul(*arguments), short(15)))
    return types.int16(types.int16, types.int16), build


@intrinsic
def added(typing, x, y):
    """``x + y`` on int16, clipped to its ends."""
    def build(context, builder, signature, arguments):
        short = ir.IntType(16)
        function = ir.FunctionType(short, [short, short])
        return builder.call(builder.module.declare_intrinsic("llvm.sadd.sat", [short], function), arguments)
    return types.int16(types.int16, types.int16), build
