// The registers of a board and, behind the same addresses, those of its end: docs/tables.md.
//
// What is said of an address, its value included, is that of the address one cycle before.
`default_nettype none
`include "oae_board_defs.vh"

module oae_board_registers #(
    parameter [63:0] BUILD_HASH = 64'd0,
    parameter integer RECORD_MAX = 64
) (
    input wire clk,
    input wire rst,
    input wire tick,
    input wire [31:0] clock_hz,

    input  wire [15:0] bus_address,
    output reg         bus_known,
    output reg         bus_writable,
    output wire [31:0] bus_read_data,
    input  wire        bus_read,
    input  wire        bus_write,
    input  wire [31:0] bus_write_data,

    // the end's own registers
    output wire [ 7:0] end_address,
    input  wire [31:0] end_data,     // one cycle later

    output reg [ 5:0] control,
    output reg        crash,
    output reg        amnesia,
    output reg [63:0] session,
    output reg [31:0] wanted_epoch,
    output reg [31:0] prepared,
    output reg [47:0] destination,
    output reg [47:0] source,

    output reg  [31:0] generator_count,
    output reg  [31:0] generator_sizes,      // {longest, shortest}
    output reg  [31:0] generator_seed,
    output reg         generator_start,
    output reg         generator_stop,
    input  wire        generator_busy,
    input  wire [31:0] generator_submitted,
    input  wire [31:0] generator_committed,
    input  wire [31:0] generator_aborted,
    input  wire [31:0] generator_unknown,
    input  wire [31:0] generator_lost,

    output reg  [31:0] sink_seed,
    output reg         sink_clear,
    input  wire [31:0] sink_delivered,
    input  wire [31:0] sink_wrong,
    input  wire [31:0] sink_next,

    output reg  [17:0] inject,   // {kind, one in}
    input  wire [31:0] injected,

    output reg         trace_record,
    output reg         trace_clear,
    output reg  [ 5:0] trace_channels,
    input  wire [31:0] trace_count,
    input  wire [31:0] trace_lost,
    input  wire        oldest_valid,
    input  wire [ 2:0] oldest_channel,
    input  wire [47:0] oldest_cycle,
    input  wire [63:0] oldest_word,
    output wire        oldest_take,

    input wire [31:0] bridge_frames,
    input wire [31:0] bridge_rejected,
    input wire [31:0] bridge_repeated
);

  reg [63:0] cycles;
  reg [31:0] cycles_high_now, cycles_high;  // as `value` was taken; as CYCLES_LOW was read
  reg [31:0] writes, scratch;
  reg [95:0] entry;  // rest of the event that was taken out of the trace buffer
  reg [31:0] value;
  reg of_end, is_cycles, is_entry;  // whose `value` is

  wire traces = {bus_address[15:7], 7'd0} == `OAE_BOARD_REGISTER_TRACE_ENTRY;
  assign end_address   = bus_address[7:0];
  assign bus_read_data = of_end ? end_data : value;
  assign oldest_take   = bus_read && is_entry && value[31];

  always @(posedge clk) begin
    of_end <= bus_address[15:8] == 8'd0;
    is_cycles <= bus_address == `OAE_BOARD_REGISTER_CYCLES_LOW;
    is_entry <= traces && bus_address[1:0] == 2'd0;
    cycles_high_now <= cycles[63:32];
    bus_known <= 1'b1;
    bus_writable <= 1'b0;
    value <= 32'd0;
    case (bus_address)
      `OAE_BOARD_REGISTER_BOARD_VERSION: value <= `OAE_BOARD_REGISTER_MAP;
      `OAE_BOARD_REGISTER_SCRATCH: {bus_writable, value} <= {1'b1, scratch};
      `OAE_BOARD_REGISTER_BUILD_HASH_HIGH: value <= BUILD_HASH[63:32];
      `OAE_BOARD_REGISTER_BUILD_HASH_LOW: value <= BUILD_HASH[31:0];
      `OAE_BOARD_REGISTER_CLOCK_HZ: value <= clock_hz;
      `OAE_BOARD_REGISTER_CYCLES_LOW: value <= cycles[31:0];
      `OAE_BOARD_REGISTER_CYCLES_HIGH: value <= cycles_high;
      `OAE_BOARD_REGISTER_WRITES: value <= writes;
      `OAE_BOARD_REGISTER_CONTROL: {bus_writable, value} <= {1'b1, 26'd0, control};
      `OAE_BOARD_REGISTER_RESTART: bus_writable <= 1'b1;
      `OAE_BOARD_REGISTER_SESSION_HIGH: {bus_writable, value} <= {1'b1, session[63:32]};
      `OAE_BOARD_REGISTER_SESSION_LOW: {bus_writable, value} <= {1'b1, session[31:0]};
      `OAE_BOARD_REGISTER_WANTED_EPOCH: {bus_writable, value} <= {1'b1, wanted_epoch};
      `OAE_BOARD_REGISTER_PREPARED: {bus_writable, value} <= {1'b1, prepared};
      `OAE_BOARD_REGISTER_DESTINATION_HIGH:
      {bus_writable, value} <= {1'b1, 16'd0, destination[47:32]};
      `OAE_BOARD_REGISTER_DESTINATION_LOW: {bus_writable, value} <= {1'b1, destination[31:0]};
      `OAE_BOARD_REGISTER_SOURCE_HIGH: {bus_writable, value} <= {1'b1, 16'd0, source[47:32]};
      `OAE_BOARD_REGISTER_SOURCE_LOW: {bus_writable, value} <= {1'b1, source[31:0]};
      `OAE_BOARD_REGISTER_GENERATOR_COUNT: {bus_writable, value} <= {1'b1, generator_count};
      `OAE_BOARD_REGISTER_GENERATOR_SIZES: {bus_writable, value} <= {1'b1, generator_sizes};
      `OAE_BOARD_REGISTER_GENERATOR_SEED: {bus_writable, value} <= {1'b1, generator_seed};
      `OAE_BOARD_REGISTER_GENERATOR_START:
      {bus_writable, value} <= {1'b1, 31'd0, generator_busy || generator_start};
      `OAE_BOARD_REGISTER_GENERATOR_SUBMITTED: value <= generator_submitted;
      `OAE_BOARD_REGISTER_GENERATOR_COMMITTED: value <= generator_committed;
      `OAE_BOARD_REGISTER_GENERATOR_ABORTED: value <= generator_aborted;
      `OAE_BOARD_REGISTER_GENERATOR_UNKNOWN: value <= generator_unknown;
      `OAE_BOARD_REGISTER_GENERATOR_LOST: value <= generator_lost;
      `OAE_BOARD_REGISTER_SINK_SEED: {bus_writable, value} <= {1'b1, sink_seed};
      `OAE_BOARD_REGISTER_SINK_DELIVERED: value <= sink_delivered;
      `OAE_BOARD_REGISTER_SINK_WRONG: value <= sink_wrong;
      `OAE_BOARD_REGISTER_SINK_NEXT: value <= sink_next;
      `OAE_BOARD_REGISTER_INJECT: {bus_writable, value} <= {1'b1, 14'd0, inject};
      `OAE_BOARD_REGISTER_INJECTED: value <= injected;
      `OAE_BOARD_REGISTER_TRACE_CONTROL:
      {bus_writable, value} <= {1'b1, 18'd0, trace_channels, 7'd0, trace_record};
      `OAE_BOARD_REGISTER_TRACE_COUNT: value <= trace_count;
      `OAE_BOARD_REGISTER_TRACE_LOST: value <= trace_lost;
      `OAE_BOARD_REGISTER_BRIDGE_FRAMES: value <= bridge_frames;
      `OAE_BOARD_REGISTER_BRIDGE_REJECTED: value <= bridge_rejected;
      `OAE_BOARD_REGISTER_BRIDGE_REPEATED: value <= bridge_repeated;
      default: begin
        bus_known <= bus_address[15:8] == 8'd0 || traces;
        case (bus_address[1:0])
          2'd0: if (oldest_valid) value <= {1'b1, 12'd0, oldest_channel, oldest_cycle[47:32]};
          2'd1: value <= entry[95:64];
          2'd2: value <= entry[63:32];
          default: value <= entry[31:0];
        endcase
      end
    endcase
    if (bus_read && is_cycles) cycles_high <= cycles_high_now;
    if (bus_read && is_entry) entry <= oldest_take ? {oldest_cycle[31:0], oldest_word} : 96'd0;
  end

  always @(posedge clk) begin
    if (tick) cycles <= cycles + 1'b1;
    crash <= 1'b0;
    amnesia <= 1'b0;
    generator_start <= 1'b0;
    generator_stop <= 1'b0;
    sink_clear <= 1'b0;
    trace_clear <= 1'b0;
    if (bus_write) begin
      writes <= writes + 1'b1;
      case (bus_address)
        `OAE_BOARD_REGISTER_SCRATCH: scratch <= bus_write_data;
        `OAE_BOARD_REGISTER_CONTROL: control <= bus_write_data[5:0];
        `OAE_BOARD_REGISTER_RESTART: {amnesia, crash} <= bus_write_data[1:0];
        `OAE_BOARD_REGISTER_SESSION_HIGH: session[63:32] <= bus_write_data;
        `OAE_BOARD_REGISTER_SESSION_LOW: session[31:0] <= bus_write_data;
        `OAE_BOARD_REGISTER_WANTED_EPOCH: wanted_epoch <= bus_write_data;
        `OAE_BOARD_REGISTER_PREPARED: prepared <= bus_write_data;
        `OAE_BOARD_REGISTER_DESTINATION_HIGH: destination[47:32] <= bus_write_data[15:0];
        `OAE_BOARD_REGISTER_DESTINATION_LOW: destination[31:0] <= bus_write_data;
        `OAE_BOARD_REGISTER_SOURCE_HIGH: source[47:32] <= bus_write_data[15:0];
        `OAE_BOARD_REGISTER_SOURCE_LOW: source[31:0] <= bus_write_data;
        `OAE_BOARD_REGISTER_GENERATOR_COUNT: generator_count <= bus_write_data;
        `OAE_BOARD_REGISTER_GENERATOR_SIZES: generator_sizes <= bus_write_data;
        `OAE_BOARD_REGISTER_GENERATOR_SEED: generator_seed <= bus_write_data;
        `OAE_BOARD_REGISTER_GENERATOR_START: begin
          generator_start <= bus_write_data[0];
          generator_stop  <= !bus_write_data[0];
        end
        `OAE_BOARD_REGISTER_SINK_SEED: begin
          sink_seed  <= bus_write_data;
          sink_clear <= 1'b1;
        end
        `OAE_BOARD_REGISTER_INJECT: inject <= bus_write_data[17:0];
        `OAE_BOARD_REGISTER_TRACE_CONTROL: begin
          trace_channels <= bus_write_data[13:8];
          trace_clear <= bus_write_data[1];
          trace_record <= bus_write_data[0];
        end
        default: ;
      endcase
    end
    if (rst) begin
      cycles <= 64'd0;
      writes <= 32'd0;
      scratch <= 32'd0;
      control <= 6'd0;
      {crash, amnesia} <= 2'd0;
      session <= 64'd0;
      wanted_epoch <= 32'd0;
      prepared <= 32'd0;
      destination <= 48'd0;
      source <= 48'd0;
      generator_count <= 32'd0;
      generator_sizes <= {RECORD_MAX[15:0], 16'd8};
      generator_seed <= 32'd0;
      sink_seed <= 32'd0;
      inject <= 18'd0;
      trace_channels <= 6'h3f;
      trace_record <= 1'b1;
    end
  end

endmodule
`default_nettype wire
