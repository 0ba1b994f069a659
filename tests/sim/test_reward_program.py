"""The program of reward bases: TD learning in integers, linear in the motivation, revalued without learning."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from golden.reference import reward_bases as rb
from golden.session import initial_image
from golden.streams import to_codes
from golden.trace import Job
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput
from hebbar.studies import reward
from sim.backends import golden, pysim
from sim.compare import compare

EXAMPLE = Path(__file__).parents[2] / "examples" / "reward_bases.py"
RATE_SHIFT = 4
STEPS = 1500


@pytest.fixture(scope="module")
def path():
    return reward.walk(STEPS, seed=5)


@pytest.fixture(scope="module")
def learnt(path):
    return reward.learn(path)


def by_hand(path, rewards):
    """Weight codes (bases, places) by the recursion on Python integers: 13 fraction bits of weights, 12 of states and
    errors, 5 of features, 7 of products; g = 29/32."""
    w = [[0] * 36 for _ in rewards[0]]
    for here, there, earned in zip(path.places, path.after, rewards):
        for basis, r in zip(w, earned):
            total = (32 * basis[here] - (29 * basis[there] if there >= 0 else 0)) << 2
            error = round(r * 4096) - ((total + 128) >> 8)
            basis[here] += (error * 32 + (1 << RATE_SHIFT + 3)) >> RATE_SHIFT + 4
    return np.array(w)


def test_the_machine_learns_what_the_recursion_says(path, learnt):
    """Code for code, all bases at once; without it a shared block could learn from the wrong population's activity."""
    wanted = by_hand(path, path.rewards)
    np.testing.assert_array_equal(learnt.weights["features", "values"] * 2**13, wanted)
    assert (np.abs(wanted).max(axis=1) > 500).all(), "every basis has learnt"


def test_values_are_those_of_float_within_rounding(path, learnt):
    """The bound holds at any time: the rate of every error's decay against half a code a visit."""
    weights = np.zeros((4, 36))
    for here, there, earned in zip(path.places, path.after, path.rewards):
        step = rb.Transition(rb.one_hot(here, 36), earned, rb.one_hot(there, 36) if there >= 0 else None)
        weights = rb.learn(weights, step, 29 / 32, 2.0**-RATE_SHIFT)
    bound = reward.rounding_bound(2.0**-RATE_SHIFT)
    assert bound == pytest.approx((0.5 * 2**-13 + 2**-4 * 0.5 * 2**-12) * 16 / (3 / 32))
    assert 0 < np.abs(learnt.weights["features", "values"] - weights).max() <= bound
    np.testing.assert_allclose(reward.floating(path, 2.0**-RATE_SHIFT), weights, atol=1e-12)


@pytest.mark.parametrize("motivation", [(1.0, 0.0, 0.0, 0.0), (0.0, 1.0, -1.0, 0.5), (-0.75, 0.25, 0.5, 2.0)])
def test_a_motivation_revalues_every_place_without_learning(path, learnt, motivation):
    """TD learning on the summed reward, on the same machine, ends where the sum of the bases stands already: without
    it a change of motivation would have to be learnt."""
    before = learnt.weights["features", "values"].copy()
    total, spread = reward.revalue(learnt, motivation), sum(map(abs, motivation))
    assert (learnt.weights["features", "values"] == before).all()
    reading = spread * 2.0**-8 + 2.0**-13
    assert np.abs(total - np.array(motivation) @ before).max() <= reading, "values leave with 7 fraction bits"
    alone = reward.from_scratch(path, motivation)
    assert np.abs(alone - np.array(motivation) @ before).max() <= (spread + 1) * reward.rounding_bound(2.0**-RATE_SHIFT)
    assert np.abs(alone).max() > 0.1


def test_a_long_walk_ends_near_the_values_of_its_chain():
    """(I - g T)^-1 r: without it what is learnt could be another discount's, or another walk's, values."""
    found = reward.learn(reward.walk(20000, seed=2)).weights["features", "values"]
    wanted, places = reward.exact(), list(reward.STARTS)
    assert np.sqrt(((found - wanted)[:, places] ** 2).mean()) < 0.25 * np.sqrt((wanted[:, places] ** 2).mean())
    assert not found[:, list(reward.WALLS)].any() and not found[:, list(reward.RESOURCES.values())].any()


