"""What rules refuse of a network or a machine, in sentences that name the place, the value and what to do."""

import pytest

from hebbar.compiler.config import load, parse
from hebbar.compiler.parameters import parameters
from hebbar.compiler.program import compile_config
from hebbar.contract.errors import BadInput

MACHINE = {"lanes": 4, "row_tiles": 1, "weight_words": 512, "neuron_words": 64, "max_columns": 32, "map_entries": 256,
           "blocks": 64, "program_words": 512, "functions": 8, "separation": 8, "energy": True, "integral": True}
CHAIN = {"x": {"role": "input"}, "h": {"activation": "tanh"}, "y": {"role": "target"}}
EDGES = (("x", "h"), ("h", "y"))


def compiled(rule, populations=None, edges=EDGES, options=None, more=None, **machine):
    """``rule`` on a graph of populations of 4 with changes to CHAIN; an edge may have options behind its ends."""
    given = populations or {}
    merged = {name: CHAIN.get(name, {}) | given.get(name, {}) for name in CHAIN | given}
    network = {"populations": [{"name": name, "size": 4} | keys for name, keys in merged.items()],
               "edges": [{"source": e[0], "target": e[1]} | dict(*e[2:]) for e in edges]}
    keys = {"name": rule, "steps": 4, "gamma": 0.25, "options": options or {}} | (more or {})
    return compile_config(parse({"network": network, "rule": keys, "machine": MACHINE | machine}, "t"))


@pytest.mark.parametrize("rule", ["eqprop", "chl", "zil", "backprop", "dfa"])
def test_predicted_inputs(rule):
    """A query of them would settle in another energy than the one that was learnt in, or there is no such query."""
    with pytest.raises(BadInput, match=f"rule.name is '{rule}' and an input population is predicted; use 'il' or "
                                       "remove the edges to 'x'"):
        compiled(rule, edges=(("h", "x"), ("h", "y")))


def test_a_rule_is_called_by_its_own_name():
    with pytest.raises(BadInput, match=r"rule\.name is 'dfa' and a target population feeds another"):
        compiled("dfa", {"z": {"role": "target"}}, (*EDGES, ("y", "z")))
    with pytest.raises(BadInput, match=r"rule\.name is 'dfa' and the network has a cycle"):
        compiled("dfa", edges=(*EDGES, ("y", "h")))


@pytest.mark.parametrize("rule, of, why", [
    ("eqprop", "h", "settles by an energy"), ("chl", "h", "settles by an energy"), ("chl", "y", "settles by an energy"),
    ("il_nesterov", "h", "takes the way of a state")])
def test_precisions(rule, of, why):
    with pytest.raises(BadInput, match=rf"network\.populations: '{of}' has precision -2, and rule '{rule}' {why}.* set "
                                       "it to 0"):
        compiled(rule, {of: {"precision": -2}})


@pytest.mark.parametrize("rule", ["eqprop", "chl"])
def test_positive_weights_that_two_products_would_clip(rule):
    with pytest.raises(BadInput, match=rf"'x' to 'h' is positive, and rule '{rule}' learns the difference of two"):
        compiled(rule, edges=(("x", "h", {"positive": True}), ("h", "y")))
    compiled(rule, edges=(("x", "h", {"positive": True, "plastic": False}), ("h", "y")))


@pytest.mark.parametrize("slope, activation", [("0.25", "sigmoid"), ("0", "spike")])
def test_targets_that_values_do_not_reach_as_they_are(slope, activation):
    """Feedback becomes a state times the slope at 0: a sigmoid would be clamped to a quarter of the target."""
    said = rf"'y' has activation '{activation}', whose slope at 0 is {slope}, and rule 'chl'"
    with pytest.raises(BadInput, match=said):
        compiled("chl", {"y": {"activation": activation}})
    for good in ("identity", "tanh", "relu", "leaky", "hard_tanh"):
        compiled("chl", {"y": {"activation": good}})


def test_recalled_patterns_too():
    population = [p.model_dump() for p in load("hopfield").network.populations]
    changed = [p | ({"activation": "sigmoid"} if p["role"] == "target" else {}) for p in population]
    with pytest.raises(BadInput, match=r"whose slope at 0 is 0\.25, and rule 'hopfield'"):
        compile_config(load("hopfield").replace(network={"populations": changed}))


