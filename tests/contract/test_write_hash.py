"""What the hash of writes must tell apart, from the arithmetic of its two constants."""

from random import Random

from hebbar.contract.write_hash import FACTOR, STEP

ALL = 1 << 32


def hashed(values):
    """The hash of a sequence, as a polynomial in FACTOR instead of step by step."""
    return sum((v + STEP) * pow(FACTOR, len(values) - i, ALL) for i, v in enumerate(values)) % ALL


def halvings(number):
    """How often 2 divides a number."""
    return (number & -number).bit_length() - 1


def test_another_value_is_told_whatever_follows():
    """Without it a wrong value that the right one is written over could go unseen: FACTOR**n must never lose a bit."""
    assert all(pow(FACTOR, n, ALL) % 2 for n in (1, 2, 1000, 1 << 20))
    rng = Random(1)
    for _ in range(200):
        values = [rng.randrange(-(1 << 15), 1 << 15) for _ in range(rng.randrange(1, 40))]
        at, bit = rng.randrange(len(values)), rng.randrange(17)
        changed = [v + ((i == at) << bit) for i, v in enumerate(values)]
        assert hashed(changed) != hashed(values)


def test_another_order_is_told():
    """Without it two writes could change places. 2 divides FACTOR**n - 1 at most 2 + log2 n times, so that a product
    with the difference of two codes of 16 bits is not zero for n below 2**15."""
    power = 1
    for n in range(1, 1 << 15):
        power = power * FACTOR % ALL
        assert halvings(power - 1) <= 1 + n.bit_length()
    values = [0, -(1 << 15), (1 << 15) - 1, 0]
    assert len({hashed(order) for order in ([*values], [values[i] for i in (1, 0, 2, 3)],
                                            [values[i] for i in (0, 2, 1, 3)])}) == 3


def test_another_number_of_writes_is_told():
    """Without it a write that is missing, or there twice, would have to change a value to be seen; zeros too."""
    assert max(halvings(v + STEP) for v in range(-(1 << 15), 1 << 15)) <= 16 and STEP % 2 and FACTOR % 8 == 5
    for value in (0, -1, 1, 0x5555, -(1 << 15), (1 << 15) - 1):
        found, seen = 0, {0}
        for _ in range(2000):
            found = (found + value + STEP) * FACTOR % ALL
            seen.add(found)
        assert len(seen) == 2001 and found == hashed([value] * 2000)
