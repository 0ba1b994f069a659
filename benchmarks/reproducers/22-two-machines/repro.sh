#!/bin/bash
# Source: EPFL-LAP/dynamatic issue 235, chipsalliance/i3c-core issue 59: two generated cores in one design need names of their own.
d=$(mktemp -d); hebbar verilog tiny --top one --out $d/a -q && hebbar verilog digits --top two --out $d/b -q || exit 2
echo 'module soc(input clk, rst); one a(.clk(clk), .rst(rst)); two b(.clk(clk), .rst(rst)); endmodule' > $d/soc.v
iverilog -g2005 -s soc -o $d/x $d/soc.v $d/a/*.v $d/b/*.v
