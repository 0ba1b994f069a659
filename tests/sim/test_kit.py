"""The kit: what its files say is what the host driver sends, and its test bench passes and fails where it must."""

import json
import shutil
import struct

import numpy as np
import pytest

from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.memories import HEADER, Mem, unpack
from hebbar.contract.registers import REGISTERS, identity
from sim.backends import fast
from sim.host import Host, load as load_host
from sim.kit.contents import contents
from sim.kit.testbench import run_testbench
from sim.package import write
from sim.shell.host import finish

CONFIG = load("tiny")
SAMPLES = 3
needs_icarus = pytest.mark.skipif(shutil.which("iverilog") is None,
                                  reason="iverilog is not installed (Debian: apt-get install -y iverilog)")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, models):
    folder = tmp_path_factory.mktemp("kit")
    write(CONFIG, folder, Reporter(quiet=True), models, samples=SAMPLES)
    return folder


def manifest(folder):
    return json.loads((folder / "kit.json").read_text())


def hex_words(folder, name: str) -> list[int]:
    return [int(line, 16) for line in (folder / "data" / f"{name}.hex").read_text().split()]


class Recorded(Host):
    """A host that keeps what it is asked to send."""

    def __init__(self):
        self.sent_packets, self.written = [], []

    async def write(self, address, value):
        self.written.append((address, value))
        return 0

    async def read(self, address):
        known = {REGISTERS[name].address: value for name, value in identity(CONFIG.machine).items()}
        return known.get(address, 0), 0

    def send(self, packet):
        self.sent_packets.append([int(beat) for beat in packet])

    async def sent(self):
        pass

    async def receive(self):
        return []

    async def drain(self):
        pass

    async def halted(self):
        pass


def test_the_files_hold_what_the_host_driver_sends(folder):
    """Without it a board that is loaded from the files would run something else than the simulations."""
    kit, host = contents(CONFIG, 0), Recorded()
    weights = np.array(hex_words(folder, "load_weight")[2:])
    flat = np.stack([weights & 0xFFFF, weights >> 16], 1).ravel().astype(np.uint16).astype(np.int16).astype(np.int64)
    m = CONFIG.machine
    finish(load_host(host, kit.program, flat.reshape(m.weight_words, m.row_tiles, m.lanes)))
    names = [s["name"] for s in manifest(folder)["sections"] if s["name"].startswith("load_")]
    assert [hex_words(folder, name) for name in names] == host.sent_packets
    pairs = hex_words(folder, "settings")
    assert list(zip(pairs[::2], pairs[1::2])) == host.written


def test_every_packet_says_its_own_length_and_memory(folder):
    """Without it a loader that takes TLAST from the header would cut a packet short."""
    for section in manifest(folder)["sections"]:
        if section["name"].startswith(("load_", "clamp_")):
            words = hex_words(folder, section["name"])
            head = unpack(HEADER, words[0])
            assert head["beats"] == len(words) - 2 and head["read"] == 0, section["name"]
            expected = section["name"].removeprefix("load_").upper() if section["name"].startswith("load_") else "CLAMP"
            assert Mem(head["memory"]).name == expected


def test_hex_binary_and_manifest_hold_the_same_words(folder):
    """Without it one of three loaders would load something else."""
    data = (folder / "hebbar_kit.bin").read_bytes()
    magic, _, _, count = struct.unpack_from("<4sIII", data)
    sections = manifest(folder)["sections"]
    assert magic == b"HEBK" and count == len(sections)
    for i, section in enumerate(sections):
        name, offset, rows, words = struct.unpack_from("<24sIII", data, 16 + 36 * i)
        assert name.rstrip(b"\0").decode() == section["name"] and offset == section["binary_offset"]
        assert (rows, words) == (section["rows"], section["words_a_row"])
        assert list(struct.unpack_from(f"<{rows * words}I", data, offset)) == hex_words(folder, section["name"])


def test_the_learned_weights_are_those_of_the_rtl(folder, models):
    """Without it the kit would hold a golden machine to itself."""
    kit = contents(CONFIG, SAMPLES)
    program = compile_config(CONFIG)
    session = fast.Session(program, fast.prepare(program, models, announce=False))
    try:
        host = session.host
        for packet in kit.load.values():
            host.send(packet)
        host.send(kit.clamps["train"])
        finish(host.sent())
        for register, value in (*kit.settings.items(), *kit.rates.items(), ("loop0", SAMPLES),
                                ("entry", program.entries["train"]), ("control", 1)):
            finish(host.set(register, value))
        for sample in kit.parts[0].samples:
            host.send(sample)
        finish(host.halted())
        host.send(kit.read_weights)
        assert finish(host.receive()) == hex_words(folder, "learned")
    finally:
        session.close()


def test_names_of_settings_are_registers(folder):
    found = manifest(folder)
    assert {**found["settings"], **found["rates"]}.keys() <= REGISTERS.keys()


@needs_icarus
def test_the_plain_test_bench_passes_under_icarus(folder):
    """Without it the kit would need Python to be tried."""
    words, said = run_testbench(folder, "icarus")
    learned, answers = manifest(folder)["sections"][-1], SAMPLES * 10
    assert words == learned["words_a_row"] + answers, said


def test_the_plain_test_bench_passes_under_verilator(folder):
    words, said = run_testbench(folder, "verilator")
    assert words > 0 and "PASS" in said, said


@needs_icarus
@pytest.mark.parametrize("section, row, sentence", [
    ("learned", 5, "FAIL: beat 5 is"), ("answers_predict", 7, "FAIL: beat 7 is")])
def test_the_plain_test_bench_names_the_first_difference(folder, tmp_path, section, row, sentence):
    """Without it the test bench could print PASS whatever comes out."""
    copy = shutil.copytree(folder, tmp_path / "kit")
    path = copy / "data" / f"{section}.hex"
    lines = path.read_text().split()
    lines[row] = f"{int(lines[row], 16) ^ 1:08x}"
    path.write_text("\n".join(lines) + "\n")
    words, said = run_testbench(copy, "icarus")
    assert words == 0 and sentence in said and "PASS" not in said, said


def test_a_task_without_data_has_a_kit_without_samples(tmp_path, models):
    """Without it a network for data that are elsewhere could not be exported."""
    config = CONFIG.replace(data={"name": "idx", "path": str(tmp_path / "nowhere")})
    kit = contents(config, 1)
    assert not kit.parts and "nowhere" in kit.missing and Mem.WEIGHT in kit.load
