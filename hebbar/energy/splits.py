"""Where the energy goes: every component of the estimate belongs to a block of the machine and to a verb.

A word of weights is read once for all verbs of a sweep, so its energy belongs to the sweep and to none of them: what a
verb would cost alone is another program, not a share of this one.
"""

from collections.abc import Iterable, Mapping

from .technology import Range

__all__ = ["BLOCKS", "VERBS", "by_block", "by_verb", "cross", "place_of"]

VERBS = {"FWD": "prediction: W f(x)", "TRN": "feedback: W^T e", "UPD": "learning: W += a e f(x)^T",
         "sweep": "what all verbs of a sweep share", "neurons": "errors, states and activities",
         "host": "input and output", "always": "in every cycle, whatever it does"}
"""What the work is for."""

_PLACES = {
    "weight memory": {"weights read": "sweep", "weights write": "UPD"},
    "multipliers": {"FWD multiply": "FWD", "TRN multiply": "TRN", "UPD multiply": "UPD"},
    "accumulators": {"FWD add": "FWD", "TRN add": "TRN", "UPD round and add": "UPD", "identity FWD add": "FWD",
                     "identity TRN add": "TRN", "base add": "FWD", "feedback sums read": "TRN",
                     "feedback sums write": "TRN", "feedback sums copy": "TRN",
                     "feedback sums to neurons": "TRN", "base read": "FWD", "base write": "FWD"},
    "neuron unit": dict.fromkeys((
        "error", "integral and error", "precision round", "GATE add", "NEG", "derivative and feedback", "state step",
        "activation", "derivative table", "activation table", "SEPARATE weigh and share", "SEPARATE reciprocal",
        "SEPARATE error", "energy sum", "EXIT", "exponentials read", "powers write", "powers read"), "neurons"),
    "neuron memories": {"activities read": "sweep"} | dict.fromkeys((
        "activities read for POST", "activities write", "states read", "states write", "errors read", "errors write",
        "integrals read", "integrals write", "clamp read"), "neurons"),
    "pipeline": {"word FIFO": "sweep", "error FIFO": "sweep", "registers of the datapath": "always"},
    "sequencer": {"map": "sweep", "descriptors": "sweep", "instructions": "always"},
    "bus": {"stream, activities": "host", "stream, elements": "host", "stream out": "host",
            "totals of counters": "always", "flag set and cause of a cycle": "always",
            "registers of bus and counters": "always"},
    "drivers": {"macro FWD drive": "FWD", "macro TRN drive": "TRN", "macro UPD drive": "UPD"},
    "array": {"macro FWD cells": "FWD", "macro TRN cells": "TRN", "macro UPD cells": "UPD"},
    "converters": {"macro FWD convert": "FWD", "macro TRN convert": "TRN"}}

BLOCKS = tuple(_PLACES)
"""The blocks of the machine, those of an analog macro last."""

_WHERE = {name: (block, verb) for block, names in _PLACES.items() for name, verb in names.items()}

NONE = Range(0.0, 0.0, 0.0)


def place_of(component: str) -> tuple[str, str]:
    """Block and verb of a component of the estimate."""
    return _WHERE[component]


def cross(rows: Iterable[tuple[str, Range]]) -> dict[tuple[str, str], Range]:
    """Energies by block and verb of (component, energy), those that are not there left out."""
    found: dict[tuple[str, str], Range] = {}
    for component, energy in rows:
        place = place_of(component)
        found[place] = found.get(place, NONE) + energy
    return found


def by_block(table: Mapping[tuple[str, str], Range]) -> dict[str, Range]:
    """Sums over the verbs, in the order of BLOCKS."""
    return {block: sum((e for (b, _), e in table.items() if b == block), NONE) for block in BLOCKS
            if any(b == block for b, _ in table)}


def by_verb(table: Mapping[tuple[str, str], Range]) -> dict[str, Range]:
    """Sums over the blocks, in the order of VERBS."""
    return {verb: sum((e for (_, v), e in table.items() if v == verb), NONE) for verb in VERBS
            if any(v == verb for _, v in table)}
