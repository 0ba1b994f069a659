"""Unbounded proofs of properties that are written in Amaranth beside the unit they are about.

Yosys turns the module into a transition system and proves its ``Assert`` statements by temporal induction: no path of
``depth`` cycles from reset breaks one, and no path of ``depth`` cycles without a break is followed by one. Inputs are
free in every cycle, the reset too; ``Assume`` restricts them. A property that needs to know more of the unit's state
than it asserts is not proved but reported with the depth that was tried: an invariant has to join it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from amaranth.back import rtlil
from amaranth.hdl import Elaboratable, Signal

from hebbar.contract.console import Reporter
from hebbar.contract.errors import HebbarError
from hebbar.contract.files import output_folder, write_text
from sim.yosys import run

__all__ = ["Induction", "induct"]

DEPTH = 12
"""Cycles of induction after which the proof is given up."""

_SCRIPT = """\
read_rtlil properties.il
hierarchy -check -top properties
proc
flatten
chformal -lower
memory_map
opt -full
async2sync
opt_clean
select -assert-min 1 t:$assert
sat -tempinduct -prove-asserts -set-assumes -seq 1 -maxsteps {depth} properties
"""


@dataclass(frozen=True)
class Induction:
    """``proved``, or a ``path`` that breaks a property; ``broken``: it starts at reset, so it is real."""

    proved: bool
    broken: bool
    path: str


def induct(properties: Elaboratable, inputs: Sequence[Signal], folder: Path, reporter: Reporter,
           depth: int = DEPTH, timeout_s: float = 600.0) -> Induction:
    """Prove every Assert of ``properties`` for all sequences of ``inputs``, from reset on and without end.

    ``folder`` keeps the netlist, the script and all that Yosys says. Raises HebbarError when there is nothing to prove.
    """
    write_text(output_folder(folder) / "properties.il", rtlil.convert(properties, name="properties", ports=inputs))
    said = run(_SCRIPT.format(depth=depth), folder, reporter, timeout_s=timeout_s)
    if "Induction step proven: SUCCESS!" in said:
        return Induction(True, False, "")
    real, _, path = said.partition("model found for base case")
    if path or "Reached maximum number of time steps" in real:
        return Induction(False, bool(path), path or real.rpartition("Induction step failed")[2])
    raise HebbarError(f"Yosys neither proved nor refuted the properties; what it said is in {folder / 'yosys.log'}.")
