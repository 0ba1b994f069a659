"""The scoreboard: silent on programs that drain, loud where one sweep overtakes another.

Without it a WAIT that is missing would show as a wrong bit far away, or not at all where rounding hides it.
"""

from contextlib import nullcontext
from dataclasses import replace
from itertools import islice

import pytest
from helpers import layered, random_samples

from golden.session import initial_image
from golden.trace import Job
from hebbar.compiler.layout import Layout
from hebbar.compiler.program import assemble, compile_config
from hebbar.compiler.schedule import LoopOp, WaitOp
from hebbar.contract.errors import Mismatch
from hebbar.contract.isa import Op, Sweep, decode, encode
from hebbar.verify.random_programs import random_cases
from sim.backends import golden, pysim
from sim.compare import compare
from sim.scoreboard import Scoreboard


def without(ops, number):
    """The schedule without its WAIT of a number, loops inside counted on; and how many there are."""
    kept, at = [], 0
    for op in ops:
        if isinstance(op, LoopOp):
            body, inside = without(op.body, number - at)
            op, at = replace(op, body=body), at + inside
        elif isinstance(op, WaitOp):
            at += 1
            if at == number + 1:
                continue
        kept.append(op)
    return tuple(kept), at


def job_of(program):
    return Job(program, "train", initial_image(program), random_samples(program, "train", 1, seed=1))


def test_a_wait_that_is_missing_is_told():
    """Each in turn. A loop begins and ends drained, which needs not be; where nothing is told, no bit differs."""
    config = layered([5, 4, 3], rule={"name": "ipc", "steps": 2}, row_tiles=2, max_columns=8)
    program = compile_config(config)
    job, layout, told = job_of(program), Layout(config.build_network(), config.machine), []
    for number in range(without(program.schedules["train"], -1)[1]):
        changed = assemble(config, {"train": without(program.schedules["train"], number)[0]}, layout)
        try:
            got = pysim.run(replace(job, program=changed, steps=False))
        except Mismatch as error:
            assert "before it still has to" in str(error)
            told.append(number)
        else:
            assert (got.final == golden.run(job).final).all(), number
    assert len(told) >= 3


@pytest.mark.parametrize("machine", ["rows 2 x 4", "array 2 x 4"])
def test_programs_that_drain_are_never_told(machine):
    """Random ones, all of whose WAITs are needed or are there for nothing."""
    for case in islice(random_cases(machine, seed=5), 1):
        assert compare(case.job.program, golden.run(case.job), pysim.run(case.job)).words["pc"] > 0


@pytest.mark.parametrize("first, second, told, due", [
    (Sweep.ERR, Sweep.STEP, "STEP reads word 2 of error, which address 0 SWEEP x1 ERR before it still has to write",
     8 - 3),
    (Sweep.STEP, Sweep.ERR, "reads word 2 of state", 10 - 0),
    (Sweep.HOIST, Sweep.BASE | Sweep.ERR, "reads word 2 of base", 1 + 2)])
def test_to_the_cycle(first, second, told, due):
    """A sweep is told when it is taken ``due`` cycles after the first word of the one before, and not a cycle later."""
    program = compile_config(layered([4, 2], row_tiles=2))
    block = next(decode(w).fields["block"] for w in program.words if decode(w).op is Op.SWEEP)
    words = tuple(encode(Op.SWEEP, block=block, flags=int(f)) for f in (first, second))
    for gap, expected in ((due, told), (due + 1, None)):
        board = Scoreboard(replace(program, words=words), ())
        with pytest.raises(Mismatch, match=expected) if expected else nullcontext():
            for cycle in range(100):
                board.cycle({0: 0, gap: 1}.get(cycle), {}, False)
