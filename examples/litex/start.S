/* Sets the stack, clears what C takes for zero and runs main; then the simulation ends, or a board begins again. */
.section .start, "ax"
.globl _start
_start:
    la sp, _stack
    la t0, _bss
    la t1, _end
1:  bgeu t0, t1, 2f
    sw zero, 0(t0)
    addi t0, t0, 4
    j 1b
2:  call main
    call board_finish
    j _start
