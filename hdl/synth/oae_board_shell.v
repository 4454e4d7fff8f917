// A board with nothing at its host ports, for place and route: the MAC side comes from a shift register and
// goes into another, so that all paths measured are between registers; the serial line is a wire.
`default_nettype none
`include "oae_defs.vh"

module oae_board_shell #(
    parameter integer WINDOW     = 8,
    parameter integer RECORD_MAX = 64
) (
    input  wire clk,
    input  wire serial_in,
    input  wire capture,
    output wire serial_out,
    input  wire receive,
    output wire transmit
);
  localparam [31:0] CLOCK_HZ = 32'd50000000;
  localparam integer INPUTS = 77;
  localparam integer OUTPUTS = 76;

  reg [INPUTS-1:0] in;
  always @(posedge clk) in <= {in[INPUTS-2:0], serial_in};

  wire [63:0] m_axis_tdata;
  wire [7:0] m_axis_tkeep, received, answer;
  wire m_axis_tvalid, m_axis_tlast, m_axis_tuser, s_axis_tready;
  wire received_valid, received_ready, answer_valid, answer_ready;
  wire [OUTPUTS-1:0] out = {
    m_axis_tdata, m_axis_tkeep, m_axis_tvalid, m_axis_tlast, m_axis_tuser, s_axis_tready
  };
  reg [OUTPUTS-1:0] sampled, shift;
  always @(posedge clk) begin
    sampled <= out;
    shift   <= capture ? sampled : {shift[OUTPUTS-2:0], 1'b0};
  end
  assign serial_out = shift[OUTPUTS-1];

  oae_uart uart (
      .clk(clk),
      .rst(in[0]),
      .receive(receive),
      .transmit(transmit),
      .s_serial_tdata(answer),
      .s_serial_tvalid(answer_valid),
      .s_serial_tready(answer_ready),
      .m_serial_tdata(received),
      .m_serial_tvalid(received_valid),
      .m_serial_tready(received_ready)
  );

  (* keep_hierarchy *)
  oae_board #(
      .WINDOW(WINDOW),
      .RECORD_MAX(RECORD_MAX)
  ) dut (
      .clk(clk),
      .rst(in[0]),
      .crash(1'd0),
      .amnesia(1'd0),
      .tick(1'b1),
      .s_axis_tdata(in[64:1]),
      .s_axis_tkeep(in[72:65]),
      .s_axis_tvalid(in[73]),
      .s_axis_tready(s_axis_tready),
      .s_axis_tlast(in[74]),
      .s_axis_tuser(in[75]),
      .m_axis_tdata(m_axis_tdata),
      .m_axis_tkeep(m_axis_tkeep),
      .m_axis_tvalid(m_axis_tvalid),
      .m_axis_tready(in[76]),
      .m_axis_tlast(m_axis_tlast),
      .m_axis_tuser(m_axis_tuser),
      .s_submit_tdata(64'd0),
      .s_submit_tkeep(8'd0),
      .s_submit_tvalid(1'd0),
      .s_submit_tready(),
      .s_submit_tlast(1'd0),
      .s_submit_tuser(1'd0),
      .s_submit_tag(16'd0),
      .s_submit_kind(8'd0),
      .m_completion_tvalid(),
      .m_completion_tready(1'd0),
      .m_completion_tag(),
      .m_completion_id(),
      .m_completion_kind(),
      .m_completion_outcome(),
      .m_completion_reason(),
      .s_cancel_tvalid(1'd0),
      .s_cancel_tready(),
      .s_cancel_tag(16'd0),
      .m_deliver_tdata(),
      .m_deliver_tkeep(),
      .m_deliver_tvalid(),
      .m_deliver_tready(1'd0),
      .m_deliver_tlast(),
      .m_deliver_tuser(),
      .m_deliver_id(),
      .m_doubt_tvalid(),
      .m_doubt_tready(1'd0),
      .m_doubt_id(),
      .m_doubt_digest(),
      .cfg_enable(1'd0),
      .cfg_beats(1'd0),
      .cfg_accept(1'd0),
      .cfg_session(64'd0),
      .cfg_epoch(32'd0),
      .cfg_prepared(32'd0),
      .cfg_destination(48'd0),
      .cfg_source(48'd0),
      .status_link_state(),
      .status_incoming_alive(),
      .status_outgoing_alive(),
      .status_changing(),
      .status_epoch(),
      .status_converged(),
      .status_balance_valid(),
      .status_initiator_balance(),
      .status_responder_balance(),
      .event_valid(),
      .event_words(),
      .event_cycle(),
      .clock_hz(CLOCK_HZ),
      .s_serial_tdata(received),
      .s_serial_tvalid(received_valid),
      .s_serial_tready(received_ready),
      .m_serial_tdata(answer),
      .m_serial_tvalid(answer_valid),
      .m_serial_tready(answer_ready)
  );
endmodule
`default_nettype wire
