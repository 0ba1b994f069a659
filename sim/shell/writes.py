"""What the machine behind the fast shell writes: hashes of all elements, or every write."""

import ctypes
from typing import Any

import numpy as np
from numpy.typing import NDArray

from golden.trace import Hashes, Writes
from hebbar.contract.effects import Resource
from hebbar.contract.machine import MachineConfig
from hw.verilog import written

from .bind import MEMORIES, geometry

__all__ = ["WriteWatch"]


class WriteWatch:
    """The watch on the write ports of one model, twin of ``struct Writes`` in writes.h."""

    def __init__(self, library: ctypes.CDLL, handle: ctypes.c_void_p, machine: MachineConfig) -> None:
        self._library, self._handle = library, handle
        self._sizes = {resource: lanes * depth for resource in written(machine)
                       for lanes, _, depth in [geometry(machine, resource)]}

    def start(self, log: bool = False) -> None:
        """Watch from now on, all hashes zero; ``log``: keep every write as well."""
        self._library.shell_writes(self._handle, True, log)

    def stop(self) -> None:
        """Watch no more, and forget."""
        self._library.shell_writes(self._handle, False, False)

    def hashes(self) -> Hashes:
        """What was written since the start, in hashes, of every memory that has a port."""
        elements = {resource: np.empty(size, np.uint32) for resource, size in self._sizes.items()}
        counts = {resource: int(self._library.shell_hashes(self._handle, MEMORIES.index(resource), out.ctypes.data))
                  for resource, out in elements.items()}
        return Hashes(elements, counts, self._decisions())

    def writes(self, final: dict[Resource, NDArray[np.int64]]) -> Writes:
        """Every write of a log; ``final`` is what the memories hold."""
        places = {resource: self._logged(MEMORIES.index(resource)) for resource in self._sizes}
        return Writes(places, final, self._decisions())

    def _logged(self, memory: int) -> tuple[NDArray[Any], NDArray[Any]]:
        count = self._library.shell_hashes(self._handle, memory, None)
        at, values = np.empty(count, np.int64), np.empty(count, np.int64)
        self._library.shell_log(self._handle, memory, at.ctypes.data, values.ctypes.data)
        return at, values

    def _decisions(self) -> list[bool]:
        left = np.empty(self._library.shell_decisions(self._handle, None), np.uint8)
        self._library.shell_decisions(self._handle, left.ctypes.data)
        return left.astype(bool).tolist()
