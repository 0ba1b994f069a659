"""Every port of every component in hw has a line in a docstring with its true shape, its direction and a meaning.

Without it a port could be added, widened or turned round, and whoever wires a component by its docstring would be told
what used to be.
"""

import gc
import re
from importlib import import_module
from pathlib import Path

import pytest
from amaranth.hdl import Shape, signed
from amaranth.lib import stream, wiring
from amaranth.lib.data import ArrayLayout, StructLayout
from amaranth.lib.wiring import In, Out

from hebbar.compiler.config import load
from hebbar.contract.counters import WORK
from hebbar.contract.geometry import ports
from hebbar.contract.memories import Mem
from hebbar.contract.registers import COUNTER_BASE, REGISTERS, Access
from hw.bank import Bank, HostPort
from hw.bus import COUNTER_END, Bus
from hw.counters import Counters
from hw.delay import Delay
from hw.loops import Loops
from hw.pulses import Pulses
from hw.sar_logic import SarLogic
from hw.table import Table
from hw.tally import Tally
from hw.tile import GroupWrite, Shapes
from hw.watchdog import Watchdog
from hw.word_queue import WordQueue

pytestmark = pytest.mark.filterwarnings("ignore::amaranth.hdl.UnusedElaboratable")
HW = Path(__file__).resolve().parents[2] / "hw"
PRESETS = {"array": "array", "analog": "digits_analog", "rows": "memory"}
SECTION = re.compile(r"^ *(?:Attributes|Members|Pins)\n *-+\n(.*)", re.MULTILINE | re.DOTALL)
ENTRY = re.compile(r"^    (\S.*?) : (.*)\n((?:        .*\n)*)", re.MULTILINE)
KIND = re.compile(r"(Signal\(.*\)|.*), (in|out)|(In|Out)\((.*)\)")
SPECIAL = {
    "Bank": lambda m: Bank(ports(m)[Mem.ACTIVITY], readers=2, beside=True), "Bus": lambda m: Bus(),
    "Counters": lambda m: Counters(dict.fromkeys(WORK, 3)), "Delay": lambda m: Delay(5, 3),
    "Loops": lambda m: Loops(), "Watchdog": lambda m: Watchdog(), "HostPort": lambda m: HostPort(),
    "GroupWrite": lambda m: GroupWrite(Shapes(m).states),
    "Pulses": lambda m: Pulses(3, 1), "SarLogic": lambda m: SarLogic(5, 7),
    "Tally": lambda m: Tally(8, 5), "WordQueue": lambda m: WordQueue(9, 5),
    "Table": lambda m: Table(m.formats, m.formats.activity, ports(m)[Mem.FUNCTION], 2)}
"""How those are made that take something else than a machine."""


@pytest.fixture(autouse=True)
def end_here():
    """Components that only showed their ports go, and warn that they were not used, before another test begins."""
    yield
    gc.collect()


def found(kind) -> dict[str, type]:
    """The components or signatures that hw defines, by name."""
    modules = [import_module(f"hw.{path.stem}") for path in sorted(HW.glob("*.py")) if path.stem != "__init__"]
    return {name: value for module in modules for name, value in vars(module).items()
            if isinstance(value, type) and issubclass(value, kind) and value.__module__ == module.__name__}


CLASSES = found(wiring.Component) | found(wiring.Signature)


def entries(of) -> dict[str, tuple[str, str]]:
    """Shape and direction of each port in a docstring, those it refers to included."""
    section = SECTION.search((of.__doc__ or "") + "\n")
    known: dict[str, tuple[str, str]] = {}
    for names, kinds, meaning in ENTRY.findall(section[1] if section else ""):
        if kinds.startswith("see "):
            module, _, name = kinds.removeprefix("see ").rpartition(".")
            prefix, other = names.removesuffix("*"), entries(getattr(import_module(module), name))
            own = {n: k for n, k in other.items() if n.startswith(prefix)} or {prefix + n: k for n, k in other.items()}
            known |= own
            continue
        assert meaning.strip(), f"{of.__name__}.{names} has no meaning"
        split = re.split(r"(?<=in|ut), |(?<=\)), (?=In|Out|Signal)", kinds)
        if not kinds.startswith(("In(", "Out(")):  # the last direction is that of those before it
            last = kinds.rpartition(", ")[2]
            split = [k if k.endswith((", in", ", out")) else f"{k}, {last}" for k in split]
        names = names.split(", ")
        for name, kind in zip(names, split if len(split) > 1 else split * len(names), strict=True):
            parts = KIND.fullmatch(kind)
            assert parts, kind
            signal, direction, flow, shape = parts.groups()
            known[name] = (shape or signal.removeprefix("Signal"), (direction or flow).lower())
    return known


