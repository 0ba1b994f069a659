"""A few signals of a VCD file, cycle by cycle.

pyvcd parses the values; before that the file is thinned to the wanted signals line by line, which
is a hundred times faster on a whole machine and leaves out names that pyvcd refuses (``$1``,
``$rootio``). Simulators write one value change a line.
"""

import io
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from vcd.reader import TokenKind, VCDParseError, tokenize

from hebbar.contract.errors import BadInput

__all__ = ["Waves", "read"]

DECLARATION = re.compile(r"\$(scope|upscope|var)\b\s*(.*?)\s*\$end", re.DOTALL)


@dataclass(frozen=True)
class Waves:
    """``signals``: by name the value in every cycle, None where it is not all zeros and ones;
    ``widths``: their bits. A value is the one that the rising clock edge at the cycle's end sees."""

    signals: dict[str, list[int | None]]
    widths: dict[str, int]

    @property
    def cycles(self) -> int:
        return len(next(iter(self.signals.values()), []))


def read(path: Path, names: Collection[str], clock: str) -> Waves:
    """The signals ``names`` that the file has, by dotted path (``hebbar.tile.issue``; numbers that
    make a module's name unique, as in ``tile$12``, left out), sampled at every rising ``clock``.

    Raises BadInput when the file is no VCD or has no such clock.
    """
    try:
        with open(path, "rb") as file:
            codes, widths = _declared(file, {*names, clock})
            if clock not in codes:
                raise BadInput(f"{path} has no signal {clock!r}; give a waveform of the machine.")
            thin = _thin(file, codes, widths)
        return _sampled(thin, codes, {n: w for n, w in widths.items() if n in names}, clock)
    except (OSError, VCDParseError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} is not a readable VCD file ({error}); record it again.") from None


def _declared(file: io.BufferedReader, wanted: set[str]) -> tuple[dict[str, str], dict[str, int]]:
    """Identifier and width of every wanted signal; leaves ``file`` after the header."""
    header = b""
    for line in file:
        header += line
        if b"$enddefinitions" in line:
            break
    scope: list[str] = []
    codes: dict[str, str] = {}
    widths: dict[str, int] = {}
    for keyword, text in DECLARATION.findall(header.decode()):
        if keyword == "scope":
            scope.append(text.split()[1])
        elif keyword == "upscope":
            scope.pop()
        else:
            _, width, code, reference = text.split(maxsplit=3)
            name = re.sub(r"\$\d+(?=\.|$)", "", ".".join([*scope, reference.split()[0]]))
            if name in wanted and name not in codes:
                codes[name], widths[name] = code, int(width)
    return codes, widths


def _thin(file: io.BufferedReader, codes: dict[str, str], widths: dict[str, int]) -> io.BytesIO:
    """The VCD with the signals of ``codes`` alone; names are replaced by their numbers."""
    keep = {code.encode(): b"s%d" % i for i, code in enumerate(dict.fromkeys(codes.values()))}
    by_code = {code: widths[name] for name, code in codes.items()}
    out = io.BytesIO()
    for code, new in keep.items():
        out.write(b"$var wire %d %s %s $end\n" % (by_code[code.decode()], new, new))
    out.write(b"$enddefinitions $end\n")
    time = b""
    for line in file:
        first = line[:1]
        if first == b"#":
            time = line
            continue
        value, code = line.split() if first in b"bBrR" else (first, line[1:].strip())
        if code in keep:
            out.write(time + (value + b" " if len(value) > 1 else value) + keep[code] + b"\n")
            time = b""
    out.seek(0)
    return out


def _sampled(thin: io.BytesIO, codes: dict[str, str], widths: dict[str, int], clock: str) -> Waves:
    """Values before every timestamp in which the clock rises."""
    number = {code: f"s{i}" for i, code in enumerate(dict.fromkeys(codes.values()))}
    ticking = number[codes[clock]]
    now: dict[str, int | None] = {}
    out: dict[str, list[int | None]] = {name: [] for name in widths}
    for changes in _steps(thin):
        if changes.get(ticking) == 1 and now.get(ticking) == 0:
            for name, values in out.items():
                values.append(now.get(number[codes[name]]))
        now.update(changes)
    return Waves(out, widths)


def _steps(thin: io.BytesIO) -> Iterator[dict[str, int | None]]:
    """All value changes of one timestamp after the other."""
    changes: dict[str, int | None] = {}
    for token in tokenize(thin):
        if token.kind is TokenKind.CHANGE_TIME:
            yield changes
            changes = {}
        elif token.kind is TokenKind.CHANGE_SCALAR:
            scalar = token.scalar_change
            changes[scalar.id_code] = int(scalar.value) if scalar.value in "01" else None
        elif token.kind is TokenKind.CHANGE_VECTOR:
            vector = token.vector_change
            changes[vector.id_code] = vector.value if isinstance(vector.value, int) else None
    yield changes
