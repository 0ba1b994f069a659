"""Memories as programs: what is stored, what is recalled, what is refused, and the examples that show it.

A memory that recalls something plausible looks right: a pattern stored with a rounded norm, a second row that
also counts as the largest, a clamp mask left over from the sample before or a recall that stops on its way
change pictures by a shade. The truths here are distances, conditional means and least squares.
"""

import runpy
import sys
from dataclasses import replace
from math import e as euler, erf, log2, sqrt
from pathlib import Path

import numpy as np
import pytest
from helpers import MACHINE

from golden.image import from_image
from golden.reference import hopfield as reference
from golden.reference.theory import gamma_bound
from golden.session import machine_of
from golden.streams import to_codes
from hebbar import Experiment
from hebbar.contract.errors import BadInput, MissingTool
from hebbar.studies import questions
from hebbar.studies.memories import hopfield as family, query
from hebbar.studies.memories.stored import images, learn, store

EXAMPLES = Path(__file__).parents[2] / "examples"
SMALL = MACHINE | {"separation": 8, "energy": True, "map_entries": 64, "program_words": 128}


def hopfield(separation, beta=1.0, steps=1, machine=SMALL):
    """Six slots for patterns of ten numbers."""
    return Experiment({
        "network": {"populations": [{"name": "q", "size": 10, "role": "input"}, {"name": "slots", "size": 6},
                                    {"name": "z", "size": 10, "role": "target"}],
                    "edges": [{"source": "q", "target": "slots", "alpha_shift": 0, "scale": 0.0},
                              {"source": "z", "target": "slots", "alpha_shift": 0, "shares": "q:slots"}]},
        "rule": {"name": "hopfield", "steps": steps, "beta": beta, "options": {"separation": separation}},
        "machine": dict(machine)})


def grid(rng, shape, limit=1.0, step=32):
    """Random numbers that activities of 5 fraction bits hold exactly."""
    return rng.integers(-int(limit * step), int(limit * step) + 1, shape) / step


def test_theorem_10_max_separation_on_golden_and_rtl():
    """Of two patterns that are equally near the first has to come back, and every bit of it."""
    rng, e = np.random.default_rng(4), hopfield("max")
    patterns, queries = grid(rng, (6, 10)), grid(rng, (40, 10), 2.0)
    patterns[4] = patterns[1]
    check = e.cosimulate({"q": patterns, "slots": np.eye(6)}, "pysim", "train")
    assert not check.mismatches and check.updates >= np.count_nonzero(patterns)
    store(e, q=patterns)
    assert np.array_equal(e.weights["q", "slots"], patterns)
    scores = np.array([[sum(a * b for a, b in zip(p, q)) for p in patterns] for q in queries])
    nearest = [next(i for i, s in enumerate(row) if s == max(row)) for row in scores]
    assert np.array_equal(e.run("predict", {"q": queries})["z"], patterns[nearest])
    assert 1 in nearest and len(set(nearest)) > 3
    check = e.cosimulate({"q": queries[:12]}, "pysim", "predict")
    assert not check.mismatches and check.counters["separations"] == 6 * 12


@pytest.mark.parametrize("beta", [0.5, 1.0, 2.0])
def test_softmax_is_the_reference_within_its_arithmetic(beta):
    """Mixtures of patterns, whose shares are exponentials: a wrong base or beta would go unseen in exact recall."""
    rng, e = np.random.default_rng(5), hopfield("softmax", beta)
    patterns, queries = grid(rng, (6, 10)), grid(rng, (60, 10), 0.5)
    store(e, q=patterns)
    memory, how = reference.filled(patterns), reference.Retrieval("dot", "softmax", beta)
    scores = reference.similarity(memory, queries, "dot")
    shares = reference.separation(scores, how)
    assert (shares.max(axis=1) < 0.9).sum() > 10
    # an exponent is rounded to 1/256 octave, beta log2 e to 1/256 and a distance to 2**-12
    octaves = 2**-9 + np.ptp(scores, axis=1).max() * 2**-9 + 2**-13 * beta * log2(euler)
    relative, cut = 2 * (2**octaves - 1), 6 * (2**-13 + 2**-16)
    found = e.run("predict", {"q": queries})["z"]
    assert np.abs(found - reference.retrieve(memory, queries, how)).max() <= relative + cut + 2**-12
    other = reference.retrieve(memory, queries, replace(how, beta=1.5 * beta))
    assert np.abs(found - other).max() > 2 * (relative + cut)


