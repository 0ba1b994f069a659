"""Two forward passes in place of a backward one: forward-forward."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise

from hebbar.contract.errors import BadInput
from hebbar.contract.isa import Into, Mode, Sweep

from ..layout import Block
from ..network import Edge, Network, Population, Role
from ..schedule import LoopOp, MicroOp, SeparateOp
from .builder import FORWARD, MOVE, Schedule
from .needs import take
from .registry import Option, rule

__all__ = ["LABEL", "forward_forward"]

LABEL = "label"
"""The population, called ``target.label``, that holds the label which an input is seen with."""
GATE = -0.5
"""Added to a label of 0 or 1, so that f' of a rectifier is 1 at the class in question alone."""

Parts = tuple[list[Population], list[Edge]]


def _seen_with_labels(network: Network, options: Mapping[str, Option]) -> Network:
    """The layered network with a label as a second input of its first hidden layer, by the weights that led to the
    target, and with what judges a layer by its own activities."""
    slope, threshold = float(options["slope"]), float(options["threshold"])
    if not slope > 0:
        raise BadInput(f"rule.options.slope is {slope:g}; goodness is told from its threshold by a slope above 0, such "
                       "as 8.0.")
    chain = network.chain
    if chain is None or len(chain) < 3:
        raise BadInput("rule.name is 'forward_forward' and the network is not input, hidden layers and target one "
                       "after the other; give network.layers, without a residual.")
    first, *hidden, last = (network.by_name[name] for name in chain)
    if last.size < 2:
        raise BadInput(f"network: target {last.name!r} has size 1, and rule 'forward_forward' learns from a right "
                       "label and a wrong one; give at least 2 classes.")
    if last.activation != "identity":
        raise BadInput(f"network.populations: target {last.name!r} has activation {last.activation!r}, and rule "
                       "'forward_forward' takes a label of 0 or 1 from it as it is; make it 'identity'.")
    whole = max(min(first.activity_frac - 1, 6), 0)  # a label of 1 is a code, whatever the fraction of other activities
    constants = network.with_role(Role.CONSTANT) or [Population("one", 1, "identity", Role.CONSTANT, whole)]
    one = constants[0]
    last = replace(last, activity_frac=whole)
    passed = {p.name: f"{p.name}.passed" for p in hidden[:-1]}
    edges = [replace(e, source=passed.get(e.source, e.source)) for e in network.edges if e.target != last.name]
    edges += [replace(e, source=f"{last.name}.{LABEL}", target=hidden[0].name) for e in network.edges
              if e.target == last.name and network.by_name[e.source].role is not Role.CONSTANT]
    populations = [first, last, *constants]
    coarse = min(p.activity_frac for p in hidden)
    for more, joined in (_classes(last, one, coarse), (hidden, []),
                         *(_judged(p, last, one, first.activity_frac, slope, threshold, len(hidden)) for p in hidden),
                         *(_centred(p, passed[p.name]) for p in hidden[:-1])):
        populations += more
        edges += joined
    return Network(tuple(populations), tuple(edges))


def _classes(last: Population, one: Population, frac: int) -> Parts:
    """What goes through the classes: those ``.tried``, the one that is the next ``.pick``, the label, ``.scores``, and
    ``.answer``, through which goodness comes to the row of one class."""
    name = last.name
    made = [Population(f"{name}.{end}", last.size, activity_frac=last.activity_frac)
            for end in ("tried", "pick", LABEL)]
    made += [replace(made[0], name=f"{name}.scores", activity_frac=frac),
             replace(made[0], name=f"{name}.answer", activation="relu")]
    joined = [(".scores", ".pick"), (".tried", ".pick"), ("", f".{LABEL}"), (".pick", f".{LABEL}"), (".scores", ""),
              (f".{LABEL}", ".answer"), (".scores", ".answer"), ("", ".answer")]
    return made, [_held(one, f"{name}.answer", GATE), *(Edge.unit(name + a, name + b) for a, b in joined)]


