"""Stages with names: a value is where its stage says, and a latency that is stated elsewhere is the number of stages.

Without these tests the cycle model could count other cycles than the hardware takes: no word would differ.
"""

import importlib.util
from enum import IntEnum
from pathlib import Path

import pytest
from amaranth.hdl import Fragment, Module, Signal, signed
from helpers import machine, simulate

from hebbar.contract import timing
from hebbar.contract.errors import InternalError
from hw.phase_control import PhaseControl
from hw.pipeline import check_latency, staged
from hw.row_engine import RowEngine

HW = Path(__file__).resolve().parents[2] / "hw"


class Place(IntEnum):
    """Stages of a pipeline of four."""

    FETCH = 0
    ADD = 1
    ROUND = 2
    WRITE = 3


def again(name: str) -> None:
    """Execute a module of hw once more, beside the one that is in use."""
    spec = importlib.util.spec_from_file_location(f"hw.{name}_again", HW / f"{name}.py")
    assert spec is not None and spec.loader is not None
    spec.loader.exec_module(importlib.util.module_from_spec(spec))


def test_a_value_is_in_each_stage_the_cycles_after_its_first():
    """A value that begins in ADD is one cycle, not two, old in ROUND."""
    m, value, sent, seen = Module(), Signal(signed(6)), [-32, 31, -1, 5, -17, 0, 9], []
    stages = staged(m, value, Place.ADD, Place.WRITE, "value")
    assert list(stages) == [Place.ADD, Place.ROUND, Place.WRITE]

    async def bench(ctx):
        for v in sent:
            ctx.set(value, v)
            seen.append((await ctx.tick().sample(*(stages[p] for p in (Place.ADD, Place.ROUND, Place.WRITE))))[-3:])

    simulate(m, bench)
    for delay in range(3):
        assert [s[delay] for s in seen][delay:] == sent[:len(sent) - delay]


@pytest.mark.parametrize("reset", [False, True])
def test_only_bits_that_say_that_something_is_there_are_reset(reset):
    """After a reset in the middle of a sweep a row would otherwise still be written."""
    m = Module()
    stages = staged(m, Signal(), Place.FETCH, Place.WRITE, "valid", reset)
    Fragment.get(m, None)
    assert [stages[p].reset_less for p in (Place.ADD, Place.ROUND, Place.WRITE)] == [not reset] * 3


def test_a_latency_that_is_not_the_number_of_stages_is_refused():
    """In words that name the constant and both numbers."""
    check_latency("WRITE_LATENCY", 3, 3)
    with pytest.raises(InternalError, match=r"WRITE_LATENCY is 4 in .*timing\.py, but the stages .* make it 3; state"):
        check_latency("WRITE_LATENCY", 4, 3)


@pytest.mark.parametrize("module, name", [
    ("neuron_stages", "NEURON_LATENCY"), ("neuron_stages", "ERROR_LATENCY"), ("neuron_stages", "TABLE_LATENCY"),
    ("row_stages", "WRITE_LATENCY"),
    ("phase_control", "ERROR_LATENCY")])
def test_every_unit_holds_its_stages_to_the_cycle_model(monkeypatch, module, name):
    """A stage more in hw, or one less in the cycle model, stops before anything is built."""
    again(module)
    monkeypatch.setattr(timing, name, getattr(timing, name) + 1)
    with pytest.raises(InternalError, match=name):
        again(module)


@pytest.mark.parametrize("name, built", [("convert_latency", 2), ("settle", 7)])
@pytest.mark.parametrize("kind", [timing.ArrayTiming, timing.AnalogTiming])
def test_the_control_of_an_array_holds_its_stages_to_the_cycle_model(monkeypatch, kind, name, built):
    """An array and an analog macro have the same control, each with a timing of its own."""
    config = machine()
    PhaseControl(config, kind(config), None, None)
    monkeypatch.setattr(kind, name, getattr(kind, name) - 1)
    with pytest.raises(InternalError, match=rf"ArrayTiming\.{name} is {built - 1} .* make it {built};"):
        PhaseControl(config, kind(config), None, None)


@pytest.mark.parametrize("name", ["sum_latency", "back_latency"])
@pytest.mark.parametrize("lanes", [4, 8])
def test_the_row_engine_holds_its_front_to_the_cycle_model(monkeypatch, name, lanes):
    """Its adder tree grows with the lanes, so the check is of each machine."""
    unit = RowEngine(machine(lanes=lanes))
    stated = getattr(unit.timing, name)
    monkeypatch.setattr(timing.RowTiming, name, stated - 1)
    with pytest.raises(InternalError, match=f"RowTiming.{name} is {stated - 1} .* make it {stated};"):
        Fragment.get(unit, None)
