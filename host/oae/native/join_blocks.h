// Blocks of a pcapng file, as host/oae/capture/write.py makes them.
#pragma once
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace oae {

class Blocks {
 public:
  static constexpr uint64_t kNoNumber = ~0ull;
  std::vector<uint8_t> bytes;

  // An enhanced packet block.
  void packet(uint32_t interface, uint64_t time, const uint8_t* data, uint32_t size, uint32_t original,
              uint32_t flags, uint64_t number, uint32_t dropped, std::string_view text) {
    const size_t start = bytes.size();
    const auto high = static_cast<uint32_t>(time >> 32), low = static_cast<uint32_t>(time);
    for (const uint32_t word : {6u, 0u, interface, high, low, size, original}) little(word, 4);
    padded(data, size);
    if (!text.empty()) {
      option(1, static_cast<uint16_t>(text.size()));
      padded(reinterpret_cast<const uint8_t*>(text.data()), text.size());
    }
    if (flags) option(2, 4), little(flags, 4);
    if (dropped) option(4, 8), little(dropped, 8);
    if (number != kNoNumber) option(5, 8), little(number, 8);
    if (!text.empty() || flags || dropped || number != kNoNumber) little(0, 4);
    const uint32_t length = static_cast<uint32_t>(bytes.size() - start + 4);
    little(length, 4);
    std::memcpy(&bytes[start + 4], &length, 4);
  }

 private:
  void option(uint16_t code, uint16_t length) { little(code, 2), little(length, 2); }
  void little(uint64_t value, size_t size) {
    const size_t at = bytes.size();
    bytes.resize(at + size);
    std::memcpy(&bytes[at], &value, size);
  }
  void padded(const uint8_t* from, size_t size) {
    bytes.insert(bytes.end(), from, from + size);
    bytes.resize((bytes.size() + 3) & ~size_t(3));
  }
};

}  // namespace oae
