// A run of a pair of ends: the schedule, reset, when the run ends, and the end of the trace.
//
// `+schedule=FILE` is read before cycle 0, `+trace=FILE` is written. On standard output stand lines
// `progress <cycle> <submitted a> <resolved a> <submitted b> <resolved b> <delivered>` and at the end
// `stop <reason> <cycle>`. The clock comes from outside.
`default_nettype none
`include "oae_defs.vh"
`include "oae_schedule.vh"

module oae_link_pair_top #(
    parameter integer        WINDOW_A       = 8,
    parameter integer        WINDOW_B       = 8,
    parameter integer        RECORD_MAX_A   = 64,
    parameter integer        RECORD_MAX_B   = 64,
    parameter         [15:0] ETHERTYPE      = `OAE_ETHERTYPE,
    parameter integer        BEAT_IDLE      = 256,
    parameter integer        BEAT_BUSY      = 64,
    parameter integer        FAULT_BEATS    = 64,
    parameter integer        SYNC_INTERVAL  = 512,
    parameter integer        DIRECT         = 0,
    parameter integer        SCHEDULE_WORDS = 16384
) (
    input wire clk
);

  localparam integer HEAD_WORDS = `OAE_FIRST_BLOCK + 4 * `OAE_BLOCK_WORDS;
  localparam [31:0] RESET_CYCLES = 32'd8;
  // Silence of channels and hosts after which nothing can move any more, and how long to wait for it.
  localparam [31:0] REST_CYCLES = 32'd128;
  localparam [31:0] REST_LIMIT = 32'd65536;
  localparam [7:0] LAST_REGISTER = `OAE_REGISTER_COUNTERS + `OAE_COUNTERS - 8'd1;
  localparam [7:0] LAST_PLAIN_REGISTER = `OAE_REGISTER_NEGOTIATED;
  localparam [2:0] BOOT = 3'd0;  // reset, while the rules are copied
  localparam [2:0] RUN = 3'd1;
  localparam [2:0] REST = 3'd2;  // the ends are disabled; frames run out
  localparam [2:0] READ = 3'd3;  // one register of both ends after the other
  localparam [2:0] FINISH = 3'd4;
  localparam [2:0] OVER = 3'd5;

  wire [64*HEAD_WORDS-1:0] head;
  wire [95:0] table_address;
  wire [191:0] table_word;
  wire [31:0] cycles_max = head[64*`OAE_HEAD_LIMIT_CYCLES+:32];
  wire [31:0] stall_max = head[64*`OAE_HEAD_LIMIT_STALL+:32];
  wire [31:0] quiet_max = head[64*`OAE_HEAD_LIMIT_QUIET+:32];
  wire [31:0] progress_cycles = head[64*`OAE_HEAD_PROGRESS+:32];

  reg [2:0] state;
  reg [31:0] cycle;  // since reset
  reg [31:0] waited;  // in this state
  reg [31:0] quiet;  // cycles since everything is resolved
  reg [31:0] stalled;  // cycles since anything moved
  reg [31:0] until_progress;
  reg [63:0] last_resolved;
  reg [63:0] last_submitted;
  reg [31:0] last_delivered;
  reg stop;
  reg [1:0] stop_reason;
  reg register_valid;
  reg [7:0] register_address;
  wire [1:0] done, settled;
  wire [63:0] submitted, resolved;
  wire [31:0] delivered;
  wire loaded, idle, stop_requested;
  wire rst = state == BOOT;

  oae_schedule #(
      .WORDS(SCHEDULE_WORDS),
      .HEAD_WORDS(HEAD_WORDS),
      .PORTS(3)
  ) schedule (
      .head(head),
      .address(table_address),
      .word(table_word)
  );

  oae_link_pair #(
      .WINDOW_A(WINDOW_A),
      .WINDOW_B(WINDOW_B),
      .RECORD_MAX_A(RECORD_MAX_A),
      .RECORD_MAX_B(RECORD_MAX_B),
      .ETHERTYPE(ETHERTYPE),
      .BEAT_IDLE(BEAT_IDLE),
      .BEAT_BUSY(BEAT_BUSY),
      .FAULT_BEATS(FAULT_BEATS),
      .SYNC_INTERVAL(SYNC_INTERVAL),
      .DIRECT(DIRECT),
      .HEAD_WORDS(HEAD_WORDS)
  ) pair (
      .clk(clk),
      .rst(rst),
      .run(state == RUN),
      .head(head),
      .table_address(table_address),
      .table_word(table_word),
      .loaded(loaded),
      .done(done),
      .submitted(submitted),
      .resolved(resolved),
      .delivered(delivered),
      .settled(settled),
      .idle(idle),
      .stop_requested(stop_requested),
      .stop(stop),
      .stop_reason(stop_reason),
      .register_valid(register_valid),
      .register_address(register_address),
      .finish(state == FINISH)
  );

  wire moved = submitted != last_submitted || resolved != last_resolved ||
      delivered != last_delivered;
  wire resolved_enough = quiet == quiet_max;
  wire too_long = cycle == cycles_max;
  wire stuck = stalled == stall_max;

  wire [1:0] ending = resolved_enough ? `OAE_STOP_RESOLVED :
      stop_requested ? `OAE_STOP_REQUESTED : too_long ? `OAE_STOP_CYCLES : `OAE_STOP_STALLED;

  initial begin
    state  = BOOT;
    waited = 32'd0;
  end

  always @(posedge clk) begin
    stop <= 1'b0;
    register_valid <= 1'b0;
    waited <= waited + 1'b1;
    case (state)
      BOOT: begin
        cycle <= 32'd0;
        quiet <= 32'd0;
        stalled <= 32'd0;
        until_progress <= progress_cycles;
        last_submitted <= 64'd0;
        last_resolved <= 64'd0;
        last_delivered <= 32'd0;
        stop_reason <= `OAE_STOP_RESOLVED;
        register_address <= 8'd0;
        if (loaded && waited >= RESET_CYCLES) state <= RUN;
      end
      RUN: begin
        cycle <= cycle + 1'b1;
        quiet <= &done && &settled ? quiet + 1'b1 : 32'd0;
        stalled <= moved ? 32'd0 : stalled + 1'b1;
        last_submitted <= submitted;
        last_resolved <= resolved;
        last_delivered <= delivered;
        until_progress <= until_progress - 1'b1;
        if (until_progress == 32'd1) begin
          until_progress <= progress_cycles;
          $display("progress %0d %0d %0d %0d %0d %0d", cycle, submitted[31:0], resolved[31:0],
                   submitted[63:32], resolved[63:32], delivered);
        end
        if (resolved_enough || too_long || stuck || stop_requested) begin
          stop <= 1'b1;
          stop_reason <= ending;
          state <= REST;
          quiet <= 32'd0;
          waited <= 32'd0;
        end
      end
      REST: begin
        quiet <= idle ? quiet + 1'b1 : 32'd0;
        if (quiet == REST_CYCLES || waited == REST_LIMIT) begin
          state  <= READ;
          waited <= 32'd0;
        end
      end
      READ:
      // The ports show a register some cycles after its address.
      if (waited[1:0] == 2'd3) begin
        register_valid <= 1'b1;
      end else if (waited[1:0] == 2'd0 && waited != 32'd0) begin
        if (register_address == LAST_REGISTER) state <= FINISH;
        register_address <= register_address == LAST_PLAIN_REGISTER ? `OAE_REGISTER_COUNTERS :
            register_address + 1'b1;
      end
      FINISH: begin
        case (stop_reason)
          `OAE_STOP_RESOLVED: $display("stop resolved %0d", cycle);
          `OAE_STOP_CYCLES: $display("stop cycles %0d", cycle);
          `OAE_STOP_STALLED: $display("stop stalled %0d", cycle);
          default: $display("stop requested %0d", cycle);
        endcase
        state <= OVER;
      end
      default: $finish;
    endcase
  end

endmodule
`default_nettype wire
