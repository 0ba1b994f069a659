"""The counters of the machine, in register order.

The first group depends on the program and the data only: golden model, cycle model and RTL agree
exactly. The second depends on how fast the host feeds and drains the streams, and so does, where an IN
goes on beside sweeps and the host stalls, what of CYCLES the program then waits for.
"""

from .isa import ISSUE_FLAGS

__all__ = ["ISSUE_SETS", "ISSUE", "WORK", "CYCLES", "HOST", "COUNTERS", "CAUSES", "MEANINGS", "UNATTENDED",
           "UNCOUNTED"]

ISSUE_SETS = tuple(f"issue_{i:x}" for i in range(16))
"""Slots by flag set: bit 0 FWD, 1 ERR, 2 TRN, 3 UPD."""

ISSUE = {name: "slots of sweeps with " + (", ".join(flag.name or "" for bit, flag in enumerate(ISSUE_FLAGS)
                                                    if index >> bit & 1) or "none of them")
         for index, name in enumerate(ISSUE_SETS)}
"""What each of them counts."""

WORK = {
    "mac_fwd": "multiply-accumulates of FWD on weights in use",
    "mac_trn": "multiply-accumulates of TRN on weights in use",
    "mac_upd": "multiply-accumulates of UPD on weights in use",
    "weight_reads": "weights in use that were read",
    "weight_writes": "weights in use that were written",
    "steps": "neurons that went through STEP or DELTA",
    "activations": "neurons that went through ACT",
    "sat_error": "errors clipped",
    "sat_state": "states clipped",
    "sat_feedback": "feedbacks clipped",
    "sat_weight": "weights clipped",
    "separations": "neurons that went through SEPARATE",
    "exits": "EXITs that left a loop",
}

CYCLES = {
    "issue": "cycles in which the tile visits weights",
    "bubbles": "cycles in which the tile issues a row that reads no weight",
    "drain": "cycles spent waiting for earlier sweeps to finish",
    "stream": "cycles in which the program waits for IN or OUT, which moves a beat or its set-up",
    "separate": "cycles in which SEPARATE works",
    "control": "all other running cycles: fetch, decode, loops, at START the clearing of base and feedback sums",
}

HOST = {
    "stall_in": "cycles in which it waits for an IN, which waits for the host",
    "stall_out": "cycles in which it waits for an OUT, which waits for the host",
}

UNCOUNTED = ("the machine has no counters (machine.counters is false): cycles and work are those of the golden and the "
             "cycle model, which nothing confirms, and how long a host let the machine wait cannot be known")
"""What every figure of cycles and work must say of a machine without counters."""

MEANINGS = ISSUE | WORK | CYCLES | HOST

COUNTERS = tuple(MEANINGS)

CAUSES = (*CYCLES, *HOST)
"""A running cycle has one of them."""

UNATTENDED = 255
"""Cycles after which the hardware adds what it has counted to its totals, where nobody asks for that before."""
