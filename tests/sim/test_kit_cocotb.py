"""The folder of ``hebbar testbench`` runs as it is, without Hebbar."""

import os
import shutil
import subprocess
import sys

import pytest

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput
from sim.kit.cocotb_bench import write


@pytest.mark.skipif(shutil.which("iverilog") is None,
                    reason="iverilog is not installed (Debian: apt-get install -y iverilog)")
def test_the_bench_passes_and_finds_a_wrong_weight(tmp_path, models):
    """Without it the recipe that users copy could fail at once, or never."""
    write(load("tiny"), tmp_path, Reporter(quiet=True), models)
    env = {name: value for name, value in os.environ.items() if not name.startswith(("COCOTB_", "PYTEST_"))}

    def run():
        return subprocess.run([sys.executable, "run.py"], cwd=tmp_path, env=env, capture_output=True, text=True)

    done = run()
    assert done.returncode == 0 and "PASS=1 FAIL=0" in done.stdout, (done.stdout + done.stderr)[-3000:]
    path = tmp_path / "kit" / "data" / "learned.hex"
    first, rest = path.read_text().split("\n", 1)
    path.write_text(f"{int(first, 16) ^ 1:08x}\n{rest}")
    assert run().returncode != 0


def test_a_macro_has_no_bench(tmp_path, models):
    with pytest.raises(BadInput, match="use hebbar macro"):
        write(load("digits_analog"), tmp_path, Reporter(quiet=True), models)
