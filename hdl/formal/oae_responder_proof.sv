// The responder core alone: its states and the ways between them, its events, what it offers.
`default_nettype none
`include "oae_defs.vh"

module oae_responder_proof #(
    parameter integer WINDOW    = 2,
    parameter integer ID_BITS   = 4,
    parameter integer SLOT_BITS = 1
) (
    input wire clk,

    // everything that the world may do, in any cycle
    input wire crash,
    input wire amnesia,

    input wire [SLOT_BITS-1:0] slot_mask,
    input wire                 changing,
    input wire                 adopt,
    input wire                 frame_valid,
    input wire [          4:0] frame_operation,
    input wire [  ID_BITS-1:0] frame_id,
    input wire [          7:0] frame_kind,
    input wire                 frame_matches,
    input wire                 frame_stored,
    input wire                 other_epoch,
    input wire                 not_prepared,
    input wire                 refuse,
    input wire [  ID_BITS-1:0] store_id,
    input wire                 deliver_ready,
    input wire                 doubt_ready,
    input wire                 grant_valid,
    input wire [SLOT_BITS-1:0] grant_slot,
    input wire [SLOT_BITS-1:0] look_slot
);

  (* anyconst *) wire [SLOT_BITS-1:0] k;

  reg started = 1'b0;
  always @(posedge clk) started <= 1'b1;
  wire rst = !started;
  wire restart = crash || amnesia;

  wire record_valid, record_held, store_allowed, deliver_valid, advance_taken, doubt_valid;
  wire unresolved, event_valid;
  wire [SLOT_BITS-1:0] record_slot, head_slot;
  wire [ID_BITS-1:0] head_id, look_id;
  wire [WINDOW-1:0] owes_answer;
  wire [4:0] look_operation;
  wire [5:0] look_reason;
  wire [63:0] event_word;

  oae_responder_core #(
      .WINDOW (WINDOW),
      .ID_BITS(ID_BITS)
  ) core (
      .clk(clk),
      .rst(rst),
      .crash(crash),
      .amnesia(amnesia),
      .slot_mask(slot_mask),
      .changing(changing),
      .adopt(adopt),
      .frame_valid(frame_valid),
      .frame_operation(frame_operation),
      .frame_id(frame_id),
      .frame_kind(frame_kind),
      .frame_matches(frame_matches),
      .frame_stored(frame_stored),
      .other_epoch(other_epoch),
      .not_prepared(not_prepared),
      .refuse(refuse),
      .record_valid(record_valid),
      .record_held(record_held),
      .record_slot(record_slot),
      .store_id(store_id),
      .store_allowed(store_allowed),
      .deliver_valid(deliver_valid),
      .deliver_ready(deliver_ready),
      .head_slot(head_slot),
      .head_id(head_id),
      .advance_taken(advance_taken),
      .doubt_valid(doubt_valid),
      .doubt_ready(doubt_ready),
      .owes_answer(owes_answer),
      .grant_valid(grant_valid),
      .grant_slot(grant_slot),
      .look_slot(look_slot),
      .look_id(look_id),
      .look_operation(look_operation),
      .look_reason(look_reason),
      .unresolved(unresolved),
      .event_valid(event_valid),
      .event_word(event_word)
  );

  (* hierconn *) wire [3*WINDOW-1:0] \core.state ;
  (* hierconn *) wire [WINDOW-1:0] \core.delivered ;
  (* hierconn *) wire [WINDOW-1:0] \core.advance ;
  (* hierconn *) wire \core.inbox ;
  (* hierconn *) wire \core.settling ;
  (* hierconn *) wire \core.settling_held ;
  (* hierconn *) wire [SLOT_BITS-1:0] \core.settling_slot ;
  (* hierconn *) wire [ID_BITS-1:0] \core.ids[0] , \core.ids[1] ;
  (* hierconn *) wire \core.head_matches , \core.head_matched ;
  wire [ID_BITS-1:0] ids[0:WINDOW-1];
  assign ids[0] = \core.ids[0] ;
  assign ids[1] = \core.ids[1] ;
  wire [2:0] state = \core.state [3*k+:3];
  wire delivered = \core.delivered [k];
  wire [ID_BITS-1:0] id = ids[k];
  localparam [2:0] IDLE = 0, TENTATIVE = 1, REFLECTING = 2, COMMITTED = 3, REVERSING = 4,
      ABORTED = 5;

  // ------------------------------------------------------------------ what the end gives

  reg last_adopt, last_changing, waits;
  reg [SLOT_BITS-1:0] last_mask;
  reg [ID_BITS+12:0] last_frame;
  wire [ID_BITS+12:0] frame = {frame_operation, frame_id, frame_kind};
  always @(posedge clk) begin
    last_adopt <= adopt || amnesia || rst;
    last_changing <= changing;
    last_mask <= slot_mask;
    last_frame <= frame;
  end
  always @* begin
    // A negotiated window is a power of two; it changes, and ids start again, only while the
    // session changes and nothing is unresolved (oae_link_control.v: adopt); that ends the change.
    assume ((slot_mask & (slot_mask + 1'b1)) == 0);
    if (adopt) assume (changing && !unresolved && !restart && !rst);
    if (!last_adopt) assume (slot_mask == last_mask);
    if (last_changing && !last_adopt) assume (changing);
    // While it changes no frame comes, and the last one has been taken
    // (oae_end_proof.sv: quiet_responder).
    if (changing) assume (!frame_valid && !\core.inbox && !\core.settling );
    // The frames of the lane; their fields hold while one waits (oae_parser_rules.sv: hold).
    if (frame_valid)
      assume (frame_operation == `OAE_OPERATION_DATA || frame_operation == `OAE_OPERATION_COMMIT ||
              frame_operation == `OAE_OPERATION_ABORT);
    if (\core.inbox ) assume (!frame_valid && frame == last_frame);
    // A delivery is of a record that is offered (oae_deliver_proof.sv: is_head).
    if (deliver_ready) assume (deliver_valid);
  end

  // ------------------------------------------------------------------ the cycle before

  reg [2:0] before;
  reg [ID_BITS-1:0] id_before, pointer_before;
  reg crashed, reset, adopted, held, held_before, delivered_before, delivering, doubting, named;
  always @(posedge clk) begin
    before <= state;
    id_before <= id;
    pointer_before <= head_id;
    delivered_before <= delivered;
    if (state != REVERSING) held <= state == REFLECTING;  // what is being taken back, once it is
    held_before <= held;
    crashed <= crash && !amnesia && !rst;
    reset <= rst || amnesia;
    adopted <= adopt;
    delivering <= (deliver_ready && deliver_valid || advance_taken) && !restart;
    doubting <= doubt_valid && doubt_ready && !restart && head_slot == k;
    named <= record_valid && record_slot == k;
  end

  // ------------------------------------------------------------------ what is promised

  wire [7:0] code = event_word[63:56];
  wire about_k = event_valid && event_word[48+:SLOT_BITS] == k;
  wire dead_before = before == IDLE || before == ABORTED ||
      (before == COMMITTED && delivered_before);
  // What told a new id of this slot says that it came from IDLE, whatever the slot still recorded.
  wire [2:0] from = named ? IDLE : before;
  always @*
    if (started) begin
      // Only these ways lead from a state to another. A slot takes another id only when what it
      // holds is dead, in the steps HELD, REFUSED and REVERSED.
      if (crashed) begin
        crash_keeps : assert (state == (before == TENTATIVE ? IDLE :
                                        before == REVERSING ? (held_before ? REFLECTING : IDLE) :
                                        before));
        if (state != IDLE)
          crash_keeps_mark : assert (id == id_before && delivered == delivered_before);
        crash_keeps_pointer : assert (head_id == pointer_before);
      end else if (reset) reset_forgets : assert (state == IDLE && head_id == 0);
      else if (adopted) adopt_erases : assert (state == IDLE && head_id == 0);
      else begin
        if (named) begin
          named_dead : assert (dead_before);
          named_to : assert (state == TENTATIVE || state == ABORTED || state == REVERSING);
        end else begin
          if (before != IDLE) names_stay : assert (id == id_before || state == IDLE);
          case (before)
            IDLE: from_idle : assert (state == IDLE);
            TENTATIVE: from_tentative : assert (state == TENTATIVE || state == REFLECTING);
            REFLECTING:
            from_reflecting : assert (state == REFLECTING || state == COMMITTED ||
                                      state == REVERSING || (state == IDLE && doubting));
            COMMITTED: from_committed : assert (state == COMMITTED);
            REVERSING: from_reversing : assert (state == REVERSING || state == ABORTED);
            default: from_aborted : assert (state == ABORTED);
          endcase
        end
        // A step that changes a slot is told, with the state it left and the one it came to.
        if (from != state)
          told_step : assert (about_k && event_word[46:44] == from && event_word[42:40] == state);
        // The mark is set by the delivery of the head and by nothing else.
        if (before == COMMITTED && state == COMMITTED && delivered != delivered_before)
          marked : assert (delivered && delivering && id == pointer_before);
        pointer_steps : assert (head_id == pointer_before || head_id == pointer_before + 1'b1);
        if (delivering) pointer_moves : assert (head_id == pointer_before + 1'b1);
      end
      // What is offered for delivery is the head, committed and not delivered; in doubt, reflected.
      if (deliver_valid && head_slot == k)
        offered : assert (state == COMMITTED && !delivered && id == head_id);
      if (doubt_valid && head_slot == k)
        doubted : assert (changing && state == REFLECTING && id == head_id);
      // Answers are owed only of what is reflected, aborted, or delivered.
      if (owes_answer[k])
        owed :
        assert (state == REFLECTING || state == ABORTED || (state == COMMITTED && delivered));
      // Nothing is recorded at the edge of a restart.
      if (restart) silent : assert (!(record_valid || record_held || advance_taken));
    end

  // ------------------------------------------------------------------ the relations

  wire [ID_BITS:0] window = {{ID_BITS{1'b0}}, slot_mask} + 1'b1;
  generate
    genvar s;
    for (s = 0; s < WINDOW; s = s + 1) begin : g_slot
      wire [2:0] state_s = \core.state [3*s+:3];
      wire [ID_BITS-1:0] ahead = ids[s] - head_id;
      wire [ID_BITS-1:0] behind = head_id - ids[s];
      always @*
        if (started) begin
          // Two encodings are not used.
          assert (state_s <= ABORTED);
          assert ((state_s == TENTATIVE || state_s == REVERSING) ==
                  (\core.settling && \core.settling_slot == s));
          if (state_s != IDLE) assert ((ids[s][SLOT_BITS-1:0] & slot_mask) == s);
          // In the window or one behind it, and resolved if behind; unless the session changes.
          if (state_s != IDLE && !changing) begin
            assert (ahead < window || behind <= window);
            if (state_s != ABORTED)
              assert ((state_s == COMMITTED && \core.delivered [s]) ==
                      (behind != 0 && behind <= window));
          end
        end
    end
  endgenerate
  always @* if (started && state == REVERSING) assert (held == \core.settling_held );
  always @*
    if (started && \core.state [3*head_slot+:3] != IDLE)
      assert (\core.head_matches == \core.head_matched );

  // Every state, and every way between two of them.
  generate
    genvar f, t;
    for (f = 0; f < 6; f = f + 1) begin : g_from
      for (t = 0; t < 6; t = t + 1) begin : g_to
        if ((f == 0 && (t == 1 || t == 4 || t == 5)) || (f == 1 && t == 2) ||
            (f == 2 && (t == 3 || t == 4 || t == 0)) || (f == 4 && t == 5) ||
            (f == 5 && (t == 1 || t == 4)) || (f == 3 && (t == 1 || t == 4 || t == 5)))
          always @* cover (started && !crashed && !reset && before == f && state == t);
        if ((f == 1 && t == 0) || (f == 4 && (t == 0 || t == 2)))
          always @* cover (started && crashed && before == f && state == t);
      end
    end
    for (f = 64; f < 79; f = f + 1) begin : g_event
      always @* cover (started && event_valid && event_word[63:56] == f);
    end
  endgenerate

endmodule
`default_nettype wire
