// The scheduled faults of a run: rules that wait for an event of an end, for a frame, or for time,
// and then act on frames, directions, ends and hosts, or wake and silence other rules; and the fates
// that the schedule lists by the coordinates of frames.
//
// A rule looks at the event ports of the ends and at the coordinates of frames, never at time as
// such. What it demands of an end stands two cycles after the step that it waited for. Format of a
// rule: docs/scenario.md.
`default_nettype none
`include "oae_defs.vh"
`include "oae_schedule.vh"

module oae_fault_rules #(
    parameter integer ENDS       = 2,
    parameter integer DIRECTIONS = 2
) (
    input wire        clk,
    input wire        rst,
    input wire        run,  // low: no rule strikes, and no crash goes on
    input wire [31:0] seed,

    // the rules of the schedule and the fates behind them, copied during reset
    input  wire [31:0] rule_count,
    input  wire [31:0] fate_count,
    input  wire [31:0] rules_place,
    output wire [31:0] table_address,
    input  wire [63:0] table_word,
    output wire        loaded,

    // settings at the start
    input wire [   ENDS-1:0] start_disable,
    input wire [   ENDS-1:0] start_mute,
    input wire [64*ENDS-1:0] start_epochs,   // {prepared, epoch} of each end

    input wire [   `OAE_CHANNELS*ENDS-1:0] event_valid,
    input wire [64*`OAE_CHANNELS*ENDS-1:0] event_words,

    // frames, as the channels ask
    input  wire [   DIRECTIONS-1:0] query_valid,
    input  wire [ 8*DIRECTIONS-1:0] query_operation,
    input  wire [32*DIRECTIONS-1:0] query_id,
    input  wire [16*DIRECTIONS-1:0] query_copy,
    output reg  [16*DIRECTIONS-1:0] strike_faults,
    output reg  [64*DIRECTIONS-1:0] strike_argument_0,
    output reg  [64*DIRECTIONS-1:0] strike_argument_1,
    output reg  [ 8*DIRECTIONS-1:0] strike_rule,
    output reg  [   DIRECTIONS-1:0] cut,

    // what is demanded of the ends and their hosts
    output reg [   ENDS-1:0] crash,
    output reg [   ENDS-1:0] amnesia,
    output reg [   ENDS-1:0] stall_deliver,
    output reg [   ENDS-1:0] stall_completion,
    output reg [   ENDS-1:0] stall_doubt,
    output reg [   ENDS-1:0] refuse,
    output reg [   ENDS-1:0] disabled,
    output reg [   ENDS-1:0] mute,
    output reg [   ENDS-1:0] cancel,
    output reg [16*ENDS-1:0] cancel_tag,
    output reg [32*ENDS-1:0] epoch,
    output reg [32*ENDS-1:0] prepared,
    output reg               stop,

    output reg [`OAE_RULES_MAX-1:0] fired  // rules that struck
);

  `include "oae_hash.vh"

  localparam integer RULES = `OAE_RULES_MAX;
  localparam [7:0] NO_RULE = 8'd255;
  localparam [31:0] NEVER = 32'hffffffff;
  localparam integer OCCURRENCES = `OAE_CHANNELS * ENDS + DIRECTIONS + 1;
  localparam integer FATE_BITS = $clog2(`OAE_FATES_MAX);
  // A frame is held or delayed for as long as chance would, not as a rule says.
  localparam integer HELD_BY_FATE = 12;
  localparam integer DELAYED_BY_FATE = 13;

  // The rules; the first word is {kind 4, 0 2, changed 1, armed 1, source 8, action 8, target 8,
  // times 16, skip 16}.
  reg [63:0] table_words[0:RULES*`OAE_RULE_WORDS-1];
  // The fates, in order of coordinates: {direction 1, operation 5, copy 16, id 32, faults 10..1}.
  reg [63:0] fates[0:`OAE_FATES_MAX-1];
  reg [31:0] copied;
  wire [31:0] rule_words = rule_count * `OAE_RULE_WORDS;
  wire [FATE_BITS-1:0] fate_copied = copied[FATE_BITS-1:0] - rule_words[FATE_BITS-1:0];
  assign loaded = copied == rule_words + fate_count;
  assign table_address = rules_place + copied;
  initial copied = 32'd0;
  always @(posedge clk)
    if (!loaded) begin
      if (copied < rule_words) table_words[copied[8:0]] <= table_word;
      else fates[fate_copied] <= table_word;
      copied <= copied + 1'b1;
    end

  // State of the rules. Written with blocking assignments in one clocked block and read nowhere
  // else: within a cycle, one rule may wake the next.
  // verilator lint_off BLKSEQ
  reg [RULES-1:0] armed, waiting;
  reg [31:0] seen[0:RULES-1];  // since it was armed
  reg [31:0] strikes[0:RULES-1];
  reg [31:0] due[0:RULES-1];  // of a rule that waits for time
  reg [RULES-1:0] ticking;
  reg [31:0] next_due;
  reg [31:0] cycle;
  reg [63:0] control, word, wakes;
  wire unused = &{1'b0, control};  // whether a rule is armed at first is read from the table
  reg [31:0] hash;
  reg hit;
  reg [53:0] name;  // of a frame, as the fates have it
  reg [9:0] fate;
  reg [FATE_BITS:0] low, middle, high;
  // What happens in this cycle, in the order in which the rules see it.
  reg [ 3:0] kinds  [0:OCCURRENCES-1];
  reg [ 7:0] sources[0:OCCURRENCES-1];
  reg [63:0] whats  [0:OCCURRENCES-1];
  integer count, k, r, q, e, c, d;

  // A rule starts to wait.
  task automatic arm;
    input integer which;
    begin
      armed[which] = 1'b1;
      seen[which] = 32'd0;
      strikes[which] = 32'd0;
      control = table_words[which*`OAE_RULE_WORDS+`OAE_RULE_CONTROL];
      if (control[63:60] == `OAE_RULE_KIND_TIMER) begin
        due[which] = cycle + table_words[which*`OAE_RULE_WORDS+`OAE_RULE_CHANCE][31:0];
        ticking[which] = 1'b1;
        if (due[which] < next_due) next_due = due[which];
      end
    end
  endtask

  // What rule r waited for has happened.
  task automatic match;
    begin
      seen[r] = seen[r] + 1'b1;
      word = table_words[r*`OAE_RULE_WORDS+`OAE_RULE_CHANCE];
      hash = oae_chain(oae_chain(oae_mix(seed), `OAE_PURPOSE_RULE), {r[15:0], seen[r][15:0]});
      if (seen[r] > {16'd0, control[15:0]} && (word[63:32] == 32'd0 || hash < word[63:32])) begin
        strikes[r] = strikes[r] + 1'b1;
        if (control[31:16] != 16'd0 && strikes[r] == {16'd0, control[31:16]}) armed[r] = 1'b0;
        fired[r] <= 1'b1;
        act(control[47:40], {24'd0, control[39:32]}, {24'd0, sources[k]});
        word = table_words[r*`OAE_RULE_WORDS+`OAE_RULE_DISARMS];
        armed = armed & ~word;
        ticking = ticking & ~word;
        wakes = table_words[r*`OAE_RULE_WORDS+`OAE_RULE_ARMS];
        if (wakes != 64'd0) for (q = 0; q < rule_count; q = q + 1) if (wakes[q]) arm(q);
      end
    end
  endtask

  task automatic act;
    input [7:0] action;
    input integer target;
    input integer where;
    begin
      word = table_words[r*`OAE_RULE_WORDS+`OAE_RULE_ARGUMENT_0];
      case (action)
        `OAE_ACTION_DROP, `OAE_ACTION_DUPLICATE, `OAE_ACTION_CORRUPT, `OAE_ACTION_FLIP,
        `OAE_ACTION_HOLD, `OAE_ACTION_DELAY, `OAE_ACTION_FORGE: begin
          strike_rule[8*where+:8] <= r[7:0];
          strike_argument_0[64*where+:64] <= word;
          strike_argument_1[64*where+:64] <= table_words[r*`OAE_RULE_WORDS+`OAE_RULE_ARGUMENT_1];
          case (action)
            `OAE_ACTION_DROP: strike_faults[16*where+1] <= 1'b1;
            `OAE_ACTION_DUPLICATE: strike_faults[16*where+2] <= 1'b1;
            `OAE_ACTION_HOLD: strike_faults[16*where+3] <= 1'b1;
            `OAE_ACTION_DELAY: strike_faults[16*where+4] <= 1'b1;
            `OAE_ACTION_CORRUPT: strike_faults[16*where+5] <= 1'b1;
            `OAE_ACTION_FLIP: strike_faults[16*where+6] <= 1'b1;
            default: strike_faults[16*where+7] <= 1'b1;
          endcase
        end
        `OAE_ACTION_CUT: cut[target] <= 1'b1;
        `OAE_ACTION_JOIN: cut[target] <= 1'b0;
        `OAE_ACTION_CRASH: crash[target] <= 1'b1;
        `OAE_ACTION_AMNESIA: amnesia[target] <= 1'b1;
        `OAE_ACTION_RISE: begin
          crash[target]   <= 1'b0;
          amnesia[target] <= 1'b0;
        end
        `OAE_ACTION_STALL_DELIVER: stall_deliver[target] <= 1'b1;
        `OAE_ACTION_FLOW_DELIVER: stall_deliver[target] <= 1'b0;
        `OAE_ACTION_STALL_COMPLETION: stall_completion[target] <= 1'b1;
        `OAE_ACTION_FLOW_COMPLETION: stall_completion[target] <= 1'b0;
        `OAE_ACTION_STALL_DOUBT: stall_doubt[target] <= 1'b1;
        `OAE_ACTION_FLOW_DOUBT: stall_doubt[target] <= 1'b0;
        `OAE_ACTION_REFUSE: refuse[target] <= 1'b1;
        `OAE_ACTION_ACCEPT: refuse[target] <= 1'b0;
        `OAE_ACTION_DISABLE: disabled[target] <= 1'b1;
        `OAE_ACTION_ENABLE: disabled[target] <= 1'b0;
        `OAE_ACTION_MUTE: mute[target] <= 1'b1;
        `OAE_ACTION_UNMUTE: mute[target] <= 1'b0;
        `OAE_ACTION_EPOCH: epoch[32*target+:32] <= word[31:0];
        `OAE_ACTION_PREPARE: prepared[32*target+:32] <= word[31:0];
        `OAE_ACTION_CANCEL: begin
          cancel[target] <= 1'b1;
          cancel_tag[16*target+:16] <= word[15:0];
        end
        `OAE_ACTION_STOP: stop <= 1'b1;
        default: ;  // only wakes and silences others
      endcase
    end
  endtask

  // What the fate of the frame of direction d demands, if it has one.
  task automatic seek;
    begin
      name = {d[0], query_operation[8*d+:5], query_copy[16*d+:16], query_id[32*d+:32]};
      low  = {FATE_BITS + 1{1'b0}};
      high = fate_count[FATE_BITS:0];
      while (low < high) begin
        middle = (low + high) >> 1;
        if (fates[middle[FATE_BITS-1:0]][63:10] < name) low = middle + 1'b1;
        else high = middle;
      end
      fate = fates[low[FATE_BITS-1:0]][9:0];
      if (low < fate_count[FATE_BITS:0] && fates[low[FATE_BITS-1:0]][63:10] == name) begin
        strike_faults[16*d+1] <= fate[0];
        strike_faults[16*d+2] <= fate[1];
        strike_faults[16*d+HELD_BY_FATE] <= fate[2];
        strike_faults[16*d+DELAYED_BY_FATE] <= fate[3];
        strike_faults[16*d+5+:6] <= fate[9:4];
      end
    end
  endtask

  // One more thing that happens in this cycle.
  task automatic happens;
    input [3:0] kind;
    input [7:0] source;
    input [63:0] what;
    begin
      kinds[count] = kind;
      sources[count] = source;
      whats[count] = what;
      count = count + 1;
    end
  endtask

  always @(posedge clk) begin
    fired <= {RULES{1'b0}};
    cancel <= {ENDS{1'b0}};
    strike_faults <= {16 * DIRECTIONS{1'b0}};
    strike_rule <= {DIRECTIONS{NO_RULE}};

    // Fates come before rules, which may demand more; and they strike as rates do, to the very end.
    if (fate_count != 32'd0 && query_valid != {DIRECTIONS{1'b0}})
      for (d = 0; d < DIRECTIONS; d = d + 1) if (query_valid[d]) seek;

    count = 0;
    if (run && rule_count != 32'd0) begin
      if (cycle >= next_due) happens(`OAE_RULE_KIND_TIMER, 8'd0, 64'd0);
      if (event_valid != {`OAE_CHANNELS * ENDS{1'b0}})
        for (e = 0; e < ENDS; e = e + 1)
        for (c = 0; c < `OAE_CHANNELS; c = c + 1)
        if (event_valid[`OAE_CHANNELS*e+c])
          happens(`OAE_RULE_KIND_EVENT, e[7:0], event_words[64*(`OAE_CHANNELS*e+c)+:64]);
      if (query_valid != {DIRECTIONS{1'b0}})
        for (d = 0; d < DIRECTIONS; d = d + 1)
        if (query_valid[d])
          happens(`OAE_RULE_KIND_FRAME, d[7:0], {
                  8'd0, query_operation[8*d+:8], query_copy[16*d+:16], query_id[32*d+:32]});
    end
    for (k = 0; k < count; k = k + 1) begin
      waiting = armed;  // a rule that is woken by something does not wait for that very thing
      for (r = 0; r < rule_count; r = r + 1) begin
        control = table_words[r*`OAE_RULE_WORDS+`OAE_RULE_CONTROL];
        if (waiting[r] && armed[r] && control[63:60] == kinds[k]) begin
          if (kinds[k] == `OAE_RULE_KIND_TIMER) begin
            hit = ticking[r] && due[r] <= cycle;
            if (hit) ticking[r] = 1'b0;
          end else
            hit = (control[55:48] == sources[k] || control[55:48] == `OAE_ANY) &&
                  (!control[57] || whats[k][47:44] != whats[k][43:40]) &&
                  (whats[k] & table_words[r*`OAE_RULE_WORDS+`OAE_RULE_MASK]) ==
                      table_words[r*`OAE_RULE_WORDS+`OAE_RULE_MATCH];
          if (hit) match;
        end
      end
    end
    if (cycle >= next_due) begin
      next_due = NEVER;
      for (r = 0; r < rule_count; r = r + 1) if (ticking[r] && due[r] < next_due) next_due = due[r];
    end
    cycle = cycle + 1'b1;
    if (!run) begin
      crash   <= {ENDS{1'b0}};
      amnesia <= {ENDS{1'b0}};
    end

    if (rst) begin
      cycle = 32'd0;
      next_due = NEVER;
      ticking = {RULES{1'b0}};
      armed = {RULES{1'b0}};
      if (loaded)
        for (r = 0; r < rule_count; r = r + 1)
        if (table_words[r*`OAE_RULE_WORDS+`OAE_RULE_CONTROL][56]) arm(r);
      fired <= {RULES{1'b0}};
      cut <= {DIRECTIONS{1'b0}};
      crash <= {ENDS{1'b0}};
      amnesia <= {ENDS{1'b0}};
      stall_deliver <= {ENDS{1'b0}};
      stall_completion <= {ENDS{1'b0}};
      stall_doubt <= {ENDS{1'b0}};
      refuse <= {ENDS{1'b0}};
      disabled <= start_disable;
      mute <= start_mute;
      for (e = 0; e < ENDS; e = e + 1) begin
        epoch[32*e+:32] <= start_epochs[64*e+:32];
        prepared[32*e+:32] <= start_epochs[64*e+32+:32];
      end
      stop <= 1'b0;
    end
  end
  // verilator lint_on BLKSEQ

endmodule
`default_nettype wire
