// The register bridge under any stream of bytes, any CRC, and registers that say anything.
`default_nettype none
`include "oae_board_defs.vh"

module oae_bridge_proof (
    input wire clk,

    // everything that the world may do, in any cycle
    input wire [ 7:0] s_serial_tdata,
    input wire        s_serial_tvalid,
    input wire        m_serial_tready,
    input wire        bus_known,
    input wire        bus_writable,
    input wire [31:0] bus_read_data
);

  reg started = 1'b0;
  always @(posedge clk) started <= 1'b1;
  wire rst = !started;

  wire bus_read, bus_write;
  wire m_serial_tvalid, s_serial_tready;
  wire [7:0] m_serial_tdata;

  oae_register_bridge bridge (
      .clk(clk),
      .rst(rst),
      .s_serial_tdata(s_serial_tdata),
      .s_serial_tvalid(s_serial_tvalid),
      .s_serial_tready(s_serial_tready),
      .m_serial_tdata(m_serial_tdata),
      .m_serial_tvalid(m_serial_tvalid),
      .m_serial_tready(m_serial_tready),
      .bus_address(),
      .bus_known(bus_known),
      .bus_writable(bus_writable),
      .bus_read_data(bus_read_data),
      .bus_read(bus_read),
      .bus_write(bus_write),
      .bus_write_data(),
      .frames(),
      .rejected(),
      .repeated()
  );

  (* hierconn *) wire [2:0] \bridge.state ;
  (* hierconn *) wire [7:0] \bridge.index ;
  (* hierconn *) wire [7:0] \bridge.status ;
  (* hierconn *) wire [2:0] \bridge.bytes_left ;
  (* hierconn *) wire [31:0] \bridge.last_sequence ;
  (* hierconn *) wire \bridge.remembers ;
  (* hierconn *) wire \bridge.begin_request ;
  (* hierconn *) wire \bridge.repeat_answer ;
  (* hierconn *) wire \bridge.request_valid ;
  (* hierconn *) wire [31:0] \bridge.request_sequence ;
  (* hierconn *) wire [7:0] \bridge.request_count ;
  (* hierconn *) wire \bridge.well_formed ;
  (* hierconn *) wire \bridge.is_read ;
  (* hierconn *) wire \bridge.is_write ;
  (* hierconn *) wire \bridge.sending ;
  (* hierconn *) wire [7:0] \bridge.answer.place ;
  (* hierconn *) wire [7:0] \bridge.answer.code_place ;
  (* hierconn *) wire [7:0] \bridge.answer.at ;
  wire [2:0] state = \bridge.state ;
  wire [7:0] index = \bridge.index ;
  wire [7:0] count = \bridge.request_count ;
  wire [2:0] bytes_left = \bridge.bytes_left ;
  wire [7:0] place = \bridge.answer.place ;
  wire [8:0] end_of_bytes = {1'b0, place} + {6'd0, bytes_left};  // in the store
  wire ok = \bridge.status == `OAE_SERIAL_STATUS_OK;

  localparam [2:0] IDLE = 3'd0;
  localparam [2:0] SETTLE = 3'd1;
  localparam [2:0] LOOK = 3'd2;
  localparam [2:0] HEAD = 3'd3;
  localparam [2:0] FETCH = 3'd4;
  localparam [2:0] TAKE = 3'd5;
  localparam [2:0] CHECK = 3'd6;
  localparam [2:0] FINISH = 3'd7;
  wire looks = state == SETTLE || state == LOOK;
  wire reads = state == FETCH || state == TAKE;

  // ------------------------------------------------------------------ what happened, told apart

  reg begun = 1'b0;  // a request was executed, or is
  reg [31:0] sequence;  // of the last one
  reg written;  // it has written
  always @(posedge clk) begin
    if (\bridge.begin_request ) begin
      begun <= 1'b1;
      sequence <= \bridge.request_sequence ;
      written <= 1'b0;
    end else if (bus_write) written <= 1'b1;
    if (rst) begun <= 1'b0;
  end

  // How far it is to rest; an upper bound that every cycle lowers.
  wire [15:0] to_go = {8'd0, count} - {8'd0, index};
  reg [15:0] rank;
  always @* begin
    case (state)
      SETTLE: rank = 16'd1315 + 16'd10 * to_go;
      LOOK: rank = 16'd1310 + 16'd10 * to_go;
      HEAD: rank = 16'd1300;
      FETCH: rank = 16'd20 * to_go + 16'd10;
      TAKE: rank = 16'd20 * to_go + 16'd5;
      CHECK: rank = 16'd10;
      FINISH: rank = 16'd1;
      default: rank = 16'd0;
    endcase
    rank = rank + {13'd0, bytes_left};
  end
  reg [15:0] rank_before;
  reg [2:0] state_before;
  reg checked = 1'b0;
  always @(posedge clk) begin
    rank_before <= rank;
    state_before <= state;
    checked <= !rst;
  end

  always @* begin
    if (!rst) begin
      // ------------------------------------------------------------------ promises
      if (\bridge.begin_request ) begin
        never_twice_in_a_row : assert (!begun || \bridge.request_sequence != sequence);
      end
      if (\bridge.repeat_answer ) begin
        repeats_the_last : assert (begun && \bridge.request_sequence == sequence);
        repeats_touch_nothing : assert (!bus_read && !bus_write);
      end
      if (bus_write) begin
        writes_once : assert (!written);
        writes_for_the_last : assert (begun && \bridge.request_sequence == sequence);
        writes_what_may_be : assert (bus_known && bus_writable);
      end
      if (bus_read) begin
        reads_what_was_looked_at : assert (ok && \bridge.is_read );
      end
      if (checked && state_before != IDLE) begin
        comes_to_rest : assert (rank < rank_before);
      end
      if (state == IDLE && \bridge.request_valid && !\bridge.sending ) begin
        takes_what_waits : assert (\bridge.begin_request || \bridge.repeat_answer );
      end

      // ------------------------------------------------------------------ what holds besides
      kept : assert (begun == \bridge.remembers );
      if (begun) begin
        same_sequence : assert (sequence == \bridge.last_sequence );
      end
      if (state != IDLE) begin
        at_work : assert (begun && \bridge.request_valid && !\bridge.sending );
        with_its_sequence : assert (\bridge.request_sequence == sequence);
      end else begin
        nothing_left : assert (bytes_left == 3'd0);
      end
      few_bytes : assert (bytes_left <= 3'd5);
      if (looks || reads) begin
        formed : assert (\bridge.well_formed && index < count);
      end
      if (looks) begin
        looks_quietly : assert (!written && ok && bytes_left == 3'd0 && place == 8'd1);
      end
      if (state == HEAD) begin
        head : assert (index == 8'd0 && bytes_left == 3'd0 && place == 8'd1);
        head_formed : assert (!ok || \bridge.well_formed );
      end
      if (reads) begin
        reading : assert (ok && \bridge.is_read );
        stored : assert (end_of_bytes == 9'd6 + 9'd4 * index);
      end
      if (state == TAKE) begin
        taking : assert (bytes_left == 3'd0);
      end
      if (state == CHECK) begin
        fits : assert (end_of_bytes <= 9'd246);
      end
      if (state == FINISH) begin
        fits_with_crc : assert (end_of_bytes <= 9'd250);
      end
      if (state != IDLE) begin
        code_before : assert (\bridge.answer.code_place < place);
      end
      if (\bridge.sending ) begin
        sends_what_is_stored : assert (\bridge.answer.at <= place);
      end

      // ------------------------------------------------------------------ and it happens
      writes : cover (bus_write);
      repeats : cover (\bridge.repeat_answer && written);
      refuses : cover (state == FINISH && !ok);
    end
  end

endmodule
`default_nettype wire
