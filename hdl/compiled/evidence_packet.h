// Evidence as it stands in a capture and goes to the checker: docs/tables.md.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "oae_defs.h"

namespace oae {

// The bytes of one evidence packet.
class EvidencePacket {
 public:
  static constexpr uint8_t kVersion = 1, kBench = 255;
  static constexpr size_t kMost = 4096;

  EvidencePacket(Evidence type, int end, uint8_t channel, uint32_t sequence, uint64_t cycle) {
    number<1>(kVersion).number<1>(static_cast<uint64_t>(type));
    number<1>(end < 0 ? kBench : static_cast<uint64_t>(end)).number<1>(channel);
    number<4>(sequence).number<8>(cycle);
  }
  // So many bytes, the highest first.
  template <int kBytes>
  EvidencePacket& number(uint64_t value) {
    for (int at = kBytes - 1; at >= 0; --at) bytes_[size_++] = static_cast<uint8_t>(value >> 8 * at);
    return *this;
  }
  EvidencePacket& tail(const void* bytes, size_t size) {
    size = std::min(size, kMost - size_);
    std::memcpy(bytes_ + size_, bytes, size);
    size_ += size;
    return *this;
  }
  Evidence type() const { return static_cast<Evidence>(bytes_[1]); }
  const uint8_t* bytes() const { return bytes_; }
  uint32_t size() const { return static_cast<uint32_t>(size_); }

 private:
  uint8_t bytes_[kMost];
  size_t size_ = 0;
};

}  // namespace oae
