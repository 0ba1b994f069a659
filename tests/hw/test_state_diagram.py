"""State diagrams say what the FSM does: every transition with its conditions, from the statements themselves.

Without it docs/sequencer.md could show a machine that is not there: it is made from what this reads.
"""

from enum import IntEnum

import pytest
from amaranth.hdl import Module
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from hebbar.compiler.config import load
from hebbar.contract.errors import InternalError
from hebbar.contract.isa import Op
from hebbar.contract.registers import Cause
from hw.sequencer import Sequencer
from hw.state_diagram import Transition, mermaid, transitions


class Order(IntEnum):
    """What a kitchen is asked for."""

    NOTHING = 0
    SOUP = 1
    BREAD = 2


class Kitchen(wiring.Component):
    """A small FSM with each kind of condition."""

    def __init__(self, odd: bool = False) -> None:
        self.odd = odd
        super().__init__({"order": In(2), "hot": In(1), "closed": In(1), "heat": In(4), "why": Out(2), "late": In(2)})

    def elaborate(self, platform):
        m = Module()
        with m.FSM():
            with m.State("wait"):
                with m.If(self.closed):
                    m.d.comb += self.why.eq(Order.NOTHING)
                with m.Elif(~self.hot & (self.heat >= 9)):
                    m.next = "cook"
                with m.Else(), m.Switch(self.order), m.Case(Order.SOUP, Order.BREAD):
                    m.next = "serve"
                with m.If(self.heat[0] if self.odd else self.closed):
                    m.next = "leave"
            with m.State("cook"):
                m.d.comb += self.why.eq(Order.BREAD)
                with m.If(self.hot):
                    m.d.comb += self.why.eq(self.late)
                with m.If(self.why != 0):
                    m.next = "serve"
            with m.State("serve"):
                m.next = "wait"
            with m.State("leave"):
                pass
        return m


KITCHEN = [("wait", "cook", "not hot and heat ≥ 9"), ("wait", "serve", "SOUP or BREAD"), ("wait", "leave", "closed"),
           ("cook", "serve", "BREAD or late"), ("serve", "wait", "")]


def test_every_transition_is_read_with_its_conditions():
    """An Elif is not an If, an Else needs no words, a value has its name, and a state that only stays has no arrow."""
    assert transitions(Kitchen(), {"order": Order, "why": Order}) == [Transition(*t) for t in KITCHEN]


def test_the_diagram_has_an_arrow_for_each_pair_of_states():
    """Two ways between two states are one arrow with two labels, and one without conditions has no label."""
    found = [Transition("a", "b", "x"), Transition("b", "a", ""), Transition("a", "b", "y or z")]
    assert mermaid(found, "a") == ("stateDiagram-v2\n    [*] --> a\n    a --> b : x<br>y<br>or z\n    b --> a")


def test_a_condition_without_words_is_an_error():
    """A transition whose condition were left out would be shown as if it always happened."""
    with pytest.raises(InternalError, match=r"no words for .*heat.* give the condition a name"):
        transitions(Kitchen(odd=True), {"order": Order, "why": Order})


@pytest.mark.parametrize("preset, optional", [("tiny", set()), ("memory", {"population", "separate"})])
def test_the_sequencer_drains_before_it_halts_from_every_state(preset, optional):
    """The watchdog and a fault of a stream end every state in which a program runs, by way of drain alone."""
    found = transitions(Sequencer(load(preset).machine), {"_op": Op, "_halt": Cause})
    states = {"fetch", "decode", "read", "measure", "compare", "issue", "stream"} | optional
    assert {t.source for t in found} == states | {"halted", "drain"}
    drained = {t.source: t.when.split(" or ") for t in found if t.target == "drain"}
    assert set(drained) == states and all({"WATCHDOG", "transfer_fault"} <= set(when) for when in drained.values())
    assert [t for t in found if t.target == "halted"] == [Transition("drain", "halted", "was_idle")]
    assert [t for t in found if t.source == "halted"] == [Transition("halted", "fetch", "start and not aborted")]
