// One direction of the medium: takes frames whole, decides what becomes of each, and sends on what
// is left of them.
//
// A frame is decided about two cycles after its last beat: by the rates, from a hash of its
// coordinates, and by the fault rules, which are asked with `query_*` and answer with `strike_*` in
// the next cycle. Bits 12 and 13 of the answer hold and delay the frame for as long as chance would. Order is kept except where a frame is held back.
`default_nettype none
`include "oae_defs.vh"
`include "oae_schedule.vh"

module oae_fault_channel #(
    parameter [7:0]   DIRECTION    = 0,
    parameter integer RECORD_MAX   = 64,
    parameter integer BACKPRESSURE = 1    // 0: never waits; what does not fit is dropped
) (
    input wire                           clk,
    input wire                           rst,
    input wire [                   31:0] seed,
    input wire [64*`OAE_BLOCK_WORDS-1:0] settings,

    input  wire [63:0] s_axis_tdata,
    input  wire [ 7:0] s_axis_tkeep,
    input  wire        s_axis_tvalid,
    output reg         s_axis_tready,
    input  wire        s_axis_tlast,
    input  wire        s_axis_tuser,
    output reg  [63:0] m_axis_tdata,
    output reg  [ 7:0] m_axis_tkeep,
    output reg         m_axis_tvalid,
    input  wire        m_axis_tready,
    output reg         m_axis_tlast,
    output reg         m_axis_tuser,
    output reg  [31:0] m_axis_number,  // which frame taken this one stems from

    // the fault rules
    output reg         query_valid,
    output reg  [ 7:0] query_operation,
    output reg  [31:0] query_id,
    output reg  [15:0] query_copy,
    input  wire [15:0] strike_faults,
    input  wire [63:0] strike_argument_0,
    input  wire [63:0] strike_argument_1,
    input  wire        cut,

    // what became of a frame
    output reg        fate_valid,
    output reg [31:0] fate_number,
    output reg [ 7:0] fate_operation,
    output reg [31:0] fate_id,
    output reg [15:0] fate_copy,
    output reg [15:0] fate_faults,
    output reg        idle             // nothing inside
);

  `include "oae_hash.vh"
  `include "oae_crc32c.vh"

  // Sizes: frames stored, entries to send (a frame may go twice), frames held back.
  localparam integer SLOTS = 16;
  localparam integer SLOT_BITS = 4;
  localparam integer QUEUE = 64;
  localparam integer QUEUE_BITS = 6;
  localparam integer HOLDS = 4;
  localparam integer WORD_BITS = RECORD_MAX < 80 ? 4 : $clog2((32 + RECORD_MAX) / 8 + 2);
  localparam integer FRAME_WORDS = 1 << WORD_BITS;
  localparam integer PLACE_BITS = WORD_BITS + 6;  // of a bit in a frame
  // An entry: {not before, slot, corrupted, flips, three places}.
  localparam integer ENTRY_BITS = 32 + SLOT_BITS + 1 + 2 + 3 * PLACE_BITS;
  localparam [4:0] NO_OPERATION = 5'd31;  // too short to have coordinates
  localparam [31:0] FIRST_BIT = 32'd112;  // flips begin at byte 14: addresses prove nothing
  localparam [PLACE_BITS-1:0] MIRROR = 192;  // from a bit to its complement in the guard

  wire [63:0] drop_chance = settings[64*`OAE_DIRECTION_DROP+:64];
  wire [63:0] duplicate_chance = settings[64*`OAE_DIRECTION_DUPLICATE+:64];
  wire [63:0] reorder_chance = settings[64*`OAE_DIRECTION_REORDER+:64];
  wire [31:0] reorder_window = settings[64*`OAE_DIRECTION_REORDER_WINDOW+:32];
  wire [31:0] reorder_cycles = settings[64*`OAE_DIRECTION_REORDER_CYCLES+:32];
  wire [63:0] corrupt_chance = settings[64*`OAE_DIRECTION_CORRUPT+:64];
  wire [63:0] flip_chance = settings[64*`OAE_DIRECTION_FLIP+:64];
  wire [31:0] flip_bits = settings[64*`OAE_DIRECTION_FLIP_BITS+:32];
  wire [63:0] delay_chance = settings[64*`OAE_DIRECTION_DELAY+:64];
  wire [31:0] delay_max = settings[64*`OAE_DIRECTION_DELAY_MAX+:32];
  wire [31:0] latency = settings[64*`OAE_DIRECTION_LATENCY+:32];
  wire [31:0] operations = settings[64*`OAE_DIRECTION_OPERATIONS+:32];
  wire [31:0] rates_until = settings[64*`OAE_DIRECTION_UNTIL+:32];  // 0: to the end

  wire unused = &{1'b0, settings, strike_argument_0, strike_faults};  // some words are spare

  // Everything below is state of one clocked block; it is written with blocking assignments there
  // and read nowhere else.
  // verilator lint_off BLKSEQ
  reg [63:0] words[0:SLOTS*FRAME_WORDS-1];
  reg [WORD_BITS:0] slot_words[0:SLOTS-1];
  reg [7:0] slot_keep[0:SLOTS-1];
  reg slot_user[0:SLOTS-1];
  reg [31:0] slot_number[0:SLOTS-1];
  reg [1:0] slot_entries[0:SLOTS-1];  // entries that still need the frame
  reg [SLOTS-1:0] slot_busy;

  reg [ENTRY_BITS-1:0] queue[0:QUEUE-1];
  reg [QUEUE_BITS-1:0] queue_head, queue_tail;
  reg [ENTRY_BITS-1:0] held_entry[0:HOLDS-1];
  reg [31:0] held_passes[0:HOLDS-1];
  reg [31:0] held_until[0:HOLDS-1];
  reg [HOLDS-1:0] held;

  // How often (operation, id) came before: {times, upper bits of the id}, by the lower 12 bits.
  reg [35:0] seen[0:65535];

  reg in_reset;  // for more than one cycle
  reg [31:0] cycle;
  // The frame that is coming in.
  reg fill_ready;  // it has a slot
  reg [SLOT_BITS-1:0] fill_slot;
  reg [WORD_BITS:0] fill_word;
  reg fill_over;  // longer than any frame
  reg [31:0] fill_number;
  reg [4:0] operation;
  reg [31:0] id, beat_number, counter;
  reg [15:0] bytes;  // payload length, as the frame says
  reg [15:0] copy;
  reg [15:0] place;
  // The frame that the rules are asked about, and the one that is decided about.
  reg asked_stored, decide_valid, decide_stored;
  reg [SLOT_BITS-1:0] asked_slot, decide_slot;
  reg [31:0] asked_number, decide_number;
  reg [15:0] asked_bytes, decide_bytes;
  reg [ 4:0] decide_operation;
  reg [31:0] decide_id;
  reg [15:0] decide_copy;
  reg [15:0] faults;
  reg [31:0] hash, copy_hash, number, passes, not_before, flip_range;
  reg [ENTRY_BITS-1:0] entry;
  reg entry_corrupted;
  reg rated;  // the rates concern this operation, now
  reg decide_again;  // the frame goes twice
  reg [1:0] entry_flips;
  reg [PLACE_BITS-1:0] place_0, place_1, place_2;
  // The frame that is going out.
  reg sending;
  reg [SLOT_BITS-1:0] out_slot;
  reg [WORD_BITS:0] out_word;
  reg out_corrupted;
  reg [1:0] out_flips;
  reg [PLACE_BITS-1:0] out_place_0, out_place_1, out_place_2;
  reg  [31:0] out_not_before;
  reg  [63:0] out_data;
  reg  [31:0] crc;
  reg  [63:0] trailer;
  wire [31:0] forge_byte = {16'd0, strike_argument_0[15:0]};
  integer i, h, n;

  // Indices and sets of bits are wider than what is used of them.
  // verilator lint_off UNUSEDSIGNAL

  // Four bytes of a beat in network order.
  function automatic [31:0] swapped;
    input [31:0] value;
    swapped = {value[7:0], value[15:8], value[23:16], value[31:24]};
  endfunction

  // Operations in four bits: 22 and 23 take the places of two that are reserved.
  function automatic [3:0] packed_operation;
    input [4:0] value;
    packed_operation = value[4] ? {3'b101, value[0]} : value[3:0];
  endfunction

  // Whether the rates concern this frame, and a draw from the hash falls below the chance.
  function automatic strikes;
    input [31:0] from;
    input [31:0] purpose;
    input [63:0] chance;
    strikes = rated && chance != 64'd0 && {32'd0, oae_chain(from, purpose)} < chance;
  endfunction

  function automatic mirrors;
    input [PLACE_BITS-1:0] one;
    input [PLACE_BITS-1:0] other;
    mirrors = one == other + MIRROR || other == one + MIRROR;
  endfunction

  function automatic [7:0] stored_byte;
    input integer index;
    stored_byte = words[{decide_slot, index[WORD_BITS+2:3]}][8*index[2:0]+:8];
  endfunction

  task automatic store_byte;
    input integer index;
    input [7:0] value;
    words[{decide_slot, index[WORD_BITS+2:3]}][8*index[2:0]+:8] = value;
  endtask

  // Queue an entry. Frames that were held back for so many others to pass have seen one more.
  task automatic send;
    input [ENTRY_BITS-1:0] what;
    begin
      queue[queue_tail] = what;
      queue_tail = queue_tail + 1'b1;
      if (held != {HOLDS{1'b0}})
        for (h = 0; h < HOLDS; h = h + 1)
        if (held[h]) begin
          held_passes[h] = held_passes[h] - 1'b1;
          if (held_passes[h] == 32'd0) release_held;
        end
    end
  endtask

  task automatic release_held;
    begin
      held[h] = 1'b0;
      queue[queue_tail] = held_entry[h];
      queue_tail = queue_tail + 1'b1;
    end
  endtask

  // One of the one or two frames that come out. `from` is its own hash; `struck` are the faults that
  // a rule demands of it.
  task automatic forward;
    input [31:0] from;
    input [15:0] struck;
    input second;
    begin
      slot_entries[decide_slot] = slot_entries[decide_slot] + 1'b1;
      entry_corrupted = struck[5] || strikes(from, `OAE_PURPOSE_CORRUPT, corrupt_chance);
      entry_flips = 2'd0;
      place_0 = {PLACE_BITS{1'b0}};
      place_1 = {PLACE_BITS{1'b0}};
      place_2 = {PLACE_BITS{1'b0}};
      if (decide_operation != NO_OPERATION && (struck[6] || strikes(
              from, `OAE_PURPOSE_FLIP, flip_chance
          ))) begin
        // Where a flip must be noticed: up to the end of the guard or of the record.
        flip_range = decide_bytes == 16'd13 ? 32'd368 : ({16'd0, decide_bytes} + 32'd5) << 3;
        hash = oae_chain(from, `OAE_PURPOSE_FLIP_PLACE);
        number = hash % flip_bits + 32'd1;
        entry_flips = number[1:0];
        hash = oae_chain(hash, 32'd0);
        number = FIRST_BIT + hash % flip_range;
        place_0 = number[PLACE_BITS-1:0];
        hash = oae_chain(hash, 32'd0);
        number = FIRST_BIT + hash % flip_range;
        place_1 = number[PLACE_BITS-1:0];
        hash = oae_chain(hash, 32'd0);
        number = FIRST_BIT + hash % flip_range;
        place_2 = number[PLACE_BITS-1:0];
        // A bit and its complement in the guard, both flipped, would be a forged frame.
        if (mirrors(place_1, place_0)) place_1 = place_0;
        if (mirrors(place_2, place_0) || mirrors(place_2, place_1)) place_2 = place_0;
      end
      if (entry_corrupted)
        faults = faults | (second ? `OAE_FAULT_DUPLICATE_CORRUPTED : `OAE_FAULT_CORRUPTED);
      if (entry_flips != 2'd0)
        faults = faults | (second ? `OAE_FAULT_DUPLICATE_FLIPPED : `OAE_FAULT_FLIPPED);
      entry  = {not_before, decide_slot, entry_corrupted, entry_flips, place_2, place_1, place_0};
      passes = 32'd0;
      if (struck[3]) passes = strike_argument_0[31:0];
      else if (struck[12] || strikes(from, `OAE_PURPOSE_HOLD, reorder_chance))
        passes = 32'd1 + oae_chain(from, `OAE_PURPOSE_HOLD_PASSES) % reorder_window;
      if (passes != 32'd0 && held != {HOLDS{1'b1}}) begin
        n = 0;
        while (held[n]) n = n + 1;
        held[n] = 1'b1;
        held_entry[n] = entry;
        held_passes[n] = passes;
        held_until[n] = cycle + reorder_cycles;
        faults = faults | (second ? `OAE_FAULT_DUPLICATE_HELD : `OAE_FAULT_HELD);
      end else send(entry);
    end
  endtask

  // verilator lint_on UNUSEDSIGNAL

  // Bytes changed by exclusive or, then digest and guard made to fit. The digest is that of a DATA
  // frame in an epoch below 2^16.
  task automatic forge;
    begin
      for (i = 0; i < 8; i = i + 1)
      store_byte(forge_byte + i, stored_byte(forge_byte + i) ^ strike_argument_1[8*i+:8]);
      if (strike_argument_0[17]) begin
        // The record's words, then session, id, kind, 0, length and epoch.
        number = {16'd0, decide_bytes} - 32'd13;
        crc = `OAE_CRC_INITIAL;
        trailer = 64'd0;
        for (i = 0; i < number; i = i + 1) begin
          trailer[8*i[2:0]+:8] = stored_byte(32 + i);
          if (i[2:0] == 3'd7 || i + 1 == number) begin
            crc = oae_crc_word(crc, trailer);
            trailer = 64'd0;
          end
        end
        for (i = 0; i < 4; i = i + 1) trailer[8*i+:8] = stored_byte(19 + i);
        trailer[32+:32] = {stored_byte(16), stored_byte(15), stored_byte(25), stored_byte(24)};
        crc = oae_crc_word(crc, trailer);
        trailer = {
          stored_byte(27), stored_byte(26), 16'd0, number[7:0], number[15:8], 8'd0, stored_byte(23)
        };
        crc = ~oae_crc_word(crc, trailer);
        for (i = 0; i < 4; i = i + 1) store_byte(28 + i, crc[31-8*i-:8]);
      end
      if (strike_argument_0[16])
        for (i = 0; i < 22; i = i + 1) store_byte(38 + i, ~stored_byte(14 + i));
    end
  endtask

  // What becomes of the frame in decide_slot.
  task automatic decide;
    begin
      faults = 16'd0;
      hash = oae_chain(oae_chain(oae_mix(seed), {DIRECTION, 3'd0, decide_operation, decide_copy}),
                       decide_id);
      copy_hash = oae_chain(hash, `OAE_PURPOSE_DUPLICATE);
      not_before = cycle + latency;
      rated = decide_operation != NO_OPERATION && operations[decide_operation] &&
          (rates_until == 32'd0 || cycle < rates_until);
      if (!decide_stored) faults = `OAE_FAULT_OVERFLOW;
      else if (cut) faults = `OAE_FAULT_CUT;
      else if (strike_faults[1]) faults = `OAE_FAULT_DROPPED;
      else if (strikes(hash, `OAE_PURPOSE_DROP, drop_chance)) faults = `OAE_FAULT_DROPPED;
      else begin
        if (strike_faults[7]) begin
          faults = faults | `OAE_FAULT_FORGED;
          forge;
        end
        if (strike_faults[4]) begin
          faults = faults | `OAE_FAULT_DELAYED;
          not_before = not_before + strike_argument_0[31:0];
        end else if (strike_faults[13] || strikes(hash, `OAE_PURPOSE_DELAY, delay_chance)) begin
          faults = faults | `OAE_FAULT_DELAYED;
          not_before = not_before + 32'd1 + oae_chain(hash, `OAE_PURPOSE_DELAY_CYCLES) % delay_max;
        end
        decide_again = strike_faults[2] || (rated && {32'd0, copy_hash} < duplicate_chance);
        forward(hash, strike_faults, 1'b0);
        if (decide_again) begin
          faults = faults | `OAE_FAULT_DUPLICATED;
          forward(copy_hash, {3'd0, strike_faults[8], 5'd0, strike_faults[10:9], 5'd0}, 1'b1);
        end
      end
      if (decide_stored && slot_entries[decide_slot] == 2'd0) slot_busy[decide_slot] = 1'b0;
    end
  endtask
  always @(posedge clk) begin
    cycle = cycle + 1'b1;

    // A frame that the rules have been asked about.
    fate_valid <= decide_valid;
    if (decide_valid) begin
      decide;
      fate_number <= decide_number;
      fate_operation <= {3'd0, decide_operation};
      fate_id <= decide_id;
      fate_copy <= decide_copy;
      fate_faults <= faults;
    end
    decide_valid = query_valid;
    decide_stored = asked_stored;
    decide_slot = asked_slot;
    decide_number = asked_number;
    decide_bytes = asked_bytes;
    decide_operation = query_operation[4:0];
    decide_id = query_id;
    decide_copy = query_copy;

    // A beat comes in.
    query_valid <= 1'b0;
    if (s_axis_tvalid && s_axis_tready) begin
      if (fill_ready && !fill_over) words[{fill_slot, fill_word[WORD_BITS-1:0]}] = s_axis_tdata;
      case (fill_word)
        1: begin
          operation = s_axis_tdata[52:48];
          id[15:8]  = s_axis_tdata[63:56];
        end
        2: begin
          id[7:0] = s_axis_tdata[7:0];
          bytes   = {s_axis_tdata[15:8], s_axis_tdata[23:16]};
        end
        3: id[31:16] = {s_axis_tdata[7:0], s_axis_tdata[15:8]};
        4: beat_number = {17'd0, s_axis_tdata[6:0], s_axis_tdata[15:8]};
        7: counter = swapped(s_axis_tdata[31:0]);
        default: ;
      endcase
      fill_word = fill_word + 1'b1;
      if (fill_word[WORD_BITS]) fill_over = 1'b1;
      if (s_axis_tlast) begin
        if (fill_word < 8) begin
          operation = NO_OPERATION;
          id = 32'd0;
        end
        if (operation == `OAE_OPERATION_NOP) id = beat_number;
        if (operation == `OAE_OPERATION_SYNC || operation == `OAE_OPERATION_SYNC_ACK) id = counter;
        if (fill_ready) begin
          slot_words[fill_slot] = fill_word;
          slot_keep[fill_slot] = s_axis_tkeep;
          slot_user[fill_slot] = s_axis_tuser;
          slot_number[fill_slot] = fill_number;
          slot_entries[fill_slot] = 2'd0;
          slot_busy[fill_slot] = !fill_over;
        end
        place = {packed_operation(operation), id[11:0]};
        copy  = 16'd0;
        if (seen[place][35:20] != 16'd0 && seen[place][19:0] == id[31:12])
          copy = seen[place][35:20];
        if (copy != 16'hffff) seen[place] = {copy + 16'd1, id[31:12]};
        query_valid <= 1'b1;
        query_operation <= {3'd0, operation};
        query_id <= id;
        query_copy <= copy;
        asked_stored = fill_ready && !fill_over;
        asked_slot = fill_slot;
        asked_number = fill_number;
        asked_bytes = bytes;
        fill_number = fill_number + 1'b1;
        fill_ready = 1'b0;
        fill_over = 1'b0;
        fill_word = {WORD_BITS + 1{1'b0}};
      end
    end

    // Frames that were held back long enough.
    if (held != {HOLDS{1'b0}})
      for (h = 0; h < HOLDS; h = h + 1) if (held[h] && held_until[h] == cycle) release_held;

    // The next beat goes out.
    if (!m_axis_tvalid || m_axis_tready) begin
      m_axis_tvalid <= 1'b0;
      if (!sending && queue_head != queue_tail) begin
        {out_not_before, out_slot, out_corrupted, out_flips,
         out_place_2, out_place_1, out_place_0} = queue[queue_head];
        n = out_not_before - cycle;
        if (n <= 0) begin
          sending = 1'b1;
          out_word = {WORD_BITS + 1{1'b0}};
          queue_head = queue_head + 1'b1;
        end
      end
      if (sending) begin
        out_data = 64'd0;
        if (out_flips != 2'd0) begin
          if (out_place_0[PLACE_BITS-1:6] == out_word[WORD_BITS-1:0])
            out_data[out_place_0[5:0]] = 1'b1;
          if (out_flips > 2'd1 && out_place_1[PLACE_BITS-1:6] == out_word[WORD_BITS-1:0])
            out_data[out_place_1[5:0]] = 1'b1;
          if (out_flips > 2'd2 && out_place_2[PLACE_BITS-1:6] == out_word[WORD_BITS-1:0])
            out_data[out_place_2[5:0]] = 1'b1;
        end
        m_axis_tdata  <= words[{out_slot, out_word[WORD_BITS-1:0]}] ^ out_data;
        m_axis_tkeep  <= 8'hff;
        m_axis_tlast  <= 1'b0;
        m_axis_tuser  <= 1'b0;
        m_axis_tvalid <= 1'b1;
        m_axis_number <= slot_number[out_slot];
        out_word = out_word + 1'b1;
        if (out_word == slot_words[out_slot]) begin
          m_axis_tkeep <= slot_keep[out_slot];
          m_axis_tlast <= 1'b1;
          m_axis_tuser <= slot_user[out_slot] || out_corrupted;
          sending = 1'b0;
          slot_entries[out_slot] = slot_entries[out_slot] - 1'b1;
          if (slot_entries[out_slot] == 2'd0) slot_busy[out_slot] = 1'b0;
        end
      end
    end

    // A slot for the next frame.
    if (!fill_ready && fill_word == {WORD_BITS + 1{1'b0}} && !(&slot_busy)) begin
      n = 0;
      while (slot_busy[n]) n = n + 1;
      fill_slot = n[SLOT_BITS-1:0];
      fill_ready = 1'b1;
      slot_busy[n] = 1'b1;
    end
    s_axis_tready <= fill_ready || BACKPRESSURE == 0;
    idle <= !query_valid && !decide_valid && !sending && queue_head == queue_tail &&
        held == {HOLDS{1'b0}} && fill_word == {WORD_BITS + 1{1'b0}};

    if (!rst) in_reset = 1'b0;
    else begin
      if (in_reset !== 1'b1) for (i = 0; i < 65536; i = i + 1) seen[i] = 36'd0;
      in_reset = 1'b1;
      cycle = 32'd0;
      slot_busy = {SLOTS{1'b0}};
      queue_head = {QUEUE_BITS{1'b0}};
      queue_tail = {QUEUE_BITS{1'b0}};
      held = {HOLDS{1'b0}};
      fill_ready = 1'b0;
      fill_over = 1'b0;
      fill_word = {WORD_BITS + 1{1'b0}};
      fill_number = 32'd0;
      decide_valid = 1'b0;
      sending = 1'b0;
      s_axis_tready <= 1'b0;
      m_axis_tvalid <= 1'b0;
      query_valid <= 1'b0;
      fate_valid <= 1'b0;
      idle <= 1'b1;
    end
  end

  // verilator lint_on BLKSEQ

endmodule
`default_nettype wire
