// Every counter counts its events, all of them and no other, one each; it wraps after 2^32 and is
// cleared by rst only. The table of events is written out again here, from docs/tables.md.
`default_nettype none
`include "oae_defs.vh"

module oae_counters_proof (
    input wire clk,

    // everything that the world may do, in any cycle
    input wire                        rst,
    input wire [   `OAE_CHANNELS-1:0] event_valid,
    input wire [64*`OAE_CHANNELS-1:0] event_words
);

  // The counter that is followed. Reading changes nothing: it may be read all the while.
  (* anyconst *) wire [7:0] k;

  reg started = 1'b0;
  always @(posedge clk) started <= 1'b1;
  wire reset = rst || !started;

  wire [31:0] value;
  oae_counters counters (
      .clk(clk),
      .rst(reset),
      .event_valid(event_valid),
      .event_words(event_words),
      .index(k),
      .value(value)
  );
  (* hierconn *) wire [5:0] \counters.g_bank[0].counted , \counters.g_bank[1].counted ;
  (* hierconn *) wire [5:0] \counters.g_bank[2].counted , \counters.g_bank[3].counted ;
  (* hierconn *) wire [5:0] \counters.g_bank[4].counted , \counters.g_bank[5].counted ;
  (* hierconn *) wire [7:0] \counters.place ;
  (* hierconn *) wire [2:0] \counters.bank ;
  wire [5:0] here =
      \counters.place [7:5] == 0 ? \counters.g_bank[0].counted :
      \counters.place [7:5] == 1 ? \counters.g_bank[1].counted :
      \counters.place [7:5] == 2 ? \counters.g_bank[2].counted :
      \counters.place [7:5] == 3 ? \counters.g_bank[3].counted :
      \counters.place [7:5] == 4 ? \counters.g_bank[4].counted :
      \counters.place [7:5] == 5 ? \counters.g_bank[5].counted : 6'd0;

  // Does counter `of` count this event of this channel?
  function automatic counts;
    input [7:0] of;
    input [2:0] channel;
    input [7:0] code;
    input [7:0] info;
    begin
      case (of)
        // CRASH
        8'd0: counts = channel == 3'd0 && code == 8'h01;
        // AMNESIA
        8'd1: counts = channel == 3'd0 && code == 8'h02;
        // SENT_NOP
        8'd2: counts = channel == 3'd1 && code == 8'h10 && info == 8'd0;
        // SENT_DATA
        8'd3: counts = channel == 3'd1 && code == 8'h10 && info == 8'd1;
        // SENT_ACK
        8'd4: counts = channel == 3'd1 && code == 8'h10 && info == 8'd2;
        // SENT_SYNC
        8'd5: counts = channel == 3'd1 && code == 8'h10 && info == 8'd5;
        // SENT_SYNC_ACK
        8'd6: counts = channel == 3'd1 && code == 8'h10 && info == 8'd6;
        // SENT_COMMIT
        8'd7: counts = channel == 3'd1 && code == 8'h10 && info == 8'd8;
        // SENT_DONE
        8'd8: counts = channel == 3'd1 && code == 8'h10 && info == 8'd9;
        // SENT_ABORTED
        8'd9: counts = channel == 3'd1 && code == 8'h10 && info == 8'd22;
        // SENT_ABORT
        8'd10: counts = channel == 3'd1 && code == 8'h10 && info == 8'd23;
        // RECEIVED_NOP
        8'd11: counts = channel == 3'd2 && code == 8'h20 && info == 8'd0;
        // RECEIVED_DATA
        8'd12: counts = channel == 3'd2 && code == 8'h20 && info == 8'd1;
        // RECEIVED_ACK
        8'd13: counts = channel == 3'd2 && code == 8'h20 && info == 8'd2;
        // RECEIVED_SYNC
        8'd14: counts = channel == 3'd2 && code == 8'h20 && info == 8'd5;
        // RECEIVED_SYNC_ACK
        8'd15: counts = channel == 3'd2 && code == 8'h20 && info == 8'd6;
        // RECEIVED_COMMIT
        8'd16: counts = channel == 3'd2 && code == 8'h20 && info == 8'd8;
        // RECEIVED_DONE
        8'd17: counts = channel == 3'd2 && code == 8'h20 && info == 8'd9;
        // RECEIVED_ABORTED
        8'd18: counts = channel == 3'd2 && code == 8'h20 && info == 8'd22;
        // RECEIVED_ABORT
        8'd19: counts = channel == 3'd2 && code == 8'h20 && info == 8'd23;
        // MALFORMED_BAD_FROM_MAC
        8'd20: counts = channel == 3'd2 && code == 8'h21 && info == 8'd1;
        // MALFORMED_TOO_SHORT
        8'd21: counts = channel == 3'd2 && code == 8'h21 && info == 8'd2;
        // MALFORMED_UNKNOWN_OPERATION
        8'd22: counts = channel == 3'd2 && code == 8'h21 && info == 8'd3;
        // MALFORMED_WRONG_BALANCE
        8'd23: counts = channel == 3'd2 && code == 8'h21 && info == 8'd4;
        // MALFORMED_UNKNOWN_KIND
        8'd24: counts = channel == 3'd2 && code == 8'h21 && info == 8'd5;
        // MALFORMED_BAD_LENGTH
        8'd25: counts = channel == 3'd2 && code == 8'h21 && info == 8'd6;
        // MALFORMED_BAD_GUARD
        8'd26: counts = channel == 3'd2 && code == 8'h21 && info == 8'd7;
        // MALFORMED_WRONG_LINK_SESSION
        8'd27: counts = channel == 3'd2 && code == 8'h21 && info == 8'd8;
        // MALFORMED_WRONG_DIGEST
        8'd28: counts = channel == 3'd2 && code == 8'h21 && info == 8'd9;
        // FOREIGN
        8'd29: counts = channel == 3'd2 && code == 8'h22;
        // UNSUPPORTED
        8'd30: counts = channel == 3'd2 && code == 8'h23;
        // NOT_UP
        8'd31: counts = channel == 3'd2 && code == 8'h24;
        // OPENED
        8'd32: counts = channel == 3'd3 && code == 8'h30;
        // REFLECTION_HEARD
        8'd33: counts = channel == 3'd3 && code == 8'h31;
        // DECIDED
        8'd34: counts = channel == 3'd3 && code == 8'h32;
        // MISMATCHED
        8'd35: counts = channel == 3'd3 && code == 8'h33;
        // CANCELLED
        8'd36: counts = channel == 3'd3 && code == 8'h34;
        // ABORT_CONFIRMED
        8'd37: counts = channel == 3'd3 && code == 8'h35;
        // DONE_HEARD
        8'd38: counts = channel == 3'd3 && code == 8'h36;
        // REFLECTION_REPEATED
        8'd39: counts = channel == 3'd3 && code == 8'h37;
        // RETRIED
        8'd40: counts = channel == 3'd3 && code == 8'h38;
        // RESENT
        8'd41: counts = channel == 3'd3 && code == 8'h39;
        // TOLD_COMMITTED
        8'd42: counts = channel == 3'd3 && code == 8'h3a && info[1:0] == 2'd1;
        // TOLD_ABORTED
        8'd43: counts = channel == 3'd3 && code == 8'h3a && info[1:0] == 2'd2;
        // TOLD_UNKNOWN
        8'd44: counts = channel == 3'd3 && code == 8'h3a && info[1:0] == 2'd3;
        // ANSWER_IGNORED
        8'd45: counts = channel == 3'd3 && code == 8'h3b;
        // INITIATOR_VIOLATION
        8'd46: counts = channel == 3'd3 && code == 8'h3c;
        // CANCEL_IGNORED
        8'd47: counts = channel == 3'd3 && code == 8'h3d;
        // UNOPENED_TOLD
        8'd48: counts = channel == 3'd3 && code == 8'h3e;
        // RECORD_DISCARDED
        8'd49: counts = channel == 3'd3 && code == 8'h3f;
        // HELD
        8'd50: counts = channel == 3'd4 && code == 8'h40;
        // REFLECTED
        8'd51: counts = channel == 3'd4 && code == 8'h41;
        // REFUSED_REFUSED
        8'd52: counts = channel == 3'd4 && code == 8'h42 && info == 8'd2;
        // REFUSED_EPOCH
        8'd53: counts = channel == 3'd4 && code == 8'h42 && info == 8'd3;
        // REFUSED_NOT_PREPARED
        8'd54: counts = channel == 3'd4 && code == 8'h42 && info == 8'd4;
        // COMMIT_HEARD
        8'd55: counts = channel == 3'd4 && code == 8'h43;
        // DELIVERED
        8'd56: counts = channel == 3'd4 && code == 8'h44;
        // SKIPPED
        8'd57: counts = channel == 3'd4 && code == 8'h45;
        // REVERSED
        8'd58: counts = channel == 3'd4 && code == 8'h46;
        // ABORT_RECORDED
        8'd59: counts = channel == 3'd4 && code == 8'h47;
        // ANSWER_REPEATED
        8'd60: counts = channel == 3'd4 && code == 8'h48;
        // DELIVERY_AWAITED
        8'd61: counts = channel == 3'd4 && code == 8'h49;
        // BEYOND_WINDOW
        8'd62: counts = channel == 3'd4 && code == 8'h4a;
        // BELOW_WINDOW
        8'd63: counts = channel == 3'd4 && code == 8'h4b;
        // COMMIT_IGNORED
        8'd64: counts = channel == 3'd4 && code == 8'h4c;
        // RESPONDER_VIOLATION
        8'd65: counts = channel == 3'd4 && code == 8'h4d;
        // DOUBTED
        8'd66: counts = channel == 3'd4 && code == 8'h4e;
        // ENABLED
        8'd67: counts = channel == 3'd5 && code == 8'h50;
        // DISABLED
        8'd68: counts = channel == 3'd5 && code == 8'h51;
        // SYNC_HEARD
        8'd69: counts = channel == 3'd5 && code == 8'h52;
        // SYNC_ACK_HEARD
        8'd70: counts = channel == 3'd5 && code == 8'h53;
        // SYNC_ACK_STALE
        8'd71: counts = channel == 3'd5 && code == 8'h54;
        // LOOPBACK
        8'd72: counts = channel == 3'd5 && code == 8'h55;
        // FOREIGN_SESSION
        8'd73: counts = channel == 3'd5 && code == 8'h56;
        // SYNC_DUE
        8'd74: counts = channel == 3'd5 && code == 8'h57;
        // INCOMING_DEAD
        8'd75: counts = channel == 3'd5 && code == 8'h58;
        // OUTGOING_DEAD
        8'd76: counts = channel == 3'd5 && code == 8'h59;
        // SESSION_ADOPTED
        8'd77: counts = channel == 3'd5 && code == 8'h5a;
        // PAIR_VIOLATION
        8'd78: counts = channel == 3'd5 && code == 8'h5b;
        // EPOCH_TAKEN
        8'd79: counts = channel == 3'd5 && code == 8'h5c;
        default: counts = 1'b0;
      endcase
    end
  endfunction

  reg happens;
  integer c;
  always @* begin
    happens = 1'b0;
    for (c = 0; c < `OAE_CHANNELS; c = c + 1)
      if (event_valid[c] && counts(k, c[2:0], event_words[64*c+56+:8], event_words[64*c+32+:8]))
        happens = 1'b1;
  end

  // What it should hold: an event shows, counts one cycle later, and reads one cycle after that.
  reg [31:0] total, expected;
  reg pending;
  reg settled = 1'b0;
  always @(posedge clk) begin
    pending <= happens && !reset;
    total <= reset ? 32'd0 : total + pending;
    expected <= total;
    settled <= started;
  end

  always @*
    if (settled) begin
      // Its events, and no others.
      counts_its_events : assert (pending == (here[5] && here[4:0] == \counters.place [4:0]));
      // The number of them since rst.
      total_right : assert (value == expected);
      // A read shows the bank of its counter.
      bank_right : assert (\counters.bank == \counters.place [7:5]);
    end

  always @* begin
    counts_two : cover (settled && value == 32'd2);
    counts_told : cover (settled && k == 8'h2b && value == 32'd1);
    cleared : cover (settled && rst && value == 32'd1);
  end

endmodule
`default_nettype wire
