// A test bench that needs nothing but the page Integrate, beside the one of the kit: it lets the machine wait and
// waits for it, sends data before addresses, aborts in the middle of a packet and recovers as the page says. The numbers
// of the kit come as macros: `-DSAMPLES=4`; memories are read from the folder `kit`.
`timescale 1ns / 1ns
module integrator_tb;
    reg clk = 0, rst = 1;
    always #5 clk = ~clk;

    reg [11:0] awaddr = 0, araddr = 0;
    reg awvalid = 0, wvalid = 0, arvalid = 0, bready = 0, rready = 0;
    reg [31:0] wdata = 0;
    wire awready, wready, bvalid, arready, rvalid;
    wire [1:0] bresp, rresp;
    wire [31:0] rdata;
    reg tvalid = 0, tlast = 0, take = 0;
    reg [31:0] tdata = 0;
    wire tready, m_valid, m_last;
    wire [31:0] m_data;

    hebbar machine (
        .clk(clk), .rst(rst),
        .s_axil_awaddr(awaddr), .s_axil_awprot(3'b0), .s_axil_awvalid(awvalid), .s_axil_awready(awready),
        .s_axil_wdata(wdata), .s_axil_wstrb(4'hf), .s_axil_wvalid(wvalid), .s_axil_wready(wready),
        .s_axil_bresp(bresp), .s_axil_bvalid(bvalid), .s_axil_bready(bready),
        .s_axil_araddr(araddr), .s_axil_arprot(3'b0), .s_axil_arvalid(arvalid), .s_axil_arready(arready),
        .s_axil_rdata(rdata), .s_axil_rresp(rresp), .s_axil_rvalid(rvalid), .s_axil_rready(rready),
        .s_axis_tdata(tdata), .s_axis_tvalid(tvalid), .s_axis_tlast(tlast), .s_axis_tready(tready),
        .m_axis_tdata(m_data), .m_axis_tvalid(m_valid), .m_axis_tlast(m_last), .m_axis_tready(take),
        .barrier(), .barrier_pc());

    localparam RUNNING = 1, STREAMING = 2, ABORTED = 8, START = 1, STOP = 2, CLEAR = 4, DONE = 1, STOPPED = 2, SLVERR = 2;
    localparam CONTROL = 12'h040, STATUS = 12'h044, CAUSE = 12'h048, ENTRY = 12'h050, LOOP0 = 12'h060;

    reg [31:0] load [0:`LOAD_BEATS - 1], clamp_train [0:`CLAMP_TRAIN - 1], clamp_predict [0:`CLAMP_PREDICT - 1];
    reg [31:0] settings [0:`SETTINGS - 1], rates [0:`RATES - 1], ask [0:1], learned [0:`LEARNED - 1];
    reg [31:0] train [0:`SAMPLES * `TRAIN_BEATS - 1], predict [0:`QUESTIONS * `PREDICT_BEATS - 1];
    reg [31:0] answers [0:`QUESTIONS * `ANSWER_BEATS - 1], mask [0:`ANSWER_BEATS - 1];
    reg [31:0] came [0:`LEARNED + `QUESTIONS * `ANSWER_BEATS - 1];
    integer seed = 1, i, j, beats = 0, packets = 0, wrong = 0, words = 0;
    reg [31:0] value;
    reg [1:0] response;

    // The output stream: taken in about half of all cycles.
    always @(posedge clk) begin
        if (m_valid && take) begin
            came[beats] <= m_data;
            beats <= beats + 1;
            if (m_last) packets <= packets + 1;
        end
        take <= $random(seed);
    end

    task write(input [11:0] address, input [31:0] data);  // the data first, the address some cycles later
        begin
            wdata <= data; wvalid <= 1; bready <= 1;
            repeat (3) @(posedge clk) if (wready) wvalid <= 0;
            awaddr <= address; awvalid <= 1;
            @(posedge clk);
            while (!(bvalid && bready)) begin
                if (wready) wvalid <= 0;
                if (awready) awvalid <= 0;
                @(posedge clk);
            end
            response = bresp; bready <= 0;
            awvalid <= 0; wvalid <= 0;
        end
    endtask

    task must(input [11:0] address, input [31:0] data);
        begin
            write(address, data);
            if (response != 0) fail("a write was answered with an error");
        end
    endtask

    task read(input [11:0] address);
        begin
            araddr <= address; arvalid <= 1;
            @(posedge clk);
            while (!(arvalid && arready)) @(posedge clk);
            arvalid <= 0; rready <= 1;
            @(posedge clk);
            while (!(rvalid && rready)) @(posedge clk);
            value = rdata; rready <= 0;
            if (rresp != 0) fail("a read was answered with an error");
        end
    endtask

    task until_off(input [31:0] bits);
        begin
            read(STATUS);
            while (value & bits) read(STATUS);
        end
    endtask

    task send(input [31:0] data, input last);  // with gaps
        begin
            while ($random(seed) & 1) @(posedge clk);
            tdata <= data; tlast <= last; tvalid <= 1;
            @(posedge clk);
            while (!(tvalid && tready)) @(posedge clk);
            tvalid <= 0; tlast <= 0;
        end
    endtask

    task fail(input [8 * 60 - 1:0] why);
        begin
            $display("FAIL: %0s", why);
            $finish;
        end
    endtask

    task load_all;  // packets behind each other: a header says how many beats a packet has, and they end there
        begin
            i = 0;
            while (i < `LOAD_BEATS) begin
                j = load[i][23:0] + 1;
                for (j = j; j >= 0; j = j - 1) begin
                    send(load[i], j == 0);
                    i = i + 1;
                end
            end
            for (i = 0; i < `SETTINGS; i = i + 2) must(settings[i], settings[i + 1]);
            for (i = 0; i < `RATES; i = i + 2) must(rates[i], rates[i + 1]);
        end
    endtask

    task start(input [31:0] count, input [31:0] entry);
        begin
            until_off(STREAMING);
            must(LOOP0, count);
            must(ENTRY, entry);
            must(CONTROL, START);
        end
    endtask

    task finish;
        begin
            until_off(RUNNING);
            read(CAUSE);
            if (value != DONE) fail("the machine did not end with HALT");
        end
    endtask

    initial begin
        $readmemh("load.hex", load);
        $readmemh("kit/data/settings.hex", settings);
        $readmemh("kit/data/rates.hex", rates);
        $readmemh("kit/data/clamp_train.hex", clamp_train);
        $readmemh("kit/data/clamp_predict.hex", clamp_predict);
        $readmemh("kit/data/read_weights.hex", ask);
        $readmemh("kit/data/samples_train.hex", train);
        $readmemh("kit/data/samples_predict.hex", predict);
        $readmemh("kit/data/answers_predict.hex", answers);
        $readmemh("kit/data/mask_predict.hex", mask);
        $readmemh("kit/data/learned.hex", learned);
        @(posedge clk);
        @(posedge clk) rst <= 0;
        read(12'h000);
        if (value != 32'h48454242) fail("this is another device");
        read(12'h018);
        if (value != `BUILD) fail("this is another build");
        load_all;

        // An abort in the middle of the first sample, and on from there as the page says.
        for (i = 0; i < `CLAMP_TRAIN; i = i + 1) send(clamp_train[i], i == `CLAMP_TRAIN - 1);
        start(2, `ENTRY_TRAIN);
        for (i = 0; i < `TRAIN_BEATS / 2; i = i + 1) send(train[i], 0);
        must(CONTROL, STOP);
        until_off(RUNNING);
        if (!(value & ABORTED)) fail("STOP does not show as ABORTED");
        read(CAUSE);
        if (value != STOPPED) fail("the cause is not STOPPED");
        write(CONTROL, START);
        if (response != SLVERR) fail("START was not refused");
        for (i = i; i < `TRAIN_BEATS; i = i + 1) send(train[i], i == `TRAIN_BEATS - 1);
        must(CONTROL, CLEAR);
        until_off(STREAMING);
        load_all;

        for (i = 0; i < `CLAMP_TRAIN; i = i + 1) send(clamp_train[i], i == `CLAMP_TRAIN - 1);
        start(`SAMPLES, `ENTRY_TRAIN);
        for (i = 0; i < `SAMPLES * `TRAIN_BEATS; i = i + 1) send(train[i], i % `TRAIN_BEATS == `TRAIN_BEATS - 1);
        finish;
        if (packets != 0) fail("training has no answers, and something came");
        send(ask[0], 0);
        send(ask[1], 1);
        while (packets == 0) @(posedge clk);
        for (i = 0; i < `CLAMP_PREDICT; i = i + 1) send(clamp_predict[i], i == `CLAMP_PREDICT - 1);
        start(`QUESTIONS, `ENTRY_PREDICT);
        for (i = 0; i < `QUESTIONS * `PREDICT_BEATS; i = i + 1)
            send(predict[i], i % `PREDICT_BEATS == `PREDICT_BEATS - 1);
        finish;
        while (packets < 1 + `QUESTIONS) @(posedge clk);
        if (beats != `LEARNED + `QUESTIONS * `ANSWER_BEATS) fail("packets have another length");
        for (i = 0; i < `LEARNED; i = i + 1) wrong = wrong + (came[i] !== learned[i]);
        for (i = 0; i < `QUESTIONS * `ANSWER_BEATS; i = i + 1)
            wrong = wrong + (((came[`LEARNED + i] ^ answers[i]) & mask[i % `ANSWER_BEATS]) !== 0);
        if (wrong != 0) $display("FAIL: %0d of %0d words differ", wrong, beats);
        else $display("PASS: %0d words equal", beats);
        $finish;
    end

    initial begin
        #100000000 $display("FAIL: it does not end");
        $finish;
    end
endmodule
