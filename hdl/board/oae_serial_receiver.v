// Takes requests out of a stream of bytes: COBS frames, ended by a zero, with a CRC-32.
//
// A frame that is damaged, too short or too long is dropped and told as `rejected`; whatever it was,
// the zero after it begins anew. An empty frame is no frame. While a request waits to be taken, so
// do the bytes behind it. The protocol: docs/board.md.
`default_nettype none

module oae_serial_receiver (
    input wire clk,
    input wire rst,

    input  wire [7:0] s_serial_tdata,
    input  wire       s_serial_tvalid,
    output wire       s_serial_tready,

    output reg         request_valid,
    input  wire        request_ready,
    output wire [31:0] request_sequence,
    output wire [ 7:0] request_operation,
    output wire [15:0] request_address,
    output wire [ 7:0] request_count,
    output wire [31:0] request_data,
    output wire [ 4:0] request_length,     // bytes, with the CRC

    output reg rejected
);

  `include "oae_crc32.vh"

  // What is left in the register after a frame with its own CRC.
  localparam [31:0] CRC_RESIDUE = 32'hdebb20e3;
  localparam [4:0] SHORTEST = 5'd12;
  localparam [4:0] LONGEST = 5'd16;
  localparam [4:0] HELD = 5'd12;  // bytes that hold fields

  reg begun;  // the frame has a byte
  reg [7:0] left;  // bytes until the next code byte
  reg zero_follows;  // the block at hand stands for a zero behind it, if another one comes
  reg [4:0] length;  // bytes decoded, up to one too many
  reg [95:0] held;
  reg [31:0] crc;

  assign s_serial_tready = !request_valid;
  assign request_sequence = held[31:0];
  assign request_operation = held[39:32];
  assign request_address = held[55:40];
  assign request_count = held[63:56];
  assign request_data = held[95:64];
  assign request_length = length;

  wire taken = s_serial_tvalid && s_serial_tready;
  wire ended = taken && s_serial_tdata == 8'd0;
  wire is_code = left == 8'd0;
  wire decoded_valid = taken && !ended && (!is_code || (begun && zero_follows));
  wire [7:0] decoded = is_code ? 8'd0 : s_serial_tdata;
  wire good = is_code && length >= SHORTEST && length <= LONGEST && crc == CRC_RESIDUE;

  always @(posedge clk) begin
    rejected <= ended && begun && !good;
    if (ended && begun && good) request_valid <= 1'b1;
    else if (request_ready) request_valid <= 1'b0;

    if (taken && !ended) begin
      begun <= 1'b1;
      left  <= (is_code ? s_serial_tdata : left) - 1'b1;
      if (is_code) zero_follows <= s_serial_tdata != 8'hff;
      // A new frame begins with its first byte: the fields of the last one hold until then.
      if (!begun) begin
        length <= 5'd0;
        crc <= CRC_INITIAL;
      end
    end
    if (decoded_valid) begin
      if (length <= LONGEST) length <= length + 1'b1;
      crc <= oae_crc32_byte(crc, decoded);
      if (length < HELD) held[8*length+:8] <= decoded;
    end
    if (ended || rst) begin
      begun <= 1'b0;
      left  <= 8'd0;
    end
    if (rst) begin
      request_valid <= 1'b0;
      rejected <= 1'b0;
    end
  end

endmodule
`default_nettype wire
