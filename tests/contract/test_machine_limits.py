"""Memories that nothing can name, and sums that no machine of 64 bits can add, are refused before any work."""

import pytest
from helpers import machine

from hebbar.contract.errors import BadInput
from hebbar.contract.memories import BLOCK, HEADER

PACKET = (1 << HEADER["beats"].width) - 1


def test_weights_that_one_packet_cannot_carry_are_refused():
    """17 bits take a beat each; 2^24 weights are a beat more than the header can count."""
    most = PACKET // (64 * 16)
    sizes = {"lanes": 64, "row_tiles": 16, "weight_bits": 17}
    machine(**sizes, weight_words=most)
    with pytest.raises(BadInput, match=rf"weight_words is {most + 1}, 16,777,216 beats .* give at most {most}\."):
        machine(**sizes, weight_words=most + 1)
    machine(**sizes | {"weight_bits": 16}, weight_words=most + 1)


def test_row_groups_that_no_descriptor_names_are_refused():
    most = (1 << BLOCK["group_base"].width) // 64
    machine(lanes=64, row_tiles=1, neuron_words=most)
    with pytest.raises(BadInput, match=rf"neuron_words is {2 * most}, which makes 32,768 row groups .* {most} or"):
        machine(lanes=64, row_tiles=1, neuron_words=2 * most)


@pytest.mark.parametrize("keys, name, most", [
    ({"state_frac": 0, "activity_frac": 15, "activity_bits": 15, "feedback_sum_bits": 48}, "feedback_sum_bits", 47),
    ({"state_frac": 12, "activity_frac": 0, "row_sum_bits": 51}, "row_sum_bits", 50)])
def test_sums_that_do_not_add_in_64_bits_are_refused(keys, name, most):
    """GATE adds a row sum and a feedback sum at the finer fraction of the two."""
    machine(**keys | {name: most})
    with pytest.raises(BadInput, match=rf"machine\.{name} is {most + 1}; .* it can be {most} at most"):
        machine(**keys)
