"""Dependences left out of the gaps, on the RTL.

Without it a dependence that nothing watches could be dropped from the gaps, and only hardware would show it.
"""

from types import SimpleNamespace

import pytest
from helpers import layered, random_samples

from golden.session import initial_image
from golden.trace import Job
from hebbar.compiler.gaps import gaps
from hebbar.compiler.program import compile_config
from hebbar.contract.isa import decode
from hebbar.verify.dropped import Dropped, dropped
from sim.backends import pysim
from sim.compare import described
from sim.writes import golden_writes


@pytest.fixture(scope="module")
def job():
    program = compile_config(layered([9, 7, 5], row_tiles=2, max_columns=8))
    return Job(program, "train", initial_image(program), random_samples(program, "train", 1, seed=1))


def test_one_is_told_by_the_scoreboard_and_by_wrong_writes(job, monkeypatch):
    """The run goes on to its last write. Dropped together those that are one but for the way into a loop change gaps
    that none of them changes alone."""
    runs, run = [], pysim.run

    def real_once(one, told):
        """The RTL for what is dropped before the others; those that are behind it have its answer."""
        runs.append((runs[0][0], []) if runs else (run(one, told=told), list(told)))
        return runs[-1][0]

    monkeypatch.setattr(pysim, "run", real_once)
    found = list(dropped(job))
    alone = [one for one in found if len(one.dependences) == 1]
    changed = next(one for one in alone if not one.same)
    dependence, board = changed.dependences[0], str(runs[0][1][0])
    older, newer = (described(job.program, decode(job.program.words[at]))
                    for at in (dependence.older, dependence.newer))
    assert changed.told and changed.overtakes and changed.wrong > 0 and not (changed.slack or changed.missed)
    assert f" {newer} reads " in board and f" {older} before it still has to write" in board and len(runs[0][1]) == 1
    assert len(runs) == len({tuple(gaps(job.program, one.dependences).items()) for one in found if not one.same})
    ways = [one for one in found if len(one.dependences) > 1 and not one.same]
    assert ways and all(one.same for one in alone if one.dependences[0] in ways[0].dependences)


def test_where_nothing_tells_them_they_are_missed(job, monkeypatch):
    """A simulation without a scoreboard whose writes are the golden machine's: what overtakes is missed, what the gaps
    need for another entry is slack."""
    monkeypatch.setattr(pysim, "run", lambda one, told: SimpleNamespace(writes=golden_writes(one)[0]))
    found = list(dropped(job))
    assert sum(one.missed for one in found) >= 4
    assert all(one.missed is one.overtakes and one.slack is not one.overtakes and not one.told for one in found)


@pytest.mark.parametrize("same, told, wrong, overtakes, slack, missed", [
    (True, False, 0, False, True, False), (False, False, 0, False, True, False),
    (False, True, 0, True, False, False), (False, False, 3, True, False, False),
    (False, False, 0, True, False, True), (False, False, 3, False, False, False)])
def test_what_nothing_tells_is_missed_where_something_is_overtaken(same, told, wrong, overtakes, slack, missed):
    one = Dropped((), same, told, wrong, overtakes)
    assert (one.slack, one.missed) == (slack, missed)
