"""The analog macro in a simulation of the RTL: the model of the golden machine at the pins."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from golden.analog.array import AnalogArray
from golden.analog.converters import LineConverters
from golden.analog.pin_driver import PinDriver
from golden.analog_macro import to_image
from hebbar.contract.machine import MachineConfig
from hebbar.contract.pins import MacroOp, pins

__all__ = ["PINS", "Macro", "macro_of"]

PINS = "macro_"
"""What the ports at the pins begin with."""

NEEDED = {
    MacroOp.COLUMNS: ("column_drive",), MacroOp.ROWS: ("row_drive",), MacroOp.HOLD_ROWS: (), MacroOp.HOLD_COLUMNS: (),
    MacroOp.COMPARE_ROWS: ("line", "dac"), MacroOp.COMPARE_COLUMNS: ("line", "dac"), MacroOp.STEP: ("row_drive",),
    MacroOp.APPLY: ("amplitude", "rate", "enable"), MacroOp.UP: ("row_drive", "column_drive"),
    MacroOp.DOWN: ("row_drive", "column_drive"), MacroOp.FINISH: (), MacroOp.WRITE: ("cell", "cell_mask", "cell_code"),
    MacroOp.HOLD_CELLS: ("cell",), MacroOp.COMPARE_CELLS: ("dac",)}
"""The pins that matter in a phase; the others are not looked at."""


class Macro:
    """One macro, from its first cycle on. ``answer`` once in every cycle in which ``strobe`` is high."""

    def __init__(self, machine: MachineConfig) -> None:
        self._machine = machine
        self.array = AnalogArray(machine)
        self._pins = PinDriver(machine, self.array, *(LineConverters(machine, side) for side in ("rows", "columns")))
        self._zero = {name: 0 for name in pins(machine) if name not in ("phase", "strobe", "compare")}

    def answer(self, phase: int, read: Callable[[str], int]) -> int:
        """``compare`` in this cycle; ``read`` gives a pin as a number."""
        given = {name: read(name) for name in NEEDED[MacroOp(phase)]}
        return self._pins.cycle(MacroOp(phase), **self._zero | given)

    def weights(self) -> NDArray[np.int64]:
        """The nearest codes as an image (words, P, C)."""
        return to_image(self._machine, self.array.codes())


def macro_of(machine: MachineConfig) -> Macro | None:
    """The macro at the pins of a machine that has them."""
    return Macro(machine) if machine.kind.macro else None
