// How long a record takes from its DATA to the ACK; what goes twice does not count.
#pragma once
#include <algorithm>
#include <unordered_map>
#include <vector>

#include "answer.h"
#include "clock.h"
#include "frame.h"

namespace oae {

class Latency {
 public:
  // The end has handed over a frame, or takes one that came at this time.
  void sent(const uint8_t* frame, uint32_t size) {
    if (!is(frame, size, Operation::DATA)) return;
    if (sent_.size() >= kOutstanding) sent_.clear();
    const auto [place, is_first] = sent_.try_emplace(id(frame), Clock::now());
    if (!is_first) place->second = 0;
  }
  void received(const uint8_t* frame, uint32_t size, uint64_t time) {
    if (!is(frame, size, Operation::ACK)) return;
    const auto begun = sent_.find(id(frame));
    if (begun == sent_.end()) return;
    if (begun->second) {
      if (found_.size() < kKept) found_.push_back(0);
      found_[next_++ % kKept] = time - begun->second;
    }
    sent_.erase(begun);
  }

  Answer told() const {
    Answer answer;
    answer.text("clock", "CLOCK_REALTIME, stamped when this process takes a frame, without a bound");
    answer.number("count", found_.size());
    if (found_.empty()) return answer;
    std::vector<uint64_t> sorted = found_;
    const auto middle = sorted.begin() + static_cast<ptrdiff_t>(sorted.size() / 2);
    std::nth_element(sorted.begin(), middle, sorted.end());
    answer.number("median_ns", *middle);
    return answer;
  }

 private:
  static constexpr size_t kKept = 4096, kOutstanding = 256;  // more than any window

  static bool is(const uint8_t* frame, uint32_t size, Operation operation) {
    return size >= HEADER_BYTES && (frame[14] & 0x1f) == static_cast<uint8_t>(operation);
  }
  static uint32_t id(const uint8_t* frame) {
    return static_cast<uint32_t>(big16(frame + 24)) << 16 | big16(frame + 15);
  }

  std::unordered_map<uint32_t, uint64_t> sent_;
  std::vector<uint64_t> found_;
  size_t next_ = 0;
};

}  // namespace oae
