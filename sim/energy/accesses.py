"""What a program does to every memory, counted exactly from its instructions and descriptors.

The program is walked with the multiplicity of its loops; nothing depends on data. An access counts
when a flag of the sweep needs it: the RTL presents an address in every cycle and leaves its read
enables at one, an implementation gates them. Who reads what: ``hebbar.isa.Sweep``,
``hw.row_engine``, ``hw.array_macro``, ``hw.neuron``.
"""

from collections import Counter
from collections.abc import Iterator

from hebbar.compiler import Program
from hebbar.errors import Mismatch
from hebbar.geometry import ports
from hebbar.isa import Instruction, Op, Sweep, decode
from hebbar.memories import BLOCK, MAP, Mem, unpack

__all__ = ["EVENTS", "accesses", "check", "executions"]

EVENTS = {
    "weight_read": "words of P x C weights read",
    "weight_write": "words of P x C weights written",
    "map_read": "map entries read, one a column",
    "activity_read": "words of C activities read for FWD or UPD",
    "activity_write": "groups of P activities written by ACT",
    "word_fifo": "words that went through the FIFO of the row engine (a write and a read)",
    "row_fifo": "errors of row groups that went through the FIFO (a write and a read)",
    "back_read": "words of C back sums read to add to them",
    "back_write": "words of C back sums written",
    "back_use": "words of C back sums read by the neuron unit",
    "state_read": "groups of P states read for ERR, STEP, DELTA or ACT",
    "state_write": "groups of P states written by INIT or STEP",
    "error_read": "groups of P errors read by sweeps without ERR",
    "error_write": "groups of P errors written by ERR or DELTA",
    "clamp_read": "groups of P clamp bits read for INIT or STEP",
    "base_read": "groups of P bases read",
    "base_write": "groups of P bases written by HOIST",
    "row_base": "rows whose base was added",
    "row_error": "rows whose error was computed",
    "row_step": "rows that went through STEP",
    "program_read": "instructions fetched",
    "block_read": "block descriptors read",
    "beat_activity": "input beats written to activities (4 lanes each)",
    "beat_element": "input beats written to states, errors or clamp masks (one element each)",
    "beat_out": "output beats read from states or errors (one element each)",
    "mac_fwd": "as the counter", "mac_trn": "as the counter", "mac_upd": "as the counter",
    "steps": "as the counter", "activations": "as the counter",
}


def executions(program: Program, entry: str, samples: int) -> Iterator[tuple[Instruction, int]]:
    """Every instruction of an entry with the number of times it leaves the sequencer."""
    times = [1]
    for word in program.words[program.entries[entry]:]:
        instruction = decode(word)
        yield instruction, times[-1]
        if instruction.op is Op.LOOP:
            register = instruction.fields["register"]
            times.append(times[-1] * (samples if register == 1 else instruction.fields["count"]))
        elif instruction.op is Op.NEXT:
            times.pop()
        elif instruction.op is Op.HALT:
            return


