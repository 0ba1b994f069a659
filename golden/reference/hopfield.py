"""Universal Hopfield networks (Millidge et al., ICML 2022), also in feature space (Salvatori et al., ECAI 2023).

``z = P^T sep(beta * sim(M, phi(q)))``. M (slots, key size) and P (slots, value size) are the stored keys
and values, one pattern a row; queries are (batch, query size), answers (batch, value size). Values equal
to the patterns give auto-association, others hetero-association. phi is a fixed encoder, the identity
unless the memory is in feature space. Dot and ``stored_norm`` similarity are one FWD on the array, the
projection is one TRN, storing is one UPD; Manhattan is no matrix product and for software only.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hebbar.contract.errors import BadInput
from hebbar.contract.suggest import suggest

from .energy import softmax
from .state import Array

__all__ = ["SIMILARITIES", "SEPARATIONS", "Memory", "Retrieval", "CLASSICAL", "MODERN", "empty", "store", "filled",
           "similarity", "separation", "retrieve", "iterate", "modern_energy"]

Encoder = Callable[[Array], Array]


def _itself(x: Array) -> Array:
    return x


def _cosine(keys: Array, q: Array) -> Array:
    norms = np.linalg.norm(q, axis=1)[:, None] * np.linalg.norm(keys, axis=1)
    return np.divide(q @ keys.T, norms, out=np.zeros_like(norms), where=norms > 0)


def _differences(keys: Array, q: Array) -> Array:
    return q[:, None, :] - keys[None, :, :]


SIMILARITIES: dict[str, Callable[[Array, Array], Array]] = {
    "dot": lambda keys, q: q @ keys.T,
    "cosine": _cosine,
    "euclidean": lambda keys, q: 1.0 / (1.0 + np.linalg.norm(_differences(keys, q), axis=2)),
    "stored_norm": lambda keys, q: q @ keys.T - 0.5 * (keys**2).sum(axis=1),
    "manhattan": lambda keys, q: 1.0 / (1.0 + np.abs(_differences(keys, q)).sum(axis=2)),
}
"""(keys (slots, n), queries (batch, n)) -> scores (batch, slots).

"cosine" is the dot product of normalised vectors, 0 where one is zero; "euclidean" and "manhattan" are
1 / (1 + distance). "stored_norm" is ``q.m - |m|^2 / 2``, which is ``-|q - m|^2 / 2`` up to a constant of the query:
the machine's Euclidean similarity, the norms stored beside the keys. Only softmax and max ignore a constant."""


def _first_largest(scores: Array) -> Array:
    return (np.arange(scores.shape[1]) == scores.argmax(axis=1)[:, None]).astype(np.float64)


SEPARATIONS: dict[str, Callable[[Array, int], Array]] = {
    "identity": lambda scores, degree: scores,
    "softmax": lambda scores, degree: softmax(scores),
    "polynomial": lambda scores, degree: scores**degree,
    "max": lambda scores, degree: _first_largest(scores),
}
"""(scores (batch, slots), degree) -> shares of the slots (batch, slots). "max" is 1 for the first of the
largest scores and 0 elsewhere; only "polynomial" reads the degree."""


@dataclass(frozen=True)
class Memory:
    """``keys`` M (slots, key size) holds encoded keys, ``values`` P (slots, value size); ``encoder`` is phi.

    phi maps (batch, query size) to (batch, key size). A slot that holds nothing is a zero pattern and
    takes part in retrieval like any other.
    """

    keys: Array
    values: Array
    encoder: Encoder = _itself

    def __post_init__(self) -> None:
        keys, values = np.shape(self.keys), np.shape(self.values)
        if len(keys) != 2 or len(values) != 2 or keys[0] != values[0] or not keys[0]:
            raise BadInput(f"memory.keys has shape {keys} and memory.values {values}; give one row per slot to "
                           "both, at least one.")

    def encoded(self, place: str, x: Array) -> Array:
        """phi of queries or keys (batch, query size), checked against the stored keys."""
        x = np.asarray(x, dtype=np.float64)
        if x.ndim != 2:
            raise BadInput(f"{place} has shape {x.shape}; give one row per pattern.")
        phi = np.asarray(self.encoder(x), dtype=np.float64)
        wanted = len(x), self.keys.shape[1]
        if phi.shape != wanted:
            raise BadInput(f"{place} has shape {x.shape}, encoded {phi.shape}; the memory's keys need {wanted}.")
        return phi


