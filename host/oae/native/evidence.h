// Judges a run by its evidence packets (docs/tables.md): every promise that oae.check.scoreboard
// judges by a trace, with the same meaning. What stands before a gap is not compared with what stands
// after it.
#pragma once
#include <cstdlib>
#include <string>

#include "book.h"
#include "counters.h"
#include "frame.h"
#include "rules.h"
#include "wire.h"

namespace oae {

constexpr size_t kParameters = 64;

// Counts of one end; host/oae/check/kernel.py has it as a numpy type.
struct EndCounts {
  uint64_t opened, committed, aborted, unknown, unopened, discarded, lost, unresolved;
  uint64_t delivered, delivered_bytes, doubted, crashes, amnesias;
};

class EvidenceJudge {
 public:
  EndCounts counts[2] = {};
  uint64_t packets = 0, gaps = 0;
  bool ended = false;  // END was the last
  std::string stop;
  uint64_t stop_packet = 0;
  std::vector<std::string> parameters;
  std::vector<EndState> states;
  std::vector<FrameFault> frame_faults;
  static constexpr size_t kStates = 10000, kFrameFaults = 10000;

  EvidenceJudge(Book& book, Wire& wire) : book_(book), wire_(wire) {
    parameters.reserve(kParameters);
    states.reserve(kStates);
    frame_faults.reserve(kFrameFaults);
  }

  bool whole() const { return packets != 0 && gaps == 0; }

  // `altered(end, number)`: the medium says that it changed this frame.
  template <class Altered>
  void take(const uint8_t* bytes, uint32_t captured, uint32_t original, Place place,
            Altered altered) {
    ++packets;
    ended = false;
    const uint8_t type = captured >= kHead ? bytes[1] : 255;
    const uint32_t sequence = captured >= kHead ? big32(bytes + 4) : 0;
    const bool readable = type <= kTypes && bytes[0] == 1 && captured >= kLeast[type] &&
                          (bytes[2] < 2 || kOfBench >> type & 1);
    if (!readable || sequence != next_) gap(readable ? big64(bytes + 8) : ~0ull);
    if (!readable) {
      next_ = ~0u;  // what it was is not known, so nothing can follow it without a gap
      return;
    }
    next_ = sequence + 1;
    const uint8_t* fields = bytes + kHead;
    now_ = {place, big64(bytes + 8), static_cast<uint8_t>(bytes[2] & 1), original - captured};
    switch (static_cast<Evidence>(type)) {
      case Evidence::PARAMETER:
        return parameter(std::string(reinterpret_cast<const char*>(fields), captured - kHead));
      case Evidence::STEP:
        return step(big64(fields));
      case Evidence::SUBMIT:
        return submitted(fields, captured - kLeast[type]);
      case Evidence::DELIVER:
        return delivered(fields, captured - kLeast[type]);
      case Evidence::COMPLETE:
        unmatched();
        ends_[now_.end].complete = {true, now_.cycle, now_.place};
        ends_[now_.end].completed = {big32(fields), big16(fields + 4), fields[6], fields[7], fields[8]};
        return;
      case Evidence::DOUBT:
        unmatched();
        ends_[now_.end].doubt = {true, now_.cycle, now_.place};
        return;
      case Evidence::CANCEL:
        rules_.effect(now_.cycle);
        return;
      case Evidence::POWER:
        return power(fields[0], fields[1]);
      case Evidence::CONFIG:
        return config(fields);
      case Evidence::STATUS:
        return status(fields);
      case Evidence::CUT:
        return cut(fields[0]);
      case Evidence::RULE:
        return rule(big32(fields));
      case Evidence::STOP:
        return stopped(std::string(reinterpret_cast<const char*>(fields), captured - kHead));
      case Evidence::REGISTER:
        return counters_.read(now_.end, fields[0], big32(fields + 1));
      case Evidence::FATE:
        return fate(fields, altered);
      case Evidence::END:
        ended = true;
        return;
    }
  }

  // After the last packet of the capture.
  void finish() {
    if (ended || stop_packet)
      for (uint8_t end = 0; end < 2; ++end) {
        now_.end = end;
        now_.cycle = ~0ull;
        unmatched();
      }
    if (!stop_packet)
      for (uint8_t end = 0; end < 2; ++end) leave_open(end, nullptr);
    if (ended && whole() && stop_packet) counters_.check(book_.findings, now_.place);
  }

