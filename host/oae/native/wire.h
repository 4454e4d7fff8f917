// Judges what the ends said on the wire: the second table of docs/capture.md.
#pragma once
#include "book.h"
#include "frame.h"

namespace oae {

class Wire {
 public:
  explicit Wire(Book& book) : book_(book) {
    for (Stream& stream : streams_) stream.pending.reserve(kPending);
  }

  // Another run begins; `whole`: with its first frame.
  void restart(bool whole) {
    for (Stream& stream : streams_) {
      stream.whole = false;
      settle(stream);
      stream.started = false, stream.whole = whole, stream.next = 0;
    }
    std::fill_n(pairs_, kPairs, Pair{});
    session_[0] = session_[1] = 0;
    said_[0] = said_[1] = 0;
  }

  // A frame of direction `end`, well-formed or not, in the order of its numbers.
  void number(int end, const Packet& packet) {
    Stream& stream = streams_[end];
    if (!(packet.flags & NUMBERED)) {
      stream.whole = false;
    } else {
      const uint32_t number = static_cast<uint32_t>(packet.number);
      if (!stream.started) stream.next = number, stream.whole = number == 0;
      const int32_t ahead = static_cast<int32_t>(number - stream.next);
      if (ahead < 0) return;  // heard again
      if (ahead > 0) book_.directions[end].lost += static_cast<uint32_t>(ahead), stream.whole = false;
      stream.next = number + 1;
    }
    stream.started = true;
    settle(stream);
  }

  // A frame that may have been altered on its way to the tap: what it said is not known.
  void lost(int end) {
    streams_[end].whole = false;
    settle(streams_[end]);
  }

  // A frame that nothing is wrong with; `complete`: every byte of it was seen, and is what was sent.
  void frame(uint8_t end, const Frame& frame, const uint8_t* record, bool complete, Place place) {
    Direction& direction = book_.directions[end];
    const uint8_t peer = 1 - end;
    if (frame.link_session) said_[end] = frame.link_session;
    switch (static_cast<Operation>(frame.operation)) {
      case Operation::NOP:
        book_.spans.beat();
        return;
      case Operation::SYNC:
      case Operation::SYNC_ACK:
        if (complete) sessions(end, frame);
        return;
      case Operation::DATA: {
        Lane& lane = request_lane(end, frame.link_session);
        Page* page = book_.lanes.page(lane, frame.id);
        if (!page) return;
        if (complete && !page->has(DATA))
          opened(end, lane, *page, place, ": DATA sent, it was never opened");
        data(direction, lane, *page, frame, record, complete, place);
        return;
      }
      case Operation::COMMIT: {
        Lane& lane = request_lane(end, frame.link_session);
        Page* page = book_.lanes.page(lane, frame.id);
        if (!page) return;
        if (complete && !page->has(COMMIT))
          opened(end, lane, *page, place, ": COMMIT sent, it was never opened");
        commit(direction, lane, *page, frame, complete, place);
        return;
      }
      case Operation::ABORT: {
        Lane& lane = request_lane(end, frame.link_session);
        Page* page = book_.lanes.page(lane, frame.id);
        if (!page) return;
        if (complete && !page->has(ABORT))
          opened(end, lane, *page, place, ": ABORT sent, it was never opened");
        if (!first(direction, *page, ABORT, frame, complete, place)) return;
        contradiction(*page, COMMIT, Promise::FINAL, lane, place, ": ABORT sent after COMMIT");
        contradiction(*page, DONE, Promise::AGREEMENT, lane, place,
                      ": ABORT sent, its responder said DONE");
        return;
      }
      default:
        break;
    }
    Lane& lane = answer_lane(peer, frame);
    Page* page = book_.lanes.page(lane, frame.id);
    if (!page) return;
    switch (static_cast<Operation>(frame.operation)) {
      case Operation::ACK:
        if (first(direction, *page, ACK, frame, complete, place) &&
            !(page->has(DATA) && page->digest[DATA] == frame.digest))
          missing(Promise::UNALTERED, lane, *page, place, peer,
                  ": ACK without a DATA of its digest");
        return;
      case Operation::DONE:
        if (first(direction, *page, DONE, frame, complete, place))
          done(lane, *page, frame, place);
        return;
      case Operation::ABORTED:
        if (!first(direction, *page, ABORTED, frame, complete, place)) return;
        contradiction(*page, DONE, Promise::FINAL, lane, place, ": ABORTED sent after DONE");
        contradiction(*page, COMMIT, Promise::AGREEMENT, lane, place,
                      ": ABORTED sent, its initiator said COMMIT");
        if (!page->has(DATA) && !page->has(ABORT))
          missing(Promise::NEVER_ALONE, lane, *page, place, peer,
                  ": ABORTED without a DATA or an ABORT");
        ended(*page, place);
        return;
      default:
        return;
    }
  }

