"""Slack by OpenSTA: the unit in which a library has its times says nothing of the clock."""

import shutil

import pytest

from hebbar.contract.console import Reporter
from hebbar.synth.timing import slack

CHAIN = """module top(clk, d, q); input clk, d; output q; wire a, b;
DFF r1(.CLK(clk), .D(d), .Q(a)); BUF u(.A(a), .Y(b)); DFF r2(.CLK(clk), .D(b), .Q(q)); endmodule
"""
DELAY, SETUP = 0.1, 0.05
"""Of every arc, in ns."""


def library(unit, a_ns):
    """A buffer and a flip-flop with times in ``unit``, of which a nanosecond has ``a_ns``."""
    def table(kind, ns):
        return f'{kind}(scalar) {{ values("{ns * a_ns}"); }} '

    def arc(pin, kind, sense):
        tables = "".join(table(name, DELAY / (10 if "transition" in name else 1)) for name in (
            "cell_rise", "cell_fall", "rise_transition", "fall_transition"))
        return f"timing() {{ related_pin : {pin}; timing_type : {kind}; timing_sense : {sense}; {tables} }}"

    constraints = table("rise_constraint", SETUP) + table("fall_constraint", SETUP)
    setup = f"timing() {{ related_pin : CLK; timing_type : setup_rising; {constraints} }}"
    places = ("input", 50), ("output", 50), ("slew_lower", 20), ("slew_upper", 80)
    thresholds = " ".join(f"{place}_threshold_pct_{edge} : {percent};"
                          for edge in ("rise", "fall") for place, percent in places)
    return f"""library(two) {{ delay_model : table_lookup; time_unit : "{unit}"; voltage_unit : "1V";
  current_unit : "1mA"; capacitive_load_unit(1, ff); pulling_resistance_unit : "1kohm"; nom_process : 1;
  nom_voltage : 1;
  nom_temperature : 25; {thresholds}
  cell(BUF) {{ area : 1; pin(A) {{ direction : input; capacitance : 1; }}
    pin(Y) {{ direction : output; function : "A"; {arc("A", "combinational", "positive_unate")} }} }}
  cell(DFF) {{ area : 4; ff(IQ, IQN) {{ clocked_on : "CLK"; next_state : "D"; }}
    pin(CLK) {{ direction : input; clock : true; capacitance : 1; }}
    pin(D) {{ direction : input; capacitance : 1; {setup} }}
    pin(Q) {{ direction : output; function : "IQ"; {arc("CLK", "rising_edge", "non_unate")} }} }} }}
"""


@pytest.mark.skipif(shutil.which("sta") is None, reason="OpenSTA is not installed")
@pytest.mark.parametrize("unit, a_ns", [("1ns", 1), ("1ps", 1000), ("100ps", 10)])
def test_a_clock_is_in_nanoseconds_whatever_the_library_counts_in(unit, a_ns, tmp_path):
    """Of 10 ns a flip-flop, a buffer and a setup take 2 x .1 + .05; in a library of picoseconds the period was taken
    for 10 ps."""
    (tmp_path / "cells.lib").write_text(library(unit, a_ns))
    (tmp_path / "mapped.v").write_text(CHAIN)
    found, why = slack(tmp_path / "mapped.v", "top", 100.0, Reporter(quiet=True))
    assert found, why
    assert found.ns == pytest.approx(10 - 2 * DELAY - SETUP, abs=1e-3)
    assert found.mhz == pytest.approx(1000 / (2 * DELAY + SETUP), rel=0.01)
