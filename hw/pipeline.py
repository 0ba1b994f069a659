"""Pipelines whose stages have names: a value in each of its stages, and the latency held to their number."""

from collections.abc import Iterable

from amaranth.hdl import Cat, Module, Value, ValueLike

from hebbar.contract.errors import InternalError

from .fixed import pipe

__all__ = ["busy_behind", "check_latency", "staged"]


def staged(m: Module, value: ValueLike, first: int, last: int, name: str,
           reset: bool = False) -> dict[int, Value]:
    """``value`` by the stage it is in: itself in stage ``first``, a register later in each stage up to ``last``.

    Stages are numbered by the cycles from the first stage of their pipeline. ``reset``: see ``hw.fixed.pipe``.
    """
    return dict(zip(range(first, last + 1), pipe(m, value, last - first, name, reset, up=1), strict=True))


def busy_behind(m: Module, valid: Iterable[Value], name: str) -> Value:
    """Whether there is something in any stage behind the first: a register, because the sequencer waits for it.

    ``valid``: whether there is in each stage but the last; a cycle later that is in each but the first.
    """
    return pipe(m, Cat(valid).any(), 1, name, reset=True)[1]


def check_latency(what: str, stated: int, built: int) -> None:
    """Hold the latency that ``hebbar.contract.timing`` states to the one that the stages of a pipeline have.

    Raises InternalError: the cycle model would count cycles that the hardware does not take.
    """
    if stated != built:
        raise InternalError(f"{what} is {stated} in hebbar/contract/timing.py, but the stages of the pipeline make it "
                            f"{built}; state there what they make it.")