 private:
  static constexpr uint32_t kHead = 16;
  static constexpr uint8_t kTypes = 15;
  // Bytes of each type without its tail, head included.
  static constexpr uint32_t kLeast[kTypes + 1] = {16, 24, 28, 29, 25, 24, 18, 18,
                                                  35, 30, 17, 20, 16, 21, 33, 16};
  // PARAMETER, RULE, STOP, END: the bench's own.
  static constexpr uint32_t kOfBench = 1u | 1u << 11 | 1u << 12 | 1u << 15;
  static constexpr uint16_t kForged = 0x0080, kAltered = 0x0040 | 0x0080 | 0x0400;

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
  struct End {
    uint64_t offered = 0, session = 0;  // whole sessions
    uint64_t drawn[4] = {};             // the last ones
    uint32_t own = 0, peer = 0;         // low halves; 0: none
    bool known = true;                  // own and peer are
    Waiting submit, complete, deliver, doubt;
    Record record{}, taken{};
    Completed completed{};
    uint64_t forgotten_at = 0;   // cycle of the last amnesia
    uint64_t disabled_at = 0;    // cycle
    bool disabled = true, cut = false, down = false;
    uint32_t wanted_epoch = 0, epoch = 0;
    uint8_t link_state = 0;
    bool has_state = false;
    EndState state{};
    uint32_t open = 0;           // opened and not told
    uint64_t forged = 0;         // forged frames on their way to this end
    uint64_t told_violations = 0;
  };

  void parameter(const std::string& text) {
    static constexpr char kEthertype[] = "ethertype=";
    if (text.starts_with(kEthertype))
      book_.ethertype = static_cast<uint16_t>(
          std::strtoul(text.c_str() + sizeof kEthertype - 1, nullptr, 16));
    if (parameters.size() < kParameters) parameters.push_back(text);
  }

  // ------------------------------------------------------------------ findings

  __attribute__((format(printf, 5, 6))) void broken(Promise promise, const Lane& lane, Page& page,
                                                    const char* form, ...) {
    char text[kTextBytes];
    va_list arguments;
    va_start(arguments, form);
    std::vsnprintf(text, sizeof text, form, arguments);
    va_end(arguments);
    book_.findings.add(promise, true, is_absence_, now_.place, &lane, &page, "%s", text);
    is_absence_ = false;
  }

  void broken(Promise promise, const char* text) {
    book_.findings.add(promise, true, false, now_.place, nullptr, nullptr, "%s", text);
  }

  // The finding that follows is about something that is not there.
  bool absent(bool is) {
    is_absence_ = is;
    return is;
  }

  // ------------------------------------------------------------------ sessions and lanes

  void gap(uint64_t cycle) {
    ++gaps;
    gap_cycle_ = cycle;
    for (uint8_t end = 0; end < 2; ++end) {
      book_.lanes.each(end, [](Lane& lane) {
        if (lane.naming == Naming::PAIR)
          lane.naming = lane.has_link_session ? Naming::LINK_SESSION : Naming::NONE;
      });
      End& state = ends_[end];
      state.submit = state.complete = state.deliver = state.doubt = Waiting{};
      state.known = false;
      state.open = 0;
      book_.intervals.in_flight[end] = 0;
      book_.outgoing[end] = book_.incoming[end] = nullptr;
    }
    book_.spans.forget();
  }

  Lane& outgoing(uint8_t end) {
    Lane*& lane = book_.outgoing[end];
    if (!lane) lane = &find(end, end, ends_[end].own, ends_[end].peer);
    return *lane;
  }

  Lane& incoming(uint8_t end) {
    Lane*& lane = book_.incoming[end];
    if (!lane) lane = &find(end, 1 - end, ends_[end].peer, ends_[end].own);
    return *lane;
  }

  // The lane of `initiator` under these sessions; one of its own if `end` does not know them.
  Lane& find(uint8_t end, uint8_t initiator, uint32_t own, uint32_t peer) {
    if (!ends_[end].known) return book_.make_lane(initiator);
    if (Lane* lane = book_.lanes.by_pair(initiator, own, peer)) return *lane;
    const uint64_t session = whole_session(initiator, own);
    const uint64_t peer_session = whole_session(1 - initiator, peer);
    Lane* lane = nullptr;
    uint32_t link_session = 0;
    if (session && peer_session) {
      link_session = Wire::link_session(session, peer_session);
      lane = book_.lanes.by_link_session(initiator, link_session);
    }
    if (!lane) lane = &book_.make_lane(initiator);
    lane->naming = Naming::PAIR;
    lane->own = own, lane->peer = peer;
    if (link_session) {
      lane->link_session = link_session;
      lane->has_link_session = true;
      uint32_t both[2];
      both[initiator] = link_session;
      both[1 - initiator] = Wire::link_session(peer_session, session);
      wire_.pair(both[0], both[1]);
    }
    lane->whole = ends_[0].known && ends_[1].known;
    lane->next_known = lane->deliver_known = lane->whole;
    return *lane;
  }

