// An end with everything that a board needs around it: registers on a serial line, a traffic
// generator and a checker in the place of the host, a fault injector at the MAC, a trace buffer.
//
// After a reset it is as if the end stood alone: its ports are those of oae_end. What the registers
// switch: docs/board.md.
`default_nettype none
`include "oae_defs.vh"
`include "oae_board_defs.vh"

module oae_board #(
    parameter integer WINDOW = 8,  // slots a lane: 1, 2, 4 ... 64
    parameter integer RECORD_MAX = 64,  // longest record in bytes: 8 to 1488, times 8
    parameter [15:0] ETHERTYPE = `OAE_ETHERTYPE,
    parameter integer BEAT_IDLE = 1024,  // ticks of idle line before a beat
    parameter integer BEAT_BUSY = 256,  // ticks between beats while a slot waits
    parameter integer FAULT_BEATS = 8,  // silent intervals before FAULT
    parameter integer SYNC_INTERVAL = 1024,  // ticks between repeated challenges,
    parameter [63:0] BUILD_HASH = 64'd0,  // which sources it was built from
    parameter integer TRACE_WORDS = 512  // events held, a power of two
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
    output wire [                47:0] event_cycle,

    // registers
    input  wire [31:0] clock_hz,         // ticks a second
    input  wire [ 7:0] s_serial_tdata,
    input  wire        s_serial_tvalid,
    output wire        s_serial_tready,
    output wire [ 7:0] m_serial_tdata,
    output wire        m_serial_tvalid,
    input  wire        m_serial_tready
);

  // ---------------------------------------------------------------- registers
  wire [15:0] bus_address;
  wire [31:0] bus_read_data, bus_write_data;
  wire bus_known, bus_writable, bus_read, bus_write;
  wire [31:0] bridge_frames, bridge_rejected, bridge_repeated;
  wire [ 7:0] end_address;
  wire [31:0] end_data;
  wire [ 5:0] control;
  wire wanted_crash, wanted_amnesia;
  wire [63:0] session;
  wire [31:0] wanted_epoch, prepared;
  wire [47:0] destination, source;
  wire [31:0] generator_count, generator_sizes, generator_seed;
  wire generator_start, generator_stop, generator_busy;
  wire [31:0] generator_submitted, generator_committed, generator_aborted;
  wire [31:0] generator_unknown, generator_lost;
  wire [31:0] sink_seed, sink_delivered, sink_wrong, sink_next;
  wire sink_clear;
  wire [17:0] inject;
  wire [31:0] injected, trace_count, trace_lost;
  wire trace_record, trace_clear, oldest_valid, oldest_take;
  wire [ 5:0] trace_channels;
  wire [ 2:0] oldest_channel;
  wire [47:0] oldest_cycle;
  wire [63:0] oldest_word;

  oae_register_bridge bridge (
      .clk(clk),
      .rst(rst),
      .s_serial_tdata(s_serial_tdata),
      .s_serial_tvalid(s_serial_tvalid),
      .s_serial_tready(s_serial_tready),
      .m_serial_tdata(m_serial_tdata),
      .m_serial_tvalid(m_serial_tvalid),
      .m_serial_tready(m_serial_tready),
      .bus_address(bus_address),
      .bus_known(bus_known),
      .bus_writable(bus_writable),
      .bus_read_data(bus_read_data),
      .bus_read(bus_read),
      .bus_write(bus_write),
      .bus_write_data(bus_write_data),
      .frames(bridge_frames),
      .rejected(bridge_rejected),
      .repeated(bridge_repeated)
  );

  oae_board_registers #(
      .BUILD_HASH(BUILD_HASH),
      .RECORD_MAX(RECORD_MAX)
  ) registers (
      .clk(clk),
      .rst(rst),
      .tick(tick),
      .clock_hz(clock_hz),
      .bus_address(bus_address),
      .bus_known(bus_known),
      .bus_writable(bus_writable),
      .bus_read_data(bus_read_data),
      .bus_read(bus_read),
      .bus_write(bus_write),
      .bus_write_data(bus_write_data),
      .end_address(end_address),
      .end_data(end_data),
      .control(control),
      .crash(wanted_crash),
      .amnesia(wanted_amnesia),
      .session(session),
      .wanted_epoch(wanted_epoch),
      .prepared(prepared),
      .destination(destination),
      .source(source),
      .generator_count(generator_count),
      .generator_sizes(generator_sizes),
      .generator_seed(generator_seed),
      .generator_start(generator_start),
      .generator_stop(generator_stop),
      .generator_busy(generator_busy),
      .generator_submitted(generator_submitted),
      .generator_committed(generator_committed),
      .generator_aborted(generator_aborted),
      .generator_unknown(generator_unknown),
      .generator_lost(generator_lost),
      .sink_seed(sink_seed),
      .sink_clear(sink_clear),
      .sink_delivered(sink_delivered),
      .sink_wrong(sink_wrong),
      .sink_next(sink_next),
      .inject(inject),
      .injected(injected),
      .trace_record(trace_record),
      .trace_clear(trace_clear),
      .trace_channels(trace_channels),
      .trace_count(trace_count),
      .trace_lost(trace_lost),
      .oldest_valid(oldest_valid),
      .oldest_channel(oldest_channel),
      .oldest_cycle(oldest_cycle),
      .oldest_word(oldest_word),
      .oldest_take(oldest_take),
      .bridge_frames(bridge_frames),
      .bridge_rejected(bridge_rejected),
      .bridge_repeated(bridge_repeated)
  );

  // ---------------------------------------------------------------- which host, which wire
  // Both change between packets only.
  reg internal, looped;
  reg in_submit, in_deliver, in_receive, in_send;
  wire end_crash = crash || wanted_crash;
  wire end_amnesia = amnesia || wanted_amnesia;

  wire [63:0] submit_tdata, generator_tdata;
  wire [7:0] submit_tkeep, generator_tkeep;
  wire [15:0] submit_tag, generator_tag;
  wire submit_tvalid, submit_tready, submit_tlast, generator_tvalid, generator_tlast;
  wire completion_tvalid, cancel_tready, doubt_tvalid;
  wire deliver_tvalid, deliver_tready, checker_tready;
  assign submit_tdata  = internal ? generator_tdata : s_submit_tdata;
  assign submit_tkeep  = internal ? generator_tkeep : s_submit_tkeep;
  assign submit_tvalid = internal ? generator_tvalid : s_submit_tvalid;
  assign submit_tlast  = internal ? generator_tlast : s_submit_tlast;
  wire submit_tuser = !internal && s_submit_tuser;
  assign submit_tag = internal ? generator_tag : s_submit_tag;
  wire [7:0] submit_kind = internal ? `OAE_KIND_DATA : s_submit_kind;
  assign s_submit_tready = submit_tready && !internal;
  assign m_completion_tvalid = completion_tvalid && !internal;
  assign s_cancel_tready = cancel_tready && !internal;
  assign m_deliver_tvalid = deliver_tvalid && !internal;
  assign deliver_tready = internal ? checker_tready : m_deliver_tready;
  assign m_doubt_tvalid = doubt_tvalid && !internal;

  wire [63:0] receive_tdata, send_tdata, sent_tdata;
  wire [7:0] receive_tkeep, send_tkeep, sent_tkeep;
  wire receive_tvalid, receive_tready, receive_tlast, receive_tuser;
  wire send_tvalid, send_tready, send_tlast, send_tuser;
  wire sent_tvalid, sent_tready, sent_tlast, sent_tuser;  // behind the injector
  assign receive_tdata = looped ? sent_tdata : s_axis_tdata;
  assign receive_tkeep = looped ? sent_tkeep : s_axis_tkeep;
  assign receive_tvalid = looped ? sent_tvalid : s_axis_tvalid;
  assign receive_tlast = looped ? sent_tlast : s_axis_tlast;
  assign receive_tuser = looped ? sent_tuser : s_axis_tuser;
  assign s_axis_tready = looped || receive_tready;
  assign m_axis_tdata = sent_tdata;
  assign m_axis_tkeep = sent_tkeep;
  assign m_axis_tvalid = sent_tvalid && !looped;
  assign m_axis_tlast = sent_tlast;
  assign m_axis_tuser = sent_tuser;
  assign sent_tready = looped ? receive_tready : m_axis_tready;

  always @(posedge clk) begin
    if (submit_tvalid && submit_tready) in_submit <= !submit_tlast;
    if (deliver_tvalid && deliver_tready) in_deliver <= !m_deliver_tlast;
    if (s_axis_tvalid && s_axis_tready) in_receive <= !s_axis_tlast;
    if (sent_tvalid && sent_tready) in_send <= !sent_tlast;
    if (!(in_submit || submit_tvalid || in_deliver || deliver_tvalid))
      internal <= control[`OAE_BOARD_CONTROL_INTERNAL_HOST];
    if (!(in_receive || s_axis_tvalid || in_send || sent_tvalid))
      looped <= control[`OAE_BOARD_CONTROL_LOOPBACK];
    if (rst) begin
      internal <= 1'b0;
      looped <= 1'b0;
      in_submit <= 1'b0;
      in_deliver <= 1'b0;
      in_receive <= 1'b0;
      in_send <= 1'b0;
    end
  end

  oae_end #(
      .WINDOW(WINDOW),
      .RECORD_MAX(RECORD_MAX),
      .ETHERTYPE(ETHERTYPE),
      .BEAT_IDLE(BEAT_IDLE),
      .BEAT_BUSY(BEAT_BUSY),
      .FAULT_BEATS(FAULT_BEATS),
      .SYNC_INTERVAL(SYNC_INTERVAL)
  ) link_end (
      .clk(clk),
      .rst(rst),
      .crash(end_crash),
      .amnesia(end_amnesia),
      .tick(tick),
      .s_axis_tdata(receive_tdata),
      .s_axis_tkeep(receive_tkeep),
      .s_axis_tvalid(receive_tvalid),
      .s_axis_tready(receive_tready),
      .s_axis_tlast(receive_tlast),
      .s_axis_tuser(receive_tuser),
      .m_axis_tdata(send_tdata),
      .m_axis_tkeep(send_tkeep),
      .m_axis_tvalid(send_tvalid),
      .m_axis_tready(send_tready),
      .m_axis_tlast(send_tlast),
      .m_axis_tuser(send_tuser),
      .s_submit_tdata(submit_tdata),
      .s_submit_tkeep(submit_tkeep),
      .s_submit_tvalid(submit_tvalid),
      .s_submit_tready(submit_tready),
      .s_submit_tlast(submit_tlast),
      .s_submit_tuser(submit_tuser),
      .s_submit_tag(submit_tag),
      .s_submit_kind(submit_kind),
      .m_completion_tvalid(completion_tvalid),
      .m_completion_tready(internal || m_completion_tready),
      .m_completion_tag(m_completion_tag),
      .m_completion_id(m_completion_id),
      .m_completion_kind(m_completion_kind),
      .m_completion_outcome(m_completion_outcome),
      .m_completion_reason(m_completion_reason),
      .s_cancel_tvalid(s_cancel_tvalid && !internal),
      .s_cancel_tready(cancel_tready),
      .s_cancel_tag(s_cancel_tag),
      .m_deliver_tdata(m_deliver_tdata),
      .m_deliver_tkeep(m_deliver_tkeep),
      .m_deliver_tvalid(deliver_tvalid),
      .m_deliver_tready(deliver_tready),
      .m_deliver_tlast(m_deliver_tlast),
      .m_deliver_tuser(m_deliver_tuser),
      .m_deliver_id(m_deliver_id),
      .m_doubt_tvalid(doubt_tvalid),
      .m_doubt_tready(internal || m_doubt_tready),
      .m_doubt_id(m_doubt_id),
      .m_doubt_digest(m_doubt_digest),
      .cfg_enable(internal ? control[`OAE_BOARD_CONTROL_ENABLE] : cfg_enable),
      .cfg_beats(internal ? control[`OAE_BOARD_CONTROL_BEATS] : cfg_beats),
      .cfg_accept(internal ? control[`OAE_BOARD_CONTROL_ACCEPT] : cfg_accept),
      .cfg_session(internal ? session : cfg_session),
      .cfg_epoch(internal ? wanted_epoch : cfg_epoch),
      .cfg_prepared(internal ? prepared : cfg_prepared),
      .cfg_destination(internal ? destination : cfg_destination),
      .cfg_source(internal ? source : cfg_source),
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
      .register_address(end_address),
      .register_data(end_data)
  );

  oae_fault_injector #(
      .RECORD_MAX(RECORD_MAX)
  ) injector (
      .clk(clk),
      .rst(rst),
      .kind(inject[17:16]),
      .one_in(inject[15:0]),
      .s_axis_tdata(send_tdata),
      .s_axis_tkeep(send_tkeep),
      .s_axis_tvalid(send_tvalid),
      .s_axis_tready(send_tready),
      .s_axis_tlast(send_tlast),
      .s_axis_tuser(send_tuser),
      .m_axis_tdata(sent_tdata),
      .m_axis_tkeep(sent_tkeep),
      .m_axis_tvalid(sent_tvalid),
      .m_axis_tready(sent_tready),
      .m_axis_tlast(sent_tlast),
      .m_axis_tuser(sent_tuser),
      .injected(injected)
  );

  oae_traffic_generator generator (
      .clk(clk),
      .rst(rst),
      .enable(internal),
      .crash(end_crash),
      .amnesia(end_amnesia),
      .start(generator_start),
      .stop(generator_stop),
      .seed(generator_seed),
      .count(generator_count),
      .shortest(generator_sizes[15:0]),
      .longest(generator_sizes[31:16]),
      .m_submit_tdata(generator_tdata),
      .m_submit_tkeep(generator_tkeep),
      .m_submit_tvalid(generator_tvalid),
      .m_submit_tready(submit_tready),
      .m_submit_tlast(generator_tlast),
      .m_submit_tag(generator_tag),
      .completion_taken(completion_tvalid && internal),
      .completion_outcome(m_completion_outcome),
      .busy(generator_busy),
      .submitted(generator_submitted),
      .committed(generator_committed),
      .aborted(generator_aborted),
      .unknown(generator_unknown),
      .lost(generator_lost)
  );

  oae_traffic_checker checker_of_records (
      .clk(clk),
      .rst(rst),
      .enable(internal),
      .restart(end_crash || end_amnesia),
      .clear(sink_clear),
      .check(control[`OAE_BOARD_CONTROL_CHECK]),
      .seed(sink_seed),
      .s_deliver_tdata(m_deliver_tdata),
      .s_deliver_tkeep(m_deliver_tkeep),
      .s_deliver_tvalid(deliver_tvalid),
      .s_deliver_tready(checker_tready),
      .s_deliver_tlast(m_deliver_tlast),
      .s_deliver_tuser(m_deliver_tuser),
      .delivered(sink_delivered),
      .wrong(sink_wrong),
      .next_index(sink_next)
  );

  oae_trace_buffer #(
      .TRACE_WORDS(TRACE_WORDS)
  ) trace (
      .clk(clk),
      .rst(rst),
      .clear(trace_clear),
      .record(trace_record),
      .channels(trace_channels),
      .event_valid(event_valid),
      .event_words(event_words),
      .event_cycle(event_cycle),
      .oldest_valid(oldest_valid),
      .oldest_channel(oldest_channel),
      .oldest_cycle(oldest_cycle),
      .oldest_word(oldest_word),
      .take(oldest_take),
      .count(trace_count),
      .lost(trace_lost)
  );

endmodule
`default_nettype wire
