"""Pipelined programs: sweeps change places where nothing tells the difference, and fewer of them wait.

Without it a sweep could overtake one that it depends on, which gaps do not mend, or a loop lose a round.
"""

from collections import Counter
from dataclasses import replace
from itertools import takewhile
from types import SimpleNamespace

import pytest
from helpers import layered, random_samples

from golden.session import initial_image
from golden.trace import Job
from hebbar.compiler.config import load, preset_names
from hebbar.compiler.control_flow import executed
from hebbar.compiler.executions import executions
from hebbar.compiler.list_scheduling import Distances, ordered, period
from hebbar.compiler.pipelining import arrangements, pipelined
from hebbar.compiler.program import compile_config, drained
from hebbar.compiler.workload import sample_cycles
from hebbar.contract.errors import BadInput
from hebbar.contract.isa import Op, Sweep, decode, encode
from sim.backends import golden

DIGITAL = [name for name in preset_names() if load(name).machine.kind.name != "analog"]
DEEP = layered([9, *[32] * 12, 16], row_tiles=4, lanes=8, rule={"steps": 5}, program_words=512, blocks=64,
               map_entries=256, weight_words=1024, neuron_words=64)
FEW = 3
"""Kernels of samples that take turns that are tried of each order."""
GRAPHS = ("graph", "eqprop", "chl", "memory", "nudged_pc", "stdp")
"""Presets whose sums come from several sweeps, that learn in loops, or whose rows feed themselves."""


def compiled(config, schedule):
    return compile_config(config.replace(rule={"schedule": schedule}))


def at_home(program, word):
    """A neuron word, or the one in the own place of an input that is in its second place."""
    for name, second in program.second.items():
        place = program.layout.places[name]
        if second <= word < second + place.words:
            return place.word + word - second
    return word


def described(program, number):
    """What a block and its map say, wherever the map is and in whichever place inputs are."""
    block, entries = program.descriptor(number)
    first = block["group_base"] * program.machine.row_tiles // program.machine.lanes
    words = [e["source"] if e["lanes"] else (first + e["source"]) % 4096 for e in entries]
    return str((block | {"map_base": 0}, [e | {"source": at_home(program, w)} for e, w in zip(entries, words)]))


def sweeps(program, entry, samples=2):
    """Every sweep of a run, as flags and what its block and map say."""
    code = [decode(word) for word in program.words]
    return [(i.fields["flags"], i.fields["gain"], described(program, i.fields["block"]))
            for _, i in executed(code, program.entries[entry], (samples, 1, 0, 2)) if i.op is Op.SWEEP]


def moved(program, samples):
    """Every IN of a run in its order, as where it moves to, how much and whether a packet ends."""
    code, fields = [decode(word) for word in program.words], ("count", "memory", "last")
    return [(at_home(program, i.fields["address"]), *(i.fields[name] for name in fields))
            for _, i in executed(code, program.entries["train"], (samples, 1, 0, 2)) if i.op is Op.IN]


def ran(program, entry="train"):
    """What two samples leave, with the sequence of writes to every element as a hash."""
    job = Job(program, entry, initial_image(program), random_samples(program, entry, 2, seed=3), steps=False,
              hashes=True)
    return golden.run(job)


@pytest.mark.parametrize("name", DIGITAL)
def test_every_preset_pipelined_sweeps_as_often_and_takes_no_longer(name):
    """A turned loop lays a round out; no sweep is lost or done twice, in an entry of whatever kind."""
    plain, chained, program = (compiled(load(name), schedule) for schedule in ("drained", "chained", "pipelined"))
    assert program.schedules == plain.schedules and drained(program).words == plain.words
    for entry in plain.entries:
        assert sorted(sweeps(program, entry)) == sorted(sweeps(plain, entry))
    if "train" in plain.entries:
        assert sample_cycles(program).total <= sample_cycles(chained).total


