// One page for each transaction, a ring of them for each lane; bounded, however long a capture is.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <memory>
#include <vector>

namespace oae {

// What can be seen of a transaction; oae.check.findings.Mark has the same.
enum Mark {
  OPENED,
  DATA,  // frame
  REFLECTED,
  ACK,  // frame
  DECIDED,
  COMMIT,  // frame
  COMMIT_HEARD,
  DELIVERED,
  DONE,  // frame
  DONE_HEARD,
  TOLD,
  TAKEN_BACK,
  ABORT,  // frame
  ABORT_RECORDED,
  ABORTED,  // frame
  DOUBTED,
};
constexpr size_t kMarks = 16;

enum PageFlag : uint16_t {
  USED = 1,
  FOUND = 2,         // has a finding
  SUBMITTED = 4,     // `submitted_hash` is that of the record that the host gave
  UNDECIDABLE = 8,   // taken back: it may not be decided any more
  ABORT_SENT = 16,
  HELD = 32,
  REFUSED = 64,
  SETTLED = 128,     // the initiator knows the outcome of its decision
};

struct Page {
  uint64_t time[kMarks];
  uint64_t packet[kMarks];  // 0: not seen
  uint64_t commit_heard_cycle;
  uint64_t arrived;         // time of HELD
  uint64_t submitted_hash;
  uint64_t data_hash;       // of the record in DATA, if that mark is claimed
  uint32_t id;
  uint32_t digest[kMarks];  // of the marks that are frames
  uint32_t record_bytes;
  uint16_t verified;  // marks that are frames of which every byte was seen
  uint16_t flags;
  uint16_t tag;
  uint8_t kind, outcome, reason;

  bool has(Mark mark) const { return packet[mark] != 0; }
  bool claims(Mark mark) const { return verified >> mark & 1; }
  // The wire shows that it began, and not that it ended.
  bool is_open() const { return has(DATA) && !has(DONE) && !has(ABORTED); }
};

enum class Naming : uint8_t {
  NONE,  // its sessions are not known
  PAIR,
  LINK_SESSION,
  ANSWERS,  // only its answers were heard: their link session
};

constexpr uint32_t kRing = 2048;

// One direction under one session pair.
struct Lane {
  uint8_t end = 0;  // that initiates
  Naming naming = Naming::NONE;
  bool whole = false;  // all its evidence is in the capture
  bool has_link_session = false;
  bool next_known = false, deliver_known = false;
  uint32_t own = 0, peer = 0;  // low halves of the initiator's and its peer's session
  uint32_t link_session = 0;   // of the initiator's frames
  uint32_t next_id = 0, deliver_pointer = 0;
  uint64_t opened_ids = 0;  // `next_id`, counted on where the ids of the wire wrap
  uint64_t crashed_at = 0;  // packet of the initiator's last crash
  uint64_t used_at = 0;
  std::unique_ptr<Page[]> ring;
  std::vector<uint16_t> used;  // places in the ring

  explicit Lane(std::unique_ptr<Page[]> blank) : ring(std::move(blank)) {
    if (!ring) ring.reset(new Page[kRing]());
    used.reserve(kRing);
  }
};

struct Row {
  uint64_t time[kMarks];
  uint64_t packet[kMarks];
  uint32_t id, own, peer, link_session, record_bytes;
  uint16_t tag;
  uint8_t end, naming, kind, outcome, reason, found;
};

// The transactions that are kept for the reader: the first ones, the slowest, and all with a finding.
class Rows {
 public:
  static constexpr size_t kSlowest = 100, kFound = 1000;
  std::vector<Row> rows;
  uint64_t count = 0;

  explicit Rows(size_t keep) : keep_(keep) { rows.reserve(keep + kFound + kSlowest); }

  void add(const Lane& lane, const Page& page) {
    ++count;
    const bool found = page.flags & FOUND;
    if (first_ < keep_) {
      ++first_;
      rows.push_back(row(lane, page));
    } else if (found && found_ < kFound) {
      ++found_;
      rows.push_back(row(lane, page));
    } else if (const uint64_t length = duration(page);
               length && (slow_.size() < kSlowest || length > slow_.front().length)) {
      if (slow_.size() == kSlowest) {
        std::pop_heap(slow_.begin(), slow_.end(), longer);
        slow_.pop_back();
      }
      slow_.push_back({length, row(lane, page)});
      std::push_heap(slow_.begin(), slow_.end(), longer);
    }
  }

  void finish() {
    for (const Slow& slow : slow_) rows.push_back(slow.row);
    slow_.clear();
  }

 private:
  struct Slow {
    uint64_t length;
    Row row;
  };
  static bool longer(const Slow& one, const Slow& other) { return one.length > other.length; }

