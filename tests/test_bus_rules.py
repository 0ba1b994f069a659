"""The rules of AXI4-Lite and AXI4-Stream proved without a bound, for every input in every cycle and any reset.

Random traffic meets the cases that random traffic meets. The rules are the standard's: what is valid stays, with its
payload, until it is taken; one answer a request; none without one; and the latency the unit states.
"""

import pytest
from amaranth.hdl import Assert, Cat, Elaboratable, Fragment, Module, Mux, Signal, Value
from amaranth.lib.wiring import In

from hebbar.console import Reporter
from hw.bus import Bus
from sim.formal import induct


def inputs_of(unit):
    """The inputs of a component as signals."""
    return [Value.cast(getattr(unit, name)) for name, member in unit.signature.members.items()
            if member.is_port and member.flow is In]


def steady(m, valid, ready, payload, name):
    """What is valid stays as it is until it is taken."""
    waits, kept = Signal(name=f"{name}_waits"), Signal(len(payload), name=f"{name}_kept")
    m.d.sync += [waits.eq(valid & ~ready), kept.eq(payload)]
    m.d.comb += Assert(~waits | (valid & (payload == kept)))


def outstanding(m, taken, answered, name):
    """High from a request that is taken to its answer."""
    signal = Signal(name=f"{name}_outstanding")
    with m.If(taken):
        m.d.sync += signal.eq(1)
    with m.Elif(answered):
        m.d.sync += signal.eq(0)
    return signal


class BusRules(Elaboratable):
    """AXI4-Lite of ``bus``."""

    def __init__(self, bus):
        self.bus = bus

    def elaborate(self, platform):
        m, b = Module(), self.bus
        m.submodules.bus = Fragment.get(b, platform)
        steady(m, b.s_axil_bvalid, b.s_axil_bready, b.s_axil_bresp, "b")
        steady(m, b.s_axil_rvalid, b.s_axil_rready, Cat(b.s_axil_rdata, b.s_axil_rresp), "r")
        answers = {"aw": "b", "w": "b", "ar": "r"}
        held = {}
        for name, answer in answers.items():
            valid, ready = (getattr(b, f"s_axil_{name}{what}") for what in ("valid", "ready"))
            done = getattr(b, f"s_axil_{answer}valid") & getattr(b, f"s_axil_{answer}ready")
            held[name] = outstanding(m, valid & ready, done, name)
            m.d.comb += Assert(ready == ~held[name])  # takes the next after the answer, and then at once
        m.d.comb += [Assert(~b.s_axil_bvalid | (held["aw"] & held["w"])), Assert(~b.s_axil_rvalid | held["ar"])]
        for answer, due in (("b", held["aw"] & held["w"]), ("r", held["ar"])):
            age = Signal(range(Bus.latency + 1), name=f"{answer}_age")
            waiting = due & ~getattr(b, f"s_axil_{answer}valid")
            m.d.sync += age.eq(age + 1)
            with m.If(~waiting):
                m.d.sync += age.eq(0)
            m.d.comb += Assert(~waiting | (age < Bus.latency - 1))
        m.d.comb += [Assert((b.control == 0) | (b.s_axil_bvalid & (b.s_axil_bresp == 0))),
                     Assert(~b.s_axil_bresp[0]), Assert(~b.s_axil_rresp[0]),
                     # of the state: an answer waits for nothing that is still to be carried out
                     Assert(~b.s_axil_bvalid | ~(b._have_address | b._have_data)), Assert(~b.s_axil_rvalid | ~b._have_read)]
        return m


class Dropping(Bus):
    """A bus whose answers to writes do not wait."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.d.sync += self.s_axil_bvalid.eq(self._have_address & self._have_data)
        return m


class Unproved(Elaboratable):
    """True from reset on, but not by induction over a cycle or two: a counter from 0 to 3 is never 6."""

    def elaborate(self, platform):
        m, count = Module(), Signal(3)
        m.d.sync += count.eq(Mux(count == 3, 0, count + 1))
        m.d.comb += Assert(count != 6)
        return m


def test_what_induction_cannot_prove_is_not_called_broken(tmp_path):
    """Without it a missing invariant would look like a defect of the machine, or worse like a proof. Nothing
    leads to 4, from where 5 and 6 follow, so a path of some cycles proves it."""
    few, more = (induct(Unproved(), [], tmp_path / str(n), Reporter(quiet=True), depth=n) for n in (2, 5))
    assert (few.proved, few.broken) == (False, False)
    assert more.proved


@pytest.mark.parametrize("bus, right", [(Bus, True), (Dropping, False)])
def test_the_bus_keeps_the_rules_of_axi4_lite(bus, right, tmp_path):
    """The second one shows that the proof can fail: its path from reset breaks a rule."""
    unit = bus()
    found = induct(BusRules(unit), inputs_of(unit), tmp_path, Reporter(quiet=True))
    assert (found.proved, found.broken) == (right, not right), found.path