def namespace(of, machine) -> dict:
    """What the shapes in a docstring may name."""
    modules = ("hebbar.contract.pins", "hw.bus", "hw.sequencer_signature", "hw.tile", type(of).__module__)
    return {name: value for module in modules for name, value in vars(import_module(module)).items()} | {
        "signed": signed, "ArrayLayout": ArrayLayout, "StructLayout": StructLayout, "stream": stream,
        "GroupWrite": GroupWrite, "machine": machine, "Shapes": Shapes(machine),
        "P": machine.row_tiles, "W": machine.pass_rows, "C": machine.lanes,
        "self": of, "widths": getattr(of, "widths", None)}


def same(member: wiring.Member, stated) -> bool:
    """Whether a member has the shape or the signature that a docstring states."""
    if isinstance(stated, wiring.Signature):
        stated = stated.flip() if member.flow is In else stated
        return member.is_signature and member.signature.members == stated.members
    return member.is_port and Shape.cast(member.shape) == Shape.cast(stated)


def complaints(of, members, machine) -> list[str]:
    """What a docstring does not say of the ports, or says wrongly."""
    stated, wrong = entries(type(of)), []
    for name, member in members.items():
        known = namespace(of, machine) | {"register": REGISTERS.get(name)}
        if isinstance(of, Bus) and name in REGISTERS and name not in stated:
            assert REGISTERS[name].meaning and not COUNTER_BASE <= REGISTERS[name].address < COUNTER_END
            name = "<read register>" if REGISTERS[name].access is Access.READ else "<read-write register>"
        if name not in stated:
            wrong.append(f"{name} is missing")
            continue
        shape, direction = stated[name]
        if direction != {In: "in", Out: "out"}[member.flow]:
            wrong.append(f"{name} is said to go {direction}")
        if not same(member, eval(shape, known)):
            wrong.append(f"{name} is said to have the shape {shape}")
    return wrong + [f"{name} does not exist" for name in stated if name not in members and not name.startswith("<")]


def machines(name: str) -> list[str]:
    """The kinds of tile for which a component is checked."""
    if name in ("AnalogMacro", "CellAccess", "LineDrivers"):
        return ["analog"]
    return ["array"] if name in ("ArrayMacro", "Crossbar") else ["rows"]


@pytest.mark.parametrize("name", CLASSES)
def test_every_port_is_documented(name):
    """With the shape it has in a real machine and the direction it has."""
    for tile in ["analog", "rows"] if name == "Machine" else machines(name):
        machine = load(PRESETS[tile]).machine
        wide = 2 * machine.row_tiles if tile == "rows" else 0  # W is then not P, and not C
        machine = machine.model_copy(update={"integral": True, "neuron_rows": wide})
        of = SPECIAL.get(name, CLASSES[name])(machine)
        members = dict(of.members if isinstance(of, wiring.Signature) else of.signature.members)
        wrong = complaints(of, members, machine)
        if tile == "rows":  # the pins of an analog macro are not there
            wrong = [w for w in wrong if not re.fullmatch(r"macro_\w+ does not exist", w)]
        assert members and not wrong, f"{name}: {'; '.join(wrong)}"


class Wrong(wiring.Component):
    """A component with a docstring of another one.

    Attributes
    ----------
    there : Signal(4), in
        It is.
    turned : Signal(1), in
        It goes out.
    wide, wider : Signal(8), out
        Only one of them is.
    write : GroupWrite(Shapes.sums), out
        They are errors.
    gone : Signal(1), out
        It was here.
    """

    def __init__(self, machine):
        super().__init__({"there": In(4), "turned": Out(1), "wide": Out(8), "wider": Out(signed(8)), "added": In(1),
                          "write": Out(GroupWrite(Shapes(machine).errors))})


def test_a_docstring_that_is_not_true_is_found():
    """Without it a check that reads nothing would pass."""
    machine = load("memory").machine
    of = Wrong(machine)
    assert complaints(of, dict(of.signature.members), machine) == [
        "turned is said to go in", "wider is said to have the shape (8)", "added is missing",
        "write is said to have the shape GroupWrite(Shapes.sums)", "gone does not exist"]


def test_a_port_needs_a_meaning():
    """A line with a name and a shape alone says nothing new."""
    with pytest.raises(AssertionError, match="there has no meaning"):
        entries(type("There", (), {"__doc__": "A.\n\n    Attributes\n    ----------\n    there : Signal(4), in\n    "}))


def test_all_are_found():
    """A component in a new file is checked too."""
    assert {"Machine", "Sequencer", "TileSignature", "HostPort"} <= set(CLASSES) and len(CLASSES) >= 20
