"""Hebbar, a toolkit for predictive-coding accelerators. ``Experiment`` is the class to look at; it is loaded when it
is asked for, so that ``import hebbar`` costs nothing."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .api import Experiment as Experiment

__all__ = ["Experiment"]

__version__ = "0.1.0"
"""The one place of the version: pyproject.toml takes it from here. The VERSION register is that of the hardware."""


def __getattr__(name: str) -> Any:
    """``Experiment``, whose module is imported by the first access."""
    if name != "Experiment":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from .api import Experiment

    return Experiment


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