def accesses(program: Program, entry: str, samples: int) -> dict[str, int]:
    """Counts of every name in EVENTS for ``samples`` samples of an entry."""
    total: Counter[str] = Counter(dict.fromkeys(EVENTS, 0))
    for instruction, times in executions(program, entry, samples):
        total["program_read"] += times
        if instruction.op is Op.SWEEP:
            for name, count in _sweep(program, instruction.fields).items():
                total[name] += times * count
        elif instruction.op in (Op.IN, Op.OUT):
            memory, count = Mem(instruction.fields["memory"]), instruction.fields["count"]
            per = ports(program.machine)[memory].lanes_per_beat
            name = "beat_activity" if memory is Mem.ACTIVITY else "beat_element"
            total["beat_out" if instruction.op is Op.OUT else name] += times * -(-count // per)
    return dict(total)


def _sweep(program: Program, fields: dict[str, int]) -> dict[str, int]:
    """The events of one SWEEP instruction."""
    flags, m = Sweep(fields["flags"]), program.machine
    block = unpack(BLOCK, program.blocks[fields["block"]])
    start, count = block["map_base"], block["columns"] if flags.weights else 0
    columns = [unpack(MAP, e) for e in program.maps[start:start + count]]
    groups = block["groups"]
    rows = (groups - 1) * m.row_tiles + block["tail"]
    tile = _row_engine if m.tile == "rows" else _array_macro
    return {"block_read": 1, **_macs(flags, columns, rows), **tile(flags, columns, groups),
            **_neurons(flags, groups, rows)}


def _macs(flags: Sweep, columns: list[dict[str, int]], rows: int) -> dict[str, int]:
    """Multiply-accumulates on weights in use."""
    lanes = {"mac_fwd": [c["lanes"] for c in columns],
             "mac_trn": [c["lanes"] for c in columns if c["feedback"]],
             "mac_upd": [c["lanes"] for c in columns if c["plastic"]]}
    on = {"mac_fwd": Sweep.FWD, "mac_trn": Sweep.TRN, "mac_upd": Sweep.UPD}
    return {name: rows * sum(used) * bool(flags & on[name]) for name, used in lanes.items()}


def _row_engine(flags: Sweep, columns: list[dict[str, int]], groups: int) -> dict[str, int]:
    """Every column once a row group; a fresh back sum is not read in the first row group."""
    visits, later = groups * len(columns), bool(flags & (Sweep.TRN | Sweep.UPD))
    fed = [c for c in columns if c["feedback"]] if flags & Sweep.TRN else []
    learnt = sum(c["plastic"] for c in columns) if flags & Sweep.UPD else 0
    return {
        "weight_read": visits, "weight_write": groups * learnt, "map_read": visits,
        "activity_read": visits * bool(flags & (Sweep.FWD | Sweep.UPD)),
        "word_fifo": visits * later, "row_fifo": groups * later,
        "back_write": groups * len(fed), "back_read": groups * len(fed) - sum(c["fresh"] for c in fed)}


def _array_macro(flags: Sweep, columns: list[dict[str, int]], groups: int) -> dict[str, int]:
    """Every column once a sweep; the weights are registers, no memory."""
    fed = [c for c in columns if c["feedback"]] if flags & Sweep.TRN else []
    return {
        "map_read": len(columns), "activity_read": len(columns) * bool(flags & (Sweep.FWD | Sweep.UPD)),
        "back_write": len(fed), "back_read": len(fed) - sum(c["fresh"] for c in fed)}


def _neurons(flags: Sweep, groups: int, rows: int) -> dict[str, int]:
    """What the neuron unit reads and writes, a row group at a time."""
    def when(wanted: Sweep) -> int:
        return groups * bool(flags & wanted)

    moves = Sweep.STEP | Sweep.DELTA
    stored = Sweep(0) if flags & Sweep.ERR else Sweep.TRN | Sweep.UPD | Sweep.STEP
    return {
        "state_read": when(Sweep.ERR | moves | Sweep.ACT), "state_write": when(Sweep.INIT | Sweep.STEP),
        "error_read": when(stored), "error_write": when(Sweep.ERR | Sweep.DELTA),
        "clamp_read": when(Sweep.INIT | Sweep.STEP), "base_read": when(Sweep.BASE),
        "base_write": when(Sweep.HOIST), "activity_write": when(Sweep.ACT),
        "back_use": when(moves) * bool(flags & Sweep.BACK),
        "row_base": rows * bool(flags & Sweep.BASE), "row_error": rows * bool(flags & Sweep.ERR),
        "row_step": rows * bool(flags & Sweep.STEP), "steps": rows * bool(flags & moves),
        "activations": rows * bool(flags & Sweep.ACT)}


def check(events: dict[str, int], counters: dict[str, int], rows: bool) -> None:
    """Raise Mismatch when counters are not of this program; ``rows``: the tile is a row engine."""
    names = {n: n for n in ("mac_fwd", "mac_trn", "mac_upd", "steps", "activations")}
    names |= {"weight_read": "issue"} if rows else {}
    for event, counter in names.items():
        if counters.get(counter) != events[event]:
            raise Mismatch(f"counter {counter} is {counters.get(counter)} and the program makes it "
                           f"{events[event]}; give the counters of this program, entry and number "
                           "of samples.")
