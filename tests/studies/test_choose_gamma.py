"""The bound of gamma by sample, what stands on its sides, and the example that shows it."""

import runpy
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from golden import reference as ref
from hebbar import Experiment
from hebbar.compiler.config import load
from hebbar.compiler.network import layered
from hebbar.studies import gamma as bench
from sim import simulate
from sim.backends import golden

EXAMPLE = Path(__file__).parents[2] / "examples" / "choose_gamma.py"
SIZES = [5, 7, 6, 3]


def net(activation, scale=1.2, samples=6):
    """Layers with random weights, an input and a target by sample."""
    network, rng = layered(SIZES, activation, [0] * 3, [scale] * 3), np.random.default_rng(11)
    weights = {k: scale * rng.normal(size=w.shape) / np.sqrt(w.shape[1])
               for k, w in ref.initial_weights(network, 0).items()}
    return network, weights, {"x0": rng.normal(size=(samples, 5)), "x3": rng.normal(size=(samples, 3))}


def blocks(weights):
    return [weights[f"x{n}", f"x{n + 1}"] for n in range(3)]


def hessian(weights, slopes):
    """Block-tridiagonal, from E = sum |x_l - W_l f(x_{l-1})|^2 / 2 by hand; ``slopes`` f' of x1 and x2."""
    _, w2, w3 = blocks(weights)
    d1, d2 = map(np.diag, slopes)
    return np.block([[np.eye(7) + d1 @ w2.T @ w2 @ d1, -d1 @ w2.T], [-w2 @ d1, np.eye(6) + d2 @ w3.T @ w3 @ d2]])


def settle(weights, x0, x3, f, slope, steps=20_000, gamma=0.02):
    """The hidden states of one sample at rest, by plain gradient descent on that E."""
    w1, w2, w3 = blocks(weights)
    x1, x2 = w1 @ x0, w2 @ f(w1 @ x0)
    for _ in range(steps):
        e1, e2, e3 = x1 - w1 @ x0, x2 - w2 @ f(x1), x3 - w3 @ f(x2)
        x1, x2 = x1 + gamma * (slope(x1) * (w2.T @ e2) - e1), x2 + gamma * (slope(x2) * (w3.T @ e3) - e2)
    return x1, x2


def test_every_sample_has_the_bound_of_its_own_hessian():
    """Without it gamma could be chosen by another sample's slopes, or by those before inference."""
    network, weights, clamps = net("tanh", samples=8)
    found, wanted = ref.stable_gamma(network, weights, clamps), []
    for x0, x3 in zip(clamps["x0"], clamps["x3"]):
        rest = settle(weights, x0, x3, np.tanh, lambda x: 1 - np.tanh(x) ** 2)
        wanted.append(2 / np.linalg.eigvalsh(hessian(weights, [1 - np.tanh(x) ** 2 for x in rest])).max())
    np.testing.assert_allclose(found, wanted, rtol=1e-4)
    assert np.ptp(wanted) > 0.05 * max(wanted)


def test_the_bound_of_a_linear_network_separates_spectral_radii():
    """Theorem 3 without inference: I - gamma H contracts below and expands above, and the energies follow."""
    network, weights, clamps = net("identity")
    h = hessian(weights, [np.ones(7), np.ones(6)])
    found = ref.stable_gamma(network, weights, clamps)
    np.testing.assert_allclose(found, 2 / np.linalg.eigvalsh(h).max(), rtol=1e-12)
    radius = [np.abs(np.linalg.eigvalsh(np.eye(13) - g * found[0] * h)).max() for g in (bench.BELOW, bench.ABOVE)]
    assert radius[0] < 1 < radius[1]
    sides = bench.linear_sides(network, weights, clamps)
    assert sides.exact and sides.apart and sides.settled == 6
    rate = sides.above[-1] / sides.above[-2]
    np.testing.assert_allclose(rate, radius[1] ** 2, rtol=1e-6)