@pytest.mark.parametrize("change, words", [
    ({"edges": [{"source": "one", "target": "values"}]}, "'one' to 'values', and rule 'reward_bases' has the temporal"),
    ({"edges": [{"source": "next", "target": "values"}]}, "'next' to 'values', and"),
    ({"difference": {"activation": "tanh"}}, "'difference' has activation 'tanh'"),
    ({"values": {"precision": 1}}, "'values' has precision 1"),
    ({"values": {"error": "categorical"}}, "'values' has categorical errors"),
    ({"features": {"role": "hidden"}}, "the features 'features' are no data")])
def test_what_is_no_temporal_difference(change, words):
    preset = load("reward_bases").network
    populations = [p.model_dump() | change.get(p.name, {}) for p in preset.populations]
    populations.append({"name": "one", "size": 1, "role": "constant"})
    edges = [e.model_dump() for e in preset.edges] + change.get("edges", [])
    with pytest.raises(BadInput, match=words):
        load("reward_bases").replace(network={"populations": populations, "edges": edges})


@pytest.mark.parametrize("populations, words", [
    ({"y": {"size": 1}}, "target 'y' has size 1, and rule 'forward_forward' learns from a right label and a wrong one"),
    ({"y": {"activation": "tanh"}}, "target 'y' has activation 'tanh', and rule 'forward_forward'")])
def test_labels_that_cannot_be_wrong_or_are_not_taken_as_they_are(populations, words):
    with pytest.raises(BadInput, match=words):
        compiled("forward_forward", populations, options={"slope": 2.0})


def test_skips_of_a_window():
    """h leads to y at once and by way of g, so that g leaves the window without y."""
    with pytest.raises(BadInput, match="'h' leads to 'y' and to 'g', 0 and 1 edges from the end; a window passes"):
        compiled("pc_alm_window", {"g": {"activation": "tanh"}}, (*EDGES, ("h", "g"), ("g", "y")))
    compiled("pc_alm_window", {"g": {}}, (*EDGES[:1], ("h", "g"), ("h", "g", {"identity": True, "plastic": False}),
                                          ("g", "y"), ("x", "y")))


@pytest.mark.parametrize("rule", ["ipc", "zil", "backprop", "dfa", "forward_forward", "eqprop", "chl"])
def test_a_tolerance_that_nothing_asks_for(rule):
    options = {"slope": 2.0} if rule == "forward_forward" else {}
    with pytest.raises(BadInput, match=rf"rule\.tolerance is 0\.25, and no program of rule '{rule}' here \(train, p"):
        compiled(rule, options=options, more={"tolerance": 0.25})
    compiled(rule, options=options, more={"tolerance": 0.0})


def test_a_tolerance_on_what_stops_early_or_has_no_steps():
    for rule in ("il", "nudged_pc"):
        assert compiled(rule, more={"tolerance": 0.25}).tolerance
    with pytest.raises(BadInput, match=r"rule 'il' here \(train, predict\) stops before its last step"):
        compiled("il", more={"tolerance": 0.25, "steps": 0})


EXACT = {"state_bits": 15, "state_frac": 11, "error_bits": 15, "activity_bits": 15, "activity_frac": 11,
         "row_sum_bits": 44, "feedback_sum_bits": 48}
FINE = {name: {"activity_frac": 11} for name in CHAIN}


@pytest.mark.parametrize("momentum, machine, words", [
    (0.003, {}, r"rule\.options\.momentum is 0\.003 and would run as 0, .* steps of 0\.007812; give 0 or a multiple"),
    (0.5, {"error_bits": 14}, r"machine\.error_bits is 14, and rule 'il_nesterov' passes states of 15 bits on")])
def test_what_momentum_does_not_run_on(momentum, machine, words):
    with pytest.raises(BadInput, match=words):
        compiled("il_nesterov", FINE, options={"momentum": momentum}, **EXACT | machine)


@pytest.mark.parametrize("options, configured, used", [({}, 0.75, 0.75), ({"momentum": 0.2}, 0.2, 26 / 128)])
def test_momentum_is_listed_by_its_own_name(options, configured, used):
    """The register of the gain holds 1 more: a fifth is 153.6 less 128 of 128 parts."""
    found = {p.key: p for p in parameters(compiled("il_nesterov", FINE, options=options, **EXACT))}
    assert found["rule.options.momentum"].configured == configured and found["rule.options.momentum"].used == used
