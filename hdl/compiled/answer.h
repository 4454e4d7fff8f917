// The answer to a job: one line of JSON.
#pragma once
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace oae {

class Answer {
 public:
  void text(const char* key, std::string_view value) {
    name(key);
    quoted(value);
  }
  void number(const char* key, uint64_t value) {
    name(key);
    line_ += std::to_string(value);
  }
  void number(const char* key, double value) {
    char digits[32];
    std::snprintf(digits, sizeof digits, "%.6f", value);
    name(key);
    line_ += digits;
  }
  template <class Numbers>
  void numbers(const char* key, const Numbers& values) {
    list(key, values, [&](const auto& value) { line_ += std::to_string(value); });
  }
  template <class Texts>
  void texts(const char* key, const Texts& values) {
    list(key, values, [&](const auto& value) { quoted(value); });
  }
  // Structures as they are in memory, in hex; oae.check.kernel has them as numpy types.
  template <class Row>
  void rows(const char* key, const Row* rows, size_t count) {
    name(key);
    line_ += '"';
    const auto* bytes = reinterpret_cast<const unsigned char*>(rows);
    for (size_t at = 0; at < count * sizeof(Row); ++at) {
      line_ += kDigits[bytes[at] >> 4];
      line_ += kDigits[bytes[at] & 15];
    }
    line_ += '"';
  }
  void object(const char* key, const Answer& value) {
    name(key);
    line_ += '{' + value.line_ + '}';
  }
  std::string line() const { return '{' + line_ + "}\n"; }

 private:
  static constexpr char kDigits[] = "0123456789abcdef";

  void name(const char* key) {
    if (!line_.empty()) line_ += ", ";
    quoted(key);
    line_ += ": ";
  }
  void quoted(std::string_view value) {
    line_ += '"';
    for (const char byte : value) {
      if (byte == '"' || byte == '\\') line_ += '\\';
      line_ += static_cast<unsigned char>(byte) < ' ' ? ' ' : byte;
    }
    line_ += '"';
  }
  template <class Values, class Put>
  void list(const char* key, const Values& values, Put put) {
    name(key);
    line_ += '[';
    bool is_first = true;
    for (const auto& value : values) {
      if (!is_first) line_ += ", ";
      is_first = false;
      put(value);
    }
    line_ += ']';
  }

  std::string line_;
};

}  // namespace oae