  static uint64_t duration(const Page& page) {
    const Mark from = page.has(OPENED) ? OPENED : DATA, to = page.has(TOLD) ? TOLD : DONE;
    return page.has(from) && page.has(to) && page.time[to] > page.time[from]
               ? page.time[to] - page.time[from]
               : 0;
  }

  static Row row(const Lane& lane, const Page& page) {
    Row made{};
    std::memcpy(made.time, page.time, sizeof made.time);
    std::memcpy(made.packet, page.packet, sizeof made.packet);
    made.id = page.id, made.own = lane.own, made.peer = lane.peer;
    made.link_session = lane.link_session, made.record_bytes = page.record_bytes;
    made.tag = page.tag, made.end = lane.end, made.naming = static_cast<uint8_t>(lane.naming);
    made.kind = page.kind, made.outcome = page.outcome, made.reason = page.reason;
    made.found = (page.flags & FOUND) != 0;
    return made;
  }

  size_t keep_, first_ = 0, found_ = 0;
  std::vector<Slow> slow_;
};

// The last lanes of both ends.
class Lanes {
 public:
  static constexpr size_t kLanes = 8;
  bool has_evicted = false;  // a lane that frames name had to go
  uint64_t left_open = 0;  // transactions that were still open when newer ones took their pages

  explicit Lanes(Rows& rows) : rows_(rows) {}

  // The page of an id; null if it is so far behind the newest that it is forgotten.
  Page* page(Lane& lane, uint32_t id) {
    lane.used_at = ++clock_;
    const uint16_t at = id % kRing;
    Page& page = lane.ring[at];
    if (page.flags & USED) {
      if (page.id == id) return &page;
      if (static_cast<int32_t>(id - page.id) < 0) return nullptr;
      rows_.add(lane, page);
      left_open += page.is_open();
      page = Page{};
    } else {
      lane.used.push_back(at);
    }
    page.flags = USED;
    page.id = id;
    return &page;
  }

  Lane* by_pair(uint8_t end, uint32_t own, uint32_t peer) {
    for (const auto& lane : lanes_[end])
      if (lane->naming == Naming::PAIR && lane->own == own && lane->peer == peer) return lane.get();
    return nullptr;
  }

  Lane* by_link_session(uint8_t end, uint32_t link_session) {
    Lane*& last = last_[end];
    if (last && last->link_session == link_session && last->has_link_session) return last;
    for (const auto& lane : lanes_[end])
      if (lane->has_link_session && lane->link_session == link_session) return last = lane.get();
    return nullptr;
  }

  template <class Visit>
  void each(uint8_t end, Visit visit) {
    for (const auto& lane : lanes_[end]) visit(*lane);
  }

  // A new lane in the place of the one that was not used for longest, but for those in use.
  Lane& make(uint8_t end, std::initializer_list<const Lane*> in_use) {
    auto& lanes = lanes_[end];
    if (lanes.size() == kLanes) {
      size_t oldest = kLanes;
      for (size_t at = 0; at < kLanes; ++at) {
        const bool is_free = std::find(in_use.begin(), in_use.end(), lanes[at].get()) == in_use.end();
        if (is_free && (oldest == kLanes || lanes[at]->used_at < lanes[oldest]->used_at)) oldest = at;
      }
      has_evicted |= lanes[oldest]->has_link_session;
      retire(*lanes[oldest]);
      spare_ = std::move(lanes[oldest]);
      lanes.erase(lanes.begin() + static_cast<long>(oldest));
      last_[end] = nullptr;
    }
    // A lane is large: the one that goes is used again.
    auto ring = spare_ ? std::move(spare_->ring) : nullptr;
    spare_.reset();
    lanes.push_back(std::make_unique<Lane>(std::move(ring)));
    Lane& lane = *lanes.back();
    lane.end = end;
    lane.used_at = ++clock_;
    return lane;
  }

  // What follows has nothing to do with what was.
  void forget() {
    for (auto& lanes : lanes_) {
      for (auto& lane : lanes) retire(*lane);
      lanes.clear();
    }
    last_[0] = last_[1] = nullptr;
  }

  void finish() {
    forget();
    rows_.finish();
  }

 private:
  void retire(Lane& lane) {
    for (const uint16_t at : lane.used) {
      rows_.add(lane, lane.ring[at]);
      lane.ring[at] = Page{};
    }
    lane.used.clear();
  }

  Rows& rows_;
  std::vector<std::unique_ptr<Lane>> lanes_[2];
  std::unique_ptr<Lane> spare_;
  Lane* last_[2] = {};
  uint64_t clock_ = 0;
};

}  // namespace oae
