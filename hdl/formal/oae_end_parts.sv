// Parts that stand for the synthesized ones where an end is proven: what they put out is free, but
// for what is proven of them elsewhere. Read instead of oae_frame_parser.v and oae_counters.v.
`default_nettype none
`include "oae_defs.vh"

// The parser: any frame at all, under the rules that oae_parser_proof.sv proves.
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
    output wire                    record_valid,
    output wire [            63:0] record_data,
    output wire [ADDRESS_BITS-1:0] record_index,
    output wire [            31:0] record_id,

    // the verdict: a pulse of exactly one of these; the reason holds no longer
    output wire        frame_valid,        // RECEIVED
    output wire        malformed_valid,
    output wire        foreign_valid,
    output wire        unsupported_valid,
    output wire        not_up_valid,
    output wire [ 3:0] malformed_reason,
    // fields of the received frame; they hold until the next pulse of frame_valid
    output wire [ 4:0] frame_operation,
    output wire [31:0] frame_id,
    output wire [31:0] frame_digest,       // not complemented
    output wire [31:0] frame_operand,      // frames that carry a guard
    output wire [31:0] frame_epoch,        // DATA: the whole epoch
    output wire [ 7:0] frame_kind,
    output wire [15:0] frame_length,       // of the record, bytes
    output wire [63:0] frame_record_0,     // first 8 bytes of the record
    // SYNC and SYNC_ACK; all but sync_session hold only until the next SYNC or SYNC_ACK, good or
    // not, is five beats into the parser
    output wire [63:0] sync_session,
    output wire [63:0] sync_verified,
    output wire [63:0] sync_challenger,
    output wire [31:0] sync_counter,
    output wire [15:0] sync_record_max,
    output wire [ 7:0] sync_window,

    output wire       event_valid,
    output wire[63:0] event_word
);

  assign s_axis_tready = !rst && !restart;
  (* anyseq *) wire free_record_valid;
  (* anyseq *) wire [            63:0] free_record_data;
  (* anyseq *) wire [ADDRESS_BITS-1:0] free_record_index;
  (* anyseq *) wire [            31:0] free_record_id;
  (* anyseq *) wire free_frame_valid;
  (* anyseq *) wire free_malformed_valid;
  (* anyseq *) wire free_foreign_valid;
  (* anyseq *) wire free_unsupported_valid;
  (* anyseq *) wire free_not_up_valid;
  (* anyseq *) wire [ 3:0] free_malformed_reason;
  (* anyseq *) wire [ 4:0] free_frame_operation;
  (* anyseq *) wire [31:0] free_frame_id;
  (* anyseq *) wire [31:0] free_frame_digest;
  (* anyseq *) wire [31:0] free_frame_operand;
  (* anyseq *) wire [31:0] free_frame_epoch;
  (* anyseq *) wire [ 7:0] free_frame_kind;
  (* anyseq *) wire [15:0] free_frame_length;
  (* anyseq *) wire [63:0] free_frame_record_0;
  (* anyseq *) wire [63:0] free_sync_session;
  (* anyseq *) wire [63:0] free_sync_verified;
  (* anyseq *) wire [63:0] free_sync_challenger;
  (* anyseq *) wire [31:0] free_sync_counter;
  (* anyseq *) wire [15:0] free_sync_record_max;
  (* anyseq *) wire [ 7:0] free_sync_window;
  (* anyseq *) wire free_event_valid;
  (* anyseq *) wire [63:0] free_event_word;

  assign record_valid = free_record_valid && !rst;
  assign record_data = free_record_data;
  assign record_index = free_record_index;
  assign record_id = free_record_id;
  assign frame_valid = free_frame_valid && !rst;
  assign malformed_valid = free_malformed_valid && !rst;
  assign foreign_valid = free_foreign_valid && !rst;
  assign unsupported_valid = free_unsupported_valid && !rst;
  assign not_up_valid = free_not_up_valid && !rst;
  assign malformed_reason = free_malformed_reason;
  assign frame_operation = free_frame_operation;
  assign frame_id = free_frame_id;
  assign frame_digest = free_frame_digest;
  assign frame_operand = free_frame_operand;
  assign frame_epoch = free_frame_epoch;
  assign frame_kind = free_frame_kind;
  assign frame_length = free_frame_length;
  assign frame_record_0 = free_frame_record_0;
  assign sync_session = free_sync_session;
  assign sync_verified = free_sync_verified;
  assign sync_challenger = free_sync_challenger;
  assign sync_counter = free_sync_counter;
  assign sync_record_max = free_sync_record_max;
  assign sync_window = free_sync_window;
  assign event_valid = free_event_valid && !rst;
  assign event_word = free_event_word;

  oae_parser_rules #(
      .PROMISE(0),
      .RECORD_MAX(RECORD_MAX)
  ) rules (
      .clk(clk),
      .rst(rst),
      .restart(restart),
      .link_up(link_up),
      .record_max(record_max),
      .record_valid(record_valid),
      .record_index(record_index),
      .record_id(record_id),
      .frame_valid(frame_valid),
      .malformed_valid(malformed_valid),
      .foreign_valid(foreign_valid),
      .unsupported_valid(unsupported_valid),
      .not_up_valid(not_up_valid),
      .frame_operation(frame_operation),
      .frame_id(frame_id),
      .frame_digest(frame_digest),
      .frame_operand(frame_operand),
      .frame_epoch(frame_epoch),
      .frame_kind(frame_kind),
      .frame_length(frame_length),
      .frame_record_0(frame_record_0),
      .event_valid(event_valid)
  );

endmodule

// The counters: nothing but the register port hears of them.
module oae_counters (
    input  wire                        clk,
    input  wire                        rst,
    input  wire [   `OAE_CHANNELS-1:0] event_valid,
    input  wire [64*`OAE_CHANNELS-1:0] event_words,
    input  wire [                 7:0] index,        // in the order of the register map
    output wire [                31:0] value         // one cycle later
);
  (* anyseq *) wire [31:0] free_value;
  assign value = free_value;
endmodule
`default_nettype wire
