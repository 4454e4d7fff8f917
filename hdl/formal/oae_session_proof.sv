// Both link machines and every channel there is: the proof of the session handshake.
//
// Two oae_link_control modules, as they are synthesized, with crash and amnesia of either in any
// cycle. The channel is "was ever sent": a SYNC or SYNC_ACK may be heard by either end, its sender
// included, in any cycle after it went, any number of times, in any order, or never.
//
// Followed are one session of each end, which are arbitrary, and one challenge of each, which is
// arbitrary too. Frames that belong to neither challenge come at will, with any content. What is
// proven of the followed values is so proven of all. End 0 is A, end 1 is B; x asks, y answers.
`default_nettype none
`include "oae_defs.vh"

module oae_session_proof #(
    parameter integer WINDOW_A = 4,
    parameter integer WINDOW_B = 2,
    parameter integer RECORD_MAX_A = 64,
    parameter integer RECORD_MAX_B = 1488,
    parameter integer SYNC_INTERVAL = 1024
) (
    input wire clk,

    // everything that the world may do to either end, in any cycle
    input wire [  1:0] crash,
    input wire [  1:0] amnesia,
    input wire [  1:0] tick,
    input wire [  1:0] enable,
    input wire [127:0] drawn,             // cfg_session
    input wire [ 63:0] cfg_epoch,
    input wire [  1:0] heard,             // a verified SYNC or SYNC_ACK
    input wire [  1:0] heard_sync,        // and it is a SYNC
    input wire [127:0] heard_session,
    input wire [127:0] heard_verified,
    input wire [127:0] heard_challenger,
    input wire [ 63:0] heard_counter,
    input wire [ 31:0] heard_record_max,
    input wire [ 15:0] heard_window,
    input wire [  1:0] foreign,
    input wire [  1:0] sync_goes,
    input wire [  1:0] sync_ack_goes,
    input wire [  1:0] incoming_dead,
    input wire [  1:0] outgoing_dead,
    input wire [  1:0] initiator_busy,
    input wire [  1:0] responder_unresolved
);

  // The session of A and the session of B that are followed, and a challenge of each.
  (* anyconst *) wire [63:0] session_of_a, session_of_b;
  (* anyconst *) wire [31:0] challenge_of_a, challenge_of_b;
  // Of each end one session more, that it must never take for its peer's.
  (* anyconst *) wire [127:0] own;
  wire [127:0] follow = {session_of_b, session_of_a};
  wire [63:0] number = {challenge_of_b, challenge_of_a};

  localparam [15:0] WINDOWS = {WINDOW_B[7:0], WINDOW_A[7:0]};
  localparam [31:0] RECORD_MAXES = {RECORD_MAX_B[15:0], RECORD_MAX_A[15:0]};
  localparam [7:0] LESSER_WINDOW = WINDOW_A < WINDOW_B ? WINDOW_A[7:0] : WINDOW_B[7:0];
  localparam [15:0] LESSER_RECORD_MAX =
      RECORD_MAX_A < RECORD_MAX_B ? RECORD_MAX_A[15:0] : RECORD_MAX_B[15:0];
  localparam integer BITS_A = WINDOW_A > 1 ? $clog2(WINDOW_A) : 1;
  localparam integer BITS_B = WINDOW_B > 1 ? $clog2(WINDOW_B) : 1;

  reg started = 1'b0;
  always @(posedge clk) started <= 1'b1;
  wire rst = !started;
  wire [1:0] restart = crash | amnesia | {2{rst}};

  // ------------------------------------------------------------------ the two ends

  // The arbiter grants what is owed, one frame a cycle, never at a restart.
  wire [1:0] owes_sync, owes_sync_ack;
  wire [1:0] sync_ack_sent = sync_ack_goes & owes_sync_ack & ~restart;
  wire [1:0] sync_sent = sync_goes & owes_sync & ~sync_ack_sent & ~restart;

  wire [127:0] session, verified, answer_session;
  wire [63:0] answer_counter, counter;
  wire [3:0] link_state;
  wire [1:0] up, up_entered, changing, adopt, resend;
  wire [BITS_A-1:0] slot_mask_a;
  wire [BITS_B-1:0] slot_mask_b;
  wire [31:0] record_max;
  wire [15:0] slot_mask = {{8 - BITS_B{1'b0}}, slot_mask_b, {8 - BITS_A{1'b0}}, slot_mask_a};
  wire [4:0] operation_a = heard_sync[0] ? `OAE_OPERATION_SYNC : `OAE_OPERATION_SYNC_ACK;
  wire [4:0] operation_b = heard_sync[1] ? `OAE_OPERATION_SYNC : `OAE_OPERATION_SYNC_ACK;

  oae_link_control #(
      .WINDOW(WINDOW_A),
      .RECORD_MAX(RECORD_MAX_A),
      .SYNC_INTERVAL(SYNC_INTERVAL)
  ) a (
      .clk(clk),
      .rst(rst),
      .crash(crash[0]),
      .amnesia(amnesia[0]),
      .tick(tick[0]),
      .cfg_enable(enable[0]),
      .cfg_session(drawn[63:0]),
      .cfg_epoch(cfg_epoch[31:0]),
      .frame_valid(heard[0]),
      .frame_operation(operation_a),
      .frame_session(heard_session[63:0]),
      .frame_verified(heard_verified[63:0]),
      .frame_challenger(heard_challenger[63:0]),
      .frame_counter(heard_counter[31:0]),
      .frame_record_max(heard_record_max[15:0]),
      .frame_window(heard_window[7:0]),
      .foreign_session(foreign[0]),
      .owes_sync_ack(owes_sync_ack[0]),
      .owes_sync(owes_sync[0]),
      .sync_ack_granted(sync_ack_sent[0]),
      .sync_granted(sync_sent[0]),
      .session(session[63:0]),
      .verified(verified[63:0]),
      .answer_session(answer_session[63:0]),
      .answer_counter(answer_counter[31:0]),
      .counter(counter[31:0]),
      .incoming_dead(incoming_dead[0]),
      .outgoing_dead(outgoing_dead[0]),
      .link_state(link_state[1:0]),
      .up(up[0]),
      .up_entered(up_entered[0]),
      .changing(changing[0]),
      .adopt(adopt[0]),
      .resend(resend[0]),
      .initiator_busy(initiator_busy[0]),
      .responder_unresolved(responder_unresolved[0]),
      .slot_mask(slot_mask_a),
      .record_max(record_max[15:0]),
      .transmit_link_session(),
      .receive_link_session(),
      .epoch(),
      .epoch_settled(),
      .event_valid(),
      .event_word()
  );

  oae_link_control #(
      .WINDOW(WINDOW_B),
      .RECORD_MAX(RECORD_MAX_B),
      .SYNC_INTERVAL(SYNC_INTERVAL)
  ) b (
      .clk(clk),
      .rst(rst),
      .crash(crash[1]),
      .amnesia(amnesia[1]),
      .tick(tick[1]),
      .cfg_enable(enable[1]),
      .cfg_session(drawn[127:64]),
      .cfg_epoch(cfg_epoch[63:32]),
      .frame_valid(heard[1]),
      .frame_operation(operation_b),
      .frame_session(heard_session[127:64]),
      .frame_verified(heard_verified[127:64]),
      .frame_challenger(heard_challenger[127:64]),
      .frame_counter(heard_counter[63:32]),
      .frame_record_max(heard_record_max[31:16]),
      .frame_window(heard_window[15:8]),
      .foreign_session(foreign[1]),
      .owes_sync_ack(owes_sync_ack[1]),
      .owes_sync(owes_sync[1]),
      .sync_ack_granted(sync_ack_sent[1]),
      .sync_granted(sync_sent[1]),
      .session(session[127:64]),
      .verified(verified[127:64]),
      .answer_session(answer_session[127:64]),
      .answer_counter(answer_counter[63:32]),
      .counter(counter[63:32]),
      .incoming_dead(incoming_dead[1]),
      .outgoing_dead(outgoing_dead[1]),
      .link_state(link_state[3:2]),
      .up(up[1]),
      .up_entered(up_entered[1]),
      .changing(changing[1]),
      .adopt(adopt[1]),
      .resend(resend[1]),
      .initiator_busy(initiator_busy[1]),
      .responder_unresolved(responder_unresolved[1]),
      .slot_mask(slot_mask_b),
      .record_max(record_max[31:16]),
      .transmit_link_session(),
      .receive_link_session(),
      .epoch(),
      .epoch_settled(),
      .event_valid(),
      .event_word()
  );

  // What is inside them: flattening joins these wires with the machines' own.
  (* hierconn *) wire [63:0] \a.pending , \b.pending ;
  (* hierconn *) wire [7:0] \a.pending_window , \b.pending_window ;
  (* hierconn *) wire [15:0] \a.pending_record_max , \b.pending_record_max ;
  (* hierconn *) wire \a.outstanding , \b.outstanding ;
  (* hierconn *) wire \a.sync_ack_owed , \b.sync_ack_owed ;
  (* hierconn *) wire \a.resend_owed , \b.resend_owed ;
  (* hierconn *) wire \a.sessions_known , \b.sessions_known ;
  (* hierconn *) wire \a.possible , \b.possible ;
  (* hierconn *) wire \a.answers_me , \b.answers_me ;
  (* hierconn *) wire \a.next_changing , \b.next_changing ;
  (* hierconn *) wire [1:0] \a.next_link_state , \b.next_link_state ;
  (* hierconn *) wire [63:0] \a.next_session , \b.next_session ;
  (* hierconn *) wire [63:0] \a.next_verified , \b.next_verified ;
  (* hierconn *) wire [63:0] \a.next_pending , \b.next_pending ;
  (* hierconn *) wire [31:0] \a.next_counter , \b.next_counter ;
  wire [127:0] pending = {\b.pending , \a.pending };
  wire [15:0] pending_window = {\b.pending_window , \a.pending_window };
  wire [31:0] pending_record_max = {\b.pending_record_max , \a.pending_record_max };
  wire [1:0] outstanding = {\b.outstanding , \a.outstanding };
  wire [1:0] sync_ack_owed = {\b.sync_ack_owed , \a.sync_ack_owed };
  wire [1:0] resend_owed = {\b.resend_owed , \a.resend_owed };
  wire [1:0] known = {\b.sessions_known , \a.sessions_known };
  wire [1:0] possible = {\b.possible , \a.possible };
  wire [1:0] answers_me = {\b.answers_me , \a.answers_me };
  wire [1:0] next_changing = {\b.next_changing , \a.next_changing };
  wire [3:0] next_link_state = {\b.next_link_state , \a.next_link_state };
  wire [127:0] next_session = {\b.next_session , \a.next_session };
  wire [127:0] next_verified = {\b.next_verified , \a.next_verified };
  wire [127:0] next_pending = {\b.next_pending , \a.next_pending };
  wire [63:0] next_counter = {\b.next_counter , \a.next_counter };

  // ------------------------------------------------------------------ the history

  // What went over the channel, ever, and belongs to the followed challenge of an end.
  reg [1:0] asked;  // the challenge was started
  reg [1:0] sync_ever;  // its SYNC went
  reg [1:0] named_ever, unnamed_ever;  // the peer's followed session answered, naming x or not
  reg [1:0] other_ever;  // another session of the peer answered
  reg [1:0] own_ever;  // the challenger itself, in a later life, answered
  // What went since the end started its present challenge.
  reg [1:0] went;  // its SYNC
  reg [1:0] named, unnamed, other;  // answers to it, as above
  reg [1:0] this_life;  // and there was no restart since
  reg [1:0] peer_began_used;  // when it started, the peer's followed session had existed
  reg [1:0] peer_began_dead;  // and it was already lost
  // Sessions.
  reg [1:0] used;  // the followed session was ever held by its end
  reg [1:0] had;  // in it the end believed in the peer's followed one
  reg [1:0] adopted;  // and adopted it
  reg [1:0] outlived;  // and completed a challenge that it began when the peer's was lost
  reg [1:0] lie;  // the answer believed last was not given since it was asked for
  reg [1:0] believed_lost;  // it bore a session that was lost when the challenge began

  wire [1:0] holds, dead, believes, starts;
  reg [1:0] last_up_entered, last_sync_ack_sent;

  generate
    genvar x;
    for (x = 0; x < 2; x = x + 1) begin : g_history
      localparam integer y = 1 - x;
      wire [63:0] mine = follow[64*x+:64];
      wire [63:0] peers = follow[64*y+:64];
      wire [63:0] now = session[64*x+:64];
      wire [31:0] count = counter[32*x+:32];
      assign holds[x] = now == mine;
      assign dead[x] = used[x] && !holds[x];
      // An answer is believed in this cycle.
      assign believes[x] = heard[x] && !heard_sync[x] && !restart[x] && possible[x] &&
          answers_me[x] && heard_session[64*x+:64] != now &&
          link_state[2*x+:2] != `OAE_LINK_STATE_DOWN;
      // A challenge is started in this cycle.
      assign starts[x] = next_counter[32*x+:32] != count && !restart[x];
      wire starts_followed = starts[x] && next_session[64*x+:64] == mine &&
          next_counter[32*x+:32] == number[32*x+:32];
      wire answers_followed = answer_session[64*y+:64] == mine &&
          answer_counter[32*y+:32] == number[32*x+:32];
      wire answers_present = answer_session[64*y+:64] == now && answer_counter[32*y+:32] == count;
      wire answers_own = answer_session[64*x+:64] == mine &&
          answer_counter[32*x+:32] == number[32*x+:32];
      wire peer_names_followed = verified[64*y+:64] == mine;
      wire peer_names_present = verified[64*y+:64] == now;
      wire names_me = heard_verified[64*x+:64] == now;
      wire from_followed = heard_session[64*x+:64] == peers;
      wire from_own = heard_session[64*x+:64] == own[64*x+:64];
      wire given = from_own ? 1'b0 : from_followed ? (names_me ? named[x] : unnamed[x]) : other[x];

      always @(posedge clk) begin
        used[x] <= used[x] || holds[x];
        if (sync_sent[x] && holds[x] && count == number[32*x+:32]) sync_ever[x] <= 1'b1;
        if (sync_sent[x]) went[x] <= 1'b1;
        if (sync_ack_sent[y]) begin
          if (answers_followed) begin
            if (holds[y] && peer_names_followed) named_ever[x] <= 1'b1;
            if (holds[y] && !peer_names_followed) unnamed_ever[x] <= 1'b1;
            if (!holds[y]) other_ever[x] <= 1'b1;
          end
          if (answers_present) begin
            if (holds[y] && peer_names_present) named[x] <= 1'b1;
            if (holds[y] && !peer_names_present) unnamed[x] <= 1'b1;
            if (!holds[y]) other[x] <= 1'b1;
          end
        end
        if (sync_ack_sent[x] && answers_own) own_ever[x] <= 1'b1;
        if (starts[x]) begin
          {went[x], named[x], unnamed[x], other[x]} <= 4'd0;
          this_life[x] <= 1'b1;
          peer_began_used[x] <= used[y] || holds[y];
          peer_began_dead[x] <= dead[y];
        end
        if (restart[x]) this_life[x] <= 1'b0;
        if (starts_followed) begin
          asked[x] <= 1'b1;
          {sync_ever[x], named_ever[x], unnamed_ever[x], other_ever[x], own_ever[x]} <= 5'd0;
        end
        lie[x] <= believes[x] && !(went[x] && given &&
                                   heard_window[8*x+:8] == WINDOWS[8*y+:8] &&
                                   heard_record_max[16*x+:16] == RECORD_MAXES[16*y+:16]);
        believed_lost[x] <= holds[x] && believes[x] && from_followed && peer_began_dead[x];
        if (holds[x] && believes[x]) begin
          if (from_followed) had[x] <= 1'b1;
          if (peer_began_dead[x]) outlived[x] <= 1'b1;
        end
        if (holds[x] && adopt[x] && pending[64*x+:64] == peers) adopted[x] <= 1'b1;
        last_up_entered[x] <= up_entered[x];
        last_sync_ack_sent[x] <= sync_ack_sent[x];
        if (rst) begin
          {asked[x], sync_ever[x], named_ever[x], unnamed_ever[x], other_ever[x]} <= 5'd0;
          {own_ever[x], went[x], named[x], unnamed[x], other[x], this_life[x]} <= 6'd0;
          {peer_began_used[x], peer_began_dead[x], used[x], had[x], adopted[x]} <= 5'd0;
          {outlived[x], lie[x], believed_lost[x]} <= 3'd0;
        end
      end

      // ---------------------------------------------------------------- what is assumed
      wire draws = now == 64'd0 && next_session[64*x+:64] != 64'd0 && !restart[x];
      wire drawn_by_peer = session[64*y+:64] == 64'd0 && !restart[y] &&
          next_session[64*x+:64] == next_session[64*y+:64];
      always @* begin
        // The followed values are sessions, one of A and one of B.
        assume(mine != 64'd0 && mine != peers && own[64*x+:64] != 64'd0);
        assume(own[64*x+:64] != peers && own[64*x+:64] != own[64*y+:64]);
`ifndef OAE_ABLATE_F28
        // Entropy: a session that is drawn was never drawn before, by neither end.
        if (draws) begin
          assume(next_session[64*x+:64] != mine || !(used[x] || holds[x]));
          assume(next_session[64*x+:64] != session[64*y+:64] && !drawn_by_peer);
        end
