// A host's side of a serial line, for benches: sends the bytes of a long word, one a cycle, and keeps
// what comes back. A change of `load` starts it and forgets the answers of before.
`default_nettype none

module oae_serial_line #(
    parameter integer SEND_BYTES   = 64,
    parameter integer ANSWER_BYTES = 1024
) (
    input wire clk,
    input wire rst,

    input  wire                      load,
    input  wire [  8*SEND_BYTES-1:0] bytes,
    input  wire [              15:0] length,
    output wire                      sent,
    output reg  [8*ANSWER_BYTES-1:0] answers,
    output reg  [              15:0] answered, // bytes

    output wire [7:0] m_serial_tdata,
    output wire       m_serial_tvalid,
    input  wire       m_serial_tready,
    input  wire [7:0] s_serial_tdata,
    input  wire       s_serial_tvalid,
    output wire       s_serial_tready
);
  reg loaded;
  reg [15:0] at;
  assign sent = loaded == load && at == length;
  assign m_serial_tvalid = loaded == load && at != length;
  assign m_serial_tdata = bytes[8*at+:8];
  assign s_serial_tready = 1'b1;

  always @(posedge clk) begin
    loaded <= load;
    if (m_serial_tvalid && m_serial_tready) at <= at + 1'b1;
    if (s_serial_tvalid) begin
      answers[8*answered+:8] <= s_serial_tdata;
      answered <= answered + 1'b1;
    end
    if (loaded != load) begin
      at <= 16'd0;
      answered <= 16'd0;
    end
    if (rst) begin
      loaded <= load;
      at <= length;
      answered <= 16'd0;
    end
  end
endmodule
`default_nettype wire
