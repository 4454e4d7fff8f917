// What the judge of frames and the judge of evidence share.
#pragma once
#include <span>

#include "awaiting.h"
#include "crc32c.h"
#include "findings.h"
#include "measure.h"
#include "oae_defs.h"
#include "pages.h"

namespace oae {

// Frames that one end sent; host/oae/check/kernel.py has it as a numpy type.
struct Direction {
  uint64_t frames, operations[32], repeats[32], malformed[16];
  uint64_t foreign, unsupported, incomplete, received, lost, fates[16];
  uint64_t attempted, committed, committed_bytes;  // as the wire shows it
};

// The records that the host of an end took last under its session pair.
class Taken {
 public:
  void add(uint32_t id, uint64_t hash) { records_[count_++ % kMost] = {hash, id}; }
  void forget() { count_ = 0; }
  // Null if it is not among them.
  const uint64_t* find(uint32_t id) const {
    for (const Record& record : std::span(records_, std::min(count_, kMost)))
      if (record.id == id) return &record.hash;
    return nullptr;
  }

 private:
  static constexpr size_t kMost = 64;
  struct Record {
    uint64_t hash;
    uint32_t id;
  };
  Record records_[kMost];
  size_t count_ = 0;
};

struct Book {
  Rows rows;
  Lanes lanes{rows};
  Findings findings;
  Awaiting awaiting{findings};
  Histogram latency[2][LATENCIES];
  Intervals intervals;
  Spans spans;
  Direction directions[2] = {};
  bool has_evidence = false;  // the capture has an interface for it
  bool has_forged = false;    // the medium made up frames: an end may answer what nobody said
  bool is_whole_run = false;  // there is evidence, and of what ends did none is missing
  uint16_t ethertype;         // of the link
  // Of each end under its session pair, null until needed.
  Lane* outgoing[2] = {};
  Lane* incoming[2] = {};
  Taken taken[2];

  Book(size_t keep, uint16_t type) : rows(keep), ethertype(type) {}

  Lane& make_lane(uint8_t end) {
    return lanes.make(end, {outgoing[0], outgoing[1], incoming[0], incoming[1]});
  }

  // Time from one mark to another of the same page, if both were seen.
  void measure(const Lane& lane, Latency latency_of, const Page& page, Mark from, uint64_t until) {
    if (page.has(from) && until >= page.time[from])
      latency[lane.end][latency_of].add(until - page.time[from]);
  }
};

// Sixty-four bits of what a record or a frame holds; two chains, so that the multiplier is kept busy.
inline uint64_t content_hash(const uint8_t* bytes, size_t size) {
  constexpr uint64_t kOdd = 0x9E3779B97F4A7C15;
  uint64_t one = size * kOdd, other = ~one;
  const auto mix = [](uint64_t state, uint64_t word) {
    state = (state ^ word) * kOdd;
    return state ^ state >> 29;
  };
  for (; size >= 16; bytes += 16, size -= 16) {
    one = mix(one, load64(bytes));
    other = mix(other, load64(bytes + 8));
  }
  uint8_t rest[16] = {};
  if (size) std::memcpy(rest, bytes, size);
  one = mix(one, load64(rest));
  other = mix(other, load64(rest + 8));
  return mix(mix(one, other), one);
}

}  // namespace oae
