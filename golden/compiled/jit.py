"""How Numba compiles here: one entry kept on disk, everything it calls inlined into it.

``_nrt=False`` turns reference counting off, which is safe because compiled code allocates nothing and
the caller holds every array; counting was more than half of the time. Floats are computed of analog
macros alone, without fast-math: every operation is rounded by itself, as in NumPy.
"""

import os
from typing import Any

from llvmlite import binding
from numba import config, njit, types
from numba.extending import intrinsic

__all__ = ["FEATURES", "entry", "halved", "part"]

config.CACHE_DIR = os.environ.get("NUMBA_CACHE_DIR", "")  # type: ignore[attr-defined]  # Numba may have read it before

if config.CPU_NAME is None and config.CPU_FEATURES is None:  # type: ignore[attr-defined]
    host = binding.get_host_cpu_features()
    # LLVM prefers 256 bits on processors whose clock falls in 512; this code is faster in 512 there as well.
    config.CPU_FEATURES = host.flatten() + ",-prefer-256-bit" * host.get("avx512bw", False)  # type: ignore[attr-defined]
FEATURES: str = config.CPU_FEATURES or ""  # type: ignore[attr-defined]
"""What the processor has that machine code is made for; NUMBA_CPU_NAME and NUMBA_CPU_FEATURES say otherwise."""

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
