"""A run folder as the report reads it: result.json, manifest.json and what can be missing."""

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from hebbar.compiler.config import Config, parse
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.counters import CYCLES
from hebbar.contract.errors import BadInput
from hebbar.contract.record import RULE

__all__ = ["RunFolder"]


@dataclass(frozen=True)
class RunFolder:
    """``result`` and ``manifest`` of the run in ``path``; ``manifest`` is empty when there is none."""

    path: Path
    result: dict[str, Any]
    manifest: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> "RunFolder":
        """Read a folder. Raises BadInput when it holds no readable result.json of a run."""
        result = _json(path / "result.json", needed=True)
        if "config" not in result:
            raise BadInput(f"{path / 'result.json'} holds no config; it is not of hebbar run or train, give the "
                           "folder of one. A trace of hebbar simulate is for hebbar compare.")
        return cls(path, result, _json(path / "manifest.json", needed=False))

    @cached_property
    def config(self) -> Config:
        """The configuration of the run, validated again."""
        data = dict(self.result["config"])
        kept = self.path / RULE
        if data.get("rule", {}).get("source") and kept.is_file():
            data["rule"] = data["rule"] | {"source": str(kept)}
        return parse(data, str(data.get("name", self.path)))

    @cached_property
    def program(self) -> Program:
        return compile_config(self.config)

    @property
    def command(self) -> str:
        """The command line of the run; empty when nothing recorded it."""
        return str(self.manifest.get("command") or self.result.get("command") or "")

    @property
    def quick(self) -> bool:
        """True for a run of one epoch and a few samples."""
        return bool(self.result.get("quick"))

    @property
    def replayed(self) -> int:
        """Training samples that ``counters`` are of: those replayed, or all of a training on the RTL."""
        return int(self.result.get("samples_replayed", self.result.get("samples", 0)))

    @property
    def trained(self) -> bool:
        """True for a folder of hebbar train, whose whole training ran on the RTL."""
        return "fingerprint" in self.result

    @property
    def measure(self) -> str:
        """What the grades are of."""
        return str(self.result.get("measure", "accuracy"))

    @property
    def weights(self) -> Path | None:
        """The final weights, if the run left them."""
        path = self.path / "weights.npz"
        return path if path.is_file() else None

    @property
    def counters(self) -> dict[str, int] | None:
        """All counters of the training replay."""
        return self.result.get("counters")

    @property
    def decisions(self) -> list[bool]:
        """The decisions of the EXITs of the training replay."""
        return self.result.get("decisions", [])

    @property
    def cycles(self) -> dict[str, float]:
        """Cycles a sample by cause."""
        found = {name: self.result.get(f"cycles_{name}") for name in CYCLES}
        if self.trained and self.counters and self.replayed:
            found = {name: self.counters[name] / self.replayed for name in CYCLES}
        return {name: float(value) for name, value in found.items() if value is not None}

    @property
    def comparison(self) -> dict[str, dict[str, list[int]]]:
        """Words and mismatches by part of the run and signal; words alone from an older file."""
        if "comparison" in self.result:
            return self.result["comparison"]
        words = {n[6:]: [w] for n, w in self.result.items() if n.startswith("words_")}
        return {"training": words} if words else {}

    @property
    def difference(self) -> str:
        """The first difference as a sentence; empty when there is none."""
        return str(self.result.get("first_difference") or "")

    @property
    def waveform(self) -> Path | None:
        """The VCD the run left, if it did and the file is there: in its own folder, wherever that was moved to."""
        name = self.result.get("waveform")
        path = self.path / Path(name).name if name else None
        return path if path and path.is_file() else None


def _json(path: Path, needed: bool) -> dict[str, Any]:
    try:
        data = json.loads(path.read_text())
    except FileNotFoundError:
        if not needed:
            return {}
        raise BadInput(f"{path.parent} holds no {path.name}; give the folder of a run, which hebbar "
                       "run writes with --out.") from None
    except (OSError, ValueError) as error:
        raise BadInput(f"{path} cannot be read ({error}); run hebbar run again.") from None
    if not isinstance(data, dict):
        raise BadInput(f"{path} holds no table of results; run hebbar run again.")
    return data
