"""Inputs with two places: samples take turns, and nothing but where an input lies tells the difference.

Without it a sample could read the input of another one, which is wrong only for one of two numbers of samples.
"""

import pytest
from helpers import random_samples

from golden.compiled import unsupported
from golden.machine import Machine
from golden.session import initial_image
from golden.trace import Job
from hebbar.compiler.config import load
from hebbar.compiler.control_flow import executed
from hebbar.compiler.cycles import Cycles
from hebbar.compiler.double_buffer import doubled
from hebbar.compiler.pipelining import arrangements
from hebbar.compiler.program import compile_config
from hebbar.contract.counters import CYCLES
from hebbar.contract.isa import Op, decode
from hebbar.contract.memories import Mem
from hebbar.contract.results import SampleCycles
from sim.backends import golden
from sim.compare import named

TINY, DIGITS = load("tiny"), load("digits")
EXITS = TINY.replace(rule={"tolerance": 0.05}, machine={"energy": True})
COUNTS = (1, 2, 3, 4)


def turning(config):
    """Programs of a configuration whose samples take turns."""
    found = [p for p in arrangements(compile_config(config.replace(rule={"schedule": "drained"})), 3) if p.second]
    assert found
    return found


def inputs(program, samples, entry="train"):
    """The first words of the activities that a run moves in, in their order."""
    code = [decode(word) for word in program.words]
    return [i.fields["address"] for _, i in executed(code, program.entries[entry], (samples, 0, 0, 0), None)
            if i.op is Op.IN and i.fields["memory"] == Mem.ACTIVITY]


def job(program, samples):
    return Job(program, "train", initial_image(program), random_samples(program, "train", samples, seed=3),
               steps=False, hashes=True)


@pytest.mark.parametrize("config", [TINY, DIGITS], ids=["tiny", "digits"])
def test_inputs_move_to_the_two_places_in_turn(config):
    """The first sample's is in its own place, whatever the number of samples; the other is behind the last word."""
    for program in turning(config):
        own, last = program.layout.places["x0"].word, list(program.layout.places.values())[-1]
        other = last.word + last.words
        assert program.second == {"x0": other}
        for entry in program.entries:
            if other in inputs(program, 2, entry):
                assert all(inputs(program, n, entry) == [(own, other)[k % 2] for k in range(n)] for n in range(6))


def test_descriptors_of_the_second_place_name_other_words_of_the_same_weights():
    """By hand: the words of x0 are the first ones, so that only the sources below their number are elsewhere."""
    plain = compile_config(DIGITS)
    places = doubled(plain)
    sweeps = {(a, b) for a, b in places.swaps.items() if decode(a).op is Op.SWEEP and a in plain.words}
    of_x1 = {word for word in plain.words if decode(word).op is Op.SWEEP and decode(word).fields["block"] == 0}
    assert sweeps and len(sweeps) == len(of_x1)
    words, other = plain.layout.places["x0"].words, places.program.second["x0"]
    for here, there in sweeps:
        one, two = decode(here).fields, decode(there).fields
        (block, entries), (twin, others) = (places.program.descriptor(f["block"]) for f in (one, two))
        assert block | {"map_base": 0} == twin | {"map_base": 0} and one | {"block": 0} == two | {"block": 0}
        assert [e["source"] + other * (e["source"] < words) for e in entries] == [e["source"] for e in others]
        assert [e | {"source": 0} for e in entries] == [e | {"source": 0} for e in others]
    assert places.program.words == plain.words and all(places.swaps[b] == a for a, b in places.swaps.items())


@pytest.mark.parametrize("config", [TINY, DIGITS, EXITS], ids=["tiny", "digits", "exits"])
def test_every_program_whose_samples_take_turns_writes_what_the_drained_one_writes(config):
    """Odd and even numbers of samples, the last of which ends in one tail or the other; where EXITs leave the inner
    loops too, and all on the compiled machine."""
    plain = compile_config(config.replace(rule={"schedule": "drained"}))
    wanted = {n: golden.run(job(plain, n)) for n in COUNTS}
    for program in turning(config)[::5]:
        assert not unsupported(program)
        for n, want in wanted.items():
            got = golden.run(job(program, n))
            assert (got.final == want.final).all() and got.hashes.counts == want.hashes.counts
            assert (got.decisions == want.decisions).all()
            assert all((got.hashes.elements[r] == want.hashes.elements[r]).all() for r in want.hashes.elements)


