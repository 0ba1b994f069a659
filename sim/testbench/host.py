"""The machine's buses under cocotb, driven by cocotbext-axi."""

import logging
import random
from collections.abc import Iterator, Sequence

import cocotb
import numpy as np
from cocotb.clock import Clock
from cocotb.queue import Queue
from cocotb.triggers import First, RisingEdge, Timer
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiStreamBus, AxiStreamSink, AxiStreamSource
from numpy.typing import NDArray

from hebbar.contract.registers import REGISTERS, Status

from ..host import Host

__all__ = ["CocotbHost", "PERIOD_NS", "started"]

PERIOD_NS = 10
FIRST_POLL, LAST_POLL = 200, 10_000
"""Cycles between looks at STATUS: doubled each time, so that a short run is not waited out at length."""


class CocotbHost(Host):
    """AXI4-Lite master, stream source and stream sink on the top-level ports of ``dut``.

    ``stall``: probability that a stream holds back in a cycle. Without stalls a packet is offered
    when the machine asks for it, so that simulation runs at full speed while it computes, and its
    beats are driven here, a beat a cycle, several times faster than by the general stream source.
    """

    def __init__(self, dut, stall: float = 0.0, seed: int = 0) -> None:
        for name in ("s_axil", "s_axis", "m_axis"):
            logging.getLogger(f"cocotb.{dut._name}.{name}").setLevel(logging.WARNING)
        self._dut, self._stall = dut, stall
        self._registers = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "s_axil"), dut.clk, dut.rst)
        self._sink = AxiStreamSink(AxiStreamBus.from_prefix(dut, "m_axis"), dut.clk, dut.rst)
        self._source = None
        dut.s_axis_tvalid.value = dut.s_axis_tlast.value = 0
        if stall:
            self._source = AxiStreamSource(AxiStreamBus.from_prefix(dut, "s_axis"), dut.clk, dut.rst)
            for i, stream in enumerate((self._source, self._sink)):
                stream.set_pause_generator(_pauses(random.Random(2 * seed + i), stall))
        self._packets: Queue[Sequence[int] | NDArray[np.uint32]] = Queue()
        self._unsent = self.data_sent = 0
        cocotb.start_soon(self._feed())

    async def write(self, address: int, value: int) -> int:
        answer = await self._registers.write(address, value.to_bytes(4, "little"))
        return int(answer.resp)

    async def read(self, address: int) -> tuple[int, int]:
        answer = await self._registers.read(address, 4)
        return int.from_bytes(answer.data, "little"), int(answer.resp)

    def send(self, packet: Sequence[int] | NDArray[np.uint32]) -> None:
        self._unsent += 1
        self._packets.put_nowait(packet)

    async def sent(self) -> None:
        while self._unsent:
            await Timer(PERIOD_NS * 10, "ns")
        while (status := await self.get("status")) & Status.STREAMING:
            if status & Status.ABORTED:
                raise await self.refused()
            await Timer(PERIOD_NS * 10, "ns")

    async def receive(self) -> list[int]:
        coming = cocotb.start_soon(self._sink.recv())
        while not coming.done():
            await First(coming, Timer(PERIOD_NS * LAST_POLL, "ns"))
            if not coming.done() and await self.get("status") & Status.ABORTED and not coming.done():
                coming.cancel()
                raise await self.refused()
        frame = coming.result()
        data = bytes(frame.tdata)
        return [int.from_bytes(data[i:i + 4], "little") for i in range(0, len(data), 4)]

    async def drain(self) -> None:
        while not self._packets.empty():
            self._packets.get_nowait()
            self._unsent -= 1
        while self._unsent or int(self._dut.m_axis_tvalid.value) or not self._sink.idle():
            await Timer(PERIOD_NS * 10, "ns")
        self._sink.clear()

    async def halted(self) -> None:
        cycles = FIRST_POLL
        while (await self.read(REGISTERS["status"].address))[0] & Status.RUNNING:
            await Timer(PERIOD_NS * cycles, "ns")
            cycles = min(2 * cycles, LAST_POLL)

    async def _feed(self) -> None:
        ready = self._dut.s_axis_tready
        while True:
            packet = np.asarray(await self._packets.get(), "<u4")
            if self._source:
                await self._source.send(packet.tobytes())
                await self._source.wait()
            else:
                if not int(ready.value):
                    await RisingEdge(ready)
                await self._drive(packet.tolist())
            self._unsent -= 1
            self.data_sent += 1


    async def _drive(self, packet: list[int]) -> None:
        """Offer the beats one after the other, each until an edge at which the machine was ready."""
        dut, ready, edge = self._dut, self._dut.s_axis_tready, RisingEdge(self._dut.clk)
        await edge  # what is written at any other moment may race with the clock
        dut.s_axis_tvalid.value = 1
        for left, beat in enumerate(packet, 1 - len(packet)):
            dut.s_axis_tdata.value = beat
            if not left:
                dut.s_axis_tlast.value = 1
            await edge
            while not int(ready.value):
                await RisingEdge(ready)
                await edge
        dut.s_axis_tvalid.value = dut.s_axis_tlast.value = 0


def _pauses(generator: random.Random, probability: float) -> Iterator[bool]:
    while True:
        yield generator.random() < probability


async def started(dut, stall: float = 0.0, seed: int = 0) -> CocotbHost:
    """The host of a machine whose clock runs and whose reset is over."""
    Clock(dut.clk, PERIOD_NS, "ns").start()
    dut.rst.value = 1
    host = CocotbHost(dut, stall, seed)
    await Timer(5 * PERIOD_NS, "ns")
    dut.rst.value = 0
    await Timer(5 * PERIOD_NS, "ns")
    return host
