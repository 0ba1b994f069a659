"""What makes a training void, counted and said in sentences that name the key.

Fixed point clips where float overflows: a training that diverges ends in plausible numbers. A healthy one clips less
than one value in 100,000 (every preset, over two epochs); one state in 1,000 already costs accuracy, and where a
training has diverged it is one in five or more. ``CLIPPED`` lies between.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hebbar.compiler.network import Edge, Role
from hebbar.compiler.program import Program
from hebbar.compiler.schedule import LoopOp, MicroOp, SweepOp
from hebbar.compiler.tasks import Kind
from hebbar.contract.isa import Sweep

from ..analog import limits
from ..fixed import Ints
from ..image import from_image
from ..session import Session
from ..trace import Job
from .tasks.task import LearningTask

__all__ = ["KINDS", "Health", "at_bound", "clipped", "examine", "examine_run", "values_a_sample"]

KINDS = ("error", "state", "feedback", "weight")
"""What is clipped and counted; ``sat_`` in front names the counter of the machine."""
CLIPPED = 1e-3
"""Share of the values of an epoch, or of the weights of an edge at their bound, from which on it is said."""
DEAD = 0.5
"""Share of a hidden population, more than which is said when it is dead; rectifiers leave some dead in any network."""
PROBED = 64
"""Held-out samples on which units are looked at."""


@dataclass(frozen=True)
class Health:
    """``saturations``: values clipped in every epoch, by KINDS; ``shares``: the largest of an epoch as a share of the
    values there were; ``at_bound``: share of the weights of an edge at an end of their format, by "source:target";
    ``dead``: hidden units whose activity is the same in all probed samples, by population; ``warnings``: sentences;
    ``macro``: shares of the values at a limit of an analog macro, by ``golden.analog.limits.KINDS``."""

    saturations: tuple[dict[str, int], ...]
    shares: dict[str, float]
    at_bound: dict[str, float]
    dead: dict[str, int]
    warnings: tuple[str, ...]
    macro: dict[str, float] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """What ``result.json`` holds of it."""
        return {"saturations": list(self.saturations), "saturation_shares": self.shares,
                "weights_at_bound": self.at_bound, "dead_units": self.dead, "warnings": list(self.warnings),
                **({"macro_limits": self.macro} if self.macro else {})}


def clipped(counters: Mapping[str, int]) -> dict[str, int]:
    """The saturation counts among the counters of a machine, by KINDS."""
    return {kind: int(counters[f"sat_{kind}"]) for kind in KINDS}


def values_a_sample(program: Program, entry: str = "train") -> dict[str, int]:
    """How many values a sample of ``entry`` can clip, by KINDS; where an EXIT leaves early there are fewer."""
    counts = dict.fromkeys(KINDS, 0)
    (loop,) = program.schedules[entry]
    assert isinstance(loop, LoopOp), "every schedule is one loop over the samples"
    for op in _unrolled(loop.body):
        f, rows = op.flags, op.block.rows
        moved = f & (Sweep.STEP | Sweep.DELTA)
        learnt = sum(c.lanes for c in op.columns if c.edge.plastic) if f & Sweep.UPD else 0
        for kind, count in (("error", bool(f & Sweep.ERR) + bool(f & Sweep.DELTA)), ("feedback", bool(moved)),
                            ("state", bool(f & Sweep.INIT) + bool(f & Sweep.STEP)), ("weight", learnt)):
            counts[kind] += rows * count
    return counts


def _unrolled(ops: Iterable[MicroOp]) -> Iterable[SweepOp]:
    for op in ops:
        if isinstance(op, SweepOp):
            yield op
        elif isinstance(op, LoopOp):
            for _ in range(op.count):
                yield from _unrolled(op.body)


def at_bound(program: Program, image: Ints) -> dict[str, float]:
    """Share of the weights of every stored edge that are the smallest or the largest there is, by "source:target"."""
    least, most = program.machine.weight_bounds
    return {f"{source}:{target}": float(np.mean((codes <= least) | (codes >= most)))
            for (source, target), codes in _codes(program, image).items()}


def examine(program: Program, task: LearningTask, accuracy: Sequence[float], saturations: Sequence[Mapping[str, int]],
            first: Ints, last: Ints, macro: Mapping[str, float] = {}) -> Health:
    """Judge a training by its accuracy and saturations after every epoch and its first and last weight image;
    ``macro``: shares of the values at a limit of an analog macro."""
    possible = {kind: max(1, count * task.count) for kind, count in values_a_sample(program).items()}
    shares = {kind: max((s[kind] for s in saturations), default=0) / possible[kind] for kind in KINDS}
    bound, dead = at_bound(program, last), _dead(program, task, last)
    said = [*_beyond(program, first), *_diverged(program, shares, bound), *limits.said(program.machine, macro, CLIPPED),
            *_unlearnt(program, first, last), *_silent(program, dead)]
    if said and accuracy and task.labels is not None and accuracy[-1] <= _chance(task.labels):
        said[0] = f"{said[0]} The accuracy of the last epoch, {100 * accuracy[-1]:.1f} %, is that of guessing."
    return Health(tuple(dict(s) for s in saturations), shares, bound, dead, tuple(said), dict(macro))


def _beyond(program: Program, first: Ints) -> Iterable[str]:
    """First weights that no cell of an analog macro can hold."""
    if program.machine.kind.macro and (count := limits.beyond_cells(program.machine, first)):
        scale = "rule.init_scales" if program.config.network.layers else "scale of the edges"
        yield (f"{count} of the first weights are beyond machine.analog.device.weight_range "
               f"({program.machine.analog.device.weight_range:g}) and were programmed at its end; raise it or lower "
               f"{scale}.")


def examine_run(program: Program, entry: str, samples: int, counted: Mapping[str, int]) -> tuple[str, ...]:
    """What to say of a run of ``samples`` that clipped ``counted`` values, by KINDS."""
    possible = values_a_sample(program, entry)
    return tuple(_diverged(program, {kind: counted[kind] / max(1, possible[kind] * samples) for kind in KINDS}, {}))


def _diverged(program: Program, shares: Mapping[str, float], bound: Mapping[str, float]) -> Iterable[str]:
    """What was clipped, and what to turn."""
    f, c = program.machine.formats, program.config
    kinds = {"error": ("errors", f.error), "state": ("states", f.state), "feedback": ("feedback sums", f.feedback),
             "weight": ("learnt weights", f.weight)}
    if any(e.plastic and e.positive for e in program.layout.network.stored):
        del kinds["weight"]  # they clip at zero, as they should
    much = [kind for kind in kinds if shares[kind] >= CLIPPED]
    learnt = {f"{e.source}:{e.target}" for e in program.layout.network.stored if e.plastic}
    ends = {edge: share for edge, share in bound.items() if share >= CLIPPED and edge in learnt}
    narrow = c.machine.weight_bounds[1] < f.weight.hi
    end = f"machine.analog.device.weight_range ({c.machine.analog.device.weight_range:g})" if narrow else f.weight
    said = [f"{_percent(shares[k])} of the {kinds[k][0]} were clipped to {kinds[k][1]}" for k in much] + [
        f"{_percent(share)} of the weights {edge.replace(':', ' to ')} are at the end of {end}"
        for edge, share in ends.items()]
    if said:
        keys = _keys(program, bool(set(much) - {"weight"}), "weight" in much or (bool(ends) and not narrow))
        yield f"values saturate: {', '.join(said)}; {keys}."


def _keys(program: Program, moving: bool, learnt: bool) -> str:
    """What to turn where states or errors were ``moving`` too far, and where weights reached the end of their format;
    with what it is now."""
    c, layers = program.config, bool(program.config.network.layers)
    alphas = f"rule.alpha_shifts ({list(c.rule.alpha_shifts)})" if layers else "alpha_shift of the edges"
    scales = f"rule.init_scales ({list(c.rule.init_scales)})" if layers else "the scale of the edges"
    wider = [f"machine.state_frac ({c.machine.state_frac})"] * moving + [
        f"machine.weight_frac ({c.machine.weight_frac})"] * learnt
    first = f"lower rule.gamma ({c.rule.gamma:g}) or {scales}, " if moving else ""
    last = f"lower {' and '.join(wider)} for a wider range" if wider else "raise that range"
    return f"{first}raise {alphas}, or {last}"


def _unlearnt(program: Program, first: Ints, last: Ints) -> Iterable[str]:
    """Plastic edges of which no weight changed."""
    before, after = _codes(program, first), _codes(program, last)
    same = [e for e in program.layout.network.stored if e.plastic
            and np.array_equal(before[e.source, e.target], after[e.source, e.target])]
    for e in same:
        zero = ", all of which are 0," if not after[e.source, e.target].any() else ""
        yield f"no weight of {e.source} to {e.target}{zero} has changed in the training: {_why_not(program, e)}."


def _why_not(program: Program, edge: Edge) -> str:
    rule = program.config.rule
    if not rule.gamma * rule.steps and program.layout.network.by_name[edge.target].role is Role.HIDDEN:
        return (f"with rule.gamma {rule.gamma:g} and rule.steps {rule.steps} no hidden state moves, so that it has no "
                "error")
    return ("an update below half a code is lost, and where activities and weights are 0 there is none; lower its "
            "alpha_shift, raise machine.weight_frac or raise its init scale")


def _silent(program: Program, dead: Mapping[str, int]) -> Iterable[str]:
    sizes = {p.name: p.size for p in program.layout.network.populations}
    for name, count in dead.items():
        if count > DEAD * sizes[name]:
            yield (f"{count} of the {sizes[name]} units of {name} have the same activity whatever the input and tell "
                   "nothing; lower the learning rate or the initial weights, or use another activation than "
                   f"{program.layout.network.by_name[name].activation!r}.")


def _dead(program: Program, task: LearningTask, image: Ints) -> dict[str, int]:
    """Units of every hidden population whose activity is one code at every barrier of the probed samples. An analog
    macro, whose noise moves every unit, is not asked, nor is a network that does not classify."""
    if task.kind is not Kind.CLASSIFICATION:
        return {}
    own = program.config.configured_network().by_name  # without what a rule adds for its own use
    hidden = [p for p in program.layout.network.with_role(Role.HIDDEN) if p.name in own]
    samples = task.codes("predict", PROBED)
    count, inputs = min(PROBED, task.asked), next(iter(samples.values()))
    if program.machine.kind.macro or count < 2 or (inputs == inputs[:1]).all():
        return {}
    session = Session(program, image)
    session.run_codes("predict", {key: codes[:1] for key, codes in samples.items()})  # what the training left is gone
    activity = session.run(Job(program, "predict", image, {key: codes[1:] for key, codes in samples.items()})).activity
    still = activity.min(axis=0) == activity.max(axis=0)
    lanes, places = program.machine.lanes, program.layout.places
    return {p.name: int(still[places[p.name].word * lanes:][:p.size].sum()) for p in hidden}


def _chance(labels: Ints) -> float:
    """An accuracy that guessing the commonest class reaches, two standard deviations of its luck added."""
    most = np.bincount(labels).max() / len(labels)
    return float(most + 2 * np.sqrt(most * (1 - most) / len(labels)))


def _codes(program: Program, image: Ints) -> dict[tuple[str, str], np.ndarray]:
    scale = program.machine.formats.weight.scale
    return {key: matrix * scale for key, matrix in from_image(program.layout, image).items()}


def _percent(share: float) -> str:
    return f"{100 * share:.{1 if share >= 0.01 else 2}f} %"
