// What holds of every slot of both ends, one bit a slot (docs/protocol.md, section 7). To be included
// after oae_lane.svh.
// One bit a slot: whether the relation holds there.
wire [WINDOW-1:0] a_is_known, a_is_compared, a_known_is_committed, a_in_window, a_in_slot;
wire [WINDOW-1:0] a_is_resolved;
wire [WINDOW-1:0] b_is_known, b_is_settled, b_in_window, b_is_opened, b_in_slot, b_is_passed;
wire [2*WINDOW-1:0] open_is_held;

generate
  genvar s;
  for (s = 0; s < WINDOW; s = s + 1) begin : g_a
    wire [2:0] state = \a.state [3*s+:3];
    wire [ID_BITS-1:0] id = a_ids[ID_BITS*s+:ID_BITS];
    wire [ID_BITS-1:0] age = next_id - id;
    wire idle = state == `OAE_STATE_IDLE;
    assign a_is_known[s] = state <= `OAE_STATE_ABORTED;
    assign a_is_compared[s] = (state == `OAE_STATE_REFLECTING) ==
        (\a.comparing && \a.comparing_slot == s);
    assign a_known_is_committed[s] = !\a.known [s] || state == `OAE_STATE_COMMITTED;
    assign a_in_window[s] = idle || (age != {ID_BITS{1'b0}} && age <= window);
    assign a_in_slot[s] = idle || (id[SLOT_BITS-1:0] & slot_mask) == s;
    assign a_is_resolved[s] = !(state == `OAE_STATE_ABORTED || \a.known [s]) ||
        is_passed(id) || held_by_b(id) == `OAE_STATE_ABORTED;
  end
  for (s = 0; s < WINDOW; s = s + 1) begin : g_b
    wire [2:0] state = \b.state [3*s+:3];
    wire [ID_BITS-1:0] id = b_ids[ID_BITS*s+:ID_BITS];
    wire idle = state == `OAE_STATE_IDLE;
    assign b_is_known[s] = state <= `OAE_STATE_ABORTED;
    assign b_is_settled[s] = (state == `OAE_STATE_TENTATIVE || state == `OAE_STATE_REVERSING) ==
        (\b.settling && \b.settling_slot == s);
    assign b_in_window[s] = idle || id - pointer < window || pointer - id <= window;
    assign b_is_opened[s] = idle || is_current(id);
    assign b_in_slot[s] = idle || (id[SLOT_BITS-1:0] & slot_mask) == s;
    assign b_is_passed[s] = idle || state == `OAE_STATE_ABORTED ||
        (state == `OAE_STATE_COMMITTED && \b.delivered [s]) == is_passed(id);
  end
  for (s = 0; s < 2 * WINDOW; s = s + 1) begin : g_open
    wire [ID_BITS-1:0] id = pointer + s;
    assign open_is_held[s] = s >= gap || held_by_a(id) != `OAE_STATE_IDLE ||
        held_by_b(id) == `OAE_STATE_ABORTED;
  end
endgenerate
