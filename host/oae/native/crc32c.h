// CRC-32C (Castagnoli): by the processor's instruction where there is one, else eight bytes at a
// time by tables.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace oae {

constexpr uint32_t kPolynomial = 0x82F63B78;  // reflected

constexpr std::array<std::array<uint32_t, 256>, 8> slicing_tables() {
  std::array<std::array<uint32_t, 256>, 8> tables{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t value = byte;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? kPolynomial : 0);
    tables[0][byte] = value;
  }
  for (int slice = 1; slice < 8; ++slice)
    for (uint32_t byte = 0; byte < 256; ++byte) {
      const uint32_t before = tables[slice - 1][byte];
      tables[slice][byte] = before >> 8 ^ tables[0][before & 0xFF];
    }
  return tables;
}
constexpr auto kSlicing = slicing_tables();

inline uint64_t load64(const uint8_t* bytes) {
  uint64_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

// The register after `size` bytes; no inversion before or after.
inline uint32_t crc32c_tables(uint32_t state, const uint8_t* bytes, size_t size) {
  for (; size >= 8; bytes += 8, size -= 8) {
    const uint64_t word = load64(bytes) ^ state;
    state = 0;
    for (int at = 0; at < 8; ++at) state ^= kSlicing[7 - at][word >> (8 * at) & 0xFF];
  }
  for (; size; ++bytes, --size) state = state >> 8 ^ kSlicing[0][(state ^ *bytes) & 0xFF];
  return state;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) inline uint32_t crc32c_instruction(
    uint32_t state, const uint8_t* bytes, size_t size) {
  uint64_t wide = state;
  for (; size >= 8; bytes += 8, size -= 8) wide = __builtin_ia32_crc32di(wide, load64(bytes));
  state = static_cast<uint32_t>(wide);
  for (; size; ++bytes, --size) state = __builtin_ia32_crc32qi(state, *bytes);
  return state;
}
inline const bool kHasInstruction = __builtin_cpu_supports("sse4.2");
#else
inline uint32_t crc32c_instruction(uint32_t state, const uint8_t* bytes, size_t size) {
  return crc32c_tables(state, bytes, size);
}
inline const bool kHasInstruction = false;
#endif

inline uint32_t crc32c_step(uint32_t state, const uint8_t* bytes, size_t size) {
  return kHasInstruction ? crc32c_instruction(state, bytes, size)
                         : crc32c_tables(state, bytes, size);
}

inline uint32_t crc32c(const uint8_t* bytes, size_t size) {
  return ~crc32c_step(~0u, bytes, size);
}

}  // namespace oae
