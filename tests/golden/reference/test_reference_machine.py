"""Theorems of predictive coding that hold bit for bit on the machine, rounding included."""

import numpy as np
import pytest
from helpers import MACHINE

from golden import reference as ref
from golden.image import from_image, to_image
from golden.machine import Machine
from hebbar.compiler.config import load, parse
from hebbar.compiler.program import compile_config

BIG = MACHINE | {"weight_words": 256, "neuron_words": 32, "max_columns": 12, "map_entries": 256, "blocks": 64,
                 "program_words": 512, "functions": 6, "row_tiles": 2, "separation": 32, "energy": True}


def program(populations, edges, **rule):
    """Populations: name, size, role, {options}; edges: source, target, {options}."""
    return compile_config(parse({
        "network": {"populations": [dict(name=n, size=s, role=r, **o) for n, s, r, o in populations],
                    "edges": [dict(source=s, target=t, **o) for s, t, o in edges]},
        "rule": {"gamma": 0.25, **rule}, "machine": BIG}, "test"))


HIDDEN = {"activation": "leaky"}
DEEP = ([("in", 6, "input", {}), ("a", 5, "hidden", HIDDEN), ("b", 7, "hidden", {"activation": "relu"}),
         ("out", 3, "target", {}), ("one", 1, "constant", {})],
        [("in", "a", {}), ("a", "b", {"alpha_shift": 3}), ("b", "out", {}), ("one", "a", {}), ("one", "out", {})])
RESIDUAL = ([("in", 8, "input", {}), ("a", 8, "hidden", HIDDEN), ("b", 8, "hidden", HIDDEN | {"precision": 1}),
             ("out", 3, "target", {"precision": -1}), ("one", 1, "constant", {})],
            [("in", "a", {"mask": ("10", "11")}), ("a", "b", {"alpha_shift": 3}),
             ("a", "b", {"identity": True, "plastic": False}), ("b", "out", {}), ("a", "out", {"positive": True}),
             ("one", "b", {}), ("in", "b", {"plastic": False})])
NETWORKS = {"deep": DEEP, "residual": RESIDUAL}


def start(p, seed=0):
    """Weights of every edge, also of those that begin at zero, as codes and back."""
    rng = np.random.default_rng(seed)
    weights = {k: np.where(w != 0, 0.4 * rng.normal(size=w.shape), 0)
               for k, w in ref.initial_weights(p.layout.network, 1).items()}
    return {k: np.abs(w) if p.layout.network.edge(":".join(k)).positive else w for k, w in weights.items()}


def samples(p, count=4, seed=2):
    """Codes of inputs, and of targets that no prediction meets."""
    rng, by_name = np.random.default_rng(seed), p.layout.network.by_name
    return {"in": rng.integers(-100, 101, (count, by_name["in"].size)),
            "out": rng.integers(-6000, 6001, (count, by_name["out"].size))}


def learnt(p, data, weights=None):
    """Real weights by edge before and after the program trained on ``data``."""
    machine = Machine(p)
    machine.weights[...] = to_image(p.layout, start(p) if weights is None else weights)
    before = from_image(p.layout, machine.weights.copy())
    machine.run("train", data)
    return before, from_image(p.layout, machine.weights)


def predicted(p, data):
    machine = Machine(p)
    machine.weights[...] = to_image(p.layout, start(p))
    return machine.run("predict", {"in": data["in"]})["out"]


def changed(before, after):
    return {key for key in before if not np.array_equal(before[key], after[key])}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("rule", ["il", "ipc", "zil", "backprop"])
def test_theorem_4_a_target_equal_to_the_prediction_changes_no_bit(network, rule):
    """An error of one unit that rounding leaves behind would drift through a long training."""
    p = program(*NETWORKS[network], name=rule, steps=5)
    data = samples(p)
    right = data | {"out": predicted(p, data)}
    assert np.abs(right["out"]).max() > 100 and not changed(*learnt(p, right))
    plastic = {(e.source, e.target) for e in p.layout.network.stored if e.plastic}
    assert changed(*learnt(p, data)) == plastic


@pytest.mark.parametrize("network", NETWORKS)
def test_theorem_5_without_state_steps_only_the_output_learns_and_as_in_backprop(network):
    """Stale errors of the sample before would teach the hidden blocks something."""
    il, bp = (program(*NETWORKS[network], name=n, steps=0) for n in ("il", "backprop"))
    one = {name: codes[:1] for name, codes in samples(il).items()}
    before, after = learnt(il, one)
    wanted = learnt(bp, one)[1]
    outputs = {key for key in before if key[1] == "out"}
    assert changed(before, after) == outputs and all(np.array_equal(after[k], wanted[k]) for k in outputs)
    assert changed(*learnt(il, samples(il))) == outputs


