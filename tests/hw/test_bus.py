"""The AXI4-Lite slave against a dictionary, cycle by cycle.

``Bench`` owns the clock. Every cycle it lets the five channel drivers and the inputs of the machine
move, samples every output, and hands the sample to ``Checker``, which knows the AXI rules, the
latency the block states, and a ``Model`` of the registers that is a plain dictionary.
"""

from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise, product
from random import Random

import pytest
from amaranth.back import rtlil
from amaranth.hdl import Cat, Const, ResetInserter, Signal, Value
from amaranth.sim import Simulator

from hebbar.contract.counters import COUNTERS
from hebbar.contract.registers import ADDRESS_BITS, COUNTER_BASE, REGISTERS, Access
from hw.bus import Bus

OKAY, SLVERR = 0, 2
SETTINGS = {n: r for n, r in REGISTERS.items() if r.access is Access.READ_WRITE}
INPUTS = [n for n, r in REGISTERS.items() if r.access is Access.READ and n[:-3] not in COUNTERS]
BITS = {n: (1 << r.bits) - 1 for n, r in SETTINGS.items()}
"""The bits that a register has, as a mask."""
COUNTER_WORDS = [f"{c}_{half}" for c in COUNTERS for half in ("lo", "hi")]
COUNTER_PLACES = {REGISTERS[name].address: COUNTERS.index(name[:-3]) for name in COUNTER_WORDS}
MAPPED = {r.address: n for n, r in REGISTERS.items()}
CHANNELS = {"aw": ("awaddr",), "w": ("wdata", "wstrb"), "b": ("bresp",),
            "ar": ("araddr",), "r": ("rdata", "rresp")}


class Model:
    """What the host can see: names, words and answers; no time, no handshakes."""

    def __init__(self):
        self.settings = {name: register.reset for name, register in SETTINGS.items()}
        self.inputs = dict.fromkeys(INPUTS, 0)
        self.counters = dict.fromkeys(COUNTERS, 0)

    def write(self, address, word, strobe, locked, startable):
        """The answer and the bits of CONTROL that pulse."""
        name = MAPPED.get(address)
        if name == "control":
            word = word & 15 if strobe & 1 else 0
            carried_out = {0: True, 1: startable, 2: True, 4: not locked}.get(word & 7, False)
            return (OKAY, word) if carried_out else (SLVERR, 0)
        if name not in self.settings:
            return SLVERR, 0
        if locked and name != "watchdog":
            return SLVERR, 0
        mask = sum(0xFF << 8 * lane for lane in range(4) if strobe >> lane & 1)
        self.settings[name] = (self.settings[name] & ~mask | word & mask) & BITS[name]
        return OKAY, 0

    def read(self, address):
        name = MAPPED.get(address)
        if name is None or name == "control":
            return 0, SLVERR
        if name in self.settings:
            return self.settings[name], OKAY
        if name in self.inputs:
            return self.inputs[name], OKAY
        value = self.counters[name[:-3]]
        return (value >> 32 if name.endswith("_hi") else value & 0xFFFFFFFF), OKAY


@dataclass
class Channel:
    """The host's end of one channel: a queue to send, or the answers received."""

    name: str
    stall: float
    queue: deque = field(default_factory=deque)
    received: list = field(default_factory=list)
    wait: int = 0
    high: bool = False
    sends = property(lambda self: self.name in ("aw", "w", "ar"))

    def drive(self, ctx, bus, rng):
        """Raise valid or ready, or stay low this cycle; a raised valid stays until it is taken."""
        if self.wait:
            self.wait -= 1
        elif not self.high or not self.sends:
            self.high = (not self.sends or bool(self.queue)) and rng.random() >= self.stall
            if self.high and self.sends:
                for name, value in zip(CHANNELS[self.name], self.queue[0]):
                    ctx.set(getattr(bus, f"s_axil_{name}"), value)
        ctx.set(getattr(bus, f"s_axil_{self.name}{'valid' if self.sends else 'ready'}"), self.high)

    def taken(self, payload):
        if self.sends:
            self.high = False
            self.queue.popleft()
        else:
            self.received.append(payload)


