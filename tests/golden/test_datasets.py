"""The data sets: codes, splits and the checks on a user's own samples."""

import tomllib

import numpy as np
import pytest
from sklearn.datasets import load_digits

from golden import reference as ref
from golden.learning.datasets import epoch_order, from_arrays, load
from golden.learning.sample_checks import check_samples
from hebbar.compiler.config import DataConfig, RuleConfig, load as load_config, parse
from hebbar.compiler.network import layered
from hebbar.contract.errors import BadInput

NETWORK = layered([64, 64, 10], "leaky", [2, 4], [0.5, 0.5])


def pixels():
    return load_digits(return_X_y=True)


def rows(codes):
    """Samples as a sorted list, to compare sets that hold doubles."""
    return sorted(map(tuple, codes.tolist()))


def test_codes_are_eight_times_the_pixel_and_clip_at_127():
    """Pixel 16 is 1.0, which Q0.7 lacks: wrapping to -128 turns the brightest pixels dark."""
    data, (raw, labels) = load(DataConfig(split="last360")), pixels()
    codes = np.vstack([data.train.codes, data.test.codes])
    assert (codes == np.minimum(8 * raw, 127)).all() and codes.max() == 127 and codes.min() == 0
    assert (np.hstack([data.train.labels, data.test.labels]) == labels).all()
    np.testing.assert_array_equal(data.test.inputs_float, data.test.codes / 128)


@pytest.mark.parametrize("frac, bits", [(7, 8), (4, 8), (3, 8), (0, 8), (5, 6)])
def test_pooled_codes_are_rounded_half_up_means(frac, bits):
    """Transposed pooling, or rounding half to even, gives an image that still looks like a digit."""
    data, (raw, _) = load(DataConfig(split="last360", pool=2), frac, bits), pixels()
    codes = np.vstack([data.train.codes, data.test.codes])
    top = 2 ** (bits - 1) - 1
    for sample in range(0, 1797, 37):
        image = raw[sample].reshape(8, 8)
        for row in range(4):
            for column in range(4):
                mean = image[2 * row:2 * row + 2, 2 * column:2 * column + 2].mean()
                assert codes[sample, 4 * row + column] == min(np.floor(mean / 16 * 2**frac + 0.5), top)
    assert codes.shape == (1797, 16)


@pytest.mark.parametrize("split", ["stratified", "last360"])
def test_splits_hold_every_sample_once(split):
    """A sample in both parts makes the test accuracy too good and nothing else looks wrong."""
    data, whole = load(DataConfig(split=split)), load(DataConfig(split="last360"))
    assert (len(data.train), len(data.test)) == (1437, 360)
    every = np.vstack([whole.train.codes, whole.test.codes])
    assert rows(np.vstack([data.train.codes, data.test.codes])) == rows(every)
    part = data.validation(0.2)
    assert len(part.test) == 287 and rows(np.vstack([part.train.codes, part.test.codes])) == rows(data.train.codes)


def test_the_stratified_split_keeps_class_shares_and_its_seed():
    """Unequal classes, or a split that changes from run to run, move accuracies by a point."""
    share = np.bincount(pixels()[1]) / 1797
    data = load(DataConfig(seed=3))
    for samples in (data.test, data.train, data.validation(0.25).test):
        assert abs(np.bincount(samples.labels) - share * len(samples)).max() <= 1
    assert (data.test.codes == load(DataConfig(seed=3)).test.codes).all()
    assert (data.test.labels != load(DataConfig(seed=4)).test.labels).any()


def test_validation_of_last360_takes_the_last_training_samples():
    """Neighbouring samples share a writer; a shuffled validation part would flatter the choice."""
    data = load(DataConfig(split="last360"))
    assert (data.validation(0.1).test.codes == data.train.codes[-144:]).all()
    with pytest.raises(BadInput, match=r"fraction is 1.0; it must leave"):
        data.validation(1.0)


def test_targets_are_one_hot():
    """A target row with two ones trains, and only the accuracy suffers."""
    train = load(DataConfig()).train
    assert (train.targets.argmax(axis=1) == train.labels).all() and (train.targets.sum(axis=1) == 1).all()
    assert set(np.unique(train.targets)) == {0, 1} and train.targets.shape == (1437, 10)


