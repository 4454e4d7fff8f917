// Records from the host: stored, digested, and opened as transactions.
//
// The handshake of a packet's last beat is the step that opens it (or refuses, or discards it):
// the beat is held until then, so a record that was not opened was not taken.
`default_nettype none
`include "oae_defs.vh"
`include "oae_ablate.vh"

module oae_submit #(
    parameter integer WINDOW     = 8,
    parameter integer RECORD_MAX = 64,
    parameter integer ID_BITS    = 32,
    parameter integer WORD_BITS  = RECORD_MAX > 8 ? $clog2((RECORD_MAX + 7) / 8) : 1,
    parameter integer SLOT_BITS  = WINDOW > 1 ? $clog2(WINDOW) : 1
) (
    input wire clk,
    input wire rst,
    input wire amnesia,
    input wire restart,  // crash or amnesia

    input  wire [63:0] s_submit_tdata,
    input  wire [ 7:0] s_submit_tkeep,
    input  wire        s_submit_tvalid,
    output reg         s_submit_tready,
    input  wire        s_submit_tlast,
    input  wire        s_submit_tuser,   // at the last beat: the record never existed
    input  wire [ 7:0] s_submit_kind,

    // where the next record goes, and what binds it to its place
    input wire                 up,
    input wire                 can_open,
    input wire                 adopt,
    input wire [         15:0] record_max,     // negotiated, bytes
    input wire [         31:0] link_session,
    input wire [         31:0] epoch,
    input wire [  ID_BITS-1:0] open_id,
    input wire [SLOT_BITS-1:0] open_slot,
    input wire                 open_slot_idle,

    output wire        open_valid,
    input  wire        open_ready,
    output wire [31:0] open_digest,
    output reg  [15:0] open_length,     // bytes
    output wire        refusal_valid,
    input  wire        refusal_taken,
    output reg  [ 5:0] refusal_reason,
    output wire        discard_valid,
    input  wire        discard_ready,
    output reg  [31:0] advance_epoch,   // of the epoch advance that was opened last

    // record store; a page is not written while the builder reads it
    output reg                  write_enable,
    output wire [SLOT_BITS-1:0] write_page,
    output wire [WORD_BITS-1:0] write_word,
    output wire [         63:0] write_data,
    input  wire [SLOT_BITS-1:0] grant_slot,
    output wire [SLOT_BITS-1:0] grant_page,
    input  wire                 reading,
    input  wire [SLOT_BITS-1:0] reading_page
);

  localparam [2:0] FILL = 3'd0;  // beats go to the store; the last one is held
  localparam [2:0] TRAILER = 3'd1;  // first half of the digest's trailer
  localparam [2:0] FINISH = 3'd2;  // second half
  localparam [2:0] OFFER = 3'd3;  // waits for the OPENED step
  localparam [2:0] REFUSE = 3'd4;  // waits for the host to take the refusal
  localparam [2:0] DISCARD = 3'd5;  // waits for the RECORD_DISCARDED step

  localparam integer WORDS = (RECORD_MAX + 7) / 8;
  localparam [15:0] WORDS_16 = WORDS[15:0];

  reg [2:0] state, next_state;
  reg [15:0] words, next_words;  // words taken, saturating
  reg [31:0] crc, next_crc;
  reg [31:0] trailer, next_trailer;
  reg [15:0] next_open_length;
  reg [ 5:0] next_refusal_reason;
  reg [31:0] first_word, next_first_word;  // big-endian, for an epoch advance
  // Survive crash and amnesia: the rest of a packet whose first beat was taken is swallowed.
  reg in_packet, next_in_packet;
  reg swallow, next_swallow;
  // Durable: the page of slot 0. It moves when ids start again, so that a record which is half
  // in stays where it is.
  reg  [SLOT_BITS-1:0] page_base;

  wire [SLOT_BITS-1:0] page_mask = WINDOW > 1 ? {SLOT_BITS{1'b1}} : {SLOT_BITS{1'b0}};
  assign write_page = (open_slot + page_base) & page_mask;
  assign grant_page = (grant_slot + page_base) & page_mask;
  assign write_word = words[WORD_BITS-1:0];

  // Bytes that are not part of the record count as zero.
  wire [63:0] keep_mask = {
    {8{s_submit_tkeep[7]}},
    {8{s_submit_tkeep[6]}},
    {8{s_submit_tkeep[5]}},
    {8{s_submit_tkeep[4]}},
    {8{s_submit_tkeep[3]}},
    {8{s_submit_tkeep[2]}},
    {8{s_submit_tkeep[1]}},
    {8{s_submit_tkeep[0]}}
  };
  assign write_data = s_submit_tlast ? s_submit_tdata & keep_mask : s_submit_tdata;
  wire [3:0] last_bytes = {3'd0, s_submit_tkeep[0]} + {3'd0, s_submit_tkeep[1]} +
      {3'd0, s_submit_tkeep[2]} + {3'd0, s_submit_tkeep[3]} + {3'd0, s_submit_tkeep[4]} +
      {3'd0, s_submit_tkeep[5]} + {3'd0, s_submit_tkeep[6]} + {3'd0, s_submit_tkeep[7]};

  `include "oae_crc32c.vh"

  wire [31:0] bound_id = `OAE_HAS_F12 ? {{32 - ID_BITS{1'b0}}, open_id} : 32'd0;
  wire [63:0] trailer_first = {swapped(bound_id), swapped(link_session)};
  wire [63:0] trailer_second = {swapped(epoch), swapped({s_submit_kind, 8'd0, open_length})};
  // One CRC for both halves.
  wire second_half = state == FINISH;
  wire [31:0] trailer_crc = oae_crc_word(
      second_half ? trailer : 32'd0, second_half ? trailer_second : trailer_first
  );
  assign open_digest = ~(crc ^ trailer);
  assign open_valid = state == OFFER;
  assign refusal_valid = state == REFUSE;
  assign discard_valid = state == DISCARD;

  // Network byte order to bus lanes: byte 0 travels in the lowest lane.
  function automatic [31:0] swapped;
    input [31:0] value;
    swapped = {value[7:0], value[15:8], value[23:16], value[31:24]};
  endfunction

  // A last beat without bytes, or with a gap in them: no digest would bind such a record.
  wire ill_formed = s_submit_tkeep == 8'd0 || (s_submit_tkeep & (s_submit_tkeep + 1'b1)) != 8'd0;
  wire is_advance = s_submit_kind == `OAE_KIND_EPOCH_ADVANCE;
  wire can_fill = up && open_slot_idle && !(reading && reading_page == write_page);
  wire full = words >= WORDS_16;

  always @* begin
    next_state = state;
    next_words = words;
    next_crc = crc;
    next_trailer = trailer;
    next_open_length = open_length;
    next_refusal_reason = refusal_reason;
    next_first_word = first_word;
    next_in_packet = in_packet;
    next_swallow = swallow;
    s_submit_tready = 1'b0;
    write_enable = 1'b0;

    case (state)
      FILL:
      if (swallow) begin
        s_submit_tready = 1'b1;
        if (s_submit_tvalid && s_submit_tlast) next_swallow = 1'b0;
      end else if (s_submit_tvalid && can_fill) begin
        write_enable = !full;
        next_crc = oae_crc_record_word(crc, write_data);
        if (words == 16'd0) next_first_word = swapped(write_data[31:0]);
        if (!s_submit_tlast) begin
          s_submit_tready = 1'b1;
          if (!full) next_words = words + 1'b1;
        end else begin
          next_open_length = {words[12:0], 3'd0} + {12'd0, last_bytes};
          next_state = TRAILER;
          if (s_submit_tuser) next_state = DISCARD;
          else if (full) begin
            next_state = REFUSE;
            next_refusal_reason = `OAE_ABORT_REASON_RECORD_TOO_LONG;
          end
        end
      end
      TRAILER: begin
        // The trailer is taken only while nothing in it can change.
        next_trailer = trailer_crc;
        if (can_open) next_state = FINISH;
        if (s_submit_kind > `OAE_KIND_EPOCH_ADVANCE || ill_formed ||
            (is_advance && open_length != 16'd4)) begin
          next_state = REFUSE;
          next_refusal_reason = `OAE_ABORT_REASON_RECORD_INVALID;
        end
      end
      FINISH: begin
        next_trailer = trailer_crc;
        next_state   = can_open ? OFFER : TRAILER;
        if (open_length > record_max) begin
          next_state = REFUSE;
          next_refusal_reason = `OAE_ABORT_REASON_RECORD_TOO_LONG;
        end
      end
      OFFER: begin
        s_submit_tready = open_ready;
        if (!can_open) next_state = TRAILER;
      end
      REFUSE:  s_submit_tready = refusal_taken;
      default: s_submit_tready = discard_ready;  // DISCARD
    endcase

    if (rst || restart) s_submit_tready = 1'b0;
    if (s_submit_tvalid && s_submit_tready) begin
      next_in_packet = !s_submit_tlast;
      if (s_submit_tlast) begin
        next_state = FILL;
        next_words = 16'd0;
        next_crc   = `OAE_CRC_RECORD_INITIAL;
      end
    end
  end

  always @(posedge clk) begin
    state <= next_state;
    words <= next_words;
    crc <= next_crc;
    trailer <= next_trailer;
    open_length <= next_open_length;
    refusal_reason <= next_refusal_reason;
    first_word <= next_first_word;
    in_packet <= next_in_packet;
    swallow <= next_swallow;
    if (adopt) page_base <= write_page;
    if (open_ready && is_advance) advance_epoch <= first_word;
    if (rst || restart) begin
      state <= FILL;
      words <= 16'd0;
      crc <= `OAE_CRC_RECORD_INITIAL;
      in_packet <= in_packet;
      swallow <= in_packet;
    end
    if (rst || amnesia) page_base <= {SLOT_BITS{1'b0}};
    if (rst) begin
      in_packet <= 1'b0;
      swallow   <= 1'b0;
    end
  end

endmodule
`default_nettype wire
