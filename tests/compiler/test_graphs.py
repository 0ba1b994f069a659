"""Graphs made from graphs: the same function, other roads."""

import re

import numpy as np
import pytest

from golden import reference as ref
from golden.reference.weak_feedback import Settling, nudged_pc
from hebbar.compiler.graphs import levelled, nudged, remembered
from hebbar.compiler.network import Edge, Error, Network, Population, Role, layered
from hebbar.compiler.rule_config import RuleConfig
from hebbar.contract.errors import BadInput

INPUT, OUT = Population("in", 4, role=Role.INPUT), Population("out", 2, role=Role.TARGET)
HIDDEN = (Population("a", 3, "tanh", activity_frac=4), Population("b", 3, "sigmoid"), Population("c", 3, "tanh"))


def skips(*more):
    """in -> a -> b -> c -> out with roads past b and c, and an identity past b."""
    edges = (Edge("in", "a", 1), Edge("a", "b", 2), Edge("b", "c", 3), Edge("c", "out", 4), Edge("a", "out", 5),
             Edge("a", "c", 0, identity=True), Edge("in", "out", 6), *more)
    return Network((INPUT, *HIDDEN, OUT, Population("one", 1, role=Role.CONSTANT)), (*edges, Edge("one", "b", 7)))


def paths(network, name):
    """The lengths of all paths from a population to a target, walked one by one."""
    if network.by_name[name].role is Role.TARGET:
        return {0}
    return {1 + n for e in network.outgoing(name) for n in paths(network, e.target)}


def test_all_paths_to_the_targets_are_of_one_length():
    """A wave that arrives in two parts teaches an edge only the first of them."""
    graph = levelled(skips())
    assert skips().levels is None and paths(skips(), "a") == {1, 2, 3}
    moving = [p.name for p in graph.populations if p.role in (Role.HIDDEN, Role.TARGET)]
    assert {name: paths(graph, name) for name in moving} == {name: {n} for name, n in graph.levels.items()}
    assert graph.levels == {"out": 0, "c": 1, "b": 2, "a": 3, "a>out.1": 2, "a>out.2": 1, "a>c.1": 2}


def test_inserted_nodes_are_identities_and_edges_keep_what_they_say():
    """Alpha, scale or plasticity of an edge that takes a longer road must not change with its name."""
    old, new = skips(), levelled(skips())
    for name, source in (("a>out.1", "a"), ("a>out.2", "a>out.1"), ("a>c.1", "a")):
        p = new.by_name[name]
        assert (p.size, p.activation, p.role, p.activity_frac, p.precision) == (3, "identity", Role.HIDDEN, 4, 0)
        assert [(e.source, e.identity, e.plastic) for e in new.incoming(name)] == [(source, True, False)]
    kept, same = ([(e.target, e.alpha_shift, e.identity) for e in n.edges if ">" not in e.target] for n in (new, old))
    assert kept == same
    assert new.edge("a>out.2:out").alpha_shift == 5 and new.edge("a>c.1:c").identity and new.edge("in:out").stored
    assert [p for p in new.populations if ">" not in p.name] == list(old.populations)


def test_a_levelled_graph_computes_the_same_from_the_same_seed():
    """Another draw or another function would make a levelled run a different experiment."""
    old, new = skips(), levelled(skips())
    one, two = ref.initial_weights(old, 3), ref.initial_weights(new, 3)
    assert [w.tobytes() for w in one.values()] == [w.tobytes() for w in two.values()]
    x = np.random.default_rng(0).normal(size=(5, 4))
    a = x @ one["in", "a"].T
    b = np.tanh(a) @ one["a", "b"].T + one["one", "b"].T
    c = 1 / (1 + np.exp(-b)) @ one["b", "c"].T + np.tanh(a)
    out = np.tanh(c) @ one["c", "out"].T + np.tanh(a) @ one["a", "out"].T + x @ one["in", "out"].T
    for network, weights in ((old, one), (new, two)):
        np.testing.assert_allclose(ref.predict(network, weights, x, RuleConfig()), out, rtol=1e-13)


def test_a_graph_that_is_levelled_stays_as_it_is():
    """An identity node too many would cost words and steps for nothing."""
    for network in (layered([4, 3, 3, 2], "tanh", [1, 2, 3], [1.0] * 3, bias=True), levelled(skips())):
        assert levelled(network) == network


def test_an_edge_that_shares_is_left_where_it_is():
    """It lies on no path, whatever the levels of its ends."""
    shared = Edge("c", "b", shares="b:c")
    assert shared in levelled(skips(shared)).edges


def test_an_identity_beside_weights_takes_the_same_road():
    """Two roads of one name would be no network; one that kept only one of the edges another function."""
    old = skips(Edge("a", "c", 5), Edge("c", "b", shares="a:c"))
    new, weights = levelled(old), ref.initial_weights(old, 3)
    assert new.levels is not None and [p.name for p in new.populations].count("a>c.1") == 1
    assert [(e.source, e.identity) for e in new.incoming("a>c.1")] == [("a", True)]
    assert {(e.identity, e.alpha_shift) for e in new.edges if (e.source, e.target) == ("a>c.1", "c")} \
        == {(True, 0), (False, 5)}
    renamed = {(n.source, n.target): weights[o.source, o.target] for o, n in zip(old.stored, new.stored)}
    x = np.random.default_rng(0).normal(size=(5, 4))
    np.testing.assert_allclose(*(ref.predict(network, w, x, RuleConfig()) for network, w in (
        (old, weights), (new, renamed))), rtol=1e-13)


