"""The objects of Verilator's library: compiled by the first build of a folder, linked by the later ones."""

from pathlib import Path

import pytest
from test_toolchain import BENCH, COUNTER, run

from hebbar.contract.errors import HebbarError
from sim import verilator

LIBRARY = "include/verilated.cpp"


def build(work: Path, step: int, shared: Path, **options: bool) -> str:
    """Build a counter in a folder of its own; what the tools said."""
    source, folder = work / "counter.v", work / f"build{step}"
    source.write_text(COUNTER)
    verilator.build(source, "counter", folder, ["log.mem"], {"STEP": step}, announce=False, shared=shared, **options)
    return (folder / "build.log").read_text()


def test_a_second_model_is_linked_with_the_objects_of_the_first(tmp_path: Path) -> None:
    """Without it every model of a small machine takes three times as long to build, or runs on half a library."""
    first, second = (build(tmp_path, step, tmp_path / "kept") for step in (1, 2))
    assert LIBRARY in first and LIBRARY not in second
    for step in (1, 2):
        run(tmp_path / f"build{step}", tmp_path, BENCH, "bench", STEP=str(step))
    objects = [{p.name: p.read_bytes() for p in (tmp_path / f"build{step}").glob("verilated*.o")} for step in (1, 2)]
    assert objects[0] == objects[1] and len(objects[0]) >= 3  # the fast shell is linked with those of its model


@pytest.fixture
def flags(tmp_path, monkeypatch):
    """Builds a counter and tells what make is given; nothing is compiled."""
    asked = []

    def refuse(simulator, method, arguments, env, log, *others):
        asked.append(env["MAKEFLAGS"])
        log.write_text("refused")
        return 1

    monkeypatch.setattr(verilator, "call_runner", refuse)

    def given(shared: Path, **options: bool) -> str:
        with pytest.raises(HebbarError, match="refused"):
            build(tmp_path, 1, shared, **options)
        return str(asked[-1])

    return given


def test_objects_of_other_tools_and_of_models_that_record_are_not_taken(tmp_path, flags, monkeypatch):
    """Without it a model is linked with a library of another version, or one that has no waveform in it."""
    shared = tmp_path / "kept"
    kept, waves = (verilator.verilated.place(shared, repr((verilator._tools(), w, False))) for w in (False, True))
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "verilated.o").write_bytes(b"an object")
    assert "LOADLIBES" not in flags(shared)
    verilator.verilated.store(tmp_path / "work", kept)
    assert flags(shared).endswith("VM_GLOBAL_FAST= VM_GLOBAL_SLOW= LOADLIBES=verilated.o")
    assert (tmp_path / "build1" / "verilated.o").read_bytes() == b"an object"
    assert "LOADLIBES" not in flags(shared, waves=True) and "LOADLIBES" not in flags(shared, toggles=True)
    (tmp_path / "work" / "verilated.o").rename(tmp_path / "work" / "verilated_vcd_c.o")
    verilator.verilated.store(tmp_path / "work", waves)
    assert flags(shared, waves=True).endswith("LOADLIBES=verilated_vcd_c.o") and "LOADLIBES" not in flags(
        shared, toggles=True)
    monkeypatch.setattr(verilator, "_tools", lambda: [("verilator", "elsewhere", "1.0")])
    assert "LOADLIBES" not in flags(shared)
