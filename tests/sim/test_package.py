"""The files beside the Verilog: true to the register map, readable by the tools they are for."""

import json
import re
import subprocess

import pytest

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput, HebbarError
from hebbar.contract.geometry import ports
from hebbar.contract.isa import FIELDS, Op, Sweep, encode
from hebbar.contract.memories import BLOCK, HEADER, MAP, TABLE, Mem, pack
from hebbar.contract.registers import REGISTERS, Cause, Control, Status, identity
from sim.package import lint, write
from sim.toolchain import environment, verilator_command
from sim.verilator import WARNINGS

CONFIG = load("tiny")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, models):
    folder = tmp_path_factory.mktemp("package")
    write(CONFIG, folder, Reporter(quiet=True), models)
    return folder


def run_c(folder, body: str) -> str:
    """The output of a C program around the header, compiled with every warning an error."""
    (folder / "main.c").write_text('#include <stddef.h>\n#include <stdio.h>\n#include "hebbar_formats.h"\n'
                                   f"int main(void) {{ {body} return 0; }}\n")
    subprocess.run(["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-o", "main", "main.c"], cwd=folder,
                   check=True)
    return subprocess.run(["./main"], cwd=folder, capture_output=True, text=True, check=True).stdout


def test_the_c_headers_have_every_register_bit_and_cause(folder):
    """Without it a driver written in C would write to another register than the hardware has."""
    expected = {f"offsetof(hebbar_t, {name})": r.address for name, r in REGISTERS.items()}
    expected |= {f"HEBBAR__CONTROL__{b.name}_bm": b.value for b in Control}
    expected |= {f"HEBBAR__STATUS__{b.name}_bm": b.value for b in Status}
    expected |= {f"HEBBAR__{name.upper()}__VALUE_reset": value for name, value in identity(CONFIG.machine).items()
                 if name not in ("version", "geometry")}
    expected |= {f"HEBBAR_CAUSE_{c.name}": c.value for c in Cause} | {f"HEBBAR_MEMORY_{m.name}": m.value for m in Mem}
    expected |= {f"HEBBAR_{m.name}_DEPTH": p.depth for m, p in ports(CONFIG.machine).items()}
    expected |= {f"HEBBAR_OP_{op.name}": op.value for op in Op} | {f"HEBBAR_FLAG_{f.name}": f.value for f in Sweep}
    said = run_c(folder, "".join(f'printf("%u\\n", (unsigned){n});' for n in expected))
    assert dict(zip(expected, map(int, said.split()))) == expected


def test_the_c_header_packs_a_packet_as_the_host_does(folder):
    """Without it the first packet of a C driver would address another memory."""
    said = run_c(folder, 'printf("%u", hebbar_packet(HEBBAR_MEMORY_WEIGHT, 1234, 1));')
    assert int(said) == pack(HEADER, "packet", beats=1234, memory=Mem.WEIGHT, read=1)


def test_the_c_header_assembles_instructions_and_descriptors(folder):
    """Without it a driver that writes a program or a descriptor would write another one. Every field has its largest
    value in turn, so that a place or a width that is wrong cannot hide."""
    body, expected, count = "", [], 0

    def add(name, fields, word, words=1):
        nonlocal body, count
        puts = "".join(f"hebbar_put(w{count}, HEBBAR_{name}_{n.upper()}_LSB, HEBBAR_{name}_{n.upper()}_MASK, {v}u);"
                       for n, v in fields.items())
        start = f"(uint32_t)HEBBAR_OP_{name} << HEBBAR_OP_CODE_LSB" if name in Op.__members__ else "0"
        body += f"uint32_t w{count}[{words}] = {{{start}}}; {puts}"
        body += "".join(f'printf("%u\\n", (unsigned)w{count}[{i}]);' for i in range(words))
        expected.extend(word >> 32 * i & 0xFFFFFFFF for i in range(words))
        count += 1

    for op, layout in FIELDS.items():
        for name, place in layout.items():
            add(op.name, {name: (1 << place.width) - 1}, encode(op, **{name: (1 << place.width) - 1}))
    for title, table, words in (("BLOCK", BLOCK, 4), ("MAP", MAP, 1), ("TABLE", TABLE, 1)):
        for name, place in table.items():
            values = dict.fromkeys(table, 0) | {name: (1 << place.width) - 1}
            add(title, values, pack(table, title, **values), words)
    assert [int(word) for word in run_c(folder, body).split()] == expected
    block = {name: (37 * i + 1) % (1 << place.width) for i, (name, place) in enumerate(BLOCK.items())}
    word = pack(BLOCK, "block", **block)
    quarters = ", ".join(f"{word >> 32 * i & 0xFFFFFFFF}u" for i in range(4))
    gets = (f"hebbar_get(w, HEBBAR_BLOCK_{n.upper()}_LSB, HEBBAR_BLOCK_{n.upper()}_MASK)" for n in block)
    said = run_c(folder, f"static const uint32_t w[4] = {{{quarters}}};" +
                 "".join(f'printf("%u\\n", (unsigned){get});' for get in gets))
    assert [int(value) for value in said.split()] == list(block.values())


