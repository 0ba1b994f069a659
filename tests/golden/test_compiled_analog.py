"""Analog programs compiled equal the NumPy blocks: every memory, conductance, generator, barrier, output and counter.

The blocks are the definition and are held to independent arithmetic elsewhere. Nothing here is rounded away: a noise
drawn for another operation, or a sum in another order, changes a bit.
"""

from dataclasses import replace

import numpy as np
import pytest
from helpers import NOISY, graph, machine, noisy, random_samples
from test_compiled import GRAPH, Pair, back_programs, extreme_samples, random_program

from golden.analog.exactness import Range, inexact
from golden.compiled import unsupported
from golden.learning.training import codes, data_of
from golden.machine import Machine
from golden.session import Session, initial_image, machine_of
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.analog import device_names
from hebbar.studies.devices import with_device

CALIBRATED = {"row_offset": [-9000, 700], "row_gain": [15000, 17777],
              "column_offset": [3, -70000, 0, 9, 1, -1, 65536, 5],
              "column_gain": [16384, 8192, 32767, 16000, 17000, 16383, 16385, 20000]}


def kept(edge):
    """An edge as a macro can keep it."""
    a, b, *options = edge
    return a, b, {key: value for key, value in dict(*options).items() if key != "zero_diagonal"}


OTHERS = {"exactly, balanced": {"control": {"align": 2}, "device": {"coding": "balanced"}},
          "all noise": NOISY,
          "all noise, steps": noisy(update="deterministic", **CALIBRATED) | {"read": {"additive": 0.1}},
          "falling flicker": NOISY | {"read": {"flicker": 0.05, "flicker_exponent": 1.5, "age": 1e4, "drift": 0.05,
                                               "drift_spread": 0.02}},
          "few pulses, many lost": noisy(pulses=3, pulse_exponent=2)}


class AnalogPair(Pair):
    """The two machines with the same weights written into their cells."""

    def load(self, image):
        for each in (self.numpy, self.compiled):
            each.load(image)
        return self

    def same_cells(self):
        """What no memory shows: cells to the last bit, numbers of operations, generators, what was cut off."""
        one, other = self.numpy.tile, self.compiled._machine.tile
        for a, b in [*zip(one.array.state().values(), other.array.state().values(), strict=True),
                     (one.array.operations, other.array.operations), (one.row_pulses.state, other.row_pulses.state),
                     (one.column_pulses.state, other.column_pulses.state),
                     (one.row_side.operations, other.row_side.operations),
                     (one.column_side.operations, other.column_side.operations), (one.read_back(), other.read_back())]:
            assert np.array_equal(a, b)
        assert (one.limits.at, one.limits.of) == (other.limits.at, other.limits.of)
        assert self.numpy.limited == self.compiled.limited
        return one


@pytest.mark.parametrize("rule", ["il", "ipc"])
@pytest.mark.parametrize("device", device_names())
def test_published_devices_train_and_predict_alike(device, rule):
    """Two trainings with weights written between them, and answers. Without it the accuracies of a device could be
    those of a macro that nobody compared."""
    program = compile_config(with_device(load("digits_analog").replace(rule={"name": rule}), device))
    pair, samples = AnalogPair(program).load(initial_image(program)), data_of(program).train
    for first in (0, 2):
        pair.run("train", codes(program, samples.take(np.arange(first, first + 2)), training=True))
        pair.load(pair.same_cells().weights)
    pair.run("predict", random_samples(program, "predict", 2, 1))
    assert (pair.same_cells().weights != initial_image(program)).any()


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("rule", ["il", "zil", "backprop"])
def test_every_switch_is_followed(name, rule):
    """Without it one law, one error of a converter or a calibration could be left out."""
    program = compile_config(load("array").replace(machine={"tile": "analog", "analog": OTHERS[name]},
                                                   rule={"name": rule}))
    pair = AnalogPair(program).load(initial_image(program))
    for entry in ("train", "predict", "train"):
        pair.run(entry, random_samples(program, entry, 3, 1))
        pair.same_cells()
    pair.run("train", extreme_samples(program, "train", 2, np.random.default_rng(1)))
    macro = pair.same_cells()
    assert name != "few pulses, many lost" or macro.limits.at["pulses"] > 0


