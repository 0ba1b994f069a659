"""The kit's driver in C99, compiled with every warning an error and run against the Verilated machine."""

import re
import shutil

import pytest

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from sim.kit.board import ABUSE, MAIN, figures, run_c
from sim.kit.contents import contents
from sim.package import write

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None,
                                reason="gcc is not installed (Debian: apt-get install -y gcc)")
CONFIG, SAMPLES = load("tiny"), 4
MOST_LINES = 30


@pytest.fixture(scope="module")
def kit():
    return contents(CONFIG, SAMPLES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, models):
    folder = tmp_path_factory.mktemp("driver")
    write(CONFIG, folder, Reporter(quiet=True), models, samples=SAMPLES)
    return folder


def test_the_example_trains_in_thirty_lines(kit, folder, models):
    """Without it the program that the manual shows might not work."""
    assert len(MAIN.read_text().splitlines()) <= MOST_LINES
    code, said = run_c(kit, folder, MAIN, models)
    assert code == 0 and said.startswith("PASS"), said


def test_the_example_finds_a_wrong_weight(kit, folder, models, tmp_path):
    copy = shutil.copytree(folder, tmp_path / "kit")
    path = copy / "hebbar_kit.c"
    text = path.read_text()
    array = text.index("hebbar_kit_learned[256] = {")
    place = re.compile(r"0x[0-9a-f]{8}u").search(text, array)
    path.write_text(text[:place.start()] + f"0x{int(place[0][:-1], 16) ^ 1:08x}u" + text[place.end():])
    code, said = run_c(kit, copy, MAIN, models)
    assert code == 1 and "1 beats wrong" in said, said


@pytest.mark.usefixtures("optimised")
def test_abort_fault_and_reset_in_mid_stream_leave_a_machine_that_trains(kit, folder, models):
    """Without it a driver would work until the first cable is pulled."""
    code, said = run_c(kit, folder, ABUSE, models)
    found = figures(said)
    assert code == 0 and found["wrong"] == 0, said
    assert found["words"] == len(kit.learned) + kit.parts[1].answers.size
    clamp = len(kit.clamps["train"])
    assert found["beats"] == clamp + kit.parts[0].samples.size + kit.parts[0].answers.size
    assert 0 < found["issue"] < found["cycles"]


def test_another_machine_is_refused(folder, kit, models, tmp_path):
    """Without it a driver would load one machine's program into another."""
    copy = shutil.copytree(folder, tmp_path / "kit")
    header = copy / "hebbar_registers.h"
    text = header.read_text()
    header.write_text(text.replace("WEIGHT_WORDS__VALUE_reset 0x80", "WEIGHT_WORDS__VALUE_reset 0x40"))
    assert header.read_text() != text
    code, said = run_c(kit, copy, MAIN, models)
    assert code == 1 and "result -2" in said, said
