"""No dispatch violates a dependence: proved on the RTL, and not where a gap is a cycle short."""

from pathlib import Path

from hebbar.compiler.config import load
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.results import Figure
from hebbar.verify.induction import accesses, cases
from hebbar.verify.induction.dispatch import CYCLES, DISPATCH, Dispatch
from hebbar.verify.induction.proof import prove, search

__all__ = ["measure"]

TOO_SHORT = 2
"""A gap of ``cases.pair`` that is a cycle short."""


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """The dispatches of the small machine and of tiny, quickly of the first alone; the units of the small machine; and
    the control. ``folder`` keeps what Yosys reads and says."""
    programs = {"small": compile_config(cases.small())}
    if not quick:
        programs["tiny"] = compile_config(load("tiny").replace(rule={"schedule": "chained"}))
    return [_dispatches(programs, folder, reporter), _units(programs["small"], folder, reporter),
            *_controls(programs["small"], folder, quick, reporter),
            Figure("words of TRN and UPD leave their queue as the table says, by k-induction", "not built: simulation "
                   "alone holds the queues of the row engine", "proved", "", None)]


def _verdict(proved: bool) -> str:
    return "proved" if proved else "not proved"


def _tell(lines: list[str], reporter: Reporter) -> None:
    for line in lines:
        reporter.say(f"  {line}")


def _dispatches(programs: dict[str, Program], folder: Path, reporter: Reporter) -> Figure:
    proved, pairs = True, 0
    for name, program in programs.items():
        reporter.say(f"every dispatch of {name}, whatever stalls ...")
        harness = Dispatch(program)
        found = prove(harness, CYCLES, folder / name, reporter)
        proved, pairs = proved and found.proved, pairs + sum(map(len, harness.needs.values()))
    return Figure(f"{DISPATCH} of the timing table, by k-induction ({' and '.join(programs)}, any stall pattern, "
                  f"{pairs} pairs of sweeps, k = {CYCLES})", _verdict(proved), "proved", "", proved)


def _units(program: Program, folder: Path, reporter: Reporter) -> Figure:
    failed, claims = 0, 0
    for unit, cycles in accesses.UNITS.items():
        reporter.say(f"accesses of {unit.__name__.lower()}, whatever sweeps come ...")
        harness = unit(program.machine)
        failed += not prove(harness, cycles, folder / unit.__name__.lower(), reporter).proved
        claims += len(harness.claims)
    return Figure(f"words, sums and row groups of any sweep reach memories when the table says, by k-induction on "
                  f"{len(accesses.UNITS)} units of small ({claims} claims)", _verdict(not failed), "proved", "",
                  not failed)


def _controls(program: Program, folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """Gaps a cycle short, all of them or quickly one; and the path from reset of two sweeps."""
    addresses = list(cases.gaps_of(program))[:1 if quick else None]
    kept = 0
    for address in addresses:
        harness = Dispatch(cases.shorter(program, address))
        reporter.say(f"the gap at address {address} a cycle short ...")
        found = prove(harness, CYCLES, folder / f"short_{address}", reporter)
        _tell(cases.story(harness, found), reporter)
        kept += DISPATCH not in found.claims
    reporter.say("two sweeps a cycle too near, from reset ...")
    harness = Dispatch(cases.pair(TOO_SHORT))
    cycles = cases.earliest(harness)
    path = search(harness, cycles, folder / "pair", reporter)
    _tell(cases.story(harness, path) if path else [], reporter)
    return [Figure(f"gaps of small a cycle short that break that proof at no dispatch ({len(addresses)} gaps)", kept,
                   "0", "gaps", kept == 0),
            Figure("cycles of a path from reset to the dispatch that violates a dependence, a gap a cycle short",
                   cycles if path else "none found", "there is one", "cycles", path is not None)]
