"""Completion in a shell, and the file that says how to cite: what stands there is there."""

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def completed(words: str, shell: str = "bash") -> list[str]:
    """What a shell would offer for the last of ``words``."""
    code = "from hebbar.cli import main; main()"
    how = {"_HEBBAR_COMPLETE": f"complete_{shell}", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" ")),
           "_TYPER_COMPLETE_ARGS": words, "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    # -c is the name of the program then: the shell's function has the name that was installed
    answer = subprocess.run([sys.executable, "-c", f"import sys; sys.argv = ['hebbar']; {code}"], text=True,
                            capture_output=True, env=os.environ | how, timeout=60)
    assert (answer.returncode, answer.stderr) == (0, ""), answer.stderr
    return answer.stdout.split()


@pytest.mark.parametrize("words, offered", [
    ("hebbar pre", ["predict", "presets"]), ("hebbar run --qui", ["--quick", "--quiet"]),
    ("hebbar run digits_", ["digits_analog", "digits_ipc", "digits_zil"]), ("hebbar run my_own", [])])
def test_commands_options_and_presets_are_completed(words, offered):
    """Without it a shell would offer nothing, or print our sentence about a defect into the command line."""
    found = completed(words)
    assert sorted(found)[:len(offered)] == offered if offered else found == []


def test_the_citation_says_what_the_project_says():
    """Without it the licence could change in one place, or the file be none that tools read."""
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert cited["cff-version"] == "1.2.0" and cited["type"] == "software" and cited["authors"] and cited["message"]
    assert cited["license"] == project["license"] and project["name"].title() in cited["title"]
