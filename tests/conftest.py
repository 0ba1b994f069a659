"""Fixtures of several files."""

import pytest


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """One folder of built simulators for all test processes; a build happens once."""
    return tmp_path_factory.getbasetemp().parent / "models"
