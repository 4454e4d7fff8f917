// Reads registers as a host at the serial line does: docs/board.md.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace oae {

class RegisterReader {
 public:
  static constexpr uint8_t kMost = 60;  // registers at once

  // The last host's sequence is as good as never this one.
  explicit RegisterReader(uint32_t sequence) : sequence_(sequence) {}

  // The bytes that ask for registers.
  std::string request(uint16_t address, uint8_t count) {
    std::string content = little(++sequence_, 4) + little(kRead, 1) + little(address, 2) + little(count, 1);
    content += little(crc(content), 4);
    std::string frame(1, '\0');  // ends whatever came before
    for (size_t from = 0; from <= content.size();) {
      const size_t zero = std::min(content.find('\0', from), content.size());
      frame += static_cast<char>(zero - from + 1);
      frame.append(content, from, zero - from);
      from = zero + 1;
    }
    return frame + '\0';
  }

  // What the bytes that came meanwhile answer; nothing if the answer is not whole yet.
  std::optional<std::vector<uint32_t>> answer(std::string_view came) const {
    for (size_t end; (end = came.find('\0')) != came.npos; came.remove_prefix(end + 1)) {
      const std::string content = decoded(came.substr(0, end));
      if (content.size() < kHead + 4) continue;
      const std::string_view checked = std::string_view(content).substr(0, content.size() - 4);
      if (number(content, checked.size()) != crc(checked)) continue;
      if (number(content, 0) != sequence_) continue;  // it answers somebody else
      std::vector<uint32_t> values;
      for (size_t at = kHead; at < checked.size(); at += 4) values.push_back(number(content, at));
      return values;
    }
    return std::nullopt;
  }

 private:
  static constexpr uint8_t kRead = 1;
  static constexpr size_t kHead = 5;

  static std::string little(uint32_t value, int bytes) {
    std::string found;
    for (int at = 0; at < bytes; ++at) found += static_cast<char>(value >> 8 * at);
    return found;
  }
  static uint32_t number(std::string_view bytes, size_t at) {
    uint32_t value = 0;
    for (size_t place = 4; place-- > 0;) value = value << 8 | static_cast<uint8_t>(bytes[at + place]);
    return value;
  }
  static uint32_t crc(std::string_view bytes) {
    uint32_t state = ~0u;
    for (const char byte : bytes) {
      state ^= static_cast<uint8_t>(byte);
      for (int bit = 0; bit < 8; ++bit) state = state >> 1 ^ (state & 1 ? 0xedb88320u : 0);
    }
    return ~state;
  }
  // Undoes COBS.
  static std::string decoded(std::string_view frame) {
    std::string content;
    while (!frame.empty()) {
      const size_t code = static_cast<uint8_t>(frame[0]);
      content += frame.substr(1, code - 1);
      frame.remove_prefix(std::min(code, frame.size()));
      if (code != 0xff && !frame.empty()) content += '\0';
    }
    return content;
  }

  uint32_t sequence_;
};

}  // namespace oae
