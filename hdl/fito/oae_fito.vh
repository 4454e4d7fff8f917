// Which end the simulated pair is built of: the bilateral one, or the one that is forward in time
// only (FITO, docs/fito.md). `OAE_FITO keeps sequence numbers and duplicate suppression in volatile
// memory, so a crash is amnesia; with `OAE_FITO_DURABLE they survive it.
`ifndef OAE_FITO_VH
`define OAE_FITO_VH

`ifdef OAE_FITO
`define OAE_END oae_fito_end
`define OAE_CRASH_FORGETS 1'b1
`elsif OAE_FITO_DURABLE
`define OAE_END oae_fito_end
`define OAE_CRASH_FORGETS 1'b0
`else
`define OAE_END oae_end
`define OAE_CRASH_FORGETS 1'b0
`endif

`endif
