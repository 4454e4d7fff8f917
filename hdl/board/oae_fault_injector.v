// Drops, corrupts or doubles some of the frames that an end sends, between the end and the MAC.
//
// Which frames are struck is drawn anew for each, so that no pattern of the traffic escapes; the
// numbers are the same after every reset. A corrupted frame gets a right FCS from the MAC: the peer
// must find it out by itself.
`default_nettype none
`include "oae_board_defs.vh"

module oae_fault_injector #(
    parameter integer RECORD_MAX = 64
) (
    input wire clk,
    input wire rst,

    input wire [ 1:0] kind,
    input wire [15:0] one_in, // one frame in so many on average; 0: none

    input  wire [63:0] s_axis_tdata,
    input  wire [ 7:0] s_axis_tkeep,
    input  wire        s_axis_tvalid,
    output wire        s_axis_tready,
    input  wire        s_axis_tlast,
    input  wire        s_axis_tuser,
    output reg  [63:0] m_axis_tdata,
    output reg  [ 7:0] m_axis_tkeep,
    output reg         m_axis_tvalid,
    input  wire        m_axis_tready,
    output reg         m_axis_tlast,
    output reg         m_axis_tuser,

    output reg [31:0] injected
);

  // Header, record and what a restart puts behind them.
  localparam integer FRAME_WORDS = 4 + RECORD_MAX / 8 + 4;
  localparam integer WORD_BITS = $clog2(FRAME_WORDS);
  localparam [31:0] SEED = 32'h9e3779b9;

  // The frame that goes out, for its second copy.
  reg [73:0] frame[0:(1<<WORD_BITS)-1];
  reg [WORD_BITS-1:0] place;
  reg copying;  // the second copy goes
  reg in_frame;
  reg struck;  // the frame at hand
  reg [1:0] struck_kind;
  reg strikes;  // the next frame
  reg [31:0] random;  // xorshift; of the next frame
  reg [1:0] flip_word;
  reg [5:0] flip_bit;
  reg [31:0] stepped;
  always @* begin
    stepped = random ^ (random << 13);
    stepped = stepped ^ (stepped >> 17);
    stepped = stepped ^ (stepped << 5);
  end

  // random < 2^16 / one_in, on 16 bits
  wire [31:0] product = random[31:16] * one_in;
  wire unused = &{1'b0, product[15:0]};
  wire now_struck = in_frame ? struck : strikes && kind != `OAE_INJECTION_NONE;
  wire [1:0] now_kind = in_frame ? struck_kind : kind;
  wire dropping = now_struck && now_kind == `OAE_INJECTION_DROP;
  wire doubling = now_struck && now_kind == `OAE_INJECTION_DUPLICATE;
  // One bit of the four words from byte 16 on.
  localparam [WORD_BITS-1:0] FLIP_FIRST = 2;
  wire [WORD_BITS-1:0] flip_place = FLIP_FIRST + {{WORD_BITS - 2{1'b0}}, flip_word};
  wire flipping = now_struck && now_kind == `OAE_INJECTION_CORRUPT && place == flip_place;

  wire free = !m_axis_tvalid || m_axis_tready;
  assign s_axis_tready = !copying && (free || dropping);
  wire taken = s_axis_tvalid && s_axis_tready;
  wire ended = taken && s_axis_tlast;
  wire [63:0] flip = flipping ? 64'd1 << flip_bit : 64'd0;
  wire [73:0] word = {s_axis_tlast, s_axis_tuser, s_axis_tkeep, s_axis_tdata ^ flip};
  wire [73:0] copied = frame[place];
  wire [73:0] out = copying ? copied : word;

  always @(posedge clk) begin
    strikes <= product[31:16] == 16'd0 && one_in != 16'd0;
    if (taken && !copying) frame[place] <= word;
    if (m_axis_tready) m_axis_tvalid <= 1'b0;
    if (free && (copying || (taken && !dropping))) begin
      m_axis_tvalid <= 1'b1;
      {m_axis_tlast, m_axis_tuser, m_axis_tkeep, m_axis_tdata} <= out;
    end

    if (taken || (copying && free)) place <= place + 1'b1;
    if (taken) begin
      in_frame <= !s_axis_tlast;
      struck <= now_struck;
      struck_kind <= now_kind;
      if (!in_frame) begin
        flip_word <= random[1:0];
        flip_bit <= random[7:2];
        random <= stepped;
      end
      if (flipping || (ended && (dropping || doubling))) injected <= injected + 1'b1;
    end
    if (ended) begin
      place   <= {WORD_BITS{1'b0}};
      copying <= doubling;
    end
    if (copying && free && copied[73]) begin
      place   <= {WORD_BITS{1'b0}};
      copying <= 1'b0;
    end
    if (rst) begin
      m_axis_tvalid <= 1'b0;
      place <= {WORD_BITS{1'b0}};
      copying <= 1'b0;
      in_frame <= 1'b0;
      random <= SEED;
      injected <= 32'd0;
    end
  end

endmodule
`default_nettype wire
