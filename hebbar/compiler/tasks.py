"""What a learning system is for: which samples it takes and what the answers are measured by."""

from enum import Enum

from .network import Network, Role

__all__ = ["Kind", "entries_of", "kind_of"]


class Kind(Enum):
    """Kinds of task. A rule names its own; for the others the network decides (``kind_of``).

    CLASSIFICATION: an input and a target, labelled samples; accuracy on held-out ones. GENERATION: a network that
    predicts its input from the target; labels are asked for by a query that holds the input. COMPLETION: one that
    predicts its input and has no target; it stores samples and completes them from a part. RECALL: patterns are
    stored one a neuron and recalled from noisy ones. VALUES: values of places by temporal differences. SPIKES: orders
    of spikes told apart without labels.
    """

    CLASSIFICATION = "classification"
    GENERATION = "generation"
    COMPLETION = "completion"
    RECALL = "recall"
    VALUES = "values"
    SPIKES = "spikes"


def entries_of(network: Network) -> tuple[str, ...]:
    """The entries of a network's program: a query where an input is predicted."""
    predicted = any(network.incoming(p.name) for p in network.with_role(Role.INPUT))
    return ("train", "predict", "query") if predicted else ("train", "predict")


def kind_of(network: Network, declared: Kind | None) -> Kind:
    """The kind of task of a network whose rule ``declared`` one or, None, leaves it to the network."""
    if declared is not None:
        return declared
    if "query" not in entries_of(network):
        return Kind.CLASSIFICATION
    return Kind.GENERATION if network.with_role(Role.TARGET) else Kind.COMPLETION