def _judged(layer: Population, last: Population, one: Population, fine: int, slope: float, threshold: float,
            layers: int) -> Parts:
    """Goodness, the mean activity, as its share in the mean over so many layers, and the two slopes of its loss:
    ``.more`` 1 - p, ``.less`` p."""
    made = [Population(f"{layer.name}.goodness", 1)]
    edges = [_held(layer, f"{layer.name}.goodness", 1 / layer.size / layers)]
    edges.append(Edge(f"{last.name}.answer", f"{layer.name}.goodness", scale=0.0, value=1.0, plastic=False))
    for end, sign in (("more", -1.0), ("less", 1.0)):
        made.append(Population(f"{layer.name}.{end}", 1, "sigmoid", Role.HIDDEN, fine))
        edges.append(_held(layer, made[-1].name, sign * slope / layer.size))
        edges += [_held(one, made[-1].name, -sign * slope * threshold)] if threshold else []
    return made, edges


def _centred(layer: Population, passed: str) -> Parts:
    """What the next layer sees: activities less their mean, which is the goodness of this one; their scale stays."""
    mean = replace(layer, name=f"{layer.name}.mean", size=1, activation="identity")
    return [mean, replace(layer, name=passed, activation="identity")], [
        _held(layer, mean.name, 1 / layer.size), _held(mean, passed, -1.0), Edge.unit(layer.name, passed)]


def _held(source: Population, target: str, value: float) -> Edge:
    return Edge(source.name, target, scale=0.0, value=value, plastic=False)


def _answer(s: Schedule) -> list[MicroOp]:
    """The goodness of every class, the mean over the layers, as the state of the target."""
    return [*_begun(s), *_scored(s, _target(s)), take(s, _target(s))]


def _seen_edges(s: Schedule, edge: Edge) -> float:
    """The input once, and once more with either label to learn; what a label changes for every class and in both
    passes, where it is learnt or fed back too."""
    classes = s.layout.network.by_name[_target(s)].size
    if edge.target.endswith((".more", ".less")):
        return 1 + (edge.source != _one(s))
    if edge.target.endswith((".goodness", ".answer")):
        return classes
    return (1 if s.layout.fixed(edge.source) else classes + 2) + 2 * edge.plastic


def _asked_edges(s: Schedule, edge: Edge) -> float:
    """The input once, and all that judges goodness for every class."""
    if edge.target.endswith((".more", ".less")):
        return 0
    network = s.layout.network
    return 1 if edge.target in _layers(network) and s.layout.fixed(edge.source) else network.by_name[_target(s)].size


@rule("forward_forward", answer=_answer, prepare=_seen_with_labels, visits=_seen_edges, answer_visits=_asked_edges,
      slope=8.0, threshold=0.0)
def forward_forward(s: Schedule) -> list[MicroOp]:
    """Forward-forward (Hinton 2022): layers tell inputs with the right label from those with a wrong one, each alone.

    The goodness G of a layer is its mean activity, p = sigmoid(slope (G - threshold)), and a layer learns by
    e = f'(x) slope / N (1 - p) with the right label and by -f'(x) slope / N p with the wrong one that has the highest
    goodness. The next layer sees activities less their mean, which takes their sum away and not their scale. What the
    input and biases contribute to the lowest layer is computed once, so that the second pass has it from before the
    first update. A prediction is the class whose label gives the highest goodness in the mean over the layers.
    """
    name, target = _target(s), s.rows(_target(s))
    ops = [*_begun(s), *_scored(s, f"{name}.scores"), s.op(target, Sweep.ACT)]
    # The right one is brought below all that activities reach, 1 at a time, so that a wrong one is picked.
    reach = s.layout.machine.activity_bits - s.layout.network.by_name[f"{name}.scores"].activity_frac
    lower = s.op(name, Sweep.TRN | Sweep.POST | Sweep.NEG, overwrite=False)
    ops += [LoopOp((lower,), 1 << max(reach, 0)), take(s, f"{name}.scores")]
    ops += [s.op(_label(s), FORWARD | Sweep.FWD, _label(s).of(name)), *_passes(s, "more")]
    ops += [*_picked(s, "scores"), s.op(_label(s), FORWARD | Sweep.FWD, _label(s).of(f"{name}.pick"))]
    return ops + _passes(s, "less")


def _target(s: Schedule) -> str:
    return s.layout.network.with_role(Role.TARGET)[0].name


def _one(s: Schedule) -> str:
    return s.layout.network.with_role(Role.CONSTANT)[0].name