def test_edges_that_share_the_weights_of_an_edge_that_moves_find_them():
    """Without it the shared weights would be those of an edge that is no more."""
    new = levelled(skips(Edge("b", "out", shares="a:out"), Edge("one", "a", shares="one:b")))
    shares = {(e.source, e.target): e.shares for e in new.edges if e.shares}
    assert shares == {("b", "out"): "a>out.2:out", ("one", "a"): "one:b"}
    assert new.edge("a>out.2:out").alpha_shift == 5


@pytest.mark.parametrize("edges, words", [
    ((Edge("c", "b"),), "the graph has a cycle, so its populations have no levels"),
    ((Edge("out", "d"), Edge("d", "more")), "target 'out' feeds 'd'; a levelled graph ends at its targets"),
    ((Edge("a", "d"),), "'d' reaches no target; remove it or add an edge")])
def test_graphs_without_levels_are_refused(edges, words):
    """They would get levels that mean nothing."""
    plain = skips()
    more = Population("d", 3), Population("more", 2, role=Role.TARGET)
    network = Network((*plain.populations, *more), (*plain.edges, *edges))
    with pytest.raises(BadInput, match=re.escape(words)):
        levelled(network)


def test_a_nudged_network_at_rest_is_nudged_pc():
    """(1/lambda) e f(x)^T with the target pulled on by lambda = 2**-k: the machine's nudge against the float one."""
    plain = layered([4, 3, 3, 2], "tanh", [0, 0, 0], [1.0] * 3, bias=True)
    weights, rng = ref.initial_weights(plain, 1), np.random.default_rng(4)
    x, y = rng.normal(size=(2, 4)), rng.normal(size=(2, 2))
    for k in (1, 4):
        pulled = nudged(plain, -k)
        assert pulled.by_name["x3"].role is Role.HIDDEN and pulled.by_name["x3.target"].precision == -k
        rule = RuleConfig(name="il", steps=3000, gamma=0.2)
        delta = ref.il(pulled, weights, {"x0": x, "x3.target": y}, rule).delta
        wanted = nudged_pc(plain, weights, {"x0": x, "x3": y}, 2.0**-k, Settling(tolerance=1e-12))
        for key in weights:
            np.testing.assert_allclose(delta[key] * 2**k, wanted[key], rtol=1e-8, atol=1e-10, err_msg=str(key))


def test_a_categorical_target_has_nothing_to_be_pulled_by():
    """A difference of a share and a log-odds is no error of anything."""
    network = Network((INPUT, Population("out", 2, role=Role.TARGET, error=Error.CATEGORICAL)), (Edge("in", "out"),))
    with pytest.raises(BadInput, match="target 'out' has categorical errors"):
        nudged(network, -2)


def test_copies_remember_without_taking_part():
    """A copy that fed back would be a third population; its edges only share."""
    old = layered([4, 3, 2], "tanh", [1, 2], [1.0, 1.0])
    new = remembered(old, "first")
    copies = {p.name: (p.size, p.activation, p.role) for p in new.populations if p.name.endswith(".first")}
    assert copies == {"x1.first": (3, "identity", Role.HIDDEN), "x2.first": (2, "identity", Role.HIDDEN)}
    assert [(e.source, e.target) for e in new.stored] == [(e.source, e.target) for e in old.stored]
    shares = [(e.source, e.target, e.shares, e.alpha_shift) for e in new.edges if e.shares]
    assert shares == [("x0", "x1.first", "x0:x1", 1), ("x1.first", "x2.first", "x1:x2", 2)]
    weights, x = ref.initial_weights(old, 0), np.random.default_rng(1).normal(size=(3, 4))
    states = ref.infer(new, weights, {"x0": x}, 0.1, 0).states[0]
    np.testing.assert_allclose(states["x1.first"], np.tanh(states["x1"]), rtol=1e-14)
    np.testing.assert_allclose(states["x2"], np.tanh(x @ weights["x0", "x1"].T) @ weights["x1", "x2"].T, rtol=1e-13)


@pytest.mark.parametrize("more", [
    {}, {"identity": True, "scale": 0.0}, {"positive": True, "scale": 0.0, "value": -1.0}])
def test_a_value_that_no_weight_would_begin_as_is_refused(more):
    """It would be passed over in silence, or make weights negative that learning keeps positive."""
    populations = Population("a", 3, role=Role.INPUT), Population("b", 3, role=Role.TARGET)
    assert Network(populations, (Edge("a", "b", scale=0.0, value=0.5),)).edges[0].value == 0.5
    with pytest.raises(BadInput, match=r"'a' to 'b' has value .*set scale to 0 or leave value out"):
        Network(populations, (Edge("a", "b", **{"value": 0.5} | more),))
