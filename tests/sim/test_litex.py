"""The system of ``examples/litex``: a processor trains the samples of a kit in LiteX's simulator."""

import re
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from sim.package import write
from sim.toolchain import environment

SOC = Path(__file__).parents[2] / "examples" / "litex" / "soc.py"
PACKAGES = ("litex", "migen", "pythondata_cpu_vexriscv", "pythondata_misc_tapcfg", "ziglang")
HEADERS = "#include <event2/event.h>\n#include <json-c/json.h>\n#include <zlib.h>\nint main(void) { return 0; }\n"
LIBRARIES = ("-ljson-c", "-levent", "-lz")


def run(command, folder):
    return subprocess.run(command, cwd=folder, env=environment("-O1"), capture_output=True, text=True, timeout=1500)


@pytest.fixture(scope="module")
def litex(tmp_path_factory):
    """Skips where something of LiteX's simulator is not there."""
    gone = [name for name in PACKAGES if find_spec(name) is None]
    if gone:
        pytest.skip(f"not installed, of the extra litex: {', '.join(gone)}")
    if not shutil.which("gcc"):
        pytest.skip("gcc is not installed (Debian: apt-get install -y gcc)")
    folder = tmp_path_factory.mktemp("headers")
    (folder / "all.c").write_text(HEADERS)
    if run(["gcc", "all.c", *LIBRARIES], folder).returncode:
        pytest.skip("LiteX's simulator needs json-c, libevent and zlib (Debian: apt-get install -y libjson-c-dev "
                    "libevent-dev zlib1g-dev)")


def test_a_processor_trains_the_samples_and_finds_a_wrong_weight(litex, tmp_path, models):
    """Without it the example, and the kit's driver on a processor with a real DMA, could fail at once or never."""
    write(load("tiny"), tmp_path / "kit", Reporter(quiet=True), models, samples=3)
    done = run([sys.executable, str(SOC), "kit"], tmp_path)
    assert done.returncode == 0 and "PASS: result 0, 0 beats wrong" in done.stdout, (done.stdout + done.stderr)[-3000:]
    path = tmp_path / "kit" / "hebbar_kit.c"
    text = path.read_text()
    place = re.compile(r"0x[0-9a-f]{8}u").search(text, text.index("hebbar_kit_learned["))
    path.write_text(text[:place.start()] + f"0x{int(place[0][:-1], 16) ^ 1:08x}u" + text[place.end():])
    done = run([sys.executable, str(SOC), "kit"], tmp_path)
    assert "FAIL: result 0, 1 beats wrong" in done.stdout, (done.stdout + done.stderr)[-3000:]
