/* LiteX as a board for the kit's driver: registers on AXI4-Lite, packets by LiteX's DMAs, words on its serial port.
 * The minimal VexRiscv has no caches; with one, flush it before a packet is sent and after one has come. */
#include "board.h"

#include <stdarg.h>
#include <stddef.h>

#include "csr.h"
#include "stdio.h"

#define PATIENCE 1000000u
#define UART_RECEIVED 2u /* the bit of LiteX's events that takes the byte out of the queue */

static volatile uint32_t *at(uint32_t address)
{
    return (volatile uint32_t *)(uintptr_t)address;
}

static int write_register(void *context, uint32_t offset, uint32_t value)
{
    (void)context;
    *at(MACHINE_BASE + offset) = value;
    return 0;
}

static int read_register(void *context, uint32_t offset, uint32_t *value)
{
    (void)context;
    *value = *at(MACHINE_BASE + offset);
    return 0;
}

/* Wait until the lowest bit of a CSR is `value`; not 0 when it does not come. */
static int await(uint32_t address, uint32_t value)
{
    uint32_t i;
    for (i = 0; i < PATIENCE; ++i)
        if ((*at(address) & 1u) == value)
            return 0;
    return 1;
}

/* A base of 64 bits: its high half comes first. */
static void start_dma(uint32_t base, uint32_t length, uint32_t enable, const uint32_t *beats, uint32_t count)
{
    *at(enable) = 0;
    *at(base) = 0;
    *at(base + 4u) = (uint32_t)(uintptr_t)beats;
    *at(length) = 4u * count;
    *at(enable) = 1;
}

static int send(void *context, const uint32_t *beats, uint32_t count)
{
    int result;
    (void)context;
    start_dma(CSR_MACHINE_READER_BASE_ADDR, CSR_MACHINE_READER_LENGTH_ADDR, CSR_MACHINE_READER_ENABLE_ADDR, beats, count);
    result = await(CSR_MACHINE_READER_DONE_ADDR, 1) || await(CSR_MACHINE_PENDING_ADDR, 0);
    *at(CSR_MACHINE_READER_ENABLE_ADDR) = 0;
    return result;
}

static int arm(void *context, uint32_t *beats, uint32_t capacity)
{
    (void)context;
    start_dma(CSR_MACHINE_WRITER_BASE_ADDR, CSR_MACHINE_WRITER_LENGTH_ADDR, CSR_MACHINE_WRITER_ENABLE_ADDR, beats,
              capacity);
    return 0;
}

static int wait(void *context, uint32_t *count)
{
    int result = await(CSR_MACHINE_WRITER_DONE_ADDR, 1);
    (void)context;
    *count = *at(CSR_MACHINE_WRITER_OFFSET_ADDR);
    *at(CSR_MACHINE_WRITER_ENABLE_ADDR) = 0;
    return result;
}

/* A writer that is off takes and forgets; the reader goes on until the machine has taken what was begun. */
static int drain(void *context)
{
    (void)context;
    *at(CSR_MACHINE_WRITER_ENABLE_ADDR) = 0;
    return await(CSR_MACHINE_PENDING_ADDR, 0);
}

static int reset(void *context)
{
    (void)context;
    *at(CSR_MACHINE_READER_ENABLE_ADDR) = 0;
    *at(CSR_MACHINE_WRITER_ENABLE_ADDR) = 0;
    *at(CSR_MACHINE_RESET_ADDR) = 1;
    *at(CSR_MACHINE_RESET_ADDR) = 0;
    return await(CSR_MACHINE_PENDING_ADDR, 0);
}

int board_open(struct hebbar_port *port)
{
    static const struct hebbar_port ours = {NULL, write_register, read_register, send, arm, wait, drain, reset};
    *port = ours;
    return 0;
}

#ifdef CSR_SIM_FINISH_FINISH_ADDR
/* Ends the simulation. Once is not enough: a store waits while instructions are fetched without a pause, as in a loop
 * that does nothing. */
void board_finish(void)
{
    for (;;)
        *at(CSR_SIM_FINISH_FINISH_ADDR) = 1;
}
#else
/* On a board: returns, and start.S begins again, when a byte comes on the serial port. */
void board_finish(void)
{
    while (*at(CSR_UART_RXEMPTY_ADDR))
        ;
    while (!*at(CSR_UART_RXEMPTY_ADDR))
        *at(CSR_UART_EV_PENDING_ADDR) = UART_RECEIVED;
}
#endif

static void put(char letter)
{
    while (*at(CSR_UART_TXFULL_ADDR))
        ;
    *at(CSR_UART_RXTX_ADDR) = (uint32_t)letter;
}

static void put_number(uint32_t value)
{
    uint32_t power = 1000000000u;
    while (power > 1u && value < power)
        power /= 10u;
    for (; power; value %= power, power /= 10u)
        put((char)('0' + value / power));
}

int printf(const char *format, ...)
{
    va_list arguments;
    const char *text;
    int number;
    va_start(arguments, format);
    for (; *format; ++format) {
        if (*format != '%') {
            put(*format);
            continue;
        }
        switch (*++format) {
        case 's':
            for (text = va_arg(arguments, const char *); *text; ++text)
                put(*text);
            break;
        case 'd':
            number = va_arg(arguments, int);
            if (number < 0)
                put('-');
            put_number(number < 0 ? 0u - (uint32_t)number : (uint32_t)number);
            break;
        default:
            put_number(va_arg(arguments, unsigned));
        }
    }
    va_end(arguments);
    return 0;
}

/* What a compiler may call for a struct. */
void *memcpy(void *to, const void *from, size_t size)
{
    size_t i;
    for (i = 0; i < size; ++i)
        ((char *)to)[i] = ((const char *)from)[i];
    return to;
}
