"""Every learning system chained and pipelined on the one export: it ends with the bits of the drained program."""

from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from golden.trace import Trace
from hebbar.contract.console import Reporter
from hebbar.contract.files import BUILD
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


def ends(trace: Trace) -> dict[str, Any]:
    """What a run leaves: weights, the memories at its HALT, outputs."""
    return {"weights": trace.final, "state": trace.state[-1:], "error": trace.error[-1:],
            "activity": trace.activity[-1:], **{f"output {name}": values for name, values in trace.outputs.items()}}


def chained(system: str, entry: str, samples: int, library: Path) -> Chained:
    """One entry of a system with random samples: the chained and the pipelined program on the RTL against the golden
    machine wherever nothing is in flight; their ends, and that of the drained program on the RTL, against the drained
    golden machine's."""
    job = random_job(program_of(SYSTEMS[system], "drained"), entry, samples)
    wanted, traces = ends(golden.run(job)), [fast.run(job, library)]
    final, words, wrong = sum(int(np.size(values)) for values in wanted.values()), 0, 0
    for schedule in ("chained", "pipelined"):
        other = replace(job, program=program_of(SYSTEMS[system], schedule))
        traces.append(fast.run(other, library))
        found = compare(other.program, golden.run(other), traces[-1])
        words, wrong = words + found.total_words, wrong + found.total_mismatches
    for trace in traces:
        here = ends(trace)
        wrong += sum(differences(values, here[name])[0] for name, values in wanted.items())
    return Chained(words + len(traces) * final, wrong, final)


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