@pytest.mark.parametrize("name", GRAPHS)
def test_every_order_that_is_tried_writes_what_the_drained_program_writes(name):
    """Not only the chosen one: the others are chosen on another network. Bits at the end, outputs, decisions, counters
    of work, and every element's writes one after the other."""
    plain = compiled(load(name), "drained")
    want, tried = ran(plain), 0
    for program in arrangements(plain, FEW):
        got = ran(program)
        assert (got.final == want.final).all() and got.hashes.counts == want.hashes.counts
        assert all((got.hashes.elements[r] == want.hashes.elements[r]).all() for r in want.hashes.elements)
        tried += 1
    assert tried >= 3


def test_a_deep_network_waits_for_nothing_in_its_loop():
    """Twelve layers, each of which waits for the one above it when it stands alone: turned, half of the next step hides
    that, and the loop has as many slots as cycles but for its NEXT and the fetch behind it."""
    chained, program = (compiled(DEEP, schedule) for schedule in ("chained", "pipelined"))
    code = [decode(word) for word in program.words]
    start = next(at for at, i in enumerate(code) if i.op is Op.LOOP and not i.fields["register"])
    stop = code[start].fields["end"]
    assert code[start].fields["count"] == 3 and {i.op for i in code[start + 1:stop - 1]} == {Op.SWEEP}
    before, after = sample_cycles(chained), sample_cycles(program)
    assert before.issue == after.issue and after.drain < before.drain / 2
    assert after.total < 0.87 * before.total


def test_a_loop_of_one_round_or_of_a_register_is_not_turned():
    """There is no next step whose sweeps could stand in this one, or nobody knows."""
    one = compiled(DEEP.replace(rule={"steps": 2}), "pipelined")
    heads = [i.fields for i in map(decode, one.words) if i.op is Op.LOOP]
    assert {h["count"] for h in heads if not h["register"]} == {1}


def overlapped(name):
    """Programs of a preset whose samples overlap."""
    tried = arrangements(compiled(load(name), "drained"), FEW)
    found = [p for p in tried if any(decode(word).op is Op.BREAK for word in p.words)]
    assert found
    return found


@pytest.mark.parametrize("name", ["digits", "nudged_pc"])
def test_overlapping_samples_are_begun_and_ended_as_often_as_there_are(name):
    """No sample at all, one, whose rest stands behind the loop, two and three: the same sweeps and INs as without."""
    plain = compiled(load(name), "drained")
    for samples in range(4):
        for program in overlapped(name):
            assert moved(program, samples) == moved(plain, samples)
            assert sorted(sweeps(program, "train", samples)) == sorted(sweeps(plain, "train", samples))


def test_samples_that_an_exit_can_end_do_not_overlap():
    """It would leave the loop that BREAK leaves, and the rest of a sample that never began would follow."""
    plain = compiled(load("digits"), "drained")
    head, wait = decode(plain.words[0]), encode(Op.WAIT)
    at = next(i for i in range(head.fields["end"] - 1, 0, -1) if plain.words[i] == wait)
    words = list(plain.words)
    words[at] = encode(Op.EXIT, end=head.fields["end"])
    found = [{decode(w).op for w in p.words} for p in arrangements(replace(plain, words=tuple(words)), FEW)]
    assert found and all(Op.EXIT in ops and Op.BREAK not in ops for ops in found)


def test_executions_of_overlapping_samples_are_counted_without_following_them():
    """By the loops around an instruction and the BREAKs before it, against the program followed step by step."""
    for program in overlapped("nudged_pc"):
        for samples in range(4):
            start = program.entries["train"]
            followed = Counter(at - start for at, _ in executed([decode(w) for w in program.words], start,
                                                                (samples, 0, 0, 0)))
            counted = [times for _, times in executions(program, "train", samples)]
            assert counted == [followed[at] for at in range(len(counted))]


@pytest.mark.parametrize("rounds", range(4))
def test_executions_behind_both_kinds_of_break_are_counted(rounds):
    """A BREAK of the last round alone, before one of every round: the first round is the last one only where there is
    no second."""
    sweep = encode(Op.SWEEP, flags=1)
    words = (encode(Op.LOOP, end=5, count=rounds), encode(Op.BREAK, end=5), sweep, encode(Op.BREAK, end=5, always=1),
             encode(Op.NEXT), encode(Op.HALT))
    program = SimpleNamespace(words=words, entries={"train": 0})
    followed = Counter(at for at, _ in executed([decode(w) for w in words], 0, (1, 0, 0, 0), ()))
    assert [times for _, times in executions(program, "train", 1)] == [followed[at] for at in range(6)]
    assert followed[2] == (rounds > 1)


