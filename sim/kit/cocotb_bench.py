"""``hebbar testbench``: a folder with a kit and a cocotb bench of it, to be run as it is and then edited."""

from pathlib import Path

from hebbar.compiler.config import Config
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput, MissingTool
from hebbar.contract.files import BUILD, write_text

from .. import register_map
from ..package import write as write_export
from ..rendering import filled

__all__ = ["write"]

FILES = {"test_hebbar.py": "test_hebbar.py", "run.py": "run_hebbar.py"}
"""The files of the bench and the templates they are made from."""


def write(config: Config, folder: Path, reporter: Reporter, build: Path = BUILD, samples: int = 1) -> list[Path]:
    """Write the export to ``folder``/kit and the bench beside it. Raises BadInput where nothing can be compared: an
    analog macro, or data that are not there, and MissingTool without the extra ``rdl``."""
    if config.machine.kind.macro:
        raise BadInput(f"machine.tile is {config.machine.tile!r}, whose answers its devices decide; use hebbar macro.")
    if gone := register_map.missing():
        raise MissingTool(f"the bench reaches registers by what PeakRDL makes of their map, and {', '.join(gone)} are "
                          f"not installed; pip install 'hebbar[{register_map.EXTRA}]'.")
    files = write_export(config, folder / "kit", reporter, build, samples=samples)
    if not (folder / "kit" / "data" / "learned.hex").exists():
        raise BadInput("the samples of the task are not there, so that nothing can be compared; give their folder with "
                       "--data.")
    for name, template in FILES.items():
        write_text(folder / name, filled(template, {}))
        files.append(folder / name)
    return files
