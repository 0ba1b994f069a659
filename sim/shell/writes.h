// What the machine writes to its memories: of every element a running hash, as hebbar/contract/write_hash.py defines it,
// and where it is asked for every write itself. Part of shell.cpp, behind bind.h, which says where the ports are.
//
// Ports are looked at before a clock edge, behind whatever takes turns at them, and the memory itself behind it: what
// counts is what it holds then.

inline bool any(uint64_t mask) { return mask; }
template <size_t N> bool any(const VlWide<N>& mask) {
    EData all = 0;
    for (size_t i = 0; i < N; ++i) all |= mask[i];
    return all;
}

// The lanes that a port writes, as bits.
struct Mask {
    uint32_t bits[(MOST_LANES + 31) / 32] = {};

    void set(uint64_t mask) {
        bits[0] = uint32_t(mask);
        if (MOST_LANES > 32) bits[MOST_LANES > 32] = uint32_t(mask >> 32);
    }
    template <size_t N> void set(const VlWide<N>& mask) {
        for (size_t i = 0; i < N; ++i) bits[i] = mask[i];
    }
    bool operator[](unsigned lane) const { return bits[lane / 32] >> lane % 32 & 1; }
    unsigned count(unsigned lanes) const {
        unsigned found = 0;
        for (unsigned i = 0; i < (lanes + 31) / 32; ++i) found += __builtin_popcount(bits[i]);
        return found;
    }
};

struct Writes {
    // What a memory has been written: the hash of each element, how many elements; in a log their numbers and values.
    struct Written {
        std::vector<uint32_t> hash;
        uint64_t count = 0;
        std::vector<int64_t> places, values;
    };
    struct Pending { int memory; uint32_t address; Mask mask; };

    const Memory* memories;
    const bool log;
    Written written[MEMORIES];
    std::vector<uint8_t> decisions;  // of EXITs that are not armed: whether they left
    Pending pending[MEMORIES];
    unsigned waiting = 0;

    Writes(const Memory* memories, bool log) : memories(memories), log(log) {
        for (int m = 0; m < MEMORIES; ++m) written[m].hash.assign(memories[m].words.size() * memories[m].lanes, 0);
    }

    // Before a clock edge: which ports write, but for what the host or START writes.
    void before(const Vtop___024root& root) {
        waiting = 0;
        writing(root, [this](int memory, const auto& mask, uint32_t address) {
            if (!any(mask)) return;
            Pending& found = pending[waiting++];
            found.memory = memory, found.address = address;
            found.mask.set(mask);
        });
        decided(root, [this](bool left) { decisions.push_back(left); });
    }

    // Behind it.
    void after() {
        for (unsigned i = 0; i < waiting; ++i) take(pending[i]);
    }

    void take(const Pending& p) {
        const Memory& memory = memories[p.memory];
        if (p.address >= memory.words.size()) return;  // beside the memory, which holds nothing there
        Written& to = written[p.memory];
        const uint8_t* word = memory.words[p.address];
        const size_t first = size_t(p.address) * memory.lanes;
        const unsigned enabled = p.mask.count(memory.lanes);
        to.count += enabled;
        if (enabled == memory.lanes && memory.bits == 16) mix<int16_t>(word, &to.hash[first], memory.lanes);
        else if (enabled == memory.lanes && memory.bits == 8) mix<int8_t>(word, &to.hash[first], memory.lanes);
        else for (unsigned lane = 0; lane < memory.lanes; ++lane)
            if (p.mask[lane]) mix_one(memory, memory.wide(word, lane), to.hash[first + lane]);
        if (log) for (unsigned lane = 0; lane < memory.lanes; ++lane)
            if (p.mask[lane]) to.places.push_back(first + lane), to.values.push_back(memory.wide(word, lane));
    }

    // All lanes of a word whose elements are whole bytes, which compilers make vectors of.
    template <class Element> static void mix(const uint8_t* word, uint32_t* __restrict hash, unsigned lanes) {
        for (unsigned i = 0; i < lanes; ++i) {
            Element value;
            std::memcpy(&value, word + i * sizeof(Element), sizeof(Element));
            hash[i] = (hash[i] + uint32_t(int32_t(value)) + STEP) * FACTOR;
        }
    }
    static void mix_one(const Memory& memory, int64_t value, uint32_t& hash) {
        hash = (hash + uint32_t(value) + STEP) * FACTOR;
        if (memory.bits > 32) hash = (hash + uint32_t(value >> 32) + STEP) * FACTOR;
    }
};
