"""Amaranth's own simulator as a backend: needs no other tool, about 2,000 cycles a second."""

import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.hdl import Cat
from amaranth.sim import Simulator
from numpy.typing import NDArray

from golden.trace import Job, Recorder, Trace, Writes
from hebbar.compiler.program import Program
from hebbar.contract.errors import Mismatch
from hebbar.contract.memories import Mem
from hw.machine import Machine

from ..host import Host, load, read_weights, run as run_host
from ..macro import PINS, Macro, macro_of
from ..port_watch import Log, watch_order, watch_writes

__all__ = ["prepare", "run", "PysimHost"]


class PysimHost(Host):
    """Drives the buses of ``machine`` in an Amaranth testbench.

    Streams run in background testbenches; ``stall`` is the probability that they hold back a beat.
    """

    def __init__(self, simulator: Simulator, machine: Machine, stall: float, seed: int) -> None:
        self._machine, self._random, self._stall = machine, random.Random(seed), stall
        self._queue: deque[tuple[int, int]] = deque()
        self._packets: deque[list[int]] = deque()
        self._partial: list[int] = []
        self.ctx: Any = None
        simulator.add_testbench(self._source, background=True)
        simulator.add_testbench(self._sink, background=True)

    async def write(self, address: int, value: int) -> int:
        ctx, m = self.ctx, self._machine
        for name, v in (("awaddr", address), ("wdata", value), ("wstrb", 15), ("awvalid", 1),
                        ("wvalid", 1), ("bready", 1)):
            ctx.set(getattr(m, f"s_axil_{name}"), v)
        pending = {"aw", "w"}
        while pending:
            *_, aw, w = await ctx.tick().sample(m.s_axil_awready, m.s_axil_wready)
            for name, ready in (("aw", aw), ("w", w)):
                if ready and name in pending:
                    pending.discard(name)
                    ctx.set(getattr(m, f"s_axil_{name}valid"), 0)
        *_, response = await ctx.tick().sample(m.s_axil_bresp).until(m.s_axil_bvalid)
        ctx.set(m.s_axil_bready, 0)
        return response

    async def read(self, address: int) -> tuple[int, int]:
        ctx, m = self.ctx, self._machine
        ctx.set(m.s_axil_araddr, address)
        ctx.set(m.s_axil_arvalid, 1)
        ctx.set(m.s_axil_rready, 1)
        await ctx.tick().until(m.s_axil_arready)
        ctx.set(m.s_axil_arvalid, 0)
        *_, value, response = await ctx.tick().sample(m.s_axil_rdata, m.s_axil_rresp).until(
            m.s_axil_rvalid)
        ctx.set(m.s_axil_rready, 0)
        return value, response

    def send(self, packet: Sequence[int] | NDArray[np.uint32]) -> None:
        self._queue += [(int(b), int(i == len(packet) - 1)) for i, b in enumerate(packet)]

    async def sent(self) -> None:
        while self._queue or self.ctx.get(self._machine.streamer.active):
            await self.ctx.tick()
            if not self._queue and self.ctx.get(self._machine.sequencer.aborted):
                raise await self.refused()

    async def receive(self) -> list[int]:
        while not self._packets:
            await self.ctx.tick()
            if not self._packets and self.ctx.get(self._machine.sequencer.aborted):
                raise await self.refused()
        return self._packets.popleft()

    async def drain(self) -> None:
        ends = [i for i, (_, last) in enumerate(self._queue) if last]
        while ends and len(self._queue) > ends[0] + 1:
            self._queue.pop()  # the first packet may be begun, and its beat on offer has to stay
        while self._queue or self._partial or self.ctx.get(self._machine.m_axis_tvalid):
            await self.ctx.tick()
        self._packets.clear()

    async def halted(self) -> None:
        while self.ctx.get(self._machine.sequencer.running):
            await self.ctx.tick()

    async def _source(self, ctx) -> None:
        m, valid = self._machine, False
        port, width = Cat(m.s_axis_tdata, m.s_axis_tlast, m.s_axis_tvalid), len(m.s_axis_tdata)
        while True:  # after every ctx.set the whole machine settles: one for a beat
            if self._queue and self._random.random() >= self._stall:
                data, last = self._queue[0]
                ctx.set(port, data | last << width | 1 << width + 1)
                await ctx.tick().until(m.s_axis_tready)
                self._queue.popleft()
                valid = True
                continue
            if valid:
                ctx.set(m.s_axis_tvalid, 0)
            valid = False
            await ctx.tick()

    async def _sink(self, ctx) -> None:
        m, before = self._machine, None
        while True:
            if (now := int(self._random.random() >= self._stall)) != before:
                ctx.set(m.m_axis_tready, now)
            before = now
            *_, valid, ready, data, last = await ctx.tick().sample(
                m.m_axis_tvalid, m.m_axis_tready, m.m_axis_tdata, m.m_axis_tlast)
            if valid and ready:
                self._partial.append(data)
                if last:
                    self._packets.append(self._partial)
                    self._partial = []


