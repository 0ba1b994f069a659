"""The section ``[network]`` of a configuration."""

from typing import Annotated

from pydantic import Field

from hebbar.contract.section import LONGEST, Section, key

from .network import Error, Role

__all__ = ["PopulationConfig", "EdgeConfig", "NetworkConfig"]

Size = Annotated[int, Field(ge=1, le=4095)]
Frac = Annotated[int, Field(ge=0, le=15)]
Shift = Annotated[int, Field(ge=0, le=20)]
Name = Annotated[str, Field(min_length=1, max_length=64, pattern=r"^[^:\x00-\x1f\x7f]*$")]
"""The name of a population; a colon stands between the ends of an edge."""


class PopulationConfig(Section):
    """``[[network.populations]]``: a group of value nodes."""

    name: Name = key(..., "What edges, samples and outputs call it; no colon.", example="hidden")
    size: Size = key(..., "Neurons.", "neurons", 64)
    activation: str = key("identity", "Function f of its states: identity, relu, leaky, tanh, sigmoid, hard_tanh, "
                                      "spike, or one of a rule's source.", example="relu", max_length=64)
    role: Role = key(Role.HIDDEN, "When it is clamped: an input always, a target while training, a constant to 1, "
                                  "hidden never.", example="input")
    activity_frac: Frac = key(5, "Fraction bits of its activities; of 8 bits, 5 reach 4 and 7 reach 1.", "bits")
    precision: int = key(0, "log2 of the precision pi of its errors, e = pi (x - mu).", "log2", -1, ge=-8, le=7)
    error: Error = key(Error.GAUSSIAN, "gaussian: e = pi (x - mu); categorical, of a target: e = x - softmax(beta mu).",
                       example="categorical")


class EdgeConfig(Section):
    """``[[network.edges]]``: a block of weights from one population to another."""

    source: str = key(..., "The population that predicts.", example="hidden", max_length=64)
    target: str = key(..., "The population that is predicted.", example="output", max_length=64)
    alpha_shift: Shift = key(4, "Learning rate alpha = 2^-shift.", "log2 of 1/alpha")
    scale: float = key(0.5, "First weights are uniform with standard deviation scale / sqrt(columns); 0: all `value`. "
                            "They must fit the weight format.", ge=0)
    value: float = key(0.0, "What all its weights begin as where scale is 0.")
    plastic: bool = key(True, "Whether its weights learn.")
    zero_diagonal: bool = key(False, "Of an edge from a population to itself: no neuron to itself.")
    positive: bool = key(False, "Weights start at or above zero and learning keeps them there.")
    identity: bool = key(False, "The unit matrix instead of weights; nothing is stored.")
    mask: tuple[Annotated[str, Field(max_length=LONGEST)], ...] = key(
        (), "Rows of 0 and 1 that divide the block evenly into parts, 1 where a part exists; empty: all of it.",
        example=["10", "01"], max_length=LONGEST)
    shares: str = key("", "'source:target' of the edge whose weights this one uses instead of its own.",
                      example="input:slots", max_length=129)


class NetworkConfig(Section):
    """``[network]``: either ``layers`` or ``populations`` with ``edges``, at most 256 populations and 1,024 edges."""

    layers: tuple[Size, ...] = key((), "Sizes of a layered network, input first.", "neurons", [64, 64, 10],
                                   max_length=256)
    activation: str = key("leaky", "Function f of the hidden layers.", example="tanh", max_length=64)
    input_frac: Frac = key(7, "Fraction bits of the inputs' activities.", "bits")
    hidden_frac: Frac = key(5, "Fraction bits of the other layers' activities, and of a bias.", "bits")
    residual: bool = key(False, "Of `layers`: an identity edge beside every edge between layers of one size, inside.")
    bias: bool = key(False, "A constant population that feeds all layers but the first.")
    populations: tuple[PopulationConfig, ...] = key((), "Populations of any graph, in storage order.", max_length=256)
    edges: tuple[EdgeConfig, ...] = key((), "Blocks of weights between them.", max_length=1024)