def test_retrieval_goes_on_from_the_recalled_pattern():
    """Two further steps must ask with z, not with q again: a mixture then sharpens into one pattern."""
    patterns, queries = np.kron(np.eye(5), np.ones((1, 2)))[:5], np.zeros((1, 10))
    queries[0, :4] = 0.75, 0.75, 0.5, 0.5
    stored = np.vstack([patterns, np.zeros((1, 10))])
    answers = []
    for steps in (1, 3):
        e = hopfield("softmax", 4.0, steps)
        store(e, q=stored)
        answers.append(e.run("predict", {"q": queries})["z"])
        how = reference.Retrieval("dot", "softmax", 4.0)
        wanted = reference.iterate(reference.filled(stored), queries, how, steps)
        # an answer asks again as an activity of 5 fraction bits: at most 2**-6 off in each of two numbers
        assert np.abs(answers[-1] - wanted).max() < (0.01 if steps == 1 else 4 * 2 * 2**-6)
    assert answers[1][0, 0] > answers[0][0, 0] + 0.05


def test_stored_images_and_norms_are_exact_and_the_nearest_comes_back():
    """Euclidean similarity by stored norms equals the distance only when no norm has lost a bit."""
    e, stored = Experiment("euclidean"), images(100)
    family.store_images(e, stored)
    assert np.array_equal(8 * e.weights["q", "slots"], stored)
    assert np.array_equal(-16 * e.weights["norm", "slots"][:, 0], (stored**2).sum(axis=1))
    rng = np.random.default_rng(0)
    queries = np.floor(32 * (stored + rng.normal(0, 0.6, stored.shape)) + 0.5) / 32
    distances = np.array([((stored - q) ** 2).sum(axis=1) for q in queries])
    answers = e.run("predict", {"q": queries, "norm": np.ones((100, 1))})["z"]
    assert np.array_equal(8 * answers, stored[distances.argmin(axis=1)])
    assert 5 < (distances.argmin(axis=1) != np.arange(100)).sum() < 60, "a task without difficult queries"


def test_the_classical_network_errs_as_often_as_it_must():
    """The sum over slots of 100-bit overlaps is nearly normal, so its sign has a known rate of errors."""
    def normal(x):
        return 0.5 * (1 + erf(x / sqrt(2)))

    kept, wrong, count = 80, 20, 0
    others, deviation = 19, sqrt(19 * 99)
    # the own pattern adds 60, every other one its own bit q, and 19 sums of 99 random signs
    expected = (kept * normal(-(60 + others) / deviation) + wrong * normal(-(60 - others) / deviation)) / 100
    errors = []
    for seed in range(8):
        patterns, queries, wanted = family.bits(seed, queries=10)
        e = Experiment("hopfield", rule={"options": {"separation": "activation"}})
        store(e, 2.0**-5, q=patterns)
        z = e.run("predict", {"q": queries})["z"]
        errors.append(((z >= 0) != (wanted > 0)).mean())
        exact = reference.retrieve(reference.filled(patterns), queries, reference.CLASSICAL)
        count += int((np.where(z >= 0, 1, -1) != exact).sum())
    assert not count, "scores of 100 bits at 2**-5 are exact, and so is their projection"
    assert abs(np.mean(errors) - expected) < 4 * np.std(errors) / sqrt(8) + 0.005


def covpcn(size, feedback=True, alpha=7, steps=400, gamma=0.25):
    """Neurons that predict each other."""
    return Experiment({
        "network": {"populations": [{"name": "v", "size": size, "role": "input", "activity_frac": 6},
                                    {"name": "one", "size": 1, "role": "constant"}],
                    "edges": [{"source": "v", "target": "v", "alpha_shift": alpha, "scale": 0.0, "zero_diagonal": True},
                              {"source": "one", "target": "v", "alpha_shift": alpha, "scale": 0.0}]},
        "rule": {"name": "il", "steps": 0, "gamma": gamma, "query_steps": steps, "feedback": feedback},
        "machine": dict(SMALL)})


def correlated(count=96, size=6):
    """Gaussian patterns on the grid of the inputs, correlated, the condition of their covariance about ten."""
    rng = np.random.default_rng(3)
    mixed = rng.normal(size=(count, size)) @ (0.4 * np.eye(size) + 0.1 * rng.normal(size=(size, size)))
    return np.round(64 * (0.2 + mixed)) / 64


def closed(patterns):
    """W_ij = -P_ij / P_ii and nu = (I - W) mean, P the inverse covariance."""
    precision = np.linalg.inv(np.cov(patterns.T, bias=True))
    weights = np.array([[0 if i == j else -precision[i, j] / precision[i, i] for j in range(len(precision))]
                        for i in range(len(precision))])
    return weights, patterns.mean(axis=0) - weights @ patterns.mean(axis=0)


