// AXI4-Lite and AXI4-Stream master of the Verilated machine; the rules of both buses are checked in every cycle.

#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <deque>
#include <memory>
#include <random>
#include <vector>

#include "Vtop.h"
#include "verilated.h"

constexpr unsigned OKAY = 0, SLVERR = 2, LATENCY = 2, ADDRESSES = 1 << 12;
// Twins of hebbar.contract.registers: START and LATCH of CONTROL, and counters, wait while totals are latched or cleared.
constexpr unsigned CONTROL = 0x040, WAITING = 9, COUNTERS = 0x200, COUNTERS_END = 0x328, COUNTING = 2 * 37 + 16;

class Random {
    std::mt19937_64 engine;

public:
    explicit Random(uint64_t seed) : engine(seed) {}
    uint32_t word() { return uint32_t(engine()); }
    unsigned below(unsigned n) { return unsigned(engine() % n); }
    bool chance(double p) { return double(engine() >> 11) * 0x1p-53 < p; }
    template <class Items> auto of(const Items& items) { return items[below(unsigned(items.size()))]; }
};

struct Beat {
    uint32_t data;
    bool last;
};

struct Write {
    uint32_t address, word;
    unsigned strobe;
};

struct Written {
    Write write;
    unsigned response;
};

// A read; `since`: the cycle in which it was offered first.
struct Read {
    uint32_t address, word;
    unsigned response;
    uint64_t since;
};

// What was met. Twin of Report in random_bus.py.
struct Report {
    uint64_t cycles, episodes, resets, starts, refused, beats_in, beats_out, okay, slverr;
    uint64_t violations, hangs, lost;
    char first[160];  // the first thing that was wrong
};

// How willing the master is: the probability a cycle that a channel moves. Ready signals that are stuck stay low.
struct Mood {
    double b = 1, r = 1, out = 1, in = 1, request = 1;
    bool stuck_b = false, stuck_r = false, stuck_out = false;

    static double some(Random& random) { return random.chance(.3) ? 1 : .05 + .9 * random.below(100) / 100; }
    static Mood any(Random& random) {
        return {some(random), some(random), some(random), some(random), some(random)};
    }
};

// A valid that must stay, with its payload, until it is taken.
struct Held {
    bool waiting = false;
    uint64_t payload = 0;

    bool broken(bool valid, bool ready, uint64_t now) {
        const bool wrong = waiting && (!valid || now != payload);
        waiting = valid && !ready, payload = now;
        return wrong;
    }
};

class CheckedBus {
public:
    Report& report;
    Random& random;
    Mood mood;
    std::deque<Write> addresses, words;       // to be offered; an address and a word make a write
    std::deque<Write> writes;                 // offered or not, but not answered
    std::deque<uint32_t> reads;               // to be offered
    std::deque<Read> asked;                   // taken, not answered
    std::deque<Beat> input;
    std::vector<Beat> output;                 // all beats since it was cleared last
    bool packet_open = false, input_open = false;  // a packet has begun and not ended, on the output and on the input
    std::vector<Written> written;             // answers since they were looked at
    std::vector<Read> read;
    std::array<uint64_t, ADDRESSES / 4> touched{};  // the last cycle in which a write to a word was under way

    CheckedBus(Report& report, Random& random) : report(report), random(random), top(new Vtop{&context, ""}) {
        top->clk = 0;
        top->eval();
    }
    ~CheckedBus() { top->final(); }

    void write(uint32_t address, uint32_t word, unsigned strobe = 15) {
        for (auto* queue : {&addresses, &words, &writes}) queue->push_back({address, word, strobe});
    }
    bool quiet() const { return writes.empty() && reads.empty() && asked.empty(); }

    void reset(unsigned cycles) {
        forget();
        for (unsigned i = 0; i < cycles; ++i) {
            drive();
            top->rst = 1;
            top->eval();
            edge();
        }
        top->rst = 0;
    }

    void cycle() {
        offer(aw, addresses), offer(w, words);
        if (!ar) ar_since = report.cycles;
        offer(ar, reads);
        if (!in && !input.empty() && random.chance(mood.in)) in = true;
        for (const Write& write : writes) touched[write.address % ADDRESSES / 4] = report.cycles;
        drive();
        top->eval();
        check();
        take();
        edge();
    }

    void violate(const char* what, uint32_t at = 0, uint32_t found = 0, uint32_t wanted = 0) {
        ++report.violations, note(what, at, found, wanted);
    }
    void note(const char* what, uint32_t at = 0, uint32_t found = 0, uint32_t wanted = 0) {
        if (!report.first[0])
            std::snprintf(report.first, sizeof report.first, "%s: cycle %llu, at 0x%x, 0x%x for 0x%x", what,
                          static_cast<unsigned long long>(report.cycles), at, found, wanted);
    }

private:
    VerilatedContext context;
    std::unique_ptr<Vtop> top;
    bool aw = false, w = false, ar = false, in = false;
    uint64_t ar_since = 0;
    Held held_b, held_r, held_out;
    unsigned addresses_taken = 0, words_taken = 0, late_b = 0, late_r = 0;

