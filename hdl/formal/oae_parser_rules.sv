// What the parser promises to the rest of the end: when its verdicts and record words come, and
// what holds meanwhile. Asserted of the parser (PROMISE) in oae_parser_proof.sv, assumed where
// the end is proven without it.
`default_nettype none
`include "oae_defs.vh"

module oae_parser_rules #(
    parameter [0:0] PROMISE = 1,
    parameter integer RECORD_MAX = 64,
    parameter integer ADDRESS_BITS = RECORD_MAX > 8 ? $clog2((RECORD_MAX + 7) / 8) : 1
) (
    input wire                    clk,
    input wire                    rst,
    input wire                    restart,
    input wire                    link_up,
    input wire [            15:0] record_max,
    input wire                    record_valid,
    input wire [ADDRESS_BITS-1:0] record_index,
    input wire [            31:0] record_id,
    input wire                    frame_valid,
    input wire                    malformed_valid,
    input wire                    foreign_valid,
    input wire                    unsupported_valid,
    input wire                    not_up_valid,
    input wire [             4:0] frame_operation,
    input wire [            31:0] frame_id,
    input wire [            31:0] frame_digest,
    input wire [            31:0] frame_operand,
    input wire [            31:0] frame_epoch,
    input wire [             7:0] frame_kind,
    input wire [            15:0] frame_length,
    input wire [            63:0] frame_record_0,
    input wire                    event_valid
);

  reg [3:0] since;  // cycles since the last frame_valid, saturating
  reg [ADDRESS_BITS:0] count;  // words shown of the record that is coming
  reg [31:0] shown_id;  // of that record
  reg restarted, last_up;
  reg [15:0] last_max;
  reg [220:0] last_fields;
  wire [220:0] fields = {
    frame_operation, frame_id, frame_digest, frame_operand, frame_epoch, frame_kind, frame_length,
    frame_record_0
  };
  always @(posedge clk) begin
    since <= frame_valid ? 4'd1 : &since ? since : since + 1'b1;
    if (record_valid) begin
      count <= record_index == 0 ? 1 : count + 1'b1;
      if (record_index == 0) shown_id <= record_id;
    end
    restarted <= rst || restart;
    last_up <= link_up;
    last_max <= record_max;
    last_fields <= fields;
    if (rst || restart || frame_valid) count <= 0;
    if (rst) since <= 4'd15;
  end

  wire is_data = frame_operation == `OAE_OPERATION_DATA;
  wire is_sync = frame_operation == `OAE_OPERATION_SYNC ||
      frame_operation == `OAE_OPERATION_SYNC_ACK;
  wire [15:0] words = (frame_length + 16'd7) >> 3;

  // Frames that are passed on end at least 8 cycles apart.
  wire apart = !frame_valid || since >= 4'd8;
  // A record word comes at least 4 cycles after the verdict on the frame before.
  wire behind = !record_valid || since >= 4'd4;
  // No word comes with a verdict.
  wire alone = !record_valid || !frame_valid;
  // The fields hold from one verdict to the next; a verdict that is lost at the edge of a restart
  // still changes them, but no sooner than another could.
  wire hold = frame_valid || rst || (restarted && since >= 4'd8) || fields == last_fields;
  // A restart leaves no verdict and no word.
  wire silent = !restarted ||
      !(frame_valid || malformed_valid || foreign_valid || unsupported_valid || not_up_valid ||
        record_valid || event_valid);
  // One verdict at a time, and it is told.
  wire one = frame_valid + malformed_valid + foreign_valid + unsupported_valid + not_up_valid ==
      (event_valid ? 3'd1 : 3'd0);
  // Only these are passed on; while the link is not UP only SYNC and SYNC_ACK.
  wire known = !frame_valid || is_data || is_sync || frame_operation == `OAE_OPERATION_NOP ||
      frame_operation == `OAE_OPERATION_ACK || frame_operation == `OAE_OPERATION_COMMIT ||
      frame_operation == `OAE_OPERATION_DONE || frame_operation == `OAE_OPERATION_ABORTED ||
      frame_operation == `OAE_OPERATION_ABORT;
  wire up = !frame_valid || is_sync || last_up;
  // Of DATA: the length is possible, the kind known.
  wire length = !frame_valid || !is_data ||
      (frame_length >= 16'd1 && frame_length <= RECORD_MAX && frame_length <= last_max);
  wire kind = !frame_valid || frame_kind <= {7'd0, is_data};
  // Its words were shown one after another, all of them, and under its id.
  wire in_order = !record_valid || record_index == 0 ||
      (record_index == count && record_id == shown_id);
  wire shown = !frame_valid || !is_data || (count == words && shown_id == frame_id);

  generate
    if (PROMISE) begin : g_promised
      always @* begin
        parser_apart : assert (apart);
        parser_behind : assert (behind);
        parser_alone : assert (alone);
        parser_hold : assert (hold);
        parser_silent : assert (silent);
        parser_one : assert (one);
        parser_known : assert (known);
        parser_up : assert (up);
        parser_length : assert (length);
        parser_kind : assert (kind);
        parser_in_order : assert (in_order);
        parser_shown : assert (shown);
      end
    end else begin : g_given
      always @* begin
        assume (apart);
        assume (behind);
        assume (alone);
        assume (hold);
        assume (silent);
        assume (one);
        assume (known);
        assume (up);
        assume (length);
        assume (kind);
        assume (in_order);
        assume (shown);
      end
    end
  endgenerate

endmodule
`default_nettype wire
