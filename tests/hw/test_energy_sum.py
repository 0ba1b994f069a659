"""The energy sum: both twins against Python's integers.

EXIT ends an inference on this number alone. A square that loses its top bit, a masked row that counts or a
sum that wraps stops a network early or never, and the weights that follow are plausible all the same.
"""

from random import Random

import numpy as np
import pytest
from helpers import machine, simulate

from golden.energy_sum import EnergySum as GoldenEnergySum
from hebbar.contract.registers import ENERGY_BITS
from hw.energy_sum import EnergySum as HwEnergySum

LARGEST = 2**48 - 1


class Model:
    """The contract on integers: E, what it is compared with, and the answers."""

    def __init__(self):
        self.energy, self.previous = 0, 0

    def add(self, errors):
        self.energy = min(self.energy + sum(e**2 for e in errors), LARGEST)

    def exit(self, arm, tolerance):
        energy, self.energy = self.energy, 0
        leaves = not arm and self.previous - energy < tolerance
        self.previous = self.previous if leaves else energy
        return leaves


def test_the_sum_has_the_declared_bits():
    """The largest sum below is a literal: it must be that of the registers."""
    assert LARGEST == (1 << ENERGY_BITS) - 1


def tolerances(model, rng):
    """At the edge on both sides, and anywhere."""
    fell = model.previous - model.energy
    return min(max(rng.choice([0, 1, fell - 1, fell, fell + 1, rng.getrandbits(32), 2**32 - 1]), 0), 2**32 - 1)


def test_golden_follows_the_contract():
    """Errors of both signs and both ends, runs of exits, arms and none, and both ways at the edge."""
    rng, unit, model, answers = Random(1), GoldenEnergySum(), Model(), []
    for _ in range(3000):
        if rng.random() < 0.4:
            arm, tolerance = rng.random() < 0.3, tolerances(model, rng)
            answers.append(model.exit(arm, tolerance))
            assert unit.exit(arm, tolerance) == answers[-1]
        else:
            errors = [rng.choice([-32768, 32767, 0, rng.randint(-300, 300)]) for _ in range(rng.randrange(1, 9))]
            model.add(errors)
            unit.add(np.array(errors, np.int64))
    assert 300 < sum(answers) < len(answers) - 300


def test_golden_stays_at_its_largest():
    """2**18 errors of -2**15 are one more than fits; 2**18 - 1 of them are exact."""
    for rows, energy in ((2**18 - 1, 2**48 - 2**30), (2**18, LARGEST), (2**18 + 5, LARGEST)):
        unit = GoldenEnergySum()
        unit.add(np.full(rows, -32768, np.int64))
        assert unit.sum == energy
    unit.add(np.array([1], np.int64))
    assert unit.sum == LARGEST


def drive(unit, cycles, check):
    """Feed ``cycles`` of (errors, mask, exit, arm, tolerance, clear); ``check(number, leave)`` sees every answer."""
    async def bench(ctx):
        for number, (errors, mask, leaving, arm, tolerance, clear) in enumerate(cycles):
            for name, value in (("errors", errors), ("mask", mask), ("exit", leaving), ("arm", arm),
                                ("tolerance", tolerance), ("clear", clear)):
                ctx.set(getattr(unit, name), value)
            *_, leave = await ctx.tick().sample(unit.leave)
            check(number, bool(leave))

    simulate(unit, bench)


@pytest.mark.parametrize("tiles, error_bits", [(1, 16), (2, 9), (4, 16), (4, 3)])
def test_hw_follows_the_contract(tiles, error_bits):
    """A row group a cycle, any rows of it, an EXIT as soon as the latency allows, and a clear now and then."""
    rng, unit = Random(tiles * error_bits), HwEnergySum(machine(row_tiles=tiles, error_bits=error_bits))
    model, cycles, expected, lowest = Model(), [], {}, -(1 << error_bits - 1)
    for _ in range(500):
        for _ in range(rng.randrange(6)):
            errors = [rng.choice([lowest, -lowest - 1, 0, rng.randint(lowest // 50, 1)]) for _ in range(tiles)]
            mask = rng.getrandbits(tiles)
            model.add(e for p, e in enumerate(errors) if mask >> p & 1)
            cycles.append((errors, mask, 0, rng.randrange(2), 0, 0))
        quiet = ([lowest] * tiles, 0)
        cycles += [(*quiet, 0, 0, 2**32 - 1, 0)] * (unit.latency - 1)
        if rng.random() < 0.1:
            model = Model()
            cycles += [(*quiet, 0, 0, 0, 1)]
            continue
        arm, tolerance = rng.random() < 0.3, tolerances(model, rng)
        expected[len(cycles)] = model.exit(arm, tolerance)
        cycles.append((*quiet, 1, int(arm), tolerance, 0))
    found = {}
    drive(unit, cycles, lambda number, leave: found.update({number: leave} if number in expected else {}))
    assert found == expected
    assert 50 < sum(expected.values()) < len(expected) - 50


def test_hw_stays_at_its_largest():
    """64 errors of -2**15 a cycle: after 4096 cycles one more than fits, so an EXIT armed at the largest sum
    sees no difference to the next; a sum that wrapped would have fallen, one not clipped risen."""
    unit, full = HwEnergySum(machine(lanes=64, row_tiles=64)), [-32768] * 64
    burst = [(full, (1 << 64) - 1, 0, 0, 0, 0)] * 4096
    most = [*burst[1:], (full, (1 << 63) - 1, 0, 0, 0, 0)]
    rest = [(full, 0, 0, 0, 0, 0)] * (unit.latency - 1)
    answers = {}
    cycles = [*burst, *rest, (full, 0, 1, 1, 0, 0), *burst, *burst[:3], *rest, (full, 0, 1, 0, 0, 0),
              *most, *rest, (full, 0, 1, 0, 2**30 - 1, 0), *most, *rest, (full, 0, 1, 0, 1, 0)]
    drive(unit, cycles, lambda number, leave: answers.update({number: leave} if cycles[number][2] else {}))
    assert list(answers.values()) == [False, False, False, True]
