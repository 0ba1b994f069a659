"""Every learning system chained and pipelined on the one export: it ends with the bits of the drained program."""

from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from golden.trace import Job, Trace
from hebbar.compiler.executions import most_executions
from hebbar.contract.console import Reporter
from hebbar.contract.files import BUILD
from hebbar.contract.isa import Op
from hebbar.contract.memories import Mem
from hebbar.contract.results import Figure
from hw.verilog import export
from sim.backends import fast, golden
from sim.compare import compare, differences

from ..replays import FLAGSHIP, SYSTEMS, of_all, program_of, random_job

__all__ = ["Chained", "chained", "ends", "measure"]


@dataclass(frozen=True)
class Chained:
    """One entry of a system, chained and pipelined on the RTL: ``words`` compared with the golden machine and with how
    the drained program ends, and ``mismatches`` among them; what it leaves, as ``ends`` says, is ``final`` words of
    these."""

    words: int
    mismatches: int
    final: int


def ends(trace: Trace, job: Job) -> dict[str, Any]:
    """What a run leaves: weights, the memories at its HALT, outputs. An input with a second place, where its samples
    take turns, is looked for in the place of the last one; without one samples stay in the first."""
    program, lanes = job.program, job.program.machine.lanes
    moved = {code.fields["address"] for _, code, _ in most_executions(program, job.entry)
             if code.op is Op.IN and code.fields["memory"] == Mem.ACTIVITY}
    found = {"weights": trace.final, "state": trace.state[-1:], "error": trace.error[-1:],
             **{f"output {name}": values for name, values in trace.outputs.items()}}
    for name, place in program.layout.places.items():
        second = program.second.get(name)
        first = (second if second in moved and job.count % 2 == 0 else place.word) * lanes
        found[f"activity {name}"] = trace.activity[-1, first:first + place.population.size]
    return found


def chained(system: str, entry: str, samples: int, library: Path) -> Chained:
    """One entry of a system with random samples: the chained and the pipelined program on the RTL against the golden
    machine wherever nothing is in flight; their ends, and that of the drained program on the RTL, against the drained
    golden machine's."""
    job = random_job(program_of(SYSTEMS[system], "drained"), entry, samples)
    wanted, left = ends(golden.run(job), job), [ends(fast.run(job, library), job)]
    final, words, wrong = sum(int(np.size(values)) for values in wanted.values()), 0, 0
    for schedule in ("chained", "pipelined"):
        other = replace(job, program=program_of(SYSTEMS[system], schedule))
        trace = fast.run(other, library)
        left.append(ends(trace, other))
        found = compare(other.program, golden.run(other), trace)
        words, wrong = words + found.total_words, wrong + found.total_mismatches
    wrong += sum(differences(values, here[name])[0] for here in left for name, values in wanted.items())
    return Chained(words + len(left) * final, wrong, final)


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """All systems and all their entries; one library, built from one export. ``folder`` is unused."""
    program = program_of(FLAGSHIP, "chained")
    digest = sha256(export(program.machine).encode()).hexdigest()
    library = fast.prepare(program, BUILD, announce=True)
    found = of_all("systems chained and pipelined on one export",
                   lambda s, e: chained(s, e, 2 if quick else 10, library), reporter)
    words, wrong, final = (sum(getattr(one, name) for one in found) for name in ("words", "mismatches", "final"))
    return [Figure(f"final bits pipelined = chained = drained = golden: {len(SYSTEMS)} systems, {len(found)} programs "
                   f"on one export ({digest[:16]}; {final:,} final words, {words:,} compared in all)", wrong, "0",
                   "words", wrong == 0)]
