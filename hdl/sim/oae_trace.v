// Writes the trace of a run: docs/trace.md. All of it is written by one block, so that every
// simulator writes the same lines in the same order.
`default_nettype none
`include "oae_defs.vh"
`include "oae_schedule.vh"

module oae_trace #(
    `include "oae_trace_ports.vh"
);

  // Longest packet that is kept: 256 words.
  localparam integer DEPTH_BITS = 8;
  localparam integer STREAMS = 4 * ENDS;

  integer file;
  reg [8*512-1:0] name;
  initial begin
    file = 0;
    if ($value$plusargs("trace=%s", name)) begin
      file = $fopen(name, "w");
      if (file == 0) begin
        $display("BENCH_ERROR cannot write the trace %0s", name);
        $finish;
      end else $fwrite(file, "oae-trace 1\n");
    end
  end

  // State of the one block below; it is read nowhere else.
  // verilator lint_off BLKSEQ
  reg [63:0] words[0:(STREAMS<<DEPTH_BITS)-1];
  reg [DEPTH_BITS:0] count[0:STREAMS-1];
  reg [31:0] first[0:STREAMS-1];
  reg [STREAMS-1:0] broken;
  reg [31:0] number[0:ENDS-1];  // frames transmitted
  reg [131*ENDS-1:0] last_config;
  reg [75*ENDS-1:0] last_status;
  reg [ENDS-1:0] last_cut, last_crash, last_amnesia;
  reg begun, ended;
  reg [31:0] cycle;
  integer e, c, i, s;

  // A word with its first byte first.
  function automatic [63:0] wire_order;
    input [63:0] value;
    wire_order = {
      value[7:0],
      value[15:8],
      value[23:16],
      value[31:24],
      value[39:32],
      value[47:40],
      value[55:48],
      value[63:56]
    };
  endfunction

  // A beat of stream s; with the last one the line is due.
  task automatic beat;
    begin
      if (count[s] == 0) begin
        first[s]  = cycle;
        broken[s] = 1'b0;
      end
      if (!count[s][DEPTH_BITS]) begin
        words[{s[31-DEPTH_BITS:0], count[s][DEPTH_BITS-1:0]}] = stream_data[64*s+:64];
        count[s] = count[s] + 1'b1;
      end
    end
  endtask

  // What stands in every line of a packet, and then its bytes.
  task automatic packet;
    $fwrite(file, " %0d %0d %0d", first[s], stream_user[s], broken[s]);
  endtask

  task automatic packet_bytes;
    reg [63:0] word;
    begin
      $fwrite(file, " ");
      for (i = 0; i + 1 < {23'd0, count[s]}; i = i + 1)
      $fwrite(file, "%016x", wire_order(words[(s<<DEPTH_BITS)+i]));
      word = wire_order(stream_data[64*s+:64]);
      if (stream_keep[8*s+7]) $fwrite(file, "%016x", word);
      else
        for (i = 0; i < 8; i = i + 1)
        if (stream_keep[8*s+i]) $fwrite(file, "%02x", word[63-8*i-:8]);
      $fwrite(file, "\n");
      count[s] = 0;
    end
  endtask

  task automatic parameters;
    begin
      $fwrite(file, "parameter ends %0d\n", ENDS);
      for (e = 0; e < ENDS; e = e + 1) begin
        $fwrite(file, "parameter window.%c %0d\n", 8'd97 + e[7:0], WINDOWS[8*e+:8]);
        $fwrite(file, "parameter record_max.%c %0d\n", 8'd97 + e[7:0], RECORD_MAXES[16*e+:16]);
        $fwrite(file, "parameter mac.%c %012x\n", 8'd97 + e[7:0], ADDRESSES[48*e+:48]);
      end
      $fwrite(file, "parameter ethertype %04x\n", ETHERTYPE);
      $fwrite(file, "parameter beat_idle %0d\n", BEAT_IDLE);
      $fwrite(file, "parameter beat_busy %0d\n", BEAT_BUSY);
      $fwrite(file, "parameter fault_beats %0d\n", FAULT_BEATS);
      $fwrite(file, "parameter sync_interval %0d\n", SYNC_INTERVAL);
      $fwrite(file, "parameter seed %0d\n", seed);
      $fwrite(file, "parameter direct %0d\n", DIRECT);
      $fwrite(file, "parameter rules %0d\n", rule_count);
    end
  endtask

  task automatic start_of_line;
    $fwrite(file, "%0d %c ", cycle, 8'd97 + e[7:0]);
  endtask

  task automatic events;
    for (e = 0; e < ENDS; e = e + 1)
      for (c = 0; c < `OAE_CHANNELS; c = c + 1)
        if (event_valid[`OAE_CHANNELS*e+c])
          $fwrite(
              file,
              "%0d %c event %0d %016x\n",
              cycle - 1,
              8'd97 + e[7:0],
              c,
              event_words[64*(`OAE_CHANNELS*e+c)+:64]
          );
  endtask

  task automatic in_force;
    for (e = 0; e < ENDS; e = e + 1) begin
      if (!begun || config_words[131*e+:131] != last_config[131*e+:131]) begin
        start_of_line;
        $fwrite(file, "config %0d %0d %0d %016x %0d %0d\n", config_words[131*e+130],
                config_words[131*e+129], config_words[131*e+128], config_words[131*e+64+:64],
                config_words[131*e+32+:32], config_words[131*e+:32]);
      end
      if (!begun || status_words[75*e+:75] != last_status[75*e+:75]) begin
        start_of_line;
        $fwrite(file, "status %0d %0d %0d %0d %0d %0d %0d %0d\n", status_words[75*e+73+:2],
                status_words[75*e+72], status_words[75*e+71], status_words[75*e+70],
                status_words[75*e+38+:32], status_words[75*e+6+:32], status_words[75*e+3+:3],
                status_words[75*e+:3]);
      end
      if (cut[e] != last_cut[e]) begin
        start_of_line;
        $fwrite(file, "cut %0d\n", cut[e]);
      end
      if (crash[e] != last_crash[e] || amnesia[e] != last_amnesia[e]) begin
        start_of_line;
        $fwrite(file, "power %0d %0d\n", crash[e], amnesia[e]);
      end
    end
  endtask

  task automatic handshakes;
    for (e = 0; e < ENDS; e = e + 1) begin
      s = 4 * e;
      if (stream_taken[s]) begin
        beat;
        if (stream_last[s]) begin
          start_of_line;
          $fwrite(file, "submit");
          packet;
          $fwrite(file, " %0d %0d", submit_tag[16*e+:16], submit_kind[8*e+:8]);
          packet_bytes;
        end
      end
      if (cancel_taken[e]) begin
        start_of_line;
        $fwrite(file, "cancel %0d\n", cancel_tag[16*e+:16]);
      end
      if (completion_taken[e]) begin
        start_of_line;
        $fwrite(file, "complete %0d %0d %0d %0d %0d\n", completion_tag[16*e+:16],
                completion_id[32*e+:32], completion_kind[8*e+:8], completion_outcome[2*e+:2],
                completion_reason[6*e+:6]);
      end
      s = 4 * e + 1;
      if (stream_taken[s]) begin
        beat;
        if (stream_last[s]) begin
          start_of_line;
          $fwrite(file, "deliver");
          packet;
          $fwrite(file, " %0d", deliver_id[32*e+:32]);
          packet_bytes;
        end
      end
      if (doubt_taken[e]) begin
        start_of_line;
        $fwrite(file, "doubt %0d %08x\n", doubt_id[32*e+:32], doubt_digest[32*e+:32]);
      end
    end
  endtask

  task automatic frames;
    for (e = 0; e < ENDS; e = e + 1) begin
      s = 4 * e + 2;
      if (stream_taken[s]) begin
        beat;
        if (stream_last[s]) begin
          start_of_line;
          $fwrite(file, "receive %0d", receive_number[32*e+:32]);
          packet;
          packet_bytes;
        end
      end
      s = 4 * e + 3;
      if (stream_taken[s]) begin
        beat;
        if (stream_last[s]) begin
          start_of_line;
          $fwrite(file, "transmit %0d", number[e]);
          packet;
          packet_bytes;
          number[e] = number[e] + 1'b1;
        end
      end
      if (fate_valid[e]) begin
        start_of_line;
        $fwrite(file, "fate %0d %0d %0d %0d %04x ", fate_number[32*e+:32], fate_operation[8*e+:8],
                fate_id[32*e+:32], fate_copy[16*e+:16], fate_faults[16*e+:16]);
        if (fate_rule[8*e+:8] == 8'd255) $fwrite(file, "-\n");
        else $fwrite(file, "%0d\n", fate_rule[8*e+:8]);
      end
    end
  endtask

  always @(posedge clk)
    if (rst) begin
      cycle  = 32'd0;
      begun  = 1'b0;
      ended  = 1'b0;
      broken = {STREAMS{1'b0}};
      for (s = 0; s < STREAMS; s = s + 1) count[s] = 0;
      for (e = 0; e < ENDS; e = e + 1) number[e] = 32'd0;
      last_cut = {ENDS{1'b0}};
      last_crash = {ENDS{1'b0}};
      last_amnesia = {ENDS{1'b0}};
    end else if (file != 0 && !ended) begin
      if (!begun) parameters;
      // Steps of the edge before come first: they belong to the cycle before.
      if (event_valid != {`OAE_CHANNELS * ENDS{1'b0}}) events;
      if (!begun || config_words != last_config || status_words != last_status || cut != last_cut ||
          crash != last_crash || amnesia != last_amnesia)
        in_force;
      last_config = config_words;
      last_status = status_words;
      last_cut = cut;
      last_crash = crash;
      last_amnesia = amnesia;
      begun = 1'b1;
      if (fired != {`OAE_RULES_MAX{1'b0}})
        for (i = 0; i < `OAE_RULES_MAX; i = i + 1)
        if (fired[i]) $fwrite(file, "%0d - rule %0d\n", cycle, i);
      if (stop)
        case (stop_reason)
          `OAE_STOP_RESOLVED: $fwrite(file, "%0d - stop resolved\n", cycle);
          `OAE_STOP_CYCLES: $fwrite(file, "%0d - stop cycles\n", cycle);
          `OAE_STOP_STALLED: $fwrite(file, "%0d - stop stalled\n", cycle);
          default: $fwrite(file, "%0d - stop requested\n", cycle);
        endcase
      if (register_valid)
        for (e = 0; e < ENDS; e = e + 1) begin
          start_of_line;
          $fwrite(file, "register %02x %08x\n", register_address, register_values[32*e+:32]);
        end
      if (crash != {ENDS{1'b0}} || amnesia != {ENDS{1'b0}})
        for (e = 0; e < ENDS; e = e + 1) if (crash[e] || amnesia[e]) broken[4*e+:4] = 4'hf;
      if (stream_taken != {STREAMS{1'b0}} || completion_taken != {ENDS{1'b0}} ||
          doubt_taken != {ENDS{1'b0}} || cancel_taken != {ENDS{1'b0}} ||
          fate_valid != {ENDS{1'b0}}) begin
        handshakes;
        frames;
      end
      if (finish) begin
        $fwrite(file, "%0d - end\n", cycle);
        $fclose(file);
        ended = 1'b1;
      end
      cycle = cycle + 1'b1;
    end
  // verilator lint_on BLKSEQ

endmodule
`default_nettype wire
