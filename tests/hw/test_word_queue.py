"""The queue of the row engine's words: nothing is lost or changed up to its depth, which it may reach."""

from collections import deque
from random import Random

import pytest
from amaranth.sim import Simulator

from hw.word_queue import WordQueue

BITS = 9


@pytest.mark.parametrize("depth", [1, 2, 5, 8])
def test_first_in_first_out_up_to_its_depth(depth):
    """Words and the bit beside them, against a deque, with times in which the queue fills and times in which it
    empties; a word is taken from the second cycle after it was put in, as its latency says."""
    queue, rng, waiting, most = WordQueue(BITS, depth), Random(depth), deque(), 0

    async def bench(ctx):
        nonlocal most
        for cycle in range(2000):
            fills = cycle // 50 % 2
            put = len(waiting) < depth and rng.random() < (0.9 if fills else 0.3)
            take = bool(waiting) and waiting[0][0] + 2 <= cycle and rng.random() < (0.1 if fills else 0.9)
            word, ends = rng.randrange(1 << BITS), rng.randrange(2)
            for port, value in ((queue.put, put), (queue.word, word), (queue.ends, ends), (queue.take, take)):
                ctx.set(port, value)
            assert ctx.get(queue.waiting) == bool(waiting)
            if take:
                assert (ctx.get(queue.head), ctx.get(queue.head_ends)) == waiting.popleft()[1:]
            if put:
                waiting.append((cycle, word, ends))
            most = max(most, len(waiting))
            await ctx.tick()

    simulator = Simulator(queue)
    simulator.add_clock(1e-8)
    simulator.add_testbench(bench)
    simulator.run()
    assert most == depth
