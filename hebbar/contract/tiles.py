"""The kinds of tile that a machine can have: what the contract says of each, in one record.

A record names the class of its tile, once for ``golden`` and ``hw``, which have it in a module of the same name. All
other code asks a record for what it needs to know (``MachineConfig.kind``) and never for a name.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from importlib import import_module
from typing import TYPE_CHECKING, Any

from .pins import no_pins, pins
from .timing import AnalogTiming, ArrayTiming, RowTiming, Timing

if TYPE_CHECKING:
    from .machine import MachineConfig

__all__ = ["TILES", "WEIGHTS", "TileKind", "Weights", "classes"]

WEIGHTS = 1 << 24
"""Weights a machine may hold: more would take gigabytes in the golden machine."""


class Weights(Enum):
    """What holds the weights of a tile in the Verilog, below ``hebbar.tile``."""

    MEMORY = auto()
    """The memory ``weights.memory``, a word of P x C weights an address."""
    REGISTERS = auto()
    """A register of the instance ``crossbar`` each, w{word}_{lane}."""
    MACRO = auto()
    """Nothing in the Verilog: they are conductances (``machine.analog``) of a macro behind ``pins``."""


@dataclass(frozen=True)
class TileKind:
    """A kind of tile.

    ``unit``: the module below ``golden`` and ``hw``, and the class in it, of the golden tile and of the hardware.
    ``code`` stands for it in the register ``geometry``; ``meaning`` is what a configuration is told of it.
    ``cells``: the most weights that it can hold. ``array``: all rows of a block work at once, one sweep at a time, and
    a row takes ``machine.array_stride`` words; otherwise rows follow each other, those of several sweeps overlap, and
    a row takes the words that it needs. ``identities``: it has identity columns. ``parts``: the instances below
    ``hebbar.tile`` that every such tile has. ``pins``: wires to a macro and their widths. ``resumable``: loading
    weights brings it back to where it was.
    """

    name: str
    unit: str
    code: int
    meaning: str
    timing: type[Timing]
    weights: Weights
    parts: tuple[str, ...]
    cells: int = WEIGHTS
    array: bool = False
    identities: bool = False
    pins: "Callable[[MachineConfig], dict[str, int]]" = no_pins
    resumable: bool = True

    @property
    def macro(self) -> bool:
        """Whether its weights are conductances in an analog macro outside the Verilog."""
        return self.weights is Weights.MACRO

    def weight_places(self, machine: "MachineConfig") -> list[str]:
        """The memory or the registers that hold the weights, as paths below ``hebbar.tile``; none of a macro. Registers
        come in the order of the weight image, (words, P, C)."""
        if self.weights is Weights.REGISTERS:
            return [f"crossbar.w{word}_{lane}" for word in range(machine.weight_words)
                    for lane in range(machine.row_tiles * machine.lanes)]
        return ["weights.memory"] if self.weights is Weights.MEMORY else []


TILES = {kind.name: kind for kind in (
    TileKind("rows", "row_engine.RowEngine", 0, "weights in a memory, a word a cycle", RowTiming, Weights.MEMORY,
             ("weights", "walk", "words", "errors", "tags"), identities=True),
    TileKind("array", "array_macro.ArrayMacro", 1, "a digital array that fires all rows at once", ArrayTiming,
             Weights.REGISTERS, ("crossbar",), cells=1 << 14, array=True),
    TileKind("analog", "analog_macro.AnalogMacro", 2, "a crossbar that is not RTL", AnalogTiming, Weights.MACRO,
             ("drivers", "cells", "cells.search", "row_search", "column_search"), cells=1 << 20, array=True, pins=pins,
             resumable=False))}
"""The kinds of tile by the name in ``machine.tile``. A weight of tile 'array' is a register with its multipliers, one
of tile 'analog' has no logic of its own."""


def classes(package: str) -> dict[str, Any]:
    """The class of every kind in ``package``, "golden" or "hw", by the name of the kind."""
    units = {name: kind.unit.split(".") for name, kind in TILES.items()}
    return {name: getattr(import_module(f"{package}.{module}"), unit) for name, (module, unit) in units.items()}
