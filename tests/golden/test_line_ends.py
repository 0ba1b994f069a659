"""Who drives and who senses: drivers and sense nodes at the ends of the right lines in both directions.

FWD drives the bit lines and senses the word lines, TRN the other way round, so that an array whose drivers and sense
nodes differ is two networks. Truth is Kirchhoff's law: closed forms, loops by hand, or every node of the network.
"""

import numpy as np
import pytest
from helpers import machine
from netlists import network

from golden.analog import nodal
from golden.analog.array import AnalogArray
from golden.analog.transfer import Transfer
from golden.analog.wires import Wires, approximate, approximation_error, solve

SIZE = {"tile": "analog", "lanes": 4, "row_tiles": 2, "weight_words": 12, "max_columns": 3}
"""8 word lines, 12 bit lines."""
TALL = {"tile": "analog", "lanes": 4, "row_tiles": 4, "weight_words": 5, "max_columns": 1}
"""20 word lines, 4 bit lines."""
VERBS = ["FWD", "TRN"]
ENDS = [(5000.0, 0.0), (0.0, 5000.0), (700.0, 90.0), (90.0, 700.0)]
"""Ohms of drivers and of sense nodes."""


def dropped(g, volts, verb, word, bit, driver, sense):
    """The currents of the sensed lines when the drops are those of perfect wires' currents: every cell has the drop of
    what its two lines share with all other cells."""
    word_end, bit_end = (sense, driver) if verb == "FWD" else (driver, sense)
    at = volts[None, :] if verb == "FWD" else volts[:, None]
    current, (rows, columns) = g * at, g.shape
    along = np.array([[sum(current[i, k] * (word_end + word * (1 + min(j, k))) for k in range(columns))
                       for j in range(columns)] for i in range(rows)])
    along += [[sum(current[k, j] * (bit_end + bit * (1 + min(i, k))) for k in range(rows))
               for j in range(columns)] for i in range(rows)]
    return (g * (at - along)).sum(axis=1 if verb == "FWD" else 0)


def solvers(g, volts, verb, wires):
    """What every solver says of the currents of the sensed lines."""
    if verb == "TRN":
        return [solve(g, volts, wires), Transfer(g, wires).forward(volts), nodal.currents(g, volts, wires)]
    turned = np.ascontiguousarray(g.T), volts, wires.transposed
    return [solve(*turned), Transfer(g, wires).backward(volts), nodal.currents(*turned)]


def off(found, exact):
    """The largest difference as a share of the largest exact value."""
    return np.abs(found - exact).max() / np.abs(exact).max()


def random_cells(shape, seed=0):
    rng = np.random.default_rng(seed)
    return rng.uniform(0.01, 1, shape) / 1e4, {"FWD": rng.normal(size=shape[1]), "TRN": rng.normal(size=shape[0])}


def macro(wires, model="exact", size=SIZE, seed=0, **more):
    """An array with random weights, and its two conductances (R, N) in siemens."""
    names = ("word_resistance", "bit_resistance", "driver", "sense")
    made = AnalogArray(machine(**size, analog={"wires": {"model": model} | dict(zip(names, wires))} | more))
    shape = made.cells.pair.shape[1:]
    made.load(np.random.default_rng(seed).integers(-2**14, 2**14, shape))
    return made, made.cells.pair * made.cells.unit * 1e-6


def sums(array, verb, x):
    return array.forward(x) if verb == "FWD" else array.transposed(x)


def inputs_of(array, verb, seed=5):
    rows, columns = array.cells.pair.shape[1:]
    return np.random.default_rng(seed).integers(-127, 128, columns if verb == "FWD" else rows)


def slack(x):
    """What rounding of the seen weights to 2^-12 code leaves of a sum."""
    return abs(x).sum() * 2.0**-13 + 1e-6


# ----------------------------------------------------------------------------------------- closed forms

@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("driver, sense", ENDS)
@pytest.mark.parametrize("size", [SIZE, TALL], ids=["wide", "tall"])
def test_equal_cells_have_the_closed_form(verb, driver, sense, size):
    """v = c / g + driver (cells of a driven line) c + sense (cells of a sensed line) c for the current c of every cell.
    Without it the driver could sit at the lines that are sensed: right in one verb, wrong in the other."""
    array = AnalogArray(machine(**size, analog={"wires": {"model": "exact", "driver": driver, "sense": sense}}))
    rows, columns = array.cells.pair.shape[1:]
    array.load(np.full((rows, columns), 4096))
    g = 4096 * array.cells.unit * 1e-6
    on_driven, on_sensed = (rows, columns) if verb == "FWD" else (columns, rows)
    each = 4096 / (1 + driver * on_driven * g + sense * on_sensed * g)
    x = np.full(on_sensed, 100)
    assert np.abs(sums(array, verb, x) - 100 * on_sensed * each).max() <= slack(x)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("driver, sense", ENDS)
