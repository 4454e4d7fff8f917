// The conserved-quantity state of a lane's two roles, as a projection of the slot tables.
//
// The initiator is at +0, or at +1 while it holds a push; the responder is at -0, or at +inf
// while it holds one unresolved. Before the link was first up both are at INIT, which the
// appendix writes as a state of its own and the wire never carries; here it reads as the neutral
// zero of the role, with `valid` low.
`default_nettype none
`include "oae_defs.vh"

module oae_balance (
    input  wire       session_known,         // a peer has been verified
    input  wire       initiator_busy,
    input  wire       responder_unresolved,
    output wire       valid,
    output wire [2:0] initiator,
    output wire [2:0] responder
);
  assign valid = session_known;
  assign initiator = initiator_busy ? `OAE_BALANCE_PLUS_ONE : `OAE_BALANCE_PLUS_ZERO;
  assign responder = responder_unresolved ? `OAE_BALANCE_PLUS_INFINITY : `OAE_BALANCE_MINUS_ZERO;
endmodule
`default_nettype wire
