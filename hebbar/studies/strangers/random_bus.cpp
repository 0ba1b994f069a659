// A careless host on the Verilated machine: random accesses, packets whole and damaged, programs, resets; and after every
// episode a careful one, who must find a machine that can be stopped, cleared, loaded and trusted.

#include "checked_bus.hpp"

namespace {

// Twins of random_bus.py.
enum Op : uint32_t { WRITE, SEND, SENT, EXPECT, HALTED, READ };
enum Kind : uint8_t { NONE, READ_ONLY, SETTING, LIVE_SETTING, COMMAND };
enum Control : uint32_t { START = 1, STOP = 2, CLEAR = 4, LATCH = 8 };
enum Status : uint32_t { RUNNING = 1, STREAMING = 2, FAULT = 4, ABORTED = 8 };

struct Plan {  // all of it Python's
    const uint8_t* kinds;       // of every register, by word address
    const uint32_t* resets;     // its value after reset
    const uint32_t* bits;       // those that it has, as a mask
    const uint32_t *depths, *beats_per_word;  // of every memory
    const uint32_t* tape;       // what the careful host does: op, count, words
    uint64_t tape_length;
    const uint32_t* samples;    // a packet of the program on the tape
    uint64_t sample_length;
    uint32_t memories, control, status, cause, entry, patience;
};

struct Careless {
    Report report{};
    Random random;
    CheckedBus bus;
    Plan plan;
    std::array<uint32_t, ADDRESSES / 4> settings{};
    enum { IDLE, CLEARED, STARTED, ASKED_STATUS, ASKED_CAUSE } start = IDLE;
    bool ran = false;
    uint64_t started_at = 0;

    Careless(const Plan& plan, uint64_t seed) : random(seed), bus(report, random), plan(plan) { reset(4); }

    void reset(unsigned cycles) {
        bus.reset(cycles);
        std::copy(plan.resets, plan.resets + settings.size(), settings.begin());
        start = IDLE;
    }

    // A cycle, and what its answers must be.
    void cycle() {
        bus.cycle();
        for (const auto& [write, response] : bus.written) answered(write, response);
        for (const Read& read : bus.read) arrived(read);
        bus.written.clear(), bus.read.clear();
    }

    void answered(const Write& write, unsigned response) {
        const Kind kind = write.address % 4 ? NONE : Kind(plan.kinds[write.address / 4]);
        if (kind == COMMAND) return commanded(write, response);
        const bool may = kind == SETTING || kind == LIVE_SETTING;
        if (may ? kind == LIVE_SETTING && response : !response) bus.violate("a write has the wrong response");
        if (!may || response) return;
        uint32_t mask = 0;
        for (unsigned lane = 0; lane < 4; ++lane) mask |= write.strobe >> lane & 1 ? 0xFFu << 8 * lane : 0;
        uint32_t& setting = settings[write.address / 4];
        setting = ((setting & ~mask) | (write.word & mask)) & plan.bits[write.address / 4];
    }

    void commanded(const Write& write, unsigned response) {
        const uint32_t asked = write.strobe & 1 ? write.word & 15 : 0, one = asked & (START | STOP | CLEAR);
        const bool several = one & (one - 1);
        if (several && !response) bus.violate("two commands in a write were accepted");
        if (!several && !(one & (START | CLEAR)) && response) bus.violate("a command was refused");
        if (one & START) ++(response ? report.refused : report.starts);
        if (start == STARTED) start = !several && one == START && !response ? ASKED_STATUS : IDLE;
        else if (one == CLEAR && !response && start == CLEARED) start = STARTED;
        else if (start == CLEARED) start = IDLE;
        if (start == ASKED_STATUS)
            started_at = report.cycles, bus.reads.push_back(plan.status), bus.reads.push_back(plan.cause);
    }

