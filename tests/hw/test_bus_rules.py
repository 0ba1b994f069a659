"""The rules of AXI4-Lite and AXI4-Stream proved without a bound, for every input in every cycle and any reset.

Random traffic meets the cases that random traffic meets. The rules are the standard's: what is valid stays, with its
payload, until it is taken; one answer a request; none without one; and the latency the unit states.
"""

import pytest
from amaranth.hdl import Assert, Assume, Cat, Elaboratable, Fragment, Module, Mux, Signal, Value
from amaranth.lib.wiring import In
from helpers import machine

from hebbar.contract.console import Reporter
from hebbar.contract.counters import COUNTERS
from hebbar.contract.isa import FIELDS, Op
from hebbar.contract.memories import HEADER, Mem
from hebbar.contract.registers import REGISTERS, Control
from hebbar.verify.formal import induct
from hw.bus import Bus
from hw.fields import field
from hw.streamer import CHECKS, Streamer


def inputs_of(unit):
    """The inputs of a component as signals."""
    return [Value.cast(getattr(unit, name)) for name, member in unit.signature.members.items()
            if member.is_port and member.flow is In]


def steady(m, valid, ready, payload, name):
    """What is valid stays as it is until it is taken; high while it does."""
    waits, kept = Signal(name=f"{name}_waits"), Signal(len(payload), name=f"{name}_kept")
    m.d.sync += [waits.eq(valid & ~ready), kept.eq(payload)]
    m.d.comb += Assert(~waits | (valid & (payload == kept)))
    return waits


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
        excused = self._excused(m, held)
        for answer, due in (("b", held["aw"] & held["w"]), ("r", held["ar"])):
            age = Signal(range(Bus.latency + 1), name=f"{answer}_age")
            waiting = due & ~getattr(b, f"s_axil_{answer}valid")
            m.d.sync += age.eq(Mux(excused[answer], age, age + 1))
            with m.If(~waiting):
                m.d.sync += age.eq(0)
            m.d.comb += Assert(~waiting | (age < Bus.latency - 1))
        m.d.comb += [Assert((b.control == 0) | (b.s_axil_bvalid & (b.s_axil_bresp == 0))),
                     Assert(~b.s_axil_bresp[0]), Assert(~b.s_axil_rresp[0]),
                     # of the state: an answer waits for nothing that is still to be carried out
                     Assert(~b.s_axil_bvalid | ~(b._have_address | b._have_data)),
                     Assert(~b.s_axil_rvalid | ~b._have_read)]
        return m


    def _excused(self, m, held):
        """Cycles that do not count: of START and LATCH while the counters are busy, of a counter until it is there."""
        b, kept = self.bus, {}
        for name, data, inside in (("aw", "addr", b._address), ("w", "data", b._word), ("w", "strb", b._strobe),
                                   ("ar", "addr", b._read_address)):
            kept[data, name] = value = Signal(len(inside), name=f"{name}{data}_kept")
            with m.If(getattr(b, f"s_axil_{name}valid") & getattr(b, f"s_axil_{name}ready")):
                m.d.sync += value.eq(getattr(b, f"s_axil_{name}{data}"))
            m.d.comb += Assert(~held[name] | (value == inside))  # of the state
        command = (kept["addr", "aw"] == REGISTERS["control"].address) & kept["strb", "w"][0] & \
            (kept["data", "w"] & (Control.START | Control.LATCH)).any()
        counter = kept["addr", "ar"]
        known = Cat(counter == r.address for n, r in REGISTERS.items() if n[:-3] in COUNTERS).any()
        return {"b": (b.counting | (held["ar"] & ~b.s_axil_rvalid)) & command, "r": known & ~b.counter_ready}


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


