// The submit port: what happens to a packet of a host that keeps the AXI-Stream rules.
//
// The initiator core is the partner that takes the steps, so nothing is assumed of it. Crash and
// amnesia come in any cycle, as do frames, cancels and changes of the session.
`default_nettype none
`include "oae_defs.vh"

module oae_submit_proof #(
    parameter integer WINDOW     = 4,
    parameter integer RECORD_MAX = 24,
    parameter integer ID_BITS    = 6,
    parameter integer WORD_BITS  = $clog2((RECORD_MAX + 7) / 8),
    parameter integer SLOT_BITS  = $clog2(WINDOW)
) (
    input wire clk,

    // everything that the world may do, in any cycle
    input wire crash,
    input wire amnesia,

    input wire [63:0] s_submit_tdata,
    input wire [ 7:0] s_submit_tkeep,
    input wire        s_submit_tvalid,
    input wire        s_submit_tlast,
    input wire        s_submit_tuser,
    input wire [15:0] s_submit_tag,
    input wire [ 7:0] s_submit_kind,

    input wire                 up,
    input wire                 settled,
    input wire                 changing,
    input wire                 adopt,
    input wire                 resend,
    input wire [SLOT_BITS-1:0] slot_mask,
    input wire [         15:0] record_max,
    input wire [         31:0] link_session,
    input wire [         31:0] epoch,
    input wire                 frame_valid,
    input wire [          4:0] frame_operation,
    input wire [  ID_BITS-1:0] frame_id,
    input wire                 frame_matches,
    input wire [          5:0] frame_reason,
    input wire                 cancel_valid,
    input wire [         15:0] cancel_tag,
    input wire [   WINDOW-1:0] cancel_hit,
    input wire                 retry_valid,
    input wire [SLOT_BITS-1:0] retry_slot,
    input wire                 grant_valid,
    input wire [SLOT_BITS-1:0] grant_slot,
    input wire                 tell_ready,
    input wire                 reading,
    input wire [SLOT_BITS-1:0] reading_page
);

  // A slot, and a word of a record, that are followed.
  (* anyconst *) wire [SLOT_BITS-1:0] k;
  (* anyconst *) wire [WORD_BITS-1:0] w;

  reg started = 1'b0;
  always @(posedge clk) started <= 1'b1;
  wire rst = !started;
  wire restart = crash || amnesia;
  wire can_open = up && !changing && settled;

  wire s_submit_tready, open_valid, open_ready, open_slot_idle, refusal_valid, refusal_taken;
  wire discard_valid, discard_ready, write_enable, busy, tell_valid, tell_refusal, tell_taken;
  wire [ID_BITS-1:0] open_id, tell_id;
  wire [SLOT_BITS-1:0] open_slot, tell_slot, write_page, grant_page;
  wire [31:0] open_digest, advance_epoch;
  wire [15:0] open_length;
  wire [5:0] refusal_reason, tell_reason;
  wire [1:0] tell_outcome;
  wire [WORD_BITS-1:0] write_word;
  wire [63:0] write_data;

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
      .link_session(link_session),
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
      .write_enable(write_enable),
      .write_page(write_page),
      .write_word(write_word),
      .write_data(write_data),
      .grant_slot(grant_slot),
      .grant_page(grant_page),
      .reading(reading),
      .reading_page(reading_page)
  );

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
      .event_valid(),
      .event_word()
  );

  (* hierconn *) wire [2:0] \submit.state ;
  (* hierconn *) wire [15:0] \submit.words ;
  (* hierconn *) wire [63:0] \submit.trailer_first ;
  (* hierconn *) wire [63:0] \submit.trailer_second ;
  (* hierconn *) wire \submit.swallow ;
  (* hierconn *) wire \submit.in_packet ;
  (* hierconn *) wire [SLOT_BITS-1:0] \submit.page_base ;
  (* hierconn *) wire [3*WINDOW-1:0] \core.state ;
  (* hierconn *) wire [WINDOW-1:0] \core.known ;
  (* hierconn *) wire \core.inbox ;
  (* hierconn *) wire \core.comparing ;
  (* hierconn *) wire [SLOT_BITS-1:0] \core.comparing_slot ;
  localparam [2:0] FILL = 0, TRAILER = 1, FINISH = 2, OFFER = 3, REFUSE = 4, DISCARD = 5;
  wire [2:0] state = \submit.state ;
  wire swallows = \submit.swallow ;

  // ------------------------------------------------------------------ the host

  // It keeps the AXI-Stream rules; how it ends a packet (tkeep of the last beat, kind) is its own.
  wire open;
  oae_stream_rules #(
      .PROMISE(0),
      .LAST_KEEP(0),
      .SIDE(24)
  ) rules (
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
      .open(open)
  );
  (* hierconn *) wire \rules.stalled ;
  (* hierconn *) wire \rules.cut ;

  // ------------------------------------------------------------------ what the link machine gives

  reg [SLOT_BITS-1:0] last_mask;
  reg [31:0] last_session, last_epoch;
  reg [15:0] last_max, judged_max;
  reg last_adopt, last_can_open, last_changing;
  always @(posedge clk) begin
    last_mask <= slot_mask;
    last_max <= record_max;
    if (\submit.state != 3'd4) judged_max <= record_max;
    last_changing <= changing;
    last_session <= link_session;
    last_epoch <= epoch;
    last_can_open <= can_open;
    last_adopt <= adopt || amnesia || rst;
  end
  always @* begin
    // A negotiated window is a power of two.
    assume ((slot_mask & (slot_mask + 1'b1)) == 0);
    // It, the negotiated maximum and the ids change only when no slot is held
    // (oae_link_control.v: adopt).
    if (adopt) assume (changing && !busy && !restart && !rst);
    if (!last_adopt) assume (slot_mask == last_mask && record_max == last_max);
    // A change of the session ends with the adoption of the new one.
    // While it lasts no frame of the lane comes, and the last one has long been taken
    // (oae_end_proof.sv: quiet_initiator).
    if (last_changing && !last_adopt) assume (changing);
    if (changing) assume (!frame_valid && !\core.inbox && !\core.comparing );
    // Neither link session nor epoch changes while records may be opened: both change in steps that
    // need the contrary (SESSION_ADOPTED: changing; EPOCH_TAKEN: not settled).
    if (can_open && last_can_open) assume (link_session == last_session && epoch == last_epoch);
    // The negotiated maximum is not beyond what is built.
    assume (record_max >= 16'd1 && record_max <= RECORD_MAX);
  end

  // ------------------------------------------------------------------ the packet, as it came

  wire taken = s_submit_tvalid && s_submit_tready;
  wire [63:0] mask = {
    {8{s_submit_tkeep[7]}}, {8{s_submit_tkeep[6]}}, {8{s_submit_tkeep[5]}}, {8{s_submit_tkeep[4]}},
    {8{s_submit_tkeep[3]}}, {8{s_submit_tkeep[2]}}, {8{s_submit_tkeep[1]}}, {8{s_submit_tkeep[0]}}
  };
  wire [63:0] beat = s_submit_tlast ? s_submit_tdata & mask : s_submit_tdata;
  reg [15:0] beats;  // of this packet, taken; saturating beyond any record
  reg [63:0] came;  // beat w of this packet
  reg [63:0] stored;  // what was written last to word w
  reg [SLOT_BITS-1:0] page;  // where
  reg bad;  // a restart cut this packet: the rest of it is to be swallowed
  localparam [15:0] FULL = (RECORD_MAX + 7) / 8;
  always @(posedge clk) begin
    if (taken) beats <= s_submit_tlast ? 16'd0 : beats == FULL ? FULL : beats + 1'b1;
    if (taken && beats == w) came <= beat;
    if (write_enable && write_word == w) stored <= write_data;
    if (write_enable) page <= write_page;
    if (restart && open) bad <= 1'b1;
    else if (taken && s_submit_tlast) bad <= 1'b0;
    if (rst) begin
      beats <= 16'd0;
      bad <= 1'b0;
    end
  end
  wire [15:0] last_bytes = s_submit_tkeep[0] + s_submit_tkeep[1] + s_submit_tkeep[2] +
      s_submit_tkeep[3] + s_submit_tkeep[4] + s_submit_tkeep[5] + s_submit_tkeep[6] +
      s_submit_tkeep[7];
  wire [15:0] length = {beats[12:0], 3'd0} + last_bytes;
  wire gapless = s_submit_tkeep != 8'd0 && (s_submit_tkeep & (s_submit_tkeep + 1'b1)) == 8'd0;
  wire is_advance = s_submit_kind == `OAE_KIND_EPOCH_ADVANCE;

  // What the digest binds beyond the record, as docs/protocol.md says: taken in two halves. That
  // the CRC is one is shown apart (oae_crc_proof.sv).
  function automatic [31:0] swapped;
    input [31:0] value;
    swapped = {value[7:0], value[15:8], value[23:16], value[31:24]};
  endfunction
  wire [31:0] full_id = open_id;
  wire [63:0] bound_first = {swapped(full_id), swapped(link_session)};
  wire [63:0] bound_second = {swapped(epoch), swapped({s_submit_kind, 8'd0, length})};
  reg [63:0] took_first, took_second;  // what went into the register
  always @(posedge clk) begin
    if (state == TRAILER) took_first <= \submit.trailer_first ;
    if (state == FINISH) took_second <= \submit.trailer_second ;
  end

  // ------------------------------------------------------------------ what is promised

  wire k_busy = \core.state [3*k+:3] != `OAE_STATE_IDLE;
  wire [SLOT_BITS-1:0] k_page = k + \submit.page_base ;
  wire last_taken = taken && s_submit_tlast;

  always @*
    if (started) begin
      // Nothing is taken at the edge of a restart.
      silent : assert (!(s_submit_tready && restart));
      // Each step on a record is the handshake of its last beat.
      opened_at_last : assert (!open_ready || (last_taken && open_valid));
      refused_at_last : assert (!refusal_taken || (last_taken && refusal_valid));
      discarded_at_last : assert (!discard_ready || restart || (last_taken && discard_valid));
      // And that handshake is exactly one step, unless the packet was cut by a restart.
      if (last_taken)
        one_step : assert (open_ready + refusal_taken + discard_ready == (bad ? 2'd0 : 2'd1));
      // The rest of a packet that was cut is taken and leaves no trace.
      if (bad) begin
        swallowed : assert (!open_valid && !refusal_valid && !discard_valid && !write_enable);
        if (!restart) swallowed_at_once : assert (s_submit_tready);
      end
      // What is opened is a record: 1 to the negotiated maximum of bytes, of a known kind.
      if (open_ready) begin
        opened_well : assert (gapless && !s_submit_tuser && s_submit_kind <= 8'd1);
        opened_length : assert (open_length == length && length >= 1 && length <= record_max);
        if (is_advance) opened_advance : assert (length == 16'd4);
        opened_open : assert (can_open && open_slot_idle && !restart);
        // It stands in the store as it came, in the page of its slot.
        if (w < beats) opened_words : assert (stored == came);
        if (w == beats) opened_last_word : assert (stored == beat);
        opened_page : assert (page == write_page && write_page == open_slot + \submit.page_base );
        // Its digest binds it to the place that it gets in this step.
        opened_digest : assert (took_first == bound_first && took_second == bound_second);
      end
      // A refusal has its reason, by the maximum of the step that found it; what the host marks bad
      // is never told.
      if (refusal_valid && !restart) begin
        refused_marked : assert (!s_submit_tuser);
        refused_reason : assert (refusal_reason == `OAE_ABORT_REASON_RECORD_TOO_LONG
                                 ? beats == FULL || length > judged_max
                                 : refusal_reason == `OAE_ABORT_REASON_RECORD_INVALID &&
                                   (!gapless || s_submit_kind > 8'd1 || is_advance));
      end
      if (discard_valid && !restart) discarded_marked : assert (s_submit_tuser);
      // No word is written into the page of a slot that is held, nor into one that is being sent.
      if (write_enable) begin
        not_busy : assert (!k_busy || write_page != k_page);
        not_sent : assert (!reading || reading_page != write_page);
        in_page : assert (write_word == beats && write_data == beat && s_submit_tvalid);
      end
      // What is sent of a slot comes from its page.
      if (grant_slot == k) sent_page : assert (grant_page == k_page);
    end

  // The page of a held slot stays where it is.
  reg [SLOT_BITS-1:0] last_page;
  reg last_busy;
  always @(posedge clk) begin
    last_page <= k_page;
    last_busy <= k_busy && !amnesia && !rst;
  end
  always @* if (started && last_busy) page_stays : assert (k_page == last_page);

  // ------------------------------------------------------------------ the relations

  always @*
    if (started) begin
      legal : assert (state <= DISCARD);
      assert (\submit.in_packet == open && swallows == bad);
      if (bad) assert (open && state == FILL && \submit.words == 16'd0);
      if (!bad) assert (\submit.words == beats);
      assert (beats <= FULL);
      if (!open) assert (beats == 16'd0);
      // Beyond FILL the last beat is offered and waits; at the edge of a restart no more.
      if (state != FILL) assert (\rules.stalled && !bad);
      if (state != FILL && !restart) begin
        assert (s_submit_tlast);
        if (state != DISCARD) assert (!s_submit_tuser);
        if (state != REFUSE && state != DISCARD) begin
          assert (beats < FULL && open_length == length);
          if (w < beats) assert (stored == came);
          if (w == beats) assert (stored == beat);
          assert (page == write_page && open_slot_idle);
        end
        if (state == FINISH || state == OFFER)
          assert (s_submit_kind <= 8'd1 && gapless && (!is_advance || length == 16'd4));
        if (state == FINISH || state == OFFER) assert (last_can_open && !last_adopt);
        if (state == FINISH && can_open) assert (took_first == bound_first);
        if (state == OFFER) assert (length <= record_max);
        if (state == OFFER && can_open)
          assert (took_first == bound_first && took_second == bound_second);
      end else if (state == FILL && !bad && w < beats) assert (stored == came);
      if (state == FILL && !bad && beats != 0) assert (page == write_page && open_slot_idle);
      if (state == REFUSE) begin
        assert (refusal_reason == `OAE_ABORT_REASON_RECORD_TOO_LONG ||
                refusal_reason == `OAE_ABORT_REASON_RECORD_INVALID);
      end
      if (tell_valid && tell_refusal) assert (state == REFUSE);
    end

  // A slot reflects for as long as the core compares it; no other holds that state.
  generate
    genvar s;
    for (s = 0; s < WINDOW; s = s + 1) begin : g_slot
      always @*
        if (started)
          assert ((\core.state [3*s+:3] == `OAE_STATE_REFLECTING) ==
                  (\core.comparing && \core.comparing_slot == s));
    end
  endgenerate
  wire [2:0] told_state = \core.state [3*tell_slot+:3];
  always @*
    if (started && tell_valid && !tell_refusal) begin
      assert (told_state != `OAE_STATE_IDLE && told_state != `OAE_STATE_REFLECTING);
      if (!changing)
        assert (told_state == `OAE_STATE_ABORTED ||
                (told_state == `OAE_STATE_COMMITTED && \core.known [tell_slot]));
    end

  // Every state, and every way between two of them.
  reg [2:0] before;
  reg restarted;
  always @(posedge clk) begin
    before <= state;
    restarted <= restart || rst;
  end
  wire goes = started && !restarted;
  always @* begin
    fill_trailer : cover (goes && before == FILL && state == TRAILER);
    fill_refuse : cover (goes && before == FILL && state == REFUSE);
    fill_discard : cover (goes && before == FILL && state == DISCARD);
    trailer_finish : cover (goes && before == TRAILER && state == FINISH);
    trailer_refuse : cover (goes && before == TRAILER && state == REFUSE);
    finish_offer : cover (goes && before == FINISH && state == OFFER);
    finish_trailer : cover (goes && before == FINISH && state == TRAILER);
    finish_refuse : cover (goes && before == FINISH && state == REFUSE);
    offer_trailer : cover (goes && before == OFFER && state == TRAILER);
    offer_fill : cover (goes && before == OFFER && state == FILL);
    refuse_fill : cover (goes && before == REFUSE && state == FILL);
    discard_fill : cover (goes && before == DISCARD && state == FILL);
    swallows_last : cover (started && bad && last_taken);
    opens_second : cover (started && open_ready && open_id == 1 && length == 16'd11);
    opens_advance : cover (started && open_ready && is_advance);
    moved : cover (started && \submit.page_base != 0 && open_ready && w == 1);
    over_adopt : cover (started && adopt && state == TRAILER && length == 16'd9);
  end

endmodule
`default_nettype wire