def test_the_walk_is_a_walk():
    """Steps go to neighbours, walls are never entered, and a reward is received where it lies."""
    path = reward.walk(500, seed=3)
    assert not set(path.places) & {*reward.WALLS, *reward.RESOURCES.values()}
    for here, there, earned, following in zip(path.places, path.after, path.rewards, path.places[1:]):
        if there < 0:
            assert earned.sum() == 1
            place = list(reward.RESOURCES.values())[int(earned.argmax())]
            assert abs(place // 6 - here // 6) + abs(place % 6 - here % 6) == 1
        else:
            assert not earned.any() and following == there and abs(there // 6 - here // 6) + abs(there % 6 - here
                                                                                                 % 6) <= 1


@pytest.mark.parametrize("wanted, resource", list(enumerate(reward.RESOURCES)))
def test_an_agent_that_wants_one_thing_finds_it_from_everywhere(wanted, resource):
    """On the exact values; without it revaluation would change maps and no behaviour."""
    motivation = tuple(float(i == wanted) for i in range(4))
    values = motivation @ reward.exact()
    assert {reward.destination(values, motivation, start) for start in reward.STARTS} == {resource}
    assert reward.destination(0 * values - 1, (-1.0,) * 4, 7) == "", "nothing to climb"


def test_the_program_is_the_same_on_the_rtl(path):
    machine = {"lanes": 4, "row_tiles": 2, "weight_words": 64, "neuron_words": 64, "max_columns": 16, "map_entries": 64,
               "blocks": 16, "program_words": 64, "functions": 4, "separation": 0, "energy": False}
    program = compile_config(load("reward_bases").replace(machine=machine))
    ends = np.flatnonzero(path.after < 0)[0]
    part = reward.Walk(*(getattr(path, k)[ends - 2:ends + 3] for k in ("places", "after", "rewards")))
    job = Job(program, "train", initial_image(program), to_codes(program, "train", part.samples()))
    want = golden.run(job)
    assert compare(program, want, pysim.run(job)).total_mismatches == 0
    assert (want.weights[-1] != job.weights).any()


def test_a_network_without_shared_weights_is_refused():
    """Without it the values would learn from themselves, in silence."""
    config = load("reward_bases")
    edges = [e.model_dump() for e in config.network.edges if not e.shares]
    with pytest.raises(BadInput, match="its shares is 'features:values'"):
        compile_config(config.replace(network={"edges": edges}))


def test_the_figures_are_met_and_say_when_they_are_not(models, monkeypatch):
    """Without it a table could report as met what nobody compared."""
    monkeypatch.setattr(reward, "STEPS", 3000)
    figures = reward.measure(Reporter(quiet=True), build=models)
    assert [f.met for f in figures] == [True] * (len(figures) - 2) + [None] * 2
    assert figures[0].value == 0 and all(f.value > 0 for f in figures[-2:])
    monkeypatch.setattr(reward, "from_scratch", lambda path, motivation: np.zeros(36))
    path = reward.walk(200, seed=1)
    found = reward.revalued(reward.learn(path), path, (0.0, 1.0, 0.0, 0.0), (50,))
    assert found.gap > 3 * found.allows and not found.right


def test_the_example_finds_what_it_promises(tmp_path, models):
    models.mkdir(exist_ok=True)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "build").symlink_to(models)
    answer = subprocess.run([sys.executable, EXAMPLE, "--quick"], cwd=tmp_path, text=True, capture_output=True,
                            timeout=280)
    assert answer.returncode == 0, answer.stderr
    assert "RTL: 0 mismatches in" in answer.stdout and answer.stdout.count("at once; TD from scratch") == 3
    assert "<svg" in (tmp_path / "out" / "reward_bases.svg").read_text()
