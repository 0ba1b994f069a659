"""A small host around Amaranth's simulator for 03 and 04."""

from amaranth.hdl import Module, ResetInserter, Signal
from amaranth.sim import Simulator

from hebbar import Experiment
from hebbar.contract.geometry import ports
from hebbar.contract.memories import HEADER, Mem, pack
from hebbar.contract.registers import Control
from hw.machine import Machine
from sim.backends.pysim import PysimHost
from sim.host import load
from sim.simulate import job_of

e = Experiment("tiny")
program = e.program
job = job_of(program, e.data, "predict", 3, e.image)
PORT = ports(program.machine)[Mem.WEIGHT]
COUNT = program.machine.weight_words * PORT.beats_per_word


class Bus(PysimHost):
    hold = False

    async def _sink(self, ctx):
        m, packet = self._machine, []
        while True:
            ctx.set(m.m_axis_tready, int(not self.hold))
            *_, valid, ready, data, last = await ctx.tick().sample(
                m.m_axis_tvalid, m.m_axis_tready, m.m_axis_tdata, m.m_axis_tlast
            )
            if valid and ready:
                packet.append(data)
                if last:
                    self._packets.append(packet)
                    packet = []

    async def start(self):
        await self.set("loop0", 3)
        await self.set("entry", program.entries["predict"])
        await self.set("control", int(Control.START))

    async def weights(self):
        self.send([pack(HEADER, "packet", beats=COUNT, memory=Mem.WEIGHT, read=1), 0])
        return await self.receive()


def simulate(body):
    machine, top, rst = Machine(program.machine), Module(), Signal()
    top.submodules.dut = ResetInserter(rst)(machine)
    s = Simulator(top)
    s.add_clock(1e-8)
    bus = Bus(s, machine, 0.0, 1)

    async def drive(ctx):
        bus.ctx = ctx
        await load(bus, program, e.image)
        await body(bus, ctx, machine)

    s.add_testbench(drive)
    s.run()
