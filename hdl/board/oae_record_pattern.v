// The contents of a generator's records: word after word from a hash of the seed and the record's
// index, so that whoever knows the seed can tell whether a record is right. docs/board.md.
//
// The hash is that of host/oae/faults/hash.py, one multiplication at a time; then each word is two steps
// of a 32-bit xorshift, the first step in its low half.
`default_nettype none

module oae_record_pattern (
    input  wire        clk,
    input  wire        rst,
    input  wire        start,  // with seed and index, which then hold
    input  wire [31:0] seed,
    input  wire [31:0] index,
    output reg         ready,  // from here on until the next start
    output reg  [31:0] hash,
    output wire [63:0] word,
    input  wire        next    // the word after it
);

  localparam [31:0] FIRST_FACTOR = 32'h85ebca6b;
  localparam [31:0] SECOND_FACTOR = 32'hc2b2ae35;
  localparam [31:0] GOLDEN = 32'h9e3779b9;

  function automatic [31:0] shifted;
    input [31:0] value;
    reg [31:0] mixed;
    begin
      mixed   = value ^ (value << 13);
      mixed   = mixed ^ (mixed >> 17);
      shifted = mixed ^ (mixed << 5);
    end
  endfunction

  // The steps of one hash. The multiplier has registers at all sides: its product takes a cycle.
  localparam [2:0] BEGIN = 3'd0;
  localparam [2:0] MULTIPLY_FIRST = 3'd1;
  localparam [2:0] FOLD = 3'd2;
  localparam [2:0] MULTIPLY_SECOND = 3'd3;
  localparam [2:0] FINISH = 3'd4;
  localparam [2:0] CHAIN = 3'd5;  // the index into the seed's hash

  reg busy;
  reg [2:0] stage;
  reg chained;
  reg [31:0] product;
  reg [31:0] factor;
  reg [31:0] state;  // of the xorshift
  wire [31:0] finished = product ^ (product >> 16);

  wire [31:0] low = shifted(state);
  assign word = {shifted(low), low};

  always @(posedge clk) begin
    product <= hash * factor;
    if (busy) begin
      stage <= stage + 1'b1;
      case (stage)
        BEGIN: begin
          hash   <= hash ^ (hash >> 16);
          factor <= FIRST_FACTOR;
        end
        MULTIPLY_FIRST, MULTIPLY_SECOND: ;
        FOLD: begin
          hash   <= product ^ (product >> 13);
          factor <= SECOND_FACTOR;
        end
        FINISH: begin
          hash <= finished;
          if (chained) begin
            state <= finished;
            busy  <= 1'b0;
            ready <= 1'b1;
          end
        end
        CHAIN: begin
          hash <= (hash + GOLDEN) ^ index;
          chained <= 1'b1;
          stage <= BEGIN;
        end
        default: ;
      endcase
    end
    if (next) state <= word[63:32];
    if (start) begin
      busy <= 1'b1;
      stage <= BEGIN;
      chained <= 1'b0;
      ready <= 1'b0;
      hash <= seed;
    end
    if (rst) begin
      busy  <= 1'b0;
      ready <= 1'b0;
    end
  end

endmodule
`default_nettype wire
