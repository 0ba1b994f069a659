// The Verilated machine behind a C interface, for ctypes: registers, streams in bulk, barriers recorded.
// One call simulates many cycles. bind.h, written for each configuration, names the memories.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

#include "Vtop.h"
#include "Vtop___024root.h"
#include "verilated.h"
#if VM_TRACE_SAIF
#include "verilated_saif_c.h"
#else
struct VerilatedSaifC { void dump(uint64_t) {} };  // a model that counts nothing
#endif

namespace {

// One memory: where its words are, and how many elements of how many bits each holds.
struct Memory {
    std::vector<const uint8_t*> words;
    size_t word_bytes = 0;
    unsigned lanes = 0, bits = 0;

    template <class Word> void one(const Word& word) {
        words.push_back(reinterpret_cast<const uint8_t*>(&word));
        word_bytes = sizeof(Word);
    }
    template <class Array> void all(const Array& array, size_t depth) {
        for (size_t i = 0; i < depth; ++i) one(array[i]);
    }
    int32_t* dump(int32_t* out) const {
        for (const uint8_t* word : words) {
            if (bits == 16) out = narrow<int16_t>(word, out);
            else if (bits == 8) out = narrow<int8_t>(word, out);
            else for (unsigned i = 0; i < lanes; ++i) *out++ = element(word, i);
        }
        return out;
    }
    template <class Element> int32_t* narrow(const uint8_t* word, int32_t* out) const {
        for (unsigned i = 0; i < lanes; ++i) {
            Element value;
            std::memcpy(&value, word + i * sizeof(Element), sizeof(Element));
            *out++ = value;
        }
        return out;
    }
    int32_t element(const uint8_t* word, unsigned index) const { return int32_t(wide(word, index)); }
    int64_t wide(const uint8_t* word, unsigned index) const {
        const size_t first = size_t(index) * bits, byte = first / 8;
        uint64_t raw = 0;
        std::memcpy(&raw, word + byte, word_bytes - byte < 8 ? word_bytes - byte : 8);
        const unsigned unused = 64 - bits;
        return int64_t(raw >> first % 8 << unused) >> unused;
    }
};

enum { STATE, ERROR, ACTIVITY, WEIGHT, BASE, INTEGRAL, MEMORIES };     // the first four are recorded
enum Mark : uint8_t { LEARNED = 1, HALTS = 2 };                    // what a barrier address means

// What is kept of a barrier that is met outside a run, while a register is accessed.
struct Snapshot {
    uint16_t pc;
    std::vector<int32_t> rows, weights;
};

enum Why { DONE = 0, SLICE = 1, RECORD_FULL = 2, OUTPUT_FULL = 3 };  // why run returned

#include "bind.h"
#include "writes.h"

// What the analog macro at the pins answers, and what its weights are; Python keeps both.
using Answer = void (*)();
using Weights = void (*)(int32_t* out);

}  // namespace

extern "C" {

// Streams and the record of one run; Python owns every buffer. Counts are in elements.
struct Run {
    const uint32_t* in;
    const uint8_t* in_last;
    uint64_t in_count, in_taken;
    uint32_t* out;
    uint8_t* out_last;
    uint64_t out_capacity, out_count;
    const uint8_t* marks;  // what a barrier at each address means
    int32_t *pc, *rows;    // rows: state, error, activity of every neuron at a barrier
    uint64_t barrier_capacity, barrier_count;  // capacity 0: nothing is recorded
    int64_t* weight_barrier;
    int32_t* weights;
    uint64_t weight_capacity, weight_count;
    uint64_t moved;        // beats in and out since the run began
    uint64_t held, random; // chance in 2**32 that the host holds a stream back in a cycle; the state that draws it
};

}

struct Shell {
    VerilatedContext context;
    std::unique_ptr<Vtop> top;
    Memory memories[MEMORIES];
    uint64_t cycles = 0;
    bool barrier = false;
    const uint8_t* watched = nullptr;  // the marks of the addresses while barriers are recorded
    std::deque<Snapshot> early;        // barriers that the next run has to record first
    Answer answer = nullptr;
    Weights macro_weights = nullptr;
    std::unique_ptr<Writes> writes;   // while they are watched
    std::unique_ptr<VerilatedSaifC> toggles;  // while transitions are counted
    uint64_t counted = 0;             // cycles in which they were

    Shell() : top(new Vtop{&context, ""}) {
        context.traceEverOn(VM_TRACE_SAIF);
        bind(*top->rootp, memories);
        top->clk = 0;
        top->eval();
    }

    // A cycle is low(), a look at the outputs, high().
    void low() {
        top->clk = 0;
        top->eval();
        if (answer && strobed(*top)) answer(), top->eval();
    }

