// A run of the Verilated machine that is aborted, with packets under way on both streams, and then recovered from.

#include "random_bus.cpp"

namespace {

constexpr int AFTER = 60;  // cycles in which packets go on coming after the halt

// Beats of whole packets, offered over and over.
struct Flood {
    const uint32_t* data;
    const uint8_t* last;
    uint64_t length;

    void fill(CheckedBus& bus, uint64_t& at) const {
        while (bus.input.size() < 4 || !bus.input.back().last)
            bus.input.push_back({data[at], bool(last[at])}), at = (at + 1) % length;
    }
};

struct Abort {  // twin of aborts.py
    const uint32_t* data;
    const uint8_t* last;
    uint64_t length;          // the samples
    Flood flood;
    uint32_t address, word;   // the write that aborts `cycle` cycles after START; address ~0: program or sample does
    uint32_t cycle;
    double out;               // the consumer's probability of taking a beat
};

// Null when the machine is ready for packets and START again, else what is wrong.
const char* aborted(Careless& host, const Abort& abort) {
    CheckedBus& bus = host.bus;
    uint64_t at = 0;
    bus.mood = Mood();
    bus.output.clear(), bus.written.clear(), bus.read.clear();
    if (host.ask(host.plan.control, START)) return "START is refused";
    for (uint64_t i = 0; i < abort.length; ++i) bus.input.push_back({abort.data[i], bool(abort.last[i])});
    bus.mood.out = abort.out, bus.mood.stuck_out = abort.out == 0;
    auto cycles = [&](uint32_t count) {
        for (uint32_t i = 0; i < count; ++i) abort.flood.fill(bus, at), bus.cycle();
    };
    cycles(abort.cycle);
    if (abort.address != ~0u) {
        bus.write(abort.address, abort.word);
        for (int i = 0; i < 100 && !bus.writes.empty(); ++i) cycles(1);
        if (bus.written.empty() || bus.written.back().response) return "the write that aborts is refused";
        bus.written.clear();
    }
    uint32_t status = RUNNING;
    for (uint32_t i = 0; i < host.plan.patience / 100 && status & RUNNING; ++i) {
        cycles(10);
        if (i == 500) bus.mood = Mood();  // a program may wait for its consumer
        if (!host.look(host.plan.status, status)) return "STATUS is not read";
    }
    if (status & RUNNING) return "the machine does not halt";
    if (!(status & ABORTED)) return "the machine is not aborted";
    cycles(AFTER);
    if (!host.ask(host.plan.control, START)) return "START is accepted before CLEAR";
    bus.mood = Mood();
    if (!host.until([&] { return bus.input.empty(); })) return "the input is not taken";
    for (int i = 0; i < AFTER; ++i) bus.cycle();
    if (bus.packet_open) return "a packet of the output never ended";
    if (host.ask(host.plan.control, CLEAR)) return "CLEAR is refused";
    if (!host.status(~0u, 0)) return "STATUS is not zero after CLEAR";
    bus.output.clear(), bus.read.clear(), bus.written.clear();
    return nullptr;
}

}

extern "C" const char* aborts_case(Careless* host, const Abort* abort) { return aborted(*host, *abort); }
