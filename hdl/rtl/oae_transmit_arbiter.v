// Which owed frame goes next. Order: SYNC_ACK, SYNC, answers, a due beat, ABORT and COMMIT and DATA
// again, new DATA; inside a class the oldest id first. A due beat is passed over by at most
// WINDOW frames.
//
// What has gone before must not wait for younger ids: the responder delivers in order, so all COMMITs
// behind a lost DATA stay unanswered and go again with every echo. Were they first, they could fill
// the line for good.
//
// Two stages: the first looks for the oldest slot of each lane that owes something, while what
// the slot holds is read; the second chooses among the lanes and grants. A slot may have changed
// in between, so the second stage looks at its flag again.
`default_nettype none
`include "oae_defs.vh"
`include "oae_ablate.vh"

module oae_transmit_arbiter #(
    parameter integer WINDOW    = 8,
    parameter integer SLOT_BITS = WINDOW > 1 ? $clog2(WINDOW) : 1
) (
    input wire clk,
    input wire rst,
    input wire restart,

    input wire ready,  // the builder takes a frame

    input wire                 owes_sync_ack,
    input wire                 owes_sync,
    input wire                 up,
    input wire                 beat_due,
    input wire [   WINDOW-1:0] answers,
    input wire [SLOT_BITS-1:0] oldest_answer,
    input wire                 answers_renamed,  // this edge a slot's answer becomes another id's
    input wire [   WINDOW-1:0] decisions,
    input wire [   WINDOW-1:0] repeats,
    input wire [   WINDOW-1:0] firsts,
    input wire [   WINDOW-1:0] committed,        // decision is COMMIT, else ABORT
    input wire [SLOT_BITS-1:0] oldest_id,

    // first stage: slots whose content is to be read, for the next cycle
    output wire [SLOT_BITS-1:0] next_answer_slot,
    output reg  [SLOT_BITS-1:0] next_initiator_slot,

    // second stage
    output reg                 grant_sync_ack,
    output reg                 grant_sync,
    output reg                 grant_beat,
    output reg                 grant_answer,
    output reg [SLOT_BITS-1:0] answer_slot,
    output reg                 grant_initiator,
    output reg [SLOT_BITS-1:0] initiator_slot,
    output reg [          4:0] initiator_operation
);

  localparam integer PASS_BITS = $clog2(WINDOW + 1);
  localparam [PASS_BITS-1:0] PASS_END = WINDOW[PASS_BITS-1:0];

  // The first set bit at or after the oldest slot, around the window.
  function automatic [SLOT_BITS-1:0] first_from;
    input [WINDOW-1:0] flags;
    input [SLOT_BITS-1:0] oldest;
    integer i;
    reg [SLOT_BITS-1:0] later, any;
    reg found;
    begin
      later = {SLOT_BITS{1'b0}};
      any   = {SLOT_BITS{1'b0}};
      found = 1'b0;
      for (i = WINDOW - 1; i >= 0; i = i - 1)
      if (flags[i]) begin
        any = i[SLOT_BITS-1:0];
        if (i[SLOT_BITS-1:0] >= oldest) begin
          later = i[SLOT_BITS-1:0];
          found = 1'b1;
        end
      end
      first_from = found ? later : any;
    end
  endfunction

  // First stage.
  wire [WINDOW-1:0] overdue = decisions | repeats;
  wire [SLOT_BITS-1:0] overdue_slot = first_from(overdue, oldest_id);
  wire [SLOT_BITS-1:0] first_slot = first_from(firsts, oldest_id);
  assign next_answer_slot = first_from(answers, oldest_answer);

  wire decides = decisions[overdue_slot];  // none is set if nothing is overdue
  reg [4:0] next_initiator_operation;
  always @* begin
    next_initiator_slot = first_slot;
    next_initiator_operation = `OAE_OPERATION_DATA;
    if (|overdue) next_initiator_slot = overdue_slot;
    if (decides)
      next_initiator_operation = committed[overdue_slot] ? `OAE_OPERATION_COMMIT :
          `OAE_OPERATION_ABORT;
  end

  reg answer_found, decision_found, repeat_found, first_found;
  always @(posedge clk) begin
    answer_slot <= next_answer_slot;
    answer_found <= |answers && !answers_renamed && !rst && !restart;
    initiator_slot <= next_initiator_slot;
    initiator_operation <= next_initiator_operation;
    decision_found <= decides && !rst && !restart;
    repeat_found <= |overdue && !decides && !rst && !restart;
    first_found <= |firsts && !(|overdue) && !rst && !restart;
  end

  // Second stage.
  wire answer_owed = answer_found && answers[answer_slot];
  wire initiator_owed = decision_found ? decisions[initiator_slot] :
      repeat_found ? repeats[initiator_slot] :
      first_found && !(|overdue) && firsts[initiator_slot];

  reg [PASS_BITS-1:0] passed;  // frames that went while a beat was due
  wire beat_now = beat_due && passed == PASS_END;
  // COMMIT and DATA never pass an owed SYNC_ACK, and neither does anything else.
  wire sync_first = `OAE_HAS_F30 || !(up && initiator_owed);

  always @* begin
    grant_sync_ack = 1'b0;
    grant_sync = 1'b0;
    grant_beat = 1'b0;
    grant_answer = 1'b0;
    grant_initiator = 1'b0;

    if (!ready || rst || restart) begin
      // nothing
    end else if (owes_sync_ack && sync_first) grant_sync_ack = 1'b1;
    else if (owes_sync && sync_first) grant_sync = 1'b1;
    else if (!up) begin
      // nothing else travels
    end else if (beat_now) grant_beat = 1'b1;
    else if (answer_owed) grant_answer = 1'b1;
    else if (|answers) begin
      // an answer that the first stage has not read yet goes next
    end else if (beat_due) grant_beat = 1'b1;
    else if (initiator_owed) grant_initiator = 1'b1;
  end

  always @(posedge clk) begin
    if (rst || restart || !beat_due || grant_beat) passed <= {PASS_BITS{1'b0}};
    else if ((grant_answer || grant_initiator) && passed != PASS_END) passed <= passed + 1'b1;
  end

endmodule
`default_nettype wire
