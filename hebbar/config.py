"""The user's TOML file as frozen, validated objects. Raises BadInput with the key and the fix."""

import tomllib
from importlib import resources
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, ValidationError

from .errors import BadInput
from .machine import Frozen, MachineConfig
from .network import Edge, Error, Network, Population, Role, layered
from .rule_config import RuleConfig
from .rules import find
from .suggest import suggest

__all__ = ["NetworkConfig", "RuleConfig", "TrainingConfig", "MachineConfig", "DataConfig", "Config",
           "load", "parse", "preset_names"]

class PopulationConfig(Frozen):
    """One ``[[network.populations]]`` entry."""

    name: str
    size: int = Field(ge=1, le=4095)
    activation: str = "identity"
    role: Role = Role.HIDDEN
    activity_frac: int = Field(5, ge=0, le=15)
    precision: int = Field(0, ge=-8, le=7)
    error: Error = Error.GAUSSIAN


class EdgeConfig(Frozen):
    """One ``[[network.edges]]`` entry."""

    source: str
    target: str
    alpha_shift: int = Field(4, ge=0, le=20)
    scale: float = Field(0.5, ge=0)
    plastic: bool = True
    zero_diagonal: bool = False
    positive: bool = False
    identity: bool = False
    mask: tuple[str, ...] = ()
    shares: str = ""


class NetworkConfig(Frozen):
    """``[network]``: either ``layers`` (sizes, input first) or ``populations`` and ``edges``."""

    layers: tuple[int, ...] = ()
    activation: str = "leaky"
    input_frac: int = Field(7, ge=0, le=15)
    hidden_frac: int = Field(5, ge=0, le=15)
    bias: bool = False
    populations: tuple[PopulationConfig, ...] = ()
    edges: tuple[EdgeConfig, ...] = ()


class TrainingConfig(Frozen):
    """``[training]``: online (batch 1), reshuffled every epoch; every alpha is halved at the start
    of the epochs in ``halve_alpha_at`` (counted from 0). ``refresh``: samples of an epoch after which the weights of
    an analog macro are read and programmed anew, 0: never."""

    epochs: int = Field(30, ge=1)
    halve_alpha_at: tuple[int, ...] = ()
    seed: int = Field(1, ge=0)
    refresh: int = Field(0, ge=0)


class DataConfig(Frozen):
    """``[data]``: which samples, and how they are split.

    ``digits``: scikit-learn's; ``stratified`` holds out 360 with equal class shares, ``last360``
    the last 360, written by other people; ``pool`` averages pool x pool pixels. ``npz``: the file
    ``path`` with ``inputs`` (samples, size), real numbers, and ``labels`` (samples,), class
    numbers; a fifth of it is held out, stratified or from the end. ``idx``: the folder ``path`` with
    MNIST's four files, divided as they are.
    """

    name: Literal["digits", "npz", "idx"] = "digits"
    path: str = ""
    split: Literal["stratified", "last360"] = "stratified"
    pool: Literal[1, 2] = 1
    seed: int = Field(0, ge=0)


class Config(Frozen):
    """One experiment: network, rule, training, machine and data."""

    name: str = "unnamed"
    network: NetworkConfig = NetworkConfig()
    rule: RuleConfig = RuleConfig()
    training: TrainingConfig = TrainingConfig()
    machine: MachineConfig = MachineConfig()
    data: DataConfig = DataConfig()

    def build_network(self) -> Network:
        """The network that runs: the configured one as the rule prepares it, as a graph. Raises BadInput when
        it is inconsistent or the rule cannot run on it."""
        rule = find(self.rule)
        return rule.prepare(self.configured_network(), dict(rule.options) | self.rule.options)

    def configured_network(self) -> Network:
        """The network as configured, as a graph; raises BadInput when it is inconsistent."""
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
        return parse(_located(tomllib.loads(text), path.parent), source)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{source}: not valid TOML, {error}.") from None


def _located(data: dict, folder: Path) -> dict:
    """The same tables with ``rule.source`` and ``data.path`` found from ``folder``, so that they are the same files
    wherever a process runs."""
    for section, key in (("rule", "source"), ("data", "path")):
        table = data.get(section)
        place = table.get(key) if isinstance(table, dict) else None
        if isinstance(place, str) and place and "\0" not in place:
            data = data | {section: table | {key: str((folder / place).absolute())}}
    return data


def parse(data: dict, where: str) -> Config:
    """Validate a nested dictionary; the first problem becomes one BadInput sentence. A relative ``rule.source`` or
    ``data.path`` is found from the current folder."""
    data = _located(data, Path())
    try:
        config = Config.model_validate({"name": where, **data})
        config.machine.check()
        config.build_network()
        if config.training.refresh and config.machine.tile != "analog":
            raise BadInput(f"training.refresh is {config.training.refresh}, and the weights of tile "
                           f"{config.machine.tile!r} need none; set it to 0.")
        _check_data(config.data)
        return config
    except ValidationError as error:
        raise BadInput(f"{where}: {_sentence(error)}") from None
    except BadInput as error:
        raise BadInput(f"{where}: {error}") from None


def _check_data(data: DataConfig) -> None:
    """Raise BadInput for keys that the chosen data do not use: what they ask for would be left out in silence."""
    if data.path and data.name == "digits":
        raise BadInput(f"data.path is {data.path!r}, and data.name 'digits' reads no file; set data.name to 'npz' or 'idx', "
                       "or leave data.path (on the command line --data) out.")
    if data.pool != 1 and data.name != "digits":
        raise BadInput(f"data.pool is {data.pool}, and only data.name 'digits' is pooled, not {data.name!r}; set it to 1.")
    if not data.path and data.name != "digits":
        raise BadInput(f"data.name is {data.name!r} and data.path is empty; give the "
                       f"{'file' if data.name == 'npz' else 'folder'} of the data.")


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
