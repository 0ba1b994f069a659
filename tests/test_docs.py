"""docs/reference.md says what the contract says, all of it."""

import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from hebbar.compiler.config import Config, load
from hebbar.compiler.keys import find_tables, tables
from hebbar.compiler.rules import RULES
from hebbar.contract import exponentials
from hebbar.contract.counters import COUNTERS
from hebbar.contract.errors import BadInput
from hebbar.contract.isa import FIELDS, Op, Sweep
from hebbar.contract.memories import BLOCK, HEADER, MAP, TABLE, Mem
from hebbar.contract.registers import COUNTER_BASE, REGISTERS, Cause, Control, Status

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "scripts" / "gen_docs.py"
REFERENCE = ROOT / "docs" / "reference.md"


@pytest.fixture(scope="module")
def main():
    return runpy.run_path(str(SCRIPT))["main"]


@pytest.fixture(scope="module")
def sections():
    """The cells of every table row, by the section that holds them."""
    found, section = {}, ""
    for line in REFERENCE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            section = line.strip("# ")
        elif line.startswith("|"):
            cells = [cell.strip(" `") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            found.setdefault(section, []).append(cells)
    return found


def test_the_reference_is_up_to_date():
    """Without it the manual would go on describing last month's machine."""
    for _ in range(2):  # each process hashes strings differently: the page must not
        run = subprocess.run([sys.executable, str(SCRIPT), "--check"], capture_output=True, text=True)
        assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_a_stale_or_missing_page_is_reported(main, tmp_path, capsys):
    """Without it the check could pass whatever is on disk, or leave half a page behind."""
    page = tmp_path / "docs" / "reference.md"
    pages = page, page.with_name("keys.md"), page.with_name("sequencer.md")
    assert main(["--check"], *pages) == 1
    assert not page.exists()
    assert main([], *pages) == 0
    assert page.read_bytes() == REFERENCE.read_bytes()
    assert sorted(p.name for p in page.parent.iterdir()) == ["keys.md", "reference.md", "sequencer.md"]
    assert main(["--check"], *pages) == 0
    for stale in pages[::2]:
        text = stale.read_text(encoding="utf-8")
        stale.write_text(text.replace("SWEEP", "SWEPT", 1), encoding="utf-8")
        capsys.readouterr()
        assert main(["--check"], *pages) == 1
        said = capsys.readouterr().err.splitlines()[-1]  # on a busy computer behind the time that it takes
        assert said == f"{stale} is not what the sources say; run python scripts/gen_docs.py."
        stale.write_text(text, encoding="utf-8")


def test_the_states_of_the_sequencer_name_their_instructions():
    """Without it a signal that the hardware calls otherwise would leave numbers where the table should have names."""
    text = (ROOT / "docs" / "sequencer.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| `decode`")]
    assert {op.name for op in Op} - {"HALT"} <= {word.strip(",|") for line in rows for word in line.split()}
    assert not [line for line in text.splitlines() if re.search(r"not stays, \d|\$", line)]


def test_every_option_of_a_rule_is_explained():
    """Without it an option would be known to those alone who read the rule."""
    text = (ROOT / "docs" / "systems.md").read_text(encoding="utf-8")
    lines = text.partition("## Options of rules")[2].partition("\n## ")[0].splitlines()
    found, name = {}, ""
    for rule, option, default, meaning in ([cell.strip(" `") for cell in line[1:-1].split("|")] for line in lines
                                           if line.startswith("|") and "`" in line):
        name = rule or name
        found.setdefault(name, {})[option] = default.strip('"')
        assert meaning, (name, option)
    assert found == {name: {option: str(value).lower() for option, value in rule.options.items()}
                     for name, rule in RULES.items() if rule.options}


def test_instructions_fields_and_flags_are_all_there(sections):
    """Without it an opcode, a field or a flag could be in the machine and not in the manual, or be
    given another machine's bit."""
    assert [row[:2] for row in sections["Instructions"][2:]] == [[str(int(op)), op.name] for op in Op]
    assert [[1 << int(row[0]), row[1]] for row in sections["Flags of SWEEP"][2:]] \
        == [[int(flag), flag.name] for flag in Sweep]
    assert all(row[2] for row in sections["Flags of SWEEP"][2:])
    for op in Op:
        if FIELDS[op]:
            rows = next(rows for title, rows in sections.items()
                        if title.startswith("Fields of") and op.name in title.split())
            check_layout(rows, FIELDS[op])


def test_the_arithmetic_of_separate_is_there(sections):
    """Without it nobody could compute what SEPARATE leaves: its formulas, widths and powers."""
    rows = {row[0]: row[1] for row in sections["Arithmetic of SEPARATE"][2:]}
    assert rows == {n: str(getattr(exponentials, n)) for n in
                    ("BETA_BITS", "BETA_FRAC", "DISTANCE_BITS", "INDEX_BITS", "OCTAVES", "POWER_FRAC",
                     "RECIPROCAL_BITS", "RECIPROCAL_FRAC")}
    text = REFERENCE.read_text(encoding="utf-8")
    for line in (*(exponentials.__doc__ or "").splitlines(),
                 *(exponentials.SeparationTiming.__doc__ or "").splitlines()):
        if line.startswith("    ") and ("=" in line or "n +" in line):
            assert line.strip() in text


