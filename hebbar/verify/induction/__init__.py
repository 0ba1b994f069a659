"""That no dispatch violates a dependence, proved on the RTL for every pattern of stalls.

``dispatch``   sequencer and walk with a program: no sweep is taken sooner behind an older one than the table asks for
``accesses``   the units that a sweep goes through: each reaches its memories when the table says, and nothing is in
               flight where it says that it is idle
``distances``  what a program on paper keeps, and what its sweeps need
``cases``      programs for it, one of them a cycle too fast
"""