  uint64_t whole_session(uint8_t end, uint32_t low) const {
    for (const uint64_t session : ends_[end].drawn)
      if (low && static_cast<uint32_t>(session) == low) return session;
    return 0;
  }

  void pair_changed(uint8_t end) { book_.outgoing[end] = book_.incoming[end] = nullptr; }

  // ------------------------------------------------------------------ ports

  void submitted(const uint8_t* fields, uint32_t size) {
    unmatched();
    if (fields[11] & 2) return;
    End& end = ends_[now_.end];
    end.submit = {true, now_.cycle, now_.place};
    end.record = {content_hash(fields + 12, size), size + now_.missing, 0, big16(fields + 8), fields[10],
                  fields[11], now_.missing == 0};
  }

  void delivered(const uint8_t* fields, uint32_t size) {
    unmatched();
    End& end = ends_[now_.end];
    const uint64_t first = big64(fields);
    const uint32_t id = big32(fields + 8);
    const bool user = fields[12] & 1, cut_short = fields[12] & 2;
    Lane& lane = incoming(now_.end);
    Page* page = book_.lanes.page(lane, id);
    if (!page) return;
    if (cut_short && !user) {
      broken(Promise::PORTS, lane, *page, ": a crash in mid-packet, not marked bad");
    } else if (!user) {
      end.deliver = {true, now_.cycle, now_.place};
      end.taken = {content_hash(fields + 13, size), size + now_.missing, id, 0, 0, 0, now_.missing == 0};
    }
    if (first < end.forgotten_at) return;  // what was open belonged to a pair that is gone
    if (page->has(COMMIT_HEARD) ? page->commit_heard_cycle > first : absent(seen_here(lane, *page)))
      broken(Promise::NOT_BEFORE_COMMITTED, lane, *page,
             ": bytes reached the host before the COMMIT was heard");
  }

  // Handshakes of an earlier cycle whose step was never told.
  void unmatched() {
    End& end = ends_[now_.end];
    const auto check = [&](Waiting& waiting, const char* text) {
      if (!waiting.is || waiting.cycle == now_.cycle) return;
      book_.findings.add(Promise::PORTS, true, true, waiting.place, nullptr, nullptr, "%s", text);
      waiting.is = false;
    };
    check(end.submit, "submit without its step");
    check(end.complete, "complete without its step");
    check(end.deliver, "deliver without its step");
    check(end.doubt, "doubt without its step");
  }

  // The handshake that belongs to this step.
  bool match(Waiting& waiting, const Lane* lane, Page* page, const char* text) {
    const bool found = waiting.is && waiting.cycle == now_.cycle;
    waiting.is = false;
    if (!found && !(gaps && now_.cycle == gap_cycle_))
      book_.findings.add(Promise::PORTS, true, true, now_.place, lane, page, "%s", text);
    return found;
  }

  // ------------------------------------------------------------------ what can be known

  // The responder's whole part of the transaction is in this stretch of evidence.
  static bool seen_here(const Lane& lane, const Page& page) { return lane.whole || page.flags & HELD; }
  // The initiator's whole part is.
  static bool opened_here(const Lane& lane, const Page& page) { return lane.whole || page.has(OPENED); }

  void mark(Page& page, Mark mark) {
    if (page.has(mark)) return;
    page.time[mark] = now_.place.time;
    page.packet[mark] = now_.place.packet;
  }

  void measure(const Lane& lane, Latency latency, const Page& page, Mark from) {
    book_.measure(lane, latency, page, from, now_.place.time);
  }

  // ------------------------------------------------------------------ steps

