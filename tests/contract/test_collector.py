"""The collector of cycles, off inside and as it was afterwards."""

import gc

import pytest

from hebbar.contract.collector import uncollected


@pytest.mark.parametrize("before", [True, False])
def test_the_collector_is_off_inside_and_as_it_was_afterwards(before):
    """Also after an error: a program whose collector stays off grows without end."""
    kept, inside = gc.isenabled(), []

    def fails():
        with uncollected():
            inside.append(gc.isenabled())
            raise ZeroDivisionError

    try:
        (gc.enable if before else gc.disable)()
        with pytest.raises(ZeroDivisionError):
            fails()
        assert inside == [False] and gc.isenabled() is before
    finally:
        (gc.enable if kept else gc.disable)()
