"""Scaling of energies and areas between nodes: written out, and refused where published chips contradict it.

Factors are Stillmaker and Baas's (Integration, 2017), from 130 to 7 nm at 0.8 V, energy with the square of the supply.
A node they do not have is interpolated between its neighbours, and the sentence of the result says so: the jump from
32 to 20 nm is a change of device, from planar transistors to fins.
"""

import math
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from hebbar.contract.errors import BadInput

from .validation.tables import component
from .validation.units import in_units

__all__ = ["NODES", "Kind", "Scaled", "scaled_area", "scaled_energy"]

NODES = (130, 90, 65, 45, 32, 20, 16, 14, 10, 7)
"""Nodes that the factors of energy are published for, nm."""

FLOOR_NM = 28
"""Below it the energy of digital in-memory logic does not fall with the node: chips from 65 to 4 nm show no factor."""


class Kind(StrEnum):
    """What is scaled: logic and SRAM follow the factors, other things do not."""

    LOGIC = "logic"
    SRAM = "sram"
    IN_MEMORY = "in_memory"
    CONVERTER = "converter"


@dataclass(frozen=True)
class Scaled:
    """A figure at another node and ``how`` it got there, a sentence for the source of an entry."""

    value: float
    how: str


def factor(name: str, node_nm: float) -> tuple[float, bool]:
    """The published factor against 45 nm, and whether it is interpolated."""
    found = {node: in_units(component(name, float(node)).value, "", name) for node in NODES}
    if not min(NODES) <= node_nm <= max(NODES):
        raise BadInput(f"{node_nm:g} nm lies outside of {min(NODES)} to {max(NODES)} nm, for which factors are "
                       "published; give a figure of that node with its source.")
    nodes = sorted(found)
    value = math.exp(float(np.interp(math.log(node_nm), np.log(nodes), np.log([found[n] for n in nodes]))))
    return value, node_nm not in found


def _refuse(kind: Kind, from_nm: float, to_nm: float) -> None:
    """Raise BadInput where chips contradict a scaling."""
    if from_nm == to_nm:
        return
    if kind is Kind.CONVERTER:
        raise BadInput(f"a converter is not scaled from {from_nm:g} to {to_nm:g} nm: measured 8-bit converters take "
                       "the same charge at 65 and at 22 nm; give a figure of that node with its source.")
    if kind is Kind.IN_MEMORY and min(from_nm, to_nm) < FLOOR_NM:
        raise BadInput(f"digital in-memory logic is not scaled from {from_nm:g} to {to_nm:g} nm: published chips "
                       f"from 65 to 4 nm show no factor of the node; use the figure of {FLOOR_NM} nm.")


def _how(from_nm: float, to_nm: float, between: bool) -> str:
    word = ", interpolated between published nodes" if between else ""
    return f"scaled from {from_nm:g} to {to_nm:g} nm with Stillmaker and Baas 2017{word}"


def scaled_energy(value: float, from_nm: float, from_v: float, to_nm: float, to_v: float, kind: Kind) -> Scaled:
    """An energy at another node and supply; BadInput for what chips contradict."""
    _refuse(kind, from_nm, to_nm)
    name = "Stillmaker energy factor against 45 nm at .8 V"
    (old, between), (new, also) = factor(name, from_nm), factor(name, to_nm)
    return Scaled(value * new / old * (to_v / from_v) ** 2, f"{_how(from_nm, to_nm, between or also)}, and with V "
                  f"squared from {from_v:g} to {to_v:g} V")


def scaled_area(value: float, from_nm: float, to_nm: float, kind: Kind) -> Scaled:
    """An area at another node; BadInput for what chips contradict."""
    _refuse(kind, from_nm, to_nm)
    name = "Stillmaker area factor against 45 nm"
    (old, between), (new, also) = factor(name, from_nm), factor(name, to_nm)
    return Scaled(value * new / old, _how(from_nm, to_nm, between or also))
