"""Some samples on a backend and on the golden machine, every word compared: ``Experiment.cosimulate``."""

from dataclasses import replace
from pathlib import Path

from golden.trace import Job
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput, MissingTool
from hebbar.contract.files import BUILD
from hebbar.contract.results import Check

from . import simulate
from .backends.registry import BACKENDS, REFERENCE, find
from .compare import nonzero_updates
from .parts import merged
from .write_hashes import compared
from .writes import compare_writes

__all__ = ["cosimulate"]


def cosimulate(job: Job, backend: str, build: Path | None, reporter: Reporter) -> Check:
    """Run ``job`` on ``backend``, built below ``build`` (None: in the user's cache), and on the golden machine.

    Raises BadInput for a job without samples and for golden against itself, MissingTool when the backend needs what is
    not installed.
    """
    others = [repr(name) for name in BACKENDS if name != REFERENCE]
    if backend == REFERENCE:
        raise BadInput("cosimulate compares a backend with the golden machine; give one of "
                       f"{', '.join(others)}.")
    if not job.count:
        raise BadInput("samples has no row, so that nothing would be compared; give one sample or more.")
    chosen, build = find(backend), build or BUILD
    job = replace(job, hashes=chosen.hashes)
    try:
        rtl = simulate.run_backend(job, backend, build, reporter)
    except MissingTool as error:
        free = next(name for name, other in BACKENDS.items() if name != REFERENCE and not other.programs)
        raise MissingTool(f"{error} Without it, backend={free!r} needs no tools.") from None
    result = compared(job, simulate.run_backend(job, REFERENCE), rtl,
                      lambda: chosen.writes(job, chosen.prepare(job.program, build, announce=False)))
    if rtl.writes:
        result = merged([result, compare_writes(job, rtl.writes)])
    return Check(result.total_words, result.total_mismatches, str(result.first) if result.first else None,
                 nonzero_updates(rtl, job.weights), rtl.counters)
