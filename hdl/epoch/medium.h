// One direction of a link: takes frames whole, and loses, doubles, damages and delays them.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <utility>
#include <vector>

#include "job.h"

namespace oae {

// Draws that are the same everywhere: the generator is fixed by the C++ standard.
class Chance {
 public:
  explicit Chance(uint64_t seed) : generator_(seed) {}
  uint32_t below(uint32_t bound) { return static_cast<uint32_t>(generator_() % bound); }
  bool strikes(uint32_t thousandths) { return thousandths && below(1000) < thousandths; }

 private:
  std::mt19937_64 generator_;
};

struct Beat {
  uint64_t data = 0;
  uint8_t keep = 0;
  bool is_valid = false, is_last = false, is_bad = false;
};

class Medium {
 public:
  Medium(const Rates& rates, uint64_t seed) : rates_(rates), chance_(seed) {}

  // A beat that the sender has handed over.
  void take(const Beat& beat, uint64_t cycle, bool is_cut) {
    filling_.push_back(beat);
    if (!beat.is_last) return;
    if (!is_cut && !chance_.strikes(rates_.drop)) {
      send(cycle);
      if (chance_.strikes(rates_.duplicate)) send(cycle);
    }
    filling_.clear();
  }

  // What stands at the receiver's port in this cycle. A frame that arrives while the receiver is
  // down or the link is cut is lost; one that is half in goes on when it is up again.
  Beat offer(uint64_t cycle, bool is_lost) {
    while (!sending_ && !flying_.empty() && flying_.begin()->first.first <= cycle) {
      if (!is_lost) sending_ = std::move(flying_.begin()->second), at_ = 0;
      flying_.erase(flying_.begin());
    }
    return sending_ ? (*sending_)[at_] : Beat{};
  }

  // The receiver has taken the beat offered.
  void taken() {
    if (++at_ == sending_->size()) sending_.reset();
  }

 private:
  using Frame = std::vector<Beat>;
  static constexpr uint32_t kFirstBit = 112;  // damage from byte 14 on: addresses prove nothing

  void send(uint64_t cycle) {
    Frame frame = filling_;
    // What the MAC notices, or one bit that it does not.
    if (chance_.strikes(rates_.corrupt)) {
      if (chance_.below(2)) {
        frame.back().is_bad = true;
      } else if (frame.size() > 2) {
        const uint32_t bits = static_cast<uint32_t>(64 * (frame.size() - 1));
        const uint32_t bit = kFirstBit + chance_.below(bits - kFirstBit);
        frame[bit / 64].data ^= 1ull << bit % 64;
      }
    }
    uint64_t due = cycle + rates_.latency;
    if (chance_.strikes(rates_.late)) due += 1 + chance_.below(rates_.hold);
    flying_.emplace(std::pair{due, ++sent_}, std::move(frame));
  }

  const Rates rates_;
  Chance chance_;
  Frame filling_;
  std::map<std::pair<uint64_t, uint64_t>, Frame> flying_;  // by {earliest arrival, number}
  uint64_t sent_ = 0;
  std::optional<Frame> sending_;
  size_t at_ = 0;
};

}  // namespace oae
