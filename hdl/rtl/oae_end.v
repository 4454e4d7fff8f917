// One end of a bilateral link: both lanes, the link machine, and the ports of MAC and host.
//
// `crash` loses what is volatile, `amnesia` what is durable too; `rst` clears everything, and the
// neighbours on every stream are reset with it. Timers advance in the cycles of `tick` only: tied to
// 1, they count clock cycles. Ports and units: docs/design.md.
`default_nettype none
`include "oae_defs.vh"
`include "oae_ablate.vh"

// What makes the link bilateral. A link that is forward in time only, to compare with, has other
// parts in their places, with the same ports (hdl/fito, docs/fito.md).
`ifdef OAE_FITO
`define OAE_INITIATOR oae_fito_sender
`define OAE_RESPONDER oae_fito_receiver
`define OAE_BEAT oae_fito_beat
`else
`define OAE_INITIATOR oae_initiator_core
`define OAE_RESPONDER oae_responder_core
`define OAE_BEAT oae_beat
`endif

module oae_end #(
    parameter integer WINDOW = 8,  // slots a lane: 1, 2, 4 ... 64
    parameter integer RECORD_MAX = 64,  // longest record in bytes: 8 to 1488, times 8
    parameter [15:0] ETHERTYPE = `OAE_ETHERTYPE,
    parameter integer BEAT_IDLE = 1024,  // ticks of idle line before a beat
    parameter integer BEAT_BUSY = 256,  // ticks between beats while a slot waits
    parameter integer FAULT_BEATS = 8,  // silent intervals before FAULT
    parameter integer SYNC_INTERVAL = 1024  // ticks between repeated challenges
) (
    input wire clk,
    input wire rst,
    input wire crash,
    input wire amnesia,
    input wire tick,     // of the timers

    // MAC side
    input  wire [63:0] s_axis_tdata,
    input  wire [ 7:0] s_axis_tkeep,
    input  wire        s_axis_tvalid,
    output wire        s_axis_tready,
    input  wire        s_axis_tlast,
    input  wire        s_axis_tuser,   // bad frame
    output wire [63:0] m_axis_tdata,
    output wire [ 7:0] m_axis_tkeep,
    output wire        m_axis_tvalid,
    input  wire        m_axis_tready,
    output wire        m_axis_tlast,
    output wire        m_axis_tuser,   // bad frame

    // host side: records out
    input  wire [63:0] s_submit_tdata,
    input  wire [ 7:0] s_submit_tkeep,
    input  wire        s_submit_tvalid,
    output wire        s_submit_tready,
    input  wire        s_submit_tlast,
    input  wire        s_submit_tuser,        // at the last beat: the record never existed
    input  wire [15:0] s_submit_tag,          // sampled at the last beat
    input  wire [ 7:0] s_submit_kind,         // sampled at the last beat
    output wire        m_completion_tvalid,
    input  wire        m_completion_tready,
    output wire [15:0] m_completion_tag,
    output wire [31:0] m_completion_id,
    output wire [ 7:0] m_completion_kind,
    output wire [ 1:0] m_completion_outcome,
    output wire [ 5:0] m_completion_reason,
    input  wire        s_cancel_tvalid,
    output wire        s_cancel_tready,
    input  wire [15:0] s_cancel_tag,

    // host side: records in
    output wire [63:0] m_deliver_tdata,
    output wire [ 7:0] m_deliver_tkeep,
    output wire        m_deliver_tvalid,
    input  wire        m_deliver_tready,
    output wire        m_deliver_tlast,
    output wire        m_deliver_tuser,   // the packet was cut by a restart and is no delivery
    output wire [31:0] m_deliver_id,
    output wire        m_doubt_tvalid,
    input  wire        m_doubt_tready,
    output wire [31:0] m_doubt_id,
    output wire [31:0] m_doubt_digest,

    input wire        cfg_enable,
    input wire        cfg_beats,
    input wire        cfg_accept,       // sampled when DATA is verified
    input wire [63:0] cfg_session,      // host entropy, never 0; drawn after power-on
    input wire [31:0] cfg_epoch,        // the epoch that the domain wants to be in
    input wire [31:0] cfg_prepared,     // the highest epoch whose part is durable
    input wire [47:0] cfg_destination,
    input wire [47:0] cfg_source,

    output wire [ 1:0] status_link_state,
    output wire        status_incoming_alive,
    output wire        status_outgoing_alive,
    output wire        status_changing,
    output wire [31:0] status_epoch,
    output wire [31:0] status_converged,
    output wire        status_balance_valid,
    output wire [ 2:0] status_initiator_balance,
    output wire [ 2:0] status_responder_balance,

    output wire [   `OAE_CHANNELS-1:0] event_valid,
    output wire [64*`OAE_CHANNELS-1:0] event_words,
    output reg  [                47:0] event_cycle,

    input  wire [ 7:0] register_address,
    output reg  [31:0] register_data      // one cycle later
);

  localparam integer SLOT_BITS = WINDOW > 1 ? $clog2(WINDOW) : 1;
  localparam integer WORD_BITS = RECORD_MAX > 8 ? $clog2((RECORD_MAX + 7) / 8) : 1;
`ifdef OAE_ABLATE_F10
  localparam integer ID_BITS = 2;  // ids come again after four transactions
`else
  localparam integer ID_BITS = 32;
`endif
  localparam integer ID_PAD = 32 - ID_BITS;

  // Wrong parameters are refused at elaboration, by a module that does not exist.
  generate
    if (WINDOW < 1 || WINDOW > 64 || (WINDOW & (WINDOW - 1)) != 0) begin : g_window
      oae_error_WINDOW_must_be_1_2_4_8_16_32_or_64 wrong ();
    end
    if (RECORD_MAX < 8 || RECORD_MAX > 1488 || RECORD_MAX % 8 != 0) begin : g_record_max
      oae_error_RECORD_MAX_must_be_a_multiple_of_8_from_8_to_1488 wrong ();
    end
    if (BEAT_IDLE < 1 || BEAT_BUSY < 1 || BEAT_BUSY > BEAT_IDLE) begin : g_beats
      oae_error_BEAT_BUSY_must_be_from_1_to_BEAT_IDLE wrong ();
    end
    if (FAULT_BEATS < 2) begin : g_fault_beats
      oae_error_FAULT_BEATS_must_be_at_least_2 wrong ();
    end
    if (SYNC_INTERVAL < 64) begin : g_sync_interval
      oae_error_SYNC_INTERVAL_must_be_at_least_64 wrong ();
    end
  endgenerate

  wire restart = crash || amnesia;

  // ---------------------------------------------------------------- link machine
  wire [1:0] link_state;
  wire up, up_entered, changing, adopt, resend;
  wire initiator_busy, responder_unresolved;
  wire [SLOT_BITS-1:0] slot_mask;
  wire [15:0] record_max;
  wire [31:0] transmit_link_session, receive_link_session, epoch;
  wire epoch_settled;
  wire can_open = up && !changing && epoch_settled;
  wire owes_sync_ack, owes_sync, grant_sync_ack, grant_sync;
  wire [63:0] session, verified, answer_session;
  wire [31:0] answer_counter, counter;
  wire incoming_dead, outgoing_dead;

  // ---------------------------------------------------------------- parser
  wire record_valid;
  wire [63:0] record_data, frame_record_0;
  wire [WORD_BITS-1:0] record_index;
  wire [31:0] record_id;
  wire frame_valid, malformed_valid;
  wire [4:0] frame_operation;
  wire [31:0] frame_id, frame_digest, frame_operand, frame_epoch;
  wire [7:0] frame_kind, sync_window;
  wire [15:0] frame_length, sync_record_max;
  wire [3:0] malformed_reason;
  wire [63:0] sync_session, sync_verified, sync_challenger;
  wire [31:0] sync_counter;
  wire parser_ready;
  wire unused_foreign, unused_unsupported, unused_not_up;  // told as events

  // With F25 removed, receiving waits for transmitting.
  wire receive_open = `OAE_HAS_F25 || !m_axis_tvalid || m_axis_tready;
  assign s_axis_tready = parser_ready && receive_open;

  oae_frame_parser #(
      .RECORD_MAX(RECORD_MAX),
      .ETHERTYPE (ETHERTYPE)
  ) parser (
      .clk(clk),
      .rst(rst),
      .restart(restart),
      .s_axis_tdata(s_axis_tdata),
      .s_axis_tkeep(s_axis_tkeep),
      .s_axis_tvalid(s_axis_tvalid && receive_open),
      .s_axis_tready(parser_ready),
      .s_axis_tlast(s_axis_tlast),
      .s_axis_tuser(s_axis_tuser),
      .link_up(up),
      .link_session(receive_link_session),
      .epoch(epoch),
      .record_max(record_max),
      .record_valid(record_valid),
      .record_data(record_data),
      .record_index(record_index),
      .record_id(record_id),
      .frame_valid(frame_valid),
      .malformed_valid(malformed_valid),
      .foreign_valid(unused_foreign),
      .unsupported_valid(unused_unsupported),
      .not_up_valid(unused_not_up),
      .frame_operation(frame_operation),
      .frame_id(frame_id),
      .frame_digest(frame_digest),
      .frame_operand(frame_operand),
      .frame_epoch(frame_epoch),
      .frame_kind(frame_kind),
      .frame_length(frame_length),
      .malformed_reason(malformed_reason),
      .frame_record_0(frame_record_0),
      .sync_session(sync_session),
      .sync_verified(sync_verified),
      .sync_challenger(sync_challenger),
      .sync_counter(sync_counter),
      .sync_record_max(sync_record_max),
      .sync_window(sync_window),
      .event_valid(event_valid[`OAE_CHANNEL_RECEIVE]),
      .event_word(event_words[64*`OAE_CHANNEL_RECEIVE+:64])
  );

  // Whom a verified frame concerns.
  wire is_sync = frame_operation == `OAE_OPERATION_SYNC ||
      frame_operation == `OAE_OPERATION_SYNC_ACK;
  wire is_beat = frame_operation == `OAE_OPERATION_NOP;
  wire is_request = frame_operation == `OAE_OPERATION_DATA ||
      frame_operation == `OAE_OPERATION_COMMIT || frame_operation == `OAE_OPERATION_ABORT;

  oae_link_control #(
      .WINDOW(WINDOW),
      .RECORD_MAX(RECORD_MAX),
      .SYNC_INTERVAL(SYNC_INTERVAL)
  ) link (
      .clk(clk),
      .rst(rst),
      .crash(crash),
      .amnesia(amnesia),
      .tick(tick),
      .cfg_enable(cfg_enable),
      .cfg_session(cfg_session),
      .cfg_epoch(cfg_epoch),
      .frame_valid(frame_valid && is_sync),
      .frame_operation(frame_operation),
      .frame_session(sync_session),
      .frame_verified(sync_verified),
      .frame_challenger(sync_challenger),
      .frame_counter(sync_counter),
      .frame_record_max(sync_record_max),
      .frame_window(sync_window),
      .foreign_session(malformed_valid &&
                       malformed_reason == `OAE_MALFORMED_REASON_WRONG_LINK_SESSION),
      .owes_sync_ack(owes_sync_ack),
      .owes_sync(owes_sync),
      .sync_ack_granted(grant_sync_ack),
      .sync_granted(grant_sync),
      .session(session),
      .verified(verified),
      .answer_session(answer_session),
      .answer_counter(answer_counter),
      .counter(counter),
      .incoming_dead(incoming_dead),
      .outgoing_dead(outgoing_dead),
      .link_state(link_state),
      .up(up),
      .up_entered(up_entered),
      .changing(changing),
      .adopt(adopt),
      .resend(resend),
      .initiator_busy(initiator_busy),
      .responder_unresolved(responder_unresolved),
      .slot_mask(slot_mask),
      .record_max(record_max),
      .transmit_link_session(transmit_link_session),
      .receive_link_session(receive_link_session),
      .epoch(epoch),
      .epoch_settled(epoch_settled),
      .event_valid(event_valid[`OAE_CHANNEL_LINK]),
      .event_word(event_words[64*`OAE_CHANNEL_LINK+:64])
  );

  // ---------------------------------------------------------------- outgoing lane
  wire open_valid, open_ready, open_slot_idle;
  wire [ID_BITS-1:0] open_id, initiator_id, tell_id;
  wire [SLOT_BITS-1:0] open_slot, initiator_slot, next_initiator_slot, tell_slot, retry_slot;
  wire [31:0] open_digest, advance_epoch;
  wire [15:0] open_length;
  wire refusal_valid, refusal_taken, discard_valid, discard_ready;
  wire [5:0] refusal_reason, tell_reason;
  wire [WINDOW-1:0] owes_decision, owes_repeat, owes_first, owes, waiting, committed;
  wire [4:0] initiator_operation;
  wire grant_initiator, tell_valid, tell_ready, tell_refusal, tell_taken;
  wire [1:0] tell_outcome;
  wire retry_valid, retry_ready, cancel_ready;
  wire [WINDOW-1:0] unused_undecided;
  wire [31:0] outgoing_digest, compared_digest;
  wire [15:0] outgoing_length;
  wire outgoing_kind, tell_kind;

  // Tags, one a slot; cancel looks at all of them at once.
  reg [16*WINDOW-1:0] tags;
  reg [WINDOW-1:0] cancel_hit;
  integer s;
  always @* for (s = 0; s < WINDOW; s = s + 1) cancel_hit[s] = tags[16*s+:16] == s_cancel_tag;
  always @(posedge clk) if (open_ready) tags[16*open_slot+:16] <= s_submit_tag;

  wire [SLOT_BITS-1:0] frame_slot = frame_id[SLOT_BITS-1:0] & slot_mask;

  `OAE_INITIATOR #(
      .WINDOW (WINDOW),
      .ID_BITS(ID_BITS)
  ) initiator (
      .clk(clk),
      .rst(rst),
      .crash(crash),
      .amnesia(amnesia),
      .slot_mask(slot_mask),
      .can_open(can_open),
      .changing(changing),
      .adopt(adopt),
      .resend(resend),
      .frame_valid(frame_valid && !is_sync && !is_beat && !is_request),
      .frame_operation(frame_operation),
      .frame_id(frame_id[ID_BITS-1:0]),
      .frame_matches(compared_digest == frame_digest),
      .frame_reason(frame_operand[29:24]),
      .open_valid(open_valid),
      .open_ready(open_ready),
      .open_kind(s_submit_kind),
      .open_id(open_id),
      .open_slot(open_slot),
      .open_slot_idle(open_slot_idle),
      .refusal_valid(refusal_valid),
      .refusal_taken(refusal_taken),
      .refusal_reason(refusal_reason),
      .discard_valid(discard_valid),
      .discard_ready(discard_ready),
      .submit_tag(s_submit_tag),
      .cancel_valid(s_cancel_tvalid),
      .cancel_ready(cancel_ready),
      .cancel_tag(s_cancel_tag),
      .cancel_hit(cancel_hit),
      .retry_valid(retry_valid),
      .retry_ready(retry_ready),
      .retry_slot(retry_slot),
      .owes_decision(owes_decision),
      .owes_repeat(owes_repeat),
      .owes_first(owes_first),
      .waiting(waiting),
      .undecided(unused_undecided),
      .committed(committed),
      .owes(owes),
      .grant_valid(grant_initiator),
      .grant_slot(initiator_slot),
      .look_slot(next_initiator_slot),
      .look_id(initiator_id),
      .busy(initiator_busy),
      .tell_valid(tell_valid),
      .tell_ready(tell_ready),
      .tell_refusal(tell_refusal),
      .tell_slot(tell_slot),
      .tell_id(tell_id),
      .tell_outcome(tell_outcome),
      .tell_reason(tell_reason),
      .tell_taken(tell_taken),
      .event_valid(event_valid[`OAE_CHANNEL_INITIATOR]),
      .event_word(event_words[64*`OAE_CHANNEL_INITIATOR+:64])
  );

  assign s_cancel_tready = cancel_ready;

  assign m_completion_tvalid = tell_valid && !rst && !restart;
  assign tell_ready = m_completion_tready;  // the core takes no step at the edge of a restart
  assign m_completion_tag = tell_refusal ? s_submit_tag : tags[16*tell_slot+:16];
  assign m_completion_id = tell_refusal ? 32'd0 : {{ID_PAD{1'b0}}, tell_id};
  assign m_completion_kind = tell_refusal ? s_submit_kind : {7'd0, tell_kind};
  assign m_completion_outcome = tell_outcome;
  assign m_completion_reason = tell_reason;

`ifdef OAE_ABLATE_F13
  // The reflection is believed, whatever it says: its digest becomes the slot's. It was heard in
  // the cycle before, and its fields still hold; no record is opened meanwhile.
  wire [63:0] told_word = event_words[64*`OAE_CHANNEL_INITIATOR+:64];
  wire adopts = event_valid[`OAE_CHANNEL_INITIATOR] &&
      told_word[63:56] == `OAE_EVENT_REFLECTION_HEARD;
  wire [SLOT_BITS-1:0] adopting_slot = told_word[48+:SLOT_BITS];
`endif

  // What belongs to a slot: digest (sent, compared), length and kind (sent, told).
  oae_slot_memory #(
      .WINDOW(WINDOW),
      .WIDTH (32)
  ) outgoing_digests (
      .clk(clk),
`ifdef OAE_ABLATE_F13
      .write_enable(open_ready || adopts),
      .write_slot(adopts ? adopting_slot : open_slot),
      .write_data(adopts ? frame_digest : open_digest),
`else
      .write_enable(open_ready),
      .write_slot(open_slot),
      .write_data(open_digest),
`endif
      .read_slot_0(next_initiator_slot),
      .read_data_0(outgoing_digest),
      .read_slot_1(frame_slot),
      .read_data_1(compared_digest)
  );
  wire [15:0] unused_length;
  oae_slot_memory #(
      .WINDOW(WINDOW),
      .WIDTH (17)
  ) outgoing_lengths (
      .clk(clk),
      .write_enable(open_ready),
      .write_slot(open_slot),
      .write_data({s_submit_kind == `OAE_KIND_EPOCH_ADVANCE, open_length}),
      .read_slot_0(next_initiator_slot),
      .read_data_0({outgoing_kind, outgoing_length}),
      .read_slot_1(tell_slot),
      .read_data_1({tell_kind, unused_length})
  );

  wire submit_write, builder_read_enable, builder_reading;
  wire [SLOT_BITS-1:0] submit_page, builder_read_page, builder_reading_page, grant_page;
  wire [WORD_BITS-1:0] submit_word, builder_read_word;
  wire [63:0] submit_data, outgoing_data;

  oae_submit #(
      .WINDOW(WINDOW),
      .RECORD_MAX(RECORD_MAX),
      .ID_BITS(ID_BITS)
  ) submit (
      .clk(clk),
      .rst(rst),
      .amnesia(amnesia),
      .restart(restart),
      .s_submit_tdata(s_submit_tdata),
      .s_submit_tkeep(s_submit_tkeep),
      .s_submit_tvalid(s_submit_tvalid),
      .s_submit_tready(s_submit_tready),
      .s_submit_tlast(s_submit_tlast),
      .s_submit_tuser(s_submit_tuser),
      .s_submit_kind(s_submit_kind),
      .up(up),
      .can_open(can_open),
      .adopt(adopt),
      .record_max(record_max),
      .link_session(transmit_link_session),
      .epoch(epoch),
      .open_id(open_id),
      .open_slot(open_slot),
      .open_slot_idle(open_slot_idle),
      .open_valid(open_valid),
      .open_ready(open_ready),
      .open_digest(open_digest),
      .open_length(open_length),
      .refusal_valid(refusal_valid),
      .refusal_taken(refusal_taken),
      .refusal_reason(refusal_reason),
      .discard_valid(discard_valid),
      .discard_ready(discard_ready),
      .advance_epoch(advance_epoch),
      .write_enable(submit_write),
      .write_page(submit_page),
      .write_word(submit_word),
      .write_data(submit_data),
      .grant_slot(initiator_slot),
      .grant_page(grant_page),
      .reading(builder_reading),
      .reading_page(builder_reading_page)
  );

  oae_record_store #(
      .WORD_BITS(WORD_BITS),
      .PAGE_BITS(SLOT_BITS)
  ) outgoing_store (
      .clk(clk),
      .write_enable(submit_write),
      .write_page(submit_page),
      .write_word(submit_word),
      .write_data(submit_data),
      .read_enable(builder_read_enable),
      .read_page(builder_read_page),
      .read_word(builder_read_word),
      .read_data(outgoing_data)
  );

  // ---------------------------------------------------------------- incoming lane
  wire responder_record_valid, responder_record_held;
  wire store_allowed, deliver_valid, delivered, advance_taken;
  wire doubt_valid, doubt_ready, grant_answer;
  wire [SLOT_BITS-1:0] record_slot, head_slot, answer_slot, next_answer_slot;
  wire [ID_BITS-1:0] head_id, answer_id;
  wire [WINDOW-1:0] owes_answer;
  wire [4:0] answer_operation;
  wire [5:0] answer_reason;
  wire [31:0] answer_digest, held_digest, head_digest;
  wire [15:0] head_length;

  // The 4-byte record of an epoch advance, big-endian; one is unresolved at a time.
  wire [31:0] offered_epoch = {
    frame_record_0[7:0], frame_record_0[15:8], frame_record_0[23:16], frame_record_0[31:24]
  };
  reg [31:0] incoming_advance;

  `OAE_RESPONDER #(
      .WINDOW (WINDOW),
      .ID_BITS(ID_BITS)
  ) responder (
      .clk(clk),
      .rst(rst),
      .crash(crash),
      .amnesia(amnesia),
      .slot_mask(slot_mask),
      .changing(changing),
      .adopt(adopt),
      .frame_valid(frame_valid && is_request),
      .frame_operation(frame_operation),
      .frame_id(frame_id[ID_BITS-1:0]),
      .frame_kind(frame_kind),
      .frame_matches(held_digest == frame_digest),
      .frame_stored(!store_missed),
      .other_epoch(frame_epoch != epoch || !epoch_settled),
      .not_prepared(offered_epoch > cfg_prepared || frame_length != 16'd4),
      .refuse(!cfg_accept),
      .record_valid(responder_record_valid),
      .record_held(responder_record_held),
      .record_slot(record_slot),
      .store_id(record_id[ID_BITS-1:0]),
      .store_allowed(store_allowed),
      .deliver_valid(deliver_valid),
      .deliver_ready(delivered),
      .head_slot(head_slot),
      .head_id(head_id),
      .advance_taken(advance_taken),
      .doubt_valid(doubt_valid),
      .doubt_ready(doubt_ready),
      .owes_answer(owes_answer),
      .grant_valid(grant_answer),
      .grant_slot(answer_slot),
      .look_slot(next_answer_slot),
      .look_id(answer_id),
      .look_operation(answer_operation),
      .look_reason(answer_reason),
      .unresolved(responder_unresolved),
      .event_valid(event_valid[`OAE_CHANNEL_RESPONDER]),
      .event_word(event_words[64*`OAE_CHANNEL_RESPONDER+:64])
  );

  assign m_doubt_tvalid = doubt_valid && !rst && !restart;
  assign doubt_ready = m_doubt_tready;
  assign m_doubt_id = {{ID_PAD{1'b0}}, head_id};
  assign m_doubt_digest = head_digest;

  // Three reads of a slot's digest: answered, compared, doubted; two of its length.
  // They are written one cycle behind the step, from fields that still hold; nobody reads them
  // before. A restart in that cycle does not undo the step.
  wire record_step = responder_record_valid && !rst && !restart;
  reg recorded, recorded_held;
  always @(posedge clk) begin
    recorded <= record_step;
    recorded_held <= record_step && responder_record_held;
  end
  oae_slot_memory #(
      .WINDOW(WINDOW),
      .WIDTH (32)
  ) incoming_digests (
      .clk(clk),
      .write_enable(recorded),
      .write_slot(record_slot),
      .write_data(frame_digest),
      .read_slot_0(next_answer_slot),
      .read_data_0(answer_digest),
      .read_slot_1(frame_slot),
      .read_data_1(held_digest)
  );
  wire [47:0] unused_head;
  oae_slot_memory #(
      .WINDOW(WINDOW),
      .WIDTH (48)
  ) incoming_heads (
      .clk(clk),
      .write_enable(recorded),
      .write_slot(record_slot),
      .write_data({frame_digest, frame_length}),
      .read_slot_0(head_slot),
      .read_data_0({head_digest, head_length}),
      .read_slot_1(head_slot),
      .read_data_1(unused_head)
  );

  // Record words go to the store before the verdict, but only into a page whose record is dead.
  reg store_write;
  reg store_missed;  // a word of this record was not stored
  reg [SLOT_BITS-1:0] store_page;
  reg [WORD_BITS-1:0] store_word;
  reg [63:0] store_data;
  always @(posedge clk) begin
    store_write <= record_valid && store_allowed && up && !rst && !restart;
    if (record_valid)
      store_missed <= !(store_allowed && up) || (store_missed && record_index != {WORD_BITS{1'b0}});
    store_page <= record_id[SLOT_BITS-1:0] & slot_mask;
    store_word <= record_index;
    store_data <= record_data;
  end

  wire deliver_read_enable;
  wire [WORD_BITS-1:0] deliver_read_word;
  wire [63:0] incoming_data;
  oae_record_store #(
      .WORD_BITS(WORD_BITS),
      .PAGE_BITS(SLOT_BITS)
  ) incoming_store (
      .clk(clk),
      .write_enable(store_write),
      .write_page(store_page),
      .write_word(store_word),
      .write_data(store_data),
      .read_enable(deliver_read_enable),
      .read_page(head_slot),
      .read_word(deliver_read_word),
      .read_data(incoming_data)
  );

  oae_deliver #(
      .RECORD_MAX(RECORD_MAX)
  ) deliver (
      .clk(clk),
      .rst(rst),
      .restart(restart),
      .record_valid(deliver_valid),
      .record_id({{ID_PAD{1'b0}}, head_id}),
      .record_length(head_length),
      .delivered(delivered),
      .read_enable(deliver_read_enable),
      .read_word(deliver_read_word),
      .read_data(incoming_data),
      .m_deliver_tdata(m_deliver_tdata),
      .m_deliver_tkeep(m_deliver_tkeep),
      .m_deliver_tvalid(m_deliver_tvalid),
      .m_deliver_tready(m_deliver_tready),
      .m_deliver_tlast(m_deliver_tlast),
      .m_deliver_tuser(m_deliver_tuser),
      .m_deliver_id(m_deliver_id)
  );

  // ---------------------------------------------------------------- epochs
  // The last epoch that an advance has converged on: the initiator learns it in the freeing step,
  // the responder in that of the delivered mark. It never goes back.
  // Which epoch is later is compared a cycle ahead; of the cycle in between it is known which of
  // the two `converged` became.
  reg [31:0] converged;
  reg outgoing_ahead, incoming_ahead;  // of `converged`, as it was
  reg outgoing_later, incoming_later;  // than the other one
  reg outgoing_taken, incoming_taken;  // `converged` is it since the last edge
  wire outgoing_gains = outgoing_taken ? 1'b0 : incoming_taken ? outgoing_later : outgoing_ahead;
  wire incoming_gains = incoming_taken ? 1'b0 : outgoing_taken ? incoming_later : incoming_ahead;
  wire outgoing_told = !restart && tell_taken && tell_kind &&
      tell_outcome == `OAE_OUTCOME_COMMITTED && outgoing_gains;
  wire incoming_told = !restart && advance_taken && incoming_gains;
  wire take_outgoing = outgoing_told && !(advance_taken && incoming_later);
  wire take_incoming = incoming_told && !take_outgoing;
  always @(posedge clk) begin
    if (recorded_held && frame_kind == `OAE_KIND_EPOCH_ADVANCE) incoming_advance <= offered_epoch;
    outgoing_ahead <= advance_epoch > converged;
    incoming_ahead <= incoming_advance > converged;
    outgoing_later <= advance_epoch > incoming_advance;
    incoming_later <= incoming_advance > advance_epoch;
    outgoing_taken <= take_outgoing;
    incoming_taken <= take_incoming;
    if (take_outgoing) converged <= advance_epoch;
    else if (take_incoming) converged <= incoming_advance;
    if (rst || amnesia) begin
      converged <= 32'd0;
      outgoing_taken <= 1'b0;
      incoming_taken <= 1'b0;
    end
  end

  // ---------------------------------------------------------------- beats
  wire beat_due, grant_beat;
  wire [31:0] beat_word;
  `OAE_BEAT #(
      .WINDOW(WINDOW),
      .BEAT_IDLE(BEAT_IDLE),
      .BEAT_BUSY(BEAT_BUSY),
      .FAULT_BEATS(FAULT_BEATS)
  ) beat (
      .clk(clk),
      .rst(rst),
      .restart(restart),
      .tick(tick),
      .enable(cfg_beats),
      .up(up),
      .up_entered(up_entered),
      .frame_valid(frame_valid),
      .beat_valid(frame_valid && is_beat),
      .beat_word(frame_operand),
      .line_busy(m_axis_tvalid),
      .due(beat_due),
      .word(beat_word),
      .granted(grant_beat),
      .mark_valid(grant_initiator),
      .mark_slot(initiator_slot),
      .waiting(waiting),
      .owes(owes),
      .retry_valid(retry_valid),
      .retry_ready(retry_ready),
      .retry_slot(retry_slot),
      .incoming_dead(incoming_dead),
      .outgoing_dead(outgoing_dead)
  );

  // ---------------------------------------------------------------- transmit
  wire builder_ready;
  reg  beat_asked;  // a beat was due in the cycle before
  always @(posedge clk) beat_asked <= beat_due && !grant_beat && !rst && !restart;
  oae_transmit_arbiter #(
      .WINDOW(WINDOW)
  ) arbiter (
      .clk(clk),
      .rst(rst),
      .restart(restart),
      .ready(builder_ready),
      .owes_sync_ack(owes_sync_ack),
      .owes_sync(owes_sync),
      .up(up),
      .beat_due(beat_asked),
      .answers(owes_answer),
      .oldest_answer(head_slot),
      .answers_renamed(record_step || recorded),
      .decisions(owes_decision),
      .repeats(owes_repeat),
      .firsts(owes_first),
      .committed(committed),
      .oldest_id(open_slot),
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

  // What the first stage of the arbiter has read of each lane's candidate.
  reg [31:0] ready_id, ready_digest, ready_answer_id, ready_answer_digest;
  reg [15:0] ready_length;
  reg ready_kind;
  reg [4:0] ready_answer_operation;
  reg [5:0] ready_answer_reason;
  always @(posedge clk) begin
    ready_id <= {{ID_PAD{1'b0}}, initiator_id};
    ready_digest <= outgoing_digest;
    ready_length <= outgoing_length;
    ready_kind <= outgoing_kind;
    ready_answer_id <= {{ID_PAD{1'b0}}, answer_id};
    ready_answer_digest <= answer_digest;
    ready_answer_operation <= answer_operation;
    ready_answer_reason <= answer_operation == `OAE_OPERATION_ABORTED ? answer_reason : 6'd0;
  end

  reg [4:0] send_operation;
  reg [31:0] send_id, send_digest, send_operand;
  reg [SLOT_BITS-1:0] send_slot;
  // Fields that a frame does not have are the builder's to clear.
  always @* begin
    send_operation = initiator_operation;
    send_id = grant_answer ? ready_answer_id : ready_id;
    send_digest = grant_answer ? ready_answer_digest : ready_digest;
    send_operand = grant_beat ? beat_word : {2'd0, ready_answer_reason, 24'd0};
    send_slot = initiator_slot;
    if (grant_sync_ack || grant_sync || grant_beat) begin
      send_operation = grant_sync_ack ? `OAE_OPERATION_SYNC_ACK :
          grant_sync ? `OAE_OPERATION_SYNC : `OAE_OPERATION_NOP;
      send_slot = {SLOT_BITS{1'b0}};
    end else if (grant_answer) begin
      send_operation = ready_answer_operation;
      send_slot = answer_slot;
    end
  end
  wire grant = grant_sync_ack || grant_sync || grant_beat || grant_answer || grant_initiator;

  oae_frame_builder #(
      .RECORD_MAX(RECORD_MAX),
      .SLOT_BITS (SLOT_BITS),
      .ETHERTYPE (ETHERTYPE)
  ) builder (
      .clk(clk),
      .rst(rst),
      .restart(restart),
      .destination(cfg_destination),
      .source(cfg_source),
      .request_valid(grant),
      .request_ready(builder_ready),
      .request_operation(send_operation),
      .request_id(send_id),
      .request_digest(send_digest),
      .request_operand(send_operand),
      .request_link_session(transmit_link_session),
      .request_kind({7'd0, ready_kind}),
      .request_epoch(epoch[15:0]),
      .request_length(ready_length),
      .request_slot(grant_page),
      .request_sync_session(session),
      .request_sync_verified(verified),
      .request_sync_challenger(grant_sync_ack ? answer_session : 64'd0),
      .request_sync_counter(grant_sync_ack ? answer_counter : counter),
      .request_sync_record_max(RECORD_MAX[15:0]),
      .request_sync_window(WINDOW[7:0]),
      .read_slot(builder_read_page),
      .read_index(builder_read_word),
      .read_enable(builder_read_enable),
      .read_data(outgoing_data),
      .reading(builder_reading),
      .reading_slot(builder_reading_page),
      .m_axis_tdata(m_axis_tdata),
      .m_axis_tkeep(m_axis_tkeep),
      .m_axis_tvalid(m_axis_tvalid),
      .m_axis_tready(m_axis_tready),
      .m_axis_tlast(m_axis_tlast),
      .m_axis_tuser(m_axis_tuser)
  );

  // ---------------------------------------------------------------- event port
  reg [1:0] lost;  // {amnesia, crash} of the cycle before
  reg power_valid, sent_valid;
  reg [63:0] power_word, sent_word;
  always @(posedge clk) begin
    event_cycle <= event_cycle + 1'b1;
    lost <= {amnesia, crash && !amnesia};
    power_valid <= (amnesia && !lost[1]) || (crash && !amnesia && !lost[0]);
    power_word <= {amnesia ? `OAE_EVENT_AMNESIA : `OAE_EVENT_CRASH, 56'd0};
    sent_valid <= grant;
    sent_word <= {
      `OAE_EVENT_SENT,
      {8 - SLOT_BITS{1'b0}},
      send_slot,
      8'd0,
      3'd0,
      send_operation,
      grant_sync_ack ? answer_counter : grant_sync ? counter :
          grant_beat ? {17'd0, beat_word[30:16]} : send_id
    };
    if (rst) begin
      event_cycle <= 48'd0;
      lost <= 2'd0;
      power_valid <= 1'b0;
      sent_valid <= 1'b0;
    end
  end
  assign event_valid[`OAE_CHANNEL_POWER] = power_valid;
  assign event_words[64*`OAE_CHANNEL_POWER+:64] = power_word;
  assign event_valid[`OAE_CHANNEL_TRANSMIT] = sent_valid;
  assign event_words[64*`OAE_CHANNEL_TRANSMIT+:64] = sent_word;

  // ---------------------------------------------------------------- status and registers
  assign status_link_state = link_state;
  assign status_incoming_alive = !incoming_dead;
  assign status_outgoing_alive = !outgoing_dead;
  assign status_changing = changing;
  assign status_epoch = epoch;
  assign status_converged = converged;
  oae_balance balance (
      .session_known(verified != 64'd0),
      .initiator_busy(initiator_busy),
      .responder_unresolved(responder_unresolved),
      .valid(status_balance_valid),
      .initiator(status_initiator_balance),
      .responder(status_responder_balance)
  );

  wire [31:0] count;
  oae_counters counters (
      .clk(clk),
      .rst(rst),
      .event_valid(event_valid),
      .event_words(event_words),
      .index(register_address - `OAE_REGISTER_COUNTERS),
      .value(count)
  );
  reg counter_read;
  reg [31:0] register_value;
  always @(posedge clk) begin
    counter_read <= register_address >= `OAE_REGISTER_COUNTERS;
    case (register_address)
      `OAE_REGISTER_IDENTITY: register_value <= 32'h4f414531;
      `OAE_REGISTER_VERSION: register_value <= {`OAE_PROTOCOL_VERSION, `OAE_REGISTER_MAP};
      `OAE_REGISTER_PARAMETERS: register_value <= {RECORD_MAX[15:0], 8'd0, WINDOW[7:0]};
      `OAE_REGISTER_STATUS:
      register_value <= {
        24'd0,
        responder_unresolved,
        initiator_busy,
        !outgoing_dead,
        !incoming_dead,
        1'b0,
        changing,
        link_state
      };
      `OAE_REGISTER_EPOCH: register_value <= epoch;
      `OAE_REGISTER_CONVERGED: register_value <= converged;
      `OAE_REGISTER_NEXT_ID: register_value <= {{ID_PAD{1'b0}}, open_id};
      `OAE_REGISTER_DELIVER_POINTER: register_value <= {{ID_PAD{1'b0}}, head_id};
      `OAE_REGISTER_BALANCE:
      register_value <= {25'd0, status_responder_balance, 1'b0, status_initiator_balance};
      `OAE_REGISTER_NEGOTIATED:
      register_value <= {record_max, {16 - SLOT_BITS{1'b0}}, slot_mask} + 32'd1;
      default: register_value <= 32'd0;
    endcase
  end
  always @* register_data = counter_read ? count : register_value;

  // Read ports that a lane does not need, and bits that only some parameters use.
  wire unused = &{1'b0, unused_head, unused_length, frame_operand[31:30], frame_record_0[63:32],
                  frame_id, record_id, unused_foreign,
                  unused_unsupported, unused_not_up, unused_undecided};

endmodule
`default_nettype wire
