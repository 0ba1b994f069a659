"""Where things are written: build folder and its bound, cache, lock of a folder for results, manifest."""

import fcntl
import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from hebbar.contract import files, places
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput
from hebbar.contract.record import write_record
from hebbar.studies.strangers import other_user
from sim import builds

SHOW = "from hebbar.contract.files import BUILD; print(BUILD)"


def child(code, **env):
    bare = {name: value for name, value in os.environ.items() if name not in ("HOME", "XDG_CACHE_HOME", "HEBBAR_BUILD")}
    return subprocess.run([sys.executable, "-c", code], env=bare | {name: str(v) for name, v in env.items()},
                          capture_output=True, text=True)


def test_the_build_folder_is_where_the_user_may_write(tmp_path):
    """Without it a current folder, a home or a cache that is read-only would end every build."""
    (tmp_path / "file").touch()
    (tmp_path / "home").mkdir()
    own = tmp_path / f"hebbar-{os.getuid()}"
    for env, expected in (
            ({"HEBBAR_BUILD": tmp_path / "given"}, tmp_path / "given"),
            ({"XDG_CACHE_HOME": tmp_path / "cache"}, tmp_path / "cache" / "hebbar" / "build"),
            ({"HOME": tmp_path / "home"}, tmp_path / "home" / ".cache" / "hebbar" / "build"),
            ({"XDG_CACHE_HOME": tmp_path / "file" / "below"}, own / "build"),
            ({"HOME": tmp_path / "nobody"}, own / "build")):
        answer = child(SHOW, TMPDIR=tmp_path, **env)
        assert answer.stdout.strip() == str(expected), (env, answer.stderr)
    assert not (tmp_path / "nobody").exists()  # a wrong HOME is not made
    assert own.stat().st_mode & 0o077 == 0  # what is built there is run


def test_a_folder_that_others_may_write_is_not_trusted(tmp_path):
    """Without it another user could lay a simulator there that we would run."""
    own = tmp_path / f"hebbar-{os.getuid()}"
    own.mkdir()
    own.chmod(0o777)
    answer = child(SHOW, TMPDIR=tmp_path, HOME=tmp_path / "nobody")
    assert answer.returncode == 0 and not Path(answer.stdout.strip()).is_relative_to(own)


@pytest.mark.parametrize("name", ["a b", "it's", "x#1", "$HOME", "ü", "a,b", "semi;colon", "back\\slash", "*",
                                  "new\nline"])
def test_every_path_has_a_name_that_make_takes(tmp_path, name):
    """Without it make would read another name, or two."""
    (tmp_path / name).mkdir()
    (tmp_path / name / "f.v").write_text("x")
    found = places.plain(tmp_path / name / "f.v")
    assert places.PLAIN.fullmatch(str(found)) and found.suffix == ".v"
    assert found.resolve() == (tmp_path / name / "f.v").resolve() and found.read_text() == "x"
    assert places.plain(tmp_path) == tmp_path


def entry(build, name, size, used):
    folder = build / name
    folder.mkdir(parents=True)
    (folder / "model").write_bytes(bytes(size))
    (folder / builds.USED).touch()
    os.utime(folder / builds.USED, (used, used))
    return folder


def test_the_least_recently_used_builds_go(tmp_path):
    """Without it built simulators would fill the disk."""
    for i in range(5):
        entry(tmp_path, str(i), 100_000, 1000 + (i * 3) % 5)  # 0, 3, 1, 4, 2: order of use is 0, 2, 4, 1, 3
    (tmp_path / "links").mkdir()
    with open(tmp_path / "2" / builds.USED) as held:
        fcntl.flock(held, fcntl.LOCK_SH)  # as another process does that runs it
        assert [e.folder.name for e in builds.entries(tmp_path)] == ["0", "2", "4", "1", "3"]
        total = sum(e.size for e in builds.entries(tmp_path))
        size = total // 5
        assert builds.trim(tmp_path, total) == 0
        assert builds.trim(tmp_path, total - size - 1) == 2 * size  # 0, then 4 since 2 is held
        assert {p.name for p in tmp_path.iterdir()} == {"1", "2", "3", "links"}
        assert builds.clean(tmp_path) == (2 * size, size)
    assert builds.clean(tmp_path) == (size, 0)
    assert [p.name for p in tmp_path.iterdir()] == ["links"]


