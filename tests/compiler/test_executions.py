"""How often instructions of a program run, counted without following it, against the program followed step by step.

Energies, accesses and counts of work are sums over these numbers; without it a loop that is left in its middle would be
counted wrong and nobody would see.
"""

from collections import Counter
from random import Random
from types import SimpleNamespace

import pytest

from hebbar.compiler.control_flow import executed
from hebbar.compiler.executions import executions, most_executions
from hebbar.contract.isa import LOOP_DEPTH, LOOP_REGISTERS, Op, decode, encode

SWEEP = encode(Op.SWEEP, flags=1)


def structured(rng, words, depth=0):
    """Append sweeps, loops of no round, of a few and of many, and BREAKs of every kind at any place in a body; some
    lead past what stands behind their loop."""
    for _ in range(rng.randint(1, 5)):
        kind = rng.choice(["sweep", "loop", "loop", "break", "break"])
        if kind == "break" and depth:
            words.append((encode(Op.BREAK, always=rng.random() < 0.1, counts=rng.random() < 0.6), depth))
        elif kind == "loop" and depth < LOOP_DEPTH:
            at = len(words)
            words.append(0)
            structured(rng, words, depth + 1)
            words.append(encode(Op.NEXT))
            end = len(words)
            count, register = rng.choice([0, 1, 2, 3, 4, 5, 9]), rng.choice([0, 0, 1])
            words[at] = encode(Op.LOOP, end=end, count=count, register=register)
            words += [SWEEP] * 3
            words[at:] = [encode(Op.BREAK, **decode(w[0]).fields | {"end": end + rng.randrange(4)})
                          if isinstance(w, tuple) and w[1] == depth + 1 else w for w in words[at:]]
        else:
            words.append(SWEEP)


def counted(words, start, samples):
    """Executions by address, followed."""
    code = [decode(word) for word in words]
    return Counter(at for at, _ in executed(code, start, (samples, *[0] * (LOOP_REGISTERS - 1)), ()))


@pytest.mark.parametrize("seed", range(4))
def test_random_loops_are_counted_as_they_run(seed):
    """Several BREAKs in a loop, counting or not, leaving for one place or for several; the entry stands anywhere."""
    rng, several = Random(seed), 0
    for _ in range(150):
        words = [encode(Op.HALT)] * rng.randrange(3)
        start = len(words)
        structured(rng, words)
        words.append(encode(Op.HALT))
        program = SimpleNamespace(words=tuple(words), entries={"train": start})
        for samples in (0, 1, 2, 3, 8):
            want = counted(words, start, samples)
            found = [times for _, times in executions(program, "train", samples)]
            assert found == [want[at] for at in range(start, len(words))]
            several += sum(decode(word).fields.get("counts", 0) and want[at] > 1 for at, word in enumerate(words))
        once = counted(words, start, 1)
        assert [(at, times) for at, _, times in most_executions(program, "train")] == [
            (at, once[at]) for at in range(start, len(words))]
    assert several > 100


def test_two_turns_of_a_loop_take_a_round_each():
    """In closed form: a BREAK that counts and a NEXT end a round each, the former first; the last round is cut off."""
    words = (encode(Op.LOOP, end=6, register=1), encode(Op.BREAK, end=6, counts=1), SWEEP, encode(Op.BREAK, end=7),
             SWEEP, encode(Op.NEXT), SWEEP, encode(Op.HALT))
    program = SimpleNamespace(words=words, entries={"train": 0})
    for samples in range(1, 100_002, 7):
        turns = [times for _, times in executions(program, "train", samples)]
        first, second = samples // 2, (samples - 1) // 2
        assert turns == [1, second + 1, first, first, second, second, samples % 2, 1]
