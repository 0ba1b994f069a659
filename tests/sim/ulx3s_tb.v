// The board around the system as it goes to place and route: crystal, button, and the host's end of the serial port.
// Prints what the system sends; after its first line sends one byte, after its second ends.
`timescale 1ns / 1ps

// The PLL of an ECP5 (Lattice FPGA-TN-02200): its oscillator runs at CLKI / CLKI_DIV * CLKFB_DIV * CLKOS_DIV when it is
// fed back from CLKOS, and CLKOP is that by CLKOP_DIV. CLKI has a half period of 20 ns here.
module EHXPLLL #(parameter CLKFB_DIV = 1, CLKI_DIV = 1, CLKOP_DIV = 1, CLKOS_DIV = 1, CLKOP_CPHASE = 0,
                 CLKOS_CPHASE = 0, CLKOP_FPHASE = 0, CLKOS_FPHASE = 0, CLKOP_ENABLE = "", CLKOS_ENABLE = "",
                 FEEDBK_PATH = "")
    (input CLKI, RST, STDBY, output reg CLKOP, output CLKOS, output reg LOCK);
    initial begin
        CLKOP = 0;
        LOCK = 0;
        if (FEEDBK_PATH != "INT_OS") $display("OTHER FEEDBACK");
    end
    assign CLKOS = 0;
    always #(20.0 * CLKI_DIV * CLKOP_DIV / (CLKFB_DIV * CLKOS_DIV)) CLKOP = ~CLKOP;
    always @(posedge CLKI or posedge RST) LOCK <= !RST;
endmodule

// A flip-flop that PD sets without a clock.
module FD1S3BX(input D, CK, PD, output reg Q);
    always @(posedge CK or posedge PD) Q <= PD ? 1'b1 : D;
endmodule

module board;
    localparam BIT = 1000000000 / `BAUD;
    reg clk25 = 0, rst = 1, rx = 1;
    wire tx, esp32;
    reg [7:0] letter;
    integer i, lines = 0;
    always #20 clk25 = ~clk25;
    ulx3s system(.clk25(clk25), .rst(rst), .serial_rx(rx), .serial_tx(tx), .esp32_gpio0(esp32));
    initial begin
        #200 rst = 0;
        #200000000 $display("\nLATE");
        $finish;
    end
    always @(negedge tx) if (!rst) begin
        #(BIT / 2);
        for (i = 0; i < 8; i = i + 1) #(BIT) letter[i] = tx;
        #(BIT) if (!tx) $display("\nNO STOP BIT");
        $write("%c", letter);
        if (letter == "\n") lines = lines + 1;
        if (lines == 2) begin
            $display("%0d us", $time / 1000);
            $finish;
        end
    end
    initial begin
        wait (lines == 1);
        #(20 * BIT) rx = 0;
        #(9 * BIT) rx = 1;  // a start bit and eight zeros
    end
endmodule
