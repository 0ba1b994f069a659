/* Driver of hebbar, written by Hebbar. C99, bare metal: no allocation, no library. Apache-2.0.
 *
 * A board fills in struct hebbar_port; everything else is here. Every function returns 0 (HEBBAR_OK) or one of
 * the negative values of enum hebbar_result. After an error other than HEBBAR_ERROR_IDENTITY call hebbar_recover.
 */

#ifndef HEBBAR_DRIVER_H
#define HEBBAR_DRIVER_H

#include "hebbar_formats.h"

enum hebbar_result {
    HEBBAR_OK = 0,
    HEBBAR_ERROR_BUS = -1,      /* a register access was answered with an error, or a function of the port failed */
    HEBBAR_ERROR_IDENTITY = -2, /* there is another device, map version or geometry at this address */
    HEBBAR_ERROR_ABORTED = -3,  /* the machine halted for another reason than its HALT: hebbar_cause says which */
    HEBBAR_ERROR_TIMEOUT = -4,  /* the machine did not come to rest */
    HEBBAR_ERROR_BUILD = -6,    /* another build of the machine: its program, tables and weights are not this kit's */
    HEBBAR_ERROR_ANSWER = -5    /* an output packet has another length than the program sends */
};

/* What a board offers. Offsets are bytes from the base of the registers. The functions return 0 for success. */
struct hebbar_port {
    void *context; /* given to every function */
    /* Register accesses; not 0 for an AXI response other than OKAY, where the processor survives one. */
    int (*write)(void *context, uint32_t offset, uint32_t value);
    int (*read)(void *context, uint32_t offset, uint32_t *value);
    /* Send one packet with TLAST on its last beat; return when it was taken. */
    int (*send)(void *context, const uint32_t *beats, uint32_t count);
    /* Be ready to receive the next packet, of at most `capacity` beats; do not wait for it. */
    int (*arm)(void *context, uint32_t *beats, uint32_t capacity);
    /* Wait until that packet has come to its TLAST and give its length in beats; fail when it does not come. */
    int (*wait)(void *context, uint32_t *count);
    /* Of an aborted machine: send a packet that was begun to its end, take what leaves to a TLAST if one was begun,
     * forget what is armed. */
    int (*drain)(void *context);
    /* Hold the reset of the machine for a cycle of its clock or more; NULL where software cannot. */
    int (*reset)(void *context);
};

struct hebbar_packet {
    const uint32_t *beats;
    uint32_t count;
};

struct hebbar_setting {
    uint32_t offset, value;
};

/* An entry of the program: its address, the clamp masks that it starts with, beats of a sample and of an answer. */
struct hebbar_entry {
    uint32_t address;
    struct hebbar_packet clamp;
    uint32_t sample_beats, answer_beats;
};

/* A program with its tables, first weights and settings. */
struct hebbar_kit {
    const struct hebbar_packet *load;
    uint32_t loads;
    const struct hebbar_setting *settings;
    uint32_t setting_count;
    const struct hebbar_setting *rates;
    uint32_t rate_count;
};

/* Samples whose answers are known: `count` of each, one behind the other; `mask`: the bits of an answer that mean
 * something. NULL where the entry has no answers. */
struct hebbar_check {
    const struct hebbar_entry *entry;
    const uint32_t *samples;
    uint32_t count;
    const uint32_t *answers, *mask;
};

struct hebbar_device {
    const struct hebbar_port *port;
    uint32_t patience; /* how often STATUS is read before a machine that runs is given up */
};

/* Reset the machine where the port can, and check that it is the one this header was written for. */
int hebbar_open(struct hebbar_device *device, const struct hebbar_port *port);

/* Write every memory, every setting and the rates as they were configured. */
int hebbar_load(const struct hebbar_device *device, const struct hebbar_kit *kit);

/* Set the learning rates, halved `halvings` times. */
int hebbar_rates(const struct hebbar_device *device, const struct hebbar_kit *kit, uint32_t halvings);

/* Run `count` samples of an entry, one behind the other in `samples`; `answers` takes answer_beats for each. */
int hebbar_run(const struct hebbar_device *device, const struct hebbar_entry *entry, const uint32_t *samples,
               uint32_t count, uint32_t *answers);

/* The same in steps: start, then feed exactly `count` samples, then finish. `answer` may be NULL where the entry
 * has none. */
int hebbar_start(const struct hebbar_device *device, const struct hebbar_entry *entry, uint32_t count);
int hebbar_feed(const struct hebbar_device *device, const struct hebbar_entry *entry, const uint32_t *sample,
                uint32_t *answer);
int hebbar_finish(const struct hebbar_device *device);

/* Read `beats` beats of a memory of a halted machine from a word address on. */
int hebbar_read_memory(const struct hebbar_device *device, enum hebbar_memory memory, uint32_t address, uint32_t *out,
                       uint32_t beats);

/* Write `beats` beats to a memory of a halted machine. They lie from packet[2] on; the driver fills in packet[0] and
 * packet[1], so that a DMA finds the packet in one piece. */
int hebbar_write_memory(const struct hebbar_device *device, enum hebbar_memory memory, uint32_t address,
                        uint32_t *packet, uint32_t beats);

/* Read the whole weight memory: HEBBAR_WEIGHT_DEPTH * HEBBAR_WEIGHT_BEATS beats. */
int hebbar_read_weights(const struct hebbar_device *device, uint32_t *out);

/* Latch all counters and read them, in the order of enum hebbar_counter; not of a machine without counters. */
#ifdef HEBBAR_COUNTER_BASE
int hebbar_counters(const struct hebbar_device *device, uint64_t values[HEBBAR_COUNTERS]);
#endif

/* Why the machine is halted (enum hebbar_cause) and the address of its last instruction. */
int hebbar_cause(const struct hebbar_device *device, uint32_t *cause, uint32_t *pc);

/* Abort whatever runs and wait for the halt. The machine then discards its input until hebbar_recover. */
int hebbar_stop(const struct hebbar_device *device);

/* Stop, drain both streams, clear. The machine is then as after a HALT; its memories are as the abort left them. */
int hebbar_recover(const struct hebbar_device *device);

#endif
