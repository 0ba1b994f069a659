"""Compiled programs do exactly the work that the network and the rule ask for."""

import numpy as np
import pytest

from golden.compiled import CompiledMachine
from hebbar.compiler.config import load, parse, preset_names
from hebbar.compiler.cycles import Cycles
from hebbar.compiler.program import compile_config
from hebbar.compiler.rules import RULES
from hebbar.compiler.workload import minimum
from hebbar.contract.memories import Mem

SAMPLES = 3


def program_of(sizes, rule, steps=3, bias=False, tiles=4, **keys):
    count = len(sizes) - 1
    return compile_config(parse({
        "network": {"layers": sizes, "bias": bias, "activation": "tanh"},
        "rule": {"name": rule, "steps": steps, "alpha_shifts": [3] * count,
                 "init_scales": [0.5] * count, **keys},
        "machine": {"lanes": 4, "row_tiles": tiles, "program_words": 1024, "map_entries": 1024, "blocks": 128,
                    "energy": True, "separation": 8, "functions": 8}}, "test"))


def counters(program, entry="train"):
    machine, rng = CompiledMachine(program), np.random.default_rng(0)
    samples = {t.key: rng.integers(0, 2 if t.memory is Mem.CLAMP else 100, (SAMPLES, t.population.size))
               for t in program.inputs[entry]}
    machine.run(entry, samples)
    return machine.counters | Cycles(program).run(entry, SAMPLES, machine.decisions) \
        | {"decisions": len(machine.decisions)}


@pytest.mark.parametrize("rule", ["il", "ipc", "zil", "backprop"])
@pytest.mark.parametrize("sizes", [[5, 7, 3], [9, 6, 5, 2], [4, 3]])
@pytest.mark.parametrize("bias", [False, True])
def test_weights_are_read_no_more_than_the_minimum(rule, sizes, bias):
    """Without it a program could read weights twice, or count padding as work."""
    program = program_of(sizes, rule, bias=bias)
    done, least = counters(program), minimum(program)
    assert done["weight_reads"] == SAMPLES * least.visits
    assert done["issue"] == SAMPLES * least.padded


def test_the_minimum_by_hand():
    """Without it the minimum itself could be wrong: 64-64-10, IL, T = 8, 16 lanes."""
    least = minimum(program_of([64, 64, 10], "il", steps=8))
    assert least.visits == 2 * 64 * 64 + (1 + 7 + 1) * 64 * 10 and least.cycles == 872


def test_the_minimum_of_other_rules_by_hand():
    """Without it a rule could show another one's count: weights of the presets times visits of their equations."""
    wanted = {("hopfield", "train"): 20 * 100, ("hopfield", "predict"): 2 * 20 * 100,
              ("stdp", "train"): 3 * 64 * 16 + 16 * 16, ("reward_bases", "train"): 2 * 36 * 4,
              ("eqprop", "train"): (3 * 12 + 2) * (64 * 64 + 64 * 10),
              ("chl", "train"): (2 * 12 + 2) * (64 * 64 + 64 * 10),
              ("dfa", "train"): 2 * (64 * 64 + 64 * 32) + 32 * 10 + (64 + 32) * 10,
              ("dfa", "predict"): 64 * 64 + 64 * 32 + 32 * 10,
              # The input: its share, and two updates. Ten classes and two passes with a label, and two updates.
              ("forward_forward", "train"): 3 * 64 * 64 + (12 + 2) * (64 * 10 + 32 * 64) + 10 * (64 + 32 + 2 * 10)
              + 2 * 2 * (64 + 32) + 12 * 2 * 64 + 10 * 10,
              ("forward_forward", "predict"): 64 * 64 + 10 * (64 * 10 + 32 * 64 + 64 + 32 + 2 * 10 + 2 * 64 + 10),
              ("covpcn", "train"): 64 * 64 + 64, ("covpcn", "query"): 500 * (64 * 64 + 64)}
    assert {key: minimum(compile_config(load(key[0])), key[1]).visits for key in wanted} == wanted


@pytest.mark.parametrize("preset", preset_names())
def test_no_program_issues_less_than_its_minimum(preset):
    """Without it a published minimum could be one that the machine undercuts."""
    program = compile_config(load(preset))
    for entry in program.entries:
        least, model = minimum(program, entry), Cycles(program)
        issued = model.run(entry, 3, exits=None)["issue"] - model.run(entry, 2, exits=None)["issue"]
        assert 0 <= least.cycles <= least.padded <= issued, entry


@pytest.mark.parametrize("preset", ["hopfield", "euclidean", "stdp", "reward_bases", "feature_memory", "residual"])
def test_the_golden_machine_counts_no_fewer_reads_than_the_minimum(preset):
    """Without it a rule could declare visits that no machine makes."""
    program = compile_config(load(preset))
    for entry in program.entries:
        assert counters(program, entry)["weight_reads"] >= SAMPLES * minimum(program, entry).visits


@pytest.mark.parametrize("keys", [{"steps": 0}, {"steps": 1}, {"hoist": False}, {"tolerance": 0.5}])
@pytest.mark.parametrize("rule", ["il", "ipc", "nudged_pc", "eqprop", "chl", "dfa", "forward_forward"])
def test_the_minimum_holds_for_every_option(rule, keys):
    """Without it the minimum could hold for the presets' constants alone; with a tolerance, for the steps taken."""
    if (rule, keys) in ((r, {"steps": 0}) for r in ("ipc", "eqprop", "chl")) \
            or ("tolerance" in keys and rule not in ("il", "nudged_pc")):
        keys = {"steps": 2}
    program = program_of([5, 7, 3], rule, bias=True, **{"steps": 3} | keys)
    for entry in program.entries:
        done, early = counters(program, entry), entry == "train" and Cycles(program).exits(entry)
        steps = 1 + done["decisions"] / SAMPLES if early else None
        assert done["weight_reads"] >= SAMPLES * minimum(program, entry, steps).visits


def test_every_rule_declares_its_visits():
    """Without it a new rule would have no minimum, in silence."""
    assert all(set(rule.visits) == {"train", "predict", "query"} for rule in RULES.values())


@pytest.mark.parametrize("tiles", [1, 2, 4])
def test_useful_work_does_not_depend_on_the_machine(tiles):
    """Without it the multiply-accumulates a user compares would change with the padding."""
    here, there = (counters(program_of([5, 7, 3], "il", tiles=t)) for t in (tiles, 1))
    for name in ("mac_fwd", "mac_trn", "mac_upd", "weight_reads", "weight_writes", "steps",
                 "activations"):
        assert here[name] == there[name], name
    assert here["mac_upd"] == SAMPLES * (5 * 7 + 7 * 3)
    assert here["mac_trn"] == SAMPLES * 3 * 7 * 3 and here["steps"] == SAMPLES * 3 * 7
