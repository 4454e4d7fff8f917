// The capture of one end as it runs (docs/live.md): pcapng with the interfaces transmit, receive and
// evidence. What the file begins with is made by oae.capture.write; here are the packets and the end.
#pragma once
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <unistd.h>

#include "evidence_packet.h"
#include "packet.h"

namespace oae {

class Capture {
 public:
  // Goes on in a file that is empty; `head` are the section and its interfaces.
  Capture(int file, std::string head) : file_(file), head_(std::move(head)) { begin(); }
  ~Capture() { finish(); }

  // 0, or why the file cannot be written; then everything stays as it was.
  int rotate(const std::string& path) {
    const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0) return errno;
    finish();
    file_ = file;
    begin();
    return 0;
  }

  void evidence(const EvidencePacket& packet, uint64_t time) {
    block(kEvidence, time, packet.bytes(), packet.size(), 0, nullptr);
  }
  void transmitted(const uint8_t* bytes, uint32_t size, bool is_bad, uint64_t number, uint64_t time) {
    block(kTransmit, time, bytes, size, OUTBOUND | (is_bad ? kCrcError : 0), &number);
  }
  // Which frame it was nobody here knows.
  void received(const uint8_t* bytes, uint32_t size, uint64_t time) {
    block(kReceive, time, bytes, size, INBOUND, nullptr);
  }

  // Let readers see what is captured.
  void flush() {
    for (size_t at = 0; at < text_.size() && !error_;) {
      const ssize_t done = write(file_, text_.data() + at, text_.size() - at);
      if (done > 0) at += static_cast<size_t>(done);
      else if (errno != EINTR) error_ = errno;
    }
    text_.clear();
  }
  // Why not everything could be written; 0 if it could.
  int error() const { return error_; }

  // Ends the file with what each interface took.
  void finish() {
    if (file_ < 0) return;
    for (uint32_t at = 0; at < kInterfaces; ++at) {
      put<uint32_t>({kStatistics, kStatisticsBytes, at, high(time_), low(time_)});
      count(4, taken_[at]);
      count(5, 0);
      put<uint32_t>({0, kStatisticsBytes});
    }
    flush();
    close(file_);
    file_ = -1;
  }

 private:
  enum Interface : uint32_t { kTransmit, kReceive, kEvidence, kInterfaces };
  static constexpr uint32_t kEnhanced = 6, kStatistics = 5, kStatisticsBytes = 52;
  static constexpr uint32_t kCrcError = 1 << 24;  // of epb_flags
  static constexpr size_t kFlush = 1 << 18;

  static uint32_t high(uint64_t value) { return static_cast<uint32_t>(value >> 32); }
  static uint32_t low(uint64_t value) { return static_cast<uint32_t>(value); }

  void begin() {
    text_ = head_;
    taken_ = {};
    time_ = 0;
  }

  void block(Interface interface, uint64_t time, const uint8_t* bytes, uint32_t size, uint32_t flags,
             const uint64_t* number) {
    const uint32_t padding = -size & 3, options = (flags ? 8 : 0) + (number ? 12 : 0);
    const uint32_t length = 32 + size + padding + options + (options ? 4 : 0);
    put<uint32_t>({kEnhanced, length, interface, high(time), low(time), size, size});
    text_.append(reinterpret_cast<const char*>(bytes), size);
    text_.append(padding, '\0');
    if (flags) {
      put<uint16_t>({2, 4});
      put<uint32_t>({flags});
    }
    if (number) count(5, *number);
    if (options) put<uint32_t>({0});
    put<uint32_t>({length});
    ++taken_[interface];
    time_ = time;
    if (text_.size() > kFlush) flush();
  }

  // An option of eight bytes.
  void count(uint16_t code, uint64_t value) {
    put<uint16_t>({code, 8});
    put<uint64_t>({value});
  }
  // As they lie in memory: the file's byte order is that of this machine.
  template <class Word>
  void put(std::initializer_list<Word> words) {
    text_.append(reinterpret_cast<const char*>(words.begin()), words.size() * sizeof(Word));
  }

  int file_, error_ = 0;
  const std::string head_;
  std::string text_;
  std::array<uint64_t, kInterfaces> taken_{};
  uint64_t time_ = 0;
};

}  // namespace oae
