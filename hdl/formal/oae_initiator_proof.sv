// The initiator core alone: its states and the ways between them, its events, the completion port.
`default_nettype none
`include "oae_defs.vh"

module oae_initiator_proof #(
    parameter integer WINDOW    = 2,
    parameter integer ID_BITS   = 4,
    parameter integer SLOT_BITS = 1
) (
    input wire clk,

    // everything that the world may do, in any cycle
    input wire crash,
    input wire amnesia,

    input wire [SLOT_BITS-1:0] slot_mask,
    input wire                 can_open,
    input wire                 changing,
    input wire                 adopt,
    input wire                 resend,
    input wire                 frame_valid,
    input wire [          4:0] frame_operation,
    input wire [  ID_BITS-1:0] frame_id,
    input wire                 frame_matches,
    input wire [          5:0] frame_reason,
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
    input wire                 grant_valid,
    input wire [SLOT_BITS-1:0] grant_slot,
    input wire                 tell_ready
);

  (* anyconst *) wire [SLOT_BITS-1:0] k;

  reg started = 1'b0;
  always @(posedge clk) started <= 1'b1;
  wire rst = !started;
  wire restart = crash || amnesia;

  wire open_ready, open_slot_idle, refusal_taken, discard_ready, cancel_ready, retry_ready, busy;
  wire tell_valid, tell_refusal, tell_taken, event_valid;
  wire [ID_BITS-1:0] open_id, tell_id;
  wire [SLOT_BITS-1:0] open_slot, tell_slot;
  wire [WINDOW-1:0] owes_decision, owes_repeat, owes_first, waiting, undecided, committed, owes;
  wire [1:0] tell_outcome;
  wire [5:0] tell_reason;
  wire [63:0] event_word;

  oae_initiator_core #(
      .WINDOW (WINDOW),
      .ID_BITS(ID_BITS)
  ) core (
      .clk(clk),
      .rst(rst),
      .crash(crash),
      .amnesia(amnesia),
      .slot_mask(slot_mask),
      .can_open(can_open),
      .changing(changing),
      .adopt(adopt),
      .resend(resend),
      .frame_valid(frame_valid),
      .frame_operation(frame_operation),
      .frame_id(frame_id),
      .frame_matches(frame_matches),
      .frame_reason(frame_reason),
      .open_valid(open_valid),
      .open_ready(open_ready),
      .open_kind(open_kind),
      .open_id(open_id),
      .open_slot(open_slot),
      .open_slot_idle(open_slot_idle),
      .refusal_valid(refusal_valid),
      .refusal_taken(refusal_taken),
      .refusal_reason(refusal_reason),
      .discard_valid(discard_valid),
      .discard_ready(discard_ready),
      .submit_tag(submit_tag),
      .cancel_valid(cancel_valid),
      .cancel_ready(cancel_ready),
      .cancel_tag(cancel_tag),
      .cancel_hit(cancel_hit),
      .retry_valid(retry_valid),
      .retry_ready(retry_ready),
      .retry_slot(retry_slot),
      .owes_decision(owes_decision),
      .owes_repeat(owes_repeat),
      .owes_first(owes_first),
      .waiting(waiting),
      .undecided(undecided),
      .committed(committed),
      .owes(owes),
      .grant_valid(grant_valid),
      .grant_slot(grant_slot),
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
      .event_valid(event_valid),
      .event_word(event_word)
  );

  (* hierconn *) wire [3*WINDOW-1:0] \core.state ;
  (* hierconn *) wire [WINDOW-1:0] \core.known ;
  (* hierconn *) wire \core.inbox ;
  (* hierconn *) wire \core.comparing ;
  (* hierconn *) wire [SLOT_BITS-1:0] \core.comparing_slot ;
  wire [2:0] state = \core.state [3*k+:3];
  wire [2:0] told_state = \core.state [3*tell_slot+:3];
  localparam [2:0] IDLE = 0, TENTATIVE = 1, REFLECTING = 2, COMMITTED = 3, REVERSING = 4,
      ABORTED = 5;

  // ------------------------------------------------------------------ what the end gives

  reg last_adopt, last_changing;
  reg [SLOT_BITS-1:0] last_mask;
  always @(posedge clk) begin
    last_adopt <= adopt || amnesia || rst;
    last_changing <= changing;
    last_mask <= slot_mask;
  end
  always @* begin
    // A negotiated window is a power of two; it changes, and ids start again, only while the
    // session changes and no slot is held (oae_link_control.v: adopt); that ends the change.
    assume ((slot_mask & (slot_mask + 1'b1)) == 0);
    if (adopt) assume (changing && !busy && !restart && !rst);
    if (!last_adopt) assume (slot_mask == last_mask);
    if (last_changing && !last_adopt) assume (changing);
    // While it changes no record is opened, no frame comes, and the last one has been taken
    // (oae_end_proof.sv: quiet_initiator).
    if (changing) assume (!can_open && !frame_valid && !\core.inbox && !\core.comparing );
    // A refusal holds the submit port until it is taken (oae_submit_proof.sv: refused_at_last).
    if (tell_valid && tell_refusal) assume (refusal_valid || restart);
  end

  // ------------------------------------------------------------------ the cycle before

  reg [2:0] before;
  reg crashed, reset, last_valid, took, opened, last_told;
  reg [SLOT_BITS+ID_BITS+8:0] offered;
  wire [SLOT_BITS+ID_BITS+8:0] offer = {
    tell_refusal, {SLOT_BITS{!tell_refusal}} & tell_slot, {ID_BITS{!tell_refusal}} & tell_id,
    tell_outcome, tell_reason
  };
  always @(posedge clk) begin
    before <= state;
    crashed <= crash && !amnesia && !rst;
    reset <= rst || amnesia;
    last_valid <= tell_valid && !tell_ready && !restart && !rst;
    offered <= offer;
    opened <= open_ready && open_slot == k;
    took <= tell_taken && tell_slot == k;
    last_told <= tell_valid && tell_ready && tell_refusal && !restart && !rst;
  end

  // ------------------------------------------------------------------ what is promised

  wire [7:0] code = event_word[63:56];
  wire about_k = event_valid && event_word[48+:SLOT_BITS] == k;
  always @*
    if (started) begin
      // A completion that is offered stays as it is until it is taken or a restart comes.
      if (last_valid) completion_stable : assert (tell_valid && offer == offered);
      // It is the truth of its slot; for the time of a change of session, see the tables.
      if (tell_valid && !tell_refusal) begin
        told_held : assert (told_state != IDLE && told_state != REFLECTING);
        if (!changing)
          told_truth : assert (tell_outcome == `OAE_OUTCOME_COMMITTED
              ? told_state == COMMITTED && \core.known [tell_slot]
              : tell_outcome == `OAE_OUTCOME_ABORTED && told_state == ABORTED);
        told_committed : assert (tell_outcome != `OAE_OUTCOME_COMMITTED || told_state == COMMITTED);
        told_unknown : assert (tell_outcome != `OAE_OUTCOME_UNKNOWN || told_state == COMMITTED);
        told_aborted : assert (tell_outcome != `OAE_OUTCOME_ABORTED || told_state != COMMITTED);
        told_code : assert (tell_outcome != 2'd0);
      end
      // Only these ways lead from a state to another.
      if (crashed)
        crash_keeps :
        assert (state == (before == IDLE || before == COMMITTED ? before : REVERSING));
      else if (reset) reset_forgets : assert (state == IDLE);
      else
        case (before)
          IDLE: from_idle : assert (state == (opened ? TENTATIVE : IDLE));
          TENTATIVE:
          from_tentative :
          assert (state == TENTATIVE || state == REFLECTING || state == REVERSING ||
                  state == ABORTED || (state == IDLE && took));
          REFLECTING:
          from_reflecting :
          assert (state == REFLECTING || state == COMMITTED || state == REVERSING);
          COMMITTED: from_committed : assert (state == COMMITTED || (state == IDLE && took));
          REVERSING:
          from_reversing :
          assert (state == REVERSING || state == ABORTED || (state == IDLE && took));
          default: from_aborted : assert (state == ABORTED || (state == IDLE && took));
        endcase
      // A step that changes a slot is told, with the state it left and the one it came to.
      if (!crashed && !reset && before != state)
        told_step : assert (about_k && event_word[46:44] == before && event_word[42:40] == state);
      // Nothing is taken at the edge of a restart.
      if (restart)
        silent : assert (!(open_ready || refusal_taken || discard_ready || cancel_ready ||
                           retry_ready || tell_taken));
      // One handshake a cycle.
      one : assert (open_ready + refusal_taken + discard_ready + cancel_ready + retry_ready +
                    tell_taken <= 1);
    end

  // ------------------------------------------------------------------ the relations

  generate
    genvar s;
    for (s = 0; s < WINDOW; s = s + 1) begin : g_slot
      always @*
        if (started) begin
          // Two encodings are not used.
          assert (\core.state [3*s+:3] <= ABORTED);
          assert ((\core.state [3*s+:3] == REFLECTING) ==
                  (\core.comparing && \core.comparing_slot == s));
          if (\core.known [s]) assert (\core.state [3*s+:3] == COMMITTED);
        end
    end
  endgenerate
  always @* if (started && (crashed || reset)) assert (!tell_valid);

  // Every state, and every way between two of them.
  generate
    genvar f, t;
    for (f = 0; f < 6; f = f + 1) begin : g_from
      for (t = 0; t < 6; t = t + 1) begin : g_to
        if ((f == 0 && t == 1) || (f == 1 && (t == 2 || t == 4 || t == 5 || t == 0)) ||
            (f == 2 && (t == 3 || t == 4)) || (f == 3 && t == 0) ||
            (f == 4 && (t == 5 || t == 0)) || (f == 5 && t == 0))
          always @* cover (started && !crashed && !reset && before == f && state == t);
        if (t == 4 && (f == 1 || f == 2 || f == 5))
          always @* cover (started && crashed && before == f && state == t);
      end
    end
    for (f = 48; f < 64; f = f + 1) begin : g_event
      always @* cover (started && event_valid && event_word[63:56] == f);
    end
  endgenerate

endmodule
`default_nettype wire
