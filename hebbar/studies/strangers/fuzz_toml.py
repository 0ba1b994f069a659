"""Random TOML files: each is refused in a sentence, or two golden machines compute the same with it.

Every file is read, compiled and, where its program is short, run in a process of its own, within 4 GB of memory and 60
s.
"""

import multiprocessing
import resource
import time
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from golden.compiled import CompiledMachine, unsupported
from golden.session import Engine, initial_image, machine_of
from hebbar.compiler.config import load
from hebbar.compiler.program import Program, compile_config
from hebbar.compiler.schedule import LoopOp, MicroOp
from hebbar.contract.console import Reporter
from hebbar.contract.errors import HebbarError
from hebbar.contract.files import temporary_folder, write_json
from hebbar.contract.memories import Mem
from hebbar.contract.results import Figure

from .random_toml import random_toml

__all__ = ["Verdict", "verdict", "measure", "COUNT", "MEMORY", "SECONDS"]

COUNT = {False: 2_000, True: 100}
MEMORY, SECONDS = 4 << 30, 60.0
"""Bytes and seconds that a file may take."""
LONGEST_RUN = 4_000
"""Micro-operations of a sample up to which a program is run as well."""
COMPILED_BITS = 16
"""Bits of weights: wider ones make the compiled golden machine be compiled anew, which takes most of a minute."""
RIGHT = ("a right answer", "a sentence")


@dataclass(frozen=True)
class Verdict:
    """How a file ended: ``RIGHT`` or what went wrong, with the words; what it took."""

    seed: int
    ending: str
    words: str
    seconds: float
    megabytes: float


def verdict(seed: int, folder: Path) -> Verdict:
    """Read, compile and run the file of a seed in a process of its own."""
    path = folder / f"{seed}.toml"
    path.write_bytes(random_toml(seed))
    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=_tried, args=(path, theirs))
    began = time.monotonic()
    process.start()
    theirs.close()
    try:
        ending, words, megabytes = ours.recv() if ours.poll(SECONDS) else ("late", f"no end after {SECONDS:g} s", 0.0)
    except EOFError:
        process.join()
        ending, words, megabytes = "died", f"exit {process.exitcode}", 0.0
    process.kill()
    process.join()
    if ending in RIGHT:
        path.unlink()
    return Verdict(seed, ending, words, time.monotonic() - began, megabytes)


def _tried(path: Path, answer: Connection) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    warnings.simplefilter("ignore")
    try:
        ending, words = RIGHT[0], _outcome(path)
    except HebbarError as error:
        words = str(error)
        ending = RIGHT[1] if _sentence(words) else "no sentence"
    except BaseException as error:  # whatever it is, it is what we look for
        ending, words = type(error).__name__, str(error)[:500]
    answer.send((ending, words, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


def _sentence(words: str) -> bool:
    return words.rstrip().endswith(".") and 15 < len(words) < 2000 and "Traceback" not in words


def _outcome(path: Path) -> str:
    """What became of an accepted configuration; raises ArithmeticError when two golden machines differ."""
    program = compile_config(load(str(path)))
    entries = [e for e, ops in program.schedules.items() if _length(ops) <= LONGEST_RUN]
    if program.machine.kind.macro or not entries:
        return "compiled"
    for entry in entries:
        _run(program, entry)
    return f"ran {', '.join(entries)}"


def _run(program: Program, entry: str) -> None:
    """Raise ArithmeticError unless a run stays inside its formats, and is the same compiled where that takes no new
    compilation."""
    samples, f = _samples(program, entry), program.machine.formats
    engines: list[Engine] = ["numpy"]
    if program.machine.weight_bits <= COMPILED_BITS and not unsupported(program):
        engines.append("compiled")
    machines = [machine_of(program, engine) for engine in engines]
    for machine in machines:
        machine.load(initial_image(program))
    answers, one = [machine.run(entry, samples) for machine in machines], machines[0]
    for values, format in ((one.weights, f.weight), (one.state, f.state), (one.error, f.error),
                           (one.activity, f.activity)):
        if values.min() < format.lo or values.max() > format.hi:
            raise ArithmeticError(f"a code beyond {format} in {entry}")
    for machine, answer in zip(machines[1:], answers[1:]):
        if any((answers[0][k] != answer[k]).any() for k in answer) or (one.weights != machine.weights).any() \
                or (one.state != machine.state).any():
            raise ArithmeticError(f"two golden machines differ in {entry}")


def _length(ops: tuple[MicroOp, ...], times: int = 1) -> int:
    return sum(_length(o.body, times * (o.count or 1)) if isinstance(o, LoopOp) else times for o in ops)


def _samples(program: Program, entry: str, count: int = 2) -> dict[str, np.ndarray]:
    """Codes of the whole format."""
    rng, f = np.random.default_rng(0), program.machine.formats
    ends = {Mem.ACTIVITY: f.activity, Mem.STATE: f.state, Mem.ERROR: f.error}
    return {t.key: rng.integers(0, 2, (count, t.population.size)) if t.memory is Mem.CLAMP else
            rng.integers(ends[t.memory].lo, ends[t.memory].hi + 1, (count, t.population.size))
            for t in program.inputs[entry]}


def measure(folder: Path, quick: bool, reporter: Reporter) -> list[Figure]:
    """How many files end in anything but a right answer or a sentence, and the most that one took."""
    _warm_up()
    found: list[Verdict] = []
    with temporary_folder("hebbar-toml-") as place, ThreadPoolExecutor(2) as pool, \
            reporter.task("random configurations", COUNT[quick]) as task:
        for v in pool.map(lambda seed: verdict(seed, place), range(COUNT[quick])):
            found.append(v)
            task.advance(len(found), f"{sum(x.ending not in RIGHT for x in found)} wrong")
    wrong = [v for v in found if v.ending not in RIGHT]
    write_json(folder / "fuzz_toml.json", {"endings": Counter(v.ending for v in found),
                                           "wrong": [asdict(v) for v in wrong],
                                           "ran": sum(v.words.startswith("ran") for v in found)})
    accepted = sum(v.ending == RIGHT[0] for v in found)
    memory, seconds = max(v.megabytes for v in found), max(v.seconds for v in found)
    return [Figure(f"random TOML files, {len(found)} ({accepted} accepted): neither a right answer nor a sentence",
                   len(wrong), "0", "files", not wrong),
            Figure("random TOML files: most memory", round(memory), f"<= {MEMORY >> 20}", "MB", memory <= MEMORY >> 20),
            Figure("random TOML files: longest", round(seconds, 1), f"<= {SECONDS:g}", "s", seconds <= SECONDS)]


def _warm_up() -> None:
    """Compile the golden machine here, once for all processes that follow."""
    program = compile_config(load("tiny"))
    machine = CompiledMachine(program)
    for entry in program.entries:
        machine.run(entry, _samples(program, entry))
