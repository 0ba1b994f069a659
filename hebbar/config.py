"""The user's TOML file as frozen, validated objects. Raises BadInput with the key and the fix."""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from .errors import BadInput
from .formats import Format, Formats
from .network import Edge, Network, Population, Role, layered
from .suggest import suggest

__all__ = ["NetworkConfig", "RuleConfig", "TrainingConfig", "MachineConfig", "DataConfig", "Config",
           "load", "parse", "preset_names"]

Name = Literal["il", "ipc", "zil", "backprop"]

ARRAY_CELLS = 1 << 14
"""Cells an array macro may have: every one is a register with its multipliers."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class PopulationConfig(_Frozen):
    """One ``[[network.populations]]`` entry."""

    name: str
    size: int = Field(ge=1, le=4095)
    activation: str = "identity"
    role: Role = Role.HIDDEN
    activity_frac: int = Field(5, ge=0, le=15)


class EdgeConfig(_Frozen):
    """One ``[[network.edges]]`` entry."""

    source: str
    target: str
    alpha_shift: int = Field(4, ge=0, le=20)
    scale: float = Field(0.5, ge=0)
    plastic: bool = True
    zero_diagonal: bool = False


class NetworkConfig(_Frozen):
    """``[network]``: either ``layers`` (sizes, input first) or ``populations`` and ``edges``."""

    layers: tuple[int, ...] = ()
    activation: str = "leaky"
    input_frac: int = Field(7, ge=0, le=15)
    hidden_frac: int = Field(5, ge=0, le=15)
    bias: bool = False
    populations: tuple[PopulationConfig, ...] = ()
    edges: tuple[EdgeConfig, ...] = ()


class RuleConfig(_Frozen):
    """``[rule]``: the learning rule and its constants.

    ``steps`` counts state steps; the errors are recomputed after the last one and the update uses
    them. ``gamma`` is rounded to the machine's GAIN format. ``alpha_shifts`` and ``init_scales``
    are per weight layer of a layered network. ``hoist`` computes the contribution of clamped
    sources once a sample.
    """

    name: Name = "il"
    steps: int = Field(8, ge=0, le=4095)
    gamma: float = Field(0.25, ge=0, lt=2)
    alpha_shifts: tuple[int, ...] = ()
    init_scales: tuple[float, ...] = ()
    hoist: bool = True


class TrainingConfig(_Frozen):
    """``[training]``: online (batch 1), reshuffled every epoch; every alpha is halved at the start
    of the epochs in ``halve_alpha_at`` (counted from 0)."""

    epochs: int = Field(30, ge=1)
    halve_alpha_at: tuple[int, ...] = ()
    seed: int = Field(1, ge=0)


class DataConfig(_Frozen):
    """``[data]``: which samples. ``stratified`` holds out 360 digits with equal class shares,
    ``last360`` the last 360, written by other people. ``pool`` averages pool x pool pixels."""

    name: Literal["digits"] = "digits"
    split: Literal["stratified", "last360"] = "stratified"
    pool: Literal[1, 2] = 1
    seed: int = Field(0, ge=0)


class MachineConfig(_Frozen):
    """``[machine]``: the geometry and the widths of the accelerator.

    ``lanes`` C weights of each of ``row_tiles`` P rows are processed a cycle. Depths count words:
    a weight word is P x C weights, a neuron word is C neurons.
    """

    tile: Literal["rows", "array"] = "rows"
    lanes: int = 8
    row_tiles: int = 1
    weight_words: int = Field(1024, ge=2, le=1 << 20)
    neuron_words: int = Field(64, ge=2, le=1 << 12)
    max_columns: int = Field(32, ge=1, le=1 << 10)
    map_entries: int = Field(128, ge=2, le=1 << 12)
    blocks: int = Field(32, ge=2, le=1 << 10)
    program_words: int = Field(256, ge=2, le=1 << 12)
    functions: int = Field(4, ge=1, le=16)
    weight_bits: int = Field(16, ge=3, le=24)
    weight_frac: int = Field(13, ge=0, le=23)
    state_bits: int = Field(16, ge=3, le=16)
    state_frac: int = Field(12, ge=0, le=15)
    error_bits: int = Field(16, ge=3, le=16)
    activity_bits: int = Field(8, ge=2, le=8)
    activity_frac: int = Field(7, ge=0, le=15)
    row_sum_bits: int = Field(36, ge=8, le=53)
    back_sum_bits: int = Field(42, ge=8, le=53)

    @field_validator("lanes", "row_tiles")
    @classmethod
    def _power_of_two(cls, value: int) -> int:
        if value < 1 or value > 64 or value & (value - 1):
            raise ValueError("must be a power of two from 1 to 64")
        return value

    def check(self) -> None:
        """Raise BadInput for a geometry the hardware cannot have."""
        if self.lanes < 4:
            raise BadInput(f"machine.lanes is {self.lanes}; it must be at least 4, the activities "
                           "of one stream beat.")
        if self.row_tiles > self.lanes:
            raise BadInput(f"machine.row_tiles is {self.row_tiles}, more than machine.lanes "
                           f"({self.lanes}); lower row_tiles.")
        if self.tile == "array":
            self._check_array()
        f = self.formats
        for key, shift in (("weight_frac and activity_frac", f.sum_shift),
                           ("weight_frac", f.back_shift)):
            if shift < 0:
                raise BadInput(f"machine.state_frac is {self.state_frac}, finer than the products "
                               f"it is rounded from; raise machine.{key} or lower state_frac.")

    def _check_array(self) -> None:
        """Raise BadInput for an array macro that is not whole rows or has too many cells."""
        whole = self.weight_words // self.max_columns * self.max_columns
        if whole != self.weight_words:
            raise BadInput(f"machine.weight_words is {self.weight_words}; with tile 'array' it must "
                           f"be a multiple of max_columns ({self.max_columns}), such as "
                           f"{whole + self.max_columns}.")
        cells = self.weight_words * self.row_tiles * self.lanes
        if cells > ARRAY_CELLS:
            raise BadInput(f"machine.weight_words is {self.weight_words}, which makes {cells} cells "
                           f"with tile 'array', at most {ARRAY_CELLS} are possible; lower "
                           "weight_words or max_columns, or use tile 'rows'.")

    @property
    def formats(self) -> Formats:
        """Every number format of this machine."""
        s = self.state_frac
        return Formats(
            weight=Format(self.weight_bits, self.weight_frac),
            state=Format(self.state_bits, s),
            error=Format(self.error_bits, s),
            activity=Format(self.activity_bits, self.activity_frac),
            derivative=Format(9, 7),
            feedback=Format(self.state_bits + 4, s),
            row_sum=Format(self.row_sum_bits, self.weight_frac + self.activity_frac),
            back_sum=Format(self.back_sum_bits, self.weight_frac + s),
            gain=Format(9, 7))

    @property
    def groups(self) -> int:
        """Row groups (P neurons each) of the neuron address space."""
        return self.neuron_words * self.lanes // self.row_tiles

    @property
    def array_stride(self) -> int:
        """Weight words of one row group of the array macro; its rows all have this length."""
        return self.max_columns


class Config(_Frozen):
    """One experiment: network, rule, training, machine and data."""

    name: str = "unnamed"
    network: NetworkConfig = NetworkConfig()
    rule: RuleConfig = RuleConfig()
    training: TrainingConfig = TrainingConfig()
    machine: MachineConfig = MachineConfig()
    data: DataConfig = DataConfig()

    def build_network(self) -> Network:
        """The network as a graph; raises BadInput when it is inconsistent."""
        n, r = self.network, self.rule
        if bool(n.layers) == bool(n.populations):
            raise BadInput("network: give either layers or populations with edges, not both.")
        if n.layers:
            return layered(list(n.layers), n.activation, list(r.alpha_shifts), list(r.init_scales),
                           n.input_frac, n.hidden_frac, n.bias)
        if r.alpha_shifts or r.init_scales:
            raise BadInput("rule.alpha_shifts and rule.init_scales belong to network.layers; "
                           "with edges give alpha_shift and scale on each edge.")
        return Network(tuple(Population(**p.model_dump()) for p in n.populations),
                       tuple(Edge(**e.model_dump()) for e in n.edges))

    def replace(self, **sections: dict) -> "Config":
        """A copy with some keys of some sections changed, validated again."""
        data = self.model_dump()
        for section, keys in sections.items():
            data[section].update(keys)
        return parse(data, self.name)


def preset_names() -> list[str]:
    """Names of the configurations that ship with Hebbar."""
    files = resources.files("hebbar").joinpath("presets").iterdir()
    return sorted(f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml"))


def load(source: str) -> Config:
    """Read a preset by name or a TOML file by path."""
    path = Path(source)
    if not path.suffix and not path.exists():
        if source not in preset_names():
            raise BadInput(f"{source!r} is neither a file nor a preset"
                           f"{suggest(source, preset_names())}.")
        text = resources.files("hebbar").joinpath("presets", f"{source}.toml").read_text()
    else:
        try:
            text = path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"{source}: cannot be read ({error}); check the path.") from None
    try:
        return parse(tomllib.loads(text), source)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{source}: not valid TOML, {error}.") from None


def parse(data: dict, where: str) -> Config:
    """Validate a nested dictionary; the first problem becomes one BadInput sentence."""
    try:
        config = Config.model_validate({"name": where, **data})
        config.machine.check()
        config.build_network()
        return config
    except ValidationError as error:
        raise BadInput(f"{where}: {_sentence(error)}") from None
    except BadInput as error:
        raise BadInput(f"{where}: {error}") from None


def _sentence(error: ValidationError) -> str:
    """The first pydantic finding as a sentence: key, value, allowed, nearest name."""
    first = error.errors()[0]
    location = [str(part) for part in first["loc"]]
    key = ".".join(location)
    if first["type"] == "extra_forbidden":
        return f"unknown key {key}{suggest(location[-1], _keys(location[:-1]))}."
    if first["type"] == "literal_error":
        allowed = first["ctx"]["expected"].replace(" or ", ", ").replace("'", "").split(", ")
        return f"{key} is {first['input']!r}{suggest(str(first['input']), allowed)}."
    return f"{key} is {first['input']!r}: {first['msg'].removeprefix('Value error, ')}."


def _keys(path: list[str]) -> list[str]:
    """The keys a section takes, following ``path`` through the models."""
    model: type[BaseModel] = Config
    for part in path:
        if part.isdigit():
            continue
        annotation = model.model_fields[part].annotation
        args = getattr(annotation, "__args__", ())
        model = args[0] if args else annotation
    return list(model.model_fields)
