// What a live end does goes to its medium and its capture, and to those who want to hear of it.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <vector>

#include "capture.h"
#include "clock.h"
#include "evidence_packet.h"
#include "frame.h"
#include "latency.h"
#include "medium.h"

namespace oae {

class Feed {
 public:
  static constexpr uint64_t kCycleNs = 16;

  // Steps that somebody outside wants to hear of, and one that was heard.
  struct Watch {
    uint64_t mask, match;
  };
  struct Heard {
    uint32_t number;
    uint64_t word, time;
  };

  int end = 0;
  std::unique_ptr<Medium> medium;
  std::unique_ptr<Capture> capture;  // if there is to be one
  std::map<uint32_t, Watch> watches;
  std::vector<Heard> heard;
  std::array<uint64_t, 4> outcomes{};
  uint64_t delivered = 0;
  Latency latency;

  // A cycle of the model is the one of the wall clock in which it runs.
  static uint64_t next(uint64_t cycle) { return std::max(cycle + 1, Clock::now() / kCycleNs); }
  int number(int) const { return end; }

  EvidencePacket evidence(Evidence type, int of, uint64_t cycle, uint8_t channel = 0) {
    return {type, of < 0 ? of : end, channel, sequence_++, cycle};
  }

  void take(const EvidencePacket& packet, uint64_t cycle) {
    const uint8_t* fields = packet.bytes() + kHead;
    if (packet.type() == Evidence::STEP) step(big64(fields), cycle * kCycleNs);
    if (packet.type() == Evidence::DELIVER && !fields[kDeliverFlags]) ++delivered;
    if (capture) capture->evidence(packet, cycle * kCycleNs);
  }

  // A frame that a restart has cut off is marked bad: a MAC spoils its FCS, so it reaches nobody.
  void frame(int, bool is_received, uint32_t number, bool is_bad, const uint8_t* bytes, uint32_t size,
             uint64_t cycle) {
    const uint64_t time = cycle * kCycleNs;
    if (is_received) {
      if (capture) capture->received(bytes, size, time);
      return;
    }
    if (!is_bad) {
      latency.sent(bytes, size);
      medium->send(bytes, size);
    }
    const uint64_t full = static_cast<uint64_t>(end) << 32 | number;
    if (capture) capture->transmitted(bytes, size, is_bad, full, time);
  }

 private:
  static constexpr size_t kHead = 16, kDeliverFlags = 12;

  void step(uint64_t word, uint64_t time) {
    const auto code = static_cast<EventCode>(word >> 56);
    if (code == EventCode::TOLD || code == EventCode::UNOPENED_TOLD) ++outcomes[word >> 32 & 3];
    for (const auto& [number, watch] : watches)
      if ((word & watch.mask) == watch.match) heard.push_back({number, word, time});
  }

  uint32_t sequence_ = 0;
};

}  // namespace oae
