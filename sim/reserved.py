"""Words that no machine can be called: keywords of the languages that an export is written in, and files of its own."""

from keyword import kwlist

__all__ = ["FILES", "KEYWORDS", "RDL"]

VERILOG = frozenset("""
accept_on alias always always_comb always_ff always_latch and assert assign assume automatic before begin bind bins
binsof bit break buf bufif0 bufif1 byte case casex casez cell chandle checker class clocking cmos config const
constraint context continue cover covergroup coverpoint cross deassign default defparam design disable dist do edge
else end endcase endchecker endclass endclocking endconfig endfunction endgenerate endgroup endinterface endmodule
endpackage endprimitive endprogram endproperty endspecify endsequence endtable endtask enum event eventually expect
export extends extern final first_match for force foreach forever fork forkjoin function generate genvar global highz0
highz1 if iff ifnone ignore_bins illegal_bins implements implies import incdir include initial inout input inside
instance int integer interconnect interface intersect join join_any join_none large let liblist library local
localparam logic longint macromodule matches medium modport module nand negedge nettype new nexttime nmos nor
noshowcancelled not notif0 notif1 null or output package packed parameter pmos posedge primitive priority program
property protected pull0 pull1 pulldown pullup pulsestyle_ondetect pulsestyle_onevent pure rand randc randcase
randsequence rcmos real realtime ref reg reject_on release repeat restrict return rnmos rpmos rtran rtranif0 rtranif1
s_always s_eventually s_nexttime s_until s_until_with scalared sequence shortint shortreal showcancelled signed small
soft solve specify specparam static string strong strong0 strong1 struct super supply0 supply1 sync_accept_on
sync_reject_on table tagged task this throughout time timeprecision timeunit tran tranif0 tranif1 tri tri0 tri1 triand
trior trireg type typedef union unique unique0 unsigned until until_with untyped use uwire var vectored virtual void
wait wait_order wand weak weak0 weak1 while wildcard wire with within wor xnor xor
""".split())  # noqa: SIM905 - a list would be 250 lines
"""Keywords of IEEE 1800-2017, Annex B, which holds those of Verilog."""

RDL = frozenset("""
abstract accesstype addressingtype addrmap alias all alternate bit boolean bothedge byte compact component
componentwidth constraint default encode enum external false field fullalign hw inside int internal level longint mem na
negedge nonsticky number onreadtype onwritetype posedge precedencetype property r rclr real ref reg regalign regfile
rset ruser rw rw1 shortint shortreal signal signed string struct sw this true type unsigned w w1 wclr with within woclr
woset wot wr wset wuser wzc wzs wzt
""".split())  # noqa: SIM905 - as above
"""Keywords of SystemRDL 2.0, tables 3 and 4."""

KEYWORDS = VERILOG | RDL | frozenset(kwlist)

FILES = frozenset({"macro_stub", "system"})
"""What goes beside the control of an analog macro, whatever the name."""
