"""Scaling between nodes: by published factors, and refused where published chips contradict it."""

import pytest

from hebbar.contract.errors import BadInput
from hebbar.energy.scaling import NODES, Kind, scaled_area, scaled_energy


def test_a_published_factor_comes_back():
    """From 45 to 7 nm at one supply an energy falls to 0.094, with a lower supply further by its square."""
    assert scaled_energy(1.0, 45, 0.8, 7, 0.8, Kind.LOGIC).value == pytest.approx(0.094)
    assert scaled_energy(1.0, 45, 0.8, 7, 0.4, Kind.LOGIC).value == pytest.approx(0.094 / 4)
    assert scaled_area(1.0, 45, 130, Kind.SRAM).value == pytest.approx(6.4)


def test_there_and_back_is_nothing():
    """Without it the direction of a factor could be the wrong one."""
    there = scaled_energy(3.0, 130, 1.2, 22, 0.8, Kind.LOGIC).value
    assert scaled_energy(there, 22, 0.8, 130, 1.2, Kind.LOGIC).value == pytest.approx(3.0)


def test_a_finer_node_costs_less():
    """Monotone over all nodes, those between published ones included."""
    nodes = sorted({*NODES, 28, 22, 40, 55})
    energies = [scaled_energy(1.0, 45, 0.8, n, 0.8, Kind.SRAM).value for n in nodes]
    areas = [scaled_area(1.0, 45, n, Kind.LOGIC).value for n in nodes]
    assert energies == sorted(energies) and areas == sorted(areas)


def test_an_interpolated_node_says_so():
    """22 and 28 nm have no published factor; without the sentence a guess would read as a measurement."""
    assert "interpolated" in scaled_energy(1.0, 45, 0.9, 28, 0.9, Kind.LOGIC).how
    assert "interpolated" not in scaled_energy(1.0, 45, 0.9, 32, 0.9, Kind.LOGIC).how


@pytest.mark.parametrize("kind, node, said", [(Kind.IN_MEMORY, 7, "no factor of the node"),
                                              (Kind.CONVERTER, 22, "converter is not scaled"),
                                              (Kind.LOGIC, 5, "outside"), (Kind.LOGIC, 180, "outside")])
def test_what_chips_contradict_is_refused(kind, node, said):
    """Without it digital in-memory logic would seem six times cheaper at 7 nm than any chip is."""
    with pytest.raises(BadInput, match=said):
        scaled_energy(1.0, 65, 0.9, node, 0.9, kind)


def test_in_memory_logic_scales_above_the_floor():
    """From 65 to 28 nm nothing contradicts it, and a figure of a node stays what it is."""
    assert scaled_energy(1.0, 65, 0.9, 28, 0.9, Kind.IN_MEMORY).value < 1
    assert scaled_energy(1.0, 7, 0.9, 7, 0.9, Kind.IN_MEMORY).value == 1.0
