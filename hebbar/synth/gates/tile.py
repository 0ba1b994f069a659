"""The tile at work on a sample: what its ports see in the machine, and its gates driven by that."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from golden.trace import Job
from hebbar.contract.console import Reporter
from hebbar.contract.errors import Mismatch
from sim.backends import pysim

from ..design import of_component
from .activity import Waves
from .library import Library
from .netlist import Netlist, map_flat
from .power import Power, power
from .simulation import simulate

__all__ = ["TileEnergy", "equal", "tile_energy"]


@dataclass(frozen=True)
class TileEnergy:
    """Energy of the gates of a tile, without its memory of weights, in the cycles in which a program runs."""

    power: Power
    cycles: int
    cells: int
    flip_flops: int
    netlist: Netlist
    waves: Waves


def tile_energy(job: Job, liberty: Path, library: Library, folder: Path, reporter: Reporter) -> TileEnergy:
    """Run a job on Amaranth's simulator, and the gates of the tile on what the ports of the tile saw.

    Raises Mismatch where an output of the gates is not what it was in the RTL, in any cycle.
    """
    reporter.say("recording the ports of the tile in the machine ...")
    seen, running, trees = _recorded(job)
    netlist = map_flat(of_component(_fresh(job), "tile"), liberty, library, folder, reporter)
    macro = next(name for name in netlist.inputs if name not in trees and name not in ("clk", "rst"))
    stimulus = {name: seen[name] for name in netlist.inputs if name in seen}
    stimulus |= {"rst": [0] * len(running), macro: seen["weights"]}
    reporter.say(f"simulating {len(netlist.instances):,} gates over {len(running):,} cycles ...")
    waves = simulate(netlist, stimulus)
    equal(netlist, waves, seen)
    first, last = running.index(1), len(running) - running[::-1].index(1)
    work = Waves({net: values[first:last] for net, values in waves.values.items()}, last - first, waves.clock)
    reporter.say("pricing every gate ...")
    flip_flops = sum(i.cell.flip_flop is not None for i in netlist.instances)
    return TileEnergy(power(netlist, library, work), last - first, len(netlist.instances), flip_flops, netlist, work)


def _fresh(job: Job) -> Any:
    """A tile of the machine, by itself."""
    from hw.machine import TILES

    return TILES[job.program.machine.tile](job.program.machine)


def _recorded(job: Job) -> tuple[dict[str, list[int]], list[int], set[str]]:
    """What was seen in every cycle of a run: each port of the tile as a number and the word of weights that was read;
    whether a program ran; and the names of the ports."""
    seen: dict[str, list[int]] = {}
    running: list[int] = []

    def probe(simulator: Any, machine: Any) -> None:
        from amaranth.hdl import Value

        ports = {"__".join(map(str, path)): Value.cast(value)
                 for path, _, value in machine.tile.signature.flatten(machine.tile)}
        seen.update({name: [] for name in [*ports, "weights"]})

        async def watch(ctx: Any) -> None:
            signals = [*ports.values(), Value.cast(machine.tile._bank.read_data[0])]
            while True:
                _, _, now, *values = await ctx.tick().sample(machine.sequencer.running, *signals)
                running.append(now)
                for kept, value, signal in zip(seen.values(), values, signals, strict=True):
                    kept.append(value & ((1 << len(signal)) - 1))

        simulator.add_testbench(watch, background=True)

    pysim.run(job, probe=probe)
    return seen, running, set(seen) - {"weights"}


def equal(netlist: Netlist, waves: Waves, seen: dict[str, list[int]]) -> None:
    """Raise Mismatch where an output of the gates is not what was seen."""
    for name, nets in netlist.outputs.items():
        bits = np.array([_wave(waves, net) for net in nets], object)
        values: Sequence[int] = (bits * np.array([1 << i for i in range(len(nets))], object)[:, None]).sum(axis=0)
        for cycle, (got, want) in enumerate(zip(values, seen[name], strict=True)):
            if got != want:
                raise Mismatch(f"in cycle {cycle} the gates have {name} = {got}, the RTL has {want}.")


def _wave(waves: Waves, net: str) -> Any:
    if net in waves.values:
        return waves.values[net].astype(object)
    return np.full(waves.cycles, int(net == "1"), object)
