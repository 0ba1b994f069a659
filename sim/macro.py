"""The analog macro in a simulation of the RTL: the model of the golden machine at the pins."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from golden.analog.array import AnalogArray
from golden.analog.converters import LineConverters
from golden.analog.socket import Socket
from golden.analog_macro import to_image
from hebbar.contract.machine import MachineConfig
from hebbar.contract.pins import Phase, pins

__all__ = ["PINS", "Macro", "macro_of"]

PINS = "macro_"
"""What the ports at the pins begin with."""

NEEDED = {
    Phase.COLUMNS: ("column_drive",), Phase.ROWS: ("row_drive",), Phase.HOLD_ROWS: (), Phase.HOLD_COLUMNS: (),
    Phase.COMPARE_ROWS: ("line", "dac"), Phase.COMPARE_COLUMNS: ("line", "dac"), Phase.STEP: ("row_drive",),
    Phase.APPLY: ("amplitude", "rate", "enable"), Phase.UP: ("row_drive", "column_drive"),
    Phase.DOWN: ("row_drive", "column_drive"), Phase.FINISH: (), Phase.WRITE: ("cell", "cell_mask", "cell_code"),
    Phase.HOLD_CELLS: ("cell",), Phase.COMPARE_CELLS: ("dac",)}
"""The pins that matter in a phase; the others are not looked at."""


class Macro:
    """One macro, from its first cycle on. ``answer`` once in every cycle in which ``strobe`` is high."""

    def __init__(self, machine: MachineConfig) -> None:
        self._machine = machine
        self.array = AnalogArray(machine)
        self._socket = Socket(machine, self.array, *(LineConverters(machine, side) for side in ("rows", "columns")))
        self._zero = {name: 0 for name in pins(machine) if name not in ("phase", "strobe", "compare")}

    def answer(self, phase: int, read: Callable[[str], int]) -> int:
        """``compare`` in this cycle; ``read`` gives a pin as a number."""
        given = {name: read(name) for name in NEEDED[Phase(phase)]}
        return self._socket.cycle(Phase(phase), **self._zero | given)

    def weights(self) -> NDArray[np.int64]:
        """The nearest codes as an image (words, P, C)."""
        return to_image(self._machine, self.array.codes())


def macro_of(machine: MachineConfig) -> Macro | None:
    """The macro at the pins of a machine that has them."""
    return Macro(machine) if machine.kind.macro else None