  void step(uint64_t word) {
    const uint8_t code = static_cast<uint8_t>(word >> 56);
    const uint8_t info = static_cast<uint8_t>(word >> 32);
    const uint32_t value = static_cast<uint32_t>(word);
    const uint8_t at = now_.end;
    End& end = ends_[at];
    counters_.event(at, code, info);
    switch (static_cast<EventCode>(code)) {
      case EventCode::CRASH:
        ++counts[at].crashes;
        outgoing(at).crashed_at = now_.place.packet;
        return;
      case EventCode::AMNESIA:
        return forgot(end);
      case EventCode::ENABLED:
        if (!end.known || end.own) return;
        end.session = end.offered;
        end.own = static_cast<uint32_t>(end.session);
        std::copy_backward(end.drawn, end.drawn + 3, end.drawn + 4);
        end.drawn[0] = end.session;
        return pair_changed(at);
      case EventCode::SESSION_ADOPTED:
        left_behind();
        end.peer = value;
        return pair_changed(at);
      case EventCode::INITIATOR_VIOLATION:
      case EventCode::RESPONDER_VIOLATION:
      case EventCode::PAIR_VIOLATION:
        return told_violation(code, value);
      case EventCode::UNOPENED_TOLD:
        return unopened_told(end, info, value);
      case EventCode::RECORD_DISCARDED:
        ++counts[at].discarded;
        if (match(end.submit, nullptr, nullptr, "RECORD_DISCARDED without its submission") &&
            !(end.record.user & 1))
          broken(Promise::CONSERVATION, "a good record was dropped");
        return;
      case EventCode::OPENED:
      case EventCode::DECIDED:
      case EventCode::MISMATCHED:
      case EventCode::CANCELLED:
      case EventCode::ABORT_CONFIRMED:
      case EventCode::DONE_HEARD:
      case EventCode::TOLD: {
        Lane& lane = outgoing(at);
        if (Page* page = book_.lanes.page(lane, value))
          initiator(static_cast<EventCode>(code), lane, *page, info);
        return;
      }
      case EventCode::HELD:
      case EventCode::REFLECTED:
      case EventCode::REFUSED:
      case EventCode::COMMIT_HEARD:
      case EventCode::DELIVERED:
      case EventCode::SKIPPED:
      case EventCode::REVERSED:
      case EventCode::ABORT_RECORDED:
      case EventCode::DOUBTED: {
        Lane& lane = incoming(at);
        if (Page* page = book_.lanes.page(lane, value))
          responder(static_cast<EventCode>(code), lane, *page, info);
        return;
      }
      case EventCode::SENT:
        return sent(static_cast<Operation>(info), value);
      default:
        return;
    }
  }

  void forgot(End& end) {
    end.forgotten_at = now_.cycle;
    ++counts[now_.end].amnesias;
    Lane& lane = outgoing(now_.end);
    for (const uint16_t at : lane.used) {
      const Page& page = lane.ring[at];
      if (!page.has(OPENED) || page.has(TOLD)) continue;
      ++counts[now_.end].lost;
      closed(page);
    }
    end.own = end.peer = 0;
    end.known = true;
    pair_changed(now_.end);
  }

  // Before it changes its session pair an end must have told every outcome.
  void left_behind() {
    Lane& lane = outgoing(now_.end);
    if (!ends_[now_.end].open) return;
    for (const uint16_t at : lane.used) {
      Page& page = lane.ring[at];
      if (page.has(OPENED) && !page.has(TOLD) && absent(true))
        broken(Promise::CONSERVATION, lane, page, ": session left, it was never told");
    }
  }

  void told_violation(uint8_t code, uint32_t value) {
    End& end = ends_[now_.end];
    if (++end.told_violations <= end.forged) return;  // a forged frame makes an end tell of one
    const char* name = "PAIR_VIOLATION";
    if (static_cast<EventCode>(code) == EventCode::INITIATOR_VIOLATION) name = "INITIATOR_VIOLATION";
    if (static_cast<EventCode>(code) == EventCode::RESPONDER_VIOLATION) name = "RESPONDER_VIOLATION";
    // The FATE of a forged frame may stand in a gap.
    book_.findings.add(Promise::NO_VIOLATION, gaps == 0, false, now_.place, nullptr, nullptr,
                       "end %c told %s %u", now_.end ? 'b' : 'a', name, value);
  }

  void unopened_told(End& end, uint8_t info, uint32_t tag) {
    ++counts[now_.end].unopened;
    match(end.submit, nullptr, nullptr, "UNOPENED_TOLD without its submission");
    if (match(end.complete, nullptr, nullptr, "UNOPENED_TOLD without its completion") &&
        (end.completed.tag != tag || end.completed.outcome != (info & 3)))
      broken(Promise::PORTS, "the completion of a record that was not opened is not what was told");
  }

  // ------------------------------------------------------------------ the initiator

  void initiator(EventCode code, Lane& lane, Page& page, uint8_t info) {
    switch (code) {
      case EventCode::OPENED:
        return opened(lane, page, info);
      case EventCode::DECIDED:
        return decided(lane, page);
      case EventCode::DONE_HEARD:
        if (absent(!page.has(DELIVERED) && lane.whole))
          broken(Promise::NO_FALSE_COMPLETION, lane, page, ": DONE believed, nothing was delivered");
        mark(page, DONE_HEARD);
        measure(lane, SUBMISSION_TO_DONE, page, OPENED);
        return settle(lane, page);
      case EventCode::TOLD:
        return told(lane, page, info);
      default:
        page.flags |= UNDECIDABLE;
        mark(page, TAKEN_BACK);
        if (page.has(DECIDED))
          broken(Promise::FINAL, lane, page, ": %s after the decision",
                 code == EventCode::MISMATCHED  ? "MISMATCHED"
                 : code == EventCode::CANCELLED ? "CANCELLED"
                                                : "ABORT_CONFIRMED");
    }
  }

