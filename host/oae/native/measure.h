// What is measured, in constant memory: distributions, intervals of time, faults and how long it took
// after them. host/oae/check/kernel.py has Interval, Span, EndState and FrameFault as numpy types.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>
#include <vector>

namespace oae {

// Log-linear: 128 buckets an octave, so a value is known to 1 %.
class Histogram {
 public:
  static constexpr size_t kBuckets = 256 + 56 * 128;
  uint64_t count = 0, sum = 0, least = std::numeric_limits<uint64_t>::max(), most = 0;
  std::array<uint64_t, kBuckets> buckets{};

  void add(uint64_t value) {
    ++count;
    sum += value;
    least = std::min(least, value);
    most = std::max(most, value);
    ++buckets[place(value)];
  }

  static size_t place(uint64_t value) {
    if (value < 256) return value;
    const int shift = 56 - __builtin_clzll(value);  // 8 bits are left, the highest of them set
    return 256 + static_cast<size_t>(shift - 1) * 128 + ((value >> shift) - 128);
  }
};

// One direction's, by initiator.
enum Latency {
  SUBMISSION_TO_DECISION,
  DATA_TO_DECISION,
  DECISION_TO_DELIVERY,
  DECISION_TO_OUTCOME,
  SUBMISSION_TO_OUTCOME,
  SUBMISSION_TO_DELIVERY,
  SUBMISSION_TO_DONE,
  IN_DOUBT_INITIATOR,
  IN_DOUBT_RESPONDER,
  DATA_TO_COMMIT,
  COMMIT_TO_DONE,
  DATA_TO_DONE,
  ARRIVAL_TO_DECISION,
  ARRIVAL_TO_DELIVERY,
  ARRIVAL_TO_DONE,
  LATENCIES,
};

struct Interval {
  uint64_t start;
  uint64_t frames[2], delivered_bytes[2], told[2];
  uint32_t in_flight[2];  // most at one time
  uint8_t initiator_balance[2], responder_balance[2];
  uint32_t reserved;
};

// Equal stretches of time; when there are too many, each two become one.
class Intervals {
 public:
  static constexpr size_t kIntervals = 2048;
  std::vector<Interval> intervals;
  uint64_t length = 1024;

  Intervals() { intervals.reserve(kIntervals); }

  Interval& at(uint64_t time) {
    if (intervals.empty()) start_ = time, begin(0);
    const uint64_t since = time > start_ ? time - start_ : 0;
    size_t place = since / length;
    while (place >= kIntervals) {
      halve();
      place = since / length;
    }
    while (intervals.size() <= place) begin(intervals.size());
    return intervals[place];
  }

 private:
  void begin(size_t place) {
    Interval interval{};
    if (place) {  // what stands is what stood
      const Interval& before = intervals.back();
      std::copy_n(before.initiator_balance, 2, interval.initiator_balance);
      std::copy_n(before.responder_balance, 2, interval.responder_balance);
      std::copy_n(in_flight, 2, interval.in_flight);
    }
    interval.start = start_ + place * length;
    intervals.push_back(interval);
  }

  void halve() {
    length *= 2;
    const size_t number = (intervals.size() + 1) / 2;
    for (size_t to = 0; to < number; ++to) {
      Interval merged = intervals[2 * to];
      if (2 * to + 1 < intervals.size()) {
        const Interval& later = intervals[2 * to + 1];
        for (int end = 0; end < 2; ++end) {
          merged.frames[end] += later.frames[end];
          merged.delivered_bytes[end] += later.delivered_bytes[end];
          merged.told[end] += later.told[end];
          merged.in_flight[end] = std::max(merged.in_flight[end], later.in_flight[end]);
          merged.initiator_balance[end] = later.initiator_balance[end];
          merged.responder_balance[end] = later.responder_balance[end];
        }
      }
      intervals[to] = merged;
    }
    intervals.resize(number);
  }

  uint64_t start_ = 0;

 public:
  uint32_t in_flight[2] = {};  // now
};

enum class SpanKind : uint8_t { CUT, CRASH, AMNESIA, RULE, LINK_FAULT };

struct Span {
  uint64_t start, packet;
  uint64_t healed, converged;  // 0: not seen
  uint64_t beats;
  uint32_t number;  // of the rule
  uint32_t in_flight;
  uint8_t kind;
  int8_t end;
  uint8_t is_healed, is_converged;
  uint32_t left;          // of what was in flight
  uint64_t healed_packet;
};

// Faults of the link, each with the time until everything that was in flight when it healed was
// resolved.
class Spans {
 public:
  static constexpr size_t kSpans = 4096, kWatched = 64;
  std::vector<Span> spans;

  Spans() { spans.reserve(kSpans); }

  void start(SpanKind kind, int end, uint32_t number, uint64_t time, uint64_t packet) {
    if (spans.size() == kSpans) return;
    Span span{};
    span.start = time, span.packet = packet, span.number = number;
    span.kind = static_cast<uint8_t>(kind), span.end = static_cast<int8_t>(end);
    if (kind != SpanKind::RULE) open_[static_cast<size_t>(kind)][end] = spans.size() + 1;
    spans.push_back(span);
  }

  void heal(SpanKind kind, int end, uint64_t time, uint64_t packet, uint32_t in_flight) {
    size_t& open = open_[static_cast<size_t>(kind)][end];
    if (open) heal_at(open - 1, time, packet, in_flight);
    open = 0;
  }

  // A rule strikes once.
  void strike(uint32_t number, uint64_t time, uint64_t packet, uint32_t in_flight) {
    if (spans.size() == kSpans) return;
    start(SpanKind::RULE, -1, number, time, packet);
    heal_at(spans.size() - 1, time, packet, in_flight);
  }

  void beat() {
    for (size_t watched = 0; watched < watching_; ++watched) ++spans[watched_[watched]].beats;
  }

  // A record that was opened with packet `opened` is resolved or lost.
  void resolved(uint64_t opened, uint64_t time) {
    for (size_t watched = 0; watched < watching_;) {
      Span& span = spans[watched_[watched]];
      if (opened < span.healed_packet && --span.left == 0) {
        span.converged = time, span.is_converged = 1;
        watched_[watched] = watched_[--watching_];
      } else {
        ++watched;
      }
    }
  }

  // What was in flight is not known any more.
  void forget() {
    watching_ = 0;
    for (auto& ends : open_) ends[0] = ends[1] = 0;
  }

 private:
  void heal_at(size_t place, uint64_t time, uint64_t packet, uint32_t in_flight) {
    Span& span = spans[place];
    span.healed = time, span.is_healed = 1, span.healed_packet = packet;
    span.in_flight = span.left = in_flight;
    if (!in_flight)
      span.converged = time, span.is_converged = 1;
    else if (watching_ < kWatched)
      watched_[watching_++] = place;
  }

  size_t open_[5][2] = {};
  size_t watched_[kWatched] = {};
  size_t watching_ = 0;
};

struct EndState {
  uint64_t time, packet;
  uint32_t epoch, converged;
  uint8_t end, state, incoming, outgoing, changing;
  uint8_t reserved[3];
};

struct FrameFault {
  uint64_t time, packet;
  uint32_t number, id;
  uint16_t faults, rule;
  uint8_t end, operation;
  uint8_t reserved[2];
};

}  // namespace oae
