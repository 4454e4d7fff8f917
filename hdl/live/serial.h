// The serial line of the board, as a pseudo terminal: its side of it. The program at the other side must
// have set the speed that the board has, or bytes are garbled both ways, as on a wire.
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <termios.h>
#include <unistd.h>
#include <utility>

#include "schedule.h"

namespace oae {

class Serial {
 public:
  // `speed` is that of the board, as tcgetattr has it; `link` leads to the terminal.
  Serial(int file, speed_t speed, std::string link)
      : file_(file), speed_(speed), link_(std::move(link)) {}
  ~Serial() {
    if (!link_.empty()) unlink(link_.c_str());
  }

  int file() const { return file_; }

  // Bytes for the board.
  void read(std::deque<uint8_t>& to_board) {
    uint8_t bytes[kMost];
    const ssize_t size = ::read(file_, bytes, sizeof bytes);
    const bool is_right = at_speed();
    for (ssize_t at = 0; at < size; ++at) to_board.push_back(is_right ? bytes[at] : garbled(bytes[at]));
  }
  // Bytes from the board; what nobody reads is lost.
  void write(std::string& from_board) {
    if (from_board.empty()) return;
    if (!at_speed())
      for (char& byte : from_board) byte = static_cast<char>(garbled(static_cast<uint8_t>(byte)));
    for (size_t at = 0; at < from_board.size();) {
      const ssize_t done = ::write(file_, from_board.data() + at, from_board.size() - at);
      if (done <= 0) break;
      at += static_cast<size_t>(done);
    }
    from_board.clear();
  }

 private:
  static constexpr size_t kMost = 4096;

  bool at_speed() const {
    termios settings;
    return tcgetattr(file_, &settings) == 0 && cfgetospeed(&settings) == speed_;
  }
  uint8_t garbled(uint8_t byte) {
    count_ = chain(count_, byte);
    return static_cast<uint8_t>(count_);
  }

  const int file_;
  const speed_t speed_;
  const std::string link_;
  uint32_t count_ = 0;
};

}  // namespace oae
