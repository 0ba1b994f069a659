/* A simulated machine as a board: what board.c offers to a program that uses the driver of a kit. */

#ifndef BOARD_H
#define BOARD_H

#include "hebbar_driver.h"

int board_open(struct hebbar_port *port);
void board_close(struct hebbar_port *port);

/* Send the first `some` beats of a packet of `count`; the port's drain sends the rest. */
void board_begin(struct hebbar_port *port, const uint32_t *beats, uint32_t some, uint32_t count);

/* Clock cycles since the board was opened, and beats that went in and out. */
uint64_t board_cycles(const struct hebbar_port *port);
uint64_t board_beats(const struct hebbar_port *port);

#endif
