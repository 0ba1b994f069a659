"""Z-IL against differentiation of another kind, and bit for bit against backprop on the machine.

The yardstick is forward differentiation by complex steps, im(loss(w + ih)) / h: the loss is run again for every
weight, no error is sent back, no product of derivatives is formed, and nothing cancels however small h is.

In fixed point the state of a level is a whole number of codes away from its prediction, so the error that comes
out of it is the feedback that went in: Z-IL learns bit for bit what backprop learns, until a state is clipped.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure
from numpy.typing import NDArray

from golden import reference as ref
from golden.learning.datasets import Samples, epoch_order
from golden.learning.training import codes, data_of
from golden.reference.training import accuracy, ends, halvings
from golden.session import Session, initial_image
from hebbar.compiler.config import Config, load
from hebbar.compiler.network import Network
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.report.figures import BLUE, GREEN, ORANGE, PURPLE, panels
from hebbar.report.svg import STYLE

from .parameter_sweep import in_parallel

__all__ = ["CASES", "EXACT", "Loss", "Twins", "config", "half_square", "derivative", "slopes", "gap", "wavefront",
           "counterpart", "twins", "study", "draw"]

Reals = NDArray[np.float64]
Weights = dict[tuple[str, str], Reals]
Loss = Callable[[NDArray[np.complex128]], NDArray[np.complex128]]
"""A loss (batch,) of outputs (batch, size), analytic."""

SKIP = "residual, skip"
CASES = {"64-64-10": "digits_zil", "residual": "residual", SKIP: "residual"}
"""Presets; with the skip, an edge past the second block reaches the output through an identity node."""
FUNCTIONS: dict[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "identity": lambda x: x, "relu": lambda x: np.where(x.real >= 0, x, 0 * x),
    "leaky": lambda x: np.where(x.real >= 0, x, x / 8), "tanh": np.tanh}
"""Activations of complex numbers, kinks by the real part."""
EXACT = 1e-12
"""The largest relative difference that is rounding in float64."""
TINY = 1e-30
LOOKS = ((BLUE, "s", "-"), (ORANGE, "o", "--"), (GREEN, "D", "-."), (PURPLE, "^", ":"))
PROCESSES = 2


def config(case: str) -> Config:
    """The preset of a case, all on one machine."""
    chosen = load(CASES[case]).replace(machine=load("residual").machine.model_dump())
    if case != SKIP:
        return chosen
    edges = [e.model_dump() for e in chosen.network.edges]
    return chosen.replace(network={"edges": [*edges, edges[-1] | {"source": "h1"}]})


def half_square(target: Reals) -> Loss:
    """1/2 |target - output|^2."""
    return lambda output: 0.5 * ((target - output) ** 2).sum(axis=1)


def forward(network: Network, weights: Weights, x: Reals, probe: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """States of all populations for one input (size,); ``probe``: rows that are added to what drives a population."""
    states: dict[str, NDArray[Any]] = {ends(network)[0]: x[None].astype(complex)}
    for name in network.order or ():
        if name not in states:
            active = {e.source: _active(network, e.source, states[e.source]) for e in network.incoming(name)}
            states[name] = sum((active[e.source] if e.identity else active[e.source] @ weights[e.source, name].T
                                for e in network.incoming(name)), probe.get(name, np.zeros(1)))
    return states


def _active(network: Network, name: str, x: NDArray[Any]) -> NDArray[Any]:
    return FUNCTIONS[network.by_name[name].activation](x)


def derivative(network: Network, weights: Weights, x: Reals, loss: Loss, name: str, probes: Reals) -> Reals:
    """-dloss along each of the ``probes`` (count, size) of what drives a population."""
    output = forward(network, weights, x, {name: 1j * TINY * probes})[ends(network)[1]]
    return -loss(output).imag / TINY


def slopes(network: Network, weights: Weights, x: Reals, loss: Loss) -> tuple[dict[str, Reals], Weights]:
    """-dloss of one input, along everything that drives a population and along every weight."""
    active = {n: _active(network, n, s)[0].real for n, s in forward(network, weights, x, {}).items()}
    units = {name: np.eye(network.by_name[name].size) for name in {e.target for e in network.edges}}
    pulls = {name: derivative(network, weights, x, loss, name, rows) for name, rows in units.items()}
    by_weight = {}
    for e in network.stored:
        probes = (units[e.target][:, None, :] * active[e.source][None, :, None]).reshape(-1, len(units[e.target]))
        found = derivative(network, weights, x, loss, e.target, probes)
        by_weight[e.source, e.target] = found.reshape(weights[e.source, e.target].shape)
    return pulls, by_weight


def setting(case: str, sample: int) -> tuple[Program, Network, Weights, Samples]:
    """The program of Z-IL, the network as configured, and a digit with random weights of its own."""
    program = compile_config(config(case))
    network = program.config.configured_network()
    return program, network, ref.initial_weights(network, sample), data_of(program).train.take([sample])


def gap(case: str, sample: int) -> float:
    """The largest difference between an update of Z-IL and the slopes of the loss, edge by edge, as a share of the
    edge's largest slope."""
    program, network, weights, some = setting(case, sample)
    delta = ref.zil(network, weights, _clamps(network, some), program.config.rule).delta
    _, wanted = slopes(network, weights, some.inputs_float[0], half_square(some.targets))
    alpha = {(e.source, e.target): 2.0**-e.alpha_shift for e in network.stored}
    return max(float(np.abs(delta[key] / alpha[key] - w).max() / np.abs(w).max()) for key, w in wanted.items())


