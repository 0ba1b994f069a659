"""Verilog as Yosys writes it for Amaranth, without the lines that say nothing.

A memory of zeros is one loop in place of a line a word. Names of parts of a signal that nothing reads (Amaranth
gives one to every field and element of a structure) are left out. Nothing else changes; ``hebbar prove`` compares
what is left with the netlist that Amaranth wrote.
"""

import re
from collections import Counter

__all__ = ["tidy"]

SOURCE = re.compile(r'^ *\(\* src = "[^"]*" \*\)\n', re.MULTILINE)
"""Where a memory was declared: a path of this machine, which Amaranth leaves in."""
TRIGGER = re.compile(r"\\\$auto\$verilog_backend\.cc:\d+:dump_module\$\d+ ")
"""A register that Yosys adds to a module so that every ``always @*`` runs once at the start."""
START = re.compile(r"^  initial begin\n((?:    \S+\[\d+\] = \d+'[dh]0+;\n)+)  end\n", re.MULTILINE)
WORD = re.compile(r"    (\S+)\[(\d+)\] = (\d+'[dh]0+);\n")
LOOP = """\
  initial begin : zeros_of_{name}
    integer i;
    for (i = 0; i < {depth}; i = i + 1)
      {name}[i] = {zero};
  end
"""
NAME = re.compile(r"\\\S+|[A-Za-z_][\w$]*")
WIRE = re.compile(r"^  wire (?:signed )?(?:\[\d+:\d+\] )?(\\\S+ |\w[\w$]*);\n", re.MULTILINE)
KEPT = re.compile(r"^  \(\* .* \*\)\n  wire (?:signed )?(?:\[\d+:\d+\] )?(\\\S+ |\w[\w$]*);\n", re.MULTILINE)
"""Another name of a register, which has an attribute, and what that starts with."""
PORT = re.compile(r"^  (?:input|output|inout) (?:signed )?(?:\[\d+:\d+\] )?(\\\S+ |\w[\w$]*);\n", re.MULTILINE)
ASSIGN = re.compile(r"^  assign (\\\S+ |\w[\w$]*)(?:\[[\d:]+\] )? ?= (.*);\n", re.MULTILINE)
MODULE = re.compile(r"^module .*?^endmodule\n", re.MULTILINE | re.DOTALL)


def tidy(verilog: str) -> str:
    """Write the same modules, memories and registers in fewer lines."""
    text = START.sub(_loop, TRIGGER.sub("at_start ", SOURCE.sub("", verilog)))
    return MODULE.sub(lambda module: _read(module[0]), text)


def _loop(start: re.Match) -> str:
    """One loop, where a block sets the words of one memory to zero, each once and in order."""
    words = WORD.findall(start[1])
    name, _, zero = words[0]
    if words != [(name, str(i), zero) for i in range(len(words))] or not name.isidentifier():
        return start[0]
    return LOOP.format(name=name, depth=len(words), zero=zero)


def _read(module: str) -> str:
    """A module without the wires that are assigned and not read, nor what only those read."""
    uses = Counter(NAME.findall(module))
    assigns: dict[str, list[str]] = {}
    for name, value in ASSIGN.findall(module):
        assigns.setdefault(name.strip(), []).append(value)
    kept = {name.strip() for name in PORT.findall(module) + KEPT.findall(module)}
    inner = [name for name in map(str.strip, WIRE.findall(module)) if name in assigns and name not in kept]
    unread: set[str] = set()
    while found := [name for name in inner if name not in unread and uses[name] == 1 + len(assigns[name])]:
        unread.update(found)
        for name in found:
            for value in assigns[name]:
                uses.subtract(NAME.findall(value))
    module = WIRE.sub(lambda line: "" if line[1].strip() in unread else line[0], module)
    return ASSIGN.sub(lambda line: "" if line[1].strip() in unread else line[0], module)
