"""What a learning rule is, and how one of the user's own is found."""

import importlib.util
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType

from ..errors import BadInput
from ..network import Network
from ..schedule import MicroOp
from ..suggest import suggest
from .builder import Schedule

__all__ = ["Rule", "Build", "Option", "rule", "rules_in", "load_source"]

Build = Callable[[Schedule], list[MicroOp]]
"""From a schedule to the micro-operations of one sample."""
Option = bool | int | float | str
Prepare = Callable[[Network, Mapping[str, Option]], Network]


@dataclass(frozen=True)
class Rule:
    """A learning rule: ``learn`` gives the micro-operations of one training sample, ``answer`` those of
    one prediction, ``query`` those of one query.

    A list without IN gets those of the network's inputs (and targets, when it learns) in front, one
    without OUT those of what is asked for behind. ``prepare`` turns the configured network into the one
    that runs. ``options`` are the names and defaults of ``rule.options``.
    """

    name: str
    learn: Build
    answer: Build
    query: Build
    prepare: Prepare
    summary: str
    options: Mapping[str, Option] = field(default_factory=dict)

    def __call__(self, s: Schedule) -> list[MicroOp]:
        return self.learn(s)


def _as_it_is(network: Network, options: Mapping[str, Option]) -> Network:
    return network


def rule(name: str, answer: Build = Schedule.answer, query: Build = Schedule.query,
         prepare: Prepare = _as_it_is, **options: Option) -> Callable[[Build], Rule]:
    """Make a rule of the function that builds its training schedule; its docstring is the summary.

    Without ``answer`` a prediction is the feed-forward pass, on a cyclic graph the state after
    ``rule.steps`` steps.
    """
    def wrap(learn: Build) -> Rule:
        summary = (learn.__doc__ or name).strip().split("\n")[0]
        return Rule(name, learn, answer, query, prepare, summary, options)
    return wrap


def rules_in(*modules: ModuleType) -> dict[str, Rule]:
    """The rules that modules define, by name."""
    return {r.name: r for module in modules for r in vars(module).values() if isinstance(r, Rule)}


def load_source(path: Path, name: str) -> Rule:
    """The rule ``name`` of a Python file. Raises BadInput, naming file and line, when it cannot be run."""
    spec = importlib.util.spec_from_file_location(f"hebbar_rule_{path.stem}", path)
    if spec is None or spec.loader is None or not path.is_file():
        raise BadInput(f"rule.source is {str(path)!r}, which is no Python file; give the path of one.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BadInput:
        raise
    except Exception as error:
        line = traceback.extract_tb(error.__traceback__)[-1].lineno
        raise BadInput(f"rule.source {path}, line {line}: {type(error).__name__}, {error}.") from error
    found = rules_in(module)
    if name not in found:
        raise BadInput(f"rule.name is {name!r}, which {path} does not define{suggest(name, found)}.")
    return found[name]
