// The receiving host of an end: takes records and doubts, slowly at times, and refuses some.
`default_nettype none
`include "oae_schedule.vh"

module oae_sink #(
    parameter [7:0] END = 0
) (
    input wire                           clk,
    input wire                           rst,
    input wire [                   31:0] seed,
    input wire [64*`OAE_BLOCK_WORDS-1:0] settings,

    // what the fault rules demand
    input wire stall_deliver,
    input wire stall_doubt,
    input wire refuse,

    input  wire deliver_taken,
    output wire deliver_ready,
    output wire doubt_ready,
    input  wire asked,          // the end has accepted or refused a record
    output wire accept
);

  localparam [7:0] DELIVER_STREAM = 8'd0;

  `include "oae_hash.vh"

oae_staller #(
      .END(END),
      .STREAM(DELIVER_STREAM)
  ) staller (
      .clk(clk),
      .rst(rst),
      .seed(seed),
      .chance(settings[64*`OAE_END_DELIVER_STALL+:64]),
      .maximum(settings[64*`OAE_END_DELIVER_STALL_MAX+:32]),
      .hold(stall_deliver),
      .taken(deliver_taken),
      .ready(deliver_ready)
  );

  assign doubt_ready = !stall_doubt;

  // The answer to the next new record, by the number of those that asked before.
  wire [63:0] chance = settings[64*`OAE_END_REFUSE+:64];
  reg [31:0] number;
  reg [31:0] draw;
  reg willing;
  assign accept = willing && !refuse;
  always @* begin
    draw = oae_chain(oae_mix(seed), {END, 24'd0});
    draw = oae_chain(oae_chain(draw, asked ? number + 1'b1 : number), `OAE_PURPOSE_REFUSE);
  end
  always @(posedge clk) begin
    if (asked) number <= number + 1'b1;
    willing <= {32'd0, draw} >= chance;
    if (rst) number <= 32'd0;
  end

  wire unused = &{1'b0, settings};  // the rest concerns the load

endmodule
`default_nettype wire
