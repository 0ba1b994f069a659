"""Bad input is answered with one sentence: file, key, value, allowed values, nearest name."""

import numpy as np
import pytest

from golden.reference import initial_weights
from hebbar.compiler.config import load, parse, preset_names
from hebbar.compiler.network import Edge, Network, Population, Role
from hebbar.compiler.program import compile_config
from hebbar.contract.errors import BadInput

LAYERED = {"network": {"layers": [4, 3, 2]},
           "rule": {"alpha_shifts": [2, 3], "init_scales": [0.5, 0.5]}}


def merged(**sections):
    out = {k: dict(v) for k, v in LAYERED.items()}
    for section, keys in sections.items():
        out.setdefault(section, {}).update(keys)
    return out


@pytest.mark.parametrize("change, words", [
    ({"rule": {"nmae": "il"}}, ["rule.nmae", "did you mean 'name'"]),
    ({"rule": {"name": "ilp"}}, ["rule.name", "'ilp'", "did you mean 'il'", "backprop"]),
    ({"machine": {"lanes": 12}}, ["machine.lanes", "12", "power of two"]),
    ({"machine": {"lanes": 2}}, ["machine.lanes is 2", "at least 4"]),
    ({"machine": {"lanes": 4, "row_tiles": 8}}, ["row_tiles is 8", "lower row_tiles"]),
    ({"network": {"layers": [4]}}, ["network.layers has 1"]),
    ({"network": {"activation": "tahn"}}, ["'tahn'", "did you mean 'tanh'"]),
    ({"rule": {"alpha_shifts": [2]}}, ["rule.alpha_shifts has 1 entries for 2"]),
    ({"rule": {"gamma": 2.5}}, ["rule.gamma", "2.5"]),
    ({"training": {"epochs": 0}}, ["training.epochs", "0"]),
    ({"data": {"split": "random"}}, ["data.split", "stratified", "last360"]),
    ({"machine": {"state_frac": 15, "weight_frac": 0, "activity_frac": 2}}, ["state_frac is 15"])])
def test_an_illegal_key_or_value_is_named(change, words):
    """Without it a typing error would train another network than the one asked for."""
    with pytest.raises(BadInput) as caught:
        parse(merged(**change), "mine.toml")
    for word in ["mine.toml", *words]:
        assert word in str(caught.value)


@pytest.mark.parametrize("machine, words", [
    ({"neuron_words": 2}, ["take 3 words", "machine.neuron_words by 1"]),
    ({"weight_words": 4}, ["weights", "machine.weight_words by"]),
    ({"max_columns": 1, "lanes": 4}, []),
    ({"program_words": 8}, ["machine.program_words is 8", "raise it to"]),
    ({"blocks": 2}, ["block descriptors", "machine.blocks"]),
    ({"map_entries": 2}, ["map entries", "machine.map_entries"]),
    ({"row_sum_bits": 20}, ["machine.row_sum_bits is 20", "raise it to"]),
    ({"feedback_sum_bits": 20}, ["machine.feedback_sum_bits is 20", "raise it to"])])
def test_a_network_that_does_not_fit_says_by_how_much(machine, words):
    """Without it an accumulator could overflow or a memory wrap without a word."""
    config = parse(merged(machine=machine), "mine.toml")
    if not words:
        compile_config(config)
        return
    with pytest.raises(BadInput) as caught:
        compile_config(config)
    for word in words:
        assert word in str(caught.value)


def test_the_advised_width_is_the_smallest_that_fits():
    """Without it the advice in the message could be too small, or waste bits."""
    for key in ("row_sum_bits", "feedback_sum_bits"):
        with pytest.raises(BadInput) as caught:
            compile_config(parse(merged(machine={key: 12}), "x"))
        need = int(str(caught.value).rstrip(".").split()[-1])
        compile_config(parse(merged(machine={key: need}), "x"))
        with pytest.raises(BadInput):
            compile_config(parse(merged(machine={key: need - 1}), "x"))


