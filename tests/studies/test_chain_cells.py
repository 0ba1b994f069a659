"""The machine without gaps that ``hebbar bench chain`` sets beside the one that has them."""

from hebbar.compiler.config import load
from hebbar.contract.isa import FIELDS, Op
from hebbar.studies.chain_cells import without_gaps
from hebbar.synth.design import of_machine


def test_the_other_machine_has_no_counter_of_gaps():
    """Otherwise both would be one machine, and chaining would seem to take nothing; what was changed for it is back
    behind it."""
    counter = f"wire width {FIELDS[Op.WAIT]['gap'].width} \\held\n"
    other = without_gaps("tiny").rtlil
    assert counter not in other and counter in of_machine(load("tiny").machine).rtlil