def test_samples_are_read_only_and_can_be_taken():
    """One experiment that scaled its inputs in place would change the next one's data."""
    train = load(DataConfig()).train
    with pytest.raises(ValueError, match="read-only"):
        train.codes[0, 0] = 1
    two = train.take([5, 3])
    assert (two.codes == train.codes[[5, 3]]).all() and (two.labels == train.labels[[5, 3]]).all() and len(two) == 2


def test_epoch_orders_are_permutations_that_can_be_repeated():
    """An order that repeats samples, or is the same in every epoch, is a silent change of the rule."""
    orders = [epoch_order(200, 1, e) for e in range(3)]
    assert all(sorted(o) == list(range(200)) for o in orders)
    assert (orders[2] == epoch_order(200, 1, 2)).all()
    assert all((orders[0] != other).any() for other in (orders[1], orders[2], epoch_order(200, 2, 0)))
    assert (orders[1] != epoch_order(200, 2, 0)).any()  # a seed is no shift of another seed's epochs


@pytest.mark.parametrize("name", ["il", "zil", "ipc"])
def test_three_epochs_of_digits_are_learnt(name):
    """All parts together: codes, targets, order and rule. Chance is 0.1; a swapped label map stays there."""
    data, rule = load(DataConfig()), RuleConfig(name=name, steps=4)
    weights = ref.initial_weights(NETWORK, 1)
    for epoch in range(3):
        order = epoch_order(len(data.train), 1, epoch)
        weights = ref.train_epoch(NETWORK, weights, data.train.inputs_float, data.train.targets, rule, order, 1, 0.25)
    outputs = ref.predict(NETWORK, weights, data.test.inputs_float, rule)
    assert ref.accuracy(outputs, data.test.labels) > 0.85


ONES = np.ones((3, 64))


def one(row, column, value):
    out = ONES.copy()
    out[row, column] = value
    return out


@pytest.mark.parametrize("inputs, labels, words", [
    (ONES[:, :63], [0, 1, 2], r"shape \(3, 63\).* 64 columns"),
    (ONES[0], [0], r"shape \(64,\)"),
    (one(2, 5, np.nan), [0, 1, 2], "sample 2, input 5 is nan"),
    (one(1, 0, -np.inf), [0, 1, 2], "sample 1, input 0 is -inf"),
    (one(1, 7, 0.5), [0, 1, 2], "sample 1, input 7 is 0.5, which is not whole"),
    (one(0, 63, 128), [0, 1, 2], r"is 128, which is outside -128\.\.127; scale"),
    (one(0, 63, -129), [0, 1, 2], "is -129"),
    (ONES, [0, 1], r"labels has shape \(2,\) for 3 samples"),
    (ONES, [0, 10, 11], r"labels: sample 1 is 10, which is no class; give whole numbers 0\.\.9"),
    (ONES, [0, 1, -1], "sample 2 is -1"),
    (ONES, [0, 1, np.nan], "sample 2 is nan"),
    (ONES, [0, 1.5, 1], "sample 1 is 1.5"),
    ([[1, 2], [3]], [0, 1], "no array of numbers"),
    ([["a"] * 64], [0], "no array of numbers"),
])
def test_wrong_samples_are_named(inputs, labels, words):
    """A code out of range wraps in hardware; a label of 10 indexes past the targets."""
    with pytest.raises(BadInput, match=words):
        check_samples(inputs, labels, NETWORK)


def test_right_samples_pass_the_check():
    """A checker that refuses the limits themselves would refuse real data."""
    for value in (-128, 127):
        check_samples(one(0, 0, value), [0, 9, 5], NETWORK)
    check_samples(load(DataConfig()).train.codes, None, NETWORK)
    check_samples(one(0, 0, 300), [0, 1, 2], NETWORK, -512, 511)


def test_an_input_format_that_cannot_reach_one_is_refused():
    """With 9 fraction bits in 8 all bright pixels would clip to 0.25."""
    with pytest.raises(BadInput, match=r"network.input_frac is 9 with activities of 8 bits"):
        load(DataConfig(), activity_frac=9)


CONFIG = """
name = "mine"
[network]
layers = [4, 3, 2]
[rule]
alpha_shifts = [2, 3]
init_scales = [0.5, 0.5]
[machine]
lanes = 4
weight_words = 32
[data]
name = "npz"
path = "samples.npz"
"""


