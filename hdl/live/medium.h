// The medium of a live end (docs/live.md): frames in and out in batches, nothing ever waits, and what is
// lost or ignored is counted. The file was opened by host/oae/medium.
#pragma once
#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <string>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

#include "answer.h"
#include "clock.h"
#include "frame.h"

namespace oae {

class Medium {
 public:
  static constexpr size_t kBatch = 64, kLongest = 2048, kEthernetHeader = 14;

  struct Received {
    const uint8_t* bytes;
    uint32_t size;
    uint64_t time;
  };

  // `name` is the address; a TAP device is no socket.
  Medium(int file, const std::string& name) : file_(file), is_socket_(!name.starts_with("tap:")) {
    if (name.starts_with("unix:")) {
      const size_t comma = name.find(',');
      local_ = name.substr(5, comma - 5);
      remote_ = name.substr(comma + 1);
    }
    for (size_t at = 0; at < kBatch; ++at) {
      in_[at].attach(in_messages_[at]);
      out_[at].attach(out_messages_[at]);
    }
  }
  ~Medium() {
    close(file_);
    if (!local_.empty()) unlink(local_.c_str());
  }

  int file() const { return file_; }

  // The oldest frame that has come and was not taken; looks for more only if there was none.
  bool waits() const { return at_ < came_; }
  Received first() const {
    return {in_[at_].bytes, static_cast<uint32_t>(in_[at_].size()), time_};
  }
  void taken() { ++at_; skip(); }

  void receive() {
    if (waits()) return;
    at_ = came_ = 0;
    const int found = is_socket_ ? receive_batch() : receive_one();
    if (found < 0) {
      if (errno != EAGAIN) count(errno);  // of a frame that was sent before
      return;
    }
    came_ = static_cast<size_t>(found);
    time_ = Clock::now();
    skip();
  }

  // Goes with the next flush, padded as Ethernet does.
  void send(const uint8_t* bytes, size_t size) {
    if (waiting_ == kBatch) flush();
    Buffer& buffer = out_[waiting_++];
    size = std::min(size, kLongest);
    std::memcpy(buffer.bytes, bytes, size);
    if (size < MINIMUM_FRAME_BYTES) std::memset(buffer.bytes + size, 0, MINIMUM_FRAME_BYTES - size);
    buffer.part.iov_len = std::max<size_t>(size, MINIMUM_FRAME_BYTES);
  }

  void flush() {
    for (size_t at = 0; at < waiting_;) {
      const int done = is_socket_ ? sendmmsg(file_, out_messages_ + at, waiting_ - at, 0) : send_one(at);
      if (done > 0) {
        sent_ += static_cast<size_t>(done);
        at += static_cast<size_t>(done);
        is_new_ = false;
      } else if (!connected_again(errno)) {
        count(errno);
        ++at;
      }
    }
    waiting_ = 0;
  }

  Answer counters() const {
    Answer answer;
    answer.number("sent", sent_);
    answer.number("received", received_);
    answer.number("lost_refused", refused_);
    answer.number("lost_full", full_);
    answer.number("lost_too_long", too_long_);
    answer.number("foreign", foreign_);
    answer.number("garbage", garbage_);
    return answer;
  }

 private:
  struct Buffer {
    uint8_t bytes[kLongest];
    iovec part;
    mmsghdr* message;

    void attach(mmsghdr& header) {
      part = {bytes, kLongest};
      message = &header;
      header = {};
      header.msg_hdr.msg_iov = &part;
      header.msg_hdr.msg_iovlen = 1;
    }
    size_t size() const { return message->msg_len; }
    bool is_cut() const { return message->msg_hdr.msg_flags & MSG_TRUNC; }
  };

  int receive_batch() { return recvmmsg(file_, in_messages_, kBatch, 0, nullptr); }
  int receive_one() {
    const ssize_t size = read(file_, in_[0].bytes, kLongest);
    if (size < 0) return -1;
    in_messages_[0].msg_len = static_cast<unsigned>(size);
    in_messages_[0].msg_hdr.msg_flags = size == kLongest ? MSG_TRUNC : 0;
    return 1;
  }
  int send_one(size_t at) { return write(file_, out_[at].bytes, out_[at].part.iov_len) < 0 ? -1 : 1; }

  // Passes over what is not for us.
  void skip() {
    for (; at_ < came_; ++at_) {
      const Buffer& buffer = in_[at_];
      if (buffer.is_cut() || buffer.size() < kEthernetHeader) {
        ++garbage_;
      } else if (big16(buffer.bytes + 12) != ETHERTYPE) {
        ++foreign_;
      } else {
        ++received_;
        return;
      }
    }
  }

  // A Unix socket whose remote has gone, or was not there yet, may find it there anew. Once for a frame.
  bool connected_again(int error) {
    const bool gone = error == ECONNREFUSED || error == ECONNRESET || error == ENOTCONN ||
                      error == EPIPE || error == EPERM || error == EDESTADDRREQ;
    if (remote_.empty() || !gone || is_new_) {
      is_new_ = false;
      return false;
    }
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    remote_.copy(address.sun_path, sizeof address.sun_path - 1);
    is_new_ = connect(file_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    return is_new_;
  }

  void count(int error) {
    switch (error) {
      case EAGAIN: case ENOBUFS: case ENOMEM:
        ++full_;
        return;
      case EMSGSIZE:
        ++too_long_;
        return;
      default:  // the other side is not there; or the interface is down or gone
        ++refused_;
    }
  }

  const int file_;
  const bool is_socket_;
  std::string local_, remote_;
  bool is_new_ = false;  // the connection; nothing was sent on it yet
  Buffer in_[kBatch], out_[kBatch];
  mmsghdr in_messages_[kBatch], out_messages_[kBatch];
  size_t at_ = 0, came_ = 0, waiting_ = 0;
  uint64_t time_ = 0;
  uint64_t sent_ = 0, received_ = 0, refused_ = 0, full_ = 0, too_long_ = 0, foreign_ = 0, garbage_ = 0;
};

}  // namespace oae
