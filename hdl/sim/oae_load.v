// The sending host of an end: submits the records of the schedule, and those that come back ABORTED
// once more as new transactions if the scenario says so.
//
// A packet that a crash struck between its first and last beat is no submission, and neither is one
// marked bad: the record then goes again. The tag of a record is its index modulo 2^16.
`default_nettype none
`include "oae_defs.vh"
`include "oae_schedule.vh"

module oae_load #(
    parameter         [7:0] END        = 0,
    parameter integer       RECORD_MAX = 64
) (
    input wire                           clk,
    input wire                           rst,
    input wire                           crash,
    input wire                           amnesia,
    input wire                           run,      // low: begins nothing new
    input wire [                   31:0] seed,
    input wire [64*`OAE_BLOCK_WORDS-1:0] settings,

    // records of the schedule
    output wire [31:0] table_address,
    input  wire [63:0] table_word,

    output wire [63:0] m_submit_tdata,
    output wire [ 7:0] m_submit_tkeep,
    output wire        m_submit_tvalid,
    input  wire        m_submit_tready,
    output wire        m_submit_tlast,
    output wire        m_submit_tuser,
    output wire [15:0] m_submit_tag,
    output wire [ 7:0] m_submit_kind,

    input  wire        stall_completion,
    input  wire        s_completion_tvalid,
    output wire        s_completion_tready,
    input  wire [15:0] s_completion_tag,
    input  wire [ 1:0] s_completion_outcome,
    input  wire [ 5:0] s_completion_reason,

    input  wire        cancel_wanted,    // a fault rule cancels this tag
    input  wire [15:0] cancel_tag,
    output reg         m_cancel_tvalid,
    input  wire        m_cancel_tready,
    output reg  [15:0] m_cancel_tag,

    output wire        done,       // every record has had its outcome
    output wire        busy,       // a packet or a cancel waits for its time
    output reg  [31:0] submitted,
    output reg  [31:0] resolved    // outcomes told, and records that amnesia took away
);

  `include "oae_hash.vh"

  localparam [7:0] COMPLETION_STREAM = 8'd1;
  localparam integer AGAIN_BITS = 7;  // more than an end can hold
  localparam [15:0] LONG_WORDS = RECORD_MAX[18:3] + 16'd2;
  localparam [1:0] CHOOSE = 2'd0;  // which record next
  localparam [1:0] LOOK_UP = 2'd1;  // its header is read
  localparam [1:0] GAP = 2'd2;  // idle before the packet
  localparam [1:0] SEND = 2'd3;  // one word a beat

  wire [31:0] records = settings[64*`OAE_END_RECORDS+:32];
  wire [31:0] records_place = settings[64*`OAE_END_RECORDS_PLACE+:32];
  wire [31:0] gap_max = settings[64*`OAE_END_GAP+:32];
  wire resubmit = settings[64*`OAE_END_RESUBMIT];
  wire [63:0] bad_chance = settings[64*`OAE_END_BAD+:64];
  wire [63:0] too_long_chance = settings[64*`OAE_END_TOO_LONG+:64];
  wire [63:0] cancel_chance = settings[64*`OAE_END_CANCEL+:64];
  wire [31:0] cancel_after = settings[64*`OAE_END_CANCEL_AFTER+:32];
  wire [31:0] outstanding_max = settings[64*`OAE_END_OUTSTANDING+:32];

  reg [1:0] state;
  reg [31:0] fresh;  // next record that has not been submitted yet
  reg [31:0] index;  // the record at hand
  reg [7:0] attempt;
  reg [31:0] gap;
  reg [31:0] place;  // of the record's next word
  reg [31:0] words_left;
  reg [7:0] last_keep;
  reg [7:0] kind;
  reg bad, long, in_packet, broken;
  reg [31:0] outstanding;
  // One cancel at a time, some cycles after the submission.
  reg cancelling;
  reg [31:0] cancel_wait;

  // Records to submit again: {attempt, index}.
  reg [39:0] again[0:(1<<AGAIN_BITS)-1];
  reg [AGAIN_BITS-1:0] again_head, again_tail;
  wire again_empty = again_head == again_tail;
  // Attempt of each outstanding record, by the low bits of its tag.
  reg [7:0] attempts[0:255];

  assign table_address = state == LOOK_UP ? records_place + index : place;
  assign m_submit_tdata = table_word;
  assign m_submit_tkeep = m_submit_tlast ? last_keep : 8'hff;
  assign m_submit_tvalid = state == SEND;
  assign m_submit_tlast = words_left == 32'd1;
  assign m_submit_tuser = bad && m_submit_tlast;
  assign m_submit_tag = index[15:0];
  assign m_submit_kind = kind;
  assign done = state == CHOOSE && fresh == records && again_empty && outstanding == 32'd0;

  assign busy = state == LOOK_UP || state == GAP || cancelling;

  wire told = s_completion_tvalid && s_completion_tready;

  oae_staller #(
      .END(END),
      .STREAM(COMPLETION_STREAM)
  ) staller (
      .clk(clk),
      .rst(rst),
      .seed(seed),
      .chance(settings[64*`OAE_END_COMPLETION_STALL+:64]),
      .maximum(settings[64*`OAE_END_COMPLETION_STALL_MAX+:32]),
      .hold(stall_completion),
      .taken(told),
      .ready(s_completion_tready)
  );

  wire taken = m_submit_tvalid && m_submit_tready;
  wire ended = taken && m_submit_tlast;
  wire accepted = ended && !broken && !bad;
  // Which record a tag means: the newest with that tag.
  wire [15:0] age = fresh[15:0] - 16'd1 - s_completion_tag;
  wire [31:0] told_index = fresh - 32'd1 - {16'd0, age};
  wire told_long = s_completion_reason == `OAE_ABORT_REASON_RECORD_TOO_LONG;
  wire [7:0] told_attempt = told_long ? attempt : attempts[s_completion_tag[7:0]];
  wire told_invalid = s_completion_reason == `OAE_ABORT_REASON_RECORD_INVALID;
  wire goes_again = told && s_completion_outcome == `OAE_OUTCOME_ABORTED &&
      (told_long ? long : !told_invalid && resubmit);

  // Header of a record: {kind, bytes, place}.
  wire [15:0] header_bytes = table_word[47:32];
  wire [15:0] header_last = header_bytes - 16'd1;
  wire [31:0] base_hash = oae_chain(oae_chain(oae_mix(seed), {END, 16'd0, attempt}), index);

  // Whether chance strikes this attempt; after a few the record goes as it is.
  wire may_strike = attempt < 8'd8;
  wire [31:0] long_draw = oae_chain(base_hash, `OAE_PURPOSE_TOO_LONG);
  wire [31:0] bad_draw = oae_chain(base_hash, `OAE_PURPOSE_BAD);
  wire [31:0] whether_cancel_draw = oae_chain(base_hash, `OAE_PURPOSE_CANCEL);
  wire next_long = may_strike && {32'd0, long_draw} < too_long_chance;
  wire next_bad = may_strike && {32'd0, bad_draw} < bad_chance;
  wire next_cancel = may_strike && {32'd0, whether_cancel_draw} < cancel_chance;
  wire [31:0] cancel_draw = oae_chain(base_hash, `OAE_PURPOSE_CANCEL_AFTER);
  wire [31:0] gap_draw = oae_chain(base_hash, `OAE_PURPOSE_GAP);

  always @(posedge clk) begin
    case (state)
      CHOOSE:
      if (run && (outstanding_max == 32'd0 || outstanding < outstanding_max)) begin
        if (!again_empty) begin
          {attempt, index} <= again[again_head];
          again_head <= again_head + 1'b1;
          state <= LOOK_UP;
        end else if (fresh != records) begin
          index   <= fresh;
          attempt <= 8'd0;
          fresh   <= fresh + 1'b1;
          state   <= LOOK_UP;
        end
      end
      LOOK_UP: begin
        kind <= table_word[63:56];
        place <= table_word[31:0];
        long <= next_long;
        bad <= next_bad;
        words_left <= {16'd0, next_long ? LONG_WORDS : {3'd0, header_last[15:3]} + 16'd1};
        last_keep <= next_long ? 8'hff : 8'hff >> (3'd7 - header_last[2:0]);
        gap <= gap_draw % (gap_max + 32'd1);
        state <= GAP;
      end
      GAP: begin
        gap <= gap - 1'b1;
        if (gap == 32'd0) state <= SEND;
      end
      default:
      if (taken) begin
        // A packet that is made too long repeats its first words.
        if (!long) place <= place + 1'b1;
        words_left <= words_left - 1'b1;
        in_packet  <= !m_submit_tlast;
        if (m_submit_tlast) begin
          state  <= accepted ? CHOOSE : LOOK_UP;
          broken <= 1'b0;
          if (bad && !broken) attempt <= attempt + 1'b1;
        end
      end
    endcase

    if (accepted) begin
      submitted <= submitted + 1'b1;
      attempts[index[7:0]] <= attempt;
    end
    if (told) resolved <= resolved + 1'b1;
    outstanding <= outstanding + {31'd0, accepted} - {31'd0, told};
    if (goes_again) begin
      again[again_tail] <= {told_attempt + 8'd1, told_index};
      again_tail <= again_tail + 1'b1;
    end

    // Cancels: by chance, or by a rule, which goes first.
    if (m_cancel_tvalid && m_cancel_tready) m_cancel_tvalid <= 1'b0;
    if (cancel_wanted) begin
      cancelling   <= 1'b1;
      cancel_wait  <= 32'd0;
      m_cancel_tag <= cancel_tag;
    end else if (cancelling) begin
      cancel_wait <= cancel_wait - 1'b1;
      if (cancel_wait == 32'd0) begin
        cancelling <= 1'b0;
        m_cancel_tvalid <= 1'b1;
      end
    end else if (accepted && !long && !m_cancel_tvalid && next_cancel) begin
      cancelling   <= 1'b1;
      cancel_wait  <= cancel_draw % (cancel_after + 32'd1);
      m_cancel_tag <= index[15:0];
    end

    // The end swallows the rest of a packet that a crash strikes.
    if ((crash || amnesia) && in_packet) broken <= 1'b1;
    if (amnesia) begin
      resolved <= resolved + outstanding;
      outstanding <= 32'd0;
    end
    if (rst) begin
      state <= CHOOSE;
      fresh <= 32'd0;
      index <= 32'd0;
      attempt <= 8'd0;
      place <= 32'd0;
      words_left <= 32'd0;
      bad <= 1'b0;
      long <= 1'b0;
      in_packet <= 1'b0;
      broken <= 1'b0;
      outstanding <= 32'd0;
      again_head <= {AGAIN_BITS{1'b0}};
      again_tail <= {AGAIN_BITS{1'b0}};
      submitted <= 32'd0;
      resolved <= 32'd0;
      cancelling <= 1'b0;
      m_cancel_tvalid <= 1'b0;
      m_cancel_tag <= 16'd0;
    end
  end

  wire unused = &{1'b0, settings, table_word};  // the rest concerns the sink

endmodule
`default_nettype wire
