// Initiator of one lane: the six-state machine over the slot table, control only.
//
// It takes at most one step a cycle and tells it as one event word. Records, digests and tags
// live outside; what this core is told of a frame is its operation, its id and whether its digest
// is the slot's. Steps and their order: docs/design.md, "Initiator core".
`default_nettype none
`include "oae_defs.vh"
`include "oae_ablate.vh"

module oae_initiator_core #(
    parameter integer WINDOW    = 8,  // slots, a power of two
    parameter integer ID_BITS   = 32,
    parameter integer SLOT_BITS = WINDOW > 1 ? $clog2(WINDOW) : 1
) (
    input wire clk,
    input wire rst,
    input wire crash,
    input wire amnesia,

    // from the link machine
    input wire [SLOT_BITS-1:0] slot_mask,  // negotiated WINDOW - 1
    input wire                 can_open,   // UP and the host's epoch taken
    input wire                 changing,
    input wire                 adopt,      // SESSION_ADOPTED: ids start at 0
    input wire                 resend,     // every waiting slot sends once

    // a verified ACK, DONE or ABORTED; its fields hold until the next one
    input wire               frame_valid,
    input wire [        4:0] frame_operation,
    input wire [ID_BITS-1:0] frame_id,
    input wire               frame_matches,    // its digest is the slot's
    input wire [        5:0] frame_reason,

    // a record becomes a transaction at the handshake
    input  wire                 open_valid,
    output reg                  open_ready,
    input  wire [          7:0] open_kind,
    output wire [  ID_BITS-1:0] open_id,
    output wire [SLOT_BITS-1:0] open_slot,
    output wire                 open_slot_idle,

    // a record that never becomes one: told ABORTED, or dropped without a word
    input  wire        refusal_valid,
    output reg         refusal_taken,
    input  wire [ 5:0] refusal_reason,
    input  wire        discard_valid,
    output reg         discard_ready,
    input  wire [15:0] submit_tag,

    // cancel: bit s of hit is set if slot s carries the tag
    input  wire              cancel_valid,
    output reg               cancel_ready,
    input  wire [      15:0] cancel_tag,
    input  wire [WINDOW-1:0] cancel_hit,

    // an echo proved that the slot's answer is overdue
    input  wire                 retry_valid,
    output reg                  retry_ready,
    input  wire [SLOT_BITS-1:0] retry_slot,

    // what is owed to the peer; a grant takes one frame
    output reg  [   WINDOW-1:0] owes_decision,  // COMMIT or ABORT
    output reg  [   WINDOW-1:0] owes_repeat,    // DATA that has gone before
    output reg  [   WINDOW-1:0] owes_first,     // DATA that has not
    output reg  [   WINDOW-1:0] waiting,
    output reg  [   WINDOW-1:0] undecided,      // TENTATIVE: may be cancelled
    output reg  [   WINDOW-1:0] committed,
    output wire [   WINDOW-1:0] owes,
    input  wire                 grant_valid,
    input  wire [SLOT_BITS-1:0] grant_slot,
    input  wire [SLOT_BITS-1:0] look_slot,      // id of any slot, for the transmit arbiter
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

  // Durable: states (with the decision), ids, the id counter. Three bits a slot.
  reg [3*WINDOW-1:0] state, next_state;
  reg [ID_BITS-1:0] ids[0:WINDOW-1];
  reg [ID_BITS-1:0] next_id, next_next_id;
  reg [WINDOW-1:0] advance, next_advance;  // slot holds an epoch advance
  // Volatile.
  reg [WINDOW-1:0] known, next_known;  // DONE was heard
  reg [WINDOW-1:0] send, next_send;  // a frame is owed
  reg [WINDOW-1:0] sent, next_sent;  // the first DATA went out
  reg [6*WINDOW-1:0] reasons, next_reasons;
  reg inbox, next_inbox;  // a verified frame waits
  reg comparing, next_comparing;  // a slot is REFLECTING
  reg comparing_equal, next_comparing_equal;
  reg [SLOT_BITS-1:0] comparing_slot, next_comparing_slot;
  reg resend_owed, next_resend_owed;
  reg next_tell_valid, next_tell_refusal;
  reg [SLOT_BITS-1:0] next_tell_slot;
  reg [1:0] next_tell_outcome;
  reg [5:0] next_tell_reason;
  reg next_event_valid;
  reg [63:0] next_event_word;

`ifdef OAE_ABLATE_F23
  reg [4:0] late, next_late;  // the slot is written some cycles after the counter
  reg [SLOT_BITS-1:0] late_slot, next_late_slot;
  wire writing = late != 5'd0;
