// The transmit arbiter: one grant at a time, of what is owed, in the documented order; the oldest
// of a class first; and a due beat is passed over by at most WINDOW frames.
`default_nettype none
`include "oae_defs.vh"

module oae_arbiter_proof #(
    parameter integer WINDOW    = 4,
    parameter integer SLOT_BITS = 2
) (
    input wire clk,

    // everything that the world may do, in any cycle
    input wire                 restart,
    input wire                 ready,
    input wire                 owes_sync_ack,
    input wire                 owes_sync,
    input wire                 up,
    input wire                 beat_due,
    input wire [   WINDOW-1:0] answers,
    input wire [SLOT_BITS-1:0] oldest_answer,
    input wire                 answers_renamed,
    input wire [   WINDOW-1:0] decisions,
    input wire [   WINDOW-1:0] repeats,
    input wire [   WINDOW-1:0] firsts,
    input wire [   WINDOW-1:0] committed,
    input wire [SLOT_BITS-1:0] oldest_id
);

  (* anyconst *) wire [SLOT_BITS-1:0] k;  // any slot

  reg started = 1'b0;
  always @(posedge clk) started <= 1'b1;
  wire rst = !started;

  wire grant_sync_ack, grant_sync, grant_beat, grant_answer, grant_initiator;
  wire [SLOT_BITS-1:0] next_answer_slot, next_initiator_slot, answer_slot, initiator_slot;
  wire [4:0] initiator_operation;
  oae_transmit_arbiter #(
      .WINDOW(WINDOW)
  ) arbiter (
      .clk(clk),
      .rst(rst),
      .restart(restart),
      .ready(ready),
      .owes_sync_ack(owes_sync_ack),
      .owes_sync(owes_sync),
      .up(up),
      .beat_due(beat_due),
      .answers(answers),
      .oldest_answer(oldest_answer),
      .answers_renamed(answers_renamed),
      .decisions(decisions),
      .repeats(repeats),
      .firsts(firsts),
      .committed(committed),
      .oldest_id(oldest_id),
      .next_answer_slot(next_answer_slot),
      .next_initiator_slot(next_initiator_slot),
      .grant_sync_ack(grant_sync_ack),
      .grant_sync(grant_sync),
      .grant_beat(grant_beat),
      .grant_answer(grant_answer),
      .answer_slot(answer_slot),
      .grant_initiator(grant_initiator),
      .initiator_slot(initiator_slot),
      .initiator_operation(initiator_operation)
  );
  (* hierconn *) wire \arbiter.answer_found , \arbiter.decision_found , \arbiter.repeat_found ;
  (* hierconn *) wire \arbiter.first_found ;
  (* hierconn *) wire [2:0] \arbiter.passed ;

  // ------------------------------------------------------------------ what the cores give

  // A slot owes one frame of a lane at a time: its state says which (oae_initiator_core.v).
  always @* assume ((decisions & repeats) == 0 && (decisions & firsts) == 0 &&
                    (repeats & firsts) == 0);

  // ------------------------------------------------------------------ the cycle before

  reg [WINDOW-1:0] last_answers, last_decisions, last_repeats, last_firsts, last_committed;
  reg [SLOT_BITS-1:0] last_oldest_answer, last_oldest_id;
  reg last_renamed, restarted;
  reg [3:0] overtaken;  // frames that went while the beat was due
  always @(posedge clk) begin
    last_answers <= answers;
    last_decisions <= decisions;
    last_repeats <= repeats;
    last_firsts <= firsts;
    last_committed <= committed;
    last_oldest_answer <= oldest_answer;
    last_oldest_id <= oldest_id;
    last_renamed <= answers_renamed;
    restarted <= rst || restart;
    if (rst || restart || !beat_due || grant_beat) overtaken <= 4'd0;
    else if (grant_answer || grant_initiator) overtaken <= overtaken + 1'b1;
  end
  // How far a slot is from the oldest.
  wire [SLOT_BITS-1:0] answer_age = answer_slot - last_oldest_answer;
  wire [SLOT_BITS-1:0] initiator_age = initiator_slot - last_oldest_id;
  wire [SLOT_BITS-1:0] k_answer_age = k - last_oldest_answer;
  wire [SLOT_BITS-1:0] k_initiator_age = k - last_oldest_id;
  wire [WINDOW-1:0] last_overdue = last_decisions | last_repeats;
  wire [WINDOW-1:0] last_class = |last_overdue ? last_overdue : last_firsts;

  // ------------------------------------------------------------------ what is promised

  wire grant = grant_sync_ack || grant_sync || grant_beat || grant_answer || grant_initiator;
  always @*
    if (started) begin
      one : assert (grant_sync_ack + grant_sync + grant_beat + grant_answer + grant_initiator <= 1);
      // Only when the builder takes it, and not at the edge of a restart.
      taken : assert (!grant || (ready && !restart));
      // Only what is owed.
      sync_ack_owed : assert (!grant_sync_ack || owes_sync_ack);
      sync_owed : assert (!grant_sync || (owes_sync && !owes_sync_ack));
      beat_owed : assert (!grant_beat || beat_due);
      answer_owed : assert (!grant_answer || answers[answer_slot]);
      decision_owed : assert (!grant_initiator || initiator_operation == `OAE_OPERATION_DATA ||
                              decisions[initiator_slot]);
      data_owed : assert (!grant_initiator || initiator_operation != `OAE_OPERATION_DATA ||
                          repeats[initiator_slot] || firsts[initiator_slot]);
      decision : assert (!grant_initiator || !decisions[initiator_slot] || initiator_operation ==
          (last_committed[initiator_slot] ? `OAE_OPERATION_COMMIT : `OAE_OPERATION_ABORT));
      // The order. Nothing passes SYNC_ACK and SYNC; nothing else goes while the link is not UP.
      if (grant_beat || grant_answer || grant_initiator)
        sync_first : assert (up && !owes_sync_ack && !owes_sync);
      // Then answers, a due beat, decisions and DATA again, new DATA.
      if (grant_initiator) begin
        answers_first : assert (answers == 0 && !beat_due);
        overdue_first : assert ((decisions | repeats) == 0 || !firsts[initiator_slot]);
      end
      if (grant_beat && overtaken < WINDOW) beat_after : assert (answers == 0);
      // Inside a class the oldest: of those that owed it in the cycle before none is older.
      if (grant_answer && last_answers[k])
        oldest_answer_first : assert (k_answer_age >= answer_age);
      if (grant_initiator && last_class[k])
        oldest_first : assert (k_initiator_age >= initiator_age);
      // A due beat is passed over by at most WINDOW frames, and then it is next but for SYNC.
      passed_over : assert (overtaken <= WINDOW);
      if (overtaken == WINDOW && beat_due && up && ready && !restart && !owes_sync &&
          !owes_sync_ack)
        beat_next : assert (grant_beat);
      // What the first stage has not read under its present name is not granted.
      if (grant_answer) not_renamed : assert (!last_renamed && !restarted);
      // No owed frame is left lying: what was owed in the cycle before, unchanged, lets one go.
      if (ready && up && !restart && !restarted && answers == last_answers && !last_renamed &&
          {decisions, repeats, firsts} == {last_decisions, last_repeats, last_firsts} &&
          {answers, decisions, repeats, firsts} != 0)
        none_waits : assert (grant);
    end

  // ------------------------------------------------------------------ the relations

  always @*
    if (started) begin
      assert (overtaken == {1'b0, \arbiter.passed });
      assert (\arbiter.answer_found == (|last_answers && !last_renamed && !restarted));
      if (\arbiter.answer_found ) assert (last_answers[answer_slot]);
      assert (\arbiter.decision_found == (last_decisions[initiator_slot] && !restarted));
      assert (\arbiter.repeat_found == (last_repeats[initiator_slot] && !restarted));
      assert (\arbiter.first_found == (|last_firsts && !(|last_overdue) && !restarted));
      if (|last_class) assert (last_class[initiator_slot]);
    end

  always @* begin
    grants_sync_ack : cover (started && grant_sync_ack && owes_sync);
    grants_sync : cover (started && grant_sync && beat_due && answers != 0);
    grants_beat : cover (started && grant_beat && answers != 0);
    grants_answer : cover (started && grant_answer && answer_slot < last_oldest_answer);
    grants_commit : cover (started && grant_initiator &&
                           initiator_operation == `OAE_OPERATION_COMMIT);
    grants_abort : cover (started && grant_initiator &&
                          initiator_operation == `OAE_OPERATION_ABORT);
    grants_again : cover (started && grant_initiator && repeats[initiator_slot] && firsts != 0);
    grants_first : cover (started && grant_initiator && firsts[initiator_slot]);
  end

endmodule
`default_nettype wire