def test_covpcn_training_ends_at_the_closed_form():
    """Learnt in fixed point, one pattern at a time, the weights must be those of the inverse covariance."""
    e, patterns, rng = covpcn(6), correlated(), np.random.default_rng(0)
    weights, prior = closed(patterns)
    machine = machine_of(e.program)
    machine.weights[...] = e.image
    for halvings in (0, 1, 2):
        machine.set_rates(halvings)
        order = np.concatenate([rng.permutation(len(patterns)) for _ in range(200)])
        machine.run("train", to_codes(e.program, "train", {"v": patterns[order]}))
    learnt = from_image(e.program.layout, machine.weights)
    errors = patterns - patterns @ weights.T - prior
    # online least squares fluctuates around its solution with a variance of alpha / 2 times that of the error
    # along every weight; rounding adds LSB**2 / 12 an update, which a mode of curvature c forgets at alpha c
    alpha, least = 2.0**-9, min(np.linalg.eigvalsh(np.cov(patterns.T)))
    tolerance = 5 * sqrt(alpha / 2 * (errors**2).mean(axis=0).max() + (2**-26 / 12) / (2 * alpha * least))
    assert np.abs(weights).max() > 5 * tolerance
    assert np.abs(learnt["v", "v"] - weights).max() < tolerance
    assert np.abs(learnt["one", "v"][:, 0] - prior).max() < tolerance
    assert not np.diagonal(learnt["v", "v"]).any()


def recalled(feedback):
    """Answers with the closed-form weights as the machine holds them; those weights, the cue, what is missing."""
    patterns = correlated()
    weights, prior = closed(patterns)
    e, missing = covpcn(6, feedback), np.array([False, True, False, False, True, True])
    e.set_weights({("v", "v"): weights, ("one", "v"): prior[:, None]})
    cue = np.where(missing, 0.0, patterns[:20])
    given = {"v": cue, "v.clamp": np.tile(~missing, (20, 1)).astype(float)}
    return e.run("query", given)["v"], e.weights, patterns, cue, missing


def slack(weights, missing):
    """What activities of 6 fraction bits can do to every error, and where steps of 1/4 stop moving a state."""
    return (np.abs(weights[:, missing]).sum(axis=1) * 2**-7).max() + 2**-12, 2**-12 / 0.25


def test_dendritic_recall_is_the_conditional_mean():
    """mu_m + S_mk S_kk^-1 (x_k - mu_k): recall by errors alone must get there in fixed point."""
    answers, weights, patterns, cue, m = recalled(feedback=False)
    covariance, mean = np.cov(patterns.T, bias=True), patterns.mean(axis=0)
    gain = covariance[np.ix_(m, ~m)] @ np.linalg.inv(covariance[np.ix_(~m, ~m)])
    wanted = mean[m] + (cue[:, ~m] - mean[~m]) @ gain.T
    a = np.eye(6) - weights["v", "v"]
    error, stop = slack(weights["v", "v"], m)
    bound = np.abs(np.linalg.inv(a[np.ix_(m, m)])).sum(axis=1).max() * (error + stop + 2**-12)
    assert np.abs(answers[:, m] - wanted).max() < bound < 0.05 * np.ptp(wanted, axis=0).min()
    assert np.array_equal(answers[:, ~m], cue[:, ~m])


def test_implicit_recall_minimises_its_own_objective():
    """1/2 |(I - W) x - nu|^2 over the missing entries, which is not where the conditional mean lies."""
    answers, weights, _, cue, m = recalled(feedback=True)
    a, prior = np.eye(6) - weights["v", "v"], weights["one", "v"][:, 0]
    wanted = np.array([np.linalg.lstsq(a[:, m], prior - a[:, ~m] @ x[~m], rcond=None)[0] for x in cue])
    error, stop = slack(weights["v", "v"], m)
    force = (np.abs(a[:, m]).sum(axis=0) * error).max() + stop + 2**-12
    bound = np.abs(np.linalg.inv(a[:, m].T @ a[:, m])).sum(axis=1).max() * force
    dendritic = recalled(feedback=False)[0][:, m]
    assert np.abs(answers[:, m] - wanted).max() < bound < 0.5 * np.abs(dendritic - wanted).max()

    def objective(free):
        x = cue.copy()
        x[:, m] = free
        return 0.5 * ((x @ a.T - prior) ** 2).sum()

    assert objective(answers[:, m]) < objective(dendritic)