@pytest.mark.parametrize("shape", [(1, 1), (1, 2), (2, 1), (1, 7), (7, 1)])
def test_one_line_across_many(verb, driver, sense, shape):
    """The one line's potential u by hand; where it drives, each other line is a cell and a sense node in series, where
    it senses, each other line is a driver and a cell. Without it a single row or column could take the wrong end."""
    g, volts = random_cells(shape, 3)
    volts, one_word = volts[verb], shape[0] == 1
    ohms = 1 / g.ravel()
    one_drives = (verb == "TRN") == one_word if g.size > 1 else True
    branch = ohms + (sense if one_drives else driver)
    end = driver if one_drives else sense
    if one_drives:
        u = volts[0] / (1 + end * (1 / branch).sum())
        expected = u / branch
    else:
        u = end * (volts / branch).sum() / (1 + end * (1 / branch).sum())
        expected = np.array([((volts - u) / branch).sum()])
    for found in solvers(g, volts, verb, Wires(0, 0, driver, sense)):
        assert off(found, expected) < 1e-11


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("shape", [(2, 2), (2, 3), (5, 3), (3, 6)])
def test_loops_by_hand(verb, shape):
    """One loop a cell, from its source through both lines to ground, with any resistance 0. Without it segments of the
    two lines could change places together with their ends."""
    g, volts = random_cells(shape, 4)
    volts = volts[verb]
    for word, bit, driver, sense in ((3, 50, 700, 90), (0, 50, 700, 0), (40, 0, 0, 90), (0, 0, 5000, 0),
                                     (200, 1, 0, 0)):
        word_end, bit_end = (sense, driver) if verb == "FWD" else (driver, sense)
        loops, places = np.diag(1 / g.ravel()), list(np.ndindex(shape))
        for a, (i, j) in enumerate(places):
            for b, (k, n) in enumerate(places):
                loops[a, b] += (i == k) * (word_end + word * (1 + min(j, n)))
                loops[a, b] += (j == n) * (bit_end + bit * (1 + min(i, k)))
        driven = [volts[j if verb == "FWD" else i] for i, j in places]
        expected = np.linalg.solve(loops, driven).reshape(shape).sum(axis=1 if verb == "FWD" else 0)
        for found in solvers(g, volts, verb, Wires(word, bit, driver, sense)):
            assert off(found, expected) < 1e-11


# ------------------------------------------------------------------------------------ all nodes at once

@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("shape", [(6, 6), (4, 13), (13, 4), (1, 9), (9, 1)])
@pytest.mark.parametrize("ohms", [(3, 11, 700, 90), (11, 3, 90, 700), (500, 0.1, 1e-3, 4e4), (0.1, 500, 4e4, 1e-3)],
                         ids=str)
def test_solvers_equal_the_laplacian(verb, shape, ohms):
    """Without it all solvers here could share one wrong picture of a direction."""
    g, volts = random_cells(shape, 5)
    expected = network(g, volts[verb], verb, *ohms)
    for found in solvers(g, volts[verb], verb, Wires(*ohms)):
        assert off(found, expected) < 1e-8


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("size", [SIZE, TALL], ids=["wide", "tall"])
@pytest.mark.parametrize("more", [{}, {"device": {"g_min": 2.0, "coding": "balanced"}},
                                  {"read": {"age": 1e4, "drift": 0.05}}], ids=["plain", "balanced", "drifted"])
@pytest.mark.parametrize("ohms", [(30, 110, 700, 90), (110, 30, 90, 700)], ids=str)
def test_the_macro_is_its_network(verb, size, more, ohms):
    """Both arrays of the pairs, drifted, by each verb. Without it the right solver could be called for the wrong side.
    """
    array, siemens = macro(ohms, "exact", size, **more)
    siemens = siemens * (1e4 / 20.0) ** -0.05 if "read" in more else siemens
    x = inputs_of(array, verb)
    plus, minus = (network(np.maximum(g, 1e-15), x * 1.0, verb, *ohms) for g in siemens)
    grid = x.size * abs(x).max() / 2**12 if "read" in more else 0  # drifted conductances are rounded, too
    assert np.abs(sums(array, verb, x) - (plus - minus) / (array.cells.unit * 1e-6)).max() <= slack(x) + grid


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("size", [SIZE, TALL], ids=["wide", "tall"])
@pytest.mark.parametrize("ohms", [(3, 11, 70, 9), (11, 3, 9, 70), (0, 0, 50, 0), (0, 0, 0, 50)], ids=str)
def test_the_macro_to_first_order(verb, size, ohms):
    """Without it the faster model of the wires could keep its drivers at one side."""
    array, siemens = macro(ohms, "approximate", size)
    x = inputs_of(array, verb)
    plus, minus = (dropped(g, x * 1.0, verb, *ohms) for g in siemens)
    assert np.abs(sums(array, verb, x) - (plus - minus) / (array.cells.unit * 1e-6)).max() <= slack(x)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("ohms", [(3, 11, 70, 9), (11, 3, 9, 70), (0, 0, 70, 0), (0, 0, 0, 70)], ids=str)
