// Progress: from every state, one fault-free round tells the oldest transaction.
//
// The first cycle is any state in which the relations of docs/protocol.md, section 7, hold, and those
// hold in every reachable state (oae_lane_proof.sv proves them for an arbitrary id). From there on
// nothing is lost, nobody crashes, both hosts take what they are given, and the echo has proven
// every answer overdue once, at the beginning. By cycle ROUND the oldest transaction that A holds is
// told, and no frame is on its way. The relations hold there again, so another round follows: WINDOW
// rounds resolve whatever is in flight, and what B holds unresolved A holds as well (I8). This is a
// ranking by the number of busy slots; it is for this WINDOW and for records that were not altered.
`default_nettype none
`include "oae_defs.vh"

module oae_progress_proof #(
    parameter integer WINDOW    = 2,
    parameter integer ID_BITS   = 4,
    parameter integer ROUND     = 28,
    parameter integer SLOT_BITS = WINDOW > 1 ? $clog2(WINDOW) : 1
) (
    input wire       clk,
    // B's host may refuse, and both ends may be amid an epoch change, as they like.
    input wire       other_epoch,
    input wire       not_prepared,
    input wire       refuse,
    input wire [7:0] order_kind
);

  (* anyconst *) wire [SLOT_BITS-1:0] slot_mask;

  reg [7:0] cycle = 8'd0;
  always @(posedge clk) if (cycle != 8'hff) cycle <= cycle + 1'b1;
  wire first = cycle == 8'd0;
  wire rst = 1'b0;

  // ------------------------------------------------------------------ a fault-free world

  wire crash_a = 1'b0, crash_b = 1'b0;
  // Nothing new.
  wire can_open = 1'b0, open_valid = 1'b0;
  wire refusal_valid = 1'b0, discard_valid = 1'b0, cancel_valid = 1'b0;
  wire [7:0] open_kind = 8'd0;
  wire [5:0] refusal_reason = 6'd0, answer_reason = 6'd0;
  wire [15:0] submit_tag = 16'd0, cancel_tag = 16'd0;
  wire [WINDOW-1:0] cancel_hit = {WINDOW{1'b0}};
  wire retry_valid = 1'b0;
  wire [SLOT_BITS-1:0] retry_slot = {SLOT_BITS{1'b0}};
  // Both hosts take what they are given.
  wire tell_ready = 1'b1, deliver_ready = 1'b1;
  // Each waiting slot sends again: its answer is overdue.
  wire resend = first;

  // ------------------------------------------------------------------ two wires

  // A frame that is owed goes when the wire and the other end's inbox are free: lowest slot first,
  // as good as any order, because within a round each goes once.
  reg order_valid, answer_valid;
  reg [4:0] order_operation, answer_operation;
  reg [ID_BITS-1:0] order_id, answer_id;
  reg grant_a_valid, grant_b_valid;
  reg [SLOT_BITS-1:0] grant_a_slot, grant_b_slot;
  wire order_altered = 1'b0, answer_altered = 1'b0, order_stored = 1'b1;

  `include "oae_lane.svh"
  `include "oae_lane_slots.svh"

  assign order_matches  = 1'b1;
  assign answer_matches = 1'b1;

  integer i;
  always @* begin
    grant_a_valid = 1'b0;
    grant_b_valid = 1'b0;
    grant_a_slot  = {SLOT_BITS{1'b0}};
    grant_b_slot  = {SLOT_BITS{1'b0}};
    for (i = WINDOW - 1; i >= 0; i = i - 1) begin
      if ((owes_decision[i] || owes_repeat[i] || owes_first[i]) && !order_valid && !\b.inbox ) begin
        grant_a_valid = 1'b1;
        grant_a_slot  = i[SLOT_BITS-1:0];
      end
      if (owes_answer[i] && !answer_valid && !\a.inbox ) begin
        grant_b_valid = 1'b1;
        grant_b_slot  = i[SLOT_BITS-1:0];
      end
    end
  end

  wire [2:0] sent_state = \a.state [3*grant_a_slot+:3];
  wire [2:0] answered_state = \b.state [3*grant_b_slot+:3];
  always @(posedge clk) begin
    order_valid <= grant_a_valid;
    if (grant_a_valid) begin
      order_id <= a_ids[ID_BITS*grant_a_slot+:ID_BITS];
      order_operation <= sent_state == `OAE_STATE_TENTATIVE ? `OAE_OPERATION_DATA :
          sent_state == `OAE_STATE_COMMITTED ? `OAE_OPERATION_COMMIT : `OAE_OPERATION_ABORT;
    end
    answer_valid <= grant_b_valid;
    if (grant_b_valid) begin
      answer_id <= b_ids[ID_BITS*grant_b_slot+:ID_BITS];
      answer_operation <= answered_state == `OAE_STATE_REFLECTING ? `OAE_OPERATION_ACK :
          answered_state == `OAE_STATE_COMMITTED ? `OAE_OPERATION_DONE : `OAE_OPERATION_ABORTED;
    end
  end

  // ------------------------------------------------------------------ any state to begin with

  // The relations between both ends for the id of every slot.
  wire [WINDOW-1:0] pair_holds, held_holds;
  generate
    for (s = 0; s < WINDOW; s = s + 1) begin : g_pair
      wire [2:0] mine = \a.state [3*s+:3];
      wire [ID_BITS-1:0] id = a_ids[ID_BITS*s+:ID_BITS];
      wire [2:0] its = held_by_b(id);
      wire passed = is_passed(id);
      wire committed = its == `OAE_STATE_COMMITTED;
      wire delivered = committed && passed;  // I5, I6
      wire undecided = mine == `OAE_STATE_TENTATIVE || mine == `OAE_STATE_REFLECTING ||
          mine == `OAE_STATE_REVERSING;
      assign pair_holds[s] = mine == `OAE_STATE_IDLE || (
          // I10, I28
          (mine != `OAE_STATE_COMMITTED || its == `OAE_STATE_REFLECTING || committed) &&
          (mine != `OAE_STATE_COMMITTED || !passed || delivered) &&
          (!\a.known [s] || passed) &&
          // I13 and its like for an unequal reflection
          (mine != `OAE_STATE_REFLECTING || its == `OAE_STATE_REFLECTING) &&
          // I14
          (!undecided || (!committed && (!passed || its == `OAE_STATE_ABORTED))) &&
          // I15
          (!passed || delivered || its == `OAE_STATE_ABORTED));
    end
    for (s = 0; s < WINDOW; s = s + 1) begin : g_held
      wire [2:0] its = \b.state [3*s+:3];
      wire [ID_BITS-1:0] id = b_ids[ID_BITS*s+:ID_BITS];
      wire [2:0] mine = held_by_a(id);
      wire open = its != `OAE_STATE_IDLE && its != `OAE_STATE_ABORTED &&
          !(its == `OAE_STATE_COMMITTED && \b.delivered [s]);
      // I8, I11, I23
      assign held_holds[s] = (!open || mine != `OAE_STATE_IDLE) &&
          (!(open && its == `OAE_STATE_COMMITTED) || mine == `OAE_STATE_COMMITTED) &&
          (its != `OAE_STATE_ABORTED || mine != `OAE_STATE_COMMITTED);
    end
  endgenerate

  always @* begin
    assume((slot_mask & (slot_mask + 1'b1)) == {SLOT_BITS{1'b0}});
    if (first) begin
      // oae_lane_proof.sv proves these.
      assume(&{a_is_known, a_is_compared, a_known_is_committed, a_in_window, a_in_slot,
               a_is_resolved, b_is_known, b_is_settled, b_in_window, b_is_opened, b_in_slot,
               b_is_passed, open_is_held, pair_holds, held_holds});
      assume(gap <= window + window);
      if (\b.state [3*head_slot+:3] != `OAE_STATE_IDLE)
        assume(\b.head_matches == \b.head_matched );
      if (tell_valid && !tell_refusal)
        assume(tell_outcome == `OAE_OUTCOME_COMMITTED
            ? \a.state [3*tell_slot+:3] == `OAE_STATE_COMMITTED && \a.known [tell_slot]
            : tell_outcome == `OAE_OUTCOME_ABORTED &&
              \a.state [3*tell_slot+:3] == `OAE_STATE_ABORTED);
      // No frame is on its way: what is lost or late is what the round makes good.
      assume(!order_valid && !answer_valid && !\a.inbox && !\b.inbox );
    end
  end

  // ------------------------------------------------------------------ what is promised

  // The oldest transaction of A in the first cycle.
  reg [ID_BITS-1:0] oldest, now_oldest;
  reg any, now_any;
  always @* begin
    now_oldest = next_id;
    for (i = 0; i < WINDOW; i = i + 1)
      if (\a.state [3*i+:3] != `OAE_STATE_IDLE &&
          next_id - a_ids[ID_BITS*i+:ID_BITS] > next_id - now_oldest)
        now_oldest = a_ids[ID_BITS*i+:ID_BITS];
    now_any = now_oldest != next_id;
  end
  always @(posedge clk)
    if (first) begin
      oldest <= now_oldest;
      any <= now_any;
    end
  always @*
    if (cycle == ROUND) begin
      if (any) oldest_told : assert (held_by_a(oldest) == `OAE_STATE_IDLE);
      quiet : assert (!order_valid && !answer_valid && !\a.inbox && !\b.inbox );
    end

endmodule
`default_nettype wire