def test_a_path_is_found_from_the_file_that_names_it(tmp_path, monkeypatch):
    """Without it a configuration would find its samples, or others of the same name, only from the right folder."""
    (tmp_path / "far" / "here").mkdir(parents=True)
    (tmp_path / "far" / "mine.toml").write_text(CONFIG)
    rng, labels = np.random.default_rng(0), np.arange(20) % 2
    for place, count in (("far", 20), ("far/here", 10)):
        np.savez(tmp_path / place / "samples.npz", inputs=rng.random((count, 4)), labels=labels[:count])
    monkeypatch.chdir(tmp_path / "far" / "here")
    assert len(load(load_config("../mine.toml").data, classes=2).train) == 16
    table = tomllib.loads(CONFIG)
    assert len(load(parse(table, "mine").data, classes=2).train) == 8, "a dictionary has no folder: the current one"
    changed = load_config("../mine.toml").replace(data={"path": "samples.npz"})
    assert len(load(changed.data, classes=2).train) == 8, "what is said here is found from here"
    assert load_config("../mine.toml").replace(training={"epochs": 1}).data == load_config("../mine.toml").data


@pytest.mark.parametrize("data, words", [
    ({"path": "x.npz"}, "data.name 'digits' reads no file; set data.name to 'npz', 'csv', 'images' or 'idx'"),
    ({"name": "idx"}, "data.path is empty; give the folder"), ({"name": "npz"}, "data.path is empty; give the file")])
def test_keys_that_the_data_do_not_use_are_refused(data, words):
    """Without it --data of a configuration that reads none would be left out in silence."""
    with pytest.raises(BadInput, match=words):
        load_config("digits").replace(data=data)


LABELS = np.arange(10) % 2


@pytest.mark.parametrize("inputs, labels, words", [
    (np.ma.masked_array(np.zeros((10, 4)), np.eye(10, 4, dtype=bool)), LABELS,
     "inputs is a masked array, whose mask would be lost"),
    ([np.ma.masked_array(np.zeros(4), np.ones(4, bool))] * 10, LABELS, "inputs is a masked array"),
    (np.zeros((10, 4)), np.ma.masked_array(LABELS, LABELS > 0), "labels is a masked array"),
    (np.zeros((10, 4), complex), LABELS, "inputs is no array of numbers: it holds complex numbers"),
    (np.zeros((10, 4)).astype(str), LABELS, "it holds text"), (np.zeros((10, 4)), LABELS.astype(str), "it holds text"),
    (np.zeros((10, 4), object), LABELS, "it holds objects"), (np.zeros((10, 4)), [None] * 10, "it holds objects"),
    (np.zeros((10, 4), "M8[s]"), LABELS, "it holds dates"), ({"a": 1}, LABELS, "it holds objects"),
    (np.zeros((10, 4), [("a", "f8")]), LABELS, "it holds records"), (None, LABELS, "it holds objects"),
    ([[1, 2], [3]] * 5, LABELS, "rows of equal length"), (b"12345", LABELS, "it holds bytes"),
    (np.broadcast_to(0.5, (10**9, 4)), LABELS, "has 4,000,000,000 numbers"),
    (np.full((10, 4), np.longdouble("1e400")), LABELS, "is not a number"), (np.zeros((10, 4)), LABELS + 1,
                                                                            "They go from 1: subtract 1"),
    (np.zeros((10, 4)), LABELS * 2**62, "is no class"), (np.zeros((0, 4)), [], "two samples or more"),
    ([[2**70] * 4] * 10, LABELS, "it holds objects")])
def test_what_is_no_array_of_real_numbers_is_refused(inputs, labels, words):
    """Without it a mask or an imaginary part would be dropped, or text read as numbers, in silence."""
    with pytest.raises(BadInput) as caught:
        from_arrays(inputs, labels, DataConfig(), classes=2)
    assert words in str(caught.value) and str(caught.value).endswith("."), caught.value


@pytest.mark.parametrize("change", [
    np.asfortranarray, lambda a: a[::-1][::-1], lambda a: a.astype(">f8"), lambda a: a.astype(np.float16),
    np.ndarray.tolist, lambda a: np.repeat(a, 2, axis=1)[:, ::2], lambda a: a.astype(np.longdouble), memoryview, tuple])
def test_any_way_to_hold_numbers_reads_the_same(change):
    """Without it the order of memory or of bytes, or the kind of container, could change the samples."""
    given = np.random.default_rng(0).integers(-128, 128, (10, 4)) / 128
    given.setflags(write=False)
    data = from_arrays(change(given), LABELS, DataConfig(split="last360"))
    assert np.array_equal(np.vstack([data.train.codes, data.test.codes]), given * 128)
