// What the compiled engine sees of a run, in place of hdl/sim/oae_trace.v: the same items in the
// same order, each as a call of the engine (observed.h) instead of a line of text.
`default_nettype none
`include "oae_defs.vh"
`include "oae_schedule.vh"

module oae_trace #(
    `include "oae_trace_ports.vh"
);

  // `end_of` is the end that something concerns; `digits`: of a number in hex, 0 for decimal.
  import "DPI-C" function void oae_parameter(
    input string name,
    input int end_of,
    input longint unsigned value,
    input int digits
  );
  import "DPI-C" function void oae_cycle();  // before everything else of a cycle
  import "DPI-C" function void oae_event(
    input int end_of,
    input int channel,
    input longint unsigned word
  );
  import "DPI-C" function void oae_config(
    input int end_of,
    input int enable,
    input int beats,
    input int accept,
    input longint unsigned session,
    input int unsigned epoch,
    input int unsigned prepared
  );
  import "DPI-C" function void oae_status(
    input int end_of,
    input int link_state,
    input int incoming,
    input int outgoing,
    input int changing,
    input int unsigned epoch,
    input int unsigned converged,
    input int initiator_balance,
    input int responder_balance
  );
  import "DPI-C" function void oae_cut(
    input int end_of,
    input int is_cut
  );
  import "DPI-C" function void oae_power(
    input int end_of,
    input int is_crash,
    input int is_amnesia
  );
  import "DPI-C" function void oae_rule(input int number);
  import "DPI-C" function void oae_stop(input int reason);
  import "DPI-C" function void oae_register(
    input int end_of,
    input int address,
    input int unsigned value
  );
  // Packets that are open at this end are broken.
  import "DPI-C" function void oae_restart(input int end_of);
  import "DPI-C" function void oae_beat(
    input int stream,
    input longint unsigned data
  );
  // The beat was the packet's last one; `argument` is tag and kind, id, or number.
  import "DPI-C" function void oae_packet(
    input int stream,
    input int keep,
    input int user,
    input int unsigned argument
  );
  import "DPI-C" function void oae_complete(
    input int end_of,
    input int tag,
    input int unsigned id,
    input int kind,
    input int outcome,
    input int reason
  );
  import "DPI-C" function void oae_doubt(
    input int end_of,
    input int unsigned id,
    input int unsigned digest
  );
  import "DPI-C" function void oae_cancel(
    input int end_of,
    input int tag
  );
  import "DPI-C" function void oae_fate(
    input int end_of,
    input int unsigned number,
    input int operation,
    input int unsigned id,
    input int copy,
    input int faults,
    input int rule
  );
  import "DPI-C" function void oae_end();

  localparam integer SUBMIT = 0;
  localparam integer DELIVER = 1;
  localparam integer RECEIVE = 2;
  localparam integer TRANSMIT = 3;

  // Arguments of calls are whole C integers, wider than what they carry.
  // verilator lint_off WIDTHEXPAND
  // State of the one block below; it is read nowhere else.
  // verilator lint_off BLKSEQ
  reg [131*ENDS-1:0] last_config;
  reg [ 75*ENDS-1:0] last_status;
  reg [ENDS-1:0] last_cut, last_crash, last_amnesia;
  reg begun, ended;
  integer e, c, i;

  task automatic parameters;
    begin
      oae_parameter("ends", -1, ENDS, 0);
      for (e = 0; e < ENDS; e = e + 1) begin
        oae_parameter("window", e, {56'd0, WINDOWS[8*e+:8]}, 0);
        oae_parameter("record_max", e, {48'd0, RECORD_MAXES[16*e+:16]}, 0);
        oae_parameter("mac", e, {16'd0, ADDRESSES[48*e+:48]}, 12);
      end
      oae_parameter("ethertype", -1, {48'd0, ETHERTYPE}, 4);
      oae_parameter("beat_idle", -1, BEAT_IDLE, 0);
      oae_parameter("beat_busy", -1, BEAT_BUSY, 0);
      oae_parameter("fault_beats", -1, FAULT_BEATS, 0);
      oae_parameter("sync_interval", -1, SYNC_INTERVAL, 0);
      oae_parameter("seed", -1, {32'd0, seed}, 0);
      oae_parameter("direct", -1, DIRECT, 0);
      oae_parameter("rules", -1, {32'd0, rule_count}, 0);
    end
  endtask

  task automatic in_force;
    for (e = 0; e < ENDS; e = e + 1) begin
      if (!begun || config_words[131*e+:131] != last_config[131*e+:131])
        oae_config(e, config_words[131*e+130], config_words[131*e+129], config_words[131*e+128],
                   config_words[131*e+64+:64], config_words[131*e+32+:32], config_words[131*e+:32]);
      if (!begun || status_words[75*e+:75] != last_status[75*e+:75])
        oae_status(e, status_words[75*e+73+:2], status_words[75*e+72], status_words[75*e+71],
                   status_words[75*e+70], status_words[75*e+38+:32], status_words[75*e+6+:32],
                   status_words[75*e+3+:3], status_words[75*e+:3]);
      if (cut[e] != last_cut[e]) oae_cut(e, cut[e]);
      if (crash[e] != last_crash[e] || amnesia[e] != last_amnesia[e])
        oae_power(e, crash[e], amnesia[e]);
    end
  endtask

  // A beat of a stream, if there is one.
  task automatic beat;
    input integer stream;
    input [31:0] argument;
    if (stream_taken[stream]) begin
      oae_beat(stream, stream_data[64*stream+:64]);
      if (stream_last[stream])
        oae_packet(stream, stream_keep[8*stream+:8], stream_user[stream], argument);
    end
  endtask

  task automatic handshakes;
    for (e = 0; e < ENDS; e = e + 1) begin
      beat(4 * e + SUBMIT, {submit_tag[16*e+:16], 8'd0, submit_kind[8*e+:8]});
      if (cancel_taken[e]) oae_cancel(e, cancel_tag[16*e+:16]);
      if (completion_taken[e])
        oae_complete(e, completion_tag[16*e+:16], completion_id[32*e+:32], completion_kind[8*e+:8],
                     completion_outcome[2*e+:2], completion_reason[6*e+:6]);
      beat(4 * e + DELIVER, deliver_id[32*e+:32]);
      if (doubt_taken[e]) oae_doubt(e, doubt_id[32*e+:32], doubt_digest[32*e+:32]);
    end
  endtask

  task automatic frames;
    for (e = 0; e < ENDS; e = e + 1) begin
      beat(4 * e + RECEIVE, receive_number[32*e+:32]);
      beat(4 * e + TRANSMIT, 32'd0);
      if (fate_valid[e])
        oae_fate(e, fate_number[32*e+:32], fate_operation[8*e+:8], fate_id[32*e+:32],
                 fate_copy[16*e+:16], fate_faults[16*e+:16], fate_rule[8*e+:8]);
    end
  endtask

  always @(posedge clk)
    if (rst) begin
      begun = 1'b0;
      ended = 1'b0;
      last_cut = {ENDS{1'b0}};
      last_crash = {ENDS{1'b0}};
      last_amnesia = {ENDS{1'b0}};
    end else if (!ended) begin
      if (!begun) parameters;
      oae_cycle();
      // Steps of the edge before come first: they belong to the cycle before.
      if (event_valid != {`OAE_CHANNELS * ENDS{1'b0}})
        for (e = 0; e < ENDS; e = e + 1)
        for (c = 0; c < `OAE_CHANNELS; c = c + 1)
        if (event_valid[`OAE_CHANNELS*e+c])
          oae_event(e, c, event_words[64*(`OAE_CHANNELS*e+c)+:64]);
      if (!begun || config_words != last_config || status_words != last_status || cut != last_cut ||
          crash != last_crash || amnesia != last_amnesia) begin
        in_force;
        last_config = config_words;
        last_status = status_words;
        last_cut = cut;
        last_crash = crash;
        last_amnesia = amnesia;
        begun = 1'b1;
      end
      if (fired != {`OAE_RULES_MAX{1'b0}})
        for (i = 0; i < `OAE_RULES_MAX; i = i + 1) if (fired[i]) oae_rule(i);
      if (stop) oae_stop({30'd0, stop_reason});
      if (register_valid)
        for (e = 0; e < ENDS; e = e + 1)
        oae_register(e, {24'd0, register_address}, register_values[32*e+:32]);
      if (crash != {ENDS{1'b0}} || amnesia != {ENDS{1'b0}})
        for (e = 0; e < ENDS; e = e + 1) if (crash[e] || amnesia[e]) oae_restart(e);
      if (stream_taken != {4 * ENDS{1'b0}} || completion_taken != {ENDS{1'b0}} ||
          doubt_taken != {ENDS{1'b0}} || cancel_taken != {ENDS{1'b0}} ||
          fate_valid != {ENDS{1'b0}}) begin
        handshakes;
        frames;
      end
      if (finish) begin
        oae_end();
        ended = 1'b1;
      end
    end
  // verilator lint_on BLKSEQ
  // verilator lint_on WIDTHEXPAND

endmodule
`default_nettype wire