    void arrived(const Read& read) {
        const auto [address, word, response, since] = read;
        const Kind kind = address % 4 ? NONE : Kind(plan.kinds[address / 4]);
        const bool may = kind != NONE && kind != COMMAND;
        if (response != (may ? OKAY : SLVERR)) bus.violate("a read has the wrong response");
        if (!may && word) bus.violate("a refused read returns a word");
        const bool alone = bus.touched[address / 4] < since;
        if ((kind == SETTING || kind == LIVE_SETTING) && alone && word != settings[address / 4])
            bus.violate("a setting reads as another word than was written");
        if (address == plan.status && (word > 15 || ((word & FAULT) && !(word & ABORTED))))
            bus.violate("STATUS says what cannot be");
        if (address == plan.cause && word > 10) bus.violate("CAUSE is none that there is");
        if (since < started_at) return;  // asked before
        if (start == ASKED_STATUS && address == plan.status) start = ASKED_CAUSE, ran = word & RUNNING;
        else if (start == ASKED_CAUSE && address == plan.cause) {
            // CLEAR made the cause NONE, so one that is there now is of the run that was asked for.
            if (!ran && !word) ++report.lost, bus.note("a START was accepted and not carried out");
            start = IDLE;
        }
    }

    // ---------------------------------------------------------------- the careless host

    void episode() {
        const uint64_t end = report.cycles + 300 + random.below(9000);
        bus.mood = Mood::any(random);
        while (report.cycles < end) {
            if (random.chance(.002))
                bus.mood.stuck_b = random.chance(.3), bus.mood.stuck_r = random.chance(.3),
                bus.mood.stuck_out = random.chance(.3);
            if (bus.addresses.size() < 3 && bus.words.size() < 3) access();
            if (bus.reads.size() < 3) bus.reads.push_back(address());
            if (bus.input.empty() && random.chance(.05)) packet();
            cycle();
            if (random.chance(.0002)) reset(1 + random.below(3)), ++report.resets;
        }
        ++report.episodes;
    }

    uint32_t address() {
        if (random.chance(.1)) return random.below(ADDRESSES);
        if (random.chance(.3)) return plan.control + 4 * random.below(4);
        uint32_t at;
        do at = random.below(ADDRESSES / 4); while (!plan.kinds[at]);
        return 4 * at;
    }

    void access() {
        if (start == ASKED_STATUS || start == ASKED_CAUSE) return;  // nobody may stop it before it is seen
        const uint32_t at = address(), small = random.chance(.7) ? random.below(8) : random.word();
        const unsigned strobe = random.chance(.8) ? 15 : random.below(16);
        if (at != plan.control) return bus.write(at, small, strobe);
        if (start == IDLE && random.chance(.4)) {
            start = CLEARED;
            bus.write(at, CLEAR), bus.write(at, START | (random.chance(.3) ? LATCH : 0));
        } else if (start == IDLE)
            bus.write(at, random.chance(.8) ? 1u << random.below(4) : random.word(), strobe);
    }

    void packet() {
        if (random.chance(.3)) {
            for (uint64_t i = 0; i < plan.sample_length; ++i)
                bus.input.push_back({plan.samples[i], i + 1 == plan.sample_length});
        } else {
            const unsigned memory = random.chance(.9) ? random.below(plan.memories) : random.below(16);
            const unsigned depth = memory < plan.memories ? plan.depths[memory] : 4;
            const unsigned share = memory < plan.memories ? plan.beats_per_word[memory] : 1;
            const unsigned word = random.chance(.9) ? random.below(depth) : random.word();
            const unsigned room = (depth - std::min(word, depth - 1)) * share;
            const unsigned beats = random.chance(.9) ? std::min(1 + random.below(40), room) : random.below(1 << 12);
            const bool read = random.chance(.25);
            bus.input.push_back({beats | memory << 24 | uint32_t(read) << 28, false});
            bus.input.push_back({word, read});
            for (unsigned i = 0; i < (read ? 0 : beats); ++i)
                bus.input.push_back({memory == PROGRAM && random.chance(.8) ? instruction() : random.word(),
                                     i + 1 == beats});
        }
        if (random.chance(.3)) damage();
    }

