"""A test bench in plain Verilog that follows the page Integrate, and nothing else of ours, on a kit."""

import json
import shutil
import subprocess

import pytest

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from sim.package import write

pytestmark = pytest.mark.skipif(shutil.which("iverilog") is None,
                                reason="iverilog is not installed (Debian: apt-get install -y iverilog)")


@pytest.fixture(scope="module")
def folder(tmp_path_factory, models):
    """A kit, the packets of its program one behind the other, and the bench built with the numbers of kit.json."""
    folder = tmp_path_factory.mktemp("integrator")
    write(load("tiny"), folder / "kit", Reporter(quiet=True), models, samples=3)
    kit = json.loads((folder / "kit" / "kit.json").read_text())
    sections = {s["name"]: s for s in kit["sections"]}
    loads = [s for name, s in sections.items() if name.startswith("load_")]
    (folder / "load.hex").write_text("".join((folder / "kit" / s["hex"]).read_text() for s in loads))
    words = {name: s["words_a_row"] for name, s in sections.items()}
    numbers = {"LOAD_BEATS": sum(s["words_a_row"] for s in loads), "SETTINGS": words["settings"],
               "RATES": words["rates"], "CLAMP_TRAIN": words["clamp_train"], "CLAMP_PREDICT": words["clamp_predict"],
               "LEARNED": words["learned"], "SAMPLES": sections["samples_train"]["rows"],
               "QUESTIONS": sections["samples_predict"]["rows"], "TRAIN_BEATS": words["samples_train"],
               "PREDICT_BEATS": words["samples_predict"], "ANSWER_BEATS": kit["answer_beats"]["predict"],
               "ENTRY_TRAIN": kit["entries"]["train"], "ENTRY_PREDICT": kit["entries"]["predict"],
               "BUILD": f"32'd{kit['identity']['build']}"}
    bench = shutil.copy(__file__.replace("test_integrator.py", "integrator_tb.v"), folder)
    subprocess.run(["iverilog", "-g2005", "-Wall", "-Wno-timescale", "-o", "tb", "-s", "integrator_tb",
                    *(f"-D{name}={value}" for name, value in numbers.items()), bench, "kit/hebbar.v"], cwd=folder,
                   check=True)
    return folder


def run(folder):
    return subprocess.run(["vvp", "-n", "tb"], cwd=folder, capture_output=True, text=True, timeout=600).stdout


def test_the_page_is_enough_to_train_abort_and_ask(folder):
    """Without it the page could lack what a driver needs: this bench knows nothing else."""
    equal = sum(1 for name in ("learned", "answers_predict")
                for _ in (folder / "kit" / "data" / f"{name}.hex").read_text().split())
    assert f"PASS: {equal} words equal" in run(folder)


def test_it_finds_one_wrong_bit(folder):
    path = folder / "kit" / "data" / "answers_predict.hex"
    right = path.read_text()
    mask = (folder / "kit" / "data" / "mask_predict.hex").read_text().split()[0]
    first, rest = right.split("\n", 1)
    path.write_text(f"{int(first, 16) ^ (int(mask, 16) & -int(mask, 16)):08x}\n{rest}")
    said = run(folder)
    path.write_text(right)
    assert "FAIL: 1 of" in said
