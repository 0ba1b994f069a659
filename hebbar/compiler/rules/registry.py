"""What a learning rule is, and how one of the user's own is found."""

import sys
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import Any

from hebbar.contract import sources
from hebbar.contract.activations import ACTIVATIONS, Activation
from hebbar.contract.errors import BadInput, HebbarError
from hebbar.contract.memories import Mem
from hebbar.contract.suggest import shown, suggest
from hebbar.contract.texts import bounded

from ..network import Edge, Network
from ..schedule import LoopOp, MicroOp, TransferOp
from ..tasks import Kind
from .builder import Schedule

__all__ = ["Rule", "Build", "Visits", "Option", "Prepare", "rule", "rules_in", "load_source"]

Build = Callable[[Schedule], list[MicroOp]]
"""Makes the micro-operations of one sample from a schedule."""
Visits = Callable[[Schedule, Edge], float]
"""How often one sample must visit the weights of an edge, whatever the schedule makes of it: from the equations."""
Option = bool | int | float | str
Prepare = Callable[[Network, Mapping[str, Option]], Network]


@dataclass(frozen=True)
class Rule:
    """A learning rule: ``learn`` gives the micro-operations of one training sample, ``answer`` those of
    one prediction, ``query`` those of one query.

    A list without IN gets those of the network's inputs (and targets, when it learns) in front, one
    without OUT those of what is asked for behind. ``prepare`` turns the configured network into the one
    that runs. ``options`` are the names and defaults of ``rule.options``. ``visits``: the least that one sample of
    an entry must visit the weights of an edge; an entry that is not in it has no declared minimum. ``task``: what the
    rule is for, None where the network decides. ``gains``: options that are the gain of a sweep less a number, and that
    number; ``Experiment.parameters`` lists them under their own name.
    """

    name: str
    learn: Build
    answer: Build
    query: Build
    prepare: Prepare
    summary: str
    options: Mapping[str, Option] = field(default_factory=dict)
    visits: Mapping[str, Visits] = field(default_factory=dict)
    task: Kind | None = None
    gains: Mapping[str, float] = field(default_factory=dict)

    def __call__(self, s: Schedule) -> list[MicroOp]:
        return self.learn(s)


def _as_it_is(network: Network, options: Mapping[str, Option]) -> Network:
    return network


def rule(name: str, answer: Build = Schedule.answer, query: Build = Schedule.query,
         prepare: Prepare = _as_it_is, visits: Visits | None = None, answer_visits: Visits | None = None,
         query_visits: Visits | None = None, task: Kind | str | None = None,
         gains: Mapping[str, float] | None = None, **options: Option,
         ) -> Callable[[Build], Rule]:
    """Make a rule of the function that builds its training schedule; its docstring is the summary.

    Without ``answer`` a prediction is the feed-forward pass, on a cyclic graph the state after
    ``rule.steps`` steps. ``visits`` of training, of an answer and of a query: the minimum that cycles are held
    against; without it there is none to show, but for the answers and queries that every rule has.
    """
    if answer is Schedule.answer:
        answer_visits = answer_visits or Schedule.answer_visits
    if query is Schedule.query:
        query_visits = query_visits or Schedule.query_visits
    kind = None if task is None else Kind(task)
    declared = {"train": visits, "predict": answer_visits, "query": query_visits}

    def wrap(learn: Build) -> Rule:
        summary = (learn.__doc__ or name).strip().split("\n")[0]
        return Rule(name, learn, answer, query, prepare, summary, options,
                    {entry: found for entry, found in declared.items() if found}, kind, gains or {})
    return wrap


def rules_in(*modules: ModuleType) -> dict[str, Rule]:
    """The rules that modules define, by name."""
    return {r.name: r for module in modules for r in vars(module).values() if isinstance(r, Rule)}


