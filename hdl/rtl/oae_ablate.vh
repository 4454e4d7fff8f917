// Ingredients of the protocol that a build can leave out, to show what then breaks
// (docs/protocol.md, section 9). `OAE_HAS_<id> is 1 unless OAE_ABLATE_<id> is defined. No source
// list for synthesis or proof defines any of them.
`ifndef OAE_ABLATE_VH
`define OAE_ABLATE_VH

// The initiator's decision is durable.
`ifdef OAE_ABLATE_F1
`define OAE_HAS_F1 1'b0
`else
`define OAE_HAS_F1 1'b1
`endif
// The id counter is durable.
`ifdef OAE_ABLATE_F2
`define OAE_HAS_F2 1'b0
`else
`define OAE_HAS_F2 1'b1
`endif
// The reflected record is durable.
`ifdef OAE_ABLATE_F3
`define OAE_HAS_F3 1'b0
`else
`define OAE_HAS_F3 1'b1
`endif
// The responder's outcome is durable.
`ifdef OAE_ABLATE_F4
`define OAE_HAS_F4 1'b0
`else
`define OAE_HAS_F4 1'b1
`endif
// A responder that has reflected never aborts by itself.
`ifdef OAE_ABLATE_F5
`define OAE_HAS_F5 1'b0
`else
`define OAE_HAS_F5 1'b1
`endif
// An initiator that has decided never aborts.
`ifdef OAE_ABLATE_F6
`define OAE_HAS_F6 1'b0
`else
`define OAE_HAS_F6 1'b1
`endif
// The initiator holds the slot until DONE.
`ifdef OAE_ABLATE_F7
`define OAE_HAS_F7 1'b0
`else
`define OAE_HAS_F7 1'b1
`endif
// Nothing is delivered before COMMITTED.
`ifdef OAE_ABLATE_F8
`define OAE_HAS_F8 1'b0
`else
`define OAE_HAS_F8 1'b1
`endif
// Removing F10 makes ids come again after four transactions; see oae_end.v.

// A DONE that answers nothing is not believed (removed: nor is its id looked at).
`ifdef OAE_ABLATE_F11
`define OAE_HAS_F11 1'b0
`else
`define OAE_HAS_F11 1'b1
`endif
// The digest binds the record to its id.
`ifdef OAE_ABLATE_F12
`define OAE_HAS_F12 1'b0
`else
`define OAE_HAS_F12 1'b1
`endif
// The reflection is compared (removed: its digest is adopted as well, in oae_end.v).
`ifdef OAE_ABLATE_F13
`define OAE_HAS_F13 1'b0
`else
`define OAE_HAS_F13 1'b1
`endif
// COMMIT and ABORT carry digests that no single error confuses.
`ifdef OAE_ABLATE_F14
`define OAE_HAS_F14 1'b0
`else
`define OAE_HAS_F14 1'b1
`endif
// Anything at all is durable.
`ifdef OAE_ABLATE_F15
`define OAE_HAS_F15 1'b0
`else
`define OAE_HAS_F15 1'b1
`endif
// Delivery and its mark are one step (removed: the mark comes later).
`ifdef OAE_ABLATE_F18
`define OAE_HAS_F18 1'b0
`else
`define OAE_HAS_F18 1'b1
`endif
// Delivery and its mark are one step (removed: the mark comes earlier).
`ifdef OAE_ABLATE_F19
`define OAE_HAS_F19 1'b0
`else
`define OAE_HAS_F19 1'b1
`endif
// DONE only after delivery.
`ifdef OAE_ABLATE_F20
`define OAE_HAS_F20 1'b0
`else
`define OAE_HAS_F20 1'b1
`endif
// Outcomes are kept past the deliver pointer (removed: until they have been answered once).
`ifdef OAE_ABLATE_F21
`define OAE_HAS_F21 1'b0
`else
`define OAE_HAS_F21 1'b1
`endif
// An ABORT for an id never seen is recorded.
`ifdef OAE_ABLATE_F22
`define OAE_HAS_F22 1'b0
`else
`define OAE_HAS_F22 1'b1
`endif
// Id counter and slot are written in one step.
`ifdef OAE_ABLATE_F23
`define OAE_HAS_F23 1'b0
`else
`define OAE_HAS_F23 1'b1
`endif
// The window test.
`ifdef OAE_ABLATE_F24
`define OAE_HAS_F24 1'b0
`else
`define OAE_HAS_F24 1'b1
`endif
// Receiving never waits for transmitting.
`ifdef OAE_ABLATE_F25
`define OAE_HAS_F25 1'b0
`else
`define OAE_HAS_F25 1'b1
`endif
// A SYNC alone changes nothing that is held about the peer.
`ifdef OAE_ABLATE_F26
`define OAE_HAS_F26 1'b0
`else
`define OAE_HAS_F26 1'b1
`endif
// A challenge keeps its counter while it is outstanding.
`ifdef OAE_ABLATE_F29
`define OAE_HAS_F29 1'b0
`else
`define OAE_HAS_F29 1'b1
`endif
// COMMIT and DATA never pass an owed SYNC_ACK (removed: nor does RESENT wait for it).
`ifdef OAE_ABLATE_F30
`define OAE_HAS_F30 1'b0
`else
`define OAE_HAS_F30 1'b1
`endif

`endif
