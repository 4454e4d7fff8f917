// The MAC receive port, the states of the parser, and what it promises to the rest of the end.
`default_nettype none
`include "oae_defs.vh"

module oae_parser_proof #(
    parameter integer RECORD_MAX = 64,
    parameter integer ADDRESS_BITS = $clog2(RECORD_MAX / 8)
) (
    input wire clk,

    // everything that the world may do, in any cycle
    input wire        restart,
    input wire [63:0] s_axis_tdata,
    input wire [ 7:0] s_axis_tkeep,
    input wire        s_axis_tvalid,
    input wire        s_axis_tlast,
    input wire        s_axis_tuser,
    input wire        link_up,
    input wire [31:0] link_session,
    input wire [31:0] epoch,
    input wire [15:0] record_max
);

  reg started = 1'b0;
  always @(posedge clk) started <= 1'b1;
  wire rst = !started;

  wire s_axis_tready, record_valid, frame_valid, malformed_valid, foreign_valid, unsupported_valid;
  wire not_up_valid, event_valid;
  wire [63:0] record_data, frame_record_0, event_word;
  wire [ADDRESS_BITS-1:0] record_index;
  wire [31:0] record_id, frame_id, frame_digest, frame_operand, frame_epoch;
  wire [4:0] frame_operation;
  wire [7:0] frame_kind;
  wire [15:0] frame_length;
  wire [3:0] malformed_reason;

  oae_frame_parser #(
      .RECORD_MAX(RECORD_MAX)
  ) parser (
      .clk(clk),
      .rst(rst),
      .restart(restart),
      .s_axis_tdata(s_axis_tdata),
      .s_axis_tkeep(s_axis_tkeep),
      .s_axis_tvalid(s_axis_tvalid),
      .s_axis_tready(s_axis_tready),
      .s_axis_tlast(s_axis_tlast),
      .s_axis_tuser(s_axis_tuser),
      .link_up(link_up),
      .link_session(link_session),
      .epoch(epoch),
      .record_max(record_max),
      .record_valid(record_valid),
      .record_data(record_data),
      .record_index(record_index),
      .record_id(record_id),
      .frame_valid(frame_valid),
      .malformed_valid(malformed_valid),
      .foreign_valid(foreign_valid),
      .unsupported_valid(unsupported_valid),
      .not_up_valid(not_up_valid),
      .malformed_reason(malformed_reason),
      .frame_operation(frame_operation),
      .frame_id(frame_id),
      .frame_digest(frame_digest),
      .frame_operand(frame_operand),
      .frame_epoch(frame_epoch),
      .frame_kind(frame_kind),
      .frame_length(frame_length),
      .frame_record_0(frame_record_0),
      .sync_session(),
      .sync_verified(),
      .sync_challenger(),
      .sync_counter(),
      .sync_record_max(),
      .sync_window(),
      .event_valid(event_valid),
      .event_word(event_word)
  );

  oae_parser_rules #(
      .RECORD_MAX(RECORD_MAX)
  ) rules (
      .clk(clk),
      .rst(rst),
      .restart(restart),
      .link_up(link_up),
      .record_max(record_max),
      .record_valid(record_valid && started),
      .record_index(record_index),
      .record_id(record_id),
      .frame_valid(frame_valid && started),
      .malformed_valid(malformed_valid && started),
      .foreign_valid(foreign_valid && started),
      .unsupported_valid(unsupported_valid && started),
      .not_up_valid(not_up_valid && started),
      .frame_operation(frame_operation),
      .frame_id(frame_id),
      .frame_digest(frame_digest),
      .frame_operand(frame_operand),
      .frame_epoch(frame_epoch),
      .frame_kind(frame_kind),
      .frame_length(frame_length),
      .frame_record_0(frame_record_0),
      .event_valid(event_valid && started)
  );

  (* hierconn *) wire [3:0] \parser.position ;
  (* hierconn *) wire [15:0] \parser.head_1 ;
  (* hierconn *) wire [63:0] \parser.head_2 ;
  (* hierconn *) wire [63:0] \parser.head_3 ;
  (* hierconn *) wire [15:0] \parser.remaining ;
  (* hierconn *) wire [7:0] \parser.needed ;
  (* hierconn *) wire [ADDRESS_BITS-1:0] \parser.index ;
  (* hierconn *) wire \parser.ended ;
  (* hierconn *) wire \parser.too_short ;
  (* hierconn *) wire \parser.fragment ;
  (* hierconn *) wire \parser.missing ;
  (* hierconn *) wire \parser.foreign ;
  (* hierconn *) wire \parser.bad ;
  (* hierconn *) wire \parser.storable ;
  (* hierconn *) wire \parser.is_data ;
  (* hierconn *) wire \parser.passed ;
  (* hierconn *) wire [15:0] \parser.length ;
  (* hierconn *) wire [15:0] \parser.record_length ;
  (* hierconn *) wire [31:0] \parser.id ;
  (* hierconn *) wire [2:0] \parser.share_state ;
  (* hierconn *) wire [3:0] \parser.header_reason ;
  (* hierconn *) wire \parser.header_unsupported ;
  (* hierconn *) wire [3:0] \parser.next_header_reason ;
  (* hierconn *) wire \parser.next_header_unsupported ;
  (* hierconn *) wire [3:0] \rules.since ;
  (* hierconn *) wire [ADDRESS_BITS:0] \rules.count ;
  (* hierconn *) wire [31:0] \rules.shown_id ;
  (* hierconn *) wire \rules.restarted ;
  (* hierconn *) wire \rules.last_up ;
  (* hierconn *) wire [220:0] \rules.fields ;
  (* hierconn *) wire [220:0] \rules.last_fields ;
  localparam [3:0] ADDRESSES = 0, TYPE = 1, SESSION = 2, DIGEST = 3, BODY_0 = 4, BODY_1 = 5,
      BODY_2 = 6, BODY_3 = 7, REST = 8, SWALLOWED = 9;
  wire [3:0] position = \parser.position ;
  wire [3:0] since = \rules.since ;
  wire ended = \parser.ended ;

  // ------------------------------------------------------------------ the MAC

  // It keeps the AXI-Stream rules as far as this port looks: full but at the end, there from lane 0
  // on and not empty.
  always @*
    if (s_axis_tvalid) begin
      if (!s_axis_tlast) assume (s_axis_tkeep == 8'hff);
      assume (s_axis_tkeep != 8'd0 && (s_axis_tkeep & (s_axis_tkeep + 1'b1)) == 8'd0);
    end

  // The negotiated maximum is not beyond what is built (oae_link_control.v: smaller_record_max).
  always @* assume (record_max <= RECORD_MAX);

  // ------------------------------------------------------------------ what is promised

  wire taken = s_axis_tvalid && s_axis_tready;
  reg open, cut;  // the packet bit; a restart cut this packet
  reg last_taken, last_last;  // the beat before was taken, and was a frame's last
  always @(posedge clk) begin
    if (taken) open <= !s_axis_tlast;
    if (restart && open) cut <= 1'b1;
    else if (taken && s_axis_tlast) cut <= 1'b0;
    last_last <= taken && s_axis_tlast && !cut && !restart;
    last_taken <= last_last && !restart;
    if (rst) {open, cut, last_last, last_taken} <= 4'd0;
  end

  always @*
    if (started) begin
      // No backpressure: a beat is taken in any cycle that is not of a restart.
      always_ready : assert (s_axis_tready == !restart);
      // Exactly one verdict a frame, in the second cycle after its last beat; none for a cut one.
      one_verdict : assert (event_valid == last_taken);
      legal : assert (position <= SWALLOWED);
      swallowed : assert ((position == SWALLOWED) == cut);
      between : assert ((position == ADDRESSES) == !open);
      share_legal : assert (\parser.share_state <= 3'd4);
    end

  // ------------------------------------------------------------------ the relations

  localparam [15:0] BASE = 16'd13;
  wire [15:0] record_length = \parser.length - BASE;
  wire fits = \parser.is_data && !\parser.foreign && \parser.length > BASE &&
      record_length <= RECORD_MAX;
  wire [15:0] words = (record_length + 16'd7) >> 3;
  wire [15:0] index = position <= REST && position >= BODY_0 ? \parser.index : 16'd0;
  wire in_body = position >= BODY_0 && position <= REST;
  // Words shown, with the one that shows now.
  wire [15:0] counted = record_valid ? record_index + 1'b1 : \rules.count ;
  integer lane;
  always @*
    if (started) begin
      assert (ended == last_last);
      if (ended) assert (position == ADDRESSES);
      // Beats come one a cycle at most.
      if (position != SWALLOWED && since < 4'd8) assert (position <= since + 1'b1);
      if (frame_valid) assert (position <= TYPE || position == SWALLOWED);
      if (ended && !\parser.too_short ) assert (since >= 4'd7 && !frame_valid);
      // Every beat of the body that holds record bytes shows its word in the next cycle.
      for (lane = 0; lane < 8; lane = lane + 1)
        assert (\parser.needed [lane] == (\parser.remaining > lane));
      if (in_body && fits) begin
        assert (\parser.storable );
        // bytes that are still to come
        assert (\parser.remaining <= record_length);
        if (\parser.remaining != 0)
          assert (record_length - \parser.remaining == {\parser.index , 3'd0});
        // words that were shown
        if (\parser.remaining != record_length && \parser.remaining != 0)
          assert (counted == \parser.index &&
                  (record_valid || \rules.shown_id == \parser.id ));
        if (\parser.remaining == 0)
          assert (counted == words && (record_valid && record_index == 0 ||
                                       \rules.shown_id == \parser.id ));
      end
      if (in_body && \parser.storable ) assert (fits);
      if (in_body && position != BODY_0) assert (\parser.record_length == record_length);
      if (position == BODY_0) assert (\parser.remaining == record_length);
      // At the frame's end.
      if (ended && !\parser.too_short && !\parser.missing && fits) begin
        assert (counted == words && (record_valid && record_index == 0 ||
                                     \rules.shown_id == \parser.id ));
      end
      if (ended && !\parser.too_short ) assert (\parser.record_length == record_length);
      // What follows from the header stands one register behind it.
      if (in_body || (ended && !\parser.too_short ))
        assert (\parser.header_reason == \parser.next_header_reason &&
                \parser.header_unsupported == \parser.next_header_unsupported );
    end

  // Every state, and every way between two of them.
  reg [3:0] before;
  reg restarted;
  always @(posedge clk) begin
    before <= position;
    restarted <= restart || rst;
  end
  wire goes = started && !restarted;
  generate
    genvar p;
    for (p = 0; p < 10; p = p + 1) begin : g_cover
      // from each position on, and from each to the end of a packet
      if (p < 8) always @* begin
        cover (goes && before == p && position == p + 1);
        cover (goes && before == p && position == ADDRESSES && (p != 0 || ended));
      end
      if (p > 0 && p < 9) always @* cover (started && before == p && position == SWALLOWED);
      if (p > 7) always @* begin
        cover (goes && before == p && position == p);
        cover (goes && before == p && position == ADDRESSES);
      end
    end
    for (p = 1; p < 10; p = p + 1) begin : g_reason
      // every reason to refuse a frame
      if (p != 9) always @* cover (started && malformed_valid && malformed_reason == p);
    end
  endgenerate
  always @* begin
    is_foreign : cover (started && foreign_valid);
    is_unsupported : cover (started && unsupported_valid);
    is_not_up : cover (started && not_up_valid);
    guarded : cover (started && frame_valid && frame_operation == `OAE_OPERATION_COMMIT);
    soonest : cover (started && frame_valid && since == 4'd8);
  end

endmodule
`default_nettype wire
