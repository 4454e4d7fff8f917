// The text of a trace (docs/trace.md), the same as hdl/sim/oae_trace.v writes: to a file, into a hash,
// or both.
#pragma once
#include <charconv>
#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>

#include "sha256.h"

namespace oae {

class TraceText {
 public:
  // Without a path there is only the hash.
  TraceText(const std::string& path, bool is_hashed) : is_hashed_(is_hashed) {
    text_.reserve(kFlush + 4096);
    if (!path.empty()) file_.open(path, std::ios::binary);
    is_written_ = !path.empty();
    text_ = "oae-trace 1\n";
  }

  // What begins a line of the run; `end` is -1 for the bench.
  TraceText& line(uint64_t cycle, int end, std::string_view what) {
    number(cycle);
    text_ += ' ';
    text_ += end < 0 ? '-' : static_cast<char>('a' + end);
    text_ += ' ';
    text_ += what;
    return *this;
  }
  TraceText& word(std::string_view word) {
    text_ += ' ';
    text_ += word;
    return *this;
  }
  TraceText& decimal(uint64_t value) {
    text_ += ' ';
    number(value);
    return *this;
  }
  TraceText& hex(uint64_t value, int digits) {
    text_ += ' ';
    while (digits-- > 0) text_ += kDigits[value >> 4 * digits & 15];
    return *this;
  }
  TraceText& bytes(const uint8_t* bytes, size_t size) {
    text_ += ' ';
    for (size_t at = 0; at < size; ++at) {
      text_ += kDigits[bytes[at] >> 4];
      text_ += kDigits[bytes[at] & 15];
    }
    return *this;
  }
  void end() {
    text_ += '\n';
    if (text_.size() > kFlush) flush();
  }
  void parameter(const std::string& name, const std::string& value) {
    text_ += "parameter " + name + ' ' + value;
    end();
  }

  // There is no more text; false if not all of it could be written.
  bool close() {
    flush();
    if (is_written_) file_.close();
    return !is_written_ || !file_.fail();
  }
  // After `close`; empty if it was not asked for.
  std::string sha256() { return is_hashed_ ? hash_.hex() : ""; }

 private:
  static constexpr size_t kFlush = 1 << 16;
  static constexpr char kDigits[] = "0123456789abcdef";

  void number(uint64_t value) {
    char digits[20];
    const auto [last, error] = std::to_chars(digits, digits + sizeof digits, value);
    text_.append(digits, last);
  }

  void flush() {
    if (is_hashed_) hash_.add(text_);
    if (is_written_) file_ << text_;
    text_.clear();
  }

  std::string text_;
  Sha256 hash_;
  std::ofstream file_;
  bool is_hashed_, is_written_;
};

}  // namespace oae
