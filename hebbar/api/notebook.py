"""An experiment as a notebook shows it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from hebbar.contract.errors import HebbarError

if TYPE_CHECKING:
    from .configured import Configured

__all__ = ["page"]


def page(experiment: Configured) -> str:
    """HTML: populations and edges of the network, rule, machine, weights and cycles; in place of what does not compile
    the sentence that says why."""
    config = experiment.config
    title = f"<b>{escape(config.name)}</b>: rule {escape(config.rule.name)}"
    try:
        network, machine = experiment.program.layout.network, config.machine
        weights = sum(network.by_name[e.source].size * network.by_name[e.target].size for e in network.stored)
        facts = [f"{machine.row_tiles} rows of {machine.lanes} lanes, tile {machine.tile}",
                 f"{weights:,} weights of {machine.weight_bits} bits", str(experiment.cycles())]
    except HebbarError as error:
        return f"<div>{title}<p>{escape(str(error))}</p></div>"
    rows = "".join(
        f"<tr><td>{escape(p.name)}</td><td>{p.size}</td><td>{p.role.value}</td><td>{escape(p.activation)}</td>"
        f"<td>{escape(', '.join(e.source for e in network.incoming(p.name)))}</td></tr>" for p in network.populations)
    return (f"<div>{title}<table><tr><th>population</th><th>neurons</th><th>role</th><th>activation</th>"
            f"<th>predicted from</th></tr>{rows}</table>"
            f"{''.join(f'<div>{escape(fact)}</div>' for fact in facts)}</div>")