    static constexpr unsigned PROGRAM = 5;

    // Words that are often instructions, and loops that often end.
    uint32_t instruction() {
        const uint32_t op = random.below(9) << 28, noise = random.word() & 0x0FFFFFFF;
        switch (op >> 28) {
        case 1: return op | (noise & 0x0C000FFF) | random.below(4) << 16;
        case 2: case 3: return op | random.below(4) | (1 + random.below(12)) << 12 | random.below(5) << 24 | (noise & 1) << 27;
        case 4: return op | random.below(plan.depths[PROGRAM]) | random.below(4) << 12;
        default: return op | noise;
        }
    }

    void damage() {
        auto& input = bus.input;
        if (input.empty()) return;
        const size_t at = random.below(unsigned(input.size()));
        switch (random.below(4)) {
        case 0: input[at].last = !input[at].last; break;
        case 1: if (input.size() > 1) input.pop_back(), input.back().last = true; break;
        case 2: input.back().last = false, input.push_back({random.word(), true}); break;
        default: input[at].data ^= 1u << random.below(32);
        }
    }

    // ---------------------------------------------------------------- the careful host

    bool hang(const char* what) { ++report.hangs, bus.note(what); return false; }

    template <class Done> bool until(Done done) {
        for (uint64_t i = 0; i < plan.patience; ++i) {
            if (done()) return true;
            cycle();
        }
        return false;
    }
    unsigned ask(uint32_t address, uint32_t word) {
        unsigned response = 9;
        bus.write(address, word);
        for (uint64_t i = 0; i < plan.patience && response == 9; ++i) {
            bus.cycle();
            for (const auto& [write, answer] : bus.written) {
                answered(write, answer);
                if (bus.writes.empty()) response = answer;
            }
            bus.written.clear();
        }
        return response;
    }
    bool look(uint32_t address, uint32_t& word) {
        bool found = false;
        bus.reads.push_back(address);
        for (uint64_t i = 0; i < plan.patience && !found; ++i) {
            bus.cycle();
            for (const Read& read : bus.read) {
                arrived(read);
                if (bus.reads.empty() && bus.asked.empty()) word = read.word, found = true;
            }
            bus.read.clear();
        }
        return found;
    }
    bool status(uint32_t mask, uint32_t wanted) {
        uint32_t word = 0;
        for (uint64_t i = 0; i < plan.patience / 8; ++i) {
            if (!look(plan.status, word)) return false;
            if ((word & mask) == wanted) return true;
        }
        return false;
    }

    // Stops whatever there is, ends what was begun, and runs the tape.
    bool recover() {
        bus.mood = Mood();
        start = IDLE;
        if (!until([&] { return bus.quiet(); })) return hang("the registers do not answer");
        if (ask(plan.control, STOP)) return hang("STOP is refused");
        if (bus.input.empty() ? bus.input_open : !bus.input.back().last) bus.input.push_back({0, true});
        if (!until([&] { return bus.input.empty(); })) return hang("the rest of a packet is not taken");
        if (!status(RUNNING, 0)) return hang("the machine does not stop");
        if (ask(plan.control, CLEAR)) return hang("CLEAR of a halted machine is refused");
        if (!status(~0u, 0)) return hang("STATUS is not zero after STOP and CLEAR");
        if (bus.packet_open) bus.violate("a packet of the output never ended");
        uint32_t cause = 9;
        if (!look(plan.cause, cause) || cause) bus.violate("a cause is left after CLEAR");
        bus.output.clear();
        if (random.chance(.3)) bus.mood = Mood::any(random);
        return play(plan.tape, plan.tape_length);
    }

