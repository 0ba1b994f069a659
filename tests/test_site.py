"""The documentation site: it builds without a warning, its links lead somewhere, and its commands exist."""

import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command

from hebbar.cli.app import app

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")] + sorted(DOCS.rglob("*.md"))
PICTURE = re.compile(r"^```\{picture\} (\S+)$", re.MULTILINE)
KEPT_BYTES = 1_000_000
"""What the pictures in git may take, all together."""


def build(pages: Path, out: Path) -> subprocess.CompletedProcess:
    options = ("-q", "-W", "--keep-going", "-b", "html", "-d", out / "doctrees")
    return subprocess.run([sys.executable, "-m", "sphinx", *options, pages, out / "site"],
                          capture_output=True, text=True, timeout=240)


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("furo", reason="the site needs pip install -e '.[docs]'")
    out = tmp_path_factory.mktemp("site")
    answer = build(DOCS, out)
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    return out / "site"


def test_the_site_builds_without_a_warning(site):
    """Without it a dead link, a page outside the navigation or a broken docstring would reach readers."""
    for page in sorted(DOCS.rglob("*.md")):
        assert (site / page.relative_to(DOCS)).with_suffix(".html").exists(), page
    assert "hebbar.api.Experiment.cosimulate" in (site / "api" / "experiment.html").read_text(encoding="utf-8")


def test_the_api_reference_holds_every_public_name(site):
    """Without it a public name without a docstring would be left out, and nobody would see that it is missing."""
    from importlib import import_module

    from sphinx.util.inventory import InventoryFile

    listed = [name for page in (DOCS / "api").glob("*.md")
              for name in re.findall(r"^\.\. automodule:: (\S+)$", page.read_text(encoding="utf-8"), re.MULTILINE)]
    found = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="").data
    objects = {name for kind, names in found.items() if kind.startswith("py:") for name in names}
    assert len(listed) > 20 and set(listed) <= objects
    missing = [f"{module.__name__}.{name}" for module in map(import_module, listed) for name in module.__all__
               if not isinstance(getattr(module, name), type(sys))  # a module has a heading of its own
               and not any(o.startswith(f"{module.__name__}.") and o.endswith(f".{name}") for o in objects)]
    assert missing == []


def test_a_dead_link_fails_the_build(tmp_path):
    """Without it the build could pass whatever the pages say."""
    pytest.importorskip("furo", reason="the site needs pip install -e '.[docs]'")
    docs = tmp_path / "docs"
    docs.mkdir()
    for name in ("conf.py", "site.css"):
        shutil.copy(DOCS / name, docs)
    (docs / "index.md").write_text("# One\n\n[page](gone.md), [place](#nowhere), [file](../lost.py)\n\n"
                                   "```{picture} undrawn.svg\nA curve\n```\n", encoding="utf-8")
    answer = build(docs, tmp_path)
    assert answer.returncode == 1
    assert all(name in answer.stderr for name in ("gone.md", "nowhere", "lost.py"))
    assert "undrawn" not in answer.stderr
    page = re.sub("<[^>]+>", "", (tmp_path / "site" / "index.html").read_text(encoding="utf-8"))
    assert "A curve: python scripts/draw_pictures.py undrawn.svg draws it." in page


def test_whoever_runs_the_tests_gets_what_builds_the_site():
    """Without it the tests above would be skipped everywhere and for ever."""
    extras = re.search(r"-e '\.\[([a-z,]+)\]'", (ROOT / "scripts" / "env.sh").read_text(encoding="utf-8"))
    assert extras is not None
    assert {"test", "docs"} <= set(extras[1].split(","))


def test_pictures_in_git_are_few_and_small():
    """Without it every redrawn picture would add its whole size to the repository for good."""
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "-z"], capture_output=True, text=True)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    paths = [ROOT / name for name in listed.stdout.split("\0") if re.search(r"\.(svg|png|jpe?g|gif|pdf)$", name)]
    shown = "".join(page.read_text(encoding="utf-8") for page in (ROOT / "README.md", DOCS / "index.md",
                                                                  DOCS / "neuroscience.md", DOCS / "hardware.md"))
    assert paths and all(path.name in shown for path in paths)
    assert sum(path.stat().st_size for path in paths if path.exists()) < KEPT_BYTES


def test_every_picture_of_a_page_has_a_command_that_draws_it(tmp_path, capsys):
    """Without it a page could ask for a picture that nobody can draw. The record of the study draws one here."""
    script = runpy.run_path(str(ROOT / "scripts" / "draw_pictures.py"))
    names = {name for recipe in script["RECIPES"] for name in recipe.files}
    assert {name for page in PAGES for name in PICTURE.findall(page.read_text(encoding="utf-8"))} == names
    script["main"](["--out", str(tmp_path), "severity.svg"])
    assert [path.name for path in tmp_path.iterdir()] == ["severity.svg"]
    drawn = (tmp_path / "severity.svg").read_text(encoding="utf-8")
    assert drawn.startswith("<svg") and "update.asymmetry" in drawn
    script["main"](["--out", str(tmp_path), "--list"])
    assert "severity.svg\n" in capsys.readouterr().out.replace("drew", "")
    with pytest.raises(SystemExit):
        script["main"](["unknown.svg"])


def test_the_files_that_contributing_names_exist():
    """Without it a newcomer would be sent to a file that has moved. What is drawn or built is not named there."""
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`([\w.]+/[\w./]*)", text)) - {"out/site"}
    assert len(named) > 60
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []


def test_the_links_of_the_readme_lead_to_files():
    """Without it they could be dead: the README is no page of the site, whose build checks the links of the others."""
    links = re.findall(r"\]\(([^)#]+)", (ROOT / "README.md").read_text(encoding="utf-8"))
    assert len(links) > 5 and [link for link in links if not (ROOT / link).exists()] == []


def test_the_examples_for_networks_run(tmp_path):
    """Without it the first code that somebody copies could be of another Hebbar."""
    page = (DOCS / "neuroscience.md").read_text(encoding="utf-8")
    code, network = (re.search(rf"```{kind}\n(.*?)```", page, re.DOTALL)[1] for kind in ("python", "toml"))
    (tmp_path / "own.toml").write_text(network, encoding="utf-8")
    for arguments in (("-c", code), ("-m", "hebbar", "simulate", "own.toml", "--backend", "golden", "--samples", "2")):
        answer = subprocess.run([sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=240)
        assert answer.returncode == 0, answer.stderr
    assert (tmp_path / "out" / "weights.npz").exists()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_commands_of_a_page_exist(page):
    """Without it a page could tell a reader to type a command or an option that is no more."""
    commands = get_command(app).commands
    for line in re.findall(r"^    (?:\.venv/bin/)?hebbar (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE):
        words = shlex.split(line, comments=True)
        if words[0].startswith("-"):
            continue
        assert words[0] in commands, line
        options = {option for parameter in commands[words[0]].params
                   for option in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
        for word in words[1:]:
            assert not word.startswith("--") or word.split("=")[0] in options, line
