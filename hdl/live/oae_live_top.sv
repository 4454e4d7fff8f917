// One end with its host and its board, for a process on a medium (live.cpp): the wire, the serial line,
// the ticks of its timers and what is demanded of it come from outside.
//
// All of that is taken into registers at the edge, so that nothing is to be computed but after edges.
`default_nettype none
`include "oae_defs.vh"
`include "oae_schedule.vh"

module oae_live_top #(
    parameter integer        END           = 0,
    parameter integer        WINDOW        = 8,
    parameter integer        RECORD_MAX    = 64,
    parameter         [15:0] ETHERTYPE     = `OAE_ETHERTYPE,
    parameter integer        BEAT_IDLE     = 1024,
    parameter integer        BEAT_BUSY     = 128,
    parameter integer        FAULT_BEATS   = 128,
    parameter integer        SYNC_INTERVAL = 1024,
    parameter integer        HEAD_WORDS    = 80
) (
    input wire        clk,

    // in the next cycle
    input wire        next_rst,
    input wire [63:0] next_entropy,
    input wire [31:0] next_clock_hz,
    input wire        next_tick,
    input wire        next_run,               // low: the link goes down
    input wire        next_load,              // high: the load of the schedule is to be submitted
    input wire        next_crash,
    input wire        next_amnesia,
    input wire        next_stall_deliver,
    input wire        next_stall_completion,
    input wire        next_stall_doubt,
    input wire        next_refuse,
    input wire        next_disabled,
    input wire        next_mute,
    input wire        next_cancel,
    input wire [15:0] next_cancel_tag,
    input wire [31:0] next_epoch,
    input wire [31:0] next_prepared,

    // the wire, whose other direction is in the trace
    input  wire [63:0] next_word,
    input  wire [ 7:0] next_keep,
    input  wire        next_last,
    input  wire        next_word_valid,
    output wire        next_word_ready,

    // the serial line
    input  wire [7:0] next_byte,
    input  wire       next_byte_valid,
    output wire       next_byte_ready,
    output wire [7:0] answer_byte,
    output wire       answer_valid,

    output wire        moves,      // something happens in this cycle
    output wire        done,       // every record of the load has had its outcome
    output wire [31:0] submitted,
    output wire [ 1:0] link_state
);

  reg rst, tick, run, load, crash, amnesia, stall_deliver, stall_completion, stall_doubt;
  reg refuse, disabled, mute, cancel;
  reg [15:0] cancel_tag;
  reg [31:0] epoch, prepared, clock_hz;
  reg [63:0] entropy;
  initial rst = 1'b1;  // or the first edge would be a cycle of an end without a state
  always @(posedge clk) begin
    rst <= next_rst;
    entropy <= next_entropy;
    clock_hz <= next_clock_hz;
    tick <= next_tick;
    run <= next_run;
    load <= next_load;
    crash <= next_crash;
    amnesia <= next_amnesia;
    stall_deliver <= next_stall_deliver;
    stall_completion <= next_stall_completion;
    stall_doubt <= next_stall_doubt;
    refuse <= next_refuse;
    disabled <= next_disabled;
    mute <= next_mute;
    cancel <= next_cancel;
    cancel_tag <= next_cancel_tag;
    epoch <= next_epoch;
    prepared <= next_prepared;
  end

  reg [63:0] s_axis_tdata;
  reg [7:0] s_axis_tkeep, s_serial_tdata;
  reg s_axis_tvalid, s_axis_tlast, s_serial_tvalid;
  wire s_axis_tready, s_serial_tready;
  assign next_word_ready = !s_axis_tvalid || s_axis_tready;
  assign next_byte_ready = !s_serial_tvalid || s_serial_tready;
  always @(posedge clk) begin
    if (next_word_ready) begin
      s_axis_tvalid <= next_word_valid;
      s_axis_tdata  <= next_word;
      s_axis_tkeep  <= next_keep;
      s_axis_tlast  <= next_last;
    end
    if (next_byte_ready) begin
      s_serial_tvalid <= next_byte_valid;
      s_serial_tdata  <= next_byte;
    end
    if (rst) begin
      s_axis_tvalid   <= 1'b0;
      s_serial_tvalid <= 1'b0;
    end
  end

  localparam [47:0] ADDRESSES[0:1] = '{48'h020000000000, 48'h020000000001};

  wire [64*HEAD_WORDS-1:0] head;
  wire [31:0] table_address;
  wire [63:0] table_word;
  oae_schedule #(
      .HEAD_WORDS(HEAD_WORDS),
      .PORTS(1)
  ) schedule (
      .head(head),
      .address(table_address),
      .word(table_word)
  );

  wire [31:0] seed = head[64*`OAE_HEAD_SEED+:32];
  reg [64*`OAE_BLOCK_WORDS-1:0] settings;
  always @* begin
    settings = head[64*(`OAE_FIRST_BLOCK+`OAE_BLOCK_WORDS*END)+:64*`OAE_BLOCK_WORDS];
    if (!load) settings[64*`OAE_END_RECORDS+:64] = 64'd0;
  end

  wire [`OAE_CHANNELS-1:0] event_valid;
  wire [64*`OAE_CHANNELS-1:0] event_words;
  wire [3:0] stream_taken, stream_last, stream_user;
  wire [255:0] stream_data;
  wire [31:0] stream_keep;
  wire [15:0] submit_tag, completion_tag, cancelled_tag;
  wire [7:0] submit_kind, completion_kind;
  wire [31:0] deliver_id, completion_id, doubt_id, doubt_digest;
  wire [1:0] completion_outcome;
  wire [5:0] completion_reason;
  wire completion_taken, doubt_taken, cancel_taken, at_work;
  wire [130:0] config_word;
  wire [ 74:0] status_word;

  assign link_state = status_word[74:73];
  assign moves = event_valid != {`OAE_CHANNELS{1'b0}} || stream_taken != 4'd0 ||
      s_axis_tvalid || s_serial_tvalid || answer_valid || at_work;

  oae_end_bench #(
      .END(END),
      .WINDOW(WINDOW),
      .RECORD_MAX(RECORD_MAX),
      .ETHERTYPE(ETHERTYPE),
      .BEAT_IDLE(BEAT_IDLE),
      .BEAT_BUSY(BEAT_BUSY),
      .FAULT_BEATS(FAULT_BEATS),
      .SYNC_INTERVAL(SYNC_INTERVAL),
      .ADDRESS(ADDRESSES[END]),
      .PEER_ADDRESS(ADDRESSES[1-END])
  ) bench (
      .s_axis_tuser(1'b0),  // a medium marks no frame
      .m_axis_tdata(),
      .m_axis_tkeep(),
      .m_axis_tvalid(),
      .m_axis_tready(1'b1),
      .m_axis_tlast(),
      .m_axis_tuser(),
      .same_session(head[64*`OAE_HEAD_SAME_SESSION]),
      .resolved(),
      .m_serial_tdata(answer_byte),
      .m_serial_tvalid(answer_valid),
      .m_serial_tready(1'b1),
      .*
  );

  oae_trace #(
      .ENDS(1),
      .WINDOWS(WINDOW[7:0]),
      .RECORD_MAXES(RECORD_MAX[15:0]),
      .ADDRESSES(ADDRESSES[END]),
      .ETHERTYPE(ETHERTYPE),
      .BEAT_IDLE(BEAT_IDLE),
      .BEAT_BUSY(BEAT_BUSY),
      .FAULT_BEATS(FAULT_BEATS),
      .SYNC_INTERVAL(SYNC_INTERVAL)
  ) trace (
      .rule_count(32'd0),
      .receive_number(32'd0),
      .cancel_tag(cancelled_tag),
      .fate_valid(1'b0),
      .fate_number(32'd0),
      .fate_operation(8'd0),
      .fate_id(32'd0),
      .fate_copy(16'd0),
      .fate_faults(16'd0),
      .fate_rule(8'd0),
      .cut(1'b0),
      .config_words(config_word),
      .status_words(status_word),
      .fired({`OAE_RULES_MAX{1'b0}}),
      .stop(1'b0),
      .stop_reason(2'd0),
      .register_valid(1'b0),
      .register_address(8'd0),
      .register_values(32'd0),
      .finish(1'b0),
      .*
  );

endmodule
`default_nettype wire
