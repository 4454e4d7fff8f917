// What the bench does to the ends and to the medium, what the ends show of themselves, and how it ends.
#pragma once
#include <string>

#include "rules.h"
#include "run.h"

namespace oae {

class Bench {
 public:
  using End = Run::End;

  std::string stop;
  uint64_t stop_packet = 0;
  std::vector<EndState> states;
  std::vector<FrameFault> frame_faults;
  static constexpr size_t kStates = 10000, kFrameFaults = 10000;

  explicit Bench(Run& run) : run_(run) {
    states.reserve(kStates);
    frame_faults.reserve(kFrameFaults);
  }

  void restart() {
    stop.clear();
    stop_packet = 0;
    rules_ = HiddenRules{};
  }

  // Of its effect only that it comes near a rule.
  void cancelled() { rules_.effect(run_.now.cycle); }

  void power(bool crash, bool amnesia) {
    rules_.effect(run_.now.cycle);
    const int at = run_.now.end;
    const SpanKind kind = amnesia ? SpanKind::AMNESIA : SpanKind::CRASH;
    End& end = run_.ends[at];
    if (crash || amnesia) {
      if (!end.down) run_.book.spans.start(kind, at, 0, run_.now.place.time, run_.now.place.packet);
    } else {
      for (const SpanKind each : {SpanKind::CRASH, SpanKind::AMNESIA})
        run_.book.spans.heal(each, at, run_.now.place.time, run_.now.place.packet, run_.all_open());
    }
    end.down = crash || amnesia;
  }

  void config(const uint8_t* fields) {
    rules_.effect(run_.now.cycle);
    End& end = run_.ends[run_.now.end];
    end.offered = big64(fields + 3);
    end.wanted_epoch = big32(fields + 11);
    end.has_config = true;
    end.disabled = !fields[0];
    end.disabled_at = run_.now.cycle;
  }

  void status(const uint8_t* fields) {
    const uint8_t at = run_.now.end;
    End& end = run_.ends[at];
    check_codes(fields, end);
    end.epoch = big32(fields + 4);
    Interval& interval = run_.book.intervals.at(run_.now.place.time);
    interval.initiator_balance[at] = fields[12];
    interval.responder_balance[at] = fields[13];
    EndState state{};
    state.end = at, state.state = fields[0], state.incoming = fields[1], state.outgoing = fields[2];
    state.changing = fields[3], state.epoch = end.epoch, state.converged = big32(fields + 8);
    if (end.has_state && std::memcmp(&state, &end.state, sizeof state) == 0) return;
    const auto fault = static_cast<uint8_t>(LinkState::FAULT), up = static_cast<uint8_t>(LinkState::UP);
    if (state.state == fault && !(end.has_state && end.state.state == fault))
      run_.book.spans.start(SpanKind::LINK_FAULT, at, 0, run_.now.place.time, run_.now.place.packet);
    if (state.state == up)
      run_.book.spans.heal(SpanKind::LINK_FAULT, at, run_.now.place.time, run_.now.place.packet,
                           run_.all_open());
    end.state = state;
    end.has_state = true;
    if (states.size() == kStates) return;
    state.time = run_.now.place.time, state.packet = run_.now.place.packet;
    states.push_back(state);
  }

  void cut(bool is_cut) {
    rules_.effect(run_.now.cycle);
    End& end = run_.ends[run_.now.end];
    if (is_cut && !end.cut)
      run_.book.spans.start(SpanKind::CUT, run_.now.end, 0, run_.now.place.time, run_.now.place.packet);
    if (!is_cut)
      run_.book.spans.heal(SpanKind::CUT, run_.now.end, run_.now.place.time, run_.now.place.packet,
                           run_.all_open());
    end.cut = is_cut;
  }

  void rule(uint32_t number) {
    run_.book.spans.strike(number, run_.now.place.time, run_.now.place.packet, run_.all_open());
    rules_.fired(run_.now.cycle, number);
  }

