"""Whole memories of the simulated machine: one VPI call where the simulator has it, else word by word."""

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbar.contract.memories import Port

__all__ = ["MemoryView", "memory_view"]

RAW_TWO_STATE = 17
"""vpiRawTwoStateVal of IEEE 1800-2017, 38.16: the bytes of every word, lowest first."""


class _ArrayValue(ctypes.Structure):
    """s_vpi_arrayvalue; the simulator owns what ``value`` points at until the next call."""

    _fields_ = [("format", ctypes.c_uint32), ("flags", ctypes.c_uint32), ("value", ctypes.c_void_p)]


class MemoryView:
    """Words of the RTL as an integer array of shape (depth, lanes).

    ``words``: one handle a memory word, or one an element where every element is a register.
    """

    def __init__(self, words: list[Any], port: Port) -> None:
        self._port, self._words = port, words
        self._count = len(words)
        self._lanes = port.lanes * port.depth // self._count
        self._bytes = -(-self._lanes * port.bits // 8)

    def read(self) -> NDArray[np.int32]:
        """All words as they are now."""
        port, raw = self._port, self._raw()
        if port.signed and port.bits in (8, 16) and self._lanes * port.bits == 8 * self._bytes:
            return np.frombuffer(raw, f"<i{port.bits // 8}").astype(np.int32).reshape(port.depth, port.lanes)
        matrix = np.unpackbits(np.frombuffer(raw, np.uint8).reshape(self._count, -1), axis=1,
                               bitorder="little")[:, :self._lanes * port.bits]
        weights = 1 << np.arange(port.bits, dtype=np.int32)
        if port.signed:
            weights[-1] = -weights[-1]
        return matrix.reshape(port.depth, port.lanes, port.bits) @ weights

    def _raw(self) -> bytes:
        return b"".join(int(w.value).to_bytes(self._bytes, "little") for w in self._words)


class _ArrayView(MemoryView):
    """A view through ``vpi_get_value_array``, which Verilator has and cocotb does not call."""

    def __init__(self, memory, port: Port) -> None:
        super().__init__([memory[i] for i in range(len(memory))], port)
        self._vpi = ctypes.CDLL(None)
        self._vpi.vpi_handle_by_name.restype = ctypes.c_void_p
        self._handle = self._vpi.vpi_handle_by_name(ctypes.c_char_p(memory._path.encode()), None)

    def _raw(self) -> bytes:
        value, first = _ArrayValue(RAW_TWO_STATE, 0, None), ctypes.c_int32(0)
        self._vpi.vpi_get_value_array(ctypes.c_void_p(self._handle), ctypes.byref(value), ctypes.byref(first),
                                      ctypes.c_uint32(self._count))
        # Verilator walks a memory declared [depth - 1:0] downwards from the index it takes for its right end.
        raw = np.frombuffer(ctypes.string_at(value.value, self._count * self._bytes), np.uint8)
        return raw.reshape(self._count, -1)[::-1].tobytes()


def memory_view(memory, port: Port) -> MemoryView:
    """A view of a memory of the RTL, by the quickest way the simulator offers."""
    quick = getattr(ctypes.CDLL(None), "vpi_get_value_array", None)
    return _ArrayView(memory, port) if quick else MemoryView([memory[i] for i in range(len(memory))], port)
