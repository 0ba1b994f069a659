"""Random networks that fit a machine: layered, skipping, lateral, with and without bias."""

import random
from collections.abc import Iterator

from hebbar.compiler.config import Config
from hebbar.compiler.program import compile_config
from hebbar.contract.errors import BadInput

__all__ = ["random_configs"]

TRIES = 1000
"""Draws in a row that may not compile."""


def random_configs(base: Config, count: int, seed: int) -> Iterator[Config]:
    """``count`` configurations on the machine of ``base``; what does not compile is drawn again. Raises BadInput when
    nothing does."""
    rng, failed = random.Random(seed), 0
    while count:
        try:
            config = _draw(base, rng)
            compile_config(config)
        except BadInput:
            failed += 1
            if failed > TRIES:
                raise
            continue
        count, failed = count - 1, 0
        yield config


def _draw(base: Config, rng: random.Random) -> Config:
    sizes = [rng.randint(1, 17) for _ in range(rng.randint(2, 4))]
    names = [f"p{i}" for i in range(len(sizes))]
    bits, step = base.machine.activity_bits, 2.0 ** -base.machine.weight_frac
    roles = ["input", *["hidden"] * (len(sizes) - 2), "target"]
    populations = [
        {"name": n, "size": s, "role": r, "activity_frac": min(7, bits - 1) if r == "input" else min(5, bits - 2),
         "activation": rng.choice(["relu", "leaky", "tanh"]) if r == "hidden" else "identity"}
        for n, s, r in zip(names, sizes, roles)]
    pairs = [(a, b) for i, a in enumerate(names) for b in names[i + 1:]
             if names.index(b) == i + 1 or rng.random() < 0.3]
    if rng.random() < 0.3 and len(names) > 2:
        pairs.append((names[1], names[1]))
    if rng.random() < 0.3:
        populations.append({"name": "one", "size": 1, "role": "constant", "activity_frac": min(5, bits - 2)})
        pairs += [("one", n) for n in names[1:]]
    edges = [{"source": a, "target": b, "alpha_shift": rng.randint(2, 6), "zero_diagonal": a == b,
              "scale": 0.5 if step < 0.05 else 0.0}
             for a, b in pairs]
    rule = {"name": rng.choice(["il", "ipc", "zil", "backprop"]), "steps": rng.randint(1, 5),
            "gamma": rng.choice([0.125, 0.25, 0.5]), "hoist": rng.random() < 0.7,
            "alpha_shifts": (), "init_scales": ()}
    network = {"layers": (), "populations": populations, "edges": edges}
    return base.replace(network=network, rule=rule)