  // Link sessions of the frames of both ends belong together.
  void pair(uint32_t of_a, uint32_t of_b) {
    for (const Pair& known : pairs_)
      if (known.session[0] == of_a && known.session[1] == of_b) return;
    pairs_[newest_ = (newest_ + 1) % kPairs] = {{of_a, of_b}};
  }

  // No frame of a complete direction follows; of another that is not known.
  void finish(bool a_is_complete, bool b_is_complete) {
    streams_[0].whole &= a_is_complete;
    streams_[1].whole &= b_is_complete;
    for (Stream& stream : streams_) settle(stream);
  }

  // Transactions of the last sessions that the wire shows to begin and not to end; those of the
  // capture's last moments, begun no longer ago than another took from begin to end, are left out.
  uint64_t count_open(uint64_t now) {
    uint64_t open = book_.lanes.left_open;
    for (uint8_t end = 0; end < 2; ++end)
      book_.lanes.each(end, [&](const Lane& lane) {
        if (!lane.has_link_session || lane.link_session != said_[end] || !answers(lane)) return;
        for (const uint16_t at : lane.used) {
          const Page& page = lane.ring[at];
          open += page.is_open() && now > page.time[DATA] && now - page.time[DATA] > longest_;
        }
      });
    return open;
  }

  static uint32_t link_session(uint64_t sender, uint64_t receiver) {
    const uint64_t both[2] = {__builtin_bswap64(sender), __builtin_bswap64(receiver)};
    const uint32_t found = crc32c(reinterpret_cast<const uint8_t*>(both), sizeof both);
    return found ? found : 1;
  }

 private:
  static constexpr size_t kPairs = 16, kPending = 64;

  struct Pair {
    uint32_t session[2];
  };

  // Whether the responder of the lane, if it is known, still answers under its sessions.
  bool answers(const Lane& lane) const {
    const uint8_t responder = 1 - lane.end;
    bool is_known = false;
    for (const Pair& known : pairs_) {
      if (known.session[lane.end] != lane.link_session) continue;
      if (known.session[responder] == said_[responder]) return true;
      is_known = true;
    }
    return !is_known;
  }

  void ended(const Page& page, Place place) {
    if (page.has(DATA) && place.time > page.time[DATA])
      longest_ = std::max(longest_, place.time - page.time[DATA]);
  }

  // An initiator speaks of a transaction: in a whole run its evidence told before that it was opened.
  void opened(uint8_t end, const Lane& lane, Page& page, Place place, const char* text) {
    const Lane* now = book_.outgoing[end];
    if (!book_.is_whole_run || page.has(OPENED) || (now && !now->has_link_session)) return;
    book_.awaiting.add(named(Promise::CONSERVATION, lane, page, place, text));
  }

  static Finding named(Promise promise, const Lane& lane, const Page& page, Place place,
                       const char* text) {
    Finding finding = Findings::begin(promise, true, place, &lane, &page);
    const size_t name = Findings::name(lane, page.id, finding.text);
    std::snprintf(finding.text + name, kTextBytes - name, "%s", text);
    return finding;
  }

  struct Stream {
    bool started = false, whole = true;
    uint32_t next = 0;
    std::vector<Finding> pending;  // certain if the next frame has the next number
  };