def wavefront(case: str) -> tuple[dict[str, Reals], dict[str, int]]:
    """Measure for every population that is predicted the distance of its error from the slope of the loss, relative,
    at every state step of Z-IL on the first sample, and the step at which it learns."""
    program, network, weights, some = setting(case, 0)
    path = ref.zil(network, weights, _clamps(network, some), program.config.rule).relaxation
    wanted, _ = slopes(network, weights, some.inputs_float[0], half_square(some.targets))
    levels = program.layout.network.levels
    assert path is not None and levels is not None
    off = {name: np.array([np.linalg.norm(e[name][0] - w) / np.linalg.norm(w) for e in path.errors])
           for name, w in wanted.items()}
    return off, {name: levels[name] for name in off}


def _clamps(network: Network, some: Samples) -> dict[str, Reals]:
    return dict(zip(ends(network), (some.inputs_float, some.targets)))


@dataclass(frozen=True)
class Twins:
    """Z-IL and backprop trained alike: percent on the test set of each, and after every epoch how many weights
    differ and how many states have been clipped so far."""

    zil: float
    backprop: float
    different: tuple[int, ...]
    clipped: tuple[int, ...]

    def __str__(self) -> str:
        return f"{self.clipped[-1]} states clipped, {self.different[-1]} weights differ"

    @property
    def bit_exact(self) -> bool:
        """No weight differs after an epoch up to which no state was clipped."""
        return not any(d for d, c in zip(self.different, self.clipped) if not c)


def twins(case: str, seed: int, epochs: int | None = None) -> Twins:
    """Train a case by both programs on the golden machine: one start, one order, one split."""
    base = config(case).replace(training={"seed": seed}, data={"seed": seed})
    programs = [compile_config(base)]
    programs.append(compile_config(counterpart(programs[0])))
    data, training, sessions = data_of(programs[0]), base.training, [Session(p, initial_image(p)) for p in programs]
    different, clips = [], [0]
    for epoch in range(epochs or training.epochs):
        samples = data.train.take(epoch_order(len(data.train), training.seed, epoch))
        clips.append(clips[-1] + sum(_learn(s, samples, halvings(training, epoch)) for s in sessions))
        different.append(_different(sessions))
    zil, backprop = (100 * _accuracy(s, data.test) for s in sessions)
    return Twins(zil, backprop, tuple(different), tuple(clips[1:]))


def counterpart(program: Program) -> Config:
    """Backprop on the graph that Z-IL runs: an identity node rounds what goes through it."""
    graph = program.layout.network
    return program.config.replace(
        network={"layers": (), "populations": [asdict(p) for p in graph.populations],
                 "edges": [asdict(e) for e in graph.edges]},
        rule={"name": "backprop", "alpha_shifts": (), "init_scales": ()})


def _learn(session: Session, samples: Samples, slower: int) -> int:
    """States clipped on the way."""
    before = session.counters["sat_state"]
    session.run_codes("train", codes(session.program, samples, True), slower)
    return session.counters["sat_state"] - before


def _different(sessions: list[Session]) -> int:
    one, other = (s.weights.values() for s in sessions)
    return sum(int((a != b).sum()) for a, b in zip(one, other))


def _accuracy(session: Session, test: Samples) -> float:
    outputs = session.run_codes("predict", codes(session.program, test, False))
    return accuracy(outputs[ends(session.program.layout.network)[1]], test.labels)


def study(seeds: int, samples: int, reporter: Reporter, epochs: int | None = None
          ) -> dict[str, tuple[list[float], list[Twins]]]:
    """Measure for every case the gaps of ``samples`` digits, each with random weights of its own, and the trainings of
    ``seeds``."""
    gaps = in_parallel(gap, [(c, n) for c in CASES for n in range(samples)], PROCESSES, reporter, "updates",
                       lambda g: f"{g:.1e}")
    trained = in_parallel(twins, [(c, n, epochs) for c in CASES for n in range(seeds)], PROCESSES, reporter,
                          "trainings", lambda t: f"{t.zil:.1f} %")
    return {c: (gaps[i * samples:(i + 1) * samples], trained[i * seeds:(i + 1) * seeds]) for i, c in enumerate(CASES)}


def draw(cases: Mapping[str, tuple[Mapping[str, Reals], Mapping[str, int]]]) -> Figure:
    """Draw for every case the distances of errors from slopes, by population and state step; a filled marker where it
    learns."""
    with rc_context(STYLE):
        figure, axes = panels(2.7, len(cases), sharey=True)
        for a, (title, (off, levels)) in zip(axes, cases.items()):
            for name, (colour, marker, line) in zip(sorted(off, key=lambda n: levels[n]), LOOKS):
                shown, at = np.maximum(off[name], 1e-17), levels[name]
                a.semilogy(shown, line, color=colour, marker=marker, markersize=4, markerfacecolor="none",
                           linewidth=1.2, label=name)
                a.semilogy([at], [shown[at]], marker=marker, color=colour, markersize=7)
            a.set(title=title, xlabel="state step", ylim=(3e-18, 1e3), xticks=range(len(shown)))
            a.legend(loc="upper left", ncols=len(off), columnspacing=0.8, handlelength=1.6)
        axes[0].set_ylabel("error less slope of the loss,\nrelative (filled: it learns)")
        return figure
