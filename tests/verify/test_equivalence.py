"""The equivalence proof: it closes on the exported Verilog, and opens wherever that is changed."""


import pytest
from helpers import inside

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput, Mismatch
from hebbar.verify.equivalence import CHANGED, planted, prove
from hw.verilog import export

MACHINE = load("tiny").replace(network={"layers": [4, 4, 2]}, machine={
    "weight_words": 32, "weight_bits": 8, "weight_frac": 6, "state_bits": 10, "state_frac": 6, "error_bits": 8,
    "activity_bits": 6, "activity_frac": 5}).machine
"""The narrower its words, the sooner Yosys is done with its multipliers."""
UNITS = MACHINE.model_copy(update={"separation": 6, "energy": True})
QUIET = Reporter(quiet=True)
WEIGHTS, WORDS, ERRORS, STATE = "hebbar.tile.weights", "hebbar.tile.words", "hebbar.tile.errors", "hebbar.state_memory"
COUNTERS = "hebbar.counters"
BOXED = (WEIGHTS, WORDS, ERRORS, STATE)
MODULES = (CHANGED, COUNTERS, *BOXED)
"""Memories that are read in every cycle, and one whose read port waits for an enable."""


def text_of(module: str) -> str:
    """The name of a module as the Verilog has it."""
    return f"\\{module} "


@pytest.fixture(scope="module")
def verilog() -> str:
    return export(MACHINE)


def test_the_export_is_proven_and_the_changed_operator_is_not(verilog, tmp_path):
    """Without it the proof could fail on good Verilog, or its own control could pass unseen."""
    proof = prove(MACHINE, tmp_path, QUIET, verilog, MODULES)
    assert proof.complete and proof.registers > 100
    assert {m.name for m in proof.modules} == set(MODULES)
    assert all(m.total == m.proven > 100 and not m.unproven for m in proof.modules)
    assert proof.control.name == CHANGED and proof.control.proven < proof.control.total and proof.control.unproven
    assert all(check.passed for check in proof.verdicts()) and len(proof.verdicts()) == len(MODULES) + 1
    assert proof.record()["proven"] == proof.total


def test_every_kind_of_change_opens_the_proof_of_its_module(verilog, tmp_path):
    """Without it memories could hide in their boxes what is different: contents, enables, ports, read timing."""
    text = inside(verilog, text_of(WEIGHTS), r"memory\[i\] = 32'd0;", "memory[i] = i == 5 ? 32'h1 : 32'h0;")
    text = inside(text, text_of(WORDS), r"(words_memory\[)(\\end )(\] <= )", r"\1\2+ 5'd1\3")
    text = inside(text, text_of(ERRORS), r"if \((\w*en\w*|\\\$\d+ )\)\n(\s+storage\[)", r"if (!\1)\n\2")
    text = inside(text, text_of(STATE), r"always @\(posedge clk\)\n(\s+read_data <=)",
                  r"always @(negedge clk)\n\1")
    proof = prove(MACHINE, tmp_path, QUIET, text, BOXED)
    assert {m.name for m in proof.modules if m.proven < m.total} == set(BOXED)
    assert not proof.complete
    failed = [check for check in proof.verdicts() if not check.passed]
    assert len(failed) == 4 and all("not proven equal" in check.message for check in failed)


def test_the_optional_units_are_proven_and_their_table_is_part_of_it(tmp_path):
    """Without it the table of powers, which nothing writes, could be another one in the Verilog."""
    text, names = export(UNITS), ("hebbar.separation", "hebbar.energy_sum")
    assert prove(UNITS, tmp_path / "sound", QUIET, text, names).complete
    text = inside(text, text_of(names[0]), r"exponentials\[3\] = 17'h0fdee", "exponentials[3] = 17'h0fdef")
    text = inside(text, text_of(names[1]), r" \* ", " + ")
    proof = prove(UNITS, tmp_path / "changed", QUIET, text, names)
    assert {m.name for m in proof.modules if m.proven < m.total} == set(names)


def test_a_changed_first_value_is_found(verilog, tmp_path):
    """Without it the two could start apart: induction looks at steps only."""
    text = inside(verilog, text_of(WEIGHTS), r"(reg sub = 1'h)0", r"\g<1>1")
    with pytest.raises(Mismatch, match=r"register sub of module hebbar.tile.weights starts as"):
        prove(MACHINE, tmp_path, QUIET, text, (WEIGHTS,))


def test_another_port_is_found(verilog, tmp_path):
    """Without it a port that only one side has would be left out of the comparison."""
    text = inside(inside(verilog, text_of(ERRORS), r"\((\w+), ", r"(spare, \1, "),
                  text_of(ERRORS), "  input r_en;", "  input spare;\n  input r_en;")
    with pytest.raises(Mismatch, match=r"differ in the modules or the ports of hebbar.tile.errors"):
        prove(MACHINE, tmp_path, QUIET, text, (ERRORS,))


def test_wrong_names_are_refused(verilog, tmp_path):
    """Without it a misspelt module would count as proven."""
    with pytest.raises(BadInput, match=r"no module hebbar.tyle"):
        prove(MACHINE, tmp_path, QUIET, verilog, ("hebbar.tyle",))
    with pytest.raises(BadInput, match="no addition"):
        planted(verilog, "hebbar.nowhere")
