"""What a block descriptor and its map entries ask for, unpacked into index arrays."""

from dataclasses import dataclass

import numpy as np

from hebbar.compiler import Program
from hebbar.machine import MachineConfig
from hebbar.memories import BLOCK, MAP, unpack

from .fixed import Ints

__all__ = ["Feed", "Identity", "Plan", "plan_block"]

WORDS = 1 << MAP["source"].width
"""Neuron words, modulo which an identity column counts."""

Columns = list[tuple[int, dict[str, int]]]
"""Position in a row and map entry."""


@dataclass(frozen=True)
class Identity:
    """An identity column: the weight 1 from neuron ``neurons[r]`` to row r, shape (padded rows,)."""

    neurons: Ints
    shift: int


@dataclass(frozen=True)
class Feed:
    """One column that TRN feeds back: its number among the stored ones, None for an identity column.

    ``neurons`` whose back sums it feeds: C of them, or that of every row for an identity column.
    """

    stored: int | None
    neurons: Ints
    fresh: bool


@dataclass(frozen=True)
class Plan:
    """A block descriptor and its map entries, unpacked into index arrays.

    ``rows``: neuron addresses of the destination, padded to whole row groups; ``live``: which of
    them are in use. ``stored``: which of the ``columns`` of a row have weights. Per lane of those
    (stored columns * C of them): ``source`` neuron address, ``used``, ``shift``, ``rate``,
    ``feedback``, ``plastic``, ``positive``; per stored column ``fresh``. ``own``: where a weight
    leads from a neuron to itself and the column forbids that, shape (rows, lanes). ``feeds``: the
    columns with feedback in their order. ``passes``: row ranges that TRN takes one after the other.
    """

    base: int
    stride: int
    groups: int
    columns: int
    rows: slice
    live: Ints
    stored: Ints | slice
    source: Ints
    used: Ints
    shift: Ints
    rate: Ints
    feedback: Ints
    plastic: Ints
    positive: Ints
    fresh: Ints
    own: Ints | None
    identities: tuple[Identity, ...]
    feeds: tuple[Feed, ...]
    passes: tuple[slice, ...]
    function: int
    precision: int
    align: int

    @property
    def count(self) -> int:
        """Rows in use."""
        return int(self.live.sum())


def plan_block(program: Program, word: int, identities: bool) -> Plan:
    """The plan of a block descriptor, on a tile that has ``identities`` or does nothing for them."""
    b, m = unpack(BLOCK, word), program.machine
    columns = [unpack(MAP, e) for e in program.maps[b["map_base"]:b["map_base"] + b["columns"]]]
    joined = [(k, c) for k, c in enumerate(columns) if identities and not c["lanes"]]
    stored = [(k, c if c["lanes"] else c | {"source": 0, "feedback": 0, "plastic": 0}) for k, c in enumerate(columns)
              if not identities or c["lanes"]]
    rows = np.arange(b["groups"] * m.row_tiles) + b["group_base"] * m.row_tiles
    live = np.arange(rows.size) < (b["groups"] - 1) * m.row_tiles + b["tail"]
    feeds = _feeds(stored, joined, rows, m.lanes)
    return Plan(
        base=b["weight_base"], stride=b["stride"], groups=b["groups"], columns=b["columns"],
        rows=slice(int(rows[0]), int(rows[-1]) + 1), live=live.astype(np.int64),
        stored=np.array([k for k, _ in stored], np.int64) if joined else slice(b["columns"]),
        **_lanes(stored, rows, m.lanes),
        identities=tuple(Identity(_across(c, rows, m.lanes), c["shift"]) for _, c in joined),
        feeds=feeds, passes=_passes(feeds, b["groups"], m),
        **{name: b[name] for name in ("function", "precision", "align")})


def _lanes(stored: Columns, rows: Ints, lanes: int) -> dict[str, Ints | None]:
    """What a plan says of every lane of the stored columns, and ``fresh`` of every column."""
    per_lane = {key: np.repeat(np.array([c[key] for _, c in stored], np.int64), lanes)
                for key in ("lanes", "shift", "rate", "feedback", "plastic", "positive", "diagonal", "source")}
    lane = np.arange(lanes * len(stored)) % lanes
    source = per_lane.pop("source") * lanes + lane
    own = (rows[:, None] == source) & (per_lane.pop("diagonal") == 1)
    used = (lane < per_lane.pop("lanes")).astype(np.int64)
    return {**per_lane, "source": source, "used": used, "own": own if own.any() else None,
            "fresh": np.array([c["fresh"] for _, c in stored], np.int64)}


def _across(column: dict[str, int], rows: Ints, lanes: int) -> Ints:
    """The neuron that an identity column joins to each row."""
    return (rows // lanes + column["source"]) % WORDS * lanes + rows % lanes


def _feeds(stored: Columns, joined: Columns, rows: Ints, lanes: int) -> tuple[Feed, ...]:
    feeds = {k: Feed(i, c["source"] * lanes + np.arange(lanes), bool(c["fresh"]))
             for i, (k, c) in enumerate(stored) if c["feedback"]}
    feeds |= {k: Feed(None, _across(c, rows, lanes), bool(c["fresh"])) for k, c in joined if c["feedback"]}
    return tuple(feeds[k] for k in sorted(feeds))


def _passes(feeds: tuple[Feed, ...], groups: int, machine: MachineConfig) -> tuple[slice, ...]:
    """All rows at once on arrays and where no word is fed by two columns, else row group by row group:
    the order decides what a fresh column replaces."""
    words = [np.unique(feed.neurons // machine.lanes) for feed in feeds]
    alone = len(set().union(*(w.tolist() for w in words))) == sum(w.size for w in words)
    step = groups * machine.row_tiles if alone or machine.kind.array else machine.row_tiles
    return tuple(slice(at, at + step) for at in range(0, groups * machine.row_tiles, step))
