"""Source: lnls-dig/bpm-gw issue 57, lowRISC/opentitan issue 31170 (data in flight at an abort land elsewhere).
STOP while the DMA still has sample packets to deliver: a halted machine reads each of them as a load packet, header
first. A sample whose first four pixels spell a header overwrites weights. Right: nothing is written until the host says
so (CLEAR, say). exit 1 while wrong."""

from bus import COUNT, PORT, job, program, simulate

from hebbar.contract.memories import HEADER, Mem, pack
from hebbar.contract.registers import Cause, Control
from sim.packets import packets, words

found = []


async def body(bus, ctx, m):
    before = words((await bus.weights())[-COUNT:], PORT)
    sent = [list(map(int, p)) for p in packets(program, job.entry, job.samples)]
    sent[2] = [pack(HEADER, "packet", beats=2, memory=Mem.WEIGHT, read=0), 0, 0x7FFF7FFF, 0x7FFF7FFF]  # 16 legal pixels
    bus.hold = True
    await bus.start()
    for p in sent:
        bus.send(p)
    while not ctx.get(m.m_axis_tvalid):
        await ctx.tick()
    await bus.set("control", int(Control.STOP))
    bus.hold = False
    await ctx.tick().repeat(400)
    print("cause", Cause(await bus.get("cause")).name, "status", await bus.get("status"))
    await bus.set("control", int(Control.CLEAR))
    await ctx.tick().repeat(5)
    bus._packets.clear()
    after = words((await bus.weights())[-COUNT:], PORT)
    found.append(int((after != before).sum()))


simulate(body)
print("weights changed:", found[0])
raise SystemExit(found[0] > 0)
