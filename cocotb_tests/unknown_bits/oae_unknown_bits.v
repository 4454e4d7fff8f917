// No output of an end depends on a register that rst leaves alone, nor on an input that is not
// valid: a pair of ends runs in a four-valued simulator, with everything unknown at the start and
// every payload unknown while its valid is low, and no output bit may be unknown after rst.
//
// Records, cancels, epochs, lost frames, stalls, crashes and amnesias come by chance (+seed=N). It
// is simulation and no proof: a solver has two values, and to say in relations which of the
// registers that rst leaves alone count when would say again what the unit proofs already do.
//
//   iverilog -g2012 -I hdl/rtl -s oae_unknown_bits -o unknown_bits.vvp hdl/rtl/*.v cocotb_tests/unknown_bits/oae_unknown_bits.v
//   vvp unknown_bits.vvp +cycles=20000 +seed=1
`default_nettype none
`include "oae_defs.vh"

module oae_unknown_bits;
  localparam integer RECORD_MAX = 40;
  localparam integer WINDOW = 4;

  reg clk = 1'b0;
  always #5 clk = !clk;
  reg rst = 1'b1;
  integer seed, cycles, cycle, faults;
  integer deliveries, outcomes, doubts, restarts;

  // One of `of` times.
  function automatic chance;
    input integer of;
    chance = $urandom(seed) % of == 0;
  endfunction

  // ------------------------------------------------------------------ the ends

  reg [1:0] crash, amnesia, frame_lost, mac_free;
  reg [63:0] submit_data[0:1];
  reg [7:0] submit_keep[0:1], submit_kind[0:1];
  reg [15:0] submit_tag[0:1], cancel_tag[0:1];
  reg [1:0] submit_valid, submit_last, submit_user, cancel_valid;
  reg [1:0] completion_ready, deliver_ready, doubt_ready, accept, enable, beats;
  reg [63:0] session[0:1];
  reg [31:0] epoch[0:1], prepared[0:1];
  reg [7:0] register_address[0:1];
  integer left[0:1];  // beats of the packet that is being submitted

  wire [63:0] line_data[0:1];
  wire [7:0] line_keep[0:1];
  wire [1:0] line_valid, line_last, line_user, receive_ready, submit_ready, deliver_valid;
  wire [1:0] completion_valid, doubt_valid, delivery, told;
  reg [1:0] line_losing;  // the rest of this frame is lost

  genvar e;
  generate
    for (e = 0; e < 2; e = e + 1) begin : g_end
      wire deliver_last, deliver_user, cancel_ready, incoming, outgoing, changing, balance_valid;
      wire [63:0] deliver_data;
      wire [7:0] deliver_keep, completion_kind;
      wire [31:0] deliver_id, completion_id, doubt_id, doubt_digest, epoch_now, converged;
      wire [15:0] completion_tag;
      wire [1:0] outcome, link_state;
      wire [5:0] reason;
      wire [2:0] initiator_balance, responder_balance;
      wire [`OAE_CHANNELS-1:0] event_valid;
      wire [64*`OAE_CHANNELS-1:0] event_words;
      wire [47:0] event_cycle;
      wire [31:0] register_data;
      wire heard = line_valid[1-e] && mac_free[1-e] && !line_losing[1-e] && !frame_lost[1-e];
      oae_end #(
          .WINDOW(WINDOW),
          .RECORD_MAX(RECORD_MAX),
          .BEAT_IDLE(128),
          .BEAT_BUSY(32),
          .FAULT_BEATS(4),
          .SYNC_INTERVAL(64)
      ) dut (
          .clk(clk),
          .rst(rst),
          .crash(crash[e]),
          .amnesia(amnesia[e]),
          .tick(1'b1),
          .s_axis_tdata(heard ? line_data[1-e] : {64{1'bx}}),
          .s_axis_tkeep(heard ? line_keep[1-e] : {8{1'bx}}),
          .s_axis_tvalid(heard),
          .s_axis_tready(receive_ready[e]),
          .s_axis_tlast(heard ? line_last[1-e] : {1{1'bx}}),
          .s_axis_tuser(heard ? line_user[1-e] : {1{1'bx}}),
          .m_axis_tdata(line_data[e]),
          .m_axis_tkeep(line_keep[e]),
          .m_axis_tvalid(line_valid[e]),
          .m_axis_tready(mac_free[e]),
          .m_axis_tlast(line_last[e]),
          .m_axis_tuser(line_user[e]),
          .s_submit_tdata(submit_valid[e] ? submit_data[e] : {64{1'bx}}),
          .s_submit_tkeep(submit_valid[e] ? submit_keep[e] : {8{1'bx}}),
          .s_submit_tvalid(submit_valid[e]),
          .s_submit_tready(submit_ready[e]),
          .s_submit_tlast(submit_valid[e] ? submit_last[e] : {1{1'bx}}),
          .s_submit_tuser(submit_valid[e] && submit_last[e] ? submit_user[e] : {1{1'bx}}),
          .s_submit_tag(submit_valid[e] && submit_last[e] ? submit_tag[e] : {16{1'bx}}),
          .s_submit_kind(submit_valid[e] && submit_last[e] ? submit_kind[e] : {8{1'bx}}),
          .m_completion_tvalid(completion_valid[e]),
          .m_completion_tready(completion_ready[e]),
          .m_completion_tag(completion_tag),
          .m_completion_id(completion_id),
          .m_completion_kind(completion_kind),
          .m_completion_outcome(outcome),
          .m_completion_reason(reason),
          .s_cancel_tvalid(cancel_valid[e]),
          .s_cancel_tready(cancel_ready),
          .s_cancel_tag(cancel_valid[e] ? cancel_tag[e] : {16{1'bx}}),
          .m_deliver_tdata(deliver_data),
          .m_deliver_tkeep(deliver_keep),
          .m_deliver_tvalid(deliver_valid[e]),
          .m_deliver_tready(deliver_ready[e]),
          .m_deliver_tlast(deliver_last),
          .m_deliver_tuser(deliver_user),
          .m_deliver_id(deliver_id),
          .m_doubt_tvalid(doubt_valid[e]),
          .m_doubt_tready(doubt_ready[e]),
          .m_doubt_id(doubt_id),
          .m_doubt_digest(doubt_digest),
          .cfg_enable(enable[e]),
          .cfg_beats(beats[e]),
          .cfg_accept(accept[e]),
          .cfg_session(session[e]),
          .cfg_epoch(epoch[e]),
          .cfg_prepared(prepared[e]),
          .cfg_destination(48'h02_00_00_00_00_02),
          .cfg_source(48'h02_00_00_00_00_01),
          .status_link_state(link_state),
          .status_incoming_alive(incoming),
          .status_outgoing_alive(outgoing),
          .status_changing(changing),
          .status_epoch(epoch_now),
          .status_converged(converged),
          .status_balance_valid(balance_valid),
          .status_initiator_balance(initiator_balance),
          .status_responder_balance(responder_balance),
          .event_valid(event_valid),
          .event_words(event_words),
          .event_cycle(event_cycle),
          .register_address(register_address[e]),
          .register_data(register_data)
      );
      assign delivery[e] = deliver_valid[e] && deliver_ready[e] && deliver_last && !deliver_user;
      assign told[e] = completion_valid[e] && completion_ready[e];

      // What an output says while it says something.
      integer c;
      always @(negedge clk)
        if (!rst && cycle > 2) begin
          known("control",
                ^{receive_ready[e], line_valid[e], submit_ready[e], completion_valid[e],
                             cancel_ready, deliver_valid[e], doubt_valid[e], event_valid});
          known("status",
                ^{link_state, incoming, outgoing, changing, epoch_now, converged,
                            balance_valid, initiator_balance, responder_balance, event_cycle});
          known("register", ^register_data);
          if (line_valid[e])
            known("transmit", ^{line_data[e], line_keep[e], line_last[e], line_user[e]});
          if (completion_valid[e])
            known("completion", ^{completion_tag, completion_id, completion_kind, outcome, reason});
          if (deliver_valid[e])
            known("deliver",
                  ^{deliver_data, deliver_keep, deliver_last, deliver_user,
                               deliver_user ? 32'd0 : deliver_id});
          if (doubt_valid[e]) known("doubt", ^{doubt_id, doubt_digest});
          for (c = 0; c < `OAE_CHANNELS; c = c + 1)
          if (event_valid[c] === 1'b1) known("event", ^event_words[64*c+:64]);
        end
    end
  endgenerate

  task automatic known;
    input [8*12-1:0] what;
    input bit_of;
    if (bit_of === {1{1'bx}}) begin
      $display("ASSERTION %m: unknown bit in %0s, cycle %0d", what, cycle);
      faults = faults + 1;
    end
  endtask

  // ------------------------------------------------------------------ the world

  integer i;
  task automatic new_beat;
    input integer i;
    begin
      submit_data[i] = {$urandom(seed), $urandom(seed)};
      submit_last[i] = left[i] == 1;
      submit_keep[i] = left[i] == 1 ? 8'hff >> ($urandom(seed) % 8) : 8'hff;
      if (left[i] == 1 && submit_kind[i] == 8'd1) submit_keep[i] = 8'h0f;
      if (left[i] == 1 && chance(40)) submit_keep[i] = 8'h00;
    end
  endtask

  reg [1:0] accepted;
  always @(posedge clk) begin
    accepted = submit_valid & submit_ready;
    for (i = 0; i < 2; i = i + 1) begin
      if (delivery[i]) deliveries = deliveries + 1;
      if (told[i]) outcomes = outcomes + 1;
      if (doubt_valid[i] && doubt_ready[i]) doubts = doubts + 1;
      if (crash[i] || amnesia[i]) restarts = restarts + 1;
    end
    cycle = cycle + 1;
    #1;
    rst = cycle < 3;
    for (i = 0; i < 2; i = i + 1) begin
      // A frame is lost from its first beat on.
      if (line_losing[i] || frame_lost[i]) line_losing[i] = 1'b1;
      crash[i]   = !rst && chance(3000);
      amnesia[i] = !rst && chance(6000);
      if (amnesia[i]) session[i] = {$urandom(seed), $urandom(seed)} | 64'd1;
      mac_free[i] = !chance(6);
      completion_ready[i] = chance(3);
      deliver_ready[i] = !chance(3);
      doubt_ready[i] = chance(4);
      accept[i] = !chance(10);
      register_address[i] = $urandom(seed);
      cancel_valid[i] = !rst && chance(60);
      cancel_tag[i] = $urandom(seed) % 64;
      // The domain goes on; one end hears of it before the other.
      if (epoch[i] < epoch[1-i] ? chance(200) : chance(4000)) begin
        epoch[i] = epoch[i] + 1;
        prepared[i] = epoch[i] + 1;
      end
      if (accepted[i] === 1'b1) begin
        left[i] = left[i] - 1;
        submit_valid[i] = left[i] != 0;
        if (left[i] != 0) new_beat(i);
      end else if (!submit_valid[i] && !rst && chance(8)) begin
        submit_valid[i] = 1'b1;
        submit_kind[i] = chance(12) ? 8'd1 : 8'd0;
        left[i] = submit_kind[i] == 8'd1 ? 1 : 1 + $urandom(seed) % 6;
        submit_tag[i] = $urandom(seed) % 64;
        submit_user[i] = chance(20);
        new_beat(i);
      end
    end
  end
  // Whole frames are lost, chosen between two of them.
  reg [1:0] between;
  always @(posedge clk)
    for (i = 0; i < 2; i = i + 1)
      if (rst) between[i] <= 1'b1;
      else if (line_valid[i] && mac_free[i]) between[i] <= line_last[i];
  always @(negedge clk)
    for (i = 0; i < 2; i = i + 1) begin
      if (between[i] && line_losing[i]) line_losing[i] = 1'b0;
      frame_lost[i] = between[i] && line_valid[i] === 1'b1 && chance(25);
    end

  initial begin
    seed   = 1;
    cycles = 20000;
    if (!$value$plusargs("seed=%d", seed)) seed = 1;
    if (!$value$plusargs("cycles=%d", cycles)) cycles = 20000;
    cycle = 0;
    faults = 0;
    {deliveries, outcomes, doubts, restarts} = 0;
    {crash, amnesia, frame_lost, line_losing, submit_valid, cancel_valid} = 0;
    {mac_free, completion_ready, deliver_ready, doubt_ready, accept} = 0;
    enable = 2'b11;
    beats = 2'b11;
    for (i = 0; i < 2; i = i + 1) begin
      session[i] = {$urandom(seed), $urandom(seed)} | 64'd1;
      epoch[i] = 32'd0;
      prepared[i] = 32'd1;
      register_address[i] = 8'd0;
      left[i] = 0;
    end
    wait (cycle >= cycles);
    $display("%0d cycles, %0d unknown bits; %0d deliveries, %0d outcomes, %0d doubts, %0d restarts",
             cycle, faults, deliveries, outcomes, doubts, restarts);
    $finish;
  end
endmodule
`default_nettype wire
