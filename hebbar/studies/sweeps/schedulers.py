"""Where the runs of a study are worked on: processes of this computer, or workers of Dask anywhere.

A scheduler hands results on as they arrive; numbers do not depend on it, because every run computes with one thread.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from hebbar.contract.errors import BadInput
from hebbar.contract.files import temporary_folder
from hebbar.contract.suggest import shown

from ..parameter_sweep import arriving, interrupts_blocked
from .extras import needed
from .kept import code

__all__ = ["Dask", "Local", "Scheduler", "scheduler"]

Result = TypeVar("Result")
Work = Sequence[tuple[Any, ...]]
"""Arguments of every call."""
ANSWER_S = 20
"""Seconds that a scheduler and a worker of Dask may take to answer."""


class Scheduler(Protocol):
    """What works on a study."""

    def arriving(self, function: Callable[..., Result], work: Work) -> Iterator[tuple[int, Result]]:
        """``function(*arguments)`` for all of ``work``: number and result of each as it ends. The first exception ends
        the rest."""


@dataclass(frozen=True)
class Local:
    """``jobs`` processes of this computer."""

    jobs: int

    def arriving(self, function: Callable[..., Result], work: Work) -> Iterator[tuple[int, Result]]:
        """As ``Scheduler`` says; raises BadInput when a process is ended from outside."""
        return arriving(function, work, self.jobs)


@dataclass
class Dask:
    """The workers of the scheduler at ``address``; where that is empty, ``jobs`` processes of this computer. Both are
    there from the first work on until ``resources`` is closed."""

    address: str
    jobs: int
    resources: ExitStack
    _client: Any = field(default=None, init=False)

    def arriving(self, function: Callable[..., Result], work: Work) -> Iterator[tuple[int, Result]]:
        """As ``Scheduler`` says; raises BadInput when nobody answers at the address, when a worker has other sources
        of Hebbar, and when workers are lost."""
        dask = needed("distributed", "--scheduler dask")
        if self._client is None:
            self._client = self.resources.enter_context(self._connect(dask) if self.address else self._start(dask))
        futures = [self._client.submit(_guarded, code(), function, arguments, pure=False) for arguments in work]
        number = {future.key: i for i, future in enumerate(futures)}
        for future in dask.as_completed(futures):
            try:
                yield number[future.key], future.result()
            except (dask.KilledWorker, dask.CancelledError) as error:
                raise BadInput(f"workers of Dask were lost ({type(error).__name__}); give them more memory, or start "
                               "fewer. The same command goes on with what is missing.") from None

    def _connect(self, dask: Any) -> Any:
        """A client of the scheduler at the address, with a worker at least."""
        try:
            client = dask.Client(self.address, timeout=ANSWER_S)
        except (OSError, ValueError) as error:
            raise BadInput(f"no scheduler of Dask answers at {shown(self.address)} ({_first_line(error)}); start one "
                           "with: dask scheduler, and give the address it says, as in dask:tcp://HOST:8786.") from None
        try:
            client.wait_for_workers(1, timeout=ANSWER_S)
        except TimeoutError:
            client.close()
            raise BadInput(f"the scheduler at {self.address} has no worker; start some with: dask worker "
                           f"{self.address} --nthreads 1.") from None
        return client

    def _start(self, dask: Any) -> Any:
        """A client of workers of this computer, a process each. They leave Ctrl-C to this process."""
        folder = self.resources.enter_context(temporary_folder())
        with interrupts_blocked():
            cluster = dask.LocalCluster(n_workers=self.jobs, threads_per_worker=1, processes=True,
                                        dashboard_address=None, local_directory=str(folder), silence_logs="CRITICAL")
        return dask.Client(self.resources.enter_context(cluster))


def _guarded(expected: str, function: Callable[..., Result], arguments: tuple[Any, ...]) -> Result:
    """On a worker: the result, if the worker runs the sources under whose hash it will be kept."""
    if code() != expected:
        raise BadInput("a worker of Dask runs other sources of Hebbar than this command; install the same ones there, "
                       "and start the worker again.")
    return function(*arguments)


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".") or type(error).__name__


@contextmanager
def scheduler(name: str, jobs: int) -> Iterator[Scheduler]:
    """The scheduler that ``local``, ``dask`` or ``dask:ADDRESS`` names, with ``jobs`` processes where it is of this
    computer. Raises BadInput for another name, MissingTool where Dask is not installed."""
    kind, colon, address = name.partition(":")
    if kind == "dask":
        needed("distributed", "--scheduler dask")
        with ExitStack() as resources:
            yield Dask(address, jobs, resources)
    elif kind == "local" and not colon:
        yield Local(jobs)
    else:
        raise BadInput(f"--scheduler is {shown(name)}; give local, dask, or dask:ADDRESS with the address of a "
                       "scheduler of Dask.")
