"""Default tasks: what every configuration learns and is asked when nobody brings samples of one's own."""

from collections.abc import Callable

from hebbar.compiler.program import Program
from hebbar.compiler.rules import find
from hebbar.compiler.tasks import Kind, kind_of

from ..datasets import Dataset
from .completion import completion
from .labelled import checked, classification, data_of, generation
from .recall import recall
from .spikes import spikes
from .task import LearningTask
from .values import values

__all__ = ["LearningTask", "task_of", "as_task", "data_of", "checked"]

BUILDERS: dict[Kind, Callable[..., LearningTask]] = {
    Kind.CLASSIFICATION: classification, Kind.GENERATION: generation, Kind.COMPLETION: completion, Kind.RECALL: recall,
    Kind.VALUES: values, Kind.SPIKES: spikes}


def task_of(program: Program, data: Dataset | None = None, quick: bool = False) -> LearningTask:
    """The task of a configuration, or that of learning the labels of ``data``. ``quick``: one epoch of a few samples,
    and few questions.

    Raises BadInput for configured data that do not fit, and for a network that the default data are not for.
    """
    return BUILDERS[_kind(program)](program, quick=quick) if data is None else as_task(program, data)


def as_task(program: Program, data: Dataset | LearningTask) -> LearningTask:
    """``data`` as a task; of a data set the labels are learnt."""
    if isinstance(data, LearningTask):
        return data
    return generation(program, data) if _kind(program) is Kind.GENERATION else classification(program, data)


def _kind(program: Program) -> Kind:
    return kind_of(program.layout.network, find(program.config.rule).task)
