/* A board for the driver of a kit: the Verilated machine of sim/shell behind struct hebbar_port, for tests. The kit's
 * header names the machine; BOARD and its functions are the test's. */

#include "board.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* Twin of struct Run in sim/shell/shell.cpp. */
struct run {
    const uint32_t *in;
    const uint8_t *in_last;
    uint64_t in_count, in_taken;
    uint32_t *out;
    uint8_t *out_last;
    uint64_t out_capacity, out_count;
    const uint8_t *marks;
    int32_t *pc, *rows;
    uint64_t barrier_capacity, barrier_count;
    int64_t *weight_barrier;
    int32_t *weights;
    uint64_t weight_capacity, weight_count;
    uint64_t moved;
    uint64_t held, random;
};

void *shell_open(void);
void shell_close(void *shell);
void shell_reset(void *shell, unsigned cycles);
uint64_t shell_cycles(const void *shell);
int shell_write(void *shell, uint32_t address, uint32_t value, unsigned limit);
int shell_read(void *shell, uint32_t address, uint32_t *value, unsigned limit);
int shell_run(void *shell, struct run *run, uint64_t slice, int stop_at_halt, unsigned quiet);

enum { LIMIT = 1000, QUIET = 64, SLICE = 200000, PATIENCE = 100, MOST = 1 << 20 };

static const uint8_t marks[1 << 13];
static uint8_t last[MOST];

struct board {
    void *shell;
    uint32_t *armed;     /* where the next packet goes; NULL: thrown away */
    uint32_t capacity, received;
    int whole;           /* it has come to its TLAST */
    const uint32_t *rest; /* of a packet that was begun */
    uint32_t left;
    uint64_t in, out;
};

/* Move beats until `count` are taken and nothing leaves any more; 0 when they were. */
static int move(struct board *board, const uint32_t *beats, uint32_t count, int ends)
{
    static uint32_t out[MOST];
    static uint8_t out_last[MOST];
    struct run run = {0};
    uint32_t i;
    int why = 1, tries;
    for (i = 0; i < count; ++i)
        last[i] = (uint8_t)(ends && i + 1 == count);
    run.in = beats, run.in_last = last, run.in_count = count;
    run.out = out, run.out_last = out_last, run.out_capacity = MOST, run.marks = marks;
    for (tries = 0; why && tries < PATIENCE; ++tries)
        why = shell_run(board->shell, &run, SLICE, 0, QUIET);
    board->in += run.in_taken, board->out += run.out_count;
    for (i = 0; i < run.out_count; ++i) {
        if (board->armed && !board->whole && board->received < board->capacity)
            board->armed[board->received] = out[i];
        board->received += !board->whole;
        board->whole |= out_last[i];
    }
    return run.in_taken == count ? 0 : -1;
}

static int board_write(void *context, uint32_t offset, uint32_t value)
{
    return shell_write(((struct board *)context)->shell, offset, value, LIMIT);
}

static int board_read(void *context, uint32_t offset, uint32_t *value)
{
    return shell_read(((struct board *)context)->shell, offset, value, LIMIT);
}

static int board_send(void *context, const uint32_t *beats, uint32_t count)
{
    return move(context, beats, count, 1);
}

static int board_arm(void *context, uint32_t *beats, uint32_t capacity)
{
    struct board *board = context;
    board->armed = beats, board->capacity = capacity, board->received = 0, board->whole = 0;
    return 0;
}

static int board_wait(void *context, uint32_t *count)
{
    struct board *board = context;
    int tries;
    for (tries = 0; !board->whole && tries < PATIENCE; ++tries)
        move(board, NULL, 0, 0);
    *count = board->received;
    return board->whole ? 0 : -1;
}

static int board_drain(void *context)
{
    struct board *board = context;
    int result = move(board, board->rest, board->left, 1);
    board->left = 0, board->armed = NULL;
    return result;
}

static int board_reset(void *context)
{
    struct board *board = context;
    shell_reset(board->shell, 5);
    board->armed = NULL, board->left = 0;
    return 0;
}

void board_begin(struct hebbar_port *port, const uint32_t *beats, uint32_t some, uint32_t count)
{
    struct board *board = port->context;
    move(board, beats, some, 0);
    board->rest = beats + some, board->left = count - some;
}

uint64_t board_cycles(const struct hebbar_port *port)
{
    return shell_cycles(((const struct board *)port->context)->shell);
}

uint64_t board_beats(const struct hebbar_port *port)
{
    const struct board *board = port->context;
    return board->in + board->out;
}

int board_open(struct hebbar_port *port)
{
    struct board *board = calloc(1, sizeof *board);
    if (!board)
        return -1;
    board->shell = shell_open();
    port->context = board;
    port->write = board_write, port->read = board_read, port->send = board_send, port->arm = board_arm;
    port->wait = board_wait, port->drain = board_drain, port->reset = board_reset;
    return 0;
}

void board_close(struct hebbar_port *port)
{
    shell_close(((struct board *)port->context)->shell);
    free(port->context);
}
