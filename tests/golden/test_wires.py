"""IR drop: the fast solvers against sparse LU, closed forms and reciprocity."""

import numpy as np
import pytest

from golden.analog import elimination, nodal, wires as model
from golden.analog.transfer import Transfer
from golden.analog.wires import Wires, approximate, approximation_error, ideal, solve
from hebbar.contract.errors import BadInput

SHAPES = [(1, 1), (1, 9), (9, 1), (2, 3), (8, 8), (17, 40), (40, 17), (128, 33), (33, 128), (128, 128)]
WIRES = [
    Wires(), Wires(1, 1), Wires(1, 1, 50, 20), Wires(1e-6, 1e-6), Wires(1e-3, 1e-3), Wires(100, 100), Wires(1e4, 1e4),
    Wires(1e6, 1e6), Wires(1e6, 1e-3), Wires(1e-3, 1e6), Wires(1e-3, 1e3, 1e6), Wires(1e3, 1e-3, 0, 1e6),
    Wires(2, 0), Wires(0, 2), Wires(0, 0, 100), Wires(0, 0, 0, 100), Wires(0, 3, 10), Wires(3, 0, 0, 10)]


def array(shape, seed=0, stuck=True):
    """Random cells of 10 kOhm to 1 MOhm, some that do not conduct and some of 1 Ohm, and voltages of both signs."""
    rng = np.random.default_rng(seed)
    g = rng.uniform(0.01, 1, shape) / 1e4
    if stuck:
        g[rng.random(shape) < 0.05] = 0
        g[rng.random(shape) < 0.01] = 1
    return g, rng.normal(size=shape[0])


def error(found, exact):
    """The largest difference as a share of the largest exact value."""
    return np.abs(found - exact).max() / np.abs(exact).max()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("w", WIRES, ids=str)
def test_one_vector_and_the_matrix_equal_sparse_lu(shape, w):
    """Without it a wire model could be fast and wrong at the sizes and resistances nobody looked at."""
    g, v = array(shape)
    exact = nodal.currents(g, v, w)
    assert error(solve(g, v, w), exact) < 1e-9
    assert error(Transfer(g, w).forward(v), exact) < 1e-9


@pytest.mark.parametrize("shape", [(30, 41), (41, 30), (64, 64)])
@pytest.mark.parametrize("w", [w for w in WIRES if w != Wires()], ids=str)
def test_the_same_resistors_from_the_other_side_are_the_transpose(shape, w):
    """Without it feedback through the same wires could differ from what was predicted through them.

    The two sides are different networks to the solver: bit lines driven, word lines sensed, one vector each. Drivers
    and sense nodes change places, so that the read the other way is the transpose only where they are equal.
    """
    g, _ = array(shape)
    forward, some = elimination.currents(g, np.eye(shape[0]), w), slice(None, None, 5)
    found = np.array([solve(g.T, unit, w.reciprocal) for unit in np.eye(shape[1])[some]])
    assert np.abs(found - forward[some]).max() < 1e-9 * forward.max()
    backward = elimination.currents(np.ascontiguousarray(g.T), np.eye(shape[1]), w.transposed).T
    assert (error(backward, forward) < 1e-9) == (w.driver_resistance == w.sense_resistance)
    assert error(Transfer(g, w).backward(np.eye(shape[1])), backward) < 1e-9


def test_a_single_cell_is_a_series_of_resistors():
    """Without it an end resistance or a segment could be counted twice, in the oracle too."""
    for w in (Wires(3, 5, 7, 11), Wires(0, 5, 0, 11), Wires(1e6, 1e6, 1e6, 1e6), Wires()):
        total = 1e4 + w.word_resistance + w.bit_resistance + w.driver_resistance + w.sense_resistance
        for found in (solve([[1e-4]], [2], w), Transfer([[1e-4]], w).forward([2.0]), nodal.currents([[1e-4]], [2], w)):
            assert found == pytest.approx([2 / total], rel=1e-12)


