// A register bridge and registers that remember how often they were touched.
//
// Addresses under 64 add up what is written to them; those from 64 to 127 count how often they were
// read, and cannot be written. The others do not exist.
`default_nettype none

module oae_bridge_registers (
    input wire clk,
    input wire rst,

    input  wire [7:0] s_serial_tdata,
    input  wire       s_serial_tvalid,
    output wire       s_serial_tready,
    output wire [7:0] m_serial_tdata,
    output wire       m_serial_tvalid,
    input  wire       m_serial_tready,
    output wire       quiet,            // what has come is executed and answered

    output wire [31:0] frames,
    output wire [31:0] rejected,
    output wire [31:0] repeated
);
  wire [15:0] address;
  wire [31:0] write_data;
  wire read, write;
  reg known, writable;
  reg [31:0] value;
  reg [31:0] cells [0:127];

  oae_register_bridge bridge (
      .clk(clk),
      .rst(rst),
      .s_serial_tdata(s_serial_tdata),
      .s_serial_tvalid(s_serial_tvalid),
      .s_serial_tready(s_serial_tready),
      .m_serial_tdata(m_serial_tdata),
      .m_serial_tvalid(m_serial_tvalid),
      .m_serial_tready(m_serial_tready),
      .bus_address(address),
      .bus_known(known),
      .bus_writable(writable),
      .bus_read_data(value),
      .bus_read(read),
      .bus_write(write),
      .bus_write_data(write_data),
      .frames(frames),
      .rejected(rejected),
      .repeated(repeated)
  );
  assign quiet = bridge.state == 3'd0 && !bridge.request_valid && !bridge.sending;

  integer i;
  always @(posedge clk) begin
    known <= address < 16'd128;
    writable <= address < 16'd64;
    value <= cells[address[6:0]];
    if (write) cells[address[6:0]] <= cells[address[6:0]] + write_data;
    if (read && address[6]) cells[address[6:0]] <= cells[address[6:0]] + 1'b1;
    if (rst) for (i = 0; i < 128; i = i + 1) cells[i] <= 32'd0;
  end
endmodule
`default_nettype wire
