"""Netlists: what they say, solved by a few lines here and by ngspice where it is installed."""

import json
import re

import numpy as np
import pytest
from netlists import circuit, crossbar, needs_ngspice, network
from typer.testing import CliRunner

from golden.analog.wires import Wires, first_order
from golden.session import initial_image
from hebbar.cli.app import app
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.errors import BadInput, HebbarError, MissingTool
from sim.analog import spice
from sim.analog.crossbar import (
    Crossbar,
    Read,
    approximation_share,
    currents,
    drawn,
    loaded,
    programmed,
    read_of,
    settling,
)
from sim.analog.transient import Lines

WIRES = [Wires(1, 1), Wires(5, 3, 100, 50), Wires(1e-3, 1e-3), Wires(1e4, 1e4), Wires(1e6, 2), Wires(),
         Wires(2, 0, 0, 7), Wires(0, 2, 7, 0), Wires(0, 0, 7, 9)]


def solved(text, rows, columns):
    """Currents (2, C) of the ammeters: modified nodal analysis, a current for every source, dense."""
    parts, sources = circuit(text)
    ends = {node for a, b, _ in parts.values() for node in (a, b)} | {node for node, _ in sources.values()}
    names = sorted(ends - {"0"})
    number = {name: i for i, name in enumerate(names)}
    size = len(names) + len(sources)
    system, right = np.zeros((size, size)), np.zeros(size)
    for name, (a, b, ohms) in parts.items():
        for x, y, sign in ((a, a, 1), (b, b, 1), (a, b, -1), (b, a, -1)):
            system[number[x], number[y]] += sign / ohms if name[0] == "R" else 0
    for k, (node, volts) in enumerate(sources.values(), len(names)):
        system[k, number[node]] = system[number[node], k] = 1
        right[k] = volts
    flows = dict(zip(sources, np.linalg.solve(system, right)[len(names):]))
    assert len(sources) == rows + 2 * columns
    return np.array([[flows[f"Vs_{half}_{j}"] for j in range(columns)] for half in "pn"])


def ends_of(text):
    """Which line every driver and every sense node ends at, by its name: a line is where the most of its resistors are.

    From the letters of the netlist alone: a segment ``Rw_p_i_0`` or ``Rb_p_0_j`` has the end of its line as a node.
    """
    parts, _ = circuit(text)
    line = {}
    for name, (a, b, _) in parts.items():
        kind, half, i, j = ([*name[1:].split("_"), ""])[:4]
        if kind == "w" and j == "0":
            line[a] = ("word", half, int(i))
        if kind == "b" and i == "0":
            line[b] = ("bit", half, int(j))
    return {name: line[node] for name, (a, b, _) in parts.items() if name[:3] in ("Rd_", "Rs_")
            for node in (a, b) if node in line}


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (5, 1), (8, 8), (6, 11)])
@pytest.mark.parametrize("wires", WIRES, ids=str)
@pytest.mark.parametrize("verb", ["TRN", "FWD"])
def test_the_netlist_is_the_array_that_is_solved(shape, wires, verb):
    """Without it the netlist could describe another array, and ngspice would confirm nothing."""
    array = crossbar(*shape, wires, verb=verb)
    ours = currents(array)
    found = solved(spice.netlist(array), *(shape if verb == "TRN" else shape[::-1]))
    assert np.abs(found - ours).max() < 1e-9 * max(np.abs(ours).max(), 1e-30)


@pytest.mark.parametrize("verb", ["TRN", "FWD"])
@pytest.mark.parametrize("ohms", [(5, 3, 100, 50), (3, 5, 50, 100)])
def test_drivers_and_sense_nodes_are_at_the_ends_of_their_lines(verb, ohms):
    """Names and values in the netlist, and its currents by Kirchhoff's law for all nodes. Without it netlist and solver
    could agree on an array that drives the lines it should sense."""
    array = crossbar(4, 6, Wires(*ohms), verb=verb)
    text, (driven, sensed) = spice.netlist(array), ("word", "bit") if verb == "TRN" else ("bit", "word")
    inputs, outputs = (4, 6) if verb == "TRN" else (6, 4)
    assert ends_of(text) == {f"R{end}_{half}_{k}": (kind, half, k) for half in "pn" for end, kind, count in
                             (("d", driven, inputs), ("s", sensed, outputs)) for k in range(count)}
    assert {v for name, (_, _, v) in circuit(text)[0].items() if name.startswith("Rd_")} == {ohms[2]}
    found = solved(text, inputs, outputs)
    for half, g in zip(found, (array.plus, array.minus)):
        expected = network(np.maximum(g, 1e-14), array.volts, verb, *ohms)
        assert np.abs(half - expected).max() < 1e-8 * np.abs(expected).max()