    // Counts the transitions of every net in runs from now on, into the file that the next call closes. A bit that is one
    // now has a transition too many: the file begins with zeros.
    void count_toggles(const char* path) {
        toggles.reset();
#if VM_TRACE_SAIF
        if (!path) return;
        toggles.reset(new VerilatedSaifC);
        top->trace(toggles.get(), 99);
        toggles->open(path);
        counted = 0;
        toggles->dump(counted);
#endif
    }
    void high() {
        if (writes) writes->before(*top->rootp);
        top->clk = 1;
        top->eval();
        ++cycles;
        if (writes) writes->after();
    }
    void idle() { low(); high(); }

    void reset(unsigned count) {
        top->rst = 1;
        for (unsigned i = 0; i < count; ++i) idle();
        top->rst = 0;
        idle();
        barrier = top->barrier;
    }

    bool flipped() {
        const bool changed = top->barrier != barrier;
        barrier = top->barrier;
        return changed;
    }

    // Waits at most `limit` cycles for a handshake; false when it does not come.
    template <class Ready> bool until(Ready ready, unsigned limit) {
        for (unsigned i = 0; i < limit; ++i) {
            low();
            const bool done = ready();
            high();
            if (flipped() && watched) early.push_back(snapshot());
            if (done) return true;
        }
        return false;
    }

    int write(uint32_t address, uint32_t value, unsigned limit) {
        top->s_axil_awaddr = address, top->s_axil_wdata = value, top->s_axil_wstrb = 15;
        top->s_axil_awvalid = top->s_axil_wvalid = top->s_axil_bready = 1;
        int response = -1;
        const bool taken = until([&] { return top->s_axil_awready && top->s_axil_wready; }, limit);
        top->s_axil_awvalid = top->s_axil_wvalid = 0;
        if (taken) until([&] { response = top->s_axil_bvalid ? top->s_axil_bresp : -1; return response >= 0; }, limit);
        top->s_axil_bready = 0;
        return response;
    }

    int read(uint32_t address, uint32_t* value, unsigned limit) {
        top->s_axil_araddr = address;
        top->s_axil_arvalid = top->s_axil_rready = 1;
        int response = -1;
        const bool taken = until([&] { return bool(top->s_axil_arready); }, limit);
        top->s_axil_arvalid = 0;
        if (taken) until([&] {
            if (top->s_axil_rvalid) response = top->s_axil_rresp, *value = top->s_axil_rdata;
            return response >= 0;
        }, limit);
        top->s_axil_rready = 0;
        return response;
    }

    size_t elements(int m) const { return memories[m].words.size() * memories[m].lanes; }

    // Makes room for a barrier in the record of a run; for its weights where it follows an UPD, else they are null.
    int32_t* place(Run& run, uint16_t pc, int32_t** weights) {
        *weights = nullptr;
        if (run.marks[pc] & LEARNED) {
            run.weight_barrier[run.weight_count] = run.barrier_count;
            *weights = run.weights + run.weight_count++ * WEIGHTS;
        }
        run.pc[run.barrier_count] = pc;
        return run.rows + run.barrier_count++ * 3 * elements(STATE);
    }
    void dump_rows(int32_t* out) const {
        for (int m : {STATE, ERROR, ACTIVITY}) out = memories[m].dump(out);
    }
    void dump_weights(int32_t* out) const {
        if (macro_weights) macro_weights(out);
        else memories[WEIGHT].dump(out);
    }
    void record(Run& run) {
        int32_t *weights, *rows = place(run, top->barrier_pc, &weights);
        if (weights) dump_weights(weights);
        dump_rows(rows);
    }
    Snapshot snapshot() const {
        Snapshot s{uint16_t(top->barrier_pc), std::vector<int32_t>(3 * elements(STATE)), {}};
        dump_rows(s.rows.data());
        if (watched[s.pc] & LEARNED) s.weights.resize(WEIGHTS), dump_weights(s.weights.data());
        return s;
    }
    void record_early(Run& run) {
        const Snapshot& s = early.front();
        int32_t *weights, *rows = place(run, s.pc, &weights);
        if (weights) std::memcpy(weights, s.weights.data(), s.weights.size() * sizeof(int32_t));
        std::memcpy(rows, s.rows.data(), s.rows.size() * sizeof(int32_t));
        early.pop_front();
    }
    static bool full(const Run& run) {
        return run.barrier_capacity && (run.barrier_count == run.barrier_capacity || run.weight_count == run.weight_capacity);
    }

    // Whether the host holds a stream back in this cycle (xorshift64).
    static bool holds(Run& run) {
        if (!run.held) return false;
        run.random ^= run.random << 13, run.random ^= run.random >> 7, run.random ^= run.random << 17;
        return run.random >> 32 < run.held;
    }

