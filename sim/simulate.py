"""``hebbar simulate`` and ``hebbar compare``: one backend at a time, traces as files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from golden.fixed import Ints
from golden.learning.datasets import Dataset
from golden.learning.tasks import LearningTask, as_task, task_of
from golden.learning.weights import load_image
from golden.trace import Job, Trace
from hebbar.compiler.config import Config, parse
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput
from hebbar.contract.files import BUILD, output_folder
from hebbar.contract.suggest import suggest

from .backends.registry import find
from .preflight import preflight

__all__ = ["Simulated", "simulate", "job_of", "run_backend", "load_pair", "load_weights"]


@dataclass(frozen=True)
class Simulated:
    """What a backend did with ``samples`` samples; ``grade`` of its answers (``measure``), None where there are none
    or too few to judge; ``trained``: whether the weights were given."""

    trace: Trace
    samples: int
    measure: str
    grade: float | None
    trained: bool

    def record(self) -> dict[str, Any]:
        """What ``result.json`` holds of it."""
        return {"samples": self.samples, "barriers": len(self.trace.pc), "measure": self.measure, "grade": self.grade,
                "trained": self.trained, "counters": self.trace.counters}


def simulate(config: Config, backend: str, entry: str, samples: int | None, weights: Path | None,
             stall: float, wave: bool, out: Path, reporter: Reporter, build: Path = BUILD) -> Simulated:
    """Run ``samples`` samples of the task on a backend, write the trace to ``out``; with ``wave``
    also a VCD of the same name."""
    find(backend).check(stalls=bool(stall), waves=wave)
    preflight(backend, build)
    program = compile_config(config)
    _check_entry(program, entry)
    task = task_of(program)
    image = load_weights(program, weights) if weights else task.image()
    job = job_of(program, task, entry, samples, image, stall)
    output_folder(out.parent)
    trace = run_backend(job, backend, build, reporter, out.with_suffix(".vcd") if wave else None)
    trace.save(out, {"config": config.model_dump(mode="json"), "backend": backend, "entry": entry,
                     "samples": job.count})
    grade = task.score(trace.outputs) if entry == task.entry else None
    return Simulated(trace, job.count, task.measure, grade, weights is not None)


def job_of(program: Program, data: Dataset | LearningTask, entry: str, samples: int | None, weights: Ints,
           stall: float = 0.0) -> Job:
    """The first ``samples`` samples (None: all) of what ``entry`` is for: training samples, or questions."""
    _check_entry(program, entry)
    if samples is not None and samples < 1:
        raise BadInput(f"samples is {samples}; give 1 or more.")
    return Job(program, entry, weights, as_task(program, data).codes(entry, samples), stall=stall,
               seed=program.config.training.seed)


def run_backend(job: Job, backend: str, build: Path = BUILD, reporter: Reporter | None = None,
                wave: Path | None = None) -> Trace:
    """Run a job on a backend by name; simulators are built below ``build``, once for each machine.

    ``wave``: where to leave a VCD. Raises BadInput for a name that is none and for what the backend cannot do,
    MissingTool when it needs what is not installed.
    """
    chosen, reporter = find(backend), reporter or Reporter(quiet=True)
    with reporter.task(f"{job.entry} on {backend}", job.count) as task:
        model = chosen.prepare(job.program, build, not reporter.console.quiet, waves=wave is not None)
        return chosen.run(job, model, task.advance, wave)


def _check_entry(program: Program, entry: str) -> None:
    if entry not in program.entries and entry != "train":
        raise BadInput(f"there is no entry {entry!r}{suggest(entry, program.entries)}.")
    program.entries[entry]  # which says itself why it is not there


def load_weights(program: Program, path: Path) -> Ints:
    """Weights by edge from a file (``golden.learning.weights``), as a weight image."""
    return load_image(program.layout, path)


def load_pair(first: Path, second: Path) -> tuple[Config, Trace, Trace]:
    """Two traces of the same entry, configuration and number of samples. Raises BadInput when they are not."""
    traces, configs, said = [], [], []
    for path in (first, second):
        trace, meta = Trace.load(path)
        if not (isinstance(meta, dict) and isinstance(meta.get("config"), dict)):
            raise BadInput(f"{path} does not say what was run; write a trace with hebbar simulate.")
        configs.append(meta["config"])
        said.append(meta)
        traces.append(trace)
    if configs[0] != configs[1]:
        tables = [{s: keys for s, keys in c.items() if isinstance(keys, dict)} for c in configs]
        keys = [f"{s}.{k}" for s in tables[0] for k in tables[0][s] if tables[0][s][k] != tables[1].get(s, {}).get(k)]
        raise BadInput(f"{first} and {second} are of different configurations "
                       f"({', '.join(keys) or 'name'} differ); simulate both with the same one.")
    for key, words in (("entry", "of the entries"), ("samples", "of different numbers of samples,")):
        one, other = (meta.get(key) for meta in said)
        if one != other:
            raise BadInput(f"{first} and {second} are {words} {one} and {other}; simulate both with the same --{key}.")
    return parse(configs[0], str(first)), traces[0], traces[1]
