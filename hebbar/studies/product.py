"""``hebbar bench product``: what makes the spine a tool one keeps open all day."""

from pathlib import Path

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.contract.errors import BadInput
from hebbar.contract.files import BUILD
from hebbar.contract.results import Figure

from . import golden_speed, onboarding, resume_test, throughput

__all__ = ["SEEDS", "measure"]

SEEDS = {False: 1, True: 1}
"""Seeds of weights and order behind the trainings: the preset's own."""


def measure(folder: Path, quick: bool, reporter: Reporter, data: Path | None = None) -> list[Figure]:
    """All figures in the order of the table; ``data``: the folder with MNIST's idx files."""
    digits, mnist = load("digits"), load("mnist").replace(data={"path": str(data)} if data else {})
    if not Path(mnist.data.path).is_dir():
        raise BadInput(f"{mnist.data.path} holds no MNIST, which some of the figures are measured on; give the folder "
                       "of its four idx files with --data.")
    figures = throughput.shell(digits, 128 if quick else 1024, BUILD, reporter)
    figures += throughput.shell(mnist, 8 if quick else 32, BUILD, reporter)
    figures += throughput.cocotb(mnist, 8 if quick else 32, BUILD, reporter)
    figures.append(resume_test.training(digits, folder, reporter, 1, 3.0))
    figures.append(resume_test.training(digits, folder, reporter, 2 if quick else None, 90.0))
    figures += golden_speed.measure(quick, reporter)
    figures += [onboarding.help_start(), throughput.rebuild(mnist, BUILD)]
    figures.append(onboarding.first_table(folder, reporter))
    figures.append(resume_test.resume(folder, 2 if quick else resume_test.KILLS, reporter))
    figures += onboarding.defects(folder, quick, reporter)
    return figures
