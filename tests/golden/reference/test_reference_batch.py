"""Batches on a plan against the plain rules, and the kernels of single precision against their formulas.

Every float figure that is reported is trained this way; a plan that forgets an edge, or a kernel with another
function, would still learn something.
"""

import numpy as np
import pytest
from test_reference_behaviour import recurrent, small
from test_reference_elements import network, random_weights, samples

from golden import reference as ref
from golden.reference.batch import SLOPES
from golden.reference.kernels import KINDS, PART, add, compare, move, relax
from golden.reference.plan import Plan, plannable
from hebbar.compiler.network import Edge, Network, Population, Role
from hebbar.compiler.rule_config import RuleConfig
from hebbar.contract.activations import ACTIVATIONS
from hebbar.contract.errors import BadInput

CASES = [(cycle, rule) for cycle in (True, False) for rule in ("il", "ipc", "zil") if not (cycle and rule == "zil")]


def layered_with_all(cycle):
    """Masks, signs, identities, precisions, a categorical target, a bias; paths of one length without the cycle."""
    if cycle:
        return network(True)
    pops = (Population("in", 4, role=Role.INPUT), Population("u", 6, "tanh", precision=-2),
            Population("v", 5, "sigmoid", precision=1), Population("w", 5, "leaky"),
            Population("out", 3, role=Role.TARGET), Population("one", 1, role=Role.CONSTANT))
    return Network(pops, (
        Edge("in", "u", 1, 1.0), Edge("u", "v", 2, 1.0, mask=("10", "01", "11")), Edge("v", "w", 3, 1.0, positive=True),
        Edge("v", "w", identity=True, plastic=False), Edge("w", "out", 0, 1.0), Edge("one", "v", 2, 0.0)))


def by_rule(net, weights, x, y, rule, order, batch, rate):
    for first in range(0, len(order), batch):
        rows = order[first:first + batch]
        weights = ref.update(net, weights, {"in": x[rows], "out": y[rows]}, rule, rate).weights
    return weights


@pytest.mark.parametrize("batch", [1, 4, 7])
@pytest.mark.parametrize("cycle, name", CASES)
def test_a_plan_is_the_rule_batch_by_batch(cycle, name, batch):
    """The last batch of an epoch is smaller; samples come twice and out of order."""
    net, (x, y) = layered_with_all(cycle), samples(9)
    weights, rule = random_weights(net), RuleConfig(name=name, steps=5, gamma=0.1)
    assert plannable(net, rule, batch)
    order = [3, 0, 8, 3, 4, 1, 7, 2, 6, 5]
    expected = by_rule(net, weights, x, y, rule, order, batch, 0.05)
    found = ref.train_epoch(net, weights, x, y, rule, order, batch, 0.05)
    assert found.keys() == expected.keys()
    for key in expected:
        np.testing.assert_allclose(found[key], expected[key], rtol=1e-12, atol=1e-13, err_msg=str(key))
    assert np.abs(found["u", "v"] - weights["u", "v"]).max() > 1e-4


@pytest.mark.parametrize("tolerance", [0.5, 1e9])
def test_one_sample_at_a_time_stops_where_the_rule_does(tolerance):
    net, (x, y) = layered_with_all(True), samples(6)
    weights, rule = random_weights(net), RuleConfig(name="il", steps=9, gamma=0.1, tolerance=tolerance)
    assert plannable(net, rule, 1) and not plannable(net, rule, 2)
    expected = by_rule(net, weights, x, y, rule, list(range(6)), 1, 0.25)
    found = ref.train_epoch(net, weights, x, y, rule, range(6), 1, 0.25)
    full = ref.train_epoch(net, weights, x, y, RuleConfig(name="il", steps=9, gamma=0.1), range(6), 1, 0.25)
    for key in expected:
        np.testing.assert_allclose(found[key], expected[key], rtol=1e-12, atol=1e-13)
    assert np.abs(found["u", "v"] - full["u", "v"]).max() > 1e-6


@pytest.mark.parametrize("activation", [*KINDS, "spike"])
@pytest.mark.parametrize("name", ["il", "ipc", "zil"])
def test_single_precision_follows_double(activation, name):
    """Three batches, so that an error of a kernel in states, errors or weights has grown to be seen."""
    net, rng = small(activation, bias=True), np.random.default_rng(0)
    x, y = rng.normal(size=(24, 4)), rng.normal(size=(24, 3))
    weights, rule = ref.initial_weights(net, 1), RuleConfig(name=name, steps=5, gamma=0.2)
    double, single = (ref.train_epoch(net, weights, x, y, rule, range(24), 8, 0.1, dtype)
                      for dtype in (np.float64, np.float32))
    for key in double:
        np.testing.assert_allclose(single[key], double[key], rtol=2e-4, atol=2e-5, err_msg=str(key))
        assert single[key].dtype == np.float64 and (single[key] == single[key].astype(np.float32)).all()
    assert any((single[key] != double[key]).any() for key in double)


def test_single_precision_on_a_graph_with_everything():
    net, (x, y) = layered_with_all(True), samples(12)
    weights, rule = random_weights(net), RuleConfig(name="il", steps=5, gamma=0.1)
    double, single = (ref.train_epoch(net, weights, x, y, rule, range(12), 5, 0.1, dtype)
                      for dtype in (np.float64, np.float32))
    for key in double:
        np.testing.assert_allclose(single[key], double[key], rtol=2e-4, atol=2e-5, err_msg=str(key))


