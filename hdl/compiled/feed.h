// Hands a run to the checker while it runs: frames, and the evidence of docs/tables.md, as the packets
// of the capture that oae.capture.record makes of the same trace, in the same order.
#pragma once
#include "checker.h"
#include "evidence_packet.h"

namespace oae {

class Feed {
 public:
  static constexpr uint64_t kCycleNs = 16;

  Feed() {
    // As oae.capture.record.INTERFACES.
    constexpr Role kRoles[] = {Role::A_TRANSMIT, Role::A_RECEIVE, Role::B_TRANSMIT, Role::B_RECEIVE,
                               Role::EVIDENCE};
    for (uint32_t at = 0; at < std::size(kRoles); ++at) checker_.role(at, kRoles[at], 0);
  }

  static uint64_t next(uint64_t cycle) { return cycle + 1; }
  static int number(int end) { return end; }

  EvidencePacket evidence(Evidence type, int end, uint64_t cycle, uint8_t channel = 0) {
    return {type, end, channel, sequence_++, cycle};
  }

  void take(const EvidencePacket& packet, uint64_t cycle) {
    give({.flags = TIMED, .interface = kEvidence}, packet.bytes(), packet.size(), cycle);
  }

  // `end` is whose port it is.
  void frame(int end, bool is_received, uint32_t number, bool is_bad, const uint8_t* bytes,
             uint32_t size, uint64_t cycle) {
    const uint64_t origin = static_cast<uint64_t>(end) ^ is_received;
    give({.number = origin << 32 | number,
          .flags = TIMED | NUMBERED | (is_received ? INBOUND : OUTBOUND) | (is_bad ? BAD : 0u),
          .interface = static_cast<uint32_t>(2 * end) + is_received},
         bytes, size, cycle);
  }

  void finish() { checker_.finish(); }
  const Checker& checker() const { return checker_; }
  bool has_finding() const { return checker_.book().findings.count != 0; }

 private:
  static constexpr uint32_t kEvidence = 4;

  void give(Packet packet, const uint8_t* bytes, uint32_t size, uint64_t cycle) {
    packet.time = cycle * kCycleNs;
    packet.index = ++packets_;
    packet.captured = packet.original = size;
    checker_.feed(bytes, &packet, 1);
  }

  Checker checker_{0, ETHERTYPE};
  uint32_t sequence_ = 0;
  uint64_t packets_ = 0;
};

}  // namespace oae
