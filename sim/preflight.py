"""What can be known before the work starts is refused before it: missing programs, a build folder that cannot be
written."""

from pathlib import Path

from hebbar.contract.errors import BadInput
from hebbar.contract.files import output_folder
from hebbar.contract.places import writable

from .backends.registry import find
from .compilers import compiler
from .toolchain import optimisation, require

__all__ = ["preflight"]


def preflight(backend: str, build: Path) -> None:
    """Raise what building for ``backend`` below ``build`` and running on it would raise much later: MissingTool for a
    program, BadInput for a folder that cannot be written, a compiler that does not work and a level that is none."""
    programs = find(backend).programs
    require(*programs)
    if "g++" in programs:
        optimisation()
        compiler()
    if programs and not writable(output_folder(build)):
        raise BadInput(f"{build} cannot be written; give another folder for simulators with --build.")
