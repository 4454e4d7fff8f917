// One end without its parser: the digests that the cores compare, the stores, and the host's ports.
//
// The parser is replaced by its promises (oae_end_parts.sv, proven in oae_parser_proof.sv): any
// frame may be verified, 8 cycles after another. All else is the end that is synthesized. Crash
// and amnesia come in any cycle. A slot k is followed whose number is arbitrary.
`default_nettype none
`include "oae_defs.vh"

module oae_end_proof #(
    parameter integer WINDOW = 2,
    parameter integer RECORD_MAX = 16,
    parameter integer SLOT_BITS = 1,
    parameter integer WORD_BITS = 1
) (
    // everything that the world may do, in any cycle
    input wire clk,
    input wire crash,
    input wire amnesia,
    input wire tick,
    input wire [63:0] s_axis_tdata,
    input wire [ 7:0] s_axis_tkeep,
    input wire s_axis_tvalid,
    input wire s_axis_tlast,
    input wire s_axis_tuser,
    input wire m_axis_tready,
    input wire [63:0] s_submit_tdata,
    input wire [ 7:0] s_submit_tkeep,
    input wire s_submit_tvalid,
    input wire s_submit_tlast,
    input wire s_submit_tuser,
    input wire [15:0] s_submit_tag,
    input wire [ 7:0] s_submit_kind,
    input wire m_completion_tready,
    input wire s_cancel_tvalid,
    input wire [15:0] s_cancel_tag,
    input wire m_deliver_tready,
    input wire m_doubt_tready,
    input wire cfg_enable,
    input wire cfg_beats,
    input wire cfg_accept,
    input wire [63:0] cfg_session,
    input wire [31:0] cfg_epoch,
    input wire [31:0] cfg_prepared,
    input wire [47:0] cfg_destination,
    input wire [47:0] cfg_source,
    input wire [ 7:0] register_address
);

  (* anyconst *) wire [SLOT_BITS-1:0] k;

  reg started = 1'b0;
  always @(posedge clk) started <= 1'b1;
  wire rst = !started;
  wire restart = crash || amnesia;

  wire s_axis_tready;
  wire [63:0] m_axis_tdata;
  wire [ 7:0] m_axis_tkeep;
  wire m_axis_tvalid;
  wire m_axis_tlast;
  wire m_axis_tuser;
  wire s_submit_tready;
  wire m_completion_tvalid;
  wire [15:0] m_completion_tag;
  wire [31:0] m_completion_id;
  wire [ 7:0] m_completion_kind;
  wire [ 1:0] m_completion_outcome;
  wire [ 5:0] m_completion_reason;
  wire s_cancel_tready;
  wire [63:0] m_deliver_tdata;
  wire [ 7:0] m_deliver_tkeep;
  wire m_deliver_tvalid;
  wire m_deliver_tlast;
  wire m_deliver_tuser;
  wire [31:0] m_deliver_id;
  wire m_doubt_tvalid;
  wire [31:0] m_doubt_id;
  wire [31:0] m_doubt_digest;
  wire [ 1:0] status_link_state;
  wire status_incoming_alive;
  wire status_outgoing_alive;
  wire status_changing;
  wire [31:0] status_epoch;
  wire [31:0] status_converged;
  wire status_balance_valid;
  wire [ 2:0] status_initiator_balance;
  wire [ 2:0] status_responder_balance;
  wire [   `OAE_CHANNELS-1:0] event_valid;
  wire [64*`OAE_CHANNELS-1:0] event_words;
  wire [                47:0] event_cycle;
  wire [31:0] register_data;

  oae_end #(
      .WINDOW(WINDOW),
      .RECORD_MAX(RECORD_MAX),
      .BEAT_IDLE(4),
      .BEAT_BUSY(2),
      .FAULT_BEATS(2),
      .SYNC_INTERVAL(64)
  ) dut (
      .clk(clk),
      .rst(rst),
      .crash(crash),
      .amnesia(amnesia),
      .tick(tick),
      .s_axis_tdata(s_axis_tdata),
      .s_axis_tkeep(s_axis_tkeep),
      .s_axis_tvalid(s_axis_tvalid),
      .s_axis_tready(s_axis_tready),
      .s_axis_tlast(s_axis_tlast),
      .s_axis_tuser(s_axis_tuser),
      .m_axis_tdata(m_axis_tdata),
      .m_axis_tkeep(m_axis_tkeep),
      .m_axis_tvalid(m_axis_tvalid),
      .m_axis_tready(m_axis_tready),
      .m_axis_tlast(m_axis_tlast),
      .m_axis_tuser(m_axis_tuser),
      .s_submit_tdata(s_submit_tdata),
      .s_submit_tkeep(s_submit_tkeep),
      .s_submit_tvalid(s_submit_tvalid),
      .s_submit_tready(s_submit_tready),
      .s_submit_tlast(s_submit_tlast),
      .s_submit_tuser(s_submit_tuser),
      .s_submit_tag(s_submit_tag),
      .s_submit_kind(s_submit_kind),
      .m_completion_tvalid(m_completion_tvalid),
      .m_completion_tready(m_completion_tready),
      .m_completion_tag(m_completion_tag),
      .m_completion_id(m_completion_id),
      .m_completion_kind(m_completion_kind),
      .m_completion_outcome(m_completion_outcome),
      .m_completion_reason(m_completion_reason),
      .s_cancel_tvalid(s_cancel_tvalid),
      .s_cancel_tready(s_cancel_tready),
      .s_cancel_tag(s_cancel_tag),
      .m_deliver_tdata(m_deliver_tdata),
      .m_deliver_tkeep(m_deliver_tkeep),
      .m_deliver_tvalid(m_deliver_tvalid),
      .m_deliver_tready(m_deliver_tready),
      .m_deliver_tlast(m_deliver_tlast),
      .m_deliver_tuser(m_deliver_tuser),
      .m_deliver_id(m_deliver_id),
      .m_doubt_tvalid(m_doubt_tvalid),
      .m_doubt_tready(m_doubt_tready),
      .m_doubt_id(m_doubt_id),
      .m_doubt_digest(m_doubt_digest),
      .cfg_enable(cfg_enable),
      .cfg_beats(cfg_beats),
      .cfg_accept(cfg_accept),
      .cfg_session(cfg_session),
      .cfg_epoch(cfg_epoch),
      .cfg_prepared(cfg_prepared),
      .cfg_destination(cfg_destination),
      .cfg_source(cfg_source),
      .status_link_state(status_link_state),
      .status_incoming_alive(status_incoming_alive),
      .status_outgoing_alive(status_outgoing_alive),
      .status_changing(status_changing),
      .status_epoch(status_epoch),
      .status_converged(status_converged),
      .status_balance_valid(status_balance_valid),
      .status_initiator_balance(status_initiator_balance),
      .status_responder_balance(status_responder_balance),
      .event_valid(event_valid),
      .event_words(event_words),
      .event_cycle(event_cycle),
      .register_address(register_address),
      .register_data(register_data)
  );

  // What is inside: flattening joins these wires with the end's own.
  (* hierconn *) wire [3*WINDOW-1:0] \dut.initiator.state ;
  (* hierconn *) wire [WINDOW-1:0] \dut.initiator.known ;
  (* hierconn *) wire [WINDOW-1:0] \dut.initiator.send ;
  (* hierconn *) wire \dut.initiator.inbox ;
  (* hierconn *) wire \dut.initiator.comparing ;
  (* hierconn *) wire \dut.initiator.told ;
  (* hierconn *) wire \dut.initiator.frame_valid ;
  (* hierconn *) wire \dut.initiator.frame_matches ;
  (* hierconn *) wire [SLOT_BITS-1:0] \dut.initiator.comparing_slot ;
  (* hierconn *) wire [SLOT_BITS-1:0] \dut.initiator.frame_slot ;
  (* hierconn *) wire [31:0] \dut.initiator.ids[0] , \dut.initiator.ids[1] ;
  (* hierconn *) wire [31:0] \dut.outgoing_digests.words[0] , \dut.outgoing_digests.words[1] ;
  (* hierconn *) wire [16:0] \dut.outgoing_lengths.words[0] , \dut.outgoing_lengths.words[1] ;
  (* hierconn *) wire [3*WINDOW-1:0] \dut.responder.state ;
  (* hierconn *) wire [WINDOW-1:0] \dut.responder.delivered ;
  (* hierconn *) wire [WINDOW-1:0] \dut.responder.advance ;
  (* hierconn *) wire \dut.responder.inbox ;
  (* hierconn *) wire \dut.responder.settling ;
  (* hierconn *) wire \dut.responder.settling_held ;
  (* hierconn *) wire [SLOT_BITS-1:0] \dut.responder.settling_slot ;
  (* hierconn *) wire \dut.responder.frame_valid ;
  (* hierconn *) wire \dut.responder.frame_matches ;
  (* hierconn *) wire \dut.responder.frame_named ;
  (* hierconn *) wire \dut.responder.beyond , \dut.responder.below ;
  (* hierconn *) wire \dut.responder.delivery ;
  (* hierconn *) wire \dut.responder.doubt ;
  (* hierconn *) wire \dut.responder.head_matches ;
  (* hierconn *) wire \dut.responder.head_matched ;
  (* hierconn *) wire [SLOT_BITS-1:0] \dut.responder.frame_slot ;
  (* hierconn *) wire [31:0] \dut.responder.ids[0] , \dut.responder.ids[1] ;
  (* hierconn *) wire [31:0] \dut.responder.deliver_pointer ;
  (* hierconn *) wire [31:0] \dut.incoming_digests.words[0] , \dut.incoming_digests.words[1] ;
  (* hierconn *) wire [47:0] \dut.incoming_heads.words[0] , \dut.incoming_heads.words[1] ;
  (* hierconn *) wire [SLOT_BITS-1:0] \dut.slot_mask ;
  (* hierconn *) wire [15:0] \dut.record_max , \dut.link.pending_record_max ;
  (* hierconn *) wire [7:0] \dut.link.pending_window ;
  (* hierconn *) wire \dut.changing , \dut.up , \dut.adopt ;
  (* hierconn *) wire \dut.frame_valid , \dut.is_request , \dut.is_sync , \dut.is_beat ;
  (* hierconn *) wire [31:0] \dut.frame_digest , \dut.frame_id ;
  (* hierconn *) wire [15:0] \dut.frame_length ;
  (* hierconn *) wire [4:0] \dut.frame_operation ;
  (* hierconn *) wire [16*WINDOW-1:0] \dut.tags ;
  (* hierconn *) wire \dut.open_ready ;
  (* hierconn *) wire [SLOT_BITS-1:0] \dut.open_slot ;
  (* hierconn *) wire [31:0] \dut.open_digest ;
  (* hierconn *) wire [15:0] \dut.open_length ;
  (* hierconn *) wire \dut.tell_refusal , \dut.tell_valid ;
  (* hierconn *) wire [SLOT_BITS-1:0] \dut.tell_slot ;
  (* hierconn *) wire \dut.record_step , \dut.recorded , \dut.responder_record_held ;
  (* hierconn *) wire [SLOT_BITS-1:0] \dut.record_slot ;
  (* hierconn *) wire \dut.record_valid , \dut.store_allowed , \dut.store_write ;
  (* hierconn *) wire \dut.store_missed ;
  (* hierconn *) wire [31:0] \dut.record_id ;
  (* hierconn *) wire [SLOT_BITS-1:0] \dut.store_page ;
  (* hierconn *) wire [WORD_BITS-1:0] \dut.record_index , \dut.store_word ;
  (* hierconn *) wire \dut.deliver_valid , \dut.delivered ;
  (* hierconn *) wire [SLOT_BITS-1:0] \dut.head_slot ;
  (* hierconn *) wire [31:0] \dut.head_digest ;
  (* hierconn *) wire [15:0] \dut.head_length ;
  (* hierconn *) wire \dut.grant_answer , \dut.grant_initiator ;
  (* hierconn *) wire [SLOT_BITS-1:0] \dut.answer_slot , \dut.initiator_slot ;
  (* hierconn *) wire [4:0] \dut.initiator_operation , \dut.ready_answer_operation ;
  (* hierconn *) wire [31:0] \dut.ready_id , \dut.ready_digest ;
  (* hierconn *) wire [15:0] \dut.ready_length ;
  (* hierconn *) wire \dut.ready_kind ;
  (* hierconn *) wire [31:0] \dut.ready_answer_id , \dut.ready_answer_digest ;
  (* hierconn *) wire \dut.deliver.fetched_last ;
  (* hierconn *) wire \dut.deliver.reading , \dut.deliver.fetched , \dut.deliver.beat_valid ;
  (* hierconn *) wire [3:0] \dut.parser.rules.since ;
  (* hierconn *) wire [WORD_BITS:0] \dut.parser.rules.count ;
  (* hierconn *) wire \dut.parser.rules.last_up ;
  (* hierconn *) wire [31:0] \dut.parser.rules.shown_id ;
  (* hierconn *) wire [2:0] \dut.submit.state ;

  wire [32*WINDOW-1:0] initiator_ids = {\dut.initiator.ids[1] , \dut.initiator.ids[0] };
  wire [32*WINDOW-1:0] responder_ids = {\dut.responder.ids[1] , \dut.responder.ids[0] };
  wire [3:0] since = \dut.parser.rules.since ;
  wire [32:0] window = {32'd0, \dut.slot_mask } + 33'd1;

  // ------------------------------------------------------------------ the neighbours

  // The host keeps the AXI-Stream rules at the submit port.
  wire submit_open;
  oae_stream_rules #(
      .PROMISE(0),
      .LAST_KEEP(0),
      .SIDE(24)
  ) submit_rules (
      .clk(clk),
      .rst(rst),
      .restart(restart),
      .tdata(s_submit_tdata),
      .tkeep(s_submit_tkeep),
      .tvalid(s_submit_tvalid),
      .tready(s_submit_tready),
      .tlast(s_submit_tlast),
      .tuser(s_submit_tuser),
      .side({s_submit_tag, s_submit_kind}),
      .open(submit_open)
  );
  (* hierconn *) wire \submit_rules.stalled ;

  // ------------------------------------------------------------------ what was recorded of slot k

  reg [31:0] out_digest, in_digest;
  reg [15:0] out_length, in_length, out_tag;
  reg out_kind;
  // The frame that was verified last, as it stood in that cycle.
  reg [31:0] frame_digest, frame_id;
  always @(posedge clk) begin
    if (\dut.open_ready && \dut.open_slot == k) begin
      out_digest <= \dut.open_digest ;
      out_length <= \dut.open_length ;
      out_tag <= s_submit_tag;
      out_kind <= s_submit_kind == `OAE_KIND_EPOCH_ADVANCE;
    end
    if (\dut.frame_valid ) begin
      frame_digest <= \dut.frame_digest ;
      frame_id <= \dut.frame_id ;
    end
    if (\dut.record_step && \dut.record_slot == k) begin
      in_digest <= \dut.frame_valid ? \dut.frame_digest : frame_digest;
      in_length <= \dut.frame_length ;
    end
  end
  wire [31:0] heard_digest = \dut.frame_valid ? \dut.frame_digest : frame_digest;
  wire [31:0] heard_id = \dut.frame_valid ? \dut.frame_id : frame_id;

  wire [2:0] a_state = \dut.initiator.state [3*k+:3];
  wire [2:0] b_state = \dut.responder.state [3*k+:3];
  wire [31:0] a_id = initiator_ids[32*k+:32];
  wire [31:0] b_id = responder_ids[32*k+:32];
  wire b_delivered = \dut.responder.delivered [k];
  wire b_dead = b_state == `OAE_STATE_IDLE || b_state == `OAE_STATE_ABORTED ||
      (b_state == `OAE_STATE_COMMITTED && b_delivered);

  // The frame whose record is coming: was a word of it not stored?
  reg coming, missed;
  reg [31:0] coming_id;
  wire stored_now = \dut.store_allowed && \dut.up && !restart;
  wire is_first = \dut.record_index == 0;
  always @(posedge clk) begin
    if (\dut.record_valid ) begin
      coming <= 1'b1;
      coming_id <= \dut.record_id ;
      missed <= (missed && !is_first) || !stored_now;
    end else if (since == 4'd1) coming <= 1'b0;
    if (rst || restart) coming <= 1'b0;
  end

  // ------------------------------------------------------------------ what is promised

  wire a_uses = (\dut.initiator.inbox || \dut.initiator.frame_valid ) && !\dut.initiator.told &&
      !\dut.initiator.comparing ;
  wire b_uses = (\dut.responder.inbox || \dut.responder.frame_valid ) && !\dut.responder.delivery &&
      !\dut.responder.doubt && !\dut.responder.settling ;

  // The ports' cycle before.
  reg completion_waits, doubt_waits, delivery_waits;
  reg [63:0] completion, doubt;
  reg [63:0] delivery;
  wire [63:0] completion_now = {
    m_completion_tag, m_completion_id, m_completion_kind, m_completion_outcome, m_completion_reason
  };
  wire [63:0] doubt_now = {m_doubt_id, m_doubt_digest};
  wire [63:0] delivery_now = {m_delivery_head, \dut.head_length };
  wire [31:0] m_delivery_head = \dut.responder.deliver_pointer ;
  always @(posedge clk) begin
    completion_waits <= m_completion_tvalid && !m_completion_tready;
    doubt_waits <= m_doubt_tvalid && !m_doubt_tready;
    delivery_waits <= \dut.deliver_valid && !\dut.delivered && !restart && !rst;
    completion <= completion_now;
    doubt <= doubt_now;
    delivery <= delivery_now;
  end

  always @*
    if (started) begin
      // An inbox never holds two frames.
      inbox_initiator : assert (!(\dut.initiator.inbox && \dut.initiator.frame_valid ));
      inbox_responder : assert (!(\dut.responder.inbox && \dut.responder.frame_valid ));
      // While the session changes no frame waits in a core, nor is one compared or settled.
      if (\dut.changing ) begin
        quiet_initiator : assert (!\dut.initiator.inbox && !\dut.initiator.comparing &&
                                  !\dut.initiator.frame_valid );
        quiet_responder : assert (!\dut.responder.inbox && !\dut.responder.settling &&
                                  !\dut.responder.frame_valid && !\dut.recorded );
      end
      // A core that takes a frame is told the truth: whether the frame's digest, as verified, is
      // the one recorded of the slot.
      if (a_uses && \dut.initiator.frame_slot == k && a_state != `OAE_STATE_IDLE)
        match_initiator : assert (\dut.initiator.frame_matches == (heard_digest == out_digest));
      if (b_uses && \dut.responder.frame_slot == k && b_state != `OAE_STATE_IDLE)
        match_responder : assert (\dut.responder.frame_matches == (heard_digest == in_digest));
      // It looks at the frame that was verified, and no other.
      if (a_uses || b_uses) same_frame : assert (heard_id == \dut.frame_id );

      // What is granted to the builder is what the slot holds in that cycle.
      if (\dut.grant_initiator && \dut.initiator_slot == k) begin
        sent_slot : assert (\dut.ready_id == a_id && \dut.ready_digest == out_digest &&
                            \dut.ready_length == out_length && \dut.ready_kind == out_kind);
        sent_operation : assert (\dut.initiator_operation ==
            (a_state == `OAE_STATE_COMMITTED ? `OAE_OPERATION_COMMIT :
             a_state == `OAE_STATE_REVERSING ? `OAE_OPERATION_ABORT : `OAE_OPERATION_DATA));
        sent_state : assert (a_state == `OAE_STATE_COMMITTED || a_state == `OAE_STATE_REVERSING ||
                             a_state == `OAE_STATE_TENTATIVE);
      end
      if (\dut.grant_answer && \dut.answer_slot == k) begin
        answered_slot :
        assert (\dut.ready_answer_id == b_id && \dut.ready_answer_digest == in_digest);
        answered_operation : assert (\dut.ready_answer_operation ==
            (b_state == `OAE_STATE_COMMITTED ? `OAE_OPERATION_DONE :
             b_state == `OAE_STATE_REFLECTING ? `OAE_OPERATION_ACK : `OAE_OPERATION_ABORTED));
        answered_state :
        assert (b_state == `OAE_STATE_REFLECTING || b_state == `OAE_STATE_ABORTED ||
                (b_state == `OAE_STATE_COMMITTED && b_delivered));
      end

      // No word is written into the page of a record that is not dead.
      if (\dut.store_write && \dut.store_page == k) store_dead : assert (b_dead);
      // A record is held only if all of it was stored.
      if (\dut.record_step && \dut.responder_record_held )
        held_whole : assert (!missed && coming_id == \dut.frame_id );

      // What the deliver unit is given stays until it is delivered, and is what was recorded.
      if (delivery_waits) delivery_stays : assert (\dut.deliver_valid && delivery == delivery_now);
      if (\dut.deliver_valid && \dut.head_slot == k)
        delivered_length : assert (\dut.head_length == in_length);
      if (\dut.deliver_valid )
        delivered_possible : assert (\dut.head_length >= 1 && \dut.head_length <= RECORD_MAX);
      // Completions and doubts are stable once offered; a restart withdraws them.
      if (restart) silent : assert (!m_completion_tvalid && !m_doubt_tvalid && !s_axis_tready &&
                                    !m_axis_tvalid && !m_deliver_tvalid && !s_submit_tready &&
                                    !s_cancel_tready);
      else begin
        if (completion_waits)
          completion_stable : assert (m_completion_tvalid && completion == completion_now);
        if (doubt_waits) doubt_stable : assert (m_doubt_tvalid && doubt == doubt_now);
      end
      if (m_doubt_tvalid && \dut.head_slot == k)
        doubt_digest : assert (m_doubt_digest == in_digest);
      if (m_completion_tvalid && !\dut.tell_refusal && \dut.tell_slot == k)
        completion_slot : assert (m_completion_tag == out_tag && m_completion_id == a_id &&
                                  m_completion_kind == out_kind);
      // The MAC receive port never waits.
      if (!restart) always_ready : assert (s_axis_tready);
    end

  // ------------------------------------------------------------------ the relations

  wire [32*WINDOW-1:0] out_digests = {
    \dut.outgoing_digests.words[1] , \dut.outgoing_digests.words[0]
  };
  wire [17*WINDOW-1:0] out_lengths = {
    \dut.outgoing_lengths.words[1] , \dut.outgoing_lengths.words[0]
  };
  wire [32*WINDOW-1:0] in_digests = {
    \dut.incoming_digests.words[1] , \dut.incoming_digests.words[0]
  };
  wire [48*WINDOW-1:0] in_heads = {\dut.incoming_heads.words[1] , \dut.incoming_heads.words[0] };
  wire recording_k = \dut.recorded && \dut.record_slot == k;
  wire [2:0] told_state = \dut.initiator.state [3*\dut.tell_slot +:3];
  generate
    genvar s;
    for (s = 0; s < WINDOW; s = s + 1) begin : g_slot
      wire [2:0] a_s = \dut.initiator.state [3*s+:3];
      wire [2:0] b_s = \dut.responder.state [3*s+:3];
      wire [31:0] id_s = responder_ids[32*s+:32];
      wire [31:0] ahead = id_s - \dut.responder.deliver_pointer ;
      wire [31:0] behind = \dut.responder.deliver_pointer - id_s;
      always @* if (started) begin
        assert (a_s <= `OAE_STATE_ABORTED && b_s <= `OAE_STATE_ABORTED);
        assert ((a_s == `OAE_STATE_REFLECTING) ==
                (\dut.initiator.comparing && \dut.initiator.comparing_slot == s));
        assert ((b_s == `OAE_STATE_TENTATIVE || b_s == `OAE_STATE_REVERSING) ==
                (\dut.responder.settling && \dut.responder.settling_slot == s));
        if (\dut.recorded && \dut.record_slot == s)
          assert (b_s == `OAE_STATE_TENTATIVE || b_s == `OAE_STATE_REVERSING ||
                  b_s == `OAE_STATE_ABORTED);
        if (b_s != `OAE_STATE_IDLE) assert ((id_s[SLOT_BITS-1:0] & \dut.slot_mask ) == s);
        // In or one window behind the window, and resolved if behind; unless the session changes.
        if (b_s != `OAE_STATE_IDLE && !\dut.changing ) begin
          assert (ahead < window || behind <= window);
          if (b_s != `OAE_STATE_ABORTED)
            assert ((b_s == `OAE_STATE_COMMITTED && \dut.responder.delivered [s]) ==
                    (behind != 0 && behind <= window));
        end
        // The length of a held record is possible; in the cycle after the step it is the frame's.
        if (b_s == `OAE_STATE_TENTATIVE || b_s == `OAE_STATE_REFLECTING ||
            (b_s == `OAE_STATE_REVERSING && \dut.responder.settling_held ) ||
            (b_s == `OAE_STATE_COMMITTED && !\dut.responder.delivered [s]))
          if (\dut.recorded && \dut.record_slot == s)
            assert (\dut.frame_length >= 1 && \dut.frame_length <= RECORD_MAX &&
                    !\dut.responder.settling_held );
          else assert (in_heads[48*s+:16] >= 1 && in_heads[48*s+:16] <= RECORD_MAX);
      end
    end
  endgenerate

  always @*
    if (started) begin
      // The link.
      if (\dut.changing ) assert (!\dut.up );
      if (\dut.changing )
        assert (\dut.link.pending_record_max != 0 && \dut.link.pending_window != 0 &&
                (\dut.link.pending_window & (\dut.link.pending_window - 1'b1)) == 0);
      assert (\dut.record_max >= 1 && \dut.record_max <= RECORD_MAX);
      if (\dut.up && !\dut.parser.rules.last_up ) assert (since == 4'd1);  // only a frame can
      if (\dut.changing && \dut.parser.rules.last_up ) assert (since == 4'd1);
      assert (frame_digest == \dut.frame_digest || \dut.frame_valid || since >= 4'd8);
      // A frame is used up within a few cycles of its verdict.
      if (\dut.initiator.inbox ) assert (since == 4'd1 && !\dut.tell_valid && !\dut.is_sync &&
                                         !\dut.is_request && !\dut.is_beat );
      if (\dut.initiator.comparing ) begin
        assert (since <= 4'd3 && \dut.frame_operation == `OAE_OPERATION_ACK);
        if (since == 4'd3) assert (!\dut.tell_valid );
        assert (!\dut.frame_valid && !\dut.initiator.inbox );
      end
      if (\dut.responder.inbox ) assert (since == 4'd1 && !\dut.deliver.beat_valid &&
                                         !\dut.deliver.fetched && !\dut.deliver.reading &&
                                         \dut.is_request );
      if (\dut.responder.inbox && \dut.frame_operation == `OAE_OPERATION_DATA)
        assert (\dut.frame_length >= 1 && \dut.frame_length <= RECORD_MAX);
      if (\dut.responder.settling ) begin
        assert (since <= 4'd2 && \dut.is_request && !\dut.frame_valid && !\dut.responder.inbox );
        if (since == 4'd2) assert (!\dut.deliver.beat_valid );
      end
      if (\dut.deliver.beat_valid && m_deliver_tlast)
        assert (!\dut.deliver.fetched && !\dut.deliver.reading );
      if (\dut.deliver.fetched )
        assert (\dut.deliver.reading == !\dut.deliver.fetched_last );
      if (\dut.recorded ) assert (since <= 4'd2 && \dut.is_request && !\dut.frame_valid &&
                                  !\dut.responder.inbox && !\dut.changing );
      // The digests are in their memories, those of the responder a cycle later.
      if (a_state != `OAE_STATE_IDLE)
        assert (\dut.tags [16*k+:16] == out_tag && out_digests[32*k+:32] == out_digest &&
                out_lengths[17*k+:17] == {out_kind, out_length});
      if (recording_k)
        assert (\dut.frame_digest == in_digest && \dut.frame_length == in_length &&
                (b_state == `OAE_STATE_TENTATIVE || b_state == `OAE_STATE_REVERSING ||
                 b_state == `OAE_STATE_ABORTED));
      else if (b_state != `OAE_STATE_IDLE)
        assert (in_digests[32*k+:32] == in_digest && in_heads[48*k+:48] == {in_digest, in_length});
      // The head's look-up ahead is right whenever it counts.
      if (\dut.responder.state [3*\dut.head_slot +:3] != `OAE_STATE_IDLE)
        assert (\dut.responder.head_matches == \dut.responder.head_matched );
      // A completion that is offered is that of its slot.
      if (\dut.tell_valid && !\dut.tell_refusal ) begin
        assert (told_state != `OAE_STATE_IDLE && told_state != `OAE_STATE_REFLECTING);
        if (!\dut.changing )
          assert (told_state == `OAE_STATE_ABORTED ||
                  (told_state == `OAE_STATE_COMMITTED && \dut.initiator.known [\dut.tell_slot ]));
      end
      if (\dut.tell_valid && \dut.tell_refusal ) assert (\dut.submit.state == 3'd4);
      if (\dut.submit.state != 3'd0)
        assert (\submit_rules.stalled && (restart || s_submit_tlast));
      // The store.
      if (\dut.parser.rules.count != 0)
        assert (since >= 4'd5 && coming && coming_id == \dut.parser.rules.shown_id );
      if (coming) assert (!missed || \dut.store_missed );
    end

  // None of it for want of an occasion.
  always @* begin
    compares : cover (started && a_uses && a_state != `OAE_STATE_IDLE);
    is_held : cover (started && \dut.record_step && \dut.responder_record_held && !missed);
`ifdef OAE_FAR
    // Its words came when it was beyond the window, and the pointer has moved since.
    is_not_held : cover (started && b_uses && \dut.frame_operation == `OAE_OPERATION_DATA &&
                         !\dut.responder.frame_named && !\dut.responder.beyond &&
                         !\dut.responder.below && missed && \dut.store_missed );
`endif
    in_doubt : cover (started && m_doubt_tvalid);
    completes : cover (started && m_completion_tvalid && !\dut.tell_refusal );
    refuses : cover (started && m_completion_tvalid && \dut.tell_refusal );
  end

endmodule
`default_nettype wire