`endif
        // Of two equal sessions none would be drawn: that of A is A's, that of B is B's.
        if (draws) begin
          assume(next_session[64*x+:64] != peers);
          assume(next_session[64*x+:64] != own[64*y+:64]);
        end
        // Lifetime: when the challenge counter has gone round, 2^32 challenges in one session,
        // nothing of the challenge that had this number is left, in the channel or at the peer.
        if (starts_followed && asked[x]) begin
          assume(!(sync_ack_owed[y] && answers_followed));
          assume(!(heard[y] && heard_sync[y] && heard_session[64*y+:64] == mine &&
                   heard_counter[32*y+:32] == number[32*x+:32]));
        end
        // What `fresh` and `sizes` promise of the followed challenge holds of any other: it is
        // believed of the cycle before, for which it is proven.
        assume(!lie[x]);
      end
    end

    // The channel: z hears only what was sent. x is the challenger, y its peer.
    genvar z;
    for (z = 0; z < 2; z = z + 1) begin : g_channel
      for (x = 0; x < 2; x = x + 1) begin : g_followed
        localparam integer y = 1 - x;
        wire [63:0] mine = follow[64*x+:64];
        wire numbered = heard_counter[32*z+:32] == number[32*x+:32];
        wire from_peer = heard_session[64*z+:64] == follow[64*y+:64];
        wire from_own = heard_session[64*z+:64] == own[64*x+:64];
        wire names = heard_verified[64*z+:64] == mine;
        always @*
          if (heard[z] && numbered) begin
            if (heard_sync[z] && heard_session[64*z+:64] == mine) assume(sync_ever[x]);
            if (!heard_sync[z] && heard_challenger[64*z+:64] == mine) begin
              if (from_peer) assume(names ? named_ever[x] : unnamed_ever[x]);
              else if (from_own) assume(own_ever[x]);
              else assume(other_ever[x] || own_ever[x]);
              // Every frame carries the sizes that its sender is built with.
              if (from_peer || !own_ever[x])
                assume(heard_window[8*z+:8] == WINDOWS[8*y+:8] &&
                       heard_record_max[16*z+:16] == RECORD_MAXES[16*y+:16]);
            end
          end
      end
    end
  endgenerate

  // ------------------------------------------------------------------ what is promised

  // Each promise of both ends: bit x that of end x.
  wire [1:0] only_answers_kept, bound_kept, fresh_kept, this_life_kept, sizes_kept;
  wire [1:0] dead_pair_kept, mutual_kept, paired_kept, drained_kept, idle_kept, once_kept;
  wire [1:0] not_own_kept, settled_kept, window_kept, record_kept, keeps_kept, behind_kept;

  generate
    for (x = 0; x < 2; x = x + 1) begin : g_promise
      localparam integer y = 1 - x;
      wire [63:0] mine = follow[64*x+:64];
      wire [63:0] peers = follow[64*y+:64];
      wire of_challenge = holds[x] && counter[32*x+:32] == number[32*x+:32];
      wire up_of_pair = up[x] && holds[x] && verified[64*x+:64] == peers;
      wire from_followed = heard_session[64*x+:64] == peers;
      wire from_own = heard_session[64*x+:64] == own[64*x+:64];
      wire names_me = heard_verified[64*x+:64] == session[64*x+:64];
      wire believes_challenge = believes[x] && of_challenge;

      assign only_answers_kept[x] = restart[x] || believes[x] ||
          (next_pending[64*x+:64] == pending[64*x+:64] && (changing[x] || !next_changing[x]) &&
           (up[x] || next_link_state[2*x+:2] != `OAE_LINK_STATE_UP));
      assign bound_kept[x] = restart[x] || next_verified[64*x+:64] == verified[64*x+:64] ||
          (adopt[x] && next_verified[64*x+:64] == pending[64*x+:64]);
      assign fresh_kept[x] = !believes_challenge ||
          (!from_own && (from_followed ? (names_me ? named[x] : unnamed[x]) : other[x]));
      assign this_life_kept[x] = !believes_challenge || (this_life[x] && went[x]);
      assign sizes_kept[x] = !believes_challenge || (heard_window[8*x+:8] == WINDOWS[8*y+:8] &&
          heard_record_max[16*x+:16] == RECORD_MAXES[16*y+:16]);
      assign dead_pair_kept[x] = !up_of_pair || !outlived[x];
      assign mutual_kept[x] = !up_of_pair || (adopted[x] && adopted[y]);
      assign paired_kept[x] = !(up_of_pair && holds[y]) ||
          (verified[64*y+:64] == mine && !changing[y]);
      assign drained_kept[x] = !adopt[x] ||
          (changing[x] && !initiator_busy[x] && !responder_unresolved[x]);
      assign idle_kept[x] = !adopt[x] || (!up[x] && !outstanding[x]);
      assign once_kept[x] = !(adopt[x] && holds[x] && pending[64*x+:64] == peers) || !adopted[x];
      assign not_own_kept[x] = verified[64*x+:64] != own[64*x+:64];
      assign settled_kept[x] = !up[x] ||
          (!changing[x] && known[x] && verified[64*x+:64] != 64'd0);
      assign window_kept[x] = !up[x] || slot_mask[8*x+:8] == LESSER_WINDOW - 8'd1;
      assign record_kept[x] = !up[x] || record_max[16*x+:16] == LESSER_RECORD_MAX;
      assign keeps_kept[x] = !starts[x] || !outstanding[x];
      assign behind_kept[x] = !resend[x] || last_up_entered[x] || last_sync_ack_sent[x];
    end
  endgenerate

`ifndef OAE_REACH
  always @*
    if (started) begin
      // Only an answer to the outstanding challenge changes what is held about the peer: what is
      // pending, and whether the link is UP.
      only_answers : assert (&only_answers_kept);
      // What is verified changes only where the ids start again, and only to what was pending.
      bound : assert (&bound_kept);
      // An answer that is believed was given after the challenge was started, by the session that
      // it bears; it names the challenger only if the peer did so then.
      fresh : assert (&fresh_kept);
      // The challenge belongs to the present life, and its SYNC has gone.
      this_life_only : assert (&this_life_kept);
      // The answer carries the sizes of the peer.
      sizes : assert (&sizes_kept);
      // Nothing lost is believed in a challenge that began after the loss;
      lost : assert (believed_lost == 2'b00);
      // so an end is UP with a session that its peer has lost no longer than to the end of the
      // first challenge that it begins after that.
      dead_pair : assert (&dead_pair_kept);
      // An end is UP only in a pair that both ends have adopted;
      mutual : assert (&mutual_kept);
      // and unless the peer has lost its memory since, it is still in that pair.
      paired : assert (&paired_kept);
      // The ids start again when nothing is held,
      drained : assert (&drained_kept);
      // while neither frames nor an answer can come in between,
      idle : assert (&idle_kept);
      // and once in each pair.
      once : assert (&once_kept);
      // An end never takes a session of its own, lost long ago, for that of its peer.
      not_own : assert (&not_own_kept);
      // Only in a settled pair, whose link sessions are known, does more than SYNC and SYNC_ACK
      // travel.
      settled : assert (&settled_kept);
      // Both ends use the lesser window and the lesser record maximum.
      lesser_window : assert (&window_kept);
      lesser_record : assert (&record_kept);
      // A challenge keeps its counter while it is outstanding.
      keeps : assert (&keeps_kept);
      // What waits is sent again when the link comes UP, or behind the SYNC_ACK.
      behind : assert (&behind_kept);
    end
`endif

  // ------------------------------------------------------------------ the relations

`ifndef OAE_PROMISES_ONLY
  generate
    for (x = 0; x < 2; x = x + 1) begin : g_relation
      localparam integer y = 1 - x;
      wire [63:0] mine = follow[64*x+:64];
      wire [63:0] peers = follow[64*y+:64];
      wire [63:0] now = session[64*x+:64];
      wire [31:0] count = counter[32*x+:32];
      wire is_down = link_state[2*x+:2] == `OAE_LINK_STATE_DOWN;
      wire of_challenge = holds[x] && count == number[32*x+:32];
      wire [63:0] latest = changing[x] ? pending[64*x+:64] : verified[64*x+:64];
      wire any_ever = named_ever[x] || unnamed_ever[x] || other_ever[x];

      always @*
        if (started) begin
          // A session is drawn when the end is enabled; each end keeps to its own.
          if (!is_down) assert (now != 64'd0);
          if (now == 64'd0) assert (verified[64*x+:64] == 64'd0 && !changing[x] && count == 32'd0);
          assert (now != peers);
          if (outstanding[x] || sync_ack_owed[x] || resend_owed[x]) assert (!is_down);
          if (outstanding[x]) assert (this_life[x]);
          // An end never answers itself.
          if (sync_ack_owed[x]) assert (answer_session[64*x+:64] != now);

          // The followed challenge: first asked, then sent, then answered.
          if (asked[x] || of_challenge) assert (used[x] || holds[x]);
          if (of_challenge) assert (asked[x]);
          if (sync_ever[x]) assert (asked[x]);
          if (any_ever || own_ever[x]) assert (sync_ever[x]);
          if (sync_ack_owed[y] && answer_session[64*y+:64] == mine &&
              answer_counter[32*y+:32] == number[32*x+:32])
            assert (sync_ever[x]);
          if (sync_ack_owed[x] && answer_session[64*x+:64] == mine &&
              answer_counter[32*x+:32] == number[32*x+:32])
            assert (sync_ever[x]);
          // Whoever answers itself has lost the session in which it asked.
          if (own_ever[x]) assert (dead[x]);
          // As long as it is the present challenge, all that belongs to it came since.
          if (of_challenge) begin
            assert (sync_ever[x] == went[x]);
            assert (named_ever[x] == named[x] && unnamed_ever[x] == unnamed[x] &&
                    other_ever[x] == other[x]);
          end
          // A SYNC goes when both link sessions are known, and that lasts as long as the challenge.
          if (went[x] && outstanding[x]) assert (known[x]);

          // Answers to the present challenge, and the peer's followed session.
          if (named[x] || unnamed[x]) assert (used[y] && !peer_began_dead[x]);
          if (other[x] && peer_began_used[x]) assert (dead[y]);
          if (peer_began_used[x]) assert (used[y]);
          if (peer_began_dead[x]) assert (dead[y]);
          if (named[x] && holds[x]) assert (adopted[y]);

          // The peer's sessions are believed in the order in which it drew them.
          if (had[x]) assert (used[x] && used[y]);
          if (holds[x] && latest == peers) assert (had[x]);
          if (holds[x] && had[x] && outstanding[x]) assert (peer_began_used[x]);
          if (holds[x] && had[x] && latest != peers) begin
            assert (dead[y]);
            if (outstanding[x]) assert (peer_began_dead[x]);
          end
          if (adopted[x]) assert (had[x]);
          if (holds[x] && verified[64*x+:64] == peers) assert (adopted[x]);
          if (holds[x] && changing[x] && pending[64*x+:64] == peers) assert (!adopted[x]);
          if (outlived[x]) assert (dead[y]);
          if (holds[x] && outlived[x]) begin
            assert (latest != peers);
            if (outstanding[x]) assert (peer_began_dead[x]);
          end

          // Nothing of its own, and its peer's sizes.
          assert (pending[64*x+:64] != own[64*x+:64]);
          assert (now != own[64*y+:64]);
          if (changing[x])
            assert (pending_window[8*x+:8] == WINDOWS[8*y+:8] &&
                    pending_record_max[16*x+:16] == RECORD_MAXES[16*y+:16]);
          if (verified[64*x+:64] != 64'd0)
            assert (slot_mask[8*x+:8] == LESSER_WINDOW - 8'd1 &&
                    record_max[16*x+:16] == LESSER_RECORD_MAX);
          if (changing[x]) assert (pending[64*x+:64] != 64'd0);
        end
    end
  endgenerate
`endif

  // ------------------------------------------------------------------ what can happen

`ifdef OAE_WIRE
  // Here the channel is a wire: what is heard was sent in the cycle before, and nothing is lost.
  // Both ends come UP first; then, within four cycles, there are at most two of crash, amnesia,
  // dead direction and disabling. So a trace is what two ends and a medium really do.
  reg [1:0] flies, flies_sync, seen_crash, seen_amnesia;
  reg [127:0] flies_session, flies_verified, flies_challenger;
  reg [63:0] flies_counter;
  reg [3:0] last_link_state;
  reg seen_up;
  reg [1:0] faults, age;
  reg late;
  wire fault = crash != 2'd0 || amnesia != 2'd0 || incoming_dead != 2'd0 || outgoing_dead != 2'd0 ||
      enable != 2'd3;
  always @* begin
    assume(heard == flies && sync_goes == 2'd3 && sync_ack_goes == 2'd3 && foreign == 2'd0);
    assume(initiator_busy == 2'd0 && responder_unresolved == 2'd0 && cfg_epoch == 64'd0);
    if (!seen_up || late || faults == 2'd2) assume(!fault);
    // The sessions are numbers that are easy to read. With F28 removed the same ones come again.
    assume(session_of_a == 64'd1 && session_of_b == 64'd2 && own == {64'd4, 64'd3});
    assume(challenge_of_a == 32'd1 && challenge_of_b == 32'd1);
`ifdef OAE_ABLATE_F28
    assume(drawn == {64'd2, 64'd1});
`else
    assume(drawn[63:0] == (used[0] ? 64'd5 : 64'd1));
    assume(drawn[127:64] == (used[1] ? 64'd6 : 64'd2));
`endif
  end
  generate
    for (x = 0; x < 2; x = x + 1) begin : g_cover
      localparam integer y = 1 - x;
      always @(posedge clk) begin
        flies[y] <= !rst && (sync_sent[x] || sync_ack_sent[x]);
        flies_sync[y] <= sync_sent[x];
        flies_session[64*y+:64] <= session[64*x+:64];
        flies_verified[64*y+:64] <= verified[64*x+:64];
        flies_challenger[64*y+:64] <= answer_session[64*x+:64];
        flies_counter[32*y+:32] <=
            sync_sent[x] ? counter[32*x+:32] : answer_counter[32*x+:32];
        last_link_state[2*x+:2] <= link_state[2*x+:2];
        if (seen_up && crash[x]) seen_crash[x] <= 1'b1;
        if (seen_up && amnesia[x]) seen_amnesia[x] <= 1'b1;
        if (rst) {seen_crash[x], seen_amnesia[x]} <= 2'd0;
        if (rst) last_link_state[2*x+:2] <= `OAE_LINK_STATE_DOWN;
      end
      always @*
        if (heard[x]) begin
          assume(heard_sync[x] == flies_sync[x]);
          assume(heard_session[64*x+:64] == flies_session[64*x+:64]);
          assume(heard_verified[64*x+:64] == flies_verified[64*x+:64]);
          assume(heard_challenger[64*x+:64] == flies_challenger[64*x+:64]);
          assume(heard_counter[32*x+:32] == flies_counter[32*x+:32]);
          assume(heard_window[8*x+:8] == WINDOWS[8*y+:8]);
          assume(heard_record_max[16*x+:16] == RECORD_MAXES[16*y+:16]);
        end
    end
  endgenerate
  always @(posedge clk) begin
    seen_up <= !rst && (seen_up || (&up && &holds));
    age <= seen_up ? age + 1'b1 : 2'd0;
    late <= !rst && (late || age == 2'd3);
    faults <= rst ? 2'd0 : fault ? faults + 1'b1 : faults;
  end

  wire [1:0] was = last_link_state[1:0];
  wire [1:0] is = link_state[1:0];
  always @*
    if (started) begin
      both_up : cover (&up && &holds);
      // UP with a peer that has lost its memory: what is promised is not that this never is.
      dead_up : cover (up[0] && holds[0] && verified[63:0] == session_of_b && dead[1]);
      // Every arc of the link machine.
      down_syncing : cover (was == `OAE_LINK_STATE_DOWN && is == `OAE_LINK_STATE_SYNCING);
      syncing_down : cover (was == `OAE_LINK_STATE_SYNCING && is == `OAE_LINK_STATE_DOWN);
      syncing_up : cover (was == `OAE_LINK_STATE_SYNCING && is == `OAE_LINK_STATE_UP);
      syncing_adopt : cover (is == `OAE_LINK_STATE_SYNCING && adopt[0]);
      up_down : cover (was == `OAE_LINK_STATE_UP && is == `OAE_LINK_STATE_DOWN);
      up_fault : cover (was == `OAE_LINK_STATE_UP && is == `OAE_LINK_STATE_FAULT);
      fault_up : cover (was == `OAE_LINK_STATE_FAULT && is == `OAE_LINK_STATE_UP);
      fault_down : cover (was == `OAE_LINK_STATE_FAULT && is == `OAE_LINK_STATE_DOWN);
    end
  // What takes longer is reached as the failure of the claim that it never happens. After the crash
  // of an end the same pair comes UP again, after its amnesia a new one.
  wire up_again = &up && &holds && seen_crash[0];
  wire up_anew = &up && holds[0] && seen_amnesia[1];
  wire from_up = was == `OAE_LINK_STATE_UP && is == `OAE_LINK_STATE_SYNCING;
  wire from_fault = was == `OAE_LINK_STATE_FAULT && is == `OAE_LINK_STATE_SYNCING;
`ifdef OAE_REACH_CRASH
  always @* if (started) never_up_again : assert (!up_again);
`endif
`ifdef OAE_REACH_AMNESIA
  always @* if (started) never_up_anew : assert (!up_anew);
`endif
`ifdef OAE_REACH_UP_SYNCING
  always @* if (started) never_up_syncing : assert (!from_up);
`endif
`ifdef OAE_REACH_FAULT_SYNCING
  always @* if (started) never_fault_syncing : assert (!from_fault);
`endif
`endif

endmodule

// Link sessions: what the link machine counts is the CRC-32C of the pair of sessions, in order.
//
// So a frame of another pair is not accepted, as far as CRC-32C tells the pairs apart: it is not
// injective, and that two pairs which one end meets have the same link session, 1 in 2^32 for
// sessions drawn at random, is what is assumed. oae_session_proof proves the rest: an end that is
// UP knows the link sessions of its pair (`settled`), what is verified changes only where the ids
// start again (`bound`), once in a pair (`once`), and a pair that an end is UP in has been adopted
// by the other (`mutual`). So the ids in an accepted frame count from the same start.
module oae_link_session_proof (
    input wire clk,

    input wire        crash,
    input wire        amnesia,
    input wire        tick,
    input wire        enable,
    input wire [63:0] drawn,
    input wire        heard,
    input wire [ 4:0] operation,
    input wire [63:0] heard_session,
    input wire [63:0] heard_verified,
    input wire [63:0] heard_challenger,
    input wire [31:0] heard_counter,
    input wire [15:0] heard_record_max,
    input wire [ 7:0] heard_window,
    input wire        sync_sent,
    input wire        sync_ack_sent,
    input wire        busy,
    input wire        unresolved
);

  reg started = 1'b0;
  always @(posedge clk) started <= 1'b1;
  wire rst = !started;

  wire [63:0] session, verified;
  wire [31:0] transmit_link_session, receive_link_session;
  wire owes_sync, owes_sync_ack, adopt;

  oae_link_control link (
      .clk(clk),
      .rst(rst),
      .crash(crash),
      .amnesia(amnesia),
      .tick(tick),
      .cfg_enable(enable),
      .cfg_session(drawn),
      .cfg_epoch(32'd0),
      .frame_valid(heard),
      .frame_operation(operation),
      .frame_session(heard_session),
      .frame_verified(heard_verified),
      .frame_challenger(heard_challenger),
      .frame_counter(heard_counter),
      .frame_record_max(heard_record_max),
      .frame_window(heard_window),
      .foreign_session(1'b0),
      .owes_sync_ack(owes_sync_ack),
      .owes_sync(owes_sync),
      .sync_ack_granted(sync_ack_sent),
      .sync_granted(sync_sent),
      .session(session),
      .verified(verified),
      .answer_session(),
      .answer_counter(),
      .counter(),
      .incoming_dead(1'b0),
      .outgoing_dead(1'b0),
      .link_state(),
      .up(),
      .up_entered(),
      .changing(),
      .adopt(adopt),
      .resend(),
      .initiator_busy(busy),
      .responder_unresolved(unresolved),
      .slot_mask(),
      .record_max(),
      .transmit_link_session(transmit_link_session),
      .receive_link_session(receive_link_session),
      .epoch(),
      .epoch_settled(),
      .event_valid(),
      .event_word()
  );

  (* hierconn *) wire [5:0] \link.session_step ;
  (* hierconn *) wire \link.session_fetched ;
  (* hierconn *) wire [7:0] \link.session_data ;
  (* hierconn *) wire [31:0] \link.session_crc ;

  // CRC-32C, reflected, of the sixteen bytes of a pair; the first byte is the highest.
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

  // The same in the plainest way: a byte a cycle from the highest on, of the pair as it is sent
  // with and then as it is received with. It starts when a session or the verified one is new.
  wire [127:0] sent_pair = {session, verified};
  wire [127:0] received_pair = {verified, session};
  reg [4:0] taken;  // bytes of the pair
  reg second, waits;
  reg [31:0] plain, plain_sent, plain_received;
  wire [127:0] pair = second ? received_pair : sent_pair;
  wire [127:0] pair_left = pair << {taken, 3'd0};
  wire done = second && taken == 5'd16;
  wire [31:0] next_plain = crc_byte(plain, pair_left[127:120]);
  // 0 means "none", so 1 takes its place.
  wire [31:0] next_value = ~next_plain == 32'd0 ? 32'd1 : ~next_plain;

  always @(posedge clk) begin
    waits <= 1'b0;
    if (!waits && !done) begin
      plain <= next_plain;
      taken <= taken + 1'b1;
      if (taken == 5'd15) begin
        if (second) plain_received <= next_value;
        else plain_sent <= next_value;
        if (!second) begin
          plain  <= 32'hffffffff;
          taken  <= 5'd0;
          second <= 1'b1;
        end
      end
    end
    if (rst || crash || amnesia || adopt || session == 64'd0) begin
      plain  <= 32'hffffffff;
      taken  <= 5'd0;
      second <= 1'b0;
      waits  <= 1'b1;  // for the first byte
    end
  end

  wire [5:0] step = \link.session_step ;
  wire is_new = adopt || crash || amnesia || session == 64'd0;
  reg [63:0] last_session, last_verified;
  reg was_new;
  always @(posedge clk) begin
    last_session <= session;
    last_verified <= verified;
    was_new <= is_new || rst;
  end

  always @*
    if (started) begin
      // Known means that both are right, and nothing is sent before that.
      if (step[5]) transmit_right : assert (transmit_link_session == plain_sent);
      if (step[5]) receive_right : assert (receive_link_session == plain_received);
      if (owes_sync || owes_sync_ack) sent_known : assert (step[5]);
      if (step[5])
        never_none : assert (transmit_link_session != 32'd0 && receive_link_session != 32'd0);
      // Whenever one of the two sessions is another, it is computed again.
      if (session != last_session || verified != last_verified)
        again : assert (was_new && !second && taken == 5'd0 && waits);

      // The two machines keep step.
      assert (step == (done ? 6'd32 : {1'b0, second, taken[3:0]}));
      assert (taken <= 5'd16 && (taken != 5'd16 || second));
      assert (\link.session_fetched == !waits);
      if (!done) assert (\link.session_crc == plain);
      if (!waits && !done) assert (\link.session_data == pair_left[127:120]);
      if (second) assert (transmit_link_session == plain_sent && plain_sent != 32'd0);
      both_known : cover (step[5] && verified != 64'd0);
    end

endmodule
`default_nettype wire
