"""The Verilog is the design: Amaranth's netlist (RTLIL) against the exported text, proven by Yosys.

Both are read by Yosys and compared module by module. Nets of one name must carry one function of
the module's inputs, registers and boxes: Yosys puts a ``$equiv`` cell on every bit of every such net,
port and box input and proves each by SAT (``equiv_simple``) or one step of induction
(``equiv_induct``). A box is an instance of another module (proven on its own) or a memory, whose
ports, size, first contents and kinds of ports must agree and whose inside is Yosys' own on both
sides; one that nothing writes is logic and proven with the rest. First values of registers are compared by name and
bit.

Not proven: that Yosys reads Verilog as other tools do (Verilator and Icarus run the same tests for
that), nor that Amaranth elaborates what its author meant (the golden model is there for that).
"""

import json
import re
import time
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from pathlib import Path
from typing import Any

from hebbar.contract.console import Reporter, Task
from hebbar.contract.errors import BadInput, HebbarError, Mismatch, MissingTool, TimedOut
from hebbar.contract.files import output_folder, write_text
from hebbar.contract.machine import MachineConfig
from hebbar.contract.record import Check
from sim.yosys import require_yosys, run

__all__ = ["CHANGED", "ModuleProof", "Proof", "planted", "prove"]

CHANGED = "hebbar.tile"
"""The module of the negative control."""

# The Verilog writer names registers _N_; hidden, they give way to the names that both sides have. A read port with an
# enable is a register with a multiplexer in Verilog: memory_dff takes it into the memory once that is an enable, and
# the multiplexer, which reads the memory too, is gone.
_PREPARE = """\
hierarchy -check -top hebbar
proc -norom
write_json {side}.json
rename -hide w:_?_ w:_??_
opt_clean
opt_dff -simple-dffe -nosdff
opt_clean
memory_dff
dffunmap
memory_share
memory_collect
memory_map t:$mem_v2 r:WR_PORTS=0 %i
wreduce t:$mul t:$add t:$sub t:$lt t:$le t:$gt t:$ge
opt_clean
techmap -map memory_box.v {option} t:$mem_v2
select -assert-none t:$mem_v2
opt_clean
simplemap t:$mux t:$or t:$and t:$not t:$xor t:$dff
opt_expr t:$_MUX_ t:$_OR_ t:$_AND_ t:$_NOT_
opt_clean
design -save {side}
"""
_START = ("read_rtlil gold.il\n" + _PREPARE.format(side="gold", option="")
          + "blackbox *\nread_verilog -lib memory_stub.v\ndesign -save boxes\n")
_GATE = "design -reset\nread_verilog {side}.v\n" + _PREPARE.replace("{option}", "-D REVERSED")
_MODULE = """\
design -load boxes
design -copy-from gold -as gold_{n} {name}
design -copy-from {side} -as gate_{n} {name}
equiv_make gold_{n} gate_{n} equiv_{n}
select equiv_{n}
equiv_simple -ignore-unknown-cells
equiv_induct -ignore-unknown-cells
equiv_status equiv_{n}
select -clear
"""
_STATUS = re.compile(r"Of those cells (\d+) are proven and (\d+) are unproven")
_UNPROVEN = re.compile(r"Unproven \$equiv \S+: (\S+)")
_SHOWN = 8


@dataclass(frozen=True)
class ModuleProof:
    """One module: equivalence cells in all and those proven; some of the nets that are not."""

    name: str
    total: int
    proven: int
    unproven: tuple[str, ...]


@dataclass(frozen=True)
class Proof:
    """All modules, the registers whose first values were compared, and the seconds it took.

    ``control`` is the negative control, a module of the Verilog with one operator changed.
    """

    modules: tuple[ModuleProof, ...]
    control: ModuleProof
    registers: int
    seconds: float

    @property
    def total(self) -> int:
        return sum(m.total for m in self.modules)

    @property
    def proven(self) -> int:
        return sum(m.proven for m in self.modules)

    @property
    def complete(self) -> bool:
        """Whether there was something to prove, nothing is left, and the changed module was not proven."""
        return self.proven == self.total > 0 and self.control.proven < self.control.total

    def record(self) -> dict[str, Any]:
        return asdict(self) | {"total": self.total, "proven": self.proven, "complete": self.complete}

    def verdicts(self) -> list[Check]:
        """One check a module and one for the control."""
        checks = [Check(f"{m.name} is proven", m.proven == m.total > 0,
                        f"{m.total - m.proven} of {m.total} bits of module {m.name} are not proven equal in RTLIL and "
                        f"Verilog, among them {', '.join(m.unproven)}; the Verilog was changed after its export, or "
                        "its writer has an error." if m.proven < m.total else "") for m in self.modules]
        seen = self.control.proven < self.control.total
        return [*checks, Check("a changed operator is found", seen, "" if seen else
                               f"module {self.control.name} was proven equal with an addition turned into a "
                               "subtraction: the proof does not see what it should.")]


