"""The stages of the neuron unit."""

from enum import IntEnum

from hebbar.contract.timing import ERROR_LATENCY, NEURON_LATENCY

from .pipeline import check_latency

__all__ = ["Stage"]


class Stage(IntEnum):
    """Where a row is, a stage a cycle, and what is done with it there.

    ROW        sum, base, state, error and clamp are there: mu, x with INIT, e with ERR
    ERROR      e, or what POST and NEG make of it, is back at the tile; the base is written; feedback sum and f'(x)
               are read
    FEEDBACK   both are there: fb
    SLOPE      f'(x) * fb
    GAIN       (f'(x) * fb - e) * gain
    MOVE       x with STEP, e with DELTA
    WRITE      x and e are written, with FIRE x is 0 from here on; f(x) is read
    TABLE      f(x) is interpolated
    ACTIVITY   a is written
    """

    ROW = 0
    ERROR = 1
    FEEDBACK = 2
    SLOPE = 3
    GAIN = 4
    MOVE = 5
    WRITE = 6
    TABLE = 7
    ACTIVITY = 8


check_latency("NEURON_LATENCY", NEURON_LATENCY, len(Stage))
check_latency("ERROR_LATENCY", ERROR_LATENCY, Stage.ERROR - Stage.ROW)
