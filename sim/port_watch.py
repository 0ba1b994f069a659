"""What watches the ports of the memories in an Amaranth simulation: the scoreboard, and the log of writes."""

from collections import defaultdict
from typing import Any

import numpy as np
from amaranth.hdl import Cat, Const
from numpy.typing import NDArray

from golden.trace import Writes
from hebbar.compiler.program import Program
from hebbar.contract.effects import Resource
from hebbar.contract.errors import Mismatch
from hw.machine import Machine

from .ports import ports_of
from .scoreboard import Scoreboard
from .writes import FINAL, WRITTEN

__all__ = ["Log", "watch_order", "watch_writes"]


async def watch_order(ctx: Any, machine: Machine, program: Program, found: list[Mismatch]) -> None:
    """Until a sweep overtakes an older one, which is ``found``."""
    ports, sequencer = ports_of(machine), machine.sequencer
    board, alone = Scoreboard(program, ports), [sequencer.transfer & ~sequencer.beside]
    alone += [sequencer.separate] if machine.machine.separation else []
    alone += [sequencer.exit] if machine.machine.energy else []
    signals = [s for p in ports.values() for s in (p.enable, p.address, p.host_writes(machine))]
    takes = (sequencer.sweep.valid & sequencer.sweep.ready) | sequencer.beside
    async for _, _, taken, pc, drains, *values in ctx.tick().sample(takes, sequencer.pc, Cat(alone), *signals):
        seen = zip(ports, values[::3], values[1::3], values[2::3], strict=True)
        writes = {r: (address, bool(host)) for r, enable, address, host in seen if enable}
        try:
            board.cycle(pc if taken else None, writes, bool(drains))
        except Mismatch as error:
            found.append(error)
            return


class Log:
    """Collects writes as they happen; ``of`` makes them those of a run."""

    def __init__(self) -> None:
        self.places: dict[Resource, list[tuple[int, int]]] = defaultdict(list)
        self.decisions: list[bool] = []

    def of(self, ctx: Any, machine: Machine) -> Writes:
        """The writes so far, and the memories as they are."""
        ports = ports_of(machine)
        places = {r: np.array(self.places[r], np.int64).reshape(-1, 2) for r in WRITTEN if r in ports}
        final = {r: _memory(ctx, p.memory) for r, p in ports.items() if r in FINAL}
        return Writes({r: (found[:, 0], found[:, 1]) for r, found in places.items()}, final, self.decisions)


async def watch_writes(ctx: Any, machine: Machine, log: Log) -> None:
    """Log what is written while a program runs, but for what comes from the host, and the decisions of EXITs."""
    ports, sequencer = {r: p for r, p in ports_of(machine).items() if r in WRITTEN}, machine.sequencer
    hosts = {r: p.host_writes(machine) for r, p in ports.items()}
    exits = [sequencer.exit, sequencer.arm, sequencer.leave] if machine.machine.energy else [Const(0)] * 3
    signals = [s for r, p in ports.items() for s in (p.enable, p.address, p.data, hosts[r])]
    async for _, _, exit, arm, leave, *values in ctx.tick().sample(*exits, *signals):
        if exit and not arm:
            log.decisions.append(bool(leave))
        for i, (resource, p) in enumerate(ports.items()):
            enable, address, data, host = values[4 * i:4 * i + 4]
            if enable and not host:
                lanes, bits = p.lanes
                log.places[resource] += [(address * lanes + n, _signed(data >> bits * n, bits)) for n in range(lanes)
                                         if enable >> n & 1]


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (value >> bits - 1 << bits)


def _memory(ctx: Any, memory: Any) -> NDArray[np.int64]:
    return np.array([v for i in range(memory.depth) for v in ctx.get(memory.data[i])], np.int64)