@pytest.mark.parametrize("name, kind", KINDS.items())
def test_a_kernel_steps_as_declared(name, kind):
    """Kinks take the slope to the right; the ends of tanh and the numbers around zero are in the grid."""
    f, slope = ACTIVATIONS[name].f, ACTIVATIONS[name].derivative
    x = np.concatenate([np.linspace(-9, 9, 1801), [-1.0, 0.0, 1.0, 1e-6, -1e-6, 60.0, -60.0]])
    rng = np.random.default_rng(kind)
    back, error = rng.normal(size=(2, x.size))
    moved = x + 0.125 * (np.array([slope(v) for v in x]) * back - error)
    arrays = [v.astype(np.float32) for v in (x, np.array([f(v) for v in x]), error, back)]
    move(kind, *arrays, np.float32(0.125))
    np.testing.assert_allclose(arrays[0], moved, rtol=3e-7, atol=1e-6)
    np.testing.assert_allclose(arrays[1], [f(v) for v in arrays[0].astype(float)], rtol=0,
                               atol=3e-7 * max(1, abs(arrays[1]).max()))
    compare(arrays[0], arrays[2], arrays[3], np.float32(4))
    assert (arrays[3] == 4 * (arrays[0] - arrays[2])).all()


@pytest.mark.parametrize("name", SLOPES)
def test_a_slope_that_is_cheap_is_the_declared_one(name):
    """At a kink, which no random state meets, it is the one to the right."""
    declared = ACTIVATIONS[name]
    x = np.concatenate([np.linspace(-9, 9, 1801), [-1.0, 0.0, 1.0, 1e-6, -1e-6]])
    a = np.array([declared.f(v) for v in x])
    np.testing.assert_allclose(SLOPES[name](x, a), [declared.derivative(v) for v in x], rtol=1e-7, atol=1e-15)


@pytest.mark.parametrize("count", [5, PART, 2 * PART + 3])
@pytest.mark.parametrize("kind", KINDS.values())
def test_moving_and_comparing_at_once_is_the_one_after_the_other(kind, count):
    """Bit for bit, whatever is left over of the parts that the arrays are taken in."""
    x, a, error, back, mu = np.random.default_rng(kind).normal(size=(5, count)).astype(np.float32)
    at_once, after = ([v.copy() for v in (x, a, error)] for _ in range(2))
    relax(kind, *at_once, back, mu, 0.25, 2.0)
    move(kind, *after, back, 0.25)
    compare(after[0], mu, after[2], 2.0)
    for found, expected in zip(at_once, after, strict=True):
        assert found.tobytes() == expected.tobytes()


def test_a_change_is_added_in_proportion():
    """Whole numbers and halves, which single precision holds."""
    total, change = np.random.default_rng(0).integers(-9, 9, (2, 37)).astype(np.float32)
    expected, before = total + 0.5 * change, change.copy()
    add(total, change, 0.5)
    assert (total == expected).all() and (change == before).all()


def test_progress_counts_samples():
    net, (x, y), seen = small(), (np.ones((5, 4)), np.ones((5, 3))), []
    for rule in (RuleConfig(name="il", steps=2, gamma=0.1), RuleConfig(name="backprop")):
        ref.train_epoch(net, ref.initial_weights(net, 1), x, y, rule, [4, 0, 2, 1, 3], 2, 0.1, progress=seen.append)
    assert seen == [2, 4, 5] * 2


def test_what_a_plan_cannot_do_is_refused():
    net, (x, y), il = recurrent(), (np.ones((4, 4)), np.ones((4, 3))), RuleConfig(name="il", steps=40, gamma=1.0)
    weights = ref.initial_weights(net, 1)
    with pytest.raises(BadInput, match="dtype is int64; give float64 or float32"):
        ref.train_epoch(net, weights, x, y, il, range(4), dtype=np.int64)
    with pytest.raises(BadInput, match="float32, which 'backprop' does not have on this network; use float64"):
        ref.train_epoch(small(), ref.initial_weights(small(), 1), x, y, RuleConfig(name="backprop"), range(4),
                        dtype=np.float32)
    for dtype in (np.float64, np.float32):
        with pytest.raises(BadInput, match="holds a value that is not finite"):
            ref.train_epoch(net, {k: 50 * w for k, w in weights.items()}, 1e3 * x, y, il, [0] * 40, 4, 1.0, dtype)
    with pytest.raises(BadInput, match="is missing"):
        Plan(net, {}, ("in", "out"))


@pytest.mark.parametrize("rule", ["il", "backprop"])
@pytest.mark.parametrize("wrong", [-1, 4])
def test_a_number_that_is_no_sample_is_refused(rule, wrong):
    """Batches are gathered without looking, where another sample or the memory behind it would be learnt."""
    net = small()
    with pytest.raises(BadInput, match=rf"order\[2\] is {wrong}; give numbers of samples, 0 to 3"):
        ref.train_epoch(net, ref.initial_weights(net, 1), np.ones((4, 4)), np.ones((4, 3)),
                        RuleConfig(name=rule, steps=2, gamma=0.1), [0, 1, wrong, 2])


def test_what_single_precision_does_not_hold_is_refused():
    net, x = small(), np.ones((4, 4))
    x[2, 1] = 1e39
    with pytest.raises(BadInput, match="sample 2, neuron 1 is inf"):
        ref.train_epoch(net, ref.initial_weights(net, 1), x, np.ones((4, 3)),
                        RuleConfig(name="il", steps=2, gamma=0.1), range(4), dtype=np.float32)
