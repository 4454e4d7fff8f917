// A receiving host in hardware: takes records and tells right ones from wrong ones. docs/board.md.
//
// A record of the peer's generator says its index and length; everything else in it follows from these
// and the seed. Its index must be beyond that of the last right one: indices may be left out (records
// that were aborted), none may come twice or late.
`default_nettype none

module oae_traffic_checker (
    input wire clk,
    input wire rst,
    input wire enable,  // low: another host is at the ports
    input wire restart,

    input wire        clear,  // the counts
    input wire        check,  // low: records are only counted
    input wire [31:0] seed,   // of the peer's generator

    input  wire [63:0] s_deliver_tdata,
    input  wire [ 7:0] s_deliver_tkeep,
    input  wire        s_deliver_tvalid,
    output wire        s_deliver_tready,
    input  wire        s_deliver_tlast,
    input  wire        s_deliver_tuser,

    output reg [31:0] delivered,
    output reg [31:0] wrong,
    output reg [31:0] next_index  // after that of the last right record
);

  reg in_packet;
  reg hashing;  // the first beat waits for its hash
  reg right;  // so far
  reg [31:0] index;
  reg [15:0] length_told, length;

  wire ready;
  wire [31:0] hash;
  wire [63:0] word;
  wire begins = enable && s_deliver_tvalid && !in_packet && !hashing && !restart;
  assign s_deliver_tready = enable && (in_packet || (hashing && ready));
  wire taken = s_deliver_tvalid && s_deliver_tready;

  // The packet that a restart cuts begins like any other; what follows from it is not counted.
  oae_record_pattern pattern (
      .clk  (clk),
      .rst  (rst),
      .start(begins),
      .seed (seed),
      .index(s_deliver_tdata[31:0]),
      .ready(ready),
      .hash (hash),
      .word (word),
      .next (taken && in_packet)
  );

  reg [63:0] mask;
  reg [3:0] size;  // bytes of the beat
  integer i;
  always @* begin
    size = 4'd0;
    for (i = 0; i < 8; i = i + 1) begin
      mask[8*i+:8] = {8{s_deliver_tkeep[i]}};
      size = size + {3'd0, s_deliver_tkeep[i]};
    end
  end
  wire [63:0] expected = in_packet ? word : {hash[15:0], s_deliver_tdata[47:0]};
  wire fits = ((s_deliver_tdata ^ expected) & mask) == 64'd0;
  // What the record says of itself stands in its first beat.
  wire [15:0] told = in_packet ? length_told : s_deliver_tdata[47:32];
  wire [31:0] told_index = in_packet ? index : s_deliver_tdata[31:0];
  wire [15:0] size_now = (in_packet ? length : 16'd0) + {12'd0, size};
  wire right_now = (in_packet ? right : s_deliver_tdata[31:0] >= next_index) && fits;
  wire unused = &{1'b0, hash[31:16]};
  wire counts = taken && s_deliver_tlast && !s_deliver_tuser;

  always @(posedge clk) begin
    if (begins) hashing <= 1'b1;
    if (taken) begin
      hashing <= 1'b0;
      in_packet <= !s_deliver_tlast;
      length_told <= told;
      index <= told_index;
      length <= size_now;
      right <= right_now;
    end
    if (counts) begin
      delivered <= delivered + 1'b1;
      if (check) begin
        if (right_now && size_now == told) next_index <= told_index + 1'b1;
        else wrong <= wrong + 1'b1;
      end
    end
    // A beat that was not taken is withdrawn.
    if (restart || !enable) hashing <= 1'b0;
    if (rst || !enable) in_packet <= 1'b0;
    if (rst) hashing <= 1'b0;
    if (rst || clear) begin
      delivered <= 32'd0;
      wrong <= 32'd0;
      next_index <= 32'd0;
    end
  end

endmodule
`default_nettype wire