  void opened(Lane& lane, Page& page, uint8_t info) {
    End& end = ends_[now_.end];
    if (page.has(OPENED) || (lane.next_known && page.id != lane.next_id))
      broken(Promise::CONSERVATION, lane, page, " opened, %u was to come next", lane.next_id);
    lane.next_id = page.id + 1;
    lane.next_known = true;
    if (!page.has(OPENED)) {
      ++end.open;
      in_flight();
    }
    mark(page, OPENED);
    ++counts[now_.end].opened;
    if (!match(end.submit, &lane, &page, ": OPENED without its submission")) return;
    const Record& record = end.record;
    if (record.user & 1 || record.kind != info)
      broken(Promise::PORTS, lane, page, " opened from a bad or other record");
    page.record_bytes = record.size, page.kind = record.kind, page.tag = record.tag;
    if (record.known) page.submitted_hash = record.hash, page.flags |= SUBMITTED;
  }

  bool undecidable(const Lane& lane, const Page& page) const {
    const bool crashed = page.has(OPENED) && !page.has(DECIDED) && page.packet[OPENED] < lane.crashed_at;
    return page.flags & UNDECIDABLE || crashed;
  }

  void decided(Lane& lane, Page& page) {
    if (undecidable(lane, page))
      broken(Promise::FINAL, lane, page, " decided after it was taken back");
    if (page.has(ABORT_RECORDED))
      broken(Promise::AGREEMENT, lane, page, " decided; its responder aborted it");
    if (absent(!page.has(OPENED) && lane.whole))
      broken(Promise::CONSERVATION, lane, page, " decided but never opened");
    if (page.has(DECIDED)) return;
    mark(page, DECIDED);
    measure(lane, SUBMISSION_TO_DECISION, page, OPENED);
    measure(lane, DATA_TO_DECISION, page, DATA);
  }

  void settle(const Lane& lane, Page& page) {
    if (!page.has(DECIDED) || page.flags & SETTLED) return;
    page.flags |= SETTLED;
    measure(lane, IN_DOUBT_INITIATOR, page, DECIDED);
  }

  void told(Lane& lane, Page& page, uint8_t info) {
    static constexpr const char* kNames[] = {"nothing", "COMMITTED", "ABORTED", "UNKNOWN"};
    End& end = ends_[now_.end];
    const uint8_t outcome = info & 3, reason = info >> 2;
    if (match(end.complete, &lane, &page, ": TOLD without its completion")) {
      const Completed& said = end.completed;
      const bool same = said.id == page.id && said.outcome == outcome && said.reason == reason;
      if (!same || (page.flags & SUBMITTED && (said.tag != page.tag || said.kind != page.kind)))
        broken(Promise::PORTS, lane, page, ": the completion is not what was told");
    }
    if (page.has(TOLD))
      broken(Promise::CONSERVATION, lane, page, " told %s; told %s before", kNames[outcome],
             kNames[page.outcome]);
    else if (absent(!page.has(OPENED) && lane.whole))
      broken(Promise::CONSERVATION, lane, page, " told %s; it was never opened", kNames[outcome]);
    if (page.has(OPENED) && !page.has(TOLD)) closed(page);
    mark(page, TOLD);
    page.outcome = outcome, page.reason = reason;
    settle(lane, page);
    measure(lane, SUBMISSION_TO_OUTCOME, page, OPENED);
    measure(lane, DECISION_TO_OUTCOME, page, DECIDED);
    ++book_.intervals.at(now_.place.time).told[now_.end];
    switch (static_cast<Outcome>(outcome)) {
      case Outcome::COMMITTED:
        ++counts[now_.end].committed;
        if (absent(!page.has(DELIVERED) && lane.whole))
          broken(Promise::NO_FALSE_COMPLETION, lane, page, " told COMMITTED before it was delivered");
        else if (absent(!page.has(DONE_HEARD) && opened_here(lane, page)))
          broken(Promise::NO_FALSE_COMPLETION, lane, page, " told COMMITTED, no DONE was heard");
        if (absent(!page.has(DECIDED) && opened_here(lane, page)))
          broken(Promise::FINAL, lane, page, " told COMMITTED, never decided");
        return;
      case Outcome::ABORTED:
        ++counts[now_.end].aborted;
        page.flags |= UNDECIDABLE;
        if (page.has(DECIDED)) broken(Promise::FINAL, lane, page, " told ABORTED after its decision");
        if (page.has(DELIVERED) || page.has(COMMIT_HEARD))
          broken(Promise::AGREEMENT, lane, page, " told ABORTED, COMMITTED at its responder");
        return;
      default:
        ++counts[now_.end].unknown;
        if (absent(!counts[1 - now_.end].amnesias && gaps == 0))
          broken(Promise::CONSERVATION, lane, page, " told UNKNOWN though the peer kept its memory");
    }
  }

