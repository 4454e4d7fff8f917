// The schedule of a run, read before cycle 0 from the file that `+schedule=` names.
//
// Its head (docs/scenario.md) stands on a port; records and rules are read through as many read
// ports as there are readers.
`default_nettype none
`include "oae_schedule.vh"

module oae_schedule #(
    parameter integer WORDS      = 16384,
    parameter integer HEAD_WORDS = 80,
    parameter integer PORTS      = 3
) (
    output wire [64*HEAD_WORDS-1:0] head,
    input  wire [     32*PORTS-1:0] address,
    output wire [     64*PORTS-1:0] word
);

  localparam integer ADDRESS_BITS = $clog2(WORDS);

  reg [63:0] words[0:WORDS-1];
  reg [8*512-1:0] name;
  integer file, count, taken;

  initial begin
    count = 0;
    if (!$value$plusargs("schedule=%s", name)) begin
      $display("BENCH_ERROR no schedule: +schedule=FILE");
      $finish;
    end else begin
      file = $fopen(name, "r");
      if (file == 0) begin
        $display("BENCH_ERROR cannot read the schedule %0s", name);
        $finish;
      end else begin
        taken = 1;
        while (taken == 1 && count < WORDS) begin
          taken = $fscanf(file, "%h\n", words[count]);
          if (taken == 1) count = count + 1;
        end
        $fclose(file);
      end
      if (count < HEAD_WORDS || words[`OAE_HEAD_MAGIC] != `OAE_SCHEDULE_MAGIC ||
          words[`OAE_HEAD_WORDS] != {32'd0, count}) begin
        $display("BENCH_ERROR the schedule has %0d words and does not fit", count);
        $finish;
      end
    end
  end

  genvar i;
  generate
    for (i = 0; i < HEAD_WORDS; i = i + 1) begin : g_head
      assign head[64*i+:64] = words[i];
    end
    for (i = 0; i < PORTS; i = i + 1) begin : g_port
      assign word[64*i+:64] = words[address[32*i+:ADDRESS_BITS]];
      wire unused = &{1'b0, address[32*i+:32]};  // the schedule is shorter than 2^32 words
    end
  endgenerate

endmodule
`default_nettype wire
