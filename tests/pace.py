"""Amaranth's simulator at a better pace: what it computes stays, what it does in vain is left out.

Most signals that a process drives keep their value, and what a bench samples are plain signals mostly. The code that
the simulator compiles calls a method for each of the former, and its benches try seven kinds of expression before they
find one of the latter. Without both a simulation takes a fifth less. Three quarters of what a small machine is loaded
with, a beat a cycle, are the tables of its activations: they are put where the stream would. ``tests/hw/test_pace.py``
holds both to the same values.
"""

import builtins
import re
from dataclasses import replace
from typing import Any

from amaranth.hdl import Signal
from amaranth.sim import _pyrtl, pysim

__all__ = ["AS_IT_CAME", "quicken", "put_tables"]

AS_IT_CAME = pysim.PySimEngine.get_value
"""How the simulator evaluates what a bench reads."""
UPDATE = re.compile(r"^( *)(slots\[\d+\])\.update\((next_\d+), (-?\d+)\)$", re.MULTILINE)
GUARDED = r"\1if \2.next != \3: \2.update(\3, \4)"
"""Where no bit differs, none under the mask does."""


def compiled(source: str, *more: Any) -> Any:
    """The built-in ``compile`` of a process whose updates are guarded."""
    return builtins.compile(UPDATE.sub(GUARDED, source), *more)


def value_of(engine: Any, expression: Any) -> Any:
    """The value of an expression in a simulation; a signal is found by its number."""
    if type(expression) is not Signal:
        return AS_IT_CAME(engine, expression)
    known = vars(engine).setdefault("known", {})
    if (place := known.get(expression.duid)) is None:
        place = known[expression.duid] = engine.state.slots[engine.state.get_signal(expression)]
    return place.curr


def quicken() -> None:
    """For all simulations of this process that begin later."""
    _pyrtl.compile = compiled  # a name of the module goes before one that is built in
    pysim.PySimEngine.get_value = value_of


def put_tables(backend: Any) -> None:
    """``sim.backends.pysim`` puts the tables of a program where they belong, and streams all else."""
    from hw.table import Table  # Amaranth and the whole machine, which fast tests do without

    load, elaborate = backend.load, Table.elaborate

    def elaborated(table: Any, platform: Any) -> Any:
        m = elaborate(table, platform)
        table.bank = m.submodules.bank
        return m

    async def loaded(host: Any, program: Any, *more: Any) -> None:
        machine = host._machine
        for table, words in ((machine.function, program.functions), (machine.derivative, program.derivatives)):
            for address, word in enumerate(words):
                for memory in (table.bank.memory, *table.bank.copies):
                    host.ctx.set(memory.data[address], [word])
        await load(host, replace(program, functions=(), derivatives=()), *more)

    Table.elaborate = elaborated  # type: ignore[method-assign]
    backend.load = loaded
