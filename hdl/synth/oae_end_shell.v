// Four pins around an end, for place and route: every input comes from a shift register and every
// output goes into another, so that all paths measured are between registers.
`default_nettype none
`include "oae_defs.vh"

module oae_end_shell #(
    parameter integer WINDOW     = 8,
    parameter integer RECORD_MAX = 64
) (
    input  wire clk,
    input  wire serial_in,
    input  wire capture,
    output wire serial_out
);
  localparam integer INPUTS = 433;
  localparam integer OUTPUTS = 471 + 65 * `OAE_CHANNELS;

  reg [INPUTS-1:0] in;
  always @(posedge clk) in <= {in[INPUTS-2:0], serial_in};

  wire [63:0] m_axis_tdata, m_deliver_tdata;
  wire [7:0] m_axis_tkeep, m_deliver_tkeep;
  wire m_axis_tvalid, m_axis_tlast, m_axis_tuser, s_axis_tready, s_submit_tready;
  wire m_completion_tvalid, s_cancel_tready, m_deliver_tvalid, m_deliver_tlast, m_deliver_tuser;
  wire [15:0] tag;
  wire [31:0] completion_id, deliver_id, doubt_id, doubt_digest, epoch, converged, data;
  wire [7:0] kind;
  wire [1:0] outcome, link_state;
  wire [5:0] reason;
  wire m_doubt_tvalid, incoming_alive, outgoing_alive, changing, balance_valid;
  wire [2:0] initiator_balance, responder_balance;
  wire [`OAE_CHANNELS-1:0] event_valid;
  wire [64*`OAE_CHANNELS-1:0] event_words;
  wire [47:0] event_cycle;
  wire [OUTPUTS-1:0] out = {
    m_axis_tdata,
    m_deliver_tdata,
    m_axis_tkeep,
    m_deliver_tkeep,
    m_axis_tvalid,
    m_axis_tlast,
    m_axis_tuser,
    s_axis_tready,
    s_submit_tready,
    m_completion_tvalid,
    s_cancel_tready,
    m_deliver_tvalid,
    m_deliver_tlast,
    m_deliver_tuser,
    tag,
    completion_id,
    deliver_id,
    doubt_id,
    doubt_digest,
    epoch,
    converged,
    data,
    kind,
    outcome,
    link_state,
    reason,
    m_doubt_tvalid,
    incoming_alive,
    outgoing_alive,
    changing,
    balance_valid,
    initiator_balance,
    responder_balance,
    event_valid,
    event_words,
    event_cycle
  };
  // The outputs' own registers stand before the shift register: no path ends in its multiplexer.
  reg [OUTPUTS-1:0] sampled, shift;
  always @(posedge clk) begin
    sampled <= out;
    shift   <= capture ? sampled : {shift[OUTPUTS-2:0], 1'b0};
  end
  assign serial_out = shift[OUTPUTS-1];
  (* keep_hierarchy *)
  oae_end #(
      .WINDOW(WINDOW),
      .RECORD_MAX(RECORD_MAX)
  ) dut (
      .clk(clk),
      .rst(in[0]),
      .crash(in[1]),
      .amnesia(in[2]),
      .tick(1'b1),
      .s_axis_tdata(in[66:3]),
      .s_axis_tkeep(in[74:67]),
      .s_axis_tvalid(in[75]),
      .s_axis_tready(s_axis_tready),
      .s_axis_tlast(in[76]),
      .s_axis_tuser(in[77]),
      .m_axis_tdata(m_axis_tdata),
      .m_axis_tkeep(m_axis_tkeep),
      .m_axis_tvalid(m_axis_tvalid),
      .m_axis_tready(in[78]),
      .m_axis_tlast(m_axis_tlast),
      .m_axis_tuser(m_axis_tuser),
      .s_submit_tdata(in[142:79]),
      .s_submit_tkeep(in[150:143]),
      .s_submit_tvalid(in[151]),
      .s_submit_tready(s_submit_tready),
      .s_submit_tlast(in[152]),
      .s_submit_tuser(in[153]),
      .s_submit_tag(in[169:154]),
      .s_submit_kind(in[177:170]),
      .m_completion_tvalid(m_completion_tvalid),
      .m_completion_tready(in[178]),
      .m_completion_tag(tag),
      .m_completion_id(completion_id),
      .m_completion_kind(kind),
      .m_completion_outcome(outcome),
      .m_completion_reason(reason),
      .s_cancel_tvalid(in[179]),
      .s_cancel_tready(s_cancel_tready),
      .s_cancel_tag(in[195:180]),
      .m_deliver_tdata(m_deliver_tdata),
      .m_deliver_tkeep(m_deliver_tkeep),
      .m_deliver_tvalid(m_deliver_tvalid),
      .m_deliver_tready(in[196]),
      .m_deliver_tlast(m_deliver_tlast),
      .m_deliver_tuser(m_deliver_tuser),
      .m_deliver_id(deliver_id),
      .m_doubt_tvalid(m_doubt_tvalid),
      .m_doubt_tready(in[197]),
      .m_doubt_id(doubt_id),
      .m_doubt_digest(doubt_digest),
      .cfg_enable(in[198]),
      .cfg_beats(in[199]),
      .cfg_accept(in[200]),
      .cfg_session(in[264:201]),
      .cfg_epoch(in[296:265]),
      .cfg_prepared(in[328:297]),
      .cfg_destination(in[376:329]),
      .cfg_source(in[424:377]),
      .status_link_state(link_state),
      .status_incoming_alive(incoming_alive),
      .status_outgoing_alive(outgoing_alive),
      .status_changing(changing),
      .status_epoch(epoch),
      .status_converged(converged),
      .status_balance_valid(balance_valid),
      .status_initiator_balance(initiator_balance),
      .status_responder_balance(responder_balance),
      .event_valid(event_valid),
      .event_words(event_words),
      .event_cycle(event_cycle),
      .register_address(in[432:425]),
      .register_data(data)
  );
endmodule
`default_nettype wire
