// What is known of a run while its evidence is read: both ends, their session pairs and their lanes.
#pragma once
#include <cstdlib>

#include "book.h"
#include "frame.h"
#include "wire.h"

namespace oae {

// Counts of one end; host/oae/check/kernel.py has it as a numpy type.
struct EndCounts {
  uint64_t opened, committed, aborted, unknown, unopened, discarded, lost, unresolved;
  uint64_t delivered, delivered_bytes, doubted, crashes, amnesias;
};

class Run {
 public:
  struct Now {
    Place place;
    uint64_t cycle;
    uint8_t end;
    uint32_t missing;  // bytes that were not captured
  };
  struct Waiting {
    bool is = false;
    uint64_t cycle = 0;
    Place place{};
  };
  struct Completed {
    uint32_t id;
    uint16_t tag;
    uint8_t kind, outcome, reason;
  };
  struct Record {
    uint64_t hash;
    uint32_t size, id;
    uint16_t tag;
    uint8_t kind, user;
    bool known;  // all of it was captured
  };
  // Sessions of an end that amnesia ended, low halves; the last ones.
  class Forgotten {
   public:
    // A session of 0 is one that was not seen: it may be any.
    void add(uint32_t session) {
      sessions_[count_++ % kMost] = session;
      any_ |= session == 0;
    }
    bool has(uint32_t session) const {
      if (any_ || count_ > kMost) return true;  // it may be one of those that are not kept
      return std::find(sessions_, sessions_ + count_, session) != sessions_ + count_;
    }

   private:
    static constexpr size_t kMost = 64;
    uint32_t sessions_[kMost];
    size_t count_ = 0;
    bool any_ = false;
  };
  struct End {
    uint64_t offered = 0, session = 0;  // whole sessions
    uint64_t drawn[4] = {};             // the last ones
    uint32_t own = 0, peer = 0;         // low halves; 0: none
    bool known = true;                  // own and peer are
    Waiting submit, complete, deliver, doubt;
    Record record{}, taken{};
    Completed completed{};
    Forgotten forgotten;
    uint64_t forgotten_at = 0;  // cycle of the last amnesia
    uint64_t disabled_at = 0;   // cycle
    bool has_config = false;
    bool disabled = true, cut = false, down = false;
    uint32_t wanted_epoch = 0, epoch = 0;
    bool has_state = false;
    EndState state{};
    uint32_t open = 0;    // opened and not told
    uint64_t forged = 0;  // forged frames on their way to this end
    uint64_t told_violations = 0;
  };

  Book& book;
  Wire& wire;
  EndCounts counts[2] = {};
  End ends[2];
  Now now{};
  uint64_t torn = 0;  // gaps that something of an end may have stood in
  uint64_t gap_cycle = 0;

  Run(Book& of_book, Wire& of_wire) : book(of_book), wire(of_wire) {}

  // Another run begins: of this one only what was counted is left.
  void restart() {
    for (End& end : ends) end = End{};
    leave_lanes();
    torn = 0, gap_cycle = 0;
  }

  // Evidence is missing before what is told now.
  void gap(uint64_t cycle) {
    ++torn;
    gap_cycle = cycle;
    for (uint8_t end = 0; end < 2; ++end) {
      book.lanes.each(end, [](Lane& lane) {
        if (lane.naming == Naming::PAIR)
          lane.naming = lane.has_link_session ? Naming::LINK_SESSION : Naming::NONE;
        lane.whole = false;
      });
      End& state = ends[end];
      state.submit = state.complete = state.deliver = state.doubt = Waiting{};
      state.known = state.has_config = false;
      state.open = 0;
    }
    leave_lanes();
  }

  // ------------------------------------------------------------------ findings

  // Something contradicts what was told before.
  __attribute__((format(printf, 5, 6))) void broken(Promise promise, const Lane& lane, Page& page,
                                                    const char* form, ...) {
    va_list arguments;
    va_start(arguments, form);
    found(promise, false, lane, page, form, arguments);
    va_end(arguments);
  }

  // Something is not there that should have been told before.
  __attribute__((format(printf, 5, 6))) void absent(Promise promise, const Lane& lane, Page& page,
                                                    const char* form, ...) {
    va_list arguments;
    va_start(arguments, form);
    found(promise, true, lane, page, form, arguments);
    va_end(arguments);
  }

  void broken(Promise promise, const char* text) {
    book.findings.add(promise, true, false, now.place, nullptr, nullptr, "%s", text);
  }

