// Beats of a link that is forward in time only: they watch over the link as ever, and an answer is
// overdue when a timer says so, RETRY_CYCLES after the slot sent. Its ports are those of oae_beat, in
// whose place it stands.
`default_nettype none

module oae_fito_beat #(
    parameter integer WINDOW = 8,
    parameter integer BEAT_IDLE = 1024,
    parameter integer BEAT_BUSY = 256,
    parameter integer FAULT_BEATS = 8,
    parameter integer RETRY_CYCLES = 2 * BEAT_BUSY,  // from DATA to its repeat
    parameter integer SLOT_BITS = WINDOW > 1 ? $clog2(WINDOW) : 1
) (
    input wire clk,
    input wire rst,
    input wire restart,
    input wire tick,
    input wire enable,
    input wire up,
    input wire up_entered,

    // what is heard
    input wire        frame_valid,
    input wire        beat_valid,
    input wire [31:0] beat_word,

    // what is sent
    input  wire                 line_busy,
    output wire                 due,
    output wire [         31:0] word,
    input  wire                 granted,
    input  wire                 mark_valid,
    input  wire [SLOT_BITS-1:0] mark_slot,

    // slots whose answer is overdue, looked at one a cycle
    input  wire [   WINDOW-1:0] waiting,
    input  wire [   WINDOW-1:0] owes,
    output wire                 retry_valid,
    input  wire                 retry_ready,
    output reg  [SLOT_BITS-1:0] retry_slot,

    output wire incoming_dead,
    output wire outgoing_dead
);

  wire unused_retry;
  wire [SLOT_BITS-1:0] unused_retry_slot;
  wire unused = &{1'b0, unused_retry, unused_retry_slot};
  oae_beat #(
      .WINDOW(WINDOW),
      .BEAT_IDLE(BEAT_IDLE),
      .BEAT_BUSY(BEAT_BUSY),
      .FAULT_BEATS(FAULT_BEATS)
  ) beat (
      .clk(clk),
      .rst(rst),
      .restart(restart),
      .tick(tick),
      .enable(enable),
      .up(up),
      .up_entered(up_entered),
      .frame_valid(frame_valid),
      .beat_valid(beat_valid),
      .beat_word(beat_word),
      .line_busy(line_busy),
      .due(due),
      .word(word),
      .granted(granted),
      .mark_valid(mark_valid),
      .mark_slot(mark_slot),
      .waiting(waiting),
      .owes(owes),
      .retry_valid(unused_retry),
      .retry_ready(1'b1),
      .retry_slot(unused_retry_slot),
      .incoming_dead(incoming_dead),
      .outgoing_dead(outgoing_dead)
  );

  localparam integer TIME_BITS = $clog2(RETRY_CYCLES) + 2;
  localparam [TIME_BITS-1:0] OVERDUE = RETRY_CYCLES[TIME_BITS-1:0];
  localparam integer LAST_SLOT = WINDOW - 1;

  reg [TIME_BITS-1:0] now;
  reg [TIME_BITS-1:0] sent_at[0:WINDOW-1];
  reg [WINDOW-1:0] sent;  // the slot sent since the restart
  wire [TIME_BITS-1:0] age = now - sent_at[retry_slot];
  assign retry_valid = up && waiting[retry_slot] && sent[retry_slot] && !owes[retry_slot] &&
      age >= OVERDUE;

  always @(posedge clk) begin
    if (tick) now <= now + 1'b1;
    if (mark_valid) begin
      sent_at[mark_slot] <= now;
      sent[mark_slot] <= 1'b1;
    end
    if (!retry_valid || retry_ready)
      retry_slot <= retry_slot == LAST_SLOT[SLOT_BITS-1:0] ? {SLOT_BITS{1'b0}} : retry_slot + 1'b1;
    if (rst || restart) sent <= {WINDOW{1'b0}};
    if (rst) begin
      now <= {TIME_BITS{1'b0}};
      retry_slot <= {SLOT_BITS{1'b0}};
    end
  end

endmodule
`default_nettype wire
