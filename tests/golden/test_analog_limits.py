"""What is narrower in an analog macro than the formats around it is counted and said: cells, converters, pulses."""

import warnings

import numpy as np
import pytest
from helpers import layered, machine

from golden.analog.limits import KINDS, Limits, beyond_cells
from golden.analog_macro import AnalogMacro
from golden.learning.health import at_bound
from golden.learning.training import codes, data_of, train_fixed
from golden.learning.weights import checked_image
from golden.machine import Machine
from golden.session import initial_image
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.errors import HebbarWarning

SIZE = {"tile": "analog", "lanes": 4, "row_tiles": 2, "weight_words": 12, "max_columns": 3}
"""8 word lines, 12 bit lines."""


def macro(**analog):
    return AnalogMacro(machine(**SIZE, analog=analog))


@pytest.mark.parametrize("weight_range, bounds", [
    (4.0, (-32768, 32767)), (9.0, (-32768, 32767)), (1.0, (-8192, 8192)), (0.3, (-2457, 2457))])
def test_a_weight_has_the_bounds_of_format_and_cell(weight_range, bounds):
    """0.3 * 2^13 is 2457.6. Without it a weight could be called in range that is programmed at another value."""
    m = machine(**SIZE, analog={"device": {"weight_range": weight_range}})
    assert m.weight_bounds == bounds
    array = AnalogMacro(m).array
    wanted = np.array([bounds[0], bounds[1], bounds[0] - 2, bounds[1] + 2])
    kept = wanted[(wanted >= -32768) & (wanted <= 32767)]
    array.write(np.zeros(kept.size, np.int64), np.arange(kept.size), kept)
    held = array.cells.pair[0, 0, :kept.size] - array.cells.pair[1, 0, :kept.size]
    assert [h == k for h, k in zip(held, kept)] == [bounds[0] <= k <= bounds[1] for k in kept]
    assert beyond_cells(m, kept) == sum(not bounds[0] <= k <= bounds[1] for k in kept)
    assert machine(lanes=4).weight_bounds == (-32768, 32767)


@pytest.mark.parametrize("side", ["row", "column"])
def test_sums_beyond_the_converters_are_counted(side):
    """4 bits of 2^16: codes -8 to 7, so that a sum is cut off from -8.5 and from 7.5 LSB on. Without it a network of
    clipped sums would look like one that learnt badly."""
    made = macro(control={f"{side}_bits": 4, f"{side}_step": 16})
    made.array.load(np.full((8, 12), 8192))
    lsb = 2**16 // 8192
    for total, cut in ((-9 * lsb, 1), (-8 * lsb, 0), (0, 0), (7 * lsb, 0), (8 * lsb, 1), (-17 * lsb // 2 - 1, 1),
                       (15 * lsb // 2 - 1, 0), (15 * lsb // 2, 1)):
        made.limits = Limits()
        x = np.zeros(12 if side == "row" else 8, np.int64)
        x[1] = total
        lines, sums = ((made.row_side, made.array.forward) if side == "row"
                       else (made.column_side, made.array.transposed))
        held = lines.held(sums(x))
        assert lines.outside(held).sum() == cut * held.size, total
        found = lines.convert(held, np.arange(held.size))
        assert (found == np.floor(held + 0.5)).all() != bool(cut) != (found == np.floor(held + 0.5)).any()


def trained(preset="array", **analog):
    """A program, its machine after a few samples, and what its limits say."""
    program = compile_config(load(preset).replace(rule={"init_scales": [8.0, 8.0]}, machine={
        "tile": "analog", "analog": {"control": {"align": 2} | analog.pop("control", {})} | analog}))
    data, m = data_of(program), Machine(program)
    m.load(initial_image(program))
    m.run("train", codes(program, data.train.take(np.arange(8)), training=True))
    return program, data, m


def test_a_program_counts_its_sums_and_pulses():
    """Every conversion of a block that is used is one of the sums. Without it shares could be of other wholes."""
    _, _, m = trained()
    assert m.tile.limits.shares() == dict.fromkeys(KINDS, 0.0), "converters as wide as the sums cut nothing off"
    assert m.tile.limits.of["row_sum"] > 0 and m.tile.limits.of["column_sum"] > 0 == m.tile.limits.of["pulses"]
    _, _, narrow = trained(control={"row_bits": 4, "row_step": 16, "column_bits": 4, "column_step": 21})
    assert narrow.tile.limits.at["row_sum"] > 0 and narrow.tile.limits.at["column_sum"] > 0
    for exponent, some in ((0, True), (20, False)):
        _, _, pulsed = trained(control={"update": "stochastic", "pulses": 4, "pulse_exponent": exponent})
        assert (pulsed.tile.limits.at["pulses"] > 0) == some and pulsed.tile.limits.of["pulses"] > 0


def test_weights_that_no_cell_holds_are_said():
    """Without it a file of weights would be another network in the macro, in silence."""
    program = compile_config(layered([6, 5, 3], tile="analog", weight_words=24, max_columns=3, analog={
        "control": {"align": 2}, "device": {"weight_range": 0.5}}))
    network = program.layout.network
    sizes = {p.name: p.size for p in network.populations}
    given = {(e.source, e.target): np.zeros((sizes[e.target], sizes[e.source])) for e in network.stored}
    first = next(iter(given))
    given[first][0, 0], given[first][1, 1] = 0.5, -0.5
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        image = checked_image(program.layout, given, "here")
    assert at_bound(program, image)[":".join(first)] == pytest.approx(2 / given[first].size)
    given[first][0, 1] = 0.75
    with pytest.warns(HebbarWarning, match=r"here: 1 weights are beyond machine.analog.device.weight_range \(0.5\)"):
        checked_image(program.layout, given, "here")


def test_a_training_says_what_its_macro_cut_off():
    """Without it accuracy would be blamed on the rule."""
    control = {"align": 2, "row_bits": 4, "row_step": 16, "column_bits": 4, "column_step": 21}
    config = load("array").replace(training={"epochs": 1}, rule={"init_scales": [8.0, 8.0]}, machine={
        "tile": "analog", "analog": {"device": {"weight_range": 1.0}, "control": control}})
    program = compile_config(config)
    data = data_of(program)
    task = type(data)(data.train.take(range(40)), data.test.take(range(10)), data.split, data.seed)
    health = train_fixed(program, task).health
    beyond = beyond_cells(program.machine, initial_image(program))
    assert beyond > 0 and f"{beyond} of the first weights are beyond machine.analog.device.weight_range (1)" in \
        health.warnings[0]
    for words in ("sums of FWD were outside", "sums of TRN were outside", "raise that range",
                  "at the end of machine.analog.device.weight_range (1)"):
        assert any(words in sentence for sentence in health.warnings), (words, health.warnings)
    assert set(health.record()["macro_limits"]) == set(KINDS)


def test_a_digital_training_has_no_macro():
    """Without it a report could show limits of a macro that is not there."""
    program = compile_config(load("tiny").replace(training={"epochs": 1}))
    health = train_fixed(program, data_of(program)).health
    assert health.macro == {} and "macro_limits" not in health.record()