@pytest.mark.parametrize("wires", [Wires(5, 3, 100, 50), Wires(0, 3), Wires(3, 0)], ids=str)
def test_every_segment_has_its_capacitor(wires):
    """Without it a line could settle too early because nodes that are one took one capacitor."""
    array = crossbar(4, 6, wires)
    parts, sources = circuit(spice.netlist(array, Read(1e-9, 2e-9, word_farad=2e-15, bit_farad=3e-15)))
    farads = {side: sum(v for name, (_, b, v) in parts.items() if name.startswith(side) and b == "0")
              for side in ("Cw", "Cb")}
    assert farads == {"Cw": pytest.approx(2 * 24 * 2e-15), "Cb": pytest.approx(2 * 24 * 3e-15)}
    assert [v for name, (_, v) in sources.items() if name.startswith("Vin")] == array.volts.tolist()


@needs_ngspice
@pytest.mark.parametrize("size", [8, 16, 32])
@pytest.mark.parametrize("wires", WIRES, ids=str)
def test_ngspice_finds_the_same_operating_point(size, wires, tmp_path):
    """Without it a wrong picture of the array would be shared by everything here: ngspice is another program."""
    for verb in ("TRN", "FWD"):
        compared(crossbar(size, size - 1, wires, seed=size, verb=verb), tmp_path)


def compared(array, tmp_path):
    path = spice.write(array, tmp_path / "array.cir")
    ours, theirs = currents(array), spice.operating_point(path)
    assert theirs.shape == ours.shape
    assert np.abs(theirs - ours).max() < 1e-6 * np.abs(ours).max()
    assert spice.difference(array, path) < 1e-6


@needs_ngspice
def test_a_read_ends_at_the_operating_point_as_far_as_it_settled(tmp_path):
    """Without it capacitors could leak, or a read be judged that had not settled: one that is cut short ends where
    the modes of the lines are at that time, and that is somewhere else."""
    array = crossbar(8, 8, Wires(50, 30, 1000, 100))
    ours, whole = currents(array), read_of(array, 3, 1e-14)
    found, top = spice.waves(spice.write(array, tmp_path / "whole.cir", whole)), np.abs(currents(array)).max()
    assert spice.difference(array, tmp_path / "whole.cir", whole) < 1e-6
    output = whole.gain * (ours[0, 3] - ours[1, 3])
    assert abs(output) == pytest.approx(0.7)
    assert found["v(held)"][-1] == pytest.approx(output, abs=1e-6)
    assert found["v(compare)"][-1] == pytest.approx(float(output > whole.reference), abs=1e-6)
    tau = settling(array, whole)
    short = Read(0.5 * tau, 0.6 * tau, 1e-2 * tau, 1e-14, 1e-14)
    early = spice.waves(spice.write(array, tmp_path / "short.cir", short))
    lines = Lines(array.plus, array.volts, array.wires, short)
    there = lines.currents(lines.voltages(np.array([short.end])))[:, 0]
    at_end = np.array([early[f"i(vs_p_{j})"][-1] for j in range(8)])
    assert np.abs(at_end - there).max() < 1e-5 * top < 1e-2 * np.abs(at_end - ours[0]).max()


@needs_ngspice
def test_ngspice_says_what_it_refuses(tmp_path):
    """Without it a broken netlist would look like currents of 0."""
    (tmp_path / "bad.cir").write_text("* bad\nR1 a 0\n.control\nop\nprint i(vs_p_0)\nquit\n.endc\n.end\n")
    with pytest.raises(HebbarError, match=r"bad.cir"):
        spice.operating_point(tmp_path / "bad.cir")


def test_a_missing_ngspice_is_a_sentence(tmp_path, monkeypatch):
    """Without it the command would end in a stack trace where the program is not installed."""
    monkeypatch.setenv("PATH", "")
    with pytest.raises(MissingTool, match="apt-get install -y ngspice"):
        spice.operating_point(tmp_path / "array.cir")


