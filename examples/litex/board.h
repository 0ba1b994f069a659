/* LiteX as a board for the kit's driver. */
#ifndef BOARD_H
#define BOARD_H

#include DRIVER

int board_open(struct hebbar_port *port);
void board_finish(void);

#endif
