"""Every planted defect is caught: the tests are tested."""

import pytest
from planted import DEFECTS

from hebbar.studies.planting import Copy


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    """One copy of the sources for all defects that a process plants."""
    sources = Copy(tmp_path_factory.mktemp("planted"))
    yield sources
    sources.close()


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda d: f"{d.file}:{d.old[:40]}")
def test_every_planted_defect_is_caught(defect, copy):
    """Without it a test could pass whatever the code does."""
    assert copy.catches(defect), f"not caught by {defect.test}"
