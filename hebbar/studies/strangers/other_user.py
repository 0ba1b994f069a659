"""A plain install, used by somebody else: packages, home and current folder that cannot be written."""

import os
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from hebbar.contract.console import Reporter
from hebbar.contract.errors import MissingTool
from hebbar.contract.files import temporary_folder
from hebbar.contract.results import Figure

from ..parts import ROOT

__all__ = ["COMMANDS", "attempt", "install", "measure"]

NOBODY = "65534"
COMMANDS: dict[str, list[str]] = {
    "simulate": ["simulate", "tiny", "--backend", "golden", "--samples", "1"],
    "verilog": ["verilog", "tiny"],
    "train": ["train", "tiny", "--epochs", "1"],
    "run": ["run", "tiny", "--epochs", "1", "--samples", "5"]}
QUICK = ("simulate", "verilog")
PLACES: dict[str, dict[str, str]] = {
    "no home": {"HOME": "/nonexistent"},
    "no HOME at all": {},
    "a cache for Numba that cannot be written": {"HOME": "/nonexistent", "NUMBA_CACHE_DIR": "/proc"}}


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """Commands that work as ``nobody`` in a read-only current folder, from an install that nobody can only read."""
    with temporary_folder() as place:
        try:
            reporter.say("installing Hebbar for another user ...")
            program = install(place / "prefix")
        except (MissingTool, OSError, subprocess.SubprocessError) as error:
            return [Figure("commands that work as another user", f"not run: {error}", "all", "commands", None)]
        place.chmod(0o755)
        chosen = [(n, w) for n in COMMANDS for w in PLACES if not quick or (n in QUICK and w == "no home")]
        right = 0
        with reporter.task("commands as another user", len(chosen)) as task:
            for i, (command, where) in enumerate(chosen):
                wrong = attempt(program, COMMANDS[command], PLACES[where], place / str(i))
                right += not wrong
                task.advance(i + 1, f"{command}, {where}: {wrong or 'works'}")
                if wrong:
                    reporter.say(f"{command}, {where}: {wrong}")
    return [Figure("commands that work as another user", right, f"{len(chosen)} of {len(chosen)}", "commands",
                   right == len(chosen))]


def install(prefix: Path) -> Path:
    """The program ``hebbar`` of a plain, not editable, install into ``prefix``, beside the packages that are here.

    Raises MissingTool when this user or this computer cannot do that.
    """
    if os.geteuid() != 0 or not shutil.which("setpriv"):
        raise MissingTool("only root with setpriv (util-linux) can start a command as another user.")
    subprocess.run([_python(), "-m", "venv", "--without-pip", prefix], check=True, capture_output=True)
    packages = next((prefix / "lib").glob("python*/site-packages"))
    _copy(packages)
    others = [path for path in sys.path if path.endswith("-packages")]
    (packages / "others.pth").write_text("".join(f"{path}\n" for path in others))
    program = prefix / "bin" / "hebbar"
    program.write_text(f"#!{prefix}/bin/python\nfrom hebbar.cli import main\nmain()\n")
    for path in (prefix, *prefix.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o7755 | 0o444 | (0o111 if path.is_dir() else 0))
    program.chmod(0o755)
    for path in map(Path, others):
        if not all(folder.stat().st_mode & 0o005 == 0o005 for folder in (path, *path.parents)):
            raise MissingTool(f"{path} cannot be read by another user.")
    return program


def _copy(packages: Path) -> None:
    """What a wheel of Hebbar holds: modules, the data that pyproject.toml names, the description."""
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    for package in ("hebbar", "golden", "hw", "sim"):
        for pattern in ("**/*.py", *data.get(package, ())):
            for path in (ROOT / package).glob(pattern):
                target = packages / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
    description = packages / f"hebbar-{metadata.version('hebbar')}.dist-info" / "METADATA"
    description.parent.mkdir()
    description.write_text(metadata.distribution("hebbar").read_text("METADATA") or "")


def _python() -> str:
    """A Python of this version that anybody may start."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for place in (Path(sys.base_prefix) / "bin", Path("/usr/local/bin"), Path("/usr/bin")):
        path = (place / name).resolve()
        if path.is_file() and all(folder.stat().st_mode & 0o001 for folder in path.parents):
            return str(path)
    raise MissingTool(f"there is no {name} that another user may start.")


def attempt(program: Path, command: list[str], places: dict[str, str], folder: Path) -> str:
    """Run a command as nobody in ``/``, results in ``folder``; what was wrong, "" for nothing."""
    folder.mkdir()
    os.chown(folder, int(NOBODY), int(NOBODY))
    answer = subprocess.run(
        ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "env", "-i", "PATH=/usr/bin:/bin",
         f"TMPDIR={folder}", *(f"{name}={value}" for name, value in places.items()), str(program), *command, "--out",
         str(folder / "out")], cwd="/", capture_output=True, text=True)
    if answer.returncode:
        return f"exit {answer.returncode}: {answer.stderr.strip()[-300:]}"
    return "" if (folder / "out" / "result.json").is_file() else "it wrote no result.json"