def load_source(path: Path, name: str) -> Rule:
    """The rule ``name`` of a Python file. Raises BadInput, naming file and line, when it cannot be run; so does the
    rule later on."""
    path = path.resolve()
    module = _module(path)
    found = rules_in(module)
    if name not in found:
        raise BadInput(f"rule.name is {name!r}, which {path} does not define"
                       f"{suggest(name, found) if found else '; put @rule(name) before a function'}.")
    if len({id(r) for r in vars(module).values() if isinstance(r, Rule) and r.name == name}) > 1:
        raise BadInput(f"rule.source {path} defines two rules {name!r}; rename one.")
    r = found[name]
    learn, answer, query = (_guarded(build, path, _operations) for build in (r.learn, r.answer, r.query))
    return replace(r, learn=learn, answer=answer, query=query, prepare=_guarded(r.prepare, path, _network))


@dataclass(frozen=True)
class _Loaded:
    """A file as it was when it ran, and the activations that are its own."""

    text: bytes
    module: ModuleType
    activations: dict[str, Activation]


_LOADED: dict[Path, _Loaded] = {}
"""Files that have run in this process; one that has changed runs again, its activations defined anew."""


def _module(path: Path) -> ModuleType:
    try:
        text = bounded(path)
    except OSError as error:
        raise BadInput(f"rule.source is {shown(str(path))}, which is no Python file ({error.strerror}); give the path "
                       "of one.") from None
    known = _LOADED.get(path)
    if known and known.text == text:
        ACTIVATIONS.update(known.activations)
        return known.module
    kept = dict(ACTIVATIONS)
    for name in known.activations if known else ():
        ACTIVATIONS.pop(name, None)
    others, module = set(ACTIVATIONS), ModuleType(f"hebbar_rule_{path.stem}_{len(_LOADED)}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # dataclasses look their module up
    try:
        exec(compile(text, str(path), "exec"), vars(module))
    except Exception as error:
        ACTIVATIONS.clear()
        ACTIVATIONS.update(kept)
        raise _placed(error, path) from error
    sources.keep(path, text)
    _LOADED[path] = _Loaded(text, module, {n: a for n, a in ACTIVATIONS.items() if n not in others})
    return module


def _placed(error: Exception, path: Path) -> HebbarError:
    """The error as a sentence that names the line of the file that it came through last."""
    lines = [line for frame, line in traceback.walk_tb(error.__traceback__) if frame.f_code.co_filename == str(path)]
    message = f"{type(error).__name__}, {error}."
    if isinstance(error, HebbarError):
        if not lines:
            return error
        message = str(error)
    if isinstance(error, SyntaxError) and error.filename == str(path):
        lines, message = [error.lineno or 1], f"{type(error).__name__}, {error.msg}."
    return BadInput(f"rule.source {path}{f', line {lines[-1]}' if lines else ''}: {message}")


def _guarded(function: Callable[..., Any], path: Path, check: Callable[[Any, str], None]) -> Callable[..., Any]:
    """A function that does the same, names the place of its errors and checks its result."""
    def run(*arguments: Any) -> Any:
        try:
            found = function(*arguments)
        except Exception as error:
            raise _placed(error, path) from error
        check(found, f"rule.source {path}: {getattr(function, '__name__', 'the rule')}")
        return found
    return run


def _operations(ops: Any, where: str) -> None:
    if not isinstance(ops, list | tuple):
        raise BadInput(f"{where} gives {type(ops).__name__}; return a list of micro-operations.")
    for op in ops:
        if isinstance(op, LoopOp):
            _operations(op.body, f"{where}, in a loop,")
        elif not isinstance(op, MicroOp):
            raise BadInput(f"{where} gives {type(op).__name__} among its micro-operations; join lists with + or *.")
    moved = [(op.op.name, op.population, op.memory == Mem.CLAMP) for op in ops if isinstance(op, TransferOp)]
    twice = [m for m in moved if moved.count(m) > 1]
    if twice:
        raise BadInput(f"{where} has {twice[0][0]} of {twice[0][1]!r} twice, and a sample moves every population once; "
                       "remove one.")


def _network(network: Any, where: str) -> None:
    if not isinstance(network, Network):
        raise BadInput(f"{where} gives {type(network).__name__}; return a Network.")
