"""Training on devices with all their noise: the RTL with the macro at its pins against the golden machine."""

from golden.learning.training import data_of
from golden.session import initial_image
from golden.trace import Trace
from hebbar.compiler.config import Config, load
from hebbar.compiler.program import Program, compile_config
from hebbar.contract.console import Reporter
from hebbar.contract.files import BUILD
from hebbar.contract.results import Figure
from sim.backends import fast, golden
from sim.compare import compare
from sim.experiment import replay_job

from .devices import with_device

__all__ = ["DEVICES", "program_of", "measure"]

BASE = "digits_analog"
DEVICES = ("pcm", "rram_soft")
"""Growing pairs read out with 1/f noise and drift; soft bounds with noisy pulses. One export each: their pulses
differ."""


def program_of(config: Config, device: str, seed: int) -> Program:
    """A training on ``device`` whose draws have ``seed``."""
    analog = with_device(config, device).machine.analog.model_dump() | {"seed": seed}
    return compile_config(config.replace(machine={"analog": analog}))


def measure(samples: int, reporter: Reporter) -> list[Figure]:
    """Two seeds of the devices on the RTL, every barrier compared; the second one gives other states."""
    figures = []
    for device in DEVICES:
        traces: list[Trace] = []
        words = wrong = 0
        for seed in (0, 1):
            program = program_of(load(BASE), device, seed)
            job = replay_job(program, data_of(program), initial_image(program), samples)
            library = fast.prepare(program, BUILD, announce=seed == 0 and not reporter.console.quiet)
            reporter.say(f"{samples} samples on {device}, seed {seed} of its noise ...")
            found = compare(program, golden.run(job), trace := fast.run(job, library))
            words, wrong = words + found.total_words, wrong + found.total_mismatches
            traces.append(trace)
        same = not compare(program, *traces).total_mismatches
        figures += [Figure(f"RTL with {device}, all its noise, {samples} samples and two seeds, {words:,} words "
                           "compared: mismatches", wrong, "0", "words", wrong == 0 and words > 0),
                    Figure(f"{device}: traces that another seed changes", int(not same), "1", "of 1", not same)]
    return figures
