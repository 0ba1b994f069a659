"""Compiled programs do exactly the work that the network and the rule ask for."""

import numpy as np
import pytest

from golden.machine import Machine
from golden.training import initial_image
from hebbar.compiler import compile_config
from hebbar.config import parse
from hebbar.cycles import Cycles
from hebbar.workload import minimum_cycles, minimum_visits

SAMPLES = 3


def program_of(sizes, rule, steps=3, bias=False, tiles=4):
    count = len(sizes) - 1
    return compile_config(parse({
        "network": {"layers": sizes, "bias": bias, "activation": "tanh"},
        "rule": {"name": rule, "steps": steps, "alpha_shifts": [3] * count,
                 "init_scales": [0.5] * count},
        "machine": {"lanes": 4, "row_tiles": tiles}}, "test"))


def counters(program):
    machine = Machine(program)
    machine.tile.weights[...] = initial_image(program)
    rng = np.random.default_rng(0)
    machine.run("train", {t.population.name: rng.integers(-99, 100, (SAMPLES, t.population.size))
                          for t in program.inputs["train"]})
    return machine.counters.read() | Cycles(program).run("train", SAMPLES)


@pytest.mark.parametrize("rule", ["il", "ipc", "zil", "backprop"])
@pytest.mark.parametrize("sizes", [[5, 7, 3], [9, 6, 5, 2], [4, 3]])
@pytest.mark.parametrize("bias", [False, True])
def test_weights_are_read_no_more_than_the_minimum(rule, sizes, bias):
    """Without it a program could read weights twice, or count padding as work."""
    program = program_of(sizes, rule, bias=bias)
    network, config = program.layout.network, program.config
    done = counters(program)
    assert done["weight_reads"] == SAMPLES * minimum_visits(network, config.rule)
    assert done["issue"] == SAMPLES * minimum_cycles(network, config.rule, config.machine)[1]


def test_the_minimum_by_hand():
    """Without it the minimum itself could be wrong: 64-64-10, IL, T = 8, 16 lanes."""
    program = program_of([64, 64, 10], "il", steps=8)
    network, rule = program.layout.network, program.config.rule
    assert minimum_visits(network, rule) == 2 * 64 * 64 + (1 + 7 + 1) * 64 * 10
    assert minimum_visits(network, rule) / 16 == 872


@pytest.mark.parametrize("tiles", [1, 2, 4])
def test_useful_work_does_not_depend_on_the_machine(tiles):
    """Without it the multiply-accumulates a user compares would change with the padding."""
    here, there = (counters(program_of([5, 7, 3], "il", tiles=t)) for t in (tiles, 1))
    for name in ("mac_fwd", "mac_trn", "mac_upd", "weight_reads", "weight_writes", "steps",
                 "activations"):
        assert here[name] == there[name], name
    assert here["mac_upd"] == SAMPLES * (5 * 7 + 7 * 3)
    assert here["mac_trn"] == SAMPLES * 3 * 7 * 3 and here["steps"] == SAMPLES * 3 * 7