  // Whether the frame was forged.
  template <class Altered>
  bool fate(const uint8_t* fields, Altered altered) {
    const uint16_t faults = big16(fields + 13), number_of_rule = big16(fields + 15);
    const uint32_t number = big32(fields);
    for (int bit = 0; bit < 16; ++bit)
      run_.book.directions[run_.now.end].fates[bit] += faults >> bit & 1;
    if (faults & kAltered) altered(run_.now.end, number);
    if (faults & kForged) {
      ++run_.ends[1 - run_.now.end].forged;
      run_.book.has_forged = true;
    }
    rules_.struck(number_of_rule);
    if (frame_faults.size() < kFrameFaults)
      frame_faults.push_back({run_.now.place.time, run_.now.place.packet, number, big32(fields + 5), faults,
                            number_of_rule, run_.now.end, fields[4], {}});
    return faults & kForged;
  }

  void stopped(std::string reason) {
    if (stop_packet) return;
    stop = std::move(reason);
    stop_packet = run_.now.place.packet;
    uint64_t open = 0;
    for (uint8_t end = 0; end < 2; ++end) open += leave_open(end, &run_.now.place);
    if (stop == "resolved" && open) {
      run_.book.findings.add(Promise::CONSERVATION, true, true, run_.now.place, nullptr, nullptr,
                             "%llu records have no outcome though the load is done",
                             static_cast<unsigned long long>(open));
    }
    bool obstructed = false;
    for (const End& end : run_.ends) {
      // The stop itself disables the ends, in its own cycle.
      const bool disabled = end.disabled && end.disabled_at < run_.now.cycle;
      obstructed |= end.cut || end.down || disabled || end.wanted_epoch != end.epoch;
    }
    if (stop == "stalled" && !obstructed)
      // A rule without an effect that can be seen may hold up a host.
      run_.book.findings.add(Promise::PROGRESS, run_.torn == 0 && !rules_.any(), true,
                             run_.now.place, nullptr, nullptr,
                             "nothing moves, %llu transactions are open, and nothing stands in the way",
                             static_cast<unsigned long long>(open));
  }

  // Counts what an end leaves open, and how much it is.
  uint64_t leave_open(uint8_t at, const Place* place) {
    uint64_t open = 0;
    const auto still = [&](const Lane& lane, const Page& page, Mark from, Latency latency) {
      if (place) run_.book.measure(lane, latency, page, from, place->time);
    };
    if (const Lane* lane = run_.book.outgoing[at])
      for (const uint16_t in : lane->used) {
        const Page& page = lane->ring[in];
        if (!page.has(OPENED) || page.has(TOLD)) continue;
        ++open;
        if (!(page.flags & SETTLED)) still(*lane, page, DECIDED, IN_DOUBT_INITIATOR);
      }
    if (const Lane* lane = run_.book.incoming[at])
      for (const uint16_t in : lane->used) {
        const Page& page = lane->ring[in];
        if (!page.has(COMMIT_HEARD) && !page.has(ABORT_RECORDED) && !page.has(DOUBTED))
          still(*lane, page, REFLECTED, IN_DOUBT_RESPONDER);
      }
    run_.counts[at].unresolved += open;
    return open;
  }

 private:
  static constexpr uint16_t kForged = 0x0080, kAltered = 0x0040 | 0x0080 | 0x0400;

  // The outputs of an end have only these values, and its slots say which balance it is.
  void check_codes(const uint8_t* fields, const End& end) {
    const auto is = [](uint8_t code, Balance one, Balance other) {
      return code == static_cast<uint8_t>(one) || code == static_cast<uint8_t>(other);
    };
    const uint8_t initiator = fields[12], responder = fields[13];
    const char name = run_.now.end ? 'b' : 'a';
    if (fields[0] > static_cast<uint8_t>(LinkState::FAULT) || fields[1] > 1 || fields[2] > 1 ||
        fields[3] > 1 || !is(initiator, Balance::PLUS_ZERO, Balance::PLUS_ONE) ||
        !is(responder, Balance::MINUS_ZERO, Balance::PLUS_INFINITY))
      run_.book.findings.bench_error(run_.now.place, "the status of end %c has a code that none has",
                                     name);
    else if (run_.torn == 0 &&
             (initiator == static_cast<uint8_t>(Balance::PLUS_ONE)) != (end.open != 0))
      run_.book.findings.bench_error(run_.now.place,
                                     "the status of end %c and its steps differ: %u are open", name,
                                     end.open);
  }

  Run& run_;
  HiddenRules rules_;
};

}  // namespace oae