@pytest.mark.parametrize("r", [1e-3, 1.0, 1e3, 1e6])
def test_one_word_line_is_a_ladder(r):
    """Without it solver and oracle could share a wrong picture of a line: here it is folded up by hand.

    From the far end, the resistance seen is a cell in parallel with a segment in series with all beyond.
    """
    rng = np.random.default_rng(2)
    cells = 1 / rng.uniform(1e-6, 1e-4, 12) + (r + 4)  # each with its bit line's segment and sense resistor
    seen = [cells[-1]]
    for cell in cells[-2::-1]:
        seen.insert(0, 1 / (1 / cell + 1 / (r + seen[0])))
    volts, expected = 0.7, []
    for i, cell in enumerate(cells):
        volts *= seen[i] / (seen[i] + r + (9 if i == 0 else 0))
        expected.append(volts / cell)
    g, w = 1 / (cells[None] - r - 4), Wires(r, r, 9, 4)
    for found in (solve(g, [0.7], w), Transfer(g, w).forward([0.7]), nodal.currents(g, [0.7], w)):
        assert error(found, np.array(expected)) < 1e-11
    sensed = Wires(r, r, 4, 9)  # the same ladder as a bit line, read through by reciprocity
    assert error(np.array([solve(g.T, unit, sensed)[0] for unit in np.eye(12)]), np.array(expected) / 0.7) < 1e-11


def test_two_by_two_by_kirchhoff():
    """Without it the coupling of lines would only be held against programs that number nodes alike."""
    g, (r, s, d, e), v = np.array([[1.0, 2.0], [3.0, 4.0]]), (0.1, 0.2, 0.3, 0.4), np.array([5.0, -6.0])
    # unknown: the currents of the four cells; one loop each, from its driver through the cell to ground
    loops = np.zeros((4, 4))
    for i in range(2):
        for j in range(2):
            loops[2 * i + j, 2 * i + j] += 1 / g[i, j]
            for k in range(2):
                loops[2 * i + j, 2 * i + k] += d + r * (1 + min(j, k))
                loops[2 * i + j, 2 * k + j] += e + s * (1 + min(i, k))
    expected = np.linalg.solve(loops, np.repeat(v, 2)).reshape(2, 2).sum(axis=0)
    w = Wires(r, s, d, e)
    for found in (solve(g, v, w), Transfer(g, w).forward(v), nodal.currents(g, v, w)):
        assert error(found, expected) < 1e-12


@pytest.mark.parametrize("w", WIRES, ids=str)
def test_cells_that_do_not_conduct_carry_nothing(w):
    """Without it a dead array, line or input would divide by zero."""
    assert not solve(np.zeros((5, 6)), np.ones(5), w).any()
    assert not Transfer(np.zeros((5, 6)), w).matrix.any()
    assert not nodal.currents(np.zeros((5, 6)), np.ones(5), w).any()
    g, v = array((20, 20), stuck=False)
    assert not solve(g, np.zeros(20), w).any()
    g[3], g[:, 4] = 0, 0
    rest = np.delete(np.arange(20), 4)
    assert solve(g, v, w)[4] == 0
    assert error(solve(g, v, w)[rest], nodal.currents(g, v, w)[rest]) < 1e-9


def test_perfect_wires_change_nothing():
    """Without it switching IR drop off would still leave a trace of it."""
    g, v = array((30, 20))
    assert np.allclose(solve(g, v, Wires()), v @ g, rtol=1e-14)
    assert np.allclose(Transfer(g, Wires()).matrix, g.T, rtol=1e-14)
    assert np.allclose(approximate(g, v, Wires()), v @ g, rtol=1e-14)
    assert np.array_equal(ideal(g, v), v @ g)


def test_a_vector_of_common_wires_takes_no_elimination(monkeypatch):
    """Without it the quick path could give up and nobody would notice but by the clock."""
    g, v = array((128, 128), stuck=False)
    expected = solve(g, v, Wires(1, 1))
    monkeypatch.setattr(elimination, "currents", None)
    assert np.array_equal(solve(g, v, Wires(1, 1)), expected)


def test_missing_currents_bound_the_error(monkeypatch):
    """Without it the tolerance would be a hope: at any tolerance the sum of all errors stays below what it names."""
    for w in (Wires(1, 1), Wires(50, 20, 10), Wires(300, 300)):
        g, v = array((64, 50), stuck=False)
        exact = nodal.currents(g, v, w)
        for tolerance in (1e-1, 1e-3, 1e-5):
            monkeypatch.setattr(model, "TOLERANCE", tolerance)
            found = solve(g, v, w)
            assert np.abs(found - exact).sum() <= tolerance * np.abs(found).max()


