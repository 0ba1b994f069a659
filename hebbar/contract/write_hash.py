"""The running hash of what is written to an element of a memory, by which a long run compares every write.

    h = 0 when a run begins; for every value v that is written: h = (h + v + STEP) FACTOR  modulo 2**32

v is a code in two's complement. An element wider than 32 bits is written as two values, its lower 32 bits and then the
rest. Each side computes it from its own writes: ``golden.written`` and ``golden.compiled.written`` from what a sweep
makes, ``sim/shell/writes.h`` from what a memory of the RTL holds behind a clock edge at which its port was enabled.

Why it tells two sequences of writes apart:

* Another value: FACTOR is odd, so that a difference d of one value is d FACTOR**n after n - 1 further writes, which is
  not zero while d is not. Certain, also where the right value is written over the wrong one.
* Another order: two values d apart that change places n writes from each other differ by d (FACTOR**n - 1) times an odd
  number. FACTOR is 5 modulo 8, so that 2 divides FACTOR**n - 1 at most 2 + log2 n times, and it is not zero modulo
  2**32 for values of b bits and n below 2**(31 - b). Certain for 16 bits and 32,768 writes.
* Another number of writes: how often a memory was written, element by element, is compared as well. Certain for one
  write too many or too few. In the hash it shows too: a write moves it unless h (FACTOR - 1) = -(v + STEP) FACTOR,
  which only a v + STEP that 4 divides can solve, not that of zero, and then for four of 2**32 hashes. For no code of
  16 bits does 2**17 divide v + STEP, so that a code written n times leaves another hash for every n below 2**16.
* Several differences in one element cancel by chance, once in 2**32.

A multiplication and two additions of 32 bits a lane are one instruction each for 8 or 16 lanes of a word.
"""

__all__ = ["FACTOR", "STEP"]

FACTOR = 0x9E3779B5
STEP = 0x7F4AAAAB
