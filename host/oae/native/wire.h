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

  // A frame that nothing is wrong with; `complete`: every byte of it was seen.
  void frame(uint8_t end, const Frame& frame, const uint8_t* record, bool complete, Place place) {
    Direction& direction = book_.directions[end];
    const uint8_t peer = 1 - end;
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
        if (page) data(direction, lane, *page, frame, record, complete, place);
        return;
      }
      case Operation::COMMIT: {
        Lane& lane = request_lane(end, frame.link_session);
        Page* page = book_.lanes.page(lane, frame.id);
        if (page) commit(direction, lane, *page, frame, complete, place);
        return;
      }
      case Operation::ABORT: {
        Lane& lane = request_lane(end, frame.link_session);
        Page* page = book_.lanes.page(lane, frame.id);
        if (!page || !first(direction, *page, ABORT, frame, complete, place)) return;
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

  void finish() {
    for (Stream& stream : streams_) {
      stream.whole = false;  // what came next is not known
      settle(stream);
    }
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

  struct Stream {
    bool started = false, whole = true;
    uint32_t next = 0;
    std::vector<Finding> pending;  // certain if the next frame has the next number
  };

  void sessions(uint8_t end, const Frame& frame) {
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
    if (book_.has_evidence) return;  // that judges better
    Finding finding = Findings::begin(promise, true, place, &lane, &page);
    const size_t named = Findings::name(lane, page.id, finding.text);
    std::snprintf(finding.text + named, kTextBytes - named, "%s", text);
    Stream& stream = streams_[end];
    if (stream.whole && stream.pending.size() < kPending) {
      stream.pending.push_back(finding);
      page.flags |= FOUND;
    } else {
      book_.findings.add(finding, false);
    }
  }

  void settle(Stream& stream) {
    for (const Finding& finding : stream.pending) book_.findings.add(finding, stream.whole);
    stream.pending.clear();
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
    if (page.flags & SUBMITTED && content_hash(record, frame.record_bytes) != page.submitted_hash)
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
      ++direction.committed;
      direction.committed_bytes += page.record_bytes;
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
    book_.directions[lane.end].delivered_bytes += page.record_bytes;
    contradiction(page, ABORTED, Promise::FINAL, lane, place, ": DONE sent after ABORTED");
    contradiction(page, ABORT, Promise::AGREEMENT, lane, place,
                  ": DONE sent, its initiator said ABORT");
    if (page.claims(COMMIT) && page.digest[COMMIT] != frame.digest)
      book_.findings.add(Promise::UNALTERED, true, false, place, &lane, &page,
                         ": DONE has another digest than COMMIT");
    if (!page.has(COMMIT))
      missing(Promise::NOT_BEFORE_COMMITTED, lane, page, place, lane.end, ": DONE without a COMMIT");
  }

  Book& book_;
  Stream streams_[2];
  Pair pairs_[kPairs] = {};
  size_t newest_ = 0;
};

}  // namespace oae