  // ------------------------------------------------------------------ the responder

  void responder(EventCode code, Lane& lane, Page& page, uint8_t info) {
    const bool refused_or_aborted = page.has(ABORT_RECORDED);
    switch (code) {
      case EventCode::HELD:
        if (page.has(REFLECTED) || refused_or_aborted)
          broken(Promise::FINAL, lane, page, " accepted again");
        page.flags |= HELD;
        return;
      case EventCode::REFLECTED:
        return mark(page, REFLECTED);
      case EventCode::REFUSED:
        if (page.has(REFLECTED))
          broken(Promise::NEVER_ALONE, lane, page, " refused after its reflection");
        responder_aborts(lane, page);
        page.flags |= REFUSED;
        return mark(page, ABORT_RECORDED);
      case EventCode::COMMIT_HEARD:
        if (absent(!page.has(DECIDED) && lane.whole))
          broken(Promise::AGREEMENT, lane, page, " COMMITTED at the responder, not at its initiator");
        if (refused_or_aborted)
          broken(Promise::FINAL, lane, page, " COMMITTED after it was aborted");
        if (page.has(COMMIT_HEARD)) return;
        page.commit_heard_cycle = now_.cycle;
        mark(page, COMMIT_HEARD);
        return measure(lane, IN_DOUBT_RESPONDER, page, REFLECTED);
      case EventCode::DELIVERED:
        return record_delivered(lane, page, info);
      case EventCode::SKIPPED:
        advance(lane, page);
        if (!page.has(DELIVERED) && page.has(COMMIT_HEARD))
          broken(Promise::EXACTLY_ONCE, lane, page, " COMMITTED and then passed over");
        return;
      case EventCode::REVERSED:
        if (absent(!(page.flags & ABORT_SENT) && lane.whole))
          broken(Promise::NEVER_ALONE, lane, page, " taken back; no ABORT was sent");
        return;
      case EventCode::ABORT_RECORDED:
        if (absent(!(page.flags & ABORT_SENT) && lane.whole))
          broken(Promise::NEVER_ALONE, lane, page, " aborted; no ABORT was sent");
        responder_aborts(lane, page);
        if (!refused_or_aborted) measure(lane, IN_DOUBT_RESPONDER, page, REFLECTED);
        return mark(page, ABORT_RECORDED);
      default:
        return record_doubted(lane, page);
    }
  }

  void responder_aborts(const Lane& lane, Page& page) {
    if (page.has(COMMIT_HEARD))
      broken(Promise::FINAL, lane, page, " aborted after its COMMIT was heard");
    if (page.has(DECIDED))
      broken(Promise::AGREEMENT, lane, page, " aborted, COMMITTED at its initiator");
  }

  void record_delivered(Lane& lane, Page& page, uint8_t info) {
    End& end = ends_[now_.end];
    if (page.has(DELIVERED)) broken(Promise::EXACTLY_ONCE, lane, page, " delivered again");
    advance(lane, page);
    const bool unheard = !page.has(COMMIT_HEARD) && seen_here(lane, page);
    if (absent(unheard || (!page.has(DECIDED) && lane.whole)))
      broken(Promise::NOT_BEFORE_COMMITTED, lane, page, " delivered before it was COMMITTED");
    const bool told_aborted = page.has(TOLD) && page.outcome == static_cast<uint8_t>(Outcome::ABORTED);
    if (told_aborted || page.has(ABORT_RECORDED))
      broken(Promise::AGREEMENT, lane, page, " delivered, aborted elsewhere");
    if (!page.has(DELIVERED)) {
      measure(lane, DECISION_TO_DELIVERY, page, DECIDED);
      measure(lane, SUBMISSION_TO_DELIVERY, page, OPENED);
    }
    mark(page, DELIVERED);
    ++counts[now_.end].delivered;
    if (info == static_cast<uint8_t>(Kind::EPOCH_ADVANCE)) return;
    if (!match(end.deliver, &lane, &page, ": DELIVERED without its record")) return;
    const Record& record = end.taken;
    counts[now_.end].delivered_bytes += record.size;
    book_.intervals.at(now_.place.time).delivered_bytes[now_.end] += record.size;
    if (record.id != page.id)
      broken(Promise::PORTS, lane, page, " delivered as id %u", record.id);
    if (record.known && page.flags & SUBMITTED && record.hash != page.submitted_hash)
      broken(Promise::UNALTERED, lane, page, ": %u bytes delivered are not those submitted",
             record.size);
  }

