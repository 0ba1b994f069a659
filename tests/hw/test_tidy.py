"""Verilog without the lines that say nothing: what goes, and what must not."""

import re

import pytest

from hebbar.compiler.config import load
from hw.tidy import tidy
from hw.verilog import export

MODULE = """\
module part(clk, a, q);
  wire [3:0] \\a.low ;
  wire [1:0] \\a.low.pair ;
  input [7:0] a;
  wire [7:0] a;
  wire held;
  output q;
  wire q;
  wire shared;
  (* init = 1'h0 *)
  wire twin;
  reg [7:0] memory [2:0];
  initial begin
    memory[0] = 8'h00;
    memory[1] = 8'h00;
    memory[2] = {last};
  end
  assign \\a.low  = a[3:0];
  assign \\a.low.pair  = \\a.low [1:0];
  assign held = a[0];
  assign shared = a[1];
  assign q = shared;
  assign twin = a[2];
  other other (
    .held(held)
  );
endmodule
"""


def test_parts_that_nothing_reads_go_and_their_sources_with_them():
    """A wire that a port, an instance or an assignment reads must stay, or the Verilog is no longer the design."""
    text = tidy(MODULE.format(last="8'h00"))
    assert "a.low" not in text
    for line in ("assign held = a[0];", "assign shared = a[1];", "assign q = shared;", "  wire held;", "  wire q;",
                 "  (* init = 1'h0 *)\n  wire twin;"):
        assert line in text


@pytest.mark.parametrize("last", ["8'h01", "8'd10", "8'hxx"])
def test_only_zeros_become_a_loop(last):
    """A table that starts with other words keeps them all."""
    assert "memory[0] = 8'h00;" in tidy(MODULE.format(last=last))
    text = tidy(MODULE.format(last="8'h00"))
    assert "memory[0]" not in text and "i < 3; i = i + 1" in text and "memory[i] = 8'h00;" in text


def test_words_out_of_order_stay():
    """A loop from 0 would set other words."""
    text = MODULE.format(last="8'h00").replace("memory[1]", "memory[7]")
    assert "memory[7] = 8'h00;" in tidy(text)


def test_the_smallest_machine_stays_readable():
    """One expression that is written out again for each of its uses made the Verilog of 128 lanes 11 MB. The bound
    leaves some room for features; what grows by lanes is bounded beside it."""
    tiny, wide = (len(export(load("tiny").replace(machine={"lanes": lanes}).machine)) for lanes in (4, 16))
    assert tiny <= 250_000
    assert wide - tiny <= 12 * 8_000


def test_memories_start_with_a_line_and_names_are_no_accident():
    """Neither a word of zeros a line nor the name of a line in Yosys' own sources."""
    text = export(load("tiny").machine)
    assert not re.search(r"memory\[\d+\] = \d+'[dh]0+;", text)
    assert "verilog_backend" not in text and "src =" not in text


@pytest.mark.parametrize("preset", ["categorical", "digits_analog"])
def test_every_register_has_a_name(preset):
    """Amaranth finds none for a signal in a tuple; a slow path could then not be told in words."""
    config = load(preset)
    machine = config.machine.model_copy(update={"separation": 4, "energy": True})
    assert not re.search(r"^  reg .*\\\$signal", export(machine), re.MULTILINE)
