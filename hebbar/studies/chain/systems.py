"""Every learning system chained on the one export: the bits that it ends with are the drained program's."""

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
    """One entry of a system, chained on the RTL: ``words`` compared with the golden machine and with how the drained
    program ends, and ``mismatches`` among them; what it leaves, as ``ends`` says, is ``final`` words of these."""

    words: int
    mismatches: int
    final: int


def ends(trace: Trace) -> dict[str, Any]:
    """What a run leaves: weights, the memories at its HALT, outputs."""
    return {"weights": trace.final, "state": trace.state[-1:], "error": trace.error[-1:],
            "activity": trace.activity[-1:], **{f"output {name}": values for name, values in trace.outputs.items()}}


def chained(system: str, entry: str, samples: int, library: Path) -> Chained:
    """One entry of a system with random samples: the chained program on the RTL against the golden machine wherever
    nothing is in flight; its end, and that of the drained program on the RTL, against the drained golden machine's."""
    plain, program = (program_of(SYSTEMS[system], schedule) for schedule in ("drained", "chained"))
    job = random_job(plain, entry, samples)
    other = replace(job, program=program)
    got, wanted = fast.run(other, library), ends(golden.run(job))
    found = compare(program, golden.run(other), got)
    wrong, final = found.total_mismatches, sum(int(np.size(values)) for values in wanted.values())
    for trace in (got, fast.run(job, library)):
        here = ends(trace)
        wrong += sum(differences(values, here[name])[0] for name, values in wanted.items())
    return Chained(found.total_words + 2 * final, wrong, final)


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """All systems and all their entries; one library, built from one export. ``folder`` is unused."""
    program = program_of(FLAGSHIP, "chained")
    digest = sha256(export(program.machine).encode()).hexdigest()
    library = fast.prepare(program, BUILD, announce=True)
    found = of_all("systems chained on one export", lambda s, e: chained(s, e, 2 if quick else 10, library), reporter)
    words, wrong, final = (sum(getattr(one, name) for one in found) for name in ("words", "mismatches", "final"))
    return [Figure(f"final bits chained = drained = golden: {len(SYSTEMS)} systems, {len(found)} programs on one "
                   f"export ({digest[:16]}; {final:,} final words, {words:,} compared in all)", wrong, "0", "words",
                   wrong == 0)]
