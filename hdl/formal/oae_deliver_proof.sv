// The deliver port: AXI-Stream rules through crash and amnesia, and the record that comes out.
`default_nettype none

module oae_deliver_proof #(
    parameter integer RECORD_MAX = 32,
    parameter integer WORD_BITS  = $clog2(RECORD_MAX / 8)
) (
    input wire clk,

    // everything that the world may do, in any cycle
    input wire        restart,
    input wire        record_valid,
    input wire [31:0] record_id,
    input wire [15:0] record_length,
    input wire        m_deliver_tready
);

  reg started = 1'b0;
  always @(posedge clk) started <= 1'b1;
  wire rst = !started;

  wire delivered, read_enable, tvalid, tlast, tuser, open;
  wire [WORD_BITS-1:0] read_word;
  wire [63:0] tdata;
  wire [7:0] tkeep;
  wire [31:0] tid;

  // The store says of each word which one it is: a word comes one cycle after its address.
  reg [63:0] read_data;
  always @(posedge clk) if (read_enable) read_data <= {32'd0, 32'd0} | read_word;

  oae_deliver #(
      .RECORD_MAX(RECORD_MAX)
  ) deliver (
      .clk(clk),
      .rst(rst),
      .restart(restart),
      .record_valid(record_valid),
      .record_id(record_id),
      .record_length(record_length),
      .delivered(delivered),
      .read_enable(read_enable),
      .read_word(read_word),
      .read_data(read_data),
      .m_deliver_tdata(tdata),
      .m_deliver_tkeep(tkeep),
      .m_deliver_tvalid(tvalid),
      .m_deliver_tready(m_deliver_tready),
      .m_deliver_tlast(tlast),
      .m_deliver_tuser(tuser),
      .m_deliver_id(tid)
  );

  (* hierconn *) wire \deliver.reading ;
  (* hierconn *) wire \deliver.fetched ;
  (* hierconn *) wire \deliver.fetched_last ;
  (* hierconn *) wire \deliver.beat_valid ;
  (* hierconn *) wire \deliver.in_packet ;

  oae_stream_rules #(
      .SIDE(32)
  ) rules (
      .clk(clk),
      .rst(rst),
      .restart(restart),
      .tdata(tdata),
      .tkeep(tkeep),
      .tvalid(tvalid),
      .tready(m_deliver_tready),
      .tlast(tlast),
      .tuser(tuser),
      .side(tuser ? 32'd0 : tid),  // a closing beat has no id
      .open(open)
  );
  (* hierconn *) wire \rules.cut ;
  (* hierconn *) wire \rules.stalled ;
  (* hierconn *) wire [105:0] \rules.offered ;

  // ------------------------------------------------------------------ what the core gives

  reg [31:0] last_id;
  reg [15:0] last_length;
  reg last_valid;
  always @(posedge clk) begin
    last_valid <= record_valid && !delivered && !restart && !rst;
    last_id <= record_id;
    last_length <= record_length;
  end
  always @* begin
    // A committed record stays the head of its lane until it is delivered, and what is recorded of
    // it stays (oae_end_proof.sv: delivery_stays). Through a crash it comes again or not.
    if (last_valid) assume (record_valid && record_id == last_id && record_length == last_length);
    // Its length is 1 to RECORD_MAX: the parser passes no other (oae_parser_proof.sv: length).
    if (record_valid) assume (record_length >= 16'd1 && record_length <= RECORD_MAX);
  end

  // ------------------------------------------------------------------ what is promised

  // Words of the packet that were taken.
  reg [WORD_BITS:0] words;
  always @(posedge clk) begin
    if (rst || restart) words <= 0;
    else if (tvalid && m_deliver_tready) words <= tlast ? 0 : words + 1'b1;
  end
  wire [15:0] count = (record_length + 16'd7) >> 3;
  wire [7:0] keep = 8'hff >> (3'd7 - (record_length[2:0] - 1'b1));

  always @*
    if (started) begin
      // A delivery is the handshake of a good last beat, and of no other.
      step : assert (delivered == (tvalid && m_deliver_tready && tlast && !tuser));
      // Only the head is delivered.
      if (tvalid && !tuser) begin
        is_head : assert (record_valid && tid == record_id);
        // The record's words, in order, all of them, and no byte beyond its length.
        in_order : assert (tdata == words);
        whole : assert (tlast == (words + 1'b1 == count));
        if (tlast) bytes : assert (tkeep == keep);
      end
    end

  // ------------------------------------------------------------------ the relations

  wire [WORD_BITS+1:0] place = words + \deliver.beat_valid + \deliver.fetched ;  // read next
  wire closing = \deliver.beat_valid && tuser;
  always @*
    if (started) begin
      assert (\deliver.in_packet == open);
      assert (closing == \rules.cut );
      if (\rules.cut )
        assert (open && tlast && tkeep == 8'hff && !\deliver.fetched && !\deliver.reading );
      if (\rules.stalled ) assert (\deliver.beat_valid && \rules.offered ==
                                   {tuser ? 32'd0 : tid, tuser, tlast, tkeep, tdata});
      // A record is in the pipeline: its words follow one another from the port back to the store.
      if (\deliver.reading || \deliver.fetched || (\deliver.beat_valid && !tuser))
        assert (last_valid && place <= count);
      if (\deliver.reading ) assert (read_word == place && place < count);
      if (\deliver.beat_valid && !tuser) assert (tid == last_id && tdata == words);
      if (\deliver.fetched ) begin
        assert (read_data == words + \deliver.beat_valid );
        assert (\deliver.fetched_last == (words + \deliver.beat_valid + 1'b1 == count));
        assert (\deliver.reading == !\deliver.fetched_last );
      end
      if (!\rules.cut ) assert (open == (words != 0));
      if (\deliver.beat_valid && !tuser && !tlast) assert (\deliver.fetched || \deliver.reading );
      if (open && !\rules.cut )
        assert (\deliver.reading || \deliver.fetched || \deliver.beat_valid );
    end

  always @* begin
    cover_again : cover (started && delivered && tid == 32'd2 && count == 3);
  end

endmodule
`default_nettype wire