@pytest.mark.parametrize("network", NETWORKS)
def test_theorem_6_the_first_update_of_ipc_is_il_without_state_steps(network):
    """Weights that learn after the states have moved would be one step ahead for ever."""
    il, ipc = program(*NETWORKS[network], name="il", steps=0), program(*NETWORKS[network], name="ipc", steps=1)
    (before, one), (_, two) = learnt(il, samples(il)), learnt(ipc, samples(ipc))
    assert changed(before, one) and not changed(one, two)


@pytest.mark.parametrize("rule", ["il", "ipc"])
def test_theorem_7_a_hierarchical_mask_is_the_layered_network(rule):
    """One population whose mask is the hierarchy: parts are swept as layers are, and rounded as they are."""
    ends = ("in", 6, "input", {}), ("out", 3, "target", {})
    small = program([ends[0], ("a", 4, "hidden", HIDDEN), ("b", 4, "hidden", HIDDEN), ends[1]],
                    [("in", "a", {}), ("a", "b", {}), ("b", "out", {})], name=rule, steps=6)
    flat = program([ends[0], ("h", 8, "hidden", HIDDEN), ends[1]],
                   [("in", "h", {"mask": ("1", "0")}), ("h", "h", {"mask": ("00", "10")}),
                    ("h", "out", {"mask": ("01",)})], name=rule, steps=6)
    blocks = start(small)
    big = {("in", "h"): np.zeros((8, 6)), ("h", "h"): np.zeros((8, 8)), ("h", "out"): np.zeros((3, 8))}
    big["in", "h"][:4], big["h", "h"][4:, :4], big["h", "out"][:, 4:] = blocks.values()
    (before, wanted), (_, got) = learnt(small, samples(small)), learnt(flat, samples(small), big)
    assert changed(before, wanted) == set(before)
    found = got["in", "h"][:4], got["h", "h"][4:, :4], got["h", "out"][:, 4:]
    assert all(np.array_equal(a, b) for a, b in zip(found, wanted.values()))


@pytest.mark.parametrize("seed", range(3))
def test_theorem_10_max_separation_returns_the_nearest_stored_pattern(seed):
    """Every bit of it: 1.0 times a pattern must come back through the projection without rounding."""
    p = program([("q", 10, "input", {"activity_frac": 5}), ("slots", 6, "hidden", {}), ("z", 10, "target", {})],
                [("q", "slots", {"alpha_shift": 0, "scale": 0.0}), ("z", "slots", {"shares": "q:slots"})],
                name="hopfield", steps=1, options={"separation": "max"})
    rng, scale = np.random.default_rng(seed), 1 << p.machine.formats.state.frac
    patterns, queries = rng.integers(-40, 41, (6, 10)), rng.integers(-40, 41, (40, 10))
    machine = Machine(p)
    machine.run("train", {t.key: {"q": patterns}.get(t.key, np.eye(6, dtype=np.int64) * scale)
                          for t in p.inputs["train"]})
    np.testing.assert_array_equal(from_image(p.layout, machine.weights)["q", "slots"], patterns / 32)
    nearest = (queries @ patterns.T).argmax(axis=1)
    assert len(set(nearest)) > 3
    assert np.array_equal(machine.run("predict", {"q": queries})["z"], patterns[nearest] * (scale // 32))


def test_softmax_recalls_what_a_fifth_of_flipped_bits_left():
    """20 patterns of 100 bits at beta 4, the figure of section 1.9, on the machine of the preset."""
    p = compile_config(load("hopfield"))
    rng, machine = np.random.default_rng(0), Machine(p)
    patterns = rng.choice([-1, 1], (20, 100))
    flipped = np.where(rng.random((20, 100)) < 0.2, -patterns, patterns)
    one, unit = 1 << p.machine.formats.state.frac, 1 << p.layout.network.by_name["q"].activity_frac
    machine.run("train", {t.key: {"q": patterns * unit}.get(t.key, np.eye(20, dtype=np.int64) * one)
                          for t in p.inputs["train"]})
    recalled = machine.run("predict", {"q": flipped * unit})["z"]
    assert np.array_equal(recalled, patterns * one)


@pytest.mark.parametrize("rule", ["il", "ipc"])
def test_theorems_12_and_13_with_every_element(rule):
    """Hoisting and the order of storage, now with identities, a mask, precisions and signs."""
    populations, edges = RESIDUAL
    before, wanted = learnt(program(populations, edges, name=rule, steps=4), samples(program(*RESIDUAL)))
    assert changed(before, wanted)
    rng = np.random.default_rng(3)
    for _ in range(4):
        order = [populations[i] for i in rng.permutation(len(populations))]
        p = program(order, [edges[i] for i in rng.permutation(len(edges))], name=rule, steps=4)
        assert not changed(learnt(p, samples(p), before)[1], wanted)
    p = program(populations, edges, name=rule, steps=4, hoist=False)
    assert not changed(learnt(p, samples(p), before)[1], wanted)
