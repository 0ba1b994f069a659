"""The learning systems that ship: one machine for all, float beside fixed point, refusals that name the key."""

import numpy as np
import pytest

from golden.compiled import CompiledMachine
from golden.image import from_image, to_image
from golden.machine import Machine
from golden.reference.interpreter import FloatMachine
from golden.reference.state import initial_weights
from golden.streams import rounded, to_codes, to_reals
from hebbar.compiler.config import load
from hebbar.compiler.program import compile_config
from hebbar.contract.errors import BadInput
from hebbar.contract.memories import Mem
from hebbar.studies.replays import FLAGSHIP, SYSTEMS, program_of

OWN_MACHINE = {"digits", "digits_zil", "digits_ipc"}
"""Presets with a smaller machine; the flagship runs them as well."""


INPUT = {"stdp": 0.42}
"""The largest input where it is not 0.5: potentials pass the threshold, none of them closely."""


def samples(program, entry, count=3, largest=0.5):
    rng = np.random.default_rng(7)
    return rounded(program, entry, {t.key: rng.integers(0, 2, (count, t.population.size)) if t.memory is Mem.CLAMP
                                    else largest * rng.random((count, t.population.size))
                                    for t in program.inputs[entry]})


def test_all_systems_have_one_machine():
    """Without it a program could need a bitstream of its own."""
    flagship = load(FLAGSHIP).machine
    assert all(load(preset).machine == flagship for preset in SYSTEMS.values() if preset not in OWN_MACHINE)
    assert flagship.separation and flagship.energy


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_system_is_the_same_on_both_golden_machines_and_close_to_float(system):
    """Bit for bit between the two golden machines; float within what rounding leaves of the smaller weights
    of a few samples. Without it a schedule could mean one thing in float and another in fixed point."""
    program = program_of(SYSTEMS[system])
    image = to_image(program.layout, initial_weights(program.layout.network, 1))
    one, other = Machine(program), CompiledMachine(program)
    floating = FloatMachine(program, from_image(program.layout, image))
    for machine in (one, other):
        machine.weights[...] = image
    given = samples(program, "train", largest=INPUT.get(SYSTEMS[system], 0.5))
    wanted = floating.run("train", given)
    answers = [machine.run("train", to_codes(program, "train", given)) for machine in (one, other)]
    assert all((answers[0][k] == answers[1][k]).all() for k in answers[0])
    assert (one.weights == other.weights).all()
    for key, reals in to_reals(program, "train", answers[0]).items():
        assert np.abs(reals - wanted[key]).max() < 0.02, key
    for key, block in from_image(program.layout, one.weights).items():
        assert np.abs(block - floating.weights[key]).max() < 0.1, key


@pytest.mark.parametrize("preset, machine, words", [
    ("hopfield", {"separation": 19}, "machine.separation is 19; set it to 20"),
    ("categorical", {"separation": 0}, "machine.separation is 0; set it to 10"),
    ("early_exit", {"energy": False}, "set machine.energy to true"),
    ("residual", {"weight_frac": 15}, "leaves no weight of 1"),
    ("graph", {"lanes": 32, "weight_words": 4096}, "do not fill whole words of 32")])
def test_what_a_machine_lacks_is_refused_with_the_key_to_set(preset, machine, words):
    """Without it the machine would halt, or compute with weights that do not exist."""
    with pytest.raises(BadInput, match=words):
        compile_config(load(preset).replace(machine=machine))
