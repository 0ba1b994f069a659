"""Reads in time: the modes of the lines against integration of the netlist, sampling, the search, the files."""

import io
import json

import numpy as np
import pytest
from netlists import circuit, crossbar, needs_ngspice
from scipy.integrate import solve_ivp
from typer.testing import CliRunner
from vcd.reader import TokenKind, tokenize

from golden.analog.wires import Wires
from hebbar.cli.app import app
from hebbar.contract.errors import BadInput
from sim.analog import spice
from sim.analog.crossbar import Crossbar, Read, currents, read_of, settling
from sim.analog.transient import Lines, lines_of, transient, vcd


def integrated(text, rise, times, columns):
    """Output currents (C, T) of the pairs, by integrating the resistors and capacitors of a netlist.

    Nodes with a capacitor are states; sources hold the others, apart from joints of two resistors in series.
    """
    parts, sources = circuit(text)
    held, wires = dict(sources.values()), [p for n, p in parts.items() if n.startswith("R")]
    farads = {}
    for name, (node, ground, value) in parts.items():
        if name[:2] in ("Cw", "Cb") and ground == "0" and node not in held:
            farads[node] = farads.get(node, 0) + value
    names = sorted({n for a, b, _ in wires for n in (a, b)} - set(held))
    number = {name: i for i, name in enumerate(names)}
    whole, drive = np.zeros((len(names), len(names))), np.zeros(len(names))
    for a, b, ohms in wires:
        for x, y in ((a, b), (b, a)):
            if x in number:
                whole[number[x], number[x]] += 1 / ohms
                if y in number:
                    whole[number[x], number[y]] -= 1 / ohms
                else:
                    drive[number[x]] += held[y] / ohms
    state = [number[n] for n in names if n in farads]
    rest = [number[n] for n in names if n not in farads]
    joint = np.linalg.inv(whole[np.ix_(rest, rest)]) if rest else np.zeros((0, 0))
    reduced = whole[np.ix_(state, state)] - whole[np.ix_(state, rest)] @ joint @ whole[np.ix_(rest, state)]
    into = drive[state] - whole[np.ix_(state, rest)] @ joint @ drive[rest]
    c = np.array([farads[names[i]] for i in state])
    slope = -reduced / c[:, None]
    ends = [solve_ivp(lambda t, x: slope @ x + into / c * min(t / rise, 1), (0, rise), np.zeros(len(c)), "Radau",
                      [t for t in times if t <= rise], rtol=1e-9, atol=1e-12, jac=slope)]
    ends.append(solve_ivp(lambda t, x: slope @ x + into / c, (rise, times[-1]), ends[0].y[:, -1], "Radau",
                          [t for t in times if t > rise], rtol=1e-9, atol=1e-12, jac=slope))
    volts = np.zeros((len(names), len(times)))
    volts[state] = np.hstack([end.y for end in ends])
    out = np.zeros((columns, len(times)))
    up = np.minimum(times / rise, 1)
    volts[rest] = joint @ (np.outer(drive[rest], up) - whole[np.ix_(rest, state)] @ volts[state])
    for a, b, ohms in wires:
        for x, y in ((a, b), (b, a)):
            if y.startswith("g_"):
                sign = 1 if y.startswith("g_p") else -1
                from_volts = volts[number[x]] if x in number else held[x] * up
                out[int(y.split("_")[-1])] += sign * from_volts / ohms
    return out


@pytest.mark.parametrize("wires", [Wires(50, 30), Wires(50, 30, 1000, 100), Wires(0, 30, 500), Wires(50, 0, 0, 200),
                                   Wires(50, 0), Wires(0, 30)], ids=str)
@pytest.mark.parametrize("verb", ["TRN", "FWD"])
def test_the_modes_are_the_integral_of_the_netlist(wires, verb):
    """Without it a rate, a capacitor at a joined node or the ramp could be wrong and every picture plausible."""
    array = crossbar(3, 4, wires, verb=verb)
    read = Read(2e-9, 3e-9, rise=1e-11, word_farad=1e-13, bit_farad=2e-13)
    times = np.array([0, 2e-12, 1e-11, 1.5e-11, 3e-11, 1e-10, 3e-10, 1e-9])
    plus, minus = (lines.currents(lines.voltages(times)) for lines in lines_of(array, read).values())
    found, expected = plus - minus, integrated(spice.netlist(array, read), read.rise, times, array.outputs)
    assert np.abs(found - expected).max() < 1e-6 * np.abs(expected).max()


@needs_ngspice
@pytest.mark.parametrize("verb", ["TRN", "FWD"])
def test_ngspice_sees_the_same_waves(tmp_path, verb):
    """Without it amplifier, switch and comparator would only be what this program thinks they are."""
    array = crossbar(6, 5, Wires(50, 30, 1000, 100), verb=verb)
    read = read_of(array, 2, 1e-14)
    ours, theirs = transient(array, read), spice.waves(spice.write(array, tmp_path / "read.cir", read))
    for name, wave in (("v(amplified)", ours.amplified), ("v(held)", ours.held)):
        assert np.abs(np.interp(theirs["time"], ours.time, wave) - theirs[name]).max() < 1e-3
    assert abs(ours.held[-1] - theirs["v(held)"][-1]) < 1e-6


@pytest.mark.parametrize("wires", [Wires(50, 30, 1000, 100), Wires(1, 1), Wires(2000, 3000), Wires(0, 30),
                                   Wires(30, 0, 9)], ids=str)