    // Streams and records until `stop_at_halt` sees a HALT barrier, or else all input is taken and
    // nothing leaves for `quiet` cycles; at most `slice` cycles.
    int run(Run& run, uint64_t slice, bool stop_at_halt, unsigned quiet) {
        unsigned still = 0;
        bool offers = false;  // a beat that is offered stays until it is taken
        while (!early.empty()) {
            if (full(run)) return RECORD_FULL;
            const bool halts = run.marks[early.front().pc] & HALTS;
            record_early(run);
            if (stop_at_halt && halts) return stop(DONE);
        }
        for (uint64_t end = cycles + slice; cycles < end;) {
            if (run.out_count == run.out_capacity) return OUTPUT_FULL;
            if (full(run)) return RECORD_FULL;
            offers = run.in_taken < run.in_count && (offers || !holds(run));
            top->s_axis_tvalid = offers;
            if (offers) top->s_axis_tdata = run.in[run.in_taken], top->s_axis_tlast = run.in_last[run.in_taken];
            top->m_axis_tready = !holds(run);
            low();
            if (toggles) toggles->dump(++counted);  // once a cycle, when everything has settled
            const bool in = offers && top->s_axis_tready, leaves = top->m_axis_tvalid, out = leaves && top->m_axis_tready;
            if (out) run.out[run.out_count] = top->m_axis_tdata, run.out_last[run.out_count++] = top->m_axis_tlast;
            high();
            run.in_taken += in;
            offers &= !in;
            run.moved += in + out;
            still = in || leaves ? 0 : still + 1;
            if (flipped()) {
                const bool halts = run.marks[top->barrier_pc] & HALTS;
                if (run.barrier_capacity) record(run);
                if (stop_at_halt && halts) return stop(DONE);
            }
            if (!stop_at_halt && still >= quiet && run.in_taken == run.in_count) return stop(DONE);
        }
        return stop(SLICE);
    }
    int stop(Why why) { top->s_axis_tvalid = 0, top->m_axis_tready = 0; return why; }
};

extern "C" {

Shell* shell_open() { return new Shell; }
void shell_close(Shell* s) {
    Verilated::threadContextp(&s->context);  // from which a model takes its scopes; another model may be open
    s->top->final();
    delete s;
    Verilated::threadContextp(nullptr);
}
void shell_reset(Shell* s, unsigned cycles) { s->reset(cycles); }
void shell_watch(Shell* s, const uint8_t* marks) { s->watched = marks, s->early.clear(); }
uint64_t shell_cycles(const Shell* s) { return s->cycles; }
int shell_write(Shell* s, uint32_t address, uint32_t value, unsigned limit) { return s->write(address, value, limit); }
int shell_read(Shell* s, uint32_t address, uint32_t* value, unsigned limit) { return s->read(address, value, limit); }
// Where the pins are: addresses in the order of hebbar.contract.pins; none without a macro.
void shell_pins(Shell* s, const void** out) { pins(s->top.get(), out); }
void shell_macro(Shell* s, Answer answer, Weights weights) { s->answer = answer, s->macro_weights = weights; }
int shell_run(Shell* s, Run* run, uint64_t slice, int stop_at_halt, unsigned quiet) {
    return s->run(*run, slice, stop_at_halt, quiet);
}
// Watch every write from now on, with a log of them or without; nothing when `watch` is false.
void shell_writes(Shell* s, int watch, int log) { s->writes.reset(watch ? new Writes(s->memories, log) : nullptr); }
// How many elements of a memory were written; with `out` the hashes of all of them.
uint64_t shell_hashes(const Shell* s, int memory, uint32_t* out) {
    const Writes::Written& found = s->writes->written[memory];
    if (out) std::copy(found.hash.begin(), found.hash.end(), out);
    return found.count;
}
// The writes of a log.
void shell_log(const Shell* s, int memory, int64_t* places, int64_t* values) {
    const Writes::Written& found = s->writes->written[memory];
    std::copy(found.places.begin(), found.places.end(), places);
    std::copy(found.values.begin(), found.values.end(), values);
}
// How many EXITs decided; with `out` whether each of them left.
uint64_t shell_decisions(const Shell* s, uint8_t* out) {
    const std::vector<uint8_t>& found = s->writes->decisions;
    if (out) std::copy(found.begin(), found.end(), out);
    return found.size();
}
void shell_toggles(Shell* s, const char* path) { s->count_toggles(path); }
uint64_t shell_dump(const Shell* s, int memory, int32_t* out) { return s->memories[memory].dump(out) - out; }

// The limit to measure against: clock and input stream, nothing looked at.
void shell_bare(Shell* s, const uint32_t* in, const uint8_t* last, uint64_t count, uint64_t cycles) {
    Vtop* top = s->top.get();
    top->m_axis_tready = 1;
    uint64_t taken = 0;
    for (uint64_t i = 0; i < cycles; ++i) {
        top->s_axis_tvalid = taken < count;
        if (taken < count) top->s_axis_tdata = in[taken], top->s_axis_tlast = last[taken];
        top->clk = 0;
        top->eval();
        taken += top->s_axis_tvalid && top->s_axis_tready;
        top->clk = 1;
        top->eval();
    }
    s->cycles += cycles;
    s->barrier = top->barrier;
}

}
