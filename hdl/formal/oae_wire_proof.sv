// Builder and parser are inverse: what one end builds of arbitrary fields, the other end's parser
// passes on with the same fields, over a line that may stall once, anywhere.
//
// One frame from reset on, bounded by its length: the builder is where it was after every packet
// (oae_builder_proof.sv: back), the parser between frames likewise (oae_parser_proof.sv: between),
// and every register that rst leaves alone holds anything at all at the start.
//
// The CRC stands for any function of the words that go into it (cut in wire.sby): shown is that
// both ends count the same words in the same order. That it is the CRC-32C of the whole, in either
// arrangement, is oae_crc_proof.sv.
`default_nettype none
`include "oae_defs.vh"

module oae_wire_proof #(
    parameter integer RECORD_MAX = 40,
    parameter integer ADDRESS_BITS = $clog2(RECORD_MAX / 8)
) (
    input wire clk,

    // everything that the world may do, in any cycle
    input wire        request_valid,
    input wire        line_free,
    input wire [63:0] read_data
);

  reg started = 1'b0;
  always @(posedge clk) started <= 1'b1;
  wire rst = !started;

  // The frame, and the two ends' agreement.
  (* anyconst *) wire [ 4:0] operation;
  (* anyconst *) wire [31:0] id;
  (* anyconst *) wire [31:0] digest;
  (* anyconst *) wire [31:0] operand;
  (* anyconst *) wire [31:0] link_session;
  (* anyconst *) wire [ 7:0] kind;
  (* anyconst *) wire [31:0] sender_epoch;
  (* anyconst *) wire [31:0] epoch;
  (* anyconst *) wire [15:0] length;
  (* anyconst *) wire [63:0] sync_session;
  (* anyconst *) wire [63:0] sync_verified;
  (* anyconst *) wire [63:0] sync_challenger;
  (* anyconst *) wire [31:0] sync_counter;
  (* anyconst *) wire [15:0] sync_record_max;
  (* anyconst *) wire [ 7:0] sync_window;
  (* anyconst *) wire [47:0] destination;
  (* anyconst *) wire [47:0] source;
  (* anyconst *) wire        link_up;
  (* anyconst *) wire [63:0] word_0;  // the record
  (* anyconst *) wire [63:0] word_1;
  (* anyconst *) wire [63:0] word_2;
  (* anyconst *) wire [63:0] word_3;
  (* anyconst *) wire [63:0] word_4;

  wire is_data = operation == `OAE_OPERATION_DATA;
  wire is_sync = operation == `OAE_OPERATION_SYNC || operation == `OAE_OPERATION_SYNC_ACK;
  wire is_nop = operation == `OAE_OPERATION_NOP;
  wire is_aborted = operation == `OAE_OPERATION_ABORTED;
  always @* begin
    // What an end asks for (oae_end.v, transmit).
    assume (is_data || is_sync || is_nop || is_aborted || operation == `OAE_OPERATION_ACK ||
            operation == `OAE_OPERATION_COMMIT || operation == `OAE_OPERATION_DONE ||
            operation == `OAE_OPERATION_ABORT);
    assume (length >= 16'd1 && length <= RECORD_MAX && kind <= 8'd1);
    // A link session is never 0 (oae_link_control.v).
    assume (link_session != 32'd0);
  end

  wire request_ready, tvalid, tlast, tuser, tready, read_enable, reading;
  wire [63:0] tdata;
  wire [7:0] tkeep;
  wire [2:0] read_slot, reading_slot;
  wire [ADDRESS_BITS-1:0] read_index;
  reg asked;  // one frame
  wire ask = request_valid && !asked;
  always @(posedge clk) asked <= !rst && (asked || (ask && request_ready));

  // One stall, of one cycle: the parser looks at beats that are taken and at no other, and a beat
  // that waits stays (oae_builder_proof.sv: stream_stable); more of them are left to simulation.
  reg stalled;
  always @(posedge clk) stalled <= !rst && (stalled || !line_free);
  always @* if (stalled || !asked) assume (line_free);
  // The frame is asked for at once: before, nothing moves.
  always @* assume (request_valid);

  // The store: a word one cycle after its address.
  reg [63:0] read_word;
  always @(posedge clk)
    if (read_enable)
      case (read_index)
        0: read_word <= word_0;
        1: read_word <= word_1;
        2: read_word <= word_2;
        3: read_word <= word_3;
        4: read_word <= word_4;
        default: read_word <= read_data;  // beyond the record the store holds anything
      endcase

  oae_frame_builder #(
      .RECORD_MAX(RECORD_MAX)
  ) builder (
      .clk(clk),
      .rst(rst),
      .restart(1'b0),
      .destination(destination),
      .source(source),
      .request_valid(ask),
      .request_ready(request_ready),
      .request_operation(operation),
      .request_id(id),
      .request_digest(digest),
      .request_operand(operand),
      .request_link_session(link_session),
      .request_kind(kind),
      .request_epoch(sender_epoch[15:0]),
      .request_length(length),
      .request_slot(3'd0),
      .request_sync_session(sync_session),
      .request_sync_verified(sync_verified),
      .request_sync_challenger(sync_challenger),
      .request_sync_counter(sync_counter),
      .request_sync_record_max(sync_record_max),
      .request_sync_window(sync_window),
      .read_slot(read_slot),
      .read_index(read_index),
      .read_enable(read_enable),
      .read_data(read_word),
      .reading(reading),
      .reading_slot(reading_slot),
      .m_axis_tdata(tdata),
      .m_axis_tkeep(tkeep),
      .m_axis_tvalid(tvalid),
      .m_axis_tready(tready && line_free),
      .m_axis_tlast(tlast),
      .m_axis_tuser(tuser)
  );

  wire record_valid, frame_valid, malformed_valid, foreign_valid, unsupported_valid, not_up_valid;
  wire event_valid;
  wire [63:0] record_data, frame_record_0, event_word, got_session, got_verified, got_challenger;
  wire [ADDRESS_BITS-1:0] record_index;
  wire [31:0] record_id, frame_id, frame_digest, frame_operand, frame_epoch, got_counter;
  wire [4:0] frame_operation;
  wire [7:0] frame_kind, got_window;
  wire [15:0] frame_length, got_record_max;
  wire [3:0] malformed_reason;
  oae_frame_parser #(
      .RECORD_MAX(RECORD_MAX)
  ) parser (
      .clk(clk),
      .rst(rst),
      .restart(1'b0),
      .s_axis_tdata(tdata),
      .s_axis_tkeep(tkeep),
      .s_axis_tvalid(tvalid && line_free),
      .s_axis_tready(tready),
      .s_axis_tlast(tlast),
      .s_axis_tuser(tuser),
      .link_up(link_up),
      .link_session(link_session),
      .epoch(epoch),
      .record_max(RECORD_MAX[15:0]),
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
      .sync_session(got_session),
      .sync_verified(got_verified),
      .sync_challenger(got_challenger),
      .sync_counter(got_counter),
      .sync_record_max(got_record_max),
      .sync_window(got_window),
      .event_valid(event_valid),
      .event_word(event_word)
  );
  (* hierconn *) wire [63:0] \parser.trailer_0 , \parser.trailer_1 , \parser.record_word ;
  (* hierconn *) wire \parser.taken , \parser.in_record ;
  (* hierconn *) wire [ADDRESS_BITS-1:0] \parser.index ;
  (* hierconn *) wire [2:0] \parser.share_state ;
  (* hierconn *) wire [63:0] \builder.body_0 ;
  (* hierconn *) wire [1:0] \builder.counted ;
  (* hierconn *) wire \builder.counts ;

  function automatic [63:0] reversed;
    input [63:0] d;
    reversed = {d[7:0], d[15:8], d[23:16], d[31:24], d[39:32], d[47:40], d[55:48], d[63:56]};
  endfunction
  function automatic [31:0] swapped;
    input [31:0] value;
    swapped = {value[7:0], value[15:8], value[23:16], value[31:24]};
  endfunction
  // Word i of the record, zero beyond its length.
  function automatic [63:0] word;
    input [2:0] i;
    reg [63:0] whole;
    integer b;
    begin
      if (is_sync)
        case (i)
          0: whole = reversed(sync_session);
          1: whole = reversed(sync_verified);
          2: whole = reversed(sync_challenger);
          default: whole = reversed({sync_counter, sync_record_max, sync_window, 8'd0});
        endcase
      else begin
        case (i)
          0: whole = word_0;
          1: whole = word_1;
          2: whole = word_2;
          3: whole = word_3;
          default: whole = word_4;
        endcase
        for (b = 0; b < 8; b = b + 1) if ({i, b[2:0]} >= length) whole[8*b+:8] = 8'd0;
      end
      word = whole;
    end
  endfunction

  // ------------------------------------------------------------------ what is promised

  wire [15:0] record_length = is_data ? length : is_sync ? 16'd32 : 16'd0;
  // The receiver's epoch is less than half of 16 bits away; then it finds the sender's whole one.
  wire [31:0] ahead = sender_epoch - epoch;
  wire near = ahead < 32'h8000 || ahead >= 32'hffff8000;
  wire [31:0] bound_id = is_sync ? 32'd0 : id;

  // Words counted by the parser: how many, and the first one that was not the record's.
  reg [2:0] words;
  always @(posedge clk)
    if (rst) words <= 0;
    else if (\parser.taken && \parser.in_record ) words <= words + 1'b1;

  always @*
    if (started) begin
      // A frame that was built is never refused but for its digest, whose CRC is shown apart; or
      // because the link is not up.
      if (event_valid) begin
        passed : assert (frame_valid || (not_up_valid && !link_up && !is_sync) ||
                         (malformed_valid && (is_data || is_sync) &&
                          malformed_reason == `OAE_MALFORMED_REASON_WRONG_DIGEST));
        if (is_data || is_sync) all_words : assert (words == (record_length + 7) >> 3);
        else no_words : assert (words == 0);
      end
      if (frame_valid) begin
        same_operation : assert (frame_operation == operation);
        same_id : assert (frame_id == (is_sync || is_nop ? 32'd0 : id));
        if (!is_nop && !is_sync) same_digest : assert (frame_digest == digest);
        same_kind : assert (frame_kind == (is_data ? kind : 8'd0));
        same_length : assert (frame_length == record_length);
        if (is_nop || is_aborted) same_operand : assert (frame_operand == operand);
        if (!is_nop && !is_aborted && !is_data && !is_sync)
          no_operand : assert (frame_operand == 32'd0);
        if (is_data && near) same_epoch : assert (frame_epoch == sender_epoch);
        if (is_sync) begin
          same_session : assert (got_session == sync_session);
          same_verified : assert (got_verified == sync_verified);
          same_challenger : assert (got_challenger == sync_challenger);
          same_counter : assert (got_counter == sync_counter);
          same_sizes : assert (got_record_max == sync_record_max && got_window == sync_window);
        end
        if (is_data) same_record_0 : assert (frame_record_0 == word(3'd0));
      end
      // The words of DATA's record go to the store as they left the other.
      if (record_valid) begin
        same_record : assert (is_data && record_data == word(record_index) && record_id == id);
      end
      // Both ends count the same words: the parser those of the record and of where it belongs,
      if (\parser.taken && \parser.in_record )
        counted_word : assert (\parser.record_word == word(words) && \parser.index == words);
      if (is_data || is_sync) begin
        if (\parser.share_state == 3'd1)
          counted_place : assert (\parser.trailer_0 ==
                                  {swapped(bound_id), swapped(is_sync ? 32'd0 : link_session)});
        if (\parser.share_state == 3'd3 && near)
          counted_place_2 : assert (\parser.trailer_1 == (is_sync ? {32'd0, 32'h20000000} :
              {swapped(sender_epoch), swapped({kind, 8'd0, length})}));
      end
      // the builder those of SYNC.
      if (is_sync && \builder.counts )
        built_word : assert (reversed(\builder.body_0 ) == word({1'b0, \builder.counted } + 3'd1));
    end

  generate
    genvar o;
    for (o = 0; o < 32; o = o + 1) begin : g_operation
      if (o == 0 || o == 1 || o == 2 || o == 5 || o == 6 || o == 8 || o == 9 || o == 22 || o == 23)
        always @* cover (started && frame_valid && operation == o);
    end
  endgenerate
  always @* begin
    longest : cover (started && frame_valid && is_data && length == RECORD_MAX);
    not_up : cover (started && not_up_valid);
  end

endmodule
`default_nettype wire
