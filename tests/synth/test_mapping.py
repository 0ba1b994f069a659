"""Mapping to standard cells: what drives many loads gets buffers, and the cell in front of a module is a buffer."""

import json
from collections import Counter
from pathlib import Path

import pytest
from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out
from test_synth import LIBERTY, QUIET

from hebbar.contract.errors import BadInput
from hebbar.synth.asic import FANOUT, _buffer, area, check_files
from hebbar.synth.design import of_component

LOADS, NAME = 5 * FANOUT, Path("cells.lib")


class Gate(wiring.Component):
    """A register that decides over every bit of ``out``."""

    def __init__(self) -> None:
        super().__init__({"on": In(1), "value": In(LOADS), "out": Out(LOADS)})

    def elaborate(self, platform):
        m, held = Module(), Signal(reset_less=True)
        m.d.sync += held.eq(self.on)
        m.d.comb += self.out.eq(self.value & held.replicate(LOADS))
        return m


@pytest.mark.parametrize("mhz", [50.0, 100.0])
def test_no_cell_drives_more_loads_than_it_may(tmp_path, mhz):
    """Without it one flip-flop drives 80 gates, in SG13G2 thousands for 100 ns, and the slack tells of nothing else."""
    (tmp_path / "four.lib").write_text(LIBERTY)
    found = area(of_component(Gate(), "gate"), tmp_path / "four.lib", [], tmp_path, QUIET, mhz=mhz)
    module = json.loads(found.netlist.with_suffix(".json").read_text())["modules"]["gate"]
    loads, driven = Counter(), set()
    for cell in module["cells"].values():
        for pin, (bit,) in cell["connections"].items():
            if pin in ("Y", "Q"):
                driven.add(bit)
            elif pin != "C":
                loads[bit] += 1
    assert max(loads[bit] for bit in driven) <= FANOUT
    kinds = Counter(cell["type"] for cell in module["cells"].values())
    assert kinds["DFF"] == 1 and kinds["BUF"] >= LOADS // FANOUT
    said = (found.netlist.parent / "sizing.abc").read_text()
    assert f"upsize -D {0.8e6 / mhz:.0f}\n" in said


def test_the_cell_in_front_of_a_module_is_the_smallest_buffer():
    """An inverter, a gate, a register and a buffer that can be switched off are none."""
    assert _buffer(LIBERTY, NAME) == "BUF"
    smaller = ('cell("B2") { area : 3; pin(X) { direction : "input"; } '
               'pin(Z) { direction : output; function : "(X)"; } }')
    tri = smaller.replace("B2", "T").replace("3;", "1;").replace("output;", 'output; three_state : "!E";')
    assert _buffer(LIBERTY.replace("  cell(DFF)", f"{smaller}\n{tri}\n  cell(DFF)"), NAME) == "B2"


def test_a_library_without_a_buffer_is_refused_before_any_work(tmp_path):
    """ABC would stop without a word at a library of which it wants a buffer that is not there."""
    (tmp_path / "three.lib").write_text(LIBERTY.replace('function : "A"', 'function : "!A"'))
    with pytest.raises(BadInput, match="holds no buffer"):
        check_files(tmp_path / "three.lib", [])
