"""Pyverilog's dataflow of a whole design, its instances unfolded, and what can be known of its bits.

Pyverilog's own front end calls a preprocessor, so its visitors are driven one by one here. It
follows an always block with blocking assignments to parts of a signal wrongly (it drops conditions)
and keeps one of two assignments to one target. So it is given the copy that Yosys writes after
``proc``, which has neither, and that this is so is checked.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, reduce
from typing import Any

from hebbar.contract.errors import BadInput

from .design import Design, constant, deep, plain
from .expressions import Node, Scope, Term, branches, converted, references, value
from .ternary import UNKNOWN, Bits, join

__all__ = ["Dataflow", "Driver", "bind"]


@dataclass(frozen=True)
class Driver:
    """What drives bits ``low`` .. ``low + width - 1`` of a signal; ``clocked``: one cycle later."""

    low: int
    width: int
    tree: Node
    clocked: bool
    address: Node | None = None


class Dataflow:
    """Drivers by signal, all by full path, as Pyverilog binds them."""

    def __init__(self, scope: Scope, drivers: dict[str, list[Driver]], initial: dict[str, Bits]) -> None:
        self.scope, self.drivers, self.initial = scope, drivers, initial

    @cached_property
    def _uses(self) -> dict[str, list[str]]:
        """The signals each signal depends on directly."""
        return {name: sorted({r for d in drivers for tree in (d.tree, d.address) if tree is not None
                              for r in references(tree)}) for name, drivers in self.drivers.items()}

    def cone(self, names: list[str]) -> list[str]:
        """All that ``names`` depend on, themselves included, through registers and memories."""
        seen, new = set(names), list(names)
        while new:
            fresh = {r for r in self._uses.get(new.pop(), ()) if r not in seen}
            seen |= fresh
            new += fresh
        return sorted(seen)

    def _sorted(self, cone: list[str], held: set[str]) -> tuple[list[str], set[str]]:
        """The combinational signals, each after those it depends on; and those read before they are there."""
        done: dict[str, None] = {}
        seen, loops = set(held), set[str]()
        for root in cone:
            if root in seen:
                continue
            seen.add(root)
            stack = [(root, iter(self._uses.get(root, ())))]
            while stack:
                name, rest = stack[-1]
                child = next(rest, None)
                if child is None:
                    done[name] = None
                    stack.pop()
                elif child not in seen:
                    seen.add(child)
                    stack.append((child, iter(self._uses.get(child, ()))))
                elif child not in done and child not in held:
                    loops.add(child)
        return list(done), loops

    def settle(self, names: list[str], zeros: dict[str, int], split: str = "") -> dict[str, Bits]:
        """What every reachable state of the design agrees on, for all signals of the cone of ``names``.

        Registers and memories start from their first values; each round joins what they can hold
        with what can be written next, until nothing changes. ``zeros`` are bits held at 0. The values
        of the register ``split``, a few bits of a state machine, are followed one by one.
        """
        cone = self.cone(names)
        held = {n for n in cone if any(d.clocked for d in self.drivers.get(n, ()))}
        order, loops = self._sorted(cone, held)
        order = [n for n in order if n in self.drivers]
        state = {n: self.initial.get(n, UNKNOWN).force(zeros.get(n, 0)) for n in cone}
        reached = {state[split]} if split in held else set()
        while True:
            cases = [self._combine(state | {split: v} if reached else state, order, loops, zeros)
                     for v in reached or {UNKNOWN}]
            fresh = [{n: self._drive(n, case, case[n]).force(zeros.get(n, 0)) for n in held} for case in cases]
            after = {n: reduce(join, (f[n] for f in fresh), state[n]) for n in held}
            more = {v for case in cases for v in self._choices(self.drivers[split][0].tree, split,
                                                               case)} if reached else set()
            if more <= reached and all(state[n] == after[n] for n in held):
                return {n: reduce(join, (case[n] for case in cases)) for n in cone}
            state, reached = state | after, reached | more

    def _choices(self, node: Node | None, split: str, case: dict[str, Bits]) -> set[Bits]:
        """Every value an expression can have: joined bits would allow more than there are."""
        if node is None:
            return {case[split]}
        if (ways := branches(node, case)) is not None:
            return {v for way in ways for v in self._choices(way, split, case)}
        inner = self.behind(node.name) if node.name != split else None
        if inner is not None:
            return self._choices(inner, split, case)
        width = self.scope[split].width
        return set(_values(value(node, width, case), width))

    def behind(self, name: str) -> Node | None:
        """What a combinational signal is, where one assignment says it whole."""
        bound = self.drivers.get(name, [])
        whole = len(bound) == 1 and not bound[0].clocked and bound[0].width == self.scope[name].width
        return bound[0].tree if whole and bound[0].tree.width == bound[0].width else None

    def _combine(self, state: dict[str, Bits], order: list[str], loops: set[str],
                 zeros: dict[str, int]) -> dict[str, Bits]:
        """``state`` with all combinational signals computed from its registers."""
        state = state | dict.fromkeys(loops, UNKNOWN)
        for n in order:
            state[n] = self._drive(n, state, UNKNOWN).force(zeros.get(n, 0))
        return state

    def _drive(self, name: str, state: dict[str, Bits], before: Bits) -> Bits:
        """The signal after all its drivers; a part without a driver, or of a memory, keeps ``before``."""
        ones, zeros = before.ones, before.zeros
        for d in self.drivers[name]:
            mask = (1 << d.width) - 1
            old = Bits(ones >> d.low & mask, zeros >> d.low & mask)
            new = value(d.tree, d.width, state, old)
            new = join(old, new) if d.address is not None else new
            ones = ones & ~(mask << d.low) | new.ones << d.low
            zeros = zeros & ~(mask << d.low) | new.zeros << d.low
        return Bits(ones, zeros)


def bind(design: Design) -> Dataflow:
    """Unfold ``design`` by Pyverilog; raises BadInput when it holds what Pyverilog would get wrong."""
    from pyverilog.dataflow.bindvisitor import BindVisitor
    from pyverilog.dataflow.modulevisitor import ModuleVisitor
    from pyverilog.dataflow.signalvisitor import SignalVisitor

    _refuse(design)
    with deep():
        _adapt(design)
        modules = ModuleVisitor()
        modules.visit(design.source)
        table = modules.get_moduleinfotable()
        top = next(name for name in modules.get_modulenames() if plain(name) == design.top)
        signals = SignalVisitor(table, top)
        signals.start_visit()
        binder = BindVisitor(table, top, signals.getFrameTable(), noreorder=True)
        binder.start_visit()
    flow = binder.getDataflows()
    scope = Scope({_path(name): _term(term) for name, term in flow.getTerms().items()})
    drivers = {_path(name): [_driver(b, scope[_path(name)], scope) for b in binds]
               for name, binds in flow.getBinddict().items()}
    return Dataflow(scope, drivers, dict(_initial(design)))


def _adapt(design: Design) -> None:
    """Take out of the syntax tree what Pyverilog's visitors take for something else."""
    from pyverilog.vparser.ast import LConcat

    for definition in design.source.description.definitions:
        for item in definition.items:
            if type(item).__name__ == "Decl":  # a first value is no driver
                item.list = tuple(part for part in item.list if type(part).__name__ != "Assign")
            for instance in getattr(item, "instances", ()):
                ports = design.modules[plain(instance.module)].ports
                for port in instance.portlist:  # what an output drives is a target
                    if ports[plain(port.portname)].direction == "output" and type(port.argname).__name__ == "Concat":
                        port.argname = LConcat(port.argname.list)