@dataclass(frozen=True)
class Retrieval:
    """How to read: names of a similarity and a separation, ``beta`` on the scores, the ``degree`` of a
    polynomial, and whether the answer is the ``sign`` of the projection, +1 where that is 0."""

    similarity: str = "dot"
    separation: str = "softmax"
    beta: float = 1.0
    degree: int = 2
    sign: bool = False

    def __post_init__(self) -> None:
        for key, name, known in (("similarity", self.similarity, SIMILARITIES),
                                 ("separation", self.separation, SEPARATIONS)):
            if name not in known:
                raise BadInput(f"retrieval.{key} is {name!r}{suggest(name, known)}.")
        if not (np.isfinite(self.beta) and self.beta > 0):
            raise BadInput(f"retrieval.beta is {self.beta}; give a finite number above 0.")
        if self.degree < 1 or self.degree != int(self.degree):
            raise BadInput(f"retrieval.degree is {self.degree}; give a whole number of at least 1.")


CLASSICAL = Retrieval("dot", "identity", sign=True)
"""The Hopfield network of 1982 with self connections: sign(M^T M q), the sign after the projection."""

MODERN = Retrieval("dot", "softmax", beta=4.0)
"""The modern continuous Hopfield network (Ramsauer et al., ICLR 2021): attention on the stored patterns."""


def empty(slots: int, key_size: int, value_size: int, encoder: Encoder = _itself) -> Memory:
    """A memory of zeros."""
    return Memory(np.zeros((slots, key_size)), np.zeros((slots, value_size)), encoder)


def store(memory: Memory, slot: int, key: Array, value: Array) -> Memory:
    """A new memory with one pattern added to ``slot``: M += h phi(key)^T and P += h value^T, h one-hot.

    The Hebbian update with h as the error. It adds to what the slot holds, so give an empty one.
    """
    if not 0 <= slot < len(memory.keys):
        raise BadInput(f"slot is {slot}; the memory has {len(memory.keys)} slots, counted from 0.")
    phi, v = memory.encoded("key", np.asarray(key)[None])[0], np.asarray(value, dtype=np.float64)
    if v.shape != memory.values.shape[1:]:
        raise BadInput(f"value has shape {v.shape}; the memory's values need {memory.values.shape[1:]}.")
    h = np.eye(len(memory.keys))[slot]
    return Memory(memory.keys + np.outer(h, phi), memory.values + np.outer(h, v), memory.encoder)


def filled(patterns: Array, values: Array | None = None, encoder: Encoder = _itself) -> Memory:
    """A memory of all ``patterns`` (slots, query size), in order; they are their own values by default."""
    patterns = np.asarray(patterns, dtype=np.float64)
    return Memory(np.asarray(encoder(patterns), dtype=np.float64),
                  patterns if values is None else np.asarray(values, dtype=np.float64), encoder)


def similarity(memory: Memory, queries: Array, name: str) -> Array:
    """Scores of every slot, (batch, slots), by the name of a similarity."""
    return SIMILARITIES[name](memory.keys, memory.encoded("queries", queries))


def separation(scores: Array, retrieval: Retrieval) -> Array:
    """The share of every slot in the answer, (batch, slots): sep(beta * scores)."""
    return SEPARATIONS[retrieval.separation](retrieval.beta * scores, int(retrieval.degree))


def retrieve(memory: Memory, queries: Array, retrieval: Retrieval) -> Array:
    """The answers z to ``queries`` (batch, query size), (batch, value size).

    With separation "max" each is the stored value of the first most similar slot, bit for bit.
    """
    z = separation(similarity(memory, queries, retrieval.similarity), retrieval) @ memory.values
    return np.where(z >= 0, 1.0, -1.0) if retrieval.sign else z


def iterate(memory: Memory, queries: Array, retrieval: Retrieval, steps: int) -> Array:
    """The answers after ``steps`` retrievals, each of the answer before; for auto-association."""
    z = np.asarray(queries, dtype=np.float64)
    if z.shape[1:] != memory.values.shape[1:]:
        raise BadInput(f"queries has shape {z.shape} and memory.values {memory.values.shape}; an answer is the "
                       "next query, so give values of the size of a query, or use retrieve.")
    for _ in range(steps):
        z = retrieve(memory, z, retrieval)
    return z


def modern_energy(memory: Memory, queries: Array, beta: float) -> Array:
    """``-log sum exp(beta M q) / beta + |q|^2 / 2`` of each query, (batch,): no step of MODERN raises it.

    For auto-association without an encoder, at the same beta.
    """
    q = np.asarray(queries, dtype=np.float64)
    scores = beta * similarity(memory, q, "dot")
    top = scores.max(axis=1)
    return 0.5 * (q**2).sum(axis=1) - (top + np.log(np.exp(scores - top[:, None]).sum(axis=1))) / beta
