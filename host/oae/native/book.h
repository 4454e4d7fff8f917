// What the judge of frames and the judge of evidence share.
#pragma once
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
  uint64_t attempted, committed, committed_bytes, delivered_bytes;  // as the wire shows it
};

struct Book {
  Rows rows;
  Lanes lanes{rows};
  Findings findings;
  Histogram latency[2][LATENCIES];
  Intervals intervals;
  Spans spans;
  Direction directions[2] = {};
  bool has_evidence = false;  // the capture has an interface for it
  uint16_t ethertype;         // of the link
  // Of each end under its session pair, null until needed.
  Lane* outgoing[2] = {};
  Lane* incoming[2] = {};

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
