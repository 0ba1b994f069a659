"""The register map as SystemRDL 2.0, from the one table: what register tools make manuals, headers and models from."""

from collections.abc import Iterator

from hebbar.contract.isa import Field
from hebbar.contract.machine import MachineConfig
from hebbar.contract.register_fields import CODES, fields
from hebbar.contract.registers import Access, Register, identity, registers
from hw.verilog import TOP

__all__ = ["rdl"]

SIDES = {Access.READ: "sw = r; hw = w;", Access.READ_WRITE: "sw = rw; hw = r;",
         Access.COMMAND: "sw = w; hw = r; singlepulse;"}
CONSTANT = "sw = r; hw = na;"


def rdl(machine: MachineConfig) -> str:
    """The address map of a machine, with what every register reads after a reset."""
    lines = [f"// Register map of {TOP}, SystemRDL 2.0."]
    for (owner, field), codes in CODES.items():
        lines += ["", f"enum {TOP}_{owner}_{field} {{"]
        lines += [f"    {name} = {code} {{ desc = {_text(meaning)}; }};" for name, (code, meaning) in codes.items()]
        lines += ["};"]
    lines += ["", f"addrmap {TOP} {{", f"    name = {_text(TOP)};",
              f"    desc = {_text(f'{machine.row_tiles} row tiles of {machine.lanes} lanes, tile {machine.tile}.')};",
              "    default regwidth = 32;", "    default accesswidth = 32;", ""]
    constant = identity(machine)
    for name, register in registers(machine).items():
        lines += ["    reg {", f"        name = {_text(_words(name))};", f"        desc = {_text(register.meaning)};",
                  *(f"        {line}" for line in _fields(name, register, constant.get(name))),
                  f"    }} {name} @ 0x{register.address:03x};"]
    return "\n".join([*lines, "};", ""])


def _fields(name: str, register: Register, constant: int | None) -> Iterator[str]:
    """The fields of a register; ``constant``: what it always reads, or None."""
    side, reset = (SIDES[register.access], register.reset) if constant is None else (CONSTANT, constant)
    for field, place in fields(name).items():
        codes, meaning, encode = CODES.get((name, field), {}), place.meaning, ""
        if codes:  # in words too, for tools that show no enumerations
            meaning += ": " + ", ".join(f"{code} {known}" for known, (code, _) in codes.items())
            encode = f" encode = {TOP}_{name}_{field};"
        yield (f"field {{ name = {_text(_words(field))}; desc = {_text(meaning)}; {side}{encode} }} "
               f"{field}[{_bits(place)}] = 0x{place.get(reset):x};")


def _bits(place: Field) -> str:
    return f"{place.lsb + place.width - 1}:{place.lsb}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _text(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
