// Beats: when one is due, what it says, which answers an echo proves overdue, and which direction
// of the link is dead. All of it is volatile.
//
// No step of a clean link waits for anything in here: beats may be switched off. Its timers advance
// in the cycles of `tick` only.
`default_nettype none

module oae_beat #(
    parameter integer WINDOW = 8,
    parameter integer BEAT_IDLE = 1024,  // ticks of idle line before a beat
    parameter integer BEAT_BUSY = 256,  // ticks between beats while a slot waits
    parameter integer FAULT_BEATS = 8,  // intervals, or unanswered beats, before FAULT
    parameter integer SLOT_BITS = WINDOW > 1 ? $clog2(WINDOW) : 1
) (
    input wire clk,
    input wire rst,
    input wire restart,    // crash or amnesia
    input wire tick,       // of the timers
    input wire enable,
    input wire up,
    input wire up_entered,

    // what is heard
    input wire        frame_valid,  // any verified frame
    input wire        beat_valid,   // NOP
    input wire [31:0] beat_word,    // {echo wanted, number, echo valid, echo}

    // what is sent
    input  wire                 line_busy,
    output reg                  due,
    output wire [         31:0] word,        // operand of the next NOP
    input  wire                 granted,     // the NOP is handed to the builder
    input  wire                 mark_valid,  // a frame of this slot is handed to the builder
    input  wire [SLOT_BITS-1:0] mark_slot,

    // slots whose answer is overdue, found by a scan of one slot a cycle
    input  wire [   WINDOW-1:0] waiting,
    input  wire [   WINDOW-1:0] owes,
    output wire                 retry_valid,
    input  wire                 retry_ready,
    output reg  [SLOT_BITS-1:0] retry_slot,

    output wire incoming_dead,
    output wire outgoing_dead
);

  localparam integer IDLE_BITS = $clog2(BEAT_IDLE + 1);
  localparam integer BUSY_BITS = $clog2(BEAT_BUSY + 1);
  localparam integer FAULT_BITS = $clog2(FAULT_BEATS + 1);
  localparam integer SILENCE = FAULT_BEATS * BEAT_IDLE;
  localparam integer SILENCE_BITS = $clog2(SILENCE + 1);
  localparam [IDLE_BITS-1:0] IDLE_END = BEAT_IDLE[IDLE_BITS-1:0];
  localparam [BUSY_BITS-1:0] BUSY_END = BEAT_BUSY[BUSY_BITS-1:0];
  localparam [FAULT_BITS-1:0] FAULT_END = FAULT_BEATS[FAULT_BITS-1:0];
  localparam [SILENCE_BITS-1:0] SILENCE_END = SILENCE[SILENCE_BITS-1:0];
  localparam integer LAST_SLOT = WINDOW - 1;

  reg [14:0] number;  // of the newest beat that I sent
  reg [14:0] echo;  // newest own number that the peer has echoed
  reg [14:0] peer_number;  // last number heard
  reg peer_heard;
  reg echo_owed;  // the peer wants an echo
  reg [14:0] marks[0:WINDOW-1];
  reg [WINDOW-1:0] marked;  // the slot sent since the restart; until it does, its mark is 0
  reg [IDLE_BITS-1:0] idle;  // ticks of idle line
  reg [BUSY_BITS-1:0] since_beat;  // ticks of waiting since the last beat went
  reg [SILENCE_BITS-1:0] silence;  // ticks since anything valid was heard
  reg [FAULT_BITS-1:0] unanswered;  // beats that wanted an echo since one advanced

  wire wanted = |waiting;
  wire beat_wants_echo = beat_word[31];
  wire [14:0] beat_number = beat_word[30:16];
  wire beat_has_echo = beat_word[15];
  wire [14:0] beat_echo = beat_word[14:0];
  // Serial arithmetic, 15 bits: an echo ahead of my own number is not mine.
  wire [14:0] behind = number - beat_echo;
  wire unused = &{1'b0, behind};  // only its sign matters
  wire [14:0] gain = beat_echo - echo;
  wire advances = beat_valid && beat_has_echo && !behind[14] && !gain[14] && gain != 15'd0;

  wire [14:0] next_number = number + 1'b1;
  assign word = {wanted, next_number, peer_heard, peer_number};
  // Found a cycle ahead; a beat that goes meanwhile is the one that was due.
  wire becomes_due = enable && up && (idle == IDLE_END ||
      (since_beat == BUSY_END && (wanted || echo_owed)));

  // The scan is one slot ahead of what it offers; a frame that goes meanwhile is not overdue.
  reg [SLOT_BITS-1:0] scan_slot;
  reg overdue;
  wire [14:0] lead = echo - (marked[scan_slot] ? marks[scan_slot] : 15'd0);
  assign retry_valid   = overdue && waiting[retry_slot] && !owes[retry_slot];

  assign incoming_dead = enable && silence == SILENCE_END;
  assign outgoing_dead = enable && unanswered == FAULT_END;

  always @(posedge clk) begin
    due <= becomes_due && !granted && !(rst || restart);
    if (granted) number <= next_number;
    if (advances) echo <= beat_echo;
    if (beat_valid) begin
      peer_heard  <= 1'b1;
      peer_number <= beat_number;
    end
    if (granted) echo_owed <= 1'b0;
    if (beat_valid && beat_wants_echo) echo_owed <= 1'b1;
    if (mark_valid) begin
      marks[mark_slot]  <= number;
      marked[mark_slot] <= 1'b1;
    end

    if (line_busy || granted) idle <= {IDLE_BITS{1'b0}};
    else if (tick && idle != IDLE_END) idle <= idle + 1'b1;
    if (granted || !(wanted || echo_owed)) since_beat <= {BUSY_BITS{1'b0}};
    else if (tick && since_beat != BUSY_END) since_beat <= since_beat + 1'b1;
    if (frame_valid || up_entered) silence <= {SILENCE_BITS{1'b0}};
    else if (tick && silence != SILENCE_END) silence <= silence + 1'b1;
    if (advances || up_entered || !wanted) unanswered <= {FAULT_BITS{1'b0}};
    else if (granted && unanswered != FAULT_END) unanswered <= unanswered + 1'b1;

    if (!retry_valid || retry_ready) begin
      scan_slot <= scan_slot == LAST_SLOT[SLOT_BITS-1:0] ? {SLOT_BITS{1'b0}} : scan_slot + 1'b1;
      retry_slot <= scan_slot;
      overdue <= !lead[14] && lead != 15'd0 && !(mark_valid && mark_slot == scan_slot);
    end else if (mark_valid && mark_slot == retry_slot) overdue <= 1'b0;

    if (rst || restart) begin
      number <= 15'd0;
      echo <= 15'd0;
      peer_number <= 15'd0;
      peer_heard <= 1'b0;
      echo_owed <= 1'b0;
      idle <= {IDLE_BITS{1'b0}};
      since_beat <= {BUSY_BITS{1'b0}};
      silence <= {SILENCE_BITS{1'b0}};
      unanswered <= {FAULT_BITS{1'b0}};
      retry_slot <= {SLOT_BITS{1'b0}};
      scan_slot <= {SLOT_BITS{1'b0}};
      overdue <= 1'b0;
      marked <= {WINDOW{1'b0}};
    end
  end

endmodule
`default_nettype wire
