"""Runs that are kept: a file each, named by a hash of everything that its numbers depend on."""

import hashlib
import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from hebbar.compiler.config import Config
from hebbar.contract.files import output_folder, versions, write_json
from hebbar.contract.sources import text_of

from ..parameter_sweep import Row
from ..parts import hashed, sources

__all__ = ["SOURCES", "Failed", "Job", "Store", "code"]

SOURCES = ("hebbar", "golden")
"""Packages that a training runs."""


@dataclass(frozen=True)
class Job:
    """One training: a configuration, the seed of weights, order and split, and the share of the training data that is
    held out to be graded on; 0: it is graded on the test data."""

    config: Config
    seed: int
    validation: float = 0.0

    @cached_property
    def seeded(self) -> Config:
        """The configuration as it runs."""
        return self.config.replace(training={"seed": self.seed}, data={"seed": self.seed})

    @property
    def graded_on(self) -> str:
        """Which samples the accuracies are of."""
        return "validation" if self.validation else "test"


@dataclass(frozen=True)
class Failed:
    """A training that was stopped by what it computed: whatever is tried again ends so; ``why`` is the sentence."""

    name: str
    rule: str
    seed: int
    why: str


class Store:
    """A folder of runs. Those of other sources, data or versions of libraries stay in it, and are not found."""

    def __init__(self, folder: Path) -> None:
        self.folder = output_folder(folder)
        self._files, self._versions = dict[str, str](), versions()
        for partial in folder.glob(".*.partial"):  # of a process that was killed
            with suppress(OSError):
                partial.unlink()

    def digest(self, job: Job) -> str:
        """The SHA-256 of the whole configuration, the seed, the share held out, the sources of Hebbar, the files that
        the configuration names and the versions of libraries."""
        return hashlib.sha256(json.dumps(self._identity(job), sort_keys=True).encode()).hexdigest()

    def find(self, job: Job) -> Row | Failed | None:
        """What came of a run, None where it has not been run, or where its file is damaged."""
        digest = self.digest(job)
        try:
            found = json.loads(self._path(digest).read_text(encoding="utf-8"))
            if found["digest"] != digest:
                return None
            return Row(**found["row"]) if "row" in found else Failed(**found["failed"])
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def keep(self, job: Job, result: Row | Failed) -> None:
        """Write a run, whole or not at all."""
        digest = self.digest(job)
        write_json(self._path(digest), {"digest": digest, **self._identity(job),
                                        "row" if isinstance(result, Row) else "failed": asdict(result)})

    def _path(self, digest: str) -> Path:
        return self.folder / f"{digest}.json"

    def _identity(self, job: Job) -> dict[str, Any]:
        config = job.seeded
        return {"config": config.model_dump(mode="json"), "seed": job.seed, "validation": job.validation,
                "sources": code(), "versions": self._versions,
                "files": [self._file(place) for place in (config.rule.source, config.data.path)]}

    def _file(self, place: str) -> str:
        """A hash of a file or folder that a configuration names, as it was when first asked for."""
        if place not in self._files:
            path = Path(place)
            paths = sorted(p for p in path.rglob("*") if p.is_file()) if path.is_dir() else [path]
            self._files[place] = hashed((str(p.relative_to(path)), text_of(p)) for p in paths) if place else ""
        return self._files[place]


@cache
def code() -> str:
    """A hash of the sources that a training runs."""
    return sources(*SOURCES)
