"""What a file of weights says about itself, so that it can be asked without anything else: its configuration and the
names of its classes."""

import json
from collections.abc import Sequence
from pathlib import Path

from hebbar.compiler.config import Config, parse
from hebbar.contract.errors import BadInput

from ..fixed import Ints
from ..image import from_image
from .tasks import LearningTask
from .weight_format import format_meta
from .weights import load_meta, save_weights

__all__ = ["class_names_in", "configuration_in", "description", "save_trained"]

CONFIGURATION = "configuration"
CLASSES = "classes"


def description(config: Config, names: Sequence[str] = ()) -> dict[str, str]:
    """What to write into a file of weights: the name of the configuration, all that was given of it, the format of its
    weights, and the names of the classes by number."""
    said = {"config": config.name, CONFIGURATION: json.dumps(config.model_dump(mode="json", exclude_unset=True))}
    said |= format_meta(config.machine)
    return said | ({CLASSES: json.dumps(list(names))} if names else {})


def save_trained(path: Path, task: LearningTask, image: Ints) -> Path:
    """Write the weight image (words, P, C) that a task was trained to, with its description; returns ``path``."""
    program = task.program
    save_weights(path, from_image(program.layout, image),
                 description(program.config, task.data.names if task.data else ()))
    return path


def configuration_in(path: Path) -> Config:
    """The configuration that the weights in ``path`` were trained with. Raises BadInput for a file that says none, and
    for a rule of one's own: a file of weights from anybody must not choose which program runs."""
    text = load_meta(path).get(CONFIGURATION)
    if text is None:
        raise BadInput(f"{path} does not say its configuration; give it with --config.")
    try:
        said = json.loads(text)
    except (ValueError, RecursionError):
        raise BadInput(f"{path} says a configuration that cannot be read; give it with --config.") from None
    if isinstance(said, dict) and isinstance(rule := said.get("rule"), dict) and rule.get("source"):
        raise BadInput(f"{path} was trained with a rule of its own, {rule['source']!r}; give the configuration with "
                       "--config, after a look at that file: it is a program.")
    return parse(said, str(path))


def class_names_in(path: Path) -> tuple[str, ...]:
    """The names of the classes by number; none where the file says none."""
    try:
        names = json.loads(load_meta(path).get(CLASSES, "[]"))
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadInput(f"{path} says names of classes that cannot be read; save the weights again.")
    return tuple(names)
