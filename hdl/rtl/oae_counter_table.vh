// Generated from host/oae/spec/link.toml by `make generate`; do not edit.
// verilator lint_off UNUSEDSIGNAL
// Channel POWER: {counted, place in its bank}.
function automatic [5:0] place_power;
  input [7:0] code;
  input [7:0] info;
  begin
    place_power = 6'd0;
    if (code == 8'h01) place_power = 6'd32;
    if (code == 8'h02) place_power = 6'd33;
  end
endfunction
// Channel TRANSMIT: {counted, place in its bank}.
function automatic [5:0] place_transmit;
  input [7:0] code;
  input [7:0] info;
  begin
    place_transmit = 6'd0;
    if (code == 8'h10 && info == 8'd0) place_transmit = 6'd32;
    if (code == 8'h10 && info == 8'd1) place_transmit = 6'd33;
    if (code == 8'h10 && info == 8'd2) place_transmit = 6'd34;
    if (code == 8'h10 && info == 8'd5) place_transmit = 6'd35;
    if (code == 8'h10 && info == 8'd6) place_transmit = 6'd36;
    if (code == 8'h10 && info == 8'd8) place_transmit = 6'd37;
    if (code == 8'h10 && info == 8'd9) place_transmit = 6'd38;
    if (code == 8'h10 && info == 8'd22) place_transmit = 6'd39;
    if (code == 8'h10 && info == 8'd23) place_transmit = 6'd40;
  end
endfunction
// Channel RECEIVE: {counted, place in its bank}.
function automatic [5:0] place_receive;
  input [7:0] code;
  input [7:0] info;
  begin
    place_receive = 6'd0;
    if (code == 8'h20 && info == 8'd0) place_receive = 6'd32;
    if (code == 8'h20 && info == 8'd1) place_receive = 6'd33;
    if (code == 8'h20 && info == 8'd2) place_receive = 6'd34;
    if (code == 8'h20 && info == 8'd5) place_receive = 6'd35;
    if (code == 8'h20 && info == 8'd6) place_receive = 6'd36;
    if (code == 8'h20 && info == 8'd8) place_receive = 6'd37;
    if (code == 8'h20 && info == 8'd9) place_receive = 6'd38;
    if (code == 8'h20 && info == 8'd22) place_receive = 6'd39;
    if (code == 8'h20 && info == 8'd23) place_receive = 6'd40;
    if (code == 8'h21 && info == 8'd1) place_receive = 6'd41;
    if (code == 8'h21 && info == 8'd2) place_receive = 6'd42;
    if (code == 8'h21 && info == 8'd3) place_receive = 6'd43;
    if (code == 8'h21 && info == 8'd4) place_receive = 6'd44;
    if (code == 8'h21 && info == 8'd5) place_receive = 6'd45;
    if (code == 8'h21 && info == 8'd6) place_receive = 6'd46;
    if (code == 8'h21 && info == 8'd7) place_receive = 6'd47;
    if (code == 8'h21 && info == 8'd8) place_receive = 6'd48;
    if (code == 8'h21 && info == 8'd9) place_receive = 6'd49;
    if (code == 8'h22) place_receive = 6'd50;
    if (code == 8'h23) place_receive = 6'd51;
    if (code == 8'h24) place_receive = 6'd52;
  end
endfunction
// Channel INITIATOR: {counted, place in its bank}.
function automatic [5:0] place_initiator;
  input [7:0] code;
  input [7:0] info;
  begin
    place_initiator = 6'd0;
    if (code == 8'h30) place_initiator = 6'd32;
    if (code == 8'h31) place_initiator = 6'd33;
    if (code == 8'h32) place_initiator = 6'd34;
    if (code == 8'h33) place_initiator = 6'd35;
    if (code == 8'h34) place_initiator = 6'd36;
    if (code == 8'h35) place_initiator = 6'd37;
    if (code == 8'h36) place_initiator = 6'd38;
    if (code == 8'h37) place_initiator = 6'd39;
    if (code == 8'h38) place_initiator = 6'd40;
    if (code == 8'h39) place_initiator = 6'd41;
    if (code == 8'h3a && info[1:0] == 2'd1) place_initiator = 6'd42;
    if (code == 8'h3a && info[1:0] == 2'd2) place_initiator = 6'd43;
    if (code == 8'h3a && info[1:0] == 2'd3) place_initiator = 6'd44;
    if (code == 8'h3b) place_initiator = 6'd45;
    if (code == 8'h3c) place_initiator = 6'd46;
    if (code == 8'h3d) place_initiator = 6'd47;
    if (code == 8'h3e) place_initiator = 6'd48;
    if (code == 8'h3f) place_initiator = 6'd49;
  end
endfunction
// Channel RESPONDER: {counted, place in its bank}.
function automatic [5:0] place_responder;
  input [7:0] code;
  input [7:0] info;
  begin
    place_responder = 6'd0;
    if (code == 8'h40) place_responder = 6'd32;
    if (code == 8'h41) place_responder = 6'd33;
    if (code == 8'h42 && info == 8'd2) place_responder = 6'd34;
    if (code == 8'h42 && info == 8'd3) place_responder = 6'd35;
    if (code == 8'h42 && info == 8'd4) place_responder = 6'd36;
    if (code == 8'h43) place_responder = 6'd37;
    if (code == 8'h44) place_responder = 6'd38;
    if (code == 8'h45) place_responder = 6'd39;
    if (code == 8'h46) place_responder = 6'd40;
    if (code == 8'h47) place_responder = 6'd41;
    if (code == 8'h48) place_responder = 6'd42;
    if (code == 8'h49) place_responder = 6'd43;
    if (code == 8'h4a) place_responder = 6'd44;
    if (code == 8'h4b) place_responder = 6'd45;
    if (code == 8'h4c) place_responder = 6'd46;
    if (code == 8'h4d) place_responder = 6'd47;
    if (code == 8'h4e) place_responder = 6'd48;
  end
endfunction
// Channel LINK: {counted, place in its bank}.
function automatic [5:0] place_link;
  input [7:0] code;
  input [7:0] info;
  begin
    place_link = 6'd0;
    if (code == 8'h50) place_link = 6'd32;
    if (code == 8'h51) place_link = 6'd33;
    if (code == 8'h52) place_link = 6'd34;
    if (code == 8'h53) place_link = 6'd35;
    if (code == 8'h54) place_link = 6'd36;
    if (code == 8'h55) place_link = 6'd37;
    if (code == 8'h56) place_link = 6'd38;
    if (code == 8'h57) place_link = 6'd39;
    if (code == 8'h58) place_link = 6'd40;
    if (code == 8'h59) place_link = 6'd41;
    if (code == 8'h5a) place_link = 6'd42;
    if (code == 8'h5b) place_link = 6'd43;
    if (code == 8'h5c) place_link = 6'd44;
  end
endfunction
// Where the counter of a register stands: {channel, place in its bank}.
function automatic [7:0] counter_place;
  input [7:0] place_of;
  case (place_of)
    8'd0: counter_place = {3'd0, 5'd0};  // CRASH
    8'd1: counter_place = {3'd0, 5'd1};  // AMNESIA
    8'd2: counter_place = {3'd1, 5'd0};  // SENT_NOP
    8'd3: counter_place = {3'd1, 5'd1};  // SENT_DATA
    8'd4: counter_place = {3'd1, 5'd2};  // SENT_ACK
    8'd5: counter_place = {3'd1, 5'd3};  // SENT_SYNC
    8'd6: counter_place = {3'd1, 5'd4};  // SENT_SYNC_ACK
    8'd7: counter_place = {3'd1, 5'd5};  // SENT_COMMIT
    8'd8: counter_place = {3'd1, 5'd6};  // SENT_DONE
    8'd9: counter_place = {3'd1, 5'd7};  // SENT_ABORTED
    8'd10: counter_place = {3'd1, 5'd8};  // SENT_ABORT
    8'd11: counter_place = {3'd2, 5'd0};  // RECEIVED_NOP
    8'd12: counter_place = {3'd2, 5'd1};  // RECEIVED_DATA
    8'd13: counter_place = {3'd2, 5'd2};  // RECEIVED_ACK
    8'd14: counter_place = {3'd2, 5'd3};  // RECEIVED_SYNC
    8'd15: counter_place = {3'd2, 5'd4};  // RECEIVED_SYNC_ACK
    8'd16: counter_place = {3'd2, 5'd5};  // RECEIVED_COMMIT
    8'd17: counter_place = {3'd2, 5'd6};  // RECEIVED_DONE
    8'd18: counter_place = {3'd2, 5'd7};  // RECEIVED_ABORTED
    8'd19: counter_place = {3'd2, 5'd8};  // RECEIVED_ABORT
    8'd20: counter_place = {3'd2, 5'd9};  // MALFORMED_BAD_FROM_MAC
    8'd21: counter_place = {3'd2, 5'd10};  // MALFORMED_TOO_SHORT
    8'd22: counter_place = {3'd2, 5'd11};  // MALFORMED_UNKNOWN_OPERATION
    8'd23: counter_place = {3'd2, 5'd12};  // MALFORMED_WRONG_BALANCE
    8'd24: counter_place = {3'd2, 5'd13};  // MALFORMED_UNKNOWN_KIND
    8'd25: counter_place = {3'd2, 5'd14};  // MALFORMED_BAD_LENGTH
    8'd26: counter_place = {3'd2, 5'd15};  // MALFORMED_BAD_GUARD
    8'd27: counter_place = {3'd2, 5'd16};  // MALFORMED_WRONG_LINK_SESSION
    8'd28: counter_place = {3'd2, 5'd17};  // MALFORMED_WRONG_DIGEST
    8'd29: counter_place = {3'd2, 5'd18};  // FOREIGN
    8'd30: counter_place = {3'd2, 5'd19};  // UNSUPPORTED
    8'd31: counter_place = {3'd2, 5'd20};  // NOT_UP
    8'd32: counter_place = {3'd3, 5'd0};  // OPENED
    8'd33: counter_place = {3'd3, 5'd1};  // REFLECTION_HEARD
    8'd34: counter_place = {3'd3, 5'd2};  // DECIDED
    8'd35: counter_place = {3'd3, 5'd3};  // MISMATCHED
    8'd36: counter_place = {3'd3, 5'd4};  // CANCELLED
    8'd37: counter_place = {3'd3, 5'd5};  // ABORT_CONFIRMED
    8'd38: counter_place = {3'd3, 5'd6};  // DONE_HEARD
    8'd39: counter_place = {3'd3, 5'd7};  // REFLECTION_REPEATED
    8'd40: counter_place = {3'd3, 5'd8};  // RETRIED
    8'd41: counter_place = {3'd3, 5'd9};  // RESENT
    8'd42: counter_place = {3'd3, 5'd10};  // TOLD_COMMITTED
    8'd43: counter_place = {3'd3, 5'd11};  // TOLD_ABORTED
    8'd44: counter_place = {3'd3, 5'd12};  // TOLD_UNKNOWN
    8'd45: counter_place = {3'd3, 5'd13};  // ANSWER_IGNORED
    8'd46: counter_place = {3'd3, 5'd14};  // INITIATOR_VIOLATION
    8'd47: counter_place = {3'd3, 5'd15};  // CANCEL_IGNORED
    8'd48: counter_place = {3'd3, 5'd16};  // UNOPENED_TOLD
    8'd49: counter_place = {3'd3, 5'd17};  // RECORD_DISCARDED
    8'd50: counter_place = {3'd4, 5'd0};  // HELD
    8'd51: counter_place = {3'd4, 5'd1};  // REFLECTED
    8'd52: counter_place = {3'd4, 5'd2};  // REFUSED_REFUSED
    8'd53: counter_place = {3'd4, 5'd3};  // REFUSED_EPOCH
    8'd54: counter_place = {3'd4, 5'd4};  // REFUSED_NOT_PREPARED
    8'd55: counter_place = {3'd4, 5'd5};  // COMMIT_HEARD
    8'd56: counter_place = {3'd4, 5'd6};  // DELIVERED
    8'd57: counter_place = {3'd4, 5'd7};  // SKIPPED
    8'd58: counter_place = {3'd4, 5'd8};  // REVERSED
    8'd59: counter_place = {3'd4, 5'd9};  // ABORT_RECORDED
    8'd60: counter_place = {3'd4, 5'd10};  // ANSWER_REPEATED
    8'd61: counter_place = {3'd4, 5'd11};  // DELIVERY_AWAITED
    8'd62: counter_place = {3'd4, 5'd12};  // BEYOND_WINDOW
    8'd63: counter_place = {3'd4, 5'd13};  // BELOW_WINDOW
    8'd64: counter_place = {3'd4, 5'd14};  // COMMIT_IGNORED
    8'd65: counter_place = {3'd4, 5'd15};  // RESPONDER_VIOLATION
    8'd66: counter_place = {3'd4, 5'd16};  // DOUBTED
    8'd67: counter_place = {3'd5, 5'd0};  // ENABLED
    8'd68: counter_place = {3'd5, 5'd1};  // DISABLED
    8'd69: counter_place = {3'd5, 5'd2};  // SYNC_HEARD
    8'd70: counter_place = {3'd5, 5'd3};  // SYNC_ACK_HEARD
    8'd71: counter_place = {3'd5, 5'd4};  // SYNC_ACK_STALE
    8'd72: counter_place = {3'd5, 5'd5};  // LOOPBACK
    8'd73: counter_place = {3'd5, 5'd6};  // FOREIGN_SESSION
    8'd74: counter_place = {3'd5, 5'd7};  // SYNC_DUE
    8'd75: counter_place = {3'd5, 5'd8};  // INCOMING_DEAD
    8'd76: counter_place = {3'd5, 5'd9};  // OUTGOING_DEAD
    8'd77: counter_place = {3'd5, 5'd10};  // SESSION_ADOPTED
    8'd78: counter_place = {3'd5, 5'd11};  // PAIR_VIOLATION
    8'd79: counter_place = {3'd5, 5'd12};  // EPOCH_TAKEN
    default: counter_place = 8'hff;
  endcase
endfunction
// verilator lint_on UNUSEDSIGNAL
