// Sender of one lane of a link that is forward in time only: it sends, waits for the ACK, and sends
// again when the timer (oae_fito_beat) finds that overdue. After RETRIES repeats it gives up and
// tells the host a failure, whatever became of the record.
//
// It takes at most one step a cycle and tells it as one event word. Its ports are those of
// oae_initiator_core, in whose place it stands.
// TENTATIVE is sent and not acknowledged, COMMITTED acknowledged, ABORTED given up.
`default_nettype none
`include "oae_defs.vh"

module oae_fito_sender #(
    parameter integer WINDOW    = 8,
    parameter integer ID_BITS   = 32,
    parameter integer RETRIES   = 31,
    parameter integer SLOT_BITS = WINDOW > 1 ? $clog2(WINDOW) : 1
) (
    input wire clk,
    input wire rst,
    input wire crash,
    input wire amnesia,

    // from the link machine
    input wire [SLOT_BITS-1:0] slot_mask,  // negotiated WINDOW - 1
    input wire                 can_open,
    input wire                 changing,
    input wire                 adopt,      // SESSION_ADOPTED: ids start at 0
    input wire                 resend,     // every waiting slot sends once

    // a verified answer; its fields hold until the next one
    input wire               frame_valid,
    input wire [        4:0] frame_operation,
    input wire [ID_BITS-1:0] frame_id,
    input wire               frame_matches,    // its digest is the slot's
    input wire [        5:0] frame_reason,

    // a record gets its sequence number at the handshake
    input  wire                 open_valid,
    output reg                  open_ready,
    input  wire [          7:0] open_kind,
    output wire [  ID_BITS-1:0] open_id,
    output wire [SLOT_BITS-1:0] open_slot,
    output wire                 open_slot_idle,

    // a record that never gets one: told ABORTED, or dropped without a word
    input  wire        refusal_valid,
    output reg         refusal_taken,
    input  wire [ 5:0] refusal_reason,
    input  wire        discard_valid,
    output reg         discard_ready,
    input  wire [15:0] submit_tag,

    // what was sent cannot be taken back: every cancel is ignored
    input  wire              cancel_valid,
    output reg               cancel_ready,
    input  wire [      15:0] cancel_tag,
    input  wire [WINDOW-1:0] cancel_hit,

    // the slot's ACK is overdue
    input  wire                 retry_valid,
    output reg                  retry_ready,
    input  wire [SLOT_BITS-1:0] retry_slot,

    // what is owed to the peer; a grant takes one frame
    output wire [   WINDOW-1:0] owes_decision,  // never: there is no COMMIT or ABORT
    output wire [   WINDOW-1:0] owes_repeat,
    output wire [   WINDOW-1:0] owes_first,
    output reg  [   WINDOW-1:0] waiting,
    output wire [   WINDOW-1:0] undecided,
    output wire [   WINDOW-1:0] committed,      // never waits for anything
    output wire [   WINDOW-1:0] owes,
    input  wire                 grant_valid,
    input  wire [SLOT_BITS-1:0] grant_slot,
    input  wire [SLOT_BITS-1:0] look_slot,
    output wire [  ID_BITS-1:0] look_id,
    output wire                 busy,

    // completion: stable once offered
    output reg                  tell_valid,
    input  wire                 tell_ready,
    output reg                  tell_refusal,
    output reg  [SLOT_BITS-1:0] tell_slot,
    output wire [  ID_BITS-1:0] tell_id,
    output reg  [          1:0] tell_outcome,
    output reg  [          5:0] tell_reason,
    output reg                  tell_taken,    // this edge frees tell_slot

    output reg        event_valid,
    output reg [63:0] event_word
);

  localparam integer TRY_BITS = $clog2(RETRIES + 1);
  localparam [TRY_BITS-1:0] LAST_TRY = RETRIES[TRY_BITS-1:0];

  // Lost with amnesia only.
  reg [3*WINDOW-1:0] state, next_state;
  reg [ID_BITS-1:0] ids[0:WINDOW-1];
  reg [ID_BITS-1:0] next_id, next_next_id;
  reg [WINDOW-1:0] advance, next_advance;  // slot holds an epoch advance
  // Lost with a crash.
  reg [WINDOW-1:0] send, next_send;  // a frame is owed
  reg [WINDOW-1:0] sent, next_sent;  // the first DATA went out
  reg [TRY_BITS*WINDOW-1:0] tries, next_tries;  // repeats, of any number of which one may be owed
  reg inbox, next_inbox;  // a verified frame waits
  reg resend_owed, next_resend_owed;
  reg next_tell_valid, next_tell_refusal;
  reg [SLOT_BITS-1:0] next_tell_slot;
  reg [1:0] next_tell_outcome;
  reg [5:0] next_tell_reason;
  reg next_event_valid;
  reg [63:0] next_event_word;

  wire [SLOT_BITS-1:0] frame_slot = frame_id[SLOT_BITS-1:0] & slot_mask;
  wire [2:0] frame_state = state[3*frame_slot+:3];
  wire acknowledged = frame_operation == `OAE_OPERATION_ACK && frame_matches &&
      frame_state == `OAE_STATE_TENTATIVE && ids[frame_slot] == frame_id;

  assign open_id = next_id;
  assign open_slot = next_id[SLOT_BITS-1:0] & slot_mask;
  assign open_slot_idle = state[3*open_slot+:3] == `OAE_STATE_IDLE;
  assign look_id = ids[look_slot];
  assign tell_id = ids[tell_slot];
  assign busy = |state;  // IDLE is 0
  assign owes = send;
  assign owes_repeat = send & sent;
  assign owes_first = send & ~sent;
  assign owes_decision = {WINDOW{1'b0}};
  assign undecided = waiting;
  assign committed = {WINDOW{1'b0}};
  wire unused = &{1'b0, frame_reason, cancel_hit};

  // The lowest slot whose outcome can be told, and what would be told.
  reg tellable;
  reg [SLOT_BITS-1:0] tellable_slot;
  reg [1:0] tellable_outcome;
  reg [5:0] tellable_reason;
  integer s;
  always @* begin
    tellable = 1'b0;
    tellable_slot = {SLOT_BITS{1'b0}};
    tellable_outcome = `OAE_OUTCOME_ABORTED;
    tellable_reason = `OAE_ABORT_REASON_NONE;
    for (s = WINDOW - 1; s >= 0; s = s - 1) begin
      waiting[s] = state[3*s+:3] == `OAE_STATE_TENTATIVE;
      if (state[3*s+:3] != `OAE_STATE_IDLE && (!waiting[s] || changing)) begin
        tellable = 1'b1;
        tellable_slot = s[SLOT_BITS-1:0];
        tellable_outcome = state[3*s+:3] == `OAE_STATE_COMMITTED ? `OAE_OUTCOME_COMMITTED :
            `OAE_OUTCOME_ABORTED;
        // The connection is gone: what was not acknowledged has failed.
        tellable_reason = waiting[s] ? `OAE_ABORT_REASON_PEER_LOST_MEMORY : `OAE_ABORT_REASON_NONE;
      end
    end
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

  always @* begin
    next_state = state;
    next_next_id = next_id;
    next_advance = advance;
    next_send = send;
    next_sent = sent;
    next_tries = tries;
    next_inbox = inbox || frame_valid;
    next_resend_owed = resend_owed || resend;
    next_tell_valid = tell_valid;
    next_tell_refusal = tell_refusal;
    next_tell_slot = tell_slot;
    next_tell_outcome = tell_outcome;
    next_tell_reason = tell_reason;
    open_ready = 1'b0;
    refusal_taken = 1'b0;
    discard_ready = 1'b0;
    cancel_ready = 1'b0;
    tell_taken = 1'b0;
    retry_ready = 1'b0;
    next_event_valid = 1'b1;
    next_event_word = 64'd0;

    // TRANSMIT comes first in a cycle: what it clears a step may set.
    if (grant_valid) begin
      next_send[grant_slot] = 1'b0;
      next_sent[grant_slot] = 1'b1;
    end

    if (tell_valid && tell_ready) begin
      next_tell_valid = 1'b0;
      if (tell_refusal) begin
        refusal_taken = 1'b1;
        next_event_word = {
          `OAE_EVENT_UNOPENED_TOLD, 16'd0, tell_reason, tell_outcome, 16'd0, submit_tag
        };
      end else begin
        tell_taken = 1'b1;
        next_state[3*tell_slot+:3] = `OAE_STATE_IDLE;
        next_send[tell_slot] = 1'b0;
        next_advance[tell_slot] = 1'b0;
        next_event_word = word(
          `OAE_EVENT_TOLD,
          tell_slot,
          state[3*tell_slot+:3],
          `OAE_STATE_IDLE,
          {
            tell_reason, tell_outcome
          },
          tell_id
        );
      end
    end else if (inbox || frame_valid) begin
      next_inbox = 1'b0;
      next_event_word = word(`OAE_EVENT_ANSWER_IGNORED, {SLOT_BITS{1'b0}}, 3'd0, 3'd0,
                             {3'd0, frame_operation}, frame_id);
      if (acknowledged) begin
        // Forward in time only: the ACK is the decision.
        next_state[3*frame_slot+:3] = `OAE_STATE_COMMITTED;
        next_send[frame_slot] = 1'b0;
        next_event_word =
            word(`OAE_EVENT_DECIDED, frame_slot, frame_state, `OAE_STATE_COMMITTED, 8'd0, frame_id);
      end
    end else if (resend_owed) begin
      next_resend_owed = resend;
      next_send = next_send | waiting;
      next_event_word = {`OAE_EVENT_RESENT, 56'd0};
    end else if (cancel_valid) begin
      cancel_ready = 1'b1;
      next_event_word = {`OAE_EVENT_CANCEL_IGNORED, 40'd0, cancel_tag};
    end else if (discard_valid) begin
      discard_ready   = 1'b1;
      next_event_word = {`OAE_EVENT_RECORD_DISCARDED, 40'd0, submit_tag};
    end else if (open_valid && can_open && open_slot_idle &&
                 !(open_kind == `OAE_KIND_EPOCH_ADVANCE && |advance)) begin
      open_ready = 1'b1;
      next_next_id = next_id + 1'b1;
      next_state[3*open_slot+:3] = `OAE_STATE_TENTATIVE;
      next_send[open_slot] = 1'b1;
      next_sent[open_slot] = 1'b0;
      next_tries[TRY_BITS*open_slot+:TRY_BITS] = {TRY_BITS{1'b0}};
      next_advance[open_slot] = open_kind == `OAE_KIND_EPOCH_ADVANCE;
      next_event_word = word(`OAE_EVENT_OPENED, open_slot, `OAE_STATE_IDLE, `OAE_STATE_TENTATIVE,
                             open_kind, next_id);
    end else if (retry_valid && tries[TRY_BITS*retry_slot+:TRY_BITS] == LAST_TRY) begin
      retry_ready = 1'b1;
      next_state[3*retry_slot+:3] = `OAE_STATE_ABORTED;
      next_event_word = word(
        `OAE_EVENT_CANCELLED,
        retry_slot,
        `OAE_STATE_TENTATIVE,
        `OAE_STATE_ABORTED,
        8'd0,
        ids[retry_slot]
      );
    end else if (retry_valid) begin
      retry_ready = 1'b1;
      next_send[retry_slot] = 1'b1;
      next_tries[TRY_BITS*retry_slot+:TRY_BITS] = tries[TRY_BITS*retry_slot+:TRY_BITS] + 1'b1;
      next_event_word = word(
        `OAE_EVENT_RETRIED,
        retry_slot,
        `OAE_STATE_TENTATIVE,
        `OAE_STATE_TENTATIVE,
        8'd0,
        ids[retry_slot]
      );
    end else next_event_valid = 1'b0;

    // Offer the next completion; refusals first, their record holds the submit port.
    if (!tell_valid && refusal_valid) begin
      next_tell_valid   = 1'b1;
      next_tell_refusal = 1'b1;
      next_tell_outcome = `OAE_OUTCOME_ABORTED;
      next_tell_reason  = refusal_reason;
    end else if (!tell_valid && tellable) begin
      next_tell_valid   = 1'b1;
      next_tell_refusal = 1'b0;
      next_tell_slot    = tellable_slot;
      next_tell_outcome = tellable_outcome;
      next_tell_reason  = tellable_reason;
    end

    if (adopt) next_next_id = {ID_BITS{1'b0}};

    // At the edge of a restart no step is taken.
    if (rst || amnesia || crash) begin
      open_ready = 1'b0;
      refusal_taken = 1'b0;
      discard_ready = 1'b0;
      cancel_ready = 1'b0;
      retry_ready = 1'b0;
      tell_taken = 1'b0;
      next_event_valid = 1'b0;
    end
  end

  always @(posedge clk) begin
    state <= next_state;
    next_id <= next_next_id;
    advance <= next_advance;
    send <= next_send;
    sent <= next_sent;
    tries <= next_tries;
    inbox <= next_inbox;
    resend_owed <= next_resend_owed;
    tell_valid <= next_tell_valid;
    tell_refusal <= next_tell_refusal;
    tell_slot <= next_tell_slot;
    tell_outcome <= next_tell_outcome;
    tell_reason <= next_tell_reason;
    event_valid <= next_event_valid;
    event_word <= next_event_word;
    if (open_ready) ids[open_slot] <= next_id;
    if (rst || amnesia || crash) begin
      state <= state;
      next_id <= next_id;
      advance <= advance;
      send <= {WINDOW{1'b0}};
      sent <= {WINDOW{1'b0}};
      tries <= {TRY_BITS * WINDOW{1'b0}};
      inbox <= 1'b0;
      resend_owed <= 1'b0;
      tell_valid <= 1'b0;
      tell_refusal <= 1'b0;
    end
    if (rst || amnesia) begin
      state   <= {3 * WINDOW{1'b0}};
      next_id <= {ID_BITS{1'b0}};
      advance <= {WINDOW{1'b0}};
    end
  end

`ifdef OAE_SIMULATION
  // Conservation, per session pair: every opened id is told or still held.
  reg [31:0] told_count, held_count;
  always @* begin
    held_count = 32'd0;
    for (s = 0; s < WINDOW; s = s + 1)
    if (state[3*s+:3] != `OAE_STATE_IDLE) held_count = held_count + 1'b1;
  end
  always @(posedge clk) begin
    if (rst || amnesia || adopt) told_count <= 32'd0;
    else if (tell_taken) told_count <= told_count + 1'b1;
    if (!rst && !amnesia && !changing && next_id != told_count + held_count)
      $display("ASSERTION %m: next id is not told + held");
  end
`endif

endmodule
`default_nettype wire
