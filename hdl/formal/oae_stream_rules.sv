// The rules of one AXI-Stream port, and what a restart does to it.
//
// With PROMISE the port's owner is the module under proof and the rules are asserted; without it
// the owner is the neighbour and they are assumed. `side` is whatever belongs to a beat besides.
//
// What a restart (crash, amnesia) does: valid is low while it lasts, so no beat is taken at its
// edge, and a beat that was offered is withdrawn. With CLOSES an open packet, one whose first beat
// was taken, is then closed by exactly one beat: last, marked bad, full, offered at once.
`default_nettype none

module oae_stream_rules #(
    parameter [0:0] PROMISE = 1,
    parameter [0:0] CLOSES = 1,
    parameter [0:0] LAST_KEEP = 1,  // tkeep of the last beat is well formed too
    parameter integer SIDE = 1
) (
    input wire            clk,
    input wire            rst,
    input wire            restart,
    input wire [    63:0] tdata,
    input wire [     7:0] tkeep,
    input wire            tvalid,
    input wire            tready,
    input wire            tlast,
    input wire            tuser,
    input wire [SIDE-1:0] side,
    output reg            open     // a first beat was taken, its last not yet
);

  reg stalled;  // a beat was offered at the edge before, and not taken
  reg cut;  // an open packet was cut by a restart, and is not closed yet
  reg [SIDE+73:0] offered;
  wire [SIDE+73:0] offer = {side, tuser, tlast, tkeep, tdata};
  wire taken = tvalid && tready;

  always @(posedge clk) begin
    stalled <= tvalid && !tready && !rst && !restart;
    offered <= offer;
    if (taken) open <= !tlast;
    if (restart && open) cut <= 1'b1;
    else if (taken) cut <= 1'b0;
    if (rst) {open, cut} <= 2'b00;
  end

  // A beat that was offered stays, unchanged, until it is taken or a restart comes.
  wire stays = !stalled || restart || rst || (tvalid && offer == offered);
  // Full but at the end; there without a gap from lane 0 on, and not empty: so no packet is empty.
  wire full = !tvalid || tlast || tkeep == 8'hff;
  wire without_gap = !tvalid || !tlast || (tkeep != 8'd0 && (tkeep & (tkeep + 1'b1)) == 8'd0);
  // Nothing is offered at the edge of a restart.
  wire silent = !tvalid || !(rst || restart);
  // What is left of a cut packet is one bad last beat, and nothing else is ever marked bad.
  wire closing = !cut || restart || rst || (tvalid && tlast && tuser && tkeep == 8'hff);
  wire good = cut || !tvalid || !tuser;

  generate
    if (PROMISE) begin : g_promised
      always @* begin
        stream_stable : assert (stays);
        stream_full : assert (full);
        if (LAST_KEEP) stream_gapless : assert (without_gap);
        if (CLOSES) begin
          stream_silent : assert (silent);
          stream_closing : assert (closing);
          stream_good : assert (good);
        end
      end
      // None of it for want of a packet, a stall, a restart.
      always @* begin
        cover_stall : cover (stalled && !restart && !rst);
        cover_packet : cover (taken && tlast && open && !cut);
        if (CLOSES) begin
          cover_closing : cover (cut && taken);
          cover_withdrawn : cover (stalled && restart && !open);
        end
      end
    end else begin : g_given
      always @* begin
        assume (stays);
        assume (full);
        if (LAST_KEEP) assume (without_gap);
      end
    end
  endgenerate

endmodule
`default_nettype wire