class StreamerRules(Elaboratable):
    """AXI4-Stream of ``streamer``, beside a memory that keeps what nobody writes and is ready when it likes."""

    SETTLED = 4
    """Cycles in which the consumer of an aborted packet takes what is offered, after which the packet is closed."""

    def __init__(self, streamer):
        self.streamer, self.any = streamer, Signal(32)

    def elaborate(self, platform):
        m, s = Module(), self.streamer
        m.submodules.streamer = Fragment.get(s, platform)
        self._memory(m)
        taken = Signal()
        m.d.comb += taken.eq(s.m_axis_tvalid & s.m_axis_tready)
        waits = steady(m, s.m_axis_tvalid, s.m_axis_tready, Cat(s.m_axis_tdata, s.m_axis_tlast), "m")
        raised = Signal()
        m.d.sync += raised.eq(s.fault != 0)
        m.d.comb += [Assume(~s.transfer | s.running), Assume(~raised | s.aborted)]  # of the sequencer
        m.d.comb += Assert(~s.aborted | s.s_axis_tready)  # a host is never left with a beat
        self._closes(m, taken)
        self._counts(m, taken, waits)
        return m

    def _memory(self, m):
        host, before = self.streamer.host, Signal(40)
        place = Cat(host.address, host.sub)
        m.d.sync += before.eq(place)
        with m.If((before != place) | host.write):
            m.d.sync += host.read_beat.eq(self.any)

    def _closes(self, m, taken):
        """A packet that was begun ends, also when it is aborted."""
        s, opened, calm = self.streamer, Signal(name="opened"), Signal(range(self.SETTLED + 1), name="calm")
        with m.If(taken):
            m.d.sync += opened.eq(~s.m_axis_tlast)
        with m.If(~(s.aborted & s.m_axis_tready)):
            m.d.sync += calm.eq(0)
        with m.Elif(calm < self.SETTLED):
            m.d.sync += calm.eq(calm + 1)
        m.d.comb += [Assert((calm < self.SETTLED) | ~(opened | s.m_axis_tvalid)), Assert(opened == s._out_open)]

    def _counts(self, m, taken, waits):
        """A packet that is asked for, or an OUT, has its beats, and TLAST on the last where it is asked for."""
        s, header, reads = self.streamer, Signal(name="header"), Signal(name="reads")
        number, sent, last = Signal(24, name="number"), Signal(24, name="sent"), Signal(name="last")
        beat = s.s_axis_tvalid & s.s_axis_tready & ~s.aborted
        checks = Cat(s._fsm.ongoing(check) for check in CHECKS).any()
        fields = {name: field(s.transfer_word, f) for name, f in FIELDS[Op.OUT].items()}
        asked = s.transfer & s.transfer_out & ~s.active & ~s.aborted & (s.fault == 0)
        with m.If(beat | s.aborted):
            m.d.sync += header.eq(0)
        with m.If(beat & ~s.active & ~s.transfer & (s.fault == 0)):
            m.d.sync += [header.eq(field(s.s_axis_tdata, HEADER["read"])), sent.eq(0), last.eq(1),
                         number.eq(field(s.s_axis_tdata, HEADER["beats"]))]
        with m.If(header & beat & (s.fault == 0)):
            m.d.sync += reads.eq(1)
        with m.If(asked):
            m.d.sync += [reads.eq(1), sent.eq(0), last.eq(fields["last"]), number.eq(Mux(
                fields["memory"] == Mem.ACTIVITY, (fields["count"] + 3) >> 2, fields["count"]))]
        with m.If(taken):
            m.d.sync += sent.eq(sent + 1)
            m.d.comb += Assert(~reads | (s.m_axis_tlast == (last & (sent + 1 == number))))
        with m.If((reads & taken & (sent + 1 == number)) | s.aborted):
            m.d.sync += reads.eq(0)
        m.d.comb += [Assert(~(s.host.read | s.m_axis_tvalid & ~waits) | s.aborted | reads | s._out_open),
                     # of the state: what is left is what was asked for less what was sent
                     Assert(~header | (s._fsm.ongoing("address") & s._read & s._last & last & (s._left == number)
                                       & (sent == 0))),
                     Assert(~reads | ((s._left == number - sent) & (s._last == last)
                                      & (checks | s.aborted | (sent < number)))),
                     Assert(~reads | checks | s.host.read | s.m_axis_tvalid | s.aborted),
                     Assert(~checks | s.aborted | ((reads == s._read) & (~reads | (sent == 0)))),
                     Assert(~(checks & ~s._fsm.ongoing(CHECKS[0]) | s.host.select) | (s._final == (s._left == 1)))]


class Forgetting(Streamer):
    """A streamer that withdraws a beat when it is aborted."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        with m.If(self.aborted):
            m.d.comb += self.m_axis_tvalid.eq(0)
        return m


@pytest.mark.parametrize("streamer, right", [(Streamer, True), (Forgetting, False)])
def test_the_streamer_keeps_the_rules_of_axi4_stream(streamer, right, tmp_path):
    """Beats stay until they are taken; a packet has the beats that were asked for; an aborted one is closed."""
    unit = streamer(machine(lanes=8, row_tiles=2, weight_words=8, neuron_words=8))
    rules = StreamerRules(unit)
    inputs = [*inputs_of(unit), unit.host.ready, rules.any]
    found = induct(rules, inputs, tmp_path, Reporter(quiet=True))
    assert (found.proved, found.broken) == (right, not right), found.path
