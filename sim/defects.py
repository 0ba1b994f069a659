"""Known defects to plant in the RTL, each one changed line of the hardware's sources."""

from dataclasses import dataclass
from pathlib import Path

from hebbar.contract.errors import HebbarError

__all__ = ["Defect", "DEFECTS"]


@dataclass(frozen=True)
class Defect:
    """In ``file`` the text ``old``, which occurs once, becomes ``new``, and ``test`` must fail because of it.

    ``file`` and ``test`` are paths below the root of the sources; ``meaning`` says what the change does.
    """

    file: str
    old: str
    new: str
    test: str
    meaning: str = ""

    def plant(self, sources: Path) -> None:
        """Make the change in a copy of the sources; raises HebbarError when the text is not there once."""
        path = sources / self.file
        text = path.read_text()
        if text.count(self.old) != 1:
            raise HebbarError(f"{self.file} no longer holds exactly once the line that this defect changes; mend the "
                              f"defect: {self.old}")
        path.write_text(text.replace(self.old, self.new))


NEURON, ROWS = "tests/hw/test_neuron.py::test_hw_equals_golden", "tests/hw/test_row_engine.py"

DEFECTS = {
    "rounding": Defect(
        "hw/weight_update.py", "(Cat(Const(1, 1), old)", "(Cat(Const(0, 1), old)", ROWS,
        "UPD rounds e a down instead of to the nearest, a bias that costs accuracy"),
    "error-sign": Defect(
        "hw/neuron.py", "(-e[Stage.SLOPE])", "(e[Stage.SLOPE])", NEURON,
        "STEP adds the neuron's own error instead of subtracting it"),
    "late-error": Defect(
        "hw/neuron.py", "(-e[Stage.SLOPE]).", "(-e[Stage.SCALE]).", NEURON,
        "STEP takes the error one pipeline stage late, that of the row before"),
    "activity-stale": Defect(
        "hw/neuron.py", "self.function_state[p].eq(x_new)", "self.function_state[p].eq(x[Stage.MOVE])", NEURON,
        "ACT takes f of the state before the step"),
    "base-forgotten": Defect(
        "hw/neuron.py", "Mux(on[Stage.ROW][Sweep.BASE], self.base[p], 0)", "0", NEURON,
        "the prediction leaves out the hoisted contribution of clamped sources"),
    "slope-early": Defect(
        "hw/neuron.py", "f\"{r}_feedback\")[Stage.SLOPE]", "f\"{r}_feedback\")[Stage.ERROR]", NEURON,
        "f' of one row is multiplied with the feedback of another"),
    "back-not-cleared": Defect(
        "hw/feedback_sums.py", "with m.If(self.overwrite):", "with m.If(0):", "tests/hw/test_feedback_sums.py",
        "feedback sums keep what the last inference step added"),
    "feedback-astray": Defect(
        "hw/row_engine.py", "self.early_word.eq(source[Back.WRITE - 1])",
        "self.early_word.eq(source[Back.WRITE - 2])", ROWS,
        "TRN adds to the neurons of the next column"),
    "write-astray": Defect(
        "hw/row_engine.py", "self._bank.write_address.eq(address[Back.WRITE])",
        "self._bank.write_address.eq(address[Back.PRODUCT])", ROWS,
        "UPD writes a word to the address of the next"),
    "table-truncated": Defect(
        "hw/table.py", "value + (1 << drop >> 1)", "value + 0",
        "tests/hw/test_table.py::test_hw_equals_golden_for_every_state_of_a_narrow_machine",
        "the activation table cuts its interpolation off instead of rounding it"),
    "share-truncated": Defect(
        "hw/separation.py", "round_half_up(product, RECIPROCAL_FRAC - f.state.frac)",
        "product >> RECIPROCAL_FRAC - f.state.frac", "tests/hw/test_separation.py::test_hw_equals_golden",
        "SEPARATE cuts the shares of softmax off instead of rounding them"),
    "energy-kept": Defect(
        "hw/energy_sum.py", "m.d.sync += energy.eq(0)", "m.d.sync += energy.eq(energy)", "tests/hw/test_energy_sum.py",
        "EXIT adds the errors of a step to those of all steps before"),
    "wind-up": Defect(
        "hw/neuron_parts.py", "Mux(ends, 0, weighed)", "weighed", NEURON,
        "the integral of an error goes on where the state is at an end of its format"),
    "loop-too-long": Defect(
        "hw/loops.py", "self.last.eq(self.loop.left == 1)", "self.last.eq(self.loop.left == 0)",
        "tests/hw/test_sequencer.py",
        "LOOP runs its body once too often"),
    "counter-lags": Defect(
        "hw/counters.py", "live[name]) + self.add[name])", "live[name]) + (self.add[name] != 0))",
        "tests/hw/test_counters.py",
        "counters count cycles with an event instead of events"),
}
"""The defects by the name that ``hebbar simulate --break`` takes. The row engine's do not touch an array macro, those
of an optional unit no machine without it."""
