"""What a program does to every memory, counted exactly from its instructions and descriptors.

The program is walked with the multiplicity of its loops; of the data nothing matters but where an EXIT
leaves. An access counts when a flag of the sweep needs it: the RTL presents an address in every cycle and
leaves its read enables at one, an implementation gates them. Who reads what: ``hebbar.contract.isa.Sweep``,
``hw.row_engine``, ``hw.array_macro``, ``hw.neuron``, ``hw.separation``, ``hw.energy_sum``.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from hebbar.compiler.executions import executions
from hebbar.compiler.program import Program
from hebbar.contract.effects import EFFECTS, Access, Resource, Where
from hebbar.contract.errors import Mismatch
from hebbar.contract.geometry import ports
from hebbar.contract.isa import MOVES, OPERAND_FLAGS, Into, Mode, Op, Sweep
from hebbar.contract.machine import MachineConfig
from hebbar.contract.memories import BLOCK, UNIT_PRECISION, Mem, unpack

__all__ = ["EVENTS", "accesses", "check"]

EVENTS = {
    "weight_read": "words of P x C weights read; identity columns have none",
    "weight_write": "words of P x C weights written",
    "map_read": "map entries read, one a column",
    "activity_read": "words of C activities read for FWD or UPD",
    "activity_write": "words of activities written by ACT",
    "post_read": "words of C activities read for the POST of a row group",
    "word_fifo": "words that went through the FIFO of the row engine (a write and a read)",
    "row_fifo": "errors of row groups that TRN and UPD take (a write and a read of the FIFO, which some go past)",
    "back_read": "words of C feedback sums read to add to them",
    "back_write": "words of C feedback sums written",
    "back_use": "words of C feedback sums read by the neuron unit",
    "state_read": "words of states read for ERR, STEP, DELTA, ACT or FIRE, or for a row of SEPARATE",
    "state_write": "words of states written by INIT, STEP or FIRE, or for a row of SEPARATE",
    "error_read": "words of errors read by sweeps without ERR",
    "error_write": "words of errors written by ERR or DELTA, or for a row of SEPARATE",
    "clamp_read": "words of clamp bits read for INIT, STEP or FIRE",
    "base_read": "words of bases read, by SEPARATE for every row in every pass that looks at sums",
    "base_write": "words of bases written by HOIST",
    "integral_read": "words of integrals read by INTEGRATE",
    "integral_write": "words of integrals written by INTEGRATE",
    "row_base": "rows whose base was added",
    "row_error": "rows whose error was computed from a prediction",
    "row_precision": "rows whose error was rounded because its precision is below 1",
    "row_gate": "rows whose sum was added to the feedback",
    "row_negated": "rows whose error or activity was negated for TRN or UPD",
    "row_integral": "rows whose error was integrated",
    "row_step": "rows that went through STEP",
    "row_square": "rows whose error was squared and summed",
    "identity_fwd": "additions of an identity column to a row sum",
    "identity_trn": "additions of an identity column to a feedback sum",
    "separations": "as the counter",
    "softmax_rows": "rows of those that were weighed: power, product with the reciprocal",
    "softmaxes": "reciprocals of sums of powers",
    "row_difference": "rows whose share was subtracted from the state",
    "exit_executed": "EXITs, whether they left or not",
    "exits": "as the counter",
    "program_read": "instructions fetched",
    "block_read": "block descriptors read",
    "beat_activity": "input beats written to activities (4 lanes each, 2 of more than 8 bits)",
    "beat_element": "input beats written to states, errors or clamp masks (one element each)",
    "beat_out": "output beats read from states or errors (one element each)",
    "mac_fwd": "as the counter", "mac_trn": "as the counter", "mac_upd": "as the counter",
    "steps": "as the counter", "activations": "as the counter",
}

Fields = Mapping[str, int]
"""The fields of an instruction, a descriptor or a map entry."""

NEURON_EVENTS = {
    (Access.READ, Resource.STATE): "state_read", (Access.WRITE, Resource.STATE): "state_write",
    (Access.READ, Resource.ERROR): "error_read", (Access.WRITE, Resource.ERROR): "error_write",
    (Access.READ, Resource.INTEGRAL): "integral_read", (Access.WRITE, Resource.INTEGRAL): "integral_write",
    (Access.READ, Resource.BASE): "base_read", (Access.WRITE, Resource.BASE): "base_write",
    (Access.READ, Resource.ACTIVITY): "post_read", (Access.WRITE, Resource.ACTIVITY): "activity_write",
    (Access.READ, Resource.CLAMP): "clamp_read", (Access.READ, Resource.FEEDBACK): "back_use"}
"""Accesses of the neuron unit to the memories of the rows."""


def accesses(program: Program, entry: str, samples: int, exits: Iterable[bool] = ()) -> dict[str, int]:
    """Counts of every name in EVENTS for ``samples`` samples of an entry.

    ``exits``: for every unarmed EXIT that is executed, in their order, whether it leaves its loop.
    """
    exits = tuple(bool(leaves) for leaves in exits)
    total: Counter[str] = Counter(dict.fromkeys(EVENTS, 0))
    total["exits"] = sum(exits)
    for instruction, times in executions(program, entry, samples, exits):
        total["program_read"] += times
        for name, count in _events(program, instruction.op, instruction.fields).items():
            total[name] += times * count
    return dict(total)


def _events(program: Program, op: Op, fields: Fields) -> dict[str, int]:
    """What one execution of an instruction does."""
    match op:
        case Op.SWEEP:
            return _sweep(program, fields)
        case Op.SEPARATE:
            return _separate(program, fields)
        case Op.EXIT:
            return {"exit_executed": 1}
        case _ if op in MOVES:
            memory = Mem(fields["memory"])
            name = "beat_activity" if memory is Mem.ACTIVITY else "beat_element"
            per = ports(program.machine)[memory].lanes_per_beat
            return {"beat_out" if op is Op.OUT else name: -(-fields["count"] // per)}
    return {}


def _sweep(program: Program, fields: Fields) -> dict[str, int]:
    """The events of one SWEEP instruction."""
    flags, m = Sweep(fields["flags"]), program.machine
    block, columns = program.descriptor(fields["block"])
    columns = columns if flags.weights else []
    rows = _rows(block, m)
    tile = _array_macro if m.kind.array else _row_engine
    words = len(m.kind.timing(m).row_groups(block, flags))
    return {"block_read": 1, **_macs(flags, columns, rows), **tile(flags, columns, block, m),
            **_neurons(flags, words, rows), **_arithmetic(flags, block, rows, m)}


def _rows(block: Fields, machine: MachineConfig) -> int:
    return (block["groups"] - 1) * machine.row_tiles + block["last_rows"]


def _separate(program: Program, fields: Fields) -> dict[str, int]:
    """The events of one SEPARATE: a row at a time, the largest sum, with SOFTMAX the powers, then the shares."""
    rows = _rows(unpack(BLOCK, program.blocks[fields["block"]]), program.machine)
    weighed = rows * (fields["mode"] == Mode.SOFTMAX)
    into = Into(fields["into"])
    difference = rows * (into is Into.DIFFERENCE)
    return {"block_read": 1, "separations": rows, "softmax_rows": weighed, "softmaxes": int(weighed > 0),
            "base_read": rows + weighed, "state_read": difference, "row_difference": difference,
            "state_write" if into is Into.STATE else "error_write": rows}


def _macs(flags: Sweep, columns: Sequence[Fields], rows: int) -> dict[str, int]:
    """Multiply-accumulates on weights in use."""
    lanes = {"mac_fwd": [c["lanes"] for c in columns],
             "mac_trn": [c["lanes"] for c in columns if c["feedback"]],
             "mac_upd": [c["lanes"] for c in columns if c["plastic"]]}
    on = {"mac_fwd": Sweep.FWD, "mac_trn": Sweep.TRN, "mac_upd": Sweep.UPD}
    return {name: rows * sum(used) * bool(flags & on[name]) for name, used in lanes.items()}


def _row_engine(flags: Sweep, columns: Sequence[Fields], block: Fields, m: MachineConfig) -> dict[str, int]:
    """Every column once a row group; a sum that is overwritten is not read for the group that is first of its word."""
    groups, rows = block["groups"], _rows(block, m)
    visits, later = groups * len(columns), bool(flags & OPERAND_FLAGS)
    stored = [c for c in columns if c["lanes"]]
    identities = [c for c in columns if not c["lanes"]]
    fed = [c for c in columns if c["feedback"]] if flags & Sweep.TRN else []
    learnt = sum(c["plastic"] for c in stored) if flags & Sweep.UPD else 0
    begun = {True: 1, False: sum(g * m.row_tiles % m.lanes == 0 for g in
                                 range(block["group_base"], block["group_base"] + groups))}
    asked = stored if flags & Sweep.UPD else []
    return {
        "weight_read": groups * len(stored), "weight_write": groups * learnt, "map_read": visits,
        "activity_read": groups * len(columns if flags & Sweep.FWD else asked),
        "word_fifo": visits * later, "row_fifo": groups * later, "back_write": groups * len(fed),
        "back_read": groups * len(fed) - sum(c["overwrite"] * begun[bool(c["lanes"])] for c in fed),
        "identity_fwd": rows * len(identities) * bool(flags & Sweep.FWD),
        "identity_trn": rows * sum(not c["lanes"] for c in fed)}


def _array_macro(flags: Sweep, columns: Sequence[Fields], block: Fields, m: MachineConfig) -> dict[str, int]:
    """Every column once a sweep; the weights are registers, no memory, and identity columns do nothing."""
    stored = [c for c in columns if c["lanes"]]
    fed = [c for c in stored if c["feedback"]] if flags & Sweep.TRN else []
    return {
        "map_read": len(columns), "activity_read": len(stored) * bool(flags & (Sweep.FWD | Sweep.UPD)),
        "back_write": len(fed), "back_read": len(fed) - sum(c["overwrite"] for c in fed)}


def _neurons(flags: Sweep, words: int, rows: int) -> dict[str, int]:
    """What the neuron unit reads and writes, a row group or, without weights, a word of W rows at a time."""
    done = {(e.access, e.resource) for e in EFFECTS if e.where is Where.ROWS and e.happens(flags)}
    return {name: words * (access in done) for access, name in NEURON_EVENTS.items()} | {
        "steps": rows * bool(flags & (Sweep.STEP | Sweep.DELTA)), "activations": rows * bool(flags & Sweep.ACT)}


def _arithmetic(flags: Sweep, block: Fields, rows: int, m: MachineConfig) -> dict[str, int]:
    """What the neuron unit and the energy sum compute, a row at a time."""
    compares, gates = bool(flags & Sweep.ERR), bool(flags & Sweep.GATE)
    return {
        "row_base": rows * bool(flags & Sweep.BASE), "row_error": rows * (compares and not gates),
        "row_precision": rows * (compares and block["precision"] < UNIT_PRECISION),
        "row_gate": rows * (gates and bool(flags & (Sweep.STEP | Sweep.DELTA))),
        "row_negated": rows * bool(flags & Sweep.NEG and flags & OPERAND_FLAGS),
        "row_integral": rows * (compares and bool(flags & Sweep.INTEGRATE)),
        "row_step": rows * bool(flags & Sweep.STEP), "row_square": rows * (compares and m.energy)}


def check(events: dict[str, int], counters: dict[str, int], rows: bool) -> None:
    """Raise Mismatch when counters are not of this program; ``rows``: the tile is a row engine."""
    names = {n: n for n in ("mac_fwd", "mac_trn", "mac_upd", "steps", "activations", "separations", "exits")}
    names |= {"map_read": "issue"} if rows else {}
    for event, counter in names.items():
        if counters.get(counter, 0) != events[event]:
            raise Mismatch(f"counter {counter} is {counters.get(counter)} and the program makes it "
                           f"{events[event]}; give the counters of this program, entry and number "
                           "of samples.")
