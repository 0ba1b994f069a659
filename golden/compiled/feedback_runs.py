"""Which rows a feedback sum collects, known before a program runs. ``golden.feedback_sums`` defines the order.

A column that overwrites drops what its word has collected so far. Of every word only the last such moment
counts, so each column keeps its rows from some row on, and the order no longer matters.
"""

import numpy as np

from ..fixed import Ints
from ..plan import Feed
from ..tile import Plan

__all__ = ["feedback_runs"]

Runs = list[tuple[int, ...]]
Moment = tuple[int, int]
"""A pass of TRN over rows, and a column within it."""


def feedback_runs(plan: Plan, lanes: int, at: Ints) -> tuple[Runs, Runs, Runs]:
    """Runs of the kinds FEEDS, ACROSS and CLEARS; ``at``: first lane of every stored column."""
    turn = np.repeat(np.arange(len(plan.passes)), [part.stop - part.start for part in plan.passes])
    dropped: dict[int, Moment] = {}
    for k, feed in enumerate(plan.feeds):
        for moment, word in _fresh(feed, turn, lanes):
            dropped[word] = max(dropped.get(word, (0, 0)), (moment, k))
    waiting = set(dropped)
    feeds: Runs = []
    across: Runs = []
    for k, feed in enumerate(plan.feeds):
        words = feed.neurons // lanes
        if feed.stored is None:
            across += [(r, int(feed.neurons[r]), 1) for r in range(plan.count)
                       if (turn[r], k) >= dropped.get(int(words[r]), (0, 0))]
            continue
        word = int(words[0])
        moment, last = dropped.get(word, (0, 0))
        begin = np.searchsorted(turn[:plan.count], moment + (k < last))
        feeds.append((int(at[feed.stored]), word * lanes, lanes, int(word in waiting), int(begin)))
        waiting.discard(word)
    return feeds, across, [(0, word * lanes, lanes) for word in sorted(waiting)]


def _fresh(feed: Feed, turn: Ints, lanes: int) -> list[Moment]:
    """Pass and word of every time a column drops what a word has collected."""
    if not feed.overwrite:
        return []
    if feed.stored is not None:
        return [(0, int(feed.neurons[0]) // lanes)]
    return [(int(turn[r]), int(neuron) // lanes) for r, neuron in enumerate(feed.neurons) if neuron % lanes == 0]
