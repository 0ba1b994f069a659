"""Hebbar, a toolkit for predictive-coding accelerators. ``hebbar.api.Experiment`` is the first class to look at."""

__version__ = "0.1.0"
"""The one place of the version: pyproject.toml takes it from here. The VERSION register is that of the hardware."""
