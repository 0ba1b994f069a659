"""Known defects to plant in the RTL, each one changed line of the hardware's sources."""

from dataclasses import dataclass
from pathlib import Path

from hebbar.contract.errors import HebbarError

__all__ = ["Change", "Defect", "DEFECTS"]


@dataclass(frozen=True)
class Change:
    """In ``file`` the text ``old``, which occurs once, becomes ``new``."""

    file: str
    old: str
    new: str

    def plant(self, sources: Path) -> None:
        """Make the change in a copy of the sources; raises HebbarError when the text is not there once."""
        path = sources / self.file
        text = path.read_text()
        if text.count(self.old) != 1:
            raise HebbarError(f"{self.file} no longer holds exactly once the line that this defect changes; mend the "
                              f"defect: {self.old}")
        path.write_text(text.replace(self.old, self.new))


@dataclass(frozen=True)
class Defect(Change):
    """A change of the hardware; ``meaning`` says what it does."""

    meaning: str


DEFECTS = {
    "rounding": Defect(
        "hw/fixed.py", "half = ((Const(1, 1) << shift) >> 1).as_unsigned()", "half = Const(0, 1)",
        "UPD rounds e a down instead of to the nearest, a bias that costs accuracy"),
    "error-sign": Defect(
        "hw/neuron.py", "drive = scaled[Stage.GAIN] - (e[Stage.GAIN] <<",
        "drive = scaled[Stage.GAIN] + (e[Stage.GAIN] <<",
        "STEP adds the neuron's own error instead of subtracting it"),
    "late-error": Defect(
        "hw/neuron.py", "drive = scaled[Stage.GAIN] - (e[Stage.GAIN] << f",
        "drive = scaled[Stage.GAIN] - (e[Stage.MOVE] << f",
        "STEP takes the error one pipeline stage late, that of the row before"),
    "activity-stale": Defect(
        "hw/neuron.py", "self.function_state[p].eq(x_new)", "self.function_state[p].eq(x[Stage.MOVE])",
        "ACT takes f of the state before the step"),
    "base-forgotten": Defect(
        "hw/neuron.py", "Mux(on[Stage.ROW][Sweep.BASE], self.base[p], 0)", "0",
        "the prediction leaves out the hoisted contribution of clamped sources"),
    "slope-early": Defect(
        "hw/neuron.py", 'slope = staged(m, self.derivative[p], Stage.FEEDBACK, Stage.SLOPE, f"{r}_slope")[Stage.SLOPE]',
        "slope = self.derivative[p]",
        "f' of one row is multiplied with the feedback of another"),
    "back-not-cleared": Defect(
        "hw/back_sums.py", "Mux(self.fresh, 0, old.data[i])", "old.data[i]",
        "back sums keep what the last inference step added"),
    "feedback-astray": Defect(
        "hw/row_engine.py", "self.back_word.eq(entries[Back.WRITE].source)",
        "self.back_word.eq(entries[Back.PRODUCT].source)",
        "TRN adds to the neurons of the next column"),
    "write-astray": Defect(
        "hw/row_engine.py", "self._bank.write_address.eq(address[Back.WRITE])",
        "self._bank.write_address.eq(address[Back.PRODUCT])",
        "UPD writes a word to the address of the next"),
    "table-truncated": Defect(
        "hw/table.py", "round_half_up(exact, frac + ENTRY_BITS - self.format.bits)",
        "exact >> (frac + ENTRY_BITS - self.format.bits)",
        "the activation table cuts its interpolation off instead of rounding it"),
    "share-truncated": Defect(
        "hw/separation.py", "round_half_up(product, RECIPROCAL_FRAC - f.state.frac)",
        "product >> RECIPROCAL_FRAC - f.state.frac",
        "SEPARATE cuts the shares of softmax off instead of rounding them"),
    "energy-kept": Defect(
        "hw/energy_sum.py", "m.d.sync += energy.eq(0)", "m.d.sync += energy.eq(energy)",
        "EXIT adds the errors of a step to those of all steps before"),
    "loop-too-long": Defect(
        "hw/sequencer.py", "with m.Elif(self._left[top] == 1):", "with m.Elif(self._left[top] == 0):",
        "LOOP runs its body once too often"),
    "counter-lags": Defect(
        "hw/counters.py", "stays[name] + self.add[name]", "stays[name] + (self.add[name] != 0)",
        "counters count cycles with an event instead of events"),
}
"""By the name that ``hebbar simulate --break`` takes. The row engine's do not touch an array macro, those of an
optional unit no machine without it."""