def test_a_wrong_side_is_seen():
    """Without it the headline could hold whatever inference does."""
    good = bench.linear_sides(*net("identity"))
    assert not replace(good, below=good.above).exact and not replace(good, below=good.above).apart
    assert not replace(good, above=good.below).exact and not replace(good, above=good.below).apart
    one = good.below.copy()
    one[-1, 2] = 1.5
    assert not replace(good, below=one).exact and not replace(good, below=one).apart
    bump = good.below.copy()
    bump[5, 3] = bump[4, 3] + 1e-3
    assert not replace(good, below=bump).exact


def test_the_least_energy_is_that_of_the_closed_form():
    """Shares of a wrong minimum would call a run settled that is not."""
    network, weights, clamps = net("identity")
    bound = ref.gamma_bound(network, weights)
    wanted = ref.equilibrium_energy(network, weights, clamps["x0"], clamps["x3"])
    np.testing.assert_allclose(bench.least_energy(network, weights, clamps, bound / 2), wanted, rtol=1e-9)
    assert bench.linear(net("leaky")[0]) == network


@pytest.mark.parametrize("bound, power", [(1.0961, 1.0), (1.0, 0.5), (0.51, 0.5), (0.5, 0.25), (1.99, 1.0), (3.0, 1.0)])
def test_the_power_of_two_is_below(bound, power):
    """At the bound itself inference swings for ever."""
    assert bench.power_below(bound) == power


def test_the_energies_of_the_machine_start_where_the_forward_pass_does():
    """In NumPy: 1/2 |y - W2 f(W1 x)|^2 with activities rounded to codes. Samples must not learn from others."""
    config = load("tiny").replace(rule={"steps": 3, "gamma": 0.5})
    e = Experiment(config, training={"epochs": 1})
    e.train()
    some = e.data.train.take(range(5))
    clamps = {"x0": some.inputs_float, "x2": some.targets}
    found = bench.machine_energies(config, e.weights, clamps)
    h = some.inputs_float @ e.weights["x0", "x1"].T
    codes = 2.0**config.network.hidden_frac
    active = np.floor(codes * np.where(h > 0, h, h / 8) + 0.5) / codes
    wanted = 0.5 * ((some.targets - active @ e.weights["x1", "x2"].T) ** 2).sum(axis=1)
    assert config.network.activation == "leaky" and found.shape == (4, 5)
    np.testing.assert_allclose(found[0], wanted, atol=2e-3)
    assert np.ptp(wanted) > 0.1
    last = bench.machine_energies(config, e.weights, {k: v[4:] for k, v in clamps.items()})
    assert (found[:, 4:] == last).all()


def shown(monkeypatch, folder, defect=0):
    """Run the example on the golden machine in place of the RTL, one bit wrong with a ``defect``; its exit."""
    def backend(job, name, *_):
        trace = golden.run(job)
        trace.final[0, 0, 0] += defect * (name != "golden")
        return trace

    monkeypatch.chdir(folder)
    monkeypatch.setattr(simulate, "run_backend", backend)
    monkeypatch.setattr(sys, "argv", ["choose_gamma.py", "--quick"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(EXAMPLE), run_name="__main__")
    return end.value.code


def test_the_example_fails_with_its_headline(monkeypatch, tmp_path):
    """A bound that is too large or too small, of either kind, or a wrong bit of the RTL must not end well."""
    assert shown(monkeypatch, tmp_path) is None
    assert "<svg" in (tmp_path / "out" / "choose_gamma.svg").read_text()
    assert "first difference" in str(shown(monkeypatch, tmp_path, defect=1))
    for name in ("gamma_bound", "stable_gamma"):
        right = getattr(ref, name)
        for factor in (0.6, 1.6):
            with monkeypatch.context() as spoilt:
                spoilt.setattr(ref, name, lambda *a, right=right, factor=factor: factor * right(*a))
                assert "does not change sides" in str(shown(monkeypatch, tmp_path))


def test_the_example_runs(tmp_path, models):
    """As a newcomer does, with the RTL."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "build").symlink_to(models)
    answer = subprocess.run([sys.executable, EXAMPLE, "--quick"], cwd=tmp_path, text=True, capture_output=True,
                            timeout=300)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "RTL: 0 mismatches in" in answer.stdout and "nJ a sample" in answer.stdout
