"""The machine at work: transitions of every net by block and by what drives it, and their energy."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from golden.trace import Job
from hebbar.contract.console import Reporter
from hebbar.contract.counters import CYCLES
from hebbar.contract.errors import InternalError
from hebbar.contract.files import BUILD, temporary_folder
from sim.backends import golden
from sim.backends.fast import Session
from sim.shell.library import prepare

from ..asic import LEAST_WORDS
from ..design import of_machine
from .cells import ARITHMETIC, READ, Cells
from .nets import Driver, Module, instances, modules_of
from .saif import Counts, read_saif

__all__ = ["KINDS", "Counted", "counted"]

KINDS = ("flip-flops and clock", "arithmetic", "other gates")
"""What takes the energy: stored bits, adders and multipliers, all that chooses, compares and controls."""

Net = tuple[str, str, tuple[tuple[str, int], ...]]
"""A block of the machine, the type of a driver, and the widths of its operands."""


@dataclass(frozen=True)
class Counted:
    """A run: transitions by block and driver, bits of flip-flops by block, cycles in which the program ran."""

    transitions: dict[Net, int]
    bits: dict[str, int]
    cycles: int

    def joule(self, cells: Cells) -> dict[tuple[str, str], float]:
        """Joules of the run by block and kind."""
        found: defaultdict[tuple[str, str], float] = defaultdict(float)
        for block, bits in self.bits.items():
            found[block, KINDS[0]] += bits * self.cycles * cells.clock
        for (block, kind, widths), count in self.transitions.items():
            if kind == "$dff":
                found[block, KINDS[0]] += count * cells.stored
            else:
                found[block, KINDS[1 if kind in ARITHMETIC else 2]] += count * cells.joule(kind, dict(widths))
        return dict(found)


def counted(job: Job, reporter: Reporter, build: Path = BUILD) -> Counted:
    """Run a job behind the fast shell on a model that counts, from START on; memories of ``LEAST_WORDS`` words or more
    are left out, smaller ones are flip-flops. Raises MissingTool without Verilator."""
    library = prepare(job.program, build, not reporter.console.quiet, toggles=True)
    design = of_machine(job.program.machine)
    with reporter.task("counting transitions of every net", job.count) as task:
        before, after = _run(job, library, task.advance)
    counters = golden.run(job).counters
    modules = modules_of(design.rtlil)
    transitions: Counter[Net] = Counter()
    bits: Counter[str] = Counter()
    for path, module in instances(modules, design.top):
        block = path[1].partition("$")[0] if len(path) > 1 else "top"
        for driver, count in _transitions(path, module, before, after):
            transitions[block, driver.kind, tuple(driver.widths.items())] += count
            bits[block] += driver.count if driver.kind == "$dff" else 0
    return Counted(dict(transitions), dict(bits), sum(counters[name] for name in CYCLES))


def _run(job: Job, library: Path, progress: Callable[[int], None]) -> tuple[Counts, Counts]:
    """The counts of a file that ends with the state before the run, and of one over the run."""
    session = Session(job.program, library)
    with temporary_folder("toggles-") as folder:
        try:
            session.load(job.weights)
            files = [folder / "before.saif", folder / "after.saif"]
            for file in files:
                session.host.count_toggles(file)
            session.run(job, progress)
            session.host.count_toggles(None)
        finally:
            session.close()
        return read_saif(files[0]), read_saif(files[1])


def _transitions(path: tuple[str, ...], module: Module, before: Counts, after: Counts) -> Iterator[tuple[Driver, int]]:
    """Every driver of an instance with the transitions of its bits. A net that nothing reads is in no Verilog; of a
    memory that is made of flip-flops every word is a register."""
    first, last = before.get(path, {}), after.get(path, {})
    words = [Driver("$dff", ((f"{memory.name}[{i}]", 0, memory.bits),), {}) for memory in module.memories
             if memory.words < LEAST_WORDS for i in range(memory.words)]
    for driver in [*module.drivers, *words]:
        if driver.kind == READ and not words:  # the macro's own
            continue
        count = 0
        for name, low, high in driver.bits:
            if name not in last:
                if driver.kind == "$dff":
                    raise InternalError(f"Verilator counted no transitions of the register {'.'.join(path)}.{name}.")
                continue
            count += sum(last[name].get(bit, 0) - first[name].get(bit, 0) for bit in range(low, high))
        yield driver, count