class Checker:
    """AXI rules, the stated latency, and the model, on the sample of every cycle."""

    def __init__(self, model):
        self.model, self.now, self.previous = model, 0, None
        self.addresses, self.words, self.reads = [], [], []
        self.handshakes = {name: [] for name in CHANNELS}

    def cycle(self, sample, machine):
        """Called before the clock edge; ``machine``, what is known of it, and the model's inputs are those of the
        last cycle, on which an answer that appears now was formed."""
        self._rules(sample)
        pulse = 0
        reading = any(t < self.now - 1 for t, _ in self.reads)  # in the last cycle
        unread = [(t, a) for t, a in self.reads if a in COUNTER_PLACES and not machine["counter_ready"]]
        if self._due(sample, "r", self.reads[:1], held=unread):
            expected = self.model.read(self.reads.pop(0)[1])
            assert sample["r"][2] == expected, f"cycle {self.now}: read {sample['r'][2]}"
        commands = [a for _, a in self.addresses] == [REGISTERS["control"].address]
        early = (machine["counting"] or reading) and commands and [
            w for _, (w, strobe) in self.words if w & 9 and strobe & 1]
        machine = {name: machine[name] for name in ("locked", "startable")}
        if self._due(sample, "b", self.addresses[:1] + self.words[:1], 2, early):
            address, word = self.addresses.pop(0)[1], self.words.pop(0)[1]
            answer, pulse = self.model.write(address, *word, **machine)
            assert sample["b"][2] == (answer,), f"cycle {self.now}: write to 0x{address:03x}"
        assert sample["control"] == pulse, f"cycle {self.now}: control {sample['control']}"
        assert sample["settings"] == list(self.model.settings.values()), f"cycle {self.now}"
        asked = [COUNTER_PLACES[a] for t, a in self.reads if a in COUNTER_PLACES and t < self.now]
        assert sample["asked"] == asked, f"cycle {self.now}: {sample['asked']} instead of {asked} is asked for"
        for name, keep in (("aw", self.addresses), ("w", self.words), ("ar", self.reads)):
            if sample[name][0] and sample[name][1]:
                keep.append((self.now, sample[name][2] if name == "w" else sample[name][2][0]))
        self.previous = sample
        self.now += 1

    def _rules(self, sample):
        for name in CHANNELS:
            valid, ready, payload = sample[name]
            if self.previous and self.previous[name][0] and not self.previous[name][1]:
                assert valid, f"{name}valid fell before {name}ready"
                assert payload == self.previous[name][2], f"{name} payload moved under valid"
            if valid and ready:
                self.handshakes[name].append(self.now)
        for request, answer in (("aw", "b"), ("w", "b"), ("ar", "r")):
            ahead = len(self.handshakes[request]) - len(self.handshakes[answer])
            assert 0 <= ahead <= 1, f"{ahead} {request} without {answer}"

    def _due(self, sample, name, requests, parts=1, held=()):
        """True in the cycle an answer appears, which must be the first the block promises in which nothing held it."""
        waited = self.previous and self.previous[name][0] and not self.previous[name][1]
        rises = bool(sample[name][0] and not waited)
        due = len(requests) == parts and self.now >= max(t for t, _ in requests) + Bus.latency and not held
        assert rises == due, f"cycle {self.now}: {name}valid {'came' if rises else 'is missing'}"
        return rises


