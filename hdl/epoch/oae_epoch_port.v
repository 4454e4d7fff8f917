// What a domain says on one of its links: the advance to the number that it has prepared, the value
// that its peer needs to go on, and other traffic. One record at a time. The rules by number:
// docs/epoch-convergence.md.
`default_nettype none
`include "oae_defs.vh"

module oae_epoch_port #(
    parameter integer PAUSE = 64  // cycles between two records: for politeness, nothing rests on it
) (
    input wire clk,
    input wire rst,
    input wire restart, // crash or amnesia

    input  wire        takes_part,  // the domain holds a state, and the link is one of its graph's
    input  wire        closed,      // the domain has done its work
    input  wire        prepares,    // this edge: another number
    input  wire        restores,    // this edge: another incarnation
    input  wire [31:0] prepared,
    input  wire [31:0] value,       // part of that number
    input  wire [31:0] epoch,       // of the end
    input  wire [31:0] converged,
    input  wire        chatter,     // other traffic, which keeps no rule
    output reg         told,        // the peer has the value

    output reg  [63:0] m_submit_tdata,
    output reg  [ 7:0] m_submit_tkeep,
    output wire        m_submit_tvalid,
    input  wire        m_submit_tready,
    output reg  [15:0] m_submit_tag,
    output reg  [ 7:0] m_submit_kind,
    output reg         m_cancel_tvalid,
    input  wire        m_cancel_tready,
    input  wire        s_completion_tvalid,
    input  wire [15:0] s_completion_tag,
    input  wire [ 1:0] s_completion_outcome,
    input  wire [ 5:0] s_completion_reason
);

  localparam [1:0] CHOOSE = 2'd0;
  localparam [1:0] OFFER = 2'd1;  // held until the end opens it
  localparam [1:0] AWAIT = 2'd2;  // its outcome
  localparam [1:0] REST = 2'd3;

  localparam integer PAUSE_BITS = $clog2(PAUSE + 1);
  localparam [PAUSE_BITS-1:0] PAUSE_START = PAUSE[PAUSE_BITS-1:0];
  localparam [31:0] NOBODY = 32'hffffffff;  // no domain is ever in this epoch

  // Network byte order to bus lanes.
  function automatic [31:0] swapped;
    input [31:0] number;
    swapped = {number[7:0], number[15:8], number[23:16], number[31:24]};
  endfunction

  reg proposed;
  // Rule 3: once a number, unless it fails for another reason than that the peer is not as far.
  // Rule 4: data only while both domains work from the same part.
  wire taken = takes_part && epoch == prepared;
  wire wants_advance = taken && converged < prepared && !proposed;
  wire wants_value = taken && converged == prepared && !closed && !told;

  reg [1:0] state;
  reg [PAUSE_BITS-1:0] pause;
  reg [31:0] about;  // number that the record is of
  assign m_submit_tvalid = state == OFFER && !restart && !rst;

  wire is_advance = m_submit_kind == `OAE_KIND_EPOCH_ADVANCE;
  wire committed = s_completion_outcome == `OAE_OUTCOME_COMMITTED;
  wire not_as_far = s_completion_outcome == `OAE_OUTCOME_ABORTED &&
      (s_completion_reason == `OAE_ABORT_REASON_EPOCH ||
       s_completion_reason == `OAE_ABORT_REASON_NOT_PREPARED);

  always @(posedge clk) begin
    case (state)
      CHOOSE:
      if (wants_advance) begin
        state <= OFFER;
        proposed <= 1'b1;
        about <= prepared;
        m_submit_tdata <= {32'd0, swapped(prepared)};
        m_submit_tkeep <= 8'h0f;
        m_submit_kind <= `OAE_KIND_EPOCH_ADVANCE;
      end else if (wants_value || chatter) begin
        state <= OFFER;
        about <= wants_value ? prepared : NOBODY;
        m_submit_tdata <= {swapped(value), swapped(wants_value ? prepared : NOBODY)};
        m_submit_tkeep <= 8'hff;
        m_submit_kind <= `OAE_KIND_DATA;
      end
      OFFER: if (m_submit_tready) state <= AWAIT;
      AWAIT:
      if (s_completion_tvalid && s_completion_tag == m_submit_tag) begin
        state <= REST;
        pause <= PAUSE_START;
        m_submit_tag <= m_submit_tag + 1'b1;
        // It may have waited so long that the domain has gone on.
        if (about == prepared) begin
          if (!is_advance && committed) told <= 1'b1;
          if (is_advance && !committed && !not_as_far) proposed <= 1'b0;
        end
      end
      default: begin  // REST
        pause <= pause - 1'b1;
        if (pause == {PAUSE_BITS{1'b0}}) state <= CHOOSE;
      end
    endcase
    if (prepares || restores) begin
      told <= 1'b0;
      proposed <= 1'b0;
    end
    // A frame carries half of the number. A record of another incarnation is no frame to the peer,
    // not even one to refuse: it must be taken back, or the end could never take the new number.
    if (m_cancel_tready) m_cancel_tvalid <= 1'b0;
`ifndef OAE_ABLATE_TAKING_BACK
    if (restores) m_cancel_tvalid <= state == OFFER || state == AWAIT;
`endif
    if (rst || restart) begin
      state <= CHOOSE;
      told <= 1'b0;
      proposed <= 1'b0;
      m_cancel_tvalid <= 1'b0;
      // Another tag than before: a completion of the life before is not taken for this one's.
      m_submit_tag <= m_submit_tag + 1'b1;
    end
    if (rst) m_submit_tag <= 16'd0;
  end

endmodule
`default_nettype wire