def test_a_row_longer_than_the_fifo_is_refused():
    """Without it the FIFO of the row engine would overflow and lose words."""
    with pytest.raises(BadInput, match=r"machine.max_columns by 1"):
        compile_config(parse(merged(network={"layers": [9, 3, 2]},
                                    machine={"max_columns": 2, "lanes": 4}), "x"))


@pytest.mark.parametrize("name", preset_names())
def test_every_preset_compiles(name):
    """Without it a preset could be broken by a change of the machine."""
    assert compile_config(load(name)).words


def test_unreadable_and_malformed_files(tmp_path):
    """Without it a wrong path or a stray bracket would end in a stack trace."""
    with pytest.raises(BadInput, match=r"neither a file nor a preset.*did you mean 'digits'"):
        load("digit")
    with pytest.raises(BadInput, match="cannot be read"):
        load(str(tmp_path / "none.toml"))
    broken = tmp_path / "broken.toml"
    broken.write_text("[network\n")
    with pytest.raises(BadInput, match=r"broken.toml: not valid TOML"):
        load(str(broken))


@pytest.mark.parametrize("populations, edges, words", [
    ([("a", 2, Role.INPUT), ("a", 2, Role.TARGET)], [], "same name"),
    ([("a", 2, Role.INPUT)], [("a", "b")], "target 'b' is no population"),
    ([("a", 2, Role.INPUT), ("b", 2, Role.TARGET)], [("a", "b"), ("a", "b")], "two edges"),
    ([("a", 2, Role.INPUT), ("c", 1, Role.CONSTANT)], [("a", "c")], "takes no edge"),
    ([("a", 2, Role.INPUT), ("c", 2, Role.CONSTANT)], [], "a constant has size 1"),
    ([("a", 0, Role.INPUT)], [], "at least 1"),
    ([("b", 2, Role.TARGET)], [], "none has role 'input'")])
def test_an_inconsistent_graph_is_refused(populations, edges, words):
    """Without it edges could point nowhere and the compiler would lay out nonsense."""
    with pytest.raises(BadInput, match=words):
        Network(tuple(Population(n, s, role=r) for n, s, r in populations),
                tuple(Edge(a, b) for a, b in edges))


def test_what_a_graph_cannot_mean_is_refused():
    """Without it a mask would cut arbitrary weights, or float and fixed point see other inputs."""
    ends = (Population("a", 2, role=Role.INPUT), Population("b", 2, role=Role.TARGET))
    with pytest.raises(BadInput, match=r"zero_diagonal.*to itself"):
        Network(ends, (Edge("a", "b", zero_diagonal=True),))
    with pytest.raises(BadInput, match="activation 'tanh'; data enter as activities"):
        Network((Population("a", 2, "tanh", Role.INPUT), ends[1]), (Edge("a", "b"),))
    backwards = Network((Population("a", 2, role=Role.INPUT), Population("b", 2),
                         Population("c", 2, role=Role.TARGET)), (Edge("c", "b"), Edge("b", "a")))
    assert backwards.chain is None


def test_rules_refuse_graphs_they_do_not_apply_to():
    """Without it learning in a wavefront would run round a cycle; what skips levels gets identity nodes."""
    populations = [{"name": "a", "size": 3, "role": "input"}, {"name": "b", "size": 3},
                   {"name": "c", "size": 2, "role": "target"}]
    skip = [{"source": s, "target": t} for s, t in (("a", "b"), ("b", "c"), ("a", "c"))]
    loop = [{"source": s, "target": t} for s, t in (("a", "b"), ("b", "c"), ("c", "b"))]
    for rule in ("zil", "backprop", "eqprop"):
        with pytest.raises(BadInput, match="has a cycle"):
            parse({"network": {"populations": populations, "edges": loop}, "rule": {"name": rule}}, "x")
        compile_config(parse({"network": {"populations": populations, "edges": skip}, "rule": {"name": rule}}, "x"))
    compile_config(parse({"network": {"populations": populations, "edges": loop}}, "x"))


