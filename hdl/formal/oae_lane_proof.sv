// Both ends of one lane and every channel there is: the composed proof.
//
// One initiator core and one responder core, the modules that are synthesized, in one session pair.
// One transaction is followed, whose id is arbitrary. The channel is "was ever sent": a frame of that
// id may reach the other end in any cycle after its slot first owed it, any number of times, in
// any order, or never; that is loss, duplication, reordering and delay without a bound. Frames of
// other ids come at will, as far as the relations (proven here for the arbitrary id) allow them.
//
// The ids are circular: nothing bounds the number of transactions. What is assumed is that a frame
// is gone once half of all ids have been opened after its own (docs/protocol.md, section 3).
`default_nettype none
`include "oae_defs.vh"

module oae_lane_proof #(
    parameter integer WINDOW    = 2,
    parameter integer ID_BITS   = 4,
    parameter integer SLOT_BITS = WINDOW > 1 ? $clog2(WINDOW) : 1
) (
    input wire clk,

    // everything that the world may do, in any cycle
    input wire crash_a,
    input wire crash_b,

    input wire                 can_open,
    input wire                 resend,
    input wire                 answer_valid,
    input wire [          4:0] answer_operation,
    input wire [  ID_BITS-1:0] answer_id,
    input wire                 answer_altered,
    input wire [          5:0] answer_reason,
    input wire                 open_valid,
    input wire [          7:0] open_kind,
    input wire                 refusal_valid,
    input wire [          5:0] refusal_reason,
    input wire                 discard_valid,
    input wire [         15:0] submit_tag,
    input wire                 cancel_valid,
    input wire [         15:0] cancel_tag,
    input wire [   WINDOW-1:0] cancel_hit,
    input wire                 retry_valid,
    input wire [SLOT_BITS-1:0] retry_slot,
    input wire                 grant_a_valid,
    input wire [SLOT_BITS-1:0] grant_a_slot,
    input wire                 tell_ready,

    input wire                 order_valid,
    input wire [          4:0] order_operation,
    input wire [  ID_BITS-1:0] order_id,
    input wire                 order_altered,
    input wire                 order_stored,
    input wire [          7:0] order_kind,
    input wire                 other_epoch,
    input wire                 not_prepared,
    input wire                 refuse,
    input wire                 deliver_ready,
    input wire                 grant_b_valid,
    input wire [SLOT_BITS-1:0] grant_b_slot,
    input wire                 other_answer_matches,
    input wire                 other_order_matches,

    // damage that passes FCS and guard: the id, or the operation, is another one
    input wire                 order_misdirected,
    input wire                 order_turned,
    input wire                 answer_misdirected,
    input wire                 answer_turned
);

  // The transaction that is followed, and the negotiated window.
  (* anyconst *) wire [ID_BITS-1:0] k;
  (* anyconst *) wire [SLOT_BITS-1:0] slot_mask;

  reg started = 1'b0;
  always @(posedge clk) started <= 1'b1;
  wire rst = !started;

  // ------------------------------------------------------------------ the two ends

  `include "oae_lane.svh"

  // ------------------------------------------------------------------ the history of k

  reg opened, told_committed, told_aborted, delivered;
  reg a_committed, a_aborted, b_reflected, b_committed, b_aborted;  // ever
  reg b_altered;  // B recorded another digest for k than A sent
  reg adopted;  // and A took it over
  reg sent_data, sent_commit, sent_abort;
  reg [1:0] sent_ack, sent_done, sent_aborted;  // by digest: bit 1 for the altered one

  wire [SLOT_BITS-1:0] k_slot = k[SLOT_BITS-1:0] & slot_mask;
  wire [2:0] a_state = held_by_a(k);
  wire [2:0] b_state = held_by_b(k);
  wire a_known = \a.known [k_slot];
  wire b_delivered = b_state == `OAE_STATE_COMMITTED && \b.delivered [k_slot];
  wire k_passed = is_passed(k);

  wire opening = open_ready;
  wire telling = tell_taken;
  wire delivering = ((deliver_valid && deliver_ready) || advance_taken) && !crash_b && !rst;
  wire forgotten = opening && next_id + 1'b1 - k == HALF;

  always @(posedge clk) begin
    if (opening && open_id == k) opened <= 1'b1;
    if (telling && tell_id == k && tell_outcome == `OAE_OUTCOME_COMMITTED) told_committed <= 1'b1;
    if (telling && tell_id == k && tell_outcome != `OAE_OUTCOME_COMMITTED) told_aborted <= 1'b1;
    if (delivering && head_id == k) delivered <= 1'b1;
    if (record_valid && order_id == k)
      b_altered <= order_altered || order_misdirected || order_turned;
    // Decided on an unequal reflection, A would take its digest over (F13).
    if (a_state == `OAE_STATE_REFLECTING && \a.comparing && !\a.comparing_equal && !`OAE_HAS_F13)
      adopted <= 1'b1;
    if (a_state == `OAE_STATE_COMMITTED) a_committed <= 1'b1;
    if (a_state == `OAE_STATE_ABORTED) a_aborted <= 1'b1;
    if (b_state == `OAE_STATE_REFLECTING) b_reflected <= 1'b1;
    if (b_state == `OAE_STATE_COMMITTED) b_committed <= 1'b1;
    if (b_state == `OAE_STATE_ABORTED) b_aborted <= 1'b1;
    // What is owed may have been sent.
    if (a_state != `OAE_STATE_IDLE) begin
      if (owes_first[k_slot] || owes_repeat[k_slot]) sent_data <= 1'b1;
      if (owes_decision[k_slot] && a_state == `OAE_STATE_COMMITTED) sent_commit <= 1'b1;
      if (owes_decision[k_slot] && a_state != `OAE_STATE_COMMITTED) sent_abort <= 1'b1;
    end
    if (b_state != `OAE_STATE_IDLE && owes_answer[k_slot])
      case (b_state)
        `OAE_STATE_REFLECTING: sent_ack <= sent_ack | 2'd1 << b_altered;
        `OAE_STATE_COMMITTED: sent_done <= sent_done | 2'd1 << b_altered;
        default: sent_aborted <= sent_aborted | 2'd1 << b_altered;
      endcase
    if (rst || forgotten) begin
      {opened, told_committed, told_aborted, delivered} <= 4'd0;
      {a_committed, a_aborted, b_reflected, b_committed, b_aborted} <= 5'd0;
      {b_altered, adopted} <= 2'd0;
      {sent_data, sent_commit, sent_abort, sent_ack, sent_done, sent_aborted} <= 9'd0;
    end
  end

  // The step before: where the pointer was, and whether a delivery moved it.
  reg [ID_BITS-1:0] last_pointer;
  reg moved_on;
  wire [ID_BITS-1:0] next_pointer = last_pointer + 1'b1;
  always @(posedge clk) begin
    last_pointer <= rst ? {ID_BITS{1'b0}} : pointer;
    moved_on <= delivering;
  end

  // ------------------------------------------------------------------ the channel

  wire order_used = order_valid || \b.inbox ;
  wire answer_used = answer_valid || \a.inbox ;
  // The digest binds the id (F12) and, complemented, the operation (F14): what was damaged does not
  // match, even if all records are equal.
  wire order_equal = order_altered == b_altered;
  wire answer_equal = answer_altered == adopted;
  assign order_matches = order_id != k ? other_order_matches :
      order_misdirected ? !`OAE_HAS_F12 : (!order_turned || !`OAE_HAS_F14) && order_equal;
  assign answer_matches = answer_id != k ? other_answer_matches :
      answer_misdirected ? !`OAE_HAS_F12 : (!answer_turned || !`OAE_HAS_F14) && answer_equal;

  always @* begin
    // A negotiated window is a power of two.
    assume((slot_mask & (slot_mask + 1'b1)) == {SLOT_BITS{1'b0}});
    // What is heard was sent: no frame is of an id that was not opened, or opened too long ago.
    if (order_used) begin
      assume(is_current(order_id));
      assume(order_operation == `OAE_OPERATION_DATA || order_operation == `OAE_OPERATION_COMMIT ||
             order_operation == `OAE_OPERATION_ABORT);
      if (order_id == k)
        case (order_operation)
          // Its record may be altered on the way, with its digest.
          `OAE_OPERATION_DATA: assume(sent_data && !order_misdirected && !order_turned);
          `OAE_OPERATION_COMMIT:
          assume(order_misdirected || (order_turned ? sent_abort : sent_commit && order_altered == adopted));
          default:
          assume(order_misdirected || (order_turned ? sent_commit : sent_abort && order_altered == adopted));
        endcase
    end
    if (answer_used) begin
      assume(is_current(answer_id));
      assume(answer_operation == `OAE_OPERATION_ACK || answer_operation == `OAE_OPERATION_DONE ||
             answer_operation == `OAE_OPERATION_ABORTED);
      if (answer_id == k)
        case (answer_operation)
          `OAE_OPERATION_ACK: assume(answer_misdirected || sent_ack[answer_altered]);
          `OAE_OPERATION_DONE:
          assume(answer_misdirected || (answer_turned ? |sent_aborted : sent_done[answer_altered]));
          default:
          assume(answer_misdirected || (answer_turned ? |sent_done : sent_aborted[answer_altered]));
        endcase
      else if (answer_operation != `OAE_OPERATION_ACK && other_answer_matches)
        // I20, I21 for the other ids, in the state before this edge.
        assume(is_passed(answer_id) || held_by_b(answer_id) == `OAE_STATE_ABORTED);
    end
  end

  // ------------------------------------------------------------------ what is promised

  always @*
    if (started) begin
      // Agreement: never COMMITTED at one end and ABORTED at the other, and told so; outcomes are
      // final.
      agreement : assert (!((a_committed || b_committed || told_committed) &&
                            (a_aborted || b_aborted || told_aborted)));
      // In order, and at most once: the pointer names what is delivered; it never goes back and leaves
      // nothing out, and a delivery moves it in the same step.
      in_order : assert (pointer == next_pointer || (pointer == last_pointer && !moved_on));
      // Complete and unaltered.
      if (delivering && head_id == k) unaltered : assert (!b_altered);
      // Nothing is visible before the decision.
      if (deliver_valid && head_id == k)
        visible : assert (a_state == `OAE_STATE_COMMITTED || told_committed);
      // No false completion.
      if (telling && tell_id == k && tell_outcome == `OAE_OUTCOME_COMMITTED)
        completion : assert (delivered);
      // Conservation: what was opened is told once, or still held.
      if (telling && tell_id == k)
        told_once : assert (opened && !told_committed && !told_aborted);
      if (opened) conserved : assert ((a_state != `OAE_STATE_IDLE) != (told_committed || told_aborted));
      // The responder never aborts alone.
      if (b_reflected && b_state == `OAE_STATE_ABORTED) never_alone : assert (sent_abort);
    end

  // ------------------------------------------------------------------ the relations
  //
  // docs/protocol.md, section 7. Together they are inductive in one step; no promise is proven by
  // looking back in time. A build with OAE_PROMISES_ONLY leaves them out, so that a
  // counterexample breaks a promise and not first a relation.

`ifndef OAE_PROMISES_ONLY
  wire [2:0] told_slot_state = \a.state [3*tell_slot+:3];

  `include "oae_lane_slots.svh"

  always @*
    if (started) begin
      // Every slot of A.
      states_a : assert (&a_is_known);
      reflecting_is_compared : assert (&a_is_compared);
      known_is_committed : assert (&a_known_is_committed);
      i3_window : assert (&a_in_window);
      i3_slot : assert (&a_in_slot);
      // What A takes for resolved, B has resolved.
      resolved_is_resolved : assert (&a_is_resolved);
      // Every slot of B.
      settling_is_settled : assert (&b_is_settled);
      i4_window : assert (&b_in_window);
      i4_opened : assert (&b_is_opened);
      i4_slot : assert (&b_in_slot);
      i5_i6_passed : assert (&b_is_passed);
      // What was opened and not passed, and is not aborted, A holds: no deadlock of the window.
      i9_held : assert (&open_is_held);
    end

  always @*
    if (started) begin
      // B is never ahead of A, and A is at most two windows ahead of B.
      i1_gap : assert (gap <= window + window);
      // What was found of the head a cycle ahead is right whenever it counts.
      if (\b.state [3*head_slot+:3] != `OAE_STATE_IDLE)
        head_is_found : assert (\b.head_matches == \b.head_matched );
      // An offered completion is that of its slot.
      if (tell_valid && !tell_refusal)
        offer_is_true : assert (tell_outcome == `OAE_OUTCOME_COMMITTED
            ? told_slot_state == `OAE_STATE_COMMITTED && \a.known [tell_slot]
            : tell_outcome == `OAE_OUTCOME_ABORTED && told_slot_state == `OAE_STATE_ABORTED);
    end

  // The followed transaction.
  wire a_decided = a_state == `OAE_STATE_COMMITTED || told_committed;
  wire a_taken_back = a_state == `OAE_STATE_REVERSING || a_state == `OAE_STATE_ABORTED ||
      told_aborted;
  always @*
    if (started) begin
      if (opened) current : assert (is_current(k));
      not_taken_over : assert (!adopted);
      if (!opened) begin
        nothing_before : assert (!told_committed && !told_aborted && !delivered && !a_committed &&
                                 !a_aborted && !b_reflected && !b_committed && !b_aborted);
        i22_nothing_sent : assert (!sent_data && !sent_commit && !sent_abort && sent_ack == 2'd0 &&
                                   sent_done == 2'd0 && sent_aborted == 2'd0);
        nothing_held : assert (a_state == `OAE_STATE_IDLE && b_state == `OAE_STATE_IDLE);
      end
      if (b_state != `OAE_STATE_IDLE && b_state != `OAE_STATE_ABORTED && !b_delivered)
        i8_held : assert (a_state != `OAE_STATE_IDLE);
      if (a_state == `OAE_STATE_COMMITTED) begin
        i10_kept : assert (b_state == `OAE_STATE_REFLECTING || b_state == `OAE_STATE_COMMITTED);
        i10_digest : assert (!b_altered);
        if (k_passed) i28_delivered : assert (b_delivered);
      end
      if (b_state == `OAE_STATE_COMMITTED && !b_delivered)
        i11_decided : assert (a_state == `OAE_STATE_COMMITTED);
      if (b_delivered) i12_decided : assert (a_decided);
      if (a_state == `OAE_STATE_REFLECTING && \a.comparing_equal )
        i13_equal : assert (b_state == `OAE_STATE_REFLECTING && !b_altered);
      if (a_state == `OAE_STATE_TENTATIVE || a_state == `OAE_STATE_REFLECTING ||
          a_state == `OAE_STATE_REVERSING) begin
        i14_undecided : assert (b_state != `OAE_STATE_COMMITTED);
        i14_pointer : assert (!k_passed || b_state == `OAE_STATE_ABORTED);
      end
      if (a_state != `OAE_STATE_IDLE && k_passed)
        i15_answerable : assert (b_delivered || b_state == `OAE_STATE_ABORTED);
      if (sent_commit) i17_decided : assert (a_decided);
      if (sent_abort) i18_taken_back : assert (a_taken_back);
      if (sent_ack != 2'd0 && a_state == `OAE_STATE_TENTATIVE) begin
        i19_reflecting : assert (b_state == `OAE_STATE_REFLECTING);
        i29_digest : assert (!sent_ack[!b_altered]);
      end
      if (sent_done != 2'd0) begin
        i20_delivered : assert (delivered && k_passed);
        i20_decided : assert (a_decided);
      end
      if (sent_aborted != 2'd0) begin
        i21_recorded : assert (b_state == `OAE_STATE_ABORTED || k_passed);
        i21_undecided : assert (!delivered && !a_decided);
      end
      if (b_state == `OAE_STATE_ABORTED)
        i23_undecided : assert (a_state == `OAE_STATE_TENTATIVE || a_taken_back ||
                                (a_state == `OAE_STATE_REFLECTING && !\a.comparing_equal ));
      if (told_committed) i24_delivered : assert (delivered && k_passed);
      if (told_aborted) i24_undelivered : assert (!delivered);
      if (b_delivered) i27_delivered : assert (delivered);
      if (delivered) i27_decided : assert (k_passed && a_decided);
      // What ever was stands in what is.
      if (a_committed) ever_committed_a : assert (a_decided);
      if (a_aborted) ever_aborted_a : assert (a_taken_back);
      if (b_committed) ever_committed_b : assert (b_state == `OAE_STATE_COMMITTED || delivered);
      if (b_aborted) begin
        ever_aborted_b : assert (b_state == `OAE_STATE_ABORTED || k_passed);
        ever_aborted_only : assert (!delivered && !a_decided);
      end
      // A reflected record is never lost; it is taken back only because A said so.
      if (b_reflected)
        reflected_is_kept : assert (
            b_state == `OAE_STATE_REFLECTING || b_state == `OAE_STATE_COMMITTED || k_passed ||
            (sent_abort && (b_state == `OAE_STATE_ABORTED ||
                            (b_state == `OAE_STATE_REVERSING && \b.settling_held ))));
    end
`endif

  // ------------------------------------------------------------------ that it can happen
  //
  // Every arc of both machines, with and without a crash, and what the channel can do.

`ifdef OAE_COVER
  reg [2:0] was_a, was_b;
  reg crashed_a, crashed_b, was_delivered, abort_first;
  reg [1:0] orders_heard, answers_heard;  // of k, up to 3
  always @(posedge clk) begin
    was_a <= a_state;
    was_b <= b_state;
    was_delivered <= b_delivered;
    crashed_a <= crash_a;
    crashed_b <= crash_b;
    if (was_b == `OAE_STATE_IDLE && b_state == `OAE_STATE_REVERSING && sent_abort && !b_altered)
      abort_first <= 1'b1;
    if (rst) abort_first <= 1'b0;
    if (order_valid && order_id == k && !(&orders_heard)) orders_heard <= orders_heard + 1'b1;
    if (answer_valid && answer_id == k && !(&answers_heard)) answers_heard <= answers_heard + 1'b1;
    if (rst) {was_a, was_b, was_delivered, crashed_a, crashed_b, orders_heard, answers_heard} <= 0;
  end

  always @*
    if (started) begin
      // The initiator.
      a_opens : cover (was_a == `OAE_STATE_IDLE && a_state == `OAE_STATE_TENTATIVE);
      a_hears : cover (was_a == `OAE_STATE_TENTATIVE && a_state == `OAE_STATE_REFLECTING);
      a_decides : cover (was_a == `OAE_STATE_REFLECTING && a_state == `OAE_STATE_COMMITTED);
      a_mismatches : cover (was_a == `OAE_STATE_REFLECTING && a_state == `OAE_STATE_REVERSING &&
                            !crashed_a);
      a_cancels : cover (was_a == `OAE_STATE_TENTATIVE && a_state == `OAE_STATE_REVERSING &&
                         !crashed_a);
      a_is_refused : cover (was_a == `OAE_STATE_TENTATIVE && a_state == `OAE_STATE_ABORTED);
      a_is_confirmed : cover (was_a == `OAE_STATE_REVERSING && a_state == `OAE_STATE_ABORTED);
      a_tells_committed : cover (was_a == `OAE_STATE_COMMITTED && a_state == `OAE_STATE_IDLE);
      a_tells_aborted : cover (was_a == `OAE_STATE_ABORTED && a_state == `OAE_STATE_IDLE);
      a_crashes_tentative : cover (was_a == `OAE_STATE_TENTATIVE && crashed_a &&
                                   a_state == `OAE_STATE_REVERSING);
      a_crashes_reflecting : cover (was_a == `OAE_STATE_REFLECTING && crashed_a &&
                                    a_state == `OAE_STATE_REVERSING);
      a_crashes_aborted : cover (was_a == `OAE_STATE_ABORTED && crashed_a &&
                                 a_state == `OAE_STATE_REVERSING);
      a_crashes_committed : cover (was_a == `OAE_STATE_COMMITTED && crashed_a &&
                                   a_state == `OAE_STATE_COMMITTED);
      // The responder.
      b_holds : cover (was_b == `OAE_STATE_IDLE && b_state == `OAE_STATE_TENTATIVE);
      b_reflects : cover (was_b == `OAE_STATE_TENTATIVE && b_state == `OAE_STATE_REFLECTING);
      b_refuses : cover (was_b == `OAE_STATE_IDLE && b_state == `OAE_STATE_ABORTED);
      b_reverses_unseen : cover (was_b == `OAE_STATE_IDLE && b_state == `OAE_STATE_REVERSING);
      b_reverses : cover (was_b == `OAE_STATE_REFLECTING && b_state == `OAE_STATE_REVERSING);
      b_records_abort : cover (was_b == `OAE_STATE_REVERSING && b_state == `OAE_STATE_ABORTED);
      b_commits : cover (was_b == `OAE_STATE_REFLECTING && b_state == `OAE_STATE_COMMITTED);
      b_delivers : cover (!was_delivered && b_delivered);
      b_is_overwritten : cover (opened && was_b != `OAE_STATE_IDLE && !crashed_b &&
                                b_state == `OAE_STATE_IDLE);
      b_crashes_tentative : cover (was_b == `OAE_STATE_TENTATIVE && crashed_b &&
                                   b_state == `OAE_STATE_IDLE);
      b_crashes_unseen : cover (was_b == `OAE_STATE_REVERSING && crashed_b &&
                                b_state == `OAE_STATE_IDLE);
      b_crashes_reversing : cover (was_b == `OAE_STATE_REVERSING && crashed_b &&
                                   b_state == `OAE_STATE_REFLECTING);
      b_crashes_committed : cover (was_b == `OAE_STATE_COMMITTED && crashed_b &&
                                   b_state == `OAE_STATE_COMMITTED && !b_delivered);
      // The channel: repeated, overtaken, altered, and of an id long passed.
      order_repeated : cover (orders_heard == 2'd3 && told_committed);
      answer_repeated : cover (answers_heard == 2'd3 && told_committed);
      abort_overtakes_data : cover (order_valid && order_id == k && abort_first && !b_reflected &&
                                    order_operation == `OAE_OPERATION_DATA && !order_misdirected &&
                                    b_state == `OAE_STATE_ABORTED);
      order_altered_heard : cover (b_state == `OAE_STATE_REFLECTING && b_altered);
      order_below_window : cover (order_valid && order_id == k && sent_commit &&
                                  b_state == `OAE_STATE_IDLE && k_passed);
      // Both crash in doubt, and it is delivered all the same.
      delivered_after_crashes : cover (told_committed && a_committed && crashed_a);
    end
`endif

endmodule
`default_nettype wire