@pytest.mark.parametrize("verb", ["TRN", "FWD"])
@pytest.mark.parametrize("shape", [(9, 7), (2, 25)], ids=str)
def test_lines_settle_to_the_operating_point_within_the_bound(wires, verb, shape):
    """Without it a read could be sampled while its lines still move: no mode is slower than ``settling`` says."""
    array = crossbar(*shape, wires, verb=verb)
    read = read_of(array, 1, 3e-15)
    rates = np.concatenate([lines.rates for lines in lines_of(array, read).values()])
    assert rates.min() >= 1 / settling(array, read)
    waves, (plus, minus) = transient(array, read), currents(array)
    assert np.abs(waves.currents[:, -1] - (plus - minus)).max() < 1e-8 * np.abs(plus).max()
    assert not waves.currents[:, 0].any()


def test_perfect_wires_follow_their_drivers_and_the_capacitor_follows_them():
    """Without it the sampled value could lag or lead: a ramp through one RC is a closed form."""
    array = Crossbar([[2e-5]], [[1e-5]], [0.1], Wires())
    read = Read(5e-11, 9e-11, 1e-11, gain=1e6, hold_farad=1e-13, switch=100)
    waves = transient(array, read)
    ramp = np.minimum(waves.time / read.rise, 1)
    assert np.allclose(waves.amplified, ramp, atol=1e-12)
    tau, t = 1e-11, waves.time
    after = np.maximum(t - read.rise, 0)
    up = np.minimum(t, read.rise)
    risen = (up - tau * (1 - np.exp(-up / tau))) / read.rise
    closed = t <= read.sample_end + read.rise / 2
    assert np.allclose(waves.held[closed], (1 - (1 - risen) * np.exp(-after / tau))[closed], atol=1e-9)
    assert np.ptp(waves.held[~closed]) == 0
    assert np.array_equal(waves.driven[0], 0.1 * ramp) and not waves.sensed.any()


@pytest.mark.parametrize("bits", [2, 5, 8, 16])
def test_the_search_finds_the_floor(bits):
    """Without it a code could be off by one, or wrap where it saturates."""
    for volts in (-3, -1, -0.77, -1e-6, 0, 1e-6, 0.3, 0.99, 1, 7):
        array = Crossbar([[1e-5]], [[0.0]], [volts], Wires())
        waves = transient(array, Read(1e-9, 2e-9, gain=1e5), bits)
        lsb, most = 2.0 ** (1 - bits), 2 ** (bits - 1)
        assert waves.lsb == lsb
        assert waves.code[-1] == np.clip(np.floor(waves.held[-1] / lsb), -most, most - 1)
        assert waves.held[-1] == pytest.approx(volts, rel=1e-6)
        searched = waves.time > 1.01e-9 + 1e-15
        assert ((waves.held >= waves.dac) == waves.compare)[searched].all()


def test_a_waveform_viewer_reads_what_was_computed():
    """Without it the file could be one that no viewer opens, or hold other waves."""
    waves = transient(*(lambda a: (a, read_of(a, 1)))(crossbar(3, 2, Wires(5, 5, 500))), 6)
    names, last, times = {}, {}, []
    for token in tokenize(io.BytesIO(vcd(waves).encode())):
        if token.kind is TokenKind.VAR:
            names[token.var.id_code] = token.var.reference
        elif token.kind is TokenKind.CHANGE_TIME:
            times.append(token.time_change)
        elif token.kind in (TokenKind.CHANGE_REAL, TokenKind.CHANGE_VECTOR, TokenKind.CHANGE_SCALAR):
            last[names[token.data.id_code]] = token.data.value
    assert times == sorted(times) and times[-1] == pytest.approx(waves.time[-1] * 1e15, abs=1)
    assert {"word_0", "word_2", "bit", "amplified", "held", "dac", "compare", "code"} == set(last) - {"word_1"}
    assert last["held"] == pytest.approx(waves.held[-1]) and last["word_2"] == pytest.approx(waves.driven[2, -1])
    assert last["code"] == waves.code[-1] % 2**32 and int(last["compare"]) == waves.compare[-1]


def test_the_command_draws_the_read_it_reports(tmp_path):
    """Without it picture, waveform and record could be of different reads."""
    options = ["--rows", "3", "--columns", "4", "--line", "2", "--bits", "6", "--json", "--out", str(tmp_path)]
    answer = CliRunner().invoke(app, ["transient", *options], catch_exceptions=False)
    record = json.loads(answer.stdout)
    assert abs(record["held_volts"]) == pytest.approx(0.7, abs=1e-6)
    assert record["code"] == np.floor(record["held_volts"] * 32)
    picture = (tmp_path / "transient.svg").read_text()
    assert picture.startswith("<svg") and f"code {record['code']} of 6 bits" in picture
    assert "$enddefinitions" in (tmp_path / "transient.vcd").read_text()


@pytest.mark.parametrize("call, words", [
    (lambda a: transient(a, read_of(a), 1), "1 bits"), (lambda a: transient(a, read_of(a), 8, 0), "full_scale is 0"),
    (lambda a: Lines(np.ones((64, 64)), np.ones(64), a.wires, read_of(a)), "64 x 64 is too large")])
def test_bad_input_is_a_sentence(call, words):
    """Without it a huge array would be tried for hours."""
    with pytest.raises(BadInput, match=words):
        call(crossbar(2, 2, Wires(1, 1)))
