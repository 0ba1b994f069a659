"""Golden against RTL by hashes of the sequence of writes, and by the writes themselves where the hashes differ."""

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from golden.trace import Hashes, Job, Trace, Writes
from hebbar.compiler.program import Program
from hebbar.contract.memories import Mem

from .compare import Comparison, Difference, compare
from .writes import compare_writes, element

__all__ = ["compare_hashes", "compared"]


def compare_hashes(program: Program, golden: Hashes, rtl: Hashes) -> Comparison:
    """The hashes of all memories that the RTL tells: words are writes, mismatches elements that were written
    otherwise, at least 1 where a memory was not written as often. The first difference names an element, but no
    write."""
    words: dict[str, int] = {}
    wrong: dict[str, int] = {}
    firsts: list[Difference] = []

    def differs(signal: str, mine: int | str, theirs: int | str) -> None:
        firsts.append(Difference(-1, "in the run", signal, mine, theirs))

    for resource, hashes in rtl.elements.items():
        unequal, often = golden.elements[resource] != hashes, (golden.counts[resource], rtl.counts[resource])
        words[f"writes of {resource}"] = often[0]
        wrong[f"writes of {resource}"] = int(np.count_nonzero(unequal)) or int(often[0] != often[1])
        if unequal.any():
            place = int(unequal.argmax())
            differs(f"the hash of the writes of {element(program, resource, place)}",
                    int(golden.elements[resource][place]), int(hashes[place]))
        elif often[0] != often[1]:
            differs(f"the number of writes of {resource}", *often)
    words["decisions"], wrong["decisions"] = len(golden.decisions), int(golden.decisions != rtl.decisions)
    if wrong["decisions"]:
        differs("the list of the decisions of EXITs", str(golden.decisions), str(rtl.decisions))
    return Comparison(words, wrong, firsts[0] if firsts else None)


def compared(job: Job, golden: Trace, rtl: Trace, again: Callable[[], Writes],
             rows: Mapping[Mem, NDArray[np.int64]] = {}) -> Comparison:
    """Both traces of a job, with their hashes where the RTL has them. Where hashes differ, ``again`` runs the job once
    more, from its weights and from ``rows``, and tells every write: the first that differs is then the first
    difference of all."""
    result = compare(job.program, golden, rtl)
    if rtl.hashes is None:
        return result
    assert golden.hashes is not None, "the job asks both for them"
    hashes = compare_hashes(job.program, golden.hashes, rtl.hashes)
    first = (compare_writes(job, again(), rows).first or hashes.first) if hashes.first else result.first
    return Comparison({**result.words, **hashes.words}, {**result.mismatches, **hashes.mismatches}, first)