def test_the_core_file_is_yaml_with_its_targets(folder):
    """Without it FuseSoC would refuse the core, or find files that are not there."""
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    text = (folder / "hebbar.core").read_text()
    assert text.startswith("CAPI=2:\n")
    core = yaml.safe_load(text)
    assert {"default", "lint", "synth"} <= set(core["targets"])
    assert core["targets"]["lint"]["toplevel"] == "hebbar" and core["targets"]["lint"]["filesets"] == ["rtl"]
    for name in ("hebbar.v", "hebbar_registers.h", "hebbar_formats.h"):
        assert (folder / name).exists() and name in json.dumps(core["filesets"])


def test_the_verilog_says_what_it_is(folder):
    """Without it a file found later could not be traced to its configuration."""
    head = (folder / "hebbar.v").read_text()[:600]
    assert "src =" not in (folder / "hebbar.v").read_text(), "a path of this machine"
    assert "configuration tiny" in head and re.search(r"SHA-256 [0-9a-f]{64}", head) and "4 lanes" in head


def test_lint_reports_what_it_found(folder, tmp_path):
    """Without it the report would say zero warnings whatever Verilator says."""
    assert "0 warnings" in (folder / "lint.txt").read_text()
    (tmp_path / "bad.v").write_text("module hebbar(input a, output [1:0] b); wire c; assign b = {a, c}; endmodule\n")
    with pytest.raises(HebbarError, match="UNDRIVEN"):
        lint(tmp_path / "bad.v")


def test_the_same_configuration_gives_the_same_bytes(folder, tmp_path, models):
    """Without it a diff between two exports would show noise."""
    for path in write(CONFIG, tmp_path, Reporter(quiet=True), models):
        assert path.read_bytes() == (folder / path.relative_to(tmp_path)).read_bytes(), path.name


MODULE = re.compile(r"^module \\?(\S+)", re.MULTILINE)


@pytest.fixture(scope="module")
def pair(tmp_path_factory, models):
    """Two machines under two names, one of which holds the usual name."""
    place = tmp_path_factory.mktemp("pair")
    for top, config in (("one", CONFIG), ("hebbar_2", CONFIG.replace(machine={"lanes": 8}))):
        write(config, place / top, Reporter(quiet=True), models, top)
    return place


def test_two_machines_fit_into_one_design(pair):
    """Without names of their own the submodules of one machine would silently serve the other."""
    paths = [pair / top / f"{top}.v" for top in ("one", "hebbar_2")]
    one, other = (set(MODULE.findall(path.read_text())) for path in paths)
    assert one and other and not one & other and all(m.startswith("one") for m in one)
    soc = "module soc(input clk, input rst); one a(.clk(clk), .rst(rst)); hebbar_2 b(.clk(clk), .rst(rst)); endmodule\n"
    (pair / "soc.v").write_text(soc)
    options = ["--lint-only", *WARNINGS, "-Wno-PINMISSING", "--top-module", "soc"]
    answer = subprocess.run([verilator_command(), *options, "soc.v", *(str(p) for p in paths)], cwd=pair,
                            env=environment(), capture_output=True, text=True)
    assert answer.returncode == 0 and "%Warning" not in answer.stderr, answer.stderr[:2000]


def test_two_headers_fit_into_one_program(pair):
    """Without it a driver of both would write one machine's geometry to the other."""
    headers = [pair / top / f"{top}_kit.h" for top in ("one", "hebbar_2")]
    (pair / "main.c").write_text("#include <stdio.h>\n" + "".join(f'#include "{h}"\n' for h in headers) +
                                 'int main(void) { printf("%u %u", ONE__GEOMETRY__LANES_reset, '
                                 'HEBBAR_2__GEOMETRY__LANES_reset); return 0; }\n')
    sources = [str(path) for top in ("one", "hebbar_2") for path in (pair / top).glob("*_[dk]*.c")]
    subprocess.run(["gcc", "-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic", "-o", "main", "main.c", *sources],
                   cwd=pair, check=True)
    said = subprocess.run(["./main"], cwd=pair, capture_output=True, text=True, check=True).stdout
    assert said == f"{CONFIG.machine.lanes} 8"


def test_every_file_of_a_named_machine_is_called_after_it(pair):
    core = (pair / "one" / "one.core").read_text()
    assert "name: hebbar:accelerator:one:" in core and "- one.v" in core and "- one_registers.h:" in core
    assert "toplevel: one" in core and core.count("hebbar") == 1
    assert {p.name for p in (pair / "one").iterdir()} == {
        "one.v", "one.core", "one.rdl", "one.xml", "one_registers.h", "one_formats.h", "registers", "registers.md",
        "access", "lint.txt", "one_driver.h", "one_driver.c", "one_main.c", "one_pynq.py", "one_kit.h", "one_kit.c",
        "one_kit.bin", "one_tb.v", "kit.json", "data"}


@pytest.mark.parametrize("top", [
    "", "2nd", "a-b", "module", "wire", "small", "logic", "field", "mem", "signal", "w1", "lambda",
    "caf\u00e9", "a b", "\\\\x"])
def test_a_name_that_cannot_be_one_is_refused_before_the_export(top, tmp_path):
    with pytest.raises(BadInput, match="cannot be the name of a module"):
        write(CONFIG, tmp_path / "out", Reporter(quiet=True), tmp_path, top)
    assert not list(tmp_path.iterdir())
