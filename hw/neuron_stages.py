"""The stages of the neuron unit."""

from enum import IntEnum

from hebbar.contract.effects import Access, Resource
from hebbar.contract.timing import ERROR_LATENCY, NEURON_LATENCY, ROW_ACCESSES, TABLE_LATENCY

from .pipeline import check_latency

__all__ = ["Stage"]


class Stage(IntEnum):
    """Where a row is, a stage a cycle, and what is done with it there.

    ROW        sum and base are there and added; state and clamp are read
    PREDICT    mu; the base is written
    COMPARE    x with INIT, x - mu; f'(x), the activity before ACT and the feedback sum are read
    WEIGH      the precision; the feedback sum is there
    ROUND      e with ERR; the feedback, not yet rounded
    ERROR      e, or what POST and NEG make of it, is back at the tile; fb
    SLOPE      f'(x) is there, times both halves of fb
    SCALE      f'(x) * fb - e, or with DELTA f'(x) * fb: their sum, less e
    GAIN       the gain times both halves of that; e with DELTA; e is written
    MOVE       x with STEP, not yet clipped: their sum and x
    WRITE      x is clipped and written, with FIRE it is 0 from here on; f(x) is read
    ACTIVITY   f(x) is there: a is written
    """

    ROW = 0
    PREDICT = 1
    COMPARE = 2
    WEIGH = 3
    ROUND = 4
    ERROR = 5
    SLOPE = 6
    SCALE = 7
    GAIN = 8
    MOVE = 9
    WRITE = 10
    ACTIVITY = 14


check_latency("NEURON_LATENCY", NEURON_LATENCY, Stage.ACTIVITY + 1)
check_latency("ERROR_LATENCY", ERROR_LATENCY, Stage.ERROR - Stage.ROW)
check_latency("TABLE_LATENCY", TABLE_LATENCY, Stage.SLOPE - Stage.COMPARE)
check_latency("TABLE_LATENCY", TABLE_LATENCY, Stage.ACTIVITY - Stage.WRITE)
for _access, _resource, _stage in (
        (Access.READ, Resource.STATE, Stage.ROW), (Access.READ, Resource.CLAMP, Stage.ROW),
        (Access.READ, Resource.FEEDBACK, Stage.COMPARE), (Access.READ, Resource.ACTIVITY, Stage.COMPARE),
        (Access.READ, Resource.ERROR, Stage.WEIGH), (Access.WRITE, Resource.BASE, Stage.PREDICT),
        (Access.WRITE, Resource.ERROR, Stage.GAIN), (Access.WRITE, Resource.STATE, Stage.WRITE),
        (Access.WRITE, Resource.ACTIVITY, Stage.ACTIVITY)):
    check_latency(f"ROW_ACCESSES[{_access}, {_resource}]", ROW_ACCESSES[_access, _resource], _stage - Stage.ROW)
