"""``hebbar simulate`` and ``hebbar compare``: one backend at a time, traces as files."""

from pathlib import Path
from zipfile import BadZipFile

import numpy as np

from golden.image import to_image
from golden.training import codes, data_of, initial_image
from hebbar.compiler import Program, compile_config
from hebbar.config import Config, parse
from hebbar.console import Reporter
from hebbar.errors import BadInput
from hebbar.files import output_folder
from hebbar.suggest import suggest

from .backends import golden, pysim, verilator
from .trace import Job, Trace

__all__ = ["simulate", "load_pair", "load_weights"]

BACKENDS = ("golden", "pysim", "verilator")
ENTRIES = ("train", "predict")


def simulate(config: Config, backend: str, entry: str, samples: int | None, weights: Path | None,
             stall: float, wave: bool, out: Path, reporter: Reporter) -> Trace:
    """Run ``samples`` samples of the data on a backend, write the trace to ``out``; with ``wave``
    also a VCD of the same name."""
    for what, name, known in (("backend", backend, BACKENDS), ("entry", entry, ENTRIES)):
        if name not in known:
            raise BadInput(f"there is no {what} {name!r}{suggest(name, known)}.")
    if wave and backend != "verilator":
        raise BadInput(f"--wave records the Verilog; use --backend verilator, not {backend}.")
    program = compile_config(config)
    data = data_of(program)
    part = data.train if entry == "train" else data.test
    part = part.take(np.arange(min(samples or len(part), len(part))))
    image = load_weights(program, weights) if weights else initial_image(program)
    job = Job(program, entry, image, codes(program, part, entry == "train"), stall=stall,
              seed=config.training.seed)
    output_folder(out.parent)
    with reporter.task(f"{entry} on {backend}", len(part)) as task:
        if backend == "verilator":
            model = verilator.prepare(program, out.parent / "build", wave)
            trace = verilator.run(job, model, task.advance)
            if wave:
                (model.folder / "dump.vcd").replace(out.with_suffix(".vcd"))
        else:
            trace = {"golden": golden.run, "pysim": pysim.run}[backend](job)
    trace.save(out, {"config": config.model_dump(mode="json"), "backend": backend})
    return trace


def load_weights(program: Program, path: Path) -> np.ndarray:
    """Weights by edge from an .npz with keys ``source:target``, as a weight image."""
    try:
        with np.load(path) as data:
            weights = {tuple(key.split(":", 1)): data[key] for key in data.files}
    except (OSError, ValueError, BadZipFile) as error:
        raise BadInput(f"{path} is not a readable .npz file of weights ({error}).") from None
    return to_image(program.layout, weights)


def load_pair(first: Path, second: Path) -> tuple[Config, Trace, Trace]:
    """Two traces of the same configuration. Raises BadInput when they are not."""
    traces, configs = [], []
    for path in (first, second):
        try:
            trace, meta = Trace.load(path)
            configs.append(meta["config"])
        except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
            raise BadInput(f"{path} is not a readable trace ({error}); write one with "
                           "hebbar simulate.") from None
        traces.append(trace)
    if configs[0] != configs[1]:
        keys = [f"{s}.{k}" for s in configs[0] if isinstance(configs[0][s], dict)
                for k in configs[0][s] if configs[0][s][k] != configs[1].get(s, {}).get(k)]
        raise BadInput(f"{first} and {second} are of different configurations "
                       f"({', '.join(keys) or 'name'} differ); simulate both with the same one.")
    return parse(configs[0], str(first)), traces[0], traces[1]


