"""Fixtures of several files, and the mark of every test: fast, slow or tool."""

import gc
import os
import sys

import pytest
from pace import put_tables, quicken
from tiers import FAST, TIERS, tier

# Most models run for less time than any optimisation of them takes; here and in all that the tests start.
os.environ.setdefault("HEBBAR_OPTIMISE", "-O0")
gc.set_threshold(50_000, 20, 20)  # an elaborated machine is a hundred thousand objects, and nothing of it is garbage
quicken()


@pytest.fixture(scope="session")
def models(tmp_path_factory):
    """One folder of built simulators for all test processes; a build happens once."""
    return tmp_path_factory.getbasetemp().parent / "models"


@pytest.fixture
def optimised(monkeypatch):
    """What a test builds that simulates for longer than it takes to optimise the model."""
    monkeypatch.setenv("HEBBAR_OPTIMISE", "-O1")


def pytest_ignore_collect(collection_path, config):
    """``-m fast`` reads the fast files alone: importing all others takes longer than running these."""
    if config.option.markexpr == "fast" and collection_path.match("test_*.py") and collection_path.stem not in FAST:
        return True
    return None


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items):
    for item in items:
        if not any(item.get_closest_marker(name) for name in TIERS):
            item.add_marker(tier(item.path, frozenset(item.fixturenames)))


def pytest_collection_finish():
    if backend := sys.modules.get("sim.backends.pysim"):
        put_tables(backend)