def generative():
    """Two visible populations above and below a hidden one."""
    return Experiment({
        "network": {"populations": [{"name": "y", "size": 3, "role": "target"},
                                    {"name": "h", "size": 5, "activation": "hard_tanh"},
                                    {"name": "v", "size": 6, "role": "input"}],
                    "edges": [{"source": "y", "target": "h", "scale": 1.0},
                              {"source": "h", "target": "v", "scale": 1.0}]},
        "rule": {"name": "il", "steps": 4, "gamma": 0.125, "query_steps": 9}, "machine": dict(SMALL)})


def test_every_query_has_clamp_masks_of_its_own():
    """A mask left from the sample before would hold what should move, or move what was given."""
    e, rng = generative(), np.random.default_rng(2)
    given = {"v": grid(rng, (12, 6), 1.0, 4096), "y": grid(rng, (12, 3), 1.0, 4096),
             "v.clamp": rng.integers(0, 2, (12, 6)), "y.clamp": rng.integers(0, 2, (12, 3))}
    answers = e.run("query", given)
    for name in ("v", "y"):
        held = given[f"{name}.clamp"] == 1
        assert np.array_equal(answers[name][held], given[name][held])
        assert (answers[name][~held] != given[name][~held]).all()
    alone = [e.run("query", {key: values[i:i + 1] for key, values in given.items()}) for i in range(12)]
    assert all(np.array_equal(answers[n], np.vstack([a[n] for a in alone])) for n in ("v", "y"))
    check = e.cosimulate({key: values[:4] for key, values in given.items()}, "pysim", "query")
    assert not check.mismatches and check.words > 500


@pytest.mark.parametrize("preset", ["query", "memory", "covpcn"])
def test_presets_keep_gamma_below_its_bound(preset):
    """Before and after training, everything free and every slope at 1: else a query ends at the rails."""
    e, untrained = Experiment(preset), Experiment(preset)
    if preset == "query":
        e = query.one_network()
    else:
        learn(e, v=images(32))
    network = e.program.layout.network
    states = {p.name: np.zeros(p.size) for p in network.populations}
    for weights in (untrained.weights, e.weights):
        assert e.config.rule.gamma < gamma_bound(network, weights, states, clamped=())


@pytest.mark.parametrize("make, sentence", [
    (lambda: hopfield("max", machine=SMALL | {"separation": 5}).program, "machine.separation is 5; set it to 6 or"),
    (lambda: hopfield("softmax", machine=SMALL | {"separation": 0}).program, "machine.separation is 0"),
    (lambda: hopfield("sigmoid").program, "rule.options.separation is 'sigmoid'; give one of softmax, max, activation"),
    (lambda: hopfield("softmax", beta=1000.0).program, "rule.beta is 1000 and would run as 177.4, the end of"),
    (lambda: Experiment("feature_memory", rule={"steps": 2}).program, "rule.steps is above 1 and the recalled values"),
    (lambda: Experiment("digits", rule={"name": "hopfield"}).program, "one target, the recalled pattern, needs one"),
    (lambda: generative().run("query", {"v": np.zeros((1, 6)), "y": np.zeros((1, 3)), "v.clamp": np.full((1, 6), 0.5),
                                        "y.clamp": np.zeros((1, 3))}), "neither 0 nor 1"),
    (lambda: Experiment("hopfield").run("query", {}), "no entry 'query'")])
def test_refusals_say_what_to_do(make, sentence):
    """What does not fit must stop with the key and the fix, not with a wrong recall."""
    with pytest.raises(BadInput) as refused:
        make()
    assert sentence in str(refused.value)


def shown(name, monkeypatch, folder, backend):
    """Run an example with another backend in place of the RTL; what it exits with."""
    monkeypatch.chdir(folder)
    monkeypatch.setattr(questions, "run_backend", backend)
    monkeypatch.setattr(sys, "argv", [name, "--quick"])
    with pytest.raises(SystemExit) as end:
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    return end.value.code


def no_verilator(*_):
    raise MissingTool("Verilator is not installed.")


def one_bit_wrong(job, *_):
    trace = questions.golden.run(job)
    name = next(iter(trace.outputs))
    trace.outputs[name][0, 0] += 1
    return trace


@pytest.mark.parametrize("name", ["recall_images", "hopfield_family", "feature_memory", "query"])
def test_examples_without_verilator_and_with_a_wrong_rtl(name, monkeypatch, tmp_path, capsys):
    """Their headlines hold on the golden machine too; a single wrong bit of the RTL must fail them."""
    assert shown(name, monkeypatch, tmp_path, no_verilator) is None
    text = capsys.readouterr().out
    assert "Verilator is not installed. The answers are the golden machine's." in text and "nJ a query" in text
    assert len(list(tmp_path.glob("out/*.svg"))) == (2 if name == "query" else 1)
    assert "first difference" in str(shown(name, monkeypatch, tmp_path, one_bit_wrong))
