// The records of one lane: WINDOW pages of 64-bit words in block RAM, one port to write and one
// to read; a word comes one cycle after its address.
`default_nettype none

module oae_record_store #(
    parameter integer WORD_BITS = 3,  // address bits inside a page
    parameter integer PAGE_BITS = 3
) (
    input  wire                 clk,
    input  wire                 write_enable,
    input  wire [PAGE_BITS-1:0] write_page,
    input  wire [WORD_BITS-1:0] write_word,
    input  wire [         63:0] write_data,
    input  wire                 read_enable,
    input  wire [PAGE_BITS-1:0] read_page,
    input  wire [WORD_BITS-1:0] read_word,
    output reg  [         63:0] read_data
);
  reg [63:0] words[0:(1<<(PAGE_BITS+WORD_BITS))-1];
  always @(posedge clk) begin
    if (write_enable) words[{write_page, write_word}] <= write_data;
    if (read_enable) read_data <= words[{read_page, read_word}];
  end
endmodule
`default_nettype wire