  void sessions(uint8_t end, const Frame& frame) {
    // With a new session of either end all that they said is over.
    if (session_[end] != frame.session) said_[0] = said_[1] = 0;
    session_[end] = frame.session;
    for (const uint64_t peer : {frame.verified, frame.challenger}) {
      if (!peer || !frame.session) continue;
      uint32_t found[2];
      found[end] = link_session(frame.session, peer);
      found[1 - end] = link_session(peer, frame.session);
      pair(found[0], found[1]);
    }
  }

  Lane& request_lane(uint8_t end, uint32_t session) {
    if (Lane* lane = book_.lanes.by_link_session(end, session)) return *lane;
    Lane& lane = book_.make_lane(end);
    lane.naming = Naming::LINK_SESSION;
    lane.link_session = session;
    lane.has_link_session = true;
    return lane;
  }

  // The lane that an answer to `initiator` speaks of: known from the sessions, or from a digest that
  // both ends name; else a lane of its own, so that a responder can be compared with itself.
  Lane& answer_lane(uint8_t initiator, const Frame& frame) {
    const uint8_t responder = 1 - initiator;
    for (size_t back = 0; back < kPairs; ++back) {
      const Pair& known = pairs_[(newest_ + kPairs - back) % kPairs];
      if (known.session[responder] == frame.link_session)
        return request_lane(initiator, known.session[initiator]);
    }
    Lane *alone = nullptr, *same = nullptr;
    book_.lanes.each(initiator, [&](Lane& lane) {
      if (lane.naming == Naming::ANSWERS && lane.link_session == frame.link_session) alone = &lane;
      const Page& page = lane.ring[frame.id % kRing];
      if (lane.has_link_session && page.flags & USED && page.id == frame.id &&
          ((page.has(DATA) && page.digest[DATA] == frame.digest) ||
           (page.has(COMMIT) && page.digest[COMMIT] == frame.digest)))
        same = &lane;
    });
    if (same) {
      Pair found;
      found.session[initiator] = same->link_session;
      found.session[responder] = frame.link_session;
      pair(found.session[0], found.session[1]);
      return *same;
    }
    if (alone) return *alone;
    Lane& lane = book_.make_lane(initiator);
    lane.naming = Naming::ANSWERS;
    lane.link_session = frame.link_session;
    return lane;
  }

  // Notes a frame on its page; whether it claims something that was not claimed before.
  bool first(Direction& direction, Page& page, Mark mark, const Frame& frame, bool complete,
             Place place) {
    if (page.has(mark)) {
      ++direction.repeats[frame.operation];
    } else {
      page.time[mark] = place.time;
      page.packet[mark] = place.packet;
      page.digest[mark] = frame.digest;
    }
    if (!complete || page.claims(mark)) return false;
    page.digest[mark] = frame.digest;
    page.verified |= static_cast<uint16_t>(1 << mark);
    return true;
  }

  void contradiction(Page& page, Mark other, Promise promise, const Lane& lane, Place place,
                     const char* text) {
    if (page.claims(other)) book_.findings.add(promise, true, false, place, &lane, &page, "%s", text);
  }

  // Something of direction `end` should have been seen before.
  void missing(Promise promise, Lane& lane, Page& page, Place place, int end, const char* text) {
    const Finding finding = named(promise, lane, page, place, text);
    Stream& stream = streams_[end];
    // An answer whose sessions are not known may belong to what stands elsewhere, or to what is gone,
    // and one to a forged frame to nothing.
    const bool is_known =
        lane.has_link_session && !book_.lanes.has_evicted && !book_.has_forged;
    if (stream.whole && is_known && stream.pending.size() < kPending) {
      stream.pending.push_back(finding);
      page.flags |= FOUND;
    } else {
      found(finding, false);
    }
  }

  void settle(Stream& stream) {
    for (const Finding& finding : stream.pending) found(finding, stream.whole);
    stream.pending.clear();
  }

  // In a run the evidence tells what the frames leave open.
  void found(const Finding& finding, bool certain) {
    if (certain || !book_.has_evidence) book_.findings.add(finding, certain);
  }