class Bench:
    """Clock, channels, inputs and checker around one bus."""

    def __init__(self, seed=0, stall=0.0):
        self.bus, self.rng, self.model = Bus(), Random(seed), Model()
        self.channels = {name: Channel(name, stall) for name in CHANNELS}
        self.checker, self.reset = Checker(self.model), Signal()
        self.machine = {"locked": 0, "startable": 0, "counting": 0, "counter_ready": 1}
        self.counters = dict(self.model.counters)

    def run(self, script):
        async def bench(ctx):
            self.ctx = ctx
            self.set(**self.machine)
            await script(self)

        sim = Simulator(ResetInserter(self.reset)(self.bus))
        sim.add_clock(1e-6)
        sim.add_testbench(bench)
        sim.run()

    def set(self, inputs=None, counters=None, **machine):
        """Move inputs now; the model follows after the checker saw this cycle."""
        for name, value in (inputs or {}).items():
            self.ctx.set(getattr(self.bus, name), value)
        self.counters |= counters or {}
        for name, value in machine.items():
            self.ctx.set(getattr(self.bus, name), value)
        self.moved = (inputs or {}, counters or {}, machine)

    moved: tuple[dict[str, int], dict[str, int], dict[str, int]] = ({}, {}, {})

    async def cycle(self):
        for channel in self.channels.values():
            channel.drive(self.ctx, self.bus, self.rng)
        self._show_counter()
        sample = self._sample()
        self.checker.cycle(sample, self.machine)
        inputs, counters, machine = self.moved
        self.model.inputs |= inputs
        self.model.counters |= counters
        self.machine = self.machine | machine
        self.moved = ({}, {}, {})
        for name, channel in self.channels.items():
            if sample[name][0] and sample[name][1]:
                channel.taken(sample[name][2])
        await self.ctx.tick()

    def _show_counter(self):
        """The counter that is asked for while it is ready, else what nobody may take for it."""
        index = self.ctx.get(self.bus.counter_index)
        shown = self.ctx.get(self.bus.counter_read) and self.ctx.get(self.bus.counter_ready)
        self.ctx.set(self.bus.counter, self.counters[COUNTERS[index]] if shown else self.rng.getrandbits(64))

    def _sample(self):
        get, bus = self.ctx.get, self.bus
        sample = {name: (get(getattr(bus, f"s_axil_{name}valid")),
                         get(getattr(bus, f"s_axil_{name}ready")),
                         tuple(get(getattr(bus, f"s_axil_{p}")) for p in payload))
                  for name, payload in CHANNELS.items()}
        word = get(Cat(Value.cast(getattr(bus, name)) | Const(0, 32) for name in SETTINGS))
        sample["settings"] = [word >> 32 * i & 0xFFFFFFFF for i in range(len(SETTINGS))]
        sample["control"] = get(bus.control)
        sample["asked"] = [get(bus.counter_index)] * get(bus.counter_read)
        return sample

    async def access(self, writes=(), reads=(), aw_wait=0, w_wait=0, ar_wait=0):
        """Queue accesses, run until all are answered, return the new (write, read) answers."""
        first = {name: len(self.channels[name].received) for name in "br"}
        for address, word, *strobe in writes:
            self.channels["aw"].queue.append((address,))
            self.channels["w"].queue.append((word, strobe[0] if strobe else 15))
        self.channels["ar"].queue.extend((address,) for address in reads)
        for name, wait in (("aw", aw_wait), ("w", w_wait), ("ar", ar_wait)):
            self.channels[name].wait = wait
        want = {"b": first["b"] + len(writes), "r": first["r"] + len(reads)}
        limit = 100 + aw_wait + w_wait + ar_wait + 100 * (len(writes) + len(reads))
        for _ in range(limit):
            if all(len(self.channels[name].received) == n for name, n in want.items()):
                break
            await self.cycle()
        else:
            pytest.fail(f"no answer to {writes} {reads} within {limit} cycles")
        await self.cycle()
        return ([answer for answer, in self.channels["b"].received[first["b"]:]],
                self.channels["r"].received[first["r"]:])


def fill(bench):
    """Different words behind every input, so that no two reads can be confused."""
    bench.set({name: 0xA5000000 + 0x101 * i for i, name in enumerate(INPUTS)},
              {name: (0xC0000001 + i << 32) + 0x10001 * i + 1 for i, name in enumerate(COUNTERS)})


def test_the_table_itself_is_a_map():
    """Without it two registers at one address, or one past the bus, lose the second in silence."""
    assert len(MAPPED) == len(REGISTERS)
    assert all(a % 4 == 0 and 0 <= a < 1 << ADDRESS_BITS for a in MAPPED)
    assert set(REGISTERS) == {"control", *SETTINGS, *INPUTS, *COUNTER_WORDS}


