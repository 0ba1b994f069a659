"""What the proofs share: named claims, tables, delays, and the walk of a row engine told from its sweeps."""

from collections.abc import Iterable, Mapping
from typing import Any

from amaranth.hdl import Assert, Cat, Const, Elaboratable, Fragment, Module, Mux, Signal, Value
from amaranth.lib import data
from amaranth.lib.wiring import Component, In

from hw.fixed import named
from hw.walk import Walk

__all__ = ["Harness", "all_of", "any_of", "delayed", "inputs_of", "registers", "table"]


def registers(unit: Fragment, *path: str) -> dict[str, Signal]:
    """All signals that an elaborated unit drives, by name; ``path``: of the unit of these names inside it."""
    for name in path:
        unit = unit.find_subfragment(name)
    return {signal.name: signal for body in unit.statements.values() for statement in body
            for signal in statement._lhs_signals()}


def inputs_of(unit: Component, *without: str) -> list[Value]:
    """The inputs of a unit as signals, streams and the ports ``without`` left out."""
    return [Value.cast(getattr(unit, name)) for name, member in unit.signature.members.items()
            if member.is_port and member.flow is In and name not in without]


def any_of(values: Iterable[Value]) -> Value:
    """Whether any of them is true; false of none."""
    return Cat(*values, Const(0, 1)).any()


def all_of(values: Iterable[Value]) -> Value:
    """Whether all of them are true."""
    return Cat(*values, Const(1, 1)).all()


def table(m: Module, at: Value, values: Mapping[int, int], name: str) -> Signal:
    """A number by its place, 0 where there is none."""
    word = Signal(max([1, *(value.bit_length() for value in values.values())]), name=name)
    with m.Switch(at):
        for place, value in values.items():
            with m.Case(place):
                m.d.comb += word.eq(value)
    return word


def delayed(m: Module, value: Value, cycles: int, name: str, reset: bool = False) -> list[Value]:
    """A value, and what it was 1 to ``cycles`` cycles before. With ``reset`` for a bit that says that something is
    there, as in the RTL (``hw.fixed.pipe``)."""
    line = [Value.cast(value)]
    for number in range(1, cycles + 1):
        line.append(Signal(line[0].shape(), name=f"{name}_before_{number}", reset_less=not reset))
        m.d.sync += line[-1].eq(line[-2])
    return line


class Harness(Elaboratable):  # type: ignore[misc] # of Amaranth, which mypy does not read
    """Units of the RTL and what is claimed of them in every cycle.

    ``inputs`` are free in every cycle, ``shown`` are the signals that a counterexample tells. Bit i of ``broken`` is
    set where claim i of ``claims``, known once it is elaborated, does not hold.
    """

    def __init__(self, inputs: Iterable[Value], shown: Iterable[Signal] = ()) -> None:
        self.claims: list[str] = []
        self.broken = Signal(32, name="broken")
        self.inputs, self.shown = list(inputs), [self.broken, *shown]

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        self.wire(m, platform)
        return m

    def wire(self, m: Module, platform: Any) -> None:
        """Add units and claims."""
        raise NotImplementedError

    def claim(self, m: Module, what: str, condition: Value) -> None:
        """Assert it."""
        holds = Signal(name=f"holds_{len(self.claims)}")
        m.d.comb += [holds.eq(condition), Assert(holds), self.broken[len(self.claims)].eq(~holds)]
        self.claims.append(what)

    def follow(self, m: Module, walk: Walk, inside: Mapping[str, Signal], taken: Value, block: Mapping[str, Value],
               slots: Value) -> Signal:
        """Claim that a walk goes through the words of its sweep one a cycle, column after column and row group after
        row group, and is free behind ``slots`` of them; ``block``: columns and groups of the sweep that is ``taken``.
        Returns how many slots are left, this cycle's included."""
        left, rest = Signal(len(slots), name="left"), Signal(len(block["groups"]), name="groups_left")
        block = {name: named(m, value, f"asked_{name}") for name, value in block.items()}
        of = {name: Signal(value.shape(), name=f"walked_{name}") for name, value in block.items()}
        m.d.sync += left.eq(Mux(taken, slots, Mux(left == 0, 0, left - 1)))
        with m.If(taken):
            m.d.sync += [of[name].eq(value) for name, value in block.items()]
        sizes = {"columns": walk.machine.max_columns, "groups": walk.machine.groups}
        command = data.View(walk.shapes.command, inside["command"])
        active, column, group = walk.active, inside["column"], inside["group"]
        m.d.comb += rest.eq(of["groups"] - group)
        for what, holds in (
                ("a word is walked while slots are left", active == (left != 0)),
                ("the walk keeps its block", ~active | all_of((command[name] == of[name]) & (of[name] <= most)
                                                                  for name, most in sizes.items())),
                ("the walk stays in its block", ~active | ((column < of["columns"]) & (group < of["groups"]))),
                ("last column", ~active | (walk.last == (column + 1 == of["columns"]))),
                ("last row group", ~active | (inside["last_group"] == (group + 1 == of["groups"]))),
                ("a sweep is taken without a word or with the last",
                 inside["ready"] == (~active | (walk.last & inside["last_group"]))),
                ("slots left", ~active | (left + column == of["columns"] * rest))):
            self.claim(m, what, holds)
        return left
