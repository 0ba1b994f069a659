"""The checks of an exported design, each with what was expected and what was found."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput, HebbarError, MissingTool, TimedOut
from hebbar.contract.files import temporary_folder, write_text
from hebbar.contract.machine import MachineConfig
from hebbar.contract.record import Check as Recorded
from sim.yosys import require_yosys, run

from . import contents, drivers, expected
from .dataflow import bind
from .design import Design, Module, Signal, read
from .writes import paths, statements

__all__ = ["Check", "check", "netlist_checks", "text_checks"]

# Processes become multiplexers; a memory is written through one port with an enable for each part, and
# don't-cares, which only unreachable branches hold, give way. Equal cells are one: what any synthesis does.
_NETLIST = """\
read_verilog design.v
hierarchy -check -top hebbar
proc -norom
tee -o latches.txt select -list t:$dlatch t:$adlatch t:$dlatchsr t:$sr
opt_clean
select -set writes t:$mux w:*$memwr$* %ci %i
opt_expr -mux_undef @writes
opt_clean
select -set before *
memory_share -nosat -nowiden
simplemap t:$mux t:$or %u t:$and %u t:$not %u @before %d @writes %u
pmuxtree
opt_expr -mux_undef -mux_bool
opt_merge
wreduce t:$mul
opt_merge
opt_clean
memory_collect
write_verilog -noattr netlist.v
"""
_NAMED = 4


@dataclass(frozen=True)
class Check:
    """One promise of the configuration, what was expected and found, in words."""

    name: str
    expected: str
    found: str
    passed: bool

    def record(self) -> dict[str, Any]:
        return {"check": self.name, "expected": self.expected, "found": self.found, "passed": self.passed}

    def verdict(self) -> Recorded:
        said = "" if self.passed else f"{self.name}: expected {self.expected}, found {self.found}."
        return Recorded(self.name, self.passed, said)


def check(machine: MachineConfig, reporter: Reporter, verilog: str | None = None) -> list[Check]:
    """Hold ``verilog`` (None: a fresh export) against ``machine``; one Check for every promise.

    Raises BadInput for text that is no Verilog of Hebbar's kind, MissingTool without Yosys.
    """
    require_yosys()
    reporter.say("reading the Verilog back (Pyverilog) ...")
    text = verilog or _export(machine)
    design = read(text, expected.TOP)
    found = list(text_checks(machine, design))
    reporter.say("simplifying a copy of it (Yosys) and following its dataflow (Pyverilog) ...")
    return found + netlist_checks(machine, text, reporter)


def _export(machine: MachineConfig) -> str:
    from hw.verilog import export

    return export(machine)


def text_checks(machine: MachineConfig, design: Design) -> Iterator[Check]:
    """What the text itself shows: modules, ports, memories, registers, complete processes, drivers."""
    tree = {_plain(path): path for path in design.tree}
    modules = dict.fromkeys(tree, "instance")
    yield _same("module tree", "instances", dict.fromkeys(expected.tree(machine), "instance"), modules)
    yield _same("instances of one module", "modules used once", dict.fromkeys(design.modules, 1), _uses(design))
    ports = {name: (s.direction, s.width) for name, s in design.modules[design.top].ports.items()}
    yield _same("ports of the top module", "ports with direction and width", expected.top_ports(machine), ports)
    sizes = {place: (s.depth, s.width) for place, _, _, s in _memories(design)}
    yield _same("memories", "memories with words and bits", expected.memories(machine), sizes)
    words = {f"{place}[{i}]": word for place, module, name, _ in _memories(design)
             if name in drivers.unwritten(design, module) for i, word in enumerate(contents.first(module, name))}
    yield _same("constant memories", "words that nothing writes", expected.constants(machine), words)
    yield from _register_checks(design)
    yield _none("latches in the text", "processes assign all bits on every way", drivers.latches, design)
    yield _none("undriven signals", "every bit has a driver", lambda m: drivers.undriven(design, m), design)
    yield _none("signals driven twice", "every bit has one driver", lambda m: drivers.driven_twice(design, m), design)


def netlist_checks(machine: MachineConfig, text: str, reporter: Reporter) -> list[Check]:
    """What a simplified copy shows: multipliers, latches as Yosys sees them, who writes weights (those of an analog
    macro are not in it)."""
    with temporary_folder("hebbar-structure-") as folder:
        write_text(folder / "design.v", text)
        try:
            run(_NETLIST, folder, reporter)
        except (MissingTool, TimedOut):
            raise
        except HebbarError as error:
            return [Check("Yosys reads it", "no error", str(error).partition(" The whole of it")[0], False)]
        latches = (folder / "latches.txt").read_text().split()
        copy = read((folder / "netlist.v").read_text(), expected.TOP)
    found = [Check("latches in the netlist (Yosys)", "none", ", ".join(latches[:_NAMED]) or "none", not latches),
             _multiplier_check(machine, copy)]
    return found if machine.kind.macro else found + list(_write_checks(machine, copy))


def _register_checks(design: Design) -> Iterator[Check]:
    bus = design.at("hebbar.bus")
    if bus is None:
        yield Check("registers", "a module hebbar.bus", "none", False)
        return
    names = set(expected.registers())
    yield _same("registers", "registers with bits and reset value", expected.registers(),
                contents.registers(bus, names))
    yield _same("addresses written", "registers with their address", expected.written(),
                contents.written(bus, names))
    yield _same("addresses read", "addresses with what they show", expected.readable(),
                contents.readable(bus, names))


def _multiplier_check(machine: MachineConfig, copy: Design) -> Check:
    found = {_plain(path): contents.multipliers(copy.modules[kind]) for path, kind in copy.tree.items()}
    promised = expected.multipliers(machine)
    total = sum(sum(n.values()) for n in promised.values())
    result = _same("multipliers", "modules with their multipliers", {k: dict(n) for k, n in promised.items()},
                   {k: dict(n) for k, n in found.items() if n})
    return Check(result.name, f"{total} of two variables in {result.expected}",
                 f"{sum(sum(n.values()) for n in found.values())} in {result.found}", result.passed)


def _write_checks(machine: MachineConfig, copy: Design) -> Iterator[Check]:
    """No weight is written but by UPD or the host."""
    try:
        flow = bind(copy)
    except BadInput as error:
        yield Check("weight writes", "a netlist that Pyverilog can follow", str(error), False)
        return
    there, kept = statements(copy, machine, flow)
    yield Check("write paths of the weights", "every one in the dataflow", f"{kept} of {there}", there == kept > 0)
    opened = paths(machine, flow)
    yield Check("weight writes without UPD and without the host", "impossible",
                _list(opened.neither) or "impossible", not opened.neither)
    for who, names, wanted in (("UPD", opened.upd, machine.updates != "none"), ("the host", opened.host, True)):
        said = ("impossible", "possible")
        yield Check(f"weight writes by {who} alone", said[wanted], said[bool(names)], wanted == bool(names))


def _memories(design: Design) -> Iterator[tuple[str, Module, str, Signal]]:
    """Every memory: path of the instance, with its name where that has several, module, name and signal."""
    for path, kind in design.tree.items():
        if module := design.modules.get(kind):
            for name, signal in module.memories.items():
                yield _plain(path) + (f".{name}" if len(module.memories) > 1 else ""), module, name, signal


def _uses(design: Design) -> dict[str, int]:
    kinds = list(design.tree.values())
    return {kind: kinds.count(kind) for kind in {*kinds, *design.modules}}


def _plain(path: str) -> str:
    """A path without the numbers Amaranth adds where a name is taken."""
    return re.sub(r"\$\d+", "", path)


def _same(name: str, what: str, promised: Mapping[Any, Any], found: Mapping[Any, Any]) -> Check:
    """Equality of two tables, the differences in words."""
    wrong = [f"{key}: {found.get(key, 'missing')} instead of {promised.get(key, 'nothing')}"
             for key in sorted(promised.keys() | found.keys(), key=str) if promised.get(key) != found.get(key)]
    said = f"{len(found)}, {_list(wrong)}" if wrong else f"{len(found)}, as expected"
    return Check(name, f"{len(promised)} {what}", said, not wrong)


def _none(name: str, promise: str, find: Callable[[Any], list[str]], design: Design) -> Check:
    wrong = [f"{module.name}.{signal}" for module in design.modules.values() for signal in find(module)]
    return Check(name, promise, _list(wrong) or "as expected", not wrong)


def _list(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