def test_every_register_resets_is_written_and_is_read():
    """Without it a register could start with another value than the manual says, share its storage
    with a neighbour, or a counter could swap its halves."""
    async def script(bench):
        fill(bench)
        await bench.cycle()
        names = [*SETTINGS, *INPUTS, *COUNTER_WORDS]
        _, before = await bench.access(reads=[REGISTERS[n].address for n in names])
        assert [answer for _, answer in before] == [OKAY] * len(names)
        assert [word for word, _ in before[:len(SETTINGS)]] == [r.reset for r in SETTINGS.values()]
        assert len({word for word, _ in before[len(SETTINGS):]}) == len(names) - len(SETTINGS)
        words = {n: 0x9E3779B9 * (i + 1) & 0xFFFFFFFF for i, n in enumerate(SETTINGS)}
        answers, _ = await bench.access([(SETTINGS[n].address, w) for n, w in words.items()])
        assert answers == [OKAY] * len(words)
        _, after = await bench.access(reads=[r.address for r in SETTINGS.values()])
        assert after == [(w & BITS[n], OKAY) for n, w in words.items()]

    Bench().run(script)


def test_every_other_address_is_refused():
    """Without it a partly decoded address would alias: a host that misses a register by one bit, or
    writes a read-only or unaligned one, would change another and be told that all is well."""
    async def script(bench):
        fill(bench)
        everywhere = range(1 << ADDRESS_BITS)
        answers, words = await bench.access([(a, 0xFFFFFFF0) for a in everywhere], everywhere)
        for address in everywhere:
            register = REGISTERS.get(MAPPED.get(address))
            write = register is not None and register.access is not Access.READ
            read = register is not None and register.access is not Access.COMMAND
            assert answers[address] == (OKAY if write else SLVERR), f"write 0x{address:03x}"
            assert words[address][1] == (OKAY if read else SLVERR), f"read 0x{address:03x}"
            assert read or words[address][0] == 0, f"read 0x{address:03x}"

    Bench().run(script)


def test_byte_lanes():
    """Without it a narrow store of the host would destroy the rest of the register."""
    async def script(bench):
        for i, register in enumerate(SETTINGS.values()):
            for strobe in range(16) if i < 3 else (1, 2, 4, 8):
                word = bench.rng.getrandbits(32)
                answers, _ = await bench.access([(register.address, word, strobe)])
                assert answers == [OKAY]

    Bench().run(script)


def test_control_pulses_once():
    """Without it START could last two cycles and start the machine again, a byte store beside the bits could act, or
    a command that cannot be carried out could be answered as if it were."""
    async def script(bench):
        for locked, startable, strobe, word in product((0, 1), (0, 1), (1, 0, 14, 15), range(16)):
            bench.set(locked=locked, startable=startable)
            await bench.cycle()
            pulses, control = [], bench.bus.control
            bench.channels["aw"].queue.append((REGISTERS["control"].address,))
            bench.channels["w"].queue.append((0xFFFFFFF0 | word, strobe))
            for _ in range(6):
                await bench.cycle()
                pulses.append(bench.ctx.get(control))
            refused = word & 7 in (3, 5, 6, 7) or (word & 1 and not startable) or (word & 4 and locked)
            expected = word if strobe & 1 and not refused else 0
            assert [p for p in pulses if p] == ([expected] if expected else [])
            answer, = bench.channels["b"].received[-1]
            assert answer == (SLVERR if strobe & 1 and refused else OKAY), (word, locked, startable)

    Bench().run(script)


