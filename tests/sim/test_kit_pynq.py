"""The kit's driver in Python, with PYNQ's interface, against the Verilated machine in place of a board."""

import importlib.util
import json

import numpy as np
import pytest

from hebbar.compiler.config import load
from hebbar.contract.console import Reporter
from hebbar.contract.counters import COUNTERS
from sim.backends import fast
from sim.kit.contents import contents
from sim.package import write
from sim.shell.host import ShellHost, finish

CONFIG, SAMPLES, PATIENCE = load("tiny"), 3, 1000


class Mmio:
    """pynq.MMIO, as far as the driver uses it."""

    def __init__(self, host):
        self._host, self.refused = host, 0

    def read(self, offset=0):
        return finish(self._host.read(offset))[0]

    def write(self, offset, value):
        self.refused += bool(finish(self._host.write(offset, value)))


class Channel:
    """A channel of pynq.lib.dma.DMA."""

    def __init__(self, work):
        self._work, self._buffer, self.idle, self.transferred = work, None, True, 0

    def transfer(self, buffer):
        assert self.idle, "a channel takes one transfer at a time"
        self._buffer, self.idle = buffer, False

    def wait(self):
        self.transferred, self.idle = 4 * self._work(self._buffer), True

    def stop(self):
        self.idle = True

    def start(self):
        pass


class Dma:
    def __init__(self, host):
        def send(buffer):
            host.send(buffer.copy())
            finish(host._run(until_halt=False))
            return len(buffer)

        def receive(buffer):
            for _ in range(PATIENCE):  # Host.receive of a running machine waits for its halt
                if host._received:
                    break
                finish(host._run(until_halt=False))
            packet = host._received.popleft()
            buffer[:len(packet)] = packet
            return len(packet)

        self.sendchannel, self.recvchannel = Channel(send), Channel(receive)


@pytest.fixture
def board(tmp_path, models):
    """The folder of a kit, its module, and a host on a machine after reset."""
    write(CONFIG, tmp_path, Reporter(quiet=True), models, samples=SAMPLES)
    spec = importlib.util.spec_from_file_location("hebbar_pynq", tmp_path / "hebbar_pynq.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    program = contents(CONFIG, 0).program
    host = ShellHost(fast.prepare(program, models, announce=False), program)
    yield tmp_path, module, host
    host.close()


def test_it_trains_recovers_and_asks(board):
    """Without it the first board would be the first test of the driver."""
    folder, module, host = board
    mmio = Mmio(host)
    machine = module.Machine(folder, mmio, Dma(host), np.zeros)
    machine.load()
    samples = machine.sections["samples_train"]
    machine.send(machine.sections["clamp_train"])
    machine.set("loop0", 2)
    machine.set("control", module.START)
    machine.send(samples[0, :3])
    with pytest.raises(module.MachineError, match=r"aborted; call recover\(\)"):
        machine.run("train", samples)
    assert machine.recover() == 8, "a packet that ends too soon is a fault of cause STREAM"
    machine.load()
    assert machine.run("train", samples) is None
    assert machine.counters().keys() == set(COUNTERS) and machine.counters()["issue"] > 0
    assert np.array_equal(machine.weights(), machine.sections["learned"][0])
    answers = machine.run("predict", machine.sections["samples_predict"])
    assert np.array_equal(answers & machine.sections["mask_predict"], machine.sections["answers_predict"]
                          & machine.sections["mask_predict"])
    assert not mmio.refused


def test_another_machine_is_refused(board):
    folder, module, host = board
    kit = json.loads((folder / "kit.json").read_text())
    kit["identity"]["weight_words"] += 1
    (folder / "kit.json").write_text(json.dumps(kit))
    with pytest.raises(module.MachineError, match="register weight_words reads 0x00000080"):
        module.Machine(folder, Mmio(host), Dma(host), np.zeros)
