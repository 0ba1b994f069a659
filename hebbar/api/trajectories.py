"""States, errors and activities along inference as arrays, read out of what a golden machine recorded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from golden.trace import Job, Trace

__all__ = ["Trajectories", "trajectories"]


@dataclass(frozen=True)
class Trajectories:
    """Each by population, float64 in real units, shape (samples, steps, size): ``states`` of those that can move,
    ``errors`` of those that are predicted, ``activities`` of all.

    Step 0 are the states that inference starts from; the errors of a step are those of its states. Z-IL and backprop
    show step 0 alone, because later errors are of single layers.

    ``steps`` (samples,), int64: how many steps a sample has; where it has fewer than others, NaN follows.
    """

    states: dict[str, NDArray[np.float64]]
    errors: dict[str, NDArray[np.float64]]
    activities: dict[str, NDArray[np.float64]]
    steps: NDArray[np.int64]


def trajectories(job: Job, trace: Trace, every: bool) -> Trajectories:
    """The trajectories of all samples of a recorded ``job``; ``every`` barrier, or those that show inference steps."""
    import numpy as np

    from golden.network_energy import inference_steps

    program, decisions, start = job.program, iter(trace.decisions.tolist()), 0
    seen, before = list[list[int]](), list[list[int]]()
    for _ in range(job.count):
        found = inference_steps(program, job.entry, decisions)
        all_of_them = range(len(found.pc))
        seen.append([start + at for at in (all_of_them if every else found.steps)])
        before.append([start + at for at in (all_of_them if every else found.before)])
        start += len(found.pc)
    steps = np.array([len(rows) for rows in seen], np.int64)
    network, layout, formats = program.layout.network, program.layout, program.machine.formats

    def taken(rows: NDArray[np.int32], at: list[list[int]], name: str, scale: float) -> NDArray[np.float64]:
        place = layout.places[name]
        first = place.word * program.machine.lanes
        out = np.full((len(at), int(steps.max(initial=0)), place.population.size), np.nan)
        for sample, barriers in enumerate(at):
            out[sample, :len(barriers)] = rows[barriers, first:first + place.population.size] / scale
        return out

    return Trajectories(
        {p.name: taken(trace.state, before, p.name, formats.state.scale) for p in network.populations
         if not layout.fixed(p.name)},
        {p.name: taken(trace.error, seen, p.name, formats.error.scale) for p in network.predicted},
        {p.name: taken(trace.activity, before, p.name, 2.0**p.activity_frac) for p in network.populations}, steps)
