// `ready` of a host that is slow at times: after each item taken, a hash of the item's number says
// whether, and for how many cycles, the next one waits.
`default_nettype none
`include "oae_schedule.vh"

module oae_staller #(
    parameter [7:0] END    = 0,
    parameter [7:0] STREAM = 0
) (
    input  wire        clk,
    input  wire        rst,
    input  wire [31:0] seed,
    input  wire [63:0] chance,   // threshold of 33 bits
    input  wire [31:0] maximum,  // cycles
    input  wire        hold,     // takes nothing while high
    input  wire        taken,
    output wire        ready
);

  `include "oae_hash.vh"

  reg  [31:0] number;
  reg  [31:0] pause;
  wire [31:0] next_number = number + 1'b1;

  assign ready = !hold && pause == 32'd0;

  reg [31:0] hash, cycles;
  always @* begin
    hash   = 32'd0;
    cycles = 32'd0;
    if (taken && chance != 64'd0) begin
      hash = oae_chain(oae_chain(oae_mix(seed), {END, STREAM, 16'd0}), next_number);
      if ({32'd0, oae_chain(hash, `OAE_PURPOSE_STALL)} < chance)
        cycles = 32'd1 + oae_chain(hash, `OAE_PURPOSE_STALL_CYCLES) % maximum;
    end
  end

  always @(posedge clk) begin
    if (taken) number <= next_number;
    if (taken) pause <= cycles;
    else if (pause != 32'd0) pause <= pause - 1'b1;
    if (rst) begin
      number <= 32'd0;
      pause  <= 32'd0;
    end
  end

endmodule
`default_nettype wire
