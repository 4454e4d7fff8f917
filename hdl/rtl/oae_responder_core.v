// Responder of one lane: the six-state machine over the slot table, control only.
//
// It takes at most one step a cycle and tells it as one event word. Records and digests live
// outside; what this core is told of a frame is its operation, its id, its kind and whether its
// digest is the slot's. Steps and their order: docs/design.md, "Responder core".
`default_nettype none
`include "oae_defs.vh"
`include "oae_ablate.vh"

module oae_responder_core #(
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
    input wire                 changing,
    input wire                 adopt,      // SESSION_ADOPTED: ids start at 0, outcomes are erased

    // a verified DATA, COMMIT or ABORT; its fields hold until the next one
    input wire               frame_valid,
    input wire [        4:0] frame_operation,
    input wire [ID_BITS-1:0] frame_id,
    input wire [        7:0] frame_kind,
    input wire               frame_matches,    // its digest is the slot's
    // DATA: whether every word of its record was stored, which is decided word by word before the
    // verdict; the pointer may have moved since
    input wire               frame_stored,
    // DATA: why it may not be held
    input wire               other_epoch,      // sent in another epoch, or the epoch is changing
    input wire               not_prepared,     // an advance beyond what the domain has prepared
    input wire               refuse,           // the host refuses

    // this edge names the slot: the frame's digest, kind and length are recorded with it
    output reg                  record_valid,
    output reg                  record_held,   // and it is held, not refused or taken back
    output wire [SLOT_BITS-1:0] record_slot,

    // may a record word of this id be stored? (in the window, slot free of it)
    input  wire [ID_BITS-1:0] store_id,
    output wire               store_allowed,

    // delivery: ready at the handshake of the record's last beat
    output reg                  deliver_valid,
    input  wire                 deliver_ready,
    output wire [SLOT_BITS-1:0] head_slot,
    output wire [  ID_BITS-1:0] head_id,
    output reg                  advance_taken,  // this edge an epoch advance takes effect
    // a reflected record discarded in doubt
    output reg                  doubt_valid,
    input  wire                 doubt_ready,

    // answers owed to the peer; a grant takes one
    output reg  [   WINDOW-1:0] owes_answer,
    input  wire                 grant_valid,
    input  wire [SLOT_BITS-1:0] grant_slot,
    // what a slot would answer, for the transmit arbiter
    input  wire [SLOT_BITS-1:0] look_slot,
    output wire [  ID_BITS-1:0] look_id,
    output reg  [          4:0] look_operation,
    output wire [          5:0] look_reason,
    output wire                 unresolved,

    output reg        event_valid,
    output reg [63:0] event_word
);

  // Durable. An IDLE slot names nothing; `delivered` marks a COMMITTED one.
  reg [3*WINDOW-1:0] state, next_state;
  reg [WINDOW-1:0] delivered, next_delivered;
  reg [WINDOW-1:0] advance, next_advance;
  reg [6*WINDOW-1:0] reasons, next_reasons;
  reg [ID_BITS-1:0] ids[0:WINDOW-1];
  reg [ID_BITS-1:0] deliver_pointer, next_deliver_pointer;
  // Volatile.
  reg [WINDOW-1:0] answer, next_answer;
  reg inbox, next_inbox;  // a verified frame waits
  reg settling, next_settling;  // a slot is TENTATIVE or REVERSING
  reg [SLOT_BITS-1:0] settling_slot, next_settling_slot;
  reg settling_held, next_settling_held;  // it was REFLECTING before
  reg next_event_valid;
  reg [63:0] next_event_word;

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
  function automatic [5:0] reason_of;
    input [6*WINDOW-1:0] from;
    input [SLOT_BITS-1:0] slot;
    integer i, b;
    reg [WINDOW-1:0] bits;
    begin
      for (b = 0; b < 6; b = b + 1) begin
        for (i = 0; i < WINDOW; i = i + 1) bits[i] = from[6*i+b];
        reason_of[b] = bits[slot];
      end
    end
  endfunction

  wire [SLOT_BITS-1:0] frame_slot = frame_id[SLOT_BITS-1:0] & slot_mask;
  wire [2:0] frame_state = state_of(state, frame_slot);
  wire frame_named = frame_state != `OAE_STATE_IDLE && ids[frame_slot] == frame_id;
  wire [ID_BITS-1:0] distance = frame_id - deliver_pointer;
  wire below = distance[ID_BITS-1];
  wire beyond = !below &&
      (distance >> SLOT_BITS != {ID_BITS{1'b0}} || distance[SLOT_BITS-1:0] > slot_mask);

  wire [SLOT_BITS-1:0] store_slot = store_id[SLOT_BITS-1:0] & slot_mask;
  wire [ID_BITS-1:0] store_distance = store_id - deliver_pointer;
  wire store_named = state_of(state, store_slot) != `OAE_STATE_IDLE && ids[store_slot] == store_id;
  // In the window and not named: then whatever the slot holds is resolved, its record is dead.
  assign store_allowed = !store_named && store_distance >> SLOT_BITS == {ID_BITS{1'b0}} &&
      store_distance[SLOT_BITS-1:0] <= slot_mask;

  assign record_slot = frame_slot;
  assign head_slot = deliver_pointer[SLOT_BITS-1:0] & slot_mask;
  assign head_id = deliver_pointer;
  wire [2:0] head_state = state_of(state, head_slot);
  wire writes_id;
  // Whether the head's id is that of its slot is found a cycle ahead, for the pointer as it is and
  // for the next one; which of them counts is chosen afterwards, so that neither look-up waits for
  // the step. What changes the pointer otherwise leaves every slot IDLE.
  reg matched_here, matched_next, moved, named_here, named_equal;
  wire [ID_BITS-1:0] next_pointer = deliver_pointer + 1'b1;
  wire [SLOT_BITS-1:0] next_head_slot = next_pointer[SLOT_BITS-1:0] & slot_mask;
  wire head_matched = ids[head_slot] == deliver_pointer;
  always @(posedge clk) begin
    matched_here <= head_matched;
    matched_next <= ids[next_head_slot] == next_pointer;
    moved <= next_deliver_pointer[0] != deliver_pointer[0] && !(rst || amnesia || crash || adopt);
    named_here <= writes_id && frame_slot == head_slot;
    named_equal <= frame_id == deliver_pointer;
  end
  wire head_matches = moved ? matched_next : named_here ? named_equal : matched_here;
  wire head_named = head_state != `OAE_STATE_IDLE && head_matches;
  wire head_delivered = delivered[head_slot];
  wire head_committed = head_named && head_state == `OAE_STATE_COMMITTED && !head_delivered;

  assign look_id = ids[look_slot];
  assign look_reason = reason_of(reasons, look_slot);

  reg [WINDOW-1:0] open_slots;  // unresolved
  assign unresolved = |open_slots;
  wire advance_unresolved = |(open_slots & advance);

`ifdef OAE_ABLATE_F18
  // The mark comes some cycles after the delivery.
  reg [5:0] mark_delay;
  reg marking;
`endif

  reg [5:0] refusal;
  always @* begin
    refusal = `OAE_ABORT_REASON_NONE;
    if (refuse) refusal = `OAE_ABORT_REASON_REFUSED;
    if (frame_kind == `OAE_KIND_EPOCH_ADVANCE && (not_prepared || advance_unresolved))
      refusal = `OAE_ABORT_REASON_NOT_PREPARED;
    if (other_epoch) refusal = `OAE_ABORT_REASON_EPOCH;
  end

  integer s;
  always @* begin
    for (s = 0; s < WINDOW; s = s + 1) begin
      open_slots[s] = state[3*s+:3] != `OAE_STATE_IDLE && state[3*s+:3] != `OAE_STATE_ABORTED &&
          !(state[3*s+:3] == `OAE_STATE_COMMITTED && delivered[s]);
      owes_answer[s] = answer[s] && (state[3*s+:3] == `OAE_STATE_REFLECTING ||
          state[3*s+:3] == `OAE_STATE_ABORTED ||
          (state[3*s+:3] == `OAE_STATE_COMMITTED && (delivered[s] || !`OAE_HAS_F20)));
    end
    case (state_of(
        state, look_slot
    ))
      `OAE_STATE_REFLECTING: look_operation = `OAE_OPERATION_ACK;
      `OAE_STATE_COMMITTED: look_operation = `OAE_OPERATION_DONE;
      default: look_operation = `OAE_OPERATION_ABORTED;
    endcase
    deliver_valid = head_committed && !advance[head_slot];
    doubt_valid   = changing && head_named && head_state == `OAE_STATE_REFLECTING && !settling;
`ifdef OAE_ABLATE_F8
    // Delivery on arrival.
    deliver_valid = head_named && !head_delivered && !advance[head_slot] &&
        (head_state == `OAE_STATE_REFLECTING || head_state == `OAE_STATE_COMMITTED);
`endif
`ifdef OAE_ABLATE_F18
    if (marking) deliver_valid = 1'b0;
`endif
  end

`ifdef OAE_ABLATE_F5
  // A responder that grows tired of waiting; a proof cannot wait as long as a simulation.
`ifndef OAE_PATIENCE_BITS
  `define OAE_PATIENCE_BITS 10
`endif
  reg [`OAE_PATIENCE_BITS-1:0] patience;
  wire tired = &patience && head_named && head_state == `OAE_STATE_REFLECTING;
  always @(posedge clk)
    if (rst || head_state != `OAE_STATE_REFLECTING) patience <= {`OAE_PATIENCE_BITS{1'b0}};
    else if (!(&patience)) patience <= patience + 1'b1;
`else
  wire tired = 1'b0;
`endif
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

  // A frame that may name its slot writes its id; if it names it already, the id is the same.
  assign writes_id = (inbox || frame_valid) && !delivery && !doubt && !settling &&
      (!(below || beyond) || !`OAE_HAS_F24) && !(rst || amnesia || crash) &&
      ((frame_operation == `OAE_OPERATION_DATA && (frame_stored || !`OAE_HAS_F24)) ||
       (frame_operation == `OAE_OPERATION_ABORT && `OAE_HAS_F22));
  wire [7:0] frame_info = {3'd0, frame_operation};
`ifdef OAE_ABLATE_F18
  wire delivery = marking && mark_delay == 6'd0;
`else
  wire delivery = deliver_valid && deliver_ready;
`endif
  wire doubt = doubt_valid && doubt_ready;
  wire [2:0] settling_state = state_of(state, settling_slot);

  // What the step of this cycle does to its slot.
  reg [SLOT_BITS-1:0] step_slot;
  reg write_state, write_answer, to_answer, write_delivered, to_delivered;
  reg write_advance, to_advance, write_reason;
  reg [2:0] to_state;
  reg [5:0] to_reason;
  integer w;
`ifdef OAE_ABLATE_F21
  reg [ID_BITS-1:0] behind;
`endif

  always @* begin
    next_state = state;
    next_delivered = delivered;
    next_advance = advance;
    next_reasons = reasons;
    next_deliver_pointer = deliver_pointer;
    next_answer = answer;
    next_inbox = inbox || frame_valid;
    next_settling = settling;
    next_settling_slot = settling_slot;
    next_settling_held = settling_held;
    record_valid = 1'b0;
    record_held = 1'b0;
    advance_taken = 1'b0;
    next_event_valid = 1'b0;
    next_event_word = 64'd0;

    step_slot = head_slot;
    write_state = 1'b0;
    to_state = `OAE_STATE_IDLE;
    write_answer = 1'b0;
    to_answer = 1'b0;
    write_delivered = 1'b0;
    to_delivered = 1'b0;
    write_advance = 1'b0;
    to_advance = 1'b0;
    write_reason = 1'b0;
    to_reason = refusal;

    if (delivery) begin
      // The last beat is taken and the mark is set in one step; only then is DONE due.
      write_delivered = 1'b1;
      to_delivered = 1'b1;
      write_answer = 1'b1;
      to_answer = 1'b1;
      next_deliver_pointer = deliver_pointer + 1'b1;
      write_state = !`OAE_HAS_F21;
      next_event_valid = 1'b1;
      next_event_word = word(`OAE_EVENT_DELIVERED, head_slot, head_state, head_state,
                             `OAE_KIND_DATA, deliver_pointer);
    end else if (doubt) begin
      // The peer's memory is gone: nobody will ever decide this record.
      write_state = 1'b1;
      to_state = `OAE_STATE_IDLE;
      write_answer = 1'b1;
      to_answer = 1'b0;
      next_deliver_pointer = deliver_pointer + 1'b1;
      next_event_valid = 1'b1;
      next_event_word =
          word(`OAE_EVENT_DOUBTED, head_slot, head_state, `OAE_STATE_IDLE, 8'd0, deliver_pointer);
    end else if (settling) begin
      step_slot = settling_slot;
      next_settling = 1'b0;
      next_event_valid = 1'b1;
      write_answer = 1'b1;
      to_answer = 1'b1;
      if (settling_state == `OAE_STATE_TENTATIVE) begin
        write_state = 1'b1;
        to_state = `OAE_STATE_REFLECTING;
        next_event_word = word(
          `OAE_EVENT_REFLECTED,
          settling_slot,
          settling_state,
          `OAE_STATE_REFLECTING,
          8'd0,
          ids[settling_slot]
        );
      end else begin
        write_state = 1'b1;
        to_state = `OAE_STATE_ABORTED;
        write_reason = 1'b1;
        to_reason = `OAE_ABORT_REASON_REQUESTED;
        next_event_word = word(
          `OAE_EVENT_ABORT_RECORDED,
          settling_slot,
          settling_state,
          `OAE_STATE_ABORTED,
          8'd0,
          ids[settling_slot]
        );
      end
    end else if (inbox || frame_valid) begin
      next_inbox = 1'b0;
      step_slot = frame_slot;
      next_event_valid = 1'b1;
      // The window test precedes every row.
      if (beyond && `OAE_HAS_F24) begin
        next_event_word =
            word(`OAE_EVENT_BEYOND_WINDOW, {SLOT_BITS{1'b0}}, 3'd0, 3'd0, frame_info, frame_id);
      end else if (below && !frame_named && `OAE_HAS_F24) begin
        next_event_word =
            word(`OAE_EVENT_BELOW_WINDOW, {SLOT_BITS{1'b0}}, 3'd0, 3'd0, frame_info, frame_id);
      end else if (!frame_named) begin
        // Never seen.
        case (frame_operation)
          `OAE_OPERATION_DATA:
          if (!frame_stored && `OAE_HAS_F24)
            // Its words came while it was beyond the window: it still is not here.
            next_event_word = word(
              `OAE_EVENT_BEYOND_WINDOW, {SLOT_BITS{1'b0}}, 3'd0, 3'd0, frame_info, frame_id
            );
          else begin
            record_valid = 1'b1;
            write_delivered = 1'b1;
            to_delivered = 1'b0;
            write_advance = 1'b1;
            to_advance = frame_kind == `OAE_KIND_EPOCH_ADVANCE;
            if (refusal != `OAE_ABORT_REASON_NONE) begin
              write_state = 1'b1;
              to_state = `OAE_STATE_ABORTED;
              write_reason = 1'b1;
              to_reason = refusal;
              write_answer = 1'b1;
              to_answer = 1'b1;
              next_event_word = word(
                `OAE_EVENT_REFUSED,
                frame_slot,
                `OAE_STATE_IDLE,
                `OAE_STATE_ABORTED,
                {
                  2'd0, refusal
                },
                frame_id
              );
            end else begin
              record_held = 1'b1;
              write_state = 1'b1;
              to_state = `OAE_STATE_TENTATIVE;
              write_answer = 1'b1;
              to_answer = 1'b0;
              next_settling = 1'b1;
              next_settling_slot = frame_slot;
              next_settling_held = 1'b0;
              next_event_word = word(
                `OAE_EVENT_HELD,
                frame_slot,
                `OAE_STATE_IDLE,
                `OAE_STATE_TENTATIVE,
                frame_kind,
                frame_id
              );
            end
          end
          `OAE_OPERATION_ABORT:
          if (`OAE_HAS_F22) begin
            record_valid = 1'b1;
            write_state = 1'b1;
            to_state = `OAE_STATE_REVERSING;
            write_delivered = 1'b1;
            to_delivered = 1'b0;
            write_advance = 1'b1;
            to_advance = 1'b0;
            write_answer = 1'b1;
            to_answer = 1'b0;
            next_settling = 1'b1;
            next_settling_slot = frame_slot;
            next_settling_held = 1'b0;
            next_event_word = word(`OAE_EVENT_REVERSED, frame_slot, `OAE_STATE_IDLE,
                                   `OAE_STATE_REVERSING, 8'd0, frame_id);
          end else next_event_valid = 1'b0;
          default:
          next_event_word =
              word(`OAE_EVENT_COMMIT_IGNORED, {SLOT_BITS{1'b0}}, 3'd0, 3'd0, frame_info, frame_id);
        endcase
      end else if (frame_state == `OAE_STATE_ABORTED ||
                   (frame_state == `OAE_STATE_COMMITTED && delivered[frame_slot]) ||
                   (frame_state == `OAE_STATE_REFLECTING &&
                    frame_operation == `OAE_OPERATION_DATA)) begin
        write_answer = 1'b1;
        to_answer = 1'b1;
        next_event_word = word(`OAE_EVENT_ANSWER_REPEATED, frame_slot, frame_state, frame_state,
                               frame_info, frame_id);
      end else if (frame_state == `OAE_STATE_COMMITTED) begin
        next_event_word = word(`OAE_EVENT_DELIVERY_AWAITED, frame_slot, frame_state, frame_state,
                               frame_info, frame_id);
      end else if (!frame_matches) begin
        next_event_word =
            word(`OAE_EVENT_RESPONDER_VIOLATION, frame_slot, 3'd0, 3'd0, frame_info, frame_id);
      end else if (frame_operation == `OAE_OPERATION_COMMIT) begin
        write_state = 1'b1;
        to_state = `OAE_STATE_COMMITTED;
        write_answer = 1'b1;
        to_answer = !`OAE_HAS_F20;
        write_delivered = 1'b1;
        to_delivered = 1'b0;
        next_event_word = word(`OAE_EVENT_COMMIT_HEARD, frame_slot, frame_state,
                               `OAE_STATE_COMMITTED, 8'd0, frame_id);
`ifdef OAE_ABLATE_F8
        // It may have been delivered already.
        write_delivered = 1'b0;
`endif
`ifdef OAE_ABLATE_F19
        // The mark comes before the delivery.
        if (frame_id == deliver_pointer) begin
          write_delivered = 1'b1;
          to_delivered = 1'b1;
          write_answer = 1'b1;
          to_answer = 1'b1;
          next_deliver_pointer = deliver_pointer + 1'b1;
        end
`endif
      end else begin
        // ABORT of a reflected record, with its digest.
        write_state = 1'b1;
        to_state = `OAE_STATE_REVERSING;
        write_answer = 1'b1;
        to_answer = 1'b0;
        next_settling = 1'b1;
        next_settling_slot = frame_slot;
        next_settling_held = 1'b1;
        next_event_word = word(`OAE_EVENT_REVERSED, frame_slot, frame_state, `OAE_STATE_REVERSING,
                               8'd0, frame_id);
      end
    end else if (tired) begin
      write_state = 1'b1;
      to_state = `OAE_STATE_ABORTED;
      write_answer = 1'b1;
      to_answer = 1'b1;
      next_event_valid = 1'b1;
      next_event_word = word(`OAE_EVENT_ABORT_RECORDED, head_slot, head_state, `OAE_STATE_ABORTED,
                             8'd0, deliver_pointer);
    end else if (head_committed && advance[head_slot]) begin
      // An epoch advance is no record for the host: it takes effect here.
      advance_taken = 1'b1;
      write_delivered = 1'b1;
      to_delivered = 1'b1;
      write_answer = 1'b1;
      to_answer = 1'b1;
      next_deliver_pointer = deliver_pointer + 1'b1;
      next_event_valid = 1'b1;
      next_event_word = word(
        `OAE_EVENT_DELIVERED,
        head_slot,
        head_state,
        head_state,
        `OAE_KIND_EPOCH_ADVANCE,
        deliver_pointer
      );
    end else if ((head_named && head_state == `OAE_STATE_ABORTED) ||
                 (changing && unresolved && !head_named)) begin
      // Aborted ids are skipped; while draining, so is what never came.
      next_deliver_pointer = deliver_pointer + 1'b1;
      write_state = !`OAE_HAS_F21;
      next_event_valid = 1'b1;
      next_event_word =
          word(`OAE_EVENT_SKIPPED, {SLOT_BITS{1'b0}}, 3'd0, 3'd0, 8'd0, deliver_pointer);
    end

`ifdef OAE_ABLATE_F21
    // Passed by the deliver pointer, an outcome is forgotten not at once but with its answer.
    if (!doubt && next_deliver_pointer != deliver_pointer) write_state = 1'b0;
`endif
    // A step writes one slot. TRANSMIT comes first in a cycle: what it clears a step may set.
    for (w = 0; w < WINDOW; w = w + 1) begin
      if (grant_valid && grant_slot == w[SLOT_BITS-1:0]) next_answer[w] = 1'b0;
`ifdef OAE_ABLATE_F21
      behind = ids[w] - deliver_pointer;
      if (grant_valid && grant_slot == w[SLOT_BITS-1:0] && behind[ID_BITS-1] && !open_slots[w])
        next_state[3*w+:3] = `OAE_STATE_IDLE;
`endif
      if (step_slot == w[SLOT_BITS-1:0]) begin
        if (write_state) next_state[3*w+:3] = to_state;
        if (write_answer) next_answer[w] = to_answer;
        if (write_delivered) next_delivered[w] = to_delivered;
        if (write_advance) next_advance[w] = to_advance;
        if (write_reason) next_reasons[6*w+:6] = to_reason;
      end
    end

    if (adopt) begin
      next_deliver_pointer = {ID_BITS{1'b0}};
      next_state = {3 * WINDOW{1'b0}};
      next_delivered = {WINDOW{1'b0}};
      next_answer = {WINDOW{1'b0}};
    end

    // At the edge of a restart no step is taken.
    if (rst || amnesia || crash) begin
      record_valid  = 1'b0;
      record_held   = 1'b0;
      advance_taken = 1'b0;
      next_settling = 1'b0;
    end
  end

  // What a crash leaves: TENTATIVE was never promised; REVERSING was not yet recorded.
  reg [3*WINDOW-1:0] crashed_state;
  always @* begin
    crashed_state = state;
    for (s = 0; s < WINDOW; s = s + 1) begin
      if (state[3*s+:3] == `OAE_STATE_TENTATIVE) crashed_state[3*s+:3] = `OAE_STATE_IDLE;
      if (state[3*s+:3] == `OAE_STATE_REVERSING)
        crashed_state[3*s+:3] = settling_held ? `OAE_STATE_REFLECTING : `OAE_STATE_IDLE;
      if (state[3*s+:3] == `OAE_STATE_REFLECTING && !`OAE_HAS_F3)
        crashed_state[3*s+:3] = `OAE_STATE_IDLE;
      if ((state[3*s+:3] == `OAE_STATE_ABORTED || state[3*s+:3] == `OAE_STATE_COMMITTED) &&
          !`OAE_HAS_F4)
        crashed_state[3*s+:3] = `OAE_STATE_IDLE;
    end
  end

  always @(posedge clk) begin
    state <= next_state;
    delivered <= next_delivered;
    advance <= next_advance;
    reasons <= next_reasons;
    deliver_pointer <= next_deliver_pointer;
    answer <= next_answer;
    inbox <= next_inbox;
    settling <= next_settling;
    settling_slot <= next_settling_slot;
    settling_held <= next_settling_held;
    event_valid <= next_event_valid;
    event_word <= next_event_word;
    if (writes_id) ids[frame_slot] <= frame_id;
    if (rst || amnesia || crash) begin
      // Volatile state is lost; durable state stays as it was before this edge.
      state <= crashed_state;
      delivered <= delivered;
      advance <= advance;
      reasons <= reasons;
      deliver_pointer <= deliver_pointer;
      answer <= {WINDOW{1'b0}};
      inbox <= 1'b0;
      settling <= 1'b0;
      settling_held <= 1'b0;
      event_valid <= 1'b0;
    end
    if (rst || amnesia || (crash && !`OAE_HAS_F15)) begin
      state <= {3 * WINDOW{1'b0}};
      delivered <= {WINDOW{1'b0}};
      advance <= {WINDOW{1'b0}};
      reasons <= {6 * WINDOW{1'b0}};
      deliver_pointer <= {ID_BITS{1'b0}};
    end
  end

`ifdef OAE_ABLATE_F18
  always @(posedge clk) begin
    mark_delay <= marking ? mark_delay - 1'b1 : 6'd40;
    marking <= (marking || (deliver_valid && deliver_ready)) && !delivery;
    if (rst || amnesia || crash) marking <= 1'b0;
  end
`endif

`ifdef OAE_SIMULATION
  // Conservation, per session pair: what the pointer has passed, and what is aborted beyond it, was
  // delivered or aborted.
  reg [ID_BITS-1:0] delivered_count, aborted_count, aborted_ahead, offset;
  wire [7:0] told_code = event_word[63:56];
  // The event shows a step in the cycle after its edge, together with the state that it left.
  wire [ID_BITS-1:0] delivered_now = delivered_count +
      {{ID_BITS - 1{1'b0}}, event_valid && told_code == `OAE_EVENT_DELIVERED};
  wire [ID_BITS-1:0] aborted_now = aborted_count + {{ID_BITS - 1{1'b0}}, event_valid &&
      (told_code == `OAE_EVENT_REFUSED || told_code == `OAE_EVENT_ABORT_RECORDED)};
  reg suspended;  // from a change of session to the adoption of the new one
  always @(posedge clk) begin
    delivered_count <= delivered_now;
    aborted_count <= aborted_now;
    suspended <= changing;
    if (rst || amnesia || adopt) begin
      delivered_count <= {ID_BITS{1'b0}};
      aborted_count   <= {ID_BITS{1'b0}};
    end
    // verilator lint_off BLKSEQ
    aborted_ahead = {ID_BITS{1'b0}};
    for (s = 0; s < WINDOW; s = s + 1) begin
      offset = ids[s] - deliver_pointer;
      if (state[3*s+:3] == `OAE_STATE_ABORTED && !offset[ID_BITS-1])
        aborted_ahead = aborted_ahead + 1'b1;
    end
    // verilator lint_on BLKSEQ
    if (!rst && !amnesia && !changing && !suspended &&
        deliver_pointer + aborted_ahead != delivered_now + aborted_now)
      $display("ASSERTION %m: deliver pointer is not delivered + aborted");
  end
  always @(posedge clk)
    if (!rst && head_state != `OAE_STATE_IDLE && head_matches != head_matched)
      $display("ASSERTION %m: the head's id is not as it was found");
  always @(posedge clk)
    if (!rst && event_valid && event_word[63:56] == `OAE_EVENT_RESPONDER_VIOLATION)
      $display("ASSERTION %m: a frame that a correct peer cannot send");
`endif

endmodule
`default_nettype wire
