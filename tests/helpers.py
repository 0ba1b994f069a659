"""What the tests of the hardware share: a simulator, small configurations, random data.

Nothing here computes what a block should do: expectations live in the tests.
"""

import re
from random import Random

import numpy as np
from amaranth.hdl import Module
from amaranth.sim import Simulator

from hebbar.compiler.config import MachineConfig, parse
from hebbar.contract.isa import Sweep, illegal_sweep
from hebbar.contract.memories import Mem

NOISY = {
    "control": {"align": 2, "row_bits": 10, "row_step": 12, "column_bits": 10, "column_step": 16, "bit_cycles": 2,
                "update": "stochastic", "pulses": 31, "pulse_exponent": 8, "verify": 1, "tolerance": 200},
    "device": {"g_min": 1.0, "levels": 256, "weight_range": 2.0},
    "programming": {"noise": [0.26348, 1.9650, -1.1731], "relative": True},
    "read": {"additive": 0.05, "proportional": 0.01, "flicker": 0.0088, "age": 30.0, "drift_log": True},
    "update": {"device_spread": 0.3, "pulse_spread": 0.3, "asymmetry": 0.01, "soft_bounds": 1.0},
    "faults": {"stuck_on": 0.01, "stuck_off": 0.01},
    "converters": {"offset": 0.3, "gain": 0.02, "inl": 0.3, "noise": 0.2, "settling": 0.5}, "seed": 3}
"""An analog macro with every switch on but the wires."""


def noisy(**control):
    """NOISY with another control."""
    return NOISY | {"control": NOISY["control"] | control}


LATER = (Sweep.GATE, Sweep.POST, Sweep.NEG, Sweep.FIRE)


def legal_sets():
    """Every legal set of the flags but LATER; 60 of them with each of LATER alone, 200 with any of LATER."""
    rng, plain = Random(0), [f for f in map(Sweep, range(int(LATER[0]))) if not illegal_sweep(f)]
    alone = [old | new for new in LATER for old in rng.sample(plain, 60)]
    mixed = [rng.choice(plain) | sum(rng.sample(LATER, rng.randint(2, 4)), Sweep(0)) for _ in range(200)]
    return list(dict.fromkeys(plain + alone + mixed))


LEGAL = legal_sets()
"""Flag sets that a SWEEP may carry: none of LATER changes what is legal."""

MACHINE = {"lanes": 4, "row_tiles": 1, "weight_words": 64, "neuron_words": 16, "max_columns": 6,
           "map_entries": 32, "blocks": 16, "program_words": 64, "functions": 3}
"""A machine that elaborates and loads in about a second."""


def half_up(value, shift):
    """floor(value / 2**shift + 1/2) on Python integers, in a form that no block uses."""
    return (2 * int(value) + 2**shift) // 2 ** (shift + 1)


def clip(value, bits):
    """The nearest code of ``bits`` bits, and whether that is another number."""
    nearest = min(max(int(value), -(2 ** (bits - 1))), 2 ** (bits - 1) - 1)
    return nearest, nearest != value


def simulate(component, bench, *background):
    """Run ``bench(ctx)`` to its end on ``component``, next to endless ``background`` processes."""
    simulator = Simulator(component)
    simulator.add_clock(1e-8)
    simulator.add_testbench(bench)
    for process in background:
        simulator.add_testbench(process, background=True)
    simulator.run()


def settle(module: Module, bench):
    """Run ``bench(ctx)`` on combinational logic only."""
    simulator = Simulator(module)
    simulator.add_testbench(bench)
    simulator.run()


def machine(**changes):
    """MACHINE with some keys changed, checked."""
    config = MachineConfig(**(MACHINE | changes))
    config.check()
    return config


def widest(**changes):
    """MACHINE with some keys changed, not checked: only single units are built of it. No machine has memories of such
    a geometry all at once, or no program fits formats so narrow that every code can be tried."""
    return MachineConfig(**(MACHINE | changes))


def layered(layers, rule=None, network=None, **changes):
    """A layered experiment on MACHINE with ``changes``."""
    depth = len(layers) - 1
    return parse({
        "network": {"layers": layers, **(network or {})},
        "rule": {"name": "il", "steps": 3, "gamma": 0.5, "alpha_shifts": [3] * depth,
                 "init_scales": [0.5] * depth, **(rule or {})},
        "machine": MACHINE | changes}, "layered")


def graph(populations, edges, rule=None, **changes):
    """A graph on MACHINE. Populations: (name, size, role, activation, activity_frac); edges:
    (source, target) or (source, target, {options})."""
    keys = ("name", "size", "role", "activation", "activity_frac")
    return parse({
        "network": {"populations": [dict(zip(keys, p)) for p in populations],
                    "edges": [dict(source=e[0], target=e[1], **dict(*e[2:])) for e in edges]},
        "rule": {"name": "il", "steps": 3, "gamma": 0.5, **(rule or {})},
        "machine": MACHINE | changes}, "graph")


def random_weights(program, seed, spread=1.0):
    """Real weights by edge, some of them at the ends of the format."""
    rng, by_name = np.random.default_rng(seed), program.layout.network.by_name
    top = program.machine.formats.weight.hi / program.machine.formats.weight.scale
    return {(e.source, e.target): np.clip(
        rng.standard_normal((by_name[e.target].size, by_name[e.source].size)) * spread, -top, top)
        for e in program.layout.network.edges}


def random_samples(program, entry, count, seed):
    """Codes by key for every transfer of ``entry``: of moderate size, of a clamp mask 0 and 1."""
    rng, f = np.random.default_rng(seed), program.machine.formats
    one = min(int(f.state.scale), f.state.hi)
    limits = {Mem.ACTIVITY: (0, f.activity.hi), Mem.CLAMP: (0, 1)}
    samples = {}
    for t in program.inputs[entry]:
        lo, hi = limits.get(t.memory, (-one, one))
        samples[t.key] = rng.integers(lo, hi + 1, (count, t.population.size))
    return samples


def inside(verilog: str, module: str, old: str, new: str) -> str:
    """The text with the first match of ``old`` in a module replaced; ``module`` is how its name begins
    in the text, a blank or a bracket behind it."""
    head, mark, rest = verilog.partition(f"module {module}")
    body, end, tail = rest.partition("endmodule")
    changed, count = re.subn(old, new, body, count=1)
    assert mark and count == 1, f"{old} is not in module {module}"
    return head + mark + changed + end + tail
