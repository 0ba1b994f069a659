"""The register map as SystemRDL 2.0, from the one table: what register tools make manuals, headers and models from."""

from collections.abc import Iterator
from enum import IntFlag

from hebbar.contract.machine import MachineConfig
from hebbar.contract.registers import Access, Built, Cause, Control, Register, Status, identity, registers
from hw.verilog import TOP

__all__ = ["rdl"]

SIDES = {Access.READ: "sw = r; hw = w;", Access.READ_WRITE: "sw = rw; hw = r;",
         Access.COMMAND: "sw = w; hw = r; singlepulse;"}
BITS = {"control": Control, "status": Status}
GEOMETRY = (("lanes", 7, 0), ("row_tiles", 15, 8), ("tile", 23, 16),
            *((bit.name.lower(), at, at) for at, bit in enumerate(Built, 24) if bit.name))


def rdl(machine: MachineConfig) -> str:
    """The address map of a machine, with the values that its constant registers read as resets."""
    lines = [f"// Register map of {TOP}, SystemRDL 2.0.", "", f"enum {TOP}_cause {{"]
    lines += [f"    {cause.name} = 32'd{cause.value};" for cause in Cause]
    lines += ["};", "", f"addrmap {TOP} {{", f'    name = "{TOP}";',
              f'    desc = "{machine.row_tiles} row tiles of {machine.lanes} lanes, tile {machine.tile}.";',
              "    default regwidth = 32;", "    default accesswidth = 32;", ""]
    constant = identity(machine)
    for name, register in registers(machine).items():
        lines += ["    reg {", f'        desc = "{register.meaning.replace(chr(34), chr(39))}";']
        lines += [f"        {field}" for field in _fields(name, register, constant)]
        lines.append(f"    }} {name} @ 0x{register.address:03x};")
    return "\n".join([*lines, "};", ""])


def _fields(name: str, register: Register, constant: dict[str, int]) -> Iterator[str]:
    side = SIDES[register.access]
    if name == "geometry":
        for field, high, low in GEOMETRY:
            value = constant[name] >> low & (1 << high - low + 1) - 1
            yield f"field {{ sw = r; hw = na; }} {field}[{high}:{low}] = 0x{value:x};"
    elif name in constant:
        yield f"field {{ sw = r; hw = na; }} value[31:0] = 0x{constant[name]:x};"
    elif name in BITS:
        yield from (_bit(bit, side) for bit in BITS[name])
    elif name == "cause":
        yield f"field {{ {side} encode = {TOP}_cause; }} value[31:0] = 0;"
    else:
        yield f"field {{ {side} }} value[{register.bits - 1}:0] = 0x{register.reset:x};"


def _bit(bit: IntFlag, side: str) -> str:
    place = bit.value.bit_length() - 1
    return f"field {{ {side} }} {bit.name}[{place}:{place}] = 0;"
