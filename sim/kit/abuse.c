/* Aborts, faults and resets the machine in mid-stream through the driver, then checks the kit. Prints a line of figures. */

#include <stdio.h>

#include "board.h"
#include "hebbar_kit.h"

static uint32_t weights[HEBBAR_KIT_LEARNED_BEATS], answers[HEBBAR_KIT_ANSWER_BEATS];

static unsigned wrong_answers(const struct hebbar_check *check)
{
    unsigned wrong = 0;
    uint32_t i, each = check->entry->answer_beats;
    for (i = 0; check->answers && i < check->count * each; ++i)
        wrong += ((answers[i] ^ check->answers[i]) & check->mask[i % each]) != 0;
    return wrong;
}

#define MUST(what, expected)                                                                \
    do {                                                                                    \
        int said = (what);                                                                  \
        if (said != (expected)) {                                                           \
            printf("FAIL: line %d: %s gives %d, expected %d\n", __LINE__, #what, said, expected); \
            return 1;                                                                       \
        }                                                                                   \
    } while (0)

static int abuse(struct hebbar_device *device, struct hebbar_port *port)
{
    const struct hebbar_check *train = &hebbar_kit_checks[0];
    const struct hebbar_entry *entry = train->entry;
    uint32_t cause = 0, pc = 0;
    /* Abort between two samples; an aborted machine refuses START until it is recovered. */
    MUST(hebbar_start(device, entry, 2), HEBBAR_OK);
    MUST(hebbar_feed(device, entry, train->samples, answers), HEBBAR_OK);
    MUST(hebbar_stop(device), HEBBAR_OK);
    MUST(hebbar_start(device, entry, 1), HEBBAR_ERROR_ABORTED);
    MUST(hebbar_recover(device), HEBBAR_OK);
    /* Abort in the middle of a packet. */
    MUST(hebbar_start(device, entry, 1), HEBBAR_OK);
    board_begin(port, train->samples, entry->sample_beats / 2, entry->sample_beats);
    MUST(hebbar_recover(device), HEBBAR_OK);
    /* A fault: a packet that ends too soon. */
    MUST(hebbar_start(device, entry, 1), HEBBAR_OK);
    MUST(port->send(port->context, train->samples, entry->sample_beats / 2), 0);
    MUST(hebbar_finish(device), HEBBAR_ERROR_ABORTED);
    MUST(hebbar_cause(device, &cause, &pc), HEBBAR_OK);
    MUST((int)cause, HEBBAR_CAUSE_STREAM);
    MUST(hebbar_recover(device), HEBBAR_OK);
    /* A reset in the middle of a packet. */
    MUST(hebbar_start(device, entry, 1), HEBBAR_OK);
    board_begin(port, train->samples, entry->sample_beats / 2, entry->sample_beats);
    MUST(hebbar_open(device, port), HEBBAR_OK);
    return 0;
}

int main(void)
{
    const struct hebbar_check *train = &hebbar_kit_checks[0], *asked = &hebbar_kit_checks[1];
#ifdef HEBBAR_COUNTER_BASE
    static uint64_t counters[HEBBAR_COUNTERS];
#endif
    unsigned long issue = 0;
    struct hebbar_port port;
    struct hebbar_device device;
    uint64_t cycles, beats;
    unsigned wrong = 0, words = 0;
    uint32_t i;
    MUST(board_open(&port), 0);
    MUST(hebbar_open(&device, &port), HEBBAR_OK);
    MUST(hebbar_load(&device, &hebbar_kit), HEBBAR_OK);
    if (abuse(&device, &port))
        return 1;
    MUST(hebbar_load(&device, &hebbar_kit), HEBBAR_OK);
    cycles = board_cycles(&port), beats = board_beats(&port);
    MUST(hebbar_run(&device, train->entry, train->samples, train->count, answers), HEBBAR_OK);
    cycles = board_cycles(&port) - cycles, beats = board_beats(&port) - beats;
    wrong += wrong_answers(train), words += train->answers ? train->count * train->entry->answer_beats : 0;
#ifdef HEBBAR_COUNTER_BASE
    MUST(hebbar_counters(&device, counters), HEBBAR_OK);
    issue = (unsigned long)counters[HEBBAR_COUNTER_ISSUE];
#endif
    MUST(hebbar_read_weights(&device, weights), HEBBAR_OK);
    for (i = 0; i < HEBBAR_KIT_LEARNED_BEATS; ++i, ++words)
        wrong += weights[i] != hebbar_kit_learned[i];
    MUST(hebbar_run(&device, asked->entry, asked->samples, asked->count, answers), HEBBAR_OK);
    wrong += wrong_answers(asked), words += asked->answers ? asked->count * asked->entry->answer_beats : 0;
    printf("%s words %u wrong %u samples %u cycles %lu beats %lu issue %lu\n", wrong ? "FAIL" : "PASS", words, wrong,
           (unsigned)train->count, (unsigned long)cycles, (unsigned long)beats, issue);
    board_close(&port);
    return wrong != 0;
}