def _label(s: Schedule) -> Block:
    return s.block(f"{_target(s)}.{LABEL}")


def _hidden(s: Schedule) -> list[Block]:
    """The blocks of the layers, the lowest first: the populations that are judged."""
    return [s.block(name) for name in _layers(s.layout.network)]


def _layers(network: Network) -> list[str]:
    return [p.name for p in network.populations if f"{p.name}.goodness" in network.by_name]


def _begun(s: Schedule) -> list[MicroOp]:
    """What an input contributes to the lowest layer, once a sample, into base; no class has been tried."""
    lowest = _hidden(s)[0]
    zero = [s.rows(f"{_target(s)}.tried"), *(s.rows(f"{b.name}.goodness") for b in _hidden(s))]
    return [s.op(lowest, Sweep.FWD | Sweep.HOIST, lowest.clamped), *(s.op(b, FORWARD) for b in zero)]


def _seen(s: Schedule) -> Iterator[tuple[Block, list[MicroOp]]]:
    """Every layer, and what gives its activities, with the label of the moment."""
    lowest, *others = _hidden(s)
    yield lowest, [s.op(lowest, FORWARD | Sweep.FWD | Sweep.BASE, lowest.of(f"{_target(s)}.{LABEL}"))]
    for below, layer in pairwise([lowest, *others]):
        parts = (f"{below.name}.mean", f"{below.name}.passed", layer)
        yield layer, [s.op(part, FORWARD | Sweep.FWD) for part in parts]


def _passes(s: Schedule, end: str) -> list[MicroOp]:
    """One pass, in which every layer learns from its own goodness."""
    ops: list[MicroOp] = []
    for layer, seen in _seen(s):
        judge = s.block(f"{layer.name}.{end}")
        ops += [*seen, s.op(judge, FORWARD | Sweep.FWD),
                s.op(judge, Sweep.TRN | Sweep.POST | Sweep.NEG, judge.of(layer.name)),
                s.op(layer, Sweep.DELTA | Sweep.BACK), s.op(layer, Sweep.UPD)]
    return ops


def _picked(s: Schedule, of: str) -> list[MicroOp]:
    """The first class of the highest activity of a population."""
    pick = s.block(f"{_target(s)}.pick")
    return [s.op(pick, Sweep.FWD | Sweep.HOIST, pick.of(f"{_target(s)}.{of}")),
            SeparateOp(pick, Mode.MAX, Into.STATE), s.op(pick, Sweep.ACT)]


def _scored(s: Schedule, into: str) -> list[MicroOp]:
    """The goodness of every class in the feedback of a population: one class after another is tried, in their order,
    and one that has been tried is 1 lower than the others."""
    classes = s.layout.network.by_name[into].size
    first, later = _tried(s, into, True), _tried(s, into, False)
    return [*first, LoopOp(tuple(later), classes - 1)] if classes > 1 else first


def _tried(s: Schedule, into: str, anew: bool) -> list[MicroOp]:
    """One class: its label, the goodness of every layer, and that into its row of the feedback of ``into``."""
    name = _target(s)
    pick, answer = s.block(f"{name}.pick"), s.block(f"{name}.answer")
    ops = [*_picked(s, "tried"), s.op(pick, Sweep.TRN | Sweep.POST | Sweep.NEG, pick.of(f"{name}.tried")),
           s.op(s.rows(f"{name}.tried"), MOVE, gain=1.0),
           s.op(_label(s), FORWARD | Sweep.FWD, _label(s).of(f"{name}.pick")),
           s.op(answer, Sweep.FWD | Sweep.ERR | Sweep.INIT, answer.of(_one(s), f"{name}.{LABEL}"))]
    for number, (layer, seen) in enumerate(_seen(s)):
        judge = s.block(f"{layer.name}.goodness")
        ops += [*seen, s.op(judge, Sweep.FWD | Sweep.ERR, judge.of(layer.name)),
                s.op(judge, Sweep.TRN | Sweep.NEG, judge.of(answer.name), overwrite=not number)]
    return [*ops, s.op(answer, Sweep.DELTA | Sweep.BACK), s.op(answer, Sweep.TRN, answer.of(into), overwrite=anew)]