def test_the_command_writes_what_the_file_holds(tmp_path):
    """Without it a user's conductances could be transposed, scaled or left for random ones on the way."""
    state = {"g_plus": np.array([[1e-5, 2e-5, 0], [4e-5, 5e-5, 6e-5]]), "g_minus": np.full((2, 3), 7e-6)}
    np.savez(tmp_path / "state.npz", **state, volts=[0.1, -0.3])
    options = ["spice", str(tmp_path / "state.npz"), "--driver-resistance", "9", "--json", "--out",
               str(tmp_path / "out")]
    answer = CliRunner().invoke(app, options, catch_exceptions=False)
    record = json.loads(answer.stdout)
    expected = currents(Crossbar(**{name[2:]: g for name, g in state.items()}, volts=np.array([0.1, -0.3]),
                                 wires=Wires(1, 1, 9)))
    assert np.allclose([record["g_plus"], record["g_minus"]], expected, rtol=1e-12)
    text = (tmp_path / "out" / "crossbar.cir").read_text()
    assert np.allclose(solved(text, 2, 3), expected, rtol=1e-9)
    assert circuit(text)[0]["Rc_p_1_2"] == ("w_p_1_2", "b_p_1_2", pytest.approx(1 / 6e-5, rel=1e-15))
    assert "Rc_p_0_2" not in text
    CliRunner().invoke(app, [*options, "--inputs", "0.5,0"], catch_exceptions=False)
    assert [v for _, v in circuit((tmp_path / "out" / "crossbar.cir").read_text())[1].values()][:2] == [0.5, 0]


def test_the_command_reads_either_way(tmp_path):
    """Without it --verb could turn the state over, or leave drivers where the other verb has them."""
    state = {"g_plus": np.array([[1e-5, 2e-5, 3e-5], [4e-5, 5e-5, 6e-5]]), "g_minus": np.full((2, 3), 7e-6)}
    np.savez(tmp_path / "state.npz", **state)
    for verb, inputs in (("TRN", [0.1, -0.3]), ("fwd", [0.1, -0.3, 0.2])):
        answer = CliRunner().invoke(app, [
            "spice", str(tmp_path / "state.npz"), "--verb", verb, "--inputs", ",".join(map(str, inputs)),
            "--word-resistance", "40", "--bit-resistance", "90", "--driver-resistance", "5000", "--sense-resistance",
            "300", "--json", "--out", str(tmp_path / verb)], catch_exceptions=False)
        record = json.loads(answer.stdout)
        for name, g in state.items():
            expected = network(g, np.array(inputs), verb.upper(), 40, 90, 5000, 300)
            assert np.allclose(record[name], expected, rtol=1e-9)
    refused = CliRunner().invoke(app, ["spice", "--verb", "UPD", "--out", str(tmp_path / "refused")])
    assert isinstance(refused.exception, BadInput) and "verb is 'UPD'; give FWD or TRN" in str(refused.exception)
    assert not (tmp_path / "refused").exists()


def test_a_drawn_state_is_the_same_every_time(tmp_path):
    """Without it nobody could repeat a netlist from its command line."""
    texts = []
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        CliRunner().invoke(app, ["spice", "--rows", "3", "--seed", str(seed), "--transient", "--quiet", "--out",
                                 str(tmp_path / name)], catch_exceptions=False)
        texts.append((tmp_path / name / "crossbar.cir").read_text())
    assert texts[0] == texts[1] != texts[2]
    ohms = [v for name, (_, _, v) in circuit(texts[0])[0].items() if name.startswith("Rc_")]
    assert len(ohms) == 2 * 3 * 8 and min(ohms) > 9.9e3 and max(ohms) < 1.01e6


@pytest.mark.parametrize("call, words", [
    (lambda: Crossbar(np.array([[1.0]]), np.array([[1.0, 2.0]]), np.array([1.0]), Wires()), "g_minus (1, 2)"),
    (lambda: Crossbar(np.array([[1.0]]), np.array([[-1.0]]), np.array([1.0]), Wires()),
     "word line 0, bit line 0 is -1.0"),
    (lambda: Crossbar(np.array([[1.0]]), np.array([[1.0]]), np.array([1.0, 2.0]), Wires()), "drives 1 lines"),
    (lambda: Crossbar(np.ones((2, 3)), np.ones((2, 3)), np.array([1.0, 2.0]), Wires(), "FWD"), "drives 3 lines"),
    (lambda: Crossbar(np.array([[1.0]]), np.array([[1.0]]), np.array([1.0]), Wires(), "fwd"),
     "verb is 'fwd'; give FWD or TRN"),
    (lambda: read_of(crossbar(2, 3, Wires(), verb="FWD"), 2), "no word line 2"),
    (lambda: spice.netlist(crossbar(2, 3, Wires(), verb="FWD"), Read(1e-9, 2e-9, line=2)), "word lines 0 to 1"),
    (lambda: drawn(2, 2, 0, 2e-6, 1e-6), "are no range"), (lambda: Read(1e-9, 1e-9), "read.sample_end is 1e-09"),
    (lambda: Read(1e-9, 2e-9, gain=0), "read.gain is 0"), (lambda: Read(1e-9, float("nan")), "read.end is nan"),
    (lambda: Read(1e-9, 2e-9, line=-1), "read.line is -1"),
    (lambda: read_of(crossbar(2, 2, Wires()), 2), "no bit line 2"),
    (lambda: spice.netlist(crossbar(2, 2, Wires()), Read(1e-9, 2e-9, line=2)), "bit lines 0 to 1")])