@pytest.mark.parametrize("samples", COUNTS)
def test_activities_end_where_the_last_sample_was(samples):
    """On the machine in NumPy: the other words are those of the drained program, and the place before holds the sample
    before the last one."""
    plain, program = compile_config(TINY), compile_config(TINY.replace(rule={"schedule": "pipelined"}))
    assert program.second
    given, machines = random_samples(plain, "train", samples, seed=3), []
    for one in (plain, program):
        machine = Machine(one)
        machine.load(initial_image(one))
        machine.run("train", given)
        machines.append(machine.activity.copy())
    want, got = machines
    first = program.second["x0"] * TINY.machine.lanes
    there = slice(first, first + 16)
    places = [got[:16], got[there]]
    assert (got[16:first] == want[16:first]).all()
    assert (places[(samples - 1) % 2] == given["x0"][-1]).all()
    assert (places[samples % 2] == (given["x0"][-2] if samples > 1 else 0)).all()
    assert named(program, "activity", (0, first + 3))[1] == "activity of x0[3] in its second place"


@pytest.mark.parametrize("change", [{"neuron_words": 14}, {"blocks": 4}, {"map_entries": 12}])
def test_a_machine_without_room_has_one_place(change):
    """The network takes 11 words, a second place 4; without one more, nothing is other than it was."""
    program = compile_config(TINY.replace(machine=change, rule={"schedule": "pipelined"}))
    plain = compile_config(TINY.replace(machine=change))
    assert not program.second and (program.blocks, program.maps) == (plain.blocks, plain.maps)
    assert not any(p.second for p in arrangements(plain))


@pytest.mark.parametrize("name", ["memory", "graph", "residual", "query", "forward_forward"])
def test_only_what_samples_move_in_and_sweeps_read_has_two_places(name):
    """Words that a sweep writes, or feeds back to, keep their place."""
    program = doubled(compile_config(load(name).replace(machine={"neuron_words": 256}))).program
    for number in range(len(program.blocks)):
        block, entries = program.descriptor(number)
        fed = {e["source"] for e in entries if e["feedback"] and e["lanes"]}
        for input_name, word in program.second.items():
            place = program.layout.places[input_name]
            assert program.layout.fixed(input_name)
            assert not fed & {*range(place.word, place.word + place.words), *range(word, word + place.words)}
            assert not place.word <= block["group_base"] * program.machine.row_tiles // program.machine.lanes \
                < place.word + place.words


@pytest.mark.parametrize("config", [TINY, DIGITS], ids=["tiny", "digits"])
def test_a_sample_takes_the_mean_of_two_turns(config):
    """In the steady state any two samples more take twice as long as one, wherever one begins to count."""
    for program in turning(config)[::7]:
        model, each = Cycles(program), Cycles(program).each("train")
        for n in (2, 3, 6):
            fewer, more = (model.run("train", samples, None) for samples in (n, n + 2))
            assert {c: more[c] - fewer[c] for c in CYCLES} == {c: 2 * each[c] for c in CYCLES}


def test_halves_of_cycles_are_shown_where_there_are_any():
    """A whole number of them has no point."""
    found = SampleCycles(10.5, 0, 2.5, 0, 0, 3, None, None)
    assert str(found).startswith("16 cycles a sample (issue 10.5, bubbles 0, drain 2.5, ")
    assert isinstance(found.total, int)


def test_an_order_that_is_a_little_worse_may_overlap_better():
    """In each step of iPC weights change, and alone its sweeps are best as they stand: only an order that ends with
    sweeps behind the loop over the steps leaves anything for the next sample to stand among."""
    program = compile_config(load("mnist").replace(
        rule={"name": "ipc", "steps": 12, "schedule": "pipelined"}, machine={"neuron_words": 64, "neuron_rows": 32}))
    assert program.second == {"x0": 36}