  void advance(Lane& lane, Page& page) {
    if (lane.deliver_known && page.id != lane.deliver_pointer)
      broken(Promise::EXACTLY_ONCE, lane, page, " passed, %u was to come next", lane.deliver_pointer);
    lane.deliver_pointer = page.id + 1;
    lane.deliver_known = true;
  }

  void record_doubted(Lane& lane, Page& page) {
    match(ends_[now_.end].doubt, &lane, &page, ": DOUBTED without its doubt word");
    advance(lane, page);
    ++counts[now_.end].doubted;
    if (page.has(COMMIT_HEARD))
      broken(Promise::FINAL, lane, page, " doubted after its COMMIT was heard");
    if (absent(!counts[1 - now_.end].amnesias && gaps == 0))
      broken(Promise::FINAL, lane, page, " doubted though the initiator kept its memory");
    if (!page.has(DOUBTED)) measure(lane, IN_DOUBT_RESPONDER, page, REFLECTED);
    mark(page, DOUBTED);
  }

  // ------------------------------------------------------------------ what is sent must be so

  void sent(Operation operation, uint32_t id) {
    const bool is_request = operation == Operation::ABORT || operation == Operation::COMMIT;
    if (!is_request && operation != Operation::DONE && operation != Operation::ABORTED) return;
    Lane& lane = is_request ? outgoing(now_.end) : incoming(now_.end);
    Page* page = book_.lanes.page(lane, id);
    if (!page) return;
    switch (operation) {
      case Operation::ABORT:
        page->flags |= ABORT_SENT;
        if (page->has(DECIDED))
          broken(Promise::FINAL, lane, *page, ": ABORT sent after its decision");
        return;
      case Operation::COMMIT:
        if (absent(!page->has(DECIDED) && opened_here(lane, *page)))
          broken(Promise::FINAL, lane, *page, ": COMMIT sent, not decided");
        return;
      case Operation::DONE:
        if (absent(!page->has(DELIVERED) && seen_here(lane, *page)))
          broken(Promise::NO_FALSE_COMPLETION, lane, *page, ": DONE sent, nothing was delivered");
        return;
      default:
        if (page->has(DELIVERED))
          broken(Promise::AGREEMENT, lane, *page, ": ABORTED sent, it was delivered");
    }
  }

  // ------------------------------------------------------------------ what the bench does

  uint32_t all_open() const { return ends_[0].open + ends_[1].open; }

  void in_flight() {
    const uint32_t open = ends_[now_.end].open;
    book_.intervals.in_flight[now_.end] = open;
    uint32_t& most = book_.intervals.at(now_.place.time).in_flight[now_.end];
    most = std::max(most, open);
  }

  void closed(const Page& page) {
    End& end = ends_[now_.end];
    if (end.open) --end.open;
    in_flight();
    book_.spans.resolved(page.packet[OPENED], now_.place.time);
  }

  void power(bool crash, bool amnesia) {
    rules_.effect(now_.cycle);
    const int at = now_.end;
    const SpanKind kind = amnesia ? SpanKind::AMNESIA : SpanKind::CRASH;
    End& end = ends_[at];
    if (crash || amnesia) {
      if (!end.down) book_.spans.start(kind, at, 0, now_.place.time, now_.place.packet);
    } else {
      for (const SpanKind each : {SpanKind::CRASH, SpanKind::AMNESIA})
        book_.spans.heal(each, at, now_.place.time, now_.place.packet, all_open());
    }
    end.down = crash || amnesia;
  }

  void config(const uint8_t* fields) {
    rules_.effect(now_.cycle);
    End& end = ends_[now_.end];
    end.offered = big64(fields + 3);
    end.wanted_epoch = big32(fields + 11);
    end.disabled = !fields[0];
    end.disabled_at = now_.cycle;
  }