def prove(machine: MachineConfig, folder: Path, reporter: Reporter, verilog: str | None = None,
          only: tuple[str, ...] = (), timeout_s: float = 1800.0) -> Proof:
    """Prove that ``verilog`` (None: a fresh export) is the design of ``machine``, and a changed one is not.

    ``only`` restricts the proof to modules of these names. ``folder`` takes both sides, script and
    log. Returns what was proven, also when that is not everything. Raises Mismatch where modules,
    ports or first values differ so that there is nothing to prove.
    """
    require_yosys()
    start, names = time.monotonic(), _inputs(machine, output_folder(folder), verilog, only)
    with reporter.task("proving RTLIL = Verilog", len(names) + 1) as task:
        proofs = _Proofs([*names, CHANGED], task)
        try:
            run(_script(names), folder, reporter, proofs.listen, timeout_s)
        except (MissingTool, TimedOut):
            raise
        except HebbarError as error:
            if all((folder / f"{side}.json").exists() for side in ("gold", "gate")):
                _first_values(folder)  # different ones stop Yosys too, with other words
            raise _explained(error, names, len(proofs.done)) from None
    *modules, control = proofs.done
    return Proof(tuple(modules), control, _first_values(folder), time.monotonic() - start)


def _script(names: list[str]) -> str:
    """Both sides prepared, every module compared, then the changed one."""
    parts = [_START, _GATE.format(side="gate")]
    parts += [_MODULE.format(n=n, name=name, side="gate") for n, name in enumerate(names)]
    return "".join([*parts, _GATE.format(side="changed"), _MODULE.format(n=len(names), name=CHANGED, side="changed")])


class _Proofs:
    """The modules proven so far, from what Yosys says of them."""

    def __init__(self, names: list[str], task: Task) -> None:
        self.done: list[ModuleProof] = []
        self._names, self._task, self._unproven = names, task, dict[str, None]()

    def listen(self, line: str) -> None:
        """The counts come first, then the unproven cells, then their number."""
        if found := _STATUS.search(line):
            proven, left = int(found[1]), int(found[2])
            self.done.append(ModuleProof(self._names[len(self.done)], proven + left, proven, ()))
            self._task.advance(len(self.done), self.done[-1].name)
            self._unproven.clear()
        elif found := _UNPROVEN.search(line):
            self._unproven[found[1].lstrip("\\").removesuffix("_gold")] = None
        elif self.done and line.startswith("Found a total of"):
            self.done[-1] = replace(self.done[-1], unproven=tuple(self._unproven)[:_SHOWN])


def _inputs(machine: MachineConfig, folder: Path, verilog: str | None, only: tuple[str, ...]) -> list[str]:
    """Write both sides and the boxes; returns the modules to compare."""
    from amaranth.back import rtlil

    from hw.machine import Machine
    from hw.verilog import TOP, export

    text = rtlil.convert(Machine(machine), name=TOP)
    # The Verilog writer makes public names of Amaranth's private ones; so they match.
    write_text(folder / "gold.il", re.sub(r"(?<=[ \t])\$(?=\d)", r"\\$", text))
    gate = verilog or export(machine)
    write_text(folder / "gate.v", gate)
    write_text(folder / "changed.v", planted(gate, CHANGED))
    for name in ("memory_box.v", "memory_stub.v"):
        write_text(folder / name, files("sim").joinpath("templates", name).read_text())
    return _names(text, only)


def _names(rtlil: str, only: tuple[str, ...]) -> list[str]:
    names = re.findall(r"^module \\(\S+)", rtlil, flags=re.MULTILINE)
    if unknown := set(only) - set(names):
        raise BadInput(f"there is no module {min(unknown)}; the design has {', '.join(names)}.")
    return [name for name in names if name in only] if only else names


def _explained(error: HebbarError, names: list[str], done: int) -> HebbarError:
    """Yosys stops where ports or modules do not match: then the two are not equal."""
    words = str(error)
    if any(sign in words for sign in ("Can't match", "Can't find", "not part of the design", "is not a cell")):
        where = names[done] if done < len(names) else "the design"
        return Mismatch(f"RTLIL and Verilog differ in the modules or the ports of {where}: {words}")
    return error


def _first_values(folder: Path) -> int:
    """Compare the first values of all registers by module, name and bit; returns how many registers have one."""
    gold, gate = (_initial(folder / f"{side}.json") for side in ("gold", "gate"))
    for place in sorted(gold.keys() | gate.keys()):
        if gold.get(place) != gate.get(place):
            raise Mismatch(f"register {place[1].lstrip(chr(92))} of module {place[0]} starts as {gold.get(place)} in "
                           f"the design and as {gate.get(place)} in the Verilog.")
    return len(gold)


def _initial(path: Path) -> dict[tuple[str, str], str]:
    """The first value of every net that has one."""
    modules = json.loads(path.read_text())["modules"]
    return {(name, net): value["attributes"]["init"] for name, module in modules.items()
            for net, value in module["netnames"].items()
            if "init" in value["attributes"] and "at_start" not in net}


def planted(verilog: str, module: str) -> str:
    """The Verilog with one operator of ``module`` changed: its first addition subtracts."""
    head, mark, rest = verilog.partition(f"module \\{module} (")
    body, end, tail = rest.partition("endmodule")
    changed = re.sub(r"(assign [^;]*) \+ ", r"\1 - ", body, count=1)
    if not mark or changed == body:
        raise BadInput(f"module {module} has no addition to change, or is not in the Verilog.")
    return head + mark + changed + end + tail
