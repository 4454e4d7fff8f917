// Two ends, A and B, with their hosts, joined by two channels (or wired together), under one set of
// fault rules and one trace. Direction 0 leads from A to B, direction 1 back.
`default_nettype none
`include "oae_defs.vh"
`include "oae_schedule.vh"

module oae_link_pair #(
    parameter integer        WINDOW_A      = 8,
    parameter integer        WINDOW_B      = 8,
    parameter integer        RECORD_MAX_A  = 64,
    parameter integer        RECORD_MAX_B  = 64,
    parameter         [15:0] ETHERTYPE     = `OAE_ETHERTYPE,
    parameter integer        BEAT_IDLE     = 256,
    parameter integer        BEAT_BUSY     = 64,
    parameter integer        FAULT_BEATS   = 64,
    parameter integer        SYNC_INTERVAL = 512,
    parameter integer        DIRECT        = 0,               // 1: no channels, to measure latency
    parameter integer        HEAD_WORDS    = 80
) (
    input wire                     clk,
    input wire                     rst,
    input wire                     run,  // low: the ends are disabled and no rule strikes
    input wire [64*HEAD_WORDS-1:0] head, // of the schedule

    // readers of the schedule: load A, load B, fault rules
    output wire [ 95:0] table_address,
    input  wire [191:0] table_word,
    output wire         loaded,

    output wire [ 1:0] done,
    output wire [63:0] submitted,
    output wire [63:0] resolved,
    output wire [31:0] delivered,      // records that either host has taken
    output wire [ 1:0] settled,        // UP and not draining
    output wire        idle,           // both channels are empty and no host is at work
    output wire        stop_requested,

    // to end the trace
    input wire       stop,
    input wire [1:0] stop_reason,
    input wire       register_valid,
    input wire [7:0] register_address,
    input wire       finish
);

  localparam integer ENDS = 2;
  localparam [47:0] ADDRESS_A = 48'h02000000000a;
  localparam [47:0] ADDRESS_B = 48'h02000000000b;

  wire [31:0] seed = head[64*`OAE_HEAD_SEED+:32];
  wire [31:0] rule_count = head[64*`OAE_HEAD_RULES+:32];
  wire [31:0] rules_place = head[64*`OAE_HEAD_RULES_PLACE+:32];
  wire [31:0] fate_count = head[64*`OAE_HEAD_FATES+:32];
  wire same_session = head[64*`OAE_HEAD_SAME_SESSION];
  wire unused_head = &{1'b0, head};  // the limits are kept above

  // The wire: what leaves each end, and what reaches it.
  wire [64*ENDS-1:0] out_data, in_data;
  wire [8*ENDS-1:0] out_keep, in_keep;
  wire [ENDS-1:0] out_valid, out_ready, out_last, out_user;
  wire [ENDS-1:0] in_valid, in_ready, in_last, in_user;
  wire [32*ENDS-1:0] in_number;

  // The fault rules.
  wire [ENDS-1:0] query_valid;
  wire [8*ENDS-1:0] query_operation;
  wire [32*ENDS-1:0] query_id;
  wire [16*ENDS-1:0] query_copy;
  wire [16*ENDS-1:0] strike_faults;
  wire [64*ENDS-1:0] strike_argument_0, strike_argument_1;
  wire [8*ENDS-1:0] strike_rule;
  wire [ENDS-1:0] cut, crash, amnesia, stall_deliver, stall_completion, stall_doubt;
  wire [ENDS-1:0] refuse, disabled, mute, cancel;
  wire [16*ENDS-1:0] cancel_tag;
  wire [32*ENDS-1:0] epoch, prepared;
  // Where memory is volatile, every crash is amnesia.
  wire [ENDS-1:0] wanted_crash, wanted_amnesia;
`ifdef OAE_CRASH_FORGETS
  assign crash   = {ENDS{1'b0}};
  assign amnesia = wanted_amnesia | wanted_crash;
`else
  assign crash   = wanted_crash;
  assign amnesia = wanted_amnesia;
`endif
  wire [`OAE_RULES_MAX-1:0] fired;
  wire [ENDS-1:0] start_disable, start_mute;
  wire [64*ENDS-1:0] start_epochs;

  // For the trace.
  wire [`OAE_CHANNELS*ENDS-1:0] event_valid;
  wire [64*`OAE_CHANNELS*ENDS-1:0] event_words;
  wire [4*ENDS-1:0] stream_taken, stream_last, stream_user;
  wire [64*4*ENDS-1:0] stream_data;
  wire [ 8*4*ENDS-1:0] stream_keep;
  wire [16*ENDS-1:0] submit_tag, completion_tag, cancelled_tag;
  wire [8*ENDS-1:0] submit_kind, completion_kind;
  wire [32*ENDS-1:0] deliver_id, completion_id, doubt_id, doubt_digest, register_values;
  wire [2*ENDS-1:0] completion_outcome;
  wire [6*ENDS-1:0] completion_reason;
  wire [ENDS-1:0] completion_taken, doubt_taken, cancel_taken;
  wire [131*ENDS-1:0] config_words;
  wire [75*ENDS-1:0] status_words;
  wire [ENDS-1:0] fate_valid;
  wire [32*ENDS-1:0] fate_number, fate_id;
  wire [8*ENDS-1:0] fate_operation;
  wire [16*ENDS-1:0] fate_copy, fate_faults;
  wire [  ENDS-1:0] channel_idle;
  wire [  ENDS-1:0] at_work;
  // The rule that struck a frame is known one cycle before the frame's fate.
  reg  [8*ENDS-1:0] fate_rule;
  always @(posedge clk) fate_rule <= strike_rule;

  assign idle = &channel_idle && at_work == {ENDS{1'b0}};

  genvar e;
  generate
    for (e = 0; e < ENDS; e = e + 1) begin : g_end
      wire [64*`OAE_BLOCK_WORDS-1:0] settings =
          head[64*(`OAE_FIRST_BLOCK+`OAE_BLOCK_WORDS*e)+:64*`OAE_BLOCK_WORDS];
      assign start_disable[e] = !settings[64*`OAE_END_FLAGS];
      assign start_mute[e] = !settings[64*`OAE_END_FLAGS+1];
      assign start_epochs[64*e+:64] = settings[64*`OAE_END_EPOCHS+:64];
      assign settled[e] = status_words[75*e+73+:2] == `OAE_LINK_STATE_UP && !status_words[75*e+70];

      oae_end_bench #(
          .END(e),
          .WINDOW(e == 0 ? WINDOW_A : WINDOW_B),
          .RECORD_MAX(e == 0 ? RECORD_MAX_A : RECORD_MAX_B),
          .ETHERTYPE(ETHERTYPE),
          .BEAT_IDLE(BEAT_IDLE),
          .BEAT_BUSY(BEAT_BUSY),
          .FAULT_BEATS(FAULT_BEATS),
          .SYNC_INTERVAL(SYNC_INTERVAL),
          .ADDRESS(e == 0 ? ADDRESS_A : ADDRESS_B),
          .PEER_ADDRESS(e == 0 ? ADDRESS_B : ADDRESS_A)
      ) bench (
          .clk(clk),
          .rst(rst),
          .crash(crash[e]),
          .amnesia(amnesia[e]),
          .tick(1'b1),
          .run(run),
          .seed(seed),
          .same_session(same_session),
          .entropy(64'd0),
          .settings(settings),
          .table_address(table_address[32*e+:32]),
          .table_word(table_word[64*e+:64]),
          .s_axis_tdata(in_data[64*e+:64]),
          .s_axis_tkeep(in_keep[8*e+:8]),
          .s_axis_tvalid(in_valid[e]),
          .s_axis_tready(in_ready[e]),
          .s_axis_tlast(in_last[e]),
          .s_axis_tuser(in_user[e]),
          .m_axis_tdata(out_data[64*e+:64]),
          .m_axis_tkeep(out_keep[8*e+:8]),
          .m_axis_tvalid(out_valid[e]),
          .m_axis_tready(out_ready[e]),
          .m_axis_tlast(out_last[e]),
          .m_axis_tuser(out_user[e]),
          .stall_deliver(stall_deliver[e]),
          .stall_completion(stall_completion[e]),
          .stall_doubt(stall_doubt[e]),
          .refuse(refuse[e]),
          .disabled(disabled[e]),
          .mute(mute[e]),
          .cancel(cancel[e]),
          .cancel_tag(cancel_tag[16*e+:16]),
          .epoch(epoch[32*e+:32]),
          .prepared(prepared[32*e+:32]),
          .event_valid(event_valid[`OAE_CHANNELS*e+:`OAE_CHANNELS]),
          .event_words(event_words[64*`OAE_CHANNELS*e+:64*`OAE_CHANNELS]),
          .register_address(register_address),
          .register_data(register_values[32*e+:32]),
          .done(done[e]),
          .submitted(submitted[32*e+:32]),
          .resolved(resolved[32*e+:32]),
          .stream_taken(stream_taken[4*e+:4]),
          .at_work(at_work[e]),
          .stream_data(stream_data[64*4*e+:64*4]),
          .stream_keep(stream_keep[8*4*e+:8*4]),
          .stream_last(stream_last[4*e+:4]),
          .stream_user(stream_user[4*e+:4]),
          .submit_tag(submit_tag[16*e+:16]),
          .submit_kind(submit_kind[8*e+:8]),
          .deliver_id(deliver_id[32*e+:32]),
          .completion_taken(completion_taken[e]),
          .completion_tag(completion_tag[16*e+:16]),
          .completion_id(completion_id[32*e+:32]),
          .completion_kind(completion_kind[8*e+:8]),
          .completion_outcome(completion_outcome[2*e+:2]),
          .completion_reason(completion_reason[6*e+:6]),
          .doubt_taken(doubt_taken[e]),
          .doubt_id(doubt_id[32*e+:32]),
          .doubt_digest(doubt_digest[32*e+:32]),
          .cancel_taken(cancel_taken[e]),
          .cancelled_tag(cancelled_tag[16*e+:16]),
          .config_word(config_words[131*e+:131]),
          .status_word(status_words[75*e+:75])
      );

      // The direction away from this end leads to the other.
      if (DIRECT != 0) begin : g_direct
        assign in_data[64*(1-e)+:64] = out_data[64*e+:64];
        assign in_keep[8*(1-e)+:8] = out_keep[8*e+:8];
        assign in_valid[1-e] = out_valid[e];
        assign out_ready[e] = in_ready[1-e];
        assign in_last[1-e] = out_last[e];
        assign in_user[1-e] = out_user[e];
        assign query_valid[e] = 1'b0;
        assign query_operation[8*e+:8] = 8'd0;
        assign query_id[32*e+:32] = 32'd0;
        assign query_copy[16*e+:16] = 16'd0;
        assign fate_valid[e] = 1'b0;
        assign fate_number[32*e+:32] = 32'd0;
        assign fate_operation[8*e+:8] = 8'd0;
        assign fate_id[32*e+:32] = 32'd0;
        assign fate_copy[16*e+:16] = 16'd0;
        assign fate_faults[16*e+:16] = 16'd0;
        assign channel_idle[e] = !out_valid[e];
        reg [31:0] number;
        assign in_number[32*(1-e)+:32] = number;
        always @(posedge clk)
          if (rst) number <= 32'd0;
          else if (out_valid[e] && out_ready[e] && out_last[e]) number <= number + 1'b1;
        wire unused = &{1'b0, strike_faults[16*e+:16], strike_argument_0[64*e+:64],
                        strike_argument_1[64*e+:64]};
      end else begin : g_channel
        oae_fault_channel #(
            .DIRECTION (e),
            .RECORD_MAX(RECORD_MAX_A > RECORD_MAX_B ? RECORD_MAX_A : RECORD_MAX_B)
        ) channel (
            .clk(clk),
            .rst(rst),
            .seed(seed),
            .settings(head[64*(`OAE_FIRST_BLOCK+`OAE_BLOCK_WORDS*(ENDS+e))+:64*`OAE_BLOCK_WORDS]),
            .s_axis_tdata(out_data[64*e+:64]),
            .s_axis_tkeep(out_keep[8*e+:8]),
            .s_axis_tvalid(out_valid[e]),
            .s_axis_tready(out_ready[e]),
            .s_axis_tlast(out_last[e]),
            .s_axis_tuser(out_user[e]),
            .m_axis_tdata(in_data[64*(1-e)+:64]),
            .m_axis_tkeep(in_keep[8*(1-e)+:8]),
            .m_axis_tvalid(in_valid[1-e]),
            .m_axis_tready(in_ready[1-e]),
            .m_axis_tlast(in_last[1-e]),
            .m_axis_tuser(in_user[1-e]),
            .m_axis_number(in_number[32*(1-e)+:32]),
            .query_valid(query_valid[e]),
            .query_operation(query_operation[8*e+:8]),
            .query_id(query_id[32*e+:32]),
            .query_copy(query_copy[16*e+:16]),
            .strike_faults(strike_faults[16*e+:16]),
            .strike_argument_0(strike_argument_0[64*e+:64]),
            .strike_argument_1(strike_argument_1[64*e+:64]),
            .cut(cut[e]),
            .fate_valid(fate_valid[e]),
            .fate_number(fate_number[32*e+:32]),
            .fate_operation(fate_operation[8*e+:8]),
            .fate_id(fate_id[32*e+:32]),
            .fate_copy(fate_copy[16*e+:16]),
            .fate_faults(fate_faults[16*e+:16]),
            .idle(channel_idle[e])
        );
      end
    end
  endgenerate

  oae_fault_rules #(
      .ENDS(ENDS),
      .DIRECTIONS(ENDS)
  ) rules (
      .clk(clk),
      .rst(rst),
      .run(run),
      .seed(seed),
      .rule_count(rule_count),
      .fate_count(fate_count),
      .rules_place(rules_place),
      .table_address(table_address[64+:32]),
      .table_word(table_word[128+:64]),
      .loaded(loaded),
      .start_disable(start_disable),
      .start_mute(start_mute),
      .start_epochs(start_epochs),
      .event_valid(event_valid),
      .event_words(event_words),
      .query_valid(query_valid),
      .query_operation(query_operation),
      .query_id(query_id),
      .query_copy(query_copy),
      .strike_faults(strike_faults),
      .strike_argument_0(strike_argument_0),
      .strike_argument_1(strike_argument_1),
      .strike_rule(strike_rule),
      .cut(cut),
      .crash(wanted_crash),
      .amnesia(wanted_amnesia),
      .stall_deliver(stall_deliver),
      .stall_completion(stall_completion),
      .stall_doubt(stall_doubt),
      .refuse(refuse),
      .disabled(disabled),
      .mute(mute),
      .cancel(cancel),
      .cancel_tag(cancel_tag),
      .epoch(epoch),
      .prepared(prepared),
      .stop(stop_requested),
      .fired(fired)
  );

  oae_trace #(
      .ENDS(ENDS),
      .WINDOWS({WINDOW_B[7:0], WINDOW_A[7:0]}),
      .RECORD_MAXES({RECORD_MAX_B[15:0], RECORD_MAX_A[15:0]}),
      .ADDRESSES({ADDRESS_B, ADDRESS_A}),
      .ETHERTYPE(ETHERTYPE),
      .BEAT_IDLE(BEAT_IDLE),
      .BEAT_BUSY(BEAT_BUSY),
      .FAULT_BEATS(FAULT_BEATS),
      .SYNC_INTERVAL(SYNC_INTERVAL),
      .DIRECT(DIRECT)
  ) trace (
      .clk(clk),
      .rst(rst),
      .seed(seed),
      .rule_count(rule_count),
      .stream_taken(stream_taken),
      .stream_data(stream_data),
      .stream_keep(stream_keep),
      .stream_last(stream_last),
      .stream_user(stream_user),
      .submit_tag(submit_tag),
      .submit_kind(submit_kind),
      .deliver_id(deliver_id),
      .receive_number(in_number),
      .completion_taken(completion_taken),
      .completion_tag(completion_tag),
      .completion_id(completion_id),
      .completion_kind(completion_kind),
      .completion_outcome(completion_outcome),
      .completion_reason(completion_reason),
      .doubt_taken(doubt_taken),
      .doubt_id(doubt_id),
      .doubt_digest(doubt_digest),
      .cancel_taken(cancel_taken),
      .cancel_tag(cancelled_tag),
      .fate_valid(fate_valid),
      .fate_number(fate_number),
      .fate_operation(fate_operation),
      .fate_id(fate_id),
      .fate_copy(fate_copy),
      .fate_faults(fate_faults),
      .fate_rule(fate_rule),
      .cut(cut),
      .crash(crash),
      .amnesia(amnesia),
      .config_words(config_words),
      .status_words(status_words),
      .event_valid(event_valid),
      .event_words(event_words),
      .fired(fired),
      .stop(stop),
      .stop_reason(stop_reason),
      .register_valid(register_valid),
      .register_address(register_address),
      .register_values(register_values),
      .finish(finish)
  );

  // Deliveries, for the progress line and to notice that nothing moves.
  reg [31:0] count;
  wire [ENDS-1:0] delivery = {
    stream_taken[5] && stream_last[5] && !stream_user[5],
    stream_taken[1] && stream_last[1] && !stream_user[1]
  };
  assign delivered = count;
  always @(posedge clk)
    if (rst) count <= 32'd0;
    else count <= count + {31'd0, delivery[0]} + {31'd0, delivery[1]};

endmodule
`default_nettype wire