@pytest.mark.parametrize("name", ["all noise", "all noise, steps"])
def test_random_legal_programs_on_a_noisy_macro(name):
    """Any flags, views, gains and overwrite sources. Without it a set that no rule asks for could come out
    differently."""
    analog = OTHERS[name] | {"control": OTHERS[name]["control"] | {"align": 7}}
    config = graph(GRAPH[0], [kept(edge) for edge in GRAPH[1]], tile="analog", lanes=8, row_tiles=2, max_columns=8,
                   weight_words=128, map_entries=1024, blocks=256, program_words=512, analog=analog)
    rng = np.random.default_rng(5)
    for _ in range(6):
        pair = AnalogPair(random_program(config, rng))
        f = pair.program.machine.formats.weight
        pair.load(rng.integers(f.lo, f.hi + 1, pair.numpy.weights.shape))
        halvings = int(rng.integers(0, 8))
        for each in (pair.numpy, pair.compiled):
            each.set_rates(halvings)
        for entry in pair.program.entries:
            pair.run(entry, extreme_samples(pair.program, entry, 2, rng))
        pair.same_cells()


def test_columns_that_overwrite_and_columns_without_lanes():
    """Without it what a column has collected before another one starts afresh could stay."""
    base = back_programs()
    program = replace(base, config=base.config.replace(machine={"tile": "analog", "analog": NOISY}))
    rng = np.random.default_rng(2)
    pair = AnalogPair(program).load(rng.integers(-3000, 3000, (12, 2, 4)))
    pair.run("train", {"e": rng.integers(-3000, 3000, (2, 5))})
    assert pair.same_cells().array.operations[1] > 0


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_a_session_reads_back_cells_with_their_noise(engine):
    """Without it a refresh of a training would write what no look at a cell finds."""
    program = compile_config(load("array").replace(machine={"tile": "analog", "analog": NOISY}))
    session, machine = Session(program, initial_image(program), engine), Machine(program)
    machine.load(initial_image(program))
    assert np.array_equal(session.image, machine.weights)
    found = session.read_weights()
    assert np.array_equal(found, machine.read_back()) and (found != session.image).any()


REFUSED = {
    "wires.model is 'approximate'": {"wires": {"model": "approximate", "sense": 5.0}},
    "nonlinearity is compiled up to 12": noisy(row_bits=13),
    "can leave the 53 bits": {"device": {"weight_range": 1e6}}}


@pytest.mark.parametrize("reason", REFUSED)
def test_what_is_not_compiled_runs_in_the_blocks_and_says_why(reason):
    """Without it wires would be left out, or sums be other ones than the definition's."""
    analog = {"control": {"align": 2}} | REFUSED[reason]
    program = compile_config(load("array").replace(machine={"tile": "analog", "analog": analog}))
    assert reason in unsupported(program) and unsupported(program).endswith("use the NumPy machine.")
    assert isinstance(machine_of(program), Machine)


def test_blocks_beyond_the_lines_are_refused():
    """Without it compiled code would read conductances of nobody's; an activity that is shifted further than it can be
    driven would leave what sums are proven for."""
    program = compile_config(load("array").replace(machine={"tile": "analog", "analog": {"control": {"align": 2}}}))
    beyond = replace(program, config=program.config.replace(machine={"weight_words": program.machine.array_stride}))
    assert not unsupported(program) and "leaves the" in unsupported(beyond)
    less = program.config.replace(machine={"analog": {"control": {"align": 0}}})
    assert "shifted by more than machine.analog.control.align, 0" in unsupported(replace(program, config=less))


@pytest.mark.parametrize("noise", [(), (0.5, 1.0)])
def test_the_bound_of_sums_is_the_bound_of_the_cells(noise):
    """The largest weight times the largest input at every cell, in integers. Without it a sum could lose its last bit
    where nothing says so."""
    analog = {"programming": {"noise": noise}}
    made = load("digits_analog").replace(machine={"analog": analog}).machine
    inputs = max(made.array_rows << 15, made.array_columns << 7 + made.analog.control.align)
    assert Range.of(made).largest * 2**12 * inputs < 2**53 and not inexact(made)


def test_lines_so_long_that_variances_have_too_few_bits_are_told():
    """Squared errors of 2^30 on 2^12 lines leave 11 bits. Without it a small variance could silently be none."""
    long = {"tile": "analog", "lanes": 4, "row_tiles": 4, "max_columns": 4, "analog": {
        "read": {"flicker": 0.01}, "device": {"weight_range": 1.0}}}
    assert "less than 12 of the 53 bits" in inexact(machine(**long, weight_words=4096))
    assert not inexact(machine(**long, weight_words=2048))