def test_what_an_identity_column_is_stands_beside_the_entries(sections):
    """Without it `lanes` 0 would be a number without a meaning."""
    text = REFERENCE.read_text(encoding="utf-8")
    assert "An identity column (`lanes` 0) joins every row" in text
    assert "The array macro has no identity columns" in " ".join(text.split())


@pytest.mark.parametrize("title, fields", [
    ("Packet header", HEADER), ("Entry of BLOCK", BLOCK), ("Entry of MAP", MAP),
    ("Entry of FUNCTION and DERIVATIVE", TABLE)])
def test_every_entry_of_a_memory_is_there(sections, title, fields):
    """Without it a driver written from the manual would put a field at the wrong bit."""
    assert [row[:2] for row in sections["Memories"][2:]] == [[str(int(m)), m.name] for m in Mem]
    check_layout(sections[title], fields)


def check_layout(rows, fields):
    assert [row[1] for row in rows[2:]] == list(fields)
    for row, field in zip(rows[2:], fields.values()):
        msb, _, lsb = row[0].partition(":")
        lsb = lsb or msb
        assert (int(lsb), int(msb) - int(lsb) + 1) == (field.lsb, field.width)
        assert row[2] == field.meaning


def test_every_register_bit_and_cause_is_there(sections):
    """Without it a host would read a cause, a bit or an address that means something else."""
    names = {row[1]: int(row[0], 16) for row in sections["Registers"][2:]}
    assert names == {n: r.address for n, r in REGISTERS.items() if r.address < COUNTER_BASE}
    for title, kind in (("Bits of control", Control), ("Bits of status", Status)):
        assert [[1 << int(row[0]), row[1]] for row in sections[title][2:]] \
            == [[int(flag), flag.name] for flag in kind]
    assert [row[:2] for row in sections["Causes"][2:]] == [[str(int(c)), c.name] for c in Cause]
    halts = [row[1] for row in sections["Causes"][2:] if not row[2]]
    assert halts == ["NONE", "DONE", "STOPPED"]


def test_every_counter_is_there_at_its_address(sections):
    """Without it a profile would show one counter under the name of its neighbour."""
    titles = ("Issue slots by flag set", "Work", "Cycles", "Host")
    rows = [row for title in titles for row in sections[title][2:]]
    assert [row[2] for row in rows] == list(COUNTERS)
    for low, high, name, meaning in rows:
        assert int(low, 16) == REGISTERS[f"{name}_lo"].address
        assert int(high, 16) == REGISTERS[f"{name}_hi"].address
        assert meaning
    assert [row[3] for row in rows[:16:5]] == [
        "slots of sweeps with none of them", "slots of sweeps with FWD, TRN",
        "slots of sweeps with ERR, UPD", "slots of sweeps with FWD, ERR, TRN, UPD"]


@pytest.mark.parametrize("name", ["results_table.py", "systems_table.py"])
def test_the_results_in_the_pages_are_the_recorded_ones(name):
    """Without it a page could keep a figure that no command printed, or a machine that no preset has."""
    script = ROOT / "scripts" / name
    answer = subprocess.run([sys.executable, str(script), "--check"], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr


def _leaves(table, path=()):
    """Every key of a configuration that was written out, tables apart."""
    for name, value in table.items():
        if isinstance(value, dict) and name != "options":
            yield from _leaves(value, (*path, name))
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            yield from _leaves(value[0], (*path, name))
        else:
            yield (".".join(path), name)


def test_every_key_has_a_line_with_its_meaning_and_its_default():
    """What a configuration writes out is what the page lists, no key more or less."""
    written = Config().model_dump(mode="json")
    written["network"] = load("graph").network.model_dump(mode="json")
    listed = {(t.name, k.name): k for t in tables() for k in t.keys}
    assert set(listed) == set(_leaves(written))
    for (section, name), key in listed.items():
        assert key.meaning.endswith((".", ")")) and key.kind and key.example.startswith(f"{name} = "), (section, name)
        value, given = written, tomllib.loads(key.example)[name]
        for part in section.split(".") if section else []:
            value = value[part][0] if isinstance(value[part], list) else value[part]
        assert isinstance(given, type(value[name])) or (isinstance(given, float | int)
                                                        and isinstance(value[name], float))
        if key.default != "required" and not section.startswith("network."):
            assert tomllib.loads(f"{name} = {key.default}")[name] == value[name]


def test_a_section_is_found_or_a_near_one_is_named():
    assert [t.name for t in find_tables("machine.analog.read")] == ["machine.analog.read"]
    assert len(find_tables("machine")) == 10
    with pytest.raises(BadInput, match="there is no section 'machin'; did you mean 'machine'"):
        find_tables("machin")
