// One end whose peer may lose its memory: the proof of draining.
//
// The link machine, the initiator core of the outgoing lane and the responder core of the incoming
// one, as they are synthesized and wired as in oae_end. The peer and the medium are the world: any
// verified frame may come at any time that the parser can give it, true or false. So what is
// promised here needs nobody's help; what two ends promise each other is in oae_lane_proof and
// oae_session_proof. One id is followed in each lane; it is arbitrary.
`default_nettype none
`include "oae_defs.vh"
`include "oae_ablate.vh"

module oae_drain_proof #(
    parameter integer WINDOW = 2,
    parameter integer ID_BITS = 4,
    parameter integer SYNC_INTERVAL = 1024,
    parameter integer SLOT_BITS = WINDOW > 1 ? $clog2(WINDOW) : 1
) (
    input wire clk,

    // everything that the world may do, in any cycle
    input wire crash,
    input wire amnesia,
    input wire tick,

    input wire                 enable,
    input wire [         63:0] drawn,
    input wire [         31:0] cfg_epoch,
    input wire                 foreign,
    input wire                 sync_goes,
    input wire                 sync_ack_goes,
    input wire                 incoming_dead,
    input wire                 outgoing_dead,

    // what the parser has verified, and what is compared outside of the cores
    input wire                 heard,
    input wire [          4:0] operation,
    input wire [         63:0] heard_session,
    input wire [         63:0] heard_verified,
    input wire [         63:0] heard_challenger,
    input wire [         31:0] heard_counter,
    input wire [         15:0] heard_record_max,
    input wire [          7:0] heard_window,
    input wire [  ID_BITS-1:0] heard_id,
    input wire [          7:0] heard_kind,
    input wire                 answer_matches,
    input wire                 order_matches,
    input wire [          5:0] answer_reason,
    input wire                 frame_stored,
    input wire                 other_epoch,
    input wire                 not_prepared,
    input wire                 refuse,

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
    input wire                 grant_order,
    input wire [SLOT_BITS-1:0] grant_order_slot,
    input wire                 grant_answer,
    input wire [SLOT_BITS-1:0] grant_answer_slot,
    input wire                 tell_ready,
    input wire                 deliver_ready,
    input wire                 doubt_ready
);

  // The id that is followed in either lane.
  (* anyconst *) wire [ID_BITS-1:0] k;
  localparam [ID_BITS-1:0] HALF = {1'b1, {ID_BITS - 1{1'b0}}};

  reg started = 1'b0;
  always @(posedge clk) started <= 1'b1;
  wire rst = !started;
  wire restart = crash || amnesia || rst;

  // ------------------------------------------------------------------ the end

  wire up, up_entered, changing, adopt, resend, busy, unresolved;
  wire owes_sync, owes_sync_ack, epoch_settled;
  wire [SLOT_BITS-1:0] slot_mask;
  wire [1:0] link_state;
  wire sync_ack_sent = sync_ack_goes && owes_sync_ack && !restart;
  wire sync_sent = sync_goes && owes_sync && !sync_ack_sent && !restart;
  wire is_sync = operation == `OAE_OPERATION_SYNC || operation == `OAE_OPERATION_SYNC_ACK;
  wire is_beat = operation == `OAE_OPERATION_NOP;
  wire is_request = operation == `OAE_OPERATION_DATA || operation == `OAE_OPERATION_COMMIT ||
      operation == `OAE_OPERATION_ABORT;

  oae_link_control #(
      .WINDOW(WINDOW),
      .SYNC_INTERVAL(SYNC_INTERVAL)
  ) link (
      .clk(clk),
      .rst(rst),
      .crash(crash),
      .amnesia(amnesia),
      .tick(tick),
      .cfg_enable(enable),
      .cfg_session(drawn),
      .cfg_epoch(cfg_epoch),
      .frame_valid(heard && is_sync),
      .frame_operation(operation),
      .frame_session(heard_session),
      .frame_verified(heard_verified),
      .frame_challenger(heard_challenger),
      .frame_counter(heard_counter),
      .frame_record_max(heard_record_max),
      .frame_window(heard_window),
      .foreign_session(foreign),
      .owes_sync_ack(owes_sync_ack),
      .owes_sync(owes_sync),
      .sync_ack_granted(sync_ack_sent),
      .sync_granted(sync_sent),
      .session(),
      .verified(),
      .answer_session(),
      .answer_counter(),
      .counter(),
      .incoming_dead(incoming_dead),
      .outgoing_dead(outgoing_dead),
      .link_state(link_state),
      .up(up),
      .up_entered(up_entered),
      .changing(changing),
      .adopt(adopt),
      .resend(resend),
      .initiator_busy(busy),
      .responder_unresolved(unresolved),
      .slot_mask(slot_mask),
      .record_max(),
      .transmit_link_session(),
      .receive_link_session(),
      .epoch(),
      .epoch_settled(epoch_settled),
      .event_valid(),
      .event_word()
  );

  wire open_ready, tell_valid, tell_refusal, tell_taken, refusal_taken;
  wire [ID_BITS-1:0] open_id, tell_id, head_id;
  wire [SLOT_BITS-1:0] tell_slot, head_slot;
  wire [1:0] tell_outcome;
  wire [5:0] tell_reason;

  oae_initiator_core #(
      .WINDOW (WINDOW),
      .ID_BITS(ID_BITS)
  ) a (
      .clk(clk),
      .rst(rst),
      .crash(crash),
      .amnesia(amnesia),
      .slot_mask(slot_mask),
      .can_open(up && !changing && epoch_settled),
      .changing(changing),
      .adopt(adopt),
      .resend(resend),
      .frame_valid(heard && !is_sync && !is_beat && !is_request),
      .frame_operation(operation),
      .frame_id(heard_id),
      .frame_matches(answer_matches),
      .frame_reason(answer_reason),
      .open_valid(open_valid),
      .open_ready(open_ready),
      .open_kind(open_kind),
      .open_id(open_id),
      .open_slot(),
      .open_slot_idle(),
      .refusal_valid(refusal_valid),
      .refusal_taken(refusal_taken),
      .refusal_reason(refusal_reason),
      .discard_valid(discard_valid),
      .discard_ready(),
      .submit_tag(submit_tag),
      .cancel_valid(cancel_valid),
      .cancel_ready(),
      .cancel_tag(cancel_tag),
      .cancel_hit(cancel_hit),
      .retry_valid(retry_valid),
      .retry_ready(),
      .retry_slot(retry_slot),
      .owes_decision(),
      .owes_repeat(),
      .owes_first(),
      .waiting(),
      .undecided(),
      .committed(),
      .owes(),
      .grant_valid(grant_order),
      .grant_slot(grant_order_slot),
      .look_slot({SLOT_BITS{1'b0}}),
      .look_id(),
      .busy(busy),
      .tell_valid(tell_valid),
      .tell_ready(tell_ready),
      .tell_refusal(tell_refusal),
      .tell_slot(tell_slot),
      .tell_id(tell_id),
      .tell_outcome(tell_outcome),
      .tell_reason(tell_reason),
      .tell_taken(tell_taken),
      .event_valid(),
      .event_word()
  );

  wire deliver_valid, doubt_valid, advance_taken;

  oae_responder_core #(
      .WINDOW (WINDOW),
      .ID_BITS(ID_BITS)
  ) b (
      .clk(clk),
      .rst(rst),
      .crash(crash),
      .amnesia(amnesia),
      .slot_mask(slot_mask),
      .changing(changing),
      .adopt(adopt),
      .frame_valid(heard && is_request),
      .frame_operation(operation),
      .frame_id(heard_id),
      .frame_kind(heard_kind),
      .frame_matches(order_matches),
      .frame_stored(frame_stored),
      .other_epoch(other_epoch),
      .not_prepared(not_prepared),
      .refuse(refuse),
      .record_valid(),
      .record_held(),
      .record_slot(),
      .store_id({ID_BITS{1'b0}}),
      .store_allowed(),
      .deliver_valid(deliver_valid),
      .deliver_ready(deliver_ready),
      .head_slot(head_slot),
      .head_id(head_id),
      .advance_taken(advance_taken),
      .doubt_valid(doubt_valid),
      .doubt_ready(doubt_ready),
      .owes_answer(),
      .grant_valid(grant_answer),
      .grant_slot(grant_answer_slot),
      .look_slot({SLOT_BITS{1'b0}}),
      .look_id(),
      .look_operation(),
      .look_reason(),
      .unresolved(unresolved),
      .event_valid(),
      .event_word()
  );

  // What is inside them: flattening joins these wires with the cores' own.
  (* hierconn *) wire \link.outstanding ;
  (* hierconn *) wire [7:0] \link.pending_window ;
  (* hierconn *) wire [3*WINDOW-1:0] \a.state , \b.state ;
  (* hierconn *) wire [WINDOW-1:0] \a.known , \a.send , \b.delivered , \b.answer , \b.open_slots ;
  (* hierconn *) wire [ID_BITS-1:0] \a.next_id , \b.deliver_pointer ;
  (* hierconn *) wire \a.inbox , \a.comparing , \b.inbox , \b.settling , \b.settling_held ;
  (* hierconn *) wire [SLOT_BITS-1:0] \a.comparing_slot , \b.settling_slot ;
  (* hierconn *) wire \b.head_matches , \b.head_matched ;
  (* hierconn *) wire [ID_BITS-1:0] \a.ids[0] , \a.ids[1] , \b.ids[0] , \b.ids[1] ;
`ifdef OAE_FOUR_SLOTS
  (* hierconn *) wire [ID_BITS-1:0] \a.ids[2] , \a.ids[3] , \b.ids[2] , \b.ids[3] ;
  wire [4*ID_BITS-1:0] a_ids = {\a.ids[3] , \a.ids[2] , \a.ids[1] , \a.ids[0] };
  wire [4*ID_BITS-1:0] b_ids = {\b.ids[3] , \b.ids[2] , \b.ids[1] , \b.ids[0] };
