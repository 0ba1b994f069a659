"""The user's TOML file as frozen, validated objects. Raises BadInput with the key and the fix."""

import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from hebbar.contract.errors import BadInput
from hebbar.contract.machine import MachineConfig
from hebbar.contract.section import Section, key
from hebbar.contract.suggest import shown, suggest
from hebbar.contract.texts import bounded

from .merge import merged
from .network import Edge, Network, Population, layered, mupc_scales
from .network_config import NetworkConfig
from .rule_config import RuleConfig
from .rules import find

__all__ = ["NetworkConfig", "RuleConfig", "TrainingConfig", "MachineConfig", "DataConfig", "Config",
           "load", "parse", "preset_names"]

class TrainingConfig(Section):
    """``[training]``: online (batch 1), reshuffled every epoch."""

    epochs: int = key(30, "Passes over the training samples.", "epochs", ge=1, le=100_000)
    halve_alpha_at: tuple[Annotated[int, Field(ge=0, le=100_000)], ...] = key(
        (), "Epochs, counted from 0, at whose start every alpha is halved.", "epochs", [15, 20, 25], max_length=64)
    seed: int = key(1, "Seed of the first weights and of the order of samples.", ge=0, lt=1 << 63)
    refresh: int = key(0, "Samples of an epoch after which the weights of an analog macro are read and programmed "
                          "anew; 0: never.", "samples", ge=0, lt=1 << 31)


class DataConfig(Section):
    """``[data]``: which samples, and how they are split."""

    name: Literal["digits", "npz", "csv", "images", "idx"] = key(
        "digits", "digits: scikit-learn's. npz: the file `path` with inputs (samples, size) and labels (samples,), "
                  "class numbers. csv: a line a sample, its class in the column `label`, `class` or `target`, else "
                  "last. images: a folder of pictures for each class. Of these a fifth is held out. idx: the folder "
                  "`path` with MNIST's four files, divided as they are.",
        example="npz")
    path: str = key("", "File or folder of the data.", example="data/mnist", max_length=4096,
                    pattern=r"^[^\x00]*$")
    split: Literal["stratified", "last360"] = key(
        "stratified", "stratified: 360 digits, of other data a fifth, are held out with equal class shares; last360: "
                      "the last ones, of the digits written by other people.", example="last360")
    pool: Literal[1, 2] = key(1, "Average the digits over pool x pool pixels.", "pixels")
    seed: int = key(0, "Seed of the split.", ge=0, lt=1 << 32)
    unit: float = key(1.0, "What stands for 1 in the inputs of npz and csv, which are divided by it.", example=255.0,
                      gt=0)
    image_size: tuple[Annotated[int, Field(ge=1, le=4095)], ...] = key(
        (), "Height and width that pictures are scaled to; empty: as they are, all of one size.", "pixels", [28, 28],
        max_length=2)
    color: bool = key(False, "Take red, green and blue of every pixel of a picture instead of its grey.")


class Config(Section):
    """One experiment: network, rule, training, machine and data."""

    name: str = key("unnamed", "What tables and records call the experiment; of a file its path.", max_length=4096)
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
            return layered(list(n.layers), n.activation, list(r.alpha_shifts), self._scales(),
                           n.input_frac, n.hidden_frac, n.bias, n.residual)
        if r.alpha_shifts or r.init_scales or r.init != "scales":
            raise BadInput("rule.alpha_shifts, rule.init_scales and rule.init belong to network.layers; "
                           "with edges give alpha_shift and scale on each edge.")
        return Network(tuple(Population(**p.model_dump()) for p in n.populations),
                       tuple(Edge(**e.model_dump()) for e in n.edges))

    def _scales(self) -> list[float]:
        """First spread of every layer of ``network.layers``."""
        given = list(self.rule.init_scales)
        if self.rule.init == "scales":
            return given
        if given:
            raise BadInput(f"rule.init is 'mupc', which gives every layer its spread, and rule.init_scales is {given}; "
                           "remove one of the two.")
        return mupc_scales(self.network.layers)

    def replace(self, **sections: Mapping[str, Any]) -> "Config":
        """A copy with some keys of some sections changed, validated again.

        A table keeps the keys that are not named, however deep it lies; a list, of tables too, takes the place of the
        whole list. Another ``machine.analog.preset`` brings the values of its device where no other was ever given.
        """
        return self.changed(sections)

    def changed(self, changes: Mapping[str, Any]) -> "Config":
        """A copy with ``changes`` as ``replace`` makes them, of keys outside of any section too; a table of numbers
        in place of a list changes those entries of it."""
        try:
            data = merged(self.model_dump(exclude_unset=True), changes)
        except BadInput as error:
            raise BadInput(f"{self.name}: {error}") from None
        return parse(data, self.name)


def preset_names() -> list[str]:
    """Names of the configurations that ship with Hebbar."""
    files = resources.files("hebbar").joinpath("presets").iterdir()
    return sorted(f.name.removesuffix(".toml") for f in files if f.name.endswith(".toml"))