    template <class Queue> void offer(bool& valid, const Queue& queue) {
        if (!valid && !queue.empty() && random.chance(mood.request)) valid = true;
    }
    void forget() {
        for (auto* queue : {&addresses, &words, &writes}) queue->clear();
        reads.clear(), asked.clear(), input.clear(), output.clear(), written.clear(), read.clear();
        aw = w = ar = in = packet_open = input_open = false;
        held_b = held_r = held_out = Held();
        addresses_taken = words_taken = late_b = late_r = 0;
    }
    void edge() {
        top->clk = 1;
        top->eval();
        top->clk = 0;
        ++report.cycles;
    }

    // Payloads of what is not valid are noise.
    void drive() {
        top->s_axil_awvalid = aw, top->s_axil_awaddr = (aw ? addresses.front().address : random.word()) % ADDRESSES;
        top->s_axil_awprot = random.below(8), top->s_axil_arprot = random.below(8);
        top->s_axil_wvalid = w, top->s_axil_wdata = w ? words.front().word : random.word();
        top->s_axil_wstrb = w ? words.front().strobe : random.below(16);
        top->s_axil_arvalid = ar, top->s_axil_araddr = (ar ? reads.front() : random.word()) % ADDRESSES;
        top->s_axis_tvalid = in, top->s_axis_tdata = in ? input.front().data : random.word();
        top->s_axis_tlast = in ? input.front().last : random.below(2);
        top->s_axil_bready = !mood.stuck_b && random.chance(mood.b);
        top->s_axil_rready = !mood.stuck_r && random.chance(mood.r);
        top->m_axis_tready = !mood.stuck_out && random.chance(mood.out);
    }

    void check() {
        const Vtop& t = *top;
        if (held_b.broken(t.s_axil_bvalid, t.s_axil_bready, t.s_axil_bresp)) violate("an answer to a write changed");
        if (held_r.broken(t.s_axil_rvalid, t.s_axil_rready, uint64_t(t.s_axil_rdata) << 2 | t.s_axil_rresp))
            violate("an answer to a read changed");
        if (held_out.broken(t.m_axis_tvalid, t.m_axis_tready, uint64_t(t.m_axis_tdata) << 1 | t.m_axis_tlast))
            violate("a beat on offer changed");
        if (t.s_axil_bvalid && !(addresses_taken && words_taken)) violate("an answer without a write");
        if (t.s_axil_rvalid && asked.empty()) violate("an answer without a read");
        late_b = addresses_taken && words_taken && !t.s_axil_bvalid ? late_b + 1 : 0;
        late_r = !asked.empty() && !t.s_axil_rvalid ? late_r + 1 : 0;
        const bool waits = !writes.empty() && writes.front().address % ADDRESSES == CONTROL && writes.front().word & WAITING;
        const bool counter = !asked.empty() && asked.front().address % ADDRESSES >= COUNTERS &&
                             asked.front().address % ADDRESSES < COUNTERS_END;
        if (late_b >= LATENCY + (waits ? COUNTING : 0)) violate("a write is not answered in time");
        if (late_r >= LATENCY + (counter ? COUNTING : 0)) violate("a read is not answered in time");
        if (t.s_axil_bvalid && t.s_axil_bresp != OKAY && t.s_axil_bresp != SLVERR) violate("no such response");
    }

    void take() {
        const Vtop& t = *top;
        if (t.s_axil_bvalid && t.s_axil_bready) {
            ++(t.s_axil_bresp ? report.slverr : report.okay);
            if (!writes.empty()) written.push_back({writes.front(), t.s_axil_bresp}), writes.pop_front();
            --addresses_taken, --words_taken;
        }
        if (t.s_axil_rvalid && t.s_axil_rready && !asked.empty()) {
            read.push_back({asked.front().address, t.s_axil_rdata, t.s_axil_rresp, asked.front().since});
            asked.pop_front();
        }
        if (aw && t.s_axil_awready) ++addresses_taken, addresses.pop_front(), aw = false;
        if (w && t.s_axil_wready) ++words_taken, words.pop_front(), w = false;
        if (ar && t.s_axil_arready) asked.push_back({reads.front(), 0, 0, ar_since}), reads.pop_front(), ar = false;
        if (addresses_taken > 1 || words_taken > 1 || asked.size() > 1) violate("a request before the last answer");
        if (in && t.s_axis_tready) input_open = !input.front().last, input.pop_front(), in = false, ++report.beats_in;
        if (t.m_axis_tvalid && t.m_axis_tready) {
            output.push_back({t.m_axis_tdata, bool(t.m_axis_tlast)});
            packet_open = !t.m_axis_tlast, ++report.beats_out;
        }
    }
};
