// Generated from host/oae/spec/link.toml by `make generate`; do not edit.
assign increment[0] = valid[0] && code[0] == 8'h01;  // CRASH
assign increment[1] = valid[0] && code[0] == 8'h02;  // AMNESIA
assign increment[2] = valid[1] && code[1] == 8'h10 && info[1] == 8'd0;  // SENT_NOP
assign increment[3] = valid[1] && code[1] == 8'h10 && info[1] == 8'd1;  // SENT_DATA
assign increment[4] = valid[1] && code[1] == 8'h10 && info[1] == 8'd2;  // SENT_ACK
assign increment[5] = valid[1] && code[1] == 8'h10 && info[1] == 8'd5;  // SENT_SYNC
assign increment[6] = valid[1] && code[1] == 8'h10 && info[1] == 8'd6;  // SENT_SYNC_ACK
assign increment[7] = valid[1] && code[1] == 8'h10 && info[1] == 8'd8;  // SENT_COMMIT
assign increment[8] = valid[1] && code[1] == 8'h10 && info[1] == 8'd9;  // SENT_DONE
assign increment[9] = valid[1] && code[1] == 8'h10 && info[1] == 8'd22;  // SENT_ABORTED
assign increment[10] = valid[1] && code[1] == 8'h10 && info[1] == 8'd23;  // SENT_ABORT
assign increment[11] = valid[2] && code[2] == 8'h20 && info[2] == 8'd0;  // RECEIVED_NOP
assign increment[12] = valid[2] && code[2] == 8'h20 && info[2] == 8'd1;  // RECEIVED_DATA
assign increment[13] = valid[2] && code[2] == 8'h20 && info[2] == 8'd2;  // RECEIVED_ACK
assign increment[14] = valid[2] && code[2] == 8'h20 && info[2] == 8'd5;  // RECEIVED_SYNC
assign increment[15] = valid[2] && code[2] == 8'h20 && info[2] == 8'd6;  // RECEIVED_SYNC_ACK
assign increment[16] = valid[2] && code[2] == 8'h20 && info[2] == 8'd8;  // RECEIVED_COMMIT
assign increment[17] = valid[2] && code[2] == 8'h20 && info[2] == 8'd9;  // RECEIVED_DONE
assign increment[18] = valid[2] && code[2] == 8'h20 && info[2] == 8'd22;  // RECEIVED_ABORTED
assign increment[19] = valid[2] && code[2] == 8'h20 && info[2] == 8'd23;  // RECEIVED_ABORT
assign increment[20] = valid[2] && code[2] == 8'h21 && info[2] == 8'd1;  // MALFORMED_BAD_FROM_MAC
assign increment[21] = valid[2] && code[2] == 8'h21 && info[2] == 8'd2;  // MALFORMED_TOO_SHORT
assign increment[22] = valid[2] && code[2] == 8'h21 && info[2] == 8'd3;  // MALFORMED_UNKNOWN_OPERATION
assign increment[23] = valid[2] && code[2] == 8'h21 && info[2] == 8'd4;  // MALFORMED_WRONG_BALANCE
assign increment[24] = valid[2] && code[2] == 8'h21 && info[2] == 8'd5;  // MALFORMED_UNKNOWN_KIND
assign increment[25] = valid[2] && code[2] == 8'h21 && info[2] == 8'd6;  // MALFORMED_BAD_LENGTH
assign increment[26] = valid[2] && code[2] == 8'h21 && info[2] == 8'd7;  // MALFORMED_BAD_GUARD
assign increment[27] = valid[2] && code[2] == 8'h21 && info[2] == 8'd8;  // MALFORMED_WRONG_LINK_SESSION
assign increment[28] = valid[2] && code[2] == 8'h21 && info[2] == 8'd9;  // MALFORMED_WRONG_DIGEST
assign increment[29] = valid[2] && code[2] == 8'h22;  // FOREIGN
assign increment[30] = valid[2] && code[2] == 8'h23;  // UNSUPPORTED
assign increment[31] = valid[2] && code[2] == 8'h24;  // NOT_UP
assign increment[32] = valid[3] && code[3] == 8'h30;  // OPENED
assign increment[33] = valid[3] && code[3] == 8'h31;  // REFLECTION_HEARD
assign increment[34] = valid[3] && code[3] == 8'h32;  // DECIDED
assign increment[35] = valid[3] && code[3] == 8'h33;  // MISMATCHED
assign increment[36] = valid[3] && code[3] == 8'h34;  // CANCELLED
assign increment[37] = valid[3] && code[3] == 8'h35;  // ABORT_CONFIRMED
assign increment[38] = valid[3] && code[3] == 8'h36;  // DONE_HEARD
assign increment[39] = valid[3] && code[3] == 8'h37;  // REFLECTION_REPEATED
assign increment[40] = valid[3] && code[3] == 8'h38;  // RETRIED
assign increment[41] = valid[3] && code[3] == 8'h39;  // RESENT
assign increment[42] = valid[3] && code[3] == 8'h3a && info[3][1:0] == 2'd1;  // TOLD_COMMITTED
assign increment[43] = valid[3] && code[3] == 8'h3a && info[3][1:0] == 2'd2;  // TOLD_ABORTED
assign increment[44] = valid[3] && code[3] == 8'h3a && info[3][1:0] == 2'd3;  // TOLD_UNKNOWN
assign increment[45] = valid[3] && code[3] == 8'h3b;  // ANSWER_IGNORED
assign increment[46] = valid[3] && code[3] == 8'h3c;  // INITIATOR_VIOLATION
assign increment[47] = valid[3] && code[3] == 8'h3d;  // CANCEL_IGNORED
assign increment[48] = valid[3] && code[3] == 8'h3e;  // UNOPENED_TOLD
assign increment[49] = valid[3] && code[3] == 8'h3f;  // RECORD_DISCARDED
assign increment[50] = valid[4] && code[4] == 8'h40;  // HELD
assign increment[51] = valid[4] && code[4] == 8'h41;  // REFLECTED
assign increment[52] = valid[4] && code[4] == 8'h42 && info[4] == 8'd2;  // REFUSED_REFUSED
assign increment[53] = valid[4] && code[4] == 8'h42 && info[4] == 8'd3;  // REFUSED_EPOCH
assign increment[54] = valid[4] && code[4] == 8'h42 && info[4] == 8'd4;  // REFUSED_NOT_PREPARED
assign increment[55] = valid[4] && code[4] == 8'h43;  // COMMIT_HEARD
assign increment[56] = valid[4] && code[4] == 8'h44;  // DELIVERED
assign increment[57] = valid[4] && code[4] == 8'h45;  // SKIPPED
assign increment[58] = valid[4] && code[4] == 8'h46;  // REVERSED
assign increment[59] = valid[4] && code[4] == 8'h47;  // ABORT_RECORDED
assign increment[60] = valid[4] && code[4] == 8'h48;  // ANSWER_REPEATED
assign increment[61] = valid[4] && code[4] == 8'h49;  // DELIVERY_AWAITED
assign increment[62] = valid[4] && code[4] == 8'h4a;  // BEYOND_WINDOW
assign increment[63] = valid[4] && code[4] == 8'h4b;  // BELOW_WINDOW
assign increment[64] = valid[4] && code[4] == 8'h4c;  // COMMIT_IGNORED
assign increment[65] = valid[4] && code[4] == 8'h4d;  // RESPONDER_VIOLATION
assign increment[66] = valid[4] && code[4] == 8'h4e;  // DOUBTED
assign increment[67] = valid[5] && code[5] == 8'h50;  // ENABLED
assign increment[68] = valid[5] && code[5] == 8'h51;  // DISABLED
assign increment[69] = valid[5] && code[5] == 8'h52;  // SYNC_HEARD
assign increment[70] = valid[5] && code[5] == 8'h53;  // SYNC_ACK_HEARD
assign increment[71] = valid[5] && code[5] == 8'h54;  // SYNC_ACK_STALE
assign increment[72] = valid[5] && code[5] == 8'h55;  // LOOPBACK
assign increment[73] = valid[5] && code[5] == 8'h56;  // FOREIGN_SESSION
assign increment[74] = valid[5] && code[5] == 8'h57;  // SYNC_DUE
assign increment[75] = valid[5] && code[5] == 8'h58;  // INCOMING_DEAD
assign increment[76] = valid[5] && code[5] == 8'h59;  // OUTGOING_DEAD
assign increment[77] = valid[5] && code[5] == 8'h5a;  // SESSION_ADOPTED
assign increment[78] = valid[5] && code[5] == 8'h5b;  // PAIR_VIOLATION
assign increment[79] = valid[5] && code[5] == 8'h5c;  // EPOCH_TAKEN