def test_start_and_latch_wait_for_the_counters():
    """Without it a START or LATCH during an earlier one would tear the totals; a STOP has no time to wait."""
    async def script(bench):
        for word in range(16):
            bench.set(startable=1, counting=1)
            await bench.cycle()
            bench.channels["aw"].queue.append((REGISTERS["control"].address,))
            bench.channels["w"].queue.append((word, 15))
            pulses = []
            for counting in (1,) * 20 + (0,) * 5:
                bench.set(counting=counting)
                await bench.cycle()
                pulses.append(bench.ctx.get(bench.bus.control))
            expected = 0 if word & 7 in (3, 5, 6, 7) else word
            assert [(i >= 20, p) for i, p in enumerate(pulses) if p] == [(bool(word & 9), expected)] * bool(expected)

    Bench().run(script)


def test_a_counter_is_returned_when_it_is_there():
    """Without it a read that comes early would return what the memory happens to show."""
    async def script(bench):
        fill(bench)
        await bench.cycle()
        for delay in (0, 1, 7):
            bench.set(counter_ready=0)
            bench.channels["ar"].queue.append((COUNTER_BASE + 8 * 5 + 4,))
            for _ in range(3 + delay):
                await bench.cycle()
            assert not bench.channels["r"].received
            bench.set(counter_ready=1)
            for _ in range(4):
                await bench.cycle()
            assert bench.channels["r"].received.pop() == (bench.counters[COUNTERS[5]] >> 32, OKAY)

    Bench().run(script)


def test_a_running_machine_is_locked():
    """Without it the host could move loop counts and gains under a running program, or could not
    stop it."""
    async def script(bench):
        for locked in (1, 0):
            bench.set(locked=locked)
            await bench.cycle()
            for name, register in SETTINGS.items():
                before = bench.ctx.get(getattr(bench.bus, name))
                answers, words = await bench.access([(register.address, before ^ 0xFFFFFFFF)],
                                                    [register.address])
                free = not locked or name == "watchdog"
                assert answers == [OKAY if free else SLVERR], name
                assert words[0][1] == OKAY
                after = bench.ctx.get(getattr(bench.bus, name))
                assert after == ((before ^ 0xFFFFFFFF) & BITS[name] if free else before), name
            answers, _ = await bench.access([(REGISTERS["control"].address, 2)])
            assert answers == [OKAY]

    Bench().run(script)


def test_address_and_data_in_any_order():
    """Without it a host bridge that sends data first, as many do, would hang or write the last
    word to the next address."""
    async def script(bench):
        for i, (aw_wait, w_wait) in enumerate((a, w) for a in range(5) for w in range(5)):
            answers, _ = await bench.access([(SETTINGS["entry"].address, 1000 + i)],
                                            aw_wait=aw_wait, w_wait=w_wait)
            assert answers == [OKAY]
            assert bench.ctx.get(bench.bus.entry) == 1000 + i

    Bench().run(script)


def test_an_answer_waits_for_the_host():
    """Without it an answer under back-pressure could be lost, and a second request accepted behind
    it would overwrite the first."""
    async def script(bench):
        bench.channels["b"].wait = bench.channels["r"].wait = 50
        entry = SETTINGS["entry"].address
        for word in (1, 2):
            bench.channels["aw"].queue.append((entry,))
            bench.channels["w"].queue.append((word, 15))
            bench.channels["ar"].queue.append((REGISTERS["watchdog"].address,))
        for _ in range(40):
            await bench.cycle()
        assert [len(bench.channels[n].queue) for n in ("aw", "w", "ar")] == [1, 1, 1]
        assert bench.ctx.get(bench.bus.entry) == 1
        await bench.access()
        for _ in range(20):
            await bench.cycle()
        assert bench.ctx.get(bench.bus.entry) == 2
        assert [len(bench.channels[n].received) for n in "br"] == [2, 2]

    Bench().run(script)


def test_throughput_is_as_stated():
    """Without it a bubble in the handshake would slow every host access and no value would show
    it; both directions run at full rate together."""
    async def script(bench):
        await bench.access([(SETTINGS["entry"].address, i) for i in range(20)],
                           [SETTINGS["entry"].address] * 20)
        for name in ("b", "r"):
            times = bench.checker.handshakes[name]
            assert {b - a for a, b in pairwise(times)} == {Bus.interval}

    Bench().run(script)