`else
  wire [2*ID_BITS-1:0] a_ids = {\a.ids[1] , \a.ids[0] };
  wire [2*ID_BITS-1:0] b_ids = {\b.ids[1] , \b.ids[0] };
`endif

  wire [ID_BITS-1:0] next_id = \a.next_id ;
  wire [ID_BITS-1:0] pointer = \b.deliver_pointer ;
  wire [ID_BITS-1:0] window = {{ID_BITS - SLOT_BITS{1'b0}}, slot_mask} + 1'b1;

  // The state that a lane holds an id in; IDLE if it does not hold it.
  function automatic [2:0] held_by_a;
    input [ID_BITS-1:0] id;
    integer i;
    begin
      held_by_a = `OAE_STATE_IDLE;
      for (i = 0; i < WINDOW; i = i + 1)
        if (a_ids[ID_BITS*i+:ID_BITS] == id) held_by_a = held_by_a | \a.state [3*i+:3];
    end
  endfunction
  function automatic [2:0] held_by_b;
    input [ID_BITS-1:0] id;
    integer i;
    begin
      held_by_b = `OAE_STATE_IDLE;
      for (i = 0; i < WINDOW; i = i + 1)
        if (b_ids[ID_BITS*i+:ID_BITS] == id) held_by_b = held_by_b | \b.state [3*i+:3];
    end
  endfunction

  // ------------------------------------------------------------------ the history of k

  wire [SLOT_BITS-1:0] k_slot = k[SLOT_BITS-1:0] & slot_mask;
  wire [2:0] a_state = held_by_a(k);
  wire [2:0] b_state = held_by_b(k);
  wire a_known = \a.known [k_slot];
  wire b_delivered = b_state == `OAE_STATE_COMMITTED && \b.delivered [k_slot];

  wire telling = tell_taken && tell_id == k;
  wire delivers = ((deliver_valid && deliver_ready) || advance_taken) && !restart;
  wire delivering = delivers && head_id == k;
  wire doubting = doubt_valid && doubt_ready && head_id == k && !restart;
  // Half of all ids later, k is a new transaction.
  wire a_forgotten = open_ready && next_id + 1'b1 - k == HALF;
  wire b_forgotten = pointer - k == HALF;

  reg opened, told, decided;
  reg reflected, committed, aborted, delivered, doubted;
  always @(posedge clk) begin
    if (open_ready && open_id == k) opened <= 1'b1;
    if (telling) told <= 1'b1;
    if (a_state == `OAE_STATE_COMMITTED) decided <= 1'b1;
    if (rst || amnesia || adopt || a_forgotten) {opened, told, decided} <= 3'd0;
    if (b_state == `OAE_STATE_REFLECTING) reflected <= 1'b1;
    if (b_state == `OAE_STATE_COMMITTED) committed <= 1'b1;
    if (b_state == `OAE_STATE_ABORTED) aborted <= 1'b1;
    if (delivering) delivered <= 1'b1;
    if (doubting) doubted <= 1'b1;
    if (rst || amnesia || adopt || b_forgotten)
      {reflected, committed, aborted, delivered, doubted} <= 5'd0;
  end

  // What the assumptions and the ranks look back at.
  reg was_up, was_changing, was_adopting, last_up_entered, last_sync_ack_sent, last_delivered;
  reg went_on, tells_went_on, spent;
  reg [2:0] since, since_other;  // cycles since a frame, since one that is no SYNC, saturating
  reg [ID_BITS-1:0] drain_start;  // the pointer when the draining began
  always @(posedge clk) begin
    was_up <= up && !restart;
    was_changing <= changing && !restart;
    was_adopting <= adopt;
    last_up_entered <= up_entered;
    last_sync_ack_sent <= sync_ack_sent;
    last_delivered <= deliver_ready && !restart;
    went_on <= !(deliver_valid && !advance_taken && !deliver_ready) &&
        !(doubt_valid && !doubt_ready) && !restart;
    tells_went_on <= !(tell_valid && !tell_ready) && !restart;
    spent <= !up && !rst && (spent || refusal_taken);
    since <= heard ? 3'd0 : since == 3'd7 ? since : since + 1'b1;
    since_other <= heard && !is_sync ? 3'd0 : since_other == 3'd7 ? since_other :
        since_other + 1'b1;
    if (rst || amnesia) drain_start <= {ID_BITS{1'b0}};
    else if (!changing) drain_start <= pointer;
    if (adopt) drain_start <= {ID_BITS{1'b0}};
    if (rst) begin
      since <= 3'd7;
      since_other <= 3'd7;
    end
  end

  // ------------------------------------------------------------------ the world

  always @* begin
    if (heard) begin
      // Frames are at least 60 bytes and come 8 bytes a cycle: they end 8 cycles apart.
      assume(since == 3'd7);
      // The parser lets other frames than SYNC and SYNC_ACK pass only while the link is UP; its
      // verdict is told one cycle later.
      assume(is_sync || was_up);
    end
    // A record is read from the store before its last beat goes: oae_deliver needs three cycles.
    if (deliver_ready) assume(!last_delivered);
    // While the link is not UP oae_submit takes no record, so it holds one at most to refuse.
    if (refusal_valid) assume(!spent);
  end

  // ------------------------------------------------------------------ what is promised

  // How far each lane is from having drained: busy slots, and ids up to the last unresolved one.
  reg [ID_BITS:0] rank_a, rank_b;
  reg [ID_BITS-1:0] beyond;
  integer i;
  always @* begin
    rank_a = {{ID_BITS{1'b0}}, !tell_valid} + {{ID_BITS - 1{1'b0}}, !spent, 1'b0};
    rank_b = {ID_BITS + 1{1'b0}};
    for (i = 0; i < WINDOW; i = i + 1) begin
      if (\a.state [3*i+:3] != `OAE_STATE_IDLE) rank_a = rank_a + 2'd2;
      beyond = b_ids[ID_BITS*i+:ID_BITS] - pointer + 1'b1;
      if (\b.open_slots [i] && {beyond, 1'b0} > rank_b) rank_b = {beyond, 1'b0};
    end
    if (\b.settling ) rank_b = rank_b + 1'b1;
  end
  reg [ID_BITS:0] last_rank_a, last_rank_b;
  always @(posedge clk) begin
    last_rank_a <= rank_a;
    last_rank_b <= rank_b;
  end

  always @*
    if (started) begin
      // What was opened is told once, or still held.
      if (telling) told_once : assert (opened && !told);
      if (opened) conserved : assert ((a_state != `OAE_STATE_IDLE) != told);
      // Each outcome is true of the slot: what was decided is never told ABORTED, what was not
      // never UNKNOWN; UNKNOWN is for the draining alone.
      if (telling && tell_outcome == `OAE_OUTCOME_ABORTED) honest_aborted : assert (!decided);
      if (telling && tell_outcome == `OAE_OUTCOME_COMMITTED)
        honest_committed : assert (a_state == `OAE_STATE_COMMITTED && a_known);
      if (telling && tell_outcome == `OAE_OUTCOME_UNKNOWN)
        honest_unknown : assert (changing && a_state == `OAE_STATE_COMMITTED && !a_known);
      if (telling) outcome_is_one : assert (tell_outcome != 2'd0);

      // Delivered once or doubted once, and never both.
      if (delivering) delivered_once : assert (!delivered && !doubted && !aborted);
      if (doubting) doubted_once : assert (!delivered && !doubted && !aborted);
      // Only what is committed is delivered; only what is reflected and never will be is doubted.
      if (delivering) deliver_committed : assert (b_state == `OAE_STATE_COMMITTED);
      if (doubting) doubt_reflected :
        assert (changing && b_state == `OAE_STATE_REFLECTING && !committed);
      // What is committed is held until it is delivered, what is reflected until it is resolved.
      if (committed && !delivered) held_committed : assert (b_state == `OAE_STATE_COMMITTED);
      if (reflected && !committed && !aborted && !doubted)
        held_reflected :
        assert (b_state == `OAE_STATE_REFLECTING || b_state == `OAE_STATE_COMMITTED ||
                b_state == `OAE_STATE_ABORTED ||
                (b_state == `OAE_STATE_REVERSING && \b.settling_held ));
      // In id order: the pointer passes nothing that is unresolved.
      if (reflected && !aborted && !delivered && !doubted)
        in_order : assert (k - pointer < window);

      // A new pair starts with both cores empty: nothing is untold, nothing reflected is lost, no
      // completion of an old slot and no frame of the old pair waits.
      if (adopt) begin
        adopt_told : assert (!opened || told);
        adopt_resolved : assert (!reflected || aborted || delivered || doubted);
        adopt_delivered : assert (!committed || delivered);
        adopt_empty : assert (!busy && !unresolved && !\a.inbox && !\b.inbox && !\a.comparing &&
                              !\b.settling && (!tell_valid || tell_refusal) &&
                              \a.send == {WINDOW{1'b0}});
      end
      if (was_adopting) begin
        adopt_zero : assert (next_id == {ID_BITS{1'b0}} && pointer == {ID_BITS{1'b0}});
        adopt_erased : assert (\a.state == {3 * WINDOW{1'b0}} && \b.state == {3 * WINDOW{1'b0}} &&
                               \b.answer == {WINDOW{1'b0}});
      end

      // Draining ends: every cycle in which neither host keeps a lane waiting is a step nearer.
      if (changing && was_changing && busy && tells_went_on)
        tells_end : assert (rank_a < last_rank_a);
      if (changing && was_changing && unresolved && went_on)
        resolves_end : assert (rank_b < last_rank_b);
      // Once both lanes have drained, the new session is adopted in the same cycle, unless a frame
      // comes, a challenge is out or the end is DOWN.
      if (changing && !busy && !unresolved && !\link.outstanding && enable && !(heard && is_sync) &&
          link_state != `OAE_LINK_STATE_DOWN && !restart)
        adopted_at_once : assert (adopt);
      // What waits is sent again when the link comes UP, or behind the SYNC_ACK.
      if (resend) behind : assert (last_up_entered || last_sync_ack_sent);
      // While draining, nothing else comes and nothing is opened.
      if (changing) closed : assert (!up && !open_ready && !\a.inbox && !\b.inbox );
    end

  // ------------------------------------------------------------------ the relations

`ifndef OAE_PROMISES_ONLY
  wire [2:0] told_slot_state = \a.state [3*tell_slot+:3];
  wire passed = pointer - k != {ID_BITS{1'b0}} && pointer - k <= HALF;
  wire [7:0] pending_window = \link.pending_window ;

  generate
    genvar s;
    for (s = 0; s < WINDOW; s = s + 1) begin : g_a
      wire [2:0] state_s = \a.state [3*s+:3];
      wire [ID_BITS-1:0] id_s = a_ids[ID_BITS*s+:ID_BITS];
      always @* if (started) begin
        assert (state_s <= `OAE_STATE_ABORTED);
        assert ((state_s == `OAE_STATE_REFLECTING) == (\a.comparing && \a.comparing_slot == s));
        if (\a.known [s]) assert (state_s == `OAE_STATE_COMMITTED);
        if (\a.send [s]) assert (state_s != `OAE_STATE_IDLE);
        if (state_s != `OAE_STATE_IDLE) begin
          assert (next_id - id_s != {ID_BITS{1'b0}} && next_id - id_s <= window);
          assert ((id_s[SLOT_BITS-1:0] & slot_mask) == s);
        end
      end
    end
    for (s = 0; s < WINDOW; s = s + 1) begin : g_b
      wire [2:0] state_s = \b.state [3*s+:3];
      wire [ID_BITS-1:0] id_s = b_ids[ID_BITS*s+:ID_BITS];
      wire [ID_BITS-1:0] ahead = id_s - drain_start;
      wire [ID_BITS-1:0] behind = drain_start - id_s;
      always @* if (started) begin
        assert (state_s <= `OAE_STATE_ABORTED);
        assert ((state_s == `OAE_STATE_TENTATIVE || state_s == `OAE_STATE_REVERSING) ==
                (\b.settling && \b.settling_slot == s));
        if (state_s != `OAE_STATE_IDLE) begin
          if (changing) assert (ahead < window || behind <= window);
          else assert (id_s - pointer < window || pointer - id_s <= window);
          assert ((id_s[SLOT_BITS-1:0] & slot_mask) == s);
        end
        if (\b.open_slots [s]) assert (id_s - pointer < window);
        // What is delivered is passed.
        if (state_s == `OAE_STATE_COMMITTED && \b.delivered [s])
          assert (id_s - pointer >= window);
      end
    end
  endgenerate

  always @*
    if (started) begin
      // The link machine.
      assert ((slot_mask & (slot_mask + 1'b1)) == {SLOT_BITS{1'b0}});
      if (changing) begin
        assert (!up && pending_window != 8'd0);
        assert ((pending_window & (pending_window - 1'b1)) == 8'd0);
        assert (pointer - drain_start <= window);
      end
      // What a core has not yet taken came a moment ago.
      if (\a.inbox ) assert (since_other == 3'd0 && !tell_valid && !\a.comparing );
      if (\a.comparing ) assert (since_other <= 3'd1 || (since_other == 3'd2 && !tell_valid));
      if (\b.inbox ) assert (since_other == 3'd0 && last_delivered && !\b.settling );
      if (\b.settling ) assert (since_other <= 3'd1 || (since_other == 3'd2 && last_delivered));
      assert (since <= since_other);
      if (changing) assert (since_other == 3'd7 && (!was_up || since == 3'd0));
      // The head's look-up ahead is right whenever it counts.
      if (\b.state [3*head_slot+:3] != `OAE_STATE_IDLE)
        assert (\b.head_matches == \b.head_matched );
      // An offered completion is that of its slot.
      if (tell_valid && !tell_refusal)
        case (tell_outcome)
          `OAE_OUTCOME_COMMITTED:
          assert (told_slot_state == `OAE_STATE_COMMITTED && \a.known [tell_slot]);
          `OAE_OUTCOME_ABORTED:
          assert (told_slot_state == `OAE_STATE_ABORTED ||
                  (changing && told_slot_state != `OAE_STATE_COMMITTED &&
                   told_slot_state != `OAE_STATE_IDLE));
          default:
          assert (tell_outcome == `OAE_OUTCOME_UNKNOWN && changing && !\a.known [tell_slot] &&
                  told_slot_state == `OAE_STATE_COMMITTED);
        endcase
      if (tell_valid && tell_refusal) assert (!spent);
      // The followed id of the outgoing lane.
      if (opened) assert (next_id - k != {ID_BITS{1'b0}} && next_id - k < HALF);
      if (!opened) assert (!told && !decided && a_state == `OAE_STATE_IDLE);
      if (decided) assert (a_state == `OAE_STATE_COMMITTED || told);
      // The followed id of the incoming lane.
      if (delivered || doubted) assert (passed);
      if (aborted) assert (b_state == `OAE_STATE_ABORTED || passed);
      if (doubted) assert (changing);
      if (b_state == `OAE_STATE_COMMITTED)
        assert (!aborted && !doubted && delivered == b_delivered);
      if (b_state == `OAE_STATE_ABORTED) assert (!committed && !delivered && !doubted);
    end
`endif

  // ------------------------------------------------------------------ what can happen

  reg saw_unknown, saw_untold, saw_doubt, saw_delivery, saw_crash, saw_adopt;
  always @(posedge clk) begin
    if (telling && tell_outcome == `OAE_OUTCOME_UNKNOWN) saw_unknown <= 1'b1;
    if (telling && changing && !decided) saw_untold <= 1'b1;
    if (doubting) saw_doubt <= 1'b1;
    if (delivering && changing) saw_delivery <= 1'b1;
    if (changing && crash && (busy || unresolved)) saw_crash <= 1'b1;
    if (adopt) saw_adopt <= 1'b1;
    if (rst || amnesia || (saw_adopt && changing && !was_changing))
      {saw_unknown, saw_untold, saw_doubt, saw_delivery, saw_crash} <= 5'd0;
    if (rst || amnesia) saw_adopt <= 1'b0;
  end

  always @*
    if (started) begin
      // A record of either lane in doubt, and the new session adopted behind them.
      unknown_told : cover (adopt && saw_unknown);
      aborted_told : cover (adopt && saw_untold);
      doubt_told : cover (adopt && saw_doubt);
      delivered_draining : cover (adopt && saw_delivery);
      unknown_and_doubt : cover (adopt && saw_unknown && saw_doubt);
      // A crash in the middle of it: it goes on.
      crash_draining : cover (changing && saw_crash && (saw_unknown || saw_untold));
      // An id that never came is skipped on the way to one that is reflected.
      skipped : cover (changing && was_changing && unresolved && pointer != drain_start &&
                       !saw_doubt && !saw_delivery && reflected && !aborted);
      // What was refused waits with the slots.
      refused_draining : cover (changing && tell_valid && tell_refusal && busy);
      // The new pair opens the same id again.
      opened_again : cover (saw_adopt && saw_unknown && opened);
    end

endmodule
`default_nettype wire
