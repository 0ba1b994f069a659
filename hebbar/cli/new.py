"""The command that writes a configuration, from options or from answers."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from hebbar.contract.errors import BadInput

from .options import Json

__all__ = ["new"]

DIGITS = 64, 10
"""Inputs and classes of the data that come with scikit-learn."""


def new(file: Annotated[Path, typer.Argument(help="The TOML file to write.")],
        data: Annotated[Path | None, typer.Option(
            help="Samples of your own: a CSV file, an .npz file, a folder of pictures or of MNIST's files. Sizes of "
                 "input and output are taken from them.")] = None,
        hidden: Annotated[str | None, typer.Option(help="Sizes of the hidden layers, as in 64 or 128,64; default: "
                                                        "64.")] = None,
        layers: Annotated[str | None, typer.Option(help="Sizes of all layers, instead of taking them from data.")] =
        None, rule: Annotated[str, typer.Option(help="Learning rule.")] = "il",
        activation: Annotated[str, typer.Option(help="Of the hidden layers.")] = "leaky",
        epochs: Annotated[int, typer.Option(min=1, help="Passes over the training samples.")] = 30,
        lanes: Annotated[int, typer.Option(help="Weights of a row that are worked on in a cycle.")] = 8,
        row_tiles: Annotated[int, typer.Option(help="Rows that are worked on in a cycle.")] = 2,
        image_size: Annotated[str | None, typer.Option(help="Height and width that pictures are scaled to, as in "
                                                            "16,16.")] = None,
        bias: Annotated[bool, typer.Option("--bias", help="Every neuron has a bias.")] = False,
        force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
        as_json: Json = False) -> None:
    """Write a commented configuration; without --data and --layers, a terminal is asked questions."""
    import json

    from hebbar.compiler.config import parse
    from hebbar.compiler.program import compile_config
    from hebbar.compiler.template import commented, first_rates, fitted
    from hebbar.contract.files import write_text

    if file.exists() and not force:
        raise BadInput(f"{file} is there already; give another name, or --force to overwrite it.")
    if layers and hidden:
        raise BadInput("--layers has the sizes of the hidden layers too, and --hidden is given; leave one out.")
    if data is None and layers is None and sys.stdin.isatty() and not as_json:
        data, hidden, rule, epochs = _asked(hidden, rule, epochs)
    section, ends = _data(data, image_size)
    sizes = _sizes("--layers", layers) if layers else (ends[0], *_sizes("--hidden", hidden or "64"), ends[1])
    network: dict[str, Any] = {"layers": list(sizes), "activation": activation} | ({"bias": True} if bias else {})
    sections = {"network": network, "rule": {"name": rule, "steps": 8, "gamma": 0.5, **first_rates(sizes)},
                "training": {"epochs": epochs, "halve_alpha_at": sorted({epochs // 2, epochs * 3 // 4} - {0})},
                "machine": {"lanes": lanes, "row_tiles": row_tiles}, "data": section}
    sections = fitted(sections)
    if "path" in section:
        sections["data"] = section | {"path": Path(os.path.relpath(section["path"], file.parent)).as_posix()}
    text = commented(sections, f"{' - '.join(map(str, sizes))}, {rule}; hebbar run {file.name} trains it. "
                               "Learning rates are a first guess: hebbar sweep compares others.")
    compile_config(parse(sections | {"data": section}, str(file)))
    write_text(file, text)
    typer.echo(json.dumps({"file": str(file), **sections}) if as_json else
               f"wrote {file}, a network of {' - '.join(map(str, sizes))}; next: hebbar run {file}")


def _asked(hidden: str | None, rule: str, epochs: int) -> tuple[Path | None, str, str, int]:
    """Answers to the questions; return takes what stands in brackets."""
    path = typer.prompt("Your data: a CSV or .npz file or a folder of pictures; empty: scikit-learn's digits", "",
                        show_default=False)
    return (Path(path).expanduser() if path else None, typer.prompt("Sizes of the hidden layers", hidden or "64"),
            typer.prompt("Learning rule (il, ipc, zil, backprop, ..)", rule),
            typer.prompt("Passes over the training samples", epochs, type=int))


def _data(path: Path | None, image_size: str | None) -> tuple[dict[str, Any], tuple[int, int]]:
    """The section ``data``, and how many inputs and classes the samples have."""
    if path is None:
        if image_size:
            raise BadInput("--image-size is of pictures, and there is no --data; give their folder.")
        return {"name": "digits"}, DIGITS
    import numpy as np

    from golden.given import numbers
    from golden.learning.datasets import MOST_CLASSES, load
    from golden.learning.sample_checks import check_labels
    from golden.learning.sample_files import labelled_samples
    from hebbar.compiler.config import DataConfig

    kind = {".npz": "npz"}.get(path.suffix.lower()) or ("csv" if not path.is_dir() else _folder(path))
    section: dict[str, Any] = {"name": kind, "path": str(path.absolute())}
    if image_size and kind != "images":
        raise BadInput(f"--image-size is of pictures, and {path} is none; leave it out.")
    if image_size:
        section["image_size"] = list(_sizes("--image-size", image_size))
        if len(section["image_size"]) != 2:
            raise BadInput(f"--image-size is {image_size!r}; give height and width, as in 16,16.")
    if kind == "idx":
        train = load(DataConfig(**section)).train
        return section, (train.codes.shape[1], int(train.labels.max()) + 1)
    found = labelled_samples(DataConfig(**section))
    assert found.labels is not None
    inputs, labels = numbers(f"{path}: inputs", found.inputs), numbers(f"{path}: labels", found.labels)
    if inputs.ndim != 2 or not inputs.size or not np.isfinite(inputs).all():
        raise BadInput(f"{path} holds inputs of shape {inputs.shape}, or some that are not finite; give finite "
                       "numbers, (samples, size).")
    check_labels(f"{path}: labels", labels, MOST_CLASSES)
    most = float(np.abs(inputs).max())
    pixels = 16 < most <= 255 and inputs.min() >= 0 and (inputs == np.floor(inputs)).all()
    if most > 1:
        section["unit"] = 255.0 if pixels else most
    return section, (inputs.shape[1], max(2, len(found.names), int(labels.max(initial=0)) + 1))


def _folder(path: Path) -> str:
    """What a folder holds: MNIST's files, or pictures."""
    return "idx" if any("idx" in p.name and "ubyte" in p.name for p in path.iterdir()) else "images"


def _sizes(option: str, text: str) -> tuple[int, ...]:
    try:
        sizes = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise BadInput(f"{option} is {text!r}; give whole numbers with commas, as in 64,32.") from None
    if min(sizes) < 1 or max(sizes) > 4095:
        raise BadInput(f"{option} is {text!r}; give numbers from 1 to 4095.")
    return sizes
