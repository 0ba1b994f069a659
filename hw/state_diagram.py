"""State diagrams as Mermaid text, read from the statements of a component that has one FSM."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from amaranth.hdl import Const, Elaboratable, Fragment, Signal, Value
from amaranth.hdl._ast import Assign, Concat, Operator, Slice, Statement, Switch

from hebbar.contract.errors import InternalError

__all__ = ["Transition", "transitions", "mermaid"]

INFIX = {"&": "and", "|": "or", "==": "=", "!=": "≠", "<": "<", "<=": "≤", ">": ">", ">=": "≥"}

Branch = tuple[Value, tuple[str, ...] | None]
"""What a Switch or an If tests, and the patterns of one of its cases; None for the last, which takes the rest."""


@dataclass(frozen=True)
class Transition:
    """A way from one state to another, and when it is taken; without words, always. Which of two is taken where both
    could be, this does not say."""

    source: str
    target: str
    when: str


def transitions(component: Elaboratable, enums: Mapping[str, type[IntEnum]]) -> list[Transition]:
    """The transitions of a component's FSM in the order in which they are written.

    ``enums``: signals whose values have names, as ``word`` in ``hw.sequencer`` has those of instructions. Where one of
    them is only asked whether it is other than 0, all that its state can set it to takes the place of the question.
    Raises InternalError for a condition that has no words yet.
    """
    fragment = Fragment.get(component, None)
    (fsm,) = fragment.generated.values()
    names = {number: name for name, number in fsm.encoding.items()}
    comb = dict(_states(fragment.statements["comb"], fsm.state))
    found = []
    for number, body in _states(fragment.statements["sync"], fsm.state):
        words = _Words(enums, comb.get(number, []))
        for target, path in _assigned(body, fsm.state):
            when = ", ".join(filter(None, (words.branch(*branch) for branch in path)))
            found.append(Transition(names[number], names[target.value], when))
    return list(dict.fromkeys(found))


def mermaid(found: list[Transition], first: str) -> str:
    """A Mermaid diagram of transitions; ``first`` is the state after a reset."""
    arrows: dict[tuple[str, str], list[str]] = {}
    for t in found:
        arrows.setdefault((t.source, t.target), []).append(t.when)
    lines = ["stateDiagram-v2", f"    [*] --> {first}"]
    for (source, target), whens in arrows.items():
        label = "<br>".join(when.replace(" or ", "<br>or ") for when in whens)
        lines.append(f"    {source} --> {target}" + (f" : {label}" if label else ""))
    return "\n".join(lines)


def _states(statements: list[Statement], state: Signal) -> Iterator[tuple[int, list[Statement]]]:
    """What is done in each state."""
    for statement in statements:
        if isinstance(statement, Switch) and statement.test is state:
            for patterns, body, _ in statement.cases:
                yield int(patterns[0], 2), list(body)


def _assigned(statements: list[Statement], signal: Signal, path: tuple[Branch, ...] = ()
              ) -> Iterator[tuple[Value, tuple[Branch, ...]]]:
    """What a signal is assigned, and in which branches."""
    for statement in statements:
        if isinstance(statement, Assign) and statement.lhs is signal:
            yield statement.rhs, path
        if isinstance(statement, Switch):
            for patterns, body, _ in statement.cases:
                yield from _assigned(body, signal, (*path, (statement.test, patterns)))


class _Words:
    """Conditions in words; ``comb`` is what the state assigns that is no register."""

    def __init__(self, enums: Mapping[str, type[IntEnum]], comb: list[Statement]) -> None:
        self._enums, self._comb = enums, comb

    def branch(self, test: Value, patterns: tuple[str, ...] | None) -> str:
        """When it is entered; nothing for the last, as the branches before it are listed."""
        if patterns is None:
            return ""
        if isinstance(test, Concat):  # an If and its Elifs, whose conditions are the bits from the lowest on
            return self.condition(test.parts[patterns[0][::-1].index("1")])
        return " or ".join(self._value(test, int(pattern, 2)) for pattern in patterns)

    def condition(self, value: Value) -> str:
        """A condition as one would say it."""
        match value:
            case Signal():
                return value.name.lstrip("_").replace("__", ".")
            case Operator(operator="~"):
                return f"not {self.condition(value.operands[0])}"
            case Operator(operator="!=", operands=[Signal() as signal, Const()]) if signal.name in self._enums:
                values = dict.fromkeys(self._said(signal, v) for v, _ in _assigned(self._comb, signal))
                return " or ".join(values)
            case Operator() if value.operator in INFIX:
                left, right = value.operands
                return f"{self.condition(left)} {INFIX[value.operator]} {self._said(left, right)}"
        raise InternalError(f"a state diagram has no words for {value!r}; give the condition a name (hw.fixed.named).")

    def _said(self, signal: Value, value: Value) -> str:
        return self._value(signal, value.value) if isinstance(value, Const) else self.condition(value)

    def _value(self, signal: Value, number: int) -> str:
        """A value of a signal, or of a field of one, by its name."""
        signal = signal.value if isinstance(signal, Slice) else signal
        enum = self._enums.get(signal.name) if isinstance(signal, Signal) else None
        return enum(number).name if enum else str(number)