def _values(bits: Bits, width: int) -> Iterator[Bits]:
    """Every value that the known bits allow."""
    full = (1 << width) - 1
    yield from (Bits(v, full & ~v) for v in range(1 << width) if not (v & bits.zeros or ~v & bits.ones))


def _path(name: Any) -> str:
    return ".".join(plain(label.scopename) for label in name.scopechain)


def _term(term: Any) -> Term:
    depth = 0
    for high, low in term.dims or ():
        depth += abs(_number(high) - _number(low)) + 1
    return Term(abs(_number(term.msb) - _number(term.lsb)) + 1, depth)


def _number(node: Any) -> int:
    return node.value if isinstance(node.value, int) else int(node.eval())


def _driver(bound: Any, term: Term, scope: Scope) -> Driver:
    low = _number(bound.lsb) if bound.lsb is not None else 0
    width = _number(bound.msb) - low + 1 if bound.msb is not None else term.width
    address = converted(bound.ptr, scope) if bound.ptr is not None else None
    if address is not None and not term.depth:  # a bit of a vector
        low, width, address = _number(bound.ptr), 1, None
    return Driver(low, width, converted(bound.tree, scope), bound.alwaysinfo is not None, address)


def _refuse(design: Design) -> None:
    """Combinational processes, and clocked ones that assign a register more than once."""
    for module in design.modules.values():
        for process in module.processes:
            if not any(s.type == "posedge" for s in process.sens_list.list):
                raise BadInput(f"module {module.name} has a combinational process in the copy for the dataflow.")
            body = getattr(process.statement, "statements", (process.statement,))
            kinds = {type(s).__name__ for s in body}
            if len(body) > 1 and kinds - {"IfStatement", "NonblockingSubstitution"}:
                raise BadInput(f"module {module.name} has a clocked process of {', '.join(sorted(kinds))}.")


def _initial(design: Design) -> Iterator[tuple[str, Bits]]:
    """First values of registers, and of memories what all their words agree on."""
    for path, kind in design.tree.items():
        module = design.modules[kind]
        for name, signal in module.signals.items():
            if signal.initial is not None:
                mask = (1 << signal.width) - 1
                yield f"{path}.{name}", Bits(signal.initial & mask, ~signal.initial & mask)
        for name, words in _contents(module).items():
            signal = module.signals[name]
            if len(words) == signal.depth:
                ones, zeros = (1 << signal.width) - 1, (1 << signal.width) - 1
                for word in words.values():
                    ones, zeros = ones & word, zeros & ~word
                yield f"{path}.{name}", Bits(ones, zeros)


def _contents(module: Any) -> dict[str, dict[int, int]]:
    found: dict[str, dict[int, int]] = {}
    for start in module.starts:
        for statement in start.statement.statements:
            target = statement.left.var
            found.setdefault(plain(target.var.name), {})[constant(target.ptr)] = constant(statement.right.var)
    return found
