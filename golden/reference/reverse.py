"""Reverse-mode differentiation by predictive coding, on any graph of functions (Salvatori et al., AAAI 2022).

A value node per intermediate: ``mu_i = g_i(parents)``, ``e_i = v_i - mu_i``, and with gamma 1 and synchronous steps

    v_i += -e_i + sum_children (dg_j/dv_i)^T e_j

from a feed-forward start, where only the output has an error. In a levelled graph, all paths from a node to the
output of one length, the error of a node of level l is exactly what reverse mode gives, at step l and from then
on until its parents move; there its parameters learn. Not "when e first becomes nonzero": behind a dead ReLU it
never does. ``levelled`` inserts identity nodes where paths differ. Networks of populations have the same rule as
``rules.zil``, here nodes are any functions that bring their own pullback.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from hebbar.contract.errors import BadInput
from hebbar.contract.suggest import suggest

from .energy import FUNCTIONS
from .state import Array

__all__ = ["Node", "Reverse", "linear", "apply", "add", "multiply", "levels", "levelled", "evaluate", "differentiate"]


@dataclass(frozen=True)
class Node:
    """``function(*values of parents, *values of parameters)`` is mu. ``pullback(e, *the same)`` gives the
    transposed Jacobian times e for each of them, in that order, e shaped like mu."""

    name: str
    parents: tuple[str, ...]
    function: Callable[..., Array]
    pullback: Callable[..., tuple[Array, ...]]
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True)
class Reverse:
    """``descent``: what each parameter should move by at rate 1, by name. ``steps``: how many state steps it
    took. ``errors``: of every node of the levelled graph at the step of its level."""

    descent: dict[str, Array]
    errors: dict[str, Array]
    steps: int


def linear(name: str, parent: str, weight: str) -> Node:
    """x W^T of rows x (batch, n) and a parameter W (m, n)."""
    return Node(name, (parent,), lambda x, w: x @ w.T, lambda e, x, w: (e @ w, e.T @ x), (weight,))


def apply(name: str, parent: str, activation: str) -> Node:
    """f(x) by the name of an activation."""
    if activation not in FUNCTIONS:
        raise BadInput(f"node {name!r} applies {activation!r}{suggest(activation, FUNCTIONS)}.")
    f, slope = FUNCTIONS[activation]
    return Node(name, (parent,), f, lambda e, x: (slope(x) * e,))


def add(name: str, *parents: str) -> Node:
    """The sum of parents of one shape; a parent named twice counts twice."""
    return Node(name, parents, lambda *x: sum(x[1:], x[0]), lambda e, *x: (e,) * len(x))


def multiply(name: str, one: str, other: str) -> Node:
    """The product, element by element."""
    return Node(name, (one, other), lambda x, y: x * y, lambda e, x, y: (y * e, x * e))


def levels(nodes: Sequence[Node]) -> dict[str, int]:
    """The length of the longest path from each node to the output, the one node that is no parent.

    Raises BadInput unless parents stand before children and exactly one node is no parent.
    """
    names = [n.name for n in nodes]
    for i, node in enumerate(nodes):
        if names.count(node.name) > 1:
            raise BadInput(f"nodes: {node.name!r} is there twice; rename one.")
        late = next((p for p in node.parents if p in names[i:]), None)
        if late:
            raise BadInput(f"nodes: {node.name!r} has parent {late!r}, which comes later; list parents first.")
    used = {p for n in nodes for p in n.parents}
    ends = [n for n in names if n not in used]
    if len(ends) != 1:
        raise BadInput(f"nodes: {', '.join(map(repr, ends)) or 'none'} feed no other; give exactly one output.")
    depth = {ends[0]: 0}
    for node in reversed(nodes):
        for parent in node.parents:
            if parent in names:
                depth[parent] = max(depth.get(parent, 0), depth[node.name] + 1)
    return depth


def levelled(nodes: Sequence[Node]) -> tuple[Node, ...]:
    """The graph with identity nodes ``parent>child.1``, .. put in wherever an edge skips levels."""
    depth, out = levels(nodes), []
    for node in nodes:
        near: dict[str, str] = {}
        for parent in dict.fromkeys(node.parents):
            near[parent] = parent
            for i in range(depth.get(parent, 0) - depth[node.name] - 1):
                out.append(apply(f"{parent}>{node.name}.{i + 1}", near[parent], "identity"))
                near[parent] = out[-1].name
        out.append(replace(node, parents=tuple(near[p] for p in node.parents)))
    return tuple(out)


def evaluate(nodes: Sequence[Node], inputs: Mapping[str, Array], parameters: Mapping[str, Array]) -> dict[str, Array]:
    """The feed-forward values of all nodes and inputs."""
    values = {name: np.asarray(x, dtype=np.float64) for name, x in inputs.items()}
    for node in nodes:
        values[node.name] = node.function(*_arguments(node, values, parameters))
    return values


def differentiate(nodes: Sequence[Node], inputs: Mapping[str, Array], parameters: Mapping[str, Array],
                  error: Array) -> Reverse:
    """The descent of every parameter for an ``error`` of the output: -dloss/doutput, target less output for half
    the square. ``inputs`` are clamped. A parameter of several nodes gets the sum."""
    graph = levelled(nodes)
    depth, values = levels(graph), evaluate(graph, inputs, parameters)
    output = graph[-1].name
    if np.shape(error) != values[output].shape:
        raise BadInput(f"error has shape {np.shape(error)}; the output {output!r} has {values[output].shape}.")
    values[output] = values[output] + error
    descent = {p: np.zeros_like(np.asarray(parameters[p], dtype=np.float64)) for n in graph for p in n.parameters}
    kept: dict[str, Array] = {}
    for step in range(max(depth.values()) + 1):
        now = {n.name: values[n.name] - n.function(*_arguments(n, values, parameters)) for n in graph}
        back = {n.name: -now[n.name] for n in graph}
        for n in graph:
            pulled = n.pullback(now[n.name], *_arguments(n, values, parameters))
            for parent, push in zip(n.parents, pulled):
                if parent in back:
                    back[parent] = back[parent] + push
            if depth[n.name] == step:
                kept[n.name] = now[n.name]
                for name, change in zip(n.parameters, pulled[len(n.parents):]):
                    descent[name] = descent[name] + change
        values |= {name: values[name] + push for name, push in back.items() if name != output}
    return Reverse(descent, kept, max(depth.values()))


def _arguments(node: Node, values: Mapping[str, Array], parameters: Mapping[str, Array]) -> list[Array]:
    for name in node.parents:
        if name not in values:
            raise BadInput(f"node {node.name!r} has parent {name!r}, which is no node before it and no input"
                           f"{suggest(name, values)}.")
    for name in node.parameters:
        if name not in parameters:
            raise BadInput(f"node {node.name!r} has parameter {name!r}, which has no value"
                           f"{suggest(name, parameters)}.")
    return [values[n] for n in node.parents] + [parameters[n] for n in node.parameters]
