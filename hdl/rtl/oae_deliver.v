// Committed records to the host, read from the store at one word a cycle.
//
// `delivered` is the handshake of the record's last beat. A crash in mid-packet closes the packet
// with one beat marked bad; the record then comes again from its first beat.
`default_nettype none

module oae_deliver #(
    parameter integer RECORD_MAX = 64,
    parameter integer WORD_BITS  = RECORD_MAX > 8 ? $clog2((RECORD_MAX + 7) / 8) : 1
) (
    input wire clk,
    input wire rst,
    input wire restart, // crash or amnesia

    input  wire        record_valid,   // the head of the lane is to be delivered
    input  wire [31:0] record_id,
    input  wire [15:0] record_length,  // bytes
    output wire        delivered,

    output wire                 read_enable,
    output reg  [WORD_BITS-1:0] read_word,
    input  wire [         63:0] read_data,

    output reg  [63:0] m_deliver_tdata,
    output reg  [ 7:0] m_deliver_tkeep,
    output wire        m_deliver_tvalid,
    input  wire        m_deliver_tready,
    output reg         m_deliver_tlast,
    output reg         m_deliver_tuser,
    output reg  [31:0] m_deliver_id
);

  // The word in flight from the store, and the beat on the port.
  reg reading, next_reading;  // words of this record are still to be read
  reg fetched, next_fetched;
  reg fetched_last, next_fetched_last;
  reg [WORD_BITS-1:0] next_read_word;
  reg beat_valid, next_beat_valid;
  // Survives crash and amnesia.
  reg  in_packet;

  wire taken = m_deliver_tvalid && m_deliver_tready;
  assign m_deliver_tvalid = beat_valid && !restart && !rst;
  assign delivered = taken && m_deliver_tlast && !m_deliver_tuser;

  // Place of the last word, and the bytes of the record in it.
  wire [15:0] last_offset = record_length - 1'b1;
  wire unused = &{1'b0, last_offset};
  wire [WORD_BITS-1:0] last_word = last_offset[3+:WORD_BITS];
  wire [7:0] last_keep = 8'hff >> (3'd7 - last_offset[2:0]);

  wire port_free = !beat_valid || taken;
  wire fetch_free = !fetched || port_free;
  assign read_enable = fetch_free;

  always @* begin
    next_reading = reading;
    next_read_word = read_word;
    next_fetched = fetched;
    next_fetched_last = fetched_last;
    next_beat_valid = beat_valid;

    if (taken) next_beat_valid = 1'b0;
    if (port_free && fetched) begin
      next_beat_valid = 1'b1;
      next_fetched = 1'b0;
    end
    if (fetch_free && reading) begin
      next_fetched = 1'b1;
      next_fetched_last = read_word == last_word;
      next_read_word = read_word + 1'b1;
      if (read_word == last_word) next_reading = 1'b0;
    end
    // The next record starts once the last one's step is taken.
    if (record_valid && !reading && !fetched && !beat_valid) begin
      next_reading   = 1'b1;
      next_read_word = {WORD_BITS{1'b0}};
    end
  end

  always @(posedge clk) begin
    reading <= next_reading;
    read_word <= next_read_word;
    fetched <= next_fetched;
    fetched_last <= next_fetched_last;
    beat_valid <= next_beat_valid;
    if (port_free && fetched) begin
      m_deliver_tdata <= read_data;
      m_deliver_tkeep <= fetched_last ? last_keep : 8'hff;
      m_deliver_tlast <= fetched_last;
      m_deliver_tuser <= 1'b0;
      m_deliver_id <= record_id;
    end
    if (taken) in_packet <= !m_deliver_tlast;
    if (rst || restart) begin
      reading <= 1'b0;
      fetched <= 1'b0;
      // Close a packet that is open; nothing else is offered.
      beat_valid <= in_packet;
      m_deliver_tdata <= 64'd0;
      m_deliver_tkeep <= 8'hff;
      m_deliver_tlast <= 1'b1;
      m_deliver_tuser <= 1'b1;
      in_packet <= in_packet;
    end
    if (rst) begin
      beat_valid <= 1'b0;
      in_packet  <= 1'b0;
    end
  end

endmodule
`default_nettype wire