def test_a_build_that_is_in_use_is_kept_and_made_again_when_it_is_gone(tmp_path, monkeypatch):
    """Without it a long run would lose its simulator to another command."""
    monkeypatch.setattr(builds, "LIMIT_BYTES", 0)
    first = builds.keep(tmp_path / "first")
    (first / "model").write_bytes(bytes(1000))
    builds.keep(tmp_path / "second")
    code = f"from sim.builds import clean; from pathlib import Path; print(clean(Path({str(tmp_path)!r})))"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.startswith("(0, ") and (first / "model").exists(), answer.stderr
    (first / builds.USED).unlink()
    assert builds.keep(first) == first and (first / builds.USED).exists()


def test_an_entry_that_is_removed_and_made_again_meanwhile_is_kept(tmp_path, monkeypatch):
    """Without it two commands that tidy at once would end in an error, or one remove what a third has just built."""
    folder, flock = entry(tmp_path, "model", 1000, 1000), fcntl.flock
    gone = entry(tmp_path, "gone", 1000, 1000)
    listed = builds.entries(tmp_path)
    shutil.rmtree(gone)

    def late(file, how):
        monkeypatch.setattr(builds.fcntl, "flock", flock)
        builds.shutil.rmtree(folder)
        entry(tmp_path, "model", 2000, 2000)
        flock(file, how)

    monkeypatch.setattr(builds, "entries", lambda _: listed)
    monkeypatch.setattr(builds.fcntl, "flock", late)
    assert builds.trim(tmp_path, 0) == 1000, "of the entry that had gone"
    assert (folder / "model").stat().st_size == 2000


def test_a_mark_that_is_removed_while_its_lock_is_awaited_is_made_anew(tmp_path, monkeypatch):
    """Without it a build would be held by a file that is gone, so that another command could remove it in use."""
    folder, flock = tmp_path / "model", fcntl.flock

    def late(file, how):
        monkeypatch.setattr(builds.fcntl, "flock", flock)
        shutil.rmtree(folder)
        entry(tmp_path, "model", 1000, 1000)
        flock(file, how)

    monkeypatch.setattr(builds.fcntl, "flock", late)
    builds.keep(folder)
    assert not builds._remove(folder) and (folder / "model").exists()


def test_too_little_room_is_said_before_the_build(tmp_path, monkeypatch):
    """Without it the compiler would say so, after a training."""
    monkeypatch.setattr(builds, "free_bytes", lambda folder: 10 << 20)
    with pytest.raises(BadInput, match=r"has 10 MB left and a simulator needs 200 MB.*--build"):
        builds.room_for_build(tmp_path)


def test_two_commands_in_one_folder(tmp_path):
    """Without it two trainings would tear each other's checkpoint."""
    code = ("import sys; from pathlib import Path; from hebbar.contract.files import occupy; occupy(Path('out'));"
            "print('there', flush=True); sys.stdin.read()")
    first = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                             text=True)
    assert first.stdout.readline() == "there\n"
    with pytest.raises(BadInput, match=f"process {first.pid} is at work in .*out; wait for it, or give another"):
        files.occupy(tmp_path / "out")
    first.kill()
    first.communicate()
    (tmp_path / "out" / ".x.json.99.partial").touch()
    files.occupy(tmp_path / "out")  # the lock of a killed process locks nothing
    files.occupy(tmp_path / "out")
    assert [p.name for p in (tmp_path / "out").iterdir()] == [files.LOCK]
    files.release()
    assert list((tmp_path / "out").iterdir()) == []


def test_the_manifest_says_when_where_and_by_which_rule(tmp_path):
    """Without it an edited rule would be shown beside the results of the old one."""
    source = tmp_path / "mine.py"
    source.write_text("# a rule\n")
    config = {"rule": {"name": "mine", "source": str(source)}, "training": {"seed": 3}}
    write_record(tmp_path / "out", ["hebbar", "run"], {}, [], 1.0, config)
    source.write_text("# another\n")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    assert manifest["rule"] == {"source": str(source), "copy": "rule.py", "sha256": sha256(b"# a rule\n").hexdigest()}
    assert (tmp_path / "out" / "rule.py").read_text() == "# a rule\n"
    assert abs(datetime.now(UTC) - datetime.fromisoformat(manifest["date"])) < timedelta(minutes=5)
    assert set(manifest["host"]) == {"system", "release", "machine", "processors"}
    assert os.uname().nodename not in json.dumps(manifest["host"])


def test_another_user_with_read_only_packages_home_and_folder(tmp_path):
    """Without it an install by an administrator would serve nobody."""
    figure, = other_user.measure(tmp_path, True, Reporter(quiet=True))
    assert figure.met is not False, figure
    if figure.met is None:
        pytest.skip(str(figure.value))
