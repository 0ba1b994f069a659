/* Driver of hebbar, written by Hebbar. C99, bare metal: no allocation, no library. Apache-2.0. */

#include "hebbar_driver.h"

#include <stddef.h>

#define PATIENCE 10000000u
#define MAX_RATE HEBBAR__RATE0__VALUE_bm
/* Byte offset of a register, and what one of its fields always reads, in its place. */
#define OFFSET(name) (uint32_t)offsetof(hebbar_t, name)
#define READS(name, field) ((uint32_t)HEBBAR__##name##__##field##_reset << HEBBAR__##name##__##field##_bp)

static int write_register(const struct hebbar_device *device, uint32_t offset, uint32_t value)
{
    return device->port->write(device->port->context, offset, value) ? HEBBAR_ERROR_BUS : HEBBAR_OK;
}

static int read_register(const struct hebbar_device *device, uint32_t offset, uint32_t *value)
{
    return device->port->read(device->port->context, offset, value) ? HEBBAR_ERROR_BUS : HEBBAR_OK;
}

static int send_packet(const struct hebbar_device *device, const uint32_t *beats, uint32_t count)
{
    return device->port->send(device->port->context, beats, count) ? HEBBAR_ERROR_BUS : HEBBAR_OK;
}

/* Wait until the bits of STATUS in `mask` are off. */
static int wait_status(const struct hebbar_device *device, uint32_t mask)
{
    uint32_t status = 0, i;
    for (i = 0; i < device->patience; ++i) {
        int result = read_register(device, OFFSET(status), &status);
        if (result)
            return result;
        if (!(status & mask))
            return HEBBAR_OK;
    }
    return HEBBAR_ERROR_TIMEOUT;
}

/* `otherwise`, or HEBBAR_ERROR_ABORTED where the machine is aborted. */
static int explained(const struct hebbar_device *device, int otherwise)
{
    uint32_t status = 0;
    if (!read_register(device, OFFSET(status), &status) && (status & HEBBAR__STATUS__ABORTED_bm))
        return HEBBAR_ERROR_ABORTED;
    return otherwise;
}

static int check(const struct hebbar_device *device, uint32_t offset, uint32_t mask, uint32_t expected)
{
    uint32_t value = 0;
    int result = read_register(device, offset, &value);
    if (result)
        return result;
    return (value & mask) == expected ? HEBBAR_OK : HEBBAR_ERROR_IDENTITY;
}

int hebbar_open(struct hebbar_device *device, const struct hebbar_port *port)
{
    int result;
    device->port = port;
    device->patience = PATIENCE;
    if (port->reset && port->reset(port->context))
        return HEBBAR_ERROR_BUS;
    result = check(device, OFFSET(identity), 0xffffffffu, READS(IDENTITY, VALUE));
    if (!result)  /* a later minor version only adds */
        result = check(device, OFFSET(version), HEBBAR__VERSION__MAJOR_bm, READS(VERSION, MAJOR));
    if (!result)
        result = check(device, OFFSET(geometry), 0xffffffffu,
                       READS(GEOMETRY, LANES) | READS(GEOMETRY, ROW_TILES) | READS(GEOMETRY, TILE)
                       | READS(GEOMETRY, COUNTERS) | READS(GEOMETRY, SEPARATION) | READS(GEOMETRY, ENERGY)
                       | READS(GEOMETRY, UPDATES) | READS(GEOMETRY, SHARED));
    if (!result)
        result = check(device, OFFSET(weight_words), 0xffffffffu, READS(WEIGHT_WORDS, VALUE));
    if (!result)
        result = check(device, OFFSET(neuron_words), 0xffffffffu, READS(NEURON_WORDS, VALUE));
    if (!result && check(device, OFFSET(build), 0xffffffffu, READS(BUILD, VALUE)))
        result = HEBBAR_ERROR_BUILD;
    return result;
}

int hebbar_load(const struct hebbar_device *device, const struct hebbar_kit *kit)
{
    uint32_t i;
    int result = HEBBAR_OK;
    for (i = 0; !result && i < kit->loads; ++i)
        result = send_packet(device, kit->load[i].beats, kit->load[i].count);
    for (i = 0; !result && i < kit->setting_count; ++i)
        result = write_register(device, kit->settings[i].offset, kit->settings[i].value);
    if (!result)
        result = hebbar_rates(device, kit, 0);
    return result ? explained(device, result) : HEBBAR_OK;
}

int hebbar_rates(const struct hebbar_device *device, const struct hebbar_kit *kit, uint32_t halvings)
{
    uint32_t i;
    int result = HEBBAR_OK;
    for (i = 0; !result && i < kit->rate_count; ++i) {
        uint32_t left = MAX_RATE - kit->rates[i].value;
        result = write_register(device, kit->rates[i].offset,
                                kit->rates[i].value + (halvings < left ? halvings : left));
    }
    return result;
}

