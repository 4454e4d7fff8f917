// Two boards on one wire, each with a host on its serial line; and beside the first one an end that
// stands alone and sees the same, to compare with.
`default_nettype none
`include "oae_defs.vh"

module oae_board_pair (
    input wire clk,
    input wire rst,

    input  wire [   1:0] load,
    input  wire [1023:0] bytes,
    input  wire [  31:0] length,
    output wire [4095:0] answers,
    output wire [  31:0] answered,
    output wire [   1:0] sent,

    // the host of the first board
    input wire crash,
    input wire amnesia,
    input wire [63:0] s_submit_tdata,
    input wire [7:0] s_submit_tkeep,
    input wire s_submit_tvalid,
    input wire s_submit_tlast,
    input wire s_submit_tuser,
    input wire [15:0] s_submit_tag,
    input wire [7:0] s_submit_kind,
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

    output wire [`OAE_CHANNELS-1:0] event_valid,
    output wire [64*`OAE_CHANNELS-1:0] event_words,
    output wire [47:0] event_cycle,
    output wire wire_used,  // the first board sends
    output reg differs  // the first board from the end alone, since the reset
);
  wire [63:0] a_tdata;
  wire [7:0] a_tkeep;
  wire a_tvalid;
  wire a_tready;
  wire a_tlast;
  wire a_tuser;
  wire [63:0] b_tdata;
  wire [7:0] b_tkeep;
  wire b_tvalid;
  wire b_tready;
  wire b_tlast;
  wire b_tuser;
  wire alone_tvalid, alone_tlast, alone_tuser, alone_tready;
  wire [63:0] alone_tdata;
  wire [ 7:0] alone_tkeep;
  wire board_s_submit_tready, alone_s_submit_tready;
  wire board_m_completion_tvalid, alone_m_completion_tvalid;
  wire [15:0] board_m_completion_tag, alone_m_completion_tag;
  wire [31:0] board_m_completion_id, alone_m_completion_id;
  wire [7:0] board_m_completion_kind, alone_m_completion_kind;
  wire [1:0] board_m_completion_outcome, alone_m_completion_outcome;
  wire [5:0] board_m_completion_reason, alone_m_completion_reason;
  wire board_s_cancel_tready, alone_s_cancel_tready;
  wire [63:0] board_m_deliver_tdata, alone_m_deliver_tdata;
  wire [7:0] board_m_deliver_tkeep, alone_m_deliver_tkeep;
  wire board_m_deliver_tvalid, alone_m_deliver_tvalid;
  wire board_m_deliver_tlast, alone_m_deliver_tlast;
  wire board_m_deliver_tuser, alone_m_deliver_tuser;
  wire [31:0] board_m_deliver_id, alone_m_deliver_id;
  wire board_m_doubt_tvalid, alone_m_doubt_tvalid;
  wire [31:0] board_m_doubt_id, alone_m_doubt_id;
  wire [31:0] board_m_doubt_digest, alone_m_doubt_digest;
  wire [1:0] board_status_link_state, alone_status_link_state;
  wire board_status_incoming_alive, alone_status_incoming_alive;
  wire board_status_outgoing_alive, alone_status_outgoing_alive;
  wire board_status_changing, alone_status_changing;
  wire [31:0] board_status_epoch, alone_status_epoch;
  wire [31:0] board_status_converged, alone_status_converged;
  wire board_status_balance_valid, alone_status_balance_valid;
  wire [2:0] board_status_initiator_balance, alone_status_initiator_balance;
  wire [2:0] board_status_responder_balance, alone_status_responder_balance;
  wire [`OAE_CHANNELS-1:0] board_event_valid, alone_event_valid;
  wire [64*`OAE_CHANNELS-1:0] board_event_words, alone_event_words;
  wire [47:0] board_event_cycle, alone_event_cycle;

  wire [7:0] to_data[0:1], from_data[0:1];
  wire [1:0] to_valid, to_ready, from_valid, from_ready;
  genvar i;
  generate
    for (i = 0; i < 2; i = i + 1) begin : g_line
      oae_serial_line #(
          .ANSWER_BYTES(256)
      ) line (
          .clk(clk),
          .rst(rst),
          .load(load[i]),
          .bytes(bytes[512*i+:512]),
          .length(length[16*i+:16]),
          .sent(sent[i]),
          .answers(answers[2048*i+:2048]),
          .answered(answered[16*i+:16]),
          .m_serial_tdata(to_data[i]),
          .m_serial_tvalid(to_valid[i]),
          .m_serial_tready(to_ready[i]),
          .s_serial_tdata(from_data[i]),
          .s_serial_tvalid(from_valid[i]),
          .s_serial_tready(from_ready[i])
      );
    end
  endgenerate

  oae_board #(
      .WINDOW(8),
      .RECORD_MAX(64),
      .BEAT_IDLE(256),
      .BEAT_BUSY(64),
      .FAULT_BEATS(8),
      .SYNC_INTERVAL(512),
      .BUILD_HASH(64'h0123456789abcdef),
      .TRACE_WORDS(64)
  ) a (
      .clk(clk),
      .rst(rst),
      .crash(crash),
      .amnesia(amnesia),
      .tick(1'b1),
      .s_axis_tdata(b_tdata),
      .s_axis_tkeep(b_tkeep),
      .s_axis_tvalid(b_tvalid),
      .s_axis_tready(b_tready),
      .s_axis_tlast(b_tlast),
      .s_axis_tuser(b_tuser),
      .m_axis_tdata(a_tdata),
      .m_axis_tkeep(a_tkeep),
      .m_axis_tvalid(a_tvalid),
      .m_axis_tready(a_tready),
      .m_axis_tlast(a_tlast),
      .m_axis_tuser(a_tuser),
      .s_submit_tdata(s_submit_tdata),
      .s_submit_tkeep(s_submit_tkeep),
      .s_submit_tvalid(s_submit_tvalid),
      .s_submit_tready(board_s_submit_tready),
      .s_submit_tlast(s_submit_tlast),
      .s_submit_tuser(s_submit_tuser),
      .s_submit_tag(s_submit_tag),
      .s_submit_kind(s_submit_kind),
      .m_completion_tvalid(board_m_completion_tvalid),
      .m_completion_tready(m_completion_tready),
      .m_completion_tag(board_m_completion_tag),
      .m_completion_id(board_m_completion_id),
      .m_completion_kind(board_m_completion_kind),
      .m_completion_outcome(board_m_completion_outcome),
      .m_completion_reason(board_m_completion_reason),
      .s_cancel_tvalid(s_cancel_tvalid),
      .s_cancel_tready(board_s_cancel_tready),
      .s_cancel_tag(s_cancel_tag),
      .m_deliver_tdata(board_m_deliver_tdata),
      .m_deliver_tkeep(board_m_deliver_tkeep),
      .m_deliver_tvalid(board_m_deliver_tvalid),
      .m_deliver_tready(m_deliver_tready),
      .m_deliver_tlast(board_m_deliver_tlast),
      .m_deliver_tuser(board_m_deliver_tuser),
      .m_deliver_id(board_m_deliver_id),
      .m_doubt_tvalid(board_m_doubt_tvalid),
      .m_doubt_tready(m_doubt_tready),
      .m_doubt_id(board_m_doubt_id),
      .m_doubt_digest(board_m_doubt_digest),
      .cfg_enable(cfg_enable),
      .cfg_beats(cfg_beats),
      .cfg_accept(cfg_accept),
      .cfg_session(cfg_session),
      .cfg_epoch(cfg_epoch),
      .cfg_prepared(cfg_prepared),
      .cfg_destination(cfg_destination),
      .cfg_source(cfg_source),
      .status_link_state(board_status_link_state),
      .status_incoming_alive(board_status_incoming_alive),
      .status_outgoing_alive(board_status_outgoing_alive),
      .status_changing(board_status_changing),
      .status_epoch(board_status_epoch),
      .status_converged(board_status_converged),
      .status_balance_valid(board_status_balance_valid),
      .status_initiator_balance(board_status_initiator_balance),
      .status_responder_balance(board_status_responder_balance),
      .event_valid(board_event_valid),
      .event_words(board_event_words),
      .event_cycle(board_event_cycle),
      .clock_hz(32'd50000000),
      .s_serial_tdata(to_data[0]),
      .s_serial_tvalid(to_valid[0]),
      .s_serial_tready(to_ready[0]),
      .m_serial_tdata(from_data[0]),
      .m_serial_tvalid(from_valid[0]),
      .m_serial_tready(from_ready[0])
  );

  oae_board #(
      .WINDOW(8),
      .RECORD_MAX(64),
      .BEAT_IDLE(256),
      .BEAT_BUSY(64),
      .FAULT_BEATS(8),
      .SYNC_INTERVAL(512),
      .BUILD_HASH(64'h0123456789abcdef),
      .TRACE_WORDS(64)
  ) b (
      .clk(clk),
      .rst(rst),
      .crash(1'd0),
      .amnesia(1'd0),
      .tick(1'b1),
      .s_axis_tdata(a_tdata),
      .s_axis_tkeep(a_tkeep),
      .s_axis_tvalid(a_tvalid),
      .s_axis_tready(a_tready),
      .s_axis_tlast(a_tlast),
      .s_axis_tuser(a_tuser),
      .m_axis_tdata(b_tdata),
      .m_axis_tkeep(b_tkeep),
      .m_axis_tvalid(b_tvalid),
      .m_axis_tready(b_tready),
      .m_axis_tlast(b_tlast),
      .m_axis_tuser(b_tuser),
      .s_submit_tdata(64'd0),
      .s_submit_tkeep(8'd0),
      .s_submit_tvalid(1'd0),
      .s_submit_tready(),
      .s_submit_tlast(1'd0),
      .s_submit_tuser(1'd0),
      .s_submit_tag(16'd0),
      .s_submit_kind(8'd0),
      .m_completion_tvalid(),
      .m_completion_tready(1'd0),
      .m_completion_tag(),
      .m_completion_id(),
      .m_completion_kind(),
      .m_completion_outcome(),
      .m_completion_reason(),
      .s_cancel_tvalid(1'd0),
      .s_cancel_tready(),
      .s_cancel_tag(16'd0),
      .m_deliver_tdata(),
      .m_deliver_tkeep(),
      .m_deliver_tvalid(),
      .m_deliver_tready(1'd0),
      .m_deliver_tlast(),
      .m_deliver_tuser(),
      .m_deliver_id(),
      .m_doubt_tvalid(),
      .m_doubt_tready(1'd0),
      .m_doubt_id(),
      .m_doubt_digest(),
      .cfg_enable(1'd0),
      .cfg_beats(1'd0),
      .cfg_accept(1'd0),
      .cfg_session(64'd0),
      .cfg_epoch(32'd0),
      .cfg_prepared(32'd0),
      .cfg_destination(48'd0),
      .cfg_source(48'd0),
      .status_link_state(),
      .status_incoming_alive(),
      .status_outgoing_alive(),
      .status_changing(),
      .status_epoch(),
      .status_converged(),
      .status_balance_valid(),
      .status_initiator_balance(),
      .status_responder_balance(),
      .event_valid(),
      .event_words(),
      .event_cycle(),
      .clock_hz(32'd50000000),
      .s_serial_tdata(to_data[1]),
      .s_serial_tvalid(to_valid[1]),
      .s_serial_tready(to_ready[1]),
      .m_serial_tdata(from_data[1]),
      .m_serial_tvalid(from_valid[1]),
      .m_serial_tready(from_ready[1])
  );

  oae_end #(
      .WINDOW(8),
      .RECORD_MAX(64),
      .BEAT_IDLE(256),
      .BEAT_BUSY(64),
      .FAULT_BEATS(8),
      .SYNC_INTERVAL(512)
  ) alone (
      .clk(clk),
      .rst(rst),
      .crash(crash),
      .amnesia(amnesia),
      .tick(1'b1),
      .s_axis_tdata(b_tdata),
      .s_axis_tkeep(b_tkeep),
      .s_axis_tvalid(b_tvalid),
      .s_axis_tready(alone_tready),
      .s_axis_tlast(b_tlast),
      .s_axis_tuser(b_tuser),
      .m_axis_tdata(alone_tdata),
      .m_axis_tkeep(alone_tkeep),
      .m_axis_tvalid(alone_tvalid),
      .m_axis_tready(1'b1),
      .m_axis_tlast(alone_tlast),
      .m_axis_tuser(alone_tuser),
      .s_submit_tdata(s_submit_tdata),
      .s_submit_tkeep(s_submit_tkeep),
      .s_submit_tvalid(s_submit_tvalid),
      .s_submit_tready(alone_s_submit_tready),
      .s_submit_tlast(s_submit_tlast),
      .s_submit_tuser(s_submit_tuser),
      .s_submit_tag(s_submit_tag),
      .s_submit_kind(s_submit_kind),
      .m_completion_tvalid(alone_m_completion_tvalid),
      .m_completion_tready(m_completion_tready),
      .m_completion_tag(alone_m_completion_tag),
      .m_completion_id(alone_m_completion_id),
      .m_completion_kind(alone_m_completion_kind),
      .m_completion_outcome(alone_m_completion_outcome),
      .m_completion_reason(alone_m_completion_reason),
      .s_cancel_tvalid(s_cancel_tvalid),
      .s_cancel_tready(alone_s_cancel_tready),
      .s_cancel_tag(s_cancel_tag),
      .m_deliver_tdata(alone_m_deliver_tdata),
      .m_deliver_tkeep(alone_m_deliver_tkeep),
      .m_deliver_tvalid(alone_m_deliver_tvalid),
      .m_deliver_tready(m_deliver_tready),
      .m_deliver_tlast(alone_m_deliver_tlast),
      .m_deliver_tuser(alone_m_deliver_tuser),
      .m_deliver_id(alone_m_deliver_id),
      .m_doubt_tvalid(alone_m_doubt_tvalid),
      .m_doubt_tready(m_doubt_tready),
      .m_doubt_id(alone_m_doubt_id),
      .m_doubt_digest(alone_m_doubt_digest),
      .cfg_enable(cfg_enable),
      .cfg_beats(cfg_beats),
      .cfg_accept(cfg_accept),
      .cfg_session(cfg_session),
      .cfg_epoch(cfg_epoch),
      .cfg_prepared(cfg_prepared),
      .cfg_destination(cfg_destination),
      .cfg_source(cfg_source),
      .status_link_state(alone_status_link_state),
      .status_incoming_alive(alone_status_incoming_alive),
      .status_outgoing_alive(alone_status_outgoing_alive),
      .status_changing(alone_status_changing),
      .status_epoch(alone_status_epoch),
      .status_converged(alone_status_converged),
      .status_balance_valid(alone_status_balance_valid),
      .status_initiator_balance(alone_status_initiator_balance),
      .status_responder_balance(alone_status_responder_balance),
      .event_valid(alone_event_valid),
      .event_words(alone_event_words),
      .event_cycle(alone_event_cycle),
      .register_address(8'd0),
      .register_data()
  );

  assign event_valid = board_event_valid;
  assign event_words = board_event_words;
  assign event_cycle = board_event_cycle;
  assign wire_used   = a_tvalid;

  // The MAC side comes one cycle later.
  reg [74:0] alone_frame;
  always @(posedge clk) begin
    alone_frame <= {alone_tvalid, alone_tdata, alone_tkeep, alone_tlast, alone_tuser};
    if (a_tvalid !== alone_frame[74] || (a_tvalid && {a_tdata, a_tkeep, a_tlast, a_tuser} !== alone_frame[73:0]))
      differs <= 1'b1;
    if (board_s_submit_tready !== alone_s_submit_tready) differs <= 1'b1;
    if (board_m_completion_tvalid !== alone_m_completion_tvalid) differs <= 1'b1;
    if (board_m_completion_tvalid && board_m_completion_tag !== alone_m_completion_tag)
      differs <= 1'b1;
    if (board_m_completion_tvalid && board_m_completion_id !== alone_m_completion_id)
      differs <= 1'b1;
    if (board_m_completion_tvalid && board_m_completion_kind !== alone_m_completion_kind)
      differs <= 1'b1;
    if (board_m_completion_tvalid && board_m_completion_outcome !== alone_m_completion_outcome)
      differs <= 1'b1;
    if (board_m_completion_tvalid && board_m_completion_reason !== alone_m_completion_reason)
      differs <= 1'b1;
    if (board_s_cancel_tready !== alone_s_cancel_tready) differs <= 1'b1;
    if (board_m_deliver_tvalid && board_m_deliver_tdata !== alone_m_deliver_tdata) differs <= 1'b1;
    if (board_m_deliver_tvalid && board_m_deliver_tkeep !== alone_m_deliver_tkeep) differs <= 1'b1;
    if (board_m_deliver_tvalid !== alone_m_deliver_tvalid) differs <= 1'b1;
    if (board_m_deliver_tvalid && board_m_deliver_tlast !== alone_m_deliver_tlast) differs <= 1'b1;
    if (board_m_deliver_tvalid && board_m_deliver_tuser !== alone_m_deliver_tuser) differs <= 1'b1;
    if (board_m_deliver_tvalid && board_m_deliver_id !== alone_m_deliver_id) differs <= 1'b1;
    if (board_m_doubt_tvalid !== alone_m_doubt_tvalid) differs <= 1'b1;
    if (board_m_doubt_tvalid && board_m_doubt_id !== alone_m_doubt_id) differs <= 1'b1;
    if (board_m_doubt_tvalid && board_m_doubt_digest !== alone_m_doubt_digest) differs <= 1'b1;
    if (board_status_link_state !== alone_status_link_state) differs <= 1'b1;
    if (board_status_incoming_alive !== alone_status_incoming_alive) differs <= 1'b1;
    if (board_status_outgoing_alive !== alone_status_outgoing_alive) differs <= 1'b1;
    if (board_status_changing !== alone_status_changing) differs <= 1'b1;
    if (board_status_epoch !== alone_status_epoch) differs <= 1'b1;
    if (board_status_converged !== alone_status_converged) differs <= 1'b1;
    if (board_status_balance_valid !== alone_status_balance_valid) differs <= 1'b1;
    if (board_status_initiator_balance !== alone_status_initiator_balance) differs <= 1'b1;
    if (board_status_responder_balance !== alone_status_responder_balance) differs <= 1'b1;
    if (board_event_valid !== alone_event_valid) differs <= 1'b1;
    if (board_event_cycle !== alone_event_cycle) differs <= 1'b1;
    if (rst) begin
      alone_frame <= 75'd0;
      differs <= 1'b0;
    end
  end
  generate
    for (i = 0; i < `OAE_CHANNELS; i = i + 1) begin : g_events
      always @(posedge clk)
        if (board_event_valid[i] && board_event_words[64*i+:64] !== alone_event_words[64*i+:64])
          differs <= 1'b1;
    end
  endgenerate
endmodule
`default_nettype wire
