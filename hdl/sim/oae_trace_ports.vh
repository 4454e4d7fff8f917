    // Parameters and ports of oae_trace: the module that writes the trace and the one that hands it to
    // the compiled engine see the same of a run.
    parameter integer               ENDS          = 2,
    // one value an end, the first end lowest
    parameter         [ 8*ENDS-1:0] WINDOWS       = 0,
    parameter         [16*ENDS-1:0] RECORD_MAXES  = 0,
    parameter         [48*ENDS-1:0] ADDRESSES     = 0,
    parameter         [       15:0] ETHERTYPE     = `OAE_ETHERTYPE,
    parameter integer               BEAT_IDLE     = 0,
    parameter integer               BEAT_BUSY     = 0,
    parameter integer               FAULT_BEATS   = 0,
    parameter integer               SYNC_INTERVAL = 0,
    parameter integer               DIRECT        = 0
) (
    input wire        clk,
    input wire        rst,
    input wire [31:0] seed,
    input wire [31:0] rule_count,

    // packets; streams of an end: 0 submit, 1 deliver, 2 receive, 3 transmit
    input wire [   4*ENDS-1:0] stream_taken,
    input wire [64*4*ENDS-1:0] stream_data,
    input wire [ 8*4*ENDS-1:0] stream_keep,
    input wire [   4*ENDS-1:0] stream_last,
    input wire [   4*ENDS-1:0] stream_user,
    input wire [  16*ENDS-1:0] submit_tag,
    input wire [   8*ENDS-1:0] submit_kind,
    input wire [  32*ENDS-1:0] deliver_id,
    input wire [  32*ENDS-1:0] receive_number,

    input wire [   ENDS-1:0] completion_taken,
    input wire [16*ENDS-1:0] completion_tag,
    input wire [32*ENDS-1:0] completion_id,
    input wire [ 8*ENDS-1:0] completion_kind,
    input wire [ 2*ENDS-1:0] completion_outcome,
    input wire [ 6*ENDS-1:0] completion_reason,
    input wire [   ENDS-1:0] doubt_taken,
    input wire [32*ENDS-1:0] doubt_id,
    input wire [32*ENDS-1:0] doubt_digest,
    input wire [   ENDS-1:0] cancel_taken,
    input wire [16*ENDS-1:0] cancel_tag,

    // the channel away from each end
    input wire [   ENDS-1:0] fate_valid,
    input wire [32*ENDS-1:0] fate_number,
    input wire [ 8*ENDS-1:0] fate_operation,
    input wire [32*ENDS-1:0] fate_id,
    input wire [16*ENDS-1:0] fate_copy,
    input wire [16*ENDS-1:0] fate_faults,
    input wire [ 8*ENDS-1:0] fate_rule,       // 255: none
    input wire [   ENDS-1:0] cut,

    input wire [    ENDS-1:0] crash,
    input wire [    ENDS-1:0] amnesia,
    input wire [131*ENDS-1:0] config_words,  // {enable, beats, accept, session, epoch, prepared}
    input wire [ 75*ENDS-1:0] status_words,  // {link, incoming, outgoing, changing, epoch, ...}

    input wire [   `OAE_CHANNELS*ENDS-1:0] event_valid,
    input wire [64*`OAE_CHANNELS*ENDS-1:0] event_words,

    input wire [`OAE_RULES_MAX-1:0] fired,
    input wire                      stop,
    input wire [               1:0] stop_reason,
    input wire                      register_valid,
    input wire [               7:0] register_address,
    input wire [       32*ENDS-1:0] register_values,
    input wire                      finish             // the last item
