// The time of a live end: nanoseconds since 1970, which no setting of the clock moves meanwhile, and
// the ticks that are due.
#pragma once
#include <algorithm>
#include <cstdint>
#include <ctime>

namespace oae {

class Clock {
 public:
  static constexpr uint64_t kSecond = 1'000'000'000;

  static uint64_t now() {
    static const uint64_t start = offset();
    return start + read(CLOCK_MONOTONIC);
  }
  static double processor_seconds() {
    return static_cast<double>(read(CLOCK_PROCESS_CPUTIME_ID)) / kSecond;
  }

 private:
  // Between both clocks, from the readings that stand closest to each other.
  static uint64_t offset() {
    uint64_t found = 0, closest = ~0ull;
    for (int attempt = 0; attempt < 64; ++attempt) {
      const uint64_t before = read(CLOCK_MONOTONIC), real = read(CLOCK_REALTIME);
      const uint64_t took = read(CLOCK_MONOTONIC) - before;
      if (took >= closest) continue;
      closest = took;
      found = real - (before + took / 2);
    }
    return found;
  }
  static uint64_t read(clockid_t clock) {
    timespec time;
    clock_gettime(clock, &time);
    return static_cast<uint64_t>(time.tv_sec) * kSecond + static_cast<uint64_t>(time.tv_nsec);
  }
};

// Ticks of a clock of so many a second; with none it stands still.
class Ticks {
 public:
  // Who was not here for this long was away; what is beyond the second is not made up.
  static constexpr uint64_t kAway = 5'000'000, kMadeUp = 100'000'000;

  explicit Ticks(uint32_t hz) : hz_(hz), seen_(Clock::now()) {}

  // Count what has gone by; whether it was away.
  bool look() {
    const uint64_t now = Clock::now(), gone = now - seen_;
    seen_ = now;
    passed_ = std::min(passed_ + std::min(gone, kMadeUp) * hz_, kMadeUp * hz_);
    return gone > kAway;
  }
  bool due() const { return passed_ >= Clock::kSecond; }
  // One of them.
  bool take() {
    if (!due()) return false;
    passed_ -= Clock::kSecond;
    ++taken_;
    return true;
  }
  uint64_t taken() const { return taken_; }

 private:
  uint64_t hz_, seen_, taken_ = 0;
  uint64_t passed_ = 0;  // ticks, in parts of a nanosecond of one a second
};

}  // namespace oae
