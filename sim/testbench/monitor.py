"""Reads whole memories of the simulated machine at every fence."""

import numpy as np
from cocotb.triggers import ReadOnly, ValueChange
from numpy.typing import NDArray

from hebbar.geometry import ports
from hebbar.memories import Mem, Port

from ..trace import Job, Recorder

__all__ = ["MemoryView", "watch"]


class MemoryView:
    """A memory of the RTL as an integer array of shape (depth, lanes).

    ``words``: one handle a memory word, or one an element where every element is a register.
    """

    def __init__(self, words: list, port: Port) -> None:
        self._port, self._words = port, words
        self._lanes = port.lanes * port.depth // len(words)
        self._bytes = -(-self._lanes * port.bits // 8)

    def read(self) -> NDArray[np.int32]:
        """All words as they are now."""
        bits = self._port.bits
        raw = b"".join(int(w.value).to_bytes(self._bytes, "little") for w in self._words)
        matrix = np.unpackbits(np.frombuffer(raw, np.uint8).reshape(len(self._words), -1), axis=1,
                               bitorder="little")[:, :self._lanes * bits]
        weights = 1 << np.arange(bits, dtype=np.int32)
        if self._port.signed:
            weights[-1] = -weights[-1]
        return matrix.reshape(self._port.depth, self._port.lanes, bits) @ weights


class Memories:
    """Views of state, error, activity and weights."""

    def __init__(self, dut, job: Job) -> None:
        m, table = job.program.machine, ports(job.program.machine)
        self._rows = [MemoryView(_words(getattr(dut, f"{mem.name.lower()}_memory").memory), table[mem])
                      for mem in (Mem.STATE, Mem.ERROR, Mem.ACTIVITY)]
        port = table[Mem.WEIGHT]
        if m.tile == "rows":
            words = _words(dut.tile.weights.memory)
        else:
            words = [getattr(dut.tile.crossbar, f"w{word}_{lane}")
                     for word in range(port.depth) for lane in range(port.lanes)]
        self._weights = MemoryView(words, port)
        self._shape = (m.weight_words, m.row_tiles, m.lanes)

    def rows(self) -> list[NDArray[np.int32]]:
        """State, error and activity by neuron address."""
        return [view.read().ravel() for view in self._rows]

    def weights(self) -> NDArray[np.int32]:
        """The weight image."""
        return self._weights.read().reshape(self._shape)


def _words(memory) -> list:
    return [memory[i] for i in range(len(memory))]


async def watch(dut, job: Job, recorder: Recorder) -> None:
    """Record every fence for as long as the simulation runs."""
    memories = Memories(dut, job)
    while True:
        await ValueChange(dut.fence)
        await ReadOnly()  # an event-driven simulator is still in the middle of this clock edge
        recorder.fence(int(dut.fence_pc.value), memories.rows, memories.weights)
