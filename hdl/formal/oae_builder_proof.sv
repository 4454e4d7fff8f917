// The MAC transmit port: AXI-Stream rules through crash and amnesia, the length of a frame, and
// the states of the builder.
`default_nettype none
`include "oae_defs.vh"

module oae_builder_proof #(
    parameter integer RECORD_MAX = 64,
    parameter integer WINDOW = 4,
    parameter integer ADDRESS_BITS = $clog2(RECORD_MAX / 8),
    parameter integer WORD_BITS = ADDRESS_BITS + 1
) (
    input wire clk,

    // everything that the world may do, in any cycle
    input wire        restart,
    input wire        request_valid,
    input wire [ 4:0] request_operation,
    input wire [31:0] request_id,
    input wire [31:0] request_digest,
    input wire [31:0] request_operand,
    input wire [31:0] request_link_session,
    input wire [ 7:0] request_kind,
    input wire [15:0] request_epoch,
    input wire [15:0] request_length,
    input wire [ 1:0] request_slot,
    input wire [63:0] request_sync_session,
    input wire [63:0] request_sync_verified,
    input wire [63:0] request_sync_challenger,
    input wire [31:0] request_sync_counter,
    input wire [47:0] destination,
    input wire [47:0] source,
    input wire [63:0] read_data,
    input wire        m_axis_tready
);

  reg started = 1'b0;
  always @(posedge clk) started <= 1'b1;
  wire rst = !started;

  wire request_ready, tvalid, tlast, tuser, open, reading, read_enable;
  wire [63:0] tdata;
  wire [7:0] tkeep;
  wire [1:0] read_slot, reading_slot;
  wire [ADDRESS_BITS-1:0] read_index;

  oae_frame_builder #(
      .RECORD_MAX(RECORD_MAX),
      .WINDOW(WINDOW)
  ) builder (
      .clk(clk),
      .rst(rst),
      .restart(restart),
      .destination(destination),
      .source(source),
      .request_valid(request_valid),
      .request_ready(request_ready),
      .request_operation(request_operation),
      .request_id(request_id),
      .request_digest(request_digest),
      .request_operand(request_operand),
      .request_link_session(request_link_session),
      .request_kind(request_kind),
      .request_epoch(request_epoch),
      .request_length(request_length),
      .request_slot(request_slot),
      .request_sync_session(request_sync_session),
      .request_sync_verified(request_sync_verified),
      .request_sync_challenger(request_sync_challenger),
      .request_sync_counter(request_sync_counter),
      .request_sync_record_max(RECORD_MAX[15:0]),
      .request_sync_window(WINDOW[7:0]),
      .read_slot(read_slot),
      .read_index(read_index),
      .read_enable(read_enable),
      .read_data(read_data),
      .reading(reading),
      .reading_slot(reading_slot),
      .m_axis_tdata(tdata),
      .m_axis_tkeep(tkeep),
      .m_axis_tvalid(tvalid),
      .m_axis_tready(m_axis_tready),
      .m_axis_tlast(tlast),
      .m_axis_tuser(tuser)
  );

  (* hierconn *) wire [2:0] \builder.state ;
  (* hierconn *) wire \builder.valid ;
  (* hierconn *) wire \builder.open ;
  (* hierconn *) wire [WORD_BITS-1:0] \builder.word ;
  (* hierconn *) wire [WORD_BITS-1:0] \builder.last_word ;
  (* hierconn *) wire [7:0] \builder.last_keep ;
  (* hierconn *) wire [15:0] \builder.record_length ;
  (* hierconn *) wire [4:0] \builder.operation ;
  localparam [2:0] IDLE = 0, ADDRESSES = 1, TYPE = 2, SESSION = 3, DIGEST = 4, BODY = 5;
  wire [2:0] state = \builder.state ;
  wire waits = \builder.valid ;

  oae_stream_rules rules (
      .clk(clk),
      .rst(rst),
      .restart(restart),
      .tdata(tdata),
      .tkeep(tkeep),
      .tvalid(tvalid),
      .tready(m_axis_tready),
      .tlast(tlast),
      .tuser(tuser),
      .side(1'b0),
      .open(open)
  );
  (* hierconn *) wire \rules.cut ;
  (* hierconn *) wire \rules.stalled ;
  (* hierconn *) wire [74:0] \rules.offered ;

  // ------------------------------------------------------------------ what the end gives

  // A record has 1 to RECORD_MAX bytes (oae_submit_proof.sv: opened_length).
  always @*
    if (request_valid && request_operation == `OAE_OPERATION_DATA)
      assume (request_length >= 16'd1 && request_length <= RECORD_MAX);

  // ------------------------------------------------------------------ what is promised

  // Beats of this packet that were taken, and the record length of its frame.
  reg [WORD_BITS+1:0] beats;
  reg [15:0] length;
  reg request_taken, restarted, request_restarted;
  always @(posedge clk) begin
    if (tvalid && m_axis_tready) beats <= tlast ? 0 : beats + 1'b1;
    if (rst) beats <= 0;
    if (request_valid && request_ready)
      length <= request_operation == `OAE_OPERATION_DATA ? request_length :
          request_operation == `OAE_OPERATION_SYNC || request_operation == `OAE_OPERATION_SYNC_ACK ?
          16'd32 : 16'd0;
    request_taken <= request_valid && request_ready;
    restarted <= restart || rst;
  end
  wire [15:0] bytes = length < 16'd28 ? 16'd60 : length + 16'd32;
  wire [15:0] bytes_here = {beats, 3'd0} + (tlast ? tkeep[7] + tkeep[6] + tkeep[5] + tkeep[4] +
                                            tkeep[3] + tkeep[2] + tkeep[1] + tkeep[0] : 16'd8);

  always @*
    if (started) begin
      // A request that was taken is on the port in the next cycle, or behind the packet before.
      if (request_taken && !restart) at_once : assert (tvalid);
      // Header and record, padded to the shortest frame: exactly that, and no packet ends before.
      if (tvalid && !tuser && tlast && state == IDLE) length_exact : assert (bytes_here == bytes);
      if (tvalid && !tuser && !tlast) shorter : assert (bytes_here < bytes);
      // After a packet's last beat the builder is where it was before its first.
      if (!tvalid && !restart) back : assert (state == IDLE && !open);
      // After a restart nothing of the old frame is left but the closing beat.
      if (restarted) left : assert (state == IDLE && waits == open && !reading);
    end

  // ------------------------------------------------------------------ the relations

  wire [15:0] words = (bytes - 16'd32 + 16'd7) >> 3;  // of the body
  wire [7:0] keep = 8'hff >> (3'd7 - (bytes[2:0] - 1'b1));
  always @*
    if (started) begin
      legal : assert (state <= BODY);
      assert (\builder.open == open);
      if (\rules.cut ) assert (open && waits && tlast && tuser && tkeep == 8'hff);
      if (waits && tuser) assert (\rules.cut );
      // From its first beat on a frame always has one waiting.
      case (state)
        IDLE: assert (waits == open && (!waits || tlast));
        ADDRESSES: assert (waits && open && tlast);
        TYPE: assert (waits && !tlast && !tuser && !open && beats == 0);
        SESSION: assert (waits && !tlast && !tuser && open && beats == 1);
        DIGEST: assert (waits && !tlast && !tuser && open && beats == 2);
        default: assert (waits && !tlast && !tuser && open && beats == 3 + \builder.word );
      endcase
      if (!open) assert (beats == 0);
      if (state >= ADDRESSES && state <= DIGEST) assert (\builder.word == 0);
      if (waits && !tlast) assert (tkeep == 8'hff);
      if (waits && tlast && !tuser && state == IDLE)
        assert (beats + 1'b1 == words + 4 && tkeep == keep);
      if (state != IDLE) begin
        assert (\builder.record_length == length);
        assert (length <= RECORD_MAX);
      end
      if (state >= SESSION)
        assert (\builder.last_word + 1'b1 == words && \builder.last_keep == keep);
      if (state == BODY) assert (\builder.word < words);
      if (request_taken) assert (state == TYPE || state == ADDRESSES || restarted);
    end

  // Every state, and every way between two of them.
  reg [2:0] before;
  always @(posedge clk) before <= state;
  wire goes = started && !restarted;
  always @* begin
    idle_addresses : cover (goes && before == IDLE && state == ADDRESSES);
    idle_type : cover (goes && before == IDLE && state == TYPE);
    addresses_type : cover (goes && before == ADDRESSES && state == TYPE);
    type_session : cover (goes && before == TYPE && state == SESSION);
    session_digest : cover (goes && before == SESSION && state == DIGEST);
    digest_body : cover (goes && before == DIGEST && state == BODY);
    body_idle : cover (goes && before == BODY && state == IDLE);
    longest : cover (started && tvalid && tlast && !tuser && length == RECORD_MAX);
    type_cut : cover (restarted && before == TYPE);
    body_cut : cover (restarted && before == BODY && tvalid);
    back_to_back : cover (started && request_taken && beats == 0 && tvalid && !tlast &&
                          length == 16'd0 && before == IDLE);
  end

endmodule
`default_nettype wire
