"""Hebbar from Python: one class, from a configuration to figures.

    from hebbar import Experiment

    e = Experiment("digits_ipc", training={"epochs": 3})
    curve = e.train()                   # the golden machine, bit-exact fixed point
    check = e.cosimulate(samples=20)    # the same program on the RTL, compared word for word
    print(curve.accuracy[-1], check.mismatches, check.words, e.cycles())

The configuration never changes; the state of an experiment is its weights and its data, and both
change only by calls that say so. Every error is a ``hebbar.contract.errors.HebbarError`` with a sentence, and changes
nothing. What may make a result void is a ``hebbar.contract.errors.HebbarWarning``, also on the ``Curve``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arguments import configuration, file_path, new_file, reporter_of, whole
from .compiler.config import Config
from .contract.console import Reporter
from .contract.errors import warn
from .contract.results import Check, Curve, SampleCycles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from golden.image import EdgeWeights
    from golden.learning.datasets import Dataset
    from golden.learning.training import FloatCurve
    from golden.reference.interpreter import FloatMachine

    from .compiler.network import Population
    from .compiler.parameters import Parameter
    from .compiler.program import Program

__all__ = ["Experiment", "Curve", "Check", "SampleCycles"]


class Experiment:
    """A network with its rule, machine, data and current weights.

    ``source``: the name of a preset, the path of a TOML file, a dictionary of the same form or a
    Config; ``sections`` override keys of ``network``, ``rule``, ``training``, ``machine`` and
    ``data``, as in ``training={"epochs": 3}``. Raises BadInput with the key and the fix.

    Weights start from the configured seed. Long calls are quiet unless given ``reporter=True``.
    """

    def __init__(self, source: str | Path | Mapping[str, Any] | Config = "digits",
                 **sections: Mapping[str, Any]) -> None:
        self.config = configuration(source, sections)
        self._image: NDArray[np.int64] | None = None
        self._data: Dataset | None = None

    def __repr__(self) -> str:
        return f"Experiment({self.config.name!r}, rule {self.config.rule.name!r})"

    @cached_property
    def program(self) -> Program:
        """The compiled program: instructions, descriptors, tables and layout."""
        from .compiler.program import compile_config

        return compile_config(self.config)

    @property
    def data(self) -> Dataset:
        """Training and held-out samples: those given to ``fit``, else the configured ones."""
        from golden.learning.training import data_of

        if self._data is None:
            self._data = data_of(self.program)
        return self._data

    @property
    def weights(self) -> dict[tuple[str, str], NDArray[np.float64]]:
        """A copy of the current weights: float64 by (source, target), (target size, source size)."""
        from golden.image import from_image

        return from_image(self.program.layout, self.image)

    @property
    def image(self) -> NDArray[np.int64]:
        """The current weights as the machine holds them: int64 codes, (weight words, P, C)."""
        from golden.session import initial_image

        if self._image is None:
            self._image = initial_image(self.program)
        return self._image

    def set_weights(self, weights: EdgeWeights) -> None:
        """Make real weights, from another program say, the current ones, rounded to codes.

        Raises BadInput when an edge is missing or unknown, a shape differs, or a number is outside the weight format.
        """
        from golden.learning.weights import checked_image

        self._image = checked_image(self.program.layout, weights, "set_weights")

    def save_weights(self, path: str | Path) -> Path:
        """Write the current weights to an ``.npz`` or ``.safetensors`` file, bit for bit."""
        from golden.learning.weights import save_weights

        path = new_file("path", path)
        save_weights(path, self.weights, {"config": self.config.name})
        return path

    def load_weights(self, path: str | Path) -> None:
        """Make the weights in a file the current ones; raises BadInput as ``set_weights`` does."""
        from golden.learning.weights import load_image

        self._image = load_image(self.program.layout, file_path("path", path))

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
        from golden.learning.tasks import task_of
        from golden.streams import to_codes
        from golden.trace import Job
        from sim.cosimulate import cosimulate
        from sim.simulate import job_of

        build, reporter = folder if folder is None else file_path("folder", folder) / "build", reporter_of(reporter)
        job = Job(self.program, entry, self.image, to_codes(self.program, entry, samples)) \
            if isinstance(samples, Mapping) else \
            job_of(self.program, task_of(self.program, self._data), entry, whole("samples", samples, 1), self.image)
        return cosimulate(job, backend, build, reporter)

    def parameters(self) -> tuple[Parameter, ...]:
        """What the machine runs in place of what is configured: gains, beta, tolerance, the spread of the first
        weights, activations. Each has ``key``, ``configured``, ``used`` and ``difference``, a share of what is
        configured; more than 5 % is refused."""
        from .compiler.parameters import parameters

        return parameters(self.program)

    def cycles(self) -> SampleCycles:
        """Cycles of one training sample in the steady state: the cycle model, exact for the RTL. Where
        inference may end early they are the most it can take, and ``upper`` says so."""
        from .compiler.workload import sample_cycles

        return sample_cycles(self.program)

    def verilog(self, path: str | Path) -> Path:
        """Write the synthesizable Verilog of the machine, top module ``hebbar``."""
        from hw.verilog import export

        from .contract.files import write_text

        path = new_file("path", path)
        write_text(path, export(self.config.machine))
        return path

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
        self._image, h = curve.weights, curve.health
        return Curve(curve.accuracy, h.saturations, h.at_bound, h.dead, (*task.doubts, *h.warnings))
