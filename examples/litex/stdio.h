/* As much of the C library as the program of a kit uses: %s, %d and %u without widths. */
#ifndef STDIO_H
#define STDIO_H

int printf(const char *format, ...);

#endif
