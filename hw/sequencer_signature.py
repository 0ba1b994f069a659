"""The ports of the sequencer."""

from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out

from hebbar.contract.isa import FIELDS, LOOP_REGISTERS, Op
from hebbar.contract.machine import MachineConfig

from .separation import command
from .tile import Shapes

__all__ = ["SequencerSignature"]


class SequencerSignature(wiring.Signature):
    """Registers and commands in, memories, tile, streamer, separation unit and energy sum on the other side.

    Parameters
    ----------
    machine : MachineConfig
        Sizes of memories, and which of the units there are.

    Members
    -------
    start, stop, clear : In(1)
        Commands of the control register, for one cycle.
    entry, watchdog : In(32)
        Registers: where a program begins; cycles without progress that are a fault, 0 for none.
    loops : In(ArrayLayout(32, LOOP_REGISTERS))
        The LOOP registers.
    program_address, word : Out(13), In(32)
        The instruction that is read; it is there a cycle later.
    block_address, block : Out(10), In(128)
        The block descriptor that is read; it is there a cycle later.
    sweep : Out(stream.Signature(Shapes.command))
        Sweeps to the tile.
    hold : In(1)
        Base and feedback sums are being cleared: nothing is decoded.
    idle : In(1)
        Nothing is in flight in the other units.
    progress : In(1)
        They got on in this cycle; the watchdog starts anew.
    transfer, transfer_out : Out(1)
        A transfer begins, for one cycle; it is an OUT.
    beside : Out(1)
        The program goes on beside the transfer that begins.
    transfer_word : Out(32)
        Its instruction.
    transfer_done : In(1)
        Its last beat has moved.
    transfer_fault : In(4)
        Cause of a fault of the streamer, also of a halted machine; 0 for none.
    leftover : In(1)
        A beat is on offer or a packet is under way.
    separate : Out(1)
        A SEPARATE begins, for one cycle.
    population : Out(command(machine))
        What it asks for.
    separated : In(1)
        Its last result is written.
    exit, arm : Out(1)
        An EXIT takes the energy sum, for one cycle; it only remembers it.
    leave : In(1)
        It leaves the innermost loop; the answer comes in the same cycle.
    left : Out(1)
        An EXIT has left a loop in this cycle.
    running : Out(1)
        A program runs, up to and with its last drain.
    aborted : Out(1)
        STOP or a fault ended it, and CLEAR has not come yet.
    fault : Out(1)
        ``cause`` is a fault.
    cause : Out(4)
        Why the machine halted (``hebbar.contract.registers.Cause``).
    pc : Out(13)
        Address of the instruction, halted that of the last one.
    draining, streaming, separating : Out(1)
        For the counters: the cycle waits for what is in flight, for an IN or OUT, for a SEPARATE.
    barrier : Out(1)
        Flips where nothing is in flight, after a WAIT or HALT.
    barrier_pc : Out(13)
        The address of that instruction.
    """

    def __init__(self, machine: MachineConfig) -> None:
        super().__init__({
            "start": In(1), "stop": In(1), "clear": In(1), "entry": In(32), "watchdog": In(32),
            "loops": In(data.ArrayLayout(32, LOOP_REGISTERS)), "program_address": Out(13), "word": In(32),
            "block_address": Out(FIELDS[Op.SWEEP]["block"].width), "block": In(128),
            "sweep": Out(stream.Signature(Shapes(machine).command)),
            "hold": In(1), "idle": In(1), "progress": In(1), "transfer": Out(1), "transfer_out": Out(1),
            "beside": Out(1), "transfer_word": Out(32), "transfer_done": In(1), "transfer_fault": In(4),
            "leftover": In(1),
            "separate": Out(1), "population": Out(command(machine)), "separated": In(1), "exit": Out(1), "arm": Out(1),
            "leave": In(1), "left": Out(1), "running": Out(1), "aborted": Out(1), "fault": Out(1), "cause": Out(4),
            "pc": Out(13), "draining": Out(1), "streaming": Out(1), "separating": Out(1), "barrier": Out(1),
            "barrier_pc": Out(13)})
