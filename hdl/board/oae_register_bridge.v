// Reads and writes registers for a host on a serial line. The protocol: docs/board.md.
//
// One request is executed at a time. The number of the last one is kept with its answer: when it comes
// again, because the answer was lost, it is answered again and not executed. What comes meanwhile
// waits.
`default_nettype none
`include "oae_board_defs.vh"

module oae_register_bridge (
    input wire clk,
    input wire rst,

    input  wire [7:0] s_serial_tdata,
    input  wire       s_serial_tvalid,
    output wire       s_serial_tready,
    output wire [7:0] m_serial_tdata,
    output wire       m_serial_tvalid,
    input  wire       m_serial_tready,

    // registers: what they say of an address holds from the next cycle on
    output wire [15:0] bus_address,
    input  wire        bus_known,
    input  wire        bus_writable,
    input  wire [31:0] bus_read_data,
    output reg         bus_read,       // the data is taken in this cycle
    output reg         bus_write,
    output wire [31:0] bus_write_data,

    output reg [31:0] frames,    // executed
    output reg [31:0] rejected,
    output reg [31:0] repeated
);

  `include "oae_crc32.vh"

  wire request_valid, request_rejected;
  wire [31:0] request_sequence;
  wire [7:0] request_operation, request_count;
  wire [15:0] request_address;
  wire [4:0] request_length;
  reg request_ready;

  oae_serial_receiver receiver (
      .clk(clk),
      .rst(rst),
      .s_serial_tdata(s_serial_tdata),
      .s_serial_tvalid(s_serial_tvalid),
      .s_serial_tready(s_serial_tready),
      .request_valid(request_valid),
      .request_ready(request_ready),
      .request_sequence(request_sequence),
      .request_operation(request_operation),
      .request_address(request_address),
      .request_count(request_count),
      .request_data(bus_write_data),
      .request_length(request_length),
      .rejected(request_rejected)
  );

  localparam [2:0] IDLE = 3'd0;
  localparam [2:0] SETTLE = 3'd1;  // the registers look at an address
  localparam [2:0] LOOK = 3'd2;  // whether it may be read or written
  localparam [2:0] HEAD = 3'd3;  // number and status of the answer
  localparam [2:0] FETCH = 3'd4;
  localparam [2:0] TAKE = 3'd5;  // a register's value
  localparam [2:0] CHECK = 3'd6;  // CRC of the answer
  localparam [2:0] FINISH = 3'd7;

  reg [2:0] state, next_state;
  reg [7:0] index, next_index;
  reg [7:0] status, next_status;
  reg [31:0] last_sequence;
  reg remembers;  // there is a last one
  reg begin_request, repeat_answer;

  // Bytes on their way into the answer, lowest first.
  reg [39:0] bytes, next_bytes;
  reg [2:0] bytes_left, next_bytes_left;
  reg [31:0] crc;
  wire emit = bytes_left != 3'd0;

  wire is_read = request_operation == `OAE_SERIAL_OPERATION_READ;
  wire is_write = request_operation == `OAE_SERIAL_OPERATION_WRITE;
  wire well_formed =
      (is_read && request_length == 5'd12 && request_count != 8'd0 &&
       request_count <= `OAE_SERIAL_READ_MAX) ||
      (is_write && request_length == 5'd16 && request_count == 8'd1);
  wire last_index = index + 8'd1 == request_count;
  wire sending;

  assign bus_address = request_address + {8'd0, index};

  always @* begin
    next_state = state;
    next_index = index;
    next_status = status;
    next_bytes = {8'd0, bytes[39:8]};
    next_bytes_left = bytes_left - 3'd1;
    request_ready = 1'b0;
    begin_request = 1'b0;
    repeat_answer = 1'b0;
    bus_read = 1'b0;
    bus_write = 1'b0;
    if (!emit) begin
      next_bytes_left = 3'd0;
      case (state)
        IDLE:
        if (request_valid && !sending) begin
          if (remembers && request_sequence == last_sequence) begin
            request_ready = 1'b1;
            repeat_answer = 1'b1;
          end else begin
            begin_request = 1'b1;
            next_index = 8'd0;
            next_status = well_formed ? `OAE_SERIAL_STATUS_OK : `OAE_SERIAL_STATUS_BAD_REQUEST;
            next_state = well_formed ? SETTLE : HEAD;
          end
        end
        SETTLE: next_state = LOOK;
        LOOK: begin
          next_index = index + 8'd1;
          next_state = SETTLE;
          if (!bus_known) next_status = `OAE_SERIAL_STATUS_NO_REGISTER;
          else if (is_write && !bus_writable) next_status = `OAE_SERIAL_STATUS_READ_ONLY;
          else bus_write = is_write;
          if (last_index || !bus_known) begin
            next_index = 8'd0;
            next_state = HEAD;
          end
        end
        HEAD: begin
          next_bytes = {status, request_sequence};
          next_bytes_left = 3'd5;
          next_state = is_read && status == `OAE_SERIAL_STATUS_OK ? FETCH : CHECK;
        end
        FETCH:  next_state = TAKE;
        TAKE: begin
          bus_read = 1'b1;
          next_bytes = {8'd0, bus_read_data};
          next_bytes_left = 3'd4;
          next_index = index + 8'd1;
          next_state = last_index ? CHECK : FETCH;
        end
        CHECK: begin
          next_bytes = {8'd0, ~crc};
          next_bytes_left = 3'd4;
          next_state = FINISH;
        end
        default: begin
          request_ready = 1'b1;
          next_state = IDLE;
        end
      endcase
    end
  end

  wire finish = !emit && state == FINISH;

  oae_serial_answer answer (
      .clk(clk),
      .rst(rst),
      .clear(begin_request),
      .byte_valid(emit),
      .byte_data(bytes[7:0]),
      .finish(finish),
      .send(finish || repeat_answer),
      .sending(sending),
      .m_serial_tdata(m_serial_tdata),
      .m_serial_tvalid(m_serial_tvalid),
      .m_serial_tready(m_serial_tready)
  );

  always @(posedge clk) begin
    state <= next_state;
    index <= next_index;
    status <= next_status;
    bytes <= next_bytes;
    bytes_left <= next_bytes_left;
    if (emit) crc <= oae_crc32_byte(crc, bytes[7:0]);
    if (begin_request) begin
      crc <= CRC_INITIAL;
      last_sequence <= request_sequence;
      remembers <= 1'b1;
      frames <= frames + 1'b1;
    end
    if (repeat_answer) repeated <= repeated + 1'b1;
    if (request_rejected) rejected <= rejected + 1'b1;
    if (rst) begin
      state <= IDLE;
      bytes_left <= 3'd0;
      remembers <= 1'b0;
      frames <= 32'd0;
      rejected <= 32'd0;
      repeated <= 32'd0;
    end
  end

endmodule
`default_nettype wire