int hebbar_start(const struct hebbar_device *device, const struct hebbar_entry *entry, uint32_t count)
{
    int result = send_packet(device, entry->clamp.beats, entry->clamp.count);
    if (!result)
        result = wait_status(device, HEBBAR__STATUS__STREAMING_bm);
    if (!result)
        result = write_register(device, OFFSET(loop0), count);
    if (!result)
        result = write_register(device, OFFSET(entry), entry->address);
    if (!result)
        result = write_register(device, OFFSET(control), HEBBAR__CONTROL__START_bm);
    return result ? explained(device, result) : HEBBAR_OK;
}

/* Send a packet to which the machine answers with one of `expected` beats. */
static int exchange(const struct hebbar_device *device, const uint32_t *packet, uint32_t count, uint32_t *answer,
                    uint32_t expected)
{
    const struct hebbar_port *port = device->port;
    uint32_t received = 0;
    int result;
    if (port->arm(port->context, answer, expected))
        return HEBBAR_ERROR_BUS;
    result = send_packet(device, packet, count);
    if (!result && port->wait(port->context, &received))
        result = HEBBAR_ERROR_TIMEOUT;
    if (!result && received != expected)
        result = HEBBAR_ERROR_ANSWER;
    return result ? explained(device, result) : HEBBAR_OK;
}

int hebbar_feed(const struct hebbar_device *device, const struct hebbar_entry *entry, const uint32_t *sample,
                uint32_t *answer)
{
    if (entry->answer_beats)
        return exchange(device, sample, entry->sample_beats, answer, entry->answer_beats);
    return send_packet(device, sample, entry->sample_beats);
}

int hebbar_finish(const struct hebbar_device *device)
{
    uint32_t cause = 0, pc = 0;
    int result = wait_status(device, HEBBAR__STATUS__RUNNING_bm);
    if (!result)
        result = hebbar_cause(device, &cause, &pc);
    if (!result && cause != HEBBAR_CAUSE_DONE)
        result = HEBBAR_ERROR_ABORTED;
    return result;
}

int hebbar_run(const struct hebbar_device *device, const struct hebbar_entry *entry, const uint32_t *samples,
               uint32_t count, uint32_t *answers)
{
    uint32_t i;
    int result = hebbar_start(device, entry, count);
    for (i = 0; !result && i < count; ++i)
        result = hebbar_feed(device, entry, samples + (size_t)i * entry->sample_beats,
                             entry->answer_beats ? answers + (size_t)i * entry->answer_beats : NULL);
    return result ? result : hebbar_finish(device);
}

int hebbar_read_memory(const struct hebbar_device *device, enum hebbar_memory memory, uint32_t address, uint32_t *out,
                       uint32_t beats)
{
    uint32_t request[2];
    request[0] = hebbar_packet(memory, beats, 1);
    request[1] = address;
    return exchange(device, request, 2, out, beats);
}

int hebbar_write_memory(const struct hebbar_device *device, enum hebbar_memory memory, uint32_t address,
                        uint32_t *packet, uint32_t beats)
{
    int result;
    packet[0] = hebbar_packet(memory, beats, 0);
    packet[1] = address;
    result = send_packet(device, packet, beats + 2);
    return explained(device, result);
}

int hebbar_read_weights(const struct hebbar_device *device, uint32_t *out)
{
    return hebbar_read_memory(device, HEBBAR_MEMORY_WEIGHT, 0, out, HEBBAR_WEIGHT_DEPTH * HEBBAR_WEIGHT_BEATS);
}

#ifdef HEBBAR_COUNTER_BASE
int hebbar_counters(const struct hebbar_device *device, uint64_t values[HEBBAR_COUNTERS])
{
    uint32_t i;
    int result = write_register(device, OFFSET(control), HEBBAR__CONTROL__LATCH_bm);
    for (i = 0; !result && i < HEBBAR_COUNTERS; ++i) {
        uint32_t low = 0, high = 0;
        result = read_register(device, HEBBAR_COUNTER_BASE + 8u * i, &low);
        if (!result)
            result = read_register(device, HEBBAR_COUNTER_BASE + 8u * i + 4u, &high);
        values[i] = (uint64_t)high << 32 | low;
    }
    return result;
}
#endif

int hebbar_cause(const struct hebbar_device *device, uint32_t *cause, uint32_t *pc)
{
    int result = read_register(device, OFFSET(cause), cause);
    return result ? result : read_register(device, OFFSET(pc), pc);
}

int hebbar_stop(const struct hebbar_device *device)
{
    int result = write_register(device, OFFSET(control), HEBBAR__CONTROL__STOP_bm);
    return result ? result : wait_status(device, HEBBAR__STATUS__RUNNING_bm);
}

int hebbar_recover(const struct hebbar_device *device)
{
    int result = hebbar_stop(device);
    if (!result && device->port->drain(device->port->context))
        result = HEBBAR_ERROR_BUS;
    if (!result)
        result = write_register(device, OFFSET(control), HEBBAR__CONTROL__CLEAR_bm);
    return result ? result : wait_status(device, HEBBAR__STATUS__STREAMING_bm);
}