def prepare(program: Program, folder: Path, announce: bool = True) -> None:
    """Nothing is built: every run elaborates its machine."""


def run(job: Job, model: None = None, progress: Callable[[int], None] | None = None,
        probe: Callable[[Simulator, Machine], None] | None = None, told: list[Mismatch] | None = None) -> Trace:
    """Run a job on Amaranth's simulator. ``progress`` is not called; ``probe`` may add benches that look on.

    Raises Mismatch where a sweep overtakes an older one; given a list ``told``, it appends that and goes on."""
    machine = Machine(job.program.machine)
    simulator = Simulator(machine)
    simulator.add_clock(1e-8)
    recorder, macro = Recorder(job.program), macro_of(job.program.machine)
    host = PysimHost(simulator, machine, job.stall, job.seed)
    result: dict[str, Any] = {}
    if probe:
        probe(simulator, machine)
    log, written = Log(), list[Writes]()

    def weights(ctx):
        return macro.weights() if macro else _weights(ctx, machine)

    async def drive(ctx) -> None:
        host.ctx = ctx
        await load(host, job.program, job.weights)
        result["outputs"], result["counters"] = await run_host(host, job)
        if job.steps:
            written.append(log.of(ctx, machine))
        result["final"] = await read_weights(host, job.program) if macro else weights(ctx)

    async def watch(ctx) -> None:
        last = 0
        async for _, _, barrier, pc in ctx.tick().sample(machine.barrier, machine.barrier_pc):
            if barrier != last and job.steps:
                recorder.barrier(pc, lambda: _rows(ctx, machine), lambda: weights(ctx))
            last = barrier

    simulator.add_testbench(drive)
    if macro:
        simulator.add_testbench(partial(_answer, machine=machine, macro=macro), background=True)
    simulator.add_testbench(watch, background=True)
    overtaken: list[Mismatch] = [] if told is None else told
    simulator.add_testbench(partial(watch_order, machine=machine, program=job.program, found=overtaken),
                            background=True)
    if job.steps:
        simulator.add_testbench(partial(watch_writes, machine=machine, log=log), background=True)
    simulator.run()
    if overtaken and told is None:
        raise overtaken[0]
    return replace(recorder.trace(**result), writes=written[0] if written else None)


async def _answer(ctx, machine: Machine, macro: Macro) -> None:
    """The macro at its pins, after every clock edge."""
    while True:
        await ctx.tick()
        if ctx.get(getattr(machine, f"{PINS}strobe")):
            found = macro.answer(ctx.get(getattr(machine, f"{PINS}phase")),
                                 lambda name: ctx.get(getattr(machine, PINS + name)))
            ctx.set(getattr(machine, f"{PINS}compare"), found)


def _rows(ctx, machine: Machine) -> list[list[int]]:
    """State, error and activity memories, element by element."""
    return [_memory(ctx, machine.banks[mem].memory) for mem in (Mem.STATE, Mem.ERROR, Mem.ACTIVITY)]


def _memory(ctx, memory) -> list[int]:
    return [v for i in range(memory.depth) for v in ctx.get(memory.data[i])]


def _weights(ctx, machine: Machine) -> list[Any]:
    m, rows = machine.machine, machine.tile.image(ctx)
    return [[row[p * m.lanes:(p + 1) * m.lanes] for p in range(m.row_tiles)] for row in rows]
