// A domain with the ends of its links: what loses power together.
`default_nettype none
`include "oae_defs.vh"

module oae_epoch_node #(
    parameter integer LINKS = 2,
    parameter integer PAUSE = 64,
    parameter integer WINDOW = 2,
    parameter integer RECORD_MAX = 8,
    parameter integer BEAT_IDLE = 128,
    parameter integer BEAT_BUSY = 48,
    parameter integer FAULT_BEATS = 32,
    parameter integer SYNC_INTERVAL = 256
) (
    input wire clk,
    input wire rst,
    input wire crash,
    input wire amnesia,

    input wire [        31:0] cfg_value,
    input wire                cfg_chatter,
    input wire [64*LINKS-1:0] cfg_session,

    input  wire             promise_valid,
    input  wire [     15:0] promise_incarnation,
    input  wire             restore_valid,
    input  wire [     31:0] restore_number,
    input  wire [     31:0] restore_value,
    input  wire [LINKS-1:0] restore_members,
    output wire             part_valid,
    input  wire             part_durable,
    output wire [     31:0] part_number,
    output wire [     31:0] part_value,
    output wire             holds,
    output wire [     15:0] promised,
    output wire [     31:0] prepared,

    // MAC side of each link
    input  wire [64*LINKS-1:0] s_axis_tdata,
    input  wire [ 8*LINKS-1:0] s_axis_tkeep,
    input  wire [   LINKS-1:0] s_axis_tvalid,
    output wire [   LINKS-1:0] s_axis_tready,
    input  wire [   LINKS-1:0] s_axis_tlast,
    input  wire [   LINKS-1:0] s_axis_tuser,
    output wire [64*LINKS-1:0] m_axis_tdata,
    output wire [ 8*LINKS-1:0] m_axis_tkeep,
    output wire [   LINKS-1:0] m_axis_tvalid,
    input  wire [   LINKS-1:0] m_axis_tready,
    output wire [   LINKS-1:0] m_axis_tlast,
    output wire [   LINKS-1:0] m_axis_tuser,

    // what is observed of the ends
    output wire [32*LINKS-1:0] end_epoch,
    output wire [32*LINKS-1:0] end_converged,
    output wire [   LINKS-1:0] initiator_valid,
    output wire [64*LINKS-1:0] initiator_word,
    output wire [   LINKS-1:0] responder_valid,
    output wire [64*LINKS-1:0] responder_word,
    output wire [   LINKS-1:0] completion_valid,
    output wire [ 8*LINKS-1:0] completion_kind,
    output wire [ 2*LINKS-1:0] completion_outcome,
    output wire [ 6*LINKS-1:0] completion_reason
);

  wire [64*LINKS-1:0] submit_tdata, deliver_tdata;
  wire [8*LINKS-1:0] submit_tkeep, submit_kind;
  wire [LINKS-1:0] submit_tvalid, submit_tready, deliver_tvalid, deliver_tuser;
  wire [LINKS-1:0] cancel_tvalid, cancel_tready;
  wire [16*LINKS-1:0] submit_tag, completion_tag;
  wire [31:0] wanted;

  oae_epoch_domain #(
      .LINKS(LINKS),
      .PAUSE(PAUSE)
  ) domain (
      .clk(clk),
      .rst(rst),
      .crash(crash),
      .amnesia(amnesia),
      .cfg_value(cfg_value),
      .cfg_chatter(cfg_chatter),
      .promise_valid(promise_valid),
      .promise_incarnation(promise_incarnation),
      .restore_valid(restore_valid),
      .restore_number(restore_number),
      .restore_value(restore_value),
      .restore_members(restore_members),
      .part_valid(part_valid),
      .part_durable(part_durable),
      .part_number(part_number),
      .part_value(part_value),
      .holds(holds),
      .promised(promised),
      .prepared(prepared),
      .wanted(wanted),
      .epoch(end_epoch),
      .converged(end_converged),
      .m_submit_tdata(submit_tdata),
      .m_submit_tkeep(submit_tkeep),
      .m_submit_tvalid(submit_tvalid),
      .m_submit_tready(submit_tready),
      .m_submit_tag(submit_tag),
      .m_submit_kind(submit_kind),
      .m_cancel_tvalid(cancel_tvalid),
      .m_cancel_tready(cancel_tready),
      .s_completion_tvalid(completion_valid),
      .s_completion_tag(completion_tag),
      .s_completion_outcome(completion_outcome),
      .s_completion_reason(completion_reason),
      .s_deliver_tvalid(deliver_tvalid & ~deliver_tuser),
      .s_deliver_tdata(deliver_tdata)
  );

  genvar i;
  generate
    for (i = 0; i < LINKS; i = i + 1) begin : g_end
      wire [`OAE_CHANNELS-1:0] event_valid;
      wire [64*`OAE_CHANNELS-1:0] event_words;
      assign initiator_valid[i] = event_valid[`OAE_CHANNEL_INITIATOR];
      assign initiator_word[64*i+:64] = event_words[64*`OAE_CHANNEL_INITIATOR+:64];
      assign responder_valid[i] = event_valid[`OAE_CHANNEL_RESPONDER];
      assign responder_word[64*i+:64] = event_words[64*`OAE_CHANNEL_RESPONDER+:64];

      // The host takes whatever it is told at once.
      wire unused_doubt_tvalid, unused_deliver_tlast, unused_balance_valid;
      wire unused_incoming_alive, unused_outgoing_alive, unused_changing;
      wire [7:0] unused_deliver_tkeep;
      wire [31:0] unused_deliver_id, unused_completion_id, unused_doubt_id, unused_doubt_digest;
      wire [31:0] unused_register;
      wire [ 1:0] unused_link_state;
      wire [2:0] unused_initiator_balance, unused_responder_balance;
      wire [47:0] unused_cycle;

      oae_end #(
          .WINDOW(WINDOW),
          .RECORD_MAX(RECORD_MAX),
          .BEAT_IDLE(BEAT_IDLE),
          .BEAT_BUSY(BEAT_BUSY),
          .FAULT_BEATS(FAULT_BEATS),
          .SYNC_INTERVAL(SYNC_INTERVAL)
      ) link_end (
          .clk(clk),
          .rst(rst),
          .tick(1'b1),
          .crash(crash),
          .amnesia(amnesia),
          .s_axis_tdata(s_axis_tdata[64*i+:64]),
          .s_axis_tkeep(s_axis_tkeep[8*i+:8]),
          .s_axis_tvalid(s_axis_tvalid[i]),
          .s_axis_tready(s_axis_tready[i]),
          .s_axis_tlast(s_axis_tlast[i]),
          .s_axis_tuser(s_axis_tuser[i]),
          .m_axis_tdata(m_axis_tdata[64*i+:64]),
          .m_axis_tkeep(m_axis_tkeep[8*i+:8]),
          .m_axis_tvalid(m_axis_tvalid[i]),
          .m_axis_tready(m_axis_tready[i]),
          .m_axis_tlast(m_axis_tlast[i]),
          .m_axis_tuser(m_axis_tuser[i]),
          .s_submit_tdata(submit_tdata[64*i+:64]),
          .s_submit_tkeep(submit_tkeep[8*i+:8]),
          .s_submit_tvalid(submit_tvalid[i]),
          .s_submit_tready(submit_tready[i]),
          .s_submit_tlast(1'b1),
          .s_submit_tuser(1'b0),
          .s_submit_tag(submit_tag[16*i+:16]),
          .s_submit_kind(submit_kind[8*i+:8]),
          .m_completion_tvalid(completion_valid[i]),
          .m_completion_tready(1'b1),
          .m_completion_tag(completion_tag[16*i+:16]),
          .m_completion_id(unused_completion_id),
          .m_completion_kind(completion_kind[8*i+:8]),
          .m_completion_outcome(completion_outcome[2*i+:2]),
          .m_completion_reason(completion_reason[6*i+:6]),
          .s_cancel_tvalid(cancel_tvalid[i]),
          .s_cancel_tready(cancel_tready[i]),
          .s_cancel_tag(submit_tag[16*i+:16]),
          .m_deliver_tdata(deliver_tdata[64*i+:64]),
          .m_deliver_tkeep(unused_deliver_tkeep),
          .m_deliver_tvalid(deliver_tvalid[i]),
          .m_deliver_tready(1'b1),
          .m_deliver_tlast(unused_deliver_tlast),
          .m_deliver_tuser(deliver_tuser[i]),
          .m_deliver_id(unused_deliver_id),
          .m_doubt_tvalid(unused_doubt_tvalid),
          .m_doubt_tready(1'b1),
          .m_doubt_id(unused_doubt_id),
          .m_doubt_digest(unused_doubt_digest),
          .cfg_enable(1'b1),
          .cfg_beats(1'b1),
          .cfg_accept(1'b1),
          .cfg_session(cfg_session[64*i+:64]),
          .cfg_epoch(wanted),
          .cfg_prepared(prepared),
          .cfg_destination(48'h02000000000b),
          .cfg_source(48'h02000000000a),
          .status_link_state(unused_link_state),
          .status_incoming_alive(unused_incoming_alive),
          .status_outgoing_alive(unused_outgoing_alive),
          .status_changing(unused_changing),
          .status_epoch(end_epoch[32*i+:32]),
          .status_converged(end_converged[32*i+:32]),
          .status_balance_valid(unused_balance_valid),
          .status_initiator_balance(unused_initiator_balance),
          .status_responder_balance(unused_responder_balance),
          .event_valid(event_valid),
          .event_words(event_words),
          .event_cycle(unused_cycle),
          .register_address(8'd0),
          .register_data(unused_register)
      );
      wire unused = &{
        1'b0,
        unused_doubt_tvalid,
        unused_deliver_tlast,
        unused_balance_valid,
        unused_incoming_alive,
        unused_outgoing_alive,
        unused_changing,
        unused_deliver_tkeep,
        unused_deliver_id,
        unused_completion_id,
        unused_doubt_id,
        unused_doubt_digest,
        unused_register,
        unused_link_state,
        unused_initiator_balance,
        unused_responder_balance,
        unused_cycle,
        event_valid,
        event_words
      };
    end
  endgenerate

endmodule
`default_nettype wire
