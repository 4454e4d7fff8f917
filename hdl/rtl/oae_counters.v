// Counts events: every event word increments the one counter that link.toml names for it.
//
// A channel tells at most one event a cycle, so each has a bank of its own in distributed RAM.
// The step in which an event is counted is the one after that in which it shows. Counters belong
// to the observer: crash and amnesia leave them, only rst clears them.
`default_nettype none
`include "oae_defs.vh"

module oae_counters (
    input  wire                        clk,
    input  wire                        rst,
    input  wire [   `OAE_CHANNELS-1:0] event_valid,
    input  wire [64*`OAE_CHANNELS-1:0] event_words,
    input  wire [                 7:0] index,        // in the order of the register map
    output reg  [                31:0] value         // one cycle later
);

  `include "oae_counter_table.vh"

  wire [7:0] place = counter_place(index);
  wire [32*`OAE_CHANNELS-1:0] bank_values;

  genvar c;
  generate
    for (c = 0; c < `OAE_CHANNELS; c = c + 1) begin : g_bank
      wire [7:0] code = event_words[64*c+56+:8];
      wire [7:0] info = event_words[64*c+32+:8];
      reg [5:0] counted;  // where the event of the cycle before counts
      reg [31:0] counts[0:31];
      reg [31:0] used;  // counters that are not zero
      reg [31:0] bank_value;
      wire [31:0] count = used[counted[4:0]] ? counts[counted[4:0]] : 32'd0;
      assign bank_values[32*c+:32] = bank_value;
      always @(posedge clk) begin
        bank_value <= used[place[4:0]] ? counts[place[4:0]] : 32'd0;
        counted <= 6'd0;
        if (event_valid[c] && !rst)
          case (c)
            `OAE_CHANNEL_POWER: counted <= place_power(code, info);
            `OAE_CHANNEL_TRANSMIT: counted <= place_transmit(code, info);
            `OAE_CHANNEL_RECEIVE: counted <= place_receive(code, info);
            `OAE_CHANNEL_INITIATOR: counted <= place_initiator(code, info);
            `OAE_CHANNEL_RESPONDER: counted <= place_responder(code, info);
            default: counted <= place_link(code, info);
          endcase
        if (counted[5]) begin
          counts[counted[4:0]] <= count + 1'b1;
          used[counted[4:0]]   <= 1'b1;
        end
        if (rst) used <= 32'd0;
      end
    end
  endgenerate

  reg [2:0] bank;
  always @(posedge clk) bank <= place[7:5];

  integer b;
  always @* begin
    value = 32'd0;  // of no counter: there is no seventh bank
    for (b = 0; b < `OAE_CHANNELS; b = b + 1)
    if (bank == b[2:0]) value = value | bank_values[32*b+:32];
  end

  wire unused = &{1'b0, event_words};  // slot, states and value are not counted

endmodule
`default_nettype wire