    bool play(const uint32_t* tape, uint64_t length) {
        for (uint64_t at = 0; at < length;) {
            const uint32_t op = tape[at], count = tape[at + 1];
            const uint32_t* words = tape + at + 2;
            at += 2 + count;
            if (!step(op, words, count)) return false;
        }
        return true;
    }

    bool step(uint32_t op, const uint32_t* words, uint32_t count) {
        uint32_t word = 0;
        switch (op) {
        case WRITE:
            return !ask(words[0], words[1]) || hang("a write of the careful host is refused");
        case SEND:
            for (uint32_t i = 0; i < count; ++i) bus.input.push_back({words[i], i + 1 == count});
            return true;
        case SENT:
            return (until([&] { return bus.input.empty(); }) && status(STREAMING, 0)) || hang("a packet is not taken");
        case HALTED:
            return status(RUNNING, 0) || hang("a program does not end");
        case READ:
            if (!look(words[0], word)) return hang("a register is not read");
            if (word != words[1]) bus.violate("a register of a run differs", words[0], word, words[1]);
            return true;
        default:
            return expect(words, count);
        }
    }

    bool expect(const uint32_t* words, uint32_t count) {
        if (!until([&] { return bus.output.size() >= count; })) return hang("a packet does not come");
        for (uint32_t i = 0; i < count; ++i)
            if (bus.output[i].data != words[i] || bus.output[i].last != (i + 1 == count)) {
                bus.violate("a beat of a packet differs", i, bus.output[i].data, words[i]);
                break;
            }
        bus.output.erase(bus.output.begin(), bus.output.begin() + count);
        return true;
    }

    // ---------------------------------------------------------------- START beside a packet

    // Offers the address of a START `offset` cycles after a packet and its word `skew` cycles after that; the packet
    // comes at `pace` beats a cycle. Returns the response.
    int meet(const uint32_t* packet, const uint8_t* last, uint64_t length, int offset, int skew, double pace) {
        bus.mood = Mood();
        bus.mood.in = pace;
        for (unsigned i = 0; i < COUNTING; ++i) bus.cycle();  // an earlier START would delay this one
        int response = -1;
        const int begin = 40;
        for (int i = 0; i < 400; ++i) {
            if (i == begin + offset) bus.addresses.push_back({plan.control, START, 15}), bus.writes.push_back(bus.addresses.back());
            if (i == begin + offset + skew) bus.words.push_back({plan.control, START, 15});
            if (i == begin)
                for (uint64_t k = 0; k < length; ++k) bus.input.push_back({packet[k], bool(last[k])});
            bus.cycle();
            for (const auto& [write, answer] : bus.written) response = int(answer);
            bus.written.clear(), bus.read.clear();
        }
        bus.mood = Mood();
        return response;
    }
};

}  // namespace

extern "C" {

Careless* random_bus_open(const Plan* plan, uint64_t seed) { return new Careless(*plan, seed); }
void random_bus_close(Careless* host) { delete host; }
void random_bus_report(const Careless* host, Report* report) { *report = host->report; }

// Episodes until the cycles are over; a machine that hangs is reset and goes on.
void random_bus_run(Careless* host, uint64_t cycles) {
    const uint64_t end = host->report.cycles + cycles;
    while (host->report.cycles < end) {
        host->episode();
        if (!host->recover()) host->reset(4);
    }
}

void random_bus_reset(Careless* host) { host->reset(4); }
int random_bus_play(Careless* host, const uint32_t* tape, uint64_t length) {
    host->bus.mood = Mood();
    return host->play(tape, length);
}
uint32_t random_bus_look(Careless* host, uint32_t address) {
    uint32_t word = ~0u;
    host->look(address, word);
    return word;
}
// The response to a START that meets a packet, -1 when there was none in time.
int random_bus_meet(Careless* host, const uint32_t* packet, const uint8_t* last, uint64_t length, int offset, int skew,
                    double pace) {
    return host->meet(packet, last, length, offset, skew, pace);
}

}
