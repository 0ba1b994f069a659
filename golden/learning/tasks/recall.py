"""Patterns stored one a neuron and recalled from noisy ones: the rule ``hopfield``."""

import numpy as np
from numpy.typing import NDArray

from hebbar.compiler.network import Network, Role
from hebbar.compiler.program import Program
from hebbar.compiler.rules.memory import slots_of
from hebbar.compiler.tasks import Kind
from hebbar.contract.errors import BadInput

from ...reference.state import Weights
from .labelled import inputs_of
from .task import LearningTask

__all__ = ["recall", "flipped", "hits"]

FLIPS = 0.2
"""The share of the bits of a query that are flipped."""
NOISE = 0.4
"""Standard deviation, of pixels from 0 to 1."""
QUICK = 10
ENCODER_GAIN = 2.0
ACTIVE = 2.0**-5
"""The error that stores a pattern whose scores have to fit an activity."""


def recall(program: Program, quick: bool = False) -> LearningTask:
    """Random bits, or images where the keys have their size; each is stored by one update.

    An input of one neuron beside the keys holds their norms, which makes the similarity Euclidean. Fixed weights
    between the keys and the slots are an encoder, a random rotation of a key less the mean key.
    """
    network = program.layout.network
    slots, (target,) = slots_of(network), network.with_role(Role.TARGET)
    key, norm = _inputs(network)
    count = network.by_name[slots].size
    rng, images = np.random.default_rng(program.config.data.seed), inputs_of(program, count, key)
    stored = rng.choice([-1.0, 1.0], (count, network.by_name[key].size)) if images is None else images
    queries = flipped(rng, stored) if images is None else np.clip(stored + rng.normal(0, NOISE, stored.shape), -2, 2)
    separation = program.config.rule.options.get("separation")
    strength = ACTIVE if separation == "activation" else 1.0
    samples: dict[str, NDArray[np.float64]] = {key: stored, slots: strength * np.eye(count)}
    if norm:
        samples = _with_norms(program, samples, key, norm, slots)
    takes = {t.key for t in program.inputs["train"]}
    if target.name in takes:
        samples[target.name] = samples[key]
    questions = {key: queries, **({norm: np.ones((count, 1))} if norm else {})}
    total, asked = len(samples[key]), min(QUICK, count) if quick else count
    return LearningTask(
        program, Kind.RECALL, "patterns recalled", f"{asked} of {count} stored patterns, from noisy ones", total, 1,
        lambda rows: {name: values[rows] for name, values in samples.items()}, lambda epoch: np.arange(total),
        "predict", {name: values[:asked] for name, values in questions.items()},
        lambda out: hits(out[target.name], stored), start=_encoder(network, key, slots, stored))


def flipped(rng: np.random.Generator, patterns: NDArray[np.float64]) -> NDArray[np.float64]:
    """Patterns of +1 and -1 with a fifth of the bits of each flipped."""
    count = round(FLIPS * patterns.shape[1])
    return np.where(np.array([rng.permutation(patterns.shape[1]) < count for _ in patterns]), -patterns, patterns)


def hits(answers: NDArray[np.float64], stored: NDArray[np.float64]) -> float:
    """The share of answers, to the first patterns in their order, that look like the right one most (cosine)."""
    unit = stored / np.linalg.norm(stored, axis=1, keepdims=True)
    found = answers @ unit.T
    right = (found.argmax(axis=1) == np.arange(len(answers))) & answers.any(axis=1)
    return float(right.mean())


def _inputs(network: Network) -> tuple[str, str]:
    """The input of the keys, and that of their norms, empty where there is none."""
    inputs = network.with_role(Role.INPUT)
    norms = [p.name for p in inputs if p.size == 1] if len(inputs) > 1 else []
    keys = [p.name for p in inputs if p.name not in norms]
    if len(keys) != 1 or len(norms) > 1:
        raise BadInput(f"network.populations has {len(inputs)} of role 'input' and the default data are for keys, with "
                       "or without norms; give samples of your own to Experiment.run.")
    return keys[0], norms[0] if norms else ""


def _with_norms(program: Program, samples: dict[str, NDArray[np.float64]], key: str, norm: str,
                slots: str) -> dict[str, NDArray[np.float64]]:
    """A second sample each, which adds the low half of -|m|^2 / 2 with a smaller error."""
    network = program.layout.network
    first, second = (network.edge(f"{name}:{slots}").alpha_shift for name in (key, norm))
    unit = 2.0 ** network.by_name[norm].activity_frac
    wanted = unit * (samples[key] ** 2).sum(axis=1) * 2.0 ** (second - first - 1)
    high = np.floor(wanted)
    return {key: np.concatenate([samples[key], 0 * samples[key]]),
            norm: -np.concatenate([high / unit, wanted - high])[:, None],
            slots: np.concatenate([samples[slots], samples[slots] / unit])}


def _encoder(network: Network, key: str, slots: str, stored: NDArray[np.float64]) -> Weights:
    """Fixed weights out of the keys: a rotation twice as long, centred by a fixed bias where there is one."""
    found: Weights = {}
    for e in network.stored:
        if e.plastic or e.source != key or e.target == slots:
            continue
        rows, columns = network.by_name[e.target].size, network.by_name[key].size
        square = np.linalg.qr(np.random.default_rng(0).normal(size=(max(rows, columns),) * 2))[0]
        found[e.source, e.target] = ENCODER_GAIN * square[:rows, :columns]
        for bias in network.incoming(e.target):
            if network.by_name[bias.source].role is Role.CONSTANT and not bias.plastic and bias.stored:
                offset = -found[e.source, e.target] @ stored.mean(axis=0)
                found[bias.source, bias.target] = offset[:, None]
    return found
