"""Presets through the commands that take one, as a user types them."""

import numpy as np
import pytest
from commands import hebbar

from golden.learning.idx import read_folder
from hebbar.compiler.config import load, preset_names
from hebbar.compiler.program import compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.record import write_record
from hebbar.energy.run import estimate_run
from hebbar.report import write_report
from hebbar.report.tables import print_energy, print_outcome
from hebbar.studies.strangers import presets
from sim import experiment
from sim.backends import golden

QUIET = Reporter(quiet=True)


def test_commands_end_without_an_error(tmp_path, monkeypatch, models):
    """The bench part in its short form, of the smallest preset alone, since energy of others is estimated below; the
    simulators are those of the co-simulation tests."""
    models.mkdir(exist_ok=True)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "build").symlink_to(models)
    monkeypatch.setattr(presets, "started", hebbar)
    monkeypatch.setattr(presets, "QUICK", {"tiny": presets.QUICK["tiny"]})
    (figure,) = presets.measure(tmp_path, True, QUIET)
    assert figure.met and figure.value == sum(map(len, presets.QUICK.values())), figure


def test_every_entry_of_every_preset_is_simulated(tmp_path):
    """The list of entries must be that of the program, or the figure would count less than there is."""
    for preset in preset_names():
        lines = presets.commands_of(preset, tmp_path)
        assert list(lines) == list(presets.COMMANDS)
        entries = [line[line.index("--entry") + 1] for line in lines["simulate"]]
        assert entries == list(compile_config(load(preset)).entries)
        folders = [line[line.index("--out") + 1] for several in lines.values() for line in several if "--out" in line]
        assert len(set(folders)) == len(folders)  # a simulation of the entry `train` is not a training


def test_a_command_that_fails_is_counted_and_quoted(tmp_path, monkeypatch):
    """The figure must be able to fall."""
    monkeypatch.setattr(presets, "QUICK", {"tiny": ("energy", "check")})
    monkeypatch.setattr(presets, "commands_of", lambda *_, **__: {"energy": [["energy", "tinny"]], "check": []})
    said = []
    monkeypatch.setattr(Reporter, "say", lambda self, text: said.append(text))
    (figure,) = presets.measure(tmp_path, True, QUIET)
    assert (figure.value, figure.met) == (1, False) and any("ended with 2" in s and "tiny" in s for s in said)


def test_images_of_noise_are_mnist_files(tmp_path):
    """What stands in for MNIST has to be read like it."""
    images, labels = read_folder(str(presets.write_images(tmp_path / "some", 30, 10)), "train")
    assert images.shape == (30, 784) and (labels == np.arange(30) % 10).all()


@pytest.mark.parametrize("preset", ["mnist", "query", "covpcn", "euclidean", "reward_bases", "stdp"])
def test_run_energy_and_report_of_every_kind_of_task(preset, tmp_path, monkeypatch, capsys):
    """Everything around the RTL, for which the golden machine stands in here: the table, the record, the page."""
    monkeypatch.setattr(experiment.verilator, "prepare", lambda *_, **__: None)
    monkeypatch.setattr(experiment.verilator, "run", lambda job, *_: golden.run(job))
    config = load(preset)
    if config.data.name == "idx":
        config = config.replace(data={"path": str(presets.write_images(tmp_path / "images"))})
    outcome = experiment.run(config, tmp_path, None, QUIET, quick=True)
    result = outcome.result()
    assert result["mismatches"] == 0 < result["compared_words"]
    assert result["accuracy_rtl"] == result["accuracy_fixed"]
    found = estimate_run(config, 2, "cmos45", QUIET)
    assert 0 < found.sample.low <= found.sample.typical <= found.sample.high
    print_outcome(outcome)
    print_energy(found)
    assert outcome.task.measure in capsys.readouterr().out
    write_record(tmp_path, ["hebbar", "run"], result, outcome.checks(), 0.0)
    text = write_report(tmp_path, QUIET, wave=False).read_text()
    assert "RTL equals golden" in text and preset in text
