// Keeps the newest events of an end until they are read. docs/board.md.
//
// Up to six events are told in one cycle and one a cycle is stored: a few cycles' events wait in
// between. The oldest event is offered at the side; when the buffer is full the oldest behind it gives
// way. Order is that of the event log: by cycle, then by channel.
`default_nettype none
`include "oae_defs.vh"

module oae_trace_buffer #(
    parameter integer TRACE_WORDS = 512  // events held, a power of two
) (
    input wire clk,
    input wire rst,
    input wire clear,

    input wire                        record,
    input wire [   `OAE_CHANNELS-1:0] channels,     // those that are kept
    input wire [   `OAE_CHANNELS-1:0] event_valid,
    input wire [64*`OAE_CHANNELS-1:0] event_words,
    input wire [                47:0] event_cycle,

    output reg         oldest_valid,
    output wire [ 2:0] oldest_channel,
    output wire [47:0] oldest_cycle,
    output wire [63:0] oldest_word,
    input  wire        take,

    output wire [31:0] count,
    output reg  [31:0] lost
);

  localparam integer PLACE_BITS = $clog2(TRACE_WORDS);
  localparam integer WAIT_BITS = 4;
  localparam integer ROW = 48 + 65 * `OAE_CHANNELS;
  localparam integer ENTRY = 3 + 48 + 64;

  // Wrong parameters are refused at elaboration, by a module that does not exist.
  generate
    if (TRACE_WORDS < 2 || (TRACE_WORDS & (TRACE_WORDS - 1)) != 0) begin : g_trace_words
      oae_error_TRACE_WORDS_must_be_a_power_of_two wrong ();
    end
  endgenerate

  // Rows that wait: a cycle and its events.
  reg [ROW-1:0] rows[0:(1<<WAIT_BITS)-1];
  reg [WAIT_BITS:0] rows_in, rows_out;
  wire [WAIT_BITS:0] rows_held = rows_in - rows_out;
  wire rows_full = rows_held[WAIT_BITS];
  wire [`OAE_CHANNELS-1:0] kept = event_valid & channels & {`OAE_CHANNELS{record}};
  wire row_comes = kept != {`OAE_CHANNELS{1'b0}};
  wire row_in = row_comes && !rows_full;

  // The row that is stored event by event.
  reg [64*`OAE_CHANNELS-1:0] words;
  reg [`OAE_CHANNELS-1:0] left;
  reg [47:0] cycle;
  wire push = left != {`OAE_CHANNELS{1'b0}};
  wire row_out = !push && rows_held != {WAIT_BITS + 1{1'b0}};

  reg [2:0] channel;  // the lowest that is left
  reg [2:0] kept_count;
  integer i;
  always @* begin
    channel = 3'd0;
    kept_count = 3'd0;
    for (i = `OAE_CHANNELS - 1; i >= 0; i = i - 1) begin
      if (left[i]) channel = i[2:0];
      kept_count = kept_count + {2'd0, kept[i]};
    end
  end

  reg [ENTRY-1:0] entries[0:TRACE_WORDS-1];
  reg [PLACE_BITS:0] entry_in, entry_out;
  wire [PLACE_BITS:0] held = entry_in - entry_out;
  wire full = held[PLACE_BITS];
  reg fetching;  // the oldest comes out of the memory
  reg [ENTRY-1:0] oldest;
  wire fetch = !oldest_valid && !fetching && held != {PLACE_BITS + 1{1'b0}} && !(push && full);
  wire overwrite = push && full;

  assign {oldest_channel, oldest_cycle, oldest_word} = oldest;
  assign count = {{31 - PLACE_BITS{1'b0}}, held} + {31'd0, fetching} + {31'd0, oldest_valid};

  always @(posedge clk) begin
    if (row_in) rows[rows_in[WAIT_BITS-1:0]] <= {event_cycle, kept, event_words};
    rows_in  <= rows_in + {{WAIT_BITS{1'b0}}, row_in};
    rows_out <= rows_out + {{WAIT_BITS{1'b0}}, row_out};
    if (row_out) {cycle, left, words} <= rows[rows_out[WAIT_BITS-1:0]];
    if (push) left <= left & (left - 1'b1);  // without the lowest

    if (push) entries[entry_in[PLACE_BITS-1:0]] <= {channel, cycle, words[64*channel+:64]};
    if (fetch) oldest <= entries[entry_out[PLACE_BITS-1:0]];
    entry_in  <= entry_in + {{PLACE_BITS{1'b0}}, push};
    entry_out <= entry_out + {{PLACE_BITS{1'b0}}, fetch || overwrite};
    fetching  <= fetch;
    if (fetching) oldest_valid <= 1'b1;
    else if (take) oldest_valid <= 1'b0;

    lost <= lost + {31'd0, overwrite} + (row_comes && rows_full ? {29'd0, kept_count} : 32'd0);
    if (rst || clear) begin
      rows_in <= {WAIT_BITS + 1{1'b0}};
      rows_out <= {WAIT_BITS + 1{1'b0}};
      left <= {`OAE_CHANNELS{1'b0}};
      entry_in <= {PLACE_BITS + 1{1'b0}};
      entry_out <= {PLACE_BITS + 1{1'b0}};
      fetching <= 1'b0;
      oldest_valid <= 1'b0;
      lost <= 32'd0;
    end
  end

endmodule
`default_nettype wire
