"""Draw the pictures of the documentation with the commands that its pages name. Most are not kept in git.

    python scripts/draw_pictures.py --list       says which there are, and which are drawn
    python scripts/draw_pictures.py NAME.svg ..  draws these into docs/pictures
    python scripts/draw_pictures.py              draws all that are missing, at full length: this takes hours

`scripts/docs` shows those that are there and names the command of the others.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"

SEVERITY = """
import json
from pathlib import Path
from hebbar.report.svg import save
from hebbar.studies.severity import draw

record = json.loads(Path("benchmarks/results/study.json").read_text())
save(draw({switch: found["means"] for switch, found in record.items()}), Path("out/pictures/severity.svg"))
"""
WAVEFORM = """
import json
from pathlib import Path
from hebbar.report import waveform
from hebbar.report.svg import save

found = json.loads(Path("out/broken/result.json").read_text())
waves = waveform.load(Path(found["waveform"]))
save(waveform.draw(waves, waveform.moment(waves, found["first_difference"])), Path("out/broken/waveform.svg"))
"""


@dataclass(frozen=True)
class Recipe:
    """What Python runs, one after the other in the repository's folder, and the file below out/ of each picture."""

    commands: tuple[tuple[str, ...], ...]
    files: Mapping[str, str]


def example(name: str, *pictures: str) -> Recipe:
    """An example draws its pictures into out/ under their own names, by default one with the name of the example."""
    return Recipe(((f"examples/{name}.py",),), {f"{picture}.svg": f"{picture}.svg" for picture in pictures or (name,)})


def hebbar(command: str) -> tuple[str, ...]:
    """The command line from Python."""
    return ("-m", "hebbar", *command.split())


OWN_RULE = "examples/own_rule/own_rule.toml"
RECIPES = (
    *map(example, ("categorical", "choose_gamma", "deep", "early_exit", "feature_memory", "hopfield_family",
                   "incremental", "recall_images", "reverse_differentiation", "reward_bases", "weak_feedback")),
    example("prospective", "prospective_64-64-10", "prospective_64-32-32-10", "alignment"),
    example("query", "query_generated", "query_completed"),
    example("spiking", "stdp_window", "spiking"),
    Recipe((hebbar("bench depth --part rules"),), {"rules_by_depth.svg": "bench/depth/rules/rules.svg"}),
    Recipe((hebbar("bench depth --part window --data data/mnist"),), {"window.svg": "bench/depth/window/window.svg"}),
    Recipe((hebbar("bench depth --part bits --data data/mnist"),), {"bits.svg": "bench/depth/bits/bits.svg"}),
    Recipe((hebbar("transient"),), {"transient.svg": "transient/transient.svg"}),
    Recipe((("-c", SEVERITY),), {"severity.svg": "pictures/severity.svg"}),  # of the record: the study takes hours
    Recipe((hebbar(f"run {OWN_RULE} --samples 20 --out out/own_rule"), hebbar("report out/own_rule")),
           {"own_rule_learning.svg": "own_rule/figures/learning.svg"}),
    Recipe((hebbar(f"simulate {OWN_RULE} --break rounding --out out/broken"), ("-c", WAVEFORM)),
           {"own_rule_waveform.svg": "broken/waveform.svg"}))


def draw(recipe: Recipe, folder: Path) -> None:
    """Run a recipe and copy its pictures; raises SystemExit with a sentence when a command fails."""
    for command in recipe.commands:
        answer = subprocess.run([sys.executable, *command], cwd=ROOT)
        if answer.returncode:
            raise SystemExit(f"python {' '.join(command)} ended with exit code {answer.returncode}; "
                             f"{', '.join(recipe.files)} was not drawn.")
    folder.mkdir(parents=True, exist_ok=True)
    for name, file in recipe.files.items():
        shutil.copyfile(ROOT / "out" / file, folder / name)
        print(f"drew {folder / name}")


def main(arguments: list[str] | None = None) -> None:
    """Draw what is asked for, or what is missing."""
    parser = argparse.ArgumentParser(description="Draw the pictures of the documentation.")
    parser.add_argument("names", nargs="*", metavar="NAME.svg", help="pictures to draw; default: all that are missing")
    parser.add_argument("--out", type=Path, default=PICTURES, help="folder for the pictures")
    parser.add_argument("--list", action="store_true", help="say which there are and which are drawn")
    given = parser.parse_args(arguments)
    known = {name: recipe for recipe in RECIPES for name in recipe.files}
    for name in given.names:
        if name not in known:
            parser.error(f"there is no picture {name!r}; --list shows all.")
    missing = [name for name in known if not (given.out / name).exists()]
    if given.list:
        print("\n".join(f"{name}{'  (not drawn)' if name in missing else ''}" for name in sorted(known)))
        return
    wanted = given.names or missing
    for recipe in RECIPES:
        if set(wanted) & set(recipe.files):
            draw(recipe, given.out)


if __name__ == "__main__":
    main()
