/* Loads the program, runs the first samples of the kit, compares answers and weights: the whole of what you write. */
#include <stdio.h>
#include "board.h" /* yours: board_open fills in the struct hebbar_port */
#include "hebbar_kit.h"

static uint32_t weights[HEBBAR_KIT_LEARNED_BEATS], answers[HEBBAR_KIT_ANSWER_BEATS];

int main(void)
{
    const struct hebbar_check *first = &hebbar_kit_checks[0];
    struct hebbar_port port;
    struct hebbar_device device;
    uint32_t i, wrong = 0;
    int result = board_open(&port);
    if (!result)
        result = hebbar_open(&device, &port);
    if (!result)
        result = hebbar_load(&device, &hebbar_kit);
    if (!result)
        result = hebbar_run(&device, first->entry, first->samples, first->count, answers);
    if (!result)
        result = hebbar_read_weights(&device, weights);
    for (i = 0; !result && first->answers && i < first->count * first->entry->answer_beats; ++i)
        wrong += ((answers[i] ^ first->answers[i]) & first->mask[i % first->entry->answer_beats]) != 0;
    for (i = 0; !result && i < HEBBAR_KIT_LEARNED_BEATS; ++i)
        wrong += weights[i] != hebbar_kit_learned[i];
    printf("%s: result %d, %u beats wrong\n", result || wrong ? "FAIL" : "PASS", result, (unsigned)wrong);
    return result || wrong;
}
