// Bytes on a wire: a start bit, eight data bits, lowest first, a stop bit, no parity.
//
// A byte that nobody has taken when the next one is complete is lost, and so is one whose stop bit is
// not there: the protocol above finds both.
`default_nettype none

module oae_uart #(
    parameter integer CYCLES_A_BIT = 434  // 115200 baud at 50 MHz
) (
    input  wire clk,
    input  wire rst,
    input  wire receive,
    output wire transmit,

    input  wire [7:0] s_serial_tdata,
    input  wire       s_serial_tvalid,
    output wire       s_serial_tready,
    output reg  [7:0] m_serial_tdata,
    output reg        m_serial_tvalid,
    input  wire       m_serial_tready
);

  localparam integer TIME_BITS = $clog2(CYCLES_A_BIT);
  localparam integer LAST = CYCLES_A_BIT - 1;
  localparam integer MIDDLE = CYCLES_A_BIT / 2;
  localparam [TIME_BITS-1:0] BIT_END = LAST[TIME_BITS-1:0];
  localparam [TIME_BITS-1:0] BIT_MIDDLE = MIDDLE[TIME_BITS-1:0];

  // Wrong parameters are refused at elaboration, by a module that does not exist.
  generate
    if (CYCLES_A_BIT < 4) begin : g_cycles
      oae_error_CYCLES_A_BIT_must_be_at_least_4 wrong ();
    end
  endgenerate

  // Bits still to go, the start bit lowest; ones follow them.
  reg [9:0] out;
  reg [3:0] out_left;
  reg [TIME_BITS-1:0] out_time;
  assign s_serial_tready = out_left == 4'd0;
  assign transmit = out[0];

  always @(posedge clk) begin
    out_time <= out_time == BIT_END ? {TIME_BITS{1'b0}} : out_time + 1'b1;
    if (s_serial_tready) begin
      out_time <= {TIME_BITS{1'b0}};
      if (s_serial_tvalid) begin
        out <= {1'b1, s_serial_tdata, 1'b0};
        out_left <= 4'd10;
      end
    end else if (out_time == BIT_END) begin
      out <= {1'b1, out[9:1]};
      out_left <= out_left - 1'b1;
    end
    if (rst) begin
      out <= 10'h3ff;
      out_left <= 4'd0;
    end
  end

  // The wire knows no clock: two registers before anybody looks at it.
  reg [1:0] wire_in;
  wire level = wire_in[1];
  reg busy;
  reg [3:0] in_left;  // bits still to come; 0: the line must come to rest
  reg [TIME_BITS-1:0] in_time;
  reg [7:0] in;
  wire sample = in_time == BIT_MIDDLE;

  always @(posedge clk) begin
    wire_in <= {wire_in[0], receive};
    if (m_serial_tready) m_serial_tvalid <= 1'b0;
    if (!busy) begin
      busy <= !level;
      in_time <= {TIME_BITS{1'b0}};
      in_left <= 4'd10;
    end else begin
      in_time <= in_time == BIT_END ? {TIME_BITS{1'b0}} : in_time + 1'b1;
      if (in_left == 4'd0) begin
        if (level) busy <= 1'b0;
      end else if (sample) begin
        in_left <= in_left - 1'b1;
        if (in_left == 4'd10) begin
          if (level) busy <= 1'b0;  // what began was no start bit
        end else if (in_left != 4'd1) begin
          in <= {level, in[7:1]};
        end else if (level) begin
          busy <= 1'b0;
          if (!m_serial_tvalid || m_serial_tready) begin
            m_serial_tdata  <= in;
            m_serial_tvalid <= 1'b1;
          end
        end
      end
    end
    if (rst) begin
      wire_in <= 2'b11;
      busy <= 1'b0;
      m_serial_tvalid <= 1'b0;
    end
  end

endmodule
`default_nettype wire