def test_the_approximation_is_of_first_order():
    """Without it the cheap model could have the wrong slope; its error then falls with r, not with its square."""
    assert approximate([[0.01]], [3.0], Wires(1, 2, 3, 4)) == pytest.approx([0.03 * (1 - 0.01 * 10)])
    g, v = array((24, 31), stuck=False)
    i, w = v[:, None] * g, Wires(3, 5, 7, 11)  # one step of the fixed point: what perfect wires carry, dropped
    word = [[sum(i[k, n] * (7 + 3 * (1 + min(n, m))) for n in range(31)) for m in range(31)] for k in range(24)]
    bit = [[sum(i[n, m] * (11 + 5 * (1 + min(n, k))) for n in range(24)) for m in range(31)] for k in range(24)]
    assert error(approximate(g, v, w), (g * (v[:, None] - word - bit)).sum(axis=0)) < 1e-12
    errors = [approximation_error(g, v, Wires(r, 2 * r, r, r)) for r in (1e-2, 5e-3)]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.02)
    w = Wires(1, 1)
    exact = nodal.currents(g, v, w)
    assert approximation_error(g, v, w) == pytest.approx(error(approximate(g, v, w), exact), rel=1e-6)
    assert approximation_error(np.zeros((2, 2)), [1, 1], w) == 0


def test_batches_are_their_vectors():
    """Without it a batch could be read along the wrong axis of a square array."""
    g, _ = array((12, 12))
    transfer, v = Transfer(g, Wires(5, 7)), np.random.default_rng(3).normal(size=(4, 12))
    assert np.allclose(transfer.forward(v), [transfer.forward(one) for one in v], rtol=1e-13)
    assert np.allclose(transfer.backward(v), [transfer.backward(one) for one in v], rtol=1e-13)


@pytest.mark.parametrize("w", [Wires(1, 1, 1e5, 1e5), Wires(1e3, 1e-3, 0, 1e6), Wires(1e-3, 1e3, 1e6),
                               Wires(10, 10, 1e7, 1e3)], ids=str)
def test_rounding_behind_large_ends_does_not_break_the_promise(w):
    """Without it iterations could end where double precision does, with ten times the error that was named."""
    for shape in ((41, 30), (8, 8)):
        g, v = array(shape)
        for wires in (w, w.transposed, w.reciprocal):
            for volts in (v, np.eye(shape[0])[0], np.eye(shape[0])[5]):
                exact = nodal.currents(g, volts, wires)
                assert np.abs(solve(g, volts, wires) - exact).sum() <= model.TOLERANCE * np.abs(exact).max()


@pytest.mark.parametrize("call, words", [
    (lambda: Wires(-1), "wires.word_resistance is -1"), (lambda: Wires(0, float("inf")), "wires.bit_resistance is inf"),
    (lambda: Wires(0, 0, float("nan")), "wires.driver_resistance is nan"),
    (lambda: Wires(0, 0, 0, -2), "wires.sense_resistance is -2"),
    (lambda: solve([[1, -2]], [1], Wires()), "word line 0, bit line 1 is -2"),
    (lambda: Transfer([[1, np.inf]], Wires()), "word line 0, bit line 1 is inf"),
    (lambda: solve([["x"]], [1], Wires()), "no real numbers"),
    (lambda: solve([[1]], ["x"], Wires()), "no real numbers"),
    (lambda: solve([1, 2], [1], Wires()), "shape (2,)"), (lambda: solve(np.ones((0, 3)), [], Wires()), "shape (0, 3)"),
    (lambda: solve([[1, 2]], [1, 2], Wires()), "drives 1 lines"),
    (lambda: solve([[1, 2]], [np.nan], Wires()), "finite"),
    (lambda: solve([[1, 2]], [[1]], Wires()), "shape (1, 1)"),
    (lambda: Transfer([[1, 2]], Wires()).forward([1, 2]), "drives 1 lines"),
    (lambda: Transfer([[1, 2]], Wires()).backward([[1]]), "drives 2 lines"),
    (lambda: approximate([[1, 2]], [1, 2], Wires()), "drives 1 lines"),
    (lambda: nodal.currents([[1, 2]], [1, 2], Wires()), "drives 1 lines")])
def test_bad_input_is_a_sentence(call, words):
    """Without it a wrong shape would broadcast, and a negative resistance would be solved."""
    with pytest.raises(BadInput) as caught:
        call()
    assert words in str(caught.value)