def test_a_deep_network_begins_a_sample_among_the_updates_of_the_one_before():
    """Its forward pass waits for itself layer by layer, and updates do not wait for it."""
    program = compiled(DEEP, "pipelined")
    code = [decode(w) for w in program.words[:program.entries["predict"]]]
    again = next(at for at, i in enumerate(code) if i.op is Op.BREAK)
    kernel = [*takewhile(lambda i: i.op is not Op.BREAK, code[again + 1:code[again].fields["end"] - 1])]
    flags = [Sweep(i.fields["flags"]) for i in kernel if i.op is Op.SWEEP]
    updates = [bool(f & Sweep.UPD) for f in flags if f & (Sweep.UPD | Sweep.INIT)]
    assert updates.index(False) < len(updates) - 1 - updates[::-1].index(True)


def test_sums_of_one_neuron_keep_their_order():
    """The first TRN of a step begins them anew; two that nothing else orders must not change places."""
    program = compiled(load("graph"), "drained")
    adds = [word for word in dict.fromkeys(program.words)
            if decode(word).op is Op.SWEEP and decode(word).fields["flags"] & Sweep.TRN]
    distances = Distances(program)
    alone = [(a, b) for a in adds for b in adds if a != b
             and distances.times(a).last[2].keys() & distances.times(b).last[2].keys()]
    assert alone and all(distances.between(a, b) is not None for a, b in alone)


def test_an_order_is_one_of_the_same_sweeps_and_keeps_dependences():
    """By urgency or by what can be taken soonest; one that depends on another never stands before it."""
    program = compiled(DEEP, "drained")
    distances = Distances(program)
    run = [w for w in program.words[:program.entries["predict"]] if decode(w).op is Op.SWEEP]
    for urgent in (False, True):
        order = ordered(distances, run, urgent=urgent)
        assert sorted(order) == sorted(run)
        places = {word: [at for at, w in enumerate(order) if w == word] for word in run}
        first = {word: run.index(word) for word in run}
        for old in run:
            for new in run:
                if first[old] < first[new] and distances.between(old, new) is not None:
                    assert places[old][0] < places[new][-1]


def test_the_period_of_a_loop_is_that_of_the_cycle_model():
    """It decides where a loop is turned: as estimated from distances, against one round more by the cycle model."""
    program = compiled(DEEP.replace(machine={"neuron_words": 52}), "pipelined")  # no second place: one such loop
    code = [decode(word) for word in program.words]
    start = next(at for at, i in enumerate(code) if i.op is Op.LOOP and not i.fields["register"])
    body = [w for w in program.words[start + 1:code[start].fields["end"]] if decode(w).op is Op.SWEEP]
    rounds = [sample_cycles(replace(program, words=_with_count(program.words, start, count))).total for count in (3, 4)]
    estimated = period(Distances(program), body)
    assert rounds[1] - rounds[0] - 3 <= estimated <= rounds[1] - rounds[0]


def _with_count(words, at, count):
    changed = list(words)
    changed[at] = encode(Op.LOOP, **decode(words[at]).fields | {"count": count})
    return tuple(changed)


def test_where_the_memory_of_the_program_is_short_the_order_stays():
    """A turned loop is longer: a program that would fit as it is must not be refused."""
    long, short = (compiled(DEEP, schedule) for schedule in ("pipelined", "chained"))
    tight = compiled(DEEP.replace(machine={"program_words": len(long.words) - 1}), "pipelined")
    assert len(tight.words) < len(long.words) and sample_cycles(tight).total > sample_cycles(long).total
    plain = compiled(DEEP, "drained")
    config = DEEP.replace(machine={"program_words": min(len(short.words), len(long.words)) - 20})
    with pytest.raises(BadInput, match="program_words"):
        pipelined(replace(plain, config=config))