  void data(Direction& direction, const Lane& lane, Page& page, const Frame& frame,
            const uint8_t* record, bool complete, Place place) {
    const bool known = page.claims(DATA);
    const uint32_t before = page.digest[DATA];
    if (!page.has(DATA)) {
      ++direction.attempted;
      if (!(page.flags & SUBMITTED)) page.record_bytes = frame.record_bytes, page.kind = frame.kind;
    }
    const bool is_first = first(direction, page, DATA, frame, complete, place);
    if (!complete) return;
    if (known && before != frame.digest)
      book_.findings.add(Promise::UNALTERED, true, false, place, &lane, &page,
                         ": DATA sent again with another record");
    if (!is_first) return;
    if (book_.has_evidence) page.data_hash = content_hash(record, frame.record_bytes);
    if (page.flags & SUBMITTED && page.data_hash != page.submitted_hash)
      book_.findings.add(Promise::UNALTERED, true, false, place, &lane, &page,
                         ": the record in DATA is not the one submitted");
    if (page.claims(COMMIT) && page.digest[COMMIT] != frame.digest) other_commit(lane, page, place);
  }

  void other_commit(const Lane& lane, Page& page, Place place) {
    book_.findings.add(Promise::UNALTERED, true, false, place, &lane, &page,
                       ": COMMIT has another digest than DATA");
  }

  void commit(Direction& direction, Lane& lane, Page& page, const Frame& frame, bool complete,
              Place place) {
    if (!page.has(COMMIT)) {
      book_.measure(lane, DATA_TO_COMMIT, page, DATA, place.time);
    }
    if (!first(direction, page, COMMIT, frame, complete, place)) return;
    contradiction(page, ABORT, Promise::FINAL, lane, place, ": COMMIT sent after ABORT");
    contradiction(page, ABORTED, Promise::AGREEMENT, lane, place,
                  ": COMMIT sent, its responder said ABORTED");
    if (page.claims(DATA) && page.digest[DATA] != frame.digest) other_commit(lane, page, place);
    if (!(page.has(ACK) && page.digest[ACK] == frame.digest))
      missing(Promise::AGREEMENT, lane, page, place, 1 - lane.end,
              ": COMMIT without an ACK of its digest");
  }

  void done(Lane& lane, Page& page, const Frame& frame, Place place) {
    book_.measure(lane, COMMIT_TO_DONE, page, COMMIT, place.time);
    book_.measure(lane, DATA_TO_DONE, page, DATA, place.time);
    Direction& direction = book_.directions[lane.end];
    ++direction.committed;
    direction.committed_bytes += page.record_bytes;
    ended(page, place);
    taken(lane, page, frame, place);
    contradiction(page, ABORTED, Promise::FINAL, lane, place, ": DONE sent after ABORTED");
    contradiction(page, ABORT, Promise::AGREEMENT, lane, place,
                  ": DONE sent, its initiator said ABORT");
    if (page.claims(COMMIT) && page.digest[COMMIT] != frame.digest)
      book_.findings.add(Promise::UNALTERED, true, false, place, &lane, &page,
                         ": DONE has another digest than COMMIT");
    if (!page.has(COMMIT))
      missing(Promise::NOT_BEFORE_COMMITTED, lane, page, place, lane.end, ": DONE without a COMMIT");
  }

  // Where evidence is missing, and nothing is left to say which record was submitted, DATA says it.
  void taken(const Lane& lane, Page& page, const Frame& frame, Place place) {
    if (lane.naming == Naming::PAIR || !page.claims(DATA) || page.digest[DATA] != frame.digest) return;
    const uint64_t* record = book_.taken[1 - lane.end].find(page.id);
    if (record && *record != page.data_hash)
      book_.findings.add(Promise::UNALTERED, true, false, place, &lane, &page,
                         ": the record delivered is not the one in DATA");
  }

  Book& book_;
  uint64_t session_[2] = {};  // that each end named last
  uint32_t said_[2] = {};  // link session of the last frame of each end
  uint64_t longest_ = 0;   // time of a transaction from its DATA to DONE or ABORTED
  Stream streams_[2];
  Pair pairs_[kPairs] = {};
  size_t newest_ = 0;
};

}  // namespace oae