@pytest.mark.parametrize("late", range(-3, 4))
def test_read_beside_a_write_of_the_same_register(late):
    """Without it a read that meets a write could return half of each, or block it; the read that
    finishes together with the write sees the old word."""
    async def script(bench):
        entry = SETTINGS["entry"].address
        await bench.access([(entry, 0x01020304)])
        _, words = await bench.access([(entry, 0xFFEEDDCC)], [entry], aw_wait=3, w_wait=3,
                                      ar_wait=3 + late)
        assert words == [(0xFFEEDDCC if late > 0 else 0x01020304, OKAY)]

    Bench().run(script)


@pytest.mark.parametrize("seed", range(6))
def test_random_traffic(seed):
    """Without it the cases nobody thought of: five channels that stall at random, requests queued
    behind each other, inputs, counters and the lock that move between request and answer."""
    async def script(bench):
        rng, known = bench.rng, list(MAPPED)
        few = [SETTINGS[n].address for n in ("entry", "watchdog", "gain0")]

        def anywhere():
            anything = rng.randrange(1 << ADDRESS_BITS)
            return rng.choice((rng.choice(few), rng.choice(known), rng.choice(known), anything))

        count = 250
        for _ in range(count):
            bench.channels["aw"].queue.append((anywhere(),))
            bench.channels["w"].queue.append((rng.getrandbits(32),
                                               rng.choice((15, rng.randrange(16)))))
            bench.channels["ar"].queue.append((anywhere(),))
        while any(len(bench.channels[n].received) < count for n in "br"):
            bench.set({rng.choice(INPUTS): rng.getrandbits(32)},
                      {c: rng.getrandbits(64) for c in rng.sample(COUNTERS, 2)},
                      **{name: rng.randrange(2) for name in bench.machine if rng.random() < 0.3})
            if rng.random() < 0.02:
                for channel in bench.channels.values():
                    channel.stall = rng.choice((0.0, 0.2, 0.8))
            await bench.cycle()
            assert bench.checker.now < 100 * count, "the bus hangs"

    Bench(seed, stall=0.4).run(script)


def test_reset_in_the_middle():
    """Without it an access cut off by a reset could answer, or write, after the reset, when nobody
    asked for it."""
    async def script(bench):
        entry = SETTINGS["entry"].address
        for aw_wait, w_wait, cycles in product((0, 9), (0, 9), range(4)):
            await bench.access([(entry, 5)])
            waits = {"aw": aw_wait, "w": w_wait, "ar": 0, "b": 9, "r": 9}
            for name, queued in (("aw", (entry,)), ("w", (7, 15)), ("ar", (entry,))):
                bench.channels[name].queue.append(queued)
            for name, wait in waits.items():
                bench.channels[name].wait = wait
            for _ in range(cycles):
                await bench.cycle()
            for channel in bench.channels.values():  # what is on offer during the reset is not taken
                channel.drive(bench.ctx, bench.bus, bench.rng)
            bench.ctx.set(bench.reset, 1)
            await bench.ctx.tick()
            bench.ctx.set(bench.reset, 0)
            bench.channels = {name: Channel(name, 0.0) for name in CHANNELS}
            bench.model.settings = {name: register.reset for name, register in SETTINGS.items()}
            bench.checker = Checker(bench.model)
            for _ in range(6):
                await bench.cycle()
            await bench.access([(entry, 9)], [entry])

    Bench().run(script)


def test_ports_have_the_names_a_bus_model_looks_for():
    """Without it cocotbext-axi's from_prefix would find no channel, or one without back-pressure,
    only once the whole machine is emitted."""
    text = rtlil.convert(Bus())
    ports = {line.split()[-1]: line.split() for line in text.splitlines()
             if line.strip().startswith("wire")}
    names = {"input": "awaddr awprot awvalid wdata wstrb wvalid bready "
                      "araddr arprot arvalid rready",
             "output": "awready wready bresp bvalid arready rdata rresp rvalid"}
    for direction in names:
        for name in names[direction].split():
            assert direction in ports[f"\\s_axil_{name}"], name
