// A register bridge and its registers behind a host's line.
`default_nettype none

module oae_bridge_bench (
    input wire clk,
    input wire rst,

    input  wire          load,
    input  wire [ 511:0] bytes,
    input  wire [  15:0] length,
    output wire [8191:0] answers,
    output wire [  15:0] answered,
    output wire          quiet,     // everything is sent, executed and answered

    output wire [31:0] frames,
    output wire [31:0] rejected,
    output wire [31:0] repeated
);
  wire [7:0] to_data, from_data;
  wire to_valid, to_ready, from_valid, from_ready, sent;
  wire registers_quiet;

  oae_serial_line line (
      .clk(clk),
      .rst(rst),
      .load(load),
      .bytes(bytes),
      .length(length),
      .sent(sent),
      .answers(answers),
      .answered(answered),
      .m_serial_tdata(to_data),
      .m_serial_tvalid(to_valid),
      .m_serial_tready(to_ready),
      .s_serial_tdata(from_data),
      .s_serial_tvalid(from_valid),
      .s_serial_tready(from_ready)
  );

  oae_bridge_registers registers (
      .clk(clk),
      .rst(rst),
      .s_serial_tdata(to_data),
      .s_serial_tvalid(to_valid),
      .s_serial_tready(to_ready),
      .m_serial_tdata(from_data),
      .m_serial_tvalid(from_valid),
      .m_serial_tready(from_ready),
      .quiet(registers_quiet),
      .frames(frames),
      .rejected(rejected),
      .repeated(repeated)
  );
  assign quiet = sent && registers_quiet;
endmodule
`default_nettype wire
