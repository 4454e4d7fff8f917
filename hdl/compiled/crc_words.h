// The CRC steps of hdl/rtl/oae_crc32c.vh, which oae_crc32c.vh beside this file calls.
#pragma once
#include <cstdint>

#include "crc32c.h"

namespace oae {

// CRC register after 8 more bytes, the first one in the word's lowest bits.
inline uint32_t crc_word(uint32_t crc, uint64_t word) {
  uint8_t bytes[8];
  for (int at = 0; at < 8; ++at) bytes[at] = static_cast<uint8_t>(word >> 8 * at);
  return crc32c_step(crc, bytes, sizeof bytes);
}

// The same for a register that runs 16 bytes ahead: the word moved past the trailer.
inline uint32_t crc_record_word(uint32_t crc, uint64_t word) {
  return crc_word(crc, 0) ^ crc_word(crc_word(crc_word(0, word), 0), 0);
}

}  // namespace oae
