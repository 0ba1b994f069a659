"""Random configurations: presets with changes, graphs that were made up, keys from the schema, damaged bytes."""

import copy
import math
import random
import tomllib
from importlib import resources
from typing import Any

import tomli_w

from hebbar.compiler.config import load, preset_names
from hebbar.compiler.keys import Key, tables
from hebbar.compiler.rules import RULES
from hebbar.contract.activations import ACTIVATIONS

__all__ = ["random_toml", "ODD", "odd_value"]

ODD: tuple[Any, ...] = (
    0, -1, 1, 2, 3, 7, 63, 64, 65, 4095, 4096, 1 << 20, 10**7, 10**9, (1 << 63) - 1, -10**18, 0.0, -0.0, 0.5, 1e-300,
    1e-5,
    1e300, math.nan, math.inf, -math.inf, "", "x", "é", "\u202e", "a" * 300, "../../etc/passwd", "one:two", "\n", "1",
    True,
    False, [], [[]], [1, "a"], {}, {"a": 1}, [0], [math.nan], [math.inf, 1], [10**12], [-1, 2], [2, 2], "tanh", "input",
    "array", "analog", "ipc", [1] * 5000)
"""Values that a key seldom has."""

Path = tuple[Any, ...]


def random_toml(seed: int) -> bytes:
    """The bytes of one file, the same for the same seed."""
    rng = random.Random(seed)
    make = rng.choices((_changed, _by_schema, _made_up), (5, 3, 3))[0]
    text = tomli_w.dumps(make(rng)).encode()
    if rng.random() < 0.1:
        text = _damaged(text, rng)
    return text


def odd_value(key: Key, rng: random.Random) -> Any:
    """A value for a key: one of its range, one beside it, another type."""
    if rng.random() < 0.5:
        example = tomllib.loads(key.example)[key.name]
        return _nearby(example, rng)
    return copy.deepcopy(rng.choice(ODD))


def _nearby(value: Any, rng: random.Random) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return rng.choice((value + 1, value - 1, value * 2, -value, value // 2, value * 1000, value + 0.5, 0))
    if isinstance(value, float):
        return rng.choice((value * 2, value / 2, -value, value / 1000, value * 1000, value + 1, 0.0))
    if isinstance(value, list) and value:
        found = copy.deepcopy(value)
        place = rng.randrange(len(found))
        return rng.choice((found + found[:1], found[:-1], [*found[:place], _nearby(found[place], rng),
                                                           *found[place + 1:]]))
    return rng.choice((*ACTIVATIONS, *RULES, "stratified", "npz", "x"))


def _preset(rng: random.Random) -> dict[str, Any]:
    name = rng.choice(preset_names())
    if rng.random() < 0.3:
        return _plain({k: v for k, v in load(name).model_dump(mode="json").items() if k != "name"})
    return tomllib.loads(resources.files("hebbar").joinpath("presets", f"{name}.toml").read_text(encoding="utf-8"))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return [_plain(v) for v in value] if isinstance(value, list | tuple) else value


def _changed(rng: random.Random) -> dict[str, Any]:
    """A preset with one to three entries changed, removed, doubled or renamed."""
    data = _preset(rng)
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        places = list(_places(data))
        if not places:
            break
        *above, last = rng.choice(places)
        parent = data
        for part in above:
            parent = parent[part]
        how = rng.choice(("near", "near", "near", "odd", "odd", "remove", "double", "rename"))
        if how == "near":
            parent[last] = _nearby(parent[last], rng)
        elif how == "odd":
            parent[last] = copy.deepcopy(rng.choice(ODD))
        elif how == "remove":
            del parent[last]
        elif how == "double" and isinstance(parent, list):
            parent.append(copy.deepcopy(parent[last]))
        elif how == "rename" and isinstance(parent, dict):
            parent[f"{last}x"] = parent.pop(last)
    return data


def _places(data: Any, path: Path = ()) -> Any:
    for key, value in data.items() if isinstance(data, dict) else enumerate(data):
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from _places(value, (*path, key))


def _by_schema(rng: random.Random) -> dict[str, Any]:
    """A preset with keys of the schema set."""
    data = _preset(rng)
    for _ in range(rng.choice((1, 1, 2, 4))):
        table = rng.choice([t for t in tables() if t.name])
        key, parent = rng.choice(table.keys), data
        for part in table.name.split("."):
            parent = parent.setdefault(part, {}) if isinstance(parent, dict) else {}
            if isinstance(parent, list) and parent:
                parent = rng.choice(parent)
        if isinstance(parent, dict):
            parent[key.name] = odd_value(key, rng)
    return data


def _made_up(rng: random.Random) -> dict[str, Any]:
    """A graph, a rule and a machine by chance; many of them are possible."""
    names = [f"p{i}" for i in range(rng.randint(1, 6))]
    frac = rng.choice((3, 5, 6, 7, 8))
    populations = [{"name": n, "size": rng.choice((1, 3, 4, 8, 17)), "activation": rng.choice(tuple(ACTIVATIONS)),
                    "role": rng.choice(("input", "target", "hidden", "hidden", "constant")), "activity_frac": frac}
                   for n in names]
    for p, role in zip(populations, ("input", "target")):
        p["role"] = role
    for p in populations:
        if p["role"] == "input":
            p["activation"] = "identity"
        if p["role"] == "constant":
            p["size"] = 1
    edges = [{"source": rng.choice(names), "target": rng.choice(names), "scale": rng.choice((0.0, 0.5, 1.0, 4.0)),
              "plastic": rng.random() < 0.8, "alpha_shift": rng.randint(0, 12)} for _ in range(rng.randint(1, 8))]
    for e in edges:
        e.update({k: True for k in ("positive", "identity", "zero_diagonal") if rng.random() < 0.1})
    machine = {"lanes": rng.choice((4, 8, 16)), "row_tiles": rng.choice((1, 2, 4)), "weight_words": 1024,
               "activity_bits": rng.randint(4, 8), "state_bits": rng.randint(8, 16), "state_frac": rng.randint(2, 14),
               "weight_bits": rng.randint(6, 20), "weight_frac": rng.randint(2, 16), "error_bits": rng.randint(8, 16),
               "activity_frac": rng.randint(frac - 1, 9), "tile": rng.choice(("rows", "rows", "rows", "array")),
               "separation": 32, "energy": True, "map_entries": 512, "program_words": 512, "blocks": 128,
               "functions": 8, "row_sum_bits": 50, "feedback_sum_bits": 53}
    rule = {"name": rng.choice(tuple(RULES)), "steps": rng.randint(0, 9),
            "gamma": rng.choice((0.5, 0.25, 0.1, 0.03, 0.004)),
            "beta": rng.choice((0.01, 1.0, 8.0)), "tolerance": rng.choice((0.0, 0.0, 0.001, 1e-9))}
    return {"network": {"populations": populations, "edges": edges}, "rule": rule, "machine": machine}


def _damaged(text: bytes, rng: random.Random) -> bytes:
    found = bytearray(text)
    for _ in range(rng.randint(1, 4)):
        found[rng.randrange(len(found))] = rng.randrange(256)
    return bytes(found)