def test_the_first_order_is_wrong_by_the_second(verb, ohms):
    """A quarter of the resistance, a sixteenth of the error. Without it a direction could have the wrong slope, whose
    error falls with the resistance only."""
    g, volts = random_cells((9, 14), 6)
    errors = []
    for share in (1e-3, 2.5e-4):
        wires = Wires(*(share * r for r in ohms))
        turned = (g, wires) if verb == "TRN" else (np.ascontiguousarray(g.T), wires.transposed)
        exact = solvers(g, volts[verb], verb, wires)[2]
        found = approximate(turned[0], volts[verb], turned[1])
        errors.append(off(found, exact))
        assert approximation_error(turned[0], volts[verb], turned[1]) == pytest.approx(errors[-1], rel=1e-3)
    assert errors[0] / errors[1] == pytest.approx(16, rel=0.02)


# ------------------------------------------------------------------------------------------ reciprocity

@pytest.mark.parametrize("model", ["exact", "approximate"])
def test_feedback_is_the_transpose_where_both_ends_are_equal(model):
    """And only there. Without it learning could be said to see symmetric weights where it does not, or the reverse."""
    def matrices(driver, sense):
        array, _ = macro((3, 11, driver, sense), model)
        return array.forward(np.eye(12, dtype=np.int64)), array.transposed(np.eye(8, dtype=np.int64))

    forward, back = matrices(60, 60)
    assert np.array_equal(forward, back.T)
    for ends in ((60, 61), (0, 60), (60, 0)):
        forward, back = matrices(*ends)
        exchanged_forward, exchanged_back = matrices(*ends[::-1])
        assert np.abs(forward - back.T).max() > 0.1
        # the same resistors with source and ground exchanged
        assert np.abs(forward - exchanged_back.T).max() <= 2 * 2.0**-13 + 1e-9
        assert np.abs(back - exchanged_forward.T).max() <= 2 * 2.0**-13 + 1e-9


@pytest.mark.parametrize("ends", ENDS)
def test_one_network_is_reciprocal_whatever_its_ends(ends):
    """Without it the elimination, which walks the longer side, would be right for one shape only."""
    for shape in ((5, 9), (9, 5)):
        g, wires = random_cells(shape, 7)[0], Wires(3, 11, *ends)
        turned = Transfer(g.T, wires.reciprocal).matrix
        assert off(turned.T, Transfer(g, wires).matrix) < 1e-12
        transfer = Transfer(g, wires)
        assert off(transfer.back.T, transfer.matrix) > 1e-3
        assert off(Transfer(g.T, wires.transposed).back.T, Transfer(g.T, wires.transposed).matrix) > 1e-3


def test_equal_ends_take_one_elimination(monkeypatch):
    """Without it every read after an update could be solved twice for one matrix."""
    import golden.analog.elimination as elimination

    calls, matrix = [], elimination.matrix
    monkeypatch.setattr(elimination, "matrix", lambda *a: calls.append(0) or matrix(*a))
    for ends, both in (((50, 50), 2), ((50, 10), 4)):  # G+ and G-
        array, _ = macro((3, 11, *ends))
        calls.clear()
        for _ in range(2):
            for verb in VERBS:
                sums(array, verb, inputs_of(array, verb))
        assert len(calls) == both
    array, _ = macro((3, 11, 50, 10))
    calls.clear()
    array.forward(inputs_of(array, "FWD"))
    assert len(calls) == 2, "a direction that nobody reads is not solved"


# ------------------------------------------------------------------------------------- what was kept

@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("change", ["write", "step", "pulses"])
def test_both_directions_forget_together(verb, change):
    """Without it one direction could go on reading conductances of before an update."""
    ohms = (30, 110, 700, 90)
    array, _ = macro(ohms)
    for v in VERBS:
        sums(array, v, inputs_of(array, v))
    if change == "write":
        array.write(np.array([0, 7]), np.array([0, 11]), np.array([15000, -15000]))
    elif change == "step":
        array.step(np.arange(1, 9) * 500, np.arange(1, 13) * 10, np.full(12, 3), np.ones(12, np.int64))
    else:
        array.pulses(*(np.full(n, 0xFF, np.uint32) if k % 4 in (0, 2) and k < 4 else np.zeros(n, np.uint32)
                       for k, n in enumerate((8, 8, 12, 12, 8, 8, 12, 12))))
    x = inputs_of(array, verb)
    plus, minus = (network(np.maximum(g, 1e-15), x * 1.0, verb, *ohms)
                   for g in array.cells.pair * array.cells.unit * 1e-6)
    assert np.abs(sums(array, verb, x) - (plus - minus) / (array.cells.unit * 1e-6)).max() <= slack(x)


def test_a_matrix_is_of_the_conductances_at_the_time():
    """Without it the second matrix, solved later, could be of cells that were changed meanwhile."""
    g, volts = random_cells((4, 6), 8)
    transfer, before = Transfer(g, Wires(3, 11, 700, 90)), g.copy()
    g *= 2
    assert off(transfer.backward(volts["FWD"]), network(before, volts["FWD"], "FWD", 3, 11, 700, 90)) < 1e-9
