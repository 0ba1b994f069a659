"""Reads whole memories of the simulated machine at every barrier."""

from functools import reduce

import numpy as np
from cocotb.triggers import ReadOnly, ValueChange
from numpy.typing import NDArray

from golden.trace import Job, Recorder
from hebbar.contract.geometry import ports
from hebbar.contract.memories import Mem
from hebbar.contract.tiles import Weights

from ..macro import Macro
from .memory import MemoryView, memory_view

__all__ = ["watch"]


class Memories:
    """Views of state, error, activity and weights, those of a ``macro`` from itself."""

    def __init__(self, dut, job: Job, macro: Macro | None) -> None:
        m, table = job.program.machine, ports(job.program.machine)
        self._rows = [memory_view(getattr(dut, f"{mem.name.lower()}_memory").memory, table[mem])
                      for mem in (Mem.STATE, Mem.ERROR, Mem.ACTIVITY)]
        self._macro, port = macro, table[Mem.WEIGHT]
        if macro:
            return
        places = [reduce(getattr, place.split("."), dut.tile) for place in m.kind.weight_places(m)]
        self._weights = memory_view(places[0], port) if m.kind.weights is Weights.MEMORY else MemoryView(places, port)
        self._shape = (m.weight_words, m.row_tiles, m.lanes)

    def rows(self) -> list[NDArray[np.int32]]:
        """State, error and activity by neuron address."""
        return [view.read().ravel() for view in self._rows]

    def weights(self) -> NDArray[np.int32]:
        """The weight image."""
        if self._macro:
            return self._macro.weights().astype(np.int32)
        return self._weights.read().reshape(self._shape)


async def watch(dut, job: Job, recorder: Recorder, macro: Macro | None = None) -> None:
    """Record every barrier for as long as the simulation runs."""
    memories = Memories(dut, job, macro)
    while True:
        await ValueChange(dut.barrier)
        await ReadOnly()  # an event-driven simulator is still in the middle of this clock edge
        recorder.barrier(int(dut.barrier_pc.value), memories.rows, memories.weights)