  void status(const uint8_t* fields) {
    const uint8_t at = now_.end;
    End& end = ends_[at];
    end.epoch = big32(fields + 4);
    Interval& interval = book_.intervals.at(now_.place.time);
    interval.initiator_balance[at] = fields[12];
    interval.responder_balance[at] = fields[13];
    EndState state{};
    state.end = at, state.state = fields[0], state.incoming = fields[1], state.outgoing = fields[2];
    state.changing = fields[3], state.epoch = end.epoch, state.converged = big32(fields + 8);
    if (end.has_state && std::memcmp(&state, &end.state, sizeof state) == 0) return;
    const auto fault = static_cast<uint8_t>(LinkState::FAULT), up = static_cast<uint8_t>(LinkState::UP);
    if (state.state == fault && !(end.has_state && end.state.state == fault))
      book_.spans.start(SpanKind::LINK_FAULT, at, 0, now_.place.time, now_.place.packet);
    if (state.state == up)
      book_.spans.heal(SpanKind::LINK_FAULT, at, now_.place.time, now_.place.packet, all_open());
    end.state = state;
    end.has_state = true;
    if (states.size() == kStates) return;
    state.time = now_.place.time, state.packet = now_.place.packet;
    states.push_back(state);
  }

  void cut(bool is_cut) {
    rules_.effect(now_.cycle);
    End& end = ends_[now_.end];
    if (is_cut && !end.cut)
      book_.spans.start(SpanKind::CUT, now_.end, 0, now_.place.time, now_.place.packet);
    if (!is_cut)
      book_.spans.heal(SpanKind::CUT, now_.end, now_.place.time, now_.place.packet, all_open());
    end.cut = is_cut;
  }

  void rule(uint32_t number) {
    book_.spans.strike(number, now_.place.time, now_.place.packet, all_open());
    rules_.fired(now_.cycle, number);
  }

  template <class Altered>
  void fate(const uint8_t* fields, Altered altered) {
    const uint16_t faults = big16(fields + 13), number_of_rule = big16(fields + 15);
    const uint32_t number = big32(fields);
    for (int bit = 0; bit < 16; ++bit)
      book_.directions[now_.end].fates[bit] += faults >> bit & 1;
    if (faults & kAltered) altered(now_.end, number);
    if (faults & kForged) ++ends_[1 - now_.end].forged;
    rules_.struck(number_of_rule);
    if (frame_faults.size() == kFrameFaults) return;
    frame_faults.push_back({now_.place.time, now_.place.packet, number, big32(fields + 5), faults,
                            number_of_rule, now_.end, fields[4], {}});
  }

  // ------------------------------------------------------------------ the end

  // Counts what an end leaves open.
  void leave_open(uint8_t at, const Place* place) {
    const auto still = [&](const Lane& lane, const Page& page, Mark from, Latency latency) {
      if (place) book_.measure(lane, latency, page, from, place->time);
    };
    if (const Lane* lane = book_.outgoing[at])
      for (const uint16_t in : lane->used) {
        const Page& page = lane->ring[in];
        if (!page.has(OPENED) || page.has(TOLD)) continue;
        ++counts[at].unresolved;
        if (!(page.flags & SETTLED)) still(*lane, page, DECIDED, IN_DOUBT_INITIATOR);
      }
    if (const Lane* lane = book_.incoming[at])
      for (const uint16_t in : lane->used) {
        const Page& page = lane->ring[in];
        if (!page.has(COMMIT_HEARD) && !page.has(ABORT_RECORDED) && !page.has(DOUBTED))
          still(*lane, page, REFLECTED, IN_DOUBT_RESPONDER);
      }
  }

  void stopped(std::string reason) {
    if (stop_packet) return;
    stop = std::move(reason);
    stop_packet = now_.place.packet;
    for (uint8_t end = 0; end < 2; ++end) leave_open(end, &now_.place);
    const uint64_t open = counts[0].unresolved + counts[1].unresolved;
    if (stop == "resolved" && open) {
      book_.findings.add(Promise::CONSERVATION, true, true, now_.place, nullptr, nullptr,
                         "%llu records have no outcome though the load is done",
                         static_cast<unsigned long long>(open));
    }
    bool obstructed = false;
    for (const End& end : ends_) {
      // The stop itself disables the ends, in its own cycle.
      const bool disabled = end.disabled && end.disabled_at < now_.cycle;
      obstructed |= end.cut || end.down || disabled || end.wanted_epoch != end.epoch;
    }
    if (stop == "stalled" && !obstructed)
      // A rule without an effect that can be seen may hold up a host.
      book_.findings.add(Promise::PROGRESS, gaps == 0 && !rules_.any(), true, now_.place, nullptr,
                         nullptr,
                         "nothing moves, %llu transactions are open, and nothing stands in the way",
                         static_cast<unsigned long long>(open));
  }

  Book& book_;
  Wire& wire_;
  End ends_[2];
  Now now_{};
  uint32_t next_ = 0;
  uint64_t gap_cycle_ = 0;
  bool is_absence_ = false;
  Counters counters_;
  HiddenRules rules_;
};

}  // namespace oae
