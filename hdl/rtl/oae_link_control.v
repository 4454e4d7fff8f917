// Link machine: sessions, challenges, link state, negotiated sizes and epochs.
//
// Only a SYNC_ACK to the outstanding challenge may change what this end holds about its peer. It
// takes at most one step a cycle and tells it as one event word. Steps: docs/design.md, "Link
// machine".
`default_nettype none
`include "oae_defs.vh"
`include "oae_ablate.vh"

module oae_link_control #(
    parameter integer WINDOW = 8,  // slots, built
    parameter integer RECORD_MAX = 64,  // bytes, built
    parameter integer SYNC_INTERVAL = 1024,  // ticks between challenges that go again
    parameter integer SLOT_BITS = WINDOW > 1 ? $clog2(WINDOW) : 1
) (
    input wire clk,
    input wire rst,
    input wire crash,
    input wire amnesia,
    input wire tick,     // of the timer

    input wire        cfg_enable,
    input wire [63:0] cfg_session,  // host entropy, drawn once after power-on; never 0
    input wire [31:0] cfg_epoch,    // the epoch that the domain wants to be in

    // a verified SYNC or SYNC_ACK; a frame of another link session
    input wire        frame_valid,
    input wire [ 4:0] frame_operation,
    input wire [63:0] frame_session,
    input wire [63:0] frame_verified,
    input wire [63:0] frame_challenger,
    input wire [31:0] frame_counter,
    input wire [15:0] frame_record_max,
    input wire [ 7:0] frame_window,
    input wire        foreign_session,

    // what is owed to the peer
    output wire owes_sync_ack,
    output wire owes_sync,
    input  wire sync_ack_granted,
    input  wire sync_granted,

    // fields of SYNC and SYNC_ACK
    output reg [63:0] session,
    output reg [63:0] verified,
    output reg [63:0] answer_session,
    output reg [31:0] answer_counter,
    output reg [31:0] counter,

    // dead directions, while UP and beats are enabled
    input wire incoming_dead,
    input wire outgoing_dead,

    // lanes
    output reg  [          1:0] link_state,
    output wire                 up,
    output reg                  up_entered,             // this edge the link comes UP
    output reg                  changing,
    output reg                  adopt,                  // this edge the lanes start again at id 0
    output reg                  resend,
    input  wire                 initiator_busy,
    input  wire                 responder_unresolved,
    output reg  [SLOT_BITS-1:0] slot_mask,
    output reg  [         15:0] record_max,
    output reg  [         31:0] transmit_link_session,
    output reg  [         31:0] receive_link_session,
    output reg  [         31:0] epoch,
    output wire                 epoch_settled,

    output reg        event_valid,
    output reg [63:0] event_word
);

  localparam integer TIMER_BITS = $clog2(SYNC_INTERVAL + 1);
  localparam [TIMER_BITS-1:0] TIMER_END = SYNC_INTERVAL[TIMER_BITS-1:0];
  localparam [31:0] BUILT_MASK = WINDOW - 1;

  // Durable: session, verified, changing, pending, counter, slot_mask, record_max, epoch (ports).
  reg [63:0] pending, next_pending;
  reg [7:0] pending_window, next_pending_window;
  reg [15:0] pending_record_max, next_pending_record_max;
  // Volatile.
  reg outstanding, next_outstanding;
  reg sync_owed, next_sync_owed;
  reg sync_ack_owed, next_sync_ack_owed;
  reg resend_owed, next_resend_owed;  // RESENT follows when the owed SYNC_ACK goes
  reg [TIMER_BITS-1:0] timer;  // ticks since the last SYNC went, saturating

  reg [63:0] next_session, next_verified, next_answer_session;
  reg [31:0] next_answer_counter, next_counter, next_epoch;
  reg [1:0] next_link_state;
  reg next_changing, next_resend;
  reg [SLOT_BITS-1:0] next_slot_mask;
  reg [15:0] next_record_max;
  reg challenge;
  reg next_event_valid;
  reg [7:0] event_code, event_info;
  reg [31:0] event_value;

  assign up = link_state == `OAE_LINK_STATE_UP;
  assign epoch_settled = cfg_epoch == epoch;

  wire timer_end = timer == TIMER_END;
  wire is_sync = frame_operation == `OAE_OPERATION_SYNC;
  wire down = link_state == `OAE_LINK_STATE_DOWN;
  wire from_verified = frame_session == verified && !changing;
  wire from_pending = frame_session == pending && changing;
  wire names_me = frame_verified == session;
  wire answers_me = outstanding && frame_challenger == session && frame_counter == counter;

  // The smaller of the two ends' sizes.
  wire [7:0] built_window = WINDOW[7:0];
  wire [15:0] built_record_max = RECORD_MAX[15:0];
  function automatic [7:0] smaller_window;
    input [7:0] peer;
    smaller_window = peer < built_window ? peer : built_window;
  endfunction
  function automatic [15:0] smaller_record_max;
    input [15:0] peer;
    smaller_record_max = peer < built_record_max ? peer : built_record_max;
  endfunction
  wire [7:0] offered_window = smaller_window(frame_window);
  wire [7:0] offered_mask = offered_window - 1'b1;
  wire [7:0] pending_mask = smaller_window(pending_window) - 1'b1;
  wire unused = &{1'b0, pending_mask};  // its high bits: never beyond the built window
  // A session is never 0, and a window is a power of two.
  wire power_of_two = frame_window != 8'd0 && (frame_window & (frame_window - 1'b1)) == 8'd0;
  wire possible = frame_session != 64'd0 && power_of_two && frame_record_max != 16'd0;
  wire same_sizes = offered_mask == {{8 - SLOT_BITS{1'b0}}, slot_mask} && smaller_record_max(
      frame_record_max
  ) == record_max;

  always @* begin
    next_session = session;
    next_verified = verified;
    next_changing = changing;
    next_pending = pending;
    next_pending_window = pending_window;
    next_pending_record_max = pending_record_max;
    next_counter = counter;
    next_slot_mask = slot_mask;
    next_record_max = record_max;
    next_epoch = epoch;
    next_link_state = link_state;
    next_outstanding = outstanding;
    next_sync_owed = sync_owed && !sync_granted;
    next_sync_ack_owed = sync_ack_owed && !sync_ack_granted;
    next_answer_session = answer_session;
    next_answer_counter = answer_counter;
    next_resend_owed = resend_owed && !sync_ack_granted;
    next_resend = resend_owed && sync_ack_granted;
    adopt = 1'b0;
    up_entered = 1'b0;
    challenge = 1'b0;
    next_event_valid = 1'b1;
    event_code = `OAE_EVENT_SYNC_DUE;
    event_info = 8'd0;
    event_value = 32'd0;

    if (frame_valid && !down) begin
      event_value = frame_counter;
      if (frame_session == session) begin
        event_code  = `OAE_EVENT_LOOPBACK;
        event_info  = {3'd0, frame_operation};
        event_value = 32'd0;
      end else if (is_sync) begin
        if (!possible || (from_verified && !same_sizes)) begin
          event_code  = `OAE_EVENT_PAIR_VIOLATION;
          event_value = 32'd0;
        end else begin
          event_code = `OAE_EVENT_SYNC_HEARD;
          next_sync_ack_owed = 1'b1;
          next_answer_session = frame_session;
          next_answer_counter = frame_counter;
          challenge = !(from_verified || from_pending) || (!up && names_me);
          event_info = {7'd0, challenge};
          next_resend_owed = from_verified && up;
`ifdef OAE_ABLATE_F30
          // RESENT does not wait for the SYNC_ACK.
          next_resend = from_verified && up;
          next_resend_owed = 1'b0;
`endif
`ifdef OAE_ABLATE_F26
          // A SYNC is believed: no challenge asks whether it is fresh.
          if (!from_verified && !from_pending) begin
            next_changing = 1'b1;
            next_pending = frame_session;
            next_pending_window = frame_window;
            next_pending_record_max = frame_record_max;
            next_link_state = `OAE_LINK_STATE_SYNCING;
          end
`endif
        end
      end else if (!possible) begin
        event_code  = `OAE_EVENT_PAIR_VIOLATION;
        event_value = 32'd0;
      end else if (!answers_me) begin
        event_code = `OAE_EVENT_SYNC_ACK_STALE;
      end else begin
        // Fresh: the peer that holds frame_session has just seen my challenge.
        event_code = `OAE_EVENT_SYNC_ACK_HEARD;
        next_outstanding = 1'b0;
        if (from_verified) begin
          next_link_state = names_me ? `OAE_LINK_STATE_UP : `OAE_LINK_STATE_SYNCING;
          up_entered = names_me && !up;
          if (names_me && !up) next_resend = 1'b1;
        end else begin
          event_info = 8'd1;
          next_changing = 1'b1;
          next_pending = frame_session;
          next_pending_window = frame_window;
          next_pending_record_max = frame_record_max;
          next_link_state = `OAE_LINK_STATE_SYNCING;
        end
      end
    end else if (foreign_session && up && !outstanding && timer_end) begin
      event_code = `OAE_EVENT_FOREIGN_SESSION;
      challenge  = 1'b1;
    end else if (down && cfg_enable && (session != 64'd0 || cfg_session != 64'd0)) begin
      event_code = `OAE_EVENT_ENABLED;
      next_link_state = `OAE_LINK_STATE_SYNCING;
      if (session == 64'd0) next_session = cfg_session;
      challenge = 1'b1;
    end else if (!down && !cfg_enable) begin
      event_code = `OAE_EVENT_DISABLED;
      next_link_state = `OAE_LINK_STATE_DOWN;
      next_outstanding = 1'b0;
      next_sync_owed = 1'b0;
      next_sync_ack_owed = 1'b0;
      next_resend_owed = 1'b0;
    end else if (changing && !initiator_busy && !responder_unresolved && !down &&
                 !outstanding) begin
      // Not while a challenge is out: its answer could bring the link UP before the link sessions
      // of the new pair are known.
      event_code = `OAE_EVENT_SESSION_ADOPTED;
      event_value = pending[31:0];
      adopt = 1'b1;
      next_verified = pending;
      next_changing = 1'b0;
      next_slot_mask = pending_mask[SLOT_BITS-1:0];
      next_record_max = smaller_record_max(pending_record_max);
      challenge = 1'b1;
    end else if (up && incoming_dead) begin
      event_code = `OAE_EVENT_INCOMING_DEAD;
      next_link_state = `OAE_LINK_STATE_FAULT;
      challenge = 1'b1;
    end else if (up && outgoing_dead) begin
      event_code = `OAE_EVENT_OUTGOING_DEAD;
      next_link_state = `OAE_LINK_STATE_FAULT;
      challenge = 1'b1;
    end else if (timer_end && !sync_owed && (outstanding || (!up && !down))) begin
      event_code = `OAE_EVENT_SYNC_DUE;
      challenge  = 1'b1;
    end else if (!epoch_settled && !initiator_busy && !responder_unresolved && !changing) begin
      event_code  = `OAE_EVENT_EPOCH_TAKEN;
      event_value = cfg_epoch;
      next_epoch  = cfg_epoch;
    end else begin
      next_event_valid = 1'b0;
    end

    if (rst || amnesia || crash) begin
      adopt = 1'b0;
      up_entered = 1'b0;
    end
    if (challenge) begin
      // While one is outstanding the same SYNC goes again: a new counter would kill its answer.
      if (!outstanding || !`OAE_HAS_F29) next_counter = counter + 1'b1;
      next_outstanding = 1'b1;
      next_sync_owed   = 1'b1;
      if (event_code == `OAE_EVENT_SYNC_DUE) event_value = next_counter;
    end
  end

  always @(posedge clk) begin
    session <= next_session;
    verified <= next_verified;
    changing <= next_changing;
    pending <= next_pending;
    pending_window <= next_pending_window;
    pending_record_max <= next_pending_record_max;
    counter <= next_counter;
    slot_mask <= next_slot_mask;
    record_max <= next_record_max;
    epoch <= next_epoch;
    link_state <= next_link_state;
    outstanding <= next_outstanding;
    sync_owed <= next_sync_owed;
    sync_ack_owed <= next_sync_ack_owed;
    answer_session <= next_answer_session;
    answer_counter <= next_answer_counter;
    resend_owed <= next_resend_owed;
    resend <= next_resend;
    timer <= sync_granted ? {TIMER_BITS{1'b0}} : tick && !timer_end ? timer + 1'b1 : timer;
    event_valid <= next_event_valid;
    event_word <= {
      event_code, 8'd0, 2'd0, link_state, 2'd0, next_link_state, event_info, event_value
    };
    if (rst || amnesia || crash) begin
      // Volatile state is lost; durable state stays as it was before this edge.
      session <= session;
      verified <= verified;
      changing <= changing;
      pending <= pending;
      pending_window <= pending_window;
      pending_record_max <= pending_record_max;
      counter <= counter;
      slot_mask <= slot_mask;
      record_max <= record_max;
      epoch <= epoch;
      link_state <= `OAE_LINK_STATE_DOWN;
      outstanding <= 1'b0;
      sync_owed <= 1'b0;
      sync_ack_owed <= 1'b0;
      resend_owed <= 1'b0;
      resend <= 1'b0;
      timer <= {TIMER_BITS{1'b0}};
      event_valid <= 1'b0;
    end
    if (rst || amnesia) begin
      session <= 64'd0;
      verified <= 64'd0;
      changing <= 1'b0;
      pending <= 64'd0;
      pending_window <= 8'd0;
      pending_record_max <= 16'd0;
      counter <= 32'd0;
      slot_mask <= BUILT_MASK[SLOT_BITS-1:0];
      record_max <= built_record_max;
      epoch <= 32'd0;
      answer_session <= 64'd0;
      answer_counter <= 32'd0;
    end
  end

  // Link sessions: CRC-32C of (sender's session, receiver's session), one byte a cycle, first for
  // what is sent, then for what is received; the byte is fetched a cycle before. Nothing is sent
  // until both are known.
  reg  [  5:0] session_step;  // 32 = known
  reg          session_fetched;
  reg  [  7:0] session_data;
  reg  [ 31:0] session_crc;
  wire [255:0] session_bytes = {session, verified, verified, session};
  wire [  4:0] session_byte = ~(session_step[4:0] +{4'd0, session_fetched});
  wire [ 31:0] session_crc_next = crc_byte(session_crc, session_data);
  wire         sessions_known = session_step[5];
  assign owes_sync_ack = sync_ack_owed && sessions_known;
  assign owes_sync = sync_owed && sessions_known;

  function automatic [31:0] crc_byte;
    input [31:0] crc;
    input [7:0] data;
    integer i;
    begin
      crc_byte = crc ^ {24'd0, data};
      for (i = 0; i < 8; i = i + 1)
      crc_byte = {1'b0, crc_byte[31:1]} ^ (crc_byte[0] ? 32'h82f63b78 : 32'd0);
    end
  endfunction

  always @(posedge clk) begin
    session_data <= session_bytes[8*session_byte+:8];
    session_fetched <= 1'b1;
    if (!sessions_known && session_fetched) begin
      session_step <= session_step + 1'b1;
      session_crc  <= session_crc_next;
      if (session_step[3:0] == 4'hf) begin
        session_crc <= 32'hffffffff;
        if (session_step[4])
          receive_link_session <= ~session_crc_next == 32'd0 ? 32'd1 : ~session_crc_next;
        else transmit_link_session <= ~session_crc_next == 32'd0 ? 32'd1 : ~session_crc_next;
      end
    end
    // A new own or verified session, or a restart, starts it again.
    if (rst || amnesia || crash || adopt || session == 64'd0) begin
      session_step <= 6'd0;
      session_crc <= 32'hffffffff;
      session_fetched <= 1'b0;
    end
  end

endmodule
`default_nettype wire
