"""The simulator at the pace of the tests sees what it sees as it came."""

from random import Random

import numpy as np
import pytest
from amaranth.hdl import Cat, Module, Signal, signed
from amaranth.lib.memory import Memory
from amaranth.sim import Simulator, _pyrtl, pysim
from pace import AS_IT_CAME, compiled, value_of

from golden.learning.training import data_of
from golden.session import initial_image
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from sim import host
from sim.backends import pysim as backend
from sim.experiment import replay_job

CYCLES = 300


def trace(seed):
    """Every signal of a small circuit in every cycle of a random run: sums that wrap, signs, parts of one signal
    driven from two places, a word that is written and read at once."""
    m, rng = Module(), Random(seed)
    a, b = Signal(signed(7)), Signal(9)
    total, parts, low, fed = Signal(signed(12)), Signal(10), Signal(4), Signal(signed(8))
    m.submodules.memory = memory = Memory(shape=9, depth=4, init=[1, 2])
    write, read = memory.write_port(), memory.read_port()
    m.d.comb += [write.addr.eq(a[:2]), write.data.eq(b), write.en.eq(b[0]), read.addr.eq(b[3:5]), read.en.eq(1),
                 parts[:4].eq(a + low), fed.eq(-a)]
    m.d.sync += [total.eq(total + a - fed), low.eq(low ^ b)]
    with m.Switch(b[:2]):
        with m.Case(0):
            m.d.comb += parts[4:].eq(read.data)
        with m.Case(1, 2):
            m.d.sync += total[:3].eq(0)
    signals, found = [a, b, total, parts, low, fed, read.data], []
    simulator = Simulator(m)
    simulator.add_clock(1e-8)

    async def bench(ctx):
        for _ in range(CYCLES):
            ctx.set(a, rng.choice([0, 0, -64, 63, rng.randrange(-64, 64)]))
            ctx.set(b, rng.choice([0, 511, rng.randrange(512)]))
            _, _, *seen = await ctx.tick().sample(*signals, Cat(a, total), parts[2:7])
            found.append((seen, [ctx.get(s) for s in (*signals, total + a)]))

    simulator.add_testbench(bench)
    simulator.run()
    return found


@pytest.mark.parametrize("seed", range(3))
def test_the_values_are_those_of_the_simulator_as_it_came(seed, monkeypatch):
    """Without it every simulated test could compare with what the hardware does not do."""
    assert _pyrtl.compile is compiled and pysim.PySimEngine.get_value is value_of, "it is not in use"
    quick = trace(seed)
    monkeypatch.delattr(_pyrtl, "compile")
    monkeypatch.setattr(pysim.PySimEngine, "get_value", AS_IT_CAME)
    assert quick == trace(seed) and len({tuple(seen) for seen, _ in quick}) > CYCLES / 2


def test_tables_that_are_put_are_those_that_are_streamed(monkeypatch):
    """Without it every simulated program could compute with tables that no host would have written."""
    assert backend.load is not host.load, "they are not put"
    program = compile_config(load("tiny").replace(rule={"steps": 1}))
    job = replay_job(program, data_of(program), initial_image(program), 1)
    put = backend.run(job)
    monkeypatch.setattr(backend, "load", host.load)
    streamed = backend.run(job)
    assert all(np.array_equal(getattr(put, n), getattr(streamed, n)) for n in ("activity", "state", "error", "final"))
    assert put.counters == streamed.counters and put.activity.any()
