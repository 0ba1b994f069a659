"""Random calls of the Python interface with right and wrong arguments: a right answer, or a sentence.

A right answer is one that the NumPy machine gives on codes made from Python floats, one number at a time.
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from hebbar.api import Curve, Experiment
from hebbar.compiler.config import Config
from hebbar.contract.console import Reporter
from hebbar.contract.memories import Mem
from hebbar.contract.results import Figure

from .cases import figures, run_cases
from .expected import code, same, same_keys, states
from .odd import odd, plain

__all__ = ["measure"]

COUNT = {False: 1000, True: 60}
PRESETS = ("tiny", "query", "hopfield", "stdp", "reward_bases")
Call = tuple[str, Callable[[], str]]

WHOLES: list[Any] = [
    0, 0, 0, 1, 3, 40, 10**6, 10**30, -1, 1.5, "1", None, True, np.int8(3), np.int64(2), np.bool_(True), [], {}, np.nan]
PLACES: list[Any] = [
    None, 3, "", ".", "/", "/dev/null/x.npz", "none.npz", "x.pt", b"w.npz", [], {}, "\0.npz", "a" * 5000 + ".npz",
    "\ud800.npz", Path("none.safetensors"), "/etc/passwd", "/proc/x.npz", True, 1.5, "none.safetensors"]
SOURCES: list[Any] = [
    None, 3, "", ".", "/", "/dev/null", "nope", "tiny.toml", Path("x.toml"), {}, {"network": None}, {"network": 3},
    {"rule": {"source": "/etc/passwd"}}, {"rule": {"source": 3}}, {3: 4}, [], b"tiny", "\0", "a" * 5000, "../" * 50,
    {"network": {"layers": (4, 4)}, "data": {"name": "npz", "path": "\0"}}, True, 1.5, {"name": 3}, {"name": None},
    "tiny", Path("tiny"), {"data": {"path": object()}}, {("a",): {}}, {"machine": {"analog": None}}, "/proc/self/mem"]
REPORTERS: list[Any] = [3, "x", [], object(), Reporter]
SECTIONS: list[Any] = ["network", "rule", "training", "machine", "data", "nope", "name"]
KEYS: list[Any] = [
    None, 3, {}, {"x": 1}, {3: 1}, {"epochs": "3"}, {"epochs": 1e3}, {"epochs": True}, {"seed": 2**70}, {"lanes": 8.0},
    {"lanes": "8"}, {"layers": "16"}, {"layers": (16, 0)}, {"layers": range(3)}, {"options": {"a": object()}},
    {"steps": 10**9}, {"gamma": np.float32(0.5)}, {"gamma": np.nan}, {"path": object()}, {"path": "\0"}, {"path": "x"},
    {"seed": -1}, {"halve_alpha_at": [10**30]}, {"init_scales": [np.inf, 1]}, {"alpha_shifts": [None]}, {"name": "zil"},
    [("epochs", 3)], "epochs", {"epochs": np.int64(2)}, {"layers": [10**9, 10]}, {"beta": 1e308}, {"tolerance": -0.0}]


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """Random calls in a process of at most 4 GB, each of at most 60 s."""
    return figures(run_cases(__name__, COUNT[quick], 1, "random calls of the Python interface", reporter),
                   "random calls")


@cache
def experiment(preset: str) -> Experiment:
    return Experiment(preset)


def prepare() -> None:
    """Compile what every process needs once."""
    for preset in PRESETS:
        e = experiment(preset)
        for entry, transfers in e.program.inputs.items():
            e.run(entry, {t.key: np.zeros((0, t.population.size)) for t in transfers})


def case(rng: Random, folder: Path) -> Call:
    """One call."""
    return rng.choice([_fit, _outputs, _outputs, _run, _run, _run, _float, _set, _set, _cosimulate, _source, _section,
                       _files, _verilog, _train])(rng, folder)


def _outputs(rng: Random, folder: Path) -> Call:
    e, method = experiment("tiny"), rng.choice(["outputs", "predict"])
    way, given = odd(rng, _dyadic(rng, (3, 16)))

    def call() -> str:
        got = getattr(e, method)(given)
        want = states(e.program, e.image, "predict", {"x0": plain(given)})["x2"]
        return same(got, want.argmax(axis=1) if method == "predict" else want)
    return f"{method} of {way}", call


def _run(rng: Random, folder: Path) -> Call:
    preset, entry, samples, said = _samples(rng)
    e, halvings = experiment(preset), rng.choice(WHOLES)

    def call() -> str:
        e._image = None
        got = e.run(entry, samples, halvings)
        e._image = None
        want = states(e.program, e.image, entry, {k: plain(v) for k, v in samples.items()}, int(halvings))
        return next((f"{k}: {wrong}" for k in want if (wrong := same(got[k], want[k]))), "") or same_keys(got, want)
    return f"run of {said}, halvings {halvings!r}", call


def _float(rng: Random, folder: Path) -> Call:
    preset, entry, samples, said = _samples(rng)
    e = experiment(preset)

    def call() -> str:
        e._image = None
        got = e.float_machine().run(entry, samples)
        want = e.float_machine().run(entry, {k: np.array(plain(v), np.float64).reshape(len(v), -1) if len(v) else
                                             np.zeros(np.shape(v)) for k, v in samples.items()})
        return next((f"{k}: {wrong}" for k in want if (wrong := same(got[k], want[k]))), "") or same_keys(got, want)
    return f"float run of {said}", call


def _samples(rng: Random) -> tuple[str, Any, Any, str]:
    """A preset, an entry, samples for it of which one thing may be odd, and what that is."""
    preset = rng.choice(PRESETS)
    e = experiment(preset)
    entry: Any = rng.choice(list(e.program.inputs))
    samples: Any = {t.key: _dyadic(rng, (2, t.population.size), t.memory is Mem.CLAMP) for t in e.program.inputs[entry]}
    said, kind, key = f"{preset} {entry}", rng.randrange(7), rng.choice(list(samples))
    if kind < 4:
        way, samples[key] = odd(rng, samples[key])
        said += f", {key} {way}"
    elif kind == 4:
        samples.pop(key)
        said += f" without {key}"
    elif kind == 5:
        samples[rng.choice(["x", 3, None, ("a",), "é"])] = np.zeros((2, 2))
        said += " and more"
    else:
        samples = rng.choice([None, 3, [], "x", list(samples.items()), np.zeros((2, 2)), set(samples)])
        said += f" as {type(samples).__name__}"
    if rng.random() < 0.1:
        entry = rng.choice(["nope", "", None, 3, "TRAIN", [], {}, ("train",)])
        said += f", entry {entry!r}"
    return preset, entry, samples, said


def _fit(rng: Random, folder: Path) -> Call:
    e = Experiment("tiny", training={"epochs": 1, "halve_alpha_at": ()}, data={"split": "last360"})
    inputs, labels = _dyadic(rng, (20, 16)), np.arange(20.0)[:, None] % 10
    if rng.random() < 0.5:
        way, given = odd(rng, inputs)
        pair, said = (given, labels[:, 0]), f"fit of {way}"
    else:
        way, given = odd(rng, labels)
        pair, said = (inputs, given if rng.random() < 0.3 else _column(given)), f"fit with labels {way}"

    def call() -> str:
        curve = e.fit(*pair)
        want = np.array([[code(x, 7, 8) for x in row] for row in plain(pair[0])])
        return same(np.vstack([e.data.train.codes, e.data.test.codes]), want) or (
            "" if isinstance(curve, Curve) and 0 <= curve.accuracy[-1] <= 1 else f"the curve is {curve}")
    return said, call


def _column(labels: Any) -> Any:
    return labels[:, 0] if isinstance(labels, np.ndarray) and labels.ndim == 2 and labels.shape[1] else labels


def _set(rng: Random, folder: Path) -> Call:
    preset = rng.choice(PRESETS)
    e = experiment(preset)
    e._image = None
    weights: Any = {key: np.floor(np.clip(w, -1, 1) * 256) / 256 for key, w in e.weights.items()}
    key, kind, said = rng.choice(list(weights)), rng.randrange(5), f"set_weights of {preset}"
    if kind < 3:
        way, weights[key] = odd(rng, weights[key])
        said += f", {way}"
    elif kind == 3:
        weights[rng.choice([("a", "b"), "a:b", 3, ("a",), None, (1, 2)])] = np.zeros((2, 2))
    else:
        weights = rng.choice([None, 3, [], "x", {}, list(weights.items())])

    def call() -> str:
        f = e.config.machine.formats.weight
        e.set_weights(weights)
        return next((f"{k}: {wrong}" for k, w in weights.items() if (wrong := same(e.weights[k] * f.scale, np.array(
            [[code(x, f.frac, f.bits) for x in row] for row in plain(w)])))), "")
    return said, call


def _cosimulate(rng: Random, folder: Path) -> Call:
    samples: Any = rng.choice([*WHOLES, {"x": 1}, {"x0": [[0.5] * 16]},
                               {"x0": np.zeros((0, 16)), "x2": np.zeros((0, 10))}])
    backend: Any = rng.choice(["golden", "", None, 3, [], "Fast", "é", "verilater"])
    place: Any = rng.choice(["out", None, 3, "\0"])
    entry: Any = rng.choice(["train", "predict", "query", None, 3, []])
    reporter = rng.choice([None, *REPORTERS, Reporter(quiet=True)])

    def call() -> str:
        return f"it compared: {experiment('tiny').cosimulate(samples, backend, entry, place, reporter)}"
    return f"cosimulate {samples!r} {backend!r} {entry!r} {place!r} {type(reporter).__name__}"[:200], call


def _source(rng: Random, folder: Path) -> Call:
    source = rng.choice(SOURCES)
    return f"Experiment({source!r})"[:120], lambda: "" if isinstance(Experiment(source).config, Config) and Experiment(
        source).program else "no program"


def _section(rng: Random, folder: Path) -> Call:
    section, keys = rng.choice(SECTIONS), rng.choice(KEYS)

    def call() -> str:
        e = Experiment("tiny", **{section: keys})
        assert isinstance(keys, Mapping) and e.program and e.image.any()
        got = {key: getattr(getattr(e.config, section), key) for key in keys}
        return next((f"{key} is {got[key]!r}" for key, value in keys.items() if key != "path" and str(got[key]) != str(
            value) and got[key] != (tuple(value) if isinstance(value, list | range) else value)), "")
    return f"Experiment('tiny', {section}={keys!r})"[:120], call


def _files(rng: Random, folder: Path) -> Call:
    e = experiment("tiny")
    place = rng.choice([*PLACES, folder / "w.npz", str(folder / "deep" / "w.safetensors"), folder,
                        folder / "w.npz" / "x.npz"])
    method = rng.choice(["save_weights", "load_weights"]) if str(place).startswith(str(folder)) else "load_weights"

    def call() -> str:
        before = e.image.copy()
        path = getattr(e, method)(place)
        if method == "save_weights":
            e._image = np.zeros_like(before)
            e.load_weights(path)
        e._image, found = before, e.image
        return "" if method == "load_weights" else same(found, before)
    return f"{method}({place!r})"[:120], call


def _verilog(rng: Random, folder: Path) -> Call:
    place: Any = rng.choice([None, 3, "", ".", folder, "\0", b"x.v", [], "a" * 5000])
    return f"verilog({place!r})"[:80], lambda: f"it wrote {experiment('tiny').verilog(place)}"


def _train(rng: Random, folder: Path) -> Call:
    method, reporter = rng.choice(["train", "fit"]), rng.choice(REPORTERS)
    e = Experiment("tiny", training={"epochs": 1})
    return f"{method} with reporter {type(reporter).__name__}", lambda: "it trained: " + str(
        e.train(reporter) if method == "train" else e.fit(np.zeros((20, 16)), np.arange(20) % 10, reporter))


def _dyadic(rng: Random, shape: tuple[int, int], mask: bool = False) -> np.ndarray:
    """Numbers that every type of float holds, 0 to 1; of a mask 0 and 1."""
    drawn = np.random.default_rng(rng.getrandbits(32)).integers(0, 2 if mask else 257, shape)
    return drawn.astype(np.float64) if mask else drawn / 256
