// Receiver of one lane of a link that is forward in time only: a verified DATA of the window is
// committed on arrival, delivered in the order of the ids, and acknowledged once the host has it. A
// DATA that has been delivered before is not delivered again, only acknowledged.
//
// An id beyond the window proves that the sender has done with what is WINDOW ids below: what of it
// never came is skipped, and what waited behind it is discarded, as at the reset of a connection.
//
// It takes at most one step a cycle and tells it as one event word. Its ports are those of
// oae_responder_core, in whose place it stands.
`default_nettype none
`include "oae_defs.vh"

module oae_fito_receiver #(
    parameter integer WINDOW    = 8,
    parameter integer ID_BITS   = 32,
    parameter integer SLOT_BITS = WINDOW > 1 ? $clog2(WINDOW) : 1
) (
    input wire clk,
    input wire rst,
    input wire crash,
    input wire amnesia,

    // from the link machine
    input wire [SLOT_BITS-1:0] slot_mask,  // negotiated WINDOW - 1
    input wire                 changing,
    input wire                 adopt,      // SESSION_ADOPTED: ids start at 0

    // a verified DATA, COMMIT or ABORT; its fields hold until the next one
    input wire               frame_valid,
    input wire [        4:0] frame_operation,
    input wire [ID_BITS-1:0] frame_id,
    input wire [        7:0] frame_kind,
    input wire               frame_matches,
    input wire               frame_stored,     // every word of its record was stored
    // why a record may not be held; the sender hears nothing and tries again
    input wire               other_epoch,
    input wire               not_prepared,
    input wire               refuse,

    // this edge names the slot: the frame's digest, kind and length are recorded with it
    output reg                  record_valid,
    output wire                 record_held,
    output wire [SLOT_BITS-1:0] record_slot,

    // may a record word of this id be stored? (in the window, slot free of it)
    input  wire [ID_BITS-1:0] store_id,
    output wire               store_allowed,

    // delivery: ready at the handshake of the record's last beat
    output wire                 deliver_valid,
    input  wire                 deliver_ready,
    output wire [SLOT_BITS-1:0] head_slot,
    output wire [  ID_BITS-1:0] head_id,
    output reg                  advance_taken,  // this edge an epoch advance takes effect
    // nothing is ever in doubt: arrival was the commit
    output wire                 doubt_valid,
    input  wire                 doubt_ready,

    // ACKs owed to the peer; a grant takes one
    output wire [   WINDOW-1:0] owes_answer,
    input  wire                 grant_valid,
    input  wire [SLOT_BITS-1:0] grant_slot,
    input  wire [SLOT_BITS-1:0] look_slot,
    output wire [  ID_BITS-1:0] look_id,
    output wire [          4:0] look_operation,
    output wire [          5:0] look_reason,
    output wire                 unresolved,

    output reg        event_valid,
    output reg [63:0] event_word
);

  // Lost with amnesia only. An IDLE slot names nothing; `delivered` marks a COMMITTED one.
  reg [3*WINDOW-1:0] state, next_state;
  reg [WINDOW-1:0] delivered, next_delivered;
  reg [WINDOW-1:0] advance, next_advance;
  reg [ID_BITS-1:0] ids[0:WINDOW-1];
  reg [ID_BITS-1:0] deliver_pointer, next_deliver_pointer;
  // Lost with a crash.
  reg [WINDOW-1:0] answer, next_answer;
  reg inbox, next_inbox;  // a verified frame waits
  reg settling, next_settling;  // a slot is TENTATIVE
  reg settled;  // one was: which of two epochs is later is known a cycle after the step
  reg [SLOT_BITS-1:0] settling_slot, next_settling_slot;
  reg [ID_BITS-1:0] oldest, next_oldest;  // id that the sender may still send
  reg discarding, next_discarding;
  reg next_event_valid;
  reg [63:0] next_event_word;

  wire [SLOT_BITS-1:0] frame_slot = frame_id[SLOT_BITS-1:0] & slot_mask;
  wire [2:0] frame_state = state[3*frame_slot+:3];
  wire frame_named = frame_state != `OAE_STATE_IDLE && ids[frame_slot] == frame_id;
  wire [ID_BITS-1:0] window_last = {{ID_BITS - SLOT_BITS{1'b0}}, slot_mask};
  wire [ID_BITS-1:0] distance = frame_id - deliver_pointer;
  wire below = distance[ID_BITS-1];
  wire beyond = !below && distance > window_last;

  wire [SLOT_BITS-1:0] store_slot = store_id[SLOT_BITS-1:0] & slot_mask;
  wire store_named = state[3*store_slot+:3] != `OAE_STATE_IDLE && ids[store_slot] == store_id;
  assign store_allowed = !store_named && store_id - deliver_pointer <= window_last;

  assign record_slot = frame_slot;
  assign record_held = record_valid;
  assign doubt_valid = 1'b0;
  assign look_operation = `OAE_OPERATION_ACK;
  assign look_reason = `OAE_ABORT_REASON_NONE;
  wire unused = &{1'b0, frame_matches, doubt_ready};
  assign head_slot = deliver_pointer[SLOT_BITS-1:0] & slot_mask;
  assign head_id   = deliver_pointer;
  assign look_id   = ids[look_slot];
  wire head_committed = state[3*head_slot+:3] == `OAE_STATE_COMMITTED && !delivered[head_slot] &&
      ids[head_slot] == deliver_pointer;

  reg [WINDOW-1:0] open_slots;  // held, not delivered
  integer s;
  always @*
    for (s = 0; s < WINDOW; s = s + 1)
      open_slots[s] = state[3*s+:3] != `OAE_STATE_IDLE && !delivered[s];
  assign unresolved  = |open_slots;
  assign owes_answer = answer;

  // Ids that are given up, by the sender or with the session.
  wire [ID_BITS-1:0] behind = oldest - deliver_pointer;
  wire sliding = changing ? unresolved : !behind[ID_BITS-1] && behind != {ID_BITS{1'b0}};
  assign deliver_valid = head_committed && !advance[head_slot] && !(sliding && discarding);
  wire delivery = deliver_valid && deliver_ready;

  reg [5:0] refusal;
  always @* begin
    refusal = `OAE_ABORT_REASON_NONE;
    if (refuse) refusal = `OAE_ABORT_REASON_REFUSED;
    if (frame_kind == `OAE_KIND_EPOCH_ADVANCE && (not_prepared || |(open_slots & advance)))
      refusal = `OAE_ABORT_REASON_NOT_PREPARED;
    if (other_epoch) refusal = `OAE_ABORT_REASON_EPOCH;
  end

  // The word of a step on one slot.
  function automatic [63:0] word;
    input [7:0] code;
    input [SLOT_BITS-1:0] slot;
    input [2:0] from;
    input [2:0] to;
    input [7:0] info;
    input [31:0] id;
    word = {code, {8 - SLOT_BITS{1'b0}}, slot, 1'b0, from, 1'b0, to, info, id};
  endfunction
  wire [7:0] frame_info = {3'd0, frame_operation};

  always @* begin
    next_state = state;
    next_delivered = delivered;
    next_advance = advance;
    next_deliver_pointer = deliver_pointer;
    next_answer = answer;
    next_inbox = inbox || frame_valid;
    next_settling = settling;
    next_settling_slot = settling_slot;
    next_oldest = oldest;
    next_discarding = discarding && sliding;
    record_valid = 1'b0;
    advance_taken = 1'b0;
    next_event_valid = 1'b1;
    next_event_word = 64'd0;

    // TRANSMIT comes first in a cycle: what it clears a step may set.
    if (grant_valid) next_answer[grant_slot] = 1'b0;

    if (delivery || (head_committed && advance[head_slot] && !settling && !settled)) begin
      // The host has the record (an epoch advance takes effect here): only then it is acknowledged.
      advance_taken = !delivery;
      next_delivered[head_slot] = 1'b1;
      next_answer[head_slot] = 1'b1;
      next_deliver_pointer = deliver_pointer + 1'b1;
      next_event_word = word(
        `OAE_EVENT_DELIVERED,
        head_slot,
        `OAE_STATE_COMMITTED,
        `OAE_STATE_COMMITTED,
        delivery ? `OAE_KIND_DATA : `OAE_KIND_EPOCH_ADVANCE,
        deliver_pointer
      );
    end else if (settling) begin
      // Forward in time only: arrival is the commit.
      next_settling = 1'b0;
      next_state[3*settling_slot+:3] = `OAE_STATE_COMMITTED;
      next_event_word = word(
        `OAE_EVENT_COMMIT_HEARD,
        settling_slot,
        `OAE_STATE_TENTATIVE,
        `OAE_STATE_COMMITTED,
        8'd0,
        ids[settling_slot]
      );
    end else if (inbox || frame_valid) begin
      next_inbox = 1'b0;
      if (frame_operation != `OAE_OPERATION_DATA) begin
        next_event_word =
            word(`OAE_EVENT_COMMIT_IGNORED, {SLOT_BITS{1'b0}}, 3'd0, 3'd0, frame_info, frame_id);
      end else if (frame_named) begin
        if (delivered[frame_slot]) next_answer[frame_slot] = 1'b1;
        next_event_word = word(
          delivered[frame_slot] ? `OAE_EVENT_ANSWER_REPEATED : `OAE_EVENT_DELIVERY_AWAITED,
          frame_slot,
          frame_state,
          frame_state,
          frame_info,
          frame_id
        );
      end else if (below) begin
        next_event_word =
            word(`OAE_EVENT_BELOW_WINDOW, {SLOT_BITS{1'b0}}, 3'd0, 3'd0, frame_info, frame_id);
      end else if (beyond || !frame_stored) begin
        // Its words were not stored; it comes again.
        if (beyond) next_oldest = frame_id - window_last;
        next_event_word =
            word(`OAE_EVENT_BEYOND_WINDOW, {SLOT_BITS{1'b0}}, 3'd0, 3'd0, frame_info, frame_id);
      end else if (refusal != `OAE_ABORT_REASON_NONE) begin
        next_event_word = word(
          `OAE_EVENT_REFUSED,
          frame_slot,
          `OAE_STATE_IDLE,
          `OAE_STATE_IDLE,
          {
            2'd0, refusal
          },
          frame_id
        );
      end else begin
        record_valid = 1'b1;
        next_state[3*frame_slot+:3] = `OAE_STATE_TENTATIVE;
        next_delivered[frame_slot] = 1'b0;
        next_answer[frame_slot] = 1'b0;
        next_advance[frame_slot] = frame_kind == `OAE_KIND_EPOCH_ADVANCE;
        next_settling = 1'b1;
        next_settling_slot = frame_slot;
        next_event_word = word(`OAE_EVENT_HELD, frame_slot, `OAE_STATE_IDLE, `OAE_STATE_TENTATIVE,
                               frame_kind, frame_id);
      end
    end else if (sliding && (!head_committed || discarding)) begin
      next_discarding = 1'b1;
      if (head_committed) next_state[3*head_slot+:3] = `OAE_STATE_IDLE;
      next_deliver_pointer = deliver_pointer + 1'b1;
      next_event_word =
          word(`OAE_EVENT_SKIPPED, {SLOT_BITS{1'b0}}, 3'd0, 3'd0, 8'd0, deliver_pointer);
    end else next_event_valid = 1'b0;

    if (adopt) begin
      next_deliver_pointer = {ID_BITS{1'b0}};
      next_oldest = {ID_BITS{1'b0}};
      next_state = {3 * WINDOW{1'b0}};
      next_delivered = {WINDOW{1'b0}};
      next_answer = {WINDOW{1'b0}};
    end

    // At the edge of a restart no step is taken.
    if (rst || amnesia || crash) begin
      record_valid = 1'b0;
      advance_taken = 1'b0;
      next_event_valid = 1'b0;
    end
  end

  // What is TENTATIVE was not yet held when the crash came.
  reg [3*WINDOW-1:0] crashed_state;
  always @* begin
    crashed_state = state;
    if (settling) crashed_state[3*settling_slot+:3] = `OAE_STATE_IDLE;
  end

  always @(posedge clk) begin
    state <= next_state;
    delivered <= next_delivered;
    advance <= next_advance;
    deliver_pointer <= next_deliver_pointer;
    answer <= next_answer;
    inbox <= next_inbox;
    settling <= next_settling;
    settled <= settling;
    settling_slot <= next_settling_slot;
    oldest <= next_oldest;
    discarding <= next_discarding;
    event_valid <= next_event_valid;
    event_word <= next_event_word;
    if (record_valid) ids[frame_slot] <= frame_id;
    if (rst || amnesia || crash) begin
      state <= crashed_state;
      delivered <= delivered;
      advance <= advance;
      deliver_pointer <= deliver_pointer;
      answer <= {WINDOW{1'b0}};
      inbox <= 1'b0;
      settling <= 1'b0;
      oldest <= deliver_pointer;
      discarding <= 1'b0;
    end
    if (rst || amnesia) begin
      state <= {3 * WINDOW{1'b0}};
      delivered <= {WINDOW{1'b0}};
      advance <= {WINDOW{1'b0}};
      deliver_pointer <= {ID_BITS{1'b0}};
      oldest <= {ID_BITS{1'b0}};
    end
  end

`ifdef OAE_SIMULATION
  // What the pointer has passed was delivered or skipped, per session pair.
  reg [31:0] passed_count;
  wire passed_now = event_valid &&
      (event_word[63:56] == `OAE_EVENT_DELIVERED || event_word[63:56] == `OAE_EVENT_SKIPPED);
  always @(posedge clk) begin
    if (rst || amnesia || adopt) passed_count <= 32'd0;
    else passed_count <= passed_count + {31'd0, passed_now};
    if (!rst && !amnesia && !changing && !adopt &&
        deliver_pointer != passed_count + {31'd0, passed_now})
      $display("ASSERTION %m: deliver pointer is not delivered + skipped");
  end
`endif

endmodule
`default_nettype wire
