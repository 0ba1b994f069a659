// Every memory as a box with one write port, on both sides of the equivalence proof, so that two
// memories of equal parameters match when their inputs do. Used by hebbar/verify/equivalence.py with techmap.
(* techmap_celltype = "$mem_v2" *)
module _memory (RD_CLK, RD_EN, RD_ARST, RD_SRST, RD_ADDR, RD_DATA, WR_CLK, WR_EN, WR_ADDR, WR_DATA);
  parameter MEMID = "";
  parameter SIZE = 0;
  parameter OFFSET = 0;
  parameter ABITS = 1;
  parameter WIDTH = 1;
  parameter INIT = 0;
  parameter RD_PORTS = 1;
  parameter RD_CLK_ENABLE = 0;
  parameter RD_CLK_POLARITY = 0;
  parameter RD_TRANSPARENCY_MASK = 0;
  parameter RD_COLLISION_X_MASK = 0;
  parameter RD_WIDE_CONTINUATION = 0;
  parameter RD_CE_OVER_SRST = 0;
  parameter RD_ARST_VALUE = 0;
  parameter RD_SRST_VALUE = 0;
  parameter RD_INIT_VALUE = 0;
  parameter WR_PORTS = 1;
  parameter WR_CLK_ENABLE = 0;
  parameter WR_CLK_POLARITY = 0;
  parameter WR_PRIORITY_MASK = 0;
  parameter WR_WIDE_CONTINUATION = 0;
  input [RD_PORTS-1:0] RD_CLK, RD_EN, RD_ARST, RD_SRST;
  input [RD_PORTS*ABITS-1:0] RD_ADDR;
  output [RD_PORTS*WIDTH-1:0] RD_DATA;
  input [WR_PORTS-1:0] WR_CLK;
  input [WR_PORTS*WIDTH-1:0] WR_EN, WR_DATA;
  input [WR_PORTS*ABITS-1:0] WR_ADDR;
  wire _TECHMAP_FAIL_ = WR_PORTS != 1 || WR_CLK_ENABLE != 1 || RD_PORTS < 1;

  // Yosys writes read ports to Verilog from the last to the first: REVERSED turns them back. The
  // clock and the polarity of an unclocked port mean nothing.
  wire [RD_PORTS-1:0] clock, enable;
  wire [RD_PORTS*ABITS-1:0] address;
  wire [RD_PORTS*WIDTH-1:0] data;
  wire [RD_PORTS-1:0] clocked, polarity;
  genvar i;
  generate
    for (i = 0; i < RD_PORTS; i = i + 1) begin : port
`ifdef REVERSED
      localparam FROM = RD_PORTS - 1 - i;
`else
      localparam FROM = i;
`endif
      assign clock[i] = RD_CLK_ENABLE[FROM] ? RD_CLK[FROM] : 1'b0;
      assign clocked[i] = RD_CLK_ENABLE[FROM];
      assign polarity[i] = RD_CLK_ENABLE[FROM] & RD_CLK_POLARITY[FROM];
      assign enable[i] = RD_EN[FROM];
      assign address[i*ABITS +: ABITS] = RD_ADDR[FROM*ABITS +: ABITS];
      assign RD_DATA[FROM*WIDTH +: WIDTH] = data[i*WIDTH +: WIDTH];
    end
  endgenerate

  // Address and data of a write are compared where the write is enabled. The kinds of the read
  // ports are inputs of the box, so that they are compared too.
  memory_box #(.SIZE(SIZE), .OFFSET(OFFSET), .ABITS(ABITS), .WIDTH(WIDTH), .INIT(INIT), .RD_PORTS(RD_PORTS),
    .RD_TRANSPARENCY_MASK(RD_TRANSPARENCY_MASK), .RD_COLLISION_X_MASK(RD_COLLISION_X_MASK),
    .WR_CLK_POLARITY(WR_CLK_POLARITY))
    _TECHMAP_REPLACE_ (.RD_KIND({clocked, polarity}), .RD_CLK(clock), .RD_EN(enable), .RD_ADDR(address),
    .RD_DATA(data), .WR_CLK(WR_CLK), .WR_EN(WR_EN), .WR_ADDR(WR_ADDR & {ABITS{|WR_EN}}), .WR_DATA(WR_DATA & WR_EN));
endmodule
