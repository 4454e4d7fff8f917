// The run of a pair with a clock of its own, for simulators that need one. With OAE_WAVEFORM it
// writes its waveform.
`default_nettype none

module oae_link_pair_clock #(
    parameter integer WINDOW_A       = 8,
    parameter integer WINDOW_B       = 8,
    parameter integer RECORD_MAX_A   = 64,
    parameter integer RECORD_MAX_B   = 64,
    parameter integer BEAT_IDLE      = 256,
    parameter integer BEAT_BUSY      = 64,
    parameter integer FAULT_BEATS    = 64,
    parameter integer SYNC_INTERVAL  = 512,
    parameter integer DIRECT         = 0,
    parameter integer SCHEDULE_WORDS = 16384
);

  reg clk;
  initial begin
    clk = 1'b0;
    forever #4 clk = !clk;
  end

`ifdef OAE_WAVEFORM
  initial begin
    $dumpfile("waveform.fst");
    $dumpvars(0, oae_link_pair_clock);
  end
`endif

  oae_link_pair_top #(
      .WINDOW_A(WINDOW_A),
      .WINDOW_B(WINDOW_B),
      .RECORD_MAX_A(RECORD_MAX_A),
      .RECORD_MAX_B(RECORD_MAX_B),
      .BEAT_IDLE(BEAT_IDLE),
      .BEAT_BUSY(BEAT_BUSY),
      .FAULT_BEATS(FAULT_BEATS),
      .SYNC_INTERVAL(SYNC_INTERVAL),
      .DIRECT(DIRECT),
      .SCHEDULE_WORDS(SCHEDULE_WORDS)
  ) top (
      .clk(clk)
  );

endmodule
`default_nettype wire
