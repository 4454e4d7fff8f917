// One end of a link with its hosts: the sending load, the receiving sink, and where its sessions
// come from. What is outside it is the wire, the fault rules and whoever watches.
`default_nettype none
`include "oae_defs.vh"
`include "oae_schedule.vh"

// A live end (hdl/live) has its board around it, and the build is `OAE_BUILD_HASH.
`ifdef OAE_BOARD
`define OAE_BENCH_END oae_board
`else
`define OAE_BENCH_END oae_end
`endif

module oae_end_bench #(
    parameter         [ 7:0] END           = 0,
    parameter integer        WINDOW        = 8,
    parameter integer        RECORD_MAX    = 64,
    parameter         [15:0] ETHERTYPE     = `OAE_ETHERTYPE,
    parameter integer        BEAT_IDLE     = 256,
    parameter integer        BEAT_BUSY     = 64,
    parameter integer        FAULT_BEATS   = 64,
    parameter integer        SYNC_INTERVAL = 512,
    parameter         [47:0] ADDRESS       = 48'h020000000000,
    parameter         [47:0] PEER_ADDRESS  = 48'h020000000001
) (
`ifdef OAE_BOARD
    input  wire [31:0] clock_hz,
    input  wire [ 7:0] s_serial_tdata,
    input  wire        s_serial_tvalid,
    output wire        s_serial_tready,
    output wire [ 7:0] m_serial_tdata,
    output wire        m_serial_tvalid,
    input  wire        m_serial_tready,
`endif

    input wire clk,
    input wire rst,
    input wire crash,
    input wire amnesia,
    input wire tick,  // of the timers
    input wire run,  // low: nothing new is submitted, the link goes down
    input wire [31:0] seed,
    input wire same_session,  // the same session again after amnesia
    input wire [63:0] entropy,  // of the sessions, bit 0 clear; 0: they follow from the seed
    input wire [64*`OAE_BLOCK_WORDS-1:0] settings,

    // records of the schedule
    output wire [31:0] table_address,
    input  wire [63:0] table_word,

    // the wire
    input  wire [63:0] s_axis_tdata,
    input  wire [ 7:0] s_axis_tkeep,
    input  wire        s_axis_tvalid,
    output wire        s_axis_tready,
    input  wire        s_axis_tlast,
    input  wire        s_axis_tuser,
    output wire [63:0] m_axis_tdata,
    output wire [ 7:0] m_axis_tkeep,
    output wire        m_axis_tvalid,
    input  wire        m_axis_tready,
    output wire        m_axis_tlast,
    output wire        m_axis_tuser,

    // what the fault rules demand
    input wire        stall_deliver,
    input wire        stall_completion,
    input wire        stall_doubt,
    input wire        refuse,
    input wire        disabled,
    input wire        mute,
    input wire        cancel,
    input wire [15:0] cancel_tag,
    input wire [31:0] epoch,
    input wire [31:0] prepared,

    output wire [   `OAE_CHANNELS-1:0] event_valid,
    output wire [64*`OAE_CHANNELS-1:0] event_words,
`ifndef OAE_BOARD
    input  wire [                 7:0] register_address,
    output wire [                31:0] register_data,
`endif

    // how far it has come
    output wire        done,
    output wire [31:0] submitted,
    output wire [31:0] resolved,

    // for the trace: streams 0 submit, 1 deliver, 2 receive, 3 transmit
    output wire [  3:0] stream_taken,
    output wire         at_work,             // the host goes on, also when `run` is low
    output wire [255:0] stream_data,
    output wire [ 31:0] stream_keep,
    output wire [  3:0] stream_last,
    output wire [  3:0] stream_user,
    output wire [ 15:0] submit_tag,
    output wire [  7:0] submit_kind,
    output wire [ 31:0] deliver_id,
    output wire         completion_taken,
    output wire [ 15:0] completion_tag,
    output wire [ 31:0] completion_id,
    output wire [  7:0] completion_kind,
    output wire [  1:0] completion_outcome,
    output wire [  5:0] completion_reason,
    output wire         doubt_taken,
    output wire [ 31:0] doubt_id,
    output wire [ 31:0] doubt_digest,
    output wire         cancel_taken,
    output wire [ 15:0] cancelled_tag,
    output wire [130:0] config_word,         // {enable, beats, accept, session, epoch, prepared}
    output wire [ 74:0] status_word
);

  `include "oae_hash.vh"

  wire [63:0] submit_tdata, deliver_tdata;
  wire [7:0] submit_tkeep, deliver_tkeep;
  wire submit_tvalid, submit_tready, submit_tlast, submit_tuser;
  wire deliver_tvalid, deliver_tready, deliver_tlast, deliver_tuser;
  wire completion_tvalid, completion_tready;
  wire doubt_tvalid, doubt_tready;
  wire cancel_tvalid, cancel_tready;
  wire accept;

  wire enable = !disabled && run;
  wire beats = !mute;
  // What a rule holds up stands still for as long as the rule likes.
  wire load_busy;
  assign at_work = load_busy || (deliver_tvalid && !stall_deliver) ||
      (completion_tvalid && !stall_completion) || (doubt_tvalid && !stall_doubt);

  // A session for each life of the end: drawn anew after amnesia.
  reg [15:0] life;
  always @(posedge clk)
    if (rst) life <= 16'd0;
    else if (amnesia && !same_session) life <= life + 1'b1;
  reg [31:0] session_hash;
  reg [63:0] session;
  always @* begin
    session_hash = oae_chain(oae_mix(seed), {END, 8'd0, life});
    session = entropy ^ {oae_chain(session_hash, `OAE_PURPOSE_SESSION),
                         oae_chain(session_hash, `OAE_PURPOSE_SESSION + 32'd100) | 32'd1};
  end

  oae_load #(
      .END(END),
      .RECORD_MAX(RECORD_MAX)
  ) load (
      .clk(clk),
      .rst(rst),
      .crash(crash),
      .amnesia(amnesia),
      .run(run),
      .seed(seed),
      .settings(settings),
      .table_address(table_address),
      .table_word(table_word),
      .m_submit_tdata(submit_tdata),
      .m_submit_tkeep(submit_tkeep),
      .m_submit_tvalid(submit_tvalid),
      .m_submit_tready(submit_tready),
      .m_submit_tlast(submit_tlast),
      .m_submit_tuser(submit_tuser),
      .m_submit_tag(submit_tag),
      .m_submit_kind(submit_kind),
      .stall_completion(stall_completion),
      .s_completion_tvalid(completion_tvalid),
      .s_completion_tready(completion_tready),
      .s_completion_tag(completion_tag),
      .s_completion_outcome(completion_outcome),
      .s_completion_reason(completion_reason),
      .cancel_wanted(cancel),
      .cancel_tag(cancel_tag),
      .m_cancel_tvalid(cancel_tvalid),
      .m_cancel_tready(cancel_tready),
      .m_cancel_tag(cancelled_tag),
      .done(done),
      .busy(load_busy),
      .submitted(submitted),
      .resolved(resolved)
  );

  // A record that is new to the end has just been accepted or refused.
  wire [7:0] responder_code = event_words[64*`OAE_CHANNEL_RESPONDER+56+:8];
  wire asked = event_valid[`OAE_CHANNEL_RESPONDER] &&
      (responder_code == `OAE_EVENT_HELD || responder_code == `OAE_EVENT_REFUSED);

  oae_sink #(
      .END(END)
  ) sink (
      .clk(clk),
      .rst(rst),
      .seed(seed),
      .settings(settings),
      .stall_deliver(stall_deliver),
      .stall_doubt(stall_doubt),
      .refuse(refuse),
      .deliver_taken(deliver_tvalid && deliver_tready),
      .deliver_ready(deliver_tready),
      .doubt_ready(doubt_tready),
      .asked(asked),
      .accept(accept)
  );

  wire [1:0] link_state;
  wire incoming_alive, outgoing_alive, changing;
  wire unused_balance_valid;
  wire [31:0] status_epoch, status_converged;
  wire [2:0] initiator_balance, responder_balance;
  wire [47:0] unused_cycle;

  `OAE_BENCH_END #(
      .WINDOW(WINDOW),
      .RECORD_MAX(RECORD_MAX),
      .ETHERTYPE(ETHERTYPE),
      .BEAT_IDLE(BEAT_IDLE),
      .BEAT_BUSY(BEAT_BUSY),
      .FAULT_BEATS(FAULT_BEATS),
`ifdef OAE_BOARD
      .BUILD_HASH(`OAE_BUILD_HASH),
`endif
      .SYNC_INTERVAL(SYNC_INTERVAL)
  ) link_end (
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
      .s_submit_tdata(submit_tdata),
      .s_submit_tkeep(submit_tkeep),
      .s_submit_tvalid(submit_tvalid),
      .s_submit_tready(submit_tready),
      .s_submit_tlast(submit_tlast),
      .s_submit_tuser(submit_tuser),
      .s_submit_tag(submit_tag),
      .s_submit_kind(submit_kind),
      .m_completion_tvalid(completion_tvalid),
      .m_completion_tready(completion_tready),
      .m_completion_tag(completion_tag),
      .m_completion_id(completion_id),
      .m_completion_kind(completion_kind),
      .m_completion_outcome(completion_outcome),
      .m_completion_reason(completion_reason),
      .s_cancel_tvalid(cancel_tvalid),
      .s_cancel_tready(cancel_tready),
      .s_cancel_tag(cancelled_tag),
      .m_deliver_tdata(deliver_tdata),
      .m_deliver_tkeep(deliver_tkeep),
      .m_deliver_tvalid(deliver_tvalid),
      .m_deliver_tready(deliver_tready),
      .m_deliver_tlast(deliver_tlast),
      .m_deliver_tuser(deliver_tuser),
      .m_deliver_id(deliver_id),
      .m_doubt_tvalid(doubt_tvalid),
      .m_doubt_tready(doubt_tready),
      .m_doubt_id(doubt_id),
      .m_doubt_digest(doubt_digest),
      .cfg_enable(enable),
      .cfg_beats(beats),
      .cfg_accept(accept),
      .cfg_session(session),
      .cfg_epoch(epoch),
      .cfg_prepared(prepared),
      .cfg_destination(PEER_ADDRESS),
      .cfg_source(ADDRESS),
      .status_link_state(link_state),
      .status_incoming_alive(incoming_alive),
      .status_outgoing_alive(outgoing_alive),
      .status_changing(changing),
      .status_epoch(status_epoch),
      .status_converged(status_converged),
      .status_balance_valid(unused_balance_valid),
      .status_initiator_balance(initiator_balance),
      .status_responder_balance(responder_balance),
      .event_valid(event_valid),
      .event_words(event_words),
`ifdef OAE_BOARD
      .clock_hz(clock_hz),
      .s_serial_tdata(s_serial_tdata),
      .s_serial_tvalid(s_serial_tvalid),
      .s_serial_tready(s_serial_tready),
      .m_serial_tdata(m_serial_tdata),
      .m_serial_tvalid(m_serial_tvalid),
      .m_serial_tready(m_serial_tready),
`else
      .register_address(register_address),
      .register_data(register_data),
`endif
      .event_cycle(unused_cycle)
  );

  assign stream_taken = {
    m_axis_tvalid && m_axis_tready,
    s_axis_tvalid && s_axis_tready,
    deliver_tvalid && deliver_tready,
    submit_tvalid && submit_tready
  };
  assign stream_data = {m_axis_tdata, s_axis_tdata, deliver_tdata, submit_tdata};
  assign stream_keep = {m_axis_tkeep, s_axis_tkeep, deliver_tkeep, submit_tkeep};
  assign stream_last = {m_axis_tlast, s_axis_tlast, deliver_tlast, submit_tlast};
  assign stream_user = {m_axis_tuser, s_axis_tuser, deliver_tuser, submit_tuser};
  assign completion_taken = completion_tvalid && completion_tready;
  assign doubt_taken = doubt_tvalid && doubt_tready;
  assign cancel_taken = cancel_tvalid && cancel_tready;
  assign config_word = {enable, beats, accept, session, epoch, prepared};
  assign status_word = {
    link_state,
    incoming_alive,
    outgoing_alive,
    changing,
    status_epoch,
    status_converged,
    initiator_balance,
    responder_balance
  };

endmodule
`default_nettype wire
