// The two ends of a lane and what is inside them, for a proof top to include. The top has WINDOW,
// ID_BITS, SLOT_BITS, clk, rst, slot_mask, and a signal for everything that the world may do: A initiates
// and hears answers, B responds and hears orders.
wire open_ready, tell_valid, tell_refusal, tell_taken;
wire [ID_BITS-1:0] open_id, tell_id, head_id;
wire [SLOT_BITS-1:0] open_slot, tell_slot, head_slot, record_slot;
wire [1:0] tell_outcome;
wire record_valid, record_held, deliver_valid, advance_taken;
wire answer_matches, order_matches;
wire [WINDOW-1:0] owes_decision, owes_repeat, owes_first, owes_answer;

oae_initiator_core #(
    .WINDOW (WINDOW),
    .ID_BITS(ID_BITS)
) a (
    .clk(clk),
    .rst(rst),
    .crash(crash_a),
    .amnesia(1'b0),
    .slot_mask(slot_mask),
    .can_open(can_open),
    .changing(1'b0),
    .adopt(1'b0),
    .resend(resend),
    .frame_valid(answer_valid),
    .frame_operation(answer_operation),
    .frame_id(answer_id),
    .frame_matches(answer_matches),
    .frame_reason(answer_reason),
    .open_valid(open_valid),
    .open_ready(open_ready),
    .open_kind(open_kind),
    .open_id(open_id),
    .open_slot(open_slot),
    .open_slot_idle(),
    .refusal_valid(refusal_valid),
    .refusal_taken(),
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
    .owes_decision(owes_decision),
    .owes_repeat(owes_repeat),
    .owes_first(owes_first),
    .waiting(),
    .undecided(),
    .committed(),
    .owes(),
    .grant_valid(grant_a_valid),
    .grant_slot(grant_a_slot),
    .look_slot({SLOT_BITS{1'b0}}),
    .look_id(),
    .busy(),
    .tell_valid(tell_valid),
    .tell_ready(tell_ready),
    .tell_refusal(tell_refusal),
    .tell_slot(tell_slot),
    .tell_id(tell_id),
    .tell_outcome(tell_outcome),
    .tell_reason(),
    .tell_taken(tell_taken),
    .event_valid(),
    .event_word()
);

oae_responder_core #(
    .WINDOW (WINDOW),
    .ID_BITS(ID_BITS)
) b (
    .clk(clk),
    .rst(rst),
    .crash(crash_b),
    .amnesia(1'b0),
    .slot_mask(slot_mask),
    .changing(1'b0),
    .adopt(1'b0),
    .frame_valid(order_valid),
    .frame_operation(order_operation),
    .frame_id(order_id),
    .frame_kind(order_kind),
    .frame_matches(order_matches),
    .frame_stored(order_stored),
    .other_epoch(other_epoch),
    .not_prepared(not_prepared),
    .refuse(refuse),
    .record_valid(record_valid),
    .record_held(record_held),
    .record_slot(record_slot),
    .store_id({ID_BITS{1'b0}}),
    .store_allowed(),
    .deliver_valid(deliver_valid),
    .deliver_ready(deliver_ready),
    .head_slot(head_slot),
    .head_id(head_id),
    .advance_taken(advance_taken),
    .doubt_valid(),
    .doubt_ready(1'b0),
    .owes_answer(owes_answer),
    .grant_valid(grant_b_valid),
    .grant_slot(grant_b_slot),
    .look_slot({SLOT_BITS{1'b0}}),
    .look_id(),
    .look_operation(),
    .look_reason(),
    .unresolved(),
    .event_valid(),
    .event_word()
);


// What is inside them: flattening joins these wires with the cores' own.
(* hierconn *) wire [3*WINDOW-1:0] \a.state ;
(* hierconn *) wire [WINDOW-1:0] \a.known ;
(* hierconn *) wire [ID_BITS-1:0] \a.next_id ;
(* hierconn *) wire \a.inbox ;
(* hierconn *) wire \a.comparing ;
(* hierconn *) wire \a.comparing_equal ;
(* hierconn *) wire [SLOT_BITS-1:0] \a.comparing_slot ;
(* hierconn *) wire [3*WINDOW-1:0] \b.state ;
(* hierconn *) wire [WINDOW-1:0] \b.delivered ;
(* hierconn *) wire [WINDOW-1:0] \b.advance ;
(* hierconn *) wire [ID_BITS-1:0] \b.deliver_pointer ;
(* hierconn *) wire \b.inbox ;
(* hierconn *) wire \b.settling ;
(* hierconn *) wire \b.settling_held ;
(* hierconn *) wire [SLOT_BITS-1:0] \b.settling_slot ;
(* hierconn *) wire \b.head_matches ;
(* hierconn *) wire \b.head_matched ;
(* hierconn *) wire [ID_BITS-1:0] \a.ids[0] , \a.ids[1] , \b.ids[0] , \b.ids[1] ;
`ifndef OAE_TWO_SLOTS
(* hierconn *) wire [ID_BITS-1:0] \a.ids[2] , \a.ids[3] , \b.ids[2] , \b.ids[3] ;
`ifndef OAE_FOUR_SLOTS
(* hierconn *) wire [ID_BITS-1:0] \a.ids[4] , \a.ids[5] , \b.ids[4] , \b.ids[5] ;
(* hierconn *) wire [ID_BITS-1:0] \a.ids[6] , \a.ids[7] , \b.ids[6] , \b.ids[7] ;
`endif
`endif
`ifdef OAE_TWO_SLOTS
wire [2*ID_BITS-1:0] a_ids = {\a.ids[1] , \a.ids[0] };
wire [2*ID_BITS-1:0] b_ids = {\b.ids[1] , \b.ids[0] };
`elsif OAE_FOUR_SLOTS
wire [4*ID_BITS-1:0] a_ids = {\a.ids[3] , \a.ids[2] , \a.ids[1] , \a.ids[0] };
wire [4*ID_BITS-1:0] b_ids = {\b.ids[3] , \b.ids[2] , \b.ids[1] , \b.ids[0] };
`else
wire [8*ID_BITS-1:0] a_ids = {
  \a.ids[7] , \a.ids[6] , \a.ids[5] , \a.ids[4] , \a.ids[3] , \a.ids[2] , \a.ids[1] , \a.ids[0]
};
wire [8*ID_BITS-1:0] b_ids = {
  \b.ids[7] , \b.ids[6] , \b.ids[5] , \b.ids[4] , \b.ids[3] , \b.ids[2] , \b.ids[1] , \b.ids[0]
};
`endif

wire [ID_BITS-1:0] next_id = \a.next_id ;
wire [ID_BITS-1:0] pointer = \b.deliver_pointer ;
wire [ID_BITS-1:0] window = {{ID_BITS - SLOT_BITS{1'b0}}, slot_mask} + 1'b1;
wire [ID_BITS-1:0] gap = next_id - pointer;  // opened, and not yet passed by B

// The state that an end holds an id in; IDLE if it does not hold it.
function automatic [2:0] held_by_a;
  input [ID_BITS-1:0] id;
  reg [SLOT_BITS-1:0] slot;
  begin
    slot = id[SLOT_BITS-1:0] & slot_mask;
    held_by_a = a_ids[ID_BITS*slot+:ID_BITS] == id ? \a.state [3*slot+:3] : `OAE_STATE_IDLE;
  end
endfunction
function automatic [2:0] held_by_b;
  input [ID_BITS-1:0] id;
  reg [SLOT_BITS-1:0] slot;
  begin
    slot = id[SLOT_BITS-1:0] & slot_mask;
    held_by_b = b_ids[ID_BITS*slot+:ID_BITS] == id ? \b.state [3*slot+:3] : `OAE_STATE_IDLE;
  end
endfunction
localparam [ID_BITS-1:0] HALF = {1'b1, {ID_BITS - 1{1'b0}}};

// Opened, and not so long ago that its frames are gone.
function automatic is_current;
  input [ID_BITS-1:0] id;
  is_current = next_id - id != {ID_BITS{1'b0}} && next_id - id < HALF;
endfunction
function automatic is_passed;
  input [ID_BITS-1:0] id;
  is_passed = pointer - id != {ID_BITS{1'b0}} && pointer - id < HALF;
endfunction
