"""What an experiment is: its configuration, its data and its current weights."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hebbar.arguments import configuration, file_path, new_file
from hebbar.compiler.config import Config
from hebbar.contract.results import SampleCycles

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from golden.image import EdgeWeights
    from golden.learning.datasets import Dataset
    from hebbar.compiler.parameters import Parameter
    from hebbar.compiler.program import Program

__all__ = ["Configured"]


class Configured:
    """A configuration with its program, data and current weights; ``Experiment`` is what to make one of."""

    def __init__(self, source: str | Path | Mapping[str, Any] | Config = "digits",
                 **sections: Mapping[str, Any]) -> None:
        self.config = configuration(source, sections)
        self._image: NDArray[np.int64] | None = None
        self._data: Dataset | None = None
        self._fitted = False

    def __repr__(self) -> str:
        return f"Experiment({self.config.name!r}, rule {self.config.rule.name!r})"

    def _repr_html_(self) -> str:
        """The experiment as a notebook shows it: network, rule, machine and cycles."""
        from .notebook import page

        return page(self)

    def get_params(self) -> dict[str, Any]:
        """Every key of the configuration with its value, defaults too, as plain dictionaries by section:
        ``Experiment(e.get_params())`` is the same experiment. ``parameters`` says what the machine makes of them."""
        return self.config.model_dump(mode="json")

    @cached_property
    def program(self) -> Program:
        """The compiled program: instructions, descriptors, tables and layout."""
        from hebbar.compiler.program import compile_config

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
        """Write the current weights to an ``.npz`` or ``.safetensors`` file, bit for bit, with the configuration and
        the names of the classes, so that ``hebbar predict`` needs nothing else."""
        from golden.learning.described import description
        from golden.learning.weights import save_weights

        path = new_file("path", path)
        save_weights(path, self.weights, description(self.config, self._data.names if self._data else ()))
        return path

    def load_weights(self, path: str | Path) -> None:
        """Make the weights in a file the current ones; raises BadInput as ``set_weights`` does."""
        from golden.learning.weights import load_image

        self._image = load_image(self.program.layout, file_path("path", path))

    def parameters(self) -> tuple[Parameter, ...]:
        """What the machine runs in place of what is configured: gains, beta, tolerance, the spread of the first
        weights, activations. Each has ``key``, ``configured``, ``used`` and ``difference``, a share of what is
        configured; more than 5 % is refused."""
        from hebbar.compiler.parameters import parameters

        return parameters(self.program)

    def cycles(self) -> SampleCycles:
        """Cycles of one training sample in the steady state: the cycle model, exact for the RTL. Where
        inference may end early they are the most it can take, and ``upper`` says so."""
        from hebbar.compiler.workload import sample_cycles

        return sample_cycles(self.program)
