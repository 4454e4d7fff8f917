// Frame builder: requests in, frames to the MAC out.
//
// A request is taken when no beat of an earlier frame waits to be formed; its first beat is valid
// in the next cycle, or as soon as the MAC takes the last beat before it: frames go back to back.
// What a field must be for its operation (zero, complemented, fixed) is decided here and not by
// who asks; the digest of SYNC and SYNC_ACK is computed while their first three beats go out.
//
// What holds:
//  1. A beat that is offered stays as it is until it is taken or a restart comes.
//  2. A packet whose first beat was taken is closed with a last beat, across a restart too: then
//     with one beat that is marked bad.
//  3. Byte lanes beyond the record are zero; no frame is under 60 bytes.
`default_nettype none
`include "oae_defs.vh"
`include "oae_ablate.vh"

module oae_frame_builder #(
    parameter integer RECORD_MAX = 64,  // bytes
    parameter integer WINDOW = 8,  // slots, a power of two
    parameter [15:0] ETHERTYPE = `OAE_ETHERTYPE,
    parameter integer ADDRESS_BITS = RECORD_MAX > 8 ? $clog2((RECORD_MAX + 7) / 8) : 1,
    parameter integer SLOT_BITS = WINDOW > 1 ? $clog2(WINDOW) : 1
) (
    input wire clk,
    input wire rst,
    input wire restart, // crash or amnesia

    input wire [47:0] destination,
    input wire [47:0] source,

    // taken when both valid and ready are high
    input  wire                 request_valid,
    output wire                 request_ready,
    input  wire [          4:0] request_operation,
    input  wire [         31:0] request_id,
    input  wire [         31:0] request_digest,           // not complemented
    input  wire [         31:0] request_operand,          // NOP and ABORTED
    input  wire [         31:0] request_link_session,
    input  wire [          7:0] request_kind,             // DATA
    input  wire [         15:0] request_epoch,            // DATA
    input  wire [         15:0] request_length,           // DATA: bytes of the record, 1 or more
    input  wire [SLOT_BITS-1:0] request_slot,             // DATA
    // SYNC and SYNC_ACK
    input  wire [         63:0] request_sync_session,
    input  wire [         63:0] request_sync_verified,
    input  wire [         63:0] request_sync_challenger,
    input  wire [         31:0] request_sync_counter,
    input  wire [         15:0] request_sync_record_max,
    input  wire [          7:0] request_sync_window,

    // the record of DATA: data one cycle after the address
    output wire [   SLOT_BITS-1:0] read_slot,
    output wire [ADDRESS_BITS-1:0] read_index,
    output wire                    read_enable,
    input  wire [            63:0] read_data,
    // the store must keep this slot's record
    output wire                    reading,
    output wire [   SLOT_BITS-1:0] reading_slot,

    output reg  [63:0] m_axis_tdata,
    output reg  [ 7:0] m_axis_tkeep,
    output wire        m_axis_tvalid,
    input  wire        m_axis_tready,
    output reg         m_axis_tlast,
    output reg         m_axis_tuser
);

  generate
    if (RECORD_MAX < 1 || RECORD_MAX > 9000) begin : g_check_record_max
      oae_error_RECORD_MAX_must_be_from_1_to_9000 error ();
    end
    if (WINDOW < 1 || WINDOW > `OAE_WINDOW_MAX || (WINDOW & (WINDOW - 1)) != 0)
    begin : g_check_window
      oae_error_WINDOW_must_be_a_power_of_two_up_to_64 error ();
    end
  endgenerate

  `include "oae_crc32c.vh"

  // Which beat is formed next. The last one formed may still wait for the MAC.
  localparam [2:0] IDLE = 3'd0;  // none: a request may be taken
  localparam [2:0] ADDRESSES = 3'd1;  // bytes 0..7, of a request taken while a beat waited
  localparam [2:0] TYPE = 3'd2;  // 8..15: EtherType, balance and operation, id
  localparam [2:0] SESSION = 3'd3;  // 16..23: id, length, link session, kind
  localparam [2:0] DIGEST = 3'd4;  // 24..31: id, epoch, digest
  localparam [2:0] BODY = 3'd5;  // 32..: record or guard, padding

  localparam integer WORD_BITS = ADDRESS_BITS < 2 ? 3 : ADDRESS_BITS + 1;
  // Longest record that still needs padding.
  localparam [15:0] PADDED = {8'd0, `OAE_MINIMUM_FRAME_BYTES - `OAE_HEADER_BYTES};

  function automatic [63:0] reversed;
    input [63:0] d;
    reversed = {d[7:0], d[15:8], d[23:16], d[31:24], d[39:32], d[47:40], d[55:48], d[63:56]};
  endfunction

  function automatic [2:0] balance_of;
    input [4:0] of;
    case (of)
      `OAE_OPERATION_DATA, `OAE_OPERATION_COMMIT: balance_of = `OAE_BALANCE_PLUS_ONE;
      `OAE_OPERATION_SYNC_ACK, `OAE_OPERATION_DONE: balance_of = `OAE_BALANCE_MINUS_ZERO;
      default: balance_of = `OAE_BALANCE_PLUS_ZERO;
    endcase
  endfunction

  // --- The request, as its frame's fields ---

  reg [4:0] operation;
  reg [31:0] given_id, given_digest, given_operand, given_link_session;
  reg [7:0] given_kind;
  reg [15:0] given_epoch, given_length;
  reg [SLOT_BITS-1:0] slot;

  wire is_data = operation == `OAE_OPERATION_DATA;
  wire is_sync = operation == `OAE_OPERATION_SYNC || operation == `OAE_OPERATION_SYNC_ACK;

  wire is_nop = operation == `OAE_OPERATION_NOP;
  wire is_aborted = operation == `OAE_OPERATION_ABORTED;
  wire is_complemented = `OAE_HAS_F14 && (operation == `OAE_OPERATION_ABORT || is_aborted);

  // What a field must be for its operation is decided here, behind the register.
  wire [31:0] id = is_sync || is_nop ? 32'd0 : given_id;
  wire [31:0] digest = is_nop ? 32'd0 : given_digest ^ {32{is_complemented}};
  wire [31:0] operand = is_nop || is_aborted ? given_operand : 32'd0;
  wire [31:0] link_session = is_sync ? 32'd0 : given_link_session;
  wire [7:0] kind = is_data ? given_kind : `OAE_KIND_DATA;
  wire [15:0] epoch = is_data ? given_epoch : 16'd0;
  wire [15:0] record_length = is_data ? given_length :
      is_sync ? {8'd0, `OAE_SYNC_RECORD_BYTES} : 16'd0;

  reg [2:0] state, next_state;
  reg valid;  // a formed beat waits
  reg open, next_open;  // the packet bit: a first beat was taken, its last not yet

  wire taken = request_valid && request_ready;
  assign request_ready = state == IDLE && !rst && !restart;
  assign m_axis_tvalid = valid && !rst && !restart;
  wire free = !valid || m_axis_tready;  // the next beat can be formed

  // Fields are sampled all the while that a request may be taken: the last ones are those of it.
  always @(posedge clk) begin
    if (state == IDLE) begin
      operation <= request_operation;
      given_id <= request_id;
      given_digest <= request_digest;
      given_operand <= request_operand;
      given_link_session <= request_link_session;
      given_kind <= request_kind;
      given_epoch <= request_epoch;
      given_length <= request_length;
      slot <= request_slot;
    end
  end

  // --- The digest of SYNC: a word a cycle from the request on, the last with the beat ---

  // --- The body of a frame without record: four words that go around. SYNC's go around once while
  //     its digest is counted, a word a cycle from the request on, the last with the beat; those
  //     of a guard are filled in once the request's fields are known. ---

  reg [63:0] body_0, body_1, body_2, body_3;  // body_0 is counted or formed next
  reg asked;  // the request came in the cycle before
  reg [1:0] counted;  // words counted after the first
  reg [31:0] crc;
  wire [63:0] word_1, word_2, word_3;  // of the header
  reg formed;  // a beat is formed in this cycle
  wire counts = is_sync && state != IDLE && counted != 2'd2;
  wire turns = counts || (formed && (state == BODY || (state == DIGEST && is_sync)));

  wire [31:0] next_crc = oae_crc_record_word(
      state == IDLE ? `OAE_CRC_RECORD_INITIAL : crc,
      reversed(
          state == IDLE ? request_sync_session : body_0)
  );
  // The trailer has one field that is not zero: the record's length.
  wire [31:0] trailer_share = oae_crc_word(32'd0, {32'd0, `OAE_SYNC_RECORD_BYTES, 24'd0});
  wire [31:0] sync_digest = ~(next_crc ^ trailer_share);

  always @(posedge clk) begin
    asked <= taken;
    if (state == IDLE) begin
      counted <= 2'd0;
      crc <= next_crc;
    end else if (counts) begin
      counted <= counted + 1'b1;
      crc <= next_crc;
    end
    if (state == IDLE) begin
      body_0 <= request_sync_verified;
      body_1 <= request_sync_challenger;
      body_2 <= {request_sync_counter, request_sync_record_max, request_sync_window, 8'd0};
      body_3 <= request_sync_session;
    end else if (asked && !is_sync) begin
      body_0 <= {operand, 16'd0, ~word_1[15:0]};
      body_1 <= ~word_2;
      body_2 <= ~{word_3[63:32], digest};
      body_3 <= {~operand, 32'd0};
    end else if (turns) begin
      body_0 <= body_1;
      body_1 <= body_2;
      body_2 <= body_3;
      body_3 <= body_0;
    end
  end

  // --- The record: how many words, and which lanes of them count ---

  reg [WORD_BITS-1:0] word, next_word;  // of the body, formed next
  reg [WORD_BITS-1:0] last_word;
  reg [7:0] last_keep;
  wire [WORD_BITS-1:0] full_words = record_length[WORD_BITS+2:3];
  wire [7:0] tail_lanes = ~(8'hFF << record_length[2:0]);
  reg [7:0] record_lanes;
  wire [63:0] record_bits = {
    {8{record_lanes[7]}},
    {8{record_lanes[6]}},
    {8{record_lanes[5]}},
    {8{record_lanes[4]}},
    {8{record_lanes[3]}},
    {8{record_lanes[2]}},
    {8{record_lanes[1]}},
    {8{record_lanes[0]}}
  };

  // One register behind the request; the body comes three later.
  always @(posedge clk) begin
    record_lanes <= next_word < full_words ? 8'hFF : next_word == full_words ? tail_lanes : 8'h00;
    if (record_length <= PADDED) begin
      last_word <= {{WORD_BITS - 2{1'b0}}, 2'd3};
      last_keep <= 8'h0F;
    end else if (record_length[2:0] == 3'd0) begin
      last_word <= full_words - 1'b1;
      last_keep <= 8'hFF;
    end else begin
      last_word <= full_words;
      last_keep <= tail_lanes;
    end
  end

  // The word to come is addressed again while its beat waits: the store need not hold its output.
  assign reading = state != IDLE && is_data;
  assign reading_slot = slot;
  assign read_enable = reading;
  assign read_slot = slot;
  assign read_index = next_word[ADDRESS_BITS-1:0];

  // --- The beats ---

  reg [63:0] next_data;  // byte 0 in lane 0
  reg [7:0] next_keep;
  reg next_last;

  // Fields stand big-endian in these.
  wire [15:0] length_field = record_length + {8'd0, `OAE_LENGTH_BASE};
  wire [63:0] word_0 = {destination, source[47:32]};
  assign word_1 = {source[31:0], ETHERTYPE, balance_of(operation), operation, id[15:8]};
  assign word_2 = {id[7:0], length_field, link_session, kind};
  assign word_3 = {id[31:16], epoch, is_sync ? sync_digest : digest};

  always @* begin
    next_state = state;
    next_word = word;
    formed = 1'b0;
    next_data = 64'd0;
    next_keep = 8'hFF;
    next_last = 1'b0;

    case (state)
      IDLE: begin
        next_word = {WORD_BITS{1'b0}};
        next_data = reversed(word_0);
        if (taken) begin
          formed = free;
          next_state = free ? TYPE : ADDRESSES;
        end
      end
      ADDRESSES: begin
        next_data = reversed(word_0);
        formed = free;
        if (free) next_state = TYPE;
      end
      TYPE: begin
        next_data = reversed(word_1);
        formed = free;
        if (free) next_state = SESSION;
      end
      SESSION: begin
        next_data = reversed(word_2);
        formed = free;
        if (free) next_state = DIGEST;
      end
      DIGEST: begin
        next_data = reversed(word_3);
        formed = free;
        if (free) next_state = BODY;
      end
      BODY: begin
        next_data = is_data ? read_data & record_bits : reversed(body_0);
        formed = free;
        next_last = word == last_word;
        if (next_last) next_keep = last_keep;
        if (free) begin
          next_word = word + 1'b1;
          if (next_last) next_state = IDLE;
        end
      end
      default: next_state = IDLE;  // not reached
    endcase

    next_open = open;
    if (m_axis_tvalid && m_axis_tready) next_open = !m_axis_tlast;
  end

  always @(posedge clk) begin
    state <= next_state;
    word  <= next_word;
    open  <= next_open;
    if (free) valid <= formed;
    if (free) begin
      m_axis_tdata <= next_data;
      m_axis_tkeep <= next_keep;
      m_axis_tlast <= next_last;
      m_axis_tuser <= 1'b0;
    end
    if (restart) begin
      // What is left of an open packet is one last beat, marked bad.
      state <= IDLE;
      valid <= open;
      m_axis_tdata <= 64'd0;
      m_axis_tkeep <= 8'hFF;
      m_axis_tlast <= 1'b1;
      m_axis_tuser <= 1'b1;
    end
    if (rst) begin
      state <= IDLE;
      valid <= 1'b0;
      open  <= 1'b0;
    end
  end

endmodule
`default_nettype wire
