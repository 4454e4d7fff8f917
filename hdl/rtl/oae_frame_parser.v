// Frame parser: frames from the MAC in, one verdict a frame out.
//
// It never makes the MAC wait, and takes minimum frames and one-beat fragments back to back. The
// tests stand in the order of docs/design.md, "Frames as data". A verdict is visible in the second
// cycle after that in which the last beat is taken.
//
// What the MAC owes: tkeep is full in all beats but the last, and there it starts at lane 0.
//
// What holds:
//  1. A frame whose first beat was seen gets exactly one verdict, unless a restart comes first.
//  2. What follows a restart in mid-packet, up to its last beat, gets none and writes no record.
//  3. Bytes beyond the payload length count as zero, whatever they hold.
`default_nettype none
`include "oae_defs.vh"
`include "oae_ablate.vh"

module oae_frame_parser #(
    parameter integer RECORD_MAX = 64,  // bytes
    parameter [15:0] ETHERTYPE = `OAE_ETHERTYPE,
    parameter integer ADDRESS_BITS = RECORD_MAX > 8 ? $clog2((RECORD_MAX + 7) / 8) : 1
) (
    input wire clk,
    input wire rst,
    input wire restart, // crash or amnesia

    input  wire [63:0] s_axis_tdata,
    input  wire [ 7:0] s_axis_tkeep,
    input  wire        s_axis_tvalid,
    output wire        s_axis_tready,
    input  wire        s_axis_tlast,
    input  wire        s_axis_tuser,   // the MAC calls the frame bad

    // what a frame is checked against
    input wire        link_up,
    input wire [31:0] link_session,  // of frames from the peer
    input wire [31:0] epoch,
    input wire [15:0] record_max,    // negotiated, bytes

    // words of a DATA frame's record, as they come and before any verdict
    output reg                     record_valid,
    output reg  [            63:0] record_data,
    output reg  [ADDRESS_BITS-1:0] record_index,
    output wire [            31:0] record_id,

    // the verdict: a pulse of exactly one of these; the reason holds no longer
    output reg         frame_valid,        // RECEIVED
    output reg         malformed_valid,
    output reg         foreign_valid,
    output reg         unsupported_valid,
    output reg         not_up_valid,
    output reg  [ 3:0] malformed_reason,
    // fields of the received frame; they hold until the next pulse of frame_valid
    output reg  [ 4:0] frame_operation,
    output reg  [31:0] frame_id,
    output reg  [31:0] frame_digest,       // not complemented
    output reg  [31:0] frame_operand,      // frames that carry a guard
    output reg  [31:0] frame_epoch,        // DATA: the whole epoch
    output reg  [ 7:0] frame_kind,
    output reg  [15:0] frame_length,       // of the record, bytes
    output reg  [63:0] frame_record_0,     // first 8 bytes of the record
    // SYNC and SYNC_ACK; all but sync_session hold only until the next SYNC or SYNC_ACK, good or
    // not, is five beats into the parser
    output wire [63:0] sync_session,
    output wire [63:0] sync_verified,
    output wire [63:0] sync_challenger,
    output wire [31:0] sync_counter,
    output wire [15:0] sync_record_max,
    output wire [ 7:0] sync_window,

    output reg        event_valid,
    output reg [63:0] event_word
);

  generate
    if (RECORD_MAX < 1 || RECORD_MAX > 9000) begin : g_check
      oae_error_RECORD_MAX_must_be_from_1_to_9000 error ();
    end
  endgenerate

  `include "oae_crc32c.vh"

  // Where the next beat stands in its frame.
  localparam [3:0] ADDRESSES = 4'd0;  // bytes 0..7; also: between frames
  localparam [3:0] TYPE = 4'd1;  // 8..15: EtherType, balance and operation, id
  localparam [3:0] SESSION = 4'd2;  // 16..23: id, length, link session, kind
  localparam [3:0] DIGEST = 4'd3;  // 24..31: id, epoch, digest
  localparam [3:0] BODY_0 = 4'd4;  // 32..39: record; or operand, zero, guard of 14..15
  localparam [3:0] BODY_1 = 4'd5;  // 40..47: record; or guard of 16..23
  localparam [3:0] BODY_2 = 4'd6;  // 48..55: record; or guard of 24..31
  localparam [3:0] BODY_3 = 4'd7;  // 56..63: record; or guard of 32..35, then padding
  localparam [3:0] REST = 4'd8;  // record or padding
  localparam [3:0] SWALLOWED = 4'd9;  // of a frame whose first beat was not seen

  // Big-endian fields: the first byte on the wire stands in lane 0.
  function automatic [63:0] reversed;
    input [63:0] d;
    reversed = {d[7:0], d[15:8], d[23:16], d[31:24], d[39:32], d[47:40], d[55:48], d[63:56]};
  endfunction

  // --- The frame as it comes. The header words are kept as they stood on the bus. ---

  reg [3:0] position, next_position;
  reg [15:0] type_word, next_type_word;  // EtherType
  reg [15:0] head_1, next_head_1;  // bytes 14..15
  reg [63:0] head_2, next_head_2;  // bytes 16..23
  reg [63:0] head_3, next_head_3;  // bytes 24..31
  reg [31:0] operand, next_operand;  // bytes 32..35
  reg [63:0] body_0, next_body_0;  // the first four words of the record
  reg [63:0] body_1, next_body_1;
  reg [63:0] body_2, next_body_2;
  reg [63:0] body_3, next_body_3;
  reg [15:0] remaining, next_remaining;  // record bytes in this beat and later ones
  reg [7:0] needed, next_needed;  // lanes of the next beat that hold record bytes
  reg [31:0] crc, next_crc;  // of the record so far, 16 bytes ahead
  reg [ADDRESS_BITS-1:0] index, next_index;  // word of the record
  reg bad, next_bad;
  reg foreign, next_foreign;
  reg guard_wrong, next_guard_wrong;
  // of the last beat
  reg ended, next_ended;
  reg fragment, next_fragment;  // it ended before its EtherType
  reg too_short, next_too_short;  // it ended before the shortest Ethernet frame does
  reg missing, next_missing;  // it ended before its record

  wire [4:0] operation = head_1[4:0];
  wire [2:0] balance = head_1[7:5];
  wire [31:0] id = {head_3[7:0], head_3[15:8], head_1[15:8], head_2[7:0]};
  wire [15:0] length = {head_2[15:8], head_2[23:16]};
  wire [31:0] session = {head_2[31:24], head_2[39:32], head_2[47:40], head_2[55:48]};
  wire [7:0] kind = head_2[63:56];
  wire [15:0] epoch_low = {head_3[23:16], head_3[31:24]};
  wire [31:0] digest = {head_3[39:32], head_3[47:40], head_3[55:48], head_3[63:56]};

  wire is_data = operation == `OAE_OPERATION_DATA;
  wire is_sync = operation == `OAE_OPERATION_SYNC || operation == `OAE_OPERATION_SYNC_ACK;
  wire is_guarded = !is_data && !is_sync;
  wire is_complemented = `OAE_HAS_F14 &&
      (operation == `OAE_OPERATION_ABORT || operation == `OAE_OPERATION_ABORTED);

  assign s_axis_tready = !rst && !restart;
  wire taken = s_axis_tvalid && s_axis_tready;
  wire in_body = position >= BODY_0 && position <= REST;

  wire [63:0] needed_bits = {
    {8{needed[7]}},
    {8{needed[6]}},
    {8{needed[5]}},
    {8{needed[4]}},
    {8{needed[3]}},
    {8{needed[2]}},
    {8{needed[1]}},
    {8{needed[0]}}
  };
  wire [63:0] record_word = s_axis_tdata & needed_bits;
  wire in_record = in_body && needed[0];
  wire [15:0] record_length_now = length - {8'd0, `OAE_LENGTH_BASE};
  wire [15:0] remaining_after = remaining[15:3] == 13'd0 ? 16'd0 : remaining - 16'd8;

  integer lane;
  always @* begin
    next_position = position;
    next_type_word = type_word;
    next_head_1 = head_1;
    next_head_2 = head_2;
    next_head_3 = head_3;
    next_operand = operand;
    next_body_0 = body_0;
    next_body_1 = body_1;
    next_body_2 = body_2;
    next_body_3 = body_3;
    next_remaining = remaining;
    next_crc = crc;
    next_index = index;
    next_bad = bad;
    next_foreign = foreign;
    next_guard_wrong = guard_wrong;
    next_ended = 1'b0;
    next_fragment = fragment;
    next_too_short = too_short;
    next_missing = missing;

    if (taken) begin
      next_bad = bad || s_axis_tuser;
      case (position)
        ADDRESSES: begin
          // Addresses are never trusted: not even looked at.
          next_position = TYPE;
          next_bad = s_axis_tuser;
          next_guard_wrong = 1'b0;
        end
        TYPE: begin
          next_position = SESSION;
          next_type_word = {s_axis_tdata[39:32], s_axis_tdata[47:40]};
          next_foreign = {s_axis_tdata[39:32], s_axis_tdata[47:40]} != ETHERTYPE;
          next_head_1 = s_axis_tdata[63:48];
        end
        SESSION: begin
          next_position = DIGEST;
          next_head_2   = s_axis_tdata;
        end
        DIGEST: begin
          // The length is known: the body's lanes can be told from padding.
          next_position = BODY_0;
          next_head_3 = s_axis_tdata;
          next_remaining = record_length_now;
          next_crc = `OAE_CRC_RECORD_INITIAL;
          next_index = {ADDRESS_BITS{1'b0}};
        end
        BODY_0: begin
          next_position = BODY_1;
          next_operand  = s_axis_tdata[31:0];
          next_body_0   = record_word;
          if (s_axis_tdata[63:48] != ~head_1 || s_axis_tdata[47:32] != 16'd0)
            next_guard_wrong = 1'b1;
        end
        BODY_1: begin
          next_position = BODY_2;
          if (is_sync) next_body_1 = record_word;
          if (s_axis_tdata != ~head_2) next_guard_wrong = 1'b1;
        end
        BODY_2: begin
          next_position = BODY_3;
          if (is_sync) next_body_2 = record_word;
          if (s_axis_tdata != ~head_3) next_guard_wrong = 1'b1;
        end
        BODY_3: begin
          next_position = REST;
          if (is_sync) next_body_3 = record_word;
          if (s_axis_tdata[31:0] != ~operand) next_guard_wrong = 1'b1;
        end
        REST: next_position = REST;
        default: next_position = SWALLOWED;
      endcase
      if (in_record) begin
        next_remaining = remaining_after;
        next_crc = oae_crc_record_word(crc, record_word);
        next_index = index + 1'b1;
      end
      if (s_axis_tlast) begin
        next_position = ADDRESSES;
        next_ended = position != SWALLOWED;
        next_fragment = position == ADDRESSES || (position == TYPE && !s_axis_tkeep[5]);
        next_too_short = position < BODY_3 || (position == BODY_3 && !s_axis_tkeep[3]);
        next_missing = |(needed & ~s_axis_tkeep) || |remaining_after;
      end
    end

    for (lane = 0; lane < 8; lane = lane + 1)
    next_needed[lane] = next_remaining > {13'd0, lane[2:0]};
  end

  always @(posedge clk) begin
    type_word <= next_type_word;
    head_1 <= next_head_1;
    head_2 <= next_head_2;
    head_3 <= next_head_3;
    operand <= next_operand;
    body_0 <= next_body_0;
    body_1 <= next_body_1;
    body_2 <= next_body_2;
    body_3 <= next_body_3;
    remaining <= next_remaining;
    needed <= next_needed;
    crc <= next_crc;
    index <= next_index;
    bad <= next_bad;
    foreign <= next_foreign;
    guard_wrong <= next_guard_wrong;
    fragment <= next_fragment;
    too_short <= next_too_short;
    missing <= next_missing;
    position <= next_position;
    ended <= next_ended;
    if (restart) begin
      // The packet bit survives: what is left of an open packet must not look like a frame. A beat
      // that is offered now is not taken, and a verdict that would be loaded now is lost (below).
      position <= position == ADDRESSES ? ADDRESSES : SWALLOWED;
    end
    if (rst) begin
      position <= ADDRESSES;
      ended <= 1'b0;
    end
  end

  // --- What follows from the header alone, one register behind it, ready before the body ends ---

  reg [15:0] record_length;
  reg storable;  // the record fits into what is built
  reg header_unsupported, next_header_unsupported;
  reg [3:0] header_reason, next_header_reason;  // the first test that it fails, or 0

  always @* begin
    next_header_unsupported = 1'b0;
    next_header_reason = 4'd0;
    if (is_data ? length <= {8'd0, `OAE_LENGTH_BASE} :
        length != {8'd0, `OAE_LENGTH_BASE} + (is_sync ? {8'd0, `OAE_SYNC_RECORD_BYTES} : 16'd0))
      next_header_reason = `OAE_MALFORMED_REASON_BAD_LENGTH;
    if (kind != `OAE_KIND_DATA && !(is_data && kind == `OAE_KIND_EPOCH_ADVANCE))
      next_header_reason = `OAE_MALFORMED_REASON_UNKNOWN_KIND;
    if (balance != balance_of(operation)) next_header_reason = `OAE_MALFORMED_REASON_WRONG_BALANCE;
    case (operation)
      `OAE_OPERATION_NOP, `OAE_OPERATION_DATA, `OAE_OPERATION_ACK, `OAE_OPERATION_SYNC,
      `OAE_OPERATION_SYNC_ACK, `OAE_OPERATION_COMMIT, `OAE_OPERATION_DONE, `OAE_OPERATION_ABORTED,
      `OAE_OPERATION_ABORT:
      next_header_unsupported = 1'b0;
      `OAE_OPERATION_REQ, `OAE_OPERATION_RSP, `OAE_OPERATION_RESET, `OAE_OPERATION_JAM,
      `OAE_OPERATION_BEACON:
      next_header_unsupported = 1'b1;
      default: next_header_reason = `OAE_MALFORMED_REASON_UNKNOWN_OPERATION;
    endcase
  end

  function automatic [2:0] balance_of;
    input [4:0] of;
    case (of)
      `OAE_OPERATION_DATA, `OAE_OPERATION_COMMIT: balance_of = `OAE_BALANCE_PLUS_ONE;
      `OAE_OPERATION_SYNC_ACK, `OAE_OPERATION_DONE: balance_of = `OAE_BALANCE_MINUS_ZERO;
      default: balance_of = `OAE_BALANCE_PLUS_ZERO;
    endcase
  endfunction

  always @(posedge clk) begin
    record_length <= record_length_now;
    storable <= is_data && !foreign && length > {8'd0, `OAE_LENGTH_BASE} &&
        record_length_now <= RECORD_MAX[15:0];
    header_unsupported <= next_header_unsupported;
    header_reason <= next_header_reason;
  end

  // --- The digest's other share. The CRC is linear: trailer and record are counted apart, and a
  //     frame is right if its record brings the register to the word that the trailer and the
  //     digest leave over. That word is ready when the fourth beat of the body has come. ---

  localparam [2:0] DONE = 3'd0;
  localparam [2:0] TRAILER_0 = 3'd1;  // count the trailer's first half; compare the epochs
  localparam [2:0] EPOCH = 3'd2;  // find the sender's whole epoch
  localparam [2:0] TRAILER_1 = 3'd3;  // count the trailer's second half
  localparam [2:0] EXPECT = 3'd4;

  reg [2:0] share_state, next_share_state;
  reg [31:0] trailer_crc, next_trailer_crc;
  reg [31:0] crc_expected, next_crc_expected;
  // The sender's whole epoch is the nearest to ours that has the low half of the header.
  reg [15:0] epoch_high, next_epoch_high;
  reg epoch_carry, next_epoch_carry;
  reg epoch_borrow, next_epoch_borrow;

  wire epoch_behind = (epoch_low - epoch[15:0]) >= 16'h8000;
  wire epoch_lower = epoch_low < epoch[15:0];
  wire [31:0] bound_id = `OAE_HAS_F12 ? {head_2[7:0], head_1[15:8], head_3[15:0]} : 32'd0;
  wire [63:0] trailer_0 = {bound_id, head_2[55:24]};
  wire [63:0] trailer_1 = {
    head_3[31:16],
    epoch_high[7:0],
    epoch_high[15:8],
    record_length[7:0],
    record_length[15:8],
    8'd0,
    kind
  };

  always @* begin
    next_share_state  = DONE;
    next_trailer_crc  = trailer_crc;
    next_crc_expected = crc_expected;
    next_epoch_high   = epoch_high;
    next_epoch_carry  = epoch_carry;
    next_epoch_borrow = epoch_borrow;

    case (share_state)
      TRAILER_0: begin
        next_share_state  = EPOCH;
        next_epoch_high   = is_data ? epoch[31:16] : 16'd0;
        next_epoch_carry  = is_data && !epoch_behind && epoch_lower;
        next_epoch_borrow = is_data && epoch_behind && !epoch_lower;
      end
      EPOCH: begin
        next_share_state = TRAILER_1;
        next_epoch_high  = epoch_high + {{15{epoch_borrow}}, epoch_carry || epoch_borrow};
      end
      TRAILER_1: next_share_state = EXPECT;
      EXPECT: next_crc_expected = ~digest ^ trailer_crc;
      default: next_share_state = DONE;
    endcase
    if (share_state == TRAILER_0 || share_state == TRAILER_1)
      next_trailer_crc = oae_crc_word(
        share_state == TRAILER_0 ? 32'd0 : trailer_crc,
        share_state == TRAILER_0 ? trailer_0 : trailer_1
      );
    if (taken && position == DIGEST) next_share_state = TRAILER_0;
  end

  always @(posedge clk) begin
    share_state  <= next_share_state;
    trailer_crc  <= next_trailer_crc;
    crc_expected <= next_crc_expected;
    epoch_high   <= next_epoch_high;
    epoch_carry  <= next_epoch_carry;
    epoch_borrow <= next_epoch_borrow;
    if (rst) share_state <= DONE;
  end

  // --- Record words to the store, one register behind the bus ---

  assign record_id = id;

  always @(posedge clk) begin
    record_valid <= taken && in_record && storable && !rst && !restart;
    record_data  <= record_word;
    record_index <= index;
  end

  // --- The verdict, one register behind the last beat. Only here is the link looked at. ---

  reg passed;  // every test but that of the digest, which is the longest way
  reg malformed;
  reg next_foreign_valid, next_unsupported_valid, next_not_up_valid;
  reg [3:0] reason;
  reg [63:0] judged_word, next_event_word;
  wire wrong_digest = passed && !is_guarded && crc != crc_expected;

  wire [31:0] operand_field = {operand[7:0], operand[15:8], operand[23:16], operand[31:24]};
  wire [31:0] counter_field = {body_3[7:0], body_3[15:8], body_3[23:16], body_3[31:24]};
  wire [7:0] operation_info = {3'd0, operation};

  always @* begin
    passed = 1'b0;
    malformed = ended;
    next_foreign_valid = 1'b0;
    next_unsupported_valid = 1'b0;
    next_not_up_valid = 1'b0;
    reason = header_reason;

    if (bad) begin
      reason = `OAE_MALFORMED_REASON_BAD_FROM_MAC;
    end else if (fragment) begin
      reason = `OAE_MALFORMED_REASON_TOO_SHORT;
    end else if (foreign) begin
      malformed = 1'b0;
      next_foreign_valid = ended;
    end else if (too_short) begin
      reason = `OAE_MALFORMED_REASON_TOO_SHORT;
    end else if (header_unsupported) begin
      malformed = 1'b0;
      next_unsupported_valid = ended;
    end else if (header_reason != 4'd0) begin
      reason = header_reason;
    end else if (missing || (is_data && record_length > record_max)) begin
      reason = `OAE_MALFORMED_REASON_BAD_LENGTH;
    end else if (is_guarded && guard_wrong) begin
      reason = `OAE_MALFORMED_REASON_BAD_GUARD;
    end else if (!is_sync && !link_up) begin
      malformed = 1'b0;
      next_not_up_valid = ended;
    end else if (session != (is_sync ? 32'd0 : link_session)) begin
      reason = `OAE_MALFORMED_REASON_WRONG_LINK_SESSION;
    end else begin
      malformed = 1'b0;
      passed = ended;
    end

    judged_word = {`OAE_EVENT_RECEIVED, 16'd0, operation_info, id};
    if (operation == `OAE_OPERATION_NOP) judged_word[31:0] = operand_field;
    if (is_sync) judged_word[31:0] = counter_field;
    if (malformed) judged_word = {`OAE_EVENT_MALFORMED, 16'd0, 4'd0, reason, 32'd0};
    if (next_foreign_valid) judged_word = {`OAE_EVENT_FOREIGN, 16'd0, 8'd0, 16'd0, type_word};
    if (next_unsupported_valid)
      judged_word = {`OAE_EVENT_UNSUPPORTED, 16'd0, operation_info, 32'd0};
    if (next_not_up_valid) judged_word = {`OAE_EVENT_NOT_UP, 16'd0, operation_info, id};
    next_event_word = wrong_digest ?
        {`OAE_EVENT_MALFORMED, 16'd0, 4'd0, `OAE_MALFORMED_REASON_WRONG_DIGEST, 32'd0} :
        judged_word;
  end

  always @(posedge clk) begin
    frame_valid <= passed && !wrong_digest;
    malformed_valid <= malformed || wrong_digest;
    foreign_valid <= next_foreign_valid;
    unsupported_valid <= next_unsupported_valid;
    not_up_valid <= next_not_up_valid;
    malformed_reason <= wrong_digest ? `OAE_MALFORMED_REASON_WRONG_DIGEST : reason;
    event_valid <= ended;
    event_word <= next_event_word;
    if (passed && !wrong_digest) begin
      frame_operation <= operation;
      frame_id <= id;
      frame_digest <= digest ^ {32{is_complemented}};
      frame_operand <= operand_field;
      frame_epoch <= {epoch_high, epoch_low};
      frame_kind <= kind;
      frame_length <= record_length;
      frame_record_0 <= body_0;
    end
    if (rst || restart) begin
      frame_valid <= 1'b0;
      malformed_valid <= 1'b0;
      foreign_valid <= 1'b0;
      unsupported_valid <= 1'b0;
      not_up_valid <= 1'b0;
      event_valid <= 1'b0;
    end
  end

  assign sync_session = reversed(frame_record_0);
  assign sync_verified = reversed(body_1);
  assign sync_challenger = reversed(body_2);
  assign sync_counter = counter_field;
  assign sync_record_max = {body_3[39:32], body_3[47:40]};
  assign sync_window = body_3[55:48];

endmodule
`default_nettype wire
