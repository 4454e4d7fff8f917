// A sending host in hardware: submits records whose contents follow from seed and index, and counts
// what became of them. docs/board.md.
//
// A record that a crash struck between its first and last beat is submitted once more: it never
// existed. One that comes back ABORTED is not: its index is left out.
//
// The end says late in a cycle that it takes a record, so that is counted one cycle later.
`default_nettype none
`include "oae_defs.vh"

module oae_traffic_generator (
    input wire clk,
    input wire rst,
    input wire enable,  // low: another host is at the ports
    input wire crash,
    input wire amnesia,

    input wire        start,     // pulse; nothing happens while outcomes are missing
    input wire        stop,
    input wire [31:0] seed,
    input wire [31:0] count,     // records
    input wire [15:0] shortest,  // bytes
    input wire [15:0] longest,

    output wire [63:0] m_submit_tdata,
    output wire [ 7:0] m_submit_tkeep,
    output wire        m_submit_tvalid,
    input  wire        m_submit_tready,
    output wire        m_submit_tlast,
    output wire [15:0] m_submit_tag,
    input  wire        completion_taken,
    input  wire [ 1:0] completion_outcome,

    output wire        busy,       // it submits, or outcomes are missing
    output reg  [31:0] submitted,
    output reg  [31:0] committed,
    output reg  [31:0] aborted,
    output reg  [31:0] unknown,
    output reg  [31:0] lost        // taken away by amnesia
);

  localparam [2:0] REST = 3'd0;
  localparam [2:0] BEGIN = 3'd1;
  localparam [2:0] HASH = 3'd2;
  localparam [2:0] SIZE = 3'd3;
  localparam [2:0] FIT = 3'd4;
  localparam [2:0] SEND = 3'd5;

  reg [ 2:0] state;
  reg [31:0] index;
  reg [ 7:0] outstanding;  // more than an end can hold
  reg [15:0] length, words_left;
  reg [7:0] last_keep;
  reg first, last, in_packet, broken, stopping;
  reg was_accepted;  // in the cycle before
  reg [31:0] scaled;  // by the record's hash: how much longer than the shortest, in 2^-16 bytes

  wire ready;
  wire [31:0] hash;
  wire [63:0] word;
  wire taken = m_submit_tvalid && m_submit_tready;
  wire ended = taken && m_submit_tlast;
  wire accepted = ended && !broken;
  wire struck = (crash || amnesia) && in_packet;

  oae_record_pattern pattern (
      .clk  (clk),
      .rst  (rst),
      .start(state == BEGIN),
      .seed (seed),
      .index(index),
      .ready(ready),
      .hash (hash),
      .word (word),
      .next (taken && !first)
  );

  assign m_submit_tdata = first ? {hash[15:0], length, index} : word;
  assign m_submit_tlast = last;
  assign m_submit_tkeep = m_submit_tlast ? last_keep : 8'hff;
  assign m_submit_tvalid = state == SEND && enable;
  assign m_submit_tag = index[15:0];
  assign busy = state != REST || outstanding != 8'd0;

  wire [15:0] span = longest - shortest + 16'd1;
  wire [15:0] last_offset = length - 16'd1;
  wire unused = &{1'b0, scaled[15:0]};

  always @(posedge clk) begin
    scaled <= hash[31:16] * span;
    if (stop) stopping <= 1'b1;
    case (state)
      REST:
      if (start && enable && !busy) begin
        index <= 32'd0;
        submitted <= 32'd0;
        committed <= 32'd0;
        aborted <= 32'd0;
        unknown <= 32'd0;
        lost <= 32'd0;
        stopping <= 1'b0;
        broken <= 1'b0;
        if (count != 32'd0) state <= BEGIN;
      end
      BEGIN: begin
        if (was_accepted) index <= index + 1'b1;
        state <= HASH;
      end
      HASH: if (ready) state <= SIZE;
      SIZE: begin
        length <= shortest + scaled[31:16];
        state  <= FIT;
      end
      FIT: begin
        words_left <= {3'd0, last_offset[15:3]} + 16'd1;
        last_keep <= 8'hff >> (3'd7 - last_offset[2:0]);
        first <= 1'b1;
        last <= last_offset[15:3] == 13'd0;
        state <= SEND;
      end
      default:
      if (taken) begin
        first <= 1'b0;
        words_left <= words_left - 1'b1;
        last <= words_left == 16'd2;
        in_packet <= !m_submit_tlast;
        if (m_submit_tlast) begin
          broken <= 1'b0;
          state  <= (accepted && index + 32'd1 == count) || stopping || stop ? REST : BEGIN;
        end
      end
    endcase
    if (struck) broken <= 1'b1;

    was_accepted <= accepted;
    if (was_accepted) submitted <= submitted + 1'b1;
    if (completion_taken && enable)
      case (completion_outcome)
        `OAE_OUTCOME_COMMITTED: committed <= committed + 1'b1;
        `OAE_OUTCOME_ABORTED: aborted <= aborted + 1'b1;
        default: unknown <= unknown + 1'b1;
      endcase
    if (accepted && !completion_taken) outstanding <= outstanding + 1'b1;
    if (completion_taken && !accepted) outstanding <= outstanding - 1'b1;
    if (amnesia) begin
      lost <= lost + {24'd0, outstanding};
      outstanding <= 8'd0;
    end
    if (rst || !enable) begin
      state <= REST;
      in_packet <= 1'b0;
      outstanding <= 8'd0;
    end
    if (rst) begin
      was_accepted <= 1'b0;
      submitted <= 32'd0;
      committed <= 32'd0;
      aborted <= 32'd0;
      unknown <= 32'd0;
      lost <= 32'd0;
    end
  end

endmodule
`default_nettype wire
