"""A configuration as a file that explains itself: what is given, and every other key with its default as a comment."""

import json
import textwrap
from collections.abc import Iterator, Mapping
from math import log2
from typing import Any

from hebbar.contract.tiles import WEIGHTS

from .config import Config, parse
from .keys import Key, find_tables
from .program import compile_config

__all__ = ["commented", "first_rates", "fitted"]

SECTIONS = ("network", "rule", "training", "machine", "data")
ELSEWHERE = {"network": ("populations", "edges")}
"""Keys that a layered network leaves out."""
WIDTH = 100


def first_rates(layers: tuple[int, ...]) -> dict[str, list[Any]]:
    """Learning rates and first weights to begin a search with, by key of ``rule``: those of the presets digits and
    mnist, between and beyond them by a law. A rate falls with the root of the sources and by four with every layer."""
    shifts = [min(20, 2 + max(0, round(log2(size / 64) / 2)) + 2 * i) for i, size in enumerate(layers[:-1])]
    return {"alpha_shifts": shifts, "init_scales": [1.0] * (len(shifts) - 1) + [0.25]}


def fitted(sections: Mapping[str, Any]) -> dict[str, Any]:
    """``sections`` with memories of the machine that hold their program, each the next power of two.

    Raises BadInput for a configuration that is wrong, or fits no machine.
    """
    machine = dict(sections.get("machine", {}))
    small = Config().machine.model_copy(update=machine)
    deepest = min(1 << 20, WEIGHTS // max(1, small.lanes * small.row_tiles))
    most = {"weight_words": deepest, "neuron_words": 1 << 12, "max_columns": 1 << 10, "map_entries": 1 << 12,
            "blocks": 1 << 10, "program_words": 1 << 12}
    program = compile_config(parse({**sections, "machine": machine | most}, "configuration"))
    layout = program.layout
    used = {"weight_words": layout.weight_words,
            "neuron_words": max(place.word + place.words for place in layout.places.values()),
            "max_columns": max(len(block.columns) for block in layout.blocks.values()),
            "map_entries": len(program.maps), "blocks": len(program.blocks), "program_words": len(program.words)}
    sizes = {name: 1 << (max(2, count) - 1).bit_length() for name, count in used.items()}
    for name in ("map_entries", "blocks", "program_words"):
        if sizes[name] <= getattr(Config().machine, name):
            del sizes[name]
    return {**sections, "machine": machine | sizes}


def commented(sections: Mapping[str, Mapping[str, Any]], head: str) -> str:
    """The file, as text: ``head`` in its first line, then every key of a layered network with its meaning above it."""
    lines = [*_comment(head), ""]
    for section in SECTIONS:
        table, given = find_tables(section)[0], sections.get(section, {})
        lines += [f"[{section}]"]
        for key in table.keys:
            if key.name not in ELSEWHERE.get(section, ()):
                lines += _key(key, given)
    return "\n".join(lines) + "\n"


def _key(key: Key, given: Mapping[str, Any]) -> Iterator[str]:
    facts = ", ".join(fact for fact in (key.range, key.unit) if fact)
    yield from _comment(f"{key.meaning}{f' ({facts})' if facts else ''}")
    if key.name in given:
        yield f"{key.name} = {json.dumps(given[key.name], ensure_ascii=False)}"
    else:
        yield f"# {key.name} = {key.default}"
    yield ""


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, WIDTH, initial_indent="# ", subsequent_indent="# ")