def _other(model, name):
    """Another valid value of a field of a section, of the same kind."""
    value = getattr(model, name)
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else value / 2 + 0.25


@pytest.mark.parametrize("section, key", [
    (s, k) for s in ("control", "device", "read", "update", "faults", "wires", "converters")
    for k in ("row_step", "levels", "additive", "device_spread", "stuck_on", "driver", "noise")
    if k in load("digits_analog").machine.analog.__getattribute__(s).__class__.model_fields])
def test_a_table_keeps_what_is_not_named_at_every_depth(section, key):
    """Without it one key of a nested table would put all the others back to their defaults."""
    config = load("digits_analog")
    table = getattr(config.machine.analog, section)
    value = 2 if key == "levels" else _other(table, key)
    changed = config.replace(machine={"analog": {section: {key: value}}}).model_dump()
    wanted = config.model_dump()
    wanted["machine"]["analog"][section][key] = value
    assert changed == wanted


def test_options_and_devices_keep_what_is_not_named():
    """A list is a value of its own; another device brings its own values, but none over those that were given."""
    assert load("eqprop").replace(rule={"options": {"nudge": 2}}).rule.options == {"nudge": 2, "symmetric": True}
    assert load("graph").replace(network={"edges": load("graph").network.model_dump()["edges"][:2]}).network.edges \
        == load("graph").network.edges[:2]
    plain = load("digits_analog")
    pcm = plain.replace(machine={"analog": {"preset": "pcm", "read": {"age": 1.0}}})
    a = pcm.machine.analog
    assert (a.control.update, a.control.align, a.read.age, a.read.flicker) == ("stochastic", 2, 1.0, 0.0088)
    assert pcm.replace(machine={"analog": {"preset": "ideal", "read": {"age": 0.0}}}) == plain
    assert pcm.replace(machine=pcm.machine.model_dump()) == pcm


@pytest.mark.parametrize("layers", [8, 64])
def test_mupc_keeps_the_size_of_states_as_depth_grows(layers):
    """In a linear residual net every layer multiplies the mean square by 1 + 1/L, so that it ends below e times what
    it began with; without the scale of depth it would grow as 2^L."""
    width = 64
    config = parse(merged(network={"layers": [16, *[width] * (layers - 1), 10], "residual": True},
                          rule={"init": "mupc", "alpha_shifts": [4] * layers, "init_scales": []}), "mine.toml")
    network = config.configured_network()
    weights, rng = initial_weights(network, 1), np.random.default_rng(2)
    x = first = rng.standard_normal((500, 16)) @ weights["x0", "x1"].T
    for i in range(1, layers - 1):
        x = x + x @ weights[f"x{i}", f"x{i + 1}"].T
    growth = np.mean(x**2) / np.mean(first**2)
    assert growth == pytest.approx((1 + 1 / layers)**(layers - 2), rel=0.15)
    assert weights[f"x{layers - 1}", f"x{layers}"].std() == pytest.approx(1 / width, rel=0.1)


def test_mupc_takes_the_place_of_scales():
    """Its hidden and last layers are those that the preset ``deep`` gives by number."""
    given = load("deep")
    scales = [e.scale for e in given.replace(rule={"init": "mupc", "init_scales": []}).configured_network().stored]
    assert scales[1:] == pytest.approx(given.rule.init_scales[1:], rel=0.002) and scales[0] == 1
    with pytest.raises(BadInput, match=r"rule\.init is 'mupc', .*rule\.init_scales is \[3\.5, .*remove one"):
        given.replace(rule={"init": "mupc"}).configured_network()
    with pytest.raises(BadInput, match=r"rule\.init belong to network\.layers"):
        load("graph").replace(rule={"init": "mupc"}).configured_network()