def load(source: str) -> Config:
    """Read a preset by name or a TOML file by path, UTF-8 whatever the locale, a byte order mark or none."""
    path = Path(source)
    if not path.suffix and not _exists(path):
        if source not in preset_names():
            raise BadInput(f"{shown(source)} is neither a file nor a preset"
                           f"{suggest(source, preset_names())}.")
        text = resources.files("hebbar").joinpath("presets", f"{source}.toml").read_text(encoding="utf-8")
    else:
        text = _text(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadInput(f"{source}: not valid TOML, {error}.") from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, thousands of nested lists
        raise BadInput(f"{source}: not valid TOML, {str(error).rstrip('.') or 'nested too deep'}.") from None
    return parse(_located(data, path.parent), source)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _text(path: Path) -> str:
    try:
        return bounded(path).decode("utf-8-sig")  # editors of Windows begin with a byte order mark
    except UnicodeDecodeError as error:
        raise BadInput(f"{path}: cannot be read as UTF-8 ({error.reason} at byte {error.start}); save it as "
                       "UTF-8.") from None
    except OSError as error:
        raise BadInput(f"{shown(str(path), quotes=False)}: cannot be read ({error.strerror}); check the "
                       "path.") from None


def _located(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The tables with ``rule.source`` and ``data.path`` found from ``folder``, so that they are the same files
    wherever a process runs."""
    for section, name in (("rule", "source"), ("data", "path")):
        table = data.get(section)
        if not isinstance(table, dict):
            continue
        place = table.get(name)
        if isinstance(place, str) and place and "\0" not in place:
            data = data | {section: table | {name: str((folder / place).absolute())}}
    return data


def parse(data: Mapping[str, Any], where: str) -> Config:
    """Validate a nested dictionary; the first problem becomes one BadInput sentence. A relative ``rule.source`` or
    ``data.path`` is found from the current folder."""
    if not isinstance(data, Mapping):
        raise BadInput(f"{where} is {shown(data)}; give a dictionary of sections.")
    try:
        config = Config.model_validate({"name": where, **_located(dict(data), Path())})
        config.machine.check()
        config.build_network()
        if config.training.refresh and not config.machine.kind.macro:
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
        raise BadInput(f"data.path is {data.path!r}, and data.name 'digits' reads no file; set data.name to 'npz', "
                       "'csv', 'images' or 'idx', or leave data.path (on the command line --data) out.")
    if not data.path and data.name != "digits":
        raise BadInput(f"data.name is {data.name!r} and data.path is empty; give the "
                       f"{'file' if data.name in ('npz', 'csv') else 'folder'} of the data.")
    if data.unit != 1 and data.name not in ("npz", "csv"):
        raise BadInput(f"data.unit is {data.unit:g}, and data.name {data.name!r} has values of 0 to 1; leave it out.")
    if (data.image_size or data.color) and data.name != "images":
        raise BadInput(f"data.image_size and data.color are of pictures, and data.name is {data.name!r}; leave them "
                       "out.")
    if len(data.image_size) == 1:
        raise BadInput(f"data.image_size is [{data.image_size[0]}]; give height and width, such as [28, 28].")


KINDS = {"tuple_type": "a list", "string_type": "text", "int_type": "a whole number",
         "int_from_float": "a whole number",
         "float_type": "a number", "bool_type": "true or false", "finite_number": "a finite number"}
"""What pydantic asks for in place of a value, by the type of its finding."""


def _sentence(error: ValidationError) -> str:
    """The first pydantic finding as a sentence: key, value, allowed, nearest name."""
    first = error.errors(include_url=False)[0]
    location = [str(part) for part in first["loc"]]
    if location[:2] == ["rule", "options"]:
        location = location[:3]  # the types of a value are no part of its key
    key, value = shown(".".join(location), quotes=False), shown(first["input"])
    if first["type"] == "extra_forbidden":
        return f"unknown key {key}{suggest(location[-1], _keys(location[:-1]))}."
    if first["type"] == "missing":
        return f"{key} is missing; give it."
    if first["type"] in ("literal_error", "enum"):
        allowed = first["ctx"]["expected"].replace(" or ", ", ").replace("'", "").split(", ")
        return f"{key} is {value}{suggest(str(first['input']), allowed)}."
    if first["type"] in ("model_type", "model_attributes_type", "dict_type"):
        return f"{key} is {value}; give a table of {', '.join(_keys(location)) or 'keys and values'}."
    if first["type"] in KINDS:
        return f"{key} is {value}; give {KINDS[first['type']]}."
    message = first["msg"].removeprefix("Value error, ").replace("Input should", "it should").rstrip(".")
    return f"{key} is {value}: {message}."


def _keys(path: list[str]) -> list[str]:
    """The keys a section takes, following ``path`` through the models."""
    model: Any = Config
    for part in path:
        if part.isdigit():
            continue
        annotation = model.model_fields[part].annotation if part in getattr(model, "model_fields", {}) else None
        args = getattr(annotation, "__args__", ())
        model = args[0] if args else annotation
    return list(getattr(model, "model_fields", {}))