`else
  wire writing = 1'b0;
`endif

  // One bit of every slot side by side: a small multiplexer where a part select would shift.
  function automatic [2:0] state_of;
    input [3*WINDOW-1:0] states;
    input [SLOT_BITS-1:0] slot;
    integer i;
    reg [WINDOW-1:0] bits_0, bits_1, bits_2;
    begin
      for (i = 0; i < WINDOW; i = i + 1) {bits_2[i], bits_1[i], bits_0[i]} = states[3*i+:3];
      state_of = {bits_2[slot], bits_1[slot], bits_0[slot]};
    end
  endfunction

  wire [SLOT_BITS-1:0] frame_slot = frame_id[SLOT_BITS-1:0] & slot_mask;
  wire [2:0] frame_state = state_of(state, frame_slot);
`ifdef OAE_ABLATE_F11
  // Whatever its id, a DONE is taken for what its slot holds.
  wire frame_named = frame_state != `OAE_STATE_IDLE &&
      (frame_operation == `OAE_OPERATION_DONE ? !known[frame_slot] : ids[frame_slot] == frame_id);
`else
  wire frame_named = frame_state != `OAE_STATE_IDLE && ids[frame_slot] == frame_id;
`endif

  assign open_id = next_id;
  assign open_slot = next_id[SLOT_BITS-1:0] & slot_mask;
  assign open_slot_idle = state_of(state, open_slot) == `OAE_STATE_IDLE;
  assign look_id = ids[look_slot];
  assign tell_id = ids[tell_slot];
  assign busy = |state;  // IDLE is 0
  assign owes = send;

  // The lowest slot whose tag matches and that may still be taken back.
  reg cancel_found;
  reg [SLOT_BITS-1:0] cancel_slot;
  // The lowest slot whose outcome can be told, and what would be told.
  reg tellable;
  reg [SLOT_BITS-1:0] tellable_slot;
  reg [1:0] tellable_outcome;
  reg [5:0] tellable_reason;
  // What a cancel may act on (with F6 removed, also what is decided).
  wire [WINDOW-1:0] cancellable = undecided | (`OAE_HAS_F6 ? {WINDOW{1'b0}} : committed & ~known);

  integer s;
  always @* begin
    cancel_found = 1'b0;
    cancel_slot = {SLOT_BITS{1'b0}};
    tellable = 1'b0;
    tellable_slot = {SLOT_BITS{1'b0}};
    tellable_outcome = `OAE_OUTCOME_ABORTED;
    tellable_reason = `OAE_ABORT_REASON_NONE;
    for (s = WINDOW - 1; s >= 0; s = s - 1) begin
      undecided[s] = state[3*s+:3] == `OAE_STATE_TENTATIVE;
      committed[s] = state[3*s+:3] == `OAE_STATE_COMMITTED;
      owes_decision[s] = send[s] && (committed[s] || state[3*s+:3] == `OAE_STATE_REVERSING);
      owes_repeat[s] = send[s] && undecided[s] && sent[s];
      owes_first[s] = send[s] && undecided[s] && !sent[s];
      waiting[s] = undecided[s] || state[3*s+:3] == `OAE_STATE_REVERSING ||
          (committed[s] && !known[s]);
      if (cancel_hit[s] && cancellable[s]) begin
        cancel_found = 1'b1;
        cancel_slot  = s[SLOT_BITS-1:0];
      end
      if (state[3*s+:3] == `OAE_STATE_ABORTED) begin
        tellable = 1'b1;
        tellable_slot = s[SLOT_BITS-1:0];
        tellable_outcome = `OAE_OUTCOME_ABORTED;
        tellable_reason = reasons[6*s+:6];
      end else if (committed[s] && known[s]) begin
        tellable = 1'b1;
        tellable_slot = s[SLOT_BITS-1:0];
        tellable_outcome = `OAE_OUTCOME_COMMITTED;
        tellable_reason = `OAE_ABORT_REASON_NONE;
      end else if (changing && state[3*s+:3] != `OAE_STATE_IDLE) begin
        // Draining: the peer has lost its memory.
        tellable = 1'b1;
        tellable_slot = s[SLOT_BITS-1:0];
        tellable_outcome = committed[s] ? `OAE_OUTCOME_UNKNOWN : `OAE_OUTCOME_ABORTED;
        tellable_reason = `OAE_ABORT_REASON_PEER_LOST_MEMORY;
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
    input [ID_BITS-1:0] id;
    begin
      word = {
        code, {8 - SLOT_BITS{1'b0}}, slot, 1'b0, from, 1'b0, to, info, {32 - ID_BITS{1'b0}}, id
      };
    end
  endfunction

  wire told = tell_valid && tell_ready;
  wire [2:0] told_state = state_of(state, tell_slot);
  wire [2:0] retry_state = state_of(state, retry_slot);
  wire [2:0] cancel_state = state_of(state, cancel_slot);
  // The slot of a step that neither a frame nor the host's ports name.
  wire [SLOT_BITS-1:0] own_slot = comparing ? comparing_slot : cancel_valid ? cancel_slot :
      retry_slot;
  wire [ID_BITS-1:0] own_id = ids[own_slot];

  // What the step of this cycle does to its slot.
  reg [SLOT_BITS-1:0] step_slot;
  reg write_state, set_send, clear_send, clear_sent, write_known, to_known;
  reg write_advance, to_advance, write_reason, send_waiting;
  reg [2:0] to_state;
  integer w;

  always @* begin
    next_state = state;
    next_next_id = next_id;
    next_advance = advance;
    next_known = known;
    next_sent = sent;
    next_send = send;
    next_reasons = reasons;
    next_inbox = inbox || frame_valid;
    next_comparing = comparing;
    next_comparing_equal = comparing_equal;
    next_comparing_slot = comparing_slot;
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
    retry_ready = 1'b0;
    tell_taken = 1'b0;
    next_event_valid = 1'b0;
    next_event_word = 64'd0;
    step_slot = retry_slot;
    write_state = 1'b0;
    to_state = `OAE_STATE_IDLE;
    set_send = 1'b0;
    clear_send = 1'b0;
    clear_sent = 1'b0;
    write_known = 1'b0;
    to_known = 1'b0;
    write_advance = 1'b0;
    to_advance = 1'b0;
    write_reason = 1'b0;
    send_waiting = 1'b0;
`ifdef OAE_ABLATE_F23
    next_late = late == 5'd0 ? 5'd0 : late - 1'b1;
    next_late_slot = late_slot;
    if (late == 5'd1) begin
      next_state[3*late_slot+:3] = `OAE_STATE_TENTATIVE;
      next_send[late_slot] = 1'b1;
    end
`endif

    if (told) begin
      // The host took the completion: telling and freeing are one step.
      next_tell_valid  = 1'b0;
      next_event_valid = 1'b1;
      if (tell_refusal) begin
        refusal_taken = 1'b1;
        next_event_word = {
          `OAE_EVENT_UNOPENED_TOLD, 16'd0, tell_reason, tell_outcome, 16'd0, submit_tag
        };
      end else begin
        tell_taken = 1'b1;
        step_slot = tell_slot;
        write_state = 1'b1;
        to_state = `OAE_STATE_IDLE;
        clear_send = 1'b1;
        write_known = 1'b1;
        to_known = 1'b0;
        write_advance = 1'b1;
        to_advance = 1'b0;
        next_event_word = word(
          `OAE_EVENT_TOLD,
          tell_slot,
          told_state,
          `OAE_STATE_IDLE,
          {
            tell_reason, tell_outcome
          },
          tell_id
        );
      end
    end else if (comparing) begin
      // REFLECTING lasts until the host leaves the core a cycle: an equal reflection is the decision.
      next_comparing = 1'b0;
      step_slot = comparing_slot;
      next_event_valid = 1'b1;
      set_send = 1'b1;
      if (comparing_equal || !`OAE_HAS_F13) begin
        write_state = 1'b1;
        to_state = `OAE_STATE_COMMITTED;
        write_known = 1'b1;
        to_known = !`OAE_HAS_F7;
        next_event_word = word(
          `OAE_EVENT_DECIDED,
          comparing_slot,
          `OAE_STATE_REFLECTING,
          `OAE_STATE_COMMITTED,
          8'd0,
          own_id
        );
      end else begin
        write_state = 1'b1;
        to_state = `OAE_STATE_REVERSING;
        next_event_word = word(
          `OAE_EVENT_MISMATCHED,
          comparing_slot,
          `OAE_STATE_REFLECTING,
          `OAE_STATE_REVERSING,
          8'd0,
          own_id
        );
      end
    end else if (inbox || frame_valid) begin
      next_inbox = 1'b0;
      step_slot = frame_slot;
      next_event_valid = 1'b1;
      // Unless a row below says otherwise, the frame answers nothing and is not believed.
      next_event_word = word(`OAE_EVENT_ANSWER_IGNORED, {SLOT_BITS{1'b0}}, 3'd0, 3'd0,
                             {3'd0, frame_operation}, frame_id);
      if (frame_named) begin
        case (frame_operation)
          `OAE_OPERATION_ACK:
          if (frame_state == `OAE_STATE_TENTATIVE) begin
            write_state = 1'b1;
            to_state = `OAE_STATE_REFLECTING;
            clear_send = 1'b1;
            next_comparing = 1'b1;
            next_comparing_equal = frame_matches;
            next_comparing_slot = frame_slot;
            next_event_word = word(
              `OAE_EVENT_REFLECTION_HEARD,
              frame_slot,
              frame_state,
              `OAE_STATE_REFLECTING,
              {
                7'd0, frame_matches
              },
              frame_id
            );
          end else if (frame_state == `OAE_STATE_COMMITTED && !known[frame_slot]) begin
            set_send = 1'b1;
            next_event_word = word(`OAE_EVENT_REFLECTION_REPEATED, frame_slot, frame_state,
                                   frame_state, 8'd0, frame_id);
          end
          `OAE_OPERATION_DONE:
          if (!`OAE_HAS_F11) begin
            write_state = 1'b1;
            to_state = `OAE_STATE_COMMITTED;
            write_known = 1'b1;
            to_known = 1'b1;
            clear_send = 1'b1;
            next_event_word = word(`OAE_EVENT_DONE_HEARD, frame_slot, frame_state,
                                   `OAE_STATE_COMMITTED, 8'd0, frame_id);
`ifdef OAE_ABLATE_F11
            next_event_word[ID_BITS-1:0] = ids[frame_slot];
`endif
          end else if (frame_matches) begin
            if (frame_state == `OAE_STATE_COMMITTED && !known[frame_slot]) begin
              write_known = 1'b1;
              to_known = 1'b1;
              clear_send = 1'b1;
              next_event_word =
                  word(`OAE_EVENT_DONE_HEARD, frame_slot, frame_state, frame_state, 8'd0, frame_id);
            end else if (frame_state == `OAE_STATE_TENTATIVE ||
                         frame_state == `OAE_STATE_REVERSING) begin
              next_event_word = word(
                `OAE_EVENT_INITIATOR_VIOLATION,
                frame_slot,
                3'd0,
                3'd0,
                {
                  3'd0, frame_operation
                },
                frame_id
              );
            end
          end
          `OAE_OPERATION_ABORTED:
          if (frame_matches) begin
            if (frame_state == `OAE_STATE_TENTATIVE || frame_state == `OAE_STATE_REVERSING) begin
              write_state = 1'b1;
              to_state = `OAE_STATE_ABORTED;
              clear_send = 1'b1;
              write_reason = 1'b1;
              next_event_word = word(
                `OAE_EVENT_ABORT_CONFIRMED,
                frame_slot,
                frame_state,
                `OAE_STATE_ABORTED,
                {
                  2'd0, frame_reason
                },
                frame_id
              );
            end else if (frame_state == `OAE_STATE_COMMITTED) begin
              next_event_word = word(
                `OAE_EVENT_INITIATOR_VIOLATION,
                frame_slot,
                3'd0,
                3'd0,
                {
                  3'd0, frame_operation
                },
                frame_id
              );
            end
          end
          default: ;
        endcase
      end
    end else if (resend_owed) begin
      next_resend_owed = resend;
      send_waiting = 1'b1;
      next_event_valid = 1'b1;
      next_event_word = {`OAE_EVENT_RESENT, 56'd0};
    end else if (cancel_valid) begin
      cancel_ready = 1'b1;
      step_slot = cancel_slot;
      next_event_valid = 1'b1;
      next_event_word = {`OAE_EVENT_CANCEL_IGNORED, 40'd0, cancel_tag};
      if (cancel_found) begin
        write_state = 1'b1;
        to_state = `OAE_STATE_REVERSING;
        set_send = 1'b1;
        next_event_word = word(`OAE_EVENT_CANCELLED, cancel_slot, cancel_state,
                               `OAE_STATE_REVERSING, 8'd0, own_id);
      end
    end else if (discard_valid) begin
      discard_ready = 1'b1;
      next_event_valid = 1'b1;
      next_event_word = {`OAE_EVENT_RECORD_DISCARDED, 40'd0, submit_tag};
    end else if (open_valid && can_open && open_slot_idle && !writing &&
                 !(open_kind == `OAE_KIND_EPOCH_ADVANCE && |advance)) begin
      // Counter and slot in one durable step.
      open_ready = 1'b1;
      step_slot = open_slot;
      next_next_id = next_id + 1'b1;
`ifdef OAE_ABLATE_F23
      next_late = 5'd31;
      next_late_slot = open_slot;
`else
      write_state = 1'b1;
      to_state = `OAE_STATE_TENTATIVE;
      set_send = 1'b1;
`endif
      clear_sent = 1'b1;
      write_known = 1'b1;
      to_known = 1'b0;
      write_advance = 1'b1;
      to_advance = open_kind == `OAE_KIND_EPOCH_ADVANCE;
      next_event_valid = 1'b1;
      next_event_word = word(`OAE_EVENT_OPENED, open_slot, `OAE_STATE_IDLE, `OAE_STATE_TENTATIVE,
                             open_kind, next_id);
    end else if (retry_valid && waiting[retry_slot] && !send[retry_slot]) begin
      retry_ready = 1'b1;
      set_send = 1'b1;
      next_event_valid = 1'b1;
      next_event_word =
          word(`OAE_EVENT_RETRIED, retry_slot, retry_state, retry_state, 8'd0, own_id);
    end

    // A step writes one slot. TRANSMIT comes first in a cycle: what it clears a step may set.
    for (w = 0; w < WINDOW; w = w + 1) begin
      if (grant_valid && grant_slot == w[SLOT_BITS-1:0]) begin
        next_send[w] = 1'b0;
        next_sent[w] = 1'b1;
      end
      if (send_waiting && waiting[w]) next_send[w] = 1'b1;
      if (step_slot == w[SLOT_BITS-1:0]) begin
        if (write_state) next_state[3*w+:3] = to_state;
        if (clear_send) next_send[w] = 1'b0;
        if (set_send) next_send[w] = 1'b1;
        if (clear_sent) next_sent[w] = 1'b0;
        if (write_known) next_known[w] = to_known;
        if (write_advance) next_advance[w] = to_advance;
        if (write_reason) next_reasons[6*w+:6] = frame_reason;
      end
    end

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
    end
  end

  // What a crash leaves: the decision, and the ids. The undecided is taken back, never IDLE.
  reg [3*WINDOW-1:0] crashed_state;
  always @* begin
    crashed_state = state;
    for (s = 0; s < WINDOW; s = s + 1)
    if (state[3*s+:3] != `OAE_STATE_IDLE && !(committed[s] && `OAE_HAS_F1))
      crashed_state[3*s+:3] = `OAE_STATE_REVERSING;
  end

  always @(posedge clk) begin
    state <= next_state;
    next_id <= next_next_id;
    advance <= next_advance;
    known <= next_known;
    send <= next_send;
    sent <= next_sent;
    reasons <= next_reasons;
    inbox <= next_inbox;
    comparing <= next_comparing;
    comparing_equal <= next_comparing_equal;
    comparing_slot <= next_comparing_slot;
    resend_owed <= next_resend_owed;
    tell_valid <= next_tell_valid;
    tell_refusal <= next_tell_refusal;
    tell_slot <= next_tell_slot;
    tell_outcome <= next_tell_outcome;
    tell_reason <= next_tell_reason;
    event_valid <= next_event_valid;
    event_word <= next_event_word;
    if (open_ready) ids[open_slot] <= next_id;
`ifdef OAE_ABLATE_F23
    late <= next_late;
    late_slot <= next_late_slot;
`endif
    if (rst || amnesia || crash) begin
      // Volatile state is lost; durable state stays as it was before this edge.
      state <= crashed_state;
      next_id <= `OAE_HAS_F2 ? next_id : {ID_BITS{1'b0}};
      advance <= advance;
      known <= {WINDOW{1'b0}};
      send <= {WINDOW{1'b0}};
      sent <= {WINDOW{1'b0}};
      reasons <= {6 * WINDOW{1'b0}};
      inbox <= 1'b0;
      comparing <= 1'b0;
      resend_owed <= 1'b0;
      tell_valid <= 1'b0;
      tell_refusal <= 1'b0;
      event_valid <= 1'b0;
`ifdef OAE_ABLATE_F23
      late <= 5'd0;
`endif
    end
    if (rst || amnesia || (crash && !`OAE_HAS_F15)) begin
      state   <= {3 * WINDOW{1'b0}};
      next_id <= {ID_BITS{1'b0}};
      advance <= {WINDOW{1'b0}};
    end
  end

`ifdef OAE_SIMULATION
  // Conservation, per session pair: every opened id is told or still held.
  reg [ID_BITS-1:0] told_count, held_count;
  always @* begin
    held_count = {ID_BITS{1'b0}};
    for (s = 0; s < WINDOW; s = s + 1)
    if (state[3*s+:3] != `OAE_STATE_IDLE) held_count = held_count + 1'b1;
  end
  always @(posedge clk) begin
    if (rst || amnesia || adopt) told_count <= {ID_BITS{1'b0}};
    else if (tell_taken && !crash) told_count <= told_count + 1'b1;
    if (!rst && !amnesia && !changing && next_id != told_count + held_count)
      $display("ASSERTION %m: next id is not told + held");
    if (!rst && event_valid && event_word[63:56] == `OAE_EVENT_INITIATOR_VIOLATION)
      $display("ASSERTION %m: an answer that a correct peer cannot send");
  end
`endif

endmodule
`default_nettype wire