def test_bad_input_is_a_sentence(call, words):
    """Without it ngspice would complain of a line that no user wrote."""
    with pytest.raises(BadInput, match=re.escape(words)):
        call()


@pytest.mark.parametrize("arrays, words", [
    ({"g_plus": np.ones((1, 1))}, "no g_minus"), (None, "not a readable .npz")])
def test_unusable_files_are_refused(tmp_path, arrays, words):
    """Without it half a state would be completed with nothing."""
    path = tmp_path / "state.npz"
    if arrays:
        np.savez(path, **arrays)
    else:
        path.write_bytes(b"PK\x03\x04 but no archive")
    with pytest.raises(BadInput, match=words):
        loaded(path)


def test_a_configuration_programs_the_array(tmp_path):
    """Every weight is the difference of its pair, in codes of the macro's own unit; wires are those of the macro.
    Without it the netlist could be of an array that no machine has."""
    wires = {"model": "exact", "word_resistance": 1.5, "bit_resistance": 0.5, "driver": 100.0, "sense": 10.0}
    program = compile_config(load("array").replace(machine={"tile": "analog", "analog": {
        "control": {"align": 2}, "device": {"g_min": 2.0, "g_max": 22.0, "weight_range": 4.0}, "wires": wires}}))
    image, m = initial_image(program), program.machine
    found, given = programmed(program, image)
    codes = (found["g_plus"] - found["g_minus"]) / (20e-6 / (4.0 * 2**13))
    for word, cells in enumerate(image):
        group, column = divmod(word, m.array_stride)
        part = codes[group * m.row_tiles:][:m.row_tiles, column * m.lanes:][:, :m.lanes]
        assert np.abs(part - cells).max() < 1e-6
    assert min(found["g_plus"].min(), found["g_minus"].min()) == pytest.approx(2e-6)
    assert given == Wires(1.5, 0.5, 100.0, 10.0)
    with pytest.raises(BadInput, match=r"machine.tile is 'array'; only an analog macro has conductances"):
        programmed(compile_config(load("array")), image)


def test_the_error_of_the_faster_wires_is_shown():
    """Against the netlist solved here, in the worse direction, which the drivers decide; nothing is said where the
    exact one is chosen. Without it a study could rest on an approximation that nobody sized."""
    worse = []
    for driver, sense in ((300.0, 0.0), (0.0, 300.0)):
        share, wires = {}, {"word_resistance": 100.0, "bit_resistance": 60.0, "driver": driver, "sense": sense}
        for model in ("approximate", "exact"):
            program = compile_config(load("array").replace(machine={"tile": "analog", "analog": {
                "control": {"align": 2}, "device": {"g_min": 5.0}, "wires": wires | {"model": model}}}))
            share[model] = approximation_share(program, initial_image(program))
        off = [0.0, 0.0]
        for g in programmed(program, initial_image(program))[0].values():
            for way, (cells, ohms) in enumerate(((g, (100, 60)), (g.T, (60, 100)))):
                array = Crossbar(cells, cells, np.ones(len(cells)), Wires(*ohms, driver, sense))
                exact = solved(spice.netlist(array), *cells.shape)[0]
                found = first_order(cells, array.wires).sum(axis=0)
                off[way] = max(off[way], np.abs(found - exact).max() / exact.max())
        assert share["approximate"] == pytest.approx(max(off), rel=1e-6) and share["exact"] == 0 and min(off) > 1e-3
        worse.append(off[1] > off[0])
    assert sorted(worse) == [False, True], "the direction that is worse depends on the ends"
