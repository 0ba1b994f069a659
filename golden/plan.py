"""What a block descriptor and its map entries ask for, unpacked into index arrays."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hebbar.compiler.program import Program
from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import BLOCK, MAP, unpack

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

    ``neurons`` whose feedback sums it feeds: C of them, or that of every row for an identity column.
    """

    stored: int | None
    neurons: Ints
    overwrite: bool


@dataclass(frozen=True)
class Plan:
    """A block descriptor and its map entries, unpacked into index arrays.

    ``rows``: neuron addresses of the destination, padded to whole row groups; ``valid``: which of
    them are in use. ``stored``: which of the ``columns`` of a row have weights. Per lane of those
    (stored columns * C of them): ``source`` neuron address, ``used``, ``shift``, ``rate``,
    ``feedback``, ``plastic``, ``positive``; per stored column ``overwrite``. ``self_connection``: where a weight
    leads from a neuron to itself and the column forbids that, shape (rows, lanes). ``feeds``: the
    columns with feedback in their order. ``passes``: row ranges that TRN takes one after the other.
    """

    base: int
    stride: int
    groups: int
    columns: int
    rows: slice
    valid: Ints
    stored: Ints | slice
    source: Ints
    used: Ints
    shift: Ints
    rate: Ints
    feedback: Ints
    plastic: Ints
    positive: Ints
    overwrite: Ints
    self_connection: NDArray[np.bool_] | None
    identities: tuple[Identity, ...]
    feeds: tuple[Feed, ...]
    passes: tuple[slice, ...]
    function: int
    precision: int
    align: int

    @property
    def count(self) -> int:
        """Rows in use."""
        return int(self.valid.sum())


def plan_block(program: Program, word: int, identities: bool) -> Plan:
    """The plan of a block descriptor, on a tile that has ``identities`` or does nothing for them."""
    b, m = unpack(BLOCK, word), program.machine
    columns = [unpack(MAP, e) for e in program.maps[b["map_base"]:b["map_base"] + b["columns"]]]
    joined = [(k, c) for k, c in enumerate(columns) if identities and not c["lanes"]]
    stored = [(k, c if c["lanes"] else c | {"source": 0, "feedback": 0, "plastic": 0}) for k, c in enumerate(columns)
              if not identities or c["lanes"]]
    rows = np.arange(b["groups"] * m.row_tiles) + b["group_base"] * m.row_tiles
    valid = np.arange(rows.size) < (b["groups"] - 1) * m.row_tiles + b["last_rows"]
    feeds = _feeds(stored, joined, rows, m.lanes)
    return Plan(
        base=b["weight_base"], stride=b["stride"], groups=b["groups"], columns=b["columns"],
        rows=slice(int(rows[0]), int(rows[-1]) + 1), valid=valid.astype(np.int64),
        stored=np.array([k for k, _ in stored], np.int64) if joined else slice(b["columns"]),
        **_lanes(stored, m.lanes), self_connection=_self_connection(stored, rows, m.lanes),
        identities=tuple(Identity(_across(c, rows, m.lanes), c["shift"]) for _, c in joined),
        feeds=feeds, passes=_passes(feeds, b["groups"], m),
        function=b["function"], precision=b["precision"], align=b["align"])


def _of_lanes(stored: Columns, key: str, lanes: int) -> Ints:
    """A field of the stored columns, for every lane."""
    return np.repeat(np.array([c[key] for _, c in stored], np.int64), lanes)


def _sources(stored: Columns, lanes: int) -> Ints:
    return _of_lanes(stored, "source", lanes) * lanes + np.arange(lanes * len(stored)) % lanes


def _lanes(stored: Columns, lanes: int) -> dict[str, Ints]:
    """What a plan says of every lane of the stored columns, and ``overwrite`` of every column."""
    used = np.arange(lanes * len(stored)) % lanes < _of_lanes(stored, "lanes", lanes)
    return {"source": _sources(stored, lanes), "used": used.astype(np.int64),
            "overwrite": np.array([c["overwrite"] for _, c in stored], np.int64),
            **{key: _of_lanes(stored, key, lanes) for key in ("shift", "rate", "feedback", "plastic", "positive")}}


def _self_connection(stored: Columns, rows: Ints, lanes: int) -> NDArray[np.bool_] | None:
    """Where a weight leads from a neuron to itself and its column forbids that, None where none does."""
    self_connection = (rows[:, None] == _sources(stored, lanes)) & (_of_lanes(stored, "diagonal", lanes) == 1)
    return self_connection if self_connection.any() else None


def _across(column: dict[str, int], rows: Ints, lanes: int) -> Ints:
    """The neuron that an identity column joins to each row."""
    return (rows // lanes + column["source"]) % WORDS * lanes + rows % lanes


def _feeds(stored: Columns, joined: Columns, rows: Ints, lanes: int) -> tuple[Feed, ...]:
    feeds = {k: Feed(i, c["source"] * lanes + np.arange(lanes), bool(c["overwrite"]))
             for i, (k, c) in enumerate(stored) if c["feedback"]}
    feeds |= {k: Feed(None, _across(c, rows, lanes), bool(c["overwrite"])) for k, c in joined if c["feedback"]}
    return tuple(feeds[k] for k in sorted(feeds))


def _passes(feeds: tuple[Feed, ...], groups: int, machine: MachineConfig) -> tuple[slice, ...]:
    """All rows at once on arrays and where no word is fed by two columns, else row group by row group:
    the order decides what a column that overwrites replaces."""
    words = [np.unique(feed.neurons // machine.lanes) for feed in feeds]
    alone = len(set().union(*(w.tolist() for w in words))) == sum(w.size for w in words)
    step = groups * machine.row_tiles if alone or machine.kind.array else machine.row_tiles
    return tuple(slice(at, at + step) for at in range(0, groups * machine.row_tiles, step))
