// The schedule of a run for the compiled engine, in place of hdl/sim/oae_schedule.v: the words stand
// in the engine's memory, so that one build takes a schedule of any length.
`default_nettype none

module oae_schedule #(
    // verilator lint_off UNUSEDPARAM
    parameter integer WORDS      = 0,
    // verilator lint_on UNUSEDPARAM
    parameter integer HEAD_WORDS = 80,
    parameter integer PORTS      = 3
) (
    output reg  [64*HEAD_WORDS-1:0] head,
    input  wire [     32*PORTS-1:0] address,
    output wire [     64*PORTS-1:0] word
);

  import "DPI-C" pure function longint unsigned oae_schedule_word(input int unsigned address);

  initial for (int i = 0; i < HEAD_WORDS; i++) head[64*i+:64] = oae_schedule_word(i);

  genvar p;
  generate
    for (p = 0; p < PORTS; p = p + 1) begin : g_port
      assign word[64*p+:64] = oae_schedule_word(address[32*p+:32]);
    end
  endgenerate

endmodule
`default_nettype wire
