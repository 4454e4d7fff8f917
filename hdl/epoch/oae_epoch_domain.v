// A persistence domain: rules 1 to 4 and 6 of docs/epoch-convergence.md, and the steps "promises" and
// "restores" of rule 7. No clock: every step waits for a fact.
//
// Its work is the least that needs its neighbours: the value of an epoch is made of its own and
// theirs of the epoch before. The part of an epoch is that value.
`default_nettype none

module oae_epoch_domain #(
    parameter integer LINKS = 2,
    parameter integer PAUSE = 64  // cycles between two records on a link
) (
    input wire clk,
    input wire rst,
    input wire crash,
    input wire amnesia,

    input wire [31:0] cfg_value,   // part 0
    input wire        cfg_chatter, // other traffic besides the values

    // recovery: its software has heard of a higher incarnation; has decided what to restore
    input wire             promise_valid,
    input wire [     15:0] promise_incarnation,
    input wire             restore_valid,
    input wire [     31:0] restore_number,       // {incarnation promised, epoch of the part}
    input wire [     31:0] restore_value,
    input wire [LINKS-1:0] restore_members,      // links that are not given up for good

    // the store of parts: one is asked for until it is durable
    output wire        part_valid,
    input  wire        part_durable,
    output wire [31:0] part_number,
    output wire [31:0] part_value,

    output reg        holds,     // a state: not after the loss of the disk
    output reg [15:0] promised,  // incarnation
    output reg [31:0] prepared,  // number of the newest part: cfg_prepared of its ends
    output reg [31:0] wanted,    // cfg_epoch of its ends

    input  wire [32*LINKS-1:0] epoch,                 // of its ends
    input  wire [32*LINKS-1:0] converged,
    output wire [64*LINKS-1:0] m_submit_tdata,
    output wire [ 8*LINKS-1:0] m_submit_tkeep,
    output wire [   LINKS-1:0] m_submit_tvalid,
    input  wire [   LINKS-1:0] m_submit_tready,
    output wire [16*LINKS-1:0] m_submit_tag,
    output wire [ 8*LINKS-1:0] m_submit_kind,
    output wire [   LINKS-1:0] m_cancel_tvalid,       // of the record submitted last
    input  wire [   LINKS-1:0] m_cancel_tready,
    input  wire [   LINKS-1:0] s_completion_tvalid,
    input  wire [16*LINKS-1:0] s_completion_tag,
    input  wire [ 2*LINKS-1:0] s_completion_outcome,
    input  wire [ 6*LINKS-1:0] s_completion_reason,
    input  wire [   LINKS-1:0] s_deliver_tvalid,      // a whole record: it has one beat
    input  wire [64*LINKS-1:0] s_deliver_tdata
);

  // Durable: holds, promised, prepared, wanted (ports), value, members.
  reg [31:0] value;
  reg [LINKS-1:0] members;
  // Volatile: the work. What the neighbours have said of this number, and that nothing is missing.
  reg [LINKS-1:0] known;
  reg [32*LINKS-1:0] said;
  reg closed;

  wire restart = crash || amnesia;
  wire [LINKS-1:0] told;
  // Rule 7: since it has promised a higher incarnation, nothing goes on until it is restored.
  wire settled = holds && promised == prepared[31:16];
  wire restores = restore_valid && restore_number[31:16] == promised;
  wire prepares = part_valid && part_durable;
  reg all_converged, all_exchanged, all_taken;
  reg [31:0] made;
  integer l;

  function automatic [31:0] swapped;
    input [31:0] number;
    swapped = {number[7:0], number[15:8], number[23:16], number[31:24]};
  endfunction

  // Links count differently, so that no two values may be exchanged.
  function automatic [31:0] mixed;
    input [31:0] sum;
    input [31:0] term;
    mixed = {sum[24:0], sum[31:25]} + (term ^ 32'h9e3779b9);
  endfunction

  always @* begin
    all_converged = 1'b1;
    all_exchanged = 1'b1;
    all_taken = 1'b1;
    made = value;
    for (l = 0; l < LINKS; l = l + 1) begin
      if (members[l]) begin
        if (converged[32*l+:32] < prepared) all_converged = 1'b0;
        if (!known[l] || !told[l]) all_exchanged = 1'b0;
        if (epoch[32*l+:32] != wanted) all_taken = 1'b0;
      end
      made = mixed(made, members[l] ? said[32*l+:32] : 32'd0);
    end
  end

  assign part_valid  = settled && closed && all_taken && !restart && !rst;
  assign part_number = wanted;
  assign part_value  = made;

  always @(posedge clk) begin
    for (l = 0; l < LINKS; l = l + 1)
    if (s_deliver_tvalid[l] && swapped(s_deliver_tdata[64*l+:32]) == prepared) begin
      known[l] <= 1'b1;
      said[32*l+:32] <= swapped(s_deliver_tdata[64*l+32+:32]);
    end
    // Rule 1.
    if (settled && !closed && all_converged && all_exchanged) begin
      wanted <= prepared + 1'b1;
      closed <= 1'b1;
    end
    // Rule 2.
    if (prepares) begin
      prepared <= wanted;
      value <= part_value;
      known <= {LINKS{1'b0}};
      closed <= 1'b0;
    end
    // Rule 7.
    if (promise_valid && promise_incarnation > promised) promised <= promise_incarnation;
    if (restores) begin
      holds <= 1'b1;
      prepared <= restore_number;
      wanted <= restore_number;
      value <= restore_value;
      members <= restore_members;
      known <= {LINKS{1'b0}};
      closed <= 1'b0;
    end
    if (rst || restart) begin
      // Volatile state is lost; durable state stays as it was before this edge.
      holds <= holds;
      promised <= promised;
      prepared <= prepared;
      wanted <= wanted;
      value <= value;
      members <= members;
      known <= {LINKS{1'b0}};
      closed <= 1'b0;
    end
    if (rst || amnesia) begin
      holds <= !amnesia;
      promised <= 16'd0;
      prepared <= 32'd0;
      wanted <= 32'd0;
      value <= cfg_value;
      members <= {LINKS{1'b1}};
    end
  end

  genvar i;
  generate
    for (i = 0; i < LINKS; i = i + 1) begin : g_port
      oae_epoch_port #(
          .PAUSE(PAUSE)
      ) link_port (
          .clk(clk),
          .rst(rst),
          .restart(restart),
          .takes_part(holds && members[i]),
          .closed(closed),
          .prepares(prepares),
          .restores(restores),
          .prepared(prepared),
          .value(value),
          .epoch(epoch[32*i+:32]),
          .converged(converged[32*i+:32]),
          .chatter(cfg_chatter),
          .told(told[i]),
          .m_submit_tdata(m_submit_tdata[64*i+:64]),
          .m_submit_tkeep(m_submit_tkeep[8*i+:8]),
          .m_submit_tvalid(m_submit_tvalid[i]),
          .m_submit_tready(m_submit_tready[i]),
          .m_submit_tag(m_submit_tag[16*i+:16]),
          .m_submit_kind(m_submit_kind[8*i+:8]),
          .m_cancel_tvalid(m_cancel_tvalid[i]),
          .m_cancel_tready(m_cancel_tready[i]),
          .s_completion_tvalid(s_completion_tvalid[i]),
          .s_completion_tag(s_completion_tag[16*i+:16]),
          .s_completion_outcome(s_completion_outcome[2*i+:2]),
          .s_completion_reason(s_completion_reason[6*i+:6])
      );
    end
  endgenerate

endmodule
`default_nettype wire
