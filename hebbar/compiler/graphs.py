"""Graphs made from graphs: levels for learning in a wavefront, targets that pull, memories of a phase."""

from dataclasses import replace

from hebbar.contract.errors import BadInput

from .network import Edge, Error, Network, Population, Role

__all__ = ["levelled", "nudged", "remembered"]


def levelled(network: Network) -> Network:
    """A network of the same function with all paths from a population to the targets of one length.

    An edge that skips levels goes through identity nodes, populations with activation identity that
    an identity edge feeds; they are called ``source>target.1``, .. and the edge's own weights stay on
    its last part, where edges that share them find them. An identity and a stored edge between the same
    populations take the same road. Source: Salvatori et al., AAAI 2022. Raises BadInput for a cycle, a
    target that feeds something and a population that reaches no target.
    """
    depth = _depths(network)
    inserted: dict[str, Population] = {}
    edges: list[Edge] = []
    moved: dict[str, str] = {}
    for edge in network.edges:
        source, gap = edge.source, 0 if edge.shares else depth.get(edge.source, 0) - depth.get(edge.target, 0) - 1
        if edge.source not in depth:
            gap = 0
        for i in range(gap):
            p = network.by_name[edge.source]
            name = f"{edge.source}>{edge.target}.{i + 1}"
            if name not in inserted:
                inserted[name] = Population(name, p.size, "identity", Role.HIDDEN, p.activity_frac)
                edges.append(Edge.unit(source, name))
            source = name
        edges.append(replace(edge, source=source))
        if edge.stored:
            moved[f"{edge.source}:{edge.target}"] = f"{source}:{edge.target}"
    return Network((*network.populations[:-1], *inserted.values(), network.populations[-1]),
                   tuple(replace(e, shares=moved[e.shares]) if e.shares else e for e in edges))


def _depths(network: Network) -> dict[str, int]:
    """Length of the longest path from every population that moves to a target."""
    if network.order is None:
        raise BadInput("network: the graph has a cycle, so its populations have no levels; use the rule 'il' or 'ipc'.")
    depth: dict[str, int] = {}
    for name in reversed(network.order):
        p = network.by_name[name]
        if p.role is Role.CONSTANT or (p.role is Role.INPUT and not network.incoming(name)):
            continue
        lengths = [depth[e.target] + 1 for e in network.outgoing(name)]
        if p.role is Role.TARGET and lengths:
            raise BadInput(f"network.edges: target {name!r} feeds {network.outgoing(name)[0].target!r}; a levelled "
                           "graph ends at its targets.")
        if p.role is not Role.TARGET and not lengths:
            raise BadInput(f"network.populations: {name!r} reaches no target; remove it or add an edge.")
        depth[name] = max(lengths, default=0)
    return depth


def nudged(network: Network, precision: int) -> Network:
    """The network with its targets let go: each becomes hidden and predicts, through an identity
    edge, a new target ``name.target`` of the given precision (log2), which pulls on it.

    Source: Millidge et al., ICLR 2023. Raises BadInput for a categorical target.
    """
    populations, edges = list(network.populations), list(network.edges)
    for p in network.with_role(Role.TARGET):
        if p.error is not Error.GAUSSIAN:
            raise BadInput(f"network.populations: target {p.name!r} has categorical errors, and a nudge pulls by a "
                           "difference; make it gaussian.")
        populations[populations.index(p)] = replace(p, role=Role.HIDDEN)
        populations.append(Population(f"{p.name}.target", p.size, "identity", Role.TARGET, p.activity_frac, precision))
        edges.append(Edge.unit(p.name, f"{p.name}.target"))
    return Network(tuple(populations), tuple(edges))


def remembered(network: Network, suffix: str) -> Network:
    """The network with a copy ``name.suffix`` of every population that takes learnt edges, fed by an
    identity edge, and beside every learnt edge one between the copies that shares its weights: a second
    phase can learn with the activities of the first."""
    learnt = [e for e in network.edges if e.stored and e.plastic]
    kept = {e.target for e in learnt}
    populations, edges = list(network.populations), list(network.edges)
    for p in [network.by_name[n] for n in dict.fromkeys(e.target for e in learnt)]:
        populations.append(Population(f"{p.name}.{suffix}", p.size, "identity", Role.HIDDEN, p.activity_frac))
        edges.append(Edge.unit(p.name, f"{p.name}.{suffix}"))
    for e in learnt:
        source = f"{e.source}.{suffix}" if e.source in kept else e.source
        edges.append(replace(e, source=source, target=f"{e.target}.{suffix}", shares=f"{e.source}:{e.target}"))
    return Network(tuple(populations), tuple(edges))
