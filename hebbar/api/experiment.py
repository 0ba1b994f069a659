"""What an experiment does: train, answer, run on the RTL, cost, report."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from hebbar.arguments import file_path, new_file, reporter_of, whole
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput, warn
from hebbar.contract.results import Check, Curve

from .configured import Configured
from .trajectories import Trajectories

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from golden.learning.training import FloatCurve
    from golden.reference.interpreter import FloatMachine
    from golden.trace import Job
    from hebbar.compiler.network import Population
    from hebbar.energy.run import Priced

__all__ = ["Experiment"]


class Experiment(Configured):
    """A network with its rule, machine, data and current weights.

    ``source``: the name of a preset, the path of a TOML file, a dictionary of the same form or a
    Config; ``sections`` override keys of ``network``, ``rule``, ``training``, ``machine`` and
    ``data``, as in ``training={"epochs": 3}``. Raises BadInput with the key and the fix.

    Weights start from the configured seed. Long calls are quiet unless given ``reporter=True``.
    """

    def train(self, reporter: Reporter | bool | None = None) -> Curve:
        """Train on the golden machine from the seeded start, whatever was trained or loaded before; the trained
        weights become the current ones."""
        curve = self._train(reporter_of(reporter))
        warn(curve.warnings)
        return curve

    def fit(self, inputs: ArrayLike, labels: ArrayLike, reporter: Reporter | bool | None = None) -> Curve:
        """Take samples of one's own from now on, and train on them as ``train`` does.

        ``inputs`` (samples, input size) in real units, ``labels`` (samples,) class numbers from 0. A
        fifth is held out as ``data.split`` and ``data.seed`` say. Raises BadInput for samples that do
        not fit the network or the input format.
        """
        from golden.learning.datasets import from_arrays
        from golden.learning.training import checked

        (source, target), reporter = self._ends, reporter_of(reporter)
        self._data = checked(self.program, from_arrays(
            inputs, labels, self.config.data, source.activity_frac, self.config.machine.activity_bits, target.size))
        self._fitted = True
        curve = self._train(reporter)
        warn(curve.warnings)
        return curve

    def train_float(self) -> FloatCurve:
        """Train in float64: accuracy by epoch and weights. Nothing changes here. Raises BadInput when
        it diverges."""
        from golden.learning.tasks import task_of
        from golden.learning.training import train_float

        task = task_of(self.program, self._data)
        warn(task.doubts)
        return train_float(self.program, task)

    def outputs(self, inputs: ArrayLike) -> NDArray[np.float64]:
        """Target states (samples, target size), float64 in real units, of the golden machine with the
        current weights, seeded ones before a training, for real ``inputs`` (samples, input size)."""
        from golden.learning.answers import answers

        states, said = answers(self.program, self.image, inputs)
        warn(said)
        return states

    def predict(self, inputs: ArrayLike) -> NDArray[np.int64]:
        """Class numbers (samples,), int64: the largest of ``outputs``, the first of equal ones."""
        from golden.learning.answers import answers

        states, said = answers(self.program, self.image, inputs)
        warn(said)
        return states.argmax(axis=1)

    def score(self, inputs: ArrayLike, labels: ArrayLike) -> float:
        """The share of ``inputs`` (samples, input size) that ``predict`` answers with their ``labels`` (samples,),
        class numbers from 0. Raises BadInput for labels that are none, and for no samples."""
        from golden.learning.answers import answers, share_of_right

        states, said = answers(self.program, self.image, inputs)
        right = share_of_right(states, labels)
        warn(said)
        return right

    def trajectories(self, samples: int | Mapping[str, ArrayLike] = 10, entry: str = "train", every: bool = False
                     ) -> Trajectories:
        """States, errors and activities along inference, from the current weights, which stay as they are.

        ``samples``: how many of the data, or samples of one's own as for ``run``; "train" learns from one to the next.
        ``every``: at every barrier of the program, not only where all errors of an inference step are there.
        """
        from dataclasses import replace

        from golden.session import Session
        from hebbar.compiler.program import drained

        from .trajectories import trajectories

        job = self._job(entry, samples)
        job = replace(job, program=drained(job.program))
        return trajectories(job, Session(job.program, self.image).run(job), every)

    def run(self, entry: str, samples: Mapping[str, ArrayLike], halvings: int = 0) -> dict[str, NDArray[np.float64]]:
        """Run an entry of the program on the golden machine with the current weights, and take over what
        it has learnt.

        ``entry``: "train", "predict" or, where an input is predicted, "query". ``samples`` and the
        returned outputs: real numbers (samples, size) by population; in a query "name.clamp" is 1 where a
        neuron of "name" is held at its value. Every alpha is the configured one times 2**-``halvings``.
        """
        from golden.learning.health import clipped, examine_run
        from golden.session import Session

        session = Session(self.program, self.image)
        outputs = session.run_entry(entry, samples, whole("halvings", halvings, 0))
        self._image = session.image.copy()
        warn(examine_run(self.program, entry, session.count, clipped(session.counters)))
        return outputs

    def float_machine(self) -> FloatMachine:
        """A machine that runs this program in float64, from the current weights: ``run(entry, samples)`` as here.
        Gamma, other gains and tolerance are those that the machine holds (``parameters``); beta is the configured
        one."""
        from golden.reference.interpreter import FloatMachine

        return FloatMachine(self.program, self.weights)

    def cosimulate(self, samples: int | Mapping[str, ArrayLike] = 20, backend: str = "verilator", entry: str = "train",
                   folder: str | Path | None = None, reporter: Reporter | bool | None = None) -> Check:
        """Run ``samples`` from the current weights on the RTL and on the golden machine and compare every
        word. The current weights stay as they are. ``samples``: how many of the data, all where there are fewer, or
        samples of one's own as for ``run``.

        ``backend``: a name that ``hebbar simulate --help`` explains, but for the golden machine's own: "verilator" runs
        the exported Verilog, "pysim" the Amaranth design without any tools. ``entry`` as for ``run``; simulators are
        built once for each machine, in ``folder``/build (None: in the user's cache). Raises MissingTool when the
        backend is not installed.
        """
        from sim.cosimulate import cosimulate

        build, reporter = folder if folder is None else file_path("folder", folder) / "build", reporter_of(reporter)
        return cosimulate(self._job(entry, samples), backend, build, reporter)

    def energy(self, samples: int = 100, technology: str = "cmos45", clock_mhz: float = 100.0,
               reporter: Reporter | bool | None = None) -> Priced:
        """What training on the first ``samples`` samples costs: energy by part, block and verb, power and time at a
        clock, area. Exact counts of the golden machine from the seeded start, times a sourced table.

        ``technology``: a name that ships with Hebbar or the path of a TOML file. Raises BadInput for one that is none.
        """
        from hebbar.energy.run import priced_runs

        if isinstance(clock_mhz, bool) or not isinstance(clock_mhz, int | float) or not 1e-3 <= clock_mhz <= 1e5:
            raise BadInput(f"clock_mhz is {clock_mhz!r}; give a number from 0.001 to 100000.")
        return priced_runs(self.config, whole("samples", samples, 1), [str(technology)], float(clock_mhz),
                           reporter_of(reporter), self._data)[0]

    def report(self, folder: str | Path = "out/run", samples: int | None = None, wave: bool = False,
               quick: bool = False, reporter: Reporter | bool | None = None) -> Path:
        """Do what ``hebbar run`` and ``hebbar report`` do: train anew in float and fixed point, replay ``samples``
        training samples (None: an epoch) on the RTL, compare, and write it all to ``folder``. Returns the page.

        ``wave``: with a waveform, which takes a second simulator; ``quick``: one epoch of a few samples. Raises
        BadInput where samples were given to ``fit``, which the page could not read again.
        """
        from .reporting import report

        if self._data is not None and self._fitted:
            raise BadInput("report reads its samples again, and these were given to fit; save them with numpy.savez as "
                           "inputs and labels, and give data.name 'npz' and data.path.")
        return report(self.config, file_path("folder", folder),
                      None if samples is None else whole("samples", samples, 1), bool(wave), bool(quick),
                      reporter_of(reporter))

    def verilog(self, path: str | Path) -> Path:
        """Write the synthesizable Verilog of the machine, top module ``hebbar``."""
        from hebbar.contract.files import write_text
        from hw.verilog import export

        path = new_file("path", path)
        write_text(path, export(self.config.machine))
        return path

    def _job(self, entry: str, samples: int | Mapping[str, ArrayLike]) -> Job:
        """Samples of one's own, or so many of the task, for an entry, from the current weights."""
        from golden.learning.tasks import task_of
        from golden.streams import to_codes
        from golden.trace import Job
        from sim.simulate import job_of

        if isinstance(samples, Mapping):
            return Job(self.program, entry, self.image, to_codes(self.program, entry, samples))
        return job_of(self.program, task_of(self.program, self._data), entry, whole("samples", samples, 1), self.image)

    @property
    def _ends(self) -> list[Population]:
        """The one input and the one target population."""
        from golden.reference.training import ends

        return [self.program.layout.network.by_name[name] for name in ends(self.program.layout.network)]

    def _train(self, reporter: Reporter) -> Curve:
        from golden.learning.tasks import task_of
        from golden.learning.training import train_fixed

        task = task_of(self.program, self._data)
        with reporter.task("training in fixed point", task.epochs) as progress:
            curve = train_fixed(self.program, task, lambda e, grade: progress.advance(e, task.note(grade)))
        self._data = task.data
        self._image, h = curve.weights, curve.health
        return Curve(curve.accuracy, h.saturations, h.at_bound, h.dead, (*task.doubts, *h.warnings))
