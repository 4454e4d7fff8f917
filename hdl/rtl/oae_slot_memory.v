// One word a slot: written in one place, read at once in two (distributed RAM).
`default_nettype none

module oae_slot_memory #(
    parameter integer WINDOW    = 8,
    parameter integer WIDTH     = 32,
    parameter integer SLOT_BITS = WINDOW > 1 ? $clog2(WINDOW) : 1
) (
    input  wire                 clk,
    input  wire                 write_enable,
    input  wire [SLOT_BITS-1:0] write_slot,
    input  wire [    WIDTH-1:0] write_data,
    input  wire [SLOT_BITS-1:0] read_slot_0,
    output wire [    WIDTH-1:0] read_data_0,
    input  wire [SLOT_BITS-1:0] read_slot_1,
    output wire [    WIDTH-1:0] read_data_1
);
  reg [WIDTH-1:0] words[0:WINDOW-1];
  assign read_data_0 = words[read_slot_0];
  assign read_data_1 = words[read_slot_1];
  always @(posedge clk) if (write_enable) words[write_slot] <= write_data;
endmodule
`default_nettype wire
