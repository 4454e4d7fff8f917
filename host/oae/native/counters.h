// The counters of both ends: what their events add up to, and what their registers say.
#pragma once
#include "findings.h"
#include "oae_defs.h"

namespace oae {

class Counters {
 public:
  Counters() {
    std::memset(counter_of_, kNone, sizeof counter_of_);
    for (size_t at = 0; at < kCount; ++at)
      for (int info = 0; info < 256; ++info)
        if (kCounters[at].info < 0 || (info & kCounters[at].mask) == kCounters[at].info)
          counter_of_[kCounters[at].code][info] = static_cast<uint8_t>(at);
  }

  void event(int end, uint8_t code, uint8_t info) {
    const uint8_t counter = counter_of_[code][info];
    if (counter != kNone) ++events_[end][counter];
  }

  void read(int end, uint8_t address, uint32_t value) {
    const size_t counter = static_cast<size_t>(address) - kFirst;
    if (counter >= kCount) return;
    value_[end][counter] = value;
    was_read_[end][counter] = true;
  }

  // Every counter, zeros included, is the number of its event words.
  void check(Findings& findings, Place place) const {
    for (int end = 0; end < 2; ++end)
      for (size_t counter = 0; counter < kCount; ++counter) {
        const char* name = kCounters[counter].name;
        const char letter = end ? 'b' : 'a';
        const uint32_t events = static_cast<uint32_t>(events_[end][counter]);
        const uint32_t value = value_[end][counter];
        if (!was_read_[end][counter])
          findings.bench_error(place, "end %c: counter %s was not read", letter, name);
        else if (value != events)
          findings.add(Promise::COUNTERS, true, false, place, nullptr, nullptr,
                       "end %c: %s is %u, its events are %u", letter, name, value, events);
      }
  }

 private:
  static constexpr size_t kCount = sizeof kCounters / sizeof kCounters[0];
  static constexpr size_t kFirst = 0x40;  // address of the first counter
  static constexpr uint8_t kNone = 0xFF;

  uint8_t counter_of_[256][256];  // of code and info
  uint64_t events_[2][kCount] = {};
  uint32_t value_[2][kCount] = {};
  bool was_read_[2][kCount] = {};
};

}  // namespace oae