  // ------------------------------------------------------------------ lanes

  Lane& outgoing(uint8_t end) {
    Lane*& lane = book.outgoing[end];
    if (!lane) lane = &find(end, end, ends[end].own, ends[end].peer);
    return *lane;
  }

  Lane& incoming(uint8_t end) {
    Lane*& lane = book.incoming[end];
    if (!lane) lane = &find(end, 1 - end, ends[end].peer, ends[end].own);
    return *lane;
  }

  void pair_changed(uint8_t end) {
    book.outgoing[end] = book.incoming[end] = nullptr;
    book.taken[end].forget();
  }

  // ------------------------------------------------------------------ what can be known

  // The responder's whole part of the transaction is in this stretch of evidence.
  static bool seen_here(const Lane& lane, const Page& page) { return lane.whole || page.flags & HELD; }
  // The initiator's whole part is.
  static bool opened_here(const Lane& lane, const Page& page) { return lane.whole || page.has(OPENED); }

  // Amnesia of this end ended the session that the pair of the lane has of it, for all that is known.
  bool forgot(uint8_t end, const Lane& lane) const {
    return lane.naming != Naming::PAIR || ends[end].forgotten.has(lane.end == end ? lane.own : lane.peer);
  }

  void mark(Page& page, Mark mark) {
    if (page.has(mark)) return;
    page.time[mark] = now.place.time;
    page.packet[mark] = now.place.packet;
  }

  void measure(const Lane& lane, Latency latency, const Page& page, Mark from) {
    book.measure(lane, latency, page, from, now.place.time);
  }

  // Time since the record had arrived at its responder.
  void measure_arrived(const Lane& lane, Latency latency, const Page& page) {
    if (page.flags & HELD && now.place.time >= page.arrived)
      book.latency[lane.end][latency].add(now.place.time - page.arrived);
  }

  // ------------------------------------------------------------------ what is in flight

  uint32_t all_open() const { return ends[0].open + ends[1].open; }

  void in_flight() {
    const uint32_t open = ends[now.end].open;
    book.intervals.in_flight[now.end] = open;
    uint32_t& most = book.intervals.at(now.place.time).in_flight[now.end];
    most = std::max(most, open);
  }

  void closed(const Page& page) {
    End& end = ends[now.end];
    if (end.open) --end.open;
    in_flight();
    book.spans.resolved(page.packet[OPENED], now.place.time);
  }

 private:
  void found(Promise promise, bool absence, const Lane& lane, Page& page, const char* form,
             va_list arguments) {
    char text[kTextBytes];
    std::vsnprintf(text, sizeof text, form, arguments);
    book.findings.add(promise, true, absence, now.place, &lane, &page, "%s", text);
  }

  void leave_lanes() {
    for (uint8_t end = 0; end < 2; ++end) {
      pair_changed(end);
      book.intervals.in_flight[end] = 0;
    }
    book.spans.forget();
  }

  // The lane of `initiator` under these sessions; one of its own if `end` does not know them.
  Lane& find(uint8_t end, uint8_t initiator, uint32_t own, uint32_t peer) {
    if (!ends[end].known) return book.make_lane(initiator);
    if (Lane* lane = book.lanes.by_pair(initiator, own, peer)) return *lane;
    const uint64_t session = whole_session(initiator, own);
    const uint64_t peer_session = whole_session(1 - initiator, peer);
    Lane* lane = nullptr;
    uint32_t link_session = 0;
    if (session && peer_session) {
      link_session = Wire::link_session(session, peer_session);
      lane = book.lanes.by_link_session(initiator, link_session);
    }
    if (!lane) lane = &book.make_lane(initiator);
    lane->naming = Naming::PAIR;
    lane->own = own, lane->peer = peer;
    if (link_session) {
      lane->link_session = link_session;
      lane->has_link_session = true;
      uint32_t both[2];
      both[initiator] = link_session;
      both[1 - initiator] = Wire::link_session(peer_session, session);
      wire.pair(both[0], both[1]);
    }
    lane->whole = ends[0].known && ends[1].known;
    lane->next_known = lane->deliver_known = lane->whole;
    return *lane;
  }

  uint64_t whole_session(uint8_t end, uint32_t low) const {
    for (const uint64_t session : ends[end].drawn)
      if (low && static_cast<uint32_t>(session) == low) return session;
    return 0;
  }
};

}  // namespace oae
