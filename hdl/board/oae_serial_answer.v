// Keeps one answer, encoded by COBS, and sends it, as often as it is asked to.
//
// A zero is not stored: its place becomes the code byte of the next block, and the code byte before it
// learns how far that is. An answer is so short that no block is ever full.
`default_nettype none

module oae_serial_answer (
    input wire clk,
    input wire rst,

    input wire       clear,       // a new answer begins
    input wire       byte_valid,
    input wire [7:0] byte_data,
    input wire       finish,      // it has all its bytes
    input wire       send,

    output wire       sending,
    output wire [7:0] m_serial_tdata,
    output wire       m_serial_tvalid,
    input  wire       m_serial_tready
);

  reg [7:0] store[0:255];
  reg [7:0] code_place;  // of the block at hand
  reg [7:0] place;  // of the next byte

  wire closes = finish || (byte_valid && byte_data == 8'd0);
  wire [7:0] write_place = closes ? code_place : place;
  wire [7:0] write_data = closes ? place - code_place : byte_data;

  localparam [1:0] REST = 2'd0;
  localparam [1:0] FETCH = 2'd1;
  localparam [1:0] OFFER = 2'd2;

  reg [1:0] state;
  reg [7:0] at;
  reg [7:0] fetched;
  wire last = at == place;  // the zero that ends the frame is not stored

  assign sending = state != REST;
  assign m_serial_tvalid = state == OFFER;
  assign m_serial_tdata = last ? 8'd0 : fetched;

  always @(posedge clk) begin
    if (byte_valid || finish) store[write_place] <= write_data;
    fetched <= store[at];
    if (byte_valid) begin
      place <= place + 1'b1;
      if (closes) code_place <= place;
    end
    if (clear) begin
      code_place <= 8'd0;
      place <= 8'd1;
    end

    case (state)
      REST:
      if (send) begin
        at <= 8'd0;
        state <= FETCH;
      end
      FETCH: state <= OFFER;
      default:
      if (m_serial_tready) begin
        at <= at + 1'b1;
        state <= last ? REST : FETCH;
      end
    endcase
    if (rst) state <= REST;
  end

endmodule
`default_nettype wire
